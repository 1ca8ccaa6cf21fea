"""A sound, or another file that is no picture: its name and length, Play here, or Open in the system's own player."""

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QHideEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from comfydesk.qt.models.words import DOT, clock, size_words
from comfydesk.qt.theme import Theme
from comfydesk.qt.theme.language import tr
from comfydesk.qt.widgets.buttons import Button
from comfydesk.qt.widgets.labels import Label
from comfydesk.qt.widgets.plain import Icon
from comfydesk.store.records import Output

if TYPE_CHECKING:
    from PySide6.QtMultimedia import QAudioOutput, QMediaPlayer

ICONS = {"audio": "audio", "video": "video", "text": "text", "model3d": "cube"}
PLAYABLE = "audio"


class SoundCard(QWidget):
    """`opened` with a path when it was given to the system's player. Hidden or told of another file, it stops."""

    opened = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._output: Output | None = None
        self._player: QMediaPlayer | None = None
        self._sound: QAudioOutput | None = None
        self.icon = Icon(theme, "audio")
        self.name = Label(theme, font="label", wrap=True)
        self.name.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.name.setMinimumWidth(theme.px(280))
        self.facts = Label(theme, font="small", color="text2")
        self.trouble = Label(theme, font="small", color="warning", wrap=True)
        self.play = Button(theme, tr("Play"), icon="play")
        self.open = Button(theme, tr("Open in your player"))
        buttons = QHBoxLayout()
        buttons.setSpacing(theme.px(8))
        for part in (self.play, self.open):
            buttons.addWidget(part)
        column = QVBoxLayout(self)
        column.setSpacing(theme.px(8))
        column.addStretch(1)
        center = Qt.AlignmentFlag.AlignHCenter
        for widget in (self.icon, self.name, self.facts, self.trouble):
            column.addWidget(widget, 0, center)
        column.addLayout(buttons)
        column.setAlignment(buttons, center)
        column.addStretch(1)
        self.setAccessibleName(tr("Sound"))
        self.play.clicked.connect(self.toggle)
        self.open.clicked.connect(self._open)
        theme.surface(self, "canvas")

    def show_output(self, output: Output) -> None:
        """Another file; what played before stops."""
        if self._output is not None and output.path == self._output.path:
            return
        self.stop()
        self._output = output
        name = Path(output.path).name
        self.icon.set_icon(ICONS.get(output.media, "file"), "text2")
        self.name.setText(name)
        length = clock(output.duration) if output.duration is not None else ""
        self.facts.setText(f" {DOT} ".join(part for part in (length, size_words(output.size)) if part))
        self.trouble.hide()
        self.play.setVisible(output.media == PLAYABLE)
        self.open.setText(tr("Open in your player") if output.media in ("audio", "video") else tr("Open"))
        self.setAccessibleName(", ".join(part for part in (name, length) if part))

    def toggle(self) -> None:
        """Play, or stop what plays."""
        if self._player is not None and self._player.isPlaying():
            self.stop()
        elif self._output is not None:
            self._begin(self._output.path)

    def stop(self) -> None:
        if self._player is not None:
            self._player.stop()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.stop()

    def _begin(self, path: str) -> None:
        if self._player is None:
            try:
                # 40 MB of decoders that most sessions never need.
                from PySide6.QtMultimedia import QAudioOutput, QMediaPlayer
            except ImportError:
                self._tell(tr("This build cannot play sounds. Open it in your player."))
                return
            self._player, self._sound = QMediaPlayer(self), QAudioOutput(self)
            self._player.setAudioOutput(self._sound)
            self._player.playingChanged.connect(self._on_playing)
            self._player.errorOccurred.connect(self._on_error)
        self.trouble.hide()
        self._player.setSource(QUrl.fromLocalFile(path))
        self._player.play()

    def _on_playing(self, playing: bool) -> None:
        self.play.setText(tr("Stop") if playing else tr("Play"))
        self.play.set_icon("stop" if playing else "play")

    def _on_error(self, _error: object, words: str) -> None:
        self._tell(tr("It cannot be played here ({words}). Open it in your player.", words=words))

    def _tell(self, words: str) -> None:
        self.trouble.setText(words)
        self.trouble.show()

    def _open(self) -> None:
        if self._output is not None:
            self.stop()
            QDesktopServices.openUrl(QUrl.fromLocalFile(self._output.path))
            self.opened.emit(self._output.path)
