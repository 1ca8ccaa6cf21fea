"""What floats over the window: popups with round corners, and the rows of the lists in them.

Corners are transparent where the screen composites, cut out where it may not.
"""

from collections.abc import Sequence
from typing import Generic, TypeVar

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, QPoint, QRect, QRectF, Qt
from PySide6.QtGui import QGuiApplication, QPainter, QPainterPath, QPaintEvent, QPalette, QRegion
from PySide6.QtWidgets import QFrame, QWidget

from comfydesk.qt.theme import Theme
from comfydesk.qt.widgets import paint

T = TypeVar("T")
RADIUS = 8
_Index = QModelIndex | QPersistentModelIndex


class Rows(QAbstractListModel, Generic[T]):
    """Values as the rows of a list; subclasses say in `data` what each shows."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.rows: tuple[T, ...] = ()

    def fill(self, rows: Sequence[T]) -> None:
        """These in place of the others."""
        self.beginResetModel()
        self.rows = tuple(rows)
        self.endResetModel()

    def row(self, index: _Index) -> T | None:
        """What stands there."""
        return self.rows[index.row()] if index.isValid() and index.row() < len(self.rows) else None

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008  # Qt's own default
        return 0 if parent.isValid() else len(self.rows)


class PopupFrame(QFrame):
    """A window of its own, on the popup's colours, gone with the first click beside it."""

    def __init__(
        self,
        theme: Theme,
        name: str,
        parent: QWidget | None = None,
        *,
        radius: int = RADIUS,
        kind: Qt.WindowType = Qt.WindowType.Popup,
    ) -> None:
        super().__init__(parent, kind | Qt.WindowType.FramelessWindowHint)
        self._theme, self._radius = theme, radius
        self.setAccessibleName(name)
        make_round(self)

    def dress(self, *views: QWidget) -> None:
        """Let these stand on the popup's colour, fields in them too: before each opening, for themes change."""
        palette = self._theme.palette("popup")
        palette.setColor(QPalette.ColorRole.Base, self._theme.color("popup"))
        for view in views:
            view.setPalette(palette)

    def place_at(self, anchor: QWidget, width: int, height: int) -> None:
        """Below `anchor`, above it where there is no room; never beyond the screen."""
        gap, screen = self._theme.px(4), anchor.screen().availableGeometry()
        below = anchor.mapToGlobal(QPoint(0, anchor.height() + gap))
        width, height = min(width, screen.width()), min(height, screen.height())
        x = max(screen.left(), min(below.x(), screen.right() + 1 - width))
        y = below.y()
        if y + height > screen.bottom():
            y = max(screen.top(), y - anchor.height() - 2 * gap - height)
        self.setGeometry(QRect(x, y, width, height))
        self.cut_round()

    def cut_round(self) -> None:
        """Cut the corners at the present size; whenever it was resized."""
        cut_round(self, self._theme.px(self._radius))

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme = self._theme
        radius = theme.px(self._radius)
        paint.box(QPainter(self), self.rect(), radius, fill=theme.color("popup"), outline=theme.color("control"))


def make_round(window: QWidget) -> None:
    """Prepare a popup, a menu too; call before it is shown for the first time."""
    window.setAttribute(Qt.WidgetAttribute.WA_TranslucentBackground, not _may_be_opaque())


def cut_round(window: QWidget, radius: int) -> None:
    """Cut the corners at the window's present size; call whenever it was resized."""
    if _may_be_opaque():
        path = QPainterPath()
        path.addRoundedRect(QRectF(window.rect()), radius, radius)
        window.setMask(QRegion(path.toFillPolygon().toPolygon()))


def _may_be_opaque() -> bool:
    # Without a compositor an X server shows transparent pixels as black.
    return QGuiApplication.platformName() == "xcb"
