"""What runs now, in the preview, the queue and the status bar at once."""

from collections.abc import Callable, Iterable
from time import monotonic

from PySide6.QtCore import QObject, Signal

from comfydesk.events import JobProgress
from comfydesk.qt.bridge.previews import Preview
from comfydesk.qt.docks.jobline import Running
from comfydesk.qt.models.jobs import WORDS, JobModel
from comfydesk.qt.models.rate import StepRate
from comfydesk.qt.models.rows import JobRow
from comfydesk.store.records import JobState

LOST = "Connection lost. The job goes on there; progress returns with the line."
TitleOf = Callable[[str, str], str]
"""(job, node id) → what a person knows the node as, "" if that is not known."""


class Now(QObject):
    """Follows the job at the head of the queue. `changed` with a Running, or None when nothing runs."""

    changed = Signal(object)
    previewed = Signal(object)
    """QImage: the picture so far."""

    def __init__(self, jobs: JobModel, title_of: TitleOf, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._title_of = title_of
        self._rate = StepRate()
        self._speed: float | None = None
        self._online: frozenset[str] | None = None
        jobs.counted.connect(self.refresh)
        self.refresh()

    @property
    def job(self) -> str | None:
        """Id of the job at work."""
        row = self._jobs.current
        return None if row is None else row.job.id

    def set_online(self, pods: Iterable[str]) -> None:
        """Ids of the pods that can be reached now."""
        online = frozenset(pods)
        if online != self._online:
            self._online = online
            self._jobs.forget_times(self._is_lost)
            self.refresh()

    def on_progress(self, progress: JobProgress) -> None:
        """A snapshot of some job."""
        self._jobs.put_progress(progress)
        if progress.prompt_id == self.job:
            self._speed = self._rate.take(progress, monotonic())
            self.refresh()

    def on_preview(self, preview: Preview) -> None:
        """A rough picture; pods that do not say whose it is mean the one that runs."""
        job = self.job
        if job is not None and preview.prompt_id in (None, job):
            self._jobs.put_preview(job, preview.image)
            self.previewed.emit(preview.image)

    def refresh(self) -> None:
        """Tell what runs as it is known now."""
        row = self._jobs.current
        self.changed.emit(None if row is None else self._running(row))

    def _is_lost(self, pod: str) -> bool:
        return self._online is not None and bool(pod) and pod not in self._online

    def _running(self, row: JobRow) -> Running:
        progress, job = row.progress, row.job
        if job.state is JobState.RUNNING and self._is_lost(job.pod):
            return Running(node=LOST, fraction=0.0 if progress is None else progress.fraction)
        if job.state is not JobState.RUNNING or progress is None:
            words = WORDS[job.state] if job.state is not JobState.RUNNING else "Starting"
            return Running(node=words, fraction=1.0 if job.state is JobState.SAVING else 0.0)
        title = (progress.node and self._title_of(job.id, progress.node)) or progress.text or "Working"
        return Running(
            node=title,
            number=min(len(progress.done_nodes) + 1, progress.total_nodes),
            nodes=progress.total_nodes,
            step=int(progress.value),
            steps=int(progress.maximum),
            rate=self._speed,
            left=row.seconds_left,
            fraction=progress.fraction,
        )
