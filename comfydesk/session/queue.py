"""Which job goes next, and where: pure decisions, no I/O."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from comfydesk.store.jobs import Waiting


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
class Assignment:
    job: str
    pod: str


def assign(waiting: Iterable[Waiting], pods: Mapping[str, PodLoad]) -> tuple[Assignment, ...]:
    """What to send now: the queue's order holds on each pod, and a pod that is away holds up only its own jobs."""
    chosen: dict[str, Assignment] = {}
    for job in sorted(waiting, key=lambda job: job.position):
        if job.pod not in chosen and job.pod in pods and pods[job.pod].open:
            chosen[job.pod] = Assignment(job.id, job.pod)
    return tuple(chosen.values())
