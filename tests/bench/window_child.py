"""The real window under load, from the inside: `python -m tests.bench.window_child flood|enqueue URL DATA_DIR`.

Prints JSON. A stall is how much later than due a timer of the GUI thread came that is to come each millisecond: what
somebody would wait who pressed a key just then.
"""

import asyncio
import json
import os
import resource
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

os.environ["QT_API"] = "pyside6"

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtWidgets import QApplication

from comfydesk.paths import Paths
from comfydesk.qt.app.collector import Collector
from comfydesk.qt.app.faults import Faults
from comfydesk.qt.app.headless import until
from comfydesk.qt.app.life import Life
from comfydesk.qt.theme import Appearance, Scheme, Theme
from comfydesk.qt.window.desk import Desk, furnish
from comfydesk.qt.window.shell import MainWindow
from comfydesk.session.values import PodTarget
from comfydesk.settings import Settings
from comfydesk.store.records import JobState

SIZE = (1440, 900)
STEPS = 10_000
JOBS = 1_000
ROUNDS = 3


class Beat(QObject):
    """Notes the stalls of the GUI thread between `start` and `stop`, in seconds."""

    def __init__(self) -> None:
        super().__init__()
        self.gaps: list[float] = []
        self._timer = QTimer(self, interval=1, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._on_beat)
        self._last = self._worked = 0.0
        self.own: list[float] = []
        """What of each stall this thread worked; the rest it waited, for the processor or another thread."""

    def start(self) -> None:
        self.gaps.clear()
        self.own.clear()
        self._last, self._worked = time.perf_counter(), time.thread_time()
        self._timer.start()

    def stop(self) -> dict[str, float]:
        self._timer.stop()
        gaps, own = sorted(self.gaps), sorted(self.own)
        return {
            "p50": gaps[len(gaps) // 2] * 1000,
            "p99": gaps[len(gaps) * 99 // 100] * 1000,
            "worst": gaps[-1] * 1000,
            "own_p99": own[len(own) * 99 // 100] * 1000,
            "own_worst": own[-1] * 1000,
            "over_50": sum(gap > 0.05 for gap in gaps),
            "beats": len(gaps),
        }

    def _on_beat(self) -> None:
        now = time.perf_counter()
        worked = time.thread_time()
        self.gaps.append(max(0.0, now - self._last - 0.001))
        self.own.append(worked - self._worked)
        self._last, self._worked = now, worked


def resident() -> float:
    """MB in memory now (Linux)."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


async def connected(life: Life, url: str) -> Desk:
    assert life.session is not None
    await life.session.connect(PodTarget.demo(url))
    assert await until(life.desk.generation.footer.generate.main.isEnabled, 30)
    await asyncio.sleep(1.0)  # what comes with a pod has been drawn
    return life.desk


async def flood(life: Life, url: str) -> dict[str, float]:
    """One job; its sampler sends everything at once."""
    desk, beat = await connected(life, url), Beat()
    heard = {"progress": 0, "previews": 0, "shown": 0}
    assert life.session is not None
    assert life._bridge is not None

    def hear(item: object) -> None:
        heard["progress" if type(item).__name__ == "JobProgress" else "previews"] += 1

    life.session.progress.subscribe(hear)
    life._bridge.previewed.connect(lambda _: heard.__setitem__("shown", heard["shown"] + 1))
    desk.generation.footer.generate.main.click()
    assert await until(lambda: JobState.RUNNING in [row.job.state for row in desk.jobs.rows()], 30)
    beat.start()
    began = time.perf_counter()

    def arrived() -> bool:
        progress = desk.jobs.rows()[0].progress
        return progress is not None and progress.value == STEPS

    complete = await until(arrived, 60)
    took = time.perf_counter() - began
    await asyncio.sleep(0.3)
    found = beat.stop()
    shown = desk.preview.running_bar.line.accessibleName()
    rough = desk.preview.canvas.image
    return (
        found
        | heard
        | {
            "seconds": took,
            "complete": complete,
            "says_last": f"{STEPS} of {STEPS} steps" in shown,
            "preview_width": rough.width(),
            "rss": resident(),
        }
    )


async def enqueue(life: Life, url: str) -> dict[str, float]:
    """A thousand jobs with one press of Generate, some times over; in between all are cancelled and cleared."""
    desk, beat = await connected(life, url), Beat()
    assert life.wiring is not None
    commands = life.wiring.jobs.commands
    found: dict[str, float] = {}
    for number in range(ROUNDS):
        desk.generation.footer.count.set_value(JOBS)
        beat.start()
        began = time.perf_counter()
        desk.generation.footer.generate.main.click()
        assert await until(lambda: desk.jobs.rowCount() >= JOBS, 60)
        took = time.perf_counter() - began
        await asyncio.sleep(0.3)
        seen = beat.stop() | {"seconds": took, "rss": resident()}
        found |= {f"{name}_{number}": value for name, value in seen.items()}
        beat.start()
        commands.cancel(*(row.job.id for row in desk.jobs.unended()))
        assert await until(lambda: desk.jobs.waiting() == 0, 60)
        commands.clear_finished()
        assert await until(lambda: desk.jobs.rowCount() == 0, 60)
        found |= {f"clear_{name}_{number}": value for name, value in beat.stop().items()}
        await asyncio.sleep(0.5)
        found[f"rss_after_{number}"] = resident()
    return found


def run(kind: str, url: str, folder: Path) -> int:
    app = QApplication([])
    app.setQuitOnLastWindowClosed(False)
    collector, faults = Collector(), Faults()
    faults.install()
    theme = Theme(Appearance(Scheme.DARK))
    theme.install(app)
    paths = Paths.under(folder)
    window = MainWindow(theme, paths)
    window.resize(*SIZE)
    window.show()
    desk = furnish(window)
    work: Callable[[Life, str], Awaitable[dict[str, float]]] = {"flood": flood, "enqueue": enqueue}[kind]

    async def job(life: Life) -> int:
        print(json.dumps(await work(life, url)), flush=True)
        return 0

    try:
        return Life(desk, faults, paths, Settings(), job=job).run(app)
    finally:
        desk.release()
        collector.stop()
        faults.remove()


if __name__ == "__main__":
    sys.exit(run(sys.argv[1], sys.argv[2], Path(sys.argv[3])))
