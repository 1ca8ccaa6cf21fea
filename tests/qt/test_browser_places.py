"""The browser's chips, its tree of folders, and files that are dragged onto the cards."""

from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from comfydesk.paths import resources
from comfydesk.qt.theme import Theme
from comfydesk.qt.widgets.folder_tree import FolderTree, Spot, counted_spots
from tests.qt.studio import Loop, Studio


def test_spots_count_what_lies_in_and_below_them() -> None:
    counts = counted_spots(
        [("pod", "a.json"), ("pod", "film/b.json"), ("pod", "film/old/c.json"), ("bundled", "d.json")]
    )
    assert counts == {
        Spot("pod"): 3,
        Spot("pod", "film"): 2,
        Spot("pod", "film/old"): 1,
        Spot("bundled"): 1,
    }


def test_the_tree_keeps_what_was_unfolded_and_who_is_current(qtbot: QtBot, theme: Theme) -> None:
    tree = FolderTree(theme)
    qtbot.addWidget(tree)
    gone: list[Spot] = []
    tree.gone.connect(gone.append)
    places = {"pod": "Saved on the pod", "bundled": "Bundled"}
    counts = counted_spots([("pod", "film/old/c.json"), ("bundled", "d.json")])
    tree.show_spots(counts, places, Spot())
    assert gone == [], "showing it chooses nothing"
    tree.choose(Spot("pod", "film"))
    assert gone == [Spot("pod", "film")]
    tree.show_spots(counts | {Spot("pod", "new"): 1}, places, Spot("pod", "film/old"))
    assert tree.currentIndex().data() == "old"
    assert tree.isExpanded(tree.currentIndex().parent())
    assert len(gone) == 1
    assert tree.spots()[0] == Spot()


@pytest.fixture
def studio(qtbot: QtBot, gui_loop: Loop, theme: Theme, tmp_path: Path) -> "Studio":
    return Studio(qtbot, gui_loop, theme, tmp_path)


def test_chips_narrow_to_recent_and_favourites_and_say_so(studio: Studio) -> None:
    studio.open().ready()
    browser, model = studio.desk.browser, studio.desk.workflows
    try:
        studio.until(lambda: model.total >= 4)
        studio.click(browser.favourites)
        assert (model.filter.favourites, model.rowCount()) == (True, 0)
        studio.click(browser.favourites)
        browser.list.setCurrentIndex(model.index(0))
        entry = model.rows()[0].entry
        browser.starred.emit(entry, True)
        studio.click(browser.favourites)
        assert [row.entry.id for row in model.rows()] == [entry.id]
        browser.clear()
        assert not browser.favourites.isChecked(), "chips follow what the list is narrowed to"
        studio.pick("Text to video")
        studio.click(browser.recent)
        assert browser.recent.isChecked()
        assert "Text to video" in [row.entry.name for row in model.rows()]
        assert len(model.rows()) < model.total
        browser.clear()
        assert browser.folders.isHidden()
        studio.click(browser.as_folders)
        assert Spot("bundled") in browser.folders.spots()
        browser.folders.choose(Spot("bundled"))
        assert model.filter.source == "bundled"
        browser.folders.choose(Spot())
        assert not model.filter
    finally:
        studio.close()
        studio.stop_pod()


def test_a_file_dropped_on_the_cards_is_kept_among_ones_own(studio: Studio, tmp_path: Path) -> None:
    studio.open().ready()
    browser, model = studio.desk.browser, studio.desk.workflows
    try:
        file = tmp_path / "My film.json"
        text = (resources() / "workflows" / "text_to_image.json").read_text(encoding="utf-8")
        file.write_text(text.replace('"title": "Text to image"', '"title": "My film"'), encoding="utf-8")
        mime = QMimeData()
        mime.setUrls([QUrl.fromLocalFile(str(file))])
        left, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
        spot = browser.rect().center()
        enter = QDragEnterEvent(spot, Qt.DropAction.CopyAction, mime, left, none)
        QApplication.sendEvent(browser, enter)
        assert enter.isAccepted()
        assert browser.drops.hint.isVisible()
        QApplication.sendEvent(browser, QDropEvent(QPointF(spot), Qt.DropAction.CopyAction, mime, left, none))
        assert not browser.drops.hint.isVisible()
        studio.until(lambda: "My film" in [row.entry.name for row in model.all_rows()])
        studio.until(lambda: studio.opened == "My film")
        assert list(studio.session.shelves.folder.rglob("My film.json"))
    finally:
        studio.close()
        studio.stop_pod()


def test_tiles_stand_two_in_a_row_with_and_without_a_scroll_bar(studio: Studio) -> None:
    studio.open().ready()
    browser, model = studio.desk.browser, studio.desk.workflows
    try:
        studio.until(lambda: model.total >= 4)
        browser.set_grid(True)
        for height in (900, 640, 900):
            studio.window.resize(1440, height)
            studio.qtbot.wait(20)
            tops = [browser.list.visualRect(model.index(row)).top() for row in range(4)]
            assert (tops[0] == tops[1], tops[2] == tops[3], tops[1] < tops[2]) == (True, True, True), (height, tops)
    finally:
        studio.close()
        studio.stop_pod()
