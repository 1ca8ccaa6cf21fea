"""Exact entry of one number: typed, with arrow keys, or with the wheel while it has the focus."""

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from comfydesk.qt.theme import FontName, Theme
from comfydesk.qt.widgets.field_frame import FieldFrame, LineEdit
from comfydesk.qt.widgets.labels import Label
from comfydesk.qt.widgets.numbers import Number, Range, format_number, parse_number

_BIG = 10
"""Page keys and Shift move by this many steps."""


class NumberEdit(LineEdit):
    """The line inside; turns keys and wheel into steps."""

    stepped = Signal(int)
    left = Signal()

    def minimumSizeHint(self) -> QSize:
        least = super().minimumSizeHint()
        return QSize(max(least.width(), self.fontMetrics().horizontalAdvance("0000") + 2), least.height())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        big = _BIG if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1
        steps = {
            Qt.Key.Key_Up: big,
            Qt.Key.Key_Down: -big,
            Qt.Key.Key_PageUp: _BIG,
            Qt.Key.Key_PageDown: -_BIG,
        }.get(Qt.Key(event.key()))
        if steps is None or event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            super().keyPressEvent(event)
        else:
            self.stepped.emit(steps)

    def wheelEvent(self, event: QWheelEvent) -> None:
        turns = event.angleDelta().y()
        if self.hasFocus() and turns:
            self.stepped.emit(1 if turns > 0 else -1)
            event.accept()
        else:
            event.ignore()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        if event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason):
            self.selectAll()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.left.emit()


class NumberField(FieldFrame):
    """A frame with a number, and a short word before it where one is given ("W")."""

    value_changed = Signal(object)
    problem_changed = Signal(str)

    def __init__(
        self,
        theme: Theme,
        limits: Range,
        value: Number = 0,
        *,
        word: str = "",
        font: FontName = "body",
        right: bool = True,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(theme, parent=parent)
        self._range, self._value, self._problem = limits, value, ""
        if word:
            self.row.addWidget(Label(theme, word, color="text2"))
        self.edit = NumberEdit(theme, font=font, right=right)
        self.hold(self.edit)
        self.edit.textEdited.connect(self._typed)
        self.edit.returnPressed.connect(self.commit)
        self.edit.left.connect(self.commit)
        self.edit.stepped.connect(self._step)
        self.set_value(value)

    def value(self) -> Number:
        return self._value

    def set_value(self, value: Number) -> None:
        """Show `value`, even one outside the range; emits nothing."""
        self._value = value
        self.edit.setText(format_number(value, self._range.step))
        self._say("")

    @property
    def range(self) -> Range:
        return self._range

    def problem(self) -> str:
        return self._problem

    def set_name(self, name: str) -> None:
        self.edit.setAccessibleName(name)

    def commit(self) -> None:
        """End the entry: what is out of range goes to its nearest end, what is no number goes back."""
        typed = parse_number(self.edit.text(), integer=self._range.integer)
        if typed is not None and self._problem:
            self._change(self._range.snap(typed) if self._range.strict else self._range.clamp(typed))
        self.set_value(self._value)

    def sizeHint(self) -> QSize:
        return QSize(self.theme.px(72), self.least_height())

    def _typed(self, words: str) -> None:
        problem = self._range.problem(words)
        self._say(problem)
        if not problem:
            value = parse_number(words, integer=self._range.integer)
            if value is not None:
                self._change(value)

    def _step(self, steps: int) -> None:
        limits = self._range
        moved = self._value + steps * limits.increment
        if limits.strict or not limits.integer:
            moved = limits.snap(moved) if limits.step else round(moved, 6)
        self._change(limits.clamp(moved))
        self.set_value(self._value)

    def _change(self, value: Number) -> None:
        if value != self._value or type(value) is not type(self._value):
            self._value = value
            self.value_changed.emit(value)

    def _say(self, problem: str) -> None:
        self.set_invalid(bool(problem))
        if problem != self._problem:
            self._problem = problem
            self.problem_changed.emit(problem)
