"""Paints a tiled picture at any zoom: sharp tiles where they are, coarser ones meanwhile, chequers under what is clear.

Tiles are scaled once for a zoom and then copied, so that a pan costs a few copies however large the picture is.
"""

import math
from collections import OrderedDict
from dataclasses import dataclass
from time import perf_counter

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QBrush, QColor, QImage, QPainter, QPixmap

from comfydesk.qt.models.picture_files import TILE, level_size
from comfydesk.qt.models.tiles import TiledPicture
from comfydesk.qt.theme import Theme

KEPT = 48 << 20
"""Bytes of scaled tiles."""
_BUDGET_S = 0.006
"""What is spent on scaling in one paint; the rest is drawn roughly and follows."""
_COARSE = 0.75
"""While it moves, a level is made smaller down to this; below it the next one is enlarged, by a half at most."""
_GRAIN = 3.0
"""From this zoom on pixels are shown as squares: that is what one wants to see then."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a picture is painted: its corner (whole device pixels) and device pixels per pixel of it."""

    x: int
    y: int
    zoom: float

    def rect(self, size: QSize) -> QRect:
        return QRect(self.x, self.y, round(size.width() * self.zoom), round(size.height() * self.zoom))


class TilePainter:
    """One for each view. The painter given is in device pixels."""

    def __init__(self, theme: Theme) -> None:
        self._theme = theme
        self._bytes = 0
        self._scaled: OrderedDict[tuple[int, int, int], QPixmap] = OrderedDict()
        self.rough = False
        """Something was drawn roughly in the last paint: paint again soon."""

    def paint(self, painter: QPainter, picture: TiledPicture, place: Place, clip: QRect, *, hurry: bool) -> None:
        """What of the picture lies in `clip`. `hurry`: it moves, speed comes before beauty."""
        self.rough = False
        area = place.rect(picture.size) & clip
        if picture.size.isEmpty() or area.isEmpty():
            return
        if picture.alpha:
            painter.fillRect(area, self._chequer(painter))
        level = level_for(picture, place.zoom)
        if hurry and level + 1 < picture.levels and place.zoom * (1 << level) < _COARSE:
            level += 1  # a quarter of the pixels, for as long as it moves
        missing: list[tuple[int, int]] = []
        until = perf_counter() + (0.0 if hurry else _BUDGET_S)
        columns, rows = _visible(picture, level, place, area)
        for y in rows:
            for x in columns:
                target = _target(picture, level, x, y, place)
                tile = picture.tile((level, x, y))
                if tile is None:
                    missing.append((x, y))
                    self._coarse(painter, picture, (level, x, y), target, place)
                else:
                    self._draw(painter, tile, target, place.zoom, until)
        middle = ((columns.start + columns.stop - 1) / 2, (rows.start + rows.stop - 1) / 2)
        missing.sort(key=lambda tile: abs(tile[0] - middle[0]) + abs(tile[1] - middle[1]))
        picture.want(level, missing)

    def paint_frame(self, painter: QPainter, frame: QImage, place: Place, size: QSize, clip: QRect) -> None:
        """One frame of a picture that moves, whose pictures are all of `size`."""
        self.rough = False
        whole = place.rect(size)
        area = whole & clip
        if area.isEmpty():
            return
        if frame.hasAlphaChannel():
            painter.fillRect(area, self._chequer(painter))
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, place.zoom < _GRAIN)
        painter.setClipRect(area)
        painter.drawImage(whole, frame)

    # --- Inside -----------------------------------------------------------------------------------------------------

    def _draw(self, painter: QPainter, tile: QPixmap, target: QRect, zoom: float, until: float) -> None:
        if target.size() == tile.size():
            painter.drawPixmap(target.topLeft(), tile)
            return
        if zoom > 1:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, zoom < _GRAIN)
            painter.drawPixmap(target, tile)
            return
        key = (tile.cacheKey(), target.width(), target.height())
        made = self._scaled.get(key)
        if made is None:
            if perf_counter() > until:
                painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
                painter.drawPixmap(target, tile)
                self.rough = True
                return
            aspect, way = Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation
            made = self._scaled[key] = tile.scaled(target.size(), aspect, way)
            self._bytes += made.width() * made.height() * 4
            while self._bytes > KEPT and len(self._scaled) > 1:
                old = self._scaled.popitem(last=False)[1]
                self._bytes -= old.width() * old.height() * 4
        else:
            self._scaled.move_to_end(key)
        painter.drawPixmap(target.topLeft(), made)

    def _coarse(
        self, painter: QPainter, picture: TiledPicture, key: tuple[int, int, int], target: QRect, place: Place
    ) -> None:
        """The same part from a coarser level, or from the sketch."""
        level, x, y = key
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, True)
        for up in range(1, picture.levels - level):
            tile = picture.tile((level + up, x >> up, y >> up))
            if tile is not None:
                side = TILE / (1 << up)
                left, top = (x % (1 << up)) * side, (y % (1 << up)) * side
                wide = min(side, tile.width() - left)
                high = min(side, tile.height() - top)
                if wide > 0 and high > 0:
                    painter.drawPixmap(QRectF(target), tile, QRectF(left, top, wide, high))
                return
        sketch = picture.sketch
        if sketch is not None and not sketch.isNull():
            whole = place.rect(picture.size)
            sx, sy = sketch.width() / whole.width(), sketch.height() / whole.height()
            source = QRectF(
                (target.x() - whole.x()) * sx,
                (target.y() - whole.y()) * sy,
                target.width() * sx,
                target.height() * sy,
            )
            painter.drawPixmap(QRectF(target), sketch, source)

    def _chequer(self, painter: QPainter) -> QBrush:
        ratio = painter.device().devicePixelRatioF()
        side = max(2, round(self._theme.px(8) * ratio))
        dark, light = (
            (QColor("#3a3d41"), QColor("#55595e")) if self._theme.dark else (QColor("#cfd2d6"), QColor("#fff"))
        )
        tile = QPixmap(side * 2, side * 2)
        tile.fill(dark)
        inner = QPainter(tile)
        inner.fillRect(0, 0, side, side, light)
        inner.fillRect(side, side, side, side, light)
        inner.end()
        return QBrush(tile)


def level_for(picture: TiledPicture, zoom: float) -> int:
    """The level whose pixels are the smallest that are not enlarged."""
    if zoom >= 1:
        return 0
    return max(0, min(picture.levels - 1, math.floor(math.log2(1 / zoom) + 1e-6)))


def _visible(picture: TiledPicture, level: int, place: Place, area: QRect) -> tuple[range, range]:
    """Columns and rows of tiles that touch `area`."""
    step = TILE * (1 << level) * place.zoom
    whole = level_size(picture.size, level)
    columns, rows = -(-whole.width() // TILE), -(-whole.height() // TILE)
    left = max(0, math.floor((area.left() - place.x) / step))
    right = min(columns, math.ceil((area.right() + 1 - place.x) / step))
    top = max(0, math.floor((area.top() - place.y) / step))
    bottom = min(rows, math.ceil((area.bottom() + 1 - place.y) / step))
    return range(left, max(left, right)), range(top, max(top, bottom))


def _target(picture: TiledPicture, level: int, x: int, y: int, place: Place) -> QRect:
    """Edges on whole device pixels, the same for neighbours: no seams, and the same sizes wherever it is panned to."""
    step = TILE << level
    size = picture.size
    left, right = round(x * step * place.zoom), round(min((x + 1) * step, size.width()) * place.zoom)
    top, bottom = round(y * step * place.zoom), round(min((y + 1) * step, size.height()) * place.zoom)
    return QRect(QPoint(place.x + left, place.y + top), QSize(max(1, right - left), max(1, bottom - top)))
