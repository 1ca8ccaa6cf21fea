"""Two to four pictures: side by side with linked zoom, one over the other with a slider, their difference, in turn."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path

from PySide6.QtCore import QPoint, QPointF, QRect, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QGridLayout, QStackedWidget, QWidget

from comfydesk.qt.models.tiles import TiledPicture
from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets import paint
from comfydesk.qt.widgets.filmstrip import letter_chip
from comfydesk.qt.widgets.lens import Lens
from comfydesk.qt.widgets.picture_view import PictureView
from comfydesk.qt.widgets.tile_painter import Place, TilePainter
from comfydesk.store.records import Output

LETTERS = "ABCD"
BLINK_MS = 700
_GRIP = 18


class Mode(StrEnum):
    SIDE = "side"
    SLIDER = "slider"
    DIFFERENCE = "difference"
    BLINK = "blink"


class _Named(PictureView):
    """With its letter and name in the corner."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self.letter = self.name = ""

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter = QPainter(self)
        paint_name(painter, self.theme, self.rect(), self.letter, self.name)


def paint_name(painter: QPainter, theme: Theme, area: QRect, letter: str, name: str, *, right: bool = False) -> None:
    """A letter and a name on the dark overlay, in an upper corner of `area`."""
    px, metrics = theme.px, theme.metrics("small")
    if not letter:
        return
    wide = min(metrics.horizontalAdvance(name), max(0, area.width() // (2 if right else 1) - px(80)))
    side = max(px(18), theme.metrics("caption_strong").height() + px(2))
    rect = QRect(0, 0, side + px(24) + wide, max(px(28), metrics.height() + px(8)))
    left = area.right() - px(12) - rect.width() if right else area.left() + px(12)
    rect.moveTo(left, area.top() + px(12))
    paint.box(painter, rect, px(6), fill=theme.color("overlay"))
    letter_chip(painter, theme, QPoint(rect.left() + px(8), rect.center().y() - side // 2), letter)
    words = QRect(rect.left() + side + px(16), rect.top(), wide, rect.height())
    middle = Qt.TextElideMode.ElideMiddle
    paint.text(painter, words, name, theme.font("small"), theme.color("on_overlay"), elide=middle, metrics=metrics)


class Stack(PictureView):
    """Two pictures in one place. The second is as wide as the first."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self.mode = Mode.SLIDER
        self.split = 0.5
        """Where the slider is, 0 to 1 of the view."""
        self.second: TiledPicture | None = None
        self.names = ("", "")
        self.letters = ("A", "B")
        self.second_painter = TilePainter(theme)
        self._second_shown = False
        self._sliding = False
        self._blink = QTimer(self, interval=BLINK_MS)
        self._blink.timeout.connect(self.swap_shown)
        self.setAccessibleName(tr("Comparison"))

    def show_two(self, first: TiledPicture, second: TiledPicture) -> None:
        if self.second is not None and self.second is not second:
            self.second.changed.disconnect(self.update)
        if second is not self.second:
            second.changed.connect(self.update)
        self.second = second
        self.show_picture(first, keep=True)

    def set_mode(self, mode: Mode) -> None:
        self.mode = mode
        self._second_shown = False
        if mode is Mode.BLINK and not self.theme.appearance.reduced_motion:
            self._blink.start()
        else:
            self._blink.stop()  # the space bar changes them
        self.update()

    def swap_shown(self) -> None:
        """The other of the two."""
        self._second_shown = not self._second_shown
        self.update()

    def hush(self) -> None:
        """It is not looked at."""
        self._blink.stop()

    # --- Painting ---------------------------------------------------------------------------------------------------

    def paint_on(self, painter: QPainter) -> None:
        match self.mode:
            case Mode.BLINK if self._second_shown:
                self._paint_second(painter, self._room())
            case Mode.DIFFERENCE:
                super().paint_on(painter)
                painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Difference)
                self._paint_second(painter, self._room())
                painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceOver)
            case Mode.SLIDER:
                super().paint_on(painter)
                room = self._room()
                painter.setClipRect(room.adjusted(round(room.width() * self.split), 0, 0, 0))
                painter.fillRect(room, self.theme.color("canvas"))
                self._paint_second(painter, room)
                painter.setClipping(False)
            case _:
                super().paint_on(painter)

    def _paint_second(self, painter: QPainter, clip: QRect) -> None:
        picture, place = self.second, self.place()
        if picture is None or picture.size.isEmpty() or self.lens.empty:
            return
        zoom = place.zoom * self.lens.width / picture.size.width()
        extra = round((self.lens.height * place.zoom - picture.size.height() * zoom) / 2)
        where = Place(place.x, place.y + extra, zoom)
        self.second_painter.paint(painter, picture, where, clip, hurry=self._hurry)
        if self.second_painter.rough:
            self._rest.start()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter, theme, (a, b) = QPainter(self), self.theme, self.letters
        first, second = self.names
        match self.mode:
            case Mode.SLIDER:
                paint_name(painter, theme, self.rect(), a, first)
                paint_name(painter, theme, self.rect(), b, second, right=True)
                self._paint_grip(painter)
            case Mode.BLINK:
                shown = self._second_shown
                paint_name(painter, theme, self.rect(), b if shown else a, second if shown else first)
            case _:
                paint_name(painter, theme, self.rect(), f"{a}{b}", tr("Black where they are the same"))

    def _paint_grip(self, painter: QPainter) -> None:
        x, side, white = self._slider_x(), self.theme.px(_GRIP), self.theme.color("on_overlay")
        painter.fillRect(QRect(x - 1, 0, 2, self.height()), white)
        knob = QRect(x - side, self.height() // 2 - side, side * 2, side * 2)
        paint.box(painter, knob, side, fill=white, outline=self.theme.color("overlay"))
        half = QRect(knob.left(), knob.top(), side, side * 2)
        paint.icon_in(painter, self.theme, half, "chevron-left", "on_accent" if self.theme.dark else "text", 14)
        other = half.translated(side, 0)
        paint.icon_in(painter, self.theme, other, "chevron-right", "on_accent" if self.theme.dark else "text", 14)

    def _slider_x(self) -> int:
        return round(self.width() * self.split)

    # --- Hands ------------------------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        near = abs(event.position().x() - self._slider_x()) <= self.theme.px(_GRIP)
        if self.mode is Mode.SLIDER and near and event.button() == Qt.MouseButton.LeftButton:
            self._sliding = True
        else:
            super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._sliding:
            self._slide_to(event.position())
        else:
            super().mouseMoveEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._sliding = False
        super().mouseReleaseEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Left: -0.02, Qt.Key.Key_Right: 0.02}.get(Qt.Key(event.key()))
        if event.key() == Qt.Key.Key_Space:
            self.swap_shown()
        elif step is not None and self.mode is Mode.SLIDER and not event.modifiers():
            self._slide_to(QPointF((self.split + step) * self.width(), 0))
        else:
            super().keyPressEvent(event)

    def _slide_to(self, at: QPointF) -> None:
        self.split = min(1.0, max(0.0, at.x() / max(1, self.width())))
        self.update()


class CompareView(QStackedWidget):
    """`show_pictures`, `set_mode`; zooms of all are linked unless that is switched off."""

    zoomed = Signal(float)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self.mode = Mode.SLIDER
        self.linked = True
        self.views = [_Named(theme) for _ in LETTERS]
        self.stack = Stack(theme)
        self._count = 0
        self._side = QWidget()
        theme.surface(self._side, "canvas")
        self._grid = QGridLayout(self._side)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(2)
        self.addWidget(self._side)
        self.addWidget(self.stack)
        for view in self.views:
            view.moved.connect(lambda lens, view=view: self._follow(view, lens))
            view.zoomed.connect(self._tell)
        self.stack.zoomed.connect(self._tell)

    @property
    def front(self) -> PictureView:
        """What buttons and keys zoom."""
        return self.stack if self.currentWidget() is self.stack else self.views[0]

    def show_pictures(self, outputs: Sequence[Output], pictures: Sequence[TiledPicture]) -> None:
        """Two to four."""
        self._count = len(pictures)
        for at, view in enumerate(self.views):
            view.setVisible(at < self._count)
            self._grid.removeWidget(view)
            if at >= self._count:
                view.show_picture(None)
                continue
            columns = 2 if self._count in (2, 4) else self._count
            self._grid.addWidget(view, at // columns, at % columns)
            view.letter, view.name = LETTERS[at], Path(outputs[at].path).name
            view.show_picture(pictures[at], keep=True)
        if self._count >= 2:
            self.stack.names = (Path(outputs[0].path).name, Path(outputs[1].path).name)
            self.stack.show_two(pictures[0], pictures[1])
        self.set_mode(self.mode)

    def set_mode(self, mode: Mode) -> None:
        before, self.mode = self.front.lens, mode
        side = mode is Mode.SIDE
        self.setCurrentWidget(self._side if side else self.stack)
        if side:
            self.stack.hush()
        else:
            self.stack.set_mode(mode)
        if not before.empty:
            self.front.take_lens(before)
            self._follow(self.front, self.front.lens)
        self._tell()

    def fit(self) -> None:
        for view in self.views[: self._count]:
            view.fit()
        self.stack.fit()

    def _follow(self, moved: PictureView, lens: Lens) -> None:
        if self.linked:
            for view in self.views[: self._count]:
                if view is not moved:
                    view.take_lens(lens)

    def _tell(self, *_: object) -> None:
        self.zoomed.emit(self.front.zoom)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._tell()
