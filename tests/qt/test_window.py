"""The real window on a real demo pod, with keys and the mouse: the main job, and what else a person does on the way."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from comfydesk.demo.faults import out_of_memory
from comfydesk.qt.theme import Theme
from comfydesk.session.values import PodTarget
from comfydesk.store.records import JobState
from comfydesk.workflow.fields import Role
from tests.qt.studio import Loop, Studio

CTRL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def studio(qtbot: QtBot, gui_loop: Loop, theme: Theme, tmp_path: Path) -> Iterator[Studio]:
    made = Studio(qtbot, gui_loop, theme, tmp_path).open()
    yield made
    made.close()
    made.stop_pod()


@pytest.fixture
def lonely(qtbot: QtBot, gui_loop: Loop, theme: Theme, tmp_path: Path) -> Iterator[Studio]:
    """A window without a pod."""
    made = Studio(qtbot, gui_loop, theme, tmp_path).open(pod=False)
    yield made
    made.close()


def drop(studio: Studio, path: Path) -> None:
    """Let go of a file over the middle of the window."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    studio.window.dropEvent(
        QDropEvent(
            QPointF(700, 300), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
        )
    )


def test_from_a_workflow_to_a_picture_on_the_screen(studio: Studio, qtbot: QtBot) -> None:
    desk = studio.desk
    studio.ready()
    assert studio.opened == "Text to image", "a workflow is open and ready, without a click"
    studio.pick("Text to image")
    studio.rewrite("a red bicycle under a lamp")
    studio.generate()
    studio.until(lambda: studio.states() == [JobState.RUNNING])
    bar = desk.preview.running_bar
    studio.until(lambda: not desk.preview._preview.isNull())
    assert desk.preview.canvas.isVisible()
    studio.until(lambda: "of 20 steps" in bar.line.accessibleName())
    assert bar.line.accessibleName().startswith("Sampler, node ")
    assert bar.isVisible()
    assert 0 < bar.bar.fraction < 1
    studio.until(lambda: studio.states() == [JobState.DONE])
    studio.until(lambda: desk.outputs.latest is not None)
    output = desk.outputs.latest
    assert output is not None
    assert output.prompt == "a red bicycle under a lamp"
    assert Path(output.path).read_bytes().startswith(b"\x89PNG")
    studio.until(lambda: desk.preview.idle_bar.name.text() == Path(output.path).name)

    studio.click_row(desk.gallery.strip, 0, double=True)
    viewer = desk.viewer
    assert viewer.isVisible()
    studio.until(lambda: viewer.view.image_size().toTuple() == (768, 768))
    assert viewer.rect().size() == studio.window.size()
    studio.click(viewer.view)
    studio.keys(Qt.Key.Key_1)
    assert viewer.view.zoom == 1
    studio.keys(Qt.Key.Key_Plus)
    assert viewer.view.zoom > 1
    studio.keys(Qt.Key.Key_0)
    assert viewer.view.fitted
    studio.keys(Qt.Key.Key_Escape)
    assert not viewer.isVisible()

    studio.rewrite("another one")
    studio.generate()
    studio.until(lambda: studio.states()[0] is JobState.RUNNING)
    studio.until(bar.cancel.isVisible)
    studio.click(bar.cancel)
    studio.until(lambda: studio.states() == [JobState.CANCELLED, JobState.DONE])
    assert desk.outputs.rowCount() == 1
    assert not bar.isVisible()


def test_generate_answers_to_ctrl_enter_wherever_the_focus_is(studio: Studio) -> None:
    desk = studio.quick().desk
    studio.keys(Qt.Key.Key_F, CTRL)
    assert desk.browser.search.edit.hasFocus()
    studio.generate()
    studio.until(lambda: len(studio.states()) == 1)
    studio.keys(Qt.Key.Key_Space, CTRL)
    assert desk.intent.field.edit.hasFocus()
    studio.generate()
    studio.until(lambda: len(studio.states()) == 2)
    studio.click(studio.prompt.focusProxy() or studio.prompt)
    studio.generate()
    studio.until(lambda: len(studio.states()) == 3)
    assert "\n" not in studio.prompt.value()
    studio.until(lambda: studio.states() == [JobState.DONE] * 3)


def pick_of_queue(studio: Studio, words: str) -> None:
    """The line of the queue's own menu that begins with `words`."""
    queue = studio.desk.queue
    studio.click(queue.more)
    next(action for action in queue._menu.actions() if action.text().startswith(words)).trigger()
    queue._menu.close()


def test_several_jobs_queue_up_and_can_be_held_cancelled_and_cleared(studio: Studio) -> None:
    desk = studio.quick().desk
    studio.pod.speed = 0.03  # until some are held: however late this test looks, they wait
    footer, queue = desk.generation.footer, desk.queue
    for _ in range(3):
        studio.click(footer.count.more)
    assert footer.what.text() == "4 images"
    studio.click(footer.generate.main)
    studio.until(lambda: len(studio.states()) == 4)
    assert len({row.job.seed for row in desk.jobs.rows()}) == 4, "each job has a seed of its own"
    studio.until(lambda: studio.states()[0] is JobState.RUNNING and JobState.QUEUED in studio.states())
    pick_of_queue(studio, "Hold")
    studio.until(lambda: JobState.HELD in studio.states() and JobState.QUEUED not in studio.states())
    held = studio.states().count(JobState.HELD)
    row = studio.states().index(JobState.HELD)
    queue.list.setCurrentIndex(desk.jobs.index(row))
    queue.list.setFocus()
    studio.keys(Qt.Key.Key_Delete)
    studio.until(lambda: JobState.CANCELLED in studio.states())
    studio.pod.speed = 20
    studio.until(lambda: not {JobState.RUNNING, JobState.SAVING, JobState.SENT} & set(studio.states()))
    assert studio.states().count(JobState.HELD) == held - 1
    if held > 1:
        pick_of_queue(studio, "Release")
    studio.until(lambda: studio.states().count(JobState.DONE) == 3)
    studio.click(queue.clear)
    studio.until(lambda: not studio.states())
    assert queue.empty.isVisible()
    studio.until(lambda: desk.outputs.rowCount() == 3)  # what was made stays


def test_what_is_typed_stays_with_its_workflow(studio: Studio) -> None:
    studio.ready()
    studio.rewrite("a castle on a hill")
    steps = studio.desk.generation.form.form().with_role(Role.STEPS)[0]
    studio.desk.generation.form.part(steps.id)
    studio.pick("Text to video")
    assert studio.prompt.value() != "a castle on a hill"
    studio.pick("Text to image")
    assert studio.prompt.value() == "a castle on a hill"
    studio.desk.actions["reset_values"].trigger()
    assert "lighthouse" in studio.prompt.value()


def test_a_value_that_is_none_is_said_beside_its_field_and_nothing_is_queued(studio: Studio) -> None:
    desk = studio.ready().desk
    steps = desk.generation.form.form().with_role(Role.STEPS)[0]
    desk.generation.form.reveal(steps.id)
    part = desk.generation.form.part(steps.id)
    assert part is not None
    edit = part.editor(steps.id).field.edit  # type: ignore[attr-defined]
    studio.click(edit)
    studio.keys(Qt.Key.Key_A, CTRL)
    studio.type("many")
    assert "number" in desk.generation.form.problems()[steps.id]
    studio.generate()
    studio.keys(Qt.Key.Key_A, CTRL)
    studio.type("5")
    assert not desk.generation.form.problems()
    studio.generate()
    studio.until(lambda: len(studio.states()) > 0)
    assert [row.job.values[steps.id] for row in desk.jobs.rows()] == [5]


def test_a_file_that_is_no_workflow_is_told_in_the_panel_and_what_was_open_stays(
    studio: Studio, tmp_path: Path
) -> None:
    desk = studio.ready().desk
    broken = tmp_path / "broken.json"
    broken.write_text('{"nodes": [')
    drop(studio, broken)
    studio.until(desk.generation.banner.isVisible)
    assert "broken.json" in desk.generation.banner.text() or "JSON" in desk.generation.banner.text()
    assert studio.opened == "Text to image"
    photo = tmp_path / "photo.png"
    desk.preview.canvas.grab().save(str(photo))
    drop(studio, photo)
    studio.until(lambda: "carries no workflow" in desk.generation.banner.text())


def test_a_picture_opens_as_the_workflow_that_made_it(studio: Studio) -> None:
    desk = studio.quick().desk
    studio.rewrite("a harbour in fog")
    studio.generate()
    studio.until(lambda: desk.outputs.latest is not None)
    output = desk.outputs.latest
    assert output is not None
    made = Path(output.path)
    studio.desk.actions["reset_values"].trigger()
    drop(studio, made)
    studio.until(lambda: studio.prompt.value() == "a harbour in fog")


def test_settings_of_an_output_are_used_again(studio: Studio) -> None:
    desk = studio.quick().desk
    studio.rewrite("two boats")
    studio.generate()
    studio.until(lambda: desk.outputs.latest is not None)
    output = desk.outputs.latest
    assert output is not None
    studio.rewrite("something else")
    desk.gallery.reuse.emit(output)
    studio.until(lambda: studio.prompt.value() == "two boats")
    field = desk.generation.form.form().with_role(Role.SEED)[0]
    assert desk.generation.form.values()[field.id] == output.seed


def test_a_job_that_fails_says_why_in_the_panel_and_keeps_its_row(studio: Studio) -> None:
    desk = studio.quick().desk
    studio.pod.script.nodes["KSampler"] = out_of_memory()
    studio.generate()
    studio.until(lambda: studio.states() == [JobState.FAILED])
    studio.until(desk.generation.banner.isVisible)
    assert "memory" in desk.generation.banner.text().lower()
    studio.pod.script.nodes.clear()
    studio.click_row(desk.queue.list, 0)
    rect = desk.queue.list.visualRect(desk.jobs.index(0))
    delegate = desk.queue.list.itemDelegate()
    studio.click_at(desk.queue.list, delegate.spots(rect, desk.jobs.index(0))["act"].center())  # type: ignore[attr-defined]
    studio.until(lambda: JobState.DONE in studio.states())


def test_a_pod_that_goes_away_is_told_and_its_return_is_noticed(studio: Studio) -> None:
    desk = studio.quick().desk
    studio.tasks.start(studio.pod.restart(down=1))
    studio.until(desk.preview.banner.isVisible)
    assert desk.preview.banner.text().startswith("Demo pod has stopped")
    assert desk.status.pod.state.text().startswith("Reconnecting")
    studio.generate()
    studio.until(lambda: studio.states() == [JobState.QUEUED])
    studio.until(lambda: studio.states() == [JobState.DONE])
    assert not desk.preview.banner.isVisible()


def test_a_sentence_opens_the_right_form_with_its_subject_in_the_prompt(studio: Studio) -> None:
    desk = studio.ready().desk
    studio.pick("Text to audio")
    studio.keys(Qt.Key.Key_Space, CTRL)
    studio.type("a picture of a red bicycle")
    studio.keys(Qt.Key.Key_Return)
    studio.until(lambda: studio.opened == "Text to image")
    assert studio.prompt.value() == "a red bicycle"
    assert desk.intent.field.text() == ""


def test_search_narrows_the_cards_and_enter_opens_the_first(studio: Studio) -> None:
    desk = studio.ready().desk
    studio.keys(Qt.Key.Key_F, CTRL)
    studio.type("video")
    studio.until(lambda: [row.entry.name for row in desk.workflows.rows()] == ["Text to video"])
    studio.keys(Qt.Key.Key_Return)
    studio.until(lambda: studio.opened == "Text to video")
    studio.keys(Qt.Key.Key_F, CTRL)
    studio.type("nothing like it")
    studio.until(desk.browser.empty.isVisible)
    studio.click(desk.browser.empty.button)
    assert desk.workflows.rowCount() == 4


def test_everything_is_where_it_was_after_a_restart(studio: Studio) -> None:
    studio.quick()
    studio.generate()
    studio.until(lambda: studio.states() == [JobState.DONE])
    studio.pick("Image to image")
    studio.window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, studio.window.browser_dock)
    studio.click(next(button for button in _switches(studio) if "Bottom" in button.accessibleName()))
    assert studio.window.queue_dock.isHidden()
    studio.window.resize(studio.window.width(), 640)
    studio.close()

    studio.open(pod=False, size=None)
    studio.loop(studio.session.connect(PodTarget.demo(studio.pod.url)))
    window = studio.window
    assert window.height() == 640
    assert window.dockWidgetArea(window.browser_dock) is Qt.DockWidgetArea.RightDockWidgetArea
    assert window.queue_dock.isHidden()
    studio.until(lambda: studio.opened == "Image to image")
    studio.until(lambda: studio.states() == [JobState.DONE])
    studio.until(lambda: studio.desk.outputs.rowCount() == 1)


def _switches(studio: Studio) -> list[QWidget]:
    return [child for child in studio.window.top.findChildren(QWidget) if child.accessibleName().endswith(" panel")]


def test_without_a_pod_the_window_says_what_it_waits_for(lonely: Studio) -> None:
    generate = lonely.desk.generation.footer.generate.main
    lonely.until(lambda: lonely.opened == "Text to image")
    assert not generate.isEnabled()
    assert generate.toolTip() == "Connect to a pod first"
    assert lonely.desk.status.pod.name.text() == "No pod"
    lonely.generate()
    assert lonely.states() == []


def test_every_control_has_a_name(studio: Studio) -> None:
    studio.ready()
    nameless = [
        widget
        for widget in studio.window.findChildren(QWidget)
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        and widget.isVisible()
        and not (widget.accessibleName() or getattr(widget, "text", str)())
    ]
    assert not nameless, [f"{type(widget).__name__} in {type(widget.parent()).__name__}" for widget in nameless]
