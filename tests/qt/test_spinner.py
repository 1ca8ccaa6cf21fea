"""The ring that says that something is going on: it turns while it is seen, and costs nothing while it is not."""

from PySide6.QtCore import QTimer
from pytestqt.qtbot import QtBot

from comfydesk.qt.theme import Appearance, Theme
from comfydesk.qt.widgets.spinner import Spinner


def _timer(spinner: Spinner) -> QTimer:
    (timer,) = spinner.findChildren(QTimer)
    return timer


def test_it_turns_while_it_is_seen(qtbot: QtBot) -> None:
    spinner = Spinner(Theme(Appearance(reduced_motion=False)), "Looking")
    qtbot.addWidget(spinner)
    assert not _timer(spinner).isActive()
    spinner.show()
    qtbot.waitUntil(lambda: spinner._driver._angle > 0)
    before = spinner._driver._angle
    qtbot.waitUntil(lambda: spinner._driver._angle != before)


def test_it_stands_still_while_it_is_hidden_and_goes_on_after(qtbot: QtBot) -> None:
    spinner = Spinner(Theme(Appearance(reduced_motion=False)), "Looking")
    qtbot.addWidget(spinner)
    spinner.show()
    qtbot.waitUntil(_timer(spinner).isActive)
    spinner.hide()
    qtbot.waitUntil(lambda: not _timer(spinner).isActive())
    spinner.show()
    qtbot.waitUntil(_timer(spinner).isActive)


def test_it_never_turns_where_motion_is_reduced(qtbot: QtBot) -> None:
    spinner = Spinner(Theme(Appearance(reduced_motion=True)), "Looking")
    qtbot.addWidget(spinner)
    with qtbot.waitExposed(spinner):
        spinner.show()
    spinner.grab()
    assert not _timer(spinner).isActive()
