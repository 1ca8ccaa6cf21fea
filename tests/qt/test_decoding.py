"""Pictures from bytes: opaque, showing through, turned; and never a reader on a device of Python's."""

import ast
import io
import threading
import time
from pathlib import Path
from typing import Any

from PIL import Image
from PySide6.QtCore import QSize
from PySide6.QtGui import QImage, QImageReader

import comfydesk.qt
from comfydesk.qt.bridge.decoding import MOST_PIXELS, decode


def encoded(kind: str, mode: str = "RGB", size: tuple[int, int] = (40, 30), **save: object) -> bytes:
    data = io.BytesIO()
    colour: Any = {"RGB": (200, 100, 50), "RGBA": (200, 100, 50, 128), "L": 90, "P": 7, "1": 1}[mode]
    Image.new(mode, size, colour).save(data, kind, **save)
    return data.getvalue()


def test_what_is_opaque_comes_as_it_is_painted_fastest(qapp: object) -> None:
    for kind, mode in (("JPEG", "RGB"), ("JPEG", "L"), ("PNG", "RGB"), ("PNG", "P"), ("PNG", "1"), ("WEBP", "RGB")):
        image = decode(encoded(kind, mode))
        assert (image.format(), image.size().toTuple()) == (QImage.Format.Format_RGB32, (40, 30)), (kind, mode)
    colour = decode(encoded("PNG")).pixelColor(5, 5)
    assert (colour.red(), colour.green(), colour.blue()) == (200, 100, 50)


def test_what_shows_through_stays_so(qapp: object) -> None:
    image = decode(encoded("PNG", "RGBA"))
    assert image.format() == QImage.Format.Format_ARGB32_Premultiplied
    colour = image.pixelColor(5, 5)
    assert colour.alpha() == 128
    assert abs(colour.red() - 200) <= 2
    assert abs(colour.blue() - 50) <= 2


def test_a_picture_that_lies_on_its_side_is_put_upright(qapp: object) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    assert decode(encoded("JPEG", exif=exif.tobytes())).size().toTuple() == (30, 40)
    assert decode(encoded("JPEG", exif=exif.tobytes()), QSize(300, 400)).size().toTuple() == (300, 400)


def test_what_is_no_picture_or_claims_too_much_is_none(qapp: object) -> None:
    bomb = encoded("PNG", "1", (8200, MOST_PIXELS // 8192))
    for data in (b"", b"no picture", encoded("PNG")[:60], encoded("JPEG")[:200], bomb):
        assert decode(data).isNull()


def test_workers_and_the_window_read_at_the_same_time(qapp: object, tmp_path: Path) -> None:
    """Four threads on the readers' own lock: with a QBuffer beneath one of them this stops within a second."""
    data, path = encoded("PNG"), tmp_path / "a.png"
    path.write_bytes(data)
    until = time.monotonic() + 0.5

    def bytes_() -> None:
        while time.monotonic() < until:
            decode(data)

    def file() -> None:
        while time.monotonic() < until:
            reader = QImageReader(str(path))
            reader.size()
            reader.read()

    workers = [threading.Thread(target=work, daemon=True) for work in (bytes_, bytes_, file, file)]
    for worker in workers:
        worker.start()
    file()
    for worker in workers:
        worker.join(10)
    assert not any(worker.is_alive() for worker in workers)


def test_no_reader_is_given_a_device_of_pythons() -> None:
    """It may deadlock with any other reader: see qt/bridge/decoding.py."""
    folder = Path(comfydesk.qt.__file__).parent
    found = []
    for path in sorted(folder.rglob("*.py")):
        names = {node.id for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Name)}
        if "QImageReader" in names and names & {"QBuffer", "QFile", "QTemporaryFile"}:
            found.append(str(path.relative_to(folder)))
    assert not found
