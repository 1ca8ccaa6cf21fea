"""A workflow of the browser: picture, name, what goes in and out, whether it can run here."""

from PySide6.QtCore import QObject, QRect, QSize, Signal
from PySide6.QtGui import QPainter, QPixmap
from PySide6.QtWidgets import QStyle, QStyleOptionViewItem

from comfydesk.qt.models.rows import THUMBNAIL, WorkflowRow
from comfydesk.qt.models.words import size_words
from comfydesk.qt.models.workflows import in_and_out
from comfydesk.qt.theme import ColorName, Theme
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets import badges, paint
from comfydesk.qt.widgets.badges import Badge
from comfydesk.qt.widgets.row_actions import ActionDelegate, Index, Spots, row_of
from comfydesk.qt.widgets.thumbnail import Covers

HEIGHT = 76
GAP = 4
PICTURE = 64
ICONS = {"image": "image", "video": "video", "audio": "audio", "text": "text", "3d": "cube"}


def badge_of(row: WorkflowRow) -> Badge | None:
    """What the card says of its workflow's needs; None while nothing is known."""
    if row.entry.card.error:
        return badges.broken()
    if row.needs is None:
        return None
    if not row.online and not row.needs.missing_models and not row.needs.missing_nodes:
        return badges.ready_on(row.pod)
    return badges.of_needs(len(row.needs.missing_models), len(row.needs.missing_nodes))


class CardDelegate(ActionDelegate):
    """`generate`, `starred` and `missing` carry the index that was clicked."""

    generate = Signal(object)
    starred = Signal(object)
    missing = Signal(object)
    """The badge of something missing."""

    def __init__(self, theme: Theme, parent: QObject | None = None, *, can_star: bool = False) -> None:
        """`can_star` offers the star on the card under the pointer."""
        super().__init__(theme, parent)
        self._can_star = can_star
        self._covers = Covers(theme)
        self._tile = 0

    def set_tile(self, width: int) -> None:
        """Draw tiles of that width, the picture on top; 0: rows."""
        self._tile = width

    def sizeHint(self, _option: QStyleOptionViewItem, _index: Index) -> QSize:
        if self._tile:
            return QSize(self._tile, self._tile + self._words_height())
        return QSize(self.theme.px(180), self._height() + self.theme.px(GAP))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        row = row_of(index, WorkflowRow)
        if row is None:
            return
        px = self.theme.px
        card = self._card(option.rect)
        hovered = bool(option.state & QStyle.StateFlag.State_MouseOver)
        self._paint_surface(painter, option, card, hovered=hovered)
        side = min(px(PICTURE), card.height() - px(12))
        picture = index.data(THUMBNAIL)
        outputs = row.entry.card.output_types
        icon = ICONS.get(outputs[0] if outputs else "", "image")
        if self._tile:
            self._paint_tile(painter, card, row, picture, icon, hovered=hovered)
            return
        spot = QRect(card.left() + px(6), card.top() + (card.height() - side) // 2, side, side)
        broken = bool(row.entry.card.error)
        self._covers.paint(painter, spot, picture if isinstance(picture, QPixmap) else None, icon=icon, broken=broken)
        left = spot.right() + 1 + px(12)
        words = QRect(left, card.top() + px(8), card.right() - px(8) - left, card.height() - px(16))
        self._paint_name(painter, words, row, hovered=hovered)
        self._paint_flow(painter, words, row, icon)
        self._paint_state(painter, words, row)
        if hovered and not broken:
            self._paint_generate(painter, self._generate_spot(card))

    def spots(self, rect: QRect, index: Index) -> Spots:
        row, card = row_of(index, WorkflowRow), self._card(rect)
        if row is None or row.entry.card.error:
            return {}
        found = {"generate": self._generate_spot(card)}
        if self._can_star:
            side = self.theme.px(24)
            found["star"] = QRect(card.right() - side - self.theme.px(2), card.top() + self.theme.px(4), side, side)
        if self._tile:
            picture = self._tile_picture(card)
            found["generate"] = self._generate_spot(picture)
            if badge_of(row) is not None and row.needs is not None and not row.needs.ready:
                left, top = picture.left() + self.theme.px(4), picture.top() + self.theme.px(4)
                badge = badge_of(row)
                assert badge is not None
                found["missing"] = QRect(left, top, *paint.badge_size(self.theme, "", badge.icon))
            return found
        badge = badge_of(row)
        if badge is not None and badge.tone in ("warning", "danger"):
            width, height = paint.badge_size(self.theme, badge.text, badge.icon)
            middle = self._line_middles(card)[2]
            found["missing"] = QRect(self._words_left(card), middle - height // 2, width, height)
        return found

    def name_of(self, action: str, index: Index) -> str:
        row = row_of(index, WorkflowRow)
        starred = row is not None and row.starred
        return {
            "generate": tr("Open and generate"),
            "star": tr("Remove from favourites") if starred else tr("Add to favourites"),
            "missing": tr("Show what is missing"),
        }[action]

    def act(self, action: str, index: Index) -> None:
        signals = {"generate": self.generate, "star": self.starred, "missing": self.missing}
        signals[action].emit(index)

    # --- Parts ----------------------------------------------------------------------------------------------------

    def _height(self) -> int:
        lines = self.theme.metrics("label").height() + self.theme.metrics("small").height()
        badge = paint.badge_size(self.theme, tr("Ready"))[1]
        return max(self.theme.px(HEIGHT), lines + badge + self.theme.px(20))

    def _card(self, rect: QRect) -> QRect:
        if self._tile:
            return rect.adjusted(self.theme.px(2), self.theme.px(2), -self.theme.px(2), -self.theme.px(2))
        edge, gap = self.theme.px(6), self.theme.px(GAP)
        return rect.adjusted(edge, gap // 2, -edge, gap // 2 - gap)

    def _words_left(self, card: QRect) -> int:
        side = min(self.theme.px(PICTURE), card.height() - self.theme.px(12))
        return card.left() + self.theme.px(6) + side + self.theme.px(12)

    def _line_middles(self, card: QRect) -> tuple[int, int, int]:
        third = card.height() / 3.9
        middle = card.top() + card.height() / 2
        return round(middle - third), round(middle), round(middle + third)

    def _generate_spot(self, card: QRect) -> QRect:
        side = self.theme.px(24)
        return QRect(
            card.right() + 1 - side - self.theme.px(8), card.bottom() + 1 - side - self.theme.px(8), side, side
        )

    def _paint_surface(self, painter: QPainter, option: QStyleOptionViewItem, card: QRect, *, hovered: bool) -> None:
        theme = self.theme
        if option.state & QStyle.StateFlag.State_Selected:
            paint.box(painter, card, theme.px(8), fill=theme.color("selection"))
        elif hovered:
            paint.box(painter, card, theme.px(8), fill=theme.color("hover"))
        if option.state & QStyle.StateFlag.State_HasFocus:
            paint.box(painter, card, theme.px(8), outline=theme.color("accent"), width=theme.px(2))

    def _paint_name(self, painter: QPainter, words: QRect, row: WorkflowRow, *, hovered: bool) -> None:
        theme, px = self.theme, self.theme.px
        card = words.adjusted(0, -px(8), 0, px(8))
        middle, height = self._line_middles(card)[0], theme.metrics("label").height()
        line = QRect(words.left(), middle - height // 2, words.width(), height)
        if row.starred or (hovered and self._can_star):
            spot = QRect(line.right() - px(15), line.top(), px(16), height)
            ink: ColorName = "warning" if row.starred else "text2"
            paint.icon_in(painter, theme, spot, "star-filled" if row.starred else "star", ink)
            line.setRight(spot.left() - px(4))
        metrics = theme.metrics("label")
        paint.text(painter, line, row.entry.name, theme.font("label"), theme.color("text"), metrics=metrics)

    def _paint_flow(self, painter: QPainter, words: QRect, row: WorkflowRow, icon: str) -> None:
        theme, px = self.theme, self.theme.px
        middle = self._line_middles(words.adjusted(0, -px(8), 0, px(8)))[1]
        height = theme.metrics("small").height()
        line = QRect(words.left(), middle - height // 2, words.width(), height)
        metrics, ink = theme.metrics("small"), theme.color("text2")
        if row.entry.card.error:
            paint.text(painter, line, row.entry.card.error, theme.font("small"), ink, metrics=metrics)
            return
        paint.icon_in(painter, theme, line.adjusted(0, 0, px(14) - line.width(), 0), icon, "text2", 14)
        line.setLeft(line.left() + px(20))
        paint.text(painter, line, in_and_out(row), theme.font("small"), ink, metrics=metrics)

    def _paint_state(self, painter: QPainter, words: QRect, row: WorkflowRow) -> None:
        badge, px = badge_of(row), self.theme.px
        middle = self._line_middles(words.adjusted(0, -px(8), 0, px(8)))[2]
        left = words.left()
        if badge is not None:
            spot = paint.badge(painter, self.theme, left, middle, badge.text, badge.tone, badge.icon)
            left = spot.right() + 1 + px(8)
        if row.entry.size:
            metrics = self.theme.metrics("small")
            line = QRect(left, middle - metrics.height() // 2, words.right() + 1 - left, metrics.height())
            told, ink = size_words(row.entry.size), self.theme.color("text2")
            if metrics.horizontalAdvance(told) <= line.width():
                paint.text(painter, line, told, self.theme.font("small"), ink, metrics=metrics)

    # --- Tiles ----------------------------------------------------------------------------------------------------

    def _words_height(self) -> int:
        return self.theme.metrics("small").height() + self.theme.px(8)

    def _tile_picture(self, card: QRect) -> QRect:
        edge = self.theme.px(4)
        side = card.width() - 2 * edge
        return QRect(card.left() + edge, card.top() + edge, side, card.height() - self._words_height() - edge)

    def _paint_tile(
        self, painter: QPainter, card: QRect, row: WorkflowRow, picture: object, icon: str, *, hovered: bool
    ) -> None:
        theme, px, spot = self.theme, self.theme.px, self._tile_picture(card)
        broken = bool(row.entry.card.error)
        pixmap = picture if isinstance(picture, QPixmap) else None
        self._covers.paint(painter, spot, pixmap, icon=icon, broken=broken)
        badge = badge_of(row)
        if badge is not None and badge.tone in ("warning", "danger"):
            height = paint.badge_size(theme, "", badge.icon)[1]
            middle = spot.top() + px(4) + height // 2
            paint.badge(painter, theme, spot.left() + px(4), middle, "", badge.tone, badge.icon)
        metrics = theme.metrics("small")
        top = spot.bottom() + 1 + px(4)
        line = QRect(spot.left() + px(2), top, spot.width() - px(4), metrics.height())
        paint.text(painter, line, row.entry.name, theme.font("small"), theme.color("text"), metrics=metrics)
        if row.starred or (hovered and self._can_star):
            ink: ColorName = "warning" if row.starred else "on_overlay"
            chip = QRect(spot.right() - px(23), spot.top() + px(4), px(20), px(20))
            paint.box(painter, chip, px(4), fill=theme.color("overlay"))
            paint.icon_in(painter, theme, chip, "star-filled" if row.starred else "star", ink, 14)
        if hovered and not broken:
            self._paint_generate(painter, self._generate_spot(spot))

    def _paint_generate(self, painter: QPainter, spot: QRect) -> None:
        fill: ColorName = "accent_hover" if self.is_over(spot) else "accent"
        paint.box(painter, spot, self.theme.px(6), fill=self.theme.color(fill))
        paint.icon_in(painter, self.theme, spot, "play", "on_accent", 14)
