"""A list that opens below a field, with a search line when it is long. It never blocks and never runs a loop."""

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import (
    QAbstractListModel,
    QEvent,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QRect,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QHideEvent, QKeyEvent, QMouseEvent, QPainter, QPixmap
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from comfydesk.qt.models.tips import plain_tip
from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets import paint
from comfydesk.qt.widgets.field_frame import FieldFrame, LineEdit
from comfydesk.qt.widgets.labels import Label
from comfydesk.qt.widgets.popup_window import PopupFrame
from comfydesk.qt.widgets.thumbnail import Covers

SEARCH_FROM = 12
"""Lists this long can be searched."""
_ROWS = 10
_Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the list: what it says, a quieter remark, and whether it can be taken."""

    text: str
    detail: str = ""
    icon: str = ""
    starred: bool | None = None
    """A favourite or not; None: there are no favourites here."""


class _Entries(QAbstractListModel):
    """The entries that match; filtering is a pass over lower-cased words (10,000 in a few milliseconds)."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._all: tuple[Entry, ...] = ()
        self._folded: list[str] = []
        self._shown: list[int] = []

    def fill(self, entries: tuple[Entry, ...]) -> None:
        self._all = entries
        self._folded = [f"{entry.text} {entry.detail}".casefold() for entry in entries]
        self.search("")

    def search(self, words: str) -> None:
        """Keep the entries that contain every word."""
        parts = words.casefold().split()
        self.beginResetModel()
        self._shown = [at for at, text in enumerate(self._folded) if all(part in text for part in parts)]
        self.endResetModel()

    def source_row(self, row: int) -> int:
        return self._shown[row]

    def row_of(self, source: int) -> int:
        """The row of entry `source`, or -1 when the search hides it."""
        return self._shown.index(source) if source in self._shown else -1

    def entry(self, index: _Index) -> Entry:
        return self._all[self._shown[index.row()]]

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008  # Qt's own default
        return 0 if parent.isValid() else len(self._shown)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid():
            return None
        entry = self.entry(index)
        if role == Qt.ItemDataRole.DisplayRole:
            return entry.text
        if role == Qt.ItemDataRole.AccessibleDescriptionRole:
            return entry.detail
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tip(f"{entry.text}\n{entry.detail}" if entry.detail else entry.text)
        return None


class _EntryDelegate(QStyledItemDelegate):
    """Paints one entry; the current one (`chosen`) has a tick."""

    def __init__(self, theme: Theme, parent: QObject) -> None:
        super().__init__(parent)
        self._theme = theme
        self.chosen = -1
        self._covers = Covers(theme)
        self.pictures: Callable[[int], QPixmap | None] | None = None
        """Of an entry by its position; with it every line has room for one."""

    def star_spot(self, rect: QRect) -> QRect:
        """Where a line's star is."""
        side = self._theme.px(16)
        return QRect(rect.right() + 1 - side - self._theme.px(6), rect.top(), side, rect.height())

    def sizeHint(self, _option: QStyleOptionViewItem, _index: _Index) -> QSize:
        return QSize(self._theme.px(80), self._theme.height(28))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        theme, model = self._theme, index.model()
        if not isinstance(model, _Entries):
            return
        entry, rect = model.entry(index), QRect(option.rect)
        state = option.state
        painter.save()
        if state & QStyle.StateFlag.State_Selected:
            paint.box(painter, rect, theme.px(4), fill=theme.color("selection"))
        elif state & QStyle.StateFlag.State_MouseOver:
            paint.box(painter, rect, theme.px(4), fill=theme.color("hover"))
        area = rect.adjusted(theme.px(8), 0, -theme.px(8), 0)
        if self.pictures is not None:
            side = min(theme.px(24), rect.height() - 2)
            spot = QRect(rect.left() + theme.px(4), rect.top() + (rect.height() - side) // 2, side, side)
            self._covers.paint(painter, spot, self.pictures(model.source_row(index.row())), icon=entry.icon)
            area.setLeft(spot.right() + 1 + theme.px(8))
        if entry.starred is not None:
            spot = self.star_spot(rect)
            paint.icon_in(painter, theme, spot, "star-filled" if entry.starred else "star",
                          "warning" if entry.starred else "disabled")  # fmt: skip
            area.setRight(spot.left() - theme.px(6))
        if model.source_row(index.row()) == self.chosen:
            spot = QRect(area.right() - theme.px(15), area.top(), theme.px(16), area.height())
            paint.icon_in(painter, theme, spot, "check-small", "accent")
            area.setRight(spot.left() - theme.px(8))
        if entry.detail:
            metrics = theme.metrics("caption")
            width = min(metrics.horizontalAdvance(entry.detail) + 1, area.width() // 2)
            spot = QRect(area.right() + 1 - width, area.top(), width, area.height())
            paint.text(painter, spot, entry.detail, theme.font("caption"), theme.color("text2"), metrics=metrics)
            area.setRight(spot.left() - theme.px(8))
        elide = Qt.TextElideMode.ElideMiddle
        metrics = theme.metrics("body")
        paint.text(painter, area, entry.text, theme.font("body"), theme.color("text"), elide=elide, metrics=metrics)
        painter.restore()


class PopupList(PopupFrame):
    """Opens with `open_at`; emits `picked` with the position of the entry in what it was filled with."""

    picked = Signal(int)
    starred = Signal(int)
    """A favourite from now on, or none any more: a click on its star, or Ctrl+D."""
    closed = Signal()

    def __init__(self, theme: Theme, name: str, parent: QWidget | None = None) -> None:
        super().__init__(theme, name, parent)
        self.search = FieldFrame(theme)
        self.line = LineEdit(theme, placeholder=tr("Search"))
        self.line.setAccessibleName(tr("Search {name}", name=name))
        self.search.hold(self.line)
        self._model = _Entries(self)
        self._delegate = _EntryDelegate(theme, self)
        self.view = QListView(self)
        self.view.setAccessibleName(name)
        self.view.setUniformItemSizes(True)
        self.view.setMouseTracking(True)
        self.view.setItemDelegate(self._delegate)
        self.view.setModel(self._model)
        self.view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.view.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.empty = Label(theme, tr("Nothing matches."), font="small", color="text2")
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        column = QVBoxLayout(self)
        column.addWidget(self.search)
        column.addWidget(self.empty)
        column.addWidget(self.view, 1)
        self.line.textChanged.connect(self._search)
        self.line.installEventFilter(self)
        self.view.installEventFilter(self)
        self.view.viewport().installEventFilter(self)
        self.view.clicked.connect(self._take)
        self.view.activated.connect(self._take)

    def open_at(self, anchor: QWidget, entries: tuple[Entry, ...], current: int) -> None:
        """Show `entries` below `anchor` (above it where there is no room), `current` in view."""
        theme = self._theme
        self._model.fill(entries)
        self._delegate.chosen = current
        searchable = len(entries) >= SEARCH_FROM
        self.search.setVisible(searchable)
        self.line.clear()
        self.empty.setVisible(not entries)
        self.dress(self.view)
        edge = theme.px(4) + 1
        layout = self.layout()
        if layout is not None:
            layout.setContentsMargins(edge, edge, edge, edge)
            layout.setSpacing(theme.px(4))
        rows = min(max(1, len(entries)), _ROWS)
        height = rows * theme.height(28) + 2 * edge
        height += self.search.least_height() + theme.px(4) if searchable else 0
        width = max(anchor.width(), theme.px(320 if searchable else 120))
        self.place_at(anchor, width, height)
        self.show()
        self._select(current)
        (self.line if searchable else self.view).setFocus(Qt.FocusReason.PopupFocusReason)

    def show_pictures(self, pictures: Callable[[int], QPixmap | None]) -> None:
        """A picture before each line, of the entry at that position; None shows its icon."""
        self._delegate.pictures = pictures

    def refill(self, entries: tuple[Entry, ...]) -> None:
        """The same entries, other facts: search, choice and place stay."""
        row, bar = self.view.currentIndex().row(), self.view.verticalScrollBar().value()
        self._model.fill(entries)
        self._model.search(self.line.text())
        self.view.setCurrentIndex(self._model.index(row))
        self.view.verticalScrollBar().setValue(bar)

    def _star(self, index: QModelIndex) -> None:
        if index.isValid() and self._model.entry(index).starred is not None:
            self.starred.emit(self._model.source_row(index.row()))

    def _search(self, words: str) -> None:
        self._model.search(words)
        self.empty.setVisible(self._model.rowCount() == 0)
        self._select(self._delegate.chosen)

    def _select(self, source: int) -> None:
        row = max(0, self._model.row_of(source)) if self._model.rowCount() else -1
        if row >= 0:
            self.view.setCurrentIndex(self._model.index(row))
            self.view.scrollTo(self._model.index(row), QAbstractItemView.ScrollHint.PositionAtCenter)

    def _take(self, index: QModelIndex) -> None:
        if index.isValid() and self.isVisible():
            source = self._model.source_row(index.row())
            self.hide()
            self.picked.emit(source)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QMouseEvent) and watched is self.view.viewport():
            index = self.view.indexAt(event.position().toPoint())
            spot = self._delegate.star_spot(self.view.visualRect(index)) if index.isValid() else QRect()
            if spot.contains(event.position().toPoint()) and self._model.entry(index).starred is not None:
                if event.type() == QEvent.Type.MouseButtonRelease:
                    self._star(index)
                return event.type() != QEvent.Type.MouseMove
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress and _is_star_key(event):
            self._star(self.view.currentIndex())
            return True
        if watched is self.line and isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            if event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown):
                self.view.keyPressEvent(event)
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._take(self.view.currentIndex())
                return True
        return super().eventFilter(watched, event)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.closed.emit()


def _is_star_key(event: QKeyEvent) -> bool:
    return event.key() == Qt.Key.Key_D and event.modifiers() == Qt.KeyboardModifier.ControlModifier
