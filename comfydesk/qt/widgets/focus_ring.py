"""The ring around what the keyboard is on: two pixels of accent, two pixels of gap."""

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QFocusEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFocusFrame, QWidget

from comfydesk.qt.theme import Theme

_KEYBOARD = (
    Qt.FocusReason.TabFocusReason,
    Qt.FocusReason.BacktabFocusReason,
    Qt.FocusReason.ShortcutFocusReason,
)


def ring_on_focus(theme: Theme, widget: QWidget, event: QFocusEvent, radius: int = 6) -> None:
    """To be called from `focusInEvent`: shows the ring around `widget` if the keyboard brought the focus."""
    ring = widget.window().findChild(FocusRing)
    if event.reason() in _KEYBOARD:
        if not isinstance(ring, FocusRing):
            ring = FocusRing(theme, widget.window())
        ring.show_around(widget, radius)


def ring_off(widget: QWidget) -> None:
    """To be called from `focusOutEvent`."""
    ring = widget.window().findChild(FocusRing)
    if isinstance(ring, FocusRing) and ring.widget() is widget:
        ring.setWidget(None)  # type: ignore[arg-type]  # the stub forgets that None takes the ring away


class FocusRing(QFocusFrame):
    """One per window; QFocusFrame keeps it around the widget while that moves, scrolls or hides.

    How far it stands off is the style's focus frame margin.
    """

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self._radius = 6
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def show_around(self, widget: QWidget, radius: int) -> None:
        self._radius = radius
        self.setWidget(widget)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        width = self._theme.px(2)
        area = QRectF(self.rect()).adjusted(width / 2, width / 2, -width / 2, -width / 2)
        painter.setPen(QPen(self._theme.color("accent"), width))
        radius = self._theme.px(self._radius + 3)
        painter.drawRoundedRect(area, radius, radius)
