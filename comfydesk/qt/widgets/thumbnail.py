"""A picture cropped to fill its place, and what stands there while there is none."""

from collections import OrderedDict

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QBrush, QPainter, QPixmap, QPolygonF, QTransform

from comfydesk.qt.theme import ColorName, Theme
from comfydesk.qt.widgets import paint


def paint_thumbnail(
    painter: QPainter,
    theme: Theme,
    rect: QRect,
    picture: QPixmap | None,
    *,
    icon: str = "image",
    broken: bool = False,
    radius: int = 4,
) -> None:
    """`picture` about its middle in `rect`; without one, `icon` on the raised surface, or the sign of a broken file."""
    rounding = theme.px(radius)
    if picture is None or picture.isNull():
        paint.box(painter, rect, rounding, fill=theme.color("raised"), outline=theme.color("border"))
        ink: ColorName = "warning" if broken else "text2"
        paint.icon_in(
            painter, theme, rect, "warning" if broken else icon, ink, 20 if rect.width() > theme.px(48) else 16
        )
        return
    source = paint.cover_source(picture, rect.width(), rect.height())
    # A brush, not a clip: the round corners come out smooth.
    scale = rect.width() / source.width()
    brush = QBrush(picture)
    ratio = picture.devicePixelRatio()
    shift = QTransform.fromTranslate(rect.left() - source.left() * scale, rect.top() - source.top() * scale)
    brush.setTransform(QTransform.fromScale(scale * ratio, scale * ratio) * shift)
    painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(brush)
    painter.drawRoundedRect(QRectF(rect), rounding, rounding)


def paint_chip(painter: QPainter, theme: Theme, left: int, top: int, words: str, *, play: bool = False) -> QRect:
    """White words on the dark overlay, such as a duration; returns where."""
    px, metrics = theme.px, theme.metrics("caption_strong")
    mark = px(10) if play else 0
    gap = px(5) if play and words else 0
    height = max(px(18), metrics.height() + px(2))
    rect = QRect(left, top, px(6) * 2 + mark + gap + metrics.horizontalAdvance(words), height)
    paint.box(painter, rect, px(4), fill=theme.color("overlay"))
    if play:
        x, middle, half = rect.left() + px(6) + px(1), rect.center().y() + 0.5, px(4)
        corners = [QPointF(x, middle - half), QPointF(x + half * 1.6, middle), QPointF(x, middle + half)]
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("on_overlay"))
        painter.drawPolygon(QPolygonF(corners))
    area = rect.adjusted(px(6) + mark + gap, 0, 0, 0)
    ink = theme.color("on_overlay")
    paint.text(painter, area, words, theme.font("caption_strong"), ink, metrics=metrics)
    return rect


def chip_height(theme: Theme) -> int:
    return max(theme.px(18), theme.metrics("caption_strong").height() + theme.px(2))


def paint_icon_chip(painter: QPainter, theme: Theme, rect: QRect, icon: str, *, hovered: bool = False) -> None:
    """A white icon on the overlay: star, hover actions."""
    paint.box(painter, rect, theme.px(4), fill=theme.color("overlay"))
    if hovered:
        paint.box(painter, rect, theme.px(4), outline=theme.color("on_overlay"))
    paint.icon_in(painter, theme, rect, icon, "on_overlay", 14)


class Covers:
    """Thumbnails as they are painted: cropped, scaled and rounded once, then copied to the screen.

    A scroll step repaints dozens of rows; scaling each of them again would take most of a frame.
    """

    BYTES = 32 << 20
    """Kept, whatever their number."""

    def __init__(self, theme: Theme) -> None:
        self._theme = theme
        self._bytes = 0
        self._made: OrderedDict[tuple[int, int, int, float, int], QPixmap] = OrderedDict()

    def paint(
        self,
        painter: QPainter,
        rect: QRect,
        picture: QPixmap | None,
        *,
        icon: str = "image",
        broken: bool = False,
        radius: int = 4,
        hurry: bool = False,
    ) -> bool:
        """Like `paint_thumbnail`. `hurry`: there is no time to scale it well; False is the answer if it was not."""
        if picture is None or picture.isNull() or rect.isEmpty():
            paint_thumbnail(painter, self._theme, rect, None, icon=icon, broken=broken, radius=radius)
            return True
        ratio = paint.ratio_of(painter)
        key = (picture.cacheKey(), rect.width(), rect.height(), ratio, self._theme.px(radius))
        made = self._made.get(key)
        if made is None:
            if hurry:
                painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
                source = paint.cover_source(picture, rect.width(), rect.height())
                painter.drawPixmap(QRectF(rect), picture, source)
                return False
            made = self._made[key] = self._cover(picture, rect, ratio, radius)
            self._bytes += _bytes_of(made)
            while self._bytes > self.BYTES and len(self._made) > 1:
                self._bytes -= _bytes_of(self._made.popitem(last=False)[1])
        else:
            self._made.move_to_end(key)
        painter.drawPixmap(rect.topLeft(), made)
        return True

    def _cover(self, picture: QPixmap, rect: QRect, ratio: float, radius: int) -> QPixmap:
        made = QPixmap(round(rect.width() * ratio), round(rect.height() * ratio))
        made.setDevicePixelRatio(ratio)
        made.fill(Qt.GlobalColor.transparent)
        painter = QPainter(made)
        paint_thumbnail(painter, self._theme, QRect(0, 0, rect.width(), rect.height()), picture, radius=radius)
        painter.end()
        return made


def _bytes_of(picture: QPixmap) -> int:
    return picture.width() * picture.height() * 4
