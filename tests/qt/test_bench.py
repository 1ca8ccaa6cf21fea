"""What is opened, filled in and generated: the workflow that was asked for, and no other."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest
from pytestqt.qtbot import QtBot

from comfydesk.errors import GraphError
from comfydesk.qt.bridge.tasks import Tasks
from comfydesk.qt.models.making import Making
from comfydesk.qt.window.bench import Bench
from comfydesk.session.session import Session
from comfydesk.session.values import OpenWorkflow, WorkflowEntry
from comfydesk.store.records import Job
from comfydesk.workflow.fields import Field, Form, Kind, Role

Loop = Callable[[Coroutine[Any, Any, Any]], Any]
FORM = Form((Field("1.text", "Prompt", Kind.TEXT, "a lighthouse", Role.PROMPT),))


class Slow:
    """Opens workflows when the test says so; without a catalog their forms are empty."""

    def __init__(self) -> None:
        self.asked: dict[str, asyncio.Future[None]] = {}
        self.form = FORM
        self.sent: list[Mapping[str, Any]] = []
        self.queue = self

    async def open_workflow(self, source: WorkflowEntry | Path) -> OpenWorkflow:
        id_ = str(source) if isinstance(source, Path) else source.id
        self.asked[id_] = asyncio.get_running_loop().create_future()
        await self.asked[id_]
        return self._made(id_)

    async def reopen(self, workflow: OpenWorkflow) -> OpenWorkflow:
        return self._made(workflow.id)

    def _made(self, id_: str) -> OpenWorkflow:
        return cast("OpenWorkflow", Opened(id_, id_, self.form))

    async def enqueue(self, _workflow: Any, values: Mapping[str, Any], **_options: Any) -> tuple[Job, ...]:
        self.sent.append(values)
        return ()


@dataclass(frozen=True)
class Opened:
    id: str
    name: str
    form: Form


def entry(id_: str) -> WorkflowEntry:
    return cast("WorkflowEntry", Opened(id_, id_, Form()))


class Desk:
    """A bench, and what it said."""

    def __init__(self, loop: Loop) -> None:
        self.loop, self.slow, self.bugs = loop, Slow(), list[BaseException]()
        self.tasks = Tasks(self.bugs.append, self.bugs.append)
        self.bench = Bench(cast("Session", self.slow), self.tasks)
        self.shown: list[tuple[str, dict[str, Any]]] = []
        self.pressed: list[str] = []
        self.failed: list[object] = []
        self.bench.opened.connect(lambda opened, values: self.shown.append((opened.id, values)))
        self.bench.made_ready.connect(self.pressed.append)
        self.bench.open_failed.connect(self.failed.append)

    def settle(self) -> None:
        """Until everything that can happen has happened."""
        self.loop(asyncio.sleep(0.02))

    def answer(self, id_: str, error: Exception | None = None) -> None:
        self.settle()
        if error is None:
            self.slow.asked[id_].set_result(None)
        else:
            self.slow.asked[id_].set_exception(error)
        self.settle()


@pytest.fixture
def desk(gui_loop: Loop) -> Iterator[Desk]:
    made = Desk(gui_loop)
    yield made
    gui_loop(made.tasks.close())
    assert not made.bugs


def test_make_generates_what_it_was_pressed_on(desk: Desk) -> None:
    desk.bench.open(entry("a"), then_generate=True)
    desk.answer("a")
    assert desk.pressed == ["a"]
    desk.bench.open(entry("b"))
    desk.answer("b")
    assert desk.pressed == ["a"]


def test_make_is_forgotten_when_its_workflow_does_not_open(desk: Desk) -> None:
    desk.bench.open(entry("a"), then_generate=True)
    desk.answer("a", GraphError("No workflow"))
    assert len(desk.failed) == 1
    desk.bench.open(entry("b"))
    desk.answer("b")
    assert desk.shown[-1][0] == "b"
    assert not desk.pressed, "nobody asked for b to be made"


def test_make_is_forgotten_when_something_else_is_opened_meanwhile(desk: Desk) -> None:
    desk.bench.open(entry("a"), then_generate=True)
    desk.settle()
    desk.bench.open(entry("b"))
    desk.answer("b")
    assert [id_ for id_, _ in desk.shown] == ["b"]
    assert not desk.pressed


def test_an_answer_that_came_just_before_another_wish_is_too_late(desk: Desk) -> None:
    desk.bench.open(entry("a"), then_generate=True)
    desk.settle()

    async def answer_and_go_on() -> None:
        desk.slow.asked["a"].set_result(None)
        await asyncio.sleep(0)  # the task ends here; its callback is still to come
        desk.bench.open(entry("b"))

    desk.loop(answer_and_go_on())
    desk.answer("b")
    assert [id_ for id_, _ in desk.shown] == ["b"]
    assert not desk.pressed


def test_without_a_catalog_the_subject_and_make_wait_for_the_form(desk: Desk) -> None:
    desk.slow.form = Form()
    desk.bench.open(entry("a"), fill={Role.PROMPT: "a red bicycle"}, then_generate=True)
    desk.answer("a")
    desk.bench.reopen()
    desk.settle()
    assert not desk.pressed
    desk.slow.form = FORM
    desk.bench.reopen()
    desk.settle()
    assert desk.shown[-1] == ("a", {"1.text": "a red bicycle"})
    assert desk.pressed == ["a"]
    desk.bench.reopen()
    desk.settle()
    assert desk.pressed == ["a"], "once"


def test_a_catalog_that_arrives_while_a_workflow_is_opened_is_not_missed(desk: Desk) -> None:
    desk.slow.form = Form()
    desk.bench.open(entry("a"), fill={Role.PROMPT: "a red bicycle"})
    desk.settle()
    desk.bench.reopen()
    desk.slow.asked["a"].add_done_callback(lambda _: None)
    desk.bench.opened.connect(lambda *_: setattr(desk.slow, "form", FORM))
    desk.answer("a")
    assert desk.shown[-1] == ("a", {"1.text": "a red bicycle"})


def test_make_without_a_form_is_forgotten_when_another_workflow_was_tried_since(desk: Desk) -> None:
    desk.slow.form = Form()
    desk.bench.open(entry("a"), fill={Role.PROMPT: "a red bicycle"}, then_generate=True)
    desk.answer("a")
    desk.bench.open(entry("b"))
    desk.answer("b", GraphError("No workflow"))
    desk.slow.form = FORM
    desk.bench.reopen()
    desk.settle()
    assert desk.shown[-1] == ("a", {"1.text": "a red bicycle"})
    assert not desk.pressed


def test_a_file_of_this_computer_that_comes_with_the_values_stays_one_and_a_text_stays_a_text(
    desk: Desk, tmp_path: Path, qtbot: QtBot
) -> None:
    mine = tmp_path / "mine.png"
    desk.slow.form = Form(
        (Field("1.image", "Picture", Kind.IMAGE, "example.png"), Field("2.image", "Mask", Kind.IMAGE, ""))
    )
    values = {"1.image": mine, "2.image": str(mine)}

    async def found() -> tuple[OpenWorkflow, dict[str, object]]:
        return await desk.slow.open_workflow(entry("a")), values

    desk.bench.restore("a", "/x/1.png", found())
    desk.answer("a")
    assert desk.shown[-1][1] == values
    desk.bench.generate(Making(desk.shown[-1][1]))
    qtbot.waitUntil(lambda: len(desk.slow.sent) == 1)
    assert desk.slow.sent[0] == values
