"""Engines on loopback: comfy-api-proxy, the maker's own, before a demo pod; a double of a RunPod endpoint."""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web
from comfy_api_proxy.app import make_app
from comfy_api_proxy.auth import make_bearer_auth_middleware
from comfy_api_proxy.middleware import make_origin_only_middleware

from comfydesk.credentials import Secret, SessionCredentials, auth_item
from comfydesk.demo.server import DemoPod
from comfydesk.paths import Paths
from comfydesk.session.jobs.follow import Pace
from comfydesk.session.pods.profile_checks import checked
from comfydesk.session.pods.profiles import AuthKind, AuthSettings, Place, PlaceKind, PodProfile, new_id
from comfydesk.session.pods.vault import Vault
from comfydesk.session.session import Session
from comfydesk.session.values import PodTarget
from comfydesk.settings import Settings
from tests.pod.session.gates import GatedLibrary
from tests.pod.session.world import World

KEY = "comfy-k3y"
QUICK = Pace(poll=0.3, look_again=0.3, may_arrive=1.0)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Mischief:
    """What stands between us and the proxy. `lose`: "POST /api/v2/jobs" answers are cut after they were carried out."""

    lose: set[str] = field(default_factory=set)
    answer: dict[str, web.Response] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)

    @property
    def middleware(self) -> object:
        @web.middleware
        async def meddle(request: web.Request, handler: Handler) -> web.StreamResponse:
            what = f"{request.method} {request.path}"
            self.seen.append(what)
            if what in self.answer:
                return self.answer.pop(what)
            response = await handler(request)
            if what in self.lose:
                self.lose.discard(what)
                assert request.transport is not None
                request.transport.abort()
            return response

        return meddle

    def count(self, start: str) -> int:
        return sum(what.startswith(start) for what in self.seen)


@asynccontextmanager
async def serving(app: web.Application) -> AsyncIterator[str]:
    """The app on loopback; its URL."""
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        assert site._server is not None
        yield f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}"  # type: ignore[attr-defined]  # asyncio's own Server
    finally:
        await runner.cleanup()


@asynccontextmanager
async def proxy(pod: str, mischief: Mischief) -> AsyncIterator[str]:
    """comfy-api-proxy as its command line makes it, with a token, before the pod; on a loop of its own."""
    middlewares = [mischief.middleware, make_origin_only_middleware([]), make_bearer_auth_middleware(KEY)]
    started: asyncio.Future[tuple[str, asyncio.AbstractEventLoop, asyncio.Event]]
    started = asyncio.get_running_loop().create_future()
    ours = asyncio.get_running_loop()

    async def serve() -> None:
        over = asyncio.Event()
        async with serving(make_app(pod, middlewares=middlewares)) as url:
            ours.call_soon_threadsafe(started.set_result, (url, asyncio.get_running_loop(), over))
            await over.wait()
        await asyncio.sleep(0.05)  # aiohttp's own sockets need a turn or two to be closed

    thread = threading.Thread(target=lambda: asyncio.run(serve()), name="comfy-api-proxy")
    thread.start()
    url, loop, over = await started
    try:
        yield url
    finally:
        loop.call_soon_threadsafe(over.set)
        await asyncio.to_thread(thread.join)


@dataclass
class Cloud(World):
    """A session on the proxy, with the demo pod's list of nodes borrowed from an earlier visit."""

    profile: PodProfile = field(kw_only=True)
    mischief: Mischief = field(kw_only=True)

    @property
    def ran(self) -> int:
        """Prompts that the pod behind has finished."""
        return len(self.pod.queue._history)


@dataclass
class Stage:
    """What outlives a session: the pod, the proxy before it, the profile with its key."""

    pod: DemoPod
    mischief: Mischief
    profile: PodProfile
    paths: Paths

    @asynccontextmanager
    async def session(self, *, key: str = KEY, visit: bool = True) -> AsyncIterator[Cloud]:
        kept = SessionCredentials({auth_item(self.profile.id): Secret(key)}, note="")

        async def keyring() -> SessionCredentials:
            return kept

        session = Session(self.paths, Settings(), pace=QUICK, make_library=GatedLibrary, vault=Vault(keyring))
        async with session:
            here = Cloud(session, self.pod, self.paths, profile=self.profile, mischief=self.mischief)
            here.listen()
            if visit:
                await session.connect(PodTarget.demo(self.pod.url))
                await session.wait_catalog(10)
            if session.profiles.book.find(self.profile.id) is None and self.profile.id not in {
                known.id for known in (await session.profiles.load()).profiles
            }:
                await session.profiles.add(self.profile)
            await session.connect(self.profile.id)
            if visit:
                await session.wait_catalog(10)
            yield here


async def seen(session: Session, wanted: Callable[[], object]) -> None:
    """Until `wanted`, looked at whenever the session tells of a change."""
    news = asyncio.Event()
    unsubscribe = session.changes.subscribe(lambda _: news.set())
    try:
        async with asyncio.timeout(10):
            while not wanted():
                await news.wait()
                news.clear()
    finally:
        unsubscribe()


Staging = Callable[..., AbstractAsyncContextManager[Stage]]


@pytest.fixture
def stage(paths: Paths, tmp_path: Path) -> Staging:
    """`async with stage() as on, on.session() as here`."""

    @asynccontextmanager
    async def start(*, speed: float = 50.0) -> AsyncIterator[Stage]:
        mischief = Mischief()
        async with DemoPod(folder=tmp_path / "pod", speed=speed) as pod, proxy(pod.url, mischief) as url:
            place, auth = Place(PlaceKind.COMFY, url=url), AuthSettings(AuthKind.BEARER)
            profile = checked(PodProfile(new_id(), "cloud", place, auth=auth))
            yield Stage(pod, mischief, profile, paths)
            await asyncio.sleep(0)

    return start
