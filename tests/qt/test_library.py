"""The Library workspace on a real session: found, narrowed, rated, deleted and brought back."""

import hashlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from comfydesk.qt.theme import Theme
from comfydesk.qt.window.library import LibraryDesk
from comfydesk.store import outputs
from comfydesk.store.outputs import Identity
from comfydesk.store.records import Output
from comfydesk.store.search import EVERYTHING, OutputFilter
from tests.qt.studio import Studio

Loop = Callable[[Any], Any]
WAIT = 10_000


def add(studio: Studio, gui_loop: Loop, number: int, **more: Any) -> Output:
    """An output as the saver adds it, told as it tells it."""
    path = studio.paths.outputs / f"made_{number}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (120, 80), (number * 20 % 255, 90, 90)).save(path)
    made = Output(0, str(path), "image", path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest(),
                  time.time() + number, width=120, height=80, **more)  # fmt: skip
    identity = Identity("demo", "output", "", path.name, "")
    stored, changes = gui_loop(studio.session._library.call(outputs.add, made, identity))
    for change in changes:
        studio.session.changes.publish(change)
    return stored  # type: ignore[no-any-return]  # the loop hands on what the store returns


@pytest.fixture
def studio(qtbot: QtBot, gui_loop: Loop, theme: Theme, tmp_path: Path) -> Iterator[Studio]:
    made = Studio(qtbot, gui_loop, theme, tmp_path).open(pod=False)
    for number in range(6):
        add(made, gui_loop, number, prompt=f"{'lighthouse' if number % 2 else 'forest'} {number}")
    yield made
    made.close()


@pytest.fixture
def library(studio: Studio, qtbot: QtBot) -> LibraryDesk:
    made = studio.wiring.library
    studio.desk.workspaces.show("library")
    qtbot.waitUntil(lambda: made.model.rowCount() == 6, timeout=WAIT)
    return made


def test_typing_narrows_the_grid_and_clearing_brings_everything_back(library: LibraryDesk, qtbot: QtBot) -> None:
    edit = library.page.toolbar.search.edit
    QTest.keyClicks(edit, "lighth")
    qtbot.waitUntil(lambda: library.model.rowCount() == 3, timeout=WAIT)
    assert library.page.toolbar.found.text() == "3 found"
    QTest.keyClicks(edit, "xyz")
    qtbot.waitUntil(lambda: library.page.stack.currentWidget() is library.page.empty, timeout=WAIT)
    library.page.empty.button.click()
    qtbot.waitUntil(lambda: library.model.rowCount() == 6, timeout=WAIT)
    assert edit.text() == ""


def test_what_is_made_meanwhile_appears_at_the_top(
    library: LibraryDesk, studio: Studio, gui_loop: Loop, qtbot: QtBot
) -> None:
    made = add(studio, gui_loop, 50, prompt="new")
    qtbot.waitUntil(lambda: library.model.rowCount() == 7, timeout=WAIT)
    assert library.model.listing.ids[0] == made.id


def test_a_rating_is_kept_and_can_be_searched_for(library: LibraryDesk, qtbot: QtBot) -> None:
    library.page.view.go_to(0)
    qtbot.waitUntil(lambda: library.details.output is not None, timeout=WAIT)
    library.page.view.rated.emit(library.page.view.selected_ids(), 4)
    qtbot.waitUntil(lambda: library.details.stars.stars == 4, timeout=WAIT)
    library.show(OutputFilter(rating=4))
    qtbot.waitUntil(lambda: library.model.rowCount() == 1, timeout=WAIT)
    (chip,) = library.page.toolbar._chips
    assert chip.text() == "rating 4 and up"
    chip.click()
    qtbot.waitUntil(lambda: library.model.rowCount() == 6, timeout=WAIT)
    assert library.facets.filter == EVERYTHING


def test_what_is_deleted_is_gone_at_once_and_undo_brings_it_back(
    library: LibraryDesk, studio: Studio, qtbot: QtBot
) -> None:
    library.page.view.pick(0, 1, library.page.view.selectionModel().SelectionFlag.ClearAndSelect)
    library.page.view.removed.emit(library.page.view.selected_ids())
    qtbot.waitUntil(lambda: library.model.rowCount() == 4, timeout=WAIT)
    (toast,) = studio.desk.toasts.toasts()
    toast.acted.emit(0)
    qtbot.waitUntil(lambda: library.model.rowCount() == 6, timeout=WAIT)
