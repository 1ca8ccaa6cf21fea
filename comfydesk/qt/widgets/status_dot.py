"""A dot beside a name: green, amber, red, or a ring for what is not there."""

from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from comfydesk.qt.theme import Theme, Tone


class StatusDot(QWidget):
    """Never stands alone: words beside it say the same."""

    def __init__(self, theme: Theme, tone: Tone = "neutral", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._tone = theme, tone
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.updateGeometry)

    def set_tone(self, tone: Tone) -> None:
        self._tone = tone
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(8), self._theme.px(8))

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter, theme = QPainter(self), self._theme
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        center, radius = QPointF(self.width() / 2, self.height() / 2), theme.px(8) / 2
        if self._tone == "neutral":
            width = theme.px(1.5)
            painter.setPen(QPen(theme.color("text2"), width))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawEllipse(center, radius - width / 2, radius - width / 2)
            return
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.tone(self._tone)[0])
        painter.drawEllipse(center, radius, radius)
