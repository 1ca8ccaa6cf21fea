"""The prompt's helpers: weights that keep what is nested, names completed by keyboard, history, phrases to be kept."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QMimeData, Qt
from PySide6.QtGui import QTextCursor
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from comfydesk.qt.theme import Theme
from comfydesk.qt.widgets.form_help import FormHelp
from comfydesk.qt.widgets.prompt_complete import insertion, matches, spelled, wanted_at
from comfydesk.qt.widgets.prompt_edit import LARGEST
from comfydesk.qt.widgets.prompt_editor import PromptEditor, Selection
from comfydesk.qt.widgets.prompt_syntax import count_words, guess_tokens, places_of
from comfydesk.qt.widgets.prompt_weights import reweigh

LORAS = tuple(f"style{n // 10}/look_{n}" for n in range(200))
ALT, CONTROL = Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def help_() -> FormHelp:
    made = FormHelp()
    made.set_names({"lora": LORAS, "embedding": ("easynegative", "bad/hands"), "wildcard": ("animals", "places/city")})
    return made


@pytest.fixture
def editor(theme: Theme, qtbot: QtBot, help_: FormHelp) -> PromptEditor:
    made = PromptEditor(theme, help_=help_, kind="prompt")
    qtbot.addWidget(made)
    made.resize(320, 160)
    made.show()
    qtbot.waitExposed(made)
    made.activateWindow()
    made.edit.setFocus()
    return made


def offered(editor: PromptEditor) -> bool:
    return editor.completer is not None and editor.completer.popup is not None


def select(editor: PromptEditor, words: str) -> None:
    start = editor.value().index(words)
    cursor = editor.edit.textCursor()
    cursor.setPosition(start)
    cursor.setPosition(start + len(words), QTextCursor.MoveMode.KeepAnchor)
    editor.edit.setTextCursor(cursor)


# --- Weights ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "chosen", "result"),
    [
        ("a (b (c:1.2) d:1.1) e", "a (b", "(a (b (c:1.2) d:1.1):1.05) e"),
        ("{a|b|c} x", "a|b", "({a|b|c}:1.05) x"),
        ("{a|b|c} x", "b", "{a|(b:1.05)|c} x"),
        ("<lora:film:0.7> x", "fil", "<lora:film:0.75> x"),
        ("(x) y", "x", "(x:1.15) y"),
        ("(red fox:1.2) y", "red", "((red:1.05) fox:1.2) y"),
        ("(red fox:1.2) y", "red fox", "(red fox:1.25) y"),
        ("(red fox:1.2) y", "fox:1", "(red fox:1.25) y"),
        ("no (partner", "no (p", "no (partner"),
        (r"smile \(a\) x", r"smile \(a", r"(smile \(a\):1.05) x"),
        ("x __wild/y__ z", "ild/", "x (__wild/y__:1.05) z"),
        ("embedding:foo-1 b", "foo", "(embedding:foo-1:1.05) b"),
        ("a fox, an owl, b", " an owl, ", "a fox, (an owl:1.05), b"),
    ],
)
def test_a_weight_never_cuts_what_is_nested(text: str, chosen: str, result: str) -> None:
    start = text.index(chosen)
    assert reweigh(text, start, start + len(chosen), 1)[0] == result


PARTS = st.recursive(
    st.sampled_from(["fox", "a red owl", "__animal__", "<lora:film:0.7>", "embedding:x", r"\(old\)"]),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(", ".join),
        inner.map(lambda words: f"({words}:1.2)"),
        inner.map(lambda words: f"({words})"),
        st.lists(inner, min_size=2, max_size=3).map(lambda options: "{" + "|".join(options) + "}"),
    ),
    max_leaves=6,
)


@given(PARTS, st.data(), st.sampled_from([1, -1, 3]))
def test_what_is_balanced_stays_balanced(text: str, data: st.DataObject, steps: int) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    new, first, last = reweigh(text, start, end, steps)
    assert balanced(new), (text, start, end, new)
    assert 0 <= first <= last <= len(new)
    assert words_of(new) == words_of(text), "nothing but weights and parentheses changes"


def balanced(text: str) -> bool:
    opened: list[str] = []
    for sign in text.replace(r"\(", "").replace(r"\)", ""):
        if sign in "([{<":
            opened.append(sign)
        elif sign in ")]}>" and (not opened or "([{<".index(opened.pop()) != ")]}>".index(sign)):
            return False
    return not opened


def words_of(text: str) -> str:
    return "".join(sign for sign in text if sign.isalpha() or sign in "{|}<>_")


@pytest.mark.parametrize("text", ["(" * LARGEST, "(" * 9_000 + "a" + ")" * 9_000, "[(" * 5_000 + ")]" * 5_000])
def test_no_text_takes_long_to_weigh(text: str) -> None:
    started = time.perf_counter()
    reweigh(text, len(text) // 4, len(text) // 2, 1)
    assert time.perf_counter() - started < 1.0


# --- Names --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("a <lora:fi|", "a <lora:NAME:1>"),
        ("a <lora:fi|lm:0.7> x", "a <lora:NAME:0.7> x"),
        ("embedding:ea|, y", "embedding:NAME, y"),
        ("x __a__ b __c|", "x __a__ b __NAME__"),
        ("__a/b|c__ d", "__NAME__ d"),
    ],
)
def test_a_name_is_put_in_whole(text: str, result: str) -> None:
    at = text.index("|")
    clean = text.replace("|", "")
    wanted = wanted_at(clean, at)
    assert wanted is not None
    assert clean[: wanted.start] + insertion(wanted, "NAME", clean) + clean[wanted.end :] == result


@pytest.mark.parametrize("text", ["", "a fox", "__a__", "<lora:x:0.7>", "<lora:x:0", "embeddings", "see embedding: x"])
def test_nothing_is_offered_where_no_name_is_typed(text: str) -> None:
    assert wanted_at(text, len(text)) is None


def test_the_best_match_comes_first() -> None:
    names = ("old/film", "film_grain", "analog-film", "fancy_illumination", "owl")
    assert matches(names, "film") == ("old/film", "film_grain", "analog-film", "fancy_illumination")
    assert matches(names, "fi") == ("old/film", "film_grain", "analog-film", "fancy_illumination")
    assert spelled("lora", "sub\\film.v2.safetensors") == "sub/film.v2"


def test_names_of_5000_models_are_found_while_one_types() -> None:
    names = tuple(f"folder{n % 40}/model_{n}_v{n % 7}" for n in range(5000))
    started = time.perf_counter()
    matches(names, "mo4v")
    assert time.perf_counter() - started < 0.25


def test_a_lora_is_completed_by_keyboard_alone(editor: PromptEditor) -> None:
    QTest.keyClicks(editor.edit, "a fox <lora:look_1")
    assert editor.completer is not None
    popup = editor.completer.popup
    assert popup is not None
    assert editor.edit.hasFocus()
    first = popup.current()
    QTest.keyClick(editor.edit, Qt.Key.Key_Down)
    second = popup.current()
    assert first != second
    assert second in editor.edit.accessibleDescription(), "a screen reader hears the choice"
    QTest.keyClick(editor.edit, Qt.Key.Key_Tab)
    assert editor.value() == f"a fox <lora:{second}:1>"
    assert editor.edit.hasFocus(), "Tab took the name, not the focus away"
    assert not offered(editor)
    editor.edit.undo()
    assert editor.value() == "a fox <lora:look_1", "one step back"


def test_escape_leaves_the_name_as_it_was_typed(editor: PromptEditor) -> None:
    QTest.keyClicks(editor.edit, "__ani")
    assert offered(editor)
    QTest.keyClick(editor.edit, Qt.Key.Key_Escape)
    QTest.keyClicks(editor.edit, "m")
    assert not offered(editor)
    assert editor.value() == "__anim"


def test_ctrl_enter_generates_while_names_are_offered(editor: PromptEditor, qtbot: QtBot) -> None:
    QTest.keyClicks(editor.edit, "embedding:ea")
    QTest.keyClick(editor.edit, Qt.Key.Key_Return, CONTROL)
    assert editor.value() == "embedding:ea"


# --- What was written before --------------------------------------------------------------------------------------


def remembered(help_: FormHelp, *texts: str) -> list[str]:
    asked: list[str] = []

    def answer(kind: str, _words: str, tell: object) -> None:
        asked.append(kind)
        assert callable(tell)
        tell(texts)

    help_.history_wanted.connect(answer)
    return asked


def test_alt_up_walks_back_through_prompts_and_alt_down_to_what_was_typed(
    editor: PromptEditor, help_: FormHelp
) -> None:
    asked = remembered(help_, "an owl", "a bear")
    QTest.keyClicks(editor.edit, "half a tho")
    seen = []
    for key in (Qt.Key.Key_Up, Qt.Key.Key_Up, Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Down):
        QTest.keyClick(editor.edit, key, ALT)
        seen.append(editor.value())
    assert seen == ["an owl", "a bear", "a bear", "an owl", "half a tho"]
    assert asked == ["prompt"], "asked once, for prompts"
    editor.edit.undo()
    assert editor.value() == "an owl", "each step can be undone"


def test_the_list_of_prompts_is_searched_and_taken(editor: PromptEditor, help_: FormHelp, qtbot: QtBot) -> None:
    texts = [f"a picture of thing {n}" for n in range(40)]
    remembered(help_, *texts)
    editor.bar.show()
    editor.bar.history.click()
    popup = editor.bar.popup
    assert popup is not None
    assert popup.isVisible()
    QTest.keyClicks(popup.line, "thing 33")
    QTest.keyClick(popup.line, Qt.Key.Key_Return)
    assert editor.value() == texts[33]


def test_without_a_library_nothing_happens(theme: Theme, qtbot: QtBot) -> None:
    editor = PromptEditor(theme, "a fox")
    qtbot.addWidget(editor)
    QTest.keyClick(editor.edit, Qt.Key.Key_Up, ALT)
    assert editor.value() == "a fox"


# --- Phrases that are kept ----------------------------------------------------------------------------------------


def test_a_selection_is_locked_and_let_go_again(editor: PromptEditor, qtbot: QtBot) -> None:
    editor.set_value("a red fox in the snow")
    select(editor, "red fox")
    with qtbot.waitSignal(editor.locks_changed):
        QTest.keyClick(editor.edit, Qt.Key.Key_L, CONTROL | Qt.KeyboardModifier.ShiftModifier)
    assert editor.locked() == ("red fox",)
    QTest.keyClick(editor.edit, Qt.Key.Key_Home)
    QTest.keyClicks(editor.edit, "Look: ")
    assert editor.locked() == ("red fox",), "it moves with its text"
    select(editor, "fox")
    editor.bar.lock.click()
    assert editor.locked() == ()


def test_a_phrase_that_is_gone_is_not_locked(editor: PromptEditor) -> None:
    editor.set_value("a red fox")
    editor.set_locked(("red fox", "blue owl"))
    assert editor.locked() == ("red fox",)
    editor.replace("an owl")
    assert editor.locked() == ()


def test_marking_changes_nothing(editor: PromptEditor, qtbot: QtBot) -> None:
    editor.set_value("a red fox")
    with qtbot.assertNotEmitted(editor.value_changed):
        editor.set_locked(("red",))
    assert places_of(("red", "red fox"), "red fox red") == [(0, 7), (8, 3)]


# --- Replacing ----------------------------------------------------------------------------------------------------


def test_a_part_is_replaced_in_one_step(editor: PromptEditor, qtbot: QtBot) -> None:
    editor.set_value("a red fox")
    select(editor, "red")
    assert editor.selection() == Selection("red", 2, 5)
    with qtbot.waitSignal(editor.value_changed):
        editor.replace("very red,\nold", 2, 5)
    assert editor.value() == "a very red,\nold fox"
    editor.edit.undo()
    assert editor.value() == "a red fox"


def test_a_replacement_that_is_too_long_is_kept_and_undone(editor: PromptEditor) -> None:
    editor.set_value("a red fox")
    editor.replace("x" * 1_000_000)
    assert len(editor.value()) == 1_000_000
    editor._note.undo.click()
    assert editor.value() == "a red fox"


# --- Its length ---------------------------------------------------------------------------------------------------


def test_words_and_tokens_are_counted(editor: PromptEditor, qtbot: QtBot) -> None:
    assert count_words("a (red) fox's tail, 35 mm") == 6
    assert guess_tokens("a photograph, 35 mm") == 7
    QTest.keyClicks(editor.edit, "a red fox")
    qtbot.waitUntil(lambda: editor.bar.count.text() == "3 tokens")
    assert editor.bar.count.toolTip() == "3 words, about 3 tokens"


def test_a_paste_of_a_megabyte_keeps_every_key_fluent(editor: PromptEditor) -> None:
    data = QMimeData()
    data.setText("word, (nested {a|b}:1.1) " * 40_000)
    started = time.thread_time()
    editor.edit.insertFromMimeData(data)
    assert time.thread_time() - started < 1.0
    assert len(editor.value()) == 1_000_000
    editor._note.shorten.click()
    assert len(editor.value()) == LARGEST
    editor.edit.moveCursor(QTextCursor.MoveOperation.End)
    started = time.thread_time()
    QTest.keyClicks(editor.edit, "some words")
    assert (time.thread_time() - started) / 10 < 0.05, "at the largest text that can be edited"
