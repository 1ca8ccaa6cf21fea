"""One file of unknown origin through all that looks into files: import, thumbnail, viewer. Run by its bench."""

import asyncio
import gc
import json
import os
import sys
import time
from pathlib import Path

from comfydesk.errors import KnownError


def peak() -> float:
    """MB that this process had at most."""
    text = Path("/proc/self/status").read_text("utf-8")
    return next(int(line.split()[1]) / 1024 for line in text.splitlines() if line.startswith("VmHWM"))


def read(path: Path) -> str:
    from comfydesk.session.gallery.reading import FileReader

    try:
        taken = FileReader().read(path, hashed=True, whole=True)
    except KnownError as error:
        return f"skipped: {error.why}"
    return f"taken as {taken.media}, {taken.width} x {taken.height}"


def thumbnail(path: Path) -> str:
    from comfydesk.session.gallery.posters import poster

    try:
        return f"{len(poster(path, 'image', 256)):,} bytes"
    except KnownError as error:
        return f"none: {error.why}"


async def look(path: Path) -> str:
    from comfydesk.qt.models.tiles import Tiles

    tiles = Tiles()
    picture = tiles.open(str(path))
    enough, until = time.monotonic() + 40, time.monotonic() + 120
    while not picture.reason and not picture.whole and time.monotonic() < enough:  # noqa: ASYNC110 - the loop is Qt's
        await asyncio.sleep(0.01)
    if picture.whole:
        middle = picture.size.width() // 512, picture.size.height() // 512
        picture.want(0, [middle])
        while picture.tile((0, *middle)) is None and not picture.reason:
            assert time.monotonic() < until
            await asyncio.sleep(0.01)
    said = f"card: {picture.reason}" if picture.reason else f"shown{', ' + picture.note if picture.note else ''}"
    if not picture.whole and not picture.reason:
        said = f"being read: {picture.size.width()} x {picture.size.height()}"
    tiles.close()
    await asyncio.sleep(0.05)  # what is to be deleted is, before its owner
    return said


def main(path: Path) -> None:
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    import qasync
    from PIL import Image  # noqa: F401 - part of what is there before
    from PySide6.QtWidgets import QApplication

    from comfydesk.qt.models import tiles  # noqa: F401

    gc.disable()  # as in the window: a collection inside a worker would destroy QObjects there
    app = QApplication([])
    loop = qasync.QEventLoop(app)
    found: dict[str, object] = {}
    with loop:
        for name, work in (
            ("import", lambda: read(path)),
            ("thumbnail", lambda: thumbnail(path)),
            ("viewer", lambda: loop.run_until_complete(look(path))),
        ):
            before, began = peak(), time.perf_counter()
            found[name] = work()
            found[f"{name}_mb"], found[f"{name}_s"] = peak() - before, time.perf_counter() - began
    print(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
