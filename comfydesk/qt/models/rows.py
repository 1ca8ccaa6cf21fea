"""What one row of a list shows: a stored value and what is known about it right now."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt

from comfydesk.store.records import Job, JobState

if TYPE_CHECKING:
    from comfydesk.events import JobProgress
    from comfydesk.session.values import WorkflowEntry
    from comfydesk.workflow.needs import Needs

ROW = int(Qt.ItemDataRole.UserRole) + 1
"""The whole row, a frozen value: what delegates paint from."""

THUMBNAIL = int(Qt.ItemDataRole.UserRole) + 2
"""A QPixmap, or None while it loads or when there is none."""

POD = int(Qt.ItemDataRole.UserRole) + 3
"""A PodMark, or None where it is plain which pod a job is on."""


@dataclass(frozen=True, slots=True)
class PodMark:
    """A pod beside a job."""

    name: str
    colour: str = ""
    """#rrggbb; empty: no dot."""


@dataclass(frozen=True, slots=True)
class WorkflowRow:
    """A card of the browser."""

    entry: "WorkflowEntry"
    starred: bool = False
    needs: "Needs | None" = None
    """None: not checked against a pod (yet)."""
    pod: str = ""
    """Name of the pod that `needs` is about."""
    online: bool = True
    """Whether that pod can be used now."""
    used: float = 0
    """When it was last opened or made something, seconds since the epoch; 0: never."""
    recent: bool = False
    """It was opened since the list was put in order; its card moves at the next start."""
    tags: tuple[str, ...] = ()
    """The user's."""


@dataclass(frozen=True, slots=True)
class JobRow:
    """A row of the queue."""

    job: Job
    progress: "JobProgress | None" = None
    seconds_left: float | None = None
    """What it still needs; of an ended job, what it took."""

    @property
    def fraction(self) -> float | None:
        """0 to 1 while the job runs and its pod says how far it is."""
        if self.job.state is not JobState.RUNNING or self.progress is None:
            return None
        return self.progress.fraction

    def with_job(self, job: Job) -> "JobRow":
        """The row after its job changed; what was known of its run goes with the run."""
        return replace(self, job=job) if job.state is JobState.RUNNING else JobRow.of(job)

    @classmethod
    def of(cls, job: Job) -> "JobRow":
        """The row of a job of whose run nothing is known yet, or any more."""
        took = job.finished - job.started if job.state.ended and job.finished and job.started else None
        return cls(job, seconds_left=took)
