"""How a picture of the library looks in the grid: its cover, what its corners say, and the headings between."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QPainter, QPixmap

from comfydesk.qt.models.thumbnails import EDGE, Thumbnails
from comfydesk.qt.models.words import clock
from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets import paint
from comfydesk.qt.widgets.thumbnail import Covers, chip_height, paint_chip, paint_icon_chip
from comfydesk.session.gallery.posters import FRAMES
from comfydesk.session.gallery.thumbnails import edge_for
from comfydesk.store.listing import Group
from comfydesk.store.records import Output

ICONS = {"image": "image", "video": "video", "audio": "audio", "text": "text", "model3d": "cube"}
_LEAST_FOR_ACTIONS = 72
_SPOT = 24
_ROWS_VARY = 1.1
"""Justified rows are that much higher than they were to be, now and then."""


@dataclass(frozen=True, slots=True)
class Look:
    """The state of a tile."""

    selected: bool = False
    current: bool = False
    """It has the keyboard."""
    hovered: bool = False
    any_selected: bool = False
    pointer: QPoint = field(default_factory=lambda: QPoint(-1, -1))


class Tiles:
    """Paints tiles; `owner` is whose thumbnails they are, see Thumbnails.keep."""

    def __init__(self, theme: Theme, thumbnails: Thumbnails, owner: object) -> None:
        self._theme, self._thumbnails, self._owner = theme, thumbnails, owner
        self._covers = Covers(theme)
        self.edge = EDGE
        """In which all pictures are asked for: one size per zoom, or each would be made again as rows break anew."""

    def measure(self, size: float) -> None:
        """Tiles are about `size` device pixels high."""
        self.edge = edge_for(size * _ROWS_VARY)

    def paint(self, painter: QPainter, rect: QRect, output: Output | None, look: Look, *, hurry: bool = False) -> bool:
        """False if there was no time to scale its picture well."""
        theme, px = self._theme, self._theme.px
        area = rect.adjusted(px(5), px(5), -px(5), -px(5)) if look.selected else rect
        if output is None:
            painter.fillRect(area, theme.color("raised"))
            done = True
        else:
            done = self._picture(painter, area, output, look, hurry)
        if look.selected:
            paint.box(painter, rect, px(5), outline=theme.color("accent"), width=px(3))
        if look.current:
            inner = rect.adjusted(px(4), px(4), -px(4), -px(4)) if look.selected else rect
            paint.box(painter, inner, px(4), outline=theme.color("text" if look.selected else "accent"), width=px(2))
        if output is not None:
            self._corners(painter, rect, area, output, look)
        return done

    def spots(self, rect: QRect, output: Output) -> dict[str, QRect]:
        """What can be clicked in a tile: tick, star, reuse."""
        px = self._theme.px
        if rect.width() < px(_LEAST_FOR_ACTIONS) or rect.height() < px(_SPOT + 8):
            return {}
        side, edge = px(_SPOT), px(5)
        right, top = rect.right() + 1 - edge, rect.top() + edge
        found = {
            "tick": QRect(rect.left() + edge, top, side, side),
            "star": QRect(right - side, top, side, side),
        }
        if rect.width() >= px(_LEAST_FOR_ACTIONS) * 1.5 and output.media in ("image", "video"):
            found["reuse"] = QRect(right - 2 * side - px(4), top, side, side)
        return found

    def name_of(self, spot: str, output: Output) -> str:
        """Tool tip of a spot."""
        if spot == "tick":
            return tr("Select")
        if spot == "reuse":
            return tr("Use these settings")
        return tr("Remove from favourites") if output.favourite else tr("Add to favourites")

    # --- Parts ----------------------------------------------------------------------------------------------------

    def _picture(self, painter: QPainter, area: QRect, output: Output, look: Look, hurry: bool) -> bool:
        theme, thumbnails = self._theme, self._thumbnails
        if output.media == "video" and look.hovered and self._scrub(painter, area, output, look):
            return True
        wave = output.media == "audio"
        picture = thumbnails.get(output.path, output.media, sha256=output.sha256, edge=self.edge, owner=self._owner)
        broken = output.missing or bool(thumbnails.reason(output.path))
        icon = ICONS.get(output.media, "file")
        if wave and picture is not None:
            self._wave(painter, area, picture)
            self._name(painter, area, output)
            return True
        if picture is None and not broken and output.media in ("image", "video"):
            # Loading, for a moment: round corners would take longer than the picture.
            painter.fillRect(area, theme.color("raised"))
            paint.icon_in(painter, theme, area, icon, "text2", 20)
            return True
        done = self._covers.paint(painter, area, picture, icon=icon, broken=broken and picture is None, hurry=hurry)
        if picture is not None and output.missing:
            spot = QRect(area.left(), area.bottom() - theme.px(28), theme.px(28), theme.px(28))
            paint.icon_in(painter, theme, spot, "warning", "warning")
        if picture is None and output.media not in ("image", "video"):
            self._name(painter, area, output)
        return done

    def _scrub(self, painter: QPainter, area: QRect, output: Output, look: Look) -> bool:
        """The frame of a video that the pointer's place across the tile stands for."""
        strip = self._thumbnails.strip(output.path, sha256=output.sha256)
        if strip is None or not area.contains(look.pointer):
            return False
        part = (look.pointer.x() - area.left()) / max(1, area.width())
        frame = min(FRAMES - 1, max(0, int(part * FRAMES)))
        wide = strip.width() // FRAMES
        scale = max(area.width() / wide, area.height() / strip.height())
        shape = QRectF(0, 0, area.width() / scale, area.height() / scale)
        shape.moveCenter(QPointF(frame * wide + wide / 2, strip.height() / 2))
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawPixmap(QRectF(area), strip, shape)
        line = QRectF(area.left(), area.bottom() + 1 - self._theme.px(3), area.width() * part, self._theme.px(3))
        painter.fillRect(line, self._theme.color("accent"))
        return True

    def _wave(self, painter: QPainter, area: QRect, picture: QPixmap) -> None:
        theme = self._theme
        paint.box(painter, area, theme.px(4), fill=theme.color("raised"), outline=theme.color("border"))
        wide = min(area.width() - theme.px(16), area.height() * 2)
        where = paint.centred(area, wide, wide / 2)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawPixmap(where, picture, QRectF(picture.rect()))

    def _name(self, painter: QPainter, area: QRect, output: Output) -> None:
        theme, px = self._theme, self._theme.px
        if area.height() < px(64):
            return
        taken = px(62) if output.media == "audio" else px(8)
        top = area.bottom() + 1 - px(5) - chip_height(theme)
        line = QRect(area.left() + taken, top, area.width() - taken - px(8), chip_height(theme))
        align = Qt.AlignmentFlag.AlignRight if taken > px(8) else Qt.AlignmentFlag.AlignHCenter
        middle = Qt.TextElideMode.ElideMiddle
        words, ink = Path(output.path).name, theme.color("text2")
        metrics = theme.metrics("caption")
        paint.text(painter, line, words, theme.font("caption"), ink, align=align, elide=middle, metrics=metrics)

    def _corners(self, painter: QPainter, rect: QRect, area: QRect, output: Output, look: Look) -> None:
        theme, px = self._theme, self._theme.px
        broken = bool(self._thumbnails.reason(output.path))
        moves = output.media in ("video", "audio") or (output.media == "image" and output.duration is not None)
        if moves and not broken:
            words = clock(output.duration) if output.duration is not None else ""
            top = area.bottom() + 1 - px(5) - chip_height(theme)
            paint_chip(painter, theme, area.left() + px(5), top, words, play=True)
        spots = self.spots(rect, output)
        if "tick" in spots and (look.selected or look.hovered or look.any_selected):
            self._tick(painter, spots["tick"], look)
        if "star" in spots and (output.favourite or look.hovered):
            over = look.hovered and spots["star"].contains(look.pointer)
            icon = "star-filled" if output.favourite else "star"
            paint_icon_chip(painter, theme, spots["star"], icon, hovered=over)
        if "reuse" in spots and look.hovered:
            over = spots["reuse"].contains(look.pointer)
            paint_icon_chip(painter, theme, spots["reuse"], "refresh", hovered=over)

    def _tick(self, painter: QPainter, spot: QRect, look: Look) -> None:
        theme, side = self._theme, self._theme.px(20)
        ring = paint.centred(spot, side, side)
        if look.selected:
            paint.box(painter, ring, side / 2, fill=theme.color("accent"))
            paint.icon_in(painter, theme, ring, "check-small", "on_accent", 14)
        elif look.hovered:
            over = spot.contains(look.pointer)
            paint.box(
                painter, ring, side / 2, fill=theme.color("overlay"), outline=theme.color("on_overlay"), width=1.5
            )
            if over:
                paint.icon_in(painter, theme, ring, "check-small", "on_overlay", 14)


def paint_heading(painter: QPainter, theme: Theme, area: QRect, group: Group, grouping: str, *, full: bool) -> None:
    """`full`: all of its pictures are selected."""
    px = theme.px
    title, note = heading_words(group, grouping)
    left = area.left()
    if full:
        paint.icon_in(painter, theme, QRect(left, area.top(), px(16), area.height()), "check", "accent")
        left += px(22)
    metrics, small = theme.metrics("heading"), theme.metrics("small")
    room = area.right() + 1 - left
    after = small.horizontalAdvance(note) + px(16) if note else 0
    count = f"{group.count:,}"
    words = QRect(left, area.top(), max(0, room - after - small.horizontalAdvance(count) - px(8)), area.height())
    taken = paint.text(painter, words, title, theme.font("heading"), theme.color("text"), metrics=metrics)
    where = QRect(left + taken + px(8), area.top(), px(80), area.height())
    paint.text(painter, where, count, theme.font("small"), theme.color("text2"), metrics=small)
    align = Qt.AlignmentFlag.AlignRight
    paint.text(painter, area, note, theme.font("small"), theme.color("text2"), align=align, metrics=small)


def heading_words(group: Group, grouping: str) -> tuple[str, str]:
    """(title, note at the right) of a group's heading."""
    when = datetime.fromtimestamp(group.time).astimezone()
    if grouping == "day":
        return day_words(when.date()), f"{when:%a} {when.day} {when:%B}"
    if grouping == "batch":
        hour = f"{when:%H:%M}"
        return f"{day_words(when.date())}, {hour}", group.title
    return group.title or tr("No workflow"), tr("last {day}", day=day_words(when.date()))


def day_words(day: date) -> str:
    """ "Today", "Yesterday", "Friday", "20 November", "3 May 2025"."""
    today = datetime.now().astimezone().date()
    if day == today:
        return tr("Today")
    if day == today - timedelta(days=1):
        return tr("Yesterday")
    if timedelta(0) < today - day < timedelta(days=7):
        return day.strftime("%A")
    words = f"{day.day} {day.strftime('%B')}"
    return words if day.year == today.year else f"{words} {day.year}"
