"""Pictures of any size as tiles, in bounded memory: what a view needs of them, at the size it needs it.

Level 0 is the picture, each further one half of the one before; tiles are TILE pixels wide and high. Everything here
blocks and is for worker threads. Colours come out as sRGB, turned the way the file says (EXIF).
"""

import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColorSpace, QImage, QImageIOHandler, QImageReader, QPainter, QTransform

from comfydesk.errors import MediaError
from comfydesk.qt.models.png_bands import BAND, PngBands, read_header
from comfydesk.qt.models.words import TIMES
from comfydesk.qt.theme.language import tr

TILE = BAND
WHOLE = 48_000_000
"""Pixels of a picture that is unpacked at once: 192 MB."""
ROOM = 128_000_000
"""Pixels that other formats than PNG and JPEG, which cannot be read in parts, may have at most: 512 MB."""
LARGEST = 1_100_000_000
"""Pixels; 32,768 by 32,768 are fewer. More is a damaged or hostile file."""
OVERVIEW = 4096
"""Longer side of what is kept of a picture that is not unpacked as a whole: 64 MB."""
SKETCH = 768
"""Longer side of what is shown of a large picture while it is read."""
CLIP = 4096
"""Pixels on each side that are read of a JPEG in one go, at most: as much as the largest screen shows."""
ALLOCATION_MB = 520
"""What Qt's readers may allocate for one picture. Its own 256 would refuse what ROOM allows."""
_PIECE = 1024
"""Pixels scaled in one go: Qt holds Python's lock meanwhile, a millisecond or two."""

Key = tuple[int, int, int]
"""level, column, row"""


class PictureFile(Protocol):
    """An opened picture."""

    size: QSize
    alpha: bool
    note: str
    """What is not as it should be: the file ends early, say."""
    at_once: int
    """Tiles that are best asked for together."""
    sketch: QImage | None
    """All of it, small, as far as it was read; where reading takes long."""

    def prepare(self) -> bool:
        """Read on towards all that is needed; False when there is nothing more to be read. Raises MediaError."""

    def make(self, level: int, wanted: Iterable[tuple[int, int]]) -> Iterator[tuple[Key, QImage]]:
        """Tiles of a level, those that can be made by now; maybe their neighbours too. Raises MediaError."""


def levels_of(size: QSize) -> int:
    """How many levels a picture has: down to one tile."""
    return 1 + max(0, math.ceil(math.log2(max(1, size.width(), size.height()) / TILE)))


def level_size(size: QSize, level: int) -> QSize:
    return QSize(-(-size.width() >> level), -(-size.height() >> level))


def tile_rect(size: QSize, level: int, x: int, y: int) -> QRect:
    """A tile in the pixels of its level; empty outside the picture."""
    whole = level_size(size, level)
    return QRect(x * TILE, y * TILE, TILE, TILE) & QRect(0, 0, whole.width(), whole.height())


def open_picture(path: str) -> PictureFile:
    """Look at a file and choose how it is read. Raises MediaError with the reason it cannot be shown."""
    file = Path(path)
    if not file.exists():
        raise MediaError("No picture", tr("The file is no longer there."))
    reader = QImageReader(path)
    reader.setDecideFormatFromContent(True)
    reader.setAutoTransform(True)
    size = reader.size()
    if not reader.canRead():
        return _with_pillow(file, reader.errorString())
    pixels = size.width() * size.height()
    _refuse_hostile(size)
    if pixels <= WHOLE:
        return Unpacked(_read(reader))
    kind = bytes(reader.format().data())
    if kind == b"png":
        header = read_header(file)
        if header is not None and header.banded:
            return Banded(PngBands(file))
    elif kind == b"jpeg" and not _progressive(file):
        return Clipped(path, size, reader.transformation())
    if pixels > ROOM:
        raise MediaError("No picture", tr("Of its kind only files up to {n} megapixels are shown.", n=ROOM // 10**6))
    return Unpacked(_read(reader))


def _refuse_hostile(size: QSize) -> None:
    if size.width() * size.height() > LARGEST:
        words = f"{size.width():,} {TIMES} {size.height():,}"
        raise MediaError("No picture", tr("It says that it has {size} pixels: too many to be opened.", size=words))


def _read(reader: QImageReader) -> QImage:
    image = reader.read()
    if image.isNull():
        raise MediaError("No picture", reader.errorString().rstrip(".") + ".")
    return image


def _progressive(file: Path) -> bool:
    """Such JPEGs are unpacked as a whole, whatever part is asked for."""
    with file.open("rb") as data:
        data.seek(2)
        while True:
            start = data.read(4)
            if len(start) < 4 or start[0] != 0xFF:
                return True  # damaged: rather not
            if 0xC0 <= start[1] <= 0xCF and start[1] not in (0xC4, 0xC8, 0xCC):
                return start[1] not in (0xC0, 0xC1)
            data.seek(int.from_bytes(start[2:4], "big") - 2, 1)


def _with_pillow(file: Path, why: str) -> PictureFile:
    """What Qt has no reader for."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(file) as picture:
            _refuse_hostile(QSize(picture.width, picture.height))
            if picture.width * picture.height > WHOLE:
                raise MediaError("No picture", why)
            data = picture.convert("RGBA").tobytes()
            image = QImage(data, picture.width, picture.height, picture.width * 4, QImage.Format.Format_RGBA8888)
            return Unpacked(image.copy())
    except UnidentifiedImageError as error:
        raise MediaError("No picture", tr("It holds no picture of a kind that can be shown here.")) from error
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise MediaError("No picture", f"{why.rstrip('.')}.") from error


# --- In memory as a whole -----------------------------------------------------------------------------------------


class Unpacked:
    """Small enough to be kept as it is. `make` also serves as the upper levels of the others."""

    note = ""
    at_once = 8
    sketch: QImage | None = None

    def __init__(self, image: QImage, base: int = 0, size: QSize | None = None) -> None:
        """`base`: the level that `image` is."""
        self._image, self._base = image, base
        self.size = size or image.size()
        self.alpha = image.hasAlphaChannel()
        self._halves: dict[int, QImage] = {base: image}

    def prepare(self) -> bool:
        return False

    def make(self, level: int, wanted: Iterable[tuple[int, int]]) -> Iterator[tuple[Key, QImage]]:
        whole = self._level(level)
        for x, y in wanted:
            rect = tile_rect(self.size, level, x, y)
            if not rect.isEmpty():
                tile = whole.copy(rect)
                yield (level, x, y), shown(tile) if level == self._base else tile

    def _level(self, level: int) -> QImage:
        """A level as a whole; halved from the one below, and kept: together a third of the picture."""
        found = self._halves.get(level)
        if found is None:
            found = self._halves[level] = _halved(self._level(level - 1), level_size(self.size, level))
        return found


def _halved(source: QImage, size: QSize) -> QImage:
    """Piece by piece, so that no step takes long."""
    target = QImage(size, QImage.Format.Format_ARGB32_Premultiplied if source.hasAlphaChannel() else _OPAQUE)
    target.fill(Qt.GlobalColor.transparent)
    painter = QPainter(target)
    painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Source)
    half = _PIECE // 2
    for y in range(0, size.height(), half):
        for x in range(0, size.width(), half):
            area = QRect(x, y, half, half) & target.rect()
            piece = source.copy(QRect(x * 2, y * 2, area.width() * 2, area.height() * 2) & source.rect())
            painter.drawImage(area.topLeft(), _scaled(shown(piece), area.size()))
    painter.end()
    return target


_OPAQUE = QImage.Format.Format_RGB32


def _scaled(image: QImage, size: QSize) -> QImage:
    return image.scaled(size, Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation)


def shown(image: QImage) -> QImage:
    """In sRGB, and in the format that is painted fastest."""
    space = image.colorSpace()
    srgb = QColorSpace(QColorSpace.NamedColorSpace.SRgb)
    if space.isValid() and space != srgb:
        converted = image.convertedToColorSpace(srgb)
        image = image if converted.isNull() else converted
    wanted = QImage.Format.Format_ARGB32_Premultiplied if image.hasAlphaChannel() else _OPAQUE
    return image if image.format() == wanted else image.convertToFormat(wanted)


# --- PNG in bands -------------------------------------------------------------------------------------------------


class Banded:
    """A large PNG. `prepare` reads a band; the overview grows from the top."""

    at_once = 64

    def __init__(self, bands: PngBands) -> None:
        self._bands = bands
        header = bands.header
        self.size = QSize(header.width, header.height)
        self.alpha = header.alpha
        self.note = ""
        self._base = _overview_level(self.size)
        overview = QImage(level_size(self.size, self._base), _format(alpha=self.alpha))
        overview.fill(Qt.GlobalColor.transparent if self.alpha else Qt.GlobalColor.black)
        self._overview = overview
        self._upper: Unpacked | None = None
        small = self.size.scaled(SKETCH, SKETCH, Qt.AspectRatioMode.KeepAspectRatio)
        self.sketch: QImage | None = QImage(small, _format(alpha=self.alpha))
        self.sketch.fill(Qt.GlobalColor.transparent if self.alpha else Qt.GlobalColor.black)

    def prepare(self) -> bool:
        try:
            band = self._bands.advance()
        except MediaError as error:
            self.note = error.why
            if self._bands.passed == 0:
                raise
            band = None
        if band is None:
            self._upper = Unpacked(self._overview, self._base, self.size)
            return False
        self._draw(band, (self._bands.passed - 1) * BAND >> self._base)
        return True

    def _draw(self, band: QImage, top: int) -> None:
        assert self.sketch is not None
        painter, sketcher = QPainter(self._overview), QPainter(self.sketch)
        for each in (painter, sketcher):
            each.setCompositionMode(QPainter.CompositionMode.CompositionMode_Source)
        ratio = self.sketch.width() / self.size.width() * (1 << self._base)
        rows = band.height() - 1
        high = max(1, rows >> self._base)
        wide = _PIECE >> self._base
        for number, x in enumerate(range(0, band.width(), _PIECE)):
            piece = shown(band.copy(QRect(x, 1, _PIECE, rows) & band.rect()))
            area = QSize(max(1, -(-piece.width() >> self._base)), high)
            small = _scaled(piece, area)
            painter.drawImage(number * wide, top, small)
            place = QRectF(number * wide * ratio, top * ratio, small.width() * ratio + 1, high * ratio + 1)
            sketcher.drawImage(place, small)
        painter.end()
        sketcher.end()

    def make(self, level: int, wanted: Iterable[tuple[int, int]]) -> Iterator[tuple[Key, QImage]]:
        if level >= self._base:
            if self._upper is not None:
                yield from self._upper.make(level, wanted)
            return
        rows: dict[int, list[int]] = {}
        for x, y in wanted:
            rows.setdefault(y, []).append(x)
        for y, columns in rows.items():
            if ((y + 1) << level) <= self._bands.passed or self._upper is not None:
                yield from self._row(level, y, columns)

    def _row(self, level: int, y: int, columns: list[int]) -> Iterator[tuple[Key, QImage]]:
        tiles = {x: QImage(tile_rect(self.size, level, x, y).size(), _format(alpha=self.alpha)) for x in columns}
        for tile in tiles.values():
            tile.fill(Qt.GlobalColor.transparent)
        for part in range(1 << level):
            number = (y << level) + part
            if number >= self._bands.passed:
                break
            band = self._bands.band(number)
            rows = band.height() - 1
            for x, tile in tiles.items():
                rect = QRect((x * TILE) << level, 1, TILE << level, rows) & band.rect()
                piece = shown(band.copy(rect))
                area = QSize(tile.width(), min(tile.height(), max(1, -(-rows >> level))))
                painter = QPainter(tile)
                painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Source)
                painter.drawImage(0, part * (TILE >> level), piece if level == 0 else _scaled(piece, area))
                painter.end()
        yield from (((level, x, y), tile) for x, tile in tiles.items())


def _overview_level(size: QSize) -> int:
    return max(1, math.ceil(math.log2(max(size.width(), size.height()) / OVERVIEW)))


def _format(*, alpha: bool) -> QImage.Format:
    return QImage.Format.Format_ARGB32_Premultiplied if alpha else _OPAQUE


# --- JPEG in parts ------------------------------------------------------------------------------------------------


class Clipped:
    """A large JPEG: its reader can skip to a part and halve as it reads, but has to start at the top each time."""

    alpha = False
    note = ""
    at_once = 1024
    sketch: QImage | None = None

    def __init__(self, path: str, size: QSize, turn: QImageIOHandler.Transformation) -> None:
        """`size`: as the file has it, before it is turned."""
        self._path, self._turn, self._stored = path, turn, size
        turned = turn & QImageIOHandler.Transformation.TransformationRotate90
        self.size = size.transposed() if turned else size
        self._base = _overview_level(size)
        self._upper: Unpacked | None = None

    def prepare(self) -> bool:
        if self._upper is None:
            image = self._clip(QRect(0, 0, self._stored.width(), self._stored.height()), self._base)
            self._upper = Unpacked(image, self._base, self.size)
        return False

    def make(self, level: int, wanted: Iterable[tuple[int, int]]) -> Iterator[tuple[Key, QImage]]:
        if level >= self._base:
            if self._upper is not None:
                yield from self._upper.make(level, wanted)
            return
        tiles = list(wanted)
        area = QRect()
        for x, y in tiles:
            area = area.united(tile_rect(self.size, level, x, y))
        area = area & QRect(area.topLeft(), QSize(CLIP, CLIP))
        stored = QRect(area.x() << level, area.y() << level, area.width() << level, area.height() << level)
        stored &= QRect(0, 0, self.size.width(), self.size.height())
        image = self._clip(_unturned(stored, self.size, self._turn), level)
        for x, y in tiles:
            rect = tile_rect(self.size, level, x, y)
            if not rect.isEmpty() and area.contains(rect):
                yield (level, x, y), shown(image.copy(rect.translated(-area.topLeft())))

    def _clip(self, rect: QRect, level: int) -> QImage:
        """A part of the file, smaller by a level, turned as it is to be shown."""
        reader = QImageReader(self._path)
        reader.setDecideFormatFromContent(True)
        reader.setAutoTransform(False)
        reader.setClipRect(rect)
        if level:
            reader.setScaledSize(QSize(-(-rect.width() >> level), -(-rect.height() >> level)))
        return _turned(_read(reader), self._turn)


def _turned(image: QImage, turn: QImageIOHandler.Transformation) -> QImage:
    kinds = QImageIOHandler.Transformation
    mirrored, flipped = bool(turn & kinds.TransformationMirror), bool(turn & kinds.TransformationFlip)
    if mirrored or flipped:
        ways = Qt.Orientation(0)
        ways |= Qt.Orientation.Horizontal if mirrored else ways
        ways |= Qt.Orientation.Vertical if flipped else ways
        image = image.flipped(ways)
    return image.transformed(QTransform().rotate(90)) if turn & kinds.TransformationRotate90 else image


def _unturned(rect: QRect, size: QSize, turn: QImageIOHandler.Transformation) -> QRect:
    """Where a part of the picture as it is shown lies in the file."""
    kinds = QImageIOHandler.Transformation
    if turn & kinds.TransformationRotate90:  # clockwise, as the last step
        rect = QRect(rect.y(), size.width() - rect.x() - rect.width(), rect.height(), rect.width())
        size = size.transposed()
    if turn & kinds.TransformationMirror:
        rect = QRect(size.width() - rect.x() - rect.width(), rect.y(), rect.width(), rect.height())
    if turn & kinds.TransformationFlip:
        rect = QRect(rect.x(), size.height() - rect.y() - rect.height(), rect.width(), rect.height())
    return rect
