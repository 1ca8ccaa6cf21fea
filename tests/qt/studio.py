"""A whole window on a demo pod, for tests: what `comfydesk.qt.app` puts together, on the loop of the tests."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractItemView, QWidget
from pytestqt.qtbot import QtBot

from comfydesk.credentials import SessionCredentials
from comfydesk.demo.server import DemoPod
from comfydesk.errors import KnownError
from comfydesk.paths import Paths
from comfydesk.qt.bridge.feeds import Bridge
from comfydesk.qt.bridge.tasks import Tasks
from comfydesk.qt.theme import Theme
from comfydesk.qt.window.desk import Desk, furnish
from comfydesk.qt.window.shell import MainWindow
from comfydesk.qt.window.wiring import Wiring
from comfydesk.session.pods.vault import Vault
from comfydesk.session.session import Session
from comfydesk.session.values import PodTarget
from comfydesk.settings import FILE_NAME, Settings
from comfydesk.store.records import JobState
from comfydesk.workflow.fields import Role

Loop = Callable[[Coroutine[Any, Any, Any]], Any]
PATIENCE_MS = 10_000


async def keyring_in_memory() -> SessionCredentials:
    """Tests leave the computer's own keyring alone."""
    return SessionCredentials(note="")


class Studio:
    """Window, session and pod. Everything it does to the window it does as a user would: keys and the mouse."""

    def __init__(
        self, qtbot: QtBot, loop: Loop, theme: Theme, folder: Path, speed: float = 4.0, **session: Any
    ) -> None:
        """`session`: what its Session is to be made with, beyond a keyring in memory."""
        self.qtbot, self.loop, self.theme = qtbot, loop, theme
        self.paths = Paths.under(folder)
        self.pod = DemoPod(folder=folder / "pod", speed=speed)
        self._options: dict[str, Any] = {"vault": Vault(keyring_in_memory), **session}
        self.known: list[KnownError] = []
        self.bugs: list[BaseException] = []
        self.desk: Desk
        self.window: MainWindow
        self.session: Session

    # --- Life -----------------------------------------------------------------------------------------------------

    def open(self, *, pod: bool = True, size: tuple[int, int] | None = (1440, 900)) -> "Studio":
        """Open the window, and connect it to the demo pod. `size` None: as it was left."""
        self.window = MainWindow(self.theme, self.paths)
        if size is not None:
            self.window.resize(*size)
        self.window.show()
        self.settings = Settings.load(self.paths.data / FILE_NAME)
        self.desk = furnish(self.window, self.settings)
        self.window.activateWindow()
        self.until(self.window.isActiveWindow)
        self.tasks = Tasks(self.known.append, self.bugs.append)
        self.session = Session(self.paths, self.settings, **self._options)
        self.loop(self._start(pod=pod))
        return self

    async def _start(self, *, pod: bool) -> None:
        await self.session.start()
        self.session.problems.subscribe(self.known.append)
        self.bridge = Bridge(self.session, self.tasks)
        self.wiring = Wiring(self.desk, self.session, self.bridge, self.tasks)
        await self.bridge.read_all()
        if pod:
            await self.connect()

    async def connect(self) -> None:
        await self.pod.start()
        await self.session.connect(PodTarget.demo(self.pod.url))

    def close(self) -> None:
        """Close the window, as its close button does; the pod goes on."""
        self.window.close()
        self.bridge.close()
        self.loop(self._end())
        self.desk.release()
        self.window.deleteLater()
        assert not self.bugs, self.bugs

    async def _end(self) -> None:
        await self.tasks.close()
        async with asyncio.timeout(10):
            await self.session.close()

    def stop_pod(self) -> None:
        self.loop(self.pod.stop())

    # --- Waiting --------------------------------------------------------------------------------------------------

    def until(self, holds: Callable[[], object], what: str = "") -> None:
        """Until `holds`, with the window alive meanwhile."""
        self.qtbot.waitUntil(lambda: bool(holds()), timeout=PATIENCE_MS)

    def ready(self) -> "Studio":
        """Until Generate can be pressed."""
        self.until(self.desk.generation.footer.generate.main.isEnabled)
        return self

    def quick(self) -> "Studio":
        """Until Generate can be pressed, and then make the job a small one: drawing costs real time."""
        self.ready()
        form = self.desk.generation.form
        for role, value in ((Role.WIDTH, 128), (Role.HEIGHT, 128), (Role.STEPS, 8)):
            for field in form.form().with_role(role):
                form.set_value(field.id, value)
        return self

    def states(self) -> list[JobState]:
        """Of the queue's rows, top down."""
        return [row.job.state for row in self.desk.jobs.rows()]

    # --- Hands ----------------------------------------------------------------------------------------------------

    def click(self, widget: Any) -> None:
        """The left button, in the middle."""
        QTest.mouseClick(widget, Qt.MouseButton.LeftButton)

    def click_row(self, view: QAbstractItemView, row: int, *, double: bool = False) -> None:
        """A row of a list, in its middle."""
        model = view.model()
        spot = view.visualRect(model.index(row, 0)).center()
        QTest.mouseMove(view.viewport(), spot)
        QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=spot)
        if double:
            QTest.mouseDClick(view.viewport(), Qt.MouseButton.LeftButton, pos=spot)

    def click_at(self, view: QAbstractItemView, spot: QPoint) -> None:
        """Anywhere in a list."""
        QTest.mouseMove(view.viewport(), spot)
        QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=spot)

    def keys(self, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        """A key, to whatever has the focus."""
        QTest.keyClick(self._focused(), key, modifier)

    def _focused(self) -> QWidget:
        focused: QWidget | None = self.window.focusWidget()
        return self.window if focused is None else focused

    def type(self, words: str) -> None:
        """Words, to whatever has the focus."""
        QTest.keyClicks(self._focused(), words)

    def pick(self, name: str) -> None:
        """Click the workflow's card and wait until its form is there."""
        names = [row.entry.name for row in self.desk.workflows.rows()]
        self.click_row(self.desk.browser.list, names.index(name))
        self.until(lambda: self.opened == name)
        self.ready()

    @property
    def opened(self) -> str:
        """Name of the workflow in the panel."""
        workflow = self.desk.generation.workflow
        return "" if workflow is None else workflow.name

    @property
    def prompt(self) -> Any:
        """The prompt's editor."""
        part = self.desk.generation.form.prompt_part()
        assert part is not None
        return part.prompt

    def rewrite(self, words: str) -> None:
        """Click into the prompt, select all of it, type over it."""
        edit = self.prompt.focusProxy() or self.prompt
        self.click(edit)
        self.keys(Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
        self.type(words)

    def generate(self) -> None:
        """Ctrl+Enter, wherever the focus is."""
        self.keys(Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
