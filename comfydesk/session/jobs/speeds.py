"""How long a job takes on each pod, from what jobs took there before: pure.

Measured is measured; what a pod never ran is reckoned from a pod that did, by how the two compare over what both have
run; of which nothing is known counts as equal.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from comfydesk.session.jobs.timings import steps_of
from comfydesk.store.workflows import WHOLE, Timing

Measured = Mapping[tuple[str, str], Mapping[str, Timing]]
"""Shape of a graph and node → pod → what it took there. See store.workflows.all_timings."""

UNKNOWN_SECONDS = 10.0
"""Of a job of which nothing is known: only how pods compare matters then."""
_LEAST = 1e-6


def known_seconds(
    graph: Mapping[str, Any], signature: str, measured: Measured, pods: Iterable[str]
) -> dict[str, float] | None:
    """Pod → seconds for a job of that graph (API format); None if none of all measured pods has run such a one."""
    own = {node: times for (shape, node), times in measured.items() if shape == signature}
    if not own:
        return None
    return {pod: _seconds(graph, own, measured, pod) for pod in pods}


def seconds(graph: Mapping[str, Any], signature: str, measured: Measured, pods: Iterable[str]) -> dict[str, float]:
    """The same, with a guess in place of None: right relative to each other."""
    wanted = tuple(pods)
    known = known_seconds(graph, signature, measured, wanted)
    if known is not None:
        return known
    reference = next(iter(sorted({pod for times in measured.values() for pod in times})), "")
    return {pod: UNKNOWN_SECONDS * ratio(measured, pod, reference) for pod in wanted}


def ratio(measured: Measured, pod: str, other: str) -> float:
    """How many times as long as `other` takes `pod`, over all that both have run; 1 if there is nothing."""
    if pod == other:
        return 1.0
    ours = theirs = 0.0
    for times in measured.values():
        if pod in times and other in times:
            one, two = times[pod], times[other]
            scale = one.steps / two.steps if one.steps and two.steps else 1.0
            ours, theirs = ours + one.seconds, theirs + two.seconds * scale
    return ours / theirs if ours > _LEAST and theirs > _LEAST else 1.0


def _seconds(graph: Mapping[str, Any], own: Mapping[str, Mapping[str, Timing]], measured: Measured, pod: str) -> float:
    """The job as a whole if that was measured anywhere, else the sum of its nodes."""
    whole = own.get(WHOLE)
    if whole:
        return _of(whole, 0.0, measured, pod)
    return sum(_of(times, steps_of(graph, node), measured, pod) for node, times in own.items() if node in graph)


def _of(times: Mapping[str, Timing], steps: float, measured: Measured, pod: str) -> float:
    if pod in times:
        return _scaled(times[pod], steps)
    return sum(_scaled(time, steps) * ratio(measured, pod, other) for other, time in times.items()) / len(times)


def _scaled(time: Timing, steps: float) -> float:
    return max(time.seconds * (steps / time.steps if steps and time.steps else 1.0), _LEAST)
