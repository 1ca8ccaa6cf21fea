"""The viewer over a real grid model: leafing, zooming, what plays, what is broken, and the way out."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from comfydesk.qt.dialogs.viewer import Viewer
from comfydesk.qt.models.gallery import GalleryModel
from comfydesk.qt.models.thumbnails import Thumbnails
from comfydesk.qt.theme import Theme
from comfydesk.store.listing import Listing
from comfydesk.store.records import Output
from comfydesk.store.search import EVERYTHING, Grouping, Order

WAIT = 10_000


def saved(path: Path, size: tuple[int, int] = (600, 400), mode: str = "RGB") -> Path:
    Image.linear_gradient("L").resize(size).convert(mode).save(path)
    return path


def output_of(number: int, path: Path, media: str = "image", size: tuple[int, int] | None = (600, 400)) -> Output:
    wide, high = size or (None, None)
    length = path.stat().st_size if path.exists() else 0
    return Output(number, str(path), media, length, "", time.time() - number, width=wide, height=high, prompt="a hill")


def model_of(*outputs: Output) -> GalleryModel:
    from array import array

    ids, count = array("q", [each.id for each in outputs]), len(outputs)
    shapes, times = array("f", [1.5] * count), array("d", [each.created for each in outputs])
    model = GalleryModel()
    model.show(Listing(ids, shapes, times, (), EVERYTHING, Order.NEWEST, Grouping.NONE))
    model.put(outputs)
    return model


class Room:
    """A window with an editor, and the viewer over it."""

    def __init__(self, theme: Theme, qtbot: QtBot, *outputs: Output) -> None:
        self.window = QWidget()
        self.editor = QLineEdit(self.window)
        qtbot.addWidget(self.window)
        self.window.resize(800, 640)
        self.thumbnails = Thumbnails()
        self.model = model_of(*outputs)
        self.viewer = Viewer(theme, self.model, self.window, self.thumbnails)
        self.window.show()
        self.window.activateWindow()
        qtbot.waitUntil(self.window.isActiveWindow)
        self.editor.setFocus()
        self.outputs = outputs

    def close(self) -> None:
        self.viewer.release()
        self.thumbnails.close()


@pytest.fixture
def rooms(theme: Theme, qtbot: QtBot) -> Iterator["list[Room]"]:
    made: list[Room] = []
    yield made
    for room in made:
        room.close()


def width(viewer: Viewer) -> int:
    return viewer.view.image_size().width()


def test_one_leafs_with_the_keys_and_the_focus_comes_back(
    theme: Theme, qtbot: QtBot, tmp_path: Path, rooms: "list[Room]"
) -> None:
    first = output_of(1, saved(tmp_path / "a.png", (2000, 1000)))
    second = output_of(2, saved(tmp_path / "b.png", (300, 200)))
    room = Room(theme, qtbot, first, second)
    rooms.append(room)
    viewer = room.viewer
    viewer.open(first)
    qtbot.waitUntil(lambda: width(viewer) == 2000, timeout=WAIT)
    assert viewer.view.fitted
    assert 0.2 < viewer.view.zoom < 0.41
    QTest.keyClick(viewer.view, Qt.Key.Key_Right)
    qtbot.waitUntil(lambda: width(viewer) == 300, timeout=WAIT)
    assert viewer.view.zoom == 1, "small ones are not enlarged"
    QTest.keyClick(viewer.view, Qt.Key.Key_Right)
    assert viewer.output is not None
    assert viewer.output.id == 2, "there is nothing further"
    QTest.keyClick(viewer.view, Qt.Key.Key_Home)
    assert viewer.output.id == 1
    QTest.keyClick(viewer.view, Qt.Key.Key_Escape)
    assert not viewer.isVisible()
    assert room.editor.hasFocus()


def test_the_neighbours_are_read_in_advance_and_others_let_go(
    theme: Theme, qtbot: QtBot, tmp_path: Path, rooms: "list[Room]"
) -> None:
    outputs = [output_of(number, saved(tmp_path / f"{number}.png")) for number in range(1, 6)]
    room = Room(theme, qtbot, *outputs)
    rooms.append(room)
    room.viewer.open(outputs[0])
    assert sorted(room.viewer._pictures) == [1, 2]
    room.viewer.step(1)
    room.viewer.step(1)
    assert sorted(room.viewer._pictures) == [2, 3, 4]
    assert len(room.viewer.tiles._readings) == 3


def test_the_wheel_zooms_about_the_pointer_and_a_drag_moves(
    theme: Theme, qtbot: QtBot, tmp_path: Path, rooms: "list[Room]"
) -> None:
    room = Room(theme, qtbot, output_of(1, saved(tmp_path / "a.png", (2000, 1400))))
    rooms.append(room)
    viewer, view = room.viewer, room.viewer.view
    viewer.open(room.outputs[0])
    qtbot.waitUntil(lambda: width(viewer) == 2000, timeout=WAIT)
    spot = QPointF(200, 200)
    view.set_zoom(1)

    def under() -> tuple[float, float]:
        x, y = view.lens.origin
        return (spot.x() - x) / view.zoom, (spot.y() - y) / view.zoom

    before = under()
    wheel = QWheelEvent(spot, view.mapToGlobal(spot), QPoint(), QPoint(0, 120), Qt.MouseButton.NoButton,
                        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False)  # fmt: skip
    QApplication.sendEvent(view, wheel)
    assert view.zoom == pytest.approx(1.25)
    assert under() == pytest.approx(before, abs=1)
    at = view.lens.origin
    QTest.mousePress(view, Qt.MouseButton.LeftButton, pos=QPoint(300, 300))
    QTest.mouseMove(view, QPoint(280, 310))
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, pos=QPoint(280, 310))
    assert view.lens.origin == pytest.approx((at[0] - 20, at[1] + 10), abs=1)
    QTest.mouseDClick(view, Qt.MouseButton.LeftButton, pos=QPoint(300, 300))
    assert view.fitted


def test_what_is_painted_is_the_picture_and_clear_parts_show_chequers(
    theme: Theme, qtbot: QtBot, tmp_path: Path, rooms: "list[Room]"
) -> None:
    image = Image.new("RGBA", (400, 400), (0, 0, 0, 0))
    image.paste((200, 30, 40, 255), (0, 0, 400, 200))
    image.save(tmp_path / "half.png")
    room = Room(theme, qtbot, output_of(1, tmp_path / "half.png", size=(400, 400)))
    rooms.append(room)
    viewer = room.viewer
    viewer.open(room.outputs[0])
    middle = viewer.view.rect().center()

    def colour(dx: int, dy: int) -> tuple[int, int, int]:
        found = viewer.view.grab().toImage().pixelColor(middle + QPoint(dx, dy))
        return found.red(), found.green(), found.blue()

    qtbot.waitUntil(lambda: colour(0, -100) == (200, 30, 40), timeout=WAIT)
    shades = {colour(x, 100) for x in range(0, 40, 2)}
    assert len(shades) == 2, "two shades of grey in turn"


def test_a_broken_file_says_why_and_offers_another_program(
    theme: Theme, qtbot: QtBot, tmp_path: Path, rooms: "list[Room]"
) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\n not really")
    room = Room(theme, qtbot, output_of(1, broken), output_of(2, tmp_path / "gone.png"))
    rooms.append(room)
    viewer = room.viewer
    viewer.open(room.outputs[0])
    qtbot.waitUntil(viewer._trouble.isVisible, timeout=WAIT)
    assert viewer._trouble.button.text() == "Open in another program"
    viewer.step(1)
    qtbot.waitUntil(lambda: viewer._trouble.text() == "The file is no longer there.", timeout=WAIT)


def test_full_screen_leaves_the_picture_alone_and_escape_ends_that_first(
    theme: Theme, qtbot: QtBot, tmp_path: Path, rooms: "list[Room]"
) -> None:
    room = Room(theme, qtbot, *(output_of(number, saved(tmp_path / f"{number}.png")) for number in (1, 2)))
    rooms.append(room)
    viewer = room.viewer
    viewer.open(room.outputs[0])
    QTest.keyClick(viewer.view, Qt.Key.Key_F)
    assert not viewer.bar.isVisible()
    assert not viewer.strip.isVisible()
    assert room.window.isFullScreen()
    QTest.keyClick(viewer.view, Qt.Key.Key_Escape)
    assert viewer.bar.isVisible()
    assert not room.window.isFullScreen()
    assert viewer.isVisible()
    viewer.set_slides(True)
    assert viewer.output is not None
    viewer._next_slide()
    assert viewer.output.id == 2
    viewer._next_slide()
    assert viewer.output.id == 1, "it begins again"
    viewer.shut()
    assert not viewer._slides.isActive()


def test_the_filmstrip_leads_to_what_is_clicked(
    theme: Theme, qtbot: QtBot, tmp_path: Path, rooms: "list[Room]"
) -> None:
    outputs = [output_of(number, saved(tmp_path / f"{number}.png")) for number in range(1, 5)]
    room = Room(theme, qtbot, *outputs)
    rooms.append(room)
    room.viewer.open(outputs[0])
    strip = room.viewer.strip
    QTest.mouseClick(strip, Qt.MouseButton.LeftButton, pos=strip.rect_of(2).center())
    assert room.viewer.output is not None
    assert room.viewer.output.id == 3
    room.viewer.info.copy_prompt()
    assert QApplication.clipboard().text() == "a hill"


def test_text_and_scenes_are_a_card(theme: Theme, qtbot: QtBot, tmp_path: Path, rooms: "list[Room]") -> None:
    path = tmp_path / "scene.glb"
    path.write_bytes(b"glTF")
    room = Room(theme, qtbot, output_of(1, path, "model3d", None))
    rooms.append(room)
    room.viewer.open(room.outputs[0])
    assert room.viewer.card.isVisible()
    assert not room.viewer.bar.fit.isVisible(), "there is nothing to zoom"


@pytest.mark.qt_log_ignore("Could not open media", extend=True)
@pytest.mark.parametrize("media", ["video", "audio", "text"])
def test_the_keys_work_for_whatever_is_shown(
    theme: Theme, qtbot: QtBot, tmp_path: Path, rooms: "list[Room]", media: str
) -> None:
    file = tmp_path / "made.bin"
    file.write_bytes(b"made")
    room = Room(theme, qtbot, output_of(1, file, media, None), output_of(2, saved(tmp_path / "b.png")))
    rooms.append(room)
    viewer = room.viewer
    viewer.open(room.outputs[0])

    def press(key: Qt.Key) -> None:
        focused = room.window.focusWidget()
        assert focused is not None
        assert viewer.isAncestorOf(focused)
        assert focused.isVisible()
        QTest.keyClick(focused, key)

    press(Qt.Key.Key_Right)
    assert viewer.output is not None
    assert viewer.output.id == 2
    qtbot.waitUntil(viewer.view.isVisible, timeout=WAIT)
    press(Qt.Key.Key_Left)
    assert viewer.output.id == 1
    press(Qt.Key.Key_Escape)
    assert not viewer.isVisible()
    assert room.editor.hasFocus()


COLOURS = ((220, 30, 30), (30, 200, 30), (40, 60, 230))


@pytest.mark.parametrize("kind", ["gif", "webp", "png"])
def test_a_picture_that_moves_plays_in_its_place(
    theme: Theme, qtbot: QtBot, tmp_path: Path, rooms: "list[Room]", kind: str
) -> None:
    path = tmp_path / f"moving.{kind}"
    frames = [Image.new("RGB", (64, 48), colour) for colour in COLOURS]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=40, loop=0, lossless=True)
    room = Room(theme, qtbot, output_of(1, path, size=(64, 48)), output_of(2, saved(tmp_path / "b.png")))
    rooms.append(room)
    viewer, player = room.viewer, room.viewer.page.playback
    viewer.open(room.outputs[0])
    seen: set[int] = set()

    def nearest() -> int:
        shot = viewer.view.grab().toImage()
        middle = shot.pixelColor(shot.width() // 2, shot.height() // 2)
        rgb = (middle.red(), middle.green(), middle.blue())
        return min(range(3), key=lambda at: sum(abs(a - b) for a, b in zip(COLOURS[at], rgb, strict=True)))

    def all_seen() -> bool:
        seen.add(nearest())
        return len(seen) == 3

    qtbot.waitUntil(all_seen, timeout=WAIT)
    assert viewer.page.transport.isVisible()
    assert not viewer.page.transport.mute.isVisible(), "it has no sound"
    assert viewer.bar.fit.isVisible(), "and it can be zoomed"
    QTest.keyClick(viewer.view, Qt.Key.Key_Space)
    assert not player.playing
    player.seek(0)
    qtbot.waitUntil(lambda: nearest() == 0, timeout=WAIT)
    QTest.keyClick(viewer.view, Qt.Key.Key_Period)
    qtbot.waitUntil(lambda: nearest() == 1, timeout=WAIT)
    QTest.keyClick(viewer.view, Qt.Key.Key_Period)
    qtbot.waitUntil(lambda: nearest() == 2, timeout=WAIT)
    QTest.keyClick(viewer.view, Qt.Key.Key_Comma)
    qtbot.waitUntil(lambda: nearest() == 1, timeout=WAIT)
    QTest.keyClick(viewer.view, Qt.Key.Key_2)
    assert viewer.view.zoom == 2
    QTest.keyClick(viewer.view, Qt.Key.Key_Right)
    assert not viewer.page.transport.isVisible()
    assert viewer.view.picture is not None
    assert viewer.view.picture.path.endswith("b.png")


@pytest.mark.parametrize("kind", ["gif", "webp", "png"])
def test_what_moves_and_is_cut_off_shows_what_there_is(
    theme: Theme, qtbot: QtBot, tmp_path: Path, rooms: "list[Room]", kind: str
) -> None:
    path = tmp_path / f"moving.{kind}"
    frames = [Image.effect_noise((64, 48), 90).convert("RGB") for _ in range(6)]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=30)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    room = Room(theme, qtbot, output_of(1, path, size=(64, 48)))
    rooms.append(room)
    viewer = room.viewer
    viewer.open(room.outputs[0])
    player = viewer.page.playback
    qtbot.waitUntil(
        lambda: bool(player.trouble) or bool(viewer._trouble.isVisible()) or not player.image.isNull(), timeout=WAIT
    )
    qtbot.wait(300)
    assert viewer.isVisible()


def test_a_slideshow_goes_round_in_full_screen_and_a_key_ends_it(
    theme: Theme, qtbot: QtBot, tmp_path: Path, rooms: "list[Room]"
) -> None:
    outputs = [output_of(number, saved(tmp_path / f"{number}.png")) for number in (1, 2, 3)]
    room = Room(theme, qtbot, *outputs)
    rooms.append(room)
    viewer = room.viewer
    viewer._slides.setInterval(30)
    viewer.open(outputs[1])
    qtbot.waitUntil(lambda: width(viewer) > 0, timeout=WAIT)
    QTest.keyClick(viewer.view, Qt.Key.Key_S)
    assert viewer.full_screen
    seen: list[int] = []

    def round_it_goes() -> bool:
        assert viewer.output is not None
        if not seen or seen[-1] != viewer.output.id:
            seen.append(viewer.output.id)
        return len(seen) >= 4

    qtbot.waitUntil(round_it_goes, timeout=WAIT)
    assert seen[:4] == [2, 3, 1, 2]
    QTest.keyClick(viewer.view, Qt.Key.Key_S)
    assert viewer.bar.isVisible()
    assert not viewer._slides.isActive()
    assert viewer.isVisible()


def test_one_to_one_shows_each_pixel_as_it_is(theme: Theme, qtbot: QtBot, tmp_path: Path, rooms: "list[Room]") -> None:
    picture = Image.effect_noise((2000, 1500), 80).convert("RGB")
    path = tmp_path / "noise.png"
    picture.save(path)
    room = Room(theme, qtbot, output_of(1, path, size=(2000, 1500)))
    rooms.append(room)
    viewer = room.viewer
    viewer.open(room.outputs[0])
    qtbot.waitUntil(lambda: width(viewer) > 0, timeout=WAIT)
    QTest.keyClick(viewer.view, Qt.Key.Key_1)
    assert viewer.view.zoom == 1
    place = viewer.view.place()

    def exact() -> bool:
        shot = viewer.view.grab().toImage()
        points = [(x, y) for x in range(40, shot.width() - 40, 97) for y in range(40, shot.height() - 40, 89)]
        return all(
            shot.pixelColor(x, y).red() == picture.getpixel((x - place.x, y - place.y))[0]  # type: ignore[index]
            for x, y in points
        )

    qtbot.waitUntil(exact, timeout=WAIT)
