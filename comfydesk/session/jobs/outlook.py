"""How long jobs take on their pods, by what was measured there: when each will have run, and how many may wait."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from comfydesk.client.remote import RemoteJob
from comfydesk.session.jobs.followed import Followed, may_wait
from comfydesk.session.jobs.timings import LEAST_SECONDS, WHOLE, Stopwatch, Timings, signature_of, weights
from comfydesk.session.library import Library
from comfydesk.store.jobs import Waiting
from comfydesk.store.records import Job
from comfydesk.store.workflows import Timing


class Outlook:
    """`on(pod)`: our jobs that it has or is being sent, in the order they were sent."""

    def __init__(self, library: Library, on: Callable[[str], Sequence[Followed]]) -> None:
        self._on = on
        self._timings = Timings(library)
        self._wholes: dict[tuple[str, str], float | None] = {}
        """Pod, graph → seconds that such a job took there as a whole, if that is known."""

    async def weigh(self, job: Job, graph: Mapping[str, Any]) -> Followed:
        """What there is to know of a job before it is followed. Raises StoreError."""
        signature = signature_of(graph)
        known = await self._timings.known(job.pod, signature)
        stopwatch = Stopwatch(graph, known)
        self._wholes[job.pod, job.graph_hash] = stopwatch.whole()
        return Followed(job, graph, stopwatch, signature, weights(graph, known))

    async def learn(self, followed: Followed, remote: RemoteJob) -> None:
        """It has run: what its nodes took, and by the pod's own clock the whole. Raises StoreError."""
        measured = followed.stopwatch.measured()
        if remote.started and remote.finished:
            measured[WHOLE] = Timing(max(remote.finished - remote.started, LEAST_SECONDS), 0.0)
        await self._timings.learn(followed.job.pod, followed.signature, measured)

    def may_wait(self, pod: str, graph_hash: str, ahead: int) -> int:
        """How many jobs may wait there behind the running one, if such come next; `ahead` is what the user wants."""
        return may_wait(ahead, self._wholes.get((pod, graph_hash)))

    def eta(self, followed: Followed) -> float | None:
        """Seconds until it has run, those before it on its pod included; None: not known (yet)."""
        total, now = 0.0, time.monotonic()
        for other in self._on(followed.job.pod):
            rest = other.stopwatch.remaining(now)
            if rest is None:
                return None
            total += rest
            if other is followed:
                break
        return total

    def eta_of_waiting(self, job: str, waiting: Iterable[Waiting]) -> float | None:
        """The same for one that is to be sent: after what its pod has, and those before it in the queue."""
        before: dict[str, float | None] = {}
        for one in waiting:
            if one.pod not in before:
                last = self._on(one.pod)[-1:]
                before[one.pod] = self.eta(last[0]) if last else 0.0
            so_far, whole = before[one.pod], self._wholes.get((one.pod, one.graph_hash))
            before[one.pod] = None if so_far is None or whole is None else so_far + whole
            if one.id == job:
                return before[one.pod]
        return None
