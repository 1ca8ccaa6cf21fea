"""Something is going on, in words; the ring turns only where motion is wanted."""

from PySide6.QtCore import QObject, QRectF, QSize, Qt, QTimer
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from comfydesk.qt.theme import ColorName, Theme
from comfydesk.qt.widgets import paint

_STEP_MS = 50


class SpinnerDriver(QObject):
    """Turns an angle and repaints its owner; stands still while nobody looks, or where motion is reduced."""

    def __init__(self, theme: Theme, owner: QWidget) -> None:
        super().__init__(owner)
        self._still = theme.appearance.reduced_motion
        self._angle = 0
        self._owner = owner
        self._looked = False
        self._timer = QTimer(self)
        self._timer.setInterval(_STEP_MS)
        self._timer.timeout.connect(self._turn)

    @property
    def angle(self) -> int | None:
        """Degrees, or None when motion is reduced. Who paints asks for it: from then on it turns."""
        if self._still:
            return None
        self._looked = True
        if not self._timer.isActive():
            self._timer.start()
        return self._angle

    def stop(self) -> None:
        self._timer.stop()
        self.deleteLater()

    def _turn(self) -> None:
        # Nobody has painted it since the last turn: it is hidden, covered, or its window is minimised.
        if not self._looked:
            self._timer.stop()
            return
        self._looked = False
        self._angle = (self._angle + 18) % 360
        self._owner.update()


def draw_spinner(painter: QPainter, theme: Theme, rect: QRectF, angle: int | None, color: ColorName) -> None:
    """An arc at `angle` on its track, or a still dashed ring for None."""
    if angle is None:
        paint.icon_in(painter, theme, rect, "ring-dashed", color)
        return
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    width = 1.5 * theme.px(16) / 16
    inset = 2 * width
    area = rect.adjusted(inset, inset, -inset, -inset)
    pen = QPen(theme.color(color), width)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setOpacity(0.35)
    painter.drawEllipse(area)
    painter.setOpacity(1.0)
    painter.drawArc(area, (90 - angle) * 16, 120 * 16)


class Spinner(QWidget):
    """A ring and the words beside it: "Checking the pod"."""

    def __init__(self, theme: Theme, words: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._words = theme, words
        self._driver = SpinnerDriver(theme, self)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(words)
        theme.changed.connect(self.updateGeometry)

    def set_text(self, words: str) -> None:
        self._words = words
        self.setAccessibleName(words)
        self.updateGeometry()
        self.update()

    def text(self) -> str:
        return self._words

    def sizeHint(self) -> QSize:
        metrics, px = self._theme.metrics("small"), self._theme.px
        return QSize(px(16) + px(8) + metrics.horizontalAdvance(self._words) + 1, self._theme.height(20, "small"))

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter, px = QPainter(self), self._theme.px
        spot = self.rect().adjusted(0, 0, px(16) - self.width(), 0)
        draw_spinner(painter, self._theme, paint.centred(spot, px(16), px(16)), self._driver.angle, "text2")
        area = self.rect().adjusted(px(24), 0, 0, 0)
        font, metrics = self._theme.font("small"), self._theme.metrics("small")
        paint.text(painter, area, self._words, font, self._theme.color("text2"), metrics=metrics)
