"""A tile of the gallery: the picture fills it; chips in its corners say the rest."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPixmap
from PySide6.QtWidgets import QStyle, QStyleOptionViewItem

from comfydesk.qt.models.rows import THUMBNAIL, OutputRow, Shown
from comfydesk.qt.models.words import clock
from comfydesk.qt.theme import Theme
from comfydesk.qt.widgets import paint
from comfydesk.qt.widgets.progress_bar import THICKNESS, paint_bar
from comfydesk.qt.widgets.row_actions import ActionDelegate, Index, Spots, row_of
from comfydesk.qt.widgets.thumbnail import Covers, chip_height, paint_chip, paint_icon_chip

ICONS = {"image": "image", "video": "video", "audio": "audio", "text": "text", "model3d": "cube"}
_LEAST_FOR_ACTIONS = 72


def never(_row: OutputRow) -> bool:
    return False


def unknown(_row: OutputRow) -> float | None:
    return None


class GalleryDelegate(ActionDelegate):
    """`reuse` ("Use these settings") and `starred` carry the index that was clicked."""

    reuse = Signal(object)
    starred = Signal(object)

    def __init__(
        self,
        theme: Theme,
        parent: QObject | None = None,
        *,
        tile: QSize | None = None,
        is_starred: Callable[[OutputRow], bool] | None = None,
        saving: Callable[[OutputRow], float | None] = unknown,
    ) -> None:
        """`tile` is the size of a tile for views that ask (design pixels). Without `is_starred` there are no stars.

        `saving` tells how much of a file has arrived, None once it is here.
        """
        super().__init__(theme, parent)
        self._tile = tile or QSize(160, 96)
        self._stars = is_starred is not None
        self._is_starred = is_starred or never
        self._saving = saving
        self._covers = Covers(theme)

    def sizeHint(self, _option: QStyleOptionViewItem, _index: Index) -> QSize:
        return QSize(self.theme.px(self._tile.width()), self.theme.px(self._tile.height()))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        row = row_of(index, OutputRow)
        if row is None:
            return
        theme, px, rect = self.theme, self.theme.px, QRect(option.rect)
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        hovered = bool(option.state & QStyle.StateFlag.State_MouseOver)
        area = rect.adjusted(px(5), px(5), -px(5), -px(5)) if selected else rect
        self._paint_picture(painter, area, row, index)
        if selected:
            paint.box(painter, rect, px(5), outline=theme.color("accent"), width=px(3))
            self._paint_tick(painter, rect)
        elif option.state & QStyle.StateFlag.State_HasFocus:
            paint.box(painter, rect, px(4), outline=theme.color("accent"), width=px(2))
        arrived = self._saving(row)
        if arrived is not None:
            bar = QRectF(area.left(), area.bottom() + 1 - px(THICKNESS), area.width(), px(THICKNESS))
            paint_bar(painter, theme, bar, arrived, groove="overlay")
        if row.output.media in ("video", "audio") and row.shown is not Shown.BROKEN:
            words = clock(row.output.duration) if row.output.duration is not None else ""
            top = area.bottom() + 1 - px(5) - chip_height(theme)
            paint_chip(painter, theme, area.left() + px(5), top, words, play=True)
        self._paint_chips(painter, rect, index, row, hovered=hovered)

    def spots(self, rect: QRect, index: Index) -> Spots:
        row = row_of(index, OutputRow)
        if row is None or rect.width() < self.theme.px(_LEAST_FOR_ACTIONS):
            return {}
        side, edge = self.theme.px(24), self.theme.px(4)
        right, top = rect.right() + 1 - edge, rect.top() + edge
        found: Spots = {}
        if self._stars:
            found["star"] = QRect(right - side, top, side, side)
            right -= side + edge
        found["reuse"] = QRect(right - side, top, side, side)
        return found

    def name_of(self, action: str, index: Index) -> str:
        row = row_of(index, OutputRow)
        if action == "reuse":
            return "Use these settings"
        return "Remove star" if row is not None and self._is_starred(row) else "Star"

    def act(self, action: str, index: Index) -> None:
        (self.starred if action == "star" else self.reuse).emit(index)

    # --- Parts ----------------------------------------------------------------------------------------------------

    def _paint_picture(self, painter: QPainter, area: QRect, row: OutputRow, index: Index) -> None:
        theme, px = self.theme, self.theme.px
        picture = index.data(THUMBNAIL)
        shown = picture if isinstance(picture, QPixmap) and row.output.media != "audio" else None
        icon = ICONS.get(row.output.media, "file")
        self._covers.paint(painter, area, shown, icon=icon, broken=row.shown is Shown.BROKEN)
        if shown is None and row.output.media not in ("image", "video") and area.height() > px(64):
            metrics = theme.metrics("caption")
            # Beside the chip with the length, which has the lower left corner.
            taken = px(62) if row.output.media == "audio" else px(6)
            top = area.bottom() + 1 - px(5) - chip_height(theme)
            line = QRect(area.left() + taken, top, area.width() - taken - px(6), chip_height(theme))
            name = Path(row.output.path).name
            align, ink = Qt.AlignmentFlag.AlignRight, theme.color("text2")
            paint.text(painter, line, name, theme.font("caption"), ink, align=align, metrics=metrics)

    def _paint_tick(self, painter: QPainter, rect: QRect) -> None:
        px, side = self.theme.px, self.theme.px(20)
        spot = QRect(rect.left() + px(8), rect.top() + px(8), side, side)
        paint.box(painter, spot, side / 2, fill=self.theme.color("accent"))
        paint.icon_in(painter, self.theme, spot, "check-small", "on_accent", 14)

    def _paint_chips(self, painter: QPainter, area: QRect, index: Index, row: OutputRow, *, hovered: bool) -> None:
        starred = self._is_starred(row)
        for action, spot in self.spots(area, index).items():
            if action == "star" and (starred or hovered):
                icon = "star-filled" if starred else "star"
                paint_icon_chip(painter, self.theme, spot, icon, hovered=hovered and self.is_over(spot))
            elif action == "reuse" and hovered:
                paint_icon_chip(painter, self.theme, spot, "refresh", hovered=self.is_over(spot))
