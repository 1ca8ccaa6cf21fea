"""The one shadow there is: 16 pixels at 22 %, drawn once per theme and stretched around popups, sheets and toasts."""

from PySide6.QtCore import QMargins, QRect, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPixmap

from comfydesk.qt.theme import Theme

REACH = 16
_ALPHA = 0.22


def draw_tile(theme: Theme, ratio: float, radius: int = 8) -> QPixmap:
    """A nine-part tile: corners of reach plus radius, one stretchable pixel between them."""
    reach, corner = theme.px(REACH), theme.px(radius)
    side = 2 * (reach + corner) + 1
    # 16 bits a channel while drawing: the outer rings are fainter than one step of 8.
    tile = QImage(round(side * ratio), round(side * ratio), QImage.Format.Format_RGBA64_Premultiplied)
    tile.setDevicePixelRatio(ratio)
    tile.fill(Qt.GlobalColor.transparent)
    painter = QPainter(tile)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    # Rings from outside in; what shows through all of them grows with the cube of the nearness.
    through = 1.0
    for step in range(reach):
        wanted = 1 - _ALPHA * ((step + 1) / reach) ** 3
        painter.setBrush(QColor.fromRgbF(0, 0, 0, 1 - wanted / through))
        through = wanted
        inner = QRect(0, 0, side, side).marginsRemoved(QMargins(step, step, step, step))
        rounding = corner + reach - step
        painter.drawRoundedRect(inner, rounding, rounding)
    painter.end()
    return QPixmap.fromImage(tile)


def paint_shadow(painter: QPainter, tile: QPixmap, rect: QRect) -> None:
    """Stretch `tile` over `rect`, which is the thing's own rectangle grown by the reach."""
    ratio = tile.devicePixelRatio()
    side = round(tile.width() / ratio)
    cut = side // 2
    xs = (rect.left(), rect.left() + cut, rect.right() + 1 - cut)
    ys = (rect.top(), rect.top() + cut, rect.bottom() + 1 - cut)
    widths = (cut, rect.width() - 2 * cut, cut)
    heights = (cut, rect.height() - 2 * cut, cut)
    source = (0, cut, side - cut)
    spans = (cut, 1, cut)
    for row in range(3):
        for column in range(3):
            target = QRect(xs[column], ys[row], widths[column], heights[row])
            part = QRect(
                round(source[column] * ratio),
                round(source[row] * ratio),
                round(spans[column] * ratio),
                round(spans[row] * ratio),
            )
            painter.drawPixmap(target, tile, part)
