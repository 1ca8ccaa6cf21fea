"""How large and how long a saved file is."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Measures:
    """Pixels and seconds; None where it has none, or none can be read."""

    width: int | None = None
    height: int | None = None
    duration: float | None = None


def measure(path: Path, media: str) -> Measures:
    """Read a file's header. Never raises for what is in the file: it is saved whatever it holds."""
    if media == "image":
        return _picture(path)
    if media in ("video", "audio"):
        return _recording(path)
    return Measures()


def _picture(path: Path) -> Measures:
    # Imported where needed, here and below: 60 and 100 ms.
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as picture:
            return Measures(*picture.size)
    except (OSError, UnidentifiedImageError, ValueError, SyntaxError, Image.DecompressionBombError):
        return Measures()


def _recording(path: Path) -> Measures:
    import av

    try:
        with av.open(str(path)) as container:
            seconds = container.duration / av.time_base if container.duration else None
            for stream in container.streams.video:
                return Measures(stream.width, stream.height, seconds)
            return Measures(duration=seconds)
    except (av.FFmpegError, OSError, ValueError):
        return Measures()
