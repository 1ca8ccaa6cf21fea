"""Parts of the window that are shown as windows of their own.

A widget that is shown before it has a parent is a window for a moment. It flashes up, and with it the main window is no
longer the active one: its shortcuts are dead until the next click.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QApplication, QWidget

from comfydesk.qt.window.shell import MainWindow

PARTS = (Qt.WindowType.Widget, Qt.WindowType.Window)
"""Kinds of window of what was meant to be a part of another; dialogs, popups and tips have kinds of their own."""


class _Watch(QObject):
    """Notes every widget that is shown as a window of its own without being meant as one."""

    def __init__(self) -> None:
        super().__init__()
        self.strays: list[str] = []

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is not QEvent.Type.Show or not isinstance(watched, QWidget):
            return False
        if watched.isWindow() and watched.windowType() in PARTS and not isinstance(watched, MainWindow):
            self.strays.append(f"{type(watched).__name__} {watched.accessibleName()!r}")
        return False


@contextmanager
def no_strays() -> Iterator[None]:
    """Nothing in here may show one."""
    application, watch = QApplication.instance(), _Watch()
    assert application is not None
    application.installEventFilter(watch)
    try:
        yield
    finally:
        application.removeEventFilter(watch)
    assert watch.strays == []
