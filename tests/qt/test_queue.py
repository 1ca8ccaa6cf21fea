"""The queue's panel on its own: what it offers, what it asks for, and how jobs are moved."""

from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from comfydesk.qt.docks.dock import Dock
from comfydesk.qt.docks.queue import QueuePanel
from comfydesk.qt.models.jobs import JobModel
from comfydesk.qt.models.rows import POD, PodMark
from comfydesk.qt.models.verbs import Verb, choices
from comfydesk.qt.theme import Theme
from comfydesk.store.records import Job, JobError, JobState

ALT = Qt.KeyboardModifier.AltModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier
LEFT = Qt.MouseButton.LeftButton


def job(id_: str, state: JobState, position: float = 0.0, **more: Any) -> Job:
    values: dict[str, Any] = {"position": position, "created": 0.0} | more
    return Job(id_, state, "Text to image", "demo", "", {}, f"prompt {id_}", 1, **values)


def waiting(*ids: str, state: JobState = JobState.QUEUED) -> list[Job]:
    return [job(id_, state, float(at)) for at, id_ in enumerate(ids, 1)]


@pytest.fixture
def queue(theme: Theme, qtbot: QtBot) -> QueuePanel:
    dock = Dock(theme, "queue", "Queue")
    panel = QueuePanel(theme, dock, JobModel())
    qtbot.addWidget(dock)
    dock.resize(800, 400)
    dock.show()
    return panel


def spot(queue: QueuePanel, id_: str, part: float = 0.5) -> QPoint:
    """In the row of that job, `part` of its height down, left of its buttons."""
    rect = queue.list.visualRect(queue._model.index_of(id_))
    return QPoint(rect.left() + 200, rect.top() + round(part * rect.height()))


def drag(queue: QueuePanel, id_: str, to: QPoint, *, release: bool = True) -> None:
    view = queue.list.viewport()
    start = spot(queue, id_)
    QTest.mousePress(view, LEFT, pos=start)
    QTest.mouseMove(view, start + QPoint(0, 15))
    QTest.mouseMove(view, to)
    if release:
        QTest.mouseRelease(view, LEFT, pos=to)


# --- What it offers -------------------------------------------------------------------------------------------------


def test_the_head_pauses_resumes_and_clears(queue: QueuePanel, qtbot: QtBot) -> None:
    model = queue._model
    assert not queue.empty.isVisible(), "it may not have been read yet"
    queue.mark_known()
    assert queue.empty.isVisible()
    assert not queue.pause.isVisible()
    model.put_jobs([job("a", JobState.RUNNING), job("b", JobState.QUEUED), job("c", JobState.DONE, finished=1.0)])
    assert queue.pause.text() == "Pause"
    with qtbot.waitSignal(queue.paused) as asked:
        QTest.mouseClick(queue.pause, LEFT)
    assert asked.args == [True]
    queue.show_paused(True)
    assert queue.banner.text() == "The queue is paused. The running job finishes, nothing further is sent."
    model.put_jobs([job("a", JobState.DONE, finished=2.0)])
    assert queue.banner.text() == "The queue is paused. Nothing is sent; 1 job waits."
    with qtbot.waitSignal(queue.paused) as asked:
        QTest.mouseClick(queue.banner.action, LEFT)
    assert asked.args == [False]
    queue.show_paused(False)
    assert not queue.banner.isVisible()
    with qtbot.waitSignal(queue.cleared):
        QTest.mouseClick(queue.clear, LEFT)


def test_all_that_waits_can_be_held_and_released_together(queue: QueuePanel, qtbot: QtBot) -> None:
    queue._model.put_jobs([*waiting("a", "b"), job("c", JobState.HELD, 3.0)])
    QTest.mouseClick(queue.more, LEFT)
    actions = {action.text(): action for action in queue._menu.actions()}
    with qtbot.waitSignals([queue.all_held, queue.all_released]):
        actions["Hold all 2 queued jobs"].trigger()
        actions["Release 1 held job"].trigger()
    assert "nothing further is sent" in actions["Hold all 2 queued jobs"].toolTip()
    queue._menu.close()


@pytest.mark.parametrize(
    ("state", "verb"),
    [
        (JobState.QUEUED, Verb.CANCEL),
        (JobState.RUNNING, Verb.CANCEL),
        (JobState.HELD, Verb.RELEASE),
        (JobState.FAILED, Verb.RETRY),
        (JobState.DONE, Verb.RETRY),
        (JobState.UNKNOWN, Verb.LOOK),
    ],
)
def test_the_button_of_a_row_does_what_its_state_calls_for(
    queue: QueuePanel, qtbot: QtBot, state: JobState, verb: Verb
) -> None:
    queue._model.put_jobs([job("a", state)])
    index = queue._model.index(0)
    delegate: Any = queue.list.itemDelegate()
    at = delegate.spots(queue.list.visualRect(index), index)["act"].center()
    with qtbot.waitSignal(queue.commanded) as told:
        QTest.mouseClick(queue.list.viewport(), LEFT, pos=at)
    assert told.args == [verb, ("a",)]


def test_what_is_offered_fits_the_jobs_that_are_chosen() -> None:
    offered = {choice.verb: choice for choice in choices([job("a", JobState.QUEUED), job("b", JobState.DONE)])}
    assert offered[Verb.HOLD].jobs == ("a",)
    assert offered[Verb.REMOVE].jobs == ("b",)
    assert offered[Verb.DUPLICATE].words == "Duplicate 2 jobs"
    assert Verb.EDIT not in offered, "one at a time"
    unknown = {choice.verb: choice for choice in choices([job("a", JobState.UNKNOWN)])}
    assert "made twice" in unknown[Verb.RETRY].tip
    assert "Nothing is sent" in unknown[Verb.LOOK].tip
    blocked = job("a", JobState.SAVING, error=JobError("Disk full"))
    assert {choice.verb: choice.words for choice in choices([blocked])}[Verb.RETRY] == "Try to save its results again"


def test_several_jobs_are_chosen_with_shift_and_taken_together(queue: QueuePanel, qtbot: QtBot) -> None:
    queue._model.put_jobs(waiting("a", "b", "c", "d"))
    view = queue.list.viewport()
    QTest.mouseClick(view, LEFT, pos=spot(queue, "b"))
    QTest.mouseClick(view, LEFT, SHIFT, spot(queue, "d"))
    with qtbot.waitSignal(queue.commanded) as told:
        QTest.keyClick(queue.list, Qt.Key.Key_Delete)
    assert told.args == [Verb.CANCEL, ("b", "c", "d")]


def test_what_went_wrong_can_be_copied_whole(queue: QueuePanel) -> None:
    error = JobError(
        "Sampler failed", "no", "Try a smaller size", "3", "Sampler", "Traceback\n  line\n", inputs={"cfg": "8.0"}
    )
    queue._model.put_jobs([job("a", JobState.FAILED, error=error)])
    queue.list.setCurrentIndex(queue._model.index(0))
    queue._do(Verb.COPY_ERROR)
    copied = QGuiApplication.clipboard().text()
    assert all(part in copied for part in ("Sampler failed", "no", "(node 3)", "cfg: 8.0", "Traceback\n  line"))


def test_rows_name_their_pod_as_soon_as_there_are_several(queue: QueuePanel) -> None:
    model = queue._model
    model.put_jobs([job("a", JobState.RUNNING), job("b", JobState.QUEUED)])
    atlas = PodMark("atlas", "#63adf2")
    model.set_pods({"demo": atlas})
    assert model.index_of("a").data(POD) is None
    model.set_pods({"demo": atlas, "vega": PodMark("vega", "#5cc28a")})
    assert model.index_of("a").data(POD) == atlas
    model.put_jobs([Job("b", JobState.QUEUED, "Text to image", "", "", {}, "", 1, 0.0, 0.0, target="any")])
    assert model.index_of("b").data(POD) == PodMark("any pod")


# --- Another order --------------------------------------------------------------------------------------------------


def test_a_drag_shows_where_the_job_will_be_and_asks_for_it(queue: QueuePanel, qtbot: QtBot) -> None:
    queue._model.put_jobs([job("r", JobState.RUNNING), *waiting("a", "b", "c"), job("z", JobState.DONE, finished=1.0)])
    drag(queue, "a", spot(queue, "b", 0.9), release=False)
    gaps = [queue.list.gap]
    with qtbot.waitSignal(queue.moved) as asked:
        QTest.mouseRelease(queue.list.viewport(), LEFT, pos=spot(queue, "b", 0.9))
    assert asked.args == [("a",), "b", None]
    gaps.append(queue.list.gap)
    assert gaps == [3, None], "a line below b, until it is dropped"
    with qtbot.waitSignal(queue.moved) as asked:
        drag(queue, "c", spot(queue, "r", 0.1))
    assert asked.args == [("c",), None, "a"], "before all that waits, never before what runs"
    with qtbot.waitSignal(queue.moved) as asked:
        drag(queue, "a", spot(queue, "z", 0.9))
    assert asked.args == [("a",), "c", None], "never among what has ended"


def test_a_drag_is_given_up_with_escape_and_goes_nowhere_onto_itself(queue: QueuePanel, qtbot: QtBot) -> None:
    queue._model.put_jobs(waiting("a", "b", "c"))
    with qtbot.assertNotEmitted(queue.moved):
        drag(queue, "a", spot(queue, "c", 0.9), release=False)
        QTest.keyClick(queue.list, Qt.Key.Key_Escape)
        QTest.mouseRelease(queue.list.viewport(), LEFT, pos=spot(queue, "c", 0.9))
        drag(queue, "b", spot(queue, "a", 0.9))


def test_what_runs_is_not_dragged(queue: QueuePanel, qtbot: QtBot) -> None:
    queue._model.put_jobs([job("r", JobState.RUNNING), *waiting("a", "b")])
    with qtbot.assertNotEmitted(queue.moved):
        drag(queue, "r", spot(queue, "b", 0.9))


def test_all_chosen_jobs_are_dragged_together(queue: QueuePanel, qtbot: QtBot) -> None:
    queue._model.put_jobs(waiting("a", "b", "c", "d"))
    queue.list.choose(["a", "c"])
    with qtbot.waitSignal(queue.moved) as asked:
        drag(queue, "a", spot(queue, "d", 0.9))
    assert asked.args == [("a", "c"), "d", None]


def test_alt_and_the_arrows_walk_a_job_through_the_queue(queue: QueuePanel, qtbot: QtBot) -> None:
    queue._model.put_jobs([job("r", JobState.RUNNING), *waiting("a", "b", "c")])
    queue.list.setFocus()
    queue.list.setCurrentIndex(queue._model.index_of("b"))
    with qtbot.waitSignal(queue.moved) as asked:
        QTest.keyClick(queue.list, Qt.Key.Key_Up, ALT)
    assert asked.args == [("b",), None, "a"]
    with qtbot.waitSignal(queue.moved) as asked:
        QTest.keyClick(queue.list, Qt.Key.Key_Down, ALT)
    assert asked.args == [("b",), "c", None]
    with qtbot.waitSignal(queue.commanded) as told:
        QTest.keyClick(queue.list, Qt.Key.Key_Home, ALT)
    assert told.args == [Verb.FRONT, ("b",)]
    queue.list.setCurrentIndex(queue._model.index_of("a"))
    with qtbot.assertNotEmitted(queue.moved):
        QTest.keyClick(queue.list, Qt.Key.Key_Up, ALT)
