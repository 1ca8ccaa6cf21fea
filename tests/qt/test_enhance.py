"""Enhance in the real window: against an OpenAI-compatible server on loopback, with keys and the mouse."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from comfydesk.credentials import llm_item
from comfydesk.llm.models import CURATED
from comfydesk.qt.theme import Theme
from comfydesk.qt.widgets.enhance_button import EnhanceButton
from comfydesk.qt.widgets.enhance_page import EnhancePage
from comfydesk.qt.widgets.enhance_variant import State
from comfydesk.qt.widgets.prompt_editor import PromptEditor
from comfydesk.settings import ENHANCE, ENHANCE_ENDPOINT, ENHANCE_ENGINE, ENHANCE_VARIANTS
from comfydesk.store.records import JobState
from comfydesk.workflow.fields import Role
from tests.qt.studio import Loop, Studio
from tests.unit.llm import tiny_gguf
from tests.unit.llm.fake_server import FakeServer, event, said

CONTROL, ALT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.AltModifier
ORIGINAL = "a lighthouse at night"
BETTER = "A solitary lighthouse stands on basalt at night. Its warm beam sweeps through thin haze."


@pytest.fixture
def studio(qtbot: QtBot, gui_loop: Loop, theme: Theme, tmp_path: Path) -> Iterator[Studio]:
    made = Studio(qtbot, gui_loop, theme, tmp_path).open().quick()
    yield made
    made.close()
    made.stop_pod()


@pytest.fixture
def server(studio: Studio, gui_loop: Loop) -> Iterator[FakeServer]:
    """It writes BETTER; the window is set to ask it."""
    made = FakeServer(said(*(f"{word} " for word in BETTER.split())))
    gui_loop(made.__aenter__())
    studio.session.settings.set(ENHANCE_ENDPOINT, made.url)
    studio.session.settings.set(ENHANCE_ENGINE, "endpoint")
    studio.session.settings.set(ENHANCE, True)
    studio.desk.preferences.set(ENHANCE, True)
    yield made
    gui_loop(made.__aexit__())


def editor(studio: Studio, role: Role = Role.PROMPT) -> PromptEditor:
    form = studio.desk.generation.form
    return form.texts()[form.form().with_role(role)[0].id]


def write(studio: Studio, words: str) -> None:
    edit = editor(studio).edit
    edit.setFocus()
    QTest.keyClick(edit, Qt.Key.Key_A, CONTROL)
    QTest.keyClicks(edit, words)


def begin(studio: Studio) -> EnhancePage:
    QTest.keyClick(editor(studio).edit, Qt.Key.Key_E, CONTROL)
    studio.until(lambda: studio.wiring.enhance.page is not None)
    page = studio.wiring.enhance.page
    assert page is not None
    return page


def written(studio: Studio) -> EnhancePage:
    """With ORIGINAL in the prompt and BETTER beside it."""
    write(studio, ORIGINAL)
    page = begin(studio)
    studio.until(lambda: page.cards and all(card.state is State.DONE for card in page.cards))
    return page


def test_what_is_accepted_is_one_step_that_undo_takes_back(studio: Studio, server: FakeServer) -> None:
    page = written(studio)
    assert editor(studio).value() == ORIGINAL, "nothing is replaced before it is accepted"
    QTest.keyClick(page, Qt.Key.Key_Return, ALT)
    assert editor(studio).value() == BETTER
    assert studio.desk.pages.current is None
    studio.until(editor(studio).edit.hasFocus)
    QTest.keyClick(editor(studio).edit, Qt.Key.Key_Z, CONTROL)
    assert editor(studio).value() == ORIGINAL
    QTest.keyClick(editor(studio).edit, Qt.Key.Key_Z, CONTROL | Qt.KeyboardModifier.ShiftModifier)
    assert editor(studio).value() == BETTER


def test_a_form_that_is_filled_in_anew_keeps_its_one_button(studio: Studio, server: FakeServer) -> None:
    def buttons() -> list[EnhanceButton]:
        return editor(studio).bar.findChildren(EnhanceButton)

    (before,) = buttons()
    entry = next(one for one in studio.desk.workflows.entries() if one.name == studio.opened)
    studio.wiring.bench.open(entry, fill={Role.PROMPT: ORIGINAL})
    studio.until(lambda: editor(studio).value() == ORIGINAL)
    assert buttons() == [before]
    assert studio.wiring.enhance.buttons[studio.desk.generation.form.form().with_role(Role.PROMPT)[0].id] is before


def test_only_the_sentences_that_are_ticked_are_taken(studio: Studio, server: FakeServer) -> None:
    page = written(studio)
    card = page.cards[0]
    assert card.counts() == (2, 2)
    card.rows[1].check.click()
    assert card.counts() == (1, 2)
    page.some.click()
    assert editor(studio).value() == BETTER.partition(" Its")[0]


def test_a_word_that_is_clicked_is_left_out(studio: Studio, server: FakeServer) -> None:
    page = written(studio)
    card = page.cards[0]
    before = card.wording()
    view = card.rows[0].words
    placed = next(one for one in view._placed if one.token.text.strip() == "solitary")
    QTest.mouseClick(view, Qt.MouseButton.LeftButton, pos=placed.area.center().toPoint())
    assert card.wording() != before
    assert "solitary" not in card.wording()


def test_the_original_goes_along_with_the_job(studio: Studio, server: FakeServer) -> None:
    page = written(studio)
    page.all.click()
    QTest.keyClick(studio.window, Qt.Key.Key_Return, CONTROL)
    studio.until(lambda: any(row.job.state is JobState.DONE for row in studio.desk.jobs.rows()))
    job = studio.desk.jobs.rows()[0].job
    field = studio.desk.generation.form.form().with_role(Role.PROMPT)[0].id
    assert job.originals == {field: ORIGINAL}


def test_generating_goes_on_while_it_is_written(studio: Studio, server: FakeServer) -> None:
    server.hang = True
    server.chunks = [event("A lighthouse ")]
    write(studio, ORIGINAL)
    page = begin(studio)
    studio.until(lambda: page.cards and page.cards[0].rows)
    QTest.keyClick(studio.window, Qt.Key.Key_Return, CONTROL)
    studio.until(lambda: any(row.job.state is JobState.DONE for row in studio.desk.jobs.rows()))
    assert page.writing
    QTest.keyClick(page, Qt.Key.Key_Escape)
    studio.until(server.gone.is_set)
    assert page.cards[0].state is State.STOPPED
    assert editor(studio).value() == ORIGINAL


def test_only_the_selection_changes(studio: Studio, server: FakeServer) -> None:
    server.chunks = said("an old ", "lighthouse of white stone")
    write(studio, "a photo of a lighthouse, 35 mm film")
    box = editor(studio).edit
    cursor = box.textCursor()
    cursor.setPosition(len("a photo of "))
    cursor.setPosition(len("a photo of a lighthouse"), cursor.MoveMode.KeepAnchor)
    box.setTextCursor(cursor)
    page = begin(studio)
    studio.until(lambda: page.cards and page.cards[0].state is State.DONE)
    page.all.click()
    assert editor(studio).value() == "a photo of an old lighthouse of white stone, 35 mm film"


def test_several_variants_stand_side_by_side(studio: Studio, server: FakeServer) -> None:
    studio.desk.preferences.set(ENHANCE_VARIANTS, 2)
    page = written(studio)
    assert len(page.cards) == 2
    QTest.mouseClick(page.cards[1], Qt.MouseButton.LeftButton, pos=page.cards[1].title.geometry().center())
    assert page.current() is page.cards[1]
    assert len({body["seed"] for body in server.asked}) == 2


def test_the_negative_prompt_has_it_too(studio: Studio, server: FakeServer) -> None:
    server.chunks = said("blurry, low contrast, ", "watermark")
    field = studio.desk.generation.form.form().with_role(Role.NEGATIVE)[0].id
    studio.desk.generation.form.set_value(field, "blurry")
    studio.wiring.enhance.buttons[field].button.click()
    page = studio.wiring.enhance.page
    assert page is not None
    studio.until(lambda: page.cards and page.cards[0].state is State.DONE)
    assert page.title.text() == "Enhance negative prompt"
    page.all.click()
    assert editor(studio, Role.NEGATIVE).value() == "blurry, low contrast, watermark"


def test_off_it_says_so_in_one_line_and_can_be_turned_on(studio: Studio) -> None:
    write(studio, ORIGINAL)
    page = begin(studio)
    assert page.empty.isVisible()
    assert "\n" not in page.empty.accessibleName()
    assert not page.cards
    page.empty.button.click()
    assert studio.desk.preferences.get(ENHANCE)


def test_without_an_engine_it_says_in_one_line_what_to_do(studio: Studio) -> None:
    """No extra, no model, no pod that can write."""
    studio.desk.preferences.set(ENHANCE, True)
    pod = studio.session.current_pod
    assert pod is not None
    studio.loop(studio.session.disconnect(pod.id))
    write(studio, ORIGINAL)
    page = begin(studio)
    studio.until(page.empty.isVisible)
    assert page.empty.button.isVisible()
    assert not page.cards
    page.empty.button.click()
    assert studio.desk.pages.current is not page, "the right page is open"
    assert QApplication.activeModalWidget() is None


def test_the_models_page_says_what_each_is_and_keeps_the_endpoint(studio: Studio) -> None:
    models = studio.wiring.enhance.models
    models.open()
    page = models.page
    assert page is not None
    assert len(page.lines) == len(CURATED)
    line = page.lines[CURATED[0].id]
    assert CURATED[0].licence in line.detail.text()
    assert "GB" in line.detail.text()
    assert line.get.isVisible()
    page.address.edit.setText("127.0.0.1:11434")
    page.key.edit.setText("sk-secret")
    page.save.click()
    studio.until(lambda: studio.desk.preferences.get(ENHANCE_ENDPOINT))
    studio.until(lambda: not page.key.edit.text())
    key = studio.loop(studio.session.profiles.vault.get(llm_item("settings")))
    assert key.reveal() == "sk-secret"
    assert "sk-secret" not in repr(studio.desk.preferences.settings)


def test_a_model_that_is_there_can_be_added_and_forgotten(studio: Studio, tmp_path: Path) -> None:
    models = studio.wiring.enhance.models
    models.open()
    page = models.page
    assert page is not None
    (tmp_path / "picture.gguf").write_bytes(b"no model")
    page.added.emit(tmp_path / "picture.gguf")
    studio.until(page.banner.isVisible)
    path = tiny_gguf.write(tmp_path / "mine.gguf", "a reply")
    page.added.emit(path)
    studio.until(lambda: page.own)
    next(iter(page.own.values())).remove.click()
    studio.until(lambda: not page.own)
    assert path.is_file(), "a file of the user's is never deleted"


# --- Where a text comes from ----------------------------------------------------------------------------------------


def accepted(studio: Studio) -> PromptEditor:
    """With BETTER in the prompt, taken from ORIGINAL."""
    written(studio).all.click()
    box = editor(studio)
    assert box.value() == BETTER
    return box


def origins(studio: Studio) -> dict[str, str]:
    """What would go along with a job of the prompt as it is now: text → original."""
    open_ = studio.desk.generation.workflow
    assert open_ is not None
    field = studio.desk.generation.form.form().with_role(Role.PROMPT)[0].id
    text = editor(studio).value()
    found = studio.wiring.enhance.origins.of(open_.id).get(field, {})
    return {text: found[text]} if text in found else {}


def test_the_original_goes_along_also_when_one_writes_on(studio: Studio, server: FakeServer) -> None:
    box = accepted(studio)
    QTest.keyClick(box.edit, Qt.Key.Key_End, CONTROL)
    QTest.keyClicks(box.edit, " Gulls.")
    QTest.keyClick(studio.window, Qt.Key.Key_Return, CONTROL)
    studio.until(lambda: any(row.job.state is JobState.DONE for row in studio.desk.jobs.rows()))
    field = studio.desk.generation.form.form().with_role(Role.PROMPT)[0].id
    job = studio.desk.jobs.rows()[0].job
    assert (job.prompt, job.originals) == (f"{BETTER} Gulls.", {field: ORIGINAL})


def test_what_was_undone_or_written_anew_has_no_original(studio: Studio, server: FakeServer) -> None:
    box = accepted(studio)
    QTest.keyClick(box.edit, Qt.Key.Key_Z, CONTROL)
    QTest.keyClicks(box.edit, "!")
    assert ORIGINAL in box.value()
    assert origins(studio) == {}
    QTest.keyClick(box.edit, Qt.Key.Key_Z, CONTROL)
    box = accepted(studio)
    assert origins(studio) == {BETTER: ORIGINAL}
    write(studio, "a fox")
    QTest.keyClick(box.edit, Qt.Key.Key_A, CONTROL)
    QTest.keyClick(box.edit, Qt.Key.Key_Delete)
    QTest.keyClicks(box.edit, "a fox in the snow")
    assert origins(studio) == {}


def test_what_was_enhanced_twice_goes_back_to_the_first_words(studio: Studio, server: FakeServer) -> None:
    box = accepted(studio)
    QTest.keyClick(box.edit, Qt.Key.Key_End, CONTROL)
    QTest.keyClicks(box.edit, " Gulls.")
    server.chunks = said("Another ", "wording ", "of the lighthouse.")
    page = begin(studio)
    studio.until(lambda: page.cards and page.cards[0].result is not None and "Another" in page.cards[0].wording())
    page.all.click()
    assert origins(studio) == {"Another wording of the lighthouse.": ORIGINAL}


# --- Each prompt of a batch -----------------------------------------------------------------------------------------


def test_each_prompt_of_a_batch_is_enhanced_looked_over_and_queued_with_its_original(
    studio: Studio, server: FakeServer
) -> None:
    studio.desk.actions["batch"].trigger()
    page = studio.wiring.jobs.batches.page
    assert page is not None
    page.prompts.setPlainText("a castle\na boat")
    studio.until(lambda: page.each.begin.text() == "Enhance 2 prompts")
    page.each.begin.click()
    studio.until(lambda: page.each.told.text() == "2 of 2 enhanced" and not page.each.halt.isVisible())
    rows = page.each.rows.rows
    assert [row.words.accessibleName() for row in rows[:2]] == [BETTER] * 2
    rows[1].check.click()  # the boat stays as it was typed
    assert page.prompts.toPlainText() == "a castle\na boat"
    studio.until(lambda: BETTER[:20] in page._first[0].text() and "a boat" in page._first[1].text())
    assert page.queue.isEnabled()
    page.queue.click()
    studio.until(lambda: sum(row.job.state is JobState.DONE for row in studio.desk.jobs.rows()) == 2)
    field = studio.desk.generation.form.form().with_role(Role.PROMPT)[0].id
    jobs = {(row.job.prompt, tuple(row.job.originals.items())) for row in studio.desk.jobs.rows()}
    assert jobs == {
        (BETTER, ((field, "a castle"),)),
        ("a boat", ()),
    }


def test_two_prompts_that_became_the_same_keep_their_own_originals(studio: Studio, server: FakeServer) -> None:
    studio.desk.actions["batch"].trigger()
    page = studio.wiring.jobs.batches.page
    assert page is not None
    page.prompts.setPlainText("a castle\na boat")
    studio.until(lambda: page.each.begin.text() == "Enhance 2 prompts")
    page.each.begin.click()
    studio.until(lambda: page.each.told.text() == "2 of 2 enhanced" and not page.each.halt.isVisible())
    studio.until(lambda: page.queue.isEnabled() and all(BETTER[:20] in page._first[at].text() for at in (0, 1)))
    page.queue.click()
    studio.until(lambda: sum(row.job.state is JobState.DONE for row in studio.desk.jobs.rows()) == 2)
    field = studio.desk.generation.form.form().with_role(Role.PROMPT)[0].id
    jobs = [(row.job.prompt, row.job.originals[field]) for row in studio.desk.jobs.rows()]
    assert sorted(jobs) == [(BETTER, "a boat"), (BETTER, "a castle")]


def test_each_says_what_to_do_where_nothing_can_be_asked(studio: Studio) -> None:
    studio.desk.actions["batch"].trigger()
    page = studio.wiring.jobs.batches.page
    assert page is not None
    studio.until(lambda: page.each.begin.isEnabled())
    studio.desk.preferences.set(ENHANCE, False)
    page.each.begin.click()
    assert "Turn it on" in page.each.told.text()
    page.each.models.click()
    studio.until(lambda: studio.desk.pages.current is studio.wiring.enhance.models.page)


def test_the_language_models_are_reached_by_command_palette_and_settings(studio: Studio) -> None:
    models = studio.wiring.enhance.models
    studio.desk.actions["language_models"].trigger()
    assert models.page is not None
    assert studio.desk.pages.current is models.page
    studio.desk.pages.close()
    desk = studio.desk.options
    desk.palette.open()
    assert any(entry.line.words.startswith("Language models") for entry in desk.palette.find("language mod"))
    desk.open()
    assert desk.page is not None
    desk.page.models_wanted.emit()
    assert studio.desk.pages.current is models.page
