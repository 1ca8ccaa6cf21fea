"""Three workspaces over one window: each keeps its own panels, and gets them back."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from comfydesk.paths import Paths
from comfydesk.qt.docks.dock import Dock
from comfydesk.qt.theme import Theme
from comfydesk.qt.window.desk import Desk, furnish
from comfydesk.qt.window.shell import MainWindow

LEFT = Qt.DockWidgetArea.LeftDockWidgetArea


def open_desk(theme: Theme, folder: Path) -> Desk:
    window = MainWindow(theme, Paths.under(folder))
    window.resize(1200, 800)
    window.show()
    return furnish(window)


def close(desk: Desk) -> None:
    desk.window.close()
    desk.release()
    desk.window.deleteLater()


@pytest.fixture
def desk(qtbot: QtBot, theme: Theme, tmp_path: Path) -> Iterator[Desk]:
    made = open_desk(theme, tmp_path)
    yield made
    close(made)


def test_each_workspace_has_its_own_middle_and_its_own_panels(desk: Desk) -> None:
    window, library = desk.window, QWidget()
    desk.workspaces.hold("library", library)
    facets = Dock(desk.theme, "facets", "Facets")
    desk.workspaces.add_dock("library", facets, LEFT)
    assert facets.isHidden()
    desk.workspaces.show("library")
    assert (library.isVisible(), desk.preview.isVisible(), facets.isVisible()) == (True, False, True)
    assert window.generation_dock.isHidden()
    assert not window.top.intent_hidden or desk.intent.isHidden()
    window.queue_dock.show()
    desk.workspaces.show("create")
    assert (library.isVisible(), desk.preview.isVisible(), facets.isHidden()) == (False, True, True)
    assert window.generation_dock.isVisible()
    desk.actions["bottom_panel"].trigger()
    assert window.queue_dock.isHidden()
    desk.workspaces.show("library")
    assert window.queue_dock.isVisible(), "what was opened there is open there"


def test_keys_switch_and_the_switch_follows(desk: Desk, qtbot: QtBot) -> None:
    told: list[str] = []
    desk.workspaces.changed.connect(told.append)
    for name in ("library", "compare", "create"):
        desk.actions[name].trigger()
        assert desk.workspaces.current == name
        assert [each for each in ("create", "library", "compare") if desk.actions[each].isChecked()] == [name]
    assert told == ["library", "compare", "create"]
    assert desk.workspaces.switch.current() == 0
    assert [desk.actions[name].shortcut().toString() for name in ("create", "library", "compare")] == [
        "Ctrl+1",
        "Ctrl+2",
        "Ctrl+3",
    ]


def test_a_middle_is_made_when_it_is_first_looked_at(desk: Desk) -> None:
    made: list[QWidget] = []

    def make() -> QWidget:
        made.append(QLineEdit())
        return made[-1]

    desk.workspaces.hold("compare", make)
    assert not made
    for name in ("compare", "create", "compare"):
        desk.workspaces.show(name)
    assert len(made) == 1
    assert made[0].isVisible()


def test_the_keyboard_is_where_it_was_when_one_comes_back(desk: Desk, qtbot: QtBot) -> None:
    desk.window.activateWindow()
    desk.browser.focus_search()
    desk.workspaces.show("library")
    assert not desk.browser.search.edit.hasFocus()
    desk.workspaces.show("create")
    QGuiApplication.processEvents()
    assert desk.window.focusWidget() is desk.browser.search.edit


def test_all_of_it_is_there_again_at_the_next_start(qtbot: QtBot, theme: Theme, tmp_path: Path) -> None:
    first = open_desk(theme, tmp_path)
    first.window.browser_dock.hide()
    first.workspaces.show("library")
    first.window.queue_dock.show()
    close(first)
    second = open_desk(theme, tmp_path)
    assert second.workspaces.current == "library"
    assert second.window.queue_dock.isVisible()
    second.workspaces.show("create")
    assert second.window.browser_dock.isHidden()
    assert second.window.generation_dock.isVisible()
    close(second)


def test_layouts_by_name_are_saved_applied_and_forgotten(desk: Desk) -> None:
    places, window = desk.window.places, desk.window
    desk.actions["layout_focus"].trigger()
    assert [dock.isHidden() for dock in places.docks()] == [True, False, True, True]
    places.save_as("Mine")
    desk.actions["layout_wide"].trigger()
    assert window.dockWidgetArea(window.queue_dock) is Qt.DockWidgetArea.RightDockWidgetArea
    places.apply("Mine")
    assert window.queue_dock.isHidden()
    assert places.names() == ("Mine",)
    desk.workspaces.show("library")
    assert places.names() == (), "each workspace has its own"
    desk.workspaces.show("create")
    desk.actions["layout_default"].trigger()
    assert all(dock.isVisible() for dock in places.docks())
    places.forget("Mine")
    assert places.names() == ()


def test_what_does_not_fit_beside_the_menus_hides_and_comes_back(desk: Desk, qtbot: QtBot) -> None:
    top, window = desk.window.top, desk.window
    window.resize(1600, 800)
    QGuiApplication.processEvents()
    parts = [part for part, _ in top.corner._parts]
    assert all(part.isVisible() for part in parts)
    top.corner.resize(1, 40)
    assert [part for part in parts if not part.isHidden()] == [desk.workspaces.switch]
    top.corner.resize(900, 40)
    assert not any(part.isHidden() for part in parts)
