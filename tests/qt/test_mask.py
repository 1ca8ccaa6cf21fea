"""Painting a mask: strokes, undo, keyboard, zoom; what comes out is what pods read; the source stays."""

import time
from pathlib import Path

import pytest
from PIL import Image
from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from comfydesk.qt.dialogs.mask import SHOWN_EDGE, MaskPage
from comfydesk.qt.theme import Theme
from comfydesk.qt.widgets.mask_layer import UNDO_BYTES, Brush, MaskLayer, feathered, reduced
from comfydesk.session.shelves.masks import mask_size, open_picture, write_masked


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "valley.png"
    Image.linear_gradient("L").resize((640, 360)).convert("RGB").save(path)
    return path


@pytest.fixture
def page(theme: Theme, qtbot: QtBot, picture: Path) -> MaskPage:
    made = MaskPage(theme)
    qtbot.addWidget(made)
    made.resize(800, 600)
    made.show()
    opened = open_picture(picture, SHOWN_EDGE)
    made.show_picture(opened, mask_size(opened.size))
    return made


def level(page: MaskPage, x: int, y: int) -> int:
    assert page.canvas.layer is not None
    return page.canvas.layer.image.pixelColor(x, y).red()


def drag(page: MaskPage, start: tuple[int, int], end: tuple[int, int]) -> None:
    canvas = page.canvas
    first, last = (canvas._offset + QPointF(*place) * canvas._scale for place in (start, end))
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=first.toPoint())
    QTest.mouseMove(canvas, last.toPoint())
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=last.toPoint())


def test_a_stroke_is_masked_undone_and_redone(page: MaskPage) -> None:
    assert not page.undo.isEnabled()
    drag(page, (100, 100), (300, 100))
    assert (level(page, 200, 100), level(page, 200, 300)) == (255, 0)
    page.undo.click()
    assert level(page, 200, 100) == 0
    page.redo.click()
    assert level(page, 200, 100) == 255


def test_the_eraser_takes_away_and_invert_turns_round(page: MaskPage) -> None:
    page.invert.click()
    assert level(page, 10, 10) == 255
    QTest.keyClick(page.canvas, Qt.Key.Key_E)
    drag(page, (100, 100), (300, 100))
    assert level(page, 200, 100) == 0
    page.wipe.click()
    assert page.canvas.layer is not None
    assert page.canvas.layer.is_empty()
    page.canvas.undo()
    assert level(page, 10, 10) == 255, "everything is a step that can be undone"


def test_it_is_painted_by_keyboard_alone(page: MaskPage) -> None:
    page.canvas.setFocus()
    QTest.keyPress(page.canvas, Qt.Key.Key_Space)
    for _ in range(4):
        QTest.keyClick(page.canvas, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    QTest.keyRelease(page.canvas, Qt.Key.Key_Space)
    assert (level(page, 320, 180), level(page, 340, 180), level(page, 100, 180)) == (255, 255, 0)
    QTest.keyClick(page.canvas, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert level(page, 320, 180) == 0


def test_brackets_and_slider_say_the_same_size(page: MaskPage) -> None:
    before = page.canvas.brush.radius
    for _ in range(5):
        QTest.keyClick(page.canvas, Qt.Key.Key_BracketRight)
    assert page.canvas.brush.radius > before * 2
    page.size_.slider.setValue(0)
    assert page.canvas.brush.radius < 2


def test_strokes_land_where_they_are_seen_when_zoomed(page: MaskPage) -> None:
    for _ in range(6):
        QTest.keyClick(page.canvas, Qt.Key.Key_Plus)
    drag(page, (320, 180), (330, 180))
    assert (level(page, 325, 180), level(page, 250, 180)) == (255, 0)
    QTest.keyClick(page.canvas, Qt.Key.Key_0)
    assert page.canvas._fits


def test_what_is_accepted_is_the_mask_and_the_source_stays(page: MaskPage, picture: Path, qtbot: QtBot) -> None:
    before = picture.read_bytes()
    drag(page, (100, 100), (300, 100))
    with qtbot.waitSignal(page.accepted) as caught:
        QTest.keyClick(page.canvas, Qt.Key.Key_Return, Qt.KeyboardModifier.AltModifier)
    assert caught.args is not None
    data, size = caught.args
    assert page.accept.busy
    path = write_masked(picture, data, (size.width(), size.height()), picture.parent)
    with Image.open(path) as made:
        alpha = made.getchannel("A").tobytes()
    assert (alpha[100 * 640 + 200], alpha[300 * 640 + 200]) == (0, 255)
    assert picture.read_bytes() == before


def test_a_feathered_edge_runs_out(page: MaskPage, qtbot: QtBot) -> None:
    assert page.canvas.layer is not None
    page.canvas.layer.begin(Brush(60, 1.0), QPointF(320, 180))
    page.canvas.layer.end()
    page.feather.slider.setValue(60)
    with qtbot.waitSignal(page.accepted) as caught:
        page.finish()
    assert caught.args is not None
    data = caught.args[0]
    row = data[180 * 640 : 181 * 640]
    edge = row[320 + 40 : 320 + 90]
    assert row[320] == 255
    assert sum(0 < value < 255 for value in edge) > 10, "a ramp, no step"


def test_soft_dabs_do_not_add_up() -> None:
    layer = MaskLayer(QSize(200, 100))
    layer.begin(Brush(30, 0.0), QPointF(50, 50))
    layer.line_to(QPointF(150, 50))
    layer.end()
    assert layer.image.pixelColor(100, 65).red() < 160, "half way to the edge, however many dabs lie there"


def test_undo_is_bounded() -> None:
    layer = MaskLayer(QSize(2048, 2048))
    for _ in range(60):
        layer.invert()
    assert sum(step.before.sizeInBytes() for step in layer._done) <= UNDO_BYTES
    assert layer.can_undo


def test_the_largest_mask_answers_at_once() -> None:
    layer = MaskLayer(QSize(4096, 4096))
    layer.begin(Brush(200, 0.5), QPointF(2000, 2000))
    started = time.perf_counter()
    layer.line_to(QPointF(2200, 2000))
    assert time.perf_counter() - started < 0.1
    layer.end()
    small = reduced(layer.image, 768)
    assert max(small.width(), small.height()) == 768
    assert feathered(small, 20).size() == small.size()


def test_before_the_picture_is_there_nothing_can_be_done(theme: Theme, qtbot: QtBot) -> None:
    page = MaskPage(theme)
    qtbot.addWidget(page)
    page.show_loading("huge.png")
    assert not page.accept.isEnabled()
    assert page.accept.toolTip()
    page.finish()
    page.canvas.undo()
