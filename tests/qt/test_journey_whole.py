"""One evening from end to end, with keys and the mouse: a sentence, a form, a picture, its settings again, and a queue
that is held, put in another order and cancelled from; then a setting, and everything is there after a restart."""

from pathlib import Path

from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from comfydesk.qt.models.verbs import Verb
from comfydesk.qt.theme import Scheme, Theme
from comfydesk.session.values import PodTarget
from comfydesk.settings import THEME
from comfydesk.store.records import JobState
from tests.qt.studio import Loop, Studio

CONTROL = Qt.KeyboardModifier.ControlModifier


def test_from_a_sentence_to_a_restart(qtbot: QtBot, gui_loop: Loop, theme: Theme, tmp_path: Path) -> None:
    studio = Studio(qtbot, gui_loop, theme, tmp_path, speed=40.0).open().quick()
    say_and_generate(studio)
    use_the_picture_again(studio)
    work_the_queue(studio)
    change_a_setting(studio)
    studio.desk.workspaces.show("library")
    studio.until(lambda: studio.wiring.library.model.rowCount() == 1)
    studio.close()

    again = Studio(qtbot, gui_loop, theme, tmp_path)
    again.pod = studio.pod
    again.open(pod=False)
    try:
        gui_loop(again.session.connect(PodTarget.demo(again.pod.url)))
        again.until(lambda: again.desk.workspaces.current == "library")
        again.desk.workspaces.show("create")
        again.until(lambda: again.opened == "Text to image" and again.prompt.value() == "a blue bicycle")
        again.until(lambda: again.states() == [JobState.HELD, JobState.HELD, JobState.CANCELLED, JobState.DONE])
        assert again.desk.preferences.get(THEME) == "light"
    finally:
        again.close()
        again.stop_pod()


def say_and_generate(studio: Studio) -> None:
    studio.keys(Qt.Key.Key_Space, CONTROL)
    studio.type("a picture of a red bicycle")
    studio.until(lambda: studio.desk.intent.offers)
    studio.keys(Qt.Key.Key_Return)
    studio.until(lambda: studio.opened == "Text to image" and studio.prompt.value() == "a red bicycle")
    studio.quick().generate()
    studio.until(lambda: studio.desk.preview.output is not None and studio.states() == [JobState.DONE])
    studio.until(lambda: studio.desk.outputs.rowCount() == 1)


def use_the_picture_again(studio: Studio) -> None:
    made = studio.desk.preview.output
    assert made is not None
    studio.rewrite("a blue bicycle")
    studio.wiring.refine.act(made, "all")
    studio.until(lambda: studio.prompt.value() == "a red bicycle")
    studio.ready().rewrite("a blue bicycle")


def work_the_queue(studio: Studio) -> None:
    """Three that wait: one is cancelled, two are held, and change places."""
    queue, jobs = studio.desk.queue, studio.desk.jobs
    studio.keys(Qt.Key.Key_H, CONTROL | Qt.KeyboardModifier.ShiftModifier)
    studio.until(queue.banner.isVisible)
    studio.desk.generation.footer.count.set_value(3)
    studio.generate()
    studio.until(lambda: studio.states() == [JobState.QUEUED] * 3 + [JobState.DONE])
    first, second, third = (row.job.id for row in jobs.rows()[:3])
    queue.list.setFocus()
    queue.list.setCurrentIndex(jobs.index_of(first))
    studio.keys(Qt.Key.Key_Delete)
    studio.until(lambda: studio.states().count(JobState.CANCELLED) == 1)
    for id_ in (second, third):
        queue.commanded.emit(Verb.HOLD, (id_,))
    studio.until(lambda: studio.states().count(JobState.HELD) == 2)
    queue.list.setCurrentIndex(jobs.index_of(third))
    studio.keys(Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    studio.until(lambda: [row.job.id for row in jobs.rows()[:2]] == [third, second])
    studio.click(queue.pause)
    studio.until(lambda: not queue.banner.isVisible())


def change_a_setting(studio: Studio) -> None:
    studio.keys(Qt.Key.Key_Comma, CONTROL)
    page = studio.desk.options.page
    assert page is not None
    studio.until(page.isVisible)
    editor = page.rows[THEME.key].editor
    editor.set_value("light")
    editor.value_changed.emit("light")
    studio.until(lambda: studio.theme.appearance.scheme is Scheme.LIGHT)
    studio.keys(Qt.Key.Key_Escape)
