"""Files to work from: dropped, pasted, chosen; decoded off the GUI thread; refused in words."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QThreadPool, QUrl
from PySide6.QtGui import QColor, QDragEnterEvent, QDropEvent, QGuiApplication, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from comfydesk.qt.models.thumbnails import Thumbnails
from comfydesk.qt.theme import Theme
from comfydesk.qt.widgets.drop_files import refusal
from comfydesk.qt.widgets.drop_zone import DropZone
from comfydesk.store.records import LocalFile


@pytest.fixture
def thumbnails(qtbot: QtBot) -> Iterator[Thumbnails]:
    made = Thumbnails()
    yield made
    made.close()


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    image = QImage(640, 360, QImage.Format.Format_RGB32)
    image.fill(QColor("#20aa40"))
    path = tmp_path / "valley.png"
    assert image.save(str(path))
    return path


def drop(zone: DropZone, *paths: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    how = (Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(zone, QDragEnterEvent(QPoint(10, 10), *how))
    QApplication.sendEvent(zone, QDropEvent(QPointF(10, 10), *how))


def test_a_dropped_picture_is_taken_and_shown(
    theme: Theme, qtbot: QtBot, thumbnails: Thumbnails, picture: Path
) -> None:
    zone = DropZone(theme, thumbnails=thumbnails)
    qtbot.addWidget(zone)
    zone.resize(320, 96)
    zone.show()
    with qtbot.waitSignals([zone.value_changed, thumbnails.ready]):
        drop(zone, picture)
    assert zone.value() == picture
    assert zone._filled._name.text() == "valley.png"
    assert zone._filled._details.text().startswith("640 \N{MULTIPLICATION SIGN} 360")
    preview = zone._filled.preview.grab().toImage()
    middle, wanted = preview.pixelColor(preview.width() // 2, preview.height() // 2), QColor("#20aa40")
    assert abs(middle.red() - wanted.red()) + abs(middle.green() - wanted.green()) < 6, "a thumbnail is a JPEG"


def test_a_file_of_another_kind_is_refused_and_nothing_is_lost(
    theme: Theme, qtbot: QtBot, picture: Path, tmp_path: Path
) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("no picture")
    zone = DropZone(theme, "image", picture)
    qtbot.addWidget(zone)
    with qtbot.waitSignal(zone.problem_changed) as caught:
        drop(zone, notes)
    assert caught.args is not None
    assert caught.args[0].startswith("notes.txt is no picture that can be sent.")
    assert zone.value() == picture


def test_a_broken_picture_says_why(theme: Theme, qtbot: QtBot, thumbnails: Thumbnails, tmp_path: Path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\n and then nothing")
    zone = DropZone(theme, thumbnails=thumbnails)
    qtbot.addWidget(zone)
    with qtbot.waitSignal(thumbnails.failed):
        zone.offer(broken)
    assert zone.problem().startswith("broken.png cannot be read: ")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [("gone.png", None, "no longer there"), ("empty.png", b"", "is empty"), ("a.mp4", b"x", "is no picture")],
)
def test_what_cannot_be_sent_is_said(tmp_path: Path, name: str, content: bytes | None, words: str) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    assert words in refusal(path, "image")
    assert "is a folder" in refusal(tmp_path, "image")


def test_500_megabytes_are_taken_without_being_read(theme: Theme, qtbot: QtBot, tmp_path: Path) -> None:
    huge = tmp_path / "huge.png"
    with huge.open("wb") as file:
        file.truncate(500_000_000)
    zone = DropZone(theme)
    qtbot.addWidget(zone)
    zone.offer(huge)
    assert zone.value() == huge
    assert zone._filled._details.text() == "500 MB"


def test_a_picture_from_the_clipboard_becomes_a_file(theme: Theme, qtbot: QtBot, tmp_path: Path) -> None:
    zone = DropZone(theme, pasted=tmp_path / "pasted")
    qtbot.addWidget(zone)
    image = QImage(20, 10, QImage.Format.Format_RGB32)
    image.fill(QColor("red"))
    QGuiApplication.clipboard().setImage(image)
    QTest.keyClick(zone, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert zone.value() == "", "written on a worker"
    zone.paste()
    qtbot.waitUntil(lambda: zone.value() == tmp_path / "pasted" / "pasted_0002.png")
    assert QThreadPool.globalInstance().waitForDone(5000)
    assert zone.accessibleDescription() == str(zone.value())
    assert sorted(path.name for path in (tmp_path / "pasted").iterdir()) == ["pasted_0001.png", "pasted_0002.png"]
    assert QImage(str(zone.value())).size() == image.size()
    QGuiApplication.clipboard().clear()


def test_a_file_of_the_pod_can_be_chosen(theme: Theme, qtbot: QtBot) -> None:
    zone = DropZone(theme, files=("example.png", "sub/other.png"))
    qtbot.addWidget(zone)
    zone.show()
    zone._empty.pod.click()
    assert zone._popup is not None
    QTest.mouseClick(zone._popup.view.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(20, 40))
    assert zone.value() == "sub/other.png"
    assert zone._filled._details.text() == "In the pod's input folder"


def test_delete_takes_the_file_away(theme: Theme, qtbot: QtBot, picture: Path) -> None:
    zone = DropZone(theme, "image", picture)
    qtbot.addWidget(zone)
    with qtbot.waitSignal(zone.value_changed) as caught:
        QTest.keyClick(zone, Qt.Key.Key_Delete)
    assert caught.args == [""]


def test_a_path_that_a_workflow_names_is_never_looked_at_and_one_that_the_user_put_in_is(
    theme: Theme, qtbot: QtBot, thumbnails: Thumbnails, picture: Path
) -> None:
    zone = DropZone(theme, "image", str(picture), thumbnails=thumbnails)
    qtbot.addWidget(zone)
    assert zone._filled._details.text() == "In the pod's input folder"
    assert zone.value() == str(picture), "a name on the pod, whatever it looks like"
    assert not thumbnails._loading
    zone.set_value(LocalFile(str(picture), "", 1))
    assert zone.value() == picture
    assert zone._filled._details.text().startswith("640 ")
    picture.unlink()
    zone.set_value(picture)
    assert zone._filled._details.text() == "No longer on this computer"
