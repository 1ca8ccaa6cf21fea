"""The queue as rows: what runs, what waits in its order, then what ended, newest first."""

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QImage, QPixmap

from comfydesk.events import JobProgress
from comfydesk.qt.models.rowmodel import Index, RowModel
from comfydesk.qt.models.rows import POD, THUMBNAIL, JobRow, PodMark
from comfydesk.qt.models.thumbnails import Thumbnails
from comfydesk.qt.models.tips import plain_tip
from comfydesk.qt.theme.language import mark, said, tr
from comfydesk.session.values import media_kind
from comfydesk.store.records import Job, JobState, LocalFile

WORDS = {
    JobState.HELD: mark("Held"),
    JobState.QUEUED: mark("Queued"),
    JobState.SENDING: mark("Sending"),
    JobState.SENT: mark("Queued"),
    JobState.RUNNING: mark("Running"),
    JobState.SAVING: mark("Saving"),
    JobState.DONE: mark("Done"),
    JobState.FAILED: mark("Failed"),
    JobState.CANCELLING: mark("Cancelling"),
    JobState.CANCELLED: mark("Cancelled"),
    JobState.UNKNOWN: mark("State unknown"),
}
"""What a person reads for each state."""

AT_WORK = (JobState.RUNNING, JobState.SAVING, JobState.CANCELLING)
PREVIEW_EDGE = 192
"""Pixels of a preview in the list: its place is 48 by 28, at 200 % on a fine screen 192 by 112."""
PREVIEWS_KEPT = 32


class JobModel(RowModel[JobRow]):
    """All jobs the window knows of."""

    counted = Signal()
    """How many wait, run or ended may have changed."""
    more_wanted = Signal()
    """The view came to the end of what was read: older jobs, please."""

    def __init__(self, thumbnails: Thumbnails | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._thumbnails = thumbnails
        self._eta: Callable[[str], float | None] = lambda _job: None
        self._shows: dict[str, dict[str, None]] = {}
        """Path of a picture → the jobs whose rows show it."""
        self._more = False
        self._previews: OrderedDict[str, QPixmap] = OrderedDict()
        self._counts: Counter[JobState] = Counter()
        self._pods: Mapping[str, PodMark] = {}
        if thumbnails is not None:
            thumbnails.ready.connect(self._on_thumbnail)

    def ask_eta(self, eta: Callable[[str], float | None]) -> None:
        """`eta` tells the seconds that a job still needs."""
        self._eta = eta

    def set_pods(self, pods: Mapping[str, PodMark]) -> None:
        """The connected pods by id. Rows name theirs as soon as there are several."""
        if pods != self._pods:
            self._pods = dict(pods)
            if self._rows:
                self.dataChanged.emit(self.index(0), self.index(len(self._rows) - 1), [POD])

    def row_id(self, row: JobRow) -> str:
        return row.job.id

    def sort_key(self, row: JobRow) -> tuple[int, float, str]:
        job = row.job
        if job.state.ended:
            return (2, -(job.finished or job.created), job.id)
        return (0 if job.state in AT_WORK else 1, job.position, job.id)

    def shown(self, row: JobRow, role: int) -> Any:
        if role == THUMBNAIL:
            return self._picture(row.job)
        if role == POD:
            return self.mark(row.job)
        if role == Qt.ItemDataRole.DisplayRole:
            return row.job.workflow
        if role == Qt.ItemDataRole.AccessibleTextRole:
            pod = self.mark(row.job)
            parts = (row.job.workflow, row.job.prompt[:400], tr(WORDS[row.job.state]), pod.name if pod else "")
            return ", ".join(part for part in parts if part)
        if role == Qt.ItemDataRole.ToolTipRole and row.job.error is not None:
            error = row.job.error
            return plain_tip("\n".join(said(part) for part in (error.what, error.why, error.advice) if part))
        return None

    # --- What changes ---------------------------------------------------------------------------------------------

    def put_jobs(self, jobs: Iterable[Job]) -> None:
        """Insert or refresh."""
        count = self.rowCount()
        for job in jobs:
            row = self.get(job.id)
            if row is not None:
                self._counts[row.job.state] -= 1
            self._counts[job.state] += 1
            self._put(row.with_job(job) if row else JobRow.of(job))
            if job.outputs:
                self._previews.pop(job.id, None)
        if self.rowCount() > count:
            self._more = True
        self.counted.emit()

    def drop(self, ids: Iterable[str]) -> None:
        gone = tuple(ids)
        for id_ in gone:
            row = self.get(id_)
            if row is not None:
                self._counts[row.job.state] -= 1
            self._previews.pop(id_, None)
        super().drop(gone)
        self.counted.emit()

    def canFetchMore(self, parent: Index) -> bool:
        return not parent.isValid() and self._more

    def fetchMore(self, parent: Index) -> None:
        if self.canFetchMore(parent):
            self._more = False
            self.more_wanted.emit()

    def put_progress(self, progress: JobProgress) -> None:
        """A job that runs came further. Progress of jobs that do not run (any more) is late, and ignored."""
        row = self.get(progress.prompt_id)
        if row is not None and row.job.state is JobState.RUNNING:
            # How long it takes is asked by the clock, for all that tells it at once; here only the first time.
            left = self._eta(row.job.id) if row.seconds_left is None else row.seconds_left
            self._put(replace(row, progress=progress, seconds_left=left))

    def refresh_times(self) -> None:
        """A second has passed."""
        for row in self.at_work():
            left = self._eta(row.job.id) if row.job.state is JobState.RUNNING and row.progress is not None else None
            if left != row.seconds_left and row.job.state is JobState.RUNNING:
                self._put(replace(row, seconds_left=left))

    def forget_times(self, pods_away: Callable[[str], bool]) -> None:
        """What runs on pods whose line is down: how long it still takes is not known."""
        for row in tuple(self.unended()):
            if row.seconds_left is not None and pods_away(row.job.pod):
                self._put(replace(row, seconds_left=None))

    def put_preview(self, job: str, image: QImage) -> None:
        """What the job's picture looks like so far."""
        if max(image.width(), image.height()) > PREVIEW_EDGE:
            # Fast, not smooth: it is some thirty times as quick, and the row is repainted with each preview.
            image = image.scaled(PREVIEW_EDGE, PREVIEW_EDGE, Qt.AspectRatioMode.KeepAspectRatio)
        self._previews[job] = QPixmap.fromImage(image)
        self._previews.move_to_end(job)
        while len(self._previews) > PREVIEWS_KEPT:
            self._previews.popitem(last=False)
        self.touch(job, (THUMBNAIL,))

    # --- What is there --------------------------------------------------------------------------------------------

    def mark(self, job: Job) -> PodMark | None:
        """Where a job is or goes, if that is not plain: there are several pods."""
        if len(self._pods) < 2 or (job.state.ended and not job.pod):
            return None
        return self._pods.get(job.pod) if job.pod else PodMark(tr("any pod"))

    def unended(self) -> Iterator[JobRow]:
        """Those that run, were sent, or wait here, in order: they stand before all that ended."""
        for at in range(self.waiting()):
            yield self._rows[at]

    def at_work(self) -> tuple[JobRow, ...]:
        """The jobs that pods work on now, in the queue's order."""
        return tuple(self._rows[at] for at in range(sum(self._counts[state] for state in AT_WORK)))

    @property
    def current(self) -> JobRow | None:
        """The job that a pod works on now; the first of them."""
        first = self._rows[0] if self._rows else None
        return first if first is not None and first.job.state in AT_WORK else None

    def last_to_go(self, *, paused: bool = False) -> JobRow | None:
        """The last that goes on by itself: held ones do not, nor what waits while the queue is `paused`."""
        stay = (JobState.HELD, JobState.QUEUED) if paused else (JobState.HELD,)
        for at in range(self.waiting() - 1, -1, -1):
            if self._rows[at].job.state not in stay:
                return self._rows[at]
        return None

    def count(self, *states: JobState) -> int:
        """How many are in one of `states`."""
        return sum(self._counts[state] for state in states)

    def waiting(self) -> int:
        """How many have not ended: running, sent or still here."""
        return len(self._rows) - self.ended()

    def ended(self) -> int:
        """How many "Clear finished" removes, of those that were read."""
        return sum(number for state, number in self._counts.items() if state.ended)

    # --- Pictures -------------------------------------------------------------------------------------------------

    def _picture(self, job: Job) -> QPixmap | None:
        """What it looks like so far; else what it made, or is made from."""
        preview = self._previews.get(job.id)
        if preview is not None:
            return preview
        path = picture_of(job)
        if not path or self._thumbnails is None:
            return None
        self._shows.setdefault(path, {})[job.id] = None
        return self._thumbnails.get(path, media_kind(path))

    def _on_thumbnail(self, path: str) -> None:
        for job in self._shows.get(path, ()):
            self.touch(job, (THUMBNAIL,))


def picture_of(job: Job) -> str:
    """Path of the file that stands for a job: its first result, else its first input of this computer; "" if none."""
    if job.outputs:
        return job.outputs[0]
    inputs = (value.path for value in job.values.values() if isinstance(value, LocalFile))
    return next((path for path in inputs if media_kind(path) in ("image", "video")), "")
