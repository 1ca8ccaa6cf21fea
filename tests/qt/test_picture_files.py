"""Pictures as tiles: each way of reading gives the pixels of the file, at every level, and refuses what it must."""

import random
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image, ImageDraw
from PySide6.QtCore import QSize
from PySide6.QtGui import QImage

from comfydesk.errors import MediaError
from comfydesk.qt.models import picture_files
from comfydesk.qt.models.picture_files import (
    TILE,
    Banded,
    Clipped,
    PictureFile,
    Unpacked,
    level_size,
    levels_of,
    open_picture,
)
from comfydesk.qt.models.words import TIMES

SIZE = (1500, 1100)


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any picture of more than a few pixels counts as large, so that the tests need no gigabytes."""
    monkeypatch.setattr(picture_files, "WHOLE", 100_000)
    monkeypatch.setattr(picture_files, "OVERVIEW", 512)


def drawing(mode: str = "RGB", size: tuple[int, int] = SIZE) -> Image.Image:
    """No two parts alike."""
    rng = random.Random(7)
    image = Image.new("RGBA", size, (40, 90, 140, 255))
    draw = ImageDraw.Draw(image)
    for _ in range(400):
        x, y, r = rng.randrange(size[0]), rng.randrange(size[1]), rng.randrange(10, 120)
        draw.ellipse((x - r, y - r, x + r, y + r), fill=tuple(rng.randrange(256) for _ in range(4)))
    if mode == "I;16":
        grey = image.convert("L").tobytes()
        return Image.frombytes("I;16", size, b"".join(bytes((one // 3, one)) for one in grey))
    return image.convert(mode)


def read_all(file: PictureFile) -> None:
    while file.prepare():
        pass


def put_together(file: PictureFile, level: int = 0) -> QImage:
    """All tiles of a level as one picture."""
    size = level_size(file.size, level)
    columns, rows = -(-size.width() // TILE), -(-size.height() // TILE)
    whole = QImage(size, QImage.Format.Format_ARGB32)
    found = {}
    for y in range(rows):
        for key, tile in file.make(level, [(x, y) for x in range(columns)]):
            found[key[1], key[2]] = tile.convertToFormat(QImage.Format.Format_ARGB32)
    assert len(found) == columns * rows
    for y in range(size.height()):
        line = bytearray()
        for x in range(columns):
            tile = found[x, y // TILE]
            row = tile.copy(0, y % TILE, tile.width(), 1)  # kept: its bits go with it
            line += bytes(row.constBits())
        start = y * whole.bytesPerLine()
        memoryview(whole.bits())[start : start + len(line)] = bytes(line)
    return whole


def distance(image: QImage, expected: Image.Image) -> float:
    """The mean difference of the colours as they are seen on black, 0 to 255."""
    from PIL import ImageChops, ImageStat

    shown = image.convertToFormat(QImage.Format.Format_RGBA8888)
    data = bytes(shown.constBits())
    ours = Image.frombytes("RGBA", (shown.width(), shown.height()), data)
    theirs = expected.convert("RGBA")
    assert ours.size == theirs.size
    black = Image.new("RGBA", ours.size, (0, 0, 0, 255))
    on_black = [Image.alpha_composite(black, one) for one in (ours, theirs)]
    return max(ImageStat.Stat(ImageChops.difference(*on_black)).mean)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P", "LA"])
def test_a_large_png_is_read_in_bands_to_the_last_pixel(large: None, tmp_path: Path, mode: str) -> None:
    path = tmp_path / "a.png"
    image = drawing(mode)
    image.save(path)
    file = open_picture(str(path))
    assert isinstance(file, Banded)
    read_all(file)
    assert file.size == QSize(*SIZE)
    assert distance(put_together(file), image) < 0.6


def test_a_png_of_16_bits_is_read_in_bands(large: None, tmp_path: Path) -> None:
    path = tmp_path / "deep.png"
    image = drawing("I;16")
    image.save(path)
    file = open_picture(str(path))
    assert isinstance(file, Banded)
    read_all(file)
    assert distance(put_together(file), drawing("L")) < 1.5


def test_bands_come_in_any_order_once_they_were_passed(large: None, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    image = drawing()
    image.save(path)
    file = open_picture(str(path))
    assert not list(file.make(0, [(0, 4)])), "not there yet"
    read_all(file)
    for y in (4, 0, 3, 1):
        ((key, tile),) = file.make(0, [(2, y)])
        expected = image.crop((2 * TILE, y * TILE, 3 * TILE, min(SIZE[1], (y + 1) * TILE)))
        assert key == (0, 2, y)
        assert distance(tile, expected) == 0


@pytest.mark.parametrize("kind", ["png", "jpg", "bmp"])
@pytest.mark.parametrize("level", [0, 1, 2, 3])
def test_every_level_is_the_picture_made_smaller(large: None, tmp_path: Path, kind: str, level: int) -> None:
    path = tmp_path / f"a.{kind}"
    image = drawing()
    image.save(path, quality=95) if kind == "jpg" else image.save(path)
    file = open_picture(str(path))
    assert type(file) is {"png": Banded, "jpg": Clipped, "bmp": Unpacked}[kind]
    read_all(file)
    size = level_size(file.size, level)
    expected = image.resize((size.width(), size.height()), Image.Resampling.BOX)
    assert distance(put_together(file, level), expected) < 4
    assert levels_of(file.size) == 4


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_large_jpeg_is_turned_as_it_says(large: None, tmp_path: Path, orientation: int) -> None:
    from PIL import ImageOps

    path = tmp_path / "turned.jpg"
    image = drawing()
    exif = Image.Exif()
    exif[0x0112] = orientation
    image.save(path, quality=95, exif=exif)
    with Image.open(path) as saved:
        expected = ImageOps.exif_transpose(saved)
        file = open_picture(str(path))
        assert isinstance(file, Clipped)
        read_all(file)
        assert file.size == QSize(*expected.size)
        assert distance(put_together(file), expected) < 3
        assert distance(put_together(file, 2), expected.resize((size := level_size(file.size, 2)).toTuple())) < 6, size


def test_colours_come_out_as_srgb(tmp_path: Path) -> None:
    from PIL import ImageCms
    from PySide6.QtGui import QColorSpace

    assert ImageCms is not None
    wide = QImage(8, 8, QImage.Format.Format_RGB32)
    wide.fill(0xFF00FF00)
    wide.setColorSpace(QColorSpace(QColorSpace.NamedColorSpace.DisplayP3))
    path = tmp_path / "wide.png"
    assert wide.save(str(path))
    plain = QImage(8, 8, QImage.Format.Format_RGB32)
    plain.fill(0xFFC86432)
    plain.setColorSpace(QColorSpace(QColorSpace.NamedColorSpace.AdobeRgb))
    adobe = tmp_path / "adobe.png"
    assert plain.save(str(adobe))
    ((_, tile),) = open_picture(str(adobe)).make(0, [(0, 0)])
    red = tile.pixelColor(1, 1).red()
    assert red > 200 + 15, "the same numbers mean a stronger red in Adobe RGB"


def test_a_file_that_ends_early_shows_what_there_is(large: None, tmp_path: Path) -> None:
    path = tmp_path / "cut.png"
    drawing().save(path)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3])
    file = open_picture(str(path))
    read_all(file)
    assert file.note == "The file ends early"
    assert len(list(file.make(0, [(0, 0)]))) == 1
    assert not list(file.make(0, [(0, 4)])) or file.note


def png_header(width: int, height: int) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = b""
    for kind, data in ((b"IHDR", head), (b"IDAT", zlib.compress(bytes(1000))), (b"IEND", b"")):
        chunks += struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return b"\x89PNG\r\n\x1a\n" + chunks


def test_hostile_sizes_are_refused_with_the_reason(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(png_header(65_535, 65_535))
    with pytest.raises(MediaError) as refused:
        open_picture(str(path))
    assert f"65,535 {TIMES} 65,535" in refused.value.why


@pytest.mark.parametrize("data", [b"", b"not a picture at all", b"\x89PNG\r\n\x1a\n", png_header(40, 40)[:40]])
def test_what_is_no_picture_says_why(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "broken.png"
    path.write_bytes(data)
    with pytest.raises(MediaError) as refused:
        read_all(open_picture(str(path)))
    assert refused.value.why


def test_a_file_that_is_gone_is_said_to_be(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="no longer there"):
        open_picture(str(tmp_path / "gone.png"))


def test_a_wrong_extension_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "really.png"
    drawing(size=(64, 64)).save(path, "JPEG")
    assert open_picture(str(path)).size == QSize(64, 64)
