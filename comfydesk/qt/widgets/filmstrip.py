"""Small pictures side by side: where one is among the others. As quick with 100,000 as with ten."""

from collections.abc import Mapping
from pathlib import Path

from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QHelpEvent, QMouseEvent, QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from comfydesk.qt.models.gallery import GalleryModel
from comfydesk.qt.models.thumbnails import Thumbnails
from comfydesk.qt.models.tips import plain_tip
from comfydesk.qt.models.words import clock
from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets import paint
from comfydesk.qt.widgets.gallery_tiles import ICONS
from comfydesk.qt.widgets.thumbnail import Covers, chip_height, paint_chip
from comfydesk.session.gallery.thumbnails import edge_for
from comfydesk.store.records import Output

WIDE, HIGH, GAP, EDGE = 112, 62, 4, 12


class Filmstrip(QWidget):
    """`chosen` with an Output that was clicked, and whether a modifier was held."""

    chosen = Signal(object, bool)

    def __init__(self, theme: Theme, thumbnails: Thumbnails, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._thumbnails = theme, thumbnails
        self._covers = Covers(theme)
        self._model: GalleryModel | None = None
        self._marks: Mapping[int, str] = {}
        self._shift = 0
        self._dragged: tuple[int, int] | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(tr("Filmstrip"))
        theme.surface(self, "window")
        theme.changed.connect(self.updateGeometry)
        thumbnails.ready.connect(lambda _: self.update())

    def show_model(self, model: GalleryModel) -> None:
        """What is leafed through."""
        if self._model is model:
            return
        if self._model is not None:
            self._model.listed.disconnect(self.update)
            self._model.dataChanged.disconnect(self._on_rows)
        self._model = model
        model.listed.connect(self.update)
        model.dataChanged.connect(self._on_rows)
        self.update()

    def mark(self, marks: Mapping[int, str]) -> None:
        """Output id → its letter ("" for none): those stand out. The first is brought into sight."""
        self._marks = marks
        model = self._model
        row = None if model is None or not marks else model.listing.row_of(next(iter(marks)))
        if row is not None:
            left, right = self._x(row), self._x(row) + self._theme.px(WIDE)
            if left - self._step() < self._shift or right + self._step() > self._shift + self.width():
                self._move_to((left + right - self.width()) // 2)
        self.update()

    # --- Geometry ---------------------------------------------------------------------------------------------------

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(400), self._theme.px(HIGH + 2 * EDGE))

    def rect_of(self, row: int) -> QRect:
        """Where a row is painted."""
        px = self._theme.px
        return QRect(self._x(row) - self._shift, px(EDGE), px(WIDE), px(HIGH))

    def row_at(self, at: QPoint) -> int | None:
        row = (at.x() + self._shift - self._theme.px(EDGE)) // self._step()
        count = 0 if self._model is None else self._model.rowCount()
        return row if 0 <= row < count and self.rect_of(row).contains(at) else None

    def _step(self) -> int:
        return self._theme.px(WIDE) + self._theme.px(GAP)

    def _x(self, row: int) -> int:
        return self._theme.px(EDGE) + row * self._step()

    def _move_to(self, shift: int) -> None:
        count = 0 if self._model is None else self._model.rowCount()
        most = max(0, self._x(count) + self._theme.px(EDGE) - self.width())
        self._shift = max(0, min(most, shift))
        self.update()

    # --- Painting ---------------------------------------------------------------------------------------------------

    def paintEvent(self, _event: QPaintEvent) -> None:
        model = self._model
        if model is None:
            return
        painter = QPainter(self)
        first = max(0, self._shift // self._step() - 1)
        last = min(model.rowCount(), (self._shift + self.width()) // self._step() + 1)
        shown = set()
        for row in range(first, last):
            output = model.output(row)
            rect = self.rect_of(row)
            if output is None:
                self._covers.paint(painter, rect, None)
                continue
            shown.add(output.path)
            self._paint(painter, rect, output)
        self._thumbnails.keep(self, shown)

    def _paint(self, painter: QPainter, rect: QRect, output: Output) -> None:
        theme = self._theme
        edge = edge_for(rect.height() * self.devicePixelRatioF())
        picture = self._thumbnails.get(output.path, output.media, sha256=output.sha256, edge=edge, owner=self)
        broken = bool(self._thumbnails.reason(output.path))
        self._covers.paint(painter, rect, picture, icon=ICONS.get(output.media, "file"), broken=broken)
        if output.duration is not None:
            words = clock(output.duration)
            bottom = rect.bottom() + 1 - theme.px(4) - chip_height(theme)
            paint_chip(painter, theme, rect.left() + theme.px(4), bottom, words, play=True)
        letter = self._marks.get(output.id)
        if letter is not None:
            paint.box(painter, rect, theme.px(4), outline=theme.color("accent"), width=theme.px(3))
            if letter:
                letter_chip(painter, theme, QPoint(rect.left() + theme.px(6), rect.top() + theme.px(6)), letter)

    def _on_rows(self, *_: object) -> None:
        self.update()

    # --- Hands ------------------------------------------------------------------------------------------------------

    def wheelEvent(self, event: QWheelEvent) -> None:
        delta = event.pixelDelta() if not event.pixelDelta().isNull() else event.angleDelta()
        self._move_to(self._shift - (delta.x() or delta.y()))
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._dragged = (round(event.position().x()), self._shift)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        event.accept()  # its first click has chosen; a second would take that back

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._dragged is not None and event.buttons() & Qt.MouseButton.LeftButton:
            began, shift = self._dragged
            if abs(event.position().x() - began) > self._theme.px(6):
                self._move_to(shift + began - round(event.position().x()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        dragged, self._dragged = self._dragged, None
        if dragged is None or abs(dragged[1] - self._shift) > 0:
            return
        row = self.row_at(event.position().toPoint())
        output = None if row is None or self._model is None else self._model.output(row)
        if output is not None:
            held = event.modifiers() & (Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
            self.chosen.emit(output, bool(held))

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            row = self.row_at(event.pos())
            output = None if row is None or self._model is None else self._model.output(row)
            words = "" if output is None else output.prompt or Path(output.path).name
            QToolTip.showText(event.globalPos(), plain_tip(words), self)
            return True
        return super().event(event)


def letter_chip(painter: QPainter, theme: Theme, at: QPoint, letter: str) -> QRect:
    """A letter in a light box: which one of those that are compared. Returns where."""
    side = max(theme.px(18), theme.metrics("caption_strong").height() + theme.px(2))
    rect = QRect(at, QSize(side, side))
    light = theme.tokens.dark
    paint.box(painter, rect, theme.px(4), fill=theme.color("text" if light else "window"))
    ink = theme.color("window" if light else "text")
    centre = Qt.AlignmentFlag.AlignHCenter
    paint.text(painter, rect, letter, theme.font("caption_strong"), ink, align=centre, elide=Qt.TextElideMode.ElideNone)
    return rect
