"""A picture that is zoomed about the pointer and dragged, of any size. Fitted until somebody zooms."""

import math

from PySide6.QtCore import QEasingCurve, QEvent, QPointF, QRect, QSize, Qt, QTimer, QVariantAnimation, Signal
from PySide6.QtGui import (
    QImage,
    QKeyEvent,
    QMouseEvent,
    QNativeGestureEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QGestureEvent, QPinchGesture, QWidget

from comfydesk.qt.models.tiles import TiledPicture
from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets.lens import Lens
from comfydesk.qt.widgets.tile_painter import Place, TilePainter

ZOOM_STEP = 1.25
GLIDE_MS = 120
REST_MS = 80
"""After the last change of zoom everything is drawn well."""
_KEY_PAN = 0.15
"""Of the view, with an arrow key and Shift."""


class PictureView(QWidget):
    """`show_picture` what Tiles opened. Zooms are device pixels per pixel of the picture: 1 is 1:1."""

    zoomed = Signal(float)
    moved = Signal(object)
    """The Lens, changed by hand: linked views follow it."""
    double_clicked = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self.lens = Lens()
        self.picture: TiledPicture | None = None
        self.painter = TilePainter(theme)
        self._frame = QImage()
        self._dragged: QPointF | None = None
        self._hurry = False
        self._anchor: tuple[float, float] | None = None
        self._rest = QTimer(self, singleShot=True, interval=REST_MS)
        self._rest.timeout.connect(self._settle)
        self._glide = QVariantAnimation(self)
        self._glide.setEasingCurve(QEasingCurve.Type.OutCubic)
        self._glide.valueChanged.connect(self._on_glide)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.grabGesture(Qt.GestureType.PinchGesture)
        self.setAccessibleName(tr("Picture"))
        theme.changed.connect(self.update)

    # --- What is shown ----------------------------------------------------------------------------------------------

    @property
    def zoom(self) -> float:
        return self.lens.zoom

    @property
    def fitted(self) -> bool:
        return self.lens.fitted

    def image_size(self) -> QSize:
        """Of the picture; empty while none is known."""
        return QSize() if self.picture is None else self.picture.size

    def show_picture(self, picture: TiledPicture | None, *, keep: bool = False) -> None:
        """`keep`: zoom and place of the one before, if that was zoomed."""
        if self.picture is not None and self.picture is not picture:
            self.picture.changed.disconnect(self.update)
            self.picture.opened.disconnect(self._on_opened)
        before, self.picture = self.picture, picture
        if picture is not before:
            self._frame = QImage()
        self._glide.stop()
        if not keep:
            self.lens = Lens(room_width=self.lens.room_width, room_height=self.lens.room_height)
        if picture is not None and picture is not before:
            picture.changed.connect(self.update)
            picture.opened.connect(self._on_opened)
        self._on_opened()

    def show_frame(self, frame: QImage) -> None:
        """Of a picture that moves: where `picture` is, in its stead."""
        self._frame = frame
        self.update()

    def fit(self) -> None:
        """All of the picture; small ones not beyond 1:1."""
        self._go(self.lens.fit())

    def set_zoom(self, zoom: float) -> None:
        """Zoom about the middle of the view."""
        self._go(self.lens.zoomed(zoom))

    def zoom_by(self, factor: float) -> None:
        """A step of the keys or buttons: on from where a glide is heading to."""
        heading = self._glide.endValue() if self._moving() else math.log(self.zoom)
        self._glide_to(math.exp(heading) * factor, None)

    def take_lens(self, lens: Lens) -> None:
        """Show what a linked view shows; nothing is told."""
        self._glide.stop()
        self.lens = self.lens.like(lens)
        self._hurry = True
        self._rest.start()
        self.zoomed.emit(self.zoom)
        self.update()

    # --- Hands ------------------------------------------------------------------------------------------------------

    def wheelEvent(self, event: QWheelEvent) -> None:
        turn = event.angleDelta().y() / 120
        if turn:
            at = self._device(event.position())
            precise = not event.pixelDelta().isNull()
            if precise:  # a touch pad already moves smoothly
                self._hurried(self.lens.zoomed(self.zoom * ZOOM_STEP**turn, at))
            else:
                heading = self._glide.endValue() if self._moving() else math.log(self.zoom)
                self._glide_to(math.exp(heading) * ZOOM_STEP**turn, at)
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() in (Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton):
            self._dragged = event.position()
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
            self.setFocus(Qt.FocusReason.MouseFocusReason)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._dragged is not None and event.buttons():
            way = (event.position() - self._dragged) * self.devicePixelRatioF()
            self._dragged = event.position()
            self._glide.stop()
            self._take(self.lens.moved(way.x(), way.y()))

    def mouseReleaseEvent(self, _event: QMouseEvent) -> None:
        self._dragged = None
        self._point()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Between all of it and 1:1 at the pointer."""
        if event.button() == Qt.MouseButton.LeftButton:
            to = self.lens.zoomed(1, self._device(event.position())) if self.fitted else self.lens.fit()
            self._go(to)
            self.double_clicked.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        ways = {Qt.Key.Key_Left: (1, 0), Qt.Key.Key_Right: (-1, 0), Qt.Key.Key_Up: (0, 1), Qt.Key.Key_Down: (0, -1)}
        way = ways.get(Qt.Key(event.key()))
        if way is None or not event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            super().keyPressEvent(event)
            return
        lens = self.lens
        self._take(lens.moved(way[0] * lens.room_width * _KEY_PAN, way[1] * lens.room_height * _KEY_PAN))

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.NativeGesture and isinstance(event, QNativeGestureEvent):
            if event.gestureType() == Qt.NativeGestureType.ZoomNativeGesture:
                self._hurried(self.lens.zoomed(self.zoom * (1 + event.value()), self._device(event.position())))
                return True
        elif event.type() == QEvent.Type.Gesture and isinstance(event, QGestureEvent):
            pinch = event.gesture(Qt.GestureType.PinchGesture)
            if isinstance(pinch, QPinchGesture):
                self._hurried(self.lens.zoomed(self.zoom * pinch.scaleFactor(), self._device(pinch.centerPoint())))
                return True
        return super().event(event)

    # --- Painting ---------------------------------------------------------------------------------------------------

    def place(self) -> Place:
        """Where the picture is, in device pixels."""
        x, y = self.lens.origin
        return Place(round(x), round(y), self.zoom)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(event.rect(), self.theme.color("canvas"))
        ratio = self.devicePixelRatioF()
        painter.scale(1 / ratio, 1 / ratio)
        self.paint_on(painter)

    def paint_on(self, painter: QPainter) -> None:
        """The picture; `painter` is in device pixels."""
        if self.picture is None:
            return
        if not self._frame.isNull():
            self.painter.paint_frame(painter, self._frame, self.place(), self.picture.size, self._room())
        else:
            self.painter.paint(painter, self.picture, self.place(), self._room(), hurry=self._hurry)
            if self.painter.rough:
                self._rest.start()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._on_opened()

    # --- Inside -----------------------------------------------------------------------------------------------------

    def _room(self) -> QRect:
        return QRect(0, 0, self.lens.room_width, self.lens.room_height)

    def _device(self, at: QPointF) -> tuple[float, float]:
        ratio = self.devicePixelRatioF()
        return at.x() * ratio, at.y() * ratio

    def _on_opened(self) -> None:
        ratio, size = self.devicePixelRatioF(), self.image_size()
        lens = self.lens.resized(round(self.width() * ratio), round(self.height() * ratio))
        self.lens = lens.showing(size.width(), size.height()) if not size.isEmpty() else lens
        self._point()
        self.zoomed.emit(self.zoom)
        self.update()

    def _moving(self) -> bool:
        return self._glide.state() == QVariantAnimation.State.Running

    def _glide_to(self, zoom: float, at: tuple[float, float] | None) -> None:
        length = self.theme.duration(GLIDE_MS)
        if not length:
            self._hurried(self.lens.zoomed(zoom, at))
            return
        self._anchor = at
        self._glide.stop()
        self._glide.setDuration(length)
        self._glide.setStartValue(math.log(self.zoom))
        self._glide.setEndValue(math.log(self.lens.zoomed(zoom, at).zoom))
        self._glide.start()

    def _on_glide(self, value: float) -> None:
        self._hurried(self.lens.zoomed(math.exp(value), self._anchor))

    def _hurried(self, lens: Lens) -> None:
        self._hurry = True
        self._rest.start()
        self._take(lens)

    def _go(self, lens: Lens) -> None:
        self._glide.stop()
        self._take(lens)

    def _take(self, lens: Lens) -> None:
        if lens == self.lens:
            return
        told, self.lens = self.zoom != lens.zoom, lens
        self._point()
        if told:
            self.zoomed.emit(self.zoom)
        self.moved.emit(lens)
        self.update()

    def _settle(self) -> None:
        self._hurry = False
        self.update()

    def _point(self) -> None:
        """A hand where there is something to be dragged."""
        lens = self.lens
        larger = lens.width * lens.zoom > lens.room_width + 1 or lens.height * lens.zoom > lens.room_height + 1
        self.setCursor(Qt.CursorShape.OpenHandCursor if larger else Qt.CursorShape.ArrowCursor)
