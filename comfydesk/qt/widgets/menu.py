"""Menus with round corners; icons of the theme."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import QMenu, QWidget

from comfydesk.qt.models.tips import plain_tip
from comfydesk.qt.theme import Theme
from comfydesk.qt.widgets.popup_window import cut_round, make_round


class Menu(QMenu):
    """A QMenu on a transparent window, so that the style can round it. Open it with `popup`, never `exec`."""

    def __init__(self, theme: Theme, title: str = "", parent: QWidget | None = None) -> None:
        super().__init__(title, parent)
        self._theme = theme
        self.setWindowFlags(
            self.windowFlags() | Qt.WindowType.FramelessWindowHint | Qt.WindowType.NoDropShadowWindowHint
        )
        make_round(self)
        self.setToolTipsVisible(True)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        cut_round(self, self._theme.px(8))

    def add(self, words: str, icon: str = "", *, keys: str = "", reason: str = "", tip: str = "") -> QAction:
        """An action of this menu; with a `reason` it is there but disabled, and says why. `tip`: what it means."""
        action = self.addAction(words)
        if icon:
            self._theme.bind_icon(action, icon)
        if keys:
            action.setShortcut(keys)
        action.setToolTip(plain_tip(reason or tip or words))  # Qt would take the words for one, markup and all
        if reason:
            action.setEnabled(False)
        return action
