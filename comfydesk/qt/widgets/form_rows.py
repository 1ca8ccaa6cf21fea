"""Rows that hold more than one field: a size, a pair of choices, the LoRAs."""

from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QWidget

from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import said, tr, tr_n
from comfydesk.qt.widgets.buttons import Button, Kind, Size
from comfydesk.qt.widgets.choice_combo import ChoiceEditor
from comfydesk.qt.widgets.editors import range_of
from comfydesk.qt.widgets.form_part import LABEL_WIDTH, FieldLabel, FormPart
from comfydesk.qt.widgets.labels import Label
from comfydesk.qt.widgets.lora_row import LoraRow
from comfydesk.qt.widgets.numbers import Range
from comfydesk.qt.widgets.size_row import SizeRow
from comfydesk.workflow.fields import Field


class SizePart(FormPart):
    """Ratios over the whole width, then the numbers with their label."""

    def __init__(self, theme: Theme, width: Field, height: Field, values: tuple[Any, Any]) -> None:
        super().__init__(theme)
        self._width, self._height = width, height
        self._defaults: dict[str, str] = {}
        self._label = FieldLabel(theme, Field(width.id, tr("Size"), width.kind, width.default, tooltip=width.tooltip))
        self._label_width = LABEL_WIDTH
        whole = [value if isinstance(value, int) else 0 for value in values]
        self.size_row = SizeRow(theme, _shared_range(width, height), *whole, label=self._label)
        self.column.addWidget(self.size_row)
        self.size_row.changed.connect(self._changed)
        self.size_row.width_field.problem_changed.connect(lambda words: self.problem.emit(width.id, words))
        self.size_row.height_field.problem_changed.connect(lambda words: self.problem.emit(height.id, words))
        self._label.reset.connect(self._reset)
        self._shown = self.size_row.size_value()
        self._different: set[str] = set()
        self._inside = False
        theme.changed.connect(self._measure)
        self._measure()

    def fields(self) -> tuple[Field, ...]:
        return (self._width, self._height)

    def editor(self, field_id: str, /) -> QWidget:
        return self.size_row.width_field if field_id == self._width.id else self.size_row.height_field

    def show_value(self, field_id: str, value: Any, /) -> None:
        width, height = self.size_row.size_value()
        if field_id == self._width.id:
            self.size_row.set_size(value, height)
        else:
            self.size_row.set_size(width, value)
        self._shown = self.size_row.size_value()

    def show_changed(self, field_id: str, changed: bool, default: str, /) -> None:
        self._defaults[field_id] = default
        (self._different.add if changed else self._different.discard)(field_id)
        self._label.set_changed(bool(self._different), self._words())
        self.show_focus(self._inside)

    def show_focus(self, inside: bool) -> None:
        self._inside = inside
        self._label.offer_reset(inside, self._words())

    def mark_invalid(self, field_id: str, invalid: bool, /) -> None:
        field = self.size_row.width_field if field_id == self._width.id else self.size_row.height_field
        field.set_invalid(invalid or bool(field.problem()))

    def commit(self) -> None:
        self.size_row.commit()

    def set_label_width(self, width: int) -> None:
        self._label_width = width
        self._measure()

    def _changed(self, width: int, height: int) -> None:
        before, self._shown = self._shown, (width, height)
        if width != before[0]:
            self.edited.emit(self._width.id, width)
        if height != before[1]:
            self.edited.emit(self._height.id, height)

    def _reset(self) -> None:
        for field in self.fields():
            self.reset_wanted.emit(field.id)

    def _words(self) -> str:
        return " by ".join(self._defaults.get(field.id, "") for field in self.fields())

    def _measure(self) -> None:
        self.column.setSpacing(self.theme.px(4))
        above = self.theme.labels_above
        self._label.setMinimumWidth(0 if above else self.theme.px(self._label_width))
        self._label.setMaximumWidth(16_777_215 if above else self.theme.px(self._label_width))


def _shared_range(width: Field, height: Field) -> Range:
    """What holds for both sides; without a step of their own they may be any number."""
    one, other = range_of(width, strict=True), range_of(height, strict=True)
    lows = [low for low in (one.minimum, other.minimum) if low is not None]
    highs = [high for high in (one.maximum, other.maximum) if high is not None]
    steps = [int(step) for step in (one.step, other.step) if step is not None and step >= 1]
    return Range(
        integer=True,
        minimum=max(lows, default=1),
        maximum=min(highs) if highs else None,
        step=max(steps, default=1),
        strict=True,
    )


class PairPart(FormPart):
    """Two short choices under the first one's label."""

    def __init__(self, theme: Theme, first: Field, second: Field, values: tuple[Any, Any]) -> None:
        super().__init__(theme)
        self._fields = (first, second)
        self._label_width = LABEL_WIDTH
        self._defaults: dict[str, str] = {}
        self._different: set[str] = set()
        self._inside = False
        self._editors = {
            field.id: ChoiceEditor(theme, field.choices, value)
            for field, value in zip(self._fields, values, strict=True)
        }
        self._label = FieldLabel(theme, first)
        self._line = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._pair = QHBoxLayout()
        self._line.addWidget(self._label)
        self._line.addLayout(self._pair, 1)
        self.column.addLayout(self._line)
        for field in self._fields:
            self._hold(field)
        self._label.reset.connect(self._reset)
        theme.changed.connect(self._measure)
        self._measure()

    def fields(self) -> tuple[Field, ...]:
        return self._fields

    def editor(self, field_id: str, /) -> QWidget:
        return self._editors[field_id]

    def show_value(self, field_id: str, value: Any, /) -> None:
        self._editors[field_id].set_value(value)

    def show_changed(self, field_id: str, changed: bool, default: str, /) -> None:
        self._defaults[field_id] = default
        (self._different.add if changed else self._different.discard)(field_id)
        self._label.set_changed(bool(self._different), self._words())
        self.show_focus(self._inside)

    def show_focus(self, inside: bool) -> None:
        self._inside = inside
        self._label.offer_reset(inside, self._words())

    def mark_invalid(self, field_id: str, invalid: bool, /) -> None:
        self._editors[field_id].set_invalid(invalid)

    def set_label_width(self, width: int) -> None:
        self._label_width = width
        self._measure()

    def _hold(self, field: Field) -> None:
        editor = self._editors[field.id]
        editor.set_name(field.label)
        self._pair.addWidget(editor, 1)
        editor.value_changed.connect(lambda value: self.edited.emit(field.id, value))

    def _reset(self) -> None:
        for field in self._fields:
            self.reset_wanted.emit(field.id)

    def _words(self) -> str:
        return ", ".join(self._defaults.get(field.id, "") for field in self._fields)

    def _measure(self) -> None:
        above = self.theme.labels_above
        direction = QBoxLayout.Direction
        self._line.setDirection(direction.TopToBottom if above else direction.LeftToRight)
        self._line.setSpacing(self.theme.px(4 if above else 8))
        self._pair.setSpacing(self.theme.px(8))
        self.column.setSpacing(self.theme.px(4))
        self._label.setMinimumWidth(0 if above else self.theme.px(self._label_width))
        self._label.setMaximumWidth(16_777_215 if above else self.theme.px(self._label_width))


class LorasPart(FormPart):
    """A heading and one row per LoRA of the workflow."""

    wanted = Signal(object)
    """The button: one more LoRA than the workflow has places for is to be added to it."""

    def __init__(
        self,
        theme: Theme,
        loras: tuple[tuple[Field, tuple[Field, ...]], ...],
        values: dict[str, Any],
        no_more: str | None = None,
    ) -> None:
        """`no_more`: why none can be added, "" where one can, None where it is not offered."""
        super().__init__(theme)
        self._loras, self._no_more = loras, no_more
        self._rows: dict[str, LoraRow] = {}
        self._away: list[LoraRow] = []
        """Rows that were removed, the first one first: their LoRA is sent with strength 0."""
        self.add = Button(theme, tr("Add"), kind=Kind.GHOST, icon="plus", size=Size.COMPACT)
        self._label = Label(theme, tr("LoRA") if len(loras) == 1 else tr("LoRAs"), color="text2")
        head = QHBoxLayout()
        head.setContentsMargins(0, 0, 0, 0)
        head.addWidget(self._label)
        head.addWidget(self.add)
        head.addStretch(1)
        self.column.addLayout(head)
        for lora, strengths in loras:
            self._hold(lora, strengths, values)
        self.add.clicked.connect(self._bring_back)
        theme.changed.connect(self._space)
        self._space()
        self._offer()

    def fields(self) -> tuple[Field, ...]:
        return tuple(field for lora, strengths in self._loras for field in (lora, *strengths))

    def editor(self, field_id: str, /) -> QWidget:
        return self._rows[field_id]

    def show_value(self, field_id: str, value: Any, /) -> None:
        row = self._rows[field_id]
        if any(lora.id == field_id for lora, _ in self._loras):
            row.set_name_value(value)
        else:
            row.set_strength(value)
            if value and row in self._away:  # a preset, or a job that is used again
                self._away.remove(row)
                row.show()
                self._offer()

    def mark_invalid(self, field_id: str, invalid: bool, /) -> None:
        self._rows[field_id].combo.set_invalid(invalid)

    def set_label_width(self, width: int) -> None:
        self._label.setMinimumWidth(self.theme.px(width))

    def _hold(self, lora: Field, strengths: tuple[Field, ...], values: dict[str, Any]) -> None:
        first = strengths[0] if strengths else None
        row = LoraRow(
            self.theme,
            [str(choice) for choice in lora.choices],
            str(values.get(lora.id, lora.default) or ""),
            values.get(first.id, first.default) if first is not None else 1.0,
            limits=range_of(first) if first is not None else None,
        )
        if first is None:
            row.number.hide()
            row.tick.hide()
        self.column.addWidget(row)
        self._rows.update((field.id, row) for field in (lora, *strengths))
        row.name_changed.connect(lambda name: self.edited.emit(lora.id, name))
        row.remove.setVisible(first is not None)
        row.removed.connect(lambda: self._remove(row))
        row.strength_changed.connect(lambda value: self._strong(strengths, value))

    def _strong(self, strengths: tuple[Field, ...], value: Any) -> None:
        # One number for model and text encoder, as people think of it.
        for field in strengths:
            self.edited.emit(field.id, value)

    def _remove(self, row: LoraRow) -> None:
        """The workflow has so many places for LoRAs: one that is not used is out of sight, and of no effect."""
        row.switch_off()
        row.hide()
        self._away.append(row)
        self._offer()
        shown = [each for each in dict.fromkeys(self._rows.values()) if each not in self._away]
        (shown[0].combo if shown else self.add).setFocus(Qt.FocusReason.OtherFocusReason)

    def _bring_back(self) -> None:
        if not self._away:
            self.wanted.emit(self.add)
            return
        row = self._away.pop(0)
        row.show()
        row.tick.click()
        self._offer()
        row.combo.setFocus(Qt.FocusReason.OtherFocusReason)
        row.combo.showPopup()

    def _offer(self) -> None:
        room = len(self._loras)
        full = tr_n("This workflow has room for {n} LoRA", "This workflow has room for {n} LoRAs", room)
        reason = full if self._no_more is None else said(self._no_more)
        self.add.set_blocked("" if self._away else reason)

    def _space(self) -> None:
        self.column.setSpacing(self.theme.px(2))
