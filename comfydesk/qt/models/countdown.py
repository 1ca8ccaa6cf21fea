"""Seconds that are told once, and go by: until a pod that was lost is tried again."""

import math
from collections.abc import Callable
from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from comfydesk.session.pods.terms import LinkStatus
    from comfydesk.session.values import PodState


class Countdown:
    """`now`: a clock that never goes back."""

    def __init__(self, now: Callable[[], float] = monotonic) -> None:
        self._now = now
        self._told: dict[str, tuple[LinkStatus, float]] = {}
        """Pod \N{RIGHTWARDS ARROW} its status as it was told, and when that was first seen."""

    def of(self, pod: "PodState") -> "PodState":
        """The pod with the whole seconds that are left until its next try; none once that is due."""
        status = pod.status
        known = self._told.get(pod.id)
        if known is None or known[0] != status:
            known = self._told[pod.id] = status, self._now()
        if status.retry_in is None:
            return pod
        left = math.ceil(status.retry_in - (self._now() - known[1]))
        return replace(pod, status=replace(status, retry_in=float(left) if left > 0 else None))
