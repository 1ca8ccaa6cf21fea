"""Which job goes next, and where: pure decisions, no I/O."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from comfydesk.store.records import ANY


@dataclass(frozen=True, slots=True)
class PodLoad:
    """A pod as the queue sees it."""

    ready: bool
    """Online, and nobody asked it to rest."""
    ours: int
    """Jobs of ours that it has or is being sent."""
    ahead: int = 1
    """Jobs that may wait on it behind the running one: enough not to idle, few enough to reorder."""
    sending: bool = False
    """One is on its way, or it is not known yet whether it arrived."""

    @property
    def open(self) -> bool:
        """Whether it takes another job now. One is sent at a time, so that they arrive in their order."""
        return self.ready and not self.sending and self.ours <= self.ahead


@dataclass(frozen=True, slots=True)
class Candidate:
    """A queued job."""

    id: str
    pod: str
    """Its id, or ANY."""
    position: float
    ready: bool = True
    """Its inputs are on the pod, and no failed attempt is just behind it."""
    patience: float = 0.0
    """Seconds for which those behind it still wait for one that is not ready; then they pass it."""


@dataclass(frozen=True, slots=True)
class Assignment:
    job: str
    pod: str


def assign(waiting: Iterable[Candidate], pods: Mapping[str, PodLoad]) -> tuple[Assignment, ...]:
    """What to send now: the queue's order holds on each pod, and a pod that is away holds up only its own jobs.

    A job for any pod goes to the one that has the least of ours.
    """
    chosen: dict[str, Assignment | None] = {}
    for job in sorted(waiting, key=lambda job: job.position):
        places = [pod for pod in (pods if job.pod == ANY else (job.pod,)) if pod not in chosen and _is_open(pods, pod)]
        if not places:
            continue
        pod = min(places, key=lambda place: pods[place].ours)
        if job.ready:
            chosen[pod] = Assignment(job.id, pod)
        elif job.patience > 0 and job.pod != ANY:
            chosen[pod] = None
    return tuple(assignment for assignment in chosen.values() if assignment is not None)


def _is_open(pods: Mapping[str, PodLoad], pod: str) -> bool:
    return pod in pods and pods[pod].open
