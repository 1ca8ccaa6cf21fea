"""What a newcomer tried and found dead: keys, tabs and words, each as it was pressed."""

import hashlib
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from comfydesk.paths import Paths
from comfydesk.qt.app.faults import Faults
from comfydesk.qt.app.life import Life
from comfydesk.qt.dialogs.batch import BatchPage
from comfydesk.qt.models.keys import key_words
from comfydesk.qt.theme import Theme
from comfydesk.qt.widgets.shadow import REACH
from comfydesk.qt.window.desk import furnish
from comfydesk.qt.window.shell import MainWindow
from comfydesk.settings import Settings
from comfydesk.store import outputs
from comfydesk.store.outputs import Identity
from comfydesk.store.records import Output
from comfydesk.workflow.fields import Role
from tests.qt.studio import Loop, Studio

Key = Qt.Key
CONTROL, ALT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.AltModifier
NONE = Qt.KeyboardModifier.NoModifier
WAIT = 10_000


# --- The intent bar ---------------------------------------------------------------------------------------------------


@pytest.fixture
def studio(qtbot: QtBot, gui_loop: Loop, theme: Theme, tmp_path: Path) -> Iterator[Studio]:
    made = Studio(qtbot, gui_loop, theme, tmp_path, speed=40.0).open().quick()
    yield made
    made.close()
    made.stop_pod()


def test_ctrl_enter_in_the_intent_bar_makes_what_is_said_there_once(studio: Studio) -> None:
    studio.desk.actions["intent"].trigger()
    studio.type("a picture of a red bicycle")
    studio.generate()
    studio.generate()  # impatience costs nothing: the form is still the old one
    studio.until(lambda: studio.states())
    (row,) = studio.desk.jobs.rows()
    field = studio.desk.generation.form.form().with_role(Role.PROMPT)[0]
    assert row.job.values[field.id] == "a red bicycle"


def test_ctrl_enter_with_words_that_fit_nothing_says_so_and_makes_nothing(studio: Studio) -> None:
    studio.desk.actions["intent"].trigger()
    studio.type("qwrtzp xkcdvb")
    studio.generate()
    assert any("No workflow fits" in toast.accessibleName() for toast in studio.desk.toasts.toasts())
    assert studio.states() == []
    assert studio.desk.intent.field.text() == "qwrtzp xkcdvb"


# --- The library ------------------------------------------------------------------------------------------------------


@pytest.fixture
def shelf(qtbot: QtBot, gui_loop: Loop, theme: Theme, tmp_path: Path) -> Iterator[Studio]:
    """A library of three pictures, shown."""
    made = Studio(qtbot, gui_loop, theme, tmp_path).open(pod=False)
    for number in range(3):
        path = made.paths.outputs / f"made_{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (120, 80), (number * 20, 90, 90)).save(path)
        output = Output(0, str(path), "image", path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest(),
                        time.time() + number, width=120, height=80, prompt="a hill")  # fmt: skip
        identity = Identity("demo", "output", "", path.name, "")
        _, changes = gui_loop(made.session._library.call(outputs.add, output, identity))
        for change in changes:
            made.session.changes.publish(change)
    made.desk.workspaces.show("library")
    made.until(lambda: made.wiring.library.model.rowCount() == 3)
    yield made
    made.close()


def test_the_compare_tab_shows_what_is_selected(shelf: Studio) -> None:
    view = shelf.wiring.library.page.view
    view.pick(0, 1, view.selectionModel().SelectionFlag.ClearAndSelect, current=1)
    shelf.keys(Key.Key_3, CONTROL)
    compare = shelf.wiring.compare
    shelf.until(lambda: len(compare.outputs) == 2)
    compare.swap()
    swapped = compare.outputs
    shelf.keys(Key.Key_2, CONTROL)
    shelf.keys(Key.Key_3, CONTROL)
    shelf.until(lambda: shelf.desk.workspaces.current == "compare")
    assert compare.outputs == swapped, "the same selection leaves it as it is"


def test_pictures_are_put_together_in_the_strip_of_compare(shelf: Studio) -> None:
    shelf.wiring.library.page.view.clearSelection()
    shelf.keys(Key.Key_3, CONTROL)
    compare, page, strip = shelf.wiring.compare, shelf.wiring.compare.page, shelf.wiring.compare.strip
    tools = (page.modes, page.link, page.minus, page.plus, page.fit, page.whole, page.swap)
    ids = shelf.wiring.library.model.listing.ids

    def click(row: int) -> list[int]:
        QTest.mouseClick(strip, Qt.MouseButton.LeftButton, pos=strip.rect_of(row).center())
        return [output.id for output in compare.outputs]

    def works() -> bool:
        assert len({tool.isEnabled() for tool in tools}) == 1
        assert page.zoom.text().endswith("%") == page.swap.isEnabled()
        assert page.zoom.text()
        return page.swap.isEnabled()

    shelf.until(lambda: shelf.wiring.library.model.output(2) is not None)
    assert page.stack.currentWidget() is page.empty
    assert not works()
    assert click(2) == [ids[2]]
    assert page.empty.accessibleName() == "One more to compare. Click another picture below."
    assert not works()
    assert click(0) == [ids[2], ids[0]]
    assert page.stack.currentWidget() is page.view
    assert works()
    assert strip._marks == {ids[2]: "A", ids[0]: "B"}
    shelf.until(lambda: compare.dock.title._note.text() == f"{len(compare.rows)}")
    assert click(1) == [ids[2], ids[0], ids[1]]
    assert click(2) == [ids[0], ids[1]], "one that is shown is taken out"
    assert click(0) == [ids[1]]
    assert not works()
    assert page.stack.currentWidget() is page.empty


def test_a_double_click_in_the_strip_chooses_once(shelf: Studio) -> None:
    shelf.keys(Key.Key_3, CONTROL)
    compare, strip = shelf.wiring.compare, shelf.wiring.compare.strip
    spot = strip.rect_of(1).center()
    shelf.until(lambda: shelf.wiring.library.model.output(1) is not None)
    left, at = Qt.MouseButton.LeftButton, QPointF(spot)
    QTest.mouseClick(strip, left, pos=spot)
    again = QMouseEvent(QEvent.Type.MouseButtonDblClick, at, strip.mapToGlobal(at), left, left, NONE)
    QApplication.sendEvent(strip, again)
    QTest.mouseRelease(strip, left, pos=spot)
    assert [output.id for output in compare.outputs] == [shelf.wiring.library.model.listing.ids[1]]


def test_no_message_lies_over_generate(shelf: Studio) -> None:
    desk = shelf.desk
    desk.workspaces.show("create")
    for number in range(3):
        desk.toasts.tell(f"Message {number}", "words " * 20, tone="warning")

    def uncovered() -> bool:
        button = desk.generation.footer.generate
        there = QRect(button.mapTo(shelf.window, QPoint()), button.size())
        inside = all(shelf.window.rect().contains(toast.geometry().center()) for toast in desk.toasts.toasts())
        return inside and not any(toast.geometry().intersects(there) for toast in desk.toasts.toasts())

    assert uncovered()
    low = desk.toasts.toasts()[-1].geometry()
    desk.workspaces.show("library")
    shelf.until(lambda: desk.toasts.toasts()[-1].geometry().bottom() > low.bottom())
    desk.workspaces.show("create")
    shelf.until(uncovered)
    shelf.window.resize(1280, 720)
    shelf.until(uncovered)
    shelf.theme.apply(replace(shelf.theme.appearance, scale=2.0))
    for number in range(3):
        desk.toasts.tell(f"Message {number}", "words " * 20, tone="warning")
    shelf.until(uncovered)
    assert all(toast.geometry().top() >= -shelf.theme.px(REACH) for toast in desk.toasts.toasts()), "each can be closed"
    for toast in desk.toasts.toasts():
        toast.close_now()


def test_ctrl_z_brings_back_what_was_deleted_last(shelf: Studio) -> None:
    library = shelf.wiring.library
    library.page.view.setFocus()
    library.page.view.go_to(0)
    shelf.keys(Key.Key_Delete)
    shelf.until(lambda: library.model.rowCount() == 2)
    shelf.until(lambda: library._deletions)
    shelf.keys(Key.Key_Z, CONTROL)
    shelf.until(lambda: library.model.rowCount() == 3)
    assert not library._deletions


def test_export_is_a_command_and_says_what_it_lacks(shelf: Studio) -> None:
    action, view = shelf.desk.actions["export"], shelf.wiring.library.page.view
    view.clearSelection()
    assert not action.isEnabled()
    assert action.toolTip() == "Select something in the library first"
    shelf.desk.palette.open()
    assert any(entry.line.words.startswith("Export the selection") for entry in shelf.desk.palette.find("export"))
    view.go_to(0)
    assert action.isEnabled()
    action.trigger()
    assert shelf.wiring.export.page is not None
    assert shelf.wiring.export.page.isVisible()


def test_words_that_came_from_elsewhere_can_be_cleared_in_the_search_field(shelf: Studio) -> None:
    library = shelf.wiring.library
    search = library.page.toolbar.search
    library.page.view.searched.emit("nothing at all")
    shelf.until(lambda: library.model.rowCount() == 0)
    assert search._clear.isVisible()
    shelf.click(search._clear)
    shelf.until(lambda: library.model.rowCount() == 3)
    assert not search._clear.isVisible()


# --- Sheets and keys --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", [Key.Key_Return, Key.Key_Enter])
def test_a_batch_is_queued_with_alt_enter_also_after_its_button_was_renamed(
    theme: Theme, qtbot: QtBot, key: Qt.Key
) -> None:
    page = BatchPage(theme)
    qtbot.addWidget(page)
    page.queue.setText("Queue 4 jobs")
    page.show()
    page.activateWindow()
    qtbot.waitUntil(page.isActiveWindow)
    page.repeats.edit.setFocus()
    with qtbot.waitSignal(page.queue.clicked, timeout=WAIT):
        QTest.keyClick(page.repeats.edit, key, ALT)


def test_the_enter_key_is_called_by_what_stands_on_it() -> None:
    assert key_words("Ctrl+Return") == key_words("Ctrl+Enter") == "Ctrl+Enter"


# --- A start that fails -----------------------------------------------------------------------------------------------


async def test_a_start_that_fails_is_told_in_the_window(qtbot: QtBot, theme: Theme, tmp_path: Path) -> None:
    paths = Paths.under(tmp_path)
    paths.data.mkdir(parents=True, exist_ok=True)
    desk = furnish(MainWindow(theme, paths))
    faults = Faults()
    life = Life(desk, faults, paths, Settings())
    bugs: list[str] = []
    faults.bug.connect(bugs.append)

    async def fails() -> None:
        raise RuntimeError("no such table: outputs")

    life.start_session = fails  # type: ignore[method-assign]  # a fault of ours, which no file of the user's brings about
    await life._begin()
    assert "no such table: outputs" in desk.preview.banner.text().lower()
    assert not desk.preview.banner.isHidden()
    assert len(bugs) == 1, "and the report is offered"
    assert "Looking" not in desk.browser.empty.accessibleName()
    await life._shut_down()
    desk.release()
    desk.window.deleteLater()
    QApplication.processEvents()
