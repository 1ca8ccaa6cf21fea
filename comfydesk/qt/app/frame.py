"""The first frame: the event loop runs until the window has painted once, before anything heavy is imported."""

from PySide6.QtCore import QEvent, QEventLoop, QObject, QTimer
from PySide6.QtWidgets import QWidget

PATIENCE_MS = 3000
"""A window that is started minimised, or on a screen that is off, never paints."""


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
