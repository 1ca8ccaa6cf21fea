"""The strip of recent outputs: days, shapes, sideways scrolling, and where it stays when something new comes."""

from array import array
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from comfydesk.qt.docks.dock import Dock
from comfydesk.qt.docks.gallery import FILTERS, GalleryPanel
from comfydesk.qt.models.gallery import GalleryModel
from comfydesk.qt.models.thumbnails import Thumbnails
from comfydesk.qt.theme import Theme
from comfydesk.qt.widgets.gallery_tiles import day_words
from comfydesk.store.listing import Listing, by_days
from comfydesk.store.recent import between
from comfydesk.store.records import Output
from comfydesk.store.search import EVERYTHING, Grouping, Order, OutputFilter

NOON = datetime.now().astimezone().replace(hour=12, minute=0, second=0, microsecond=0)


def output(id_: int, *, days: int = 0, size: tuple[int, int] = (300, 200)) -> Output:
    when = (NOON - timedelta(days=days)).timestamp() + id_
    return Output(id_, f"/nowhere/{id_}.png", "image", 1, "", when, width=size[0], height=size[1])


def listing(outputs: Sequence[Output], wanted: OutputFilter = EVERYTHING) -> Listing:
    made = sorted(outputs, key=lambda each: -each.created)
    times = array("d", (each.created for each in made))
    aspects = array("f", (each.width / each.height for each in made if each.width and each.height))
    ids = array("q", (each.id for each in made))
    return Listing(ids, aspects, times, by_days(times, descending=True), wanted, Order.NEWEST, Grouping.DAY)


@pytest.fixture
def thumbnails(qtbot: QtBot) -> Iterator[Thumbnails]:
    made = Thumbnails()
    yield made
    made.close()


@pytest.fixture
def panel(theme: Theme, thumbnails: Thumbnails, qtbot: QtBot) -> GalleryPanel:
    dock = Dock(theme, "gallery", "Outputs")
    made = GalleryPanel(theme, dock, GalleryModel(dock), thumbnails)
    qtbot.addWidget(dock)
    dock.resize(900, 200)
    dock.show()
    qtbot.waitExposed(dock)
    return made


def show(panel: GalleryPanel, outputs: Sequence[Output]) -> None:
    panel._model.show(listing(outputs))
    panel._model.put(outputs)


def test_days_stand_side_by_side_and_tiles_have_the_shapes_of_their_pictures(panel: GalleryPanel) -> None:
    assert not panel.empty.isVisible(), "while nothing is known nothing is said"
    show(panel, [])
    assert panel.empty.accessibleName().startswith("Nothing made yet")
    assert panel.empty.isVisible()
    show(panel, [output(1, size=(1600, 900)), output(2, size=(900, 1600)), output(3, days=1)])
    assert panel.strip.isVisible()
    strip, model = panel.strip, panel._model
    tall, wide, before = (strip.visualRect(model.index(row)) for row in range(3))
    assert wide.width() > 2 * tall.width()
    assert wide.top() == tall.top()
    assert before.left() > max(wide.right(), tall.right())
    heads = [area.left() for _, area in strip.headings()]
    assert heads == [tall.left(), before.left()], "each day has its words where its pictures begin"
    assert [day_words((NOON - timedelta(days=days)).date()) for days in (0, 1)] == ["Today", "Yesterday"]


@pytest.mark.parametrize(("size", "shape"), [((100, 100), 1.0), ((5000, 100), 2.2), ((100, 5000), 0.6)])
def test_no_tile_is_a_sliver(panel: GalleryPanel, size: tuple[int, int], shape: float) -> None:
    show(panel, [output(1, size=size)])
    box = panel.strip.box(0)
    assert box.width() / box.height() == pytest.approx(shape, abs=0.02)


def test_the_keyboard_walks_and_opens(panel: GalleryPanel, qtbot: QtBot) -> None:
    show(panel, [output(each) for each in range(30)])
    panel.strip.setFocus()
    QTest.keyClick(panel.strip, Qt.Key.Key_Home)
    QTest.keyClick(panel.strip, Qt.Key.Key_Right)
    with qtbot.waitSignal(panel.large) as large:
        QTest.keyClick(panel.strip, Qt.Key.Key_Return)
    assert large.args is not None
    assert large.args[0].id == 28
    QTest.keyClick(panel.strip, Qt.Key.Key_End)
    assert panel.strip.current == 29
    last = panel.strip.box(29)
    assert last.right() < panel.strip.viewport().width(), "it is in sight"


def test_the_wheel_scrolls_sideways_and_what_is_in_sight_stays_when_something_new_comes(panel: GalleryPanel) -> None:
    old = [output(each) for each in range(60)]
    show(panel, old)
    strip, model = panel.strip, panel._model
    turn = QWheelEvent(
        QPointF(50, 50), QPointF(50, 50), QPoint(), QPoint(0, -720), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(strip.viewport(), turn)
    assert strip.horizontalScrollBar().value() == 720
    row = next(iter(strip.visible()))[0]
    id_, before = model.listing.ids[row], strip.box(row)
    new = [*old[3:], output(100), output(101, size=(200, 300))]
    model.follow(between(model.listing, listing(new)))
    now = model.listing.row_of(id_)
    assert now == row + 2
    assert strip.box(now) == before
    assert list(model.listing.ids) == [101, 100, *range(59, 2, -1)]


def test_the_end_of_the_strip_asks_for_more(panel: GalleryPanel, qtbot: QtBot) -> None:
    show(panel, [output(each) for each in range(60)])
    bar = panel.strip.horizontalScrollBar()
    with qtbot.waitSignal(panel.strip.ended):
        bar.setValue(bar.maximum())


def test_filters_ask_for_what_they_say(panel: GalleryPanel, qtbot: QtBot) -> None:
    with qtbot.waitSignal(panel.narrowed) as asked:
        panel.filters.picked.emit(3)
    assert asked.args == [FILTERS[3]]
    panel._model.show(listing([], FILTERS[2]))
    assert panel.empty.isVisible()
    assert panel.empty.accessibleName() == "Nothing of that kind. Choose All to see everything."
