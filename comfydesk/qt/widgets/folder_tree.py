"""Where workflows lie, as a tree: places, and the folders in them, each with how many it holds."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import (
    QFrame,
    QSizePolicy,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeView,
    QWidget,
)

from comfydesk.qt.theme import ColorName, Theme
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets import paint

ROW, MOST_ROWS = 28, 8
_SPOT, _COUNT = Qt.ItemDataRole.UserRole, Qt.ItemDataRole.UserRole + 1
Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True, slots=True)
class Spot:
    """A place, and a folder in it with slashes; both empty: everywhere."""

    place: str = ""
    folder: str = ""


def counted_spots(found: Iterable[tuple[str, str]]) -> dict[Spot, int]:
    """How many lie in each place and folder, of (place, path of the file); parents count what is below them."""
    counts: dict[Spot, int] = {}
    for place, path in found:
        parts = path.split("/")[:-1]
        for depth in range(len(parts) + 1):
            spot = Spot(place, "/".join(parts[:depth]))
            counts[spot] = counts.get(spot, 0) + 1
    return counts


class _Delegate(QStyledItemDelegate):
    def __init__(self, theme: Theme, view: QTreeView) -> None:
        super().__init__(view)
        self._theme, self._view = theme, view

    def sizeHint(self, _option: QStyleOptionViewItem, _index: Index) -> QSize:
        return QSize(self._theme.px(80), self._theme.height(ROW, "small"))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        theme, rect = self._theme, QRect(option.rect)
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        if selected or option.state & QStyle.StateFlag.State_MouseOver:
            fill: ColorName = "selection" if selected else "hover"
            ring = theme.color("accent") if selected and self._view.hasFocus() else None
            paint.box(
                painter, rect, theme.px(4), fill=theme.color(fill), outline=ring, width=theme.px(2) if ring else 1
            )
        metrics, area = theme.metrics("small"), rect.adjusted(theme.px(6), 0, -theme.px(8), 0)
        count = f"{index.data(_COUNT):,}"
        width = metrics.horizontalAdvance(count) + 1
        spot = QRect(area.right() + 1 - width, area.top(), width, area.height())
        paint.text(painter, spot, count, theme.font("small"), theme.color("text2"), metrics=metrics)
        area.setRight(spot.left() - theme.px(8))
        paint.text(painter, area, str(index.data()), theme.font("small"), theme.color("text"), metrics=metrics)


class FolderTree(QTreeView):
    """`gone` with the Spot that the user chose, by a click or the arrow keys."""

    gone = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._items: dict[Spot, QStandardItem] = {}
        self._entries = QStandardItemModel(self)
        self.setModel(self._entries)
        self.setItemDelegate(_Delegate(theme, self))
        self.setAccessibleName(tr("Folders"))
        self.setHeaderHidden(True)
        self.setUniformRowHeights(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setMouseTracking(True)
        self.setEditTriggers(QTreeView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.viewport().setAutoFillBackground(False)
        self.selectionModel().currentChanged.connect(self._on_current)
        self.expanded.connect(self._measure)
        self.collapsed.connect(self._measure)
        theme.changed.connect(self._measure)

    def show_spots(self, counts: Mapping[Spot, int], places: Mapping[str, str], chosen: Spot) -> None:
        """`places`: name and words of each, in order. What was unfolded stays so; `chosen` is current."""
        open_ = {spot for spot, item in self._items.items() if self.isExpanded(item.index())}
        chain = self.selectionModel()
        chain.blockSignals(True)
        self._entries.clear()
        self._items = {}
        everywhere = sum(count for spot, count in counts.items() if not spot.folder)
        self._entries.appendRow(self._item(tr("All places"), Spot(), everywhere))
        for place, words in places.items():
            if Spot(place) in counts:
                self._entries.appendRow(self._item(words, Spot(place), counts[Spot(place)]))
        for spot in sorted((spot for spot in counts if spot.folder), key=lambda each: each.folder.casefold()):
            above, _, name = spot.folder.rpartition("/")
            parent = self._items.get(Spot(spot.place, above))
            if parent is not None:
                parent.appendRow(self._item(name, spot, counts[spot]))
        for spot in open_ | _above(chosen):
            if spot in self._items:
                self.setExpanded(self._items[spot].index(), True)
        current = self._items.get(chosen) or self._items[Spot()]
        self.setCurrentIndex(current.index())
        chain.blockSignals(False)
        self._measure()

    def spots(self) -> tuple[Spot, ...]:
        """All that are listed."""
        return tuple(self._items)

    def choose(self, spot: Spot) -> None:
        """As a click on it."""
        self.setCurrentIndex(self._items[spot].index())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            index = self.currentIndex()
            self.setExpanded(index, not self.isExpanded(index))
        else:
            super().keyPressEvent(event)

    def drawBranches(self, painter: QPainter, rect: QRect, index: Index) -> None:  # noqa: N802  # Qt's name
        if self._entries.hasChildren(index):
            side = self.indentation()
            spot = QRect(rect.right() + 1 - side, rect.top(), side, rect.height())
            name = "chevron-down" if self.isExpanded(index) else "chevron-right"
            paint.icon_in(painter, self._theme, spot, name, "text2", 12)

    def _item(self, words: str, spot: Spot, count: int) -> QStandardItem:
        item = QStandardItem(words)
        item.setData(spot, _SPOT)
        item.setData(count, _COUNT)
        item.setAccessibleText(f"{words}, {count:,}")
        self._items[spot] = item
        return item

    def _on_current(self, index: Index) -> None:
        spot = index.data(_SPOT)
        if isinstance(spot, Spot):
            self.gone.emit(spot)

    def _measure(self) -> None:
        theme, shown = self._theme, 0
        index = self._entries.index(0, 0)
        while index.isValid() and shown < MOST_ROWS:
            shown += 1
            index = self.indexBelow(index)
        self.setIndentation(theme.px(16))
        self.setFixedHeight(max(1, shown) * theme.height(ROW, "small") + 2)
        self.scheduleDelayedItemsLayout()


def _above(spot: Spot) -> set[Spot]:
    """Those that have to be unfolded for it to be seen."""
    parts = spot.folder.split("/") if spot.folder else []
    return {Spot(spot.place, "/".join(parts[:depth])) for depth in range(len(parts))}
