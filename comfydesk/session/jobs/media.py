"""Whether a saved file opens, how large and how long it is."""

import io
import os
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from comfydesk.session.jobs.animation import frame_times, frame_times_in

MAX_PIXELS = 120_000_000
"""Of a picture that is decoded whole to see whether it opens; of larger ones the structure is checked."""
AT_ONCE = 8 << 20
"""Bytes of a picture that is read into memory to be looked at."""
DECODED = frozenset({"png", "apng", "jpg", "jpeg", "webp", "gif", "bmp", "tif", "tiff", "tga", "ico"})
"""Extensions of pictures that Pillow always reads: what it cannot open of those is broken."""
MOVING = frozenset({".png", ".apng", ".webp", ".gif"})
"""Pictures that may move."""


@dataclass(frozen=True, slots=True)
class Measures:
    """Pixels and seconds; None where it has none, or none can be read."""

    width: int | None = None
    height: int | None = None
    duration: float | None = None


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look into a file found."""

    measures: Measures = Measures()
    problem: str = ""
    """Why it does not open; empty if it does, or if nobody here can tell."""


def look(path: Path, media: str) -> Looked:
    """Open a file and decode what proves it whole: a picture all of it, a recording its first frame.

    For a worker thread: a large picture takes tenths of a second. Never raises for what is in the file.
    """
    if media == "image":
        return _picture(path)
    if media in ("video", "audio"):
        return _recording(path)
    return Looked(problem="it is empty" if media in ("text", "model3d") and _is_empty(path) else "")


def _is_empty(path: Path) -> bool:
    try:
        return path.stat().st_size == 0
    except OSError:
        return False


def _picture(path: Path) -> Looked:
    # Imported where needed, here and below: 60 and 100 ms.
    from PIL import Image, UnidentifiedImageError

    size: tuple[int, int] | None = None
    seconds: float | None = None
    try:
        with _opened(path) as file:
            with Image.open(file) as picture:
                size = picture.size
                picture.verify()
            if size[0] * size[1] <= MAX_PIXELS:
                file.seek(0)
                with Image.open(file) as picture:
                    picture.load()
            if path.suffix.lower() in MOVING:
                file.seek(0)
                seconds = sum(frame_times_in(file)) or None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning, MemoryError):
        return Looked(Measures(*(size or (None, None))))  # too large to be looked at here, which is no fault of it
    except (OSError, UnidentifiedImageError, ValueError, SyntaxError, EOFError, IndexError, KeyError) as error:
        known = path.suffix.lower().lstrip(".") in DECODED
        return Looked(Measures(*(size or (None, None))), _words(error, "the picture") if known else "")
    return Looked(Measures(*size, seconds))


def _opened(path: Path) -> BinaryIO:
    """To be read several times: what is not large is read from the disk once."""
    file = path.open("rb")
    if os.fstat(file.fileno()).st_size > AT_ONCE:
        return file
    with file:
        return io.BytesIO(file.read())


def moving_seconds(path: Path) -> float | None:
    """How long a picture that moves takes; None for others, and for what nobody can read."""
    if path.suffix.lower() not in MOVING:
        return None
    try:
        return sum(frame_times(path)) or None
    except OSError:
        return None


def _recording(path: Path) -> Looked:
    import av

    measures = Measures()
    try:
        with av.open(str(path)) as container:
            seconds = container.duration / av.time_base if container.duration else None
            for stream in container.streams.video:
                measures = Measures(stream.width, stream.height, seconds)
                break
            else:
                measures = Measures(duration=seconds)
            playable = next((one for one in container.streams if one.type in ("video", "audio")), None)
            if playable is None:
                return Looked(measures, "it has neither picture nor sound")
            for _ in container.decode(playable):
                return Looked(measures)
            return Looked(measures, "it has no frame that can be decoded")
    except (av.FFmpegError, OSError, ValueError) as error:
        return Looked(measures, _words(error, "the recording"))


def _words(error: Exception, what: str) -> str:
    detail = str(error).split("\n", 1)[0].split(": '", 1)[0].split(" '", 1)[0]
    return f"{what} cannot be decoded ({detail or type(error).__name__})"
