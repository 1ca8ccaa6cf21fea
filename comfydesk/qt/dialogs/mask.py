"""Painting a mask on a picture: a page over the centre."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QImage, QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets.banner import Banner
from comfydesk.qt.widgets.buttons import Button, IconButton, Kind
from comfydesk.qt.widgets.labels import Label
from comfydesk.qt.widgets.mask_canvas import MaskCanvas
from comfydesk.qt.widgets.mask_layer import Brush, MaskLayer, feathered, grey_bytes, reduced
from comfydesk.qt.widgets.page import Page
from comfydesk.qt.widgets.plain import Line, pad
from comfydesk.qt.widgets.segmented import Segment, Segmented
from comfydesk.qt.widgets.slider import Slider

if TYPE_CHECKING:
    from comfydesk.errors import KnownError
    from comfydesk.session.shelves.masks import Paintable

SHOWN_EDGE = 2048
"""Pixels of the picture that are shown at most."""
FEATHERED_EDGE = 2048
"""A mask with soft edges needs no finer ones."""
_LARGEST, _SMALLEST = 0.25, 0.002
"""Radius of the brush, of the mask's longer side."""
_STEPS = 100


class _Measure(QWidget):
    """A slider with its name above."""

    def __init__(self, theme: Theme, name: str, value: int) -> None:
        super().__init__()
        self.label = Label(theme, name, font="caption", color="text2")
        self.slider = Slider(theme, _STEPS)
        self.slider.setAccessibleName(name)
        self.slider.setValue(value)
        column = QVBoxLayout(self)
        pad(column, theme, 0, 0, 0, 0, gap=2)
        column.addWidget(self.label)
        column.addWidget(self.slider)


class MaskPage(Page):
    """`accepted` with the mask (a byte each, 255: masked) and its size, once the user is content."""

    accepted = Signal(bytes, QSize)

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, tr("Paint a mask"))
        self.canvas = MaskCanvas(theme)
        self.banner = Banner(theme)
        brush = Segment(tr("Brush"), "brush", tooltip=tr("Brush: mark what is to be made anew (B)"))
        eraser = Segment(tr("Eraser"), "eraser", tooltip=tr("Eraser: take marks away (E)"))
        self.tool = Segmented(theme, [brush, eraser], 0, name=tr("Tool"))
        self.size_ = _Measure(theme, tr("Size"), 40)
        self.hardness = _Measure(theme, tr("Hardness"), 80)
        self.feather = _Measure(theme, tr("Feather"), 0)
        self.undo = IconButton(theme, "undo", tr("Undo the last stroke (Ctrl+Z)"))
        self.redo = IconButton(theme, "redo", tr("Redo (Ctrl+Shift+Z)"))
        self.invert = Button(theme, tr("Invert"), kind=Kind.GHOST, icon="mask")
        self.wipe = Button(theme, tr("Clear"), kind=Kind.GHOST, icon="trash")
        self.closer = IconButton(theme, "plus", tr("Zoom in (+)"))
        self.farther = IconButton(theme, "minus", tr("Zoom out (-)"))
        self.whole = IconButton(theme, "fit", tr("Show all of it (0)"))
        self.accept = Button(theme, tr("Use this mask"), kind=Kind.PRIMARY, keys="Alt+Enter")
        self._lay_out()
        self._join()
        self._refresh()

    # --- What is shown ----------------------------------------------------------------------------------------------

    def show_loading(self, name: str) -> None:
        """A picture is being read."""
        self.set_title(tr("Mask for {name}", name=name))
        self.banner.clear()
        self.canvas.show_picture(QImage(), None)
        self._refresh()

    def show_picture(self, picture: "Paintable", size: tuple[int, int]) -> None:
        """Paint on `picture`; the mask is `size` wide and high, and begins as the picture's own."""
        width, height = picture.shown
        image = QImage(picture.pixels, width, height, width * 3, QImage.Format.Format_RGB888)
        self.feather.slider.setValue(0)
        self.canvas.show_picture(image, MaskLayer(QSize(*size), picture.mask))
        self._set_brush()
        self._refresh()
        self.canvas.setFocus(Qt.FocusReason.OtherFocusReason)

    def show_error(self, error: "KnownError") -> None:
        """What went wrong; the strokes stay."""
        self.accept.set_busy("")
        self.banner.tell_error(error)
        self._refresh()

    def first_focus(self) -> QWidget:
        return self.canvas

    # --- Inside -----------------------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        theme = self.theme
        top = QWidget()
        row = QHBoxLayout(top)
        pad(row, theme, 20, 8, 20, 8, gap=16)
        row.addWidget(self.tool, 0, Qt.AlignmentFlag.AlignBottom)
        for part in (self.size_, self.hardness, self.feather):
            row.addWidget(part, 1)
        messages = QVBoxLayout()
        pad(messages, theme, 16, 0, 16, 0)
        messages.addWidget(self.banner)
        self.body.addWidget(top)
        self.body.addLayout(messages)
        self.body.addWidget(Line(theme))
        self.body.addWidget(self.canvas, 1)
        for widget in (self.undo, self.redo, self.invert, self.wipe):
            self.foot.addWidget(widget)
        self.foot.addStretch(1)
        for widget in (self.farther, self.whole, self.closer):
            self.foot.addWidget(widget)
        self.foot.addSpacing(theme.px(8))
        self.foot.addWidget(self.accept)

    def _join(self) -> None:
        self.tool.picked.connect(lambda _: self._set_brush())
        self.size_.slider.valueChanged.connect(lambda _: self._set_brush())
        self.hardness.slider.valueChanged.connect(lambda _: self._set_brush())
        self.feather.slider.valueChanged.connect(lambda _: self.canvas.set_feather(self._feather()))
        self.undo.clicked.connect(self.canvas.undo)
        self.redo.clicked.connect(self.canvas.redo)
        self.invert.clicked.connect(self._invert)
        self.wipe.clicked.connect(self._wipe)
        self.closer.clicked.connect(lambda: self.canvas.zoom(1.25))
        self.farther.clicked.connect(lambda: self.canvas.zoom(0.8))
        self.whole.clicked.connect(self.canvas.fit)
        self.accept.clicked.connect(self.finish)
        self.canvas.changed.connect(self._refresh)
        self.canvas.resized_brush.connect(self._resize_brush)

    def finish(self) -> None:
        """Hand the mask over; the page waits for what comes of it."""
        layer = self.canvas.layer
        if layer is None or self.accept.busy:
            return
        image = layer.image
        if self._feather():
            small = reduced(image, FEATHERED_EDGE)
            image = feathered(small, self._feather() * small.width() / layer.image.width())
        self.accept.set_busy(tr("Saving"))
        self.accepted.emit(grey_bytes(image), image.size())

    def finished(self) -> None:
        """It is saved."""
        self.accept.set_busy("")

    def keyPressEvent(self, event: QKeyEvent) -> None:
        control = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        alt = bool(event.modifiers() & Qt.KeyboardModifier.AltModifier)
        key = event.key()
        if control and key == Qt.Key.Key_Z:
            self.canvas.redo() if shift else self.canvas.undo()
        elif alt and key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.finish()
        elif not control and not alt and key in (Qt.Key.Key_B, Qt.Key.Key_E):
            self.tool.set_current(1 if key == Qt.Key.Key_E else 0)
            self._set_brush()
        else:
            super().keyPressEvent(event)

    def _invert(self) -> None:
        if self.canvas.layer is not None:
            self.canvas.layer.invert()
            self.canvas.touch()

    def _wipe(self) -> None:
        if self.canvas.layer is not None:
            self.canvas.layer.fill(0)
            self.canvas.touch()

    def _edge(self) -> int:
        layer = self.canvas.layer
        return max(layer.image.width(), layer.image.height()) if layer is not None else 1

    def _feather(self) -> int:
        """Pixels of the mask: up to a twentieth of its longer side."""
        return round(self._edge() * 0.05 * self.feather.slider.value() / _STEPS)

    def _set_brush(self) -> None:
        # Small sizes are picked finely: each step is so much larger than the one before.
        share = _SMALLEST * (_LARGEST / _SMALLEST) ** (self.size_.slider.value() / _STEPS)
        radius = max(0.5, share * self._edge())
        self.canvas.brush = Brush(radius, self.hardness.slider.value() / _STEPS, self.tool.current() == 1)
        self.canvas.update()

    def _resize_brush(self, radius: float) -> None:
        import math

        share = max(_SMALLEST, min(_LARGEST, radius / self._edge()))
        self.size_.slider.setValue(round(_STEPS * math.log(share / _SMALLEST) / math.log(_LARGEST / _SMALLEST)))

    def _refresh(self) -> None:
        layer = self.canvas.layer
        nothing = "" if layer is not None else tr("The picture is not there yet")
        self.undo.set_blocked(nothing or ("" if layer is not None and layer.can_undo else tr("Nothing to undo")))
        self.redo.set_blocked(nothing or ("" if layer is not None and layer.can_redo else tr("Nothing to redo")))
        for widget in (self.invert, self.wipe, self.closer, self.farther, self.whole, self.accept):
            widget.set_blocked(nothing)
