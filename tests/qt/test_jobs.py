"""Jobs in the whole window, on the demo pod: another order, what went wrong, and running it again."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from comfydesk.demo.faults import out_of_memory
from comfydesk.qt.models.making import Making
from comfydesk.qt.models.verbs import Verb
from comfydesk.qt.theme import Theme
from comfydesk.qt.widgets.labels import Label
from comfydesk.store.records import JobState
from comfydesk.workflow.fields import Role
from tests.qt.studio import Loop, Studio

LEFT = Qt.MouseButton.LeftButton
ALT = Qt.KeyboardModifier.AltModifier


@pytest.fixture
def studio(qtbot: QtBot, gui_loop: Loop, theme: Theme, tmp_path: Path) -> Iterator[Studio]:
    made = Studio(qtbot, gui_loop, theme, tmp_path, speed=20.0).open()
    yield made
    made.close()
    made.stop_pod()


def order(studio: Studio) -> list[str]:
    return [row.job.id for row in studio.desk.jobs.rows()]


def test_jobs_are_dragged_and_walked_to_another_place_and_stay_there(studio: Studio) -> None:
    desk = studio.quick().desk
    studio.click(desk.generation.footer.generate.main)
    studio.until(lambda: studio.states() == [JobState.DONE])
    desk.actions["pause_queue"].trigger()
    studio.until(desk.queue.banner.isVisible)
    desk.generation.press(count=3)
    studio.until(lambda: studio.states().count(JobState.QUEUED) == 3)
    first, second, third, _ = order(studio)
    view, jobs = desk.queue.list, desk.jobs
    start = view.visualRect(jobs.index_of(third)).center() - QPoint(60, 0)
    end = view.visualRect(jobs.index_of(first)).topLeft() + QPoint(300, 3)
    QTest.mousePress(view.viewport(), LEFT, pos=start)
    QTest.mouseMove(view.viewport(), start - QPoint(0, 15))
    QTest.mouseMove(view.viewport(), end)
    QTest.mouseRelease(view.viewport(), LEFT, pos=end)
    studio.until(lambda: order(studio)[:3] == [third, first, second])
    view.setFocus()
    view.setCurrentIndex(jobs.index_of(second))
    studio.keys(Qt.Key.Key_Up, ALT)
    studio.until(lambda: order(studio)[:3] == [third, second, first])
    stored = studio.loop(studio.session.queue.jobs())
    assert [job.id for job in stored][:3] == [third, second, first]
    studio.click(desk.queue.pause)
    studio.until(lambda: studio.states() == [JobState.DONE] * 4)


def test_what_the_pod_refuses_is_said_under_the_input_that_it_speaks_of(studio: Studio) -> None:
    desk = studio.quick().desk
    sampler = desk.generation.form.form().with_role(Role.SAMPLER)[0]
    studio.wiring.bench.generate(Making({**desk.generation.form.values(), sampler.id: "no such sampler"}))
    studio.until(desk.generation.banner.isVisible)
    errors = desk.generation.form._errors
    assert set(errors) == {sampler.id}
    assert "no such sampler" in errors[sampler.id]
    assert [row.job.state for row in desk.jobs.rows()] == [JobState.FAILED]


def test_what_failed_is_told_with_its_node_and_its_values_are_opened_again(studio: Studio) -> None:
    desk = studio.quick().desk
    studio.rewrite("a castle")
    studio.pod.script.nodes["KSampler"] = out_of_memory()
    studio.generate()
    studio.until(desk.generation.banner.isVisible)
    studio.click(desk.generation.banner.action)
    page = studio.wiring.jobs.failures._page
    assert page is not None
    assert page.isVisible()
    assert page.what.text() == "Sampler failed."
    assert "memory" in page.advice.text()
    assert not page.trace.isVisible(), "folded away"
    facts = {label.text() for label in page.facts.findChildren(Label)}
    assert {"Steps", "8", "from Load Checkpoint"} <= facts, "what the node was given"
    studio.click(page.fold.header)
    studio.until(page.trace.isVisible)
    assert page.trace.toPlainText()
    desk.pages.close()
    studio.rewrite("something else")
    desk.queue.list.setCurrentIndex(desk.jobs.index(0))
    desk.queue._do(Verb.EDIT)
    studio.until(lambda: studio.prompt.value() == "a castle")
