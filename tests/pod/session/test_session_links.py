"""Connecting and disconnecting at any moment leaves exactly the pods open that are shown."""

import asyncio
from pathlib import Path

from comfydesk.client.pod import Pod
from comfydesk.demo.server import DemoPod
from comfydesk.paths import Paths
from comfydesk.session.pods.links import open_pod
from comfydesk.session.session import Session
from comfydesk.session.values import PodTarget
from comfydesk.settings import Settings


class Record:
    """Makes the session's real pods, and writes down what is done with each."""

    def __init__(self) -> None:
        self.pods: list[list[str]] = []

    def make(self, target: PodTarget, client_id: str) -> Pod:
        steps: list[str] = []
        self.pods.append(steps)
        pod = open_pod(target, client_id)
        assert isinstance(pod, Pod)
        really_open, really_close = pod.open, pod.close

        async def opening() -> None:
            steps.append("open")
            await really_open()

        async def closing() -> None:
            steps.append("close")
            await really_close()

        pod.open, pod.close = opening, closing  # type: ignore[method-assign]  # written down, then done
        return pod


async def test_a_pod_that_is_disconnected_at_once_is_not_opened_afterwards(paths: Paths, tmp_path: Path) -> None:
    record = Record()
    async with DemoPod(folder=tmp_path / "pod", speed=50) as pod:
        session = Session(paths, Settings(), pod_factory=record.make)
        async with session:
            state = await session.connect(pod.url)
            await session.disconnect(state.id)
            await session.connect(PodTarget("other", "other", PodTarget.of(pod.url).address))
            await session.wait_catalog(10)
        first = record.pods[0]
        assert "open" not in first[first.index("close") :]


async def test_connecting_twice_at_once_leaves_one_pod(paths: Paths, tmp_path: Path) -> None:
    record = Record()
    async with DemoPod(folder=tmp_path / "pod", speed=50) as pod:
        async with Session(paths, Settings(), pod_factory=record.make) as session:
            await asyncio.gather(*(session.connect(PodTarget.demo(f"{pod.url}{way}")) for way in ("", "/", "/x", "")))
            assert len(session.pods()) == 1
        assert all(steps[-1] == "close" for steps in record.pods), record.pods
