"""Deliveries to the GUI in batches: latest wins per key, and no tick takes longer than its budget."""

from collections.abc import Callable, Hashable
from time import perf_counter
from typing import TypeVar

from PySide6.QtCore import QObject, Qt, QTimer

T = TypeVar("T")

TICK_MS = 16
"""One frame at 60 Hz: nothing is visible sooner."""

BUDGET_MS = 8.0
"""Of a tick. One signal per message froze the window for 170 to 285 ms; the rest of a frame belongs to painting."""


class Batch(QObject):
    """Collects deliveries and makes them a tick later, in order of arrival, `budget_ms` at a time.

    A second delivery under the same key replaces the first in its place: only the latest value is of use to a view.
    """

    def __init__(self, parent: QObject | None = None, *, budget_ms: float = BUDGET_MS) -> None:
        super().__init__(parent)
        self._budget = budget_ms / 1000
        self._pending: dict[Hashable, Callable[[], None]] = {}
        self._timer = QTimer(self, interval=TICK_MS, singleShot=True, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)

    def put(self, key: Hashable, deliver: Callable[[], None]) -> None:
        """Call `deliver` on one of the next ticks, unless another call under `key` comes first."""
        self._pending[key] = deliver
        if not self._timer.isActive():
            self._timer.start()

    def stop(self) -> None:
        """Deliver nothing any more."""
        self._timer.stop()
        self._pending.clear()

    def _tick(self) -> None:
        end = perf_counter() + self._budget
        try:
            while self._pending:
                key = next(iter(self._pending))
                self._pending.pop(key)()
                if perf_counter() >= end:
                    break
        finally:
            if self._pending:
                self._timer.start()
