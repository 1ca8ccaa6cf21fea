"""A picture to paint a mask on: brush and eraser by mouse, pen or keyboard; zoomed about the pointer."""

import math

from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets.mask_layer import Brush, MaskLayer, feathered, reduced

OVERLAY = 0.55
"""How strong the mask lies over the picture."""
SOFT_EDGE = 768
"""Pixels at which a soft edge is shown; what is saved is finer."""
FARTHEST, CLOSEST = 0.02, 16.0
_ZOOM = 1.25
_SOFT_AFTER_MS = 120
_ARROWS = {
    Qt.Key.Key_Left: QPoint(-1, 0),
    Qt.Key.Key_Right: QPoint(1, 0),
    Qt.Key.Key_Up: QPoint(0, -1),
    Qt.Key.Key_Down: QPoint(0, 1),
}


class MaskCanvas(QWidget):
    """Coordinates of the mask's layer are those of the strokes; `brush` in the layer's pixels.

    By keyboard the arrows move the brush (Shift: farther), Space paints where it is, and stays down while it is held.
    """

    changed = Signal()
    """A stroke or a step is done."""
    zoomed = Signal(float)
    resized_brush = Signal(float)
    """Radius by [ and ]."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.layer: MaskLayer | None = None
        self.brush = Brush(20)
        self._feather = 0
        self._picture = QPixmap()
        self._soft: QImage | None = None
        self._scale = 1.0
        """Logical pixels for one of the layer."""
        self._offset = QPointF()
        """Where the layer's corner lies."""
        self._fits = True
        self._painting = self._held = False
        self._drag: QPointF | None = None
        self._place: QPointF | None = None
        """The brush, in the layer's pixels."""
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName(tr("Picture to paint a mask on"))
        self.setAccessibleDescription(tr("Arrow keys move the brush, Space paints, brackets make it smaller or larger"))
        self._timer = QTimer(self, singleShot=True, interval=_SOFT_AFTER_MS)
        self._timer.timeout.connect(self._soften)
        theme.changed.connect(self.update)

    # --- What is painted on -----------------------------------------------------------------------------------------

    def show_picture(self, picture: QImage, layer: MaskLayer | None) -> None:
        """`layer` None: it is looked at, and not painted on."""
        self._picture, self.layer = QPixmap.fromImage(picture), layer
        self._soft, self._place = None, None
        self.fit()
        self._soften()

    def set_feather(self, radius: int) -> None:
        """How far edges run out, in pixels of the layer."""
        self._feather = radius
        self._timer.start()

    @property
    def feather(self) -> int:
        return self._feather

    def touch(self) -> None:
        """The layer was changed by somebody else."""
        self._soften()
        self.changed.emit()

    def undo(self) -> None:
        """What Undo of the Edit menu means here."""
        if self.layer is not None and not self._painting:
            self.layer.undo()
            self.touch()

    def redo(self) -> None:
        if self.layer is not None and not self._painting:
            self.layer.redo()
            self.touch()

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(560), self._theme.px(360))

    def minimumSizeHint(self) -> QSize:
        return QSize(self._theme.px(160), self._theme.px(120))

    # --- Zoom -------------------------------------------------------------------------------------------------------

    def fit(self) -> None:
        """All of it, as large as there is room."""
        if self.layer is None or not self.width() or not self.height():
            return
        size = self.layer.image.size()
        self._scale = min(self.width() / size.width(), self.height() / size.height(), CLOSEST)
        shown = QPointF(size.width(), size.height()) * self._scale
        self._offset = (QPointF(self.width(), self.height()) - shown) / 2
        self._fits = True
        self._show_zoom()

    def zoom(self, factor: float, about: QPointF | None = None) -> None:
        """By `factor` about a place of the widget (None: its middle)."""
        middle = about if about is not None else QPointF(self.rect().center())
        scale = min(CLOSEST, max(FARTHEST, self._scale * factor))
        self._offset = middle - (middle - self._offset) * (scale / self._scale)
        self._scale, self._fits = scale, False
        self._show_zoom()

    def _show_zoom(self) -> None:
        self.zoomed.emit(self._scale)
        self.update()

    # --- Painting the mask ------------------------------------------------------------------------------------------

    def _press(self, at: QPointF) -> None:
        if self.layer is not None:
            self._painting = True
            self._dirty(self.layer.begin(self.brush, at))

    def _move(self, at: QPointF) -> None:
        if self.layer is not None and self._painting:
            self._dirty(self.layer.line_to(at))

    def _release(self) -> None:
        if self.layer is not None and self._painting:
            self._painting = False
            self.layer.end()
            self._soften()
            self.changed.emit()

    def _dirty(self, touched: QRect) -> None:
        if not touched.isEmpty():
            self._soft = None
            self.update(self._on_screen(QRectF(touched)).toAlignedRect().adjusted(-2, -2, 2, 2))

    def _soften(self) -> None:
        """Soft edges are shown once the brush rests."""
        self._soft = None
        if self.layer is not None and self._feather and not self._painting:
            small = reduced(self.layer.image, SOFT_EDGE)
            share = small.width() / self.layer.image.width()
            self._soft = feathered(small, self._feather * share)
        self.update()

    # --- Events -----------------------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        button = event.button()
        if button == Qt.MouseButton.MiddleButton or (
            button == Qt.MouseButton.LeftButton and event.modifiers() & Qt.KeyboardModifier.ControlModifier
        ):
            self._drag = event.position()
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
        elif button == Qt.MouseButton.LeftButton:
            self._press(self._in_layer(event.position()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._place = self._in_layer(event.position())
        if self._drag is not None:
            self._offset += event.position() - self._drag
            self._drag, self._fits = event.position(), False
        else:
            self._move(self._place)
        self.update()

    def mouseReleaseEvent(self, _event: QMouseEvent) -> None:
        self._drag = None
        self.unsetCursor()
        self._release()

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        if not self.hasFocus():
            self._place = None
        self.update()

    def wheelEvent(self, event: QWheelEvent) -> None:
        turns = event.angleDelta().y()
        if turns:
            self.zoom(_ZOOM ** (turns / 120), event.position())
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        if key in _ARROWS and self.layer is not None:
            self._walk(_ARROWS[key], far=bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier))
        elif key == Qt.Key.Key_Space and not event.isAutoRepeat():
            self._held = True
            self._press(self._middle())
        elif key in (Qt.Key.Key_BracketLeft, Qt.Key.Key_BracketRight):
            self.resized_brush.emit(self.brush.radius * (1.2 if key == Qt.Key.Key_BracketRight else 1 / 1.2))
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self.zoom(_ZOOM)
        elif key == Qt.Key.Key_Minus:
            self.zoom(1 / _ZOOM)
        elif key == Qt.Key.Key_0:
            self.fit()
        else:
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Space and not event.isAutoRepeat() and self._held:
            self._held = False
            self._release()
        else:
            super().keyReleaseEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._fits:
            self.fit()

    def _walk(self, way: QPoint, *, far: bool) -> None:
        layer = self.layer
        assert layer is not None
        gap = max(1.0, self.brush.radius * (2.0 if far else 0.5))
        place = self._middle() + QPointF(way) * gap
        size = layer.image.size()
        self._place = QPointF(min(max(place.x(), 0), size.width()), min(max(place.y(), 0), size.height()))
        self._move(self._place)
        self.update()

    def _middle(self) -> QPointF:
        """Where the brush is."""
        if self._place is None and self.layer is not None:
            self._place = QPointF(self.layer.image.rect().center())
        return self._place if self._place is not None else QPointF()

    # --- Drawing ----------------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, theme = QPainter(self), self._theme
        painter.fillRect(event.rect(), theme.color("canvas"))
        if self.layer is None:
            return
        painter.setClipRect(event.rect())
        whole = self._on_screen(QRectF(self.layer.image.rect()))
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, self._scale < 4)
        painter.drawPixmap(whole, self._picture, QRectF(self._picture.rect()))
        part = event.rect().intersected(whole.toAlignedRect())
        if not part.isEmpty():
            painter.drawImage(part.topLeft(), self._overlay(part))
        if self._place is not None and (self.underMouse() or self.hasFocus()):
            self._paint_brush(painter)
        if self.hasFocus():
            painter.setPen(QPen(theme.color("accent"), theme.px(2)))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(self.rect().adjusted(1, 1, -1, -1))

    def _overlay(self, part: QRect) -> QImage:
        """What of the mask lies in `part` of the widget, in the mask's colour."""
        layer = self.layer
        assert layer is not None
        mask = self._soft if self._soft is not None else layer.image
        alpha = QImage(mask.constBits(), mask.width(), mask.height(), mask.bytesPerLine(), QImage.Format.Format_Alpha8)
        share = mask.width() / layer.image.width()
        corner = (QPointF(part.topLeft()) - self._offset) / self._scale * share
        source = QRectF(corner.x(), corner.y(), part.width() / self._scale * share, part.height() / self._scale * share)
        image = QImage(part.size(), QImage.Format.Format_ARGB32_Premultiplied)
        image.fill(Qt.GlobalColor.transparent)
        painter = QPainter(image)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, self._scale < 4)
        painter.drawImage(QRectF(0, 0, part.width(), part.height()), alpha, source)
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceIn)
        # Not the accent: blue is lost in any sky.
        color = QColor(self._theme.color("danger"))
        color.setAlphaF(OVERLAY)
        painter.fillRect(image.rect(), color)
        painter.end()
        return image

    def _paint_brush(self, painter: QPainter) -> None:
        """Two circles, dark in light: seen on any picture."""
        middle = self._offset + self._middle() * self._scale
        radius = max(2.0, self.brush.radius * self._scale)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for color, more in ((QColor(16, 18, 20), 1.0), (QColor(255, 255, 255), 0.0)):
            painter.setPen(QPen(color, 1))
            painter.drawEllipse(middle, radius + more, radius + more)

    def _in_layer(self, at: QPointF) -> QPointF:
        return (at - self._offset) / self._scale

    def _on_screen(self, area: QRectF) -> QRectF:
        corner = self._offset + area.topLeft() * self._scale
        return QRectF(corner.x(), corner.y(), math.ceil(area.width() * self._scale), area.height() * self._scale)
