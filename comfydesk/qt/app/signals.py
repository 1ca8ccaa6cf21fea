"""Signals of the system, heard also by a window where nothing happens.

Python runs its handlers between two steps of its own: while Qt waits for events there are none, so that Ctrl+C or a
shutdown would be noticed with the next movement of the mouse. Each signal writes a byte to a socket that Qt watches.
"""

import contextlib
import signal
import socket
from collections.abc import Callable

from PySide6.QtCore import QObject, QSocketNotifier


class Signals(QObject):
    """`on_end` is called, on the window's thread, when the system or the terminal wants the program to end."""

    def __init__(self, on_end: Callable[[], object], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._on_end = on_end
        self._read, self._write = socket.socketpair()
        self._read.setblocking(False)
        self._write.setblocking(False)
        self._notifier = QSocketNotifier(self._read.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._drain)
        self._before = signal.set_wakeup_fd(self._write.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_signal)

    def close(self) -> None:
        """Listen no longer; a second Ctrl+C ends the program at once."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        signal.set_wakeup_fd(self._before)
        self._notifier.setEnabled(False)
        self._read.close()
        self._write.close()

    def _on_signal(self, *_: object) -> None:
        self._on_end()

    def _drain(self) -> None:
        """That this runs is what lets Python run its handlers."""
        with contextlib.suppress(BlockingIOError):
            while self._read.recv(64):
                pass
