"""The intent bar's suggestions, the cards' commands, what is missing, and the pod's models: in the window, on a pod."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from comfydesk.qt.models.rows import ROW
from comfydesk.qt.theme import Theme
from comfydesk.qt.widgets.offer_list import TASK
from comfydesk.workflow.fields import Kind
from comfydesk.workflow.needs import MissingModel, Needs
from tests.qt.studio import Loop, Studio


@pytest.fixture
def studio(qtbot: QtBot, gui_loop: Loop, theme: Theme, tmp_path: Path) -> Iterator[Studio]:
    made = Studio(qtbot, gui_loop, theme, tmp_path).open().ready()
    yield made
    made.close()
    made.stop_pod()


def say(studio: Studio, words: str) -> list[str]:
    """Type into the intent bar; the titles of what it offers."""
    studio.desk.actions["intent"].trigger()
    studio.desk.intent.field.set_text("")
    studio.type(words)
    studio.until(lambda: studio.desk.intent.offers)
    return [offer.title for offer in studio.desk.intent.offers]


def test_suggestions_are_moved_through_with_the_keys_and_taken_with_enter(studio: Studio) -> None:
    intent = studio.desk.intent
    assert say(studio, "upscale")[0].startswith("Nothing here does this yet")
    assert not intent.offers[0].id, "words, nothing to take"
    assert intent.offers[0].why.startswith("This pod has no workflow for it"), "the demo pod is connected"
    studio.keys(Qt.Key.Key_Escape)
    assert not intent.offers
    assert intent.field.text() == "upscale", "Escape closes the list first"
    titles = say(studio, "text")
    assert {"Text to image", "Text to video", "Text to audio"} <= set(titles)
    studio.keys(Qt.Key.Key_Down)
    wanted = titles[1]
    studio.keys(Qt.Key.Key_Return)
    if wanted.startswith(("Text to", "Image to")):
        studio.until(lambda: studio.opened == wanted)
    assert intent.history() == ("text",)
    studio.keys(Qt.Key.Key_Space, Qt.KeyboardModifier.ControlModifier)
    studio.desk.actions["intent"].trigger()
    studio.keys(Qt.Key.Key_Up)
    assert intent.field.text() == "text", "Up brings the last sentence back"


def test_a_task_is_offered_by_the_beginning_of_its_name(studio: Studio) -> None:
    say(studio, "edi")
    assert any(offer.id == f"{TASK}i2i" for offer in studio.desk.intent.offers)
    studio.desk.intent.taken.emit(f"{TASK}i2i")
    studio.until(lambda: [row.entry.name for row in studio.desk.workflows.rows()] == ["Image to image"])
    assert studio.desk.browser.task.text() == "Edit image"


def test_what_matches_nothing_is_said_and_what_to_try(studio: Studio) -> None:
    assert say(studio, "hello world") == ["No workflow matches “hello world”"]
    assert "Try a task" in studio.desk.intent.offers[0].why
    studio.keys(Qt.Key.Key_Return)
    assert studio.desk.browser.empty.isVisible()


def test_a_bare_description_opens_a_picture_with_it_as_the_prompt(studio: Studio) -> None:
    assert "Text to image" in say(studio, "a cat wearing a hat")[0]
    assert "Prompt: “a cat wearing a hat”" in studio.desk.intent.offers[0].why
    studio.keys(Qt.Key.Key_Return)
    studio.until(lambda: studio.prompt.value() == "a cat wearing a hat")
    assert studio.desk.browser.list.isVisible(), "the list on the left is not emptied"


def test_the_name_of_a_workflow_is_looked_for_and_never_guessed_to_be_a_prompt(studio: Studio) -> None:
    entry = studio.desk.workflows.entries()[0]
    studio.desk.workflows.set_entries((*studio.desk.workflows.entries(), replace(entry, id="x", name="The red car")))
    assert say(studio, "the red car") == ["The red car"]


def test_a_card_is_starred_with_a_key_and_the_star_is_kept(studio: Studio, gui_loop: Loop) -> None:
    studio.click_row(studio.desk.browser.list, 0)
    entry = studio.desk.workflows.index(0).data(ROW).entry
    QTest.keyClicks(studio.desk.browser.list, "*")
    studio.until(
        lambda: studio.session.shelves.marks.get(entry.id) and studio.session.shelves.marks[entry.id].favourite
    )
    # The model reads it when the change is told, which is a turn of the loop later.
    studio.until(lambda: studio.desk.workflows.row_of_id(entry.id).starred)  # type: ignore[union-attr]  # it is there


def test_a_duplicate_is_the_users_and_deleting_it_can_be_undone(studio: Studio) -> None:
    model, commands = studio.desk.workflows, studio.wiring.browse.commands
    entry = next(entry for entry in model.entries() if entry.name == "Text to image")
    commands.open_menu(model.rows()[0], studio.window.rect().center())
    words = [action.text() for action in commands.menu.actions() if action.text()]
    assert {"Open", "Rename", "Delete", "Duplicate", "Tags"} <= set(words)
    assert not next(action for action in commands.menu.actions() if action.text() == "Delete").isEnabled()
    commands.menu.close()
    commands.duplicate(entry)
    copy = "mine/Text to image copy.json"
    studio.until(lambda: model.entry(copy))
    mine = model.entry(copy)
    assert mine is not None
    commands.on_key("delete", mine)
    studio.until(lambda: model.entry(copy) is None)
    toast = next(toast for toast in studio.desk.toasts.toasts() if "was deleted" in toast.accessibleName())
    toast.acted.emit(0)
    studio.until(lambda: model.entry(copy))


def test_what_is_missing_is_replaced_by_what_is_there(studio: Studio) -> None:
    current = studio.wiring.bench.current
    assert current is not None
    field = next(entry for entry in current.form.fields if entry.kind is Kind.MODEL)
    other = next(name for name in field.choices if name != field.default)
    lacking = MissingModel(str(field.default), "checkpoints", "https://models.example/a.safetensors", suggestion=other)
    nowhere = MissingModel("b.safetensors", "loras")
    missing = studio.wiring.browse.missing
    missing.show(replace(current, needs=Needs(ready=False, missing_models=(lacking, nowhere))))
    sheet = missing.sheet
    assert sheet is not None
    row = sheet.rows[lacking.name]
    studio.until(row.act.isVisible)
    assert row.act.text() == "Copy the command", "nobody fetches anything on this pod"
    assert "from models.example" in row.detail.text()
    studio.click(row.act)
    assert QGuiApplication.clipboard().text().startswith("curl --fail")
    assert not sheet.rows[nowhere.name].act.isVisible()
    studio.click(row.substitute)
    assert studio.desk.generation.form.values()[field.id] == other
    assert row.badge.isVisible()


def test_a_model_of_the_pod_opens_a_workflow_that_uses_it(studio: Studio) -> None:
    browser = studio.desk.browser
    browser.show_models()
    panel = studio.wiring.browse.models.panel
    studio.until(lambda: panel.model.total)
    panel.search.set_text("animator")
    studio.until(lambda: panel.model.rowCount() < panel.model.total)
    chosen = panel.model.index(0).data(ROW)
    panel.list.chosen.emit(chosen)
    studio.until(lambda: chosen.name in studio.desk.generation.form.values().values())
    assert studio.states() == [], "nothing is made unasked"
