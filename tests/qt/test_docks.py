"""The docks on their own: each with a model, in one line, without a session."""

from array import array
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
import shiboken6
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from comfydesk.qt.dialogs.viewer import Viewer
from comfydesk.qt.docks.canvas import Canvas
from comfydesk.qt.docks.intent import QUICK_ACTIONS, IntentBar
from comfydesk.qt.docks.jobline import JobLine, Running
from comfydesk.qt.docks.preview import PreviewPanel
from comfydesk.qt.models.gallery import GalleryModel
from comfydesk.qt.models.thumbnails import Thumbnails
from comfydesk.qt.theme import Theme
from comfydesk.store.listing import Listing
from comfydesk.store.records import Output
from comfydesk.store.search import EVERYTHING, Grouping, Order

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
def outputs() -> GalleryModel:
    return GalleryModel()


def put(model: GalleryModel, *made: Output) -> None:
    """List these, the newest first."""
    made = tuple(sorted(made, key=lambda each: -each.created))
    ids, aspects = array("q", (each.id for each in made)), array("f", (1.5 for _ in made))
    times = array("d", (each.created for each in made))
    model.show(Listing(ids, aspects, times, (), EVERYTHING, Order.NEWEST, Grouping.NONE))
    model.put(made)


# --- Preview --------------------------------------------------------------------------------------------------------


def test_what_is_shown_can_be_used_again_and_be_a_favourite(theme: Theme, qtbot: QtBot, tmp_path: Path) -> None:
    panel = PreviewPanel(theme)
    qtbot.addWidget(panel)
    panel.resize(900, 500)
    panel.show()
    made = output(1, picture(tmp_path / "made.png"))
    panel.show_output(made)
    qtbot.waitUntil(lambda: not panel.canvas.image.isNull())
    with qtbot.waitSignal(panel.reuse) as used:
        panel.idle_bar.use.click()
    assert used.args == [made]
    with qtbot.waitSignal(panel.favoured) as liked:
        panel.idle_bar.star.click()
    assert liked.args == [made, True]
    panel.show_output(replace(made, favourite=True))
    assert panel.idle_bar.star.accessibleName() == "Remove from favourites"
    panel.resize(260, 500)
    assert panel.idle_bar.use.isHidden(), "where it is narrow the words give way"
    assert not panel.idle_bar.fit.isHidden()


def test_the_preview_shows_the_rough_picture_while_a_job_runs_and_the_last_output_after_it(
    theme: Theme, qtbot: QtBot, tmp_path: Path
) -> None:
    panel = PreviewPanel(theme)
    qtbot.addWidget(panel)
    panel.resize(800, 500)
    panel.show()
    assert not panel.empty.isVisible(), "nothing is known yet"
    panel.mark_known()
    assert panel.empty.isVisible()
    made = output(1, picture(tmp_path / "made.png"))
    panel.show_output(made)
    assert not panel.empty.isVisible(), "it is on its way"
    qtbot.waitUntil(lambda: not panel.canvas.image.isNull())
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
    theme: Theme, qtbot: QtBot, outputs: GalleryModel, tmp_path: Path
) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    editor = QLineEdit(window)
    viewer = Viewer(theme, outputs, window, Thumbnails(window))
    window.show()
    window.activateWindow()
    editor.setFocus()
    qtbot.waitUntil(editor.hasFocus)
    put(outputs, output(1, picture(tmp_path / "a.png")))
    viewer.open(1)
    shiboken6.delete(editor)
    viewer.shut()
    assert not viewer.isVisible()
    viewer.release()


def test_the_viewer_goes_from_picture_to_picture_and_gives_the_focus_back(
    theme: Theme, qtbot: QtBot, outputs: GalleryModel, tmp_path: Path
) -> None:

    window = QWidget()
    before = QLineEdit(window)
    qtbot.addWidget(window)
    window.resize(640, 480)
    viewer = Viewer(theme, outputs, window, Thumbnails(window))
    window.show()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    before.setFocus()
    put(outputs, output(1, picture(tmp_path / "a.png", 2000, 1000)), output(2, tmp_path / "gone.png"))
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


def test_rows_say_what_they_are(outputs: GalleryModel, tmp_path: Path) -> None:
    put(outputs, output(1, picture(tmp_path / "a.png")))
    assert outputs.index(0).data(Qt.ItemDataRole.AccessibleTextRole).startswith("a.png, prompt 1, ")
