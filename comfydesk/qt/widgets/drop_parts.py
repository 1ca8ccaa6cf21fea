"""The two faces of a drop zone: what to do while it is empty, and what is in it."""

from typing import Any

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from comfydesk.qt.models.tips import plain_tip
from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets import paint
from comfydesk.qt.widgets.buttons import Button, IconButton, Kind, Size
from comfydesk.qt.widgets.drop_files import ICONS, Media, noun
from comfydesk.qt.widgets.labels import ElidedLabel, Label
from comfydesk.qt.widgets.thumbnail import paint_thumbnail


class EmptyFace(QWidget):
    """What can be done, and its buttons."""

    def __init__(self, theme: Theme, media: Media, *, on_pod: bool, in_library: bool) -> None:
        super().__init__()
        self._theme, self._media = theme, media
        self._label = Label(theme, tr("Drop or paste a {noun}", noun=noun(media)), color="text2", wrap=True)
        self._label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.choose = Button(theme, tr("Choose\N{HORIZONTAL ELLIPSIS}"), size=Size.COMPACT)
        self.library = Button(theme, tr("From the library"), kind=Kind.GHOST, size=Size.COMPACT)
        self.pod = Button(theme, tr("From the pod"), kind=Kind.GHOST, size=Size.COMPACT)
        self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        center = Qt.AlignmentFlag.AlignHCenter
        self._row.addStretch(1)
        for button in (self.choose, self.library, self.pod):
            self._row.addWidget(button, 0, center)
        self._row.addStretch(1)
        column = QVBoxLayout(self)
        column.addStretch(1)
        column.addSpacing(theme.px(20))
        column.addWidget(self._label)
        column.addLayout(self._row)
        column.addStretch(1)
        # Not before they are in the layout: shown without a parent, a widget is a window, and takes the keyboard.
        self.library.setVisible(in_library)
        self.pod.setVisible(on_pod)
        theme.changed.connect(self._turn)
        self._turn()

    def _turn(self) -> None:
        """Large words stand below each other."""
        direction = QBoxLayout.Direction
        self._row.setDirection(direction.TopToBottom if self._theme.labels_above else direction.LeftToRight)
        self._row.setSpacing(self._theme.px(4))

    def paintEvent(self, _event: QPaintEvent) -> None:
        side = self._theme.px(20)
        spot = QRect(0, self._label.geometry().top() - side - self._theme.px(4), self.width(), side)
        paint.icon_in(QPainter(self), self._theme, spot, ICONS[self._media], "text2", 20)


class FilledFace(QWidget):
    """Thumbnail, name, size, how it is fitted; Replace, and where else one can be had."""

    def __init__(self, theme: Theme, media: Media) -> None:
        super().__init__()
        self._theme = theme
        self.preview = Preview(theme, media)
        self._name = ElidedLabel(theme, font="small_strong", middle=True)
        self._details = ElidedLabel(theme, font="caption", color="text2")
        self.fit = ElidedLabel(theme, font="caption", color="text2")
        self.replace = Button(theme, tr("Replace"), size=Size.COMPACT)
        self.more = IconButton(theme, "chevron-down", tr("Other ways to replace it"), size=Size.COMPACT)
        self._row = QHBoxLayout(self)
        self._row.addWidget(self.preview)
        self._column = QVBoxLayout()
        self._row.addLayout(self._column, 1)
        for part in (self._name, self._details, self.fit):
            self._column.addWidget(part)
        self._column.addStretch(1)
        self._buttons = QHBoxLayout()
        self._buttons.addWidget(self.replace)
        self._buttons.addWidget(self.more)
        self._buttons.addStretch(1)
        self._column.addLayout(self._buttons)
        theme.changed.connect(self._measure)
        self._measure()

    def tell(self, name: str, details: str, *, doubtful: bool = False) -> None:
        """`doubtful`: what is said is a warning."""
        self._name.set_text(name)
        self._details.set_text(details)
        self._details.set_color("warning" if doubtful else "text2")

    def _measure(self) -> None:
        px = self._theme.px
        self._row.setContentsMargins(px(8), px(8), px(8), px(8))
        self._row.setSpacing(px(12))
        self._column.setSpacing(px(4))
        self._buttons.setSpacing(px(2))


class Preview(QWidget):
    """The thumbnail: as high as the zone, 16:9."""

    def __init__(self, theme: Theme, media: Media) -> None:
        super().__init__()
        self._theme, self._media = theme, media
        self._picture: Any = None
        self._broken = False
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Expanding)

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(132), self._theme.px(80))

    def minimumSizeHint(self) -> QSize:
        # Large words beside it need the room.
        return QSize(64, self._theme.px(48))

    def show_picture(self, picture: Any) -> None:
        self._picture, self._broken = picture, False
        self.setToolTip("")
        self.update()

    def show_broken(self, reason: str) -> None:
        self._picture, self._broken = None, True
        self.setToolTip(plain_tip(reason))
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        icon = ICONS[self._media]
        paint_thumbnail(
            QPainter(self), self._theme, self.rect(), self._picture, icon=icon, broken=self._broken, radius=2
        )
