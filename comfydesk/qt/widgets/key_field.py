"""Keys that can be changed: press it, then press the new ones."""

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QWidget

from comfydesk.qt.models.keys import key_words
from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets.buttons import Button, Size

_MODIFIERS = frozenset(
    {Qt.Key.Key_Control, Qt.Key.Key_Shift, Qt.Key.Key_Alt, Qt.Key.Key_Meta, Qt.Key.Key_AltGr, Qt.Key.Key_CapsLock}
)


class KeyField(Button):
    """`recorded` with the keys as Qt writes them, "" when Backspace took them away. Esc leaves them as they were."""

    recorded = Signal(str)

    _recording = False  # Qt sends events while the button is made

    def __init__(self, theme: Theme, name: str, parent: QWidget | None = None) -> None:
        super().__init__(theme, size=Size.COMPACT, parent=parent)
        self._name, self._bound = name, ""
        self.clicked.connect(self._begin)
        self.set_keys("")

    @property
    def recording(self) -> bool:
        """It waits for keys."""
        return self._recording

    def set_keys(self, keys: str) -> None:
        """What is shown while nothing is recorded."""
        self._bound = keys
        self._end()

    def event(self, event: QEvent) -> bool:
        if self._recording and event.type() == QEvent.Type.ShortcutOverride:
            event.accept()  # or the key would do what it does now
            return True
        if self._recording and event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            self._take(event)
            return True
        return super().event(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._end()

    def _begin(self) -> None:
        self._recording = True
        self.setFocus(Qt.FocusReason.OtherFocusReason)
        self.setText(tr("Press keys"))
        self.setAccessibleName(tr("{name}: press the new keys, Backspace for none", name=self._name))

    def _end(self) -> None:
        self._recording = False
        shown = key_words(self._bound)
        self.setText(shown or tr("None"))
        self.setAccessibleName(tr("Keys of {name}: {keys}", name=self._name, keys=shown or tr("None")))

    def _take(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        if key in _MODIFIERS or key == Qt.Key.Key_unknown:
            return
        if key == Qt.Key.Key_Escape:
            self._end()
            return
        if key == Qt.Key.Key_Tab and not event.modifiers():
            self._end()
            self.focusNextChild()
            return
        keys = "" if key == Qt.Key.Key_Backspace and not event.modifiers() else QKeySequence(event.keyCombination())
        self._end()
        self.recorded.emit(keys if isinstance(keys, str) else keys.toString())
