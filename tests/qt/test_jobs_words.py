"""What the window says of jobs: always an answer, no promise that is not kept, and everywhere the same time."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from comfydesk.qt.models.verbs import Verb
from comfydesk.qt.models.words import clock
from comfydesk.qt.theme import Theme
from comfydesk.qt.widgets.toast import Toast
from comfydesk.session.jobs.follow import Pace
from comfydesk.store.records import JobState
from comfydesk.workflow.fields import Role
from tests.qt.studio import Loop, Studio


@pytest.fixture
def studio(qtbot: QtBot, gui_loop: Loop, theme: Theme, tmp_path: Path) -> Iterator[Studio]:
    pace = Pace(poll=0.3, look_again=0.3, may_arrive=1.5)
    made = Studio(qtbot, gui_loop, theme, tmp_path, speed=4.0, pace=pace).open()
    yield made
    made.close()
    made.stop_pod()


def told(studio: Studio) -> list[str]:
    """What the messages in the corner say."""
    return [toast.accessibleName() for toast in studio.window.findChildren(Toast)]


def slow(studio: Studio, steps: int) -> None:
    """From now on jobs take so many steps."""
    form = studio.desk.generation.form
    form.set_value(form.form().with_role(Role.STEPS)[0].id, steps)


def test_look_again_is_always_answered(studio: Studio) -> None:
    desk = studio.quick().desk
    slow(studio, 400)
    studio.generate()
    studio.until(lambda: studio.states() == [JobState.RUNNING])
    studio.loop(studio.pod.restart())
    studio.until(lambda: studio.states() == [JobState.UNKNOWN])
    (job,) = (row.job.id for row in desk.jobs.rows())
    studio.until(lambda: (pod := studio.session.current_pod) and pod.status.usable)
    desk.queue.commanded.emit(Verb.LOOK, (job,))
    studio.until(lambda: any("Still nothing" in words for words in told(studio)))
    studio.loop(studio.pod.stop())
    studio.until(lambda: (pod := studio.session.current_pod) and not pod.status.usable)
    desk.queue.commanded.emit(Verb.LOOK, (job,))
    studio.until(lambda: any("is not connected" in error.what for error in studio.known))


def test_nothing_is_promised_while_the_queue_is_paused_or_all_is_held(studio: Studio) -> None:
    desk = studio.quick().desk
    when = desk.generation.footer.when
    desk.actions["pause_queue"].trigger()
    studio.until(lambda: when.text() == "waits: the queue is paused")
    desk.generation.press(count=3)
    studio.until(lambda: studio.states() == [JobState.QUEUED] * 3)
    assert when.text() == "waits: the queue is paused"
    desk.queue.all_held.emit()
    studio.until(lambda: studio.states() == [JobState.HELD] * 3)
    desk.actions["pause_queue"].trigger()
    studio.until(lambda: when.text() == "starts now", "what is held stands in nobody's way")


def test_the_time_left_is_one_wherever_it_is_told(studio: Studio) -> None:
    desk = studio.quick().desk
    desk.generation.press(count=1)
    studio.until(lambda: studio.states() == [JobState.DONE])
    slow(studio, 200)
    desk.generation.press(count=2)
    studio.until(lambda: studio.states()[:1] == [JobState.RUNNING])
    studio.until(lambda: desk.jobs.rows()[0].seconds_left is not None)
    studio.wiring.jobs._tick()
    line = studio.desk.preview.running_bar.line._running.left
    assert line == desk.jobs.rows()[0].seconds_left, "the line on the running job says what its row says"
    total = studio.wiring.jobs._seconds_left()
    assert total is not None
    assert total >= (desk.jobs.rows()[0].seconds_left or 0)
    if total >= 1:
        shown = {clock(total), clock(total - 0.5)}  # it may have gone on since
        assert any(words in desk.status.queue.words.text() for words in shown)
        assert any(words in desk.generation.footer.when.text() for words in shown)
        assert any(words in desk.queue.title._note.text() for words in shown)
    desk.queue.commanded.emit(Verb.CANCEL, tuple(row.job.id for row in desk.jobs.rows()[:2]))
    studio.until(lambda: JobState.RUNNING not in studio.states())
