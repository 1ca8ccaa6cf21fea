"""What lay where, kept while one works, so that a killed window comes back as it was: panels, selections, scrolling.

Drafts of forms are kept by themselves (`draft_keeper`). Every two seconds what can be asked is asked; what is new is
written, on a worker, in one step.
"""

import json
import logging
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import Any

from PySide6.QtCore import QAbstractItemModel, QObject, QTimer
from PySide6.QtWidgets import QAbstractItemView, QAbstractScrollArea

from comfydesk.disk import write_whole
from comfydesk.errors import StoreError
from comfydesk.qt.window.layout import Layout

log = logging.getLogger(__name__)
FILE_NAME = "window.json"
EVERY_MS = 2000
RETRY_MS = 150
PATIENCE_MS = 8000
"""Lists fill while the session starts; after this long what is not there yet stays where it is."""
MOST_BYTES = 1_000_000
Read = Callable[[], Any]
"""What is so now, as JSON takes it; None for nothing to keep."""
Put = Callable[[Any], bool]
"""Make it so again; False while that cannot be done yet."""


class Memory(QObject):
    """`add` what is to be remembered; `begin` once everything is added."""

    def __init__(self, places: Layout, file: Path, parent: QObject) -> None:
        super().__init__(parent)
        self._places, self._file = places, file
        self._parts: dict[str, tuple[Read, Put]] = {}
        self._saved = read_file(file)
        self._pending = dict(self._saved)
        self._layout = b""
        self._writer: Thread | None = None
        self._waited = 0
        self._clock = QTimer(self, interval=EVERY_MS)
        self._clock.timeout.connect(self.keep)
        self._retry = QTimer(self, interval=RETRY_MS)
        self._retry.timeout.connect(self._put_back)

    def add(self, name: str, read: Read, put: Put) -> None:
        """Remember what `read` gives; `put` makes it so at the next start, tried until it is True."""
        self._parts[name] = (read, put)

    def add_view(self, name: str, view: QAbstractScrollArea, key: Callable[[int], Any] | None = None) -> None:
        """Remember how far `view` is scrolled and, where `key` tells rows apart, which one is current."""
        self.add(name, lambda: _seen(view, key), lambda value: _see(view, value, key))

    def begin(self) -> None:
        """Put back what was kept, and keep what changes from now on."""
        self._retry.start()
        self._clock.start()

    def keep(self) -> None:
        """Write down what is new."""
        layout = bytes(self._places.state().data())
        if layout != self._layout:
            self._layout = layout
            self._places.save()
        now = {name: value for name, (read, _) in self._parts.items() if (value := read()) is not None}
        now |= self._pending
        if now == self._saved or (self._writer is not None and self._writer.is_alive()):
            return
        self._saved = now
        self._writer = Thread(target=write_file, args=(self._file, now), name="memory")
        self._writer.start()

    def close(self) -> None:
        """Write down the last of it: the window closes."""
        self._retry.stop()
        self._clock.stop()
        self.keep()
        if self._writer is not None:
            self._writer.join()

    def _put_back(self) -> None:
        for name in [name for name in self._pending if name in self._parts]:
            if self._parts[name][1](self._pending[name]):
                del self._pending[name]
        self._waited += RETRY_MS
        if not self._pending or self._waited > PATIENCE_MS:
            self._pending = {}
            self._retry.stop()


def read_file(file: Path) -> dict[str, Any]:
    """What was kept; nothing when there is nothing that can be read."""
    try:
        if file.stat().st_size > MOST_BYTES:
            return {}
        found = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def write_file(file: Path, what: dict[str, Any]) -> None:
    """Replace the file in one step. What cannot be written is logged: nobody's work depends on it."""
    try:
        write_whole(file, json.dumps(what).encode())
    except StoreError as error:
        log.warning("where things stood cannot be kept: %s", error.why)


def _seen(view: QAbstractScrollArea, key: Callable[[int], Any] | None) -> Any:
    found: dict[str, Any] = {"x": view.horizontalScrollBar().value(), "y": view.verticalScrollBar().value()}
    if key is not None and isinstance(view, QAbstractItemView) and view.currentIndex().isValid():
        found["current"] = key(view.currentIndex().row())
    return found


def _see(view: QAbstractScrollArea, value: Any, key: Callable[[int], Any] | None) -> bool:
    """False while the view is not long enough yet, or does not have the row."""
    if not isinstance(value, dict):
        return True
    x, y, current = value.get("x", 0), value.get("y", 0), value.get("current")
    if not isinstance(x, int) or not isinstance(y, int):
        return True
    if x > view.horizontalScrollBar().maximum() or y > view.verticalScrollBar().maximum():
        return False
    if current is not None and key is not None and isinstance(view, QAbstractItemView):
        row = _row_of(view.model(), key, current)
        if row < 0:
            return False
        view.setCurrentIndex(view.model().index(row, 0))
    view.horizontalScrollBar().setValue(x)
    view.verticalScrollBar().setValue(y)
    return True


def _row_of(model: QAbstractItemModel, key: Callable[[int], Any], wanted: Any) -> int:
    return next((row for row in range(model.rowCount()) if key(row) == wanted), -1)
