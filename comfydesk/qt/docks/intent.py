"""The bar at the top: say what you want, or pick the kind of thing."""

from dataclasses import dataclass

from PySide6.QtCore import QSize, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget

from comfydesk.qt.theme import Theme
from comfydesk.qt.widgets.buttons import Button, IconButton, Size
from comfydesk.qt.widgets.menu import Menu
from comfydesk.qt.widgets.plain import pad
from comfydesk.qt.widgets.search_field import SearchField

HEIGHT, FIELD_HEIGHT = 52, 36
FIELD_WIDTH = 456


@dataclass(frozen=True, slots=True)
class QuickAction:
    """A kind of task as a button. `types` are the cards' task types it stands for."""

    words: str
    icon: str
    types: frozenset[str]


QUICK_ACTIONS = (
    QuickAction("Image from text", "image", frozenset({"t2i"})),
    QuickAction("Image to video", "video", frozenset({"i2v"})),
    QuickAction("Video from text", "video", frozenset({"t2v"})),
    QuickAction("Edit image", "edit", frozenset({"i2i"})),
    QuickAction("Upscale", "upscale", frozenset({"upscale"})),
    QuickAction("Generate audio", "wave", frozenset({"audio"})),
)


class IntentBar(QWidget):
    """`searched` while words are typed, `entered` on Enter, `picked` with a QuickAction, `folded` when it goes away."""

    searched = Signal(str)
    entered = Signal(str)
    picked = Signal(object)
    folded = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.field = SearchField(theme, "What do you want to make?", keys="Ctrl+Space", height=FIELD_HEIGHT)
        self.buttons = tuple(Button(theme, action.words, icon=action.icon) for action in QUICK_ACTIONS)
        self._more = Button(theme, "More", icon="more")
        self._menu = Menu(theme, parent=self)
        self._more.clicked.connect(self._open_more)
        fold = IconButton(theme, "chevron-up", "Fold the intent bar away", size=Size.COMPACT)
        fold.clicked.connect(self.folded)
        self._row = QHBoxLayout(self)
        pad(self._row, theme, 12, 8, 12, 8)
        self._row.addWidget(self.field)
        for action, button in zip(QUICK_ACTIONS, self.buttons, strict=True):
            button.clicked.connect(lambda _=False, action=action: self.picked.emit(action))
            self._row.addWidget(button)
        self._row.addWidget(self._more)
        self._row.addStretch(1)
        self._row.addWidget(fold)
        self.field.searched.connect(self.searched)
        self.field.entered.connect(lambda: self.entered.emit(self.field.text()))
        theme.surface(self, "window")
        theme.changed.connect(self._measure)
        self._measure()

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(900), self._theme.height(HEIGHT))

    def minimumSizeHint(self) -> QSize:
        return QSize(self._theme.px(400), self._theme.height(HEIGHT))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _measure(self) -> None:
        self._row.setSpacing(self._theme.px(8))
        self.field.setMinimumWidth(self._theme.px(200))
        self._fit()

    def _fit(self) -> None:
        """Buttons that do not fit are in the More menu; the field takes a third, but not more than it can use."""
        px = self._theme.px
        self.field.setFixedWidth(max(px(200), min(px(FIELD_WIDTH), self.width() // 3)))
        room = self.width() - self.field.width() - px(12 * 2 + 24 + 8 * 3)
        widths = [button.sizeHint().width() + px(8) for button in self.buttons]
        all_fit = sum(widths) <= room
        left = room if all_fit else room - self._more.sizeHint().width() - px(8)
        for button, width in zip(self.buttons, widths, strict=True):
            left -= width
            button.setVisible(left >= 0)
        self._more.setVisible(not all_fit)

    def _open_more(self) -> None:
        self._menu.clear()
        for action, button in zip(QUICK_ACTIONS, self.buttons, strict=True):
            if not button.isVisibleTo(self):
                self._menu.addAction(
                    self._theme.icon(action.icon), action.words, lambda action=action: self.picked.emit(action)
                )
        self._menu.popup(self._more.mapToGlobal(self._more.rect().bottomLeft()))
