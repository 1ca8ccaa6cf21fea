"""From the first frame to the end: the loop, the session, the demo pod, and the order in which they go again."""

import asyncio
import importlib
import logging
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

import qasync
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from comfydesk.errors import KnownError
from comfydesk.paths import Paths
from comfydesk.qt.app.faults import Faults
from comfydesk.qt.app.logs import start_logging, stop_logging
from comfydesk.qt.app.signals import Signals
from comfydesk.qt.bridge.feeds import Bridge
from comfydesk.qt.bridge.tasks import Tasks
from comfydesk.qt.theme.language import said, tr, why_and_advice
from comfydesk.qt.window.desk import Desk
from comfydesk.qt.window.wiring import Wiring
from comfydesk.settings import DEFAULT_POD, Settings
from comfydesk.wishes import Wish, wish_of_link

if TYPE_CHECKING:
    from comfydesk.qt.app.claim import Claim
    from comfydesk.qt.app.instance import Instance
    from comfydesk.session.demo import DemoKeeper
    from comfydesk.session.session import Session

log = logging.getLogger(__name__)

DEMO = "demo"
CLOSE_S = 10.0
"""How long the session may take to leave its pods; then it is left as after a crash, which it is made for."""


class Life:
    """One run of the window. `run` returns the exit code."""

    def __init__(
        self,
        desk: Desk,
        faults: Faults,
        paths: Paths,
        settings: Settings,
        wish: Wish = Wish(),  # noqa: B008 -- immutable
        *,
        job: "Callable[[Life], Awaitable[int]] | None" = None,
        claim: "Claim | None" = None,
    ) -> None:
        """`job` is done by the window itself, once it is ready; its exit code ends the run.

        `claim` on being the folder's only window; without one the window tries to get it.
        """
        self.desk, self.window, self.faults = desk, desk.window, faults
        self.paths, self.settings = paths, settings
        self._wish, self._job, self._claim = wish, job, claim
        self._instance: Instance | None = None
        self.tasks = Tasks(faults.take, faults.take)
        self.session: Session | None = None
        self.wiring: Wiring | None = None
        self._bridge: Bridge | None = None
        self._made: Session | None = None
        """`session` before it has started: to be closed in any case."""
        self._demo: DemoKeeper | None = None
        self._signals: Signals | None = None
        self._over: asyncio.Future[int] | None = None

    def run(self, app: QApplication) -> int:
        """Until the window is closed, or the headless job is done."""
        loop = qasync.QEventLoop(app)
        loop.set_exception_handler(self.faults.on_loop)
        try:
            code: int = loop.run_until_complete(self._main())
            return code
        finally:
            if self._signals is not None:
                self._signals.close()
            loop.close()
            stop_logging()

    def end(self, code: int = 0) -> None:
        """Close down, in order, and let `run` return `code`."""
        if self._over is not None and not self._over.done():
            self._over.set_result(code)

    async def start_session(self) -> None:
        """Open the library and join the window to it. Raises StoreError."""
        # Imported on a worker: 300 ms in which the window would not answer.
        module = await asyncio.to_thread(importlib.import_module, "comfydesk.session.session")
        await asyncio.to_thread(importlib.import_module, "comfydesk.client.pod")
        # Ours to close from now on, also if it is cut short while it starts.
        session: Session = module.Session(self.paths, self.settings)
        self._made = session
        await session.start()
        self.session = session
        session.problems.subscribe(self.faults.take)
        self._bridge = Bridge(session, self.tasks)
        self.wiring = Wiring(self.desk, session, self._bridge, self.tasks)
        self.wiring.demo_wanted.connect(lambda: self.tasks.start(self.open_demo()))
        await self._bridge.read_all()

    async def open_demo(self) -> None:
        """Start the demo pod, if it does not run, and connect to it. Raises PodError."""
        from comfydesk.session.demo import DemoKeeper

        assert self.session is not None
        self._demo = self._demo or DemoKeeper(self.paths.data)
        await self.session.connect(await self._demo.target())

    # --- Inside ---------------------------------------------------------------------------------------------------

    async def _main(self) -> int:
        self._over = asyncio.get_running_loop().create_future()
        self.window.closed.connect(self.end)
        self._listen()
        if self.window.isHidden():  # closed before it was furnished
            self.end()
        start_logging(self.paths.logs)
        if self._job is None:
            self._hear_others()
        work = self.tasks.start(self._begin())
        try:
            return await self._over
        finally:
            work.cancel()
            await self._shut_down()

    async def _begin(self) -> None:
        self._tell_settings()
        try:
            await self.start_session()
        except Exception as error:
            self._tell_not_begun(error)
            return
        self._take(self._wish._replace(pod=""))
        await self._connect()
        if self._job is not None:
            self.end(await self._job(self))

    def _tell_not_begun(self, error: Exception) -> None:
        """Without a session nothing works: that is said in the window, and nothing seems to be on its way."""
        known = (
            error
            if isinstance(error, KnownError)
            else KnownError(
                tr("ComfyDesk could not start"),
                str(error) or type(error).__name__,
                tr("Your jobs and pictures are safe. Start it again; if that does not help, report what the log says."),
            )
        )
        self.desk.preview.banner.tell_error(known)
        self.desk.browser.mark_failed()
        self.desk.gallery.mark_failed()
        self.desk.preview.mark_known()
        if error is not known:
            self.faults.take(error)  # the report, and the end of a headless job
        elif self._job is not None:
            self.faults.take(error)
            self.end(known.exit_code)

    async def _connect(self) -> None:
        pod = self._wish.pod or self.settings.get(DEFAULT_POD)
        if not pod and self._job is None and self.session is not None and self.wiring is not None:
            book, made = await self.session.profiles.load(), await self.session.queue.jobs(1)
            if not book.profiles and not made and not await self.session.outputs(1):
                self.wiring.pods.connecting.welcome()
            self.wiring.pods.refresh()
            return
        try:
            if pod:
                await self._open_pod(pod)
        except KnownError as error:
            self.faults.take(error)

    async def _shut_down(self) -> None:
        """The window first, for it is what is seen; then what talks to others; the store, in the session, last."""
        self.window.hide()
        if self._instance is not None:
            self._instance.close()
        if self._bridge is not None:
            self._bridge.close()
        await self.tasks.close()
        if self._made is not None:
            try:
                async with asyncio.timeout(CLOSE_S):
                    await self._made.close()
            except TimeoutError:
                log.warning("the session did not close within %s s", CLOSE_S)
        if self._demo is not None:
            await self._demo.close()

    def _listen(self) -> None:
        """Faults become toasts and reports, Ctrl+C in the terminal a closed window."""
        self.faults.known.connect(self._show_known)
        self.faults.bug.connect(self._on_bug_in_job if self._job else self._show_bug)
        self._signals = Signals(self.window.close, self.window)

    def _hear_others(self) -> None:
        """Second starts hand over what they were asked for; the system what is opened with us."""
        from comfydesk.qt.app.instance import Instance, Openings

        self._instance = Instance(self.paths, self.window, self._claim)
        self._instance.listen()
        self._instance.wished.connect(self._on_wish)
        if sys.platform == "darwin":  # elsewhere nobody sends them, and all events of all widgets would pass it
            openings = Openings(self.window)
            openings.asked.connect(lambda link: self._on_wish(wish_of_link(link)))

    def _on_wish(self, wish: Wish) -> None:
        """The window comes to the front and does as it is asked, as soon as there is a session for it."""
        self.window.setWindowState(self.window.windowState() & ~Qt.WindowState.WindowMinimized)
        self.window.show()
        self.window.raise_()
        self.window.activateWindow()
        if self.wiring is None:
            self._wish = Wish(*(new or old for new, old in zip(wish, self._wish, strict=True)))
            return
        self._take(wish)

    def _take(self, wish: Wish) -> None:
        wiring = self.wiring
        if wiring is None:
            return
        if wish.file:
            wiring.bench.open(Path(wish.file))
        if wish.words:
            self.desk.workspaces.show("create")
            self.desk.actions["intent"].trigger()
            self.desk.intent.field.edit.setText(wish.words)
        if wish.add_pod:
            wiring.pods.connecting.add_pod(wish.add_pod)
        if wish.pod:
            self.tasks.start(self._open_pod(wish.pod))

    async def _open_pod(self, pod: str) -> None:
        """Raises KnownError."""
        if pod == DEMO:
            await self.open_demo()
        elif self.session is not None:
            await self.session.connect(pod)

    def _tell_settings(self) -> None:
        if self.settings.problem:
            self.desk.toasts.tell(tr("Settings"), said(self.settings.problem), tone="warning")

    def _show_known(self, error: KnownError) -> None:
        shown = {toast.accessibleName() for toast in self.desk.toasts.toasts()}
        if f"{said(error.what)}. {why_and_advice(error)}".strip() not in shown:
            self.desk.toasts.tell_error(error)

    def _on_bug_in_job(self, _: str) -> None:
        self.end(1)

    def _show_bug(self, trace: str) -> None:
        from comfydesk.qt.dialogs.report import ReportDialog

        ReportDialog(self.window.theme, trace, self.window).open()
