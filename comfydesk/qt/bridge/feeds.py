"""The session's feeds as Qt signals: rows are read again when they changed, progress arrives at most once a frame."""

from collections.abc import Callable, Coroutine, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from PySide6.QtCore import QObject, QSize, Signal, SignalInstance

from comfydesk.errors import KnownError
from comfydesk.events import (
    Change,
    Feed,
    JobProgress,
    JobsChanged,
    OutputsChanged,
    PodsChanged,
    PreviewFrame,
    QueueChanged,
    WorkflowsChanged,
)
from comfydesk.qt.bridge.batch import Batch
from comfydesk.qt.bridge.previews import PreviewDecoder
from comfydesk.qt.bridge.tasks import Tasks
from comfydesk.store.records import Job, Output

if TYPE_CHECKING:
    from comfydesk.session.values import WorkflowEntry

K = TypeVar("K")
R = TypeVar("R")

CHUNK = 100
"""Rows per signal: what a model takes up in about a millisecond."""

PAGE = 200
"""Rows that a list starts with, and gets more of at a time."""

RETRY_S = 0.5
LONGEST_RETRY_S = 30.0
"""Between reads that fail: the first pause, doubled each time up to the longest."""


class JobSource(Protocol):
    """What the bridge reads of a Session's queue."""

    async def jobs(self, limit: int = ..., *, after: str | None = ...) -> tuple[Job, ...]: ...
    async def jobs_by_id(self, ids: Iterable[str]) -> tuple[Job, ...]: ...


class Source(Protocol):
    """What the bridge reads of a Session."""

    changes: Feed[Change]
    progress: Feed[JobProgress | PreviewFrame]

    @property
    def queue(self) -> JobSource: ...
    async def outputs(self, limit: int = ..., *, after: int | None = ...) -> tuple[Output, ...]: ...
    async def outputs_by_id(self, ids: Iterable[int]) -> tuple[Output, ...]: ...
    async def workflows(self) -> "tuple[WorkflowEntry, ...]": ...


class Reader(Generic[K, R]):
    """Reads changed rows again, all ids that gathered meanwhile at once, never two reads at a time.

    A read that fails is told once, and tried again until it works: no change is lost.
    """

    def __init__(
        self,
        tasks: Tasks,
        read: Callable[[Iterable[K]], Coroutine[Any, Any, tuple[R, ...]]],
        deliver: Callable[[tuple[R, ...]], None],
        key: Callable[[R], K],
    ) -> None:
        self._tasks = tasks
        self._read = read
        self._deliver = deliver
        self._key = key
        self._wanted: dict[K, None] = {}
        self._gone: set[K] = set()
        self._reading = False

    def want(self, ids: Iterable[K]) -> None:
        """Read `ids` soon, in the order in which they were first wanted."""
        self._wanted.update(dict.fromkeys(ids))
        if self._wanted and not self._reading:
            self._reading = True
            self._tasks.start(self._run())

    def forget(self, ids: Iterable[K]) -> None:
        """`ids` are gone: deliver none of them, even if the read under way brings them."""
        for id_ in ids:
            self._wanted.pop(id_, None)
            if self._reading:
                self._gone.add(id_)

    async def _run(self) -> None:
        import asyncio

        pause = RETRY_S
        try:
            while self._wanted:
                ids = tuple(self._wanted)
                self._wanted.clear()
                self._gone.clear()
                try:
                    rows = await self._read(ids)
                except KnownError as error:
                    again = dict.fromkeys(id_ for id_ in ids if id_ not in self._gone)
                    self._wanted = again | self._wanted
                    if pause == RETRY_S:
                        self._tasks.tell(error)
                    await asyncio.sleep(pause)
                    pause = min(2 * pause, LONGEST_RETRY_S)
                    continue
                pause = RETRY_S
                self._deliver(tuple(row for row in rows if self._key(row) not in self._gone))
        finally:
            self._reading = False


class Pager(Generic[K, R]):
    """The pages of a list, one at a time: each starts after the last row of the one before that is still in its place.

    So no row is left out while others come, go and move; some may be delivered twice.
    """

    def __init__(
        self,
        read: Callable[[K | None], Coroutine[Any, Any, tuple[R, ...]]],
        deliver: Callable[[tuple[R, ...]], None],
        key: Callable[[R], K],
    ) -> None:
        self._read = read
        self._deliver = deliver
        self._key = key
        self._seen: set[K] = set()
        self._places: dict[K, None] = {}
        """Ids that are where they were read, in order: the next page starts after the last."""
        self._moved: set[K] = set()
        self._gone: set[K] = set()
        self._reading = False

    async def next(self) -> tuple[R, ...]:
        """Deliver and return the next rows; none at the end, or if a read is under way, which brings them."""
        if self._reading:
            return ()
        self._reading = True
        try:
            while True:
                self._moved.clear()
                self._gone.clear()
                page = await self._read(next(reversed(self._places), None))
                ids = [self._key(row) for row in page]
                news = not self._seen.issuperset(ids)
                self._seen.update(ids)
                for id_ in ids:
                    self._places.pop(id_, None)
                    if id_ not in self._moved:
                        self._places[id_] = None
                self._deliver(tuple(row for row in page if self._key(row) not in self._gone))
                if news or not page:
                    return page
        finally:
            self._reading = False

    def moved(self, ids: Iterable[K], *, gone: bool = False) -> None:
        """`ids` changed, and so may stand elsewhere; or they are `gone`, and the read under way shall not show them."""
        for id_ in ids:
            self._places.pop(id_, None)
            self._moved.add(id_)
            if gone:
                self._gone.add(id_)


class Bridge(QObject):
    """One-way: from the session to whoever connects. Lives on the GUI thread, as the session does."""

    jobs = Signal(object)
    """tuple[Job, …], new or changed."""
    jobs_read = Signal()
    """All that are to come are known, and those that ended last: an empty list is empty."""
    jobs_gone = Signal(object)
    """tuple of ids"""
    outputs = Signal(object)
    """tuple[Output, …], new or changed."""
    outputs_gone = Signal(object)
    workflows = Signal(object)
    """tuple[WorkflowEntry, …]: all of them."""
    pods = Signal()
    queue = Signal()
    """It was paused, or goes on."""
    progressed = Signal(object)
    """The latest JobProgress of a job."""
    previewed = Signal(object)
    """The latest previews.Preview."""

    def __init__(self, source: Source, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._source = source
        self._tasks = tasks
        self._batch = Batch(self)
        self._decoder = PreviewDecoder(self)
        self._decoder.decoded.connect(self.previewed)
        self._jobs = Reader(tasks, source.queue.jobs_by_id, self._deliver_jobs, lambda job: job.id)
        self._outputs = Reader(tasks, source.outputs_by_id, self._deliver_outputs, lambda output: output.id)
        self._job_pages = Pager(
            lambda after: source.queue.jobs(PAGE, after=after), self._deliver_jobs, lambda job: job.id
        )
        self._output_pages = Pager(
            lambda after: source.outputs(PAGE, after=after), self._deliver_outputs, lambda output: output.id
        )
        self._unsubscribe = (source.changes.subscribe(self._on_change), source.progress.subscribe(self._on_progress))

    async def read_all(self) -> None:
        """The state at the start: all jobs that are to come, those that ended last, the newest outputs, workflows."""
        while (page := await self.read_more_jobs()) and not page[-1].state.ended:
            pass
        self.jobs_read.emit()
        await self.read_more_outputs()
        self.workflows.emit(await self._source.workflows())
        self.pods.emit()

    def look_at(self, job: str | None) -> None:
        """The job whose previews are shown large; those of others come small."""
        self._decoder.look_at(job)

    def set_room(self, room: QSize) -> None:
        """How many pixels there are for a large preview."""
        self._decoder.set_room(room)

    async def read_more_outputs(self) -> None:
        """The next page of older outputs; nothing is emitted at the end."""
        await self._output_pages.next()

    async def read_more_jobs(self) -> tuple[Job, ...]:
        """The next page of jobs; nothing is emitted at the end."""
        return await self._job_pages.next()

    def close(self) -> None:
        """Hear nothing any more. Call it before the session closes."""
        for unsubscribe in self._unsubscribe:
            unsubscribe()
        self._batch.stop()
        self._decoder.close()

    def _on_change(self, change: Change) -> None:
        match change:
            case JobsChanged(jobs, removed):
                self._jobs.want(jobs)
                self._job_pages.moved(jobs)
                self._job_pages.moved(removed, gone=True)
                if removed:
                    self._jobs.forget(removed)
                    self._batch.put(("gone", removed), partial(self.jobs_gone.emit, removed))
            case OutputsChanged(added, updated, removed):
                self._output_pages.moved(removed, gone=True)
                self._outputs.want((*added, *updated))
                if removed:
                    self._outputs.forget(removed)
                    self._batch.put(("outputs gone", removed), partial(self.outputs_gone.emit, removed))
            case WorkflowsChanged():
                self._batch.put("workflows", self._read_workflows)
            case PodsChanged():
                self._batch.put("pods", self.pods.emit)
            case QueueChanged():
                self._batch.put("queue", self.queue.emit)

    def _on_progress(self, item: JobProgress | PreviewFrame) -> None:
        if isinstance(item, PreviewFrame):
            self._decoder.offer(item)
        else:
            self._batch.put(("progress", item.prompt_id), partial(self.progressed.emit, item))

    def _read_workflows(self) -> None:
        self._tasks.start(self._source.workflows(), done=self.workflows.emit)

    def _deliver_jobs(self, rows: tuple[Job, ...]) -> None:
        self._deliver(self.jobs, rows)

    def _deliver_outputs(self, rows: tuple[Output, ...]) -> None:
        self._deliver(self.outputs, rows)

    def _deliver(self, signal: SignalInstance, rows: tuple[Job, ...] | tuple[Output, ...]) -> None:
        for start in range(0, len(rows), CHUNK):
            # Chunks do not replace each other: each has a key of its own.
            self._batch.put(object(), partial(signal.emit, rows[start : start + CHUNK]))
