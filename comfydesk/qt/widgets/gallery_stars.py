"""One to five stars, set with the mouse or the keys 0 to 5."""

from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets import paint
from comfydesk.qt.widgets.focus_ring import ring_off, ring_on_focus

MOST = 5


class Stars(QWidget):
    """`rated` with what the user chose; the star that is on already takes the rating away."""

    rated = Signal(int)

    def __init__(self, theme: Theme, *, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._name = theme, name
        self._stars = 0
        self._hovered = 0
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.updateGeometry)
        self.show_rating(0)

    @property
    def stars(self) -> int:
        return self._stars

    def show_rating(self, stars: int) -> None:
        """0 to 5; emits nothing."""
        self._stars = stars
        self.setAccessibleName(f"{self._name}: {tr('{n} stars', n=stars)}")
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(24) * MOST, self._theme.px(24))

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter, side = QPainter(self), self._theme.px(24)
        shown = self._hovered or self._stars
        for at in range(MOST):
            area = QRect(at * side, 0, side, self.height())
            full = at < shown
            paint.icon_in(painter, self._theme, area, "star-filled" if full else "star", "warning" if full else "text2")

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._hover(self._at(event))

    def leaveEvent(self, _event: object) -> None:
        self._hover(0)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self.rect().contains(event.position().toPoint()):
            self._rate(self._at(event))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        if Qt.Key.Key_0 <= key <= Qt.Key.Key_5:
            self._rate(key - Qt.Key.Key_0, again=False)
        elif key in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            step = 1 if key == Qt.Key.Key_Right else -1
            self._rate(min(MOST, max(0, self._stars + step)), again=False)
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        ring_on_focus(self._theme, self, event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        ring_off(self)

    def _at(self, event: QMouseEvent) -> int:
        return min(MOST, max(1, int(event.position().x()) // self._theme.px(24) + 1))

    def _hover(self, stars: int) -> None:
        if stars != self._hovered:
            self._hovered = stars
            self.update()

    def _rate(self, stars: int, *, again: bool = True) -> None:
        wanted = 0 if again and stars == self._stars else stars
        if wanted != self._stars:
            self.show_rating(wanted)
            self.rated.emit(wanted)
