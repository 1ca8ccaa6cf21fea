"""A short capture of the window at work, for the README: `python -m tests.capture [FILE]`.

The real window does a real job on a demo pod: a sentence is typed, a workflow offered and opened, a picture made,
looked at and found in the library. Frames are taken meanwhile and written as one animated WebP, with the times that
they were taken at; frames that are alike become one.
"""

import asyncio
import io
import os
import sys
import tempfile
import time
from pathlib import Path

if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ["QT_API"] = "pyside6"

from PIL import Image
from PySide6.QtCore import QBuffer, QIODevice, QItemSelectionModel, QPoint, Qt
from PySide6.QtGui import QColor, QPainter, QPixmap, QPolygonF
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from comfydesk.demo.server import DemoPod
from comfydesk.paths import Paths
from comfydesk.qt.app.collector import Collector
from comfydesk.qt.app.faults import Faults
from comfydesk.qt.app.headless import until
from comfydesk.qt.app.life import Life
from comfydesk.qt.theme import Appearance, Scheme, Theme
from comfydesk.qt.window.desk import furnish
from comfydesk.qt.window.shell import MainWindow
from comfydesk.session.values import PodTarget
from comfydesk.settings import Settings
from comfydesk.workflow.fields import Role

FILE = Path(__file__).parents[1] / "docs" / "screenshots" / "in-motion.webp"
SIZE = (1280, 800)
SHOWN = (960, 600)
EVERY_S = 0.1
LAST_S = 2.5
"""How long the last frame stays before it begins anew."""
QUALITY = 72
MOST_BYTES = 3_000_000
SENTENCE = "a picture of a lighthouse at sunset"
EARLIER = (
    ("snowy mountains behind a lake, blue hour, stars", 1216, 832),
    ("a red bicycle in front of an old town, evening", 832, 1216),
    ("hot air balloons over dry hills at dawn", 1024, 1024),
)


class Film:
    """Frames of a window, and when they were taken."""

    def __init__(self, window: QWidget) -> None:
        self._window = window
        self._frames: list[tuple[float, bytes]] = []
        self._running: asyncio.Task[None] | None = None
        self.pointer: QPoint | None = None
        """Where an arrow is drawn, in the window's coordinates."""

    def start(self) -> None:
        self._running = asyncio.ensure_future(self._run())

    async def stop(self) -> None:
        assert self._running is not None
        self._running.cancel()
        await asyncio.wait((self._running,))

    async def _run(self) -> None:
        while True:
            self._take()
            await asyncio.sleep(EVERY_S)

    def _take(self) -> None:
        picture = self._window.grab()
        if self.pointer is not None:
            _arrow(picture, self.pointer)
        small = picture.scaled(*SHOWN, mode=Qt.TransformationMode.SmoothTransformation).toImage()
        buffer = QBuffer()
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        small.save(buffer, "BMP")  # type: ignore[call-overload]  # PySide's stub has bytes for the format, Qt takes text
        data = bytes(buffer.data().data())
        if not self._frames or self._frames[-1][1] != data:
            self._frames.append((time.monotonic(), data))

    def save(self, path: Path) -> int:
        """Write it; how many frames it has. What is alike is one frame."""
        ends = [*(moment for moment, _ in self._frames[1:]), self._frames[-1][0] + LAST_S]
        durations = [max(20, round((end - begin) * 1000)) for (begin, _), end in zip(self._frames, ends, strict=True)]
        pictures = [Image.open(io.BytesIO(data)).convert("RGB") for _, data in self._frames]
        pictures[0].save(
            path,
            save_all=True,
            append_images=pictures[1:],
            duration=durations,
            loop=0,
            quality=QUALITY,
            method=4,
            minimize_size=True,
        )
        return len(pictures)


def _arrow(picture: QPixmap, at: QPoint) -> None:
    """The pointer, which a grab has not."""
    outline = ((0, 0), (0, 17), (4, 13), (7, 19), (9, 18), (7, 12), (12, 12))
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QColor("black"))
    painter.setBrush(QColor("white"))
    painter.drawPolygon(QPolygonF([at + QPoint(*corner) for corner in outline]))
    painter.end()


class Scene:
    """What is done, at the pace of somebody who shows it."""

    def __init__(self, life: Life, pod: DemoPod, path: Path) -> None:
        self.life, self.pod, self.path = life, pod, path
        self.desk = life.desk
        self.film = Film(life.desk.window)

    async def play(self) -> int:
        """The exit code."""
        await until(lambda: self.desk.workflows.total > 0, 10)
        await self.pod.start()
        try:
            await self._prepare()
            self.film.pointer = QPoint(SIZE[0] // 2, 110)
            self.film.start()
            await self._say()
            await self._make()
            await self._look()
            await self.film.stop()
        finally:
            await self.pod.stop()
        frames = self.film.save(self.path)
        size = self.path.stat().st_size
        sys.stdout.write(f"{self.path}: {frames} frames, {size / 1e6:.1f} MB\n")
        return 0 if size <= MOST_BYTES else 1

    async def _prepare(self) -> None:
        session = self.life.session
        assert session is not None
        await session.connect(PodTarget.demo(self.pod.url))
        main = self.desk.generation.footer.generate.main
        assert await until(main.isEnabled, 30)
        for number, (words, width, height) in enumerate(EARLIER, 1):
            self._set(Role.PROMPT, words)
            self._set(Role.WIDTH, width)
            self._set(Role.HEIGHT, height)
            main.click()
            assert await until(lambda number=number: self.desk.outputs.rowCount() == number, 60)  # type: ignore[misc]
        self.desk.queue.clear.click()
        await asyncio.sleep(0.5)

    async def _say(self) -> None:
        self.desk.actions["intent"].trigger()
        await asyncio.sleep(0.6)
        for letter in SENTENCE:
            typed = QApplication.focusWidget()
            assert typed is not None
            QTest.keyClicks(typed, letter)
            await asyncio.sleep(0.05)
        assert await until(lambda: bool(self.desk.intent.offers), 5)
        await asyncio.sleep(1.2)
        typed = QApplication.focusWidget()
        assert typed is not None
        QTest.keyClick(typed, Qt.Key.Key_Return)
        assert await until(lambda: "lighthouse" in str(self._value(Role.PROMPT)), 10)
        await asyncio.sleep(0.8)

    async def _make(self) -> None:
        self._set(Role.STEPS, 30)
        before = self.desk.outputs.rowCount()
        await self._click(self.desk.generation.footer.generate.main)
        assert await until(lambda: self.desk.outputs.rowCount() > before, 60)
        await asyncio.sleep(1.5)

    async def _look(self) -> None:
        latest = self.desk.outputs.latest
        assert latest is not None
        self.desk.viewer.open(latest.id)
        await until(lambda: not self.desk.viewer.view.image_size().isEmpty(), 10)
        await asyncio.sleep(1.5)
        self.desk.viewer.shut()
        self.desk.workspaces.show("library")
        await asyncio.sleep(1.5)
        assert self.life.wiring is not None
        view = self.life.wiring.library.page.view
        view.pick(0, 0, QItemSelectionModel.SelectionFlag.ClearAndSelect)
        await asyncio.sleep(1.0)

    async def _click(self, widget: QWidget) -> None:
        assert self.film.pointer is not None
        start, end = self.film.pointer, widget.mapTo(self.desk.window, widget.rect().center())
        for step in range(1, 9):
            self.film.pointer = start + (end - start) * (step / 8)
            await asyncio.sleep(0.05)
        QTest.mouseClick(widget, Qt.MouseButton.LeftButton)

    def _set(self, role: Role, value: object) -> None:
        form = self.desk.generation.form
        for field in form.form().with_role(role)[:1]:
            form.set_value(field.id, value)

    def _value(self, role: Role) -> object:
        form = self.desk.generation.form
        return next((form.values().get(field.id) for field in form.form().with_role(role)), "")


def shoot(path: Path) -> int:
    """All of it; the exit code."""
    app = QApplication.instance() or QApplication([])
    assert isinstance(app, QApplication)
    app.setQuitOnLastWindowClosed(False)
    collector, faults = Collector(), Faults()
    faults.install()
    theme = Theme(Appearance(Scheme.DARK, reduced_motion=True))
    theme.install(app)
    with tempfile.TemporaryDirectory() as home:
        window = MainWindow(theme, Paths.under(Path(home)))
        window.show()
        desk = furnish(window)
        window.resize(*SIZE)
        pod = DemoPod(folder=Path(home) / "pod")
        try:
            return Life(desk, faults, window.paths, Settings(), job=lambda life: Scene(life, pod, path).play()).run(app)
        finally:
            desk.release()
            collector.stop()
            faults.remove()


if __name__ == "__main__":
    sys.exit(shoot(Path(sys.argv[1]) if len(sys.argv) > 1 else FILE))
