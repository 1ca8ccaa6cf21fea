"""The library's grid as a user has it: keys, mouse, selection, what stays in place, what other programs get."""

import hashlib
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from PIL import Image
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QAccessible, QGuiApplication, QWheelEvent
from PySide6.QtTest import QAbstractItemModelTester, QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from comfydesk.qt.models.gallery import KEPT, GalleryModel
from comfydesk.qt.models.thumbnails import Thumbnails
from comfydesk.qt.theme import Theme
from comfydesk.qt.widgets.gallery_files import copy, mime_of
from comfydesk.qt.widgets.gallery_view import GalleryView
from comfydesk.store.listing import Group, Listing, Step
from comfydesk.store.records import Output
from comfydesk.store.search import EVERYTHING, Grouping, Order

NOON = datetime.now().astimezone().replace(hour=12, minute=0, second=0, microsecond=0)
Key, Mod = Qt.Key, Qt.KeyboardModifier


def output(id_: int, folder: Path | None = None, *, media: str = "image") -> Output:
    path = (folder or Path("/nowhere")) / f"picture_{id_:06}.png"
    when = (NOON - timedelta(hours=6 * (1000 - id_))).timestamp()
    sha = hashlib.sha256(str(id_).encode()).hexdigest()
    return Output(id_, str(path), media, 1000, sha, when, prompt=f"prompt {id_}", width=300, height=200)


def listing(ids: Sequence[int]) -> Listing:
    """Newest first, grouped by their days: four a day."""
    times = array("d", (output(id_).created for id_ in ids))
    groups: list[Group] = []
    for row, when in enumerate(times):
        day = datetime.fromtimestamp(when).astimezone().date().isoformat()
        if not groups or groups[-1].key != day:
            groups.append(Group(day, "", row, 0, when))
        groups[-1] = replace(groups[-1], count=groups[-1].count + 1)
    aspects = array("f", (1.5 for _ in ids))
    return Listing(array("q", ids), aspects, times, tuple(groups), EVERYTHING, Order.NEWEST, Grouping.DAY)


@pytest.fixture
def model(qtbot: QtBot) -> GalleryModel:
    """Answers what is asked of it at once."""
    made = GalleryModel()
    made.wanted.connect(lambda ids: made.put([output(id_) for id_ in ids]))
    return made


@pytest.fixture
def thumbnails(qtbot: QtBot) -> Iterator[Thumbnails]:
    made = Thumbnails()
    yield made
    made.close()


@pytest.fixture
def view(theme: Theme, model: GalleryModel, thumbnails: Thumbnails, qtbot: QtBot) -> GalleryView:
    made = GalleryView(theme, model, thumbnails)
    qtbot.addWidget(made)
    made.resize(900, 640)
    made.show()
    qtbot.waitExposed(made)
    model.show(listing(range(1000, 700, -1)))
    qtbot.waitUntil(lambda: model.known(0) is not None)
    made.setFocus()
    return made


def middle(view: GalleryView, row: int) -> QPoint:
    return view.box(row).center()


# --- The model ------------------------------------------------------------------------------------------------------


def test_the_model_keeps_qts_rules_while_it_grows_and_shrinks(model: GalleryModel, qtbot: QtBot) -> None:
    tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    model.show(listing(range(100, 50, -1)))
    ids = [*range(103, 100, -1), *range(100, 90, -1), *range(88, 50, -1)]
    model.follow(Step(listing(ids), removed=(10, 11), inserted=(0, 1, 2)))
    assert list(model.listing.ids) == ids
    model.follow(Step(listing([104, *ids[:5], *ids[6:]]), removed=(5,), inserted=(0,)))
    assert model.rowCount() == len(ids)
    model.follow(Step(listing([]), removed=tuple(range(len(ids)))))
    assert model.rowCount() == 0
    assert tester is not None


def test_rows_are_read_by_the_page_and_only_so_many_are_kept(qtbot: QtBot) -> None:
    asked: list[tuple[int, ...]] = []
    model = GalleryModel()
    model.wanted.connect(asked.append)
    model.show(listing(range(10_000, 0, -1)))
    assert model.output(70) is None
    assert model.output(71) is None
    qtbot.waitUntil(lambda: bool(asked))
    assert [len(ids) for ids in asked] == [64]
    model.put([output(id_) for id_ in asked[0]])
    found = model.output(70)
    assert found is not None
    assert found.id == 9930
    for start in range(10_000, 4_000, -1000):
        model.put([output(id_) for id_ in range(start, start - 1000, -1)])
    assert len(model._rows) == KEPT


def test_a_row_that_changed_is_shown_as_it_was_until_it_is_read_again(qtbot: QtBot) -> None:
    asked: list[tuple[int, ...]] = []
    model = GalleryModel()
    model.wanted.connect(asked.append)
    model.show(listing(range(20, 0, -1)))
    model.put([output(20)])
    model.refresh((20, 19))
    assert asked == [(20,)]
    assert model.known(0) == output(20)


# --- What stays where it is -----------------------------------------------------------------------------------------


def test_new_outputs_do_not_move_what_is_looked_at(view: GalleryView, model: GalleryModel) -> None:
    view.verticalScrollBar().setValue(1500)
    row = view.row_at(QPoint(100, 300))
    before, id_ = view.box(row), model.listing.ids[row]
    view.pick(row, row, view.selectionModel().SelectionFlag.ClearAndSelect, current=row)
    for new in range(1, 6):
        model.follow(Step(listing(range(1000 + new, 700, -1)), inserted=(0,)))
        assert model.listing.ids[row + new] == id_
        assert view.box(row + new).top() == before.top()
    assert view.selected_ids() == (id_,)
    assert view.current == row + 5


def test_at_the_top_what_is_new_is_seen(view: GalleryView, model: GalleryModel) -> None:
    model.follow(Step(listing(range(1001, 700, -1)), inserted=(0,)))
    assert view.scrolled == 0
    assert view.box(0).top() >= 0


def test_the_same_search_read_anew_keeps_place_and_selection_and_another_begins_at_its_top(
    view: GalleryView, model: GalleryModel
) -> None:
    view.verticalScrollBar().setValue(1500)
    row = view.row_at(QPoint(100, 300))
    view.go_to(row)
    before, id_ = view.box(row).top(), model.listing.ids[row]
    model.show(listing(range(1003, 700, -1)))
    assert view.selected_ids() == (id_,)
    assert view.box(row + 3).top() == before
    other = listing(range(900, 700, -1))
    model.show(Listing(other.ids, other.aspects, other.times, (), EVERYTHING, Order.OLDEST, Grouping.NONE))
    assert view.scrolled == 0


def test_another_width_or_size_keeps_the_first_tile_in_sight(view: GalleryView, qtbot: QtBot) -> None:
    view.verticalScrollBar().setValue(2000)
    first = view.gallery.listing.ids[view.places.near(0, view.scrolled + 36)]
    view.resize(700, 640)
    assert first in {view.gallery.listing.ids[at] for at, _ in view.visible()}
    view.set_size(120)
    shown = {view.gallery.listing.ids[at] for at, _ in view.visible()}
    assert first in shown


# --- Keyboard -------------------------------------------------------------------------------------------------------


def test_arrows_walk_in_two_dimensions_and_shift_takes_along(view: GalleryView) -> None:
    QTest.keyClick(view, Key.Key_Home)
    QTest.keyClick(view, Key.Key_Right)
    assert view.selected_ids() == (999,)
    QTest.keyClick(view, Key.Key_Down)
    below = view.current
    assert view.box(below).top() > view.box(1).top()
    assert abs(view.box(below).center().x() - view.box(1).center().x()) < view.box(1).width()
    QTest.keyClick(view, Key.Key_End, Mod.ShiftModifier)
    assert view.selected_count() == 300 - below
    QTest.keyClick(view, Key.Key_Up)
    assert view.selected_count() == 1
    assert view.box(view.current).top() >= 0, "in sight"


def test_everything_is_selected_at_once_however_many(view: GalleryView, model: GalleryModel) -> None:
    ids = array("q", range(100_000, 0, -1))
    model.show(Listing(ids, array("f", [1.0]) * 100_000, array("d", [0.0]) * 100_000, (), EVERYTHING, Order.NAME,
                       Grouping.NONE))  # fmt: skip
    QTest.keyClick(view, Key.Key_A, Mod.ControlModifier)
    assert view.ranges() == [(0, 99_999)]
    assert view.selected_count() == 100_000
    QTest.keyClick(view, Key.Key_Escape)
    assert view.selected_count() == 0


def test_keys_rate_favour_open_look_and_delete(view: GalleryView, qtbot: QtBot) -> None:
    heard: list[object] = []
    view.rated.connect(lambda ids, stars: heard.append(("rated", ids, stars)))
    view.favoured.connect(lambda ids, on: heard.append(("favoured", ids, on)))
    view.removed.connect(lambda ids: heard.append(("removed", ids)))
    view.opened.connect(lambda output: heard.append(("opened", output.id)))
    view.quick.connect(lambda output: heard.append(("quick", output.id)))
    QTest.keyClick(view, Key.Key_Home)
    for key in (Key.Key_4, Key.Key_F, Key.Key_Return, Key.Key_Space, Key.Key_Delete):
        QTest.keyClick(view, key)
    assert heard == [
        ("rated", (1000,), 4), ("favoured", (1000,), True), ("opened", 1000), ("quick", 1000), ("removed", (1000,)),
    ]  # fmt: skip


def test_typing_goes_to_a_day_or_a_name(view: GalleryView) -> None:
    view.keyboardSearch("yesterday")
    day = datetime.fromtimestamp(view.gallery.listing.times[view.current]).astimezone().date()
    assert day == (NOON - timedelta(days=1)).date()
    view.hands._typed = ""
    view.keyboardSearch("picture_0009")
    assert view.gallery.known(view.current) is not None


# --- Mouse ----------------------------------------------------------------------------------------------------------


def test_clicks_select_toggle_and_reach(view: GalleryView) -> None:
    spot = view.viewport()
    QTest.mouseClick(spot, Qt.MouseButton.LeftButton, pos=middle(view, 1))
    QTest.mouseClick(spot, Qt.MouseButton.LeftButton, Mod.ShiftModifier, middle(view, 4))
    assert view.ranges() == [(1, 4)]
    QTest.mouseClick(spot, Qt.MouseButton.LeftButton, Mod.ControlModifier, middle(view, 2))
    assert view.selected_ids() == (999, 997, 996)
    QTest.mouseClick(spot, Qt.MouseButton.LeftButton, pos=middle(view, 0))
    assert view.selected_ids() == (1000,)


def test_a_heading_selects_its_group(view: GalleryView) -> None:
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(60, 18))
    assert view.ranges() == [(0, view.gallery.listing.groups[0].count - 1)]


def test_a_rubber_band_from_a_gap_selects_what_it_touches(view: GalleryView) -> None:
    spot, start = view.viewport(), QPoint(4, view.box(0).top() + 10)
    assert view.row_at(start) < 0
    QTest.mousePress(spot, Qt.MouseButton.LeftButton, pos=start)
    QTest.mouseMove(spot, view.box(2).center())
    QTest.mouseRelease(spot, Qt.MouseButton.LeftButton, pos=view.box(2).center())
    assert view.ranges() == [(0, 2)]


def test_the_star_in_a_corner_is_clicked_without_selecting(view: GalleryView) -> None:
    found = view.gallery.known(1)
    assert found is not None
    star = view.tiles.spots(view.box(1), found)["star"].center()
    heard: list[object] = []
    view.favoured.connect(lambda ids, on: heard.append((ids, on)))
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=star)
    assert heard == [((999,), True)]
    assert view.selected_count() == 0


def test_ctrl_and_the_wheel_change_the_size(view: GalleryView) -> None:
    before, at = view.row_height, QPointF(middle(view, 0))
    event = QWheelEvent(at, view.mapToGlobal(at), QPoint(), QPoint(0, 120), Qt.MouseButton.NoButton,
                        Mod.ControlModifier, Qt.ScrollPhase.NoScrollPhase, False)  # fmt: skip
    QApplication.sendEvent(view.viewport(), event)
    assert view.row_height > before
    assert view.scrolled == 0


# --- Files ----------------------------------------------------------------------------------------------------------


def test_what_is_copied_is_the_file_and_of_one_picture_its_pixels(tmp_path: Path, qapp: QApplication) -> None:
    one, two, gone = output(1, tmp_path), output(2, tmp_path), output(3, tmp_path)
    for each in (one, two):
        Image.new("RGB", (30, 20), "red").save(each.path)
    copy([one])
    held = QGuiApplication.clipboard().mimeData()
    assert [url.toLocalFile() for url in held.urls()] == [one.path]
    assert held.hasImage()
    assert [url.toLocalFile() for url in mime_of([one, two, gone]).urls()] == [one.path, two.path]


# --- Pictures -------------------------------------------------------------------------------------------------------


def test_thumbnails_are_bounded_in_bytes_and_what_was_scrolled_away_is_dropped(tmp_path: Path, qtbot: QtBot) -> None:
    paths = [tmp_path / f"{at}.png" for at in range(12)]
    for path in paths:
        Image.new("RGB", (300, 200), "teal").save(path)
    few = Thumbnails(memory=4 * 150 * 100 * 4)
    for path in paths:
        few.get(str(path), "image", edge=100, owner=paths)
    few.keep(paths, {str(path) for path in paths[:8]})
    qtbot.waitUntil(lambda: not few._loading)
    assert few._bytes <= 4 * 150 * 100 * 4
    kept = sum(few.get(str(path), "image", edge=100) is not None for path in paths)
    assert 0 < kept <= 4
    few.close()


def test_another_size_is_shown_until_the_right_one_is_there(
    tmp_path: Path, qtbot: QtBot, thumbnails: Thumbnails
) -> None:
    path = tmp_path / "a.png"
    Image.new("RGB", (900, 600), "teal").save(path)
    with qtbot.waitSignal(thumbnails.ready):
        assert thumbnails.get(str(path), "image", edge=128) is None
    small = thumbnails.get(str(path), "image", edge=512)
    assert small is not None
    assert small.height() == 128
    with qtbot.waitSignal(thumbnails.ready):
        pass
    large = thumbnails.get(str(path), "image", edge=512)
    assert large is not None
    assert large.height() == 512


# --- For everybody --------------------------------------------------------------------------------------------------


def test_screen_readers_find_a_list_of_named_pictures(view: GalleryView) -> None:
    found = QAccessible.queryAccessibleInterface(view)
    assert found is not None
    assert found.text(QAccessible.Text.Name) == "Library"
    assert found.role() is QAccessible.Role.List
    assert found.childCount() == 300
    child = found.child(0)
    assert child is not None
    assert "picture_001000.png" in child.text(QAccessible.Text.Name)
    assert "prompt 1000" in child.text(QAccessible.Text.Name)


def test_leaving_takes_the_hover_away(view: GalleryView) -> None:
    QTest.mouseMove(view.viewport(), QPoint(0, 0))  # a mouse that is there already would not move
    QTest.mouseMove(view.viewport(), middle(view, 1))
    assert view.hands.hovered == 1
    QApplication.sendEvent(view.viewport(), QEvent(QEvent.Type.Leave))
    assert view.hands.hovered == -1


# --- What is seen ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp"])
def test_a_tile_shows_its_picture(
    theme: Theme, model: GalleryModel, thumbnails: Thumbnails, qtbot: QtBot, tmp_path: Path, name: str
) -> None:
    view = GalleryView(theme, model, thumbnails)
    qtbot.addWidget(view)
    view.resize(600, 400)
    view.show()
    Image.new("RGB", (300, 200), (200, 60, 40)).save(tmp_path / name)
    model.show(listing([7]))
    model.put([replace(output(7), path=str(tmp_path / name))])

    def red() -> bool:
        seen = view.grab().toImage().pixelColor(view.box(0).center() + view.viewport().pos())
        return seen.red() > 180 and seen.green() < 90

    qtbot.waitUntil(red)
