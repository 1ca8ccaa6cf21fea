"""Steps per second, from the snapshots that a running job sends; bytes per second of what is fetched."""

from collections import deque
from dataclasses import dataclass, field

from comfydesk.events import JobProgress

WINDOW_S = 10.0
"""Over which speed is averaged: steady enough to read, fresh enough to follow a change."""


@dataclass(slots=True)
class StepRate:
    """How fast the node that runs now makes its steps. Another job or node starts anew."""

    _key: tuple[str, str | None] | None = None
    _seen: "deque[tuple[float, float]]" = field(default_factory=deque)

    def take(self, progress: JobProgress, now: float) -> float | None:
        """The rate in steps a second at `now` (seconds, monotonic); None until two steps were seen."""
        key = (progress.prompt_id, progress.node)
        if key != self._key or (self._seen and progress.value < self._seen[-1][1]):
            self._key = key
            self._seen.clear()
        if not self._seen or progress.value > self._seen[-1][1]:
            self._seen.append((now, progress.value))
        while len(self._seen) > 2 and now - self._seen[0][0] > WINDOW_S:
            self._seen.popleft()
        if len(self._seen) < 2:
            return None
        (start, first), (end, last) = self._seen[0], self._seen[-1]
        return (last - first) / (end - start) if end > start else None


@dataclass(slots=True)
class ByteRate:
    """How fast a file grows."""

    _seen: "deque[tuple[float, int]]" = field(default_factory=deque)

    def take(self, there: int, now: float) -> float | None:
        """Bytes a second at `now` (seconds, monotonic), from what is there; None until it has grown."""
        if self._seen and there < self._seen[-1][1]:
            self._seen.clear()
        self._seen.append((now, there))
        while len(self._seen) > 2 and now - self._seen[0][0] > WINDOW_S:
            self._seen.popleft()
        (start, first), (end, last) = self._seen[0], self._seen[-1]
        return (last - first) / (end - start) if end > start and last > first else None
