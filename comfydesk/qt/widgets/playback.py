"""Plays a video or a sound: Qt's player where it knows the codec, else frame by frame without sound, and says so."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QRectF, QTimer, QUrl, Signal
from PySide6.QtGui import QImage, QPainter

from comfydesk.qt.theme.language import tr

if TYPE_CHECKING:
    from PySide6.QtMultimedia import QAudioOutput, QMediaPlayer, QVideoSink

    from comfydesk.qt.models.av_frames import AvFrames

SPEEDS = (0.25, 0.5, 1.0, 1.5, 2.0)
_BLIND_MS = 2000
"""A player that has shown nothing by then has no decoder: it does not say so by itself (AV1)."""


class Playback(QObject):
    """Nothing of Qt's multimedia is loaded before `open`. Times are seconds."""

    changed = Signal()
    """Playing, duration, rate, or what it says of itself."""
    moved = Signal(float)
    framed = Signal()
    """Another frame is to be painted."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.duration = self.position = 0.0
        self.rate = 24.0
        self.playing = False
        self.loop = True
        self.speed = 1.0
        self.muted = False
        self.trouble = ""
        """Why it does not play; "" if it does."""
        self.note = ""
        """What is less than it should be: no sound, say."""
        self._path, self._video = "", False
        self._player: QMediaPlayer | None = None
        self._sound: QAudioOutput | None = None
        self._sink: QVideoSink | None = None
        self._frames: AvFrames | None = None
        self._image = QImage()
        self._seen = self._deferred = False
        self._blind = QTimer(self, singleShot=True, interval=_BLIND_MS)
        self._blind.timeout.connect(self._on_blind)

    # --- What is played ---------------------------------------------------------------------------------------------

    def open(self, path: str, *, video: bool, play: bool = True) -> None:
        """Another file."""
        self.close()
        self._path, self._video, self._seen = path, video, False
        self.duration = self.position = 0.0
        self.trouble = self.note = ""
        self._deferred = not video and not play
        if self._deferred:  # no player, no sound server, before somebody wants to hear it
            self.changed.emit()
            return
        if not self._make_player():
            self._fall_back(tr("This build has no player"))
            return
        assert self._player is not None
        self._player.setSource(QUrl.fromLocalFile(path))
        self.play(play)
        if video and not play:
            self._player.pause()  # its first frame
        if video:
            self._blind.start()

    def open_moving(self, path: str) -> None:
        """A picture that moves."""
        from comfydesk.qt.models.av_frames import AvFrames
        from comfydesk.qt.models.moving import MovingDecoder

        self.close()
        self._path, self._video = path, True
        self.duration = self.position = 0.0
        self.trouble = self.note = ""
        self._deferred = False
        self._begin(AvFrames(path, self, decoder=MovingDecoder))

    def close(self) -> None:
        """Stop, and let go of the file."""
        self._blind.stop()
        if self._frames is not None:
            self._frames.close()
            self._frames.deleteLater()
            self._frames = None
        if self._player is not None:
            self._player.stop()
            self._player.setSource(QUrl())
        self._image = QImage()
        self.playing = False

    def paint(self, painter: QPainter, area: QRectF) -> None:
        """The frame that is shown now, as large as fits into `area`."""
        from PySide6.QtCore import Qt

        if not self._image.isNull():
            size = self._image.size().scaled(area.size().toSize(), Qt.AspectRatioMode.KeepAspectRatio)
            place = QRectF(0, 0, size.width(), size.height())
            place.moveCenter(area.center())
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(place, self._image)
        elif self._sink is not None and self._sink.videoFrame().isValid():
            from PySide6.QtMultimedia import QVideoFrame

            self._sink.videoFrame().paint(painter, area, QVideoFrame.PaintOptions())

    @property
    def image(self) -> QImage:
        """The frame that is shown, where it is shown frame by frame."""
        return self._image

    @property
    def has_picture(self) -> bool:
        return self._seen or not self._image.isNull()

    # --- Hands ------------------------------------------------------------------------------------------------------

    def play(self, playing: bool) -> None:
        if self.trouble:
            return
        if self._deferred:
            if playing:
                self.open(self._path, video=self._video)
            return
        if self._frames is not None:
            if playing and self.duration and self.position >= self.duration - 1.5 / self.rate:
                self._frames.seek(0)
            self._frames.play(playing)
            self.playing = playing
            self.changed.emit()
        elif self._player is not None:
            (self._player.play if playing else self._player.pause)()

    def toggle(self) -> None:
        self.play(not self.playing)

    def seek(self, seconds: float) -> None:
        seconds = max(0.0, min(seconds, self.duration))
        if self._frames is not None:
            self._frames.seek(seconds)
        elif self._player is not None:
            self._player.setPosition(round(seconds * 1000))
        self.position = seconds
        self.moved.emit(seconds)

    def step(self, by: int) -> None:
        """So many frames on or back; it stands still then."""
        self.play(False)
        if self._frames is not None and by == 1:
            self._frames.step()
        else:
            at = round(self.position * self.rate) + by
            self.seek((at + 0.1) / self.rate)

    def set_loop(self, loop: bool) -> None:
        self.loop = loop
        if self._player is not None:
            endless = self._player.Loops.Infinite if loop else self._player.Loops.Once
            self._player.setLoops(endless)

    def set_speed(self, speed: float) -> None:
        self.speed = speed
        if self._player is not None:
            self._player.setPlaybackRate(speed)
        if self._frames is not None:
            self._frames.set_speed(speed)
        self.changed.emit()

    def set_muted(self, muted: bool) -> None:
        self.muted = muted
        if self._sound is not None:
            self._sound.setMuted(muted)
        self.changed.emit()

    # --- Qt's player ------------------------------------------------------------------------------------------------

    def _make_player(self) -> bool:
        if self._player is not None:
            return True
        try:
            # 40 MB of decoders that most sessions never need.
            from PySide6.QtMultimedia import QAudioOutput, QMediaPlayer, QVideoSink
        except ImportError:
            return False
        self._player, self._sound, self._sink = QMediaPlayer(self), QAudioOutput(self), QVideoSink(self)
        self._player.setAudioOutput(self._sound)
        self._player.setVideoSink(self._sink)
        self._sound.setMuted(self.muted)
        self._player.setPlaybackRate(self.speed)
        self.set_loop(self.loop)
        self._player.positionChanged.connect(self._on_position)
        self._player.durationChanged.connect(self._on_duration)
        self._player.playingChanged.connect(self._on_playing)
        self._player.metaDataChanged.connect(self._on_facts)
        self._player.mediaStatusChanged.connect(self._on_status)
        self._player.errorOccurred.connect(lambda _, words: self._fall_back(words))
        self._sink.videoFrameChanged.connect(self._on_frame)
        return True

    def _on_position(self, milliseconds: int) -> None:
        if self._frames is None:
            self.position = milliseconds / 1000
            self.moved.emit(self.position)

    def _on_duration(self, milliseconds: int) -> None:
        if self._frames is None and milliseconds > 0:
            self.duration = milliseconds / 1000
            self.changed.emit()

    def _on_playing(self, playing: bool) -> None:
        if self._frames is None:
            self.playing = playing
            self.changed.emit()

    def _on_facts(self) -> None:
        from PySide6.QtMultimedia import QMediaMetaData

        assert self._player is not None
        rate = self._player.metaData().value(QMediaMetaData.Key.VideoFrameRate)
        if isinstance(rate, int | float) and rate > 0:
            self.rate = float(rate)

    def _on_status(self, status: object) -> None:
        from PySide6.QtMultimedia import QMediaPlayer

        if status is QMediaPlayer.MediaStatus.EndOfMedia and self._video and not self._seen:
            self._on_blind()

    def _on_frame(self) -> None:
        assert self._sink is not None
        if self._sink.videoFrame().isValid():
            self._seen = True
            self._blind.stop()
            self.framed.emit()

    # --- Frame by frame ---------------------------------------------------------------------------------------------

    def _on_blind(self) -> None:
        if self._path and not self._seen and self._frames is None:
            self._fall_back(tr("The player has no decoder for it"))

    def _fall_back(self, why: str) -> None:
        if self._frames is not None or not self._path:
            return
        self._blind.stop()
        if not self._video:
            self.trouble = tr("It cannot be played here: {why}.", why=why.rstrip("."))
            self.changed.emit()
            return
        from comfydesk.qt.models.av_frames import AvFrames

        if self._player is not None:
            self._player.stop()
        self.note = tr("Shown frame by frame, without sound: {why}.", why=why.rstrip("."))
        self._begin(AvFrames(self._path, self))

    def _begin(self, frames: "AvFrames") -> None:
        self._frames = frames
        self._frames.opened.connect(self._on_opened)
        self._frames.shown.connect(self._on_image)
        self._frames.ended.connect(self._on_end)
        self._frames.failed.connect(self._on_failed)
        self._frames.set_speed(self.speed)
        self._frames.play(True)
        self.playing = True
        self.changed.emit()

    def _on_opened(self, duration: float, rate: float) -> None:
        self.duration, self.rate = duration, rate
        self.changed.emit()

    def _on_image(self, image: QImage, at: float) -> None:
        self._image, self.position = image, at
        self.moved.emit(at)
        self.framed.emit()

    def _on_end(self) -> None:
        if self.loop and self._frames is not None and self.playing:
            self._frames.seek(0)
            self._frames.play(True)
        else:
            self.playing = False
            self.changed.emit()

    def _on_failed(self, why: str) -> None:
        self.trouble = tr("It cannot be shown: {why}.", why=why.rstrip("."))
        self.playing = False
        self.changed.emit()
