"""Rows move, change and go one by one, and always stand in their order."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtTest import QAbstractItemModelTester
from pytestqt.qtbot import QtBot

from comfydesk.events import JobProgress, RunState
from comfydesk.qt.models.jobs import JobModel
from comfydesk.qt.models.rows import ROW
from comfydesk.store.records import Job, JobError, JobState


def job(id_: str, state: JobState = JobState.QUEUED, *, position: float = 0, **more: Any) -> Job:
    return Job(
        id=id_, state=state, workflow="Text to image", pod="demo", graph_hash="", values={}, prompt=f"prompt {id_}",
        seed=1, position=position, created=1000, **more,
    )  # fmt: skip


def shown(model: JobModel) -> list[str]:
    return [model.index(row).data(ROW).job.id for row in range(model.rowCount())]


@pytest.fixture
def model(qapp: object) -> JobModel:
    return JobModel()


def test_what_runs_stands_first_then_the_queue_in_its_order_then_what_ended_newest_first(model: JobModel) -> None:
    model.put_jobs(
        [
            job("old", JobState.DONE, position=1, finished=10),
            job("new", JobState.FAILED, position=2, finished=20),
            job("third", position=5),
            job("second", JobState.SENT, position=4),
            job("first", JobState.RUNNING, position=9),
        ]
    )
    assert shown(model) == ["first", "second", "third", "new", "old"]
    assert model.waiting() == 3
    assert model.ended() == 2
    assert model.current is not None
    assert model.current.job.id == "first"


def test_a_changed_job_is_refreshed_or_moved_and_never_resets_the_list(model: JobModel, qtbot: QtBot) -> None:
    model.put_jobs([job(name, position=place) for place, name in enumerate("abcd")])
    kept = model.index(0)
    resets: list[None] = []
    model.modelReset.connect(lambda: resets.append(None))
    with qtbot.waitSignal(model.rowsMoved):
        model.put_jobs([job("c", JobState.RUNNING, position=2)])
    assert shown(model) == ["c", "a", "b", "d"]
    with qtbot.waitSignal(model.dataChanged) as changed:
        model.put_jobs([replace(job("c", JobState.RUNNING, position=2), seed=7)])
    assert changed.args is not None
    assert (changed.args[0].row(), changed.args[1].row()) == (0, 0)
    assert not resets
    assert kept.isValid()


def test_an_unchanged_job_is_no_change(model: JobModel, qtbot: QtBot) -> None:
    model.put_jobs([job("a")])
    with qtbot.assertNotEmitted(model.dataChanged):
        model.put_jobs([job("a")])


def test_progress_belongs_to_the_run_and_ends_with_it(qapp: object) -> None:
    model = JobModel()
    model.ask_eta(lambda _: 12.0)
    model.put_jobs([job("a")])
    half = JobProgress("a", RunState.RUNNING, node="3", fraction=0.5)
    model.put_progress(half)
    assert model.get("a") is not None
    assert model.rows()[0].fraction is None, "a job that waits has no progress, whatever arrives late"
    model.put_jobs([job("a", JobState.RUNNING)])
    model.put_progress(half)
    assert (model.rows()[0].fraction, model.rows()[0].seconds_left) == (0.5, 12.0)
    model.put_jobs([job("a", JobState.DONE, finished=5.0)])
    assert (model.rows()[0].progress, model.rows()[0].seconds_left) == (None, None)


def test_rows_say_what_they_are_to_a_screen_reader_and_why_they_failed(model: JobModel) -> None:
    error = JobError("Out of memory in Sampler", "1536 by 1536 needs 27 GB", "Lower the size")
    model.put_jobs([job("a", JobState.FAILED, error=error)])
    index = model.index(0)
    assert index.data(Qt.ItemDataRole.AccessibleTextRole) == "Text to image, prompt a, Failed"
    assert index.data(Qt.ItemDataRole.ToolTipRole).splitlines()[0] == "Out of memory in Sampler"


def test_it_is_a_proper_list_model(qtmodeltester: Any, model: JobModel) -> None:
    model.put_jobs([job(name, position=place) for place, name in enumerate("abcd")])
    qtmodeltester.check(model, force_py=True)
    qtmodeltester.check(model)


CHANGES = st.lists(
    st.one_of(
        st.tuples(st.sampled_from("abcdef"), st.sampled_from(JobState), st.integers(0, 5), st.integers(0, 5)),
        st.sampled_from("abcdef"),
    ),
    max_size=25,
)


@given(changes=CHANGES)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_after_any_changes_the_rows_are_the_jobs_in_order(qapp: object, changes: list[Any]) -> None:
    model = JobModel()
    tester = QAbstractItemModelTester(model)  # a wrong signal is a Qt warning, and fails the test
    truth: dict[str, Job] = {}
    for change in changes:
        if isinstance(change, str):
            truth.pop(change, None)
            model.drop((change,))
        else:
            id_, state, position, finished = change
            truth[id_] = job(id_, state, position=position, finished=float(finished))
            model.put_jobs((truth[id_],))
    assert [row.job for row in model.rows()] == sorted(
        truth.values(), key=lambda entry: model.sort_key(type(model.rows()[0])(entry))
    )
    assert model.rowCount(QModelIndex()) == len(truth)
    assert tester.model() is model
