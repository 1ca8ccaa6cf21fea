"""What delegates share: actions drawn into a row, and which of them the pointer is on."""

from typing import TypeVar

from PySide6.QtCore import QAbstractItemModel, QEvent, QModelIndex, QObject, QPersistentModelIndex, QPoint, QRect, Qt
from PySide6.QtGui import QHelpEvent, QMouseEvent
from PySide6.QtWidgets import QAbstractItemView, QStyledItemDelegate, QStyleOptionViewItem, QToolTip

from comfydesk.qt.models.rows import ROW
from comfydesk.qt.models.tips import plain_tip
from comfydesk.qt.theme import Theme

Index = QModelIndex | QPersistentModelIndex
Spots = dict[str, QRect]
"""Action → where it is drawn in a row."""
R = TypeVar("R")


def row_of(index: Index, kind: type[R]) -> R | None:
    """The row behind `index`, if it is of that kind."""
    row = index.data(ROW)
    return row if isinstance(row, kind) else None


class ActionDelegate(QStyledItemDelegate):
    """Subclasses say where the actions of a row are (`spots`), what they are called, and take clicks in `act`.

    The view needs mouse tracking. The keyboard reaches the same actions through the view's context menu.
    """

    def __init__(self, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self._pointer = QPoint(-1, -1)
        self._pressed = ""

    def spots(self, _rect: QRect, _index: Index) -> Spots:
        raise NotImplementedError

    def name_of(self, _action: str, _index: Index) -> str:
        """The tool tip of an action."""
        raise NotImplementedError

    def act(self, _action: str, _index: Index) -> None:
        """The user clicked it."""
        raise NotImplementedError

    def is_over(self, rect: QRect) -> bool:
        """Whether the pointer is in `rect` (of the row that is under it)."""
        return rect.contains(self._pointer)

    def editorEvent(
        self, event: QEvent, _model: QAbstractItemModel, option: QStyleOptionViewItem, index: Index
    ) -> bool:
        if not isinstance(event, QMouseEvent):
            return False
        self._pointer = event.position().toPoint()
        action = next((name for name, spot in self.spots(option.rect, index).items() if self.is_over(spot)), "")
        if event.type() == QEvent.Type.MouseMove:
            _repaint(option, index)
        elif event.button() == Qt.MouseButton.LeftButton and action:
            if event.type() == QEvent.Type.MouseButtonRelease and action == self._pressed:
                self.act(action, index)
            self._pressed = action if event.type() == QEvent.Type.MouseButtonPress else ""
            return True
        return False

    def helpEvent(self, event: QHelpEvent, view: QAbstractItemView, option: QStyleOptionViewItem, index: Index) -> bool:
        if event.type() == QEvent.Type.ToolTip:
            for action, spot in self.spots(option.rect, index).items():
                if spot.contains(event.pos()):
                    QToolTip.showText(event.globalPos(), plain_tip(self.name_of(action, index)), view, spot)
                    return True
        return super().helpEvent(event, view, option, index)


def _repaint(option: QStyleOptionViewItem, index: Index) -> None:
    view = option.widget
    if isinstance(view, QAbstractItemView) and isinstance(index, QModelIndex):
        view.update(index)
