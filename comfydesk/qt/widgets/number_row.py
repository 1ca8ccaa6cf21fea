"""A number of a form: slider for the usual span, field for exact entry."""

from typing import Any

from PySide6.QtWidgets import QWidget

from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets.editor import Editor
from comfydesk.qt.widgets.number_field import NumberField
from comfydesk.qt.widgets.numbers import Number, Range, SliderScale
from comfydesk.qt.widgets.slider import Slider

FIELD_WIDTH = 72


class NumberRow(Editor):
    """Slider and field. Without `span` (seeds, free numbers) there is only the field."""

    def __init__(
        self,
        theme: Theme,
        limits: Range,
        value: Number = 0,
        *,
        span: tuple[Number, Number] | None = None,
        parent: QWidget | None = None,
    ) -> None:
        """`span` is what the slider covers; a value beyond it, typed or given, lengthens it."""
        super().__init__(theme, parent)
        self._span = span
        self.field = NumberField(theme, limits, value)
        self.slider: Slider | None = None
        self._scale = SliderScale(*(span or (0, 1)), limits)
        if span is not None and span[1] > span[0]:
            self.slider = Slider(theme)
            self.row.addWidget(self.slider, 1)
            self.slider.valueChanged.connect(self._slid)
            self.setFocusProxy(self.slider)
        else:
            self.setFocusProxy(self.field)
        self.row.addWidget(self.field, 0 if self.slider else 1)
        self.field.value_changed.connect(self._typed)
        self.field.problem_changed.connect(self.problem_changed)
        theme.changed.connect(self._measure)
        self._measure()
        self.set_value(value)

    def value(self) -> Number:
        return self.field.value()

    def set_value(self, value: Any) -> None:
        number = value if isinstance(value, int | float) and not isinstance(value, bool) else 0
        self.field.set_value(number)
        self._follow(number)

    def set_name(self, name: str) -> None:
        self.field.set_name(name)
        if self.slider is not None:
            self.slider.setAccessibleName(tr("{name} slider", name=name))

    def set_invalid(self, invalid: bool) -> None:
        self.field.set_invalid(invalid or bool(self.field.problem()))

    def problem(self) -> str:
        return self.field.problem()

    def commit(self) -> None:
        self.field.commit()

    def _slid(self, position: int) -> None:
        value = self._scale.value_at(position)
        if value != self.field.value():
            self.field.set_value(value)
            self.value_changed.emit(value)

    def _typed(self, value: Number) -> None:
        self._follow(value)
        self.value_changed.emit(value)

    def _follow(self, value: Number) -> None:
        if self.slider is None:
            return
        self._scale = self._scale.reaching(value)
        blocked = self.slider.blockSignals(True)
        self.slider.setRange(0, self._scale.positions)
        self.slider.setPageStep(max(1, self._scale.positions // 10))
        self.slider.setValue(self._scale.position_of(value))
        self.slider.blockSignals(blocked)
        self.slider.update()

    def _measure(self) -> None:
        if self.slider is not None:
            metrics = self.theme.metrics("body")
            self.field.setFixedWidth(max(self.theme.px(FIELD_WIDTH), metrics.horizontalAdvance("000000")))
