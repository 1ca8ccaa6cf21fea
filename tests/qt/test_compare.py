"""Compare: exactly what differs, readable at every size; slider, difference and linked zoom on real pictures."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, Qt
from PySide6.QtGui import QImage, QMouseEvent, QPainter
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from comfydesk.qt.models.gallery import GalleryModel
from comfydesk.qt.models.thumbnails import Thumbnails
from comfydesk.qt.models.tiles import Tiles
from comfydesk.qt.theme import Appearance, Scheme, Theme
from comfydesk.qt.widgets import paint
from comfydesk.qt.widgets.buttons import Button
from comfydesk.qt.widgets.compare_table import CompareTable, words_of
from comfydesk.qt.widgets.compare_view import CompareView, Mode
from comfydesk.qt.widgets.filmstrip import Filmstrip
from comfydesk.qt.widgets.labels import ElidedLabel
from comfydesk.qt.window.compare import ComparePage
from comfydesk.session.gallery.details import Difference
from comfydesk.store.records import Output

WAIT = 10_000
SEEDS = (18446744073709551615, 4716202885310947, 12, 9007199254740993)


def output(number: int, path: Path = Path("a.png")) -> Output:
    return Output(number, str(path), "image", 10, "", 5.0, rating=number % 6, seconds=71.0 + number)


def rows(count: int) -> tuple[Difference, ...]:
    fields = ("3.x",) * count
    return (
        Difference("Seed", SEEDS[:count], fields=fields),
        Difference("Guidance", (7.123456789, 7.123456788, 3.0, 1e-05)[:count], fields=fields),
        Difference("Scheduler", ("sgm_uniform", "linear_quadratic", "kl_optimal", "beta")[:count], fields=fields),
        Difference("Tiled", (True, False, None, True)[:count], fields=fields),
        Difference("Size", ("1344 \N{MULTIPLICATION SIGN} 768",) * count),
    )


@pytest.fixture
def at_scale(theme: Theme, request: pytest.FixtureRequest) -> Iterator[float]:
    scale: float = request.param
    before = theme.appearance
    theme.apply(Appearance(Scheme.DARK, scale, reduced_motion=True))
    yield scale
    theme.apply(before)


@pytest.mark.parametrize("at_scale", [1.0, 1.5, 2.0], indirect=True)
@pytest.mark.parametrize("count", [2, 3, 4])
def test_no_value_is_cut_off(theme: Theme, qtbot: QtBot, at_scale: float, count: int) -> None:
    table = CompareTable(theme)
    qtbot.addWidget(table)
    table.resize(theme.px(352), theme.px(700))
    table.show()
    table.show_rows([output(number) for number in range(count)], rows(count))
    qtbot.wait(20)
    shown: dict[str, int] = {}
    for cell in table.findChildren(Button):
        if cell.isVisible() and cell not in table.use:
            shown[cell.text()] = cell.width() - cell.fontMetrics().horizontalAdvance(cell.text())
    for label in table.findChildren(ElidedLabel):
        if label.isVisible():
            shown[label.accessibleName() or label.text()] = label.width() - label.sizeHint().width()
    for row in rows(count):
        for value in row.values:
            assert shown.get(words_of(value), 0) >= 0, (row.label, words_of(value))
            assert words_of(value) in shown or value is None
    for words in table.findChildren(QLabel):
        assert words.width() >= words.minimumSizeHint().width() or not words.isVisible()


def test_what_differs_in_the_last_digit_is_told_apart() -> None:
    assert words_of(7.123456789) != words_of(7.123456788)
    assert [words_of(value) for value in (7.0, 0.1, 1e-05, -0.5, 2**64 - 1, None, True)] == [
        "7", "0.1", "1e-05", "-0.5", "18446744073709551615", "\N{EM DASH}", "on",
    ]  # fmt: skip


@pytest.fixture
def page(theme: Theme, qtbot: QtBot) -> Iterator[ComparePage]:
    thumbnails = Thumbnails()
    strip = Filmstrip(theme, thumbnails)
    strip.show_model(GalleryModel(strip))
    made = ComparePage(theme, strip)
    qtbot.addWidget(made)
    yield made
    thumbnails.close()


@pytest.mark.parametrize("at_scale", [1.0, 1.5, 2.0], indirect=True)
def test_the_tools_are_whole_at_every_size(page: ComparePage, at_scale: float, qtbot: QtBot) -> None:
    """As wide as the middle is beside the table in a window of 1440 that a screen of 1944 shows at 200 %."""
    page.resize({1.0: 1056, 1.5: 1000, 2.0: 1150}[at_scale], 900)
    page.show()
    qtbot.wait(20)
    page.zoom.setText("1600 %")
    qtbot.wait(20)
    for at in range(4):
        button = page.modes.button(at)
        assert button.width() >= button.minimumSizeHint().width(), button.text()
    for widget in (page.back, page.fit, page.whole, page.swap, page.minus, page.plus):
        assert widget.width() >= widget.minimumSizeHint().width()
        assert widget.geometry().right() <= page.width()
    assert page.zoom.width() >= page.zoom.fontMetrics().horizontalAdvance("1600 %")
    assert page.minimumSizeHint().width() <= page.width()


# --- Pictures ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def compared(theme: Theme, qtbot: QtBot, tmp_path: Path) -> Iterator[CompareView]:
    """Red against nearly red, with a blue spot; 400 by 300, shown 1:1."""
    one, two = Image.new("RGB", (400, 300), (200, 30, 40)), Image.new("RGB", (400, 300), (200, 30, 40))
    two.paste((20, 40, 220), (300, 100, 380, 180))
    paths = [tmp_path / "one.png", tmp_path / "two.png"]
    for picture, path in zip((one, two), paths, strict=True):
        picture.save(path)
    tiles, view = Tiles(), CompareView(theme)
    qtbot.addWidget(view)
    view.resize(400, 300)
    view.show()
    view.show_pictures([output(at, path) for at, path in enumerate(paths)], [tiles.open(str(path)) for path in paths])
    view.set_mode(Mode.SLIDER)
    qtbot.waitUntil(lambda: not view.stack.image_size().isEmpty(), timeout=WAIT)
    yield view
    tiles.close()
    qtbot.wait(20)


def colour(view: CompareView, x: int, y: int) -> tuple[int, int, int]:
    shot: QImage = view.grab().toImage()
    found = shot.pixelColor(x, y)
    return found.red(), found.green(), found.blue()


def near(found: tuple[int, int, int], wanted: tuple[int, int, int]) -> bool:
    return all(abs(a - b) <= 2 for a, b in zip(found, wanted, strict=True))


RED, BLUE = (200, 30, 40), (20, 40, 220)


def test_the_slider_uncovers_the_one_or_the_other(compared: CompareView, qtbot: QtBot) -> None:
    spot = (340, 150)
    qtbot.waitUntil(lambda: near(colour(compared, *spot), BLUE), timeout=WAIT)
    assert near(colour(compared, 60, 200), RED)
    stack = compared.stack
    at = QPointF(200, 200)

    def drag(kind: QEvent.Type, where: QPointF, buttons: Qt.MouseButton) -> None:
        press = QMouseEvent(
            kind, where, stack.mapToGlobal(where), Qt.MouseButton.LeftButton, buttons, Qt.KeyboardModifier.NoModifier
        )
        QApplication.sendEvent(stack, press)

    drag(QEvent.Type.MouseButtonPress, at, Qt.MouseButton.LeftButton)
    drag(QEvent.Type.MouseMove, QPointF(395, 200), Qt.MouseButton.LeftButton)
    drag(QEvent.Type.MouseButtonRelease, QPointF(395, 200), Qt.MouseButton.NoButton)
    assert near(colour(compared, *spot), RED), "the slider is at the right: all of it is A"
    for _ in range(60):
        QTest.keyClick(stack, Qt.Key.Key_Left)
    assert stack.split == 0
    assert near(colour(compared, *spot), BLUE)
    assert near(colour(compared, 60, 200), RED), "B as well is red there"


def test_the_difference_is_black_where_they_are_the_same(compared: CompareView, qtbot: QtBot) -> None:
    compared.set_mode(Mode.DIFFERENCE)
    qtbot.waitUntil(lambda: near(colour(compared, 340, 150), (180, 10, 180)), timeout=WAIT)
    assert near(colour(compared, 60, 200), (0, 0, 0))


def test_linked_views_show_the_same_part(compared: CompareView, qtbot: QtBot) -> None:
    compared.set_mode(Mode.SIDE)
    one, two = compared.views[:2]
    qtbot.waitUntil(lambda: not two.image_size().isEmpty(), timeout=WAIT)
    one.setFocus()
    one._take(one.lens.zoomed(3, (40, 40)))
    assert two.zoom == one.zoom == 3
    assert (two.lens.x, two.lens.y) == (one.lens.x, one.lens.y)
    compared.linked = False
    one._take(one.lens.moved(-50, 0))
    assert two.lens.x != one.lens.x
    assert QPoint(one.place().x, one.place().y) != QPoint(two.place().x, two.place().y)


@pytest.mark.parametrize("at_scale", [1.0, 1.25, 1.5], indirect=True)
def test_words_that_have_the_room_they_were_measured_for_are_whole(theme: Theme, at_scale: float) -> None:
    sheet = QImage(800, 100, QImage.Format.Format_RGB32)
    painter = QPainter(sheet)
    metrics, names = theme.metrics("small"), [f"ComfyDesk_{number:05}_.png" for number in range(60)]
    texts = ("Black where they are the same", "Schwarz, wo sie gleich sind", *names)
    measured = [metrics.horizontalAdvance(words) for words in texts]
    took = [
        paint.text(
            painter,
            QRect(0, 0, wide, 40),
            words,
            theme.font("small"),
            theme.color("text"),
            elide=Qt.TextElideMode.ElideMiddle,
            metrics=metrics,
        )
        for words, wide in zip(texts, measured, strict=True)
    ]
    painter.end()
    assert took == measured
