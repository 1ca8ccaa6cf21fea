"""A session on a demo pod, both real, both on loopback."""

import gc
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from comfydesk.demo.server import DemoPod
from comfydesk.paths import Paths
from comfydesk.session.jobs.follow import Pace
from comfydesk.session.session import Session
from comfydesk.session.values import PodTarget
from comfydesk.settings import Settings
from tests.pod.session.gates import GatedLibrary
from tests.pod.session.world import Start, World


@pytest.fixture(scope="session", autouse=True)
def _few_objects_to_collect() -> None:
    """tests/conftest.py collects after each async test: without what was imported that takes 1 ms, not 90."""
    gc.collect()
    gc.freeze()


QUICK = Pace(poll=0.3, look_again=0.3, may_arrive=1.5)


@pytest.fixture
def world(paths: Paths, tmp_path: Path) -> Start:
    """`async with world() as here`: a pod, and a session connected to it with its catalog known."""

    @asynccontextmanager
    async def start(*, speed: float = 50.0, connected: bool = True) -> AsyncIterator[World]:
        async with AsyncExitStack() as stack:
            pod = await stack.enter_async_context(DemoPod(folder=tmp_path / "pod", speed=speed))
            session = Session(paths, Settings(), pace=QUICK, make_library=GatedLibrary)
            await stack.enter_async_context(session)
            here = World(session, pod, paths)
            here.listen()
            if connected:
                await session.connect(PodTarget.demo(pod.url))
                await session.wait_catalog(10)
            yield here

    return start


@pytest.fixture
def again(paths: Paths) -> Callable[[DemoPod], AbstractAsyncContextManager[Session]]:
    """Another session on the same library and pod: what the program does at its next start."""

    @asynccontextmanager
    async def start(pod: DemoPod) -> AsyncIterator[Session]:
        async with Session(paths, Settings(), pace=QUICK) as session:
            await session.connect(PodTarget.demo(pod.url))
            await session.wait_catalog(10)
            yield session

    return start
