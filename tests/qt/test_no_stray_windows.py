"""A widget that is shown before it has a parent is a window of its own: it flashes up and takes the keyboard."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from comfydesk.qt.theme import Theme
from tests.qt.studio import Loop, Studio

FORMS = ("Text to image", "Image to image", "Text to video", "Text to audio")


class Shown(QObject):
    """Top-level widgets that were shown, by class."""

    def __init__(self) -> None:
        super().__init__()
        self.windows: list[str] = []

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Show and isinstance(watched, QWidget) and watched.isWindow():
            self.windows.append(type(watched).__name__)
        return False


@pytest.fixture
def shown(qapp: QApplication) -> Iterator[Shown]:
    made = Shown()
    qapp.installEventFilter(made)
    yield made
    qapp.removeEventFilter(made)


def test_opening_forms_and_workspaces_shows_no_other_window(
    qtbot: QtBot, gui_loop: Loop, theme: Theme, tmp_path: Path, shown: Shown
) -> None:
    studio = Studio(qtbot, gui_loop, theme, tmp_path).open().ready()
    for name in FORMS:
        studio.pick(name)
    for name in ("library", "compare", "create"):
        studio.desk.workspaces.show(name)
    studio.desk.options.open()
    studio.desk.pages.close()
    assert shown.windows == ["MainWindow"]
    studio.close()
    studio.stop_pod()
