"""What our dialogs share: a title, content on the popup colour, a row of buttons. Opened with `open`, never `exec`."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QDialog, QHBoxLayout, QVBoxLayout, QWidget

from comfydesk.qt.theme import Theme
from comfydesk.qt.widgets.buttons import Button, Kind
from comfydesk.qt.widgets.labels import Label

WIDTH = 480


class Sheet(QDialog):
    """Subclasses fill `body`; `add_button` from left to right, the accepting one last."""

    def __init__(self, theme: Theme, title: str, parent: QWidget, *, width: int = WIDTH) -> None:
        super().__init__(parent)
        self.theme = theme
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        theme.surface(self, "popup")
        px = theme.px
        self.setMinimumWidth(px(width))
        column = QVBoxLayout(self)
        column.setContentsMargins(px(20), px(16), px(20), px(16))
        column.setSpacing(px(12))
        column.addWidget(Label(theme, title, font="title"))
        self.body = QVBoxLayout()
        self.body.setSpacing(px(8))
        column.addLayout(self.body, 1)
        self._buttons = QHBoxLayout()
        self._buttons.setSpacing(px(8))
        self._buttons.addStretch(1)
        column.addLayout(self._buttons)

    def showEvent(self, event: QShowEvent) -> None:
        """As high as its words need at its width: Qt guesses, and cuts wrapped lines off."""
        super().showEvent(event)
        layout = self.layout()
        if layout is not None:
            width = max(self.width(), layout.totalMinimumSize().width())
            room = self.screen().availableSize()
            self.resize(
                min(width, room.width()), min(max(self.height(), layout.totalHeightForWidth(width)), room.height())
            )

    def add_button(self, words: str, *, primary: bool = False) -> Button:
        """Primary ones answer to Enter."""
        button = Button(self.theme, words, kind=Kind.PRIMARY if primary else Kind.SECONDARY)
        button.setAutoDefault(primary)
        button.setDefault(primary)
        self._buttons.addWidget(button)
        return button
