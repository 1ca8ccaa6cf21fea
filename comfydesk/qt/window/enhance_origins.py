"""What enhanced prompts were before: remembered while the user writes on, so that it goes along with each job.

A text comes from an enhanced one as long as the step that accepted it is not undone, the field was not emptied, and
nothing else was loaded into it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from PySide6.QtCore import QObject

from comfydesk.qt.widgets.prompt_editor import PromptEditor

REMEMBERED = 100
"""Enhanced texts per field whose originals go along with jobs."""
Key = tuple[str, str]
"""Id of the workflow, and of the field."""


@dataclass(slots=True)
class _Live:
    """What a field holds now, and what that was. `steps`: of undoing, when it was accepted."""

    original: str
    text: str
    steps: int


class Origins(QObject):
    """Lives as long as the session does."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._known: dict[Key, dict[str, str]] = {}
        self._live: dict[Key, _Live] = {}
        self._watched: dict[PromptEditor, Key] = {}

    def of(self, workflow: str) -> Mapping[str, Mapping[str, str]]:
        """Field id → text → the text before it was enhanced."""
        found = {field: dict(texts) for (of, field), texts in self._known.items() if of == workflow}
        for (of, field), live in self._live.items():
            if of == workflow:
                found.setdefault(field, {})[live.text] = live.original
        return found

    def accept(self, key: Key, editor: PromptEditor, words: str) -> None:
        """Put `words` into the field, in one step that Undo takes back. What it was before the first time counts."""
        before = editor.value()
        live = self._live.get(key)
        first = live.original if live is not None and live.text == before else before
        original = self._known.get(key, {}).get(before, first)
        editor.replace(words)
        self._remember(key, words, original)
        self._live[key] = _Live(original, words, _steps(editor))

    def follow(self, key: Key, editor: PromptEditor) -> None:
        """The field is shown anew: watch what becomes of its text."""
        live, text = self._live.pop(key, None), editor.value()
        if live is not None and live.text == text:
            self._remember(key, text, live.original)
            self._live[key] = _Live(live.original, text, 1)
        if editor not in self._watched:  # the same form may be filled in anew, for another workflow
            editor.edit.textChanged.connect(lambda: self._on_text(editor))
            editor.destroyed.connect(lambda: self._watched.pop(editor, None))
        self._watched[editor] = key

    def _on_text(self, editor: PromptEditor) -> None:
        key = self._watched[editor]
        text, steps = editor.value(), _steps(editor)
        original = self._known.get(key, {}).get(text)
        live = self._live.get(key)
        if original is not None:  # accepted, or brought back by Redo
            self._live[key] = _Live(original, text, max(1, steps))
        elif live is not None and (not text.strip() or steps < live.steps):
            del self._live[key]
        elif live is not None:
            live.text = text

    def _remember(self, key: Key, text: str, original: str) -> None:
        known = self._known.setdefault(key, {})
        known[text] = original
        for old in list(known)[:-REMEMBERED]:
            del known[old]


def _steps(editor: PromptEditor) -> int:
    return editor.edit.document().availableUndoSteps()
