"""Python's cyclic collector, run on the GUI thread only.

Cyclic garbage that a worker thread happens to collect destroys QObjects off their thread, and the process with them.
"""

import gc
from time import perf_counter

from PySide6.QtCore import QObject, QTimer

INTERVAL_MS = 200
PATIENCE_S = 10.0
"""A full collection takes tens of milliseconds: it waits until the user has been away from the mouse for a while."""


class Collector(QObject):
    """Switches automatic collection off for as long as it lives, and collects by a timer."""

    def __init__(self, parent: QObject | None = None, *, pause_ms: int = INTERVAL_MS) -> None:
        """`pause_ms`: before the first look. While a program starts all is new and next to nothing is garbage."""
        super().__init__(parent)
        gc.disable()
        self._last_full = perf_counter()
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._collect)
        self._timer.start(pause_ms)

    def settle(self) -> None:
        """The start is over: what it made stays, and need not be looked at again and again."""
        gc.freeze()

    def stop(self) -> None:
        """Leave the collector as it was found."""
        self._timer.stop()
        gc.unfreeze()
        gc.enable()

    def _collect(self) -> None:
        if self._timer.interval() != INTERVAL_MS:  # setting it begins it anew
            self._timer.setInterval(INTERVAL_MS)
        counts, limits = gc.get_count(), gc.get_threshold()
        if counts[2] > limits[2] and perf_counter() - self._last_full > PATIENCE_S:
            gc.collect(2)
            self._last_full = perf_counter()
        elif counts[1] > limits[1]:
            gc.collect(1)
        elif counts[0] > limits[0]:
            gc.collect(0)
