"""One LoRA: on or off, which one, how strong."""

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets import paint
from comfydesk.qt.widgets.buttons import IconButton, Size
from comfydesk.qt.widgets.choice_combo import Combo
from comfydesk.qt.widgets.model_picker import short_name, subfolder
from comfydesk.qt.widgets.number_row import NumberRow
from comfydesk.qt.widgets.numbers import Number, Range
from comfydesk.qt.widgets.popup_list import Entry
from comfydesk.qt.widgets.switch import Check

HEIGHT = 32
SPAN = (0.0, 1.25)
"""What the slider covers; a stronger or negative value lengthens it."""


class _NameCombo(Combo):
    """The name as plain words; a click opens the list."""

    def entries(self) -> tuple[Entry, ...]:
        names = (self.itemText(at) for at in range(self.count()))
        return tuple(Entry(short_name(name), subfolder(name)) for name in names)

    def sizeHint(self) -> QSize:
        return QSize(self.theme.px(108), self.theme.height(24))

    def minimumSizeHint(self) -> QSize:
        return QSize(self.theme.px(56), self.theme.height(24))

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme, painter = self.theme, QPainter(self)
        if self.hasFocus():
            paint.box(painter, self.rect(), theme.px(4), outline=theme.color("accent"), width=theme.px(2))
        elif self.underMouse():
            paint.box(painter, self.rect(), theme.px(4), fill=theme.color("hover"))
        area: QRect = self.rect().adjusted(theme.px(4), 0, -theme.px(4), 0)
        words = short_name(self.currentText()) or tr("None")
        ink = theme.color("text" if self.property("on") and self.isEnabled() else "disabled")
        elide = Qt.TextElideMode.ElideMiddle
        paint.text(painter, area, words, theme.font("body"), ink, elide=elide, metrics=theme.metrics("body"))


class LoraRow(QWidget):
    """Off sends strength 0 and keeps the number, so that on brings it back."""

    name_changed = Signal(object)
    strength_changed = Signal(object)
    removed = Signal()

    def __init__(
        self,
        theme: Theme,
        choices: Sequence[str],
        name: str,
        strength: Any = 1.0,
        *,
        limits: Range | None = None,
        removable: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.theme = theme
        limits = limits or Range(integer=False, minimum=-10.0, maximum=10.0, step=0.01)
        self.tick = Check(theme)
        self.combo = _NameCombo(theme, 24)
        self.number = NumberRow(theme, limits, strength if isinstance(strength, int | float) else 1.0, span=SPAN)
        self.remove = IconButton(theme, "close", tr("Remove this LoRA"), size=Size.COMPACT)
        self.remove.setVisible(removable)
        self._row = QHBoxLayout(self)
        self._row.addWidget(self.tick)
        self._row.addWidget(self.combo, 5)
        self._row.addWidget(self.number, 6)
        self._row.addWidget(self.remove)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.combo.addItems([*choices] if name in choices or not name else [*choices, name])
        self.set_name_value(name)
        self.set_strength(strength)
        self.combo.activated.connect(lambda: self.name_changed.emit(self.combo.currentText()))
        self.tick.clicked.connect(self._ticked)
        self.number.value_changed.connect(self._moved)
        self.remove.clicked.connect(self.removed)
        theme.changed.connect(self._measure)
        self._measure()

    def set_name_value(self, name: Any) -> None:
        at = self.combo.findText(str(name), Qt.MatchFlag.MatchExactly)
        self.combo.setCurrentIndex(at)
        self.combo.setAccessibleName(f"LoRA {short_name(str(name))}")
        self.tick.setAccessibleName(tr("Use LoRA {name}", name=short_name(str(name))))
        self.number.set_name(tr("Strength of {name}", name=short_name(str(name))))

    def strength(self) -> Number:
        """What is sent: 0 while the tick is off."""
        return self.number.value() if self.tick.isChecked() else 0.0

    def set_strength(self, strength: Any) -> None:
        number = strength if isinstance(strength, int | float) else 0.0
        self.tick.setChecked(number != 0)
        if number != 0 or self.number.value() == 0:
            self.number.set_value(number or 1.0)
        self._show_state()

    def switch_off(self) -> None:
        """As the tick does; the number stays for when it is on again."""
        if self.tick.isChecked():
            self.tick.click()

    def _ticked(self) -> None:
        self._show_state()
        self.strength_changed.emit(self.strength())

    def _moved(self, _value: Number) -> None:
        self.tick.setChecked(True)
        self._show_state()
        self.strength_changed.emit(self.strength())

    def _show_state(self) -> None:
        self.combo.setProperty("on", self.tick.isChecked())
        self.combo.update()

    def _measure(self) -> None:
        px = self.theme.px
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(px(4))
        self.setMinimumHeight(self.theme.row(HEIGHT))
        width = max(px(52), self.theme.metrics("body").horizontalAdvance("-00.00") + px(8))
        self.number.field.setFixedWidth(width)
