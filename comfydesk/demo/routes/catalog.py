"""What the pod is and has: /object_info, /models, /system_stats, /features, templates, logs."""

import asyncio
import json
import platform
import shutil
import struct
import sys
import time
from pathlib import Path
from typing import Any

from aiohttp import web

from comfydesk.demo.folders import MODEL_SUFFIXES, MODELS
from comfydesk.demo.hub import FEATURES
from comfydesk.demo.routes import PodParts, doubled
from comfydesk.demo.templates import index, template, thumbnail

DEVICE = "Demo pod: draws pictures on the CPU, no AI"
VERSION = "0.33.0"
_HEADER_LIMIT = 1024 * 1024


def routes(pod: PodParts) -> list[web.RouteDef]:
    catalog = CatalogRoutes(pod)
    return [
        web.get("/internal/logs", catalog.logs),
        web.get("/internal/logs/raw", catalog.raw_logs),
        web.get("/internal/folder_paths", catalog.folder_paths),
        web.get("/internal/files/{kind}", catalog.files),
        web.get("/templates/{name}", catalog.template),
        web.get("/", catalog.front_page),
        *doubled(
            [
                web.get("/object_info", catalog.object_info),
                web.get("/object_info/{name}", catalog.object_info_of),
                web.get("/models", catalog.models),
                web.get("/models/{folder}", catalog.models_of),
                web.get("/experiment/models", catalog.model_folders),
                web.get("/experiment/models/{folder}", catalog.model_files),
                web.get("/embeddings", catalog.nothing_list),
                web.get("/view_metadata/{folder}", catalog.view_metadata),
                web.get("/system_stats", catalog.system_stats),
                web.get("/features", catalog.features),
                web.get("/extensions", catalog.nothing_list),
                web.get("/workflow_templates", catalog.nothing),
                web.get("/global_subgraphs", catalog.nothing),
                web.get("/node_replacements", catalog.nothing),
                web.get("/i18n", catalog.nothing),
            ]
        ),
    ]


class CatalogRoutes:
    def __init__(self, pod: PodParts) -> None:
        self._classes = pod.shared.classes
        self._folders = pod.shared.folders
        self._started = time.time()

    async def object_info(self, _: web.Request) -> web.Response:
        return web.json_response({name: entry.info(self._folders) for name, entry in self._classes.items()})

    async def object_info_of(self, request: web.Request) -> web.Response:
        found = self._classes.get(request.match_info["name"])
        return web.json_response({found.name: found.info(self._folders)} if found else {})

    async def models(self, _: web.Request) -> web.Response:
        return web.json_response(list(MODELS))

    async def models_of(self, request: web.Request) -> web.Response:
        folder = request.match_info["folder"]
        return web.json_response(self._folders.models(folder)) if folder in MODELS else web.Response(status=404)

    async def model_folders(self, _: web.Request) -> web.Response:
        base = self._folders.root / "models"
        hidden = ("configs", "custom_nodes")
        folders = [
            {"name": name, "folders": [str(base / name)], "extensions": sorted(MODEL_SUFFIXES)}
            for name in MODELS
            if name not in hidden
        ]
        return web.json_response(folders)

    async def model_files(self, request: web.Request) -> web.Response:
        folder = request.match_info["folder"]
        if folder not in MODELS:
            return web.Response(status=404)
        base = self._folders.root / "models" / folder
        entries = []
        for name in self._folders.models(folder):
            path = base / name
            stat = path.stat() if path.is_file() else None
            times = (stat.st_mtime, stat.st_ctime) if stat else (self._started, self._started)
            size = stat.st_size if stat else 0
            about = {"name": name, "pathIndex": 0, "modified": times[0], "created": times[1], "size": size}
            entries.append(about)
        return web.json_response(entries)

    async def view_metadata(self, request: web.Request) -> web.Response:
        """The `__metadata__` of a safetensors file; 404 for anything else."""
        name, folder = request.query.get("filename", ""), request.match_info["folder"]
        if folder in MODELS and name.endswith(".safetensors") and name in self._folders.models(folder):
            path = self._folders.root / "models" / folder / name
            metadata = await asyncio.to_thread(_metadata, path) if path.is_file() else _invented(name)
            if metadata is not None:
                return web.json_response(metadata)
        return web.Response(status=404)

    async def system_stats(self, _: web.Request) -> web.Response:
        disk = shutil.disk_usage(self._folders.root)
        memory = {"vram_total": 0, "vram_free": 0, "torch_vram_total": 0, "torch_vram_free": 0}
        system = {
            "os": sys.platform,
            "ram_total": disk.total,
            "ram_free": disk.free,
            "comfyui_version": VERSION,
            "required_frontend_version": None,
            "installed_templates_version": None,
            "required_templates_version": None,
            "comfy_package_versions": [],
            "python_version": sys.version,
            "pytorch_version": "none: this is ComfyDesk's demo pod, which draws and is no AI",
            "embedded_python": False,
            "deploy_environment": "comfydesk-demo",
            "argv": ["comfydesk", "demo"],
        }
        device = {"name": f"{DEVICE} ({platform.machine()})", "type": "cpu", "index": None, **memory}
        return web.json_response({"system": system, "devices": [device]})

    async def features(self, _: web.Request) -> web.Response:
        return web.json_response(dict(FEATURES))

    async def nothing(self, _: web.Request) -> web.Response:
        return web.json_response({})

    async def nothing_list(self, _: web.Request) -> web.Response:
        return web.json_response([])

    async def template(self, request: web.Request) -> web.Response:
        """/templates/index.json, a workflow, or its picture."""
        name = request.match_info["name"]
        if name == "index.json":
            return web.json_response(index(), headers={"Cache-Control": "no-store"})
        if name.endswith(".json"):
            text = template(name.removesuffix(".json"))
            if text is not None:
                return web.Response(text=text, content_type="application/json")
        if name.endswith("-1.webp"):
            picture = await asyncio.to_thread(thumbnail, name.removesuffix("-1.webp"))
            if picture is not None:
                return web.Response(body=picture, content_type="image/webp")
        return web.Response(status=404)

    async def front_page(self, _: web.Request) -> web.Response:
        page = f"<!doctype html><title>ComfyDesk demo pod</title><p>{DEVICE}. Open it with ComfyDesk.</p>"
        return web.Response(text=page, content_type="text/html")

    async def logs(self, _: web.Request) -> web.Response:
        return web.json_response("".join(f"{entry['t']} - {entry['m']}" for entry in self._log()))

    async def raw_logs(self, _: web.Request) -> web.Response:
        return web.json_response({"entries": self._log(), "size": {"cols": 80, "rows": 24}})

    def _log(self) -> list[dict[str, str]]:
        when = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(self._started))
        return [{"t": when, "m": f"{DEVICE}\n"}]

    async def folder_paths(self, _: web.Request) -> web.Response:
        base = self._folders.root / "models"
        return web.json_response({name: [str(base / name)] for name in MODELS})

    async def files(self, request: web.Request) -> web.Response:
        kind = request.match_info["kind"]
        folder = self._folders.of_type(kind)
        if folder is None:
            return web.json_response({"error": "Invalid directory type"}, status=400)
        visible = [entry for entry in folder.iterdir() if entry.is_file() and not entry.name.startswith(".")]
        visible.sort(key=lambda entry: -entry.stat().st_mtime)
        return web.json_response([f"{entry.name} [{kind}]" for entry in visible])


def _metadata(path: Path) -> Any:
    with path.open("rb") as file:
        head = file.read(8)
        if len(head) < 8 or (length := struct.unpack("<Q", head)[0]) > _HEADER_LIMIT:
            return None
        try:
            return json.loads(file.read(length)).get("__metadata__")
        except (ValueError, AttributeError):
            return None


def _invented(name: str) -> dict[str, str]:
    return {"modelspec.title": name.removesuffix(".safetensors"), "modelspec.description": DEVICE}
