"""How long a job takes: measured node by node, remembered per pod and shape of graph, and so foretold."""

import hashlib
import json
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from comfydesk.client.tracker import weights_of
from comfydesk.events import JobProgress, RunState
from comfydesk.session.library import Library
from comfydesk.store import workflows as store
from comfydesk.store.workflows import Timing

LEAST_FRACTION = 0.05
"""Below that, elapsed time says nothing about the rest."""
LEAST_SECONDS = 0.001
WHOLE = ""
"""In the place of a node's id: the run as a whole, by the pod's own clock."""
KEPT = 256
"""Shapes of graphs whose timings are kept in memory."""
SMALL, SHARE = 0.02, 0.03
"""Seconds, or part of the whole, by which a node has to differ from what is known to be worth a note."""


def signature_of(graph: Mapping[str, Any]) -> str:
    """The shape of an API graph: its nodes, classes and links; prompts, seeds and sizes leave it as it is."""
    shape = {
        node: [spec.get("class_type"), sorted((k, v) for k, v in spec.get("inputs", {}).items() if isinstance(v, list))]
        for node, spec in graph.items()
    }
    return hashlib.sha256(json.dumps(shape, sort_keys=True).encode()).hexdigest()


def steps_of(graph: Mapping[str, Any], node: str) -> float:
    """The steps that a node's inputs ask for, 0 if none."""
    steps = graph.get(node, {}).get("inputs", {}).get("steps")
    return float(steps) if isinstance(steps, int) and not isinstance(steps, bool) and steps > 0 else 0.0


def expected(graph: Mapping[str, Any], known: Mapping[str, Timing]) -> dict[str, float]:
    """Node → seconds it will take, scaled to the steps it is asked for. Nodes never measured (cached so far): 0."""
    seconds = dict.fromkeys(graph, 0.0)
    for node, timing in known.items():
        if node in seconds:
            steps = steps_of(graph, node)
            scale = steps / timing.steps if steps and timing.steps else 1.0
            seconds[node] = max(timing.seconds * scale, LEAST_SECONDS)
    return seconds


def weights(graph: Mapping[str, Any], known: Mapping[str, Timing]) -> dict[str, float]:
    """Node → its part of the whole: from what was measured, else from what such nodes usually weigh."""
    seconds = expected(graph, known)
    return seconds if sum(seconds.values()) > 0 else weights_of(graph)


def shares(graph: Mapping[str, Any], weighed: Mapping[str, float]) -> tuple[float, ...]:
    """Each node's part of the whole, in the order in which they will about run; together 1."""
    whole = sum(weighed.values())
    return tuple(weighed[node] / whole for node in in_order(graph) if weighed.get(node, 0) > 0) if whole > 0 else ()


def in_order(graph: Mapping[str, Any]) -> tuple[str, ...]:
    """The nodes of an API graph, each after those that it needs; loops are cut where they are met."""
    order: dict[str, None] = {}
    met: set[str] = set()
    for start in graph:
        pending = [(start, False)]
        while pending:
            node, ready = pending.pop()
            if ready:
                order[node] = None
            elif node not in met:
                met.add(node)
                pending.append((node, True))
                pending.extend((source, False) for source in reversed(_sources(graph, node)))
    return tuple(order)


def _sources(graph: Mapping[str, Any], node: str) -> list[str]:
    links = [value for value in graph[node].get("inputs", {}).values() if isinstance(value, list) and len(value) == 2]
    return [str(link[0]) for link in links if str(link[0]) in graph]


class Timings:
    """What is known of nodes, in memory once it was asked for. What changes little is not written each time."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._known: OrderedDict[tuple[str, str], Mapping[str, Timing]] = OrderedDict()

    async def known(self, pod: str, signature: str) -> Mapping[str, Timing]:
        """Node → what it took on that pod in graphs of that shape. Raises StoreError."""
        key = pod, signature
        if key not in self._known:
            self._known[key] = await self._library.call(store.timings, pod, signature)
            if len(self._known) > KEPT:
                self._known.popitem(last=False)
        return self._known[key]

    async def learn(self, pod: str, signature: str, measured: Mapping[str, Timing]) -> None:
        """Take in what a run took. Raises StoreError."""
        known = await self.known(pod, signature)
        if any(_is_news(known.get(node), new) for node, new in measured.items()):
            await self._library.call(store.learn_timings, pod, signature, measured)
            self._known.pop((pod, signature), None)


def _is_news(old: Timing | None, new: Timing) -> bool:
    if old is None or old.steps != new.steps:
        return True
    return abs(new.seconds - old.seconds) > max(SMALL, SHARE * old.seconds)


def _whole(known: Mapping[str, Timing], foretold: Mapping[str, float]) -> float | None:
    """Seconds of the run as a whole, if that was measured: for as many steps as it is asked for now."""
    if WHOLE not in known:
        return None
    measured = sum(known[node].seconds for node in foretold if node in known)
    return known[WHOLE].seconds * (sum(foretold.values()) / measured if measured > 0 else 1.0)


class Stopwatch:
    """Measures one run from its progress snapshots. Times are of a monotonic clock, in seconds."""

    def __init__(self, graph: Mapping[str, Any], known: Mapping[str, Timing]) -> None:
        self._graph = graph
        self._expected = expected(graph, known)
        self._known = sum(self._expected.values()) > 0
        self._whole = _whole(known, self._expected)
        self._measured: dict[str, float] = {}
        self._node: str | None = None
        self._since = 0.0
        self._begun: float | None = None
        self._latest: JobProgress | None = None

    def feed(self, progress: JobProgress, now: float) -> None:
        """Take in a snapshot of the run that is measured."""
        if progress.state is RunState.RUNNING and self._begun is None:
            self._begun = now
        if progress.node != self._node:
            self._stop(now)
            self._node, self._since = progress.node, now
        if progress.state.ended:
            self._stop(now)
        self._latest = progress

    def measured(self) -> dict[str, Timing]:
        """What each node took, with the steps it was asked for. Cached nodes took nothing and are left out."""
        return {
            node: Timing(seconds, steps_of(self._graph, node))
            for node, seconds in self._measured.items()
            if node in self._graph
        }

    def remaining(self, now: float) -> float | None:
        """Seconds to go; None as long as nothing is known."""
        latest = self._latest
        if latest is None or self._begun is None:
            return self.whole()
        if not self._known:
            fraction, elapsed = latest.fraction, now - self._begun
            return elapsed * (1 - fraction) / fraction if fraction >= LEAST_FRACTION else None
        ahead = sum(
            seconds for node, seconds in self._expected.items() if node not in latest.done_nodes and node != latest.node
        )
        return ahead + self._rest_of_node(latest, now)

    def whole(self) -> float | None:
        """Seconds that the run takes from its start; None if no such graph has run on that pod."""
        if self._whole is not None:
            return self._whole
        return sum(self._expected.values()) if self._known else None

    def _rest_of_node(self, latest: JobProgress, now: float) -> float:
        if latest.node is None or latest.node in latest.done_nodes:
            return 0.0
        elapsed = now - self._since
        part = min(latest.value / latest.maximum, 1.0) if latest.maximum > 0 else 0.0
        foretold = max(0.0, self._expected.get(latest.node, 0.0) - elapsed)
        # Its own pace counts the more, the further it has come.
        paced = elapsed * (1 - part) / part if part > 0 else foretold
        return part * paced + (1 - part) * foretold

    def _stop(self, now: float) -> None:
        if self._node is not None:
            self._measured[self._node] = self._measured.get(self._node, 0.0) + now - self._since
            self._node = None
