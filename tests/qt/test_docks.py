"""The docks on their own: each with a model, in one line, without a session."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import shiboken6
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from comfydesk.qt.dialogs.viewer import Viewer
from comfydesk.qt.docks.canvas import Canvas
from comfydesk.qt.docks.dock import Dock
from comfydesk.qt.docks.gallery import GalleryPanel, aspect, day_words
from comfydesk.qt.docks.intent import QUICK_ACTIONS, IntentBar
from comfydesk.qt.docks.jobline import JobLine, Running
from comfydesk.qt.docks.preview import PreviewPanel
from comfydesk.qt.models.outputs import OutputModel
from comfydesk.qt.models.rows import THUMBNAIL, OutputRow, Shown
from comfydesk.qt.models.thumbnails import Thumbnails
from comfydesk.qt.theme import Theme
from comfydesk.store.records import Output

NOON = datetime.now().astimezone().replace(hour=12, minute=0, second=0, microsecond=0)


def picture(path: Path, width: int = 320, height: int = 200) -> Path:
    image = QImage(width, height, QImage.Format.Format_RGB32)
    image.fill(QColor("seagreen"))
    assert image.save(str(path))
    return path


def output(id_: int, path: Path, *, when: datetime = NOON, size: tuple[int, int] = (320, 200)) -> Output:
    return Output(id_, str(path), "image", path.stat().st_size if path.exists() else 0, "", when.timestamp() + id_,
                  prompt=f"prompt {id_}", width=size[0], height=size[1])  # fmt: skip


@pytest.fixture
def thumbnails(qtbot: QtBot) -> Iterator[Thumbnails]:
    made = Thumbnails()
    yield made
    made.close()


@pytest.fixture
def outputs(thumbnails: Thumbnails) -> OutputModel:
    return OutputModel(thumbnails)


# --- Gallery --------------------------------------------------------------------------------------------------------


def test_thumbnails_come_when_they_are_looked_at_and_a_broken_file_says_why(
    outputs: OutputModel, tmp_path: Path, qtbot: QtBot
) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG not really")
    outputs.put_outputs(
        [output(1, picture(tmp_path / "a.png", 1600, 1000)), output(2, broken), output(3, tmp_path / "gone.png")]
    )
    shown = {row.output.id: row.shown for row in outputs.rows()}
    assert set(shown.values()) == {Shown.LOADING}, "nothing is read before somebody looks"
    for row in range(3):
        outputs.index(row).data(THUMBNAIL)
    qtbot.waitUntil(lambda: all(row.shown is not Shown.LOADING for row in outputs.rows()))
    rows = {row.output.id: row for row in outputs.rows()}
    assert rows[1].shown is Shown.READY
    picture_ = outputs.index(outputs.row_of(1) or 0).data(THUMBNAIL)
    assert min(picture_.width(), picture_.height()) == 384
    assert (rows[2].shown, bool(rows[2].reason)) == (Shown.BROKEN, True)
    assert rows[3].shown is Shown.BROKEN


def test_newest_stand_first_and_are_fetched_page_by_page(
    outputs: OutputModel, tmp_path: Path, qtbot: QtBot, qtmodeltester: Any
) -> None:
    path = picture(tmp_path / "a.png")
    outputs.put_outputs(output(number, path) for number in range(5))
    assert [row.output.id for row in outputs.rows()] == [4, 3, 2, 1, 0]
    assert outputs.latest is not None
    assert outputs.latest.id == 4
    index = outputs.index(0).parent()
    assert outputs.canFetchMore(index)
    with qtbot.waitSignal(outputs.more_wanted):
        outputs.fetchMore(index)
    assert not outputs.canFetchMore(index), "one page at a time"
    qtmodeltester.check(outputs, force_py=True)


def test_the_strip_has_a_heading_for_each_day_and_tiles_in_the_shape_of_their_pictures(
    outputs: OutputModel, theme: Theme, tmp_path: Path, qtbot: QtBot
) -> None:
    path = picture(tmp_path / "a.png")
    dock = Dock(theme, "gallery", "Outputs")
    panel = GalleryPanel(theme, dock, outputs)
    qtbot.addWidget(dock)
    dock.resize(900, 200)
    dock.show()
    assert panel.empty.isVisible()
    outputs.put_outputs(
        [
            output(1, path, size=(1600, 900)),
            output(2, path, size=(900, 1600)),
            output(3, path, when=NOON - timedelta(days=1)),
        ]
    )
    qtbot.waitUntil(panel.strip.isVisible)
    wide, tall = panel.strip.visualRect(outputs.index_of(1)), panel.strip.visualRect(outputs.index_of(2))
    assert wide.width() > 2 * tall.width()
    assert wide.top() == tall.top()
    assert panel.strip.visualRect(outputs.index_of(3)).left() > max(wide.right(), tall.right())
    assert [day_words((NOON - timedelta(days=days)).date()) for days in (0, 1)] == ["Today", "Yesterday"]
    panel.strip.setFocus()
    panel.strip.setCurrentIndex(outputs.index_of(2))
    with qtbot.waitSignal(panel.large) as large:
        QTest.keyClick(panel.strip, Qt.Key.Key_Return)
    assert large.args is not None
    assert large.args[0].id == 2


@pytest.mark.parametrize(("width", "height", "shape"), [(100, 100, 1.0), (5000, 100, 2.2), (100, 5000, 0.6), (0, 0, 1)])
def test_no_tile_is_a_sliver(width: int, height: int, shape: float, tmp_path: Path) -> None:
    assert aspect(output(1, tmp_path / "x.png", size=(width, height))) == shape


# --- Preview --------------------------------------------------------------------------------------------------------


def test_the_preview_shows_the_rough_picture_while_a_job_runs_and_the_last_output_after_it(
    theme: Theme, qtbot: QtBot, tmp_path: Path
) -> None:
    panel = PreviewPanel(theme)
    qtbot.addWidget(panel)
    panel.resize(800, 500)
    panel.show()
    assert panel.empty.isVisible()
    made = output(1, picture(tmp_path / "made.png"))
    panel.show_output(made)
    qtbot.waitUntil(panel.canvas.isVisible)
    assert panel.canvas.image.size() == QSize(320, 200)
    assert panel.idle_bar.name.text() == "made.png"

    panel.show_running(Running("Sampler", 3, 7, 5, 20, 2.0, 8.0, 0.4))
    rough = QImage(64, 64, QImage.Format.Format_RGB32)
    panel.show_preview(rough)
    assert panel.running_bar.isVisible()
    assert panel.canvas.image.size() == QSize(64, 64)
    QTest.mouseClick(panel.running_bar.hide_preview, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: panel.canvas.image.size() == QSize(320, 200))
    panel.show_preview(rough)
    assert panel.canvas.image.size() == QSize(320, 200), "hidden stays hidden"
    QTest.mouseClick(panel.running_bar.hide_preview, Qt.MouseButton.LeftButton)
    assert panel.canvas.image.size() == QSize(64, 64)

    panel.show_running(None)
    qtbot.waitUntil(lambda: panel.canvas.image.size() == QSize(320, 200))
    before = panel.canvas.grab().toImage()
    panel.activateWindow()
    panel.canvas.setFocus()
    qtbot.waitUntil(panel.canvas.hasFocus)
    assert panel.canvas.grab().toImage() != before, "the focus is seen"
    with qtbot.waitSignal(panel.large):
        QTest.keyClick(panel.canvas, Qt.Key.Key_Return)
    assert panel.idle_bar.isVisible()
    panel.release()


def test_a_preview_without_a_job_is_left_out(theme: Theme, qtbot: QtBot) -> None:
    panel = PreviewPanel(theme)
    qtbot.addWidget(panel)
    panel.show_preview(QImage(8, 8, QImage.Format.Format_RGB32))
    assert panel.canvas.image.isNull()
    panel.release()


def test_a_finished_picture_is_fitted_but_not_blown_up(theme: Theme, qtbot: QtBot) -> None:
    canvas = Canvas(theme)
    qtbot.addWidget(canvas)
    canvas.resize(824, 424)
    canvas.show_picture(QImage(1600, 800, QImage.Format.Format_RGB32), QSize(1600, 800))
    assert canvas.picture_rect().size().toTuple() == (800, 400)
    canvas.show_picture(QImage(64, 64, QImage.Format.Format_RGB32), QSize(64, 64))
    assert canvas.picture_rect().width() == 128
    canvas.show_preview(QImage(64, 64, QImage.Format.Format_RGB32), QSize(512, 512))
    assert canvas.picture_rect().width() == 400


def test_the_line_on_the_running_job_keeps_the_time_left_longest(theme: Theme, qtbot: QtBot) -> None:
    line = JobLine(theme)
    qtbot.addWidget(line)
    running = Running("Sampler", 7, 11, 21, 30, 3.42, 34.0, 0.6)
    line.show_running(running)
    assert line.accessibleName() == "Sampler, node 7 of 11, 21 of 30 steps, 3.42 it/s, 0:34 left"
    assert [quiet for _, quiet in line._facts_that_fit(1000)] == ["of 30 steps", "it/s", "left"]
    assert [quiet for _, quiet in line._facts_that_fit(200)] == ["of 30 steps", "left"]
    assert [quiet for _, quiet in line._facts_that_fit(10)] == ["left"]


# --- Viewer, intent bar ---------------------------------------------------------------------------------------------


def test_the_viewer_ends_well_when_the_editor_that_had_the_focus_is_gone(
    theme: Theme, qtbot: QtBot, outputs: OutputModel, tmp_path: Path
) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    editor = QLineEdit(window)
    viewer = Viewer(theme, outputs, window)
    window.show()
    window.activateWindow()
    editor.setFocus()
    qtbot.waitUntil(editor.hasFocus)
    outputs.put_outputs([output(1, picture(tmp_path / "a.png"))])
    viewer.open(1)
    shiboken6.delete(editor)
    viewer.shut()
    assert not viewer.isVisible()
    viewer.release()


def test_the_viewer_goes_from_picture_to_picture_and_gives_the_focus_back(
    theme: Theme, qtbot: QtBot, outputs: OutputModel, tmp_path: Path
) -> None:

    window = QWidget()
    before = QLineEdit(window)
    qtbot.addWidget(window)
    window.resize(640, 480)
    viewer = Viewer(theme, outputs, window)
    window.show()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    before.setFocus()
    outputs.put_outputs([output(1, picture(tmp_path / "a.png", 2000, 1000)), output(2, tmp_path / "gone.png")])
    viewer.open(2)
    qtbot.waitUntil(viewer._trouble.isVisible)
    assert viewer._trouble.text() == "The file is no longer there."
    QTest.keyClick(viewer.view, Qt.Key.Key_Right)
    qtbot.waitUntil(lambda: viewer.view.image_size().width() == 2000)
    assert not viewer._trouble.isVisible()
    assert 0.2 < viewer.view.zoom <= 0.33
    QTest.keyClick(viewer.view, Qt.Key.Key_Right)
    assert viewer.view.image_size().width() == 2000, "there is nothing older"
    window.resize(900, 700)
    assert viewer.size() == window.size()
    QTest.keyClick(viewer.view, Qt.Key.Key_Escape)
    assert before.hasFocus()
    viewer.release()


def test_quick_actions_that_do_not_fit_are_in_the_more_menu(theme: Theme, qtbot: QtBot) -> None:
    bar = IntentBar(theme)
    qtbot.addWidget(bar)
    bar.resize(2000, 52)
    bar.show()
    assert all(button.isVisible() for button in bar.buttons)
    bar.resize(820, 52)
    hidden = [action for action, button in zip(QUICK_ACTIONS, bar.buttons, strict=True) if not button.isVisible()]
    assert hidden
    assert bar._more.isVisible()
    QTest.mouseClick(bar._more, Qt.MouseButton.LeftButton)
    assert [entry.text() for entry in bar._menu.actions()] == [action.words for action in hidden]
    with qtbot.waitSignal(bar.picked) as picked:
        bar._menu.actions()[-1].trigger()
    assert picked.args == [hidden[-1]]
    bar._menu.close()


def test_rows_say_what_they_are(outputs: OutputModel, tmp_path: Path) -> None:
    outputs.put_outputs([output(1, picture(tmp_path / "a.png"))])
    assert isinstance(outputs.rows()[0], OutputRow)
    assert outputs.index(0).data(Qt.ItemDataRole.AccessibleTextRole).startswith("a.png, prompt 1, ")
