"""The system panel and the session's calls behind it: statistics every few seconds, only while it is shown."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from comfydesk.errors import KnownError
from comfydesk.qt.bridge.tasks import Tasks
from comfydesk.qt.theme.language import tr
from comfydesk.qt.window.desk import Desk

if TYPE_CHECKING:
    import asyncio

    from comfydesk.qt.dialogs.pods.system import SystemSheet
    from comfydesk.session.pods.terms import SystemStats
    from comfydesk.session.session import Session
    from comfydesk.session.values import PodState

EVERY_MS = 2000
LOG_EVERY = 3
"""The log is read at every third look."""


class System(QObject):
    """`check_wanted` when the way to the pod is to be tried."""

    check_wanted = Signal()

    def __init__(self, desk: Desk, session: "Session", tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._desk, self._session, self._tasks = desk, session, tasks
        self.sheet: SystemSheet | None = None
        self._pod = ""
        self._looks = 0
        self._look: asyncio.Task[None] | None = None
        self._clock = QTimer(self, interval=EVERY_MS)
        self._clock.timeout.connect(self._tick)
        desk.pages.changed.connect(self._on_pages)

    @property
    def live(self) -> bool:
        """The pod is asked every few seconds."""
        return self._clock.isActive()

    def open(self, pod: str = "") -> None:
        """The panel of `pod`, or of the current one. Without a pod there is nothing to show."""
        from comfydesk.qt.dialogs.pods.system import SystemSheet

        current = self._session.current_pod
        state = next((state for state in self._session.pods() if state.id == pod), current)
        if state is None:
            self._desk.toasts.tell(tr("No pod is connected"), tr("Connect one to see what it has."), tone="info")
            return
        if self.sheet is None:
            sheet = self.sheet = SystemSheet(self._desk.theme)
            sheet.hide()
            sheet.free_wanted.connect(self._free)
            sheet.check_wanted.connect(self.check_wanted)
        self._pod = state.id
        self.sheet.begin(state)
        self._desk.pages.open(self.sheet)

    def show_pod(self, pod: "PodState | None") -> None:
        """A pod's state is new."""
        if self.sheet is not None and pod is not None and pod.id == self._pod:
            self.sheet.show_pod(pod)

    def _on_pages(self) -> None:
        if self.sheet is not None and self._desk.pages.current is self.sheet:
            self._looks = 0
            self._clock.start()
            self._tick()
        else:
            self._clock.stop()

    def _tick(self) -> None:
        if self._look is None or self._look.done():
            self._look = self._tasks.start(self._read(), failed=self._on_failed)

    async def _read(self) -> None:
        stats: SystemStats = await self._session.refresh_stats(self._pod)
        if self.sheet is not None:
            self.sheet.show_stats(stats)
        if self._looks % LOG_EVERY == 0 and self.sheet is not None:
            self.sheet.show_log(await self._session.log_tail(self._pod))
        self._looks += 1

    def _on_failed(self, error: KnownError) -> None:
        if self.sheet is not None:
            self.sheet.show_trouble(error)

    def _free(self) -> None:
        sheet = self.sheet
        if sheet is not None:
            sheet.free.set_busy(tr("Freeing"))
            self._tasks.start(self._free_now(), done=lambda _: sheet.show_freed(), failed=sheet.show_trouble)

    async def _free_now(self) -> None:
        await self._session.free(self._pod)
        await self._session.refresh_stats(self._pod)
