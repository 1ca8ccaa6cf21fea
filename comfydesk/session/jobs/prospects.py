"""What is to be expected: how long jobs take on which pod, and so what a batch takes and costs."""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from comfydesk.session.jobs import speeds
from comfydesk.session.jobs.documents import Documents
from comfydesk.session.jobs.timings import signature_of
from comfydesk.session.library import Library
from comfydesk.session.pods.links import Link
from comfydesk.store import workflows as store
from comfydesk.workflow.graph import ApiGraph

FRESH = 1.0
"""Seconds for which measurements that were read are good enough."""
KEPT = 64
"""Graphs whose shape is remembered."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Of a batch: "200 jobs, about 41 min on 2 pods, $0.62"."""

    seconds: float | None
    """Until the last is done; None: no such job has run yet."""
    pods: int
    """That would take part."""
    cost: float | None
    """Dollars for the time that rented pods are busy with it; None: none of them has a price, or no time is known."""


class Prospects:
    """`rate(pod)`: dollars an hour, None where nobody says."""

    def __init__(self, library: Library, documents: Documents, rate: Callable[[str], float | None]) -> None:
        self._library = library
        self._documents = documents
        self._rate = rate
        self._measured: speeds.Measured = {}
        self._pods: frozenset[str] = frozenset()
        self._read = 0.0
        self._shapes: OrderedDict[str, tuple[Mapping[str, Any], str]] = OrderedDict()

    async def seconds(self, graph_hash: str, pods: Iterable[str]) -> dict[str, float]:
        """Pod → seconds that a job of a stored graph takes there: right relative to each other. Raises StoreError."""
        wanted = tuple(pods)
        await self._refresh(wanted)
        shape = self._shapes.get(graph_hash)
        if shape is None:
            graph = (await self._documents.graph(graph_hash)).to_json()
            shape = self._shapes[graph_hash] = graph, signature_of(graph)
            if len(self._shapes) > KEPT:
                self._shapes.popitem(last=False)
        return speeds.seconds(*shape, self._measured, wanted)

    async def estimate(self, graph: ApiGraph, count: int, links: Sequence[Link]) -> Estimate:
        """Of `count` jobs spread over these pods. Raises StoreError."""
        pods = [link.target.id for link in links]
        await self._refresh(pods, now=True)
        document = graph.to_json()
        known = speeds.known_seconds(document, signature_of(document), self._measured, pods)
        if not pods or known is None:
            return Estimate(None, len(pods), None)
        until, shares = split(count, known)
        rates = {pod: self._rate(pod) for pod in pods}
        dollars = [rate * shares[pod] * known[pod] / 3600 for pod, rate in rates.items() if rate is not None]
        return Estimate(until, sum(share > 0 for share in shares.values()), sum(dollars) if dollars else None)

    async def _refresh(self, pods: Iterable[str], *, now: bool = False) -> None:
        wanted = frozenset(pods)
        if now or wanted - self._pods or time.monotonic() - self._read > FRESH:
            self._pods = wanted
            self._measured = await self._library.read(store.all_timings, wanted)
            self._read = time.monotonic()


def split(count: int, seconds: Mapping[str, float]) -> tuple[float, dict[str, int]]:
    """The soonest that `count` equal jobs can be done by pods that take so long for one each, and who does how many."""
    low, high = 0.0, count * min(seconds.values())
    for _ in range(60):
        middle = (low + high) / 2
        enough = sum(_done(middle, one) for one in seconds.values()) >= count
        low, high = (low, middle) if enough else (middle, high)
    shares = {pod: _done(high, one) for pod, one in seconds.items()}
    for pod in sorted(shares, key=lambda pod: -seconds[pod]):  # more than asked for: the slowest does less
        extra = min(shares[pod], sum(shares.values()) - count)
        shares[pod] -= max(0, extra)
    return max((shares[pod] * seconds[pod] for pod in shares), default=0.0), shares


def _done(until: float, one: float) -> int:
    return int(until / one * (1 + 1e-9)) if one > 0 else 0
