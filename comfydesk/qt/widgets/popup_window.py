"""Round corners for windows of their own: transparent where the screen composites, cut out where it may not."""

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QGuiApplication, QPainterPath, QRegion
from PySide6.QtWidgets import QWidget


def _may_be_opaque() -> bool:
    # Without a compositor an X server shows transparent pixels as black.
    return QGuiApplication.platformName() == "xcb"


def make_round(window: QWidget) -> None:
    """Prepare a popup; call before it is shown for the first time."""
    window.setAttribute(Qt.WidgetAttribute.WA_TranslucentBackground, not _may_be_opaque())


def cut_round(window: QWidget, radius: int) -> None:
    """Cut the corners at the window's present size; call whenever it was resized."""
    if _may_be_opaque():
        path = QPainterPath()
        path.addRoundedRect(QRectF(window.rect()), radius, radius)
        window.setMask(QRegion(path.toFillPolygon().toPolygon()))
