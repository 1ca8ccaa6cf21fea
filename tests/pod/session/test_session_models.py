"""What a workflow lacks is fetched by a pod: over its SSH with a real server and curl, or by ComfyUI-Manager."""

import asyncio
import hashlib
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from comfydesk.credentials import SessionCredentials
from comfydesk.demo.server import DemoPod
from comfydesk.errors import PodError
from comfydesk.paths import Paths
from comfydesk.session.pods.profile_checks import checked
from comfydesk.session.pods.profiles import Place, PlaceKind, PodProfile, SshSettings, new_id
from comfydesk.session.pods.reach import Reach
from comfydesk.session.session import Session
from comfydesk.session.shelves import models
from comfydesk.session.shelves.models import Way
from comfydesk.session.values import PodTarget
from comfydesk.settings import Settings
from comfydesk.workflow.needs import MissingModel
from tests.unit.hosts.ssh_pod import Keys, SshPod

MODEL = os.urandom(400_000)
SHA256 = hashlib.sha256(MODEL).hexdigest()


@asynccontextmanager
async def shelf() -> AsyncIterator[str]:
    """A server that has MODEL, and takes a second to send it; its address."""

    async def serve(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        answer.content_type = "application/octet-stream"
        answer.content_length = len(MODEL)
        await answer.prepare(request)
        for start in range(0, len(MODEL) if request.method == "GET" else 0, 20_000):
            await answer.write(MODEL[start : start + 20_000])
            await asyncio.sleep(0.05)
        return answer

    app = web.Application()
    app.router.add_get("/film.safetensors", serve)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/film.safetensors"
    finally:
        await runner.cleanup()


@pytest.mark.skipif(not (shutil.which("curl") and shutil.which("sha256sum")), reason="no curl here")
async def test_over_ssh_with_its_size_and_its_progress(
    paths: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    monkeypatch.setattr(models, "POLL", 0.1)
    keys = Keys(tmp_path)
    async with DemoPod(folder=tmp_path / "pod", speed=50) as pod, shelf() as url, Session(paths, Settings()) as session:
        folder = pod.folder / "models" / "loras"
        folder.mkdir(parents=True, exist_ok=True)
        with SshPod(keys) as server:
            shown = str(keys.shown(server.host_key))
            ssh = SshSettings("127.0.0.1", server.port, key_file=str(keys.user), host_key=shown)
            profile = checked(PodProfile(new_id(), "box", Place(PlaceKind.SSH, port=pod.port), ssh=ssh))
            await session.connect(PodTarget("box", "box", None, route=Reach(profile, SessionCredentials())))
            await session.wait_catalog(20)
            missing = MissingModel("style/film.safetensors", "loras", url, sha256=SHA256)
            assert (await session.models.offers("box", (missing,)))[missing.name].way is Way.SSH
            seen: list[tuple[int, int | None]] = []
            await session.models.fetch("box", missing, lambda there, total: seen.append((there, total)))
            assert (folder / "style" / "film.safetensors").read_bytes() == MODEL
            assert seen == sorted(seen, key=lambda each: each[0])
            assert seen[-1][1] == len(MODEL), "its server told how large it is"
            assert "style/film.safetensors" in await session.models.names("box", "loras")
            await session.disconnect("box")


class ManagedPod(DemoPod):
    """A demo pod with ComfyUI-Manager's routes, as of its v2 API. `installs`: its security level lets it."""

    installs = True

    def _application(self) -> web.Application:
        app = super()._application()
        self.asked: list[dict[str, Any]] = []
        self._looks = 0
        prefix = "/v2/manager"
        app.router.add_get(f"{prefix}/version", self._version)
        app.router.add_post(f"{prefix}/queue/install_model", self._install)
        app.router.add_post(f"{prefix}/queue/start", self._start)
        app.router.add_get(f"{prefix}/queue/status", self._status)
        return app

    async def _version(self, _: web.Request) -> web.Response:
        return web.Response(text="V4.0.2")

    async def _install(self, request: web.Request) -> web.Response:
        self.asked.append(await request.json())
        return web.Response()

    async def _start(self, _: web.Request) -> web.Response:
        self._looks = 2
        return web.Response()

    async def _status(self, _: web.Request) -> web.Response:
        self._looks -= 1
        if not self._looks and self.installs:
            (wish,) = self.asked
            folder = self.folder / "models" / wish["save_path"]
            folder.mkdir(parents=True, exist_ok=True)
            (folder / wish["filename"]).write_bytes(MODEL)
        return web.json_response({"total_count": 1, "is_processing": self._looks > 0})


@pytest.mark.parametrize("installs", [True, False])
async def test_by_the_manager_and_what_counts_is_whether_it_is_there(
    paths: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, installs: bool
) -> None:
    monkeypatch.setattr(models, "POLL", 0.05)
    pod = ManagedPod(folder=tmp_path / "pod", speed=50)
    pod.installs = installs
    async with pod, Session(paths, Settings()) as session:
        await session.connect(PodTarget.demo(pod.url))
        await session.wait_catalog(20)
        missing = MissingModel("film.safetensors", "loras", "https://models.example/film.safetensors")
        offer = (await session.models.offers("demo", (missing,)))[missing.name]
        assert (offer.way, offer.host) == (Way.MANAGER, "models.example")
        if installs:
            await session.models.fetch("demo", missing)
            assert "film.safetensors" in await session.models.names("demo", "loras")
        else:
            with pytest.raises(PodError, match="did not install"):
                await session.models.fetch("demo", missing)
        (wish,) = pod.asked
        assert (wish["url"], wish["save_path"], wish["filename"]) == (missing.url, "loras", "film.safetensors")
