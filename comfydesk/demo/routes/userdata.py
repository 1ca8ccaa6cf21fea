"""/userdata: the user's own files on the pod, saved workflows among them. A slash inside a name is %2F."""

import asyncio
import mimetypes
import os
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from aiohttp import web

from comfydesk.demo.folders import inside
from comfydesk.demo.mishaps import ServedFile
from comfydesk.demo.routes import PodParts, doubled


def routes(pod: PodParts) -> list[web.RouteDef]:
    user = UserRoutes(pod)
    return doubled(
        [
            web.get("/userdata", user.listing),
            web.get("/userdata/{file}", user.get),
            web.post("/userdata/{file}", user.post),
            web.delete("/userdata/{file}", user.delete),
            web.post("/userdata/{file}/move/{dest}", user.move),
            web.get("/users", user.users),
            web.get("/settings", user.settings),
        ]
    )


class UserRoutes:
    def __init__(self, pod: PodParts) -> None:
        self._root = pod.shared.folders.user
        self._disk = pod.shared.script.disk

    async def listing(self, request: web.Request) -> web.Response:
        query = request.query
        if not query.get("dir"):
            return web.Response(status=400, text="Directory not provided")
        folder = self._path(query["dir"])
        if folder is None:
            return web.Response(status=403, text="Invalid directory")
        if not folder.exists():
            return web.Response(status=404, text="Directory not found")
        flag = {name: query.get(name, "").lower() == "true" for name in ("recurse", "full_info", "split")}
        found = await asyncio.to_thread(_files, folder, recurse=flag["recurse"])
        answer: list[Any] = []
        for path in found:
            name = path.relative_to(folder).as_posix()
            if flag["full_info"]:
                answer.append(_info(path, folder))
            else:
                answer.append([name, *name.split("/")] if flag["split"] else name)
        return web.json_response(answer)

    async def get(self, request: web.Request) -> web.StreamResponse:
        path = self._existing(request)
        type_ = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        headers = {"Content-Type": type_, "X-Content-Type-Options": "nosniff", "Content-Disposition": "attachment"}
        return ServedFile(path, headers)

    async def post(self, request: web.Request) -> web.Response:
        path = self._named(request, "file")
        if request.query.get("overwrite") == "false" and path.exists():
            return web.Response(status=409, text="File already exists")
        body = await request.read()
        self._disk.take(len(body))
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f"{path.name}.part")
        temporary.write_bytes(body)
        temporary.replace(path)
        return self._saved(request, path)

    async def delete(self, request: web.Request) -> web.Response:
        self._existing(request).unlink()
        return web.Response(status=204)

    async def move(self, request: web.Request) -> web.Response:
        source, dest = self._existing(request), self._named(request, "dest")
        if request.query.get("overwrite") == "false" and dest.exists():
            return web.Response(status=409, text="File already exists")
        dest.parent.mkdir(parents=True, exist_ok=True)
        source.replace(dest)
        return self._saved(request, dest)

    async def users(self, _: web.Request) -> web.Response:
        return web.json_response({"storage": "server", "migrated": True})

    async def settings(self, _: web.Request) -> web.Response:
        return web.json_response({})

    def _path(self, name: str) -> Path | None:
        try:
            return inside(self._root, self._root / (unquote(name) if "%" in name else name))
        except ValueError:
            return None

    def _named(self, request: web.Request, part: str) -> Path:
        path = self._path(request.match_info[part])
        if path is None:
            raise web.HTTPForbidden
        return path

    def _existing(self, request: web.Request) -> Path:
        path = self._named(request, "file")
        if not path.exists():
            raise web.HTTPNotFound
        return path

    def _saved(self, request: web.Request, path: Path) -> web.Response:
        if request.query.get("full_info", "").lower() == "true":
            return web.json_response(_info(path, self._root))
        return web.json_response(path.relative_to(os.path.abspath(self._root)).as_posix())  # noqa: PTH100


def _files(folder: Path, *, recurse: bool) -> list[Path]:
    # Hidden ones are left out, as by the real server's glob.
    found = folder.rglob("*") if recurse else folder.glob("*")
    return sorted(
        path
        for path in found
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )


def _info(path: Path, base: Path) -> dict[str, Any]:
    stat = path.stat()
    return {
        "path": path.relative_to(os.path.abspath(base)).as_posix(),  # noqa: PTH100
        "size": stat.st_size,
        "modified": int(stat.st_mtime * 1000),
        "created": int(stat.st_ctime * 1000),
    }
