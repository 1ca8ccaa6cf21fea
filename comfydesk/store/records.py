"""Rows of the store as values. Times are seconds since the epoch, UTC."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

ANY = "any"
"""The target of a job that any pod may take."""


class JobState(StrEnum):
    HELD = "held"
    QUEUED = "queued"
    """On this computer's disk, not yet sent."""
    SENDING = "sending"
    """POST under way, or interrupted: the pod may or may not have it."""
    SENT = "sent"
    """In the pod's queue."""
    RUNNING = "running"
    SAVING = "saving"
    """Finished on the pod; outputs are on their way here."""
    DONE = "done"
    FAILED = "failed"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"
    """The pod no longer knows it: it restarted, or someone removed it. The user chooses: look again, or run again."""

    @property
    def ended(self) -> bool:
        """Nothing further happens without the user."""
        return self in (JobState.DONE, JobState.FAILED, JobState.CANCELLED, JobState.UNKNOWN)

    @property
    def on_pod(self) -> bool:
        """A pod may be working on it or hold its outputs."""
        return self in (
            JobState.SENDING,
            JobState.SENT,
            JobState.RUNNING,
            JobState.SAVING,
            JobState.CANCELLING,
        )


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A value of an image, video or audio field that lies on this computer: uploaded before its job is sent."""

    path: str
    """Absolute."""
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class JobError:
    """Why a job failed, in the user's words first; the rest for "Details"."""

    what: str
    why: str = ""
    advice: str = ""
    node: str | None = None
    node_title: str = ""
    traceback: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    """Field id → message, for errors that belong on the form."""
    inputs: Mapping[str, str] = field(default_factory=dict)
    """Input → its value, shortened, without secrets: of the node that failed."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a job ended that left results all the same: FAILED or CANCELLED, and why."""

    state: JobState
    error: JobError | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """A unit of work. `id` is the prompt_id we chose: a canonical lowercase UUID."""

    id: str
    state: JobState
    workflow: str
    """Display name."""
    pod: str
    """Id of the pod that it was sent to, or is meant for; empty as long as any may take it."""
    graph_hash: str
    """Key of the API graph in the store."""
    values: Mapping[str, Any]
    """Field id → value, as the form had them; LocalFile for what is to be uploaded."""
    prompt: str
    seed: int | None
    position: float
    """Order in the queue, ascending."""
    created: float
    posted: float | None = None
    """When the POST began of which it is not certain that it did not arrive: look it up before another."""
    sent: float | None = None
    """When the pod had taken it."""
    started: float | None = None
    finished: float | None = None
    error: JobError | None = None
    """Why it failed or is unknown, or what blocks it."""
    warning: JobError | None = None
    """What to know although it went on: outputs that the pod left out."""
    outputs: tuple[str, ...] = ()
    """Paths of saved files."""
    document_hash: str | None = None
    """Key of the UI document in the store; None for a workflow that exists as an API graph only."""
    owner: str = ""
    """The session that looks after it."""
    remote_id: str = ""
    """Its prompt_id on the pod: `id`, but for servers before late 2025, which mint their own."""
    folder: str = ""
    """Where its results go, if not to the library's folder."""
    target: str = ""
    """Id of the pod that it is meant for, or ANY. Empty in a new job: `pod`."""
    workflow_id: str = ""
    """WorkflowEntry.id, where it came from one."""
    batch: str = ""
    """What was enqueued together has this in common."""
    texts: tuple[str, ...] = ()
    """What nodes that show text have shown."""
    drawn: Mapping[str, str] = field(default_factory=dict)
    """Field id → the text that its wildcards were drawn in; `values` has what was drawn."""
    originals: Mapping[str, str] = field(default_factory=dict)
    """Field id → the text before it was enhanced, of those that were."""
    cell: tuple[int, int, int, int] | None = None
    """Its place in its batch's grid, from 0: sheet, page, row, column."""
    template: str = ""
    """How its files are named, if not as the settings say."""
    verdict: Verdict | None = None
    """How it ended on the pod, if not well; then it ends so here too, once its results are saved."""

    @property
    def unanswered(self) -> bool:
        """A POST may be under way to the pod, or have been lost: that it does not know the job proves nothing yet."""
        return self.posted is not None and self.sent is None

    @property
    def blocked(self) -> bool:
        """Its results cannot be saved for now (no room, say); they are still on the pod."""
        return self.state is JobState.SAVING and self.error is not None


@dataclass(frozen=True, slots=True)
class JobFile:
    """A file that a finished job left on its pod. Identity on the pod: type, subfolder, filename (and its ETag)."""

    job: str
    number: int
    """Its place among the job's files, from 0."""
    type: str
    """output or temp"""
    subfolder: str
    filename: str
    path: str | None = None
    """Where it is to be saved; None until that is decided."""


@dataclass(frozen=True, slots=True)
class Output:
    """A file of the library: made by a job, or taken in from elsewhere."""

    id: int
    path: str
    media: str
    """image, video, audio, text, model3d or other."""
    size: int
    sha256: str
    created: float
    job: str | None = None
    """Its run: kept when the job is taken out of the queue."""
    workflow: str = ""
    pod: str = ""
    prompt: str = ""
    seed: int | None = None
    width: int | None = None
    height: int | None = None
    duration: float | None = None
    """Seconds, of videos and sounds."""
    negative: str = ""
    model: str = ""
    """The checkpoint, in the pod's spelling."""
    sampler: str = ""
    scheduler: str = ""
    steps: float | None = None
    cfg: float | None = None
    seconds: float | None = None
    """How long the pod worked on it."""
    batch: str = ""
    workflow_id: str = ""
    graph_hash: str | None = None
    """Keys of the API graph and the UI document in the store; the graph is without the run's values."""
    document_hash: str | None = None
    rating: int = 0
    """0 (none) to 5 stars."""
    favourite: bool = False
    note: str = ""
    tags: tuple[str, ...] = ()
    missing: bool = False
    """Its file was moved or deleted by somebody else."""
