"""A video, or a sound as its wave, with its controls below; in words what cannot be played, and a way out."""

from PySide6.QtCore import QRect, QRectF, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from comfydesk.qt.models.thumbnails import Thumbnails
from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets import paint
from comfydesk.qt.widgets.buttons import Button
from comfydesk.qt.widgets.labels import Label
from comfydesk.qt.widgets.plain import pad
from comfydesk.qt.widgets.playback import Playback
from comfydesk.qt.widgets.transport import Transport
from comfydesk.session.gallery.thumbnails import EDGES
from comfydesk.store.records import Output


class _Screen(QWidget):
    """The frame, or the wave with a line where it plays."""

    clicked = Signal()
    sought = Signal(float)
    """0 to 1, on a wave."""

    def __init__(self, theme: Theme, playback: Playback, thumbnails: Thumbnails) -> None:
        super().__init__()
        self._theme, self._playback, self._thumbnails = theme, playback, thumbnails
        self.output: Output | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        playback.framed.connect(self.update)
        playback.moved.connect(self._on_moved)
        thumbnails.ready.connect(lambda _: self.update())
        theme.changed.connect(self.update)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter, output = QPainter(self), self.output
        painter.fillRect(self.rect(), self._theme.color("canvas"))
        if output is None:
            return
        if output.media == "audio":
            self._paint_wave(painter, output)
        elif self._playback.has_picture:
            self._playback.paint(painter, QRectF(self.rect()))
        else:
            poster = self._poster(output)
            if poster is not None:
                size = poster.size().scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
                place = paint.centred(self.rect(), size.width(), size.height())
                painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
                painter.drawPixmap(place.toRect(), poster)

    def _poster(self, output: Output) -> QPixmap | None:
        return self._thumbnails.get(output.path, output.media, sha256=output.sha256, edge=EDGES[-1])

    def _wave(self) -> QRect:
        px = self._theme.px
        area = self.rect().adjusted(px(48), px(48), -px(48), -px(48))
        high = min(area.height(), px(240))
        return QRect(area.x(), area.center().y() - high // 2, area.width(), high)

    def _paint_wave(self, painter: QPainter, output: Output) -> None:
        area, wave = self._wave(), self._poster(output)
        if wave is not None:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawPixmap(area, wave)
        else:
            paint.icon_in(painter, self._theme, area, "audio", "text2", 20)
        length = self._playback.duration
        if length:
            x = area.left() + round(area.width() * self._playback.position / length)
            painter.fillRect(
                QRect(x, area.top(), max(1, self._theme.px(2)), area.height()), self._theme.color("accent")
            )

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._seek(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._seek(event)

    def mouseReleaseEvent(self, _event: QMouseEvent) -> None:
        if self.output is not None and self.output.media == "video":
            self.clicked.emit()

    def _seek(self, event: QMouseEvent) -> None:
        area = self._wave()
        if self.output is not None and self.output.media == "audio" and area.width():
            self.sought.emit(min(1.0, max(0.0, (event.position().x() - area.left()) / area.width())))

    def _on_moved(self, _at: float) -> None:
        if self.output is not None and self.output.media == "audio":
            self.update()


class MediaView(QWidget):
    """`external` when the user wants it in the system's player."""

    external = Signal()

    def __init__(self, theme: Theme, thumbnails: Thumbnails, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self.playback = Playback(self)
        self.screen_view = _Screen(theme, self.playback, thumbnails)
        self.transport = Transport(theme, self.playback)
        self.note = Label(theme, font="small", color="warning", wrap=True)
        self.open = Button(theme, tr("Open in your player"), icon="open")
        self.setAccessibleName(tr("Player"))
        theme.surface(self, "canvas")
        self._notice = QWidget()
        row = QHBoxLayout(self._notice)
        pad(row, theme, 16, 8, 16, 8, gap=12)
        row.addWidget(self.note, 1)
        row.addWidget(self.open)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.screen_view, 1)
        column.addWidget(self._notice)
        column.addWidget(self.transport)
        self.open.clicked.connect(self.external)
        self.screen_view.clicked.connect(self.playback.toggle)
        self.screen_view.sought.connect(lambda part: self.playback.seek(part * self.playback.duration))
        self.playback.changed.connect(self._tell)
        self._tell()

    def show_output(self, output: Output, *, play: bool) -> None:
        """Another file."""
        self.screen_view.output = output
        video = output.media == "video"
        self.transport.show_kind(video=video)
        self.screen_view.setAccessibleName(output.prompt or output.path)
        self.playback.open(output.path, video=video, play=play)
        self.screen_view.update()

    def stop(self) -> None:
        """Nothing is to be heard any more."""
        self.screen_view.output = None
        self.playback.close()

    def _tell(self) -> None:
        words = self.playback.trouble or self.playback.note
        self.note.setText(words)
        self._notice.setVisible(bool(words))
