"""Pictures that move, frame by frame: GIF and animated WebP by Qt, animated PNG by Pillow. For av_frames."""

from bisect import bisect_right
from itertools import accumulate
from pathlib import Path

from PySide6.QtGui import QImage, QImageReader

from comfydesk.errors import MediaError
from comfydesk.qt.models.av_frames import MAX_PIXELS
from comfydesk.qt.models.picture_files import shown
from comfydesk.qt.models.png_bands import read_header
from comfydesk.session.jobs.animation import frame_times


class MovingDecoder:
    """See av_frames.Decoder. Raises MediaError."""

    def __init__(self, path: str) -> None:
        try:
            self._times = frame_times(Path(path))
        except OSError as error:
            raise MediaError("No picture", error.strerror or str(error)) from error
        if not self._times:
            raise MediaError("No picture", "It does not move")
        self._begins = [0.0, *accumulate(self._times)]
        self.duration = self._begins.pop()
        self.rate = len(self._times) / self.duration
        self._path = path
        self._next = 0
        self._reader: _QtFrames | _PillowFrames | None = None

    def at(self, seconds: float | None) -> tuple[QImage, float] | None:
        if seconds is not None:
            number = max(0, bisect_right(self._begins, seconds + 0.001) - 1)
            if number < self._next:
                self._close()
        else:
            number = self._next
        image = None
        try:
            while self._next <= number < len(self._times):
                image = self._read()
        except MediaError:
            if not self._next:
                raise
            self._times = self._times[: self._next]  # the file ends early: what there is is played
        return None if image is None else (shown(image), self._begins[self._next - 1])

    def delay(self) -> float:
        return self._times[max(0, self._next - 1)]

    def close(self) -> None:
        self._close()

    def _read(self) -> QImage:
        """The next frame; each is made of those before."""
        if self._reader is None:
            self._reader = (_PillowFrames if read_header(Path(self._path)) is not None else _QtFrames)(self._path)
        image = self._reader.next()
        self._next += 1
        return image

    def _close(self) -> None:
        reader, self._reader, self._next = self._reader, None, 0
        if reader is not None:
            reader.close()


class _QtFrames:
    def __init__(self, path: str) -> None:
        self._reader = QImageReader(path)
        self._reader.setDecideFormatFromContent(True)
        size = self._reader.size()
        if size.width() * size.height() > MAX_PIXELS:
            raise MediaError("No picture", "Its pictures are too large")

    def next(self) -> QImage:
        image = self._reader.read()
        if image.isNull():
            raise MediaError("No picture", self._reader.errorString().rstrip("."))
        return image

    def close(self) -> None:
        """Nothing is held but by the reader itself."""


class _PillowFrames:
    def __init__(self, path: str) -> None:
        from PIL import Image, UnidentifiedImageError

        self._number = 0
        try:
            self._image = Image.open(path)
        except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
            raise MediaError("No picture", str(error)) from error
        if self._image.width * self._image.height > MAX_PIXELS:
            raise MediaError("No picture", "Its pictures are too large")

    def next(self) -> QImage:
        try:
            self._image.seek(self._number)
            whole = self._image.convert("RGBA")
        except (OSError, ValueError, SyntaxError, EOFError, LookupError) as error:
            raise MediaError("No picture", str(error) or "The file ends early") from error
        self._number += 1
        data = whole.tobytes()
        return QImage(data, whole.width, whole.height, whole.width * 4, QImage.Format.Format_RGBA8888).copy()

    def close(self) -> None:
        self._image.close()
