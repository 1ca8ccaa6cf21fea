"""The grid as a widget: its signals, and its events handed on to Hands."""

from PySide6.QtCore import QEvent, QPoint, Signal
from PySide6.QtGui import QContextMenuEvent, QFocusEvent, QHelpEvent, QKeyEvent, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QListView

from comfydesk.qt.widgets.gallery_hands import Hands


class Handled(QListView):
    """The grid's signals, and its events handed to `hands`. Outputs are ids, or an Output where one is enough."""

    opened = Signal(object)
    """Enter or a double click: an Output."""
    quick = Signal(object)
    """Space: an Output to look at for a moment."""
    picked = Signal()
    """Another selection, or another current row."""
    favoured = Signal(object, bool)
    """ids, on"""
    rated = Signal(object, int)
    """ids, stars"""
    removed = Signal(object)
    """ids to be deleted"""
    reused = Signal(object)
    """An Output whose settings are wanted."""
    menu_wanted = Signal(QPoint)
    """Global position; the selection is what it is about."""
    limited = Signal(int)
    """So many are selected, more than are dragged or copied at once."""
    searched = Signal(str)
    """Typed words that nothing at hand begins with."""

    hands: Hands

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.hands.press(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self.hands.move(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self.hands.release(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.hands.double(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if not self.hands.wheel(event):
            super().wheelEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not self.hands.key(event):
            event.ignore()

    def keyboardSearch(self, words: str) -> None:
        self.hands.type_ahead(words)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        self.hands.menu(event)

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.hands.leave()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.viewport().update()

    def viewportEvent(self, event: QEvent) -> bool:  # Qt's name
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            self.hands.tell(event)
            return True
        if event.type() == QEvent.Type.Leave:
            self.hands.leave()
        return super().viewportEvent(event)
