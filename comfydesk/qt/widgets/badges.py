"""What a badge says: words, a tone and an icon. Values, painted by delegates and shown by BadgeLabel."""

from dataclasses import dataclass

from comfydesk.qt.theme import Tone
from comfydesk.store.records import JobState


@dataclass(frozen=True, slots=True)
class Badge:
    text: str
    tone: Tone = "neutral"
    icon: str = ""


READY = Badge("Ready", "success", "check")
BROKEN = Badge("Cannot be read", "danger", "error")

_STATES: dict[JobState, Badge] = {
    JobState.HELD: Badge("Held", "warning", "pause"),
    JobState.QUEUED: Badge("Queued", "neutral", "clock"),
    JobState.SENDING: Badge("Sending", "info", "upload"),
    JobState.SENT: Badge("Queued", "neutral", "clock"),
    JobState.RUNNING: Badge("Running", "info", "play"),
    JobState.SAVING: Badge("Saving", "info", "download"),
    JobState.DONE: Badge("Done", "success", "check"),
    JobState.FAILED: Badge("Failed", "danger", "error"),
    JobState.CANCELLING: Badge("Cancelling", "neutral", "clock"),
    JobState.CANCELLED: Badge("Cancelled", "neutral", "close"),
    JobState.UNKNOWN: Badge("State unknown", "warning", "warning"),
}


def of_state(state: JobState) -> Badge:
    """How a job stands."""
    return _STATES[state]


def of_needs(missing_models: int, missing_nodes: int) -> Badge:
    """Whether a pod can run a workflow. Nodes weigh more: without them no model helps."""
    if missing_nodes:
        return Badge(f"{missing_nodes} node{'s' if missing_nodes > 1 else ''} missing", "danger", "error")
    if missing_models:
        return Badge(f"{missing_models} model{'s' if missing_models > 1 else ''} missing", "warning", "warning")
    return READY


def ready_on(pod: str) -> Badge:
    """The last known state while that pod is away: neutral, with its name."""
    return Badge(f"Ready on {pod}", "neutral", "check")
