"""What a badge says: words, a tone and an icon. Values, painted by delegates and shown by BadgeLabel."""

from dataclasses import dataclass, replace

from comfydesk.qt.models.words import models_missing, nodes_missing
from comfydesk.qt.theme import Tone
from comfydesk.qt.theme.language import mark, tr
from comfydesk.store.records import JobState


@dataclass(frozen=True, slots=True)
class Badge:
    text: str
    tone: Tone = "neutral"
    icon: str = ""


def ready() -> Badge:
    """A pod has all that a workflow needs."""
    return Badge(tr("Ready"), "success", "check")


def broken() -> Badge:
    """A workflow that is none."""
    return Badge(tr("Cannot be read"), "danger", "error")


_STATES: dict[JobState, Badge] = {
    JobState.HELD: Badge(mark("Held"), "warning", "pause"),
    JobState.QUEUED: Badge(mark("Queued"), "neutral", "clock"),
    JobState.SENDING: Badge(mark("Sending"), "info", "upload"),
    JobState.SENT: Badge(mark("Queued"), "neutral", "clock"),
    JobState.RUNNING: Badge(mark("Running"), "info", "play"),
    JobState.SAVING: Badge(mark("Saving"), "info", "download"),
    JobState.DONE: Badge(mark("Done"), "success", "check"),
    JobState.FAILED: Badge(mark("Failed"), "danger", "error"),
    JobState.CANCELLING: Badge(mark("Cancelling"), "neutral", "clock"),
    JobState.CANCELLED: Badge(mark("Cancelled"), "neutral", "close"),
    JobState.UNKNOWN: Badge(mark("State unknown"), "warning", "warning"),
}


def of_state(state: JobState) -> Badge:
    """How a job stands."""
    badge = _STATES[state]
    return replace(badge, text=tr(badge.text))


def of_needs(missing_models: int, missing_nodes: int) -> Badge:
    """Whether a pod can run a workflow. Nodes weigh more: without them no model helps."""
    if missing_nodes:
        return Badge(nodes_missing(missing_nodes), "danger", "error")
    if missing_models:
        return Badge(models_missing(missing_models), "warning", "warning")
    return ready()


def ready_on(pod: str) -> Badge:
    """The last known state while that pod is away: neutral, with its name."""
    return Badge(tr("Ready on {pod}", pod=pod), "neutral", "check")
