"""What is told of jobs that ended, to whom, and when; and which of several running jobs is looked at."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtGui import QColor, QImage
from pytestqt.qtbot import QtBot

from comfydesk.events import JobProgress, RunState
from comfydesk.qt.bridge.previews import Preview
from comfydesk.qt.docks.jobline import Running
from comfydesk.qt.docks.running_strip import AtWork, RunningStrip
from comfydesk.qt.models.jobs import JobModel
from comfydesk.qt.models.rows import THUMBNAIL
from comfydesk.qt.theme import Theme
from comfydesk.qt.window import news as news_module
from comfydesk.qt.window.news import News, words
from comfydesk.qt.window.now import Now
from comfydesk.store.records import Job, JobError, JobState
from tests.qt.studio import Loop, Studio


def job(id_: str, state: JobState = JobState.DONE, **more: Any) -> Job:
    values: dict[str, Any] = {"position": 0.0, "created": 0.0, "finished": time.time()} | more
    return Job(id_, state, "Text to image", "demo", "", {}, "", 1, **values)


class Told:
    """A desktop that keeps what it was told."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, str, bool]] = []

    def show(self, title: str, text: str, *, urgent: bool = False) -> None:
        self.messages.append((title, text, urgent))


@pytest.fixture
def studio(qtbot: QtBot, gui_loop: Loop, theme: Theme, tmp_path: Path) -> Iterator[Studio]:
    made = Studio(qtbot, gui_loop, theme, tmp_path).open(pod=False)
    yield made
    made.close()


def test_what_ends_together_is_told_together_and_only_to_who_looks_elsewhere(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(news_module, "GROUP_MS", 50)
    told, front, wanted = Told(), [True], [True]
    news = News(studio.desk, told, lambda: wanted[0], studio.desk, in_front=lambda: front[0])
    news.on_ended([job("a")])
    studio.until(lambda: not news._timer.isActive())
    assert not told.messages, "it is seen in the window"
    front[0] = False
    news.on_ended([job(f"{at}", outputs=("/x/1.png",)) for at in range(11)])
    news.on_ended([job("b", outputs=("/x/2.png",)), job("c", JobState.CANCELLED)])
    studio.until(lambda: told.messages)
    assert told.messages == [("12 results done", "Text to image", False)]
    wanted[0] = False
    news.on_ended([job("d", JobState.FAILED, error=JobError("Disk full"))])
    studio.until(lambda: not news._timer.isActive())
    assert len(told.messages) == 1, "the setting is off"
    front[0] = True
    news._came_back()
    toast = studio.desk.toasts.toasts()[-1]
    assert toast.accessibleName() == "12 finished while you were away; 1 failed."
    assert toast._timer.isActive(), "it goes by itself"
    toast.close_now()


def test_a_batch_is_told_once_when_all_of_it_is_done_and_a_failure_at_once(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(news_module, "GROUP_MS", 20)
    told = Told()
    news = News(studio.desk, told, lambda: True, studio.desk, in_front=lambda: False)

    def ends(*jobs: Job) -> None:
        studio.desk.jobs.put_jobs(jobs)
        news.on_ended(jobs)
        studio.until(lambda: not news._timer.isActive())

    batch = [job(f"{at}", JobState.QUEUED, batch="b", finished=None, position=at) for at in range(4)]
    studio.desk.jobs.put_jobs(batch)
    ends(job("0", batch="b"))
    ends(job("1", batch="b"))
    assert told.messages == []
    ends(job("2", JobState.FAILED, batch="b", error=JobError("Disk full")))
    assert told.messages == [("Text to image failed", "Disk full", True)]
    ends(job("3", batch="b"))
    assert told.messages[1:] == [("3 results done", "Batch of Text to image", False)]
    ends(job("alone", batch="c"))
    assert told.messages[2:] == [("1 result done", "Text to image", False)]


def test_what_is_done_of_a_batch_is_told_when_the_rest_is_cancelled(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(news_module, "GROUP_MS", 20)
    told = Told()
    news = News(studio.desk, told, lambda: True, studio.desk, in_front=lambda: False)
    studio.desk.jobs.put_jobs([job(f"{at}", JobState.QUEUED, batch="b", finished=None) for at in range(2)])
    for one in (job("0", batch="b"), job("1", JobState.CANCELLED, batch="b")):
        studio.desk.jobs.put_jobs([one])
        news.on_ended([one])
        studio.until(lambda: not news._timer.isActive())
    assert told.messages == [("1 result done", "Text to image", False)]


def test_what_ended_while_the_computer_slept_is_told_to_who_comes_back(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(news_module, "GROUP_MS", 50)
    news = News(studio.desk, Told(), lambda: True, studio.desk, in_front=lambda: True)
    news.on_ended([job(f"{at}", finished=time.time() - 3600) for at in range(7)])
    studio.until(lambda: studio.desk.toasts.toasts())
    assert studio.desk.toasts.toasts()[-1].accessibleName().startswith("7 finished while you were away")
    studio.desk.toasts.toasts()[-1].close_now()
    news.on_ended([job("a"), *(job(f"{at}", JobState.UNKNOWN) for at in "bc")])
    news._in_front = lambda: False
    studio.until(lambda: not news._timer.isActive())
    news._in_front = lambda: True
    news._came_back()
    toast = studio.desk.toasts.toasts()[-1]
    assert toast.accessibleName() == "1 finished while you were away; the state of 2 is unknown."
    assert toast._timer.isActive()
    toast.close_now()


def test_a_stop_is_told_once_for_each_countdown(studio: Studio) -> None:
    told = Told()
    news = News(studio.desk, told, lambda: True, studio.desk, in_front=lambda: False)
    ends = time.time() + 120
    news.on_stop("1", "atlas", ends)
    news.on_stop("1", "atlas", ends)
    assert [(title[:15], urgent) for title, _, urgent in told.messages] == [("atlas stops in ", True)]
    news.on_stop("1", "atlas", ends + 900)
    assert len(told.messages) == 2


def test_a_failure_alone_says_what_it_was() -> None:
    failed = job("a", JobState.FAILED, error=JobError("Sampler failed"))
    assert words([failed]) == ("Text to image failed", "Sampler failed")
    assert words([failed, job("b")])[0] == "1 result done, 1 failed"


# --- Several at once ------------------------------------------------------------------------------------------------


def test_each_running_job_keeps_its_own_progress_and_picture(qtbot: QtBot) -> None:
    model = JobModel()
    now = Now(model, lambda _job, _node: "")
    shown: list[Running | None] = []
    pictures: list[QImage] = []
    strips: list[tuple[AtWork, ...]] = []
    now.changed.connect(shown.append)
    now.previewed.connect(pictures.append)
    now.at_work.connect(strips.append)
    model.put_jobs([job("a", JobState.RUNNING, started=1.0, finished=None)])
    assert now.job == "a"
    model.put_jobs([job("b", JobState.RUNNING, started=2.0, finished=None)])
    assert now.job == "a", "what is looked at stays"
    now.on_progress(JobProgress("a", RunState.RUNNING, "3", 5, 20, fraction=0.25))
    now.on_progress(JobProgress("b", RunState.RUNNING, "3", 9, 20, fraction=0.45))
    assert [(one.job, one.fraction) for one in strips[-1]] == [("a", 0.25), ("b", 0.45)]
    assert shown[-1] is not None
    assert shown[-1].step == 5
    blue = QImage(8, 8, QImage.Format.Format_RGB32)
    blue.fill(QColor("blue"))
    before = len(pictures)
    now.on_preview(Preview(blue, "b", None))
    assert len(pictures) == before, "it is of another job"
    assert model.index_of("b").data(THUMBNAIL) is not None
    assert model.index_of("a").data(THUMBNAIL) is None
    now.choose("b")
    assert pictures[-1].pixelColor(1, 1) == QColor("blue")
    assert shown[-1] is not None
    assert shown[-1].step == 9
    model.put_jobs([job("b")])
    assert now.job == "a", "then the other one"


def test_the_strip_is_there_for_several_and_changes_what_is_looked_at(theme: Theme, qtbot: QtBot) -> None:
    strip = RunningStrip(theme)
    qtbot.addWidget(strip)
    strip.show_jobs((AtWork("a", "One", None, 0.5),), "a")
    assert not strip.isVisible()
    strip.show_jobs((AtWork("a", "One", None, 0.5), AtWork("b", "Two", None, None)), "a")
    assert strip.isVisible()
    assert [tab.accessibleName() for tab in strip.tabs()] == ["Show One, 50 %", "Show Two"]
    with qtbot.waitSignal(strip.chosen) as chosen:
        strip.tabs()[1].click()
    assert chosen.args == ["b"]
