"""A thousand jobs enqueued as one batch: how long it takes, how long the loop is kept, and what stays in memory.

pytest tests/bench/test_enqueue.py -s
"""

import asyncio
import gc
import time
from pathlib import Path

import pytest

from comfydesk.demo.process import DemoProcess
from comfydesk.paths import Paths
from comfydesk.session.session import Session
from comfydesk.session.values import PodTarget
from comfydesk.settings import Settings
from comfydesk.workflow.batches import Batch
from comfydesk.workflow.patch import SeedPolicy
from tests.bench.figures import record
from tests.pod.session.graphs import as_json, picture

JOBS = 1000
COMMAND = "pytest tests/bench/test_enqueue.py -s"


class Turns:
    """The longest turn of the loop: by the clock on the wall, and by what this thread computed in it."""

    def __init__(self) -> None:
        self.wall = self.computed = 0.0

    async def watch(self) -> None:
        while True:
            wall, computed = time.perf_counter(), time.thread_time()
            await asyncio.sleep(0.001)
            self.wall = max(self.wall, time.perf_counter() - wall - 0.001)
            self.computed = max(self.computed, time.thread_time() - computed)


def memory() -> float:
    """MB that this process has in RAM."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 2**20


async def measured(tmp_path: Path) -> tuple[list[float], Turns, list[float]]:
    """Seconds of each batch, the loop's longest turn, MB after each."""
    pod = await DemoProcess.start(tmp_path / "pod")
    try:
        async with Session(Paths.under(tmp_path / "home"), Settings()) as session:
            await session.connect(PodTarget.demo(pod.url))
            await session.wait_catalog(30)
            workflow = await session.open_workflow(as_json(picture()), name="picture.json")
            await session.queue.pause()
            batch = Batch(workflow.form, repeats=JOBS, seeds=SeedPolicy.INCREMENT)
            await session.queue.enqueue_batch(workflow, batch)  # modules, caches
            gc.freeze()
            turns, seconds, sizes = Turns(), list[float](), [memory()]
            watch = asyncio.create_task(turns.watch())
            for _ in range(5):
                began = time.perf_counter()
                queued = await session.queue.enqueue_batch(workflow, batch)
                seconds.append(time.perf_counter() - began)
                assert len(queued.jobs) == JOBS
                sizes.append(memory())
            watch.cancel()
            return seconds, turns, sizes
    finally:
        await pod.stop()


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads memory in /proc")
@pytest.mark.timeout(180)
def test_a_thousand_jobs_are_queued_in_a_moment(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    seconds, turns, sizes = asyncio.run(measured(tmp_path))
    with capsys.disabled():
        note = f"five times, {', '.join(f'{one:.2f}' for one in seconds)} s; on the wall {turns.wall * 1000:.0f} ms"
        figures = [
            record("1,000 jobs enqueued", max(seconds), "s", "≤ 3", COMMAND, note),
            record("longest turn of the loop meanwhile, computed", turns.computed * 1000, "ms", "≤ 50", COMMAND),
            record("memory per 1,000 jobs", (sizes[-1] - sizes[1]) / 4, "MB", "≤ 1", COMMAND, f"{sizes[-1]:.0f} MB"),
        ]
    assert all(figure.met for figure in figures)
