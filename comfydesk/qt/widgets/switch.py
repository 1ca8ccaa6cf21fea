"""Yes or no: the switch of a form, the tick of a list."""

from typing import Any

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QEnterEvent, QFocusEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QCheckBox, QSizePolicy, QWidget

from comfydesk.qt.theme import ColorName, Theme
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets import availability, paint
from comfydesk.qt.widgets.editor import Editor
from comfydesk.qt.widgets.focus_ring import ring_off, ring_on_focus


class _Mark(QCheckBox):
    """What Check and Switch share: a mark of `mark_size`, then the words."""

    def __init__(self, theme: Theme, words: str = "", parent: QWidget | None = None) -> None:
        super().__init__(words, parent)
        self.theme = theme
        self._hovered = False
        self.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.updateGeometry)

    def set_blocked(self, reason: str) -> None:
        """Disable with a reason for the tool tip; "" enables."""
        availability.block(self, reason)

    def mark_size(self) -> tuple[int, int]:
        raise NotImplementedError

    def paint_mark(self, painter: QPainter, rect: QRectF) -> None:
        raise NotImplementedError

    def sizeHint(self) -> QSize:
        width, height = self.mark_size()
        if self.text():
            width += self.theme.px(8) + self.theme.metrics("body").horizontalAdvance(self.text()) + 1
        return QSize(width, max(self.theme.px(24), height, self.theme.metrics("body").height()))

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def hitButton(self, pos: QPoint) -> bool:  # noqa: N802  # Qt's name
        return self.rect().contains(pos)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        width, height = self.mark_size()
        spot = QRectF(0, (self.height() - height) // 2, width, height)
        self.paint_mark(painter, spot)
        if self.text():
            area = self.rect().adjusted(width + self.theme.px(8), 0, 0, 0)
            color = self.theme.color("text" if self.isEnabled() else "disabled")
            paint.text(painter, area, self.text(), self.theme.font("body"), color, metrics=self.theme.metrics("body"))

    def enterEvent(self, event: QEnterEvent) -> None:
        self._hovered = True
        self.update()
        super().enterEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        self._hovered = False
        self.update()
        super().leaveEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        ring_on_focus(self.theme, self, event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        ring_off(self)


class Check(_Mark):
    """A tick in a box of 16."""

    def mark_size(self) -> tuple[int, int]:
        return self.theme.px(16), self.theme.px(16)

    def paint_mark(self, painter: QPainter, rect: QRectF) -> None:
        color, radius = self.theme.color, self.theme.px(4)
        if self.isChecked():
            fill: ColorName = "disabled" if not self.isEnabled() else "accent_hover" if self._hovered else "accent"
            paint.box(painter, rect, radius, fill=color(fill))
            paint.icon_in(painter, self.theme, rect, "check-small", "on_accent" if self.isEnabled() else "window")
        else:
            outline = color("control" if self.isEnabled() else "border")
            paint.box(painter, rect, radius, fill=color("hover" if self._hovered else "field"), outline=outline)


class Switch(_Mark):
    """An on/off switch of 28 by 16."""

    def mark_size(self) -> tuple[int, int]:
        return self.theme.px(28), self.theme.px(16)

    def paint_mark(self, painter: QPainter, rect: QRectF) -> None:
        color = self.theme.color
        knob = self.theme.px(6)
        if self.isChecked():
            fill = color("control") if not self.isEnabled() else color("accent_hover" if self._hovered else "accent")
            paint.box(painter, rect, rect.height() / 2, fill=fill)
            center = QPointF(rect.right() - rect.height() / 2, rect.center().y())
            painter.setBrush(color("on_accent"))
        else:
            outline = color("control" if self.isEnabled() else "border")
            fill = color("hover" if self._hovered and self.isEnabled() else "field")
            paint.box(painter, rect, rect.height() / 2, fill=fill, outline=outline)
            center = QPointF(rect.left() + rect.height() / 2, rect.center().y())
            painter.setBrush(color("text2" if self.isEnabled() else "disabled"))
            knob = self.theme.px(5)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.drawEllipse(center, knob, knob)


class BoolEditor(Editor):
    """A switch as an editor, its state in a word beside it."""

    def __init__(self, theme: Theme, value: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self.switch = Switch(theme)
        self.row.addWidget(self.switch)
        self.row.addStretch(1)
        self.setFocusProxy(self.switch)
        self.switch.setChecked(value)
        self._tell()
        self.switch.clicked.connect(self._clicked)

    def value(self) -> bool:
        return self.switch.isChecked()

    def set_value(self, value: Any) -> None:
        self.switch.setChecked(bool(value))
        self._tell()

    def set_name(self, name: str) -> None:
        self.switch.setAccessibleName(name)

    def _clicked(self) -> None:
        self._tell()
        self.value_changed.emit(self.value())

    def _tell(self) -> None:
        self.switch.setText(tr("On") if self.switch.isChecked() else tr("Off"))
