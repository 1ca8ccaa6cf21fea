"""Which job goes next, and where: pure decisions, no I/O."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from comfydesk.store.records import ANY

GUESS = 10.0
"""Seconds of a job of which nothing is known."""


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
    at_once: int = 1
    """How many may be sent one after the other without a new decision."""
    backlog: float = 0.0
    """Seconds until all that it has is done, other people's jobs included."""

    @property
    def room(self) -> int:
        """How many jobs it takes now. They are sent one after the other, so that they arrive in their order."""
        return max(0, min(self.at_once, self.ahead + 1 - self.ours)) if self.ready and not self.sending else 0


@dataclass(frozen=True, slots=True)
class Candidate:
    """A queued job."""

    id: str
    pod: str
    """Its id, or ANY."""
    position: float
    ready: bool = True
    """No failed attempt is just behind it, and its inputs are on its pod."""
    patience: float = 0.0
    """Seconds for which those behind it still wait for one that is not ready; then they pass it."""
    seconds: Mapping[str, float] = field(default_factory=dict)
    """Pod → how long it takes there. Of a job for any pod: the pods that can run it."""
    lacking: frozenset[str] = frozenset()
    """Pods that have not got its inputs yet; of a job for any pod."""


@dataclass(frozen=True, slots=True)
class Assignment:
    job: str
    pod: str


def plan(waiting: Iterable[Candidate], pods: Mapping[str, PodLoad]) -> dict[str, str]:
    """Job → the pod that will have finished it first, if each takes what is planned for it in the queue's order.

    A fast pod that is busy may well be worth waiting for; the slow one then gets the first job that it finishes before
    the fast one would. Jobs that no ready pod can run are left out.
    """
    free_at = {pod: load.backlog for pod, load in pods.items() if load.ready}
    planned: dict[str, str] = {}
    counts = {pod: pods[pod].ours for pod in free_at}
    for job in in_order(waiting):
        places = job.seconds if job.pod == ANY else (job.pod,)
        ends = {pod: free_at[pod] + job.seconds.get(pod, GUESS) for pod in places if pod in free_at}
        if not ends:
            continue
        pod = min(ends, key=lambda place: (ends[place], counts[place]))
        planned[job.id] = pod
        free_at[pod] = ends[pod]
        counts[pod] += 1
    return planned


def assign(
    waiting: Iterable[Candidate], pods: Mapping[str, PodLoad], planned: Mapping[str, str] | None = None
) -> tuple[Assignment, ...]:
    """What to send now: each pod gets as many as it has room for, the first that are `planned` (see `plan`) for it.

    A pod that is away holds up only its own jobs.
    """
    jobs = in_order(waiting)
    where = plan(jobs, pods) if planned is None else planned
    chosen: list[Assignment] = []
    room = {pod: load.room for pod, load in pods.items()}
    for job in jobs:
        pod = where.get(job.id)
        if pod is None or not room[pod]:
            continue
        if job.ready and pod not in job.lacking:
            chosen.append(Assignment(job.id, pod))
            room[pod] -= 1
        elif job.patience > 0 and job.pod != ANY:
            room[pod] = 0
    return tuple(chosen)


def in_order(waiting: Iterable[Candidate]) -> Sequence[Candidate]:
    """As the queue has them."""
    return sorted(waiting, key=lambda job: job.position)
