"""A message at the top of the panel that it concerns: what, why, one action, close."""

from PySide6.QtCore import QSize, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from comfydesk.errors import KnownError
from comfydesk.qt.theme import ColorName, Theme, Tone
from comfydesk.qt.widgets import paint
from comfydesk.qt.widgets.buttons import Button, IconButton, Kind, Size
from comfydesk.qt.widgets.labels import Label

HEIGHT = 36
ICONS: dict[Tone, str] = {
    "neutral": "info",
    "info": "info",
    "success": "check",
    "warning": "warning",
    "danger": "error",
}
INKS: dict[Tone, ColorName] = {
    "neutral": "text2",
    "info": "accent",
    "success": "success",
    "warning": "warning",
    "danger": "danger",
}


class ToneButton(Button):
    """A link in the colour of the message that it belongs to."""

    def __init__(self, theme: Theme, words: str, tone: Tone, parent: QWidget | None = None) -> None:
        super().__init__(theme, words, kind=Kind.LINK, parent=parent)
        self._tone = tone

    def set_tone(self, tone: Tone) -> None:
        self._tone = tone
        self.update()

    def ink(self) -> ColorName:
        return INKS[self._tone] if self.isEnabled() else "disabled"


class Banner(QWidget):
    """Hidden until `tell`; `acted` when its action was pressed."""

    acted = Signal()
    closed = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._tone: Tone = "info"
        self._what = Label(theme, font="label")
        self._why = Label(theme, wrap=True)
        self.action = ToneButton(theme, "", "info")
        self.close_button = IconButton(theme, "close", "Close message", size=Size.COMPACT)
        self._row = QHBoxLayout(self)
        for part, stretch in ((self._what, 0), (self._why, 1), (self.action, 0), (self.close_button, 0)):
            self._row.addWidget(part, stretch)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        self.action.clicked.connect(self.acted)
        self.close_button.clicked.connect(self._close)
        theme.changed.connect(self._measure)
        self._measure()
        self.hide()

    def tell(self, what: str, why: str = "", *, tone: Tone = "info", action: str = "", closable: bool = True) -> None:
        """Show a message in place of whatever was there."""
        self._tone = tone
        self._what.setText(f"{what.rstrip('.')}.")
        self._why.setText(why)
        self.action.setText(action)
        self.action.set_tone(tone)
        self.action.setVisible(bool(action))
        self.close_button.setVisible(closable)
        self.setAccessibleName(f"{what.rstrip('.')}. {why}".strip())
        self.show()
        self.update()

    def tell_error(self, error: KnownError, *, action: str = "") -> None:
        """What, why and advice of a known error."""
        why = " ".join(f"{part.rstrip('.')}." for part in (error.why, error.advice) if part)
        self.tell(error.what, why, tone="danger", action=action)

    def text(self) -> str:
        return self.accessibleName()

    def clear(self) -> None:
        """Take the message away."""
        self.hide()

    def sizeHint(self) -> QSize:
        wanted = super().sizeHint()
        return QSize(wanted.width(), max(wanted.height(), self._theme.height(HEIGHT)))

    def minimumSizeHint(self) -> QSize:
        least = super().minimumSizeHint()
        return QSize(least.width(), max(least.height(), self._theme.height(HEIGHT)))

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter, px = QPainter(self), self._theme.px
        paint.box(painter, self.rect(), px(6), fill=self._theme.tone(self._tone)[1])
        spot = self.rect().adjusted(px(12), 0, px(28) - self.width(), 0)
        paint.icon_in(painter, self._theme, spot, ICONS[self._tone], INKS[self._tone])

    def _close(self) -> None:
        self.hide()
        self.closed.emit()

    def _measure(self) -> None:
        px = self._theme.px
        self._row.setContentsMargins(px(36), px(4), px(8), px(4))
        self._row.setSpacing(px(5))
        self.updateGeometry()
