"""The queue as rows: what runs, what waits in its order, then what ended, newest first."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QImage, QPixmap

from comfydesk.client.files import media_kind
from comfydesk.events import JobProgress
from comfydesk.qt.models.rowmodel import Index, RowModel
from comfydesk.qt.models.rows import THUMBNAIL, JobRow
from comfydesk.qt.models.thumbnails import Thumbnails
from comfydesk.qt.models.tips import plain_tip
from comfydesk.store.records import Job, JobState

WORDS = {
    JobState.HELD: "Held",
    JobState.QUEUED: "Queued",
    JobState.SENDING: "Sending",
    JobState.SENT: "Queued",
    JobState.RUNNING: "Running",
    JobState.SAVING: "Saving",
    JobState.DONE: "Done",
    JobState.FAILED: "Failed",
    JobState.CANCELLING: "Cancelling",
    JobState.CANCELLED: "Cancelled",
    JobState.UNKNOWN: "State unknown",
}
"""What a person reads for each state."""

AT_WORK = (JobState.RUNNING, JobState.SAVING, JobState.CANCELLING)


class JobModel(RowModel[JobRow]):
    """All jobs the window knows of."""

    counted = Signal()
    """How many wait, run or ended may have changed."""
    more_wanted = Signal()
    """The view came near the end of what was read: older jobs, please, with `put_jobs`."""

    def __init__(self, thumbnails: Thumbnails | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._eta: Callable[[str], float | None] = lambda _: None
        self._thumbnails = thumbnails
        self._shows: dict[str, str] = {}
        self._more = False
        self._preview: tuple[str, QPixmap] | None = None
        if thumbnails is not None:
            thumbnails.ready.connect(self._on_thumbnail)

    def ask_eta(self, eta: Callable[[str], float | None]) -> None:
        """`eta` tells the seconds that a job still needs; it is asked when the job's progress arrives."""
        self._eta = eta

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
        if role == Qt.ItemDataRole.DisplayRole:
            return row.job.workflow
        if role == Qt.ItemDataRole.AccessibleTextRole:
            parts = (row.job.workflow, row.job.prompt, WORDS[row.job.state])
            return ", ".join(part for part in parts if part)
        if role == Qt.ItemDataRole.ToolTipRole and row.job.error is not None:
            error = row.job.error
            return plain_tip("\n".join(part for part in (error.what, error.why, error.advice) if part))
        return None

    def put_jobs(self, jobs: Iterable[Job]) -> None:
        """Insert or refresh."""
        count = self.rowCount()
        for job in jobs:
            row = self.get(job.id)
            self._put(row.with_job(job) if row else JobRow.of(job))
        if self.rowCount() > count:
            self._more = True
        self.counted.emit()

    def drop(self, ids: Iterable[str]) -> None:
        super().drop(ids)
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
            self._put(replace(row, progress=progress, seconds_left=self._eta(row.job.id)))

    def forget_times(self, pods_away: Callable[[str], bool]) -> None:
        """What runs on pods whose line is down: how long it still takes is not known."""
        for row in tuple(self._rows):
            if not row.job.state.ended and row.seconds_left is not None and pods_away(row.job.pod):
                self._put(replace(row, seconds_left=None))

    def put_preview(self, job: str, image: QImage) -> None:
        """What the job's picture looks like so far."""
        self._preview = (job, QPixmap.fromImage(image))
        self.touch(job, (THUMBNAIL,))

    def _picture(self, job: Job) -> QPixmap | None:
        if self._preview is not None and self._preview[0] == job.id and not job.state.ended:
            return self._preview[1]
        if not job.outputs or self._thumbnails is None:
            return None
        self._shows[job.outputs[0]] = job.id
        return self._thumbnails.get(job.outputs[0], media_kind(job.outputs[0]))

    def _on_thumbnail(self, path: str) -> None:
        if path in self._shows:
            self.touch(self._shows[path], (THUMBNAIL,))

    @property
    def current(self) -> JobRow | None:
        """The job that a pod works on now; the first of them."""
        first = self._rows[0] if self._rows else None
        return first if first is not None and first.job.state in AT_WORK else None

    def waiting(self) -> int:
        """How many have not ended: running, sent or still here."""
        return sum(not row.job.state.ended for row in self._rows)

    def with_state(self, state: JobState) -> tuple[str, ...]:
        """Ids of the jobs in `state`, in order."""
        return tuple(row.job.id for row in self._rows if row.job.state is state)

    def ended(self) -> tuple[str, ...]:
        """Ids of those that "Clear finished" removes."""
        return tuple(row.job.id for row in self._rows if row.job.state.ended)
