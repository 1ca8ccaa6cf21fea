"""Frames of a file one after another, without sound: of videos whose codec the player does not know, decoded by PyAV,
and of pictures that move (see moving).
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Protocol

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtGui import QImage

from comfydesk.errors import MediaError

if TYPE_CHECKING:
    import av

_LARGEST = 1920
"""Pixels on the longer side of what is handed on."""
MAX_PIXELS = 64_000_000
_UNEVEN = 0.002
"""Seconds by which frames may differ without the clock being set anew."""


class Decoder(Protocol):
    """One open file. Made and used on one worker thread. Times are seconds."""

    rate: float
    """Frames a second, on average."""
    duration: float

    def at(self, seconds: float | None) -> tuple[QImage, float] | None:
        """The next frame (None), or the one shown at that moment, with its time; None at the end. Raises MediaError."""

    def delay(self) -> float:
        """How long the frame that `at` gave last is shown."""

    def close(self) -> None:
        """Let go of the file."""


class VideoDecoder:
    """By PyAV."""

    def __init__(self, path: str) -> None:
        import av

        try:
            self._container = av.open(path, metadata_errors="replace")
            self._stream = self._container.streams.video[0]
        except (av.error.FFmpegError, OSError, IndexError) as error:
            raise MediaError("No picture", str(error) or "There is no video in it") from error
        if self._stream.width * self._stream.height > MAX_PIXELS:
            raise MediaError("No picture", "Its pictures are too large")
        self._stream.thread_type = "AUTO"
        self.rate = float(self._stream.average_rate or 24)
        length = self._container.duration
        self.duration = length / 1_000_000 if length else 0.0
        self._frames: Iterator[av.VideoFrame] = self._container.decode(self._stream)

    def at(self, seconds: float | None) -> tuple[QImage, float] | None:
        import av

        try:
            if seconds is not None:
                base = self._stream.time_base or 1
                self._container.seek(max(0, int(seconds / base)), stream=self._stream)
                self._frames = self._container.decode(self._stream)
            for frame in self._frames:
                when = float(frame.time or 0.0)
                if seconds is None or when + 0.5 / self.rate >= seconds:
                    return _image(frame), when
        except (av.error.FFmpegError, OSError, ValueError) as error:
            raise MediaError("No picture", str(error)) from error
        return None

    def delay(self) -> float:
        return 1 / self.rate

    def close(self) -> None:
        self._container.close()


def _image(frame: "av.VideoFrame") -> QImage:
    scale = min(1.0, _LARGEST / max(frame.width, frame.height))
    wide, high = max(2, round(frame.width * scale)), max(2, round(frame.height * scale))
    plane = frame.reformat(width=wide, height=high, format="rgb24").planes[0]
    return QImage(bytes(plane), wide, high, plane.line_size, QImage.Format.Format_RGB888).copy()


class AvFrames(QObject):
    """Plays by showing frame after frame; where decoding takes longer than a frame, it plays slower."""

    shown = Signal(QImage, float)
    """A frame and its time in seconds."""
    opened = Signal(float, float)
    """Duration in seconds, frames per second."""
    ended = Signal()
    failed = Signal(str)
    _worked = Signal(object)

    def __init__(
        self, path: str, parent: QObject | None = None, *, decoder: Callable[[str], Decoder] = VideoDecoder
    ) -> None:
        super().__init__(parent)
        self._path = path
        self._make = decoder
        self._decoder: Decoder | None = None
        self._delay = 0.0
        """Of the frame that is shown."""
        self._told = False
        """`opened` was."""
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="frames")
        self._busy = False
        self._wanted: list[float | None] = [0.0]
        self._playing, self._speed = False, 1.0
        self._timer = QTimer(self, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(lambda: self._ask(None))
        self._worked.connect(self._on_worked, Qt.ConnectionType.QueuedConnection)
        self._next()

    def play(self, playing: bool) -> None:
        self._playing = playing
        self._pace()

    def set_speed(self, speed: float) -> None:
        self._speed = speed
        self._pace()

    def seek(self, seconds: float) -> None:
        """Exactly the frame that is shown at that moment."""
        self._wanted = [max(0.0, seconds)]
        self._next()

    def step(self) -> None:
        """One frame further."""
        self._ask(None)

    def close(self) -> None:
        self._timer.stop()
        self._wanted = []
        decoder = self._decoder
        if decoder is not None:
            self._worker.submit(decoder.close)
        self._worker.shutdown(wait=True)
        self._worked.disconnect(self._on_worked)

    # --- Inside -----------------------------------------------------------------------------------------------------

    def _pace(self) -> None:
        if self._playing and self._decoder is not None:
            self._timer.start(max(4, round(1000 * (self._delay or 1 / self._decoder.rate) / self._speed)))
        else:
            self._timer.stop()

    def _ask(self, seconds: float | None) -> None:
        if not self._wanted:
            self._wanted = [seconds]
            self._next()

    def _next(self) -> None:
        if self._busy or not self._wanted:
            return
        self._busy = True
        self._worker.submit(self._read, self._wanted.pop()).add_done_callback(self._hand_over)

    def _read(self, seconds: float | None) -> tuple[QImage, float] | None:
        if self._decoder is None:
            self._decoder = self._make(self._path)
        return self._decoder.at(seconds)

    def _hand_over(self, future: "Future[tuple[QImage, float] | None]") -> None:
        if not future.cancelled():
            self._worked.emit(future)

    def _on_worked(self, future: "Future[tuple[QImage, float] | None]") -> None:
        self._busy = False
        error = future.exception()
        if error is not None:
            self._timer.stop()
            self.failed.emit(error.why if isinstance(error, MediaError) else type(error).__name__)
            return
        decoder, found = self._decoder, future.result()
        if decoder is not None and not self._told:
            self._told = True
            self.opened.emit(decoder.duration, decoder.rate)
            self._pace()
        if decoder is not None and found is not None and abs(decoder.delay() - self._delay) > _UNEVEN:
            self._delay = decoder.delay()
            self._pace()
        if found is None:
            self._timer.stop()
            self.ended.emit()
        else:
            self.shown.emit(*found)
        self._next()
