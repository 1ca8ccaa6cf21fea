"""Bytes → pictures, on worker threads. Pillow decodes and scales: it lets other threads work meanwhile.

A QImageReader on a QBuffer must not do it. While it finds out the format it holds a lock of Qt's and asks the device,
whose methods wait for the GIL, since Python could override them; a thread that has the GIL and asks another reader for
its size waits for that lock. Then the whole window stands still, for good (seen with PySide 6.11).
"""

import io
import logging
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QImage

if TYPE_CHECKING:
    from PIL.Image import Image

LARGEST = 2048
"""Pixels on the longer side: a preview fills a part of the window, SaveImageWebsocket sends pictures of any size."""
MOST_PIXELS = 64 << 20
"""A few KB can claim to be a picture of many GB."""
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP")
_ORIENTATION = 0x0112

log = logging.getLogger(__name__)


def decode(data: bytes, room: QSize | None = None, most: int = LARGEST) -> QImage:
    """The picture in `data`, at most `most` pixels long, as it is painted fastest; a null image if there is none.

    With `room` it comes as large as fits there, larger than it is if need be: so the window copies it to the screen
    and scales nothing itself.
    """
    try:
        return _decoded(data, room, most)
    except Exception as error:  # the bytes are anybody's, and what Pillow raises has no end
        log.debug("no picture in %d bytes: %s", len(data), type(error).__name__)
        return QImage()


def _decoded(data: bytes, room: QSize | None, most: int) -> QImage:
    # Imported here, off the GUI thread: nothing is decoded before the first frame.
    from PIL import Image, ImageOps

    with Image.open(io.BytesIO(data), formats=_FORMATS) as found:
        if found.width * found.height > MOST_PIXELS:
            return QImage()
        turned = found.format == "JPEG" and found.getexif().get(_ORIENTATION, 1) != 1
        if not turned:
            found.draft("RGB", _wanted(found, room, most))  # JPEG halves its size while it is decoded
            picture: Image.Image = found
        else:
            picture = ImageOps.exif_transpose(found)
        clear = "A" in picture.mode or "transparency" in picture.info
        picture = picture.convert("RGBA").convert("RGBa") if clear else picture.convert("RGBA")
        wanted = _wanted(picture, room, most)
        if wanted != picture.size:
            picture = picture.resize(wanted, Image.Resampling.BILINEAR)
        # Full alpha where there is none: Pillow's own padding is 0, and then brushes of the picture paint nothing.
        raw = picture.tobytes("raw", "BGRa" if clear else "BGRA")
    form = QImage.Format.Format_ARGB32_Premultiplied if clear else QImage.Format.Format_RGB32
    width, height = wanted
    # A copy: QImage does not own the bytes it is made of.
    return QImage(raw, width, height, 4 * width, form).copy()


def _wanted(picture: "Image", room: QSize | None, most: int) -> tuple[int, int]:
    size, limit = QSize(picture.width, picture.height), QSize(most, most)
    bound = limit.boundedTo(room) if room is not None and not room.isEmpty() else size.boundedTo(limit)
    scaled = size if bound == size else size.scaled(bound, Qt.AspectRatioMode.KeepAspectRatio)
    return max(1, scaled.width()), max(1, scaled.height())
