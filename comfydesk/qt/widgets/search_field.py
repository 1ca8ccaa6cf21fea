"""Search: a glass, the words, a key hint that gives way to a clear button."""

from PySide6.QtCore import QRect, QSignalBlocker, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets import paint
from comfydesk.qt.widgets.buttons import IconButton, Size
from comfydesk.qt.widgets.field_frame import FieldFrame, LineEdit
from comfydesk.qt.widgets.key_hint import KeyHint

PAUSE_MS = 40
"""Typing settles this long before a search starts."""
_HINT_FROM = 210
"""In a narrower field the words need the room."""


class _Glass(QWidget):
    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(16), self._theme.px(16))

    def paintEvent(self, _event: QPaintEvent) -> None:
        area: QRect = self.rect()
        paint.icon_in(QPainter(self), self._theme, area, "search", "text2")


class _SearchEdit(LineEdit):
    left_down = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self.text():
            self.clear()
        elif event.key() == Qt.Key.Key_Down:
            self.left_down.emit()
        else:
            super().keyPressEvent(event)


class SearchField(FieldFrame):
    """`searched` with the words, shortly after the last key; at once when cleared. Escape clears."""

    searched = Signal(str)
    entered = Signal()
    """Enter: take the first hit."""
    left_down = Signal()
    """Down: into the list."""

    def __init__(
        self,
        theme: Theme,
        placeholder: str,
        *,
        keys: str = "",
        height: int = 28,
        pause: int = PAUSE_MS,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(theme, height=height, parent=parent)
        self.row.addWidget(_Glass(theme))
        self.edit = _SearchEdit(theme, placeholder=placeholder)
        self.edit.setAccessibleName(placeholder)
        self.hold(self.edit)
        self._hint = KeyHint(theme, keys)
        self._keys = keys
        self._clear = IconButton(theme, "close", tr("Clear search"), size=Size.COMPACT)
        self._clear.hide()
        self.row.addWidget(self._hint)
        self._hint.setVisible(bool(keys))  # not before it has a parent: it would be a window for a moment
        self.row.addWidget(self._clear)
        self._pause = QTimer(self, singleShot=True, interval=pause)
        self._pause.timeout.connect(self._search)
        self.edit.textChanged.connect(self._typed)
        self.edit.returnPressed.connect(self._enter)
        self.edit.left_down.connect(self.left_down)
        self._clear.clicked.connect(self.clear)

    def text(self) -> str:
        return self.edit.text()

    def set_text(self, words: str) -> None:
        self.edit.setText(words)

    def clear(self) -> None:
        self.edit.clear()
        self.edit.setFocus(Qt.FocusReason.OtherFocusReason)

    def show_words(self, words: str) -> None:
        """Another search was made elsewhere: these are its words. Searches for nothing."""
        with QSignalBlocker(self.edit):
            self.edit.setText(words)
        self._pause.stop()
        self._mark(words)

    def settle(self) -> None:
        """What was typed last is searched for now, not in a moment."""
        if self._pause.isActive():
            self._pause.stop()
            self._search()

    def _mark(self, words: str) -> None:
        self._clear.setVisible(bool(words))
        self._hint.setVisible(bool(self._keys) and not words and self.width() >= self.theme.px(_HINT_FROM))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._mark(self.text())

    def _typed(self, words: str) -> None:
        self._mark(words)
        if words:
            self._pause.start()
        else:
            self._pause.stop()
            self.searched.emit("")

    def _search(self) -> None:
        self.searched.emit(self.edit.text())

    def _enter(self) -> None:
        self.settle()
        self.entered.emit()
