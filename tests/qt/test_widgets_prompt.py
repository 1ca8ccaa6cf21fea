"""The prompt: tints, weights, growth, and pastes of any size."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QMimeData, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from comfydesk.qt.theme import Theme
from comfydesk.qt.widgets.prompt_edit import LARGEST
from comfydesk.qt.widgets.prompt_editor import PromptEditor
from comfydesk.qt.widgets.prompt_syntax import tints
from comfydesk.qt.widgets.prompt_weights import reweigh


def paste(editor: PromptEditor, words: str) -> None:
    data = QMimeData()
    data.setText(words)
    editor.edit.insertFromMimeData(data)


def test_tokens_are_found_by_kind() -> None:
    line = "<lora:coastal-film:0.7> Lighthouse on a (basalt cliff:1.2), {calm|choppy} __sky__ (plain) {alone}"
    assert [(line[at : at + length], kind) for at, length, kind in tints(line)] == [
        ("<lora:coastal-film:0.7>", "lora"),
        ("(basalt cliff:1.2)", "weight"),
        ("{calm|choppy}", "wildcard"),
        ("__sky__", "wildcard"),
    ]


@pytest.mark.parametrize("line", ["(" * 5000, "{|" * 2500, "<lora:" * 900, "_" * 5000, "(a:1" * 1200])
def test_no_line_takes_long_to_tint(line: str) -> None:
    started = time.perf_counter()
    tints(line)
    assert time.perf_counter() - started < 0.5


@pytest.mark.parametrize(
    ("text", "at", "steps", "result"),
    [
        ("a red fox", (3, 3), 1, "a (red:1.05) fox"),
        ("a (red:1.05) fox", (4, 4), 1, "a (red:1.1) fox"),
        ("a (red:1.05) fox", (4, 4), -1, "a red fox"),
        ("a red fox", (2, 9), 2, "a (red fox:1.1)"),
        ("a (red fox:2)", (5, 5), 1, "a (red fox:2)"),
        ("   ", (1, 1), 1, "   "),
        ("", (0, 0), 1, ""),
    ],
)
def test_weights_rise_and_fall(text: str, at: tuple[int, int], steps: int, result: str) -> None:
    new, start, end = reweigh(text, *at, steps)
    assert new == result
    assert 0 <= start <= end <= len(new)


@given(
    st.text(alphabet="ab (:1.)<>{|}_\n", max_size=60), st.integers(0, 60), st.integers(0, 60), st.sampled_from([1, -1])
)
def test_any_text_can_be_weighed(text: str, one: int, other: int, steps: int) -> None:
    start, end = sorted((min(one, len(text)), min(other, len(text))))
    new, first, last = reweigh(text, start, end, steps)
    assert 0 <= first <= last <= len(new)


def test_ctrl_up_weighs_the_word_at_the_cursor(theme: Theme, qtbot: QtBot) -> None:
    editor = PromptEditor(theme, "a red fox")
    qtbot.addWidget(editor)
    cursor = editor.edit.textCursor()
    cursor.setPosition(4)
    editor.edit.setTextCursor(cursor)
    heard: list[object] = []
    editor.value_changed.connect(heard.append)
    for _ in range(2):
        QTest.keyClick(editor.edit, Qt.Key.Key_Up, Qt.KeyboardModifier.ControlModifier)
    assert editor.value() == "a (red:1.1) fox"
    assert heard[-1] == "a (red:1.1) fox"
    QTest.keyClick(editor.edit, Qt.Key.Key_Down, Qt.KeyboardModifier.ControlModifier)
    assert editor.value() == "a (red:1.05) fox"
    editor.edit.undo()
    assert editor.value() == "a (red:1.1) fox"


def test_it_grows_from_4_to_10_lines(theme: Theme, qtbot: QtBot) -> None:
    editor = PromptEditor(theme)
    qtbot.addWidget(editor)
    editor.resize(320, editor.sizeHint().height())
    editor.show()
    line = editor.edit.line_height()
    assert editor.edit.height() == 4 * line
    editor.edit.setPlainText("\n".join("abcdef"))
    assert editor.edit.height() == 6 * line
    editor.set_value("\n".join("a" * 40))
    assert editor.edit.height() == 10 * line


def test_ctrl_enter_is_not_a_line_break(theme: Theme, qtbot: QtBot) -> None:
    editor = PromptEditor(theme, "fox")
    qtbot.addWidget(editor)
    QTest.keyClick(editor.edit, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert editor.value() == "fox"


def test_tab_leaves_the_field(theme: Theme, qtbot: QtBot) -> None:
    editor = PromptEditor(theme, "fox")
    qtbot.addWidget(editor)
    QTest.keyClick(editor.edit, Qt.Key.Key_Tab)
    assert editor.value() == "fox"


def test_pasted_markup_is_text(theme: Theme, qtbot: QtBot) -> None:
    editor = PromptEditor(theme)
    qtbot.addWidget(editor)
    data = QMimeData()
    data.setHtml("<b>bold</b>")
    data.setText("<b>bold</b>")
    editor.edit.insertFromMimeData(data)
    assert editor.value() == "<b>bold</b>"


@pytest.mark.parametrize("words", ["x" * 1_000_000, "word, " * 170_000, "a\n" * 500_000])
def test_a_paste_of_a_megabyte_is_kept_whole_and_can_be_undone(theme: Theme, qtbot: QtBot, words: str) -> None:
    editor = PromptEditor(theme, "fox ")
    qtbot.addWidget(editor)
    editor.show()
    editor.edit.moveCursor(editor.edit.textCursor().MoveOperation.End)
    started = time.perf_counter()
    paste(editor, words)
    QGuiApplication.processEvents()
    assert time.perf_counter() - started < 2.0
    assert editor.value() == "fox " + words
    assert len(editor.edit.toPlainText()) <= LARGEST
    assert editor._note.isVisible()
    editor._note.undo.click()
    assert editor.value() == "fox "
    assert not editor._note.isVisible()
    assert not editor.edit.isReadOnly()


def test_a_long_value_can_be_cut_to_what_is_shown(theme: Theme, qtbot: QtBot) -> None:
    editor = PromptEditor(theme, "x" * 30_000)
    qtbot.addWidget(editor)
    assert len(editor.value()) == 30_000
    with qtbot.waitSignal(editor.value_changed):
        editor._note.shorten.click()
    assert len(editor.value()) == LARGEST
    assert not editor.edit.isReadOnly()
