"""Masks on pictures, as ComfyUI's own mask editor saves them: a PNG whose alpha is 0 where the mask is.

LoadImage reads mask = 1 - alpha, and the colours as they are: so they are kept below the mask too. For worker threads;
everything goes band by band, so that the window's thread gets its turn.
"""

import contextlib
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from comfydesk.disk import replacing
from comfydesk.errors import MediaError, StoreError

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_PIXELS = 80_000_000
"""Of a picture that is painted on. Pods work on a fraction of that."""
MASK_EDGE = 4096
"""Pixels on the longer side of a mask at most; it is enlarged smoothly to its picture."""
_BAND = 64
_MARGIN = 8
_LEVEL = 4
_SUB = 1
"""PNG's filter: each pixel as the difference to its left neighbour."""
_READ_TROUBLES = (OSError, ValueError, SyntaxError, TypeError, EOFError, struct.error, zlib.error, MemoryError)


@dataclass(frozen=True, slots=True)
class Paintable:
    """A picture as it is painted on."""

    size: tuple[int, int]
    """Of the file, upright."""
    shown: tuple[int, int]
    """Of `pixels`: no more than was asked for."""
    pixels: bytes
    """RGB, three bytes each, row by row without gaps."""
    mask: bytes | None
    """255 where its alpha is 0, at mask_size; None: it has no alpha."""


def mask_size(size: tuple[int, int]) -> tuple[int, int]:
    """How large the mask of a picture is."""
    scale = min(1.0, MASK_EDGE / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def open_picture(path: Path, edge: int) -> Paintable:
    """Read a picture to be shown with `edge` pixels at most on a side. Raises MediaError."""
    try:
        image = _upright(path)
        size = image.size
        mask = None
        if "A" in image.getbands() or "transparency" in image.info:
            alpha = image.convert("RGBA").getchannel("A").resize(mask_size(size))
            mask = alpha.point(lambda value: 255 - value).tobytes()
        image.thumbnail((edge, edge), reducing_gap=2.0)
        shown = image.convert("RGB")
    except MediaError:
        raise
    except _READ_TROUBLES as error:
        raise _unreadable(path, error) from error
    return Paintable(size, shown.size, shown.tobytes(), mask)


def write_masked(source: Path, mask: bytes, size: tuple[int, int], folder: Path) -> Path:
    """Save the picture in `source` with `mask` (a byte each, 255: masked; `size` wide and high) as a new PNG.

    Returns its path in `folder`; the source stays as it is. Raises MediaError.
    """
    from PIL import Image

    try:
        picture = _upright(source)
        picture.load()
    except MediaError:
        raise
    except _READ_TROUBLES as error:
        raise _unreadable(source, error) from error
    small = Image.frombytes("L", size, mask)
    target = _free_name(folder, source.stem)
    try:
        with replacing(target) as file:
            _write_png(file, picture, small)
    except StoreError as error:
        with contextlib.suppress(OSError):
            target.unlink()
        what = f"{target.name} cannot be saved"
        raise MediaError(what, error.why, "Make room on the disk and try again") from error
    return target


def _upright(path: Path) -> "Image":
    """The picture, its pixels not read yet where it need not be turned. Raises MediaError if it is too large."""
    from PIL import Image, ImageOps

    try:
        image: Image.Image = Image.open(path)
    except Image.DecompressionBombError as error:
        raise _too_large(path, "") from error
    if image.size[0] * image.size[1] > MOST_PIXELS:
        raise _too_large(path, f"{image.size[0]:,} \N{MULTIPLICATION SIGN} {image.size[1]:,} pixels. ")
    if image.mode.startswith("I;16"):
        image = image.point(lambda value: value / 257).convert("L")  # Pillow would clip at 255
    return ImageOps.exif_transpose(image)


def _too_large(path: Path, size: str) -> MediaError:
    what = f"{path.name} is too large to paint on"
    return MediaError(what, f"{size}At most {MOST_PIXELS // 1_000_000} megapixels", "Choose a smaller one")


def _unreadable(path: Path, error: BaseException) -> MediaError:
    why = "The file is no longer there" if isinstance(error, FileNotFoundError) else "It holds no picture that opens"
    return MediaError(f"{path.name} cannot be painted on", why)


def _free_name(folder: Path, stem: str) -> Path:
    """A name that nobody has yet, and that is ours from now on."""
    stem = stem.partition("_masked_")[0][:80] or "picture"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        number = 1
        while True:
            path = folder / f"{stem}_masked_{number:04}.png"
            with contextlib.suppress(FileExistsError):
                path.touch(exist_ok=False)
                return path
            number += 1
    except OSError as error:
        what = "The mask cannot be saved"
        raise MediaError(what, f"{folder}: {error.strerror}") from error


def _write_png(file: BinaryIO, picture: "Image", mask: "Image") -> None:
    width, height = picture.size
    file.write(b"\x89PNG\r\n\x1a\n")
    _chunk(file, b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0))
    packer = zlib.compressobj(_LEVEL)
    for top in range(0, height, _BAND):
        rows = min(_BAND, height - top)
        data = packer.compress(_filtered(picture, mask, top, rows))
        if data:
            _chunk(file, b"IDAT", data)
    _chunk(file, b"IDAT", packer.flush())
    _chunk(file, b"IEND", b"")


def _filtered(picture: "Image", mask: "Image", top: int, rows: int) -> bytes:
    """Some rows as PNG takes them."""
    from PIL import Image, ImageChops

    width = picture.size[0]
    band = picture.crop((0, top, width, top + rows)).convert("RGB")
    band.putalpha(ImageChops.invert(_mask_rows(mask, picture.size, top, rows)))
    left = Image.new("RGBA", band.size, (0, 0, 0, 0))
    left.paste(band.crop((0, 0, width - 1, rows)), (1, 0))
    data, stride = ImageChops.subtract_modulo(band, left).tobytes(), width * 4
    first = bytes([_SUB])
    return b"".join(first + data[row * stride : (row + 1) * stride] for row in range(rows))


def _mask_rows(mask: "Image", size: tuple[int, int], top: int, rows: int) -> "Image":
    """The rows of the mask at the picture's size; what lies around them counts, so that bands meet without seams."""
    from PIL import Image

    width, height = size
    if mask.size == size:
        return mask.crop((0, top, width, top + rows))
    low, high = max(0, top - _MARGIN), min(height, top + rows + _MARGIN)
    scale = mask.size[1] / height
    box = (0.0, low * scale, float(mask.size[0]), high * scale)
    wide = mask.resize((width, high - low), Image.Resampling.BILINEAR, box=box)
    return wide.crop((0, top - low, width, top - low + rows))


def _chunk(file: BinaryIO, kind: bytes, data: bytes) -> None:
    file.write(struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(data, zlib.crc32(kind))))
