"""The controls under a video or sound: play, frame by frame, a line to seek on, speed, loop, sound."""

from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QHBoxLayout, QWidget

from comfydesk.qt.models.words import clock
from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets.buttons import Button, IconButton, Kind
from comfydesk.qt.widgets.labels import Label
from comfydesk.qt.widgets.menu import Menu
from comfydesk.qt.widgets.plain import pad
from comfydesk.qt.widgets.playback import SPEEDS, Playback
from comfydesk.qt.widgets.slider import Slider

_STEPS = 1000


class Transport(QWidget):
    """Shows and steers a Playback."""

    def __init__(self, theme: Theme, playback: Playback, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._playback = theme, playback
        theme.surface(self, "window")
        self.play = IconButton(theme, "play", tr("Play"), kind=Kind.SECONDARY)
        self.back = IconButton(theme, "chevron-left", tr("One frame back"))
        self.on = IconButton(theme, "chevron-right", tr("One frame on"))
        self.line = Slider(theme, _STEPS)
        self.line.setAccessibleName(tr("Position"))
        self.time = Label(theme, font="small", color="text2")
        self.speed = Button(theme, "1\N{MULTIPLICATION SIGN}", kind=Kind.GHOST, menu=True)
        self.speed.setAccessibleName(tr("Speed"))
        self.loop = IconButton(theme, "loop", tr("Play again and again"), checkable=True)
        self.mute = IconButton(theme, "volume", tr("Sound off"), checkable=True)
        row = QHBoxLayout(self)
        pad(row, theme, 12, 8, 12, 8, gap=8)
        for widget in (self.play, self.back, self.on):
            row.addWidget(widget)
        row.addWidget(self.line, 1)
        row.addWidget(self.time)
        for button in (self.speed, self.loop, self.mute):
            row.addWidget(button)
        self._menu = Menu(theme, parent=self)
        for speed in SPEEDS:
            act = self._menu.add(_times(speed))
            act.triggered.connect(lambda _=False, speed=speed: playback.set_speed(speed))
        self._join()

    def show_kind(self, *, video: bool, sound: bool = True) -> None:
        """Sounds have no frames, and pictures that move no `sound`."""
        self.back.setVisible(video)
        self.on.setVisible(video)
        self.mute.setVisible(sound)

    def _join(self) -> None:
        playback = self._playback
        self.play.clicked.connect(playback.toggle)
        self.back.clicked.connect(lambda: playback.step(-1))
        self.on.clicked.connect(lambda: playback.step(1))
        self.line.valueChanged.connect(self._on_line)
        self.speed.clicked.connect(self._offer_speeds)
        self.loop.clicked.connect(playback.set_loop)
        self.mute.clicked.connect(playback.set_muted)
        playback.moved.connect(self._on_moved)
        playback.changed.connect(self._show)
        self._show()

    def _offer_speeds(self) -> None:
        high = self._menu.sizeHint().height()
        self._menu.popup(self.speed.mapToGlobal(QPoint(0, -high)))

    def _on_line(self, value: int) -> None:
        self._playback.seek(self._playback.duration * value / _STEPS)

    def _on_moved(self, at: float) -> None:
        playback = self._playback
        self.line.blockSignals(True)
        self.line.setValue(round(at / playback.duration * _STEPS) if playback.duration else 0)
        self.line.blockSignals(False)
        self.line.update()
        self.time.setText(f"{clock(at)} / {clock(playback.duration)}")

    def _show(self) -> None:
        playback = self._playback
        self.play.set_icon("pause" if playback.playing else "play")
        self.play.set_name(tr("Pause") if playback.playing else tr("Play"))
        self.speed.setText(_times(playback.speed))
        self.loop.setChecked(playback.loop)
        self.mute.setChecked(playback.muted)
        self.mute.set_icon("mute" if playback.muted else "volume")
        for widget in (self.play, self.back, self.on, self.line):
            widget.setEnabled(not playback.trouble)
        self._on_moved(playback.position)


def _times(speed: float) -> str:
    return f"{speed:g}\N{MULTIPLICATION SIGN}"
