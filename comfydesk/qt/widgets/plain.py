"""The plainest parts: margins that follow the scale, an icon beside words, a divider."""

from PySide6.QtCore import QObject, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QLayout, QSizePolicy, QWidget

from comfydesk.qt.theme import ColorName, Theme
from comfydesk.qt.widgets import paint


def pad(layout: QLayout, theme: Theme, left: int, top: int, right: int, bottom: int, *, gap: int | None = None) -> None:
    """Margins of a layout, and the gap between its parts, in the design's pixels, kept at the user's scale."""
    _Padding(layout, theme, (left, top, right, bottom), gap)


class _Padding(QObject):
    """Lives as long as the layout."""

    def __init__(self, layout: QLayout, theme: Theme, sides: tuple[int, int, int, int], gap: int | None) -> None:
        super().__init__(layout)
        self._layout, self._theme, self._sides, self._gap = layout, theme, sides, gap
        theme.changed.connect(self._set)
        self._set()

    def _set(self) -> None:
        self._layout.setContentsMargins(*(self._theme.px(side) if side else 0 for side in self._sides))
        if self._gap is not None:
            self._layout.setSpacing(self._theme.px(self._gap))


class Icon(QWidget):
    """An icon of the theme beside words that say the same."""

    def __init__(self, theme: Theme, name: str, color: ColorName = "text2", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._name, self._color = theme, name, color
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.updateGeometry)

    def set_icon(self, name: str, color: ColorName) -> None:
        """Another icon; "" for none."""
        self._name, self._color = name, color
        self.setVisible(bool(name))
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(16), self._theme.px(16))

    def paintEvent(self, _event: QPaintEvent) -> None:
        if self._name:
            paint.icon_in(QPainter(self), self._theme, self.rect(), self._name, self._color)


class Line(QWidget):
    """A divider of one pixel, between what is above and below, or (`upright`) at its sides."""

    def __init__(self, theme: Theme, parent: QWidget | None = None, *, upright: bool = False) -> None:
        super().__init__(parent)
        if upright:
            self.setFixedWidth(1)
        else:
            self.setFixedHeight(1)
        theme.surface(self, "border")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
