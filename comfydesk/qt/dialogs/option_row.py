"""One setting on the screen: its name, what it is for, its editor, and the way back to the default."""

from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from comfydesk.option import Option
from comfydesk.qt.dialogs.folder_option import FoldersOption
from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets.badge_label import BadgeLabel
from comfydesk.qt.widgets.badges import Badge
from comfydesk.qt.widgets.buttons import Button, IconButton, Size
from comfydesk.qt.widgets.choice_combo import Combo
from comfydesk.qt.widgets.editor import Editor
from comfydesk.qt.widgets.form_part import Message
from comfydesk.qt.widgets.labels import Label
from comfydesk.qt.widgets.number_row import NumberRow
from comfydesk.qt.widgets.numbers import Range
from comfydesk.qt.widgets.segmented import Segment, Segmented
from comfydesk.qt.widgets.switch import BoolEditor
from comfydesk.qt.widgets.text_line import TextLine

SEGMENTS = 3
"""So many choices stand beside each other; more go into a list."""
SLIDER_FROM = 20
"""Numbers with so many values between their ends get a slider."""
EDITOR_WIDTH = 300


class ChoiceOption(Editor):
    """A few choices with names of their own."""

    def __init__(self, theme: Theme, option: Option[Any]) -> None:
        super().__init__(theme)
        self._choices = option.choices
        words = [tr(label) for label in option.choice_labels] or [str(choice) for choice in option.choices]
        self._segments: Segmented | None = None
        self._combo: Combo | None = None
        if len(words) <= SEGMENTS:
            self._segments = Segmented(theme, [Segment(word) for word in words], name=tr(option.label))
            self._segments.picked.connect(self._picked)
            self.row.addWidget(self._segments, 1)
        else:
            self._combo = Combo(theme)
            self._combo.addItems(words)
            self._combo.setAccessibleName(tr(option.label))
            self._combo.activated.connect(self._picked)
            self.row.addWidget(self._combo, 1)
            self.setFocusProxy(self._combo)

    def value(self) -> Any:
        at = self._segments.current() if self._segments is not None else self._index()
        return self._choices[at]

    def set_value(self, value: Any) -> None:
        at = self._choices.index(value)
        if self._segments is not None:
            self._segments.set_current(at)
        elif self._combo is not None:
            self._combo.setCurrentIndex(at)

    def _index(self) -> int:
        return 0 if self._combo is None else self._combo.currentIndex()

    def _picked(self, at: int) -> None:
        self.value_changed.emit(self._choices[at])


class TextOption(TextLine):
    """A text; taken when it is entered, not at each key. A folder's says what is wrong with it."""

    browse = Signal()

    def __init__(self, theme: Theme, option: Option[Any]) -> None:
        super().__init__(theme)
        self._folder, self._problem, self._told = option.folder, "", ""
        self.edit.editingFinished.connect(self.commit)
        if option.folder:
            choose = Button(theme, tr("Choose"), icon="folder")
            choose.clicked.connect(self.browse)
            choose.setAccessibleName(tr("Choose: {name}", name=tr(option.label)))
            self.row.addWidget(choose)

    def set_value(self, value: Any) -> None:
        super().set_value(value)
        self._told = self.edit.text()
        self._say("")

    def problem(self) -> str:
        return self._problem

    def commit(self) -> None:
        if not self._problem and self.edit.text() != self._told:
            self._told = self.edit.text()
            self.value_changed.emit(self._told)

    def _typed(self, words: str) -> None:
        self._say(folder_problem(words) if self._folder else "")

    def _say(self, problem: str) -> None:
        if problem != self._problem:
            self._problem = problem
            self.set_invalid(bool(problem))
            self.problem_changed.emit(problem)


def folder_problem(words: str) -> str:
    """What is wrong with a folder that is to be written to; "" when nothing is, or when none is named."""
    if not words.strip():
        return ""
    path = Path(words.strip()).expanduser()
    if not path.is_absolute():
        return tr("Give the whole path, from the root.")
    try:
        if path.is_file():
            return tr("This is a file. Choose a folder.")
        there = next((parent for parent in (path, *path.parents) if parent.exists()), None)
    except OSError:
        return tr("This folder cannot be reached.")
    return "" if there is not None and there.is_dir() else tr("This folder cannot be made.")


def editor_of(theme: Theme, option: Option[Any]) -> Editor:
    """The editor that fits what the option takes."""
    if option.choices:
        return ChoiceOption(theme, option)
    if option.type is bool:
        return BoolEditor(theme)
    if option.type in (int, float):
        limits = Range(
            integer=option.type is int, minimum=option.minimum, maximum=option.maximum, step=option.step or 1
        )
        span = None
        if option.minimum is not None and option.maximum is not None:
            span = (option.minimum, option.maximum) if option.maximum - option.minimum > SLIDER_FROM else None
        return NumberRow(theme, limits, option.default, span=span)
    return FoldersOption(theme, option) if option.folders else TextOption(theme, option)


class OptionRow(QWidget):
    """`chosen` with a value that fits; `reset_wanted` and `browse` when those buttons were pressed."""

    chosen = Signal(object)
    reset_wanted = Signal()
    browse = Signal()

    def __init__(self, theme: Theme, option: Option[Any]) -> None:
        super().__init__()
        self.option, self._theme = option, theme
        self.name, self.help = tr(option.label), tr(option.help)
        self.editor = editor_of(theme, option)
        self.editor.set_name(self.name)
        self.editor.setAccessibleDescription(self.help)
        self.undo = IconButton(theme, "undo", tr("Back to the default: {name}", name=self.name), size=Size.COMPACT)
        policy = self.undo.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.undo.setSizePolicy(policy)
        self.message = Message(theme, "")
        self.message.hide()
        self._restart = BadgeLabel(theme, Badge(tr("After a restart"), "info")) if option.restart else None
        self._lay_out()
        self.editor.value_changed.connect(self._on_value)
        self.editor.problem_changed.connect(self._on_problem)
        self.undo.clicked.connect(self.reset_wanted)
        if isinstance(self.editor, TextOption | FoldersOption):
            self.editor.browse.connect(self.browse)
        theme.changed.connect(self._measure)
        self._measure()

    def show_value(self, value: Any, *, default: bool, pending: bool = False) -> None:
        """What holds now; `default` when it is the one of the first start, `pending` when it waits for a restart."""
        self.editor.set_value(value)
        self.undo.setVisible(not default)
        if self._restart is not None:
            self._restart.setVisible(pending)

    def matches(self, words: str) -> bool:
        """Whether every word is in its name, its help, its choices or its key."""
        labels = " ".join(tr(label) for label in self.option.choice_labels)
        text = f"{self.name} {self.help} {labels} {self.option.key}".casefold()
        return all(word in text for word in words.casefold().split())

    # --- Inside ---------------------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        theme = self._theme
        head = QHBoxLayout()
        head.setSpacing(theme.px(8))
        label = Label(theme, self.name, font="label")
        label.setBuddy(self.editor)
        head.addWidget(label)
        if self._restart is not None:
            head.addWidget(self._restart)
        head.addStretch(1)
        self._words = QVBoxLayout()
        self._words.addLayout(head)
        self._words.addWidget(Label(theme, self.help, font="small", color="text2", wrap=True))
        self._words.addWidget(self.message)
        line = QHBoxLayout()
        line.setSpacing(theme.px(6))
        line.addWidget(self.editor, 1)
        if self.option.unit:
            line.addWidget(Label(theme, self.option.unit, color="text2"))
        line.addWidget(self.undo)
        if isinstance(self.editor, FoldersOption):
            line.setAlignment(self.undo, Qt.AlignmentFlag.AlignTop)
        self._holder = QWidget()
        self._holder.setLayout(line)
        line.setContentsMargins(0, 0, 0, 0)
        self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._row.addLayout(self._words, 1)
        self._row.addWidget(self._holder, 0, Qt.AlignmentFlag.AlignTop)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)

    def _measure(self) -> None:
        px, above = self._theme.px, self._theme.labels_above
        self._row.setDirection(QBoxLayout.Direction.TopToBottom if above else QBoxLayout.Direction.LeftToRight)
        self._row.setContentsMargins(0, px(8), 0, px(8))
        self._row.setSpacing(px(6) if above else px(24))
        self._words.setSpacing(px(2))
        self._holder.setFixedWidth(16_777_215) if above else self._holder.setFixedWidth(px(EDITOR_WIDTH))
        self._holder.setMinimumWidth(0 if above else px(EDITOR_WIDTH))

    def _on_value(self, value: Any) -> None:
        self.chosen.emit(value)

    def _on_problem(self, problem: str) -> None:
        self.message.set_text(problem)
        self.message.setVisible(bool(problem))
