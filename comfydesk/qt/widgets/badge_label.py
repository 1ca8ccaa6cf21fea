"""A badge as a widget."""

from PySide6.QtCore import QSize
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from comfydesk.qt.theme import Theme
from comfydesk.qt.widgets import paint
from comfydesk.qt.widgets.badges import Badge


class BadgeLabel(QWidget):
    """Shows a Badge; nothing at all for None."""

    def __init__(self, theme: Theme, badge: Badge | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._badge: Badge | None = None
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.updateGeometry)
        self.set_badge(badge)

    def set_badge(self, badge: Badge | None) -> None:
        self._badge = badge
        self.setAccessibleName(badge.text if badge else "")
        self.updateGeometry()
        self.update()

    def badge(self) -> Badge | None:
        return self._badge

    def sizeHint(self) -> QSize:
        if self._badge is None:
            return QSize(0, 0)
        return QSize(*paint.badge_size(self._theme, self._badge.text, self._badge.icon))

    def paintEvent(self, _event: QPaintEvent) -> None:
        if self._badge is not None:
            middle = self.height() // 2
            badge = self._badge
            paint.badge(QPainter(self), self._theme, 0, middle, badge.text, badge.tone, badge.icon)
