"""What test_gallery_speed measures, in a process of its own: a real window, a real library, real thumbnails.

    python -m tests.bench.gallery_child make FOLDER COUNT      a library of COUNT outputs, and their thumbnails on disk
    python -m tests.bench.gallery_child run FOLDER             one line of JSON

Rows and thumbnails are real; the full-size files behind them are not there (100,000 of them would fill the disk).
"""

import asyncio
import gc
import hashlib
import json
import os
import random
import statistics
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

os.environ["QT_API"] = "pyside6"
if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from comfydesk.paths import Paths
from comfydesk.session.gallery.thumbnails import FOLDER
from comfydesk.session.library import FILE_NAME
from comfydesk.store import outputs
from comfydesk.store.database import Database
from comfydesk.store.outputs import Identity
from comfydesk.store.records import Output

SHAPES = ((1344, 768), (1024, 1024), (832, 1216), (1216, 832), (1536, 640))
WORDS = (
    "lighthouse", "sea", "storm", "sunset", "portrait", "oil", "painting", "city", "rain", "neon", "forest", "mist",
    "mountain", "lake", "winter", "film", "grain", "macro", "glass", "bottle", "cat", "astronaut", "balloon", "desert",
    "village", "night", "stars", "robot", "garden", "bridge", "river",
)  # fmt: skip
MODELS = ("flux2-dev-fp8mixed", "z_image_turbo_bf16", "qwen_image_edit_2511", "sd_xl_base_1.0")
DAY = 86_400.0
EDGE = 256
"""What the grid asks for as it is opened first."""
DISTINCT = 240
"""Different pictures among the thumbnails, each of another size in bytes."""


def make(folder: Path, count: int) -> None:
    """Rows as the saver adds them, over three years; thumbnails as ThumbnailCache keeps them."""
    paths, rng = Paths.under(folder), random.Random(7)
    paths.data.mkdir(parents=True, exist_ok=True)
    database = Database(paths.data / FILE_NAME)
    now = time.time()
    with database.transaction():
        for number in range(count):
            output = _output(number, count, now, rng, paths.outputs)
            outputs.add(database, output, Identity("demo", "output", "", Path(output.path).name, ""))
    database.close()
    pictures = []
    for number in range(DISTINCT if count else 0):
        picture = folder / f"{number}.jpg"
        picture.write_bytes(_picture(number, rng))
        pictures.append(picture)
    for number in range(count):
        sha = _sha(number)
        place = paths.cache / FOLDER / sha[:2]
        place.mkdir(parents=True, exist_ok=True)
        # Names of the same few files: they are read and decoded like any others, and made in a tenth of the time.
        os.link(pictures[number % DISTINCT], place / f"{sha}-{EDGE}")


def clear(paths: Paths) -> None:
    """Take out what a run that was ended left behind: see Measured.insert."""
    database = Database(paths.data / FILE_NAME)
    rows = database.query("SELECT id FROM outputs WHERE path GLOB '/flux_*'")
    outputs.remove(database, [row["id"] for row in rows])
    database.close()


def _output(number: int, count: int, now: float, rng: random.Random, folder: Path) -> Output:
    width, height = SHAPES[number % len(SHAPES)]
    created = now - 60 - (count - number) * (3 * 365 * DAY / count)
    prompt = " ".join(rng.choices(WORDS, k=18))
    return Output(
        0, str(folder / f"flux_{number:06}.png"), "image", 1_900_000 + number, _sha(number), created,
        workflow=f"Workflow {number % 12}", prompt=prompt, seed=number, width=width, height=height,
        model=MODELS[number % len(MODELS)], sampler="euler", scheduler="simple", steps=20.0, cfg=3.5,
        rating=number % 7 if number % 7 < 6 else 0, favourite=number % 40 == 0,
    )  # fmt: skip


def _sha(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


def _picture(number: int, rng: random.Random) -> bytes:
    from PIL import Image, ImageDraw, ImageFilter

    width, height = SHAPES[number % len(SHAPES)]
    scale = EDGE / min(width, height)
    size = (round(width * scale), round(height * scale))
    image = Image.new("RGB", size, tuple(rng.randrange(30, 200) for _ in range(3)))
    draw = ImageDraw.Draw(image)
    for _ in range(40):
        x, y, r = rng.randrange(size[0]), rng.randrange(size[1]), rng.randrange(4, 50)
        draw.ellipse((x - r, y - r, x + r, y + r), fill=tuple(rng.randrange(256) for _ in range(3)))
    noise = Image.effect_noise(size, 40).convert("RGB")
    out = BytesIO()
    Image.blend(image.filter(ImageFilter.GaussianBlur(1)), noise, 0.15).save(out, "JPEG", quality=80)
    return out.getvalue()


# --- Measuring ------------------------------------------------------------------------------------------------------


class Measured:
    """The window's job: everything is asked of the widgets a user has, and timed to the end of the paint."""

    def __init__(self, life: Any) -> None:
        self.life = life
        self.found: dict[str, float] = {}
        database = Database(life.paths.data / FILE_NAME)
        self.empty = not outputs.count(database)
        database.close()

    async def run(self) -> int:
        desk = self.life.desk
        assert await until(lambda: self.life.wiring is not None, 30)
        await asyncio.sleep(3.0)  # the start is over, and the idle moment in which the index is read
        self.library = self.life.wiring.library
        self.page, self.view = self.library.page, self.library.page.view
        base = rss()
        self.found["rows_at_start"] = rows_in_memory()
        began, worked, read = time.perf_counter(), time.thread_time(), self._reading()
        desk.workspaces.show("library")
        assert await until(lambda: self.painted(full=False), 10, 0.002)
        self.found["first_rows_ms"] = (time.perf_counter() - began) * 1000
        assert await until(lambda: self.painted(full=True), 10, 0.002)
        self.found["first_page_ms"] = (time.perf_counter() - began) * 1000
        self.found["first_page_cpu_ms"] = (time.thread_time() - worked + self._reading() - read) * 1000
        await asyncio.sleep(1.0)
        if len(self.library.model.listing) > 100:
            await self.type()
            await self.scroll()
            await self.insert()
        await asyncio.sleep(0.5)
        self.found["rss_mb"] = rss()
        self.found["rows_at_end"] = rows_in_memory()
        self.found["rss_before_mb"] = base
        print(json.dumps(self.found), flush=True)
        return 0

    def painted(self, *, full: bool) -> bool:
        """Whether the rows in sight (`full`: and all of their pictures) are there and painted."""
        view, model = self.view, self.library.model
        if not len(model.listing):
            return self.library.page.empty.isVisible() and self.empty
        shown = [model.known(at) for at, _ in view.visible()]
        if not shown or None in shown:
            return False
        if not full:
            return True
        thumbnails = view.thumbnails
        return all(output.path in thumbnails._edges for output in shown) and not thumbnails._loading

    def _other(self, before: object) -> bool:
        return self.library.model.listing is not before

    def _more(self, count: int) -> bool:
        return len(self.library.model.listing) > count

    @staticmethod
    def _reading() -> float:
        """Seconds that the store's reading thread was at work; 0 where that is not told."""
        found = [each for each in threading.enumerate() if each.name == "store-read" and each.ident is not None]
        if not found or not hasattr(time, "pthread_getcpuclockid"):
            return 0.0
        return time.clock_gettime(time.pthread_getcpuclockid(found[0].ident or 0))

    async def type(self) -> None:
        """Each key of a search, from the key to the grid that shows what it finds."""
        from PySide6.QtTest import QTest

        edit = self.page.toolbar.search.edit
        edit.setFocus()
        times, kept, busy = [], [], []
        self.listed = asyncio.Event()
        self.library.model.listed.connect(self.listed.set)
        for number, letter in enumerate("lighthouse storm"):
            before = self.library.model.listing
            self.listed.clear()
            began, worked, read = time.perf_counter(), time.thread_time(), self._reading()
            QTest.keyClicks(edit, letter)
            if letter == " ":
                await asyncio.sleep(0.2)
                continue
            async with asyncio.timeout(5):
                await self.listed.wait()
            assert self._other(before), number
            self.view.viewport().repaint()
            times.append((time.perf_counter() - began) * 1000)
            busy.append((time.thread_time() - worked + self._reading() - read) * 1000)
            kept.append(len(self.library.model.listing))
            await asyncio.sleep(0.15)
        self.library.model.listed.disconnect(self.listed.set)
        self.found["key_cpu_median_ms"] = statistics.median(busy)
        self.found["key_cpu_max_ms"] = max(busy)
        self.found["key_median_ms"] = statistics.median(times)
        self.found["key_max_ms"] = max(times)
        self.found["key_found"] = kept[-1]
        self.page.toolbar.search.clear()
        await asyncio.sleep(0.5)

    async def scroll(self) -> None:
        """A wheel turned steadily, then flung: the time of each step and its paint, and of each turn of the loop."""
        bar, viewport = self.view.verticalScrollBar(), self.view.viewport()
        frames, turns, busy = [], [], []
        for step, many in ((60, 400), (240, 200), (700, 200)):
            for _ in range(many):
                last, worked = time.perf_counter(), time.thread_time()
                bar.setValue(bar.value() + step)
                viewport.repaint()
                frames.append((time.perf_counter() - last) * 1000)
                busy.append((time.thread_time() - worked) * 1000)
                await asyncio.sleep(0.016)
                turns.append((time.perf_counter() - last) * 1000 - 16)
        for _ in range(100):  # dragging the handle: a jump each time
            last = time.perf_counter()
            bar.setValue(random.randrange(bar.maximum()))
            viewport.repaint()
            frames.append((time.perf_counter() - last) * 1000)
            await asyncio.sleep(0.016)
        frames.sort()
        turns.sort()
        busy.sort()
        self.found["scroll_cpu_p50_ms"] = busy[len(busy) // 2]
        self.found["scroll_cpu_p99_ms"] = busy[int(len(busy) * 0.99)]
        self.found["scroll_p50_ms"] = frames[len(frames) // 2]
        self.found["scroll_p99_ms"] = frames[int(len(frames) * 0.99)]
        self.found["scroll_max_ms"] = frames[-1]
        self.found["turn_p99_ms"] = turns[int(len(turns) * 0.99)]

    async def insert(self) -> None:
        """New outputs while the view is somewhere in the middle: the model's step with its layout, and what moved."""
        from comfydesk.events import OutputsChanged

        session, model, view = self.life.session, self.library.model, self.view
        view.verticalScrollBar().setValue(view.verticalScrollBar().maximum() // 3)
        await asyncio.sleep(0.5)
        steps: list[float] = []
        busy: list[float] = []
        follow = model.follow

        def timed(step: Any) -> None:
            began, worked = time.perf_counter(), time.thread_time()
            follow(step)
            steps.append((time.perf_counter() - began) * 1000)
            busy.append((time.thread_time() - worked) * 1000)

        model.follow = timed
        moved, made = 0, []
        for number in range(20):
            places = {model.listing.ids[at]: box[1] - view.scrolled for at, box in view.visible()}
            output = _output(10_000_000 + number, 10_000_000 + number, time.time() + 60, random.Random(1), Path("/"))
            stored, changes = await session._library.call(
                outputs.add, output, Identity("demo", "output", "", f"{number}", "")
            )
            made.append(stored.id)
            count = len(model.listing)
            for change in changes:
                assert isinstance(change, OutputsChanged)
                session.changes.publish(change)
            assert await until(partial(self._more, count), 5, 0.005)
            after = {model.listing.ids[at]: box[1] - view.scrolled for at, box in view.visible()}
            both = places.keys() & after.keys()
            moved = max([moved, *(abs(places[id_] - after[id_]) for id_ in both)]) if both else 10_000
        await session._library.call(outputs.remove, made)
        steps.sort()
        busy.sort()
        self.found["insert_cpu_max_ms"] = busy[-1]
        self.found["insert_median_ms"] = steps[len(steps) // 2]
        self.found["insert_max_ms"] = steps[-1]
        self.found["jump_px"] = moved


async def until(holds: Callable[[], bool], patience: float, step: float = 0.01) -> bool:
    end = time.monotonic() + patience
    while not holds():
        if time.monotonic() > end:
            return False
        await asyncio.sleep(step)
    return True


def rows_in_memory() -> int:
    """Outputs that exist as Python objects."""
    return sum(type(each) is Output for each in gc.get_objects())


def rss() -> float:
    """Megabytes of this process."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


async def measure(life: Any) -> int:
    """The window's job."""
    return await Measured(life).run()


def run(folder: Path) -> int:
    from PySide6.QtWidgets import QApplication

    from comfydesk.qt.app.allocator import keep_small
    from comfydesk.qt.app.collector import Collector
    from comfydesk.qt.app.faults import Faults
    from comfydesk.qt.app.life import Life
    from comfydesk.qt.theme import Appearance, Scheme, Theme
    from comfydesk.qt.window.desk import furnish
    from comfydesk.qt.window.shell import MainWindow
    from comfydesk.settings import Settings

    app = QApplication([])
    app.setQuitOnLastWindowClosed(False)
    keep_small()
    collector, faults = Collector(), Faults()
    faults.install()
    theme = Theme(Appearance(Scheme.DARK, reduced_motion=True))
    theme.install(app)
    paths = Paths.under(folder)
    clear(paths)
    for name in ("window.ini", "window.json"):  # or it would open where it was left
        (paths.data / name).unlink(missing_ok=True)
    window = MainWindow(theme, paths)
    window.resize(1440, 900)
    window.show()
    desk = furnish(window)
    window.resize(1440, 900)
    try:
        return Life(desk, faults, paths, Settings(), job=measure).run(app)
    finally:
        desk.release()
        collector.stop()
        faults.remove()


if __name__ == "__main__":
    if sys.argv[1] == "run":
        sys.exit(run(Path(sys.argv[2])))
    make(Path(sys.argv[2]), int(sys.argv[3]))
