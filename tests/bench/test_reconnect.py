"""A pod whose list of nodes takes 5 s: known from last time, it is usable in under a fifth of the time."""

import time
from pathlib import Path

from comfydesk.demo.faults import Delay
from comfydesk.demo.server import DemoPod
from comfydesk.paths import Paths
from comfydesk.session.session import Session
from comfydesk.session.values import PodTarget
from comfydesk.settings import Settings
from tests.bench.figures import record

SLOW = 5.0
RATIO = 0.2
COMMAND = "pytest tests/bench/test_reconnect.py -s"


async def seconds_until_usable(paths: Paths, pod: DemoPod, *, fresh: bool = False) -> float:
    """From connect to a catalog to make forms with; `fresh`: stay until the list of now is here and kept."""
    async with Session(paths, Settings()) as session:
        began = time.perf_counter()
        await session.connect(PodTarget.demo(pod.url))
        await session.wait_catalog(60)
        took = time.perf_counter() - began
        assert session.catalog is not None
        assert "KSampler" in session.catalog.nodes
        if fresh:
            await session.wait_catalog(60, fresh=True)
        return took


async def test_a_cached_catalog_is_usable_in_under_a_fifth_of_the_time(paths: Paths, tmp_path: Path) -> None:
    async with DemoPod(folder=tmp_path / "pod") as pod:
        pod.script.add(Delay(SLOW), path="/object_info", times=None)
        uncached = await seconds_until_usable(paths, pod, fresh=True)
        cached = min([await seconds_until_usable(paths, pod) for _ in range(3)])
    note = f"uncached {uncached:.2f} s, cached {cached:.3f} s"
    name = f"a pod whose list of nodes takes {SLOW:.0f} s, with a cached one"
    assert record(name, cached / uncached, "times", f"≤ {RATIO}", COMMAND, note).met
