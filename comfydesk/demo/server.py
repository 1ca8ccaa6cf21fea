"""The demo pod: ComfyUI's protocol on loopback. It draws pictures on the CPU and is no AI.

    async with DemoPod(folder=path) as pod:
        print(pod.url)

It is the pod of `comfydesk --demo`, and the tests' server: `pod.script` holds what is to go wrong.
"""

import asyncio
import ipaddress
import urllib.parse
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from comfydesk.demo.executor import Executor, Shared
from comfydesk.demo.faults import Script
from comfydesk.demo.folders import Folders
from comfydesk.demo.hub import FEATURES, Hub
from comfydesk.demo.mishaps import playing
from comfydesk.demo.nodes import all_nodes
from comfydesk.demo.nodes.base import NodeClass
from comfydesk.demo.queue import PromptQueue
from comfydesk.demo.routes import PodParts, catalog, doubled, files, prompts, userdata

HOST = "127.0.0.1"


class DemoPod:
    """One pod. `port` 0 takes a free one and keeps it over restarts; `folder` is its disk, and outlives it.

    `speed` divides the time that sampling pretends to take: 1 is about a second for 20 steps. `nodes` are offered
    beside the demo's own.
    """

    def __init__(
        self,
        port: int = 0,
        *,
        folder: Path,
        speed: float = 1.0,
        script: Script | None = None,
        nodes: Iterable[NodeClass] = (),
    ) -> None:
        self._port = port
        self._folders = Folders(folder.absolute())
        self.script = script or Script()
        self.queue = PromptQueue(self._queue_changed)
        self.hub = Hub(self._queue_info)
        classes = all_nodes() | {entry.name: entry for entry in nodes}
        shared = Shared(classes, self._folders, self.queue, self.hub, self.script, speed)
        self._parts = PodParts(shared, Executor(shared))
        self._runner: web.AppRunner | None = None
        self._connections: set[asyncio.Task[Any]] = set()

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self._port}"

    @property
    def port(self) -> int:
        """0 before the first start if none was asked for."""
        return self._port

    @property
    def folder(self) -> Path:
        return self._folders.root

    @property
    def speed(self) -> float:
        """May be changed while it runs: in force from the next step on."""
        return self._parts.shared.speed

    @speed.setter
    def speed(self, speed: float) -> None:
        self._parts.shared.speed = speed

    async def start(self) -> None:
        """Listen. Raises OSError if the port is taken."""
        self._folders.create()
        self._folders.clear_temp()
        runner = web.AppRunner(self._application(), access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, HOST, self._port, reuse_address=True)
        try:
            await site.start()
        except OSError:
            await runner.cleanup()
            raise
        self._runner = runner
        self._port = runner.addresses[0][1]
        self.hub.start()
        self._parts.executor.start()

    async def stop(self) -> None:
        """Die: connections break, what runs is given up. Stopping twice is fine."""
        runner, self._runner = self._runner, None
        if runner is None:
            return
        await self.hub.stop()
        await asyncio.to_thread(self._parts.executor.stop)
        await runner.cleanup()
        # aiohttp forgets those whose client has hung up, though their answers may still be in the making.
        left = tuple(self._connections)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def restart(self, *, lose_history: bool = True, down: float = 0) -> None:
        """Stop, stay away for `down` seconds, start on the same port. The queue is always lost, as on a real pod."""
        await self.stop()
        await asyncio.sleep(down)
        self.queue.reopen(keep_history=not lose_history)
        self._parts.executor.forget()
        self._parts.number = 0
        await self.start()

    async def __aenter__(self) -> "DemoPod":
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def _application(self) -> web.Application:
        size: int = FEATURES["max_upload_size"]
        application = web.Application(
            client_max_size=size, middlewares=[self._counted, _same_origin, playing(self.script)]
        )
        application.add_routes(doubled([web.get("/ws", self.hub.serve)]))
        for family in (prompts, files, userdata, catalog):
            application.add_routes(family.routes(self._parts))
        return application

    @web.middleware
    async def _counted(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Keeps hold of the connection until it is over."""
        if request.task not in self._connections:
            self._connections.add(request.task)
            request.task.add_done_callback(self._connections.discard)
        return await handler(request)

    def _queue_changed(self) -> None:
        self.hub.post("status", {"status": self._queue_info()})

    def _queue_info(self) -> dict[str, Any]:
        return {"exec_info": {"queue_remaining": self.queue.remaining}}


@web.middleware
async def _same_origin(request: web.Request, handler: Handler) -> web.StreamResponse:
    """403 for what another site's page sends, as ComfyUI does: clients must send neither of these headers."""
    if request.headers.get("Sec-Fetch-Site") == "cross-site":
        return web.Response(status=403)
    origin, host = request.headers.get("Origin"), request.headers.get("Host")
    if origin and host and _is_loopback(host) and urllib.parse.urlsplit(origin).netloc.lower() != host.lower():
        return web.Response(status=403)
    return await handler(request)


def _is_loopback(host: str) -> bool:
    name = urllib.parse.urlsplit(f"//{host}").hostname or ""
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"
