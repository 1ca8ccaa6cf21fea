"""A few alternatives in one box, exactly one (or none) of them on."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QButtonGroup, QHBoxLayout, QSizePolicy, QWidget

from comfydesk.qt.models.tips import plain_tip
from comfydesk.qt.theme import ColorName, Theme
from comfydesk.qt.widgets import paint
from comfydesk.qt.widgets.focus_ring import ring_off, ring_on_focus


@dataclass(frozen=True, slots=True)
class Segment:
    """`icon` is one of the theme's; `ratio` (width by height) draws a little frame of that shape instead."""

    text: str
    icon: str = ""
    ratio: tuple[int, int] | None = None
    tooltip: str = ""


class _SegmentButton(QAbstractButton):
    def __init__(self, theme: Theme, segment: Segment, height: int, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme, self._segment, self._height = theme, segment, height
        self.setText(segment.text)
        self.setToolTip(plain_tip(segment.tooltip))
        self.setAccessibleName(segment.tooltip or segment.text)
        self.setCheckable(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        theme.changed.connect(self.updateGeometry)

    def sizeHint(self) -> QSize:
        px, words = self._theme.px, self._theme.metrics("small_strong").horizontalAdvance(self.text())
        mark = px(14) + (px(5) if self.text() else 0) if self._segment.icon or self._segment.ratio else 0
        return QSize(words + mark + px(10) * 2 + 1, self._theme.height(self._height, "small_strong"))

    def minimumSizeHint(self) -> QSize:
        # Where space is short the little frame or icon gives way to its word.
        words = (
            self._theme.metrics("small_strong").horizontalAdvance(self.text()) if self.text() else self._theme.px(14)
        )
        return QSize(words + self._theme.px(3) * 2, self.sizeHint().height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme, painter, px = self._theme, QPainter(self), self._theme.px
        if self.isChecked():
            fill: ColorName = "hover" if theme.dark else "raised"
            outline = None if theme.dark else theme.color("border")
            paint.box(painter, self.rect(), px(5), fill=theme.color(fill), outline=outline)
        elif self.underMouse() and self.isEnabled():
            paint.box(painter, self.rect(), px(5), fill=theme.color("raised" if theme.dark else "pressed"))
        ink: ColorName = "disabled" if not self.isEnabled() else "text" if self.isChecked() else "text2"
        metrics = theme.metrics("small_strong")
        mark = px(14) if self._segment.icon or self._segment.ratio else 0
        gap = px(5) if mark and self.text() else 0
        if self.text() and mark + gap + metrics.horizontalAdvance(self.text()) + px(3) * 2 > self.width():
            mark = gap = 0
        wide = mark + gap + metrics.horizontalAdvance(self.text())
        x = max(px(2), (self.width() - wide) // 2)
        if mark and self._segment.ratio:
            self._paint_ratio(painter, QRect(x, 0, mark, self.height()), ink)
        elif mark:
            paint.icon_in(painter, theme, QRect(x, 0, mark, self.height()), self._segment.icon, ink)
        area = QRect(x + mark + gap, 0, self.width() - x - mark - gap, self.height())
        paint.text(painter, area, self.text(), theme.font("small_strong"), theme.color(ink), metrics=metrics)

    def _paint_ratio(self, painter: QPainter, spot: QRect, ink: ColorName) -> None:
        wide, high = self._segment.ratio or (1, 1)
        side = self._theme.px(13 if wide != high else 10)
        scale = side / max(wide, high)
        shape = QRectF(paint.centred(spot, max(self._theme.px(6), wide * scale), max(self._theme.px(6), high * scale)))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self._theme.color(ink), self._theme.px(1.4)))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(shape.adjusted(0.5, 0.5, -0.5, -0.5), self._theme.px(2), self._theme.px(2))

    def event(self, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.HoverEnter, QEvent.Type.HoverLeave):
            self.update()
        return super().event(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        ring_on_focus(self._theme, self, event, 5)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        ring_off(self)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        super().keyPressEvent(event)
        self.update()


class Segmented(QWidget):
    """`picked` with the position of the segment that the user chose; arrow keys move along."""

    picked = Signal(int)

    def __init__(
        self,
        theme: Theme,
        segments: Sequence[Segment | str],
        current: int = 0,
        *,
        name: str = "",
        height: int = 28,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setAccessibleName(name)
        self._group = QButtonGroup(self)
        self._row = QHBoxLayout(self)
        for at, segment in enumerate(segments):
            made = Segment(segment) if isinstance(segment, str) else segment
            button = _SegmentButton(theme, made, height - 6, self)
            self._group.addButton(button, at)
            self._row.addWidget(button, 1)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._group.idClicked.connect(self.picked)
        theme.changed.connect(self._measure)
        self._measure()
        self.set_current(current)

    def current(self) -> int:
        """The segment that is on, or -1."""
        return self._group.checkedId()

    def set_current(self, at: int) -> None:
        """Turn segment `at` on, or none with -1; emits nothing."""
        if at >= 0:
            self._group.button(at).setChecked(True)
            return
        # An exclusive group refuses to let go of its last button.
        self._group.setExclusive(False)
        for button in self._group.buttons():
            button.setChecked(False)
        self._group.setExclusive(True)

    def button(self, at: int) -> QAbstractButton:
        return self._group.button(at)

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme, painter = self._theme, QPainter(self)
        fill = theme.color("field" if theme.dark else "hover")
        paint.box(painter, self.rect(), theme.px(6), fill=fill, outline=theme.color("border"))

    def _measure(self) -> None:
        edge = self._theme.px(3)
        self._row.setContentsMargins(edge, edge, edge, edge)
        self._row.setSpacing(self._theme.px(2))
        self.update()
