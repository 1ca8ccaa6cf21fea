"""Where every failure that nobody expected ends: the world's as a banner, ours in the log and the report dialog."""

import logging
import sys
import threading
import traceback
from types import TracebackType
from typing import Any

from PySide6.QtCore import QObject, Qt, QtMsgType, Signal, qInstallMessageHandler

from comfydesk.errors import KnownError

log = logging.getLogger(__name__)

OFFSCREEN = "This plugin does not support"
"""What the offscreen platform says whenever a window has a smallest size, or a menu opens."""

_LEVELS = {
    QtMsgType.QtDebugMsg: logging.DEBUG,
    QtMsgType.QtInfoMsg: logging.INFO,
    QtMsgType.QtWarningMsg: logging.WARNING,
    QtMsgType.QtCriticalMsg: logging.ERROR,
    QtMsgType.QtFatalMsg: logging.CRITICAL,
}


class Faults(QObject):
    """Receives what escapes: exceptions of slots, threads and tasks, and Qt's own messages. Never raises."""

    known = Signal(object)
    """A KnownError that no panel took."""
    bug = Signal(str)
    """The traceback of a fault of ours. Each different one is told once; the log has them all."""
    _from_thread = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._told: set[str] = set()
        self._hooks = (sys.excepthook, threading.excepthook)
        self._from_thread.connect(self.take, Qt.ConnectionType.QueuedConnection)

    def install(self) -> None:
        """Take over the interpreter's and Qt's hooks."""
        sys.excepthook = self._on_exception
        threading.excepthook = self._on_thread
        qInstallMessageHandler(self._on_qt)

    def remove(self) -> None:
        """Give the hooks back."""
        sys.excepthook, threading.excepthook = self._hooks
        qInstallMessageHandler(None)

    def take(self, error: BaseException) -> None:
        """Sort out one failure. Call it on the GUI thread."""
        if isinstance(error, KnownError):
            log.warning("%s", error)
            self.known.emit(error)
            return
        if isinstance(error, (KeyboardInterrupt, SystemExit)):
            return
        text = "".join(traceback.format_exception(error))
        log.error("unexpected failure\n%s", text)
        where = "".join(traceback.format_tb(error.__traceback__)[-1:]) + type(error).__name__
        if where not in self._told:
            self._told.add(where)
            self.bug.emit(text)

    def on_loop(self, _: Any, context: dict[str, Any]) -> None:
        """The asyncio loop's exception handler."""
        error = context.get("exception")
        if isinstance(error, BaseException):
            self.take(error)
        else:
            log.error("asyncio: %s", context.get("message"))

    def _on_exception(self, _: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        self.take(error.with_traceback(trace))

    def _on_thread(self, args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None:
            self._from_thread.emit(args.exc_value)

    def _on_qt(self, level: QtMsgType, _: Any, message: str) -> None:
        if message.startswith(OFFSCREEN):
            return
        log.log(_LEVELS.get(level, logging.WARNING), "Qt: %s", message)
