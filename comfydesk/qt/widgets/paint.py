"""Drawing that widgets and delegates share: boxes, text, badges, key hints."""

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QFont, QFontMetrics, QPainter, QPen, QPixmap

from comfydesk.qt.theme import ColorName, FontName, Theme, Tone

ELLIPSIS = "…"


def box(
    painter: QPainter,
    rect: QRect | QRectF,
    radius: float,
    *,
    fill: QColor | None = None,
    outline: QColor | None = None,
    width: float = 1.0,
) -> None:
    """A rounded rectangle whose outline lies inside `rect`."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    inset = width / 2 if outline is not None else 0.0
    area = QRectF(rect).adjusted(inset, inset, -inset, -inset)
    painter.setPen(QPen(outline, width) if outline is not None else Qt.PenStyle.NoPen)
    painter.setBrush(QBrush(fill) if fill is not None else Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(area, max(0.0, radius - inset), max(0.0, radius - inset))


def text(
    painter: QPainter,
    rect: QRect,
    words: str,
    font: QFont,
    color: QColor,
    *,
    align: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignLeft,
    elide: Qt.TextElideMode = Qt.TextElideMode.ElideRight,
    metrics: QFontMetrics | None = None,
) -> int:
    """One line of plain text in `rect`, shortened to fit; returns the width it took."""
    metrics = metrics or QFontMetrics(font)
    shown = metrics.elidedText(words, elide, rect.width())
    if shown != words and metrics.horizontalAdvance(words) <= rect.width():
        shown = words  # eliding counts parts of a pixel, who measured the place for these words whole ones
    painter.setFont(font)
    painter.setPen(color)
    flags = int(align | Qt.AlignmentFlag.AlignVCenter) | int(Qt.TextFlag.TextSingleLine)
    painter.drawText(rect, flags, shown)
    return metrics.horizontalAdvance(shown)


def centred(rect: QRect | QRectF, width: float, height: float) -> QRectF:
    """A rectangle of that size in the middle of `rect`, on whole pixels."""
    center = QRectF(rect).center()
    return QRectF(round(center.x() - width / 2), round(center.y() - height / 2), width, height)


def icon(painter: QPainter, theme: Theme, at: QPointF, name: str, color: ColorName, size: int = 16) -> None:
    """Icon `name` with its top left corner at `at`, sharp for the device that `painter` draws on."""
    painter.drawPixmap(at, theme.pixmap(name, color, size, ratio_of(painter)))


def icon_in(painter: QPainter, theme: Theme, rect: QRect | QRectF, name: str, color: ColorName, size: int = 16) -> None:
    """Icon `name` in the middle of `rect`."""
    side = theme.px(size)
    icon(painter, theme, centred(rect, side, side).topLeft(), name, color, size)


def ratio_of(painter: QPainter) -> float:
    """Device pixels per pixel of what `painter` draws on."""
    return painter.device().devicePixelRatioF()


# --- Badges and hints ---------------------------------------------------------------------------------------------

BADGE_HEIGHT = 18


def badge_size(theme: Theme, words: str, icon_name: str = "", font: FontName = "caption_strong") -> tuple[int, int]:
    """(width, height) of a badge."""
    metrics = theme.metrics(font)
    width = metrics.horizontalAdvance(words) + theme.px(6) * 2
    if icon_name:
        width += theme.px(12) + (theme.px(4) if words else 0)
    return width, max(theme.px(BADGE_HEIGHT), metrics.height() + theme.px(2))


def badge(
    painter: QPainter, theme: Theme, left: int, middle: int, words: str, tone: Tone, icon_name: str = ""
) -> QRect:
    """A badge that begins at `left`, vertically around `middle`; returns its rectangle."""
    width, height = badge_size(theme, words, icon_name)
    rect = QRect(left, middle - height // 2, width, height)
    ink, surface = theme.tone(tone)
    box(painter, rect, theme.px(4), fill=surface)
    x = rect.left() + theme.px(6)
    if icon_name:
        spot = QRect(x, rect.top(), theme.px(12), height)
        icon_in(painter, theme, spot, icon_name, _ink_name(tone), 12)
        x += theme.px(12) + theme.px(4)
    area = QRect(x, rect.top(), rect.right() + 1 - x, height)
    text(painter, area, words, theme.font("caption_strong"), ink, metrics=theme.metrics("caption_strong"))
    return rect


def _ink_name(tone: Tone) -> ColorName:
    return "text2" if tone == "neutral" else "accent" if tone == "info" else tone


def key_hint_size(theme: Theme, keys: str) -> tuple[int, int]:
    """(width, height) of a boxed key hint."""
    metrics = theme.metrics("caption")
    return metrics.horizontalAdvance(keys) + theme.px(5) * 2, max(theme.px(18), metrics.height() + theme.px(2))


def key_hint(
    painter: QPainter,
    theme: Theme,
    rect: QRect,
    keys: str,
    *,
    color: ColorName = "text2",
    fill: ColorName | None = "raised",
    outline: ColorName | None = "border",
) -> None:
    """Keys in a box, such as Ctrl+Enter."""
    box(
        painter,
        rect,
        theme.px(4),
        fill=theme.color(fill) if fill else None,
        outline=theme.color(outline) if outline else None,
    )
    text(
        painter,
        rect,
        keys,
        theme.font("caption"),
        theme.color(color),
        align=Qt.AlignmentFlag.AlignHCenter,
        elide=Qt.TextElideMode.ElideNone,
        metrics=theme.metrics("caption"),
    )


# --- Pictures -----------------------------------------------------------------------------------------------------


def cover_source(pixmap: QPixmap, width: float, height: float) -> QRectF:
    """The part of `pixmap` that fills width by height when cropped about its middle, in the pixmap's own pixels."""
    have_w, have_h = pixmap.width(), pixmap.height()
    scale = max(width / have_w, height / have_h)
    take_w, take_h = width / scale, height / scale
    return QRectF((have_w - take_w) / 2, (have_h - take_h) / 2, take_w, take_h)
