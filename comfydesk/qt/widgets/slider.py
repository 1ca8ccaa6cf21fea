"""A slider that stays calm: filled in grey, so that accent stays rare; the wheel only works with the focus."""

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFocusEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QSlider, QWidget

from comfydesk.qt.theme import ColorName, Theme
from comfydesk.qt.widgets import paint
from comfydesk.qt.widgets.focus_ring import ring_off, ring_on_focus


class Slider(QSlider):
    """Positions 0 to `steps`; a click on the groove goes there."""

    def __init__(self, theme: Theme, steps: int = 100, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self._theme = theme
        self.setRange(0, steps)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.updateGeometry)

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(120), self._theme.px(24))

    def minimumSizeHint(self) -> QSize:
        return QSize(self._theme.px(48), self._theme.px(24))

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme, painter = self._theme, QPainter(self)
        thick, middle = theme.px(4), self.height() / 2
        groove = QRectF(0, middle - thick / 2, self.width(), thick)
        center = QPointF(self._handle_x(), middle)
        fill: ColorName = "text2" if self.isEnabled() else "control"
        paint.box(painter, groove, thick / 2, fill=theme.color("pressed"))
        filled = QRectF(groove)
        filled.setRight(center.x())
        paint.box(painter, filled, thick / 2, fill=theme.color(fill))
        pressed = self.isSliderDown()
        painter.setPen(QPen(theme.color("accent" if pressed else fill), theme.px(1.5)))
        painter.setBrush(theme.color("field"))
        radius = theme.px(8) - theme.px(1.5) / 2
        painter.drawEllipse(center, radius, radius)
        if theme.dark:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("text" if self.isEnabled() else "disabled"))
            painter.drawEllipse(center, theme.px(4), theme.px(4))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.setFocus(Qt.FocusReason.MouseFocusReason)
            self.setSliderDown(True)
            self.setSliderPosition(self._position_at(event.position().x()))
            event.accept()
        else:
            event.ignore()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self.isSliderDown():
            self.setSliderPosition(self._position_at(event.position().x()))

    def mouseReleaseEvent(self, _event: QMouseEvent) -> None:
        self.setSliderDown(False)
        self.update()

    def wheelEvent(self, event: QWheelEvent) -> None:
        turns = event.angleDelta().y()
        if not self.hasFocus() or not turns:
            event.ignore()
            return
        self.setSliderPosition(self.value() + (self.singleStep() if turns > 0 else -self.singleStep()))
        event.accept()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        ring_on_focus(self._theme, self, event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        ring_off(self)

    def _handle_x(self) -> float:
        radius = self._theme.px(8)
        share = self.sliderPosition() / max(1, self.maximum())
        return radius + share * (self.width() - 2 * radius)

    def _position_at(self, x: float) -> int:
        radius = self._theme.px(8)
        share = (x - radius) / max(1, self.width() - 2 * radius)
        return round(min(1.0, max(0.0, share)) * self.maximum())
