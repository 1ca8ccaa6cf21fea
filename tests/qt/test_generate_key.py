"""Ctrl+Enter generates wherever the keyboard is, and nothing takes it away."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from comfydesk.qt.theme import Theme
from tests.qt.strays import no_strays
from tests.qt.studio import Loop, Studio


@pytest.fixture
def studio(qtbot: QtBot, gui_loop: Loop, theme: Theme, tmp_path: Path) -> Iterator[Studio]:
    made = Studio(qtbot, gui_loop, theme, tmp_path, speed=40.0).open().quick()
    yield made
    made.close()
    made.stop_pod()


def test_ctrl_enter_generates_wherever_the_keyboard_is(studio: Studio) -> None:
    pressed: list[bool] = []
    studio.desk.actions["generate"].triggered.connect(lambda: pressed.append(True))
    with no_strays():
        for row in studio.desk.workflows.rows():
            studio.pick(row.entry.name)
            assert studio.window.isActiveWindow(), row.entry.name
    studio.pick("Text to image")
    desk = studio.desk
    places = (desk.browser.list, desk.intent.field.edit, desk.queue.list, desk.generation.footer.count, None)
    for number, place in enumerate(places, 1):
        if place is None:
            studio.window.focusWidget().clearFocus()
            assert QApplication.focusWidget() is None
        else:
            place.setFocus()
        studio.generate()
        assert len(pressed) == number, place
    studio.until(lambda: len(studio.states()) == len(places))
