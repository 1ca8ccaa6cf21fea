"""The time to go, foretold from the second run on, against what was then left: on a pod with slow and fast nodes.

pytest tests/bench/test_eta.py -s
"""

import asyncio
import statistics
import time
from pathlib import Path

import pytest

from comfydesk.demo.process import DemoProcess
from comfydesk.events import JobProgress, PreviewFrame, RunState
from comfydesk.paths import Paths
from comfydesk.session.session import Session
from comfydesk.session.values import PodTarget
from comfydesk.settings import Settings
from tests.bench.figures import record
from tests.pod.session.graphs import as_json, picture

GOAL = 15.0
COMMAND = "pytest tests/bench/test_eta.py -s"


async def foretold(session: Session, seed: int, steps: int) -> tuple[float, list[tuple[float, float]]]:
    """Seconds of a run, and at each of its moments what was foretold and when that was."""
    workflow = await session.open_workflow(as_json(picture(seed, steps=steps)), name="picture.json")
    told: list[tuple[float, float]] = []
    began: list[float] = []

    def hear(item: JobProgress | PreviewFrame) -> None:
        if isinstance(item, JobProgress) and item.state is RunState.RUNNING:
            now = time.perf_counter()
            began.append(now)
            left = session.queue.eta(item.prompt_id)
            if left is not None:
                told.append((now, left))

    stop = session.progress.subscribe(hear)
    (job,) = await session.queue.enqueue(workflow, {})
    await session.queue.wait([job.id])
    stop()
    end = max(moment for moment in began)
    return end - began[0], [(left, end - moment) for moment, left in told]


async def measured(folder: Path) -> tuple[list[float], list[float]]:
    """How far the foretold time was off, in percent of the run: with the steps of the first run, and with twice."""
    pod = await DemoProcess.start(folder / "pod", speed=0.5)
    try:
        async with Session(Paths.under(folder / "home"), Settings()) as session:
            await session.connect(PodTarget.demo(pod.url))
            await session.wait_catalog(30)
            await foretold(session, 1, 20)
            found = []
            for seed, steps in ((2, 20), (3, 40)):
                whole, told = await foretold(session, seed, steps)
                assert told, "nothing was foretold"
                found.append([abs(left - real) / whole * 100 for left, real in told])
            return found[0], found[1]
    finally:
        await pod.stop()


@pytest.mark.timeout(120)
def test_the_time_to_go_is_right_from_the_second_run_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    same, twice = asyncio.run(measured(tmp_path))
    with capsys.disabled():
        figures = [
            record(
                f"time to go off by, {words}",
                max(off),
                "% of the run",
                f"≤ {GOAL}",
                COMMAND,
                f"median {statistics.median(off):.1f} %",
            )
            for words, off in (("second run", same), ("third run of twice the steps", twice))
        ]
    assert all(figure.met for figure in figures)
