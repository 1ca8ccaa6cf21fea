"""A message at the top of the panel that it concerns: what, why, one action, close."""

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QSizePolicy, QWidget

from comfydesk.errors import KnownError
from comfydesk.qt.theme import ColorName, Theme, Tone
from comfydesk.qt.theme.language import said, tr, why_and_advice
from comfydesk.qt.widgets import paint
from comfydesk.qt.widgets.buttons import Button, IconButton, Kind, Size
from comfydesk.qt.widgets.labels import Label

HEIGHT = 36
LEAST = 120
"""Width below which even a wrapped text is no use."""
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
    """Hidden until `tell`; `acted` when its action was pressed.

    One line where there is room; else the headline above, the text and the action below it, each over the full width.
    """

    source = ""
    """Whose message it is."""
    acted = Signal()
    closed = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._tone: Tone = "info"
        self._what = Label(theme, font="label")
        self._why = Label(theme, wrap=True)
        self.action = ToneButton(theme, "", "info")
        self.close_button = IconButton(theme, "close", tr("Close message"), size=Size.COMPACT)
        self._words = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        for part, stretch in ((self._what, 0), (self._why, 1), (self.action, 0)):
            self._words.addWidget(part, stretch)
        self._row = QHBoxLayout(self)
        self._row.addLayout(self._words, 1)
        self._row.addWidget(self.close_button, 0, Qt.AlignmentFlag.AlignTop)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        self.action.clicked.connect(self.acted)
        self.close_button.clicked.connect(self._close)
        theme.changed.connect(self._measure)
        self._measure()
        self.hide()

    def tell(
        self,
        what: str,
        why: str = "",
        *,
        tone: Tone = "info",
        action: str = "",
        closable: bool = True,
        source: str = "",
    ) -> None:
        """Show a message in place of whatever was there. `source`: whose it is, for `clear`."""
        self.source = source
        self._tone = tone
        self._what.setText(f"{what.rstrip('.')}.")
        self._why.setText(why)
        self.action.setText(action)
        self.action.set_tone(tone)
        self.action.setVisible(bool(action))
        self.close_button.setVisible(closable)
        self.setAccessibleName(f"{what.rstrip('.')}. {why}".strip())
        self._arrange()
        self.show()
        self.update()

    def tell_error(self, error: KnownError, *, action: str = "") -> None:
        """What, why and advice of a known error."""
        self.tell(said(error.what), why_and_advice(error), tone="danger", action=action)

    def text(self) -> str:
        return self.accessibleName()

    def clear(self, source: str | None = None) -> None:
        """Take the message away; with a `source` only its own: what another one has to say stays."""
        if source is None or source == self.source:
            self.hide()

    def sizeHint(self) -> QSize:
        width = min(self._frame + self._line_width, self._theme.px(320))
        return QSize(width, self.heightForWidth(width))

    def minimumSizeHint(self) -> QSize:
        return QSize(self._frame + self._theme.px(LEAST), self._theme.height(HEIGHT))

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        least, room = self._theme.height(HEIGHT), width - self._frame
        if room >= self._line_width:
            return least
        parts = [label.heightForWidth(room) for label in (self._what, self._why) if label.text()]
        if self._has_action:
            parts.append(self.action.sizeHint().height())
        return max(least, sum(parts) + self._theme.px(2) * (len(parts) - 1) + self._theme.px(16))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter, px = QPainter(self), self._theme.px
        paint.box(painter, self.rect(), px(6), fill=self._theme.tone(self._tone)[1])
        spot = self.rect().adjusted(px(12), 0, px(28) - self.width(), self._theme.height(HEIGHT) - self.height())
        paint.icon_in(painter, self._theme, spot, ICONS[self._tone], INKS[self._tone])

    def _close(self) -> None:
        self.hide()
        self.closed.emit()

    @property
    def _has_action(self) -> bool:
        return bool(self.action.text())

    @property
    def _frame(self) -> int:
        """What the icon, the close button and the margins take of the width."""
        px = self._theme.px
        return px(36) + px(8) + px(5) + self.close_button.sizeHint().width()

    @property
    def _line_width(self) -> int:
        """Room that all words need on one line."""
        what = self._theme.metrics("label").horizontalAdvance(self._what.text())
        why = self._theme.metrics("body").horizontalAdvance(self._why.text())
        action = self.action.sizeHint().width() if self._has_action else 0
        return what + why + action + 3 * self._theme.px(5) + 4

    def _arrange(self) -> None:
        one_line, px = self.width() - self._frame >= self._line_width, self._theme.px
        way = QBoxLayout.Direction.LeftToRight if one_line else QBoxLayout.Direction.TopToBottom
        self._what.setWordWrap(not one_line)
        self._words.setDirection(way)
        self._words.setSpacing(px(5 if one_line else 2))
        self._words.setAlignment(self.action, Qt.AlignmentFlag.AlignVCenter if one_line else Qt.AlignmentFlag.AlignLeft)
        self._why.setVisible(bool(self._why.text()) or one_line)
        edge = px(4 if one_line else 8)
        self._row.setContentsMargins(px(36), edge, px(8), edge)
        self.updateGeometry()

    def _measure(self) -> None:
        self._row.setSpacing(self._theme.px(5))
        self._arrange()
