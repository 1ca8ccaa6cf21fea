"""PNG files too large to unpack at once: read band by band, in any order once they were read through.

A band is inflated by zlib and put into a small PNG of its own, so that Qt's reader undoes the filters and makes colours
of it. Its first row is the last one of the band before, which the filters refer to. What inflate needs to go on (32 KB)
is kept per band: PNG itself has no way into the middle. Blocks: for worker threads.
"""

import struct
import tempfile
import zlib
from array import array
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from PySide6.QtCore import QByteArray
from PySide6.QtGui import QImage, QImageReader

from comfydesk.errors import MediaError

BAND = 256
"""Rows; a tile's height."""
SIGNATURE = b"\x89PNG\r\n\x1a\n"
_KEPT_CHUNKS = (b"PLTE", b"tRNS", b"iCCP", b"gAMA", b"cHRM", b"sRGB", b"cICP")
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_MOST_HEAD = 16 << 20
_READ = 1 << 18
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Header:
    """IHDR."""

    width: int
    height: int
    depth: int
    colour: int
    interlaced: bool

    @property
    def banded(self) -> bool:
        """Whether bands can be made of it."""
        return not self.interlaced and self.depth in (8, 16) and self.colour in _CHANNELS

    @property
    def row(self) -> int:
        """Bytes of a row without its filter."""
        return self.width * _CHANNELS[self.colour] * (self.depth // 8)

    @property
    def alpha(self) -> bool:
        return self.colour in (4, 6)


def read_header(path: Path) -> Header | None:
    """None: it is no PNG."""
    with path.open("rb") as file:
        start = file.read(33)
    if len(start) < 33 or not start.startswith(SIGNATURE) or start[12:16] != b"IHDR":
        return None
    width, height, depth, colour, _, _, interlace = struct.unpack(">IIBBBBB", start[16:29])
    return Header(width, height, depth, colour, interlace != 0)


@dataclass(slots=True)
class _Mark:
    """Where a band begins: what inflate knows, where in the file it is, and the row before."""

    inflate: "zlib._Decompress"
    place: int
    left: int
    """Bytes of the present chunk that were not read yet."""
    row: bytes


class PngBands:
    """`advance` goes through the file once, band by band; `band` gives any that was passed."""

    def __init__(self, path: Path) -> None:
        """Raises MediaError, OSError."""
        self.path = path
        header = read_header(path)
        if header is None or not header.banded:
            raise MediaError("No picture", "It is no PNG that can be read in parts")
        self.header = header
        self.count = -(-header.height // BAND)
        self._head, place = self._read_head()
        self._marks = [_Mark(zlib.decompressobj(), place, 0, zlib.compress(bytes(header.row), 1))]
        self.passed = 0
        """Bands that `band` can give."""

    def advance(self) -> QImage | None:
        """The next band, below a row of the one before; None after the last.

        Raises MediaError where the file ends early or is damaged.
        """
        if self.passed >= self.count:
            return None
        image = self._decode(self.passed, keep=True)
        self.passed += 1
        return image

    def band(self, number: int) -> QImage:
        """A band that was passed, below a row of the one before. Raises MediaError."""
        return self._decode(number, keep=False)

    # --- Inside -----------------------------------------------------------------------------------------------------

    def _decode(self, number: int, *, keep: bool) -> QImage:
        header, mark = self.header, self._marks[number]
        rows = min(BAND, header.height - number * BAND)
        inflate = mark.inflate.copy()
        with self.path.open("rb") as file:
            reader = _Data(file, mark.place, mark.left)
            raw = _inflated(inflate, reader, rows * (header.row + 1))
        before = zlib.decompress(mark.row)
        image = self._image(rows + 1, (b"\0", before, *raw))
        if keep and number + 1 < self.count:
            last = zlib.compress(_raw_row(image, rows, header), 1)
            self._marks.append(_Mark(inflate, reader.place, reader.left, last))
        return image

    def _image(self, rows: int, filtered: Iterable[bytes]) -> QImage:
        header = self.header
        start = struct.pack(">IIBBBBB", header.width, rows, header.depth, header.colour, 0, 0, 0)
        # Many small chunks: one of 25 MB would be joined, and Python held up, for as long as a frame takes.
        deflate = zlib.compressobj(0)
        data = [piece for part in filtered for piece in (deflate.compress(part),) if piece]
        data.append(deflate.flush())
        parts = (SIGNATURE, _chunk(b"IHDR", start), self._head, *(_chunk(b"IDAT", piece) for piece in data))
        # By way of a file: a reader on a QBuffer can wait for another for ever, see qt/bridge/decoding.py.
        number, name = tempfile.mkstemp(".png")
        try:
            with open(number, "wb") as file:  # noqa: PTH123 - of a descriptor
                file.writelines((*parts, _chunk(b"IEND", b"")))
            reader = QImageReader(name, QByteArray(b"png"))
            image = reader.read()
        finally:
            with suppress(OSError):
                Path(name).unlink()
        if image.isNull():
            raise MediaError("No picture", f"It is damaged ({reader.errorString()})")
        return image

    def _read_head(self) -> tuple[bytes, int]:
        """The chunks that say what the colours mean, and where the data begin."""
        kept: list[bytes] = []
        size = 0
        with self.path.open("rb") as file:
            file.seek(33)
            while True:
                start = file.read(8)
                if len(start) < 8:
                    raise MediaError("No picture", "The file ends before the picture begins")
                length, kind = struct.unpack(">I4s", start)
                if kind == b"IDAT":
                    return b"".join(kept), file.tell() - 8
                if kind in _KEPT_CHUNKS and (size := size + length) <= _MOST_HEAD:
                    kept.append(_chunk(kind, file.read(length)))
                    file.seek(4, 1)
                else:
                    file.seek(length + 4, 1)


class _Data:
    """The bytes of the IDAT chunks, one after another."""

    def __init__(self, file: BinaryIO, place: int, left: int) -> None:
        self._file, self.place, self.left = file, place, left
        file.seek(place)

    def read(self) -> bytes:
        """Some; empty at the end."""
        while self.left == 0:
            start = self._file.read(8)
            if len(start) < 8:
                return b""
            length, kind = struct.unpack(">I4s", start)
            if kind == b"IEND":
                return b""
            self.left = length if kind == b"IDAT" else 0
            self._file.seek(0 if kind == b"IDAT" else length, 1)
            if self.left == 0:
                self._file.seek(4, 1)
        data = self._file.read(min(self.left, _READ))
        self.left -= len(data)
        if self.left == 0:
            self._file.seek(4, 1)  # the checksum
        self.place = self._file.tell()
        return data


def _inflated(inflate: "zlib._Decompress", reader: _Data, wanted: int) -> list[bytes]:
    """Exactly `wanted` bytes, in pieces. Raises MediaError."""
    parts: list[bytes] = []
    try:
        for data in _input(inflate, reader):
            part = inflate.decompress(data, min(wanted, _PIECE))
            parts.append(part)
            wanted -= len(part)
            if wanted == 0:
                return parts
    except zlib.error as error:
        raise MediaError("No picture", "It is damaged") from error
    raise MediaError("No picture", "The file ends early")


def _input(inflate: "zlib._Decompress", reader: _Data) -> Iterator[bytes]:
    """What inflate has left over, then what the file has."""
    while not inflate.eof:
        data = inflate.unconsumed_tail or reader.read()
        yield data  # also when empty: inflate may still hold some
        if not data:
            return


def _chunk(kind: bytes, data: bytes) -> bytes:
    return b"".join((struct.pack(">I", len(data)), kind, data, struct.pack(">I", zlib.crc32(data, zlib.crc32(kind)))))


def _raw_row(image: QImage, row: int, header: Header) -> bytes:
    """A row as the file has it, before filtering."""
    formats = QImage.Format
    line = image.copy(0, row, header.width, 1)
    deep = header.depth == 16
    match header.colour:
        case 3:
            return bytes(line.constBits())[: header.row]
        case 0 if line.format() in (formats.Format_Indexed8, formats.Format_Grayscale8):
            return bytes(line.constBits())[: header.row]
        case 0:
            shade = line.convertToFormat(formats.Format_Grayscale16 if deep else formats.Format_Grayscale8)
            data = bytes(shade.constBits())[: header.row]
            return _swapped(array("H", data)) if deep else data
    whole = line.convertToFormat(formats.Format_RGBA64 if deep else formats.Format_RGBA8888)
    values = array("H" if deep else "B", bytes(whole.constBits())[: header.width * (8 if deep else 4)])
    if header.colour == 2:
        del values[3::4]
    elif header.colour == 4:
        del values[2::4]  # of red, green, blue, alpha: first blue, then green
        del values[1::3]
    return _swapped(values) if deep else values.tobytes()


def _swapped(values: "array[int]") -> bytes:
    """PNG has the larger byte first."""
    values.byteswap()
    return values.tobytes()
