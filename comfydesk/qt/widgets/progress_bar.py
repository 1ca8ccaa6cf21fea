"""How far something is: a bar of four pixels, the nodes of a job as gaps at their weights."""

from collections.abc import Sequence

from PySide6.QtCore import QEasingCurve, QRectF, QSize, QVariantAnimation
from PySide6.QtGui import QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import QProgressBar, QSizePolicy, QWidget

from comfydesk.qt.theme import ColorName, Theme

GLIDE_MS = 100
THICKNESS = 4
_SCALE = 10_000


def paint_bar(
    painter: QPainter,
    theme: Theme,
    rect: QRectF,
    fraction: float,
    *,
    gaps: Sequence[float] = (),
    fill: ColorName = "accent",
    groove: ColorName = "pressed",
) -> None:
    """`gaps` are the places (0 to 1) where one node ends and the next begins."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    shape = QPainterPath()
    shape.addRoundedRect(rect, rect.height() / 2, rect.height() / 2)
    width = theme.px(2)
    for gap in gaps:
        if 0 < gap < 1:
            cut = QPainterPath()
            cut.addRect(QRectF(round(rect.left() + gap * rect.width() - width / 2), rect.top(), width, rect.height()))
            shape = shape.subtracted(cut)
    painter.fillPath(shape, theme.color(groove))
    if fraction > 0:
        done = QPainterPath()
        reach = max(rect.height(), min(1.0, fraction) * rect.width())
        done.addRoundedRect(QRectF(rect.left(), rect.top(), reach, rect.height()), rect.height() / 2, rect.height() / 2)
        painter.fillPath(shape.intersected(done), theme.color(fill))


class ProgressBar(QProgressBar):
    """A QProgressBar (for assistive tools) of four pixels that glides in 100 ms and never runs backwards by itself."""

    def __init__(self, theme: Theme, name: str, *, fill: ColorName = "accent", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._fill = theme, fill
        self._gaps: tuple[float, ...] = ()
        self._shown = 0.0
        self.setAccessibleName(name)
        self.setRange(0, _SCALE)
        self.setTextVisible(False)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._glide = QVariantAnimation(self)
        self._glide.setEasingCurve(QEasingCurve.Type.OutCubic)
        self._glide.valueChanged.connect(self._moved)
        theme.changed.connect(self.updateGeometry)

    @property
    def fraction(self) -> float:
        return self.value() / _SCALE

    def set_fraction(self, fraction: float) -> None:
        """0 to 1. Forward it glides, back it jumps (another job)."""
        fraction = min(1.0, max(0.0, fraction))
        self.setValue(round(fraction * _SCALE))
        self._glide.stop()
        duration = self._theme.duration(GLIDE_MS) if fraction > self._shown and self.isVisible() else 0
        if duration == 0:
            self._moved(fraction)
            return
        self._glide.setDuration(duration)
        self._glide.setStartValue(self._shown)
        self._glide.setEndValue(fraction)
        self._glide.start()

    def set_weights(self, weights: Sequence[float]) -> None:
        """One positive weight per node, in order of execution: gaps appear between them."""
        total = sum(weights)
        at, gaps = 0.0, []
        for weight in weights[:-1]:
            at += weight
            gaps.append(at / total)
        self._gaps = tuple(gaps)
        self.update()

    def gaps(self) -> tuple[float, ...]:
        return self._gaps

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(80), self._theme.px(THICKNESS))

    def minimumSizeHint(self) -> QSize:
        return QSize(self._theme.px(24), self._theme.px(THICKNESS))

    def paintEvent(self, _event: QPaintEvent) -> None:
        thick = self._theme.px(THICKNESS)
        area = QRectF(0, (self.height() - thick) // 2, self.width(), thick)
        paint_bar(QPainter(self), self._theme, area, self._shown, gaps=self._gaps, fill=self._fill)

    def _moved(self, fraction: float) -> None:
        self._shown = fraction
        self.update()
