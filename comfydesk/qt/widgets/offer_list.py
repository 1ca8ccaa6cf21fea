"""What the intent bar offers while one types: a list below the field, which keeps the keyboard."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import (
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import QFrame, QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QVBoxLayout, QWidget

from comfydesk.qt.models.tips import plain_tip
from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets import paint, shadow
from comfydesk.qt.widgets.badges import Badge
from comfydesk.qt.widgets.popup_window import Rows
from comfydesk.qt.widgets.thumbnail import Covers

ROW = 46
PICTURE = (48, 36)
Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True, slots=True)
class Offer:
    """One line. `id`: what `picked` hands back; empty: words only, nothing to take."""

    id: str
    title: str
    why: str = ""
    badge: Badge | None = None
    picture: QPixmap | None = None
    icon: str = "image"


class _Offers(Rows[Offer]):
    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        offer = self.row(index)
        if offer is None:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return offer.title
        if role == Qt.ItemDataRole.AccessibleTextRole:
            parts = (offer.title, offer.why, offer.badge.text if offer.badge else "")
            return ", ".join(part for part in parts if part)
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tip(f"{offer.title}\n{offer.why}")
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        offer = self.row(index)
        return super().flags(index) if offer is None or offer.id else Qt.ItemFlag.ItemIsEnabled


class _Delegate(QStyledItemDelegate):
    def __init__(self, theme: Theme, model: _Offers) -> None:
        super().__init__(model)
        self._theme, self._model = theme, model
        self._covers = Covers(theme)

    def sizeHint(self, _option: QStyleOptionViewItem, _index: Index) -> QSize:
        theme = self._theme
        lines = theme.metrics("label").height() + theme.metrics("small").height()
        return QSize(theme.px(200), max(theme.px(ROW), lines + theme.px(10)))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        theme, px, offer = self._theme, self._theme.px, self._model.rows[index.row()]
        rect = QRect(option.rect)
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        if offer.id and chosen:
            paint.box(painter, rect, px(6), fill=theme.color("selection"))
        elif offer.id and option.state & QStyle.StateFlag.State_MouseOver:
            paint.box(painter, rect, px(6), fill=theme.color("hover"))
        width, height = px(PICTURE[0]), px(PICTURE[1])
        spot = QRect(rect.left() + px(8), rect.center().y() - height // 2 + 1, width, height)
        if offer.id and not offer.id.startswith(TASK):
            self._covers.paint(painter, spot, offer.picture, icon=offer.icon)
        else:
            paint.icon_in(painter, theme, spot, offer.icon, "text2")
        right = self._paint_right(painter, rect, offer, chosen=chosen)
        left = spot.right() + 1 + px(10)
        label, small = theme.metrics("label"), theme.metrics("small")
        top = rect.center().y() - (label.height() + small.height()) // 2 + 1
        words = QRect(left, top, right - left, label.height())
        if not offer.why:
            words = QRect(left, rect.top(), right - left, rect.height())
        paint.text(painter, words, offer.title, theme.font("label"), theme.color("text"), metrics=label)
        words = QRect(left, top + label.height(), right - left, small.height())
        paint.text(painter, words, offer.why, theme.font("small"), theme.color("text2"), metrics=small)

    def _paint_right(self, painter: QPainter, rect: QRect, offer: Offer, *, chosen: bool) -> int:
        """Enter on the current one, and the badge before it; returns where the words must end."""
        theme, px = self._theme, self._theme.px
        right = rect.right() + 1 - px(8)
        if offer.id and chosen:
            width, height = paint.key_hint_size(theme, tr("Enter"))
            paint.key_hint(
                painter, theme, QRect(right - width, rect.center().y() - height // 2, width, height), tr("Enter")
            )
            right -= width + px(8)
        if offer.badge is not None:
            width = paint.badge_size(theme, offer.badge.text, offer.badge.icon)[0]
            badge = offer.badge
            paint.badge(painter, theme, right - width, rect.center().y() + 1, badge.text, badge.tone, badge.icon)
            right -= width + px(8)
        return right


TASK = "task:"
"""Offers of this kind show a task's icon in place of a picture."""


class OfferList(QFrame):
    """Floats over the window below its field; never takes the focus. `picked` with the id of an offer."""

    picked = Signal(str)

    def __init__(self, theme: Theme, name: str, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._over = parent
        self._reach = theme.px(shadow.REACH)
        self._tile = QPixmap()
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.hide()
        self._model = _Offers(self)
        self.view = QListView(self)
        self.view.setAccessibleName(name)
        self.view.setFrameShape(QFrame.Shape.NoFrame)
        self.view.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.view.setMouseTracking(True)
        self.view.setItemDelegate(_Delegate(theme, self._model))
        self.view.setModel(self._model)
        self.view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.view.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.view.viewport().setAutoFillBackground(False)
        self.view.clicked.connect(lambda index: self._take(index.row()))
        QVBoxLayout(self).addWidget(self.view)
        theme.changed.connect(self._drop_tile)

    def show_offers(self, anchor: QWidget, offers: Sequence[Offer]) -> None:
        """Below `anchor`, as wide as it or as the words need; the first that can be taken is current."""
        theme, window = self._theme, self._over
        self._model.fill(tuple(offers))
        if not offers:
            self.hide()
            return
        self._reach = reach = theme.px(shadow.REACH)
        edge = reach + theme.px(4) + 1
        layout = self.layout()
        if layout is not None:
            layout.setContentsMargins(edge, theme.px(4) + 1, edge, edge)
        rows = self.view.sizeHintForRow(0) * len(offers)
        width = min(max(anchor.width(), theme.px(560)), window.width() - 2 * theme.px(8))
        spot = anchor.mapTo(window, QPoint(0, anchor.height() + theme.px(4)))
        height = min(rows + theme.px(8) + 2, window.height() - spot.y() - theme.px(8))
        self.setGeometry(spot.x() - reach, spot.y(), width + 2 * reach, height + reach)
        self._drop_tile()
        self.show()
        self.raise_()
        first = next((at for at, offer in enumerate(offers) if offer.id), -1)
        self.view.setCurrentIndex(self._model.index(first) if first >= 0 else QModelIndex())

    def move_by(self, step: int) -> bool:
        """Up or down; whether there was such a line."""
        at = self.view.currentIndex().row() + step
        if not self.isVisible() or not 0 <= at < len(self._model.rows) or not self._model.rows[at].id:
            return False
        self.view.setCurrentIndex(self._model.index(at))
        return True

    def take(self) -> bool:
        """Pick the current one; whether there is one."""
        return self.isVisible() and self._take(self.view.currentIndex().row())

    def current_id(self) -> str:
        """What Enter would take; "" for nothing."""
        row = self.view.currentIndex().row()
        return self._model.rows[row].id if self.isVisible() and 0 <= row < len(self._model.rows) else ""

    def offers(self) -> tuple[Offer, ...]:
        return self._model.rows

    def _take(self, row: int) -> bool:
        if not 0 <= row < len(self._model.rows) or not self._model.rows[row].id:
            return False
        self.hide()
        self.picked.emit(self._model.rows[row].id)
        return True

    def _drop_tile(self) -> None:
        self._tile = QPixmap()
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter, theme, reach = QPainter(self), self._theme, self._reach
        if self._tile.isNull():
            self._tile = shadow.draw_tile(theme, self.devicePixelRatioF(), 8)
        card = self.rect().adjusted(reach, 0, -reach, -reach)
        shadow.paint_shadow(painter, self._tile, card.adjusted(-reach, -reach, reach, reach))
        paint.box(painter, card, theme.px(8), fill=theme.color("popup"), outline=theme.color("control"))
