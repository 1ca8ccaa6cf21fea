"""Where the prompt is written: grows with its text, tints its tokens, survives any paste, knows what was written."""

from dataclasses import dataclass
from typing import Any

import shiboken6
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets.buttons import Button, Kind, Size
from comfydesk.qt.widgets.editor import Editor
from comfydesk.qt.widgets.field_frame import FieldFrame
from comfydesk.qt.widgets.form_help import FormHelp, TextKind
from comfydesk.qt.widgets.labels import Label
from comfydesk.qt.widgets.prompt_edit import LARGEST, PromptEdit
from comfydesk.qt.widgets.prompt_popup import Completer
from comfydesk.qt.widgets.prompt_syntax import places_of
from comfydesk.qt.widgets.prompt_tools import PromptTools


@dataclass(frozen=True, slots=True)
class Selection:
    """What is selected: `text[start:end]` of the whole; empty where nothing is."""

    text: str
    start: int
    end: int


class PromptEditor(Editor):
    """The frame, the text, and a line that says so when there is too much text to show.

    `bar` is the right end of a heading: whoever shows the editor under a heading of its own puts it there. `tools` is
    the room in it for other actions (Enhance).
    """

    locks_changed = Signal(object)
    """tuple of the phrases that are to be kept"""

    def __init__(
        self,
        theme: Theme,
        value: str = "",
        *,
        placeholder: str = "",
        lines: tuple[int, int] = (4, 10),
        help_: FormHelp | None = None,
        kind: TextKind = "text",
        parent: QWidget | None = None,
    ) -> None:
        """`help_` knows names to complete and what was written before; `kind` says which of it."""
        super().__init__(theme, parent)
        self._kept: str | None = None
        self._before = ""
        self._quiet = False
        self._help, self._kind = help_, kind
        self._locked: tuple[str, ...] = ()
        self._past: tuple[str, ...] | None = None
        self._past_at = 0
        self.frame = FieldFrame(theme)
        self.frame.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.edit = PromptEdit(theme, *lines)
        self.edit.setPlaceholderText(placeholder)
        self._note = _TooLong(theme)
        self._note.hide()
        self._column = QVBoxLayout()
        self._column.addWidget(self.edit)
        self._column.addWidget(self._note)
        self.frame.row.addLayout(self._column)
        self.frame.watch(self.edit)
        self.row.addWidget(self.frame)
        self.bar = PromptTools(theme, self)
        self.bar.hide()  # until somebody has a heading for it
        self.completer = Completer(theme, self.edit, help_) if help_ is not None else None
        self.setFocusProxy(self.edit)
        self._join()
        theme.changed.connect(self._measure)
        self._measure()
        self.set_value(value)

    # --- Value ----------------------------------------------------------------------------------------------------

    def value(self) -> str:
        return self.edit.toPlainText() if self._kept is None else self._kept

    def set_value(self, value: Any) -> None:
        words = "" if value is None else str(value)
        if words == self.value():
            return
        self._quiet = True
        self._show(words)
        self._quiet = False
        self._forget_past()

    def set_name(self, name: str) -> None:
        self.edit.setAccessibleName(name)

    def set_invalid(self, invalid: bool) -> None:
        self.frame.set_invalid(invalid)

    # --- Parts of the text ------------------------------------------------------------------------------------------

    @property
    def tools(self) -> QHBoxLayout:
        """Room for more actions at the right end of the heading."""
        return self.bar.more

    def selection(self) -> Selection:
        """What is selected, with its place in `value()`."""
        cursor, text = self.edit.textCursor(), self.edit.toPlainText()
        start, end = cursor.selectionStart(), cursor.selectionEnd()
        return Selection(text[start:end], start, end)

    def replace(self, words: str, start: int | None = None, end: int | None = None) -> None:
        """Put `words` in place of a part (None: from the beginning, to the end), as the user's change.

        One step that Undo takes back.
        """
        text = self.value()
        first, last = start or 0, len(text) if end is None else end
        whole = text[:first] + words + text[last:]
        if self._kept is not None or len(whole) > LARGEST:
            self._before = text
            self._replace(whole)
        else:
            self.edit.replace(first, last, words)

    # --- What is kept -----------------------------------------------------------------------------------------------

    def locked(self) -> tuple[str, ...]:
        """Phrases of the text that the user wants kept whatever becomes of the rest, in their order."""
        text = self.value()
        return tuple(dict.fromkeys(text[at : at + length] for at, length in places_of(self._locked, text)))

    def set_locked(self, phrases: tuple[str, ...]) -> None:
        """Show these as locked; emits nothing."""
        self._locked = tuple(phrase for phrase in phrases if phrase)
        self.edit.mark_locked(self._locked)
        self._show_lock()

    def toggle_lock(self) -> None:
        """Lock the selected words; let go the locked ones that are selected or that the cursor is in."""
        here = self._locked_here()
        if here:
            phrases = tuple(phrase for phrase in self._locked if phrase not in here)
        else:
            lines = (line.strip() for line in self.selection().text.split("\n"))
            phrases = tuple(dict.fromkeys((*self.locked(), *(line for line in lines if line))))
        if phrases != self._locked:
            self.set_locked(phrases)
            self.locks_changed.emit(self._locked)

    def _locked_here(self) -> set[str]:
        chosen, text = self.selection(), self.value()
        return {
            text[at : at + length]
            for at, length in places_of(self._locked, text)
            if at <= chosen.start <= at + length and chosen.end <= at + length
        }

    def _show_lock(self) -> None:
        chosen = self.selection()
        self.bar.show_lock(bool(chosen.text.strip()), bool(self._locked_here()))

    # --- What was written before ------------------------------------------------------------------------------------

    def step_history(self, steps: int) -> None:
        """The text before this one (1), or after it (-1); at the end is what stood here."""
        if self._past is None:
            if self._help is not None and steps > 0:
                self._help.ask_history(self._kind, "", self._begin_history)
        else:
            at = max(0, min(len(self._past) - 1, self._past_at + steps))
            if at != self._past_at:
                self._past_at = at
                past = self._past
                self.replace(past[at])
                self._past, self._past_at = past, at

    def _begin_history(self, texts: tuple[str, ...]) -> None:
        if shiboken6.isValid(self):
            now = self.value()
            self._past = (now, *(text for text in texts if text != now))
            self._past_at = 0
            self.step_history(1)

    def _open_history(self) -> None:
        if self._help is not None:
            self._help.ask_history(self._kind, "", self._list_history)

    def _list_history(self, texts: tuple[str, ...]) -> None:
        if shiboken6.isValid(self) and self.isVisible():
            self.bar.show_history(texts)

    def _take_history(self, text: str) -> None:
        self.replace(text)
        self.edit.setFocus(Qt.FocusReason.OtherFocusReason)

    def _forget_past(self) -> None:
        self._past, self._past_at = None, 0

    # --- Inside -----------------------------------------------------------------------------------------------------

    def _join(self) -> None:
        self.edit.textChanged.connect(self._typed)
        self.edit.oversized.connect(self._keep)
        self.edit.history_stepped.connect(self.step_history)
        self.edit.lock_wanted.connect(self.toggle_lock)
        self.edit.selectionChanged.connect(self._show_lock)
        self.edit.cursorPositionChanged.connect(self._show_lock)
        self.bar.history.setVisible(self._help is not None)
        self.bar.history_wanted.connect(self._open_history)
        self.bar.lock_wanted.connect(self.toggle_lock)
        self.bar.picked.connect(self._take_history)
        self._note.shorten.clicked.connect(self._shorten)
        self._note.undo.clicked.connect(self._undo)

    def _show(self, words: str) -> None:
        self._kept = words if len(words) > LARGEST else None
        self.edit.setPlainText(words[:LARGEST])
        self.edit.setReadOnly(self._kept is not None)
        self._note.setVisible(self._kept is not None)
        if self._kept is not None:
            self._note.tell(len(words))
        self.bar.show_text(words[:LARGEST])

    def _typed(self) -> None:
        if not self._quiet and self._kept is None:
            words = self.value()
            self._forget_past()
            self.bar.show_text(words)
            self.value_changed.emit(words)

    def _keep(self, words: str) -> None:
        self._before = self.value()
        self._replace(words)

    def _shorten(self) -> None:
        self._replace((self._kept or "")[:LARGEST])

    def _undo(self) -> None:
        self._replace(self._before)

    def _replace(self, words: str) -> None:
        self._quiet = True
        self._show(words)
        self._quiet = False
        self.value_changed.emit(words)

    def _measure(self) -> None:
        px = self.theme.px
        self.frame.row.setContentsMargins(px(11), px(9), px(8), px(9))
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(px(4))


class _TooLong(QWidget):
    """Says that the text is kept whole, and what can be done."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._label = Label(theme, font="small", color="warning", wrap=True)
        self.shorten = Button(theme, tr("Keep the beginning"), kind=Kind.LINK, size=Size.COMPACT)
        self.undo = Button(theme, tr("Undo"), kind=Kind.LINK, size=Size.COMPACT)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._label)
        self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        left = Qt.AlignmentFlag.AlignLeft
        self._row.addWidget(self.shorten, 0, left)
        self._row.addWidget(self.undo, 0, left)
        self._row.addStretch(1)
        column.addLayout(self._row)
        theme.changed.connect(self._turn)
        self._theme = theme
        self._turn()

    def _turn(self) -> None:
        """Large words stand below each other."""
        direction = QBoxLayout.Direction
        self._row.setDirection(direction.TopToBottom if self._theme.labels_above else direction.LeftToRight)

    def tell(self, length: int) -> None:
        self._label.setText(
            tr(
                "{length} characters. All are kept and sent; the first {shown} are shown and cannot be edited.",
                length=f"{length:,}",
                shown=f"{LARGEST:,}",
            )
        )
