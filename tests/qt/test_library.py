"""The Library workspace on a real session: found, narrowed, rated, deleted and brought back."""

import hashlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from comfydesk.errors import StoreError
from comfydesk.qt.dialogs.name import NameSheet
from comfydesk.qt.theme import Theme
from comfydesk.qt.widgets.gallery_facets import FacetRow
from comfydesk.qt.widgets.gallery_files import IDS, mime_of
from comfydesk.qt.window.library import LibraryDesk
from comfydesk.qt.window.library_memory import wanted_of
from comfydesk.session.library import Library
from comfydesk.store import listing as listings
from comfydesk.store import outputs
from comfydesk.store.outputs import Identity
from comfydesk.store.records import Output
from comfydesk.store.search import EVERYTHING, Aspect, Grouping, Order, OutputFilter
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


def drop(row: FacetRow, data: QMimeData) -> None:
    """What a drag does over a row, and when it is let go."""
    spot, none = row.rect().center(), Qt.KeyboardModifier.NoModifier
    left, copy = Qt.MouseButton.LeftButton, Qt.DropAction.CopyAction
    QApplication.sendEvent(row, QDragEnterEvent(spot, copy, data, left, none))
    QApplication.sendEvent(row, QDropEvent(QPointF(spot), copy, data, left, none))


def rows_of(library: LibraryDesk, section: str) -> list[FacetRow]:
    return library.facets._sections[section].rows


def test_outputs_are_dropped_on_an_album_and_are_in_it(
    library: LibraryDesk, studio: Studio, gui_loop: Loop, qtbot: QtBot
) -> None:
    gui_loop(studio.session.gallery.collections.make_album("Coast", ()))
    qtbot.waitUntil(lambda: rows_of(library, "albums")[0].text() == "Coast", timeout=WAIT)
    library.page.view.pick(0, 2, library.page.view.selectionModel().SelectionFlag.ClearAndSelect)
    data = mime_of(library.page.view.hands.outputs(), library.page.view.selected_ids())
    assert len(data.urls()) == 3, "other programs get files"
    drop(rows_of(library, "albums")[0], data)
    qtbot.waitUntil(lambda: rows_of(library, "albums")[0].count == 3, timeout=WAIT)
    foreign = QMimeData()
    foreign.setData(IDS, b"not JSON")
    drop(rows_of(library, "albums")[0], foreign)
    rows_of(library, "albums")[0].click()
    qtbot.waitUntil(lambda: library.model.rowCount() == 3, timeout=WAIT)
    library.page.view.pick(0, 0, library.page.view.selectionModel().SelectionFlag.ClearAndSelect)
    library.menus.offer(QPoint())
    (take,) = [act for act in library.menus._menu.actions() if act.text() == "Remove from this album"]
    library.menus._menu.close()
    take.trigger()
    qtbot.waitUntil(lambda: library.model.rowCount() == 2, timeout=WAIT)
    library.show(EVERYTHING)
    qtbot.waitUntil(lambda: library.model.rowCount() == 6, timeout=WAIT)


def test_a_search_can_be_saved_where_saved_searches_are(library: LibraryDesk, studio: Studio, qtbot: QtBot) -> None:
    assert not [row for row in rows_of(library, "searches") if row.text() == "Save this search"]
    library.show(OutputFilter(words="lighthouse"))
    qtbot.waitUntil(lambda: library.model.rowCount() == 3, timeout=WAIT)
    (row,) = rows_of(library, "searches")
    row.click()
    sheet = studio.window.findChild(NameSheet)
    assert sheet is not None
    sheet.edit.setText("Coast")
    sheet.save.click()
    qtbot.waitUntil(lambda: [row.text() for row in rows_of(library, "searches")] == ["Coast"], timeout=WAIT)


def test_more_files_than_can_be_dragged_are_said(library: LibraryDesk, studio: Studio) -> None:
    library.page.view.limited.emit(7000)
    (toast,) = studio.desk.toasts.toasts()
    assert (
        toast.accessibleName() == "Only the first 2,000 files go along. 7,000 are selected. Export writes all of them."
    )


def test_what_is_selected_is_exported_without_its_metadata_as_webp(
    library: LibraryDesk, studio: Studio, qtbot: QtBot, tmp_path: Path
) -> None:
    library.page.view.pick(0, 1, library.page.view.selectionModel().SelectionFlag.ClearAndSelect)
    library.page.bar.export.click()
    page = studio.wiring.export.page
    assert page is not None
    assert page.isVisible()
    assert page.title.text() == "Export 2 outputs"
    page.folder.take(tmp_path / "out")
    page.format.set_current(3)
    page.metadata.setChecked(False)
    page.template.edit.setText("{nonsense}")
    page._look()
    assert not page.export.isEnabled()
    page.template.edit.setText("{name}")
    page._look()
    page.export.click()
    qtbot.waitUntil(lambda: page.words.text() == "2 files exported", timeout=WAIT)
    made = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert made == ["made_4.webp", "made_5.webp"]
    with Image.open(tmp_path / "out" / "made_4.webp") as picture:
        assert picture.format == "WEBP"


def test_a_file_that_goes_away_while_it_is_shown_is_skipped_and_named(
    library: LibraryDesk, studio: Studio, qtbot: QtBot, tmp_path: Path
) -> None:
    view = library.page.view
    view.pick(0, 1, view.selectionModel().SelectionFlag.ClearAndSelect)
    qtbot.waitUntil(lambda: len(view.hands.outputs()) == 2, timeout=WAIT)
    gone = Path(view.hands.outputs()[0].path)
    gone.rename(gone.with_suffix(".away"))
    studio.desk.thumbnails.forget(str(gone))
    view.viewport().repaint()
    qtbot.waitUntil(lambda: not studio.desk.thumbnails.busy, timeout=WAIT)
    view.viewport().repaint()
    library.page.bar.export.click()
    page = studio.wiring.export.page
    assert page is not None
    page.folder.take(tmp_path / "out")
    page.export.click()
    qtbot.waitUntil(lambda: page.words.text() == "1 file exported", timeout=WAIT)
    assert "1 output could not be exported" in page.banner.text()


class Failing(Library):
    """The real one, whose listings fail as long as `down`."""

    down = False

    async def read(self, function: Any, /, *args: Any, **kwargs: Any) -> Any:
        if self.down and function is listings.listing:
            raise StoreError("The library cannot be read", "disk I/O error", "See that the disk is there")
        return await super().read(function, *args, **kwargs)


def test_a_listing_that_fails_is_told_in_its_place_and_can_be_tried_again(
    qtbot: QtBot, gui_loop: Loop, theme: Theme, tmp_path: Path
) -> None:
    studio = Studio(qtbot, gui_loop, theme, tmp_path, make_library=Failing).open(pod=False)
    store, library = studio.session._library, studio.wiring.library
    assert isinstance(store, Failing)
    page = library.page
    for number in range(3):
        add(studio, gui_loop, number, prompt=f"hill {number}")
    store.down = True
    studio.desk.workspaces.show("library")
    studio.until(lambda: page.empty.button.isVisible() and page.empty.button.text() == "Try again")
    assert "disk I/O error" in page.empty.accessibleName()
    assert "See that the disk is there" in page.empty.accessibleName()
    QTest.keyClicks(page.toolbar.search.edit, "hill 2")  # and what one types meanwhile is not lost
    qtbot.wait(50)
    page.empty.button.click()
    qtbot.wait(50)
    assert page.empty.button.isVisible()
    store.down = False
    page.empty.button.click()
    studio.until(lambda: library.model.rowCount() == 1)
    assert page.stack.currentWidget() is page.view
    assert page.toolbar.search.text() == "hill 2"
    store.down = True
    page.toolbar.ask(EVERYTHING)
    studio.until(page.empty.button.isVisible)
    store.down = False
    studio.desk.workspaces.show("create")
    studio.desk.workspaces.show("library")  # coming back tries again, too
    studio.until(lambda: library.model.rowCount() == 3)
    studio.close()


def test_search_order_and_layout_are_there_again_at_the_next_start(
    qtbot: QtBot, gui_loop: Loop, theme: Theme, tmp_path: Path
) -> None:
    first = Studio(qtbot, gui_loop, theme, tmp_path).open(pod=False)
    for number in range(4):
        add(first, gui_loop, number, prompt=f"{'lake' if number else 'hill'} {number}")
    library = first.wiring.library
    first.desk.workspaces.show("library")
    first.until(lambda: library.model.rowCount() == 4)
    library.page.toolbar._choose(Order.NAME)
    library.show(OutputFilter(words="lake", media=("image",), aspect=Aspect.LANDSCAPE))
    library.page.view.set_size(210)
    library.page.toolbar.shape.click()
    first.until(lambda: library.model.rowCount() == 3 and not first.wiring.finds.memory._pending)
    first.close()

    second = Studio(qtbot, gui_loop, theme, tmp_path).open(pod=False)
    library, page = second.wiring.library, second.wiring.library.page
    second.until(lambda: page.toolbar.filter.words == "lake")
    second.desk.workspaces.show("library")
    second.until(lambda: library.model.rowCount() == 3)
    assert (library.model.listing.order, library.model.listing.grouping) == (Order.NAME, Grouping.NONE)
    assert library.model.listing.filter == OutputFilter("lake", media=("image",), aspect=Aspect.LANDSCAPE)
    assert (page.view.row_height, page.view.squares, page.toolbar.shape.isChecked()) == (210, True, True)
    assert page.toolbar.search.text() == "lake", "what narrows it is said, and can be taken away"
    assert [chip.text() for chip in page.toolbar._chips] != []
    second.close()


@pytest.mark.parametrize(
    "kept", [None, 3, [], {"words": 3, "media": "image", "rating": "x", "aspect": "round", "album": "a", "tags": [1]}]
)
def test_a_search_of_another_shape_lets_everything_pass(kept: Any) -> None:
    assert wanted_of(kept) == EVERYTHING


def test_nothing_made_is_said_only_when_that_is_known(
    qtbot: QtBot, gui_loop: Loop, theme: Theme, tmp_path: Path
) -> None:
    studio = Studio(qtbot, gui_loop, theme, tmp_path).open(pod=False)
    page, heard = studio.wiring.library.page, []
    page.stack.currentChanged.connect(lambda _: heard.append(page.empty.accessibleName()))
    assert "Nothing" not in page.empty.accessibleName()
    studio.desk.workspaces.show("library")
    assert "Nothing" not in page.empty.accessibleName(), "it is being read"
    studio.until(lambda: "Nothing made yet" in page.empty.accessibleName())
    studio.close()


@pytest.mark.parametrize(("wide", "slider"), [(360, False), (900, True)])
def test_where_space_is_short_the_search_keeps_its_room(
    library: LibraryDesk, theme: Theme, qtbot: QtBot, wide: int, slider: bool
) -> None:
    toolbar = library.page.toolbar
    toolbar.setParent(None)
    toolbar.resize(theme.px(wide), toolbar.sizeHint().height())
    toolbar.show()
    qtbot.wait(20)
    words = toolbar.search.edit.fontMetrics().horizontalAdvance("lighthouse")
    assert toolbar.search.edit.width() >= words, "one sees what one types"
    assert toolbar.slider.isVisible() is slider
    toolbar.close()
    toolbar.setParent(library.page)


def test_the_menu_of_what_is_selected_has_all_that_can_be_done_with_it(
    library: LibraryDesk, studio: Studio, qtbot: QtBot
) -> None:
    view, asked = library.page.view, []
    library.reused.connect(lambda output, what: asked.append((output.id, what)))
    view.go_to(0)
    qtbot.waitUntil(lambda: library.current() is not None, timeout=WAIT)
    current = library.current()
    assert current is not None

    def entries() -> dict[str, Any]:
        library.menus.offer(view.mapToGlobal(QPoint(5, 5)))
        found = {action.text(): action for action in library.menus._menu.actions() if action.text()}
        library.menus._menu.close()
        return found

    for words, what in (
        ("Use only the prompt", "prompt"),
        ("Use only the seed", "seed"),
        ("Outline of its graph", "outline"),
    ):
        entries()[words].trigger()
        assert asked[-1] == (current.id, what)
        studio.desk.workspaces.show("library")
    entries()["Copy the prompt"].trigger()
    assert QApplication.clipboard().text() == current.prompt
    view.pick(0, 2, view.selectionModel().SelectionFlag.ClearAndSelect, current=0)
    assert not entries()["Use only the seed"].isEnabled()
    entries()["Add a tag"].trigger()
    qtbot.waitUntil(lambda: bool(studio.window.findChildren(NameSheet)), timeout=WAIT)
    sheet = studio.window.findChildren(NameSheet)[-1]
    QTest.keyClicks(sheet.focusWidget(), "harbour")
    QTest.keyClick(sheet.focusWidget(), Qt.Key.Key_Return)
    library.show(OutputFilter(tags=("harbour",)))
    qtbot.waitUntil(lambda: library.model.rowCount() == 3, timeout=WAIT)


def test_what_narrows_the_library_is_called_as_the_user_calls_it(
    library: LibraryDesk, studio: Studio, gui_loop: Loop, qtbot: QtBot
) -> None:
    collections = studio.session.gallery.collections
    album = gui_loop(collections.make_album("For the harbour cafe", [int(library.model.listing.ids[0])]))
    qtbot.waitUntil(
        lambda: any(row.text() == "For the harbour cafe" for row in rows_of(library, "albums")), timeout=WAIT
    )
    library.show(OutputFilter(album=album, media=("image",), aspect=Aspect.LANDSCAPE))
    chips = [chip.text() for chip in library.page.toolbar._chips]
    assert chips == ["Images", "For the harbour cafe", "Landscape"]


def test_ctrl_z_in_the_grid_takes_the_deletion_back(library: LibraryDesk, studio: Studio, qtbot: QtBot) -> None:
    view = library.page.view
    view.setFocus()
    view.pick(0, 1, view.selectionModel().SelectionFlag.ClearAndSelect, current=0)
    studio.keys(Qt.Key.Key_Delete)
    qtbot.waitUntil(lambda: library.model.rowCount() == 4, timeout=WAIT)
    studio.keys(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: library.model.rowCount() == 6, timeout=WAIT)
