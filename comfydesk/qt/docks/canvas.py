"""The middle of the window: a picture on the canvas colour, as large as fits."""

from PySide6.QtCore import QRectF, QSize, QSizeF, Qt, Signal
from PySide6.QtGui import QFocusEvent, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets import paint

MARGIN = 12
ENLARGED = 2.0
"""A finished picture is shown at most this large: beyond, its pixels show. Previews fill the space, they are rough."""
SLACK = 2.0
"""Pixels by which a picture may miss its place without being scaled."""


class Canvas(QWidget):
    """Shows one picture. `activated` on a double click or Enter."""

    activated = Signal()
    room_changed = Signal(QSize)
    """How many pixels of the screen a picture may fill."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._image = QImage()
        self._rough = False
        self._shape = QSize()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(120, 80)
        self.setAccessibleName(tr("Preview"))
        theme.changed.connect(self.update)

    @property
    def image(self) -> QImage:
        return self._image

    def show_preview(self, image: QImage, shape: QSize) -> None:
        """A rough picture of something that will be `shape` pixels large (empty: not known)."""
        self._image, self._rough, self._shape = image, True, shape
        self.update()

    def show_picture(self, image: QImage, shape: QSize) -> None:
        """A finished picture, `shape` pixels large; it may have been read smaller."""
        self._image, self._rough, self._shape = image, False, shape
        self.update()

    def clear(self) -> None:
        self._image = QImage()
        self.update()

    def room(self) -> QSize:
        """How many pixels of the screen a picture may fill."""
        margin = 2 * self._theme.px(MARGIN)
        return (QSizeF(self.size() - QSize(margin, margin)) * self.devicePixelRatioF()).toSize()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.room_changed.emit(self.room())

    def picture_rect(self) -> QRectF:
        """Where the picture lies."""
        if self._image.isNull():
            return QRectF()
        margin = self._theme.px(MARGIN)
        room = QRectF(self.rect()).adjusted(margin, margin, -margin, -margin)
        shape = QSizeF(self._shape if self._shape.isValid() and not self._shape.isEmpty() else self._image.size())
        size = shape.scaled(room.size(), Qt.AspectRatioMode.KeepAspectRatio)
        largest = shape * (ENLARGED / self.devicePixelRatioF())
        if not self._rough and size.width() > largest.width():
            size = largest
        left = room.left() + (room.width() - size.width()) / 2
        top = room.top() + (room.height() - size.height()) / 2
        return QRectF(round(left), round(top), round(size.width()), round(size.height()))

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._theme.color("canvas"))
        if not self._image.isNull():
            self._paint_picture(painter)
        if self.hasFocus():
            paint.box(painter, self.rect(), 0, outline=self._theme.color("accent"), width=self._theme.px(2))

    def _paint_picture(self, painter: QPainter) -> None:
        rect, ratio = self.picture_rect(), self.devicePixelRatioF()
        wide = self._image.width() / ratio
        high = self._image.height() / ratio
        if abs(wide - rect.width()) <= SLACK and abs(high - rect.height()) <= SLACK:
            # Previews come in the size that they are shown in: scaling one by a pixel would take 10 ms of a frame.
            rect.setSize(QSizeF(wide, high))
        else:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(rect, self._image)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not event.modifiers() and not self._image.isNull():
            self.activated.emit()
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.update()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and not self._image.isNull():
            self.activated.emit()
