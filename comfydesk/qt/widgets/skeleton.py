"""What is still being read: quiet shapes where the rows will be. Nothing moves; nothing claims to be empty."""

from typing import Literal

from PySide6.QtCore import QRect
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from comfydesk.qt.theme import ColorName, Theme
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets import paint

Kind = Literal["cards", "rows", "tiles"]
"""Of workflows, of jobs, of pictures."""
_TILES = (1.5, 0.75, 1.0, 1.78, 0.75, 1.33, 1.0, 1.5)
"""Width by height of each."""
_MOST = 8


class Skeleton(QWidget):
    """Stands where a list will be."""

    def __init__(self, theme: Theme, kind: Kind, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._kind = theme, kind
        self.setAccessibleName(tr("Loading"))
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Ignored)
        theme.changed.connect(self.update)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        if self._kind == "tiles":
            self._tiles(painter)
        else:
            side, wide, step = (64, 64, 80) if self._kind == "cards" else (28, 48, 40)
            self._lines(painter, side, wide, step)

    def _lines(self, painter: QPainter, side: int, wide: int, step: int) -> None:
        """A picture and two lines of words each."""
        px = self._theme.px
        left, first = px(12) + px(wide) + px(12), px(7)
        for at in range(_MOST):
            top = px(8) + at * px(step)
            if top + px(side) > self.height():
                return
            self._box(painter, QRect(px(12), top, px(wide), px(side)), 4)
            words = max(0, self.width() - left - px(24))
            for line, share in enumerate((0.62 - 0.06 * (at % 3), 0.4 + 0.05 * (at % 2))):
                y = top + px(side) // 2 - first - px(3) + line * (first + px(6))
                self._box(painter, QRect(left, y, round(words * min(share, px(280) / max(1, words))), first), 3)

    def _tiles(self, painter: QPainter) -> None:
        px = self._theme.px
        x, top = px(12), px(26)
        high = max(px(24), self.height() - top - px(14))
        for ratio in _TILES:
            if x > self.width():
                return
            self._box(painter, QRect(x, top, round(high * ratio), high), 4)
            x += round(high * ratio) + px(4)

    def _box(self, painter: QPainter, rect: QRect, radius: int) -> None:
        fill: ColorName = "raised" if self._theme.dark else "hover"
        paint.box(painter, rect, self._theme.px(radius), fill=self._theme.color(fill))
