"""What is told of jobs that ended: to those who look elsewhere by the desktop, to those who come back in the window."""

import time
from collections import Counter
from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject, QTimer
from PySide6.QtGui import QGuiApplication

from comfydesk.qt.models.words import clock
from comfydesk.qt.theme.language import said, tr, tr_n
from comfydesk.qt.window.desk import Desk
from comfydesk.qt.window.notifier import Notifier
from comfydesk.store.records import Job, JobState

GROUP_MS = 2_500
"""So long more may end before what has ended is told, together."""
LATE_S = 60.0
"""What ended so long ago is news of the time away: the computer slept, or the line was down."""


class News(QObject):
    """`wanted` says whether the desktop may be asked at all; `in_front`, whether the user sees the window."""

    def __init__(
        self,
        desk: Desk,
        notifier: Notifier,
        wanted: Callable[[], bool],
        parent: QObject | None = None,
        *,
        in_front: Callable[[], bool] | None = None,
    ) -> None:
        super().__init__(parent)
        self._desk, self._notifier, self._wanted = desk, notifier, wanted
        self._in_front = in_front or desk.window.isActiveWindow
        self._fresh: list[Job] = []
        self._done: dict[str, list[Job]] = {}
        """Batch of which more is to come → what of it is done: told when all of it is."""
        self._away: list[Job] = []
        """Ended while nobody looked; told in the window when somebody does."""
        self._stops: dict[str, float] = {}
        self._timer = QTimer(self, singleShot=True, interval=GROUP_MS)
        self._timer.timeout.connect(self._tell)
        application = QGuiApplication.instance()
        if isinstance(application, QGuiApplication):
            application.applicationStateChanged.connect(self._came_back)
            application.focusWindowChanged.connect(self._came_back)

    def on_ended(self, jobs: Sequence[Job]) -> None:
        """Jobs came to their end."""
        self._fresh += (job for job in jobs if job.state is not JobState.CANCELLED)
        if (self._fresh or self._done) and not self._timer.isActive():
            self._timer.start()

    def on_stop(self, pod: str, name: str, ends: float) -> None:
        """A pod is going to stop by itself at `ends` (seconds since the epoch). Told once for each countdown."""
        if self._stops.get(pod) == ends:
            return
        self._stops[pod] = ends
        if not self._in_front() and self._wanted():
            left = clock(ends - time.time())
            title = tr("{pod} stops in {time}", pod=name, time=left)
            self._notifier.show(title, tr("Nobody uses it. Keep it running from ComfyDesk."), urgent=True)

    def show_count(self, number: int) -> None:
        """How many jobs have not ended, on the icon of the dock or taskbar where the platform has a place for it."""
        application = QGuiApplication.instance()
        if isinstance(application, QGuiApplication):
            application.setBadgeNumber(number)

    # --- Inside ---------------------------------------------------------------------------------------------------

    def _tell(self) -> None:
        jobs, self._fresh = self._fresh, []
        if self._in_front():
            self._done.clear()
            late = [job for job in jobs if job.finished is not None and time.time() - job.finished > LATE_S]
            if late:
                self._welcome(late)
            return
        self._away += jobs
        told = self._with_batches(jobs)
        if told and self._wanted():
            self._notifier.show(*words(told), urgent=any(job.state is JobState.FAILED for job in told))

    def _with_batches(self, jobs: Sequence[Job]) -> list[Job]:
        """What is told now. What is done of a batch waits for the rest of it; what went wrong does not."""
        going_on = {row.job.batch for row in self._desk.jobs.unended()} - {""}
        told: list[Job] = []
        for job in jobs:
            if job.state is JobState.DONE and job.batch in going_on:
                self._done.setdefault(job.batch, []).append(job)
            else:
                told += (*self._done.pop(job.batch, ()), job) if job.batch not in going_on else (job,)
        for batch in self._done.keys() - going_on:  # its last job was cancelled, or taken off the list
            told += self._done.pop(batch)
        return told

    def _came_back(self, _: object = None) -> None:
        if self._away and self._in_front():
            jobs, self._away = self._away, []
            self._welcome(jobs)

    def _welcome(self, jobs: Sequence[Job]) -> None:
        """ "7 finished while you were away; 1 failed". The queue goes on telling of each: this goes after its time."""
        counts = Counter(job.state for job in jobs)
        done, failed, unknown = (counts[state] for state in (JobState.DONE, JobState.FAILED, JobState.UNKNOWN))
        parts = [tr_n("{n} failed", "{n} failed", failed)] if failed else []
        parts += [tr_n("the state of {n} is unknown", "the state of {n} is unknown", unknown)] if unknown else []
        what = tr_n("{n} finished while you were away", "{n} finished while you were away", done)
        self._desk.toasts.tell("; ".join((what, *parts)), tone="warning" if parts else "success", brief=True)


def words(jobs: Sequence[Job]) -> tuple[str, str]:
    """(title, text) of a message on jobs that ended together."""
    counts = Counter(job.state for job in jobs)
    done, failed, unknown = (counts[state] for state in (JobState.DONE, JobState.FAILED, JobState.UNKNOWN))
    names = ", ".join(dict.fromkeys(job.workflow for job in jobs))
    if len(jobs) == 1 and (failed or unknown):
        job = jobs[0]
        error = said(job.error.what) if job.error is not None else tr("State unknown")
        return tr("{workflow} failed", workflow=job.workflow) if failed else job.workflow, error
    parts = []
    if done > 1 and jobs[0].batch and len({job.batch for job in jobs}) == 1:
        names = tr("Batch of {workflow}", workflow=names)
    if done:
        pictures = sum(len(job.outputs) for job in jobs if job.state is JobState.DONE)
        parts.append(tr_n("{n} result done", "{n} results done", max(done, pictures)))
    if failed:
        parts.append(tr_n("{n} failed", "{n} failed", failed))
    if unknown:
        parts.append(tr_n("{n} in state unknown", "{n} in state unknown", unknown))
    return ", ".join(parts), names
