"""The bridge: many events become few signals, nothing is lost, and the GUI thread keeps its frames."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Iterator
from time import perf_counter
from typing import Any

import pytest
from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QSize
from PySide6.QtGui import QColor, QImage, QImageWriter
from pytestqt.qtbot import QtBot

from comfydesk.errors import KnownError, PodError, StoreError
from comfydesk.events import Change, Feed, JobProgress, JobsChanged, OutputsChanged, PreviewFrame, RunState
from comfydesk.qt.bridge.batch import Batch
from comfydesk.qt.bridge.decoding import LARGEST, decode
from comfydesk.qt.bridge.feeds import Bridge
from comfydesk.qt.bridge.previews import Preview, PreviewDecoder
from comfydesk.qt.bridge.tasks import Tasks
from comfydesk.store.records import Job, JobState, Output

Loop = Callable[[Coroutine[Any, Any, Any]], Any]


def jpeg(width: int = 64, height: int = 48) -> bytes:
    image = QImage(width, height, QImage.Format.Format_RGB32)
    image.fill(QColor("steelblue"))
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    assert QImageWriter(buffer, b"jpeg").write(image)
    return bytes(data.data())


class Library:
    """A source of rows in memory, as the session is one on disk."""

    def __init__(self) -> None:
        self.changes: Feed[Change] = Feed()
        self.progress: Feed[JobProgress | PreviewFrame] = Feed()
        self.stored: dict[str, Job] = {}
        self.reads: list[tuple[str, ...]] = []
        self.gate: asyncio.Event | None = None
        self.faults: list[KnownError] = []
        self.made: list[int] = []
        self.told: list[KnownError] = []
        self.queue = self

    def add(self, id_: str, state: JobState = JobState.QUEUED) -> None:
        self.stored[id_] = Job(id_, state, "Text to image", "demo", "", {}, "", 1, 0, 0)

    async def jobs(self, limit: int = 100, *, after: str | None = None) -> tuple[Job, ...]:
        rows = list(self.stored.values())
        start = 0 if after is None else 1 + [job.id for job in rows].index(after)
        return tuple(rows[start : start + limit])

    async def jobs_by_id(self, ids: Iterable[str]) -> tuple[Job, ...]:
        self.reads.append(tuple(ids))
        if self.faults:
            raise self.faults.pop()
        rows = tuple(self.stored[id_] for id_ in self.reads[-1] if id_ in self.stored)
        if self.gate is not None:
            await self.gate.wait()
        return rows

    async def outputs(self, limit: int = 100, *, after: int | None = None) -> tuple[Output, ...]:
        start = 0 if after is None else 1 + self.made.index(after)
        page = tuple(Output(id_, f"/x/{id_}.png", "image", 1, "", 0) for id_ in self.made[start : start + limit])
        await asyncio.sleep(0)
        return page

    async def outputs_by_id(self, ids: Iterable[int]) -> tuple[Output, ...]:
        return tuple(Output(id_, f"/x/{id_}.png", "image", 1, "", 0) for id_ in ids)

    async def workflows(self) -> tuple[Any, ...]:
        return ()


@pytest.fixture
def library() -> Library:
    return Library()


@pytest.fixture
def bridge(gui_loop: Loop, library: Library) -> Iterator[Bridge]:
    def bug(error: BaseException) -> None:
        raise error

    tasks = Tasks(on_known=library.told.append, on_bug=bug)
    bridge = Bridge(library, tasks)
    yield bridge
    bridge.close()
    gui_loop(tasks.close())
    assert not [error for error in library.told if error.what != "The disk is away"]


def test_changed_rows_are_read_once_however_often_they_changed(bridge: Bridge, library: Library, qtbot: QtBot) -> None:
    got: list[tuple[Job, ...]] = []
    bridge.jobs.connect(got.append)
    for id_ in ("a", "b"):
        library.add(id_)
    for _ in range(50):
        library.changes.publish(JobsChanged(("a", "b")))
    qtbot.waitUntil(lambda: len(got) > 0)
    assert [job.id for job in got[0]] == ["a", "b"]
    assert len(library.reads) <= 2


def test_a_job_that_is_removed_while_it_is_read_does_not_come_back(
    bridge: Bridge, library: Library, qtbot: QtBot
) -> None:
    seen: list[str] = []
    bridge.jobs.connect(lambda jobs: seen.extend(job.id for job in jobs))
    bridge.jobs_gone.connect(lambda ids: seen.extend(f"-{id_}" for id_ in ids))
    library.gate = asyncio.Event()
    library.add("a")
    library.changes.publish(JobsChanged(("a",)))
    qtbot.waitUntil(lambda: library.reads == [("a",)])
    del library.stored["a"]
    library.changes.publish(JobsChanged(removed=("a",)))
    library.gate.set()
    qtbot.waitUntil(lambda: "-a" in seen)
    library.add("b")
    library.changes.publish(JobsChanged(("b",)))
    qtbot.waitUntil(lambda: "b" in seen)
    assert seen == ["-a", "b"]


def test_changes_whose_read_failed_are_read_again_and_the_fault_is_told_once(
    bridge: Bridge, library: Library, qtbot: QtBot
) -> None:
    got: list[str] = []
    bridge.jobs.connect(lambda jobs: got.extend(job.id for job in jobs))
    library.add("a")
    library.faults = [StoreError("The disk is away")] * 2
    library.changes.publish(JobsChanged(("a",)))
    qtbot.waitUntil(lambda: got == ["a"])
    assert len(library.reads) == 3
    assert len(library.told) == 1


def test_two_wishes_for_more_at_once_leave_no_output_out(
    bridge: Bridge, library: Library, gui_loop: Loop, qtbot: QtBot
) -> None:
    got: list[int] = []
    bridge.outputs.connect(lambda outputs: got.extend(output.id for output in outputs))
    library.made = list(range(900, 0, -1))

    async def scroll() -> None:
        for _ in range(5):
            await asyncio.gather(bridge.read_more_outputs(), bridge.read_more_outputs())
            await asyncio.sleep(0.05)
            # Meanwhile others come, and the very last one read goes.
            library.made.insert(0, 1000 + len(library.made))
            library.changes.publish(OutputsChanged(added=(library.made[0],)))
            last = min(got)
            if last in library.made[:-1]:
                library.made.remove(last)
                library.changes.publish(OutputsChanged(removed=(last,)))

    gui_loop(scroll())
    qtbot.waitUntil(lambda: set(library.made) <= set(got))


def test_all_jobs_that_are_to_come_are_read_at_the_start_and_older_ones_page_by_page(
    bridge: Bridge, library: Library, gui_loop: Loop, qtbot: QtBot
) -> None:
    got: list[str] = []
    bridge.jobs.connect(lambda jobs: got.extend(job.id for job in jobs))
    for number in range(450):
        library.add(f"waits {number}")
    for number in range(450):
        library.add(f"ended {number}", JobState.DONE)
    gui_loop(bridge.read_all())
    qtbot.waitUntil(lambda: len(got) == 600)
    assert "waits 449" in got
    # The last row that was read moves: what stood after it still comes.
    library.stored["ended 149"] = library.stored.pop("ended 149")
    library.changes.publish(JobsChanged(("ended 149",)))
    for _ in range(3):
        gui_loop(bridge.read_more_jobs())
    qtbot.waitUntil(lambda: set(got) == set(library.stored))


def test_outputs_arrive_by_id(bridge: Bridge, library: Library, qtbot: QtBot) -> None:
    got: list[Output] = []
    bridge.outputs.connect(got.extend)
    library.changes.publish(OutputsChanged(added=(1, 2), updated=(7,)))
    qtbot.waitUntil(lambda: [output.id for output in got] == [1, 2, 7])


def test_ten_thousand_progress_events_are_one_signal_for_each_job(
    bridge: Bridge, library: Library, qtbot: QtBot
) -> None:
    got: list[JobProgress] = []
    bridge.progressed.connect(got.append)
    for step in range(10_000):
        library.progress.publish(JobProgress("ab"[step % 2], RunState.RUNNING, value=step))
    qtbot.waitUntil(lambda: len(got) == 2)
    assert {progress.prompt_id: progress.value for progress in got} == {"a": 9998, "b": 9999}


def test_of_a_flood_of_previews_the_last_one_is_shown(bridge: Bridge, library: Library, qtbot: QtBot) -> None:
    got: list[Preview] = []
    bridge.previewed.connect(got.append)
    data = jpeg()
    for number in range(1000):
        library.progress.publish(PreviewFrame("jpeg", data, "job", str(number)))
    qtbot.waitUntil(lambda: bool(got) and got[-1].node == "999")
    assert len(got) <= 3
    assert got[-1].image.size().toTuple() == (64, 48)


@pytest.mark.qt_log_ignore("JPEG")
def test_a_preview_that_is_no_picture_is_left_out(qtbot: QtBot) -> None:
    decoder = PreviewDecoder()
    got: list[Preview] = []
    decoder.decoded.connect(got.append)
    decoder.offer(PreviewFrame("jpeg", b"\xff\xd8 not a picture", "job", "1"))
    decoder.offer(PreviewFrame("jpeg", jpeg(), "job", "2"))
    qtbot.waitUntil(lambda: len(got) == 1)
    assert got[0].node == "2"
    decoder.close()


def test_a_huge_preview_is_decoded_small(qapp: object) -> None:
    assert decode(jpeg(2 * LARGEST, LARGEST)).size().toTuple() == (LARGEST, LARGEST // 2)


def test_a_preview_comes_as_large_as_it_is_shown(qapp: object) -> None:
    assert decode(jpeg(64, 48), QSize(800, 450)).size().toTuple() == (600, 450)
    assert decode(jpeg(1280, 960), QSize(800, 450)).size().toTuple() == (600, 450)


def test_each_running_job_has_its_previews_and_only_the_one_that_is_looked_at_large_ones(
    bridge: Bridge, library: Library, qtbot: QtBot
) -> None:
    got: dict[str | None, Preview] = {}
    bridge.previewed.connect(lambda preview: got.__setitem__(preview.prompt_id, preview))
    bridge.set_room(QSize(800, 450))
    bridge.look_at("a")
    data = jpeg()
    for number in range(300):
        library.progress.publish(PreviewFrame("jpeg", data, "abc"[number % 3], str(number)))
    qtbot.waitUntil(lambda: {preview.node for preview in got.values()} == {"297", "298", "299"})
    assert got["a"].image.height() == 450
    assert got["b"].image.width() == got["c"].image.width() == 192


def test_a_tick_ends_when_its_budget_is_spent_and_the_next_one_goes_on(qtbot: QtBot) -> None:
    batch = Batch(budget_ms=5)
    order: list[int] = []
    ticks: list[float] = []

    def slow(number: int) -> None:
        end = perf_counter() + 0.004
        while perf_counter() < end:
            pass
        order.append(number)
        ticks.append(perf_counter())

    for number in range(6):
        batch.put(number, lambda number=number: slow(number))  # type: ignore[misc]
    qtbot.waitUntil(lambda: len(order) == 6)
    assert order == list(range(6))
    assert ticks[-1] - ticks[0] > 2 * 0.010, "one tick did it all"


def test_a_delivery_that_fails_does_not_stop_the_others(qtbot: QtBot) -> None:
    batch = Batch()
    got: list[str] = []

    def broken() -> None:
        raise ValueError("ours")

    batch.put(1, broken)
    batch.put(2, lambda: got.append("after"))
    with qtbot.captureExceptions() as exceptions:
        qtbot.waitUntil(lambda: got == ["after"])
    assert [str(error[1]) for error in exceptions] == ["ours"]


def test_a_known_error_goes_to_who_asked_and_a_bug_to_the_report(gui_loop: Loop, qtbot: QtBot) -> None:
    known: list[KnownError] = []
    bugs: list[BaseException] = []
    asked: list[KnownError] = []
    tasks = Tasks(known.append, bugs.append)

    async def fail(error: Exception) -> None:
        raise error

    tasks.start(fail(PodError("The pod left")))
    tasks.start(fail(PodError("Mine")), failed=asked.append)
    tasks.start(fail(ZeroDivisionError()))
    qtbot.waitUntil(lambda: len(known) + len(bugs) + len(asked) == 3)
    assert [str(error) for error in (*known, *asked)] == ["The pod left.", "Mine."]
    assert isinstance(bugs[0], ZeroDivisionError)


def test_closing_cancels_what_still_runs(gui_loop: Loop) -> None:
    ended: list[str] = []
    tasks = Tasks(lambda _: None, lambda _: None)

    async def wait() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("cleaned up")

    tasks.start(wait())
    gui_loop(asyncio.sleep(0))
    gui_loop(tasks.close())
    assert ended == ["cleaned up"]
