"""Contact sheets: the results of a grid on one labelled picture a page.

Blocking, for a worker thread. Memory is bounded: pictures are read one at a time, as small as they are shown, and a
sheet has at most MAX_SIDE pixels a side and MAX_PIXELS in all.
"""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from comfydesk.client.files import claim_free, media_kind
from comfydesk.errors import MediaError

if TYPE_CHECKING:  # 60 ms
    from PIL import ImageFont
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw

    Font = ImageFont.ImageFont | ImageFont.FreeTypeFont

MAX_SIDE = 8192
MAX_PIXELS = 36_000_000
"""Of a sheet: 108 MB."""
MAX_SOURCE = 64_000_000
"""Pixels of a picture that has to be read whole (JPEG is not: it is read at a fraction of its size)."""
CELL = 384
MIN_CELL = 32
GAP = 8
FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG"}

BACKGROUND = (24, 24, 27)
EMPTY = (45, 45, 50)
INK = (235, 235, 235)
FAINT = (150, 150, 155)
_FULL_SIZE = 18
_MIN_FONT = 9
_MAX_TEXT = 300
_COLUMN_LINES = 3


@dataclass(frozen=True, slots=True)
class Sheet:
    """One page of a grid. `cells[row][column]` is the picture (or video: its first frame), None if there is none."""

    columns: tuple[str, ...]
    rows: tuple[str, ...]
    cells: tuple[tuple[Path | None, ...], ...]
    title: str = ""

    def __post_init__(self) -> None:
        if len(self.cells) != len(self.rows) or any(len(row) != len(self.columns) for row in self.cells):
            msg = f"{len(self.rows)} rows of {len(self.columns)} cells are expected"
            raise ValueError(msg)


def save_sheet(sheet: Sheet, path: Path, *, cell: int = CELL) -> Path:
    """Draw `sheet` and save it as `path` says (.png, .jpg). Returns where: an existing file is never overwritten.

    A picture that is missing or broken becomes a marked cell. Cells are squares of `cell` pixels, smaller where the
    sheet would grow beyond bounds. Raises MediaError: no room for the cells even so, another format, a full disk.
    """
    kind = FORMATS.get(path.suffix.lower())
    if kind is None:
        what = f"A contact sheet cannot be saved as {path.suffix or path.name}"
        raise MediaError(what, "", "Choose .png or .jpg")
    picture = draw_sheet(sheet, cell=cell)
    try:
        return _write(picture, path, kind)
    except OSError as error:
        raise MediaError("The contact sheet cannot be saved", f"{path}: {error.strerror or error}") from error


def draw_sheet(sheet: Sheet, *, cell: int = CELL) -> "Image":
    """The sheet as an RGB picture. Raises MediaError if it has more cells than a picture can hold."""
    from PIL import Image, ImageDraw

    layout = _layout(sheet, cell)
    picture = Image.new("RGB", layout.size, BACKGROUND)
    draw = ImageDraw.Draw(picture)
    if sheet.title:
        _text(draw, sheet.title, (GAP, 0, layout.size[0] - GAP, layout.title), layout.font, INK)
    for number, label in enumerate(sheet.columns):
        left, _ = layout.corner(0, number)
        box = (left, layout.title, left + layout.cell, layout.top - GAP)
        _text(draw, label, box, layout.font, INK)
    for number, label in enumerate(sheet.rows):
        _, top = layout.corner(number, 0)
        _text(draw, label, (GAP, top, layout.left - GAP, top + layout.cell), layout.font, INK)
    for row, paths in enumerate(sheet.cells):
        for column, path in enumerate(paths):
            _draw_cell(picture, draw, layout, layout.corner(row, column), path)
    return picture


# --- Layout -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Layout:
    cell: int
    left: int
    """Where the cells begin."""
    top: int
    title: int
    """Height of the title, 0 without one."""
    size: tuple[int, int]
    font: "Font"

    def corner(self, row: int, column: int) -> tuple[int, int]:
        return self.left + column * (self.cell + GAP), self.top + row * (self.cell + GAP)


def _layout(sheet: Sheet, wanted: int) -> _Layout:
    """The largest cells up to `wanted` that the bounds allow. Raises MediaError."""
    low, high = MIN_CELL, max(MIN_CELL, wanted)
    if not _fits(_layout_with(sheet, low)):
        what = f"{len(sheet.columns)} by {len(sheet.rows)} pictures are too many for one contact sheet"
        raise MediaError(what, f"It has up to {MAX_SIDE} pixels a side", "Take fewer values, or use pages")
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if _fits(_layout_with(sheet, middle)) else (low, middle - 1)
    return _layout_with(sheet, low)


def _fits(layout: _Layout) -> bool:
    width, height = layout.size
    return max(width, height) <= MAX_SIDE and width * height <= MAX_PIXELS


def _layout_with(sheet: Sheet, cell: int) -> _Layout:
    from PIL import ImageFont

    size = max(_MIN_FONT, min(_FULL_SIZE, cell // 12))
    font = ImageFont.load_default(size)
    line = size + 2 * GAP
    widest = max((font.getlength(_one_line(label)) for label in sheet.rows if label), default=0)
    left = GAP + (min(int(widest) + 1, max(cell, 80)) + GAP if widest else 0)
    title = line if sheet.title else 0
    lines = max((len(_wrapped(label, cell, _COLUMN_LINES, font)) for label in sheet.columns), default=0)
    top = title + (lines * _line_height(font) + 2 * GAP if lines else GAP)
    width = left + len(sheet.columns) * (cell + GAP)
    height = top + len(sheet.rows) * (cell + GAP)
    return _Layout(cell, left, top, title, (width, height), font)


# --- Cells ------------------------------------------------------------------------------------------------------


def _draw_cell(
    picture: "Image", draw: "ImageDraw", layout: _Layout, corner: tuple[int, int], path: Path | None
) -> None:
    left, top = corner
    cell = layout.cell
    try:
        small = _thumbnail(path, cell) if path is not None else None
        reason = "no result"
    except _UnshownError as error:
        small, reason = None, str(error)
    if small is None:
        draw.rectangle((left, top, left + cell - 1, top + cell - 1), fill=EMPTY)
        for line in ((left, top, left + cell - 1, top + cell - 1), (left, top + cell - 1, left + cell - 1, top)):
            draw.line(line, fill=BACKGROUND)
        _text(draw, reason, (left, top, left + cell, top + cell), layout.font, FAINT)
        return
    width, height = small.size
    place = (left + (cell - width) // 2, top + (cell - height) // 2)
    picture.paste(small, place, small if small.mode == "RGBA" else None)


class _UnshownError(Exception):
    """Why a result is not shown, in the few words that its cell holds."""


def _thumbnail(path: Path, side: int) -> "Image":
    """At most `side` pixels a side, RGB or RGBA, upright. Raises _UnshownError."""
    from PIL import Image, UnidentifiedImageError

    if not path.is_file():
        raise _UnshownError("missing")
    kind = media_kind(path.name)
    if kind not in ("image", "video"):
        raise _UnshownError(path.suffix.lstrip(".").lower() or "no picture")
    try:
        return _of_video(path, side) if kind == "video" else _of_picture(path, side)
    except (OSError, UnidentifiedImageError, ValueError, SyntaxError, EOFError, IndexError, KeyError) as error:
        raise _UnshownError("broken") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning, MemoryError) as error:
        raise _UnshownError("too large") from error


def _of_picture(path: Path, side: int) -> "Image":
    from PIL import Image, ImageOps

    with Image.open(path) as source:
        source.draft("RGB", (side, side))  # JPEG: decoded at 1/2, 1/4 or 1/8
        if source.width * source.height > MAX_SOURCE:
            raise _UnshownError("too large")
        plain = _eight_bits(source)
        plain.thumbnail((side, side), reducing_gap=2.0)
        # The orientation is in the source's EXIF, whatever was made of its pixels.
        upright = ImageOps.exif_transpose(plain)
        has_alpha = "A" in upright.getbands() or "transparency" in upright.info
        return upright.convert("RGBA" if has_alpha else "RGB")


def _eight_bits(picture: "Image") -> "Image":
    """16 bits and floats scaled down (Pillow clips them); palettes spelt out, so that they scale smoothly."""
    if picture.mode.startswith("I;16"):
        return picture.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if picture.mode in ("P", "PA"):
        return picture.convert("RGBA")
    if picture.mode in ("1", "CMYK", "YCbCr", "LAB", "HSV", "F", "I"):
        return picture.convert("RGB")
    return picture


def _of_video(path: Path, side: int) -> "Image":
    import av
    from PIL import Image

    try:
        with av.open(str(path)) as container:
            for frame in container.decode(video=0):
                if frame.width * frame.height > MAX_SOURCE:
                    raise _UnshownError("too large")
                scale = min(1.0, side / max(frame.width, frame.height))
                size = max(1, round(frame.width * scale)), max(1, round(frame.height * scale))
                plane = frame.reformat(*size, format="rgb24").planes[0]
                return Image.frombytes("RGB", size, bytes(plane), "raw", "RGB", plane.line_size)
    except av.FFmpegError as error:
        raise _UnshownError("broken") from error
    raise _UnshownError("no picture")


# --- Text -------------------------------------------------------------------------------------------------------


def _one_line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text[:_MAX_TEXT]).split())


def _text(
    draw: "ImageDraw", text: str, box: tuple[int, int, int, int], font: "Font", ink: tuple[int, int, int]
) -> None:
    """In the middle of `box`, on as many lines as it has room for."""
    left, top, right, bottom = box
    height = _line_height(font)
    lines = _wrapped(text, right - left, max(1, (bottom - top) // height), font)
    middle = (top + bottom) / 2 - height * (len(lines) - 1) / 2
    for number, line in enumerate(lines):
        draw.text(((left + right) / 2, middle + number * height), line, fill=ink, font=font, anchor="mm")


def _line_height(font: "Font") -> int:
    _, top, _, bottom = font.getbbox("Ag|")
    return int(bottom - top) + 4


def _wrapped(text: str, width: int, most: int, font: "Font") -> list[str]:
    """At most `most` lines of that width, parted at blanks where there are some; "..." for what is left over."""
    rest = _one_line(text)
    lines: list[str] = []
    while rest and len(lines) < most:
        length = _longest(rest, width, font)
        if length < len(rest):
            blank = rest.rfind(" ", 1, length + 1)
            length = blank if blank > 0 else max(1, length)
        lines.append(rest[:length].rstrip())
        rest = rest[length:].lstrip()
    if rest and lines:
        last = lines[-1]
        lines[-1] = last[: _longest(last, width - int(font.getlength("...")) - 1, font)].rstrip() + "..."
    return lines


def _longest(text: str, width: int, font: "Font") -> int:
    """How many letters fit."""
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if font.getlength(text[:middle]) <= width else (low, middle - 1)
    return low


# --- The file ---------------------------------------------------------------------------------------------------


def _write(picture: "Image", path: Path, kind: str) -> Path:
    """Written beside its place first: what lies there is whole, or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".sheet-", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            picture.save(file, kind, **({"quality": 92} if kind == "JPEG" else {}))
            file.flush()
            os.fsync(file.fileno())
        return _settle(Path(name), path)
    finally:
        Path(name).unlink(missing_ok=True)


def _settle(part: Path, path: Path) -> Path:
    part.chmod(0o644)
    return claim_free(part, path)
