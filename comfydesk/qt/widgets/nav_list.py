"""A short list of places to go to, one of them current: the pages of the settings."""

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QSize, QStringListModel, Qt, Signal
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QFrame, QListView, QSizePolicy, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from comfydesk.qt.theme import ColorName, FontName, Theme
from comfydesk.qt.widgets import paint

_Index = QModelIndex | QPersistentModelIndex
ROW = 32


class _Delegate(QStyledItemDelegate):
    def __init__(self, theme: Theme, view: QListView) -> None:
        super().__init__(view)
        self._theme, self._view = theme, view

    def sizeHint(self, _option: QStyleOptionViewItem, _index: _Index) -> QSize:
        return QSize(self._theme.px(80), self._theme.height(ROW))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        theme, rect = self._theme, option.rect.adjusted(0, 0, 0, -self._theme.px(2))
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        if selected or option.state & QStyle.StateFlag.State_MouseOver:
            focused = selected and self._view.hasFocus()
            outline = theme.color("accent") if focused else None
            fill: ColorName = "selection" if selected else "hover"
            width = theme.px(2) if focused else 1
            paint.box(painter, rect, theme.px(6), fill=theme.color(fill), outline=outline, width=width)
        area = rect.adjusted(theme.px(10), 0, -theme.px(10), 0)
        name: FontName = "label" if selected else "body"
        paint.text(painter, area, str(index.data()), theme.font(name), theme.color("text"), metrics=theme.metrics(name))


class NavList(QListView):
    """`gone` with the row that the user chose, by a click or the arrow keys."""

    gone = Signal(int)

    def __init__(self, theme: Theme, name: str, words: tuple[str, ...]) -> None:
        super().__init__()
        self._theme, self._words = theme, words
        self.setAccessibleName(name)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.setMouseTracking(True)
        self.viewport().setAutoFillBackground(False)
        self._entries = QStringListModel(list(words), self)
        self.setModel(self._entries)
        self.setItemDelegate(_Delegate(theme, self))
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)
        self.selectionModel().currentChanged.connect(lambda index: self.gone.emit(index.row()))
        theme.changed.connect(self._measure)
        self._measure()

    def go(self, row: int) -> None:
        """Make `row` the current one, or none with -1; emits nothing."""
        blocked = self.selectionModel().blockSignals(True)
        self.setCurrentIndex(self._entries.index(row))
        self.clearSelection()
        if row >= 0:
            self.selectionModel().select(self._entries.index(row), self.selectionModel().SelectionFlag.ClearAndSelect)
        self.selectionModel().blockSignals(blocked)
        self.viewport().update()

    def _measure(self) -> None:
        metrics = self._theme.metrics("label")
        widest = max(metrics.horizontalAdvance(word) for word in self._words)
        self.setFixedWidth(max(self._theme.px(148), widest + self._theme.px(28)))
        self.scheduleDelayedItemsLayout()
