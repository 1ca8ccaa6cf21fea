"""One picture, large, over the whole window: fit or 1:1, zoom, drag, next and previous. Escape closes it."""

from pathlib import Path

import shiboken6
from PySide6.QtCore import QEvent, QObject, QPoint, QRectF, QSize, Qt, QUrl, Signal
from PySide6.QtGui import (
    QDesktopServices,
    QImage,
    QKeySequence,
    QPainter,
    QPixmap,
    QResizeEvent,
    QShortcut,
    QWheelEvent,
)
from PySide6.QtWidgets import (
    QFrame,
    QGraphicsPixmapItem,
    QGraphicsScene,
    QGraphicsView,
    QHBoxLayout,
    QVBoxLayout,
    QWidget,
)

from comfydesk.qt.models.outputs import OutputModel
from comfydesk.qt.models.pictures import Picture, Pictures
from comfydesk.qt.models.rows import ROW
from comfydesk.qt.models.words import TIMES, size_words
from comfydesk.qt.theme import Theme
from comfydesk.qt.widgets.buttons import Button, IconButton, Kind
from comfydesk.qt.widgets.labels import ElidedLabel, Label
from comfydesk.qt.widgets.plain import pad
from comfydesk.qt.widgets.sound_card import SoundCard

ZOOM_STEP = 1.25
SMALLEST, LARGEST = 0.02, 16.0


class PictureView(QGraphicsView):
    """A picture that can be zoomed about the pointer and dragged. Fitted until somebody zooms."""

    zoomed = Signal(float)
    """Device pixels per pixel of the picture."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        scene = QGraphicsScene()
        super().__init__(scene, parent)
        self._own_scene = scene
        self._theme = theme
        self._item = QGraphicsPixmapItem()
        self._item.setTransformationMode(Qt.TransformationMode.SmoothTransformation)
        scene.addItem(self._item)
        self.fitted = True
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setDragMode(QGraphicsView.DragMode.ScrollHandDrag)
        self.setTransformationAnchor(QGraphicsView.ViewportAnchor.AnchorUnderMouse)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        self.setAccessibleName("Picture")
        theme.changed.connect(self._restyle)
        self._restyle()

    @property
    def zoom(self) -> float:
        """Device pixels per pixel of the picture; 1 is 1:1."""
        return self.transform().m11() * self.devicePixelRatioF()

    def set_image(self, image: QImage) -> None:
        self._item.setPixmap(QPixmap.fromImage(image))
        self._own_scene.setSceneRect(QRectF(image.rect()))
        self.fit()

    def image_size(self) -> QSize:
        return self._item.pixmap().size()

    def fit(self) -> None:
        """All of the picture; small ones not beyond 1:1."""
        self.fitted = True
        size = self.image_size()
        if size.isEmpty():
            return
        room = self.viewport().size()
        scale = min(room.width() / size.width(), room.height() / size.height(), 1 / self.devicePixelRatioF())
        self._set_scale(scale)

    def set_zoom(self, zoom: float) -> None:
        """Zoom about the middle of the view; 1 is 1:1."""
        self.fitted = False
        self._set_scale(min(LARGEST, max(SMALLEST, zoom)) / self.devicePixelRatioF())

    def wheelEvent(self, event: QWheelEvent) -> None:
        turn = event.angleDelta().y() / 120
        if turn:
            self.set_zoom(self.zoom * ZOOM_STEP**turn)
        event.accept()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self.fitted:
            self.fit()

    def _set_scale(self, scale: float) -> None:
        self.resetTransform()
        self.scale(scale, scale)
        # Pixels are what one wants to see when a picture is enlarged a lot.
        smooth = scale * self.devicePixelRatioF() < 3
        self._item.setTransformationMode(
            Qt.TransformationMode.SmoothTransformation if smooth else Qt.TransformationMode.FastTransformation
        )
        self.zoomed.emit(self.zoom)

    def _restyle(self) -> None:
        self.setBackgroundBrush(self._theme.color("canvas"))


class Viewer(QWidget):
    """Covers its parent while it is open. Made once, opened as often as wanted."""

    closed = Signal()

    def __init__(self, theme: Theme, outputs: OutputModel, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme, self._outputs = theme, outputs
        self._output: int | None = None
        self._back_to: QWidget | None = None
        self._pictures = Pictures(self)
        self._pictures.loaded.connect(self._on_loaded)
        self.view = PictureView(theme)
        self.view.zoomed.connect(self._on_zoomed)
        self._name = ElidedLabel(theme, font="label", middle=True)
        self._facts = Label(theme, font="small", color="text2")
        self._zoom = Label(theme, font="label")
        self._zoom.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._trouble = Label(theme, color="text2", wrap=True, parent=self.view)
        self._trouble.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.card = SoundCard(theme, parent=self.view)
        self.card.hide()
        self.setAccessibleName("Viewer")
        theme.surface(self, "window")
        self._build()
        self._bind_keys()
        self.hide()
        parent.installEventFilter(self)

    # --- What others call -----------------------------------------------------------------------------------------

    def open(self, output: int) -> None:
        """Show the output of that id."""
        row = self._outputs.get(output)
        if row is None:
            return
        self._output = output
        self._name.set_text(Path(row.output.path).name)
        self._facts.setText("")
        self._trouble.hide()
        picture = row.output.media in ("image", "video")
        if picture:
            self._pictures.show(row.output.path, row.output.media)
        else:
            self.view.set_image(QImage())
            self.card.show_output(row.output)
        self.card.setVisible(not picture)
        self.player.setVisible(row.output.media == "video")
        self._cover()
        if not self.isVisible():
            self._back_to = self.window().focusWidget()
            self.show()
            self.raise_()
            self.view.setFocus(Qt.FocusReason.OtherFocusReason)

    def shut(self) -> None:
        """Back to where the keyboard was."""
        if self.isVisible():
            self.hide()
            # A form that was built anew meanwhile has deleted the editor that had the focus.
            if self._back_to is not None and shiboken6.isValid(self._back_to):
                self._back_to.setFocus(Qt.FocusReason.OtherFocusReason)
            self.closed.emit()

    def step(self, by: int) -> None:
        """The next (1) or previous (-1) output of the gallery."""
        at = self._outputs.row_of(self._output)
        if at is None or not 0 <= at + by < self._outputs.rowCount():
            return
        self.open(self._outputs.index(at + by).data(ROW).output.id)

    def release(self) -> None:
        """End the reading thread."""
        self._pictures.close()

    # --- Making ---------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        theme = self._theme
        bar = QWidget()
        row = QHBoxLayout(bar)
        pad(row, theme, 12, 8, 12, 8, gap=8)
        row.addWidget(self._name)
        row.addWidget(self._facts)
        row.addStretch(1)
        self.player = Button(theme, "Play in your player", icon="play")
        self.player.clicked.connect(self._open_outside)
        row.addWidget(self.player)
        for button, slot in (
            (IconButton(theme, "minus", "Zoom out", kind=Kind.SECONDARY), lambda: self._zoom_by(1 / ZOOM_STEP)),
            (IconButton(theme, "plus", "Zoom in", kind=Kind.SECONDARY), lambda: self._zoom_by(ZOOM_STEP)),
            (Button(theme, "Fit"), self.view.fit),
            (Button(theme, "1:1"), lambda: self.view.set_zoom(1)),
            (IconButton(theme, "chevron-left", "Newer"), lambda: self.step(-1)),
            (IconButton(theme, "chevron-right", "Older"), lambda: self.step(1)),
            (IconButton(theme, "close", "Close"), self.shut),
        ):
            button.clicked.connect(slot)
            row.addWidget(button)
        row.insertWidget(5, self._zoom)
        self._zoom.setMinimumWidth(theme.metrics("label").horizontalAdvance("1600 %"))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(bar)
        column.addWidget(self.view, 1)

    def _bind_keys(self) -> None:
        bindings = (
            (Qt.Key.Key_Escape, self.shut),
            (Qt.Key.Key_Plus, lambda: self._zoom_by(ZOOM_STEP)),
            (Qt.Key.Key_Equal, lambda: self._zoom_by(ZOOM_STEP)),
            (Qt.Key.Key_Minus, lambda: self._zoom_by(1 / ZOOM_STEP)),
            (Qt.Key.Key_0, self.view.fit),
            (Qt.Key.Key_1, lambda: self.view.set_zoom(1)),
            (Qt.Key.Key_Left, lambda: self.step(-1)),
            (Qt.Key.Key_Right, lambda: self.step(1)),
        )
        for key, slot in bindings:
            shortcut = QShortcut(QKeySequence(key), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(slot)

    # --- Events ---------------------------------------------------------------------------------------------------

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.parent() and event.type() == QEvent.Type.Resize and self.isVisible():
            self._cover()
        return False

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._trouble.setGeometry(self.view.rect())
        self.card.setGeometry(self.view.rect())

    def _cover(self) -> None:
        parent = self.parentWidget()
        if parent is not None:
            self.move(QPoint(0, 0))
            self.resize(parent.size())

    def _open_outside(self) -> None:
        row = self._outputs.get(self._output)
        if row is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(row.output.path))

    def _zoom_by(self, factor: float) -> None:
        self.view.set_zoom(self.view.zoom * factor)

    def _on_zoomed(self, zoom: float) -> None:
        self._zoom.setText(f"{round(zoom * 100)} %")

    def _on_loaded(self, picture: Picture) -> None:
        row = self._outputs.get(self._output)
        if row is None or row.output.path != picture.path:
            return
        self.view.set_image(picture.image)
        self._trouble.setText(picture.reason or ("" if not picture.image.isNull() else "There is no picture to show."))
        self._trouble.setVisible(bool(self._trouble.text()))
        size = f"{picture.size.width()} {TIMES} {picture.size.height()}" if picture.size.isValid() else ""
        self._facts.setText(" \N{MIDDLE DOT} ".join(part for part in (size, size_words(row.output.size)) if part))
