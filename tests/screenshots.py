"""`make screenshots`: every screen of the window, dark and light, 100 % and 200 %, into docs/screenshots.

    python -m tests.screenshots [FOLDER]

The real window does real jobs on a demo pod; the scenes below bring it where it is to be seen. With a display the
pictures are what X11 or the desktop shows, without one what the offscreen platform draws.
"""

import asyncio
import os
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ["QT_API"] = "pyside6"

from PySide6.QtWidgets import QApplication

from comfydesk.demo.faults import out_of_memory
from comfydesk.demo.server import DemoPod
from comfydesk.paths import Paths
from comfydesk.qt.app.collector import Collector
from comfydesk.qt.app.faults import Faults
from comfydesk.qt.app.headless import until
from comfydesk.qt.app.life import Life
from comfydesk.qt.theme import Appearance, Scheme, Theme
from comfydesk.qt.window.desk import Desk, furnish
from comfydesk.qt.window.shell import MainWindow
from comfydesk.session.values import PodTarget
from comfydesk.settings import THEME, Settings
from comfydesk.store.records import JobState
from comfydesk.workflow.fields import Role
from tests.browse_scenes import shoot_browse
from tests.enhance_scenes import shoot_enhance
from tests.gallery_scenes import add_output, shoot_gallery
from tests.job_scenes import shoot_jobs
from tests.pod_scenes import shoot_pods
from tests.viewer_scenes import shoot_viewer

SIZE = (1440, 900)
FORMAT, QUALITY = "webp", 90
PROMPTS = (
    "a lighthouse above the sea at sunset, sailing boats, warm light",
    "snowy mountains behind a lake, blue hour, stars",
    "hot air balloons over dry hills at dawn",
    "a red bicycle in front of an old town, evening",
)


class Camera:
    """Takes the window in both schemes at the scale it is told."""

    def __init__(self, desk: Desk, folder: Path) -> None:
        self.desk, self.window, self.theme, self.folder = desk, desk.window, desk.theme, folder
        self.scale = 1.0
        folder.mkdir(parents=True, exist_ok=True)

    def resize(self, scale: float) -> None:
        """Everything at `scale`, in a window as much larger as a screen allows."""
        self.scale = scale
        more = min(scale, 1.35)
        self.window.resize(round(SIZE[0] * more), round(SIZE[1] * more))
        self.theme.apply(Appearance(Scheme.DARK, scale, reduced_motion=True))

    async def take(self, name: str) -> None:
        """Both schemes, one after the other, of the same moment."""
        percent = "" if self.scale == 1 else f"-{round(self.scale * 100)}"
        for scheme in (Scheme.DARK, Scheme.LIGHT):
            self.theme.apply(Appearance(scheme, self.scale, reduced_motion=True))
            await asyncio.sleep(0.05)  # layouts settle; never processEvents in a task
            path = self.folder / f"{name}{percent}-{scheme.value}.{FORMAT}"
            assert self.window.grab().save(str(path), quality=QUALITY), path
            sys.stdout.write(f"{path}\n")
        self.theme.apply(Appearance(Scheme.DARK, self.scale, reduced_motion=True))


class Scenes:
    """One after another, in one run of the window."""

    def __init__(self, life: Life, camera: Camera, pod: DemoPod) -> None:
        self.life, self.camera, self.pod = life, camera, pod
        self.desk = life.desk

    async def all(self) -> int:
        """The exit code."""
        await self.first_start()
        await self.pod.start()
        try:
            await self.connect()
            await self.make_some()
            await self.idle()
            await self.busy("busy")
            await self.viewer()
            await self.other_forms()
            await self.nothing_found()
            await self.failed()
            await self.options()
            assert self.life.wiring is not None
            assert self.life.session is not None
            folder = self.pod.folder.parent
            await shoot_jobs(self.desk, self.life.wiring, self.life.session, self.camera.take, self.pod, folder)
            await shoot_enhance(self.desk, self.life.wiring, self.life.session, self.camera.take)
            await shoot_browse(self.desk, self.life.wiring, self.camera.take)
            await shoot_gallery(self.desk, self.life.wiring, self.life.session, self.camera.take, folder)
            await shoot_viewer(self.desk, self.life.wiring, self.life.session, self.camera.take, folder, add_output)
            await shoot_pods(self.desk, self.life.wiring, self.camera.take, self.pod.folder.parent)
            await self.connect()
            self.camera.resize(2.0)
            await self.busy("busy")
            await self.idle()
            await shoot_browse(self.desk, self.life.wiring, self.camera.take)
            await shoot_gallery(self.desk, self.life.wiring, self.life.session, self.camera.take, folder)
            await shoot_viewer(self.desk, self.life.wiring, self.life.session, self.camera.take, folder, add_output)
            await self.options()
        finally:
            await self.pod.stop()
        return 0

    async def first_start(self) -> None:
        await until(lambda: self.desk.workflows.total > 0, 10)
        await self.settled()
        await self.camera.take("first-start")

    async def connect(self) -> None:
        session = self.life.session
        assert session is not None
        await session.connect(PodTarget.demo(self.pod.url))
        assert await until(self.desk.generation.footer.generate.main.isEnabled, 30)

    async def make_some(self) -> None:
        """A few pictures for the gallery, of different shapes."""
        for prompt, size in zip(PROMPTS, ((1216, 832), (832, 1216), (1344, 768), (1024, 1024)), strict=True):
            await self.make(prompt, size)

    async def idle(self) -> None:
        await self.settled()
        await self.camera.take("idle")

    async def busy(self, name: str) -> None:
        desk = self.desk
        desk.queue.clear.click()
        self.fill(PROMPTS[0], (1344, 768), steps=60)
        desk.generation.footer.count.set_value(4)
        desk.generation.footer.generate.main.click()
        assert await until(lambda: any((row.fraction or 0) > 0.5 for row in desk.jobs.rows()), 60)
        await self.settled()
        await self.camera.take(name)
        assert self.life.wiring is not None
        for row in desk.jobs.rows():
            if not row.job.state.ended:
                self.life.wiring.jobs.commands.cancel(row.job.id)
        assert await until(lambda: desk.jobs.waiting() == 0, 60)
        desk.generation.footer.count.set_value(1)

    async def viewer(self) -> None:
        assert await until(lambda: self.desk.outputs.latest is not None, 5)
        latest = self.desk.outputs.latest
        assert latest is not None
        self.desk.viewer.open(latest.id)
        await until(lambda: not self.desk.viewer.view.image_size().isEmpty(), 10)
        await self.settled()
        await self.camera.take("viewer")
        self.desk.viewer.shut()

    async def other_forms(self) -> None:
        for name in ("Image to image", "Text to video", "Text to audio"):
            await self.open(name)
            await self.settled()
            await self.camera.take("form-" + name.lower().replace(" ", "-"))
        await self.open("Text to image")

    async def nothing_found(self) -> None:
        self.desk.browser.search_for("hello world")
        await self.settled()
        await self.camera.take("nothing-found")
        self.desk.browser.clear()

    async def failed(self) -> None:
        self.pod.script.nodes["KSampler"] = out_of_memory()
        self.fill(PROMPTS[1], (1536, 1536))
        self.desk.generation.footer.generate.main.click()
        assert await until(lambda: JobState.FAILED in [row.job.state for row in self.desk.jobs.rows()], 30)
        assert await until(self.desk.generation.banner.isVisible, 10)
        await self.settled()
        await self.camera.take("failed")
        self.pod.script.nodes.clear()
        self.desk.generation.banner.clear()

    async def options(self) -> None:
        """Settings, keys, the cheat sheet, the other workspaces."""
        desk = self.desk
        desk.options.open_at(THEME)
        await self.settled()
        await self.camera.take("settings")
        desk.options.open_keyboard()
        await self.settled()
        await self.camera.take("settings-keyboard")
        desk.options.open_sheet()
        await self.settled()
        await self.camera.take("shortcuts")
        desk.pages.close()
        for name in ("library", "compare"):
            desk.workspaces.show(name)
            await self.settled()
            await self.camera.take(f"workspace-{name}")
        desk.workspaces.show("create")

    # --- Helpers --------------------------------------------------------------------------------------------------

    async def make(self, prompt: str, size: tuple[int, int]) -> None:
        before = self.desk.outputs.rowCount()
        self.fill(prompt, size)
        self.desk.generation.footer.generate.main.click()
        assert await until(lambda: self.desk.outputs.rowCount() > before, 60), prompt

    def fill(self, prompt: str, size: tuple[int, int], steps: int = 20) -> None:
        form = self.desk.generation.form
        wanted = {Role.PROMPT: prompt, Role.WIDTH: size[0], Role.HEIGHT: size[1], Role.STEPS: steps}
        for role, value in wanted.items():
            for field in form.form().with_role(role)[:1]:
                form.set_value(field.id, value)

    async def open(self, name: str) -> None:
        entry = next(entry for entry in self.desk.workflows.entries() if entry.name == name)
        assert self.life.wiring is not None
        self.life.wiring.bench.open(entry)
        assert await until(lambda: self.opened() == name, 10)

    def opened(self) -> str:
        workflow = self.desk.generation.workflow
        return "" if workflow is None else workflow.name

    async def settled(self) -> None:
        """Thumbnails and large pictures have had time to load; nothing is being pointed at."""
        await asyncio.sleep(0.3)


def shoot(folder: Path) -> int:
    """All of it; the exit code."""
    app = QApplication.instance() or QApplication([])
    assert isinstance(app, QApplication)
    app.setQuitOnLastWindowClosed(False)
    collector = Collector()
    faults = Faults()
    faults.install()
    theme = Theme(Appearance(Scheme.DARK, reduced_motion=True))
    theme.install(app)
    with tempfile.TemporaryDirectory() as home:
        paths = Paths.under(Path(home))
        window = MainWindow(theme, paths)
        window.resize(*SIZE)
        window.show()
        desk = furnish(window)
        window.resize(*SIZE)
        camera = Camera(desk, folder)
        pod = DemoPod(folder=Path(home) / "pod")
        job: Callable[[Life], Awaitable[int]] = lambda life: Scenes(life, camera, pod).all()  # noqa: E731
        try:
            return Life(desk, faults, paths, Settings(), job=job).run(app)
        finally:
            desk.release()
            collector.stop()
            faults.remove()


if __name__ == "__main__":
    sys.exit(shoot(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1] / "docs" / "screenshots"))
