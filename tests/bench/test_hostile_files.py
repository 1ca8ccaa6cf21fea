"""Files that mean harm, or were broken by chance: each is shown, or skipped with a reason, in bounded memory."""

import json
import os
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from tests.bench.figures import record

COMMAND = "pytest tests/bench/test_hostile_files.py"
MOST_MB = {"import": 200, "thumbnail": 400, "viewer": 1100}
"""For one file. A picture that can only be unpacked as a whole may take half a gigabyte, and its smaller levels."""


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, *chunks: bytes, interlaced: bool = False) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, int(interlaced))
    return b"\x89PNG\r\n\x1a\n" + b"".join((chunk(b"IHDR", head), *chunks, chunk(b"IEND", b"")))


def zeros(count: int) -> bytes:
    packer = zlib.compressobj(9)
    parts = [packer.compress(bytes(1 << 20)) for _ in range(count >> 20)]
    return b"".join((*parts, packer.compress(bytes(count & 0xFFFFF)), packer.flush()))


def gif_header(width: int, height: int) -> bytes:
    return b"GIF89a" + struct.pack("<HH", width, height) + b"\x80\0\0" + bytes(6) + b"\x2c" + bytes(4) + struct.pack(
        "<HH", width, height
    ) + b"\0\2\2\x4c\1\0;"  # fmt: skip


def progressive(side: int) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        Image.effect_noise((1000, 1000), 50).resize((side, side)).convert("RGB").save(
            path, "JPEG", progressive=True, quality=60
        )

    return make


def _claims(side: int) -> bytes:
    """A small progressive JPEG whose header says that it is large."""
    out = BytesIO()
    Image.new("RGB", (64, 64), "teal").save(out, "JPEG", progressive=True)
    data = bytearray(out.getvalue())
    at = data.index(b"\xff\xc2") + 5
    data[at : at + 4] = struct.pack(">HH", side, side)
    return bytes(data)


def written(data: Callable[[], bytes]) -> Callable[[Path], None]:
    return lambda path: (path.write_bytes(data()), None)[1]


def moving(path: Path) -> None:
    frames = [Image.new("P", (2000, 2000), number % 256) for number in range(300)]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=10)


FILES: dict[str, tuple[str, Callable[[Path], None]]] = {
    "truncated": ("a.png", written(lambda: png(900, 900, chunk(b"IDAT", zeros(900 * 2701)))[:-900])),
    "truncated, large": ("a.png", written(lambda: png(20_000, 20_000, chunk(b"IDAT", zeros(100 << 20))))),
    "bomb of 30,000 squared": ("a.png", written(lambda: png(30_000, 30_000, chunk(b"IDAT", zeros(30_000 * 90_001))))),
    "bomb, interlaced": (
        "a.png", written(lambda: png(30_000, 30_000, chunk(b"IDAT", zeros(300 << 20)), interlaced=True))
    ),
    "interlaced of 121 megapixels": (
        "a.png", written(lambda: png(11_000, 11_000, chunk(b"IDAT", zeros(364 << 20)), interlaced=True))
    ),
    "65,535 squared, png": ("a.png", written(lambda: png(65_535, 65_535, chunk(b"IDAT", zeros(1000))))),
    "65,535 squared, gif": ("a.gif", written(lambda: gif_header(65_535, 65_535))),
    "progressive jpeg of 100 megapixels": ("a.jpg", progressive(10_000)),
    "progressive jpeg of 196 megapixels": ("a.jpg", progressive(14_000)),
    "progressive jpeg of 65,000 squared": (
        "a.jpg", written(lambda: _claims(65_000))
    ),
    "text bomb": ("a.png", written(lambda: png(8, 8, chunk(b"zTXt", b"prompt\0\0" + zeros(500 << 20)),
                                               chunk(b"IDAT", zeros(8 * 25))))),
    "10 MB of metadata": (
        "a.png", written(lambda: png(8, 8, chunk(b"tEXt", b"prompt\0" + b'{"1": "' + b"x" * (10 << 20) + b'"}'),
                                     chunk(b"IDAT", zeros(8 * 25))))
    ),
    "10 MB of nested metadata": (
        "a.png", written(lambda: png(8, 8, chunk(b"tEXt", b"workflow\0" + b"[" * (10 << 20)),
                                     chunk(b"IDAT", zeros(8 * 25))))
    ),
    "a colour profile of 50 MB": (
        "a.png", written(lambda: png(8, 8, chunk(b"iCCP", b"x\0\0" + zeros(50 << 20)), chunk(b"IDAT", zeros(200))))
    ),
    "wrong extension": ("a.jpg", written(lambda: png(8, 8, chunk(b"IDAT", zeros(8 * 25))))),
    "a video that is none": ("a.mp4", written(lambda: os.urandom(5000))),
    "text called png": ("a.png", written(lambda: b"<html>no</html>" * 400)),
    "300 frames": ("a.gif", moving),
    "control characters": ("a\n\x1b[31m\u202egnp.exe\x07.png", written(lambda: png(8, 8, chunk(b"IDAT", zeros(200))))),
    "empty": ("a.png", written(lambda: b"")),
}  # fmt: skip


@pytest.mark.timeout(240)
@pytest.mark.parametrize("name", FILES)
def test_a_file_of_unknown_origin(name: str, tmp_path: Path) -> None:
    filename, make = FILES[name]
    path = tmp_path / filename
    make(path)
    run = [sys.executable, "-m", "tests.bench.hostile_child", str(path)]
    done = subprocess.run(
        run, capture_output=True, text=True, env={**os.environ, "QT_API": "pyside6"}, timeout=200, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout.splitlines()[-1])
    for part, most in MOST_MB.items():
        note = f"{found[part]}, {found[f'{part}_s']:.1f} s"
        record(f"hostile files, {name}: {part}", found[f"{part}_mb"], "MB", f"≤ {most}", COMMAND, note)
        assert found[f"{part}_mb"] <= most, found
