"""The first frame, and what comes right behind it: heavy imports, on a thread, while the window answers."""

import importlib
import threading
from collections.abc import Iterable

from PySide6.QtCore import QEvent, QEventLoop, QObject, QTimer
from PySide6.QtWidgets import QWidget

PATIENCE_MS = 3000
"""A window that is started minimised, or on a screen that is off, never paints."""


POLL_MS = 4


class FirstPaint(QObject):
    """Runs a local event loop until `window` painted."""

    def __init__(self, window: QWidget) -> None:
        super().__init__()
        self._loop = QEventLoop(self)
        self._timer = QTimer(self, interval=PATIENCE_MS, singleShot=True)
        self._timer.timeout.connect(self._loop.quit)
        window.installEventFilter(self)

    def wait(self) -> None:
        self._timer.start()
        self._loop.exec()
        self._timer.stop()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint:
            watched.removeEventFilter(self)
            # After this event: the paint is done by then.
            QTimer.singleShot(0, self._loop.quit)
        return False


def show_and_paint(window: QWidget) -> None:
    """Show `window` and return once its first frame is on the screen."""
    first = FirstPaint(window)
    window.show()
    first.wait()


def import_behind(modules: Iterable[str]) -> None:
    """Import `modules` on another thread; back when all are there. The event loop runs meanwhile.

    An import that fails raises here.
    """
    failure: list[BaseException] = []

    def work() -> None:
        try:
            for module in modules:
                importlib.import_module(module)
        except BaseException as error:
            failure.append(error)

    thread = threading.Thread(target=work, name="imports")
    loop = QEventLoop()
    poll = QTimer(interval=POLL_MS)
    poll.timeout.connect(lambda: None if thread.is_alive() else loop.quit())
    thread.start()
    poll.start()
    loop.exec()
    thread.join()
    if failure:
        raise failure[0]
