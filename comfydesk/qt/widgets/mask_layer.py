"""A mask as it is painted: grey levels, strokes with soft ends, undo by the part that a stroke touched."""

import math
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, QSizeF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QRadialGradient

UNDO_BYTES = 96 << 20
"""What all that can be undone may take."""
_SPACING = 0.25
"""Dabs of a stroke, in radii."""


@dataclass(frozen=True, slots=True)
class Brush:
    """`radius` in pixels of the mask; `hardness` from 0 (soft from its middle on) to 1 (a clean edge)."""

    radius: float
    hardness: float = 0.8
    erases: bool = False


@dataclass(frozen=True, slots=True)
class _Step:
    """A part as it was."""

    at: QRect
    before: QImage


class MaskLayer:
    """White is masked. A stroke goes from `begin` over `line_to` to `end`, and is one step of undo."""

    def __init__(self, size: QSize, data: bytes | None = None) -> None:
        """`data`: a byte each, row by row without gaps."""
        self.image = QImage(size, QImage.Format.Format_Grayscale8)
        self.image.fill(0)
        if data is not None:
            width, height = size.width(), size.height()
            self.image = QImage(data, width, height, width, QImage.Format.Format_Grayscale8).copy()
        self._done: list[_Step] = []
        self._undone: list[_Step] = []
        self._stroke: QImage | None = None
        self._touched = QRect()
        self._last = QPointF()
        self._dab = QImage()
        self._brush = Brush(1)

    # --- Strokes ----------------------------------------------------------------------------------------------------

    def begin(self, brush: Brush, at: QPointF) -> QRect:
        """The first dab; returns what it touched, as the others do."""
        self._stroke, self._touched = self.image.copy(), QRect()
        self._brush, self._dab, self._last = brush, _dab(brush), at
        return self._dabs((at,))

    def line_to(self, at: QPointF) -> QRect:
        """On to `at`."""
        way = at - self._last
        length = math.hypot(way.x(), way.y())
        gap = max(1.0, self._brush.radius * _SPACING)
        count = int(length / gap)
        if not count:
            return QRect()
        places = tuple(self._last + way * (gap * step / length) for step in range(1, count + 1))
        self._last = places[-1]
        return self._dabs(places)

    def end(self) -> None:
        """The stroke is a step from now on."""
        if self._stroke is not None and not self._touched.isEmpty():
            self._remember(self._touched, self._stroke.copy(self._touched))
        self._stroke = None

    def _dabs(self, places: tuple[QPointF, ...]) -> QRect:
        mode = QPainter.CompositionMode
        side = self._dab.width()
        touched = QRect()
        painter = QPainter(self.image)
        # The lighter (darker) of both: dabs that overlap make no harder edge.
        painter.setCompositionMode(mode.CompositionMode_Darken if self._brush.erases else mode.CompositionMode_Lighten)
        for place in places:
            corner = place - QPointF(side / 2, side / 2)
            painter.drawImage(corner, self._dab)
            touched = touched.united(QRectF(corner, QSizeF(side, side)).toAlignedRect())
        painter.end()
        touched = touched.intersected(self.image.rect())
        self._touched = self._touched.united(touched)
        return touched

    # --- The whole --------------------------------------------------------------------------------------------------

    def invert(self) -> None:
        """What was masked is not, and the other way round."""
        self._whole()
        self.image.invertPixels()

    def fill(self, value: int) -> None:
        """0 takes everything away."""
        self._whole()
        self.image.fill(value)

    def is_empty(self) -> bool:
        return not any(memoryview(self.bytes()))

    def bytes(self) -> bytes:
        """A byte each, row by row without gaps."""
        return grey_bytes(self.image)

    # --- Undo -------------------------------------------------------------------------------------------------------

    @property
    def can_undo(self) -> bool:
        return bool(self._done)

    @property
    def can_redo(self) -> bool:
        return bool(self._undone)

    def undo(self) -> None:
        self._swap(self._done, self._undone)

    def redo(self) -> None:
        self._swap(self._undone, self._done)

    def _swap(self, source: list[_Step], other: list[_Step]) -> None:
        if source:
            step = source.pop()
            other.append(_Step(step.at, self.image.copy(step.at)))
            painter = QPainter(self.image)
            painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Source)
            painter.drawImage(step.at.topLeft(), step.before)
            painter.end()

    def _whole(self) -> None:
        self._remember(self.image.rect(), self.image.copy())

    def _remember(self, at: QRect, before: QImage) -> None:
        self._done.append(_Step(at, before))
        self._undone.clear()
        while len(self._done) > 1 and sum(step.before.sizeInBytes() for step in self._done) > UNDO_BYTES:
            del self._done[0]


def reduced(image: QImage, edge: int) -> QImage:
    """`image`, or a smaller copy whose longer side is `edge`."""
    longer = max(image.width(), image.height())
    if longer <= edge:
        return image
    size = QSize(max(1, image.width() * edge // longer), max(1, image.height() * edge // longer))
    smooth, ignore = Qt.TransformationMode.SmoothTransformation, Qt.AspectRatioMode.IgnoreAspectRatio
    return image.scaled(size, ignore, smooth).convertToFormat(QImage.Format.Format_Grayscale8)


def feathered(image: QImage, radius: float) -> QImage:
    """A copy with edges that run out over about `radius` pixels on either side."""
    if radius < 1:
        return image
    size, smooth = image.size(), Qt.TransformationMode.SmoothTransformation
    ignore = Qt.AspectRatioMode.IgnoreAspectRatio
    small = QSize(max(1, round(size.width() / radius)), max(1, round(size.height() / radius)))
    soft = image.scaled(small, ignore, smooth).scaled(size, ignore, smooth)
    return soft.convertToFormat(QImage.Format.Format_Grayscale8)


def grey_bytes(image: QImage) -> bytes:
    """The bytes of a Grayscale8 image, row by row without gaps (Qt's rows are multiples of four)."""
    width, height, stride = image.width(), image.height(), image.bytesPerLine()
    data = bytes(image.constBits())
    if stride == width:
        return data
    return b"".join(data[row * stride : row * stride + width] for row in range(height))


def _dab(brush: Brush) -> QImage:
    """One touch of the brush: white on black, or black on white where it erases."""
    radius = max(0.5, brush.radius)
    side = max(1, math.ceil(radius * 2)) + 2
    image = QImage(side, side, QImage.Format.Format_Grayscale8)
    inside, outside = (0, 255) if brush.erases else (255, 0)
    image.fill(outside)
    gradient = QRadialGradient(QPointF(side / 2, side / 2), radius)
    solid = min(brush.hardness, max(0.0, 1 - 1.0 / radius))  # one pixel of its edge is always smooth
    gradient.setColorAt(0, QColor(inside, inside, inside))
    gradient.setColorAt(max(0.0, solid), QColor(inside, inside, inside))
    gradient.setColorAt(1, QColor(outside, outside, outside))
    painter = QPainter(image)
    painter.fillRect(image.rect(), gradient)
    painter.end()
    return image
