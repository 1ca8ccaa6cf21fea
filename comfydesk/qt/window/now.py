"""What runs now: each job with its progress and picture, and the one that is looked at in the middle."""

from collections.abc import Callable, Iterable
from time import monotonic

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from comfydesk.events import JobProgress
from comfydesk.qt.bridge.previews import Preview
from comfydesk.qt.docks.jobline import Running
from comfydesk.qt.docks.running_strip import AtWork
from comfydesk.qt.models.jobs import WORDS, JobModel
from comfydesk.qt.models.rate import StepRate
from comfydesk.qt.models.rows import JobRow
from comfydesk.qt.theme.language import mark, tr
from comfydesk.store.records import JobState

LOST = mark("Connection lost. The job goes on there; progress returns with the line.")
TitleOf = Callable[[str, str], str]
"""(job, node id) → what a person knows the node as, "" if that is not known."""


class Now(QObject):
    """Follows all jobs at work. Shown is the one that was chosen, else the one that began last.

    What is shown stays until it has ended: nothing is taken away from under the eyes when another pod begins a job.
    """

    changed = Signal(object)
    """Running of the shown job, or None when nothing runs."""
    previewed = Signal(object)
    """QImage: the shown job's picture so far; a null one when there is none yet."""
    at_work = Signal(object)
    """tuple[AtWork, …]: all of them."""

    def __init__(self, jobs: JobModel, title_of: TitleOf, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._title_of = title_of
        self._rates: dict[str, StepRate] = {}
        self._speeds: dict[str, float | None] = {}
        self._pictures: dict[str, QImage] = {}
        self._shown: str | None = None
        self._online: frozenset[str] | None = None
        jobs.counted.connect(self.refresh)
        self.refresh()

    @property
    def job(self) -> str | None:
        """Id of the job that is shown."""
        return self._shown

    def choose(self, job: str) -> None:
        """Look at that one, for as long as it runs."""
        if job != self._shown and any(row.job.id == job for row in self._jobs.at_work()):
            self._look_at(job)
            self.refresh()

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
        job = progress.prompt_id
        if job in self._rates:
            self._speeds[job] = self._rates[job].take(progress, monotonic())
            self._tell()

    def on_preview(self, preview: Preview) -> None:
        """A rough picture; pods that do not say whose it is mean the one that is shown."""
        job = preview.prompt_id or self._shown
        if job is None or job not in self._rates:
            return
        self._pictures[job] = preview.image
        self._jobs.put_preview(job, preview.image)
        if job == self._shown:
            self.previewed.emit(preview.image)

    def refresh(self) -> None:
        """Which jobs run may have changed."""
        rows = self._jobs.at_work()
        ids = {row.job.id for row in rows}
        for job in self._rates.keys() - ids:
            del self._rates[job]
            self._speeds.pop(job, None)
            self._pictures.pop(job, None)
        for job in ids - self._rates.keys():
            self._rates[job] = StepRate()
        if self._shown not in ids:
            newest = max(rows, key=lambda row: (row.job.started or 0, row.job.id), default=None)
            self._look_at(None if newest is None else newest.job.id)
        self._tell()

    # --- Inside ---------------------------------------------------------------------------------------------------

    def _look_at(self, job: str | None) -> None:
        self._shown = job
        self.previewed.emit(self._pictures.get(job or "", QImage()))

    def _tell(self) -> None:
        shown = self._jobs.get(self._shown) if self._shown is not None else None
        self.changed.emit(None if shown is None else self._running(shown))
        rows = self._jobs.at_work()
        self.at_work.emit(
            tuple(AtWork(row.job.id, row.job.workflow, self._jobs.mark(row.job), row.fraction) for row in rows)
        )

    def _is_lost(self, pod: str) -> bool:
        return self._online is not None and bool(pod) and pod not in self._online

    def _running(self, row: JobRow) -> Running:
        progress, job = row.progress, row.job
        if job.state is JobState.RUNNING and self._is_lost(job.pod):
            return Running(node=tr(LOST), fraction=0.0 if progress is None else progress.fraction)
        if job.state is not JobState.RUNNING or progress is None:
            words = tr(WORDS[job.state]) if job.state is not JobState.RUNNING else tr("Starting")
            return Running(node=words, fraction=1.0 if job.state is JobState.SAVING else 0.0)
        title = (progress.node and self._title_of(job.id, progress.node)) or progress.text or tr("Working")
        return Running(
            node=title,
            number=min(len(progress.done_nodes) + 1, progress.total_nodes),
            nodes=progress.total_nodes,
            step=int(progress.value),
            steps=int(progress.maximum),
            rate=self._speeds.get(job.id),
            left=row.seconds_left,
            fraction=progress.fraction,
        )
