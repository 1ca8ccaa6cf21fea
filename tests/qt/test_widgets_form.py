"""The form: the pinned fields as the design has them, the rest under "All inputs", values that outlive widgets."""

import time
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from comfydesk.qt.theme import Appearance, Scheme, Theme
from comfydesk.qt.widgets.buttons import IconButton
from comfydesk.qt.widgets.editors import Surroundings, make_editor, span_of
from comfydesk.qt.widgets.form_blocks import NegativePart, PromptPart
from comfydesk.qt.widgets.form_plan import (
    LorasBlock,
    MediaBlock,
    NegativeBlock,
    PairBlock,
    PromptBlock,
    RowBlock,
    SizeBlock,
    fields_of,
    plan,
    shown_ids,
)
from comfydesk.qt.widgets.form_view import FormView
from comfydesk.workflow.fields import Field, Form, Kind, Role

SEED = 2**64 - 1
LORAS = ("detail.safetensors", "film/bokeh.safetensors")


def pinned(id_: str, kind: Kind, default: Any, role: Role | None = None, **more: Any) -> Field:
    return Field(id_, more.pop("label", id_), kind, default, role, pinned=True, **more)


FORM = Form((
    pinned("4.steps", Kind.INT, 30, Role.STEPS, minimum=1, maximum=10_000),
    pinned("4.seed", Kind.SEED, SEED, Role.SEED, minimum=0, maximum=SEED),
    pinned("4.scheduler", Kind.CHOICE, "simple", Role.SCHEDULER, choices=("simple", "normal")),
    pinned("4.sampler", Kind.CHOICE, "euler", Role.SAMPLER, choices=("euler", "heun")),
    pinned("3.height", Kind.INT, 768, Role.HEIGHT, minimum=16, maximum=16_384, step=16),
    pinned("3.width", Kind.INT, 1344, Role.WIDTH, minimum=16, maximum=16_384, step=16),
    pinned("2.text", Kind.TEXT, "blurry", Role.NEGATIVE, multiline=True, label="Negative prompt"),
    pinned("1.text", Kind.TEXT, "a fox", Role.PROMPT, multiline=True, label="Prompt"),
    pinned("0.image", Kind.IMAGE, "", Role.IMAGE, choices=("example.png",)),
    pinned("5.model", Kind.MODEL, "flux.safetensors", Role.CHECKPOINT, choices=("flux.safetensors", "xl.safetensors")),
    pinned("6.lora", Kind.MODEL, LORAS[0], Role.LORA, choices=LORAS),
    Field("6.strength_model", "Strength", Kind.FLOAT, 0.7, Role.LORA_STRENGTH, -100, 100, 0.01),
    Field("6.strength_clip", "Strength", Kind.FLOAT, 0.7, Role.LORA_STRENGTH, -100, 100, 0.01),
    pinned("7.turbo", Kind.BOOL, False),
    Field("8.shift", "Shift", Kind.FLOAT, 3.0, None, 0.0, 10.0, 0.1, group="Sampling"),
    Field("8.points", "Points", Kind.OTHER, [[1, 2]], group="Sampling"),
    Field("9.name", "Prefix", Kind.TEXT, "ComfyUI", group="Save"),
    Field("9.color", "Colour", Kind.COLOR, "#102030", group="Save"),
))  # fmt: skip


@pytest.fixture
def view(theme: Theme, qtbot: QtBot) -> FormView:
    made = FormView(theme, FORM)
    qtbot.addWidget(made)
    made.resize(352, 900)
    made.show()
    return made


# --- The plan -----------------------------------------------------------------------------------------------------


def test_sections_are_what_goes_in_then_numbers_then_models() -> None:
    sections = [[type(block) for block in section] for section in plan(FORM)]
    assert sections == [
        [MediaBlock, PromptBlock, NegativeBlock],
        [SizeBlock, RowBlock, PairBlock, RowBlock],
        [RowBlock, LorasBlock, RowBlock],
    ]


def test_every_pinned_field_is_shown_once() -> None:
    shown = [field.id for section in plan(FORM) for block in section for field in fields_of(block)]
    assert len(shown) == len(set(shown))
    assert set(shown) == shown_ids(plan(FORM)) == {field.id for field in FORM.pinned} | {
        "6.strength_model", "6.strength_clip",
    }  # fmt: skip


def test_partners_are_of_one_node() -> None:
    two = Form((
        pinned("1.width", Kind.INT, 1, Role.WIDTH), pinned("2.width", Kind.INT, 2, Role.WIDTH),
        pinned("2.height", Kind.INT, 4, Role.HEIGHT), pinned("1.height", Kind.INT, 3, Role.HEIGHT),
    ))  # fmt: skip
    pairs = [tuple(field.id for field in fields_of(block)) for block in plan(two)[0]]
    assert pairs == [("1.width", "1.height"), ("2.width", "2.height")]


def test_a_width_alone_is_a_plain_number() -> None:
    assert [type(block) for block in plan(Form((pinned("1.width", Kind.INT, 1, Role.WIDTH),)))[0]] == [RowBlock]


def test_an_empty_form_has_no_sections() -> None:
    assert plan(Form()) == ()


# --- Values -------------------------------------------------------------------------------------------------------


def test_values_are_complete_before_anything_is_unfolded(view: FormView) -> None:
    assert view.values() == {field.id: field.default for field in FORM.fields}


def test_given_values_win_over_defaults(theme: Theme, qtbot: QtBot) -> None:
    made = FormView(theme, FORM, {"1.text": "an owl", "4.seed": 7, "gone.x": 1})
    qtbot.addWidget(made)
    assert made.values()["1.text"] == "an owl"
    assert made.values()["4.seed"] == 7
    assert "gone.x" not in made.values()


def test_what_the_user_types_is_announced(view: FormView, qtbot: QtBot) -> None:
    prompt = view.prompt_part()
    assert isinstance(prompt, PromptPart)
    heard: list[tuple[str, Any]] = []
    view.value_changed.connect(lambda field_id, value: heard.append((field_id, value)))
    with qtbot.waitSignal(view.values_changed):
        QTest.keyClicks(prompt.prompt.edit, "Red: ")
    assert heard[-1] == ("1.text", "Red: a fox")
    assert view.values()["1.text"] == "Red: a fox"


def test_setting_values_announces_nothing(view: FormView, qtbot: QtBot) -> None:
    with qtbot.assertNotEmitted(view.value_changed):
        view.set_values({"1.text": "owl", "4.seed": 5, "3.width": 512, "6.strength_model": 0.2, "8.shift": 1.0})
        view.set_values({"0.image": "example.png", "not.here": 1})
    assert view.values()["3.width"] == 512
    with pytest.raises(KeyError):
        view.set_value("not.here", 1)


def test_an_old_form_never_speaks_for_the_new_one(view: FormView, qtbot: QtBot) -> None:
    view.activateWindow()
    qtbot.waitUntil(view.isActiveWindow)
    part: Any = view.part("3.width")
    field = part.editor("3.width")
    field.setFocus()
    field.edit.selectAll()
    QTest.keyClicks(field.edit, "1350")
    with qtbot.assertNotEmitted(view.value_changed, wait=50):
        view.set_form(Form((pinned("3.width", Kind.INT, 512, Role.WIDTH),)))
    assert view.values() == {"3.width": 512}
    assert view.problems() == {}


def test_a_64_bit_seed_goes_through_the_signal(view: FormView, qtbot: QtBot) -> None:
    part = view.part("4.seed")
    assert part is not None
    row: Any = part.editor("4.seed")
    with qtbot.waitSignal(view.value_changed) as caught:
        row.field.edit.selectAll()
        QTest.keyClicks(row.field.edit, "1")
    assert caught.args == ["4.seed", 1]
    view.set_value("4.seed", SEED)
    assert view.values()["4.seed"] == SEED


def test_what_is_being_typed_counts(view: FormView) -> None:
    part = view.part("3.width")
    assert part is not None
    field: Any = part.editor("3.width")
    field.edit.selectAll()
    QTest.keyClicks(field.edit, "1350")
    assert view.problems() == {"3.width": "Not a multiple of 16. Try 1344."}
    assert view.values()["3.width"] == 1344
    assert view.problems() == {}


def test_one_strength_moves_model_and_text_encoder(view: FormView) -> None:
    part = view.part("6.lora")
    assert part is not None
    row: Any = part.editor("6.lora")
    row.number.field.edit.selectAll()
    QTest.keyClicks(row.number.field.edit, "0.5")
    assert (view.values()["6.strength_model"], view.values()["6.strength_clip"]) == (0.5, 0.5)
    row.tick.click()
    assert view.values()["6.strength_model"] == 0
    row.tick.click()
    assert view.values()["6.strength_model"] == 0.5


def test_locking_a_seed(view: FormView, qtbot: QtBot) -> None:
    assert view.locked_seeds() == frozenset()
    part: Any = view.part("4.seed")
    with qtbot.waitSignal(view.lock_changed) as caught:
        part.editor("4.seed").lock.click()
    assert caught.args == ["4.seed", True]
    assert view.locked_seeds() == {"4.seed"}
    view.set_locked("4.seed", False)
    assert view.locked_seeds() == frozenset()


# --- Changed and reset --------------------------------------------------------------------------------------------


def test_a_changed_field_can_be_reset(view: FormView, qtbot: QtBot) -> None:
    view.set_value("4.steps", 12)
    assert view.changed() == ("4.steps",)
    inputs = view.all_inputs()
    assert inputs is not None
    assert inputs.header._note == "1 changed"
    with qtbot.waitSignal(view.value_changed) as caught:
        view.reset("4.steps")
    assert caught.args == ["4.steps", 30]
    assert view.changed() == ()
    assert inputs.header._note == "none changed"


def test_the_way_back_shows_when_the_row_has_the_focus(view: FormView, qtbot: QtBot) -> None:
    view.activateWindow()
    qtbot.waitUntil(view.isActiveWindow)
    if (first := QApplication.focusWidget()) is not None:  # a window that becomes active may give it to some row
        first.clearFocus()
    view.set_value("4.steps", 12)
    part: Any = view.part("4.steps")
    assert part.findChildren(IconButton) == []
    part.editor("4.steps").field.edit.setFocus()
    (back,) = part.findChildren(IconButton)
    assert back.isVisible()
    assert back.accessibleName() == "Back to 30"
    back.click()
    assert view.values()["4.steps"] == 30
    assert not back.isVisible()


# --- Messages -----------------------------------------------------------------------------------------------------


def test_an_error_stands_under_its_field_until_it_changes(view: FormView) -> None:
    view.set_error("4.steps", "Value 30 bigger than max of 20")
    part: Any = view.part("4.steps")
    message = part._messages["4.steps"]
    assert message.isVisible()
    assert message.text() == "Value 30 bigger than max of 20"
    part.editor("4.steps").field.edit.selectAll()
    QTest.keyClicks(part.editor("4.steps").field.edit, "12")
    assert not message.isVisible()


def test_an_error_unfolds_what_hides_it(view: FormView) -> None:
    view.set_errors({"8.shift": "Too large", "2.text": "Too long", "not.here": "?"})
    inputs = view.all_inputs()
    assert inputs is not None
    assert inputs.is_open
    part = inputs.part("8.shift")
    assert part is not None
    assert part._messages["8.shift"].isVisible()
    negative = view.part("2.text")
    assert isinstance(negative, NegativePart)
    assert negative.section.is_open
    view.set_errors({})
    assert not part._messages["8.shift"].isVisible()


def test_messages_are_never_markup(view: FormView) -> None:
    view.set_error("4.steps", "<b>bold</b> & <script>")
    for label in view.findChildren(QLabel):
        assert label.textFormat() is Qt.TextFormat.PlainText


# --- All inputs ---------------------------------------------------------------------------------------------------


def test_other_kinds_are_edited_as_what_they_are(view: FormView) -> None:
    inputs = view.all_inputs()
    assert inputs is not None
    inputs.set_open(True)
    points: Any = view.part("8.points")
    points.editor("8.points").edit.setPlainText("[[1, 2], [3")
    assert "8.points" in view.problems()
    assert view.values()["8.points"] == [[1, 2]]
    points.editor("8.points").edit.setPlainText("[[5, 6]]")
    assert view.values()["8.points"] == [[5, 6]]
    assert view.problems() == {}
    color: Any = view.part("9.color")
    color.editor("9.color").line.edit.clear()
    QTest.keyClicks(color.editor("9.color").line.edit, "#63adf2")
    assert view.values()["9.color"] == "#63adf2"


def many(count: int) -> Form:
    kinds = (Kind.INT, Kind.FLOAT, Kind.BOOL, Kind.CHOICE, Kind.TEXT, Kind.OTHER)
    defaults: tuple[Any, ...] = (3, 1.5, True, "a", "hello", [1])
    return Form(tuple(
        Field(f"{at}.x", f"Input {at}", kinds[at % 6], defaults[at % 6], choices=("a", "b") if at % 6 == 3 else (),
              group=f"Node {at // 6}", pinned=at < 10)
        for at in range(count)
    ))  # fmt: skip


def test_a_form_of_300_fields_builds_quickly_and_the_rest_when_opened(theme: Theme, qtbot: QtBot) -> None:
    made = FormView(theme)
    qtbot.addWidget(made)
    made.show()
    started = time.perf_counter()
    made.set_form(many(300))
    QGuiApplication.processEvents()
    assert time.perf_counter() - started < 0.5
    assert len(made._parts) == 10
    inputs = made.all_inputs()
    assert inputs is not None
    inputs.set_open(True)
    assert len(made._parts) == 10
    next(iter(inputs._groups.values())).set_open(True)
    assert 10 < len(made._parts) <= 16


def test_inputs_are_found_by_name(theme: Theme, qtbot: QtBot) -> None:
    made = FormView(theme, many(300))
    qtbot.addWidget(made)
    made.show()
    inputs = made.all_inputs()
    assert inputs is not None
    inputs.set_open(True)
    inputs.search.set_text("input 123")
    qtbot.waitUntil(lambda: made.part("123.x") is not None)
    assert made._parts["123.x"].isVisible()
    assert not any(part.isVisible() for id_, part in made._parts.items() if int(id_[:-2]) >= 10 and id_ != "123.x")
    inputs.search.set_text("no such thing")
    qtbot.waitUntil(inputs.nothing.isVisible)
    inputs.search.clear()
    assert sum(group.isVisible() for group in inputs._groups.values()) == len(inputs._groups)


# --- Editors ------------------------------------------------------------------------------------------------------

EXAMPLES: dict[Kind, tuple[Any, Any]] = {
    Kind.TEXT: ("one", "two"), Kind.INT: (3, 2**60), Kind.FLOAT: (0.5, 0.25), Kind.BOOL: (False, True),
    Kind.CHOICE: ("a", "b"), Kind.SEED: (0, SEED), Kind.IMAGE: ("", "example.png"), Kind.VIDEO: ("", "a.mp4"),
    Kind.AUDIO: ("", "a.wav"), Kind.MODEL3D: ("", "a.glb"), Kind.MODEL: ("a", "b"), Kind.COLOR: ("#000000", "#ffffff"),
    Kind.OTHER: ({"a": 1}, [None]),
}  # fmt: skip


def test_every_kind_has_an_editor_that_keeps_values(theme: Theme, qtbot: QtBot) -> None:
    for kind in Kind:
        first, second = EXAMPLES[kind]
        field = Field("1.x", "Thing", kind, first, choices=("a", "b"))
        editor = make_editor(theme, field, first, Surroundings())
        qtbot.addWidget(editor)
        assert editor.value() == first, kind
        with qtbot.assertNotEmitted(editor.value_changed):
            editor.set_value(second)
        assert editor.value() == second, kind
        assert type(editor.value()) is type(second), kind


@pytest.mark.parametrize("kind", list(Kind))
def test_no_value_breaks_an_editor(theme: Theme, qtbot: QtBot, kind: Kind) -> None:
    values: tuple[Any, ...] = (None, "text", -1, 1e300, True, [], {"a": [1]}, "x" * 5000)
    for odd in values:
        editor = make_editor(theme, Field("1.x", "Thing", kind, odd, minimum=0, maximum=10), odd, Surroundings())
        qtbot.addWidget(editor)
        editor.resize(200, 100)
        editor.grab()
        editor.set_value(odd)


def test_a_choice_that_the_pod_no_longer_offers_is_kept(theme: Theme, qtbot: QtBot) -> None:
    editor = make_editor(theme, Field("1.x", "Sampler", Kind.CHOICE, "old", choices=("a", "b")), "old", Surroundings())
    qtbot.addWidget(editor)
    assert editor.value() == "old"


def test_choices_keep_their_types(theme: Theme, qtbot: QtBot) -> None:
    field = Field("1.x", "Mode", Kind.CHOICE, True, choices=(1, True, "1", 2.5))
    editor = make_editor(theme, field, True, Surroundings())
    qtbot.addWidget(editor)
    assert editor.value() is True
    editor.set_value(1)
    assert editor.value() == 1
    assert editor.value() is not True


def test_a_slider_covers_what_people_use() -> None:
    assert span_of(Field("1.steps", "Steps", Kind.INT, 20, Role.STEPS, 1, 10_000)) == (1, 50)
    assert span_of(Field("1.cfg", "CFG", Kind.FLOAT, 8.0, Role.CFG, 0.0, 100.0, 0.1)) == (0.0, 10)
    assert span_of(Field("1.x", "X", Kind.INT, 0, None, 0, 2**63)) is None
    assert span_of(Field("1.x", "X", Kind.FLOAT, 0.0, None, 0.0, 1.0, 0.01)) == (0.0, 1.0)


@pytest.mark.parametrize("font_scale", [1.0, 1.5, 2.0])
def test_nothing_is_wider_than_the_narrowest_dock(theme: Theme, qtbot: QtBot, font_scale: float) -> None:
    theme.apply(Appearance(Scheme.DARK, font_scale=font_scale, reduced_motion=True))
    made = FormView(theme, FORM)
    qtbot.addWidget(made)
    made.resize(320, 800)
    made.show()
    inputs = made.all_inputs()
    assert inputs is not None
    inputs.set_open(True)
    content = made.widget()
    assert content is not None
    assert content.minimumSizeHint().width() <= 320


def test_the_form_follows_a_switch_of_the_theme(view: FormView, theme: Theme) -> None:
    before = view.values()
    theme.apply(Appearance(Scheme.LIGHT, font_scale=2.0, reduced_motion=True))
    view.grab()
    theme.apply(Appearance(Scheme.DARK, reduced_motion=True))
    assert view.values() == before
