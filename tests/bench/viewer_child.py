"""The viewer in a real window with a picture of 32,768 by 32,768: first pixels, panning, memory. Run by its bench."""

import asyncio
import gc
import json
import sys
import threading
import time
from pathlib import Path

from comfydesk.qt.app.headless import until

SIDE = 32_768


def make(path: Path, side: int = SIDE) -> None:
    """A picture with something to see everywhere, written in bands: the maker needs little memory, too."""
    import struct
    import zlib

    from PIL import Image

    if path.suffix == ".jpg":
        tile = Image.effect_noise((1024, 1024), 60)
        whole = Image.new("L", (side, side))
        for y in range(0, side, 1024):
            for x in range(0, side, 1024):
                whole.paste(tile.rotate((x + y) // 1024 * 90), (x, y))
        whole.save(path, quality=85)
        return
    noise = Image.effect_noise((1024, 64), 40).tobytes()
    deflate = zlib.compressobj(1)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    with path.open("wb") as file:
        head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
        file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head))
        for y in range(side):
            row = noise[(y % 64) * 1024 : (y % 64 + 1) * 1024]
            pixels = b"".join(bytes((value, y >> 7, value)) for value in row)
            data = deflate.compress(b"\0" + pixels * (side // 1024))
            if data:
                file.write(chunk(b"IDAT", data))
        file.write(chunk(b"IDAT", deflate.flush()) + chunk(b"IEND", b""))


def rss() -> float:
    """MB of this process's own memory: without files that are only mapped."""
    text = Path("/proc/self/status").read_text("utf-8")
    return next(int(line.split()[1]) / 1024 for line in text.splitlines() if line.startswith("RssAnon"))


async def measure(path: Path) -> dict[str, float]:
    from PySide6.QtWidgets import QApplication

    from comfydesk.qt.models.tiles import Tiles
    from comfydesk.qt.theme import Appearance, Scheme, Theme
    from comfydesk.qt.widgets.picture_view import PictureView

    app = QApplication.instance()
    assert isinstance(app, QApplication)
    theme = Theme(Appearance(Scheme.DARK, reduced_motion=True))
    theme.install(app)
    view, tiles = PictureView(theme), Tiles()
    view.resize(1440, 900)
    view.show()
    await asyncio.sleep(0.5)
    before, highest, going = rss(), [0.0], [True]

    def watch() -> None:
        while going[0]:
            highest[0] = max(highest[0], rss())
            time.sleep(0.02)

    watcher = threading.Thread(target=watch)
    watcher.start()
    found: dict[str, float] = {}
    began = time.perf_counter()
    picture = tiles.open(str(path))
    view.show_picture(picture)
    assert await until(lambda: picture.sketch is not None or picture.whole, 120)
    view.repaint()
    found["first_ms"] = (time.perf_counter() - began) * 1000
    stalls, last = [], time.perf_counter()
    while not picture.whole:
        await asyncio.sleep(0.002)
        now = time.perf_counter()
        stalls.append((now - last) * 1000)
        last = now
        assert now - began < 300
    found["whole_s"] = time.perf_counter() - began
    found["stall_ms"] = max(stalls, default=0.0)
    for name, zoom in (("pan_ms", 1.0), ("pan_half_ms", 0.37), ("zoom_ms", 0.05)):
        view.set_zoom(zoom)
        await asyncio.sleep(1.0)
        frames = []
        for number in range(300):
            start = time.perf_counter()
            if name == "zoom_ms":
                view._hurried(view.lens.zoomed(view.zoom * (1.05 if number % 100 < 50 else 1 / 1.05)))
            else:
                view._take(view.lens.moved(-23, -11 if number % 50 < 25 else 17))
            view.repaint()
            frames.append((time.perf_counter() - start) * 1000)
            await asyncio.sleep(0.016)
        frames.sort()
        found[name] = frames[int(len(frames) * 0.99)]
    going[0] = False
    watcher.join()
    found["memory_mb"] = highest[0] - before
    view.show_picture(None)
    tiles.close()
    view.hide()
    await asyncio.sleep(0.05)  # what is to be deleted is, before its owner
    return found


def run(path: Path) -> None:
    import qasync
    from PySide6.QtWidgets import QApplication

    gc.disable()  # as in the window: a collection inside a worker would destroy QObjects there
    app = QApplication([])
    app.setQuitOnLastWindowClosed(False)
    loop = qasync.QEventLoop(app)
    with loop:
        print(json.dumps(loop.run_until_complete(measure(path))))


if __name__ == "__main__":
    run(Path(sys.argv[1]))
