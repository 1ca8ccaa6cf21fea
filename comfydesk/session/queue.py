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

    @property
    def room(self) -> int:
        """How many more it may be sent now."""
        return max(0, 1 + self.ahead - self.ours) if self.ready else 0


@dataclass(frozen=True, slots=True)
class Assignment:
    job: str
    pod: str


def assign(waiting: Iterable[Waiting], pods: Mapping[str, PodLoad]) -> tuple[Assignment, ...]:
    """What to send now: the queue's order holds on each pod, and a pod that is away holds up only its own jobs."""
    room = {pod: load.room for pod, load in pods.items()}
    chosen: list[Assignment] = []
    for job in sorted(waiting, key=lambda job: job.position):
        if room.get(job.pod, 0) > 0:
            room[job.pod] -= 1
            chosen.append(Assignment(job.id, job.pod))
    return tuple(chosen)
