"""The cards of the browser, as a list or as a grid. It keeps its place while cards come and go."""

from PySide6.QtCore import QModelIndex, QPoint, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QListView, QWidget

from comfydesk.qt.models.rows import ROW
from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets.card_delegate import CardDelegate

TILE = 116
"""The least width of a tile; as many as fit share the row."""


class CardList(QListView):
    """`chosen` on a click or Enter; the arrow keys only move. `menu_wanted` with an index and where."""

    chosen = Signal(QModelIndex)
    menu_wanted = Signal(QModelIndex, QPoint)
    keyed = Signal(str, QModelIndex)
    """rename, delete or star: what F2, Delete and S ask for."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._grid = False
        self._top = ""
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.setAccessibleName(tr("Workflows"))
        self.viewport().setAutoFillBackground(False)
        self.clicked.connect(self.chosen)
        theme.changed.connect(self._fit)

    @property
    def grid(self) -> bool:
        return self._grid

    def set_grid(self, on: bool) -> None:
        """Tiles in place of rows."""
        self._grid = on
        self.setFlow(QListView.Flow.LeftToRight if on else QListView.Flow.TopToBottom)
        self.setWrapping(on)
        self.setResizeMode(QListView.ResizeMode.Adjust if on else QListView.ResizeMode.Fixed)
        self._fit()

    def hold_place(self) -> None:
        """Remember which card is on top: the list is about to be laid out anew, with the same cards in it."""
        row = self.indexAt(QPoint(self._theme.px(8), 1)).data(ROW) if self.verticalScrollBar().value() else None
        self._top = row.entry.id if row is not None else ""

    def take_place(self, index: QModelIndex) -> None:
        """That card is on top again."""
        if index.isValid():
            self.scrollTo(index, QListView.ScrollHint.PositionAtTop)

    @property
    def held(self) -> str:
        """Id of the workflow that was on top, "" if the list was at its beginning."""
        return self._top

    def keyPressEvent(self, event: QKeyEvent) -> None:
        at, key = self.currentIndex(), event.key()
        commands = {Qt.Key.Key_F2: "rename", Qt.Key.Key_Delete: "delete", Qt.Key.Key_Asterisk: "star"}
        if not at.isValid() or event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            super().keyPressEvent(event)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not event.modifiers():
            self.chosen.emit(at)
        elif Qt.Key(key) in commands:
            self.keyed.emit(commands[Qt.Key(key)], at)
        else:
            super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        by_key = event.reason() is QContextMenuEvent.Reason.Keyboard
        index = self.currentIndex() if by_key else self.indexAt(event.pos())
        if index.isValid():
            spot = self.visualRect(index).center() if by_key else event.pos()
            self.menu_wanted.emit(index, self.viewport().mapToGlobal(spot))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._fit()

    def _fit(self) -> None:
        delegate = self.itemDelegate()
        if not isinstance(delegate, CardDelegate):
            return
        # As with a scroll bar, whether there is one or not: a row that just fits without would not fit beside it, and
        # one column too many makes the bar that makes the column.
        width = self.maximumViewportSize().width() - self.verticalScrollBar().sizeHint().width()
        columns = max(1, width // self._theme.px(TILE))
        delegate.set_tile((width - 1) // columns if self._grid else 0)  # a full row would wrap
        self.scheduleDelayedItemsLayout()
