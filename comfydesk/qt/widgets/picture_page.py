"""A picture, and under it what one steers it with if it moves. It moves in its place: zoom, pan and chequers stay."""

from functools import partial

from PySide6.QtWidgets import QVBoxLayout, QWidget

from comfydesk.qt.models.tiles import TiledPicture
from comfydesk.qt.theme import Theme
from comfydesk.qt.widgets.picture_view import PictureView
from comfydesk.qt.widgets.playback import Playback
from comfydesk.qt.widgets.transport import Transport


class PicturePage(QWidget):
    """The viewer's page for pictures."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.view = PictureView(theme)
        self.playback = Playback(self)
        """Of a picture that moves."""
        self.transport = Transport(theme, self.playback)
        self.transport.show_kind(video=True, sound=False)
        self.transport.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.view, 1)
        column.addWidget(self.transport)
        self.setFocusProxy(self.view)
        self.playback.framed.connect(self._on_frame)

    @property
    def moves(self) -> bool:
        return not self.transport.isHidden()

    def show_picture(self, picture: TiledPicture | None) -> None:
        """Another one, fitted; what it shows may only be known later."""
        self.transport.hide()
        self.playback.close()
        self.view.show_picture(picture)
        if picture is not None:
            picture.opened.connect(partial(self._move, picture))
            self._move(picture)

    def _move(self, picture: TiledPicture) -> None:
        if picture.moves and picture is self.view.picture and not self.moves:
            self.transport.show()
            self.playback.open_moving(picture.path)

    def _on_frame(self) -> None:
        if not self.playback.image.isNull():
            self.view.show_frame(self.playback.image)
