"""Pods in the window: the status bar, the popup, the banner; the sheets about pods are opened from here."""

import time
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QAction

from comfydesk.qt.bridge.tasks import Tasks
from comfydesk.qt.docks.pod_popup import PodPopup
from comfydesk.qt.models.countdown import Countdown
from comfydesk.qt.models.pods import BANNER_BEFORE, PodRow, cost_words, idle_words, pod_rows
from comfydesk.qt.models.words import clock
from comfydesk.qt.theme.language import said, tr
from comfydesk.qt.window.all_pods import AllPods
from comfydesk.qt.window.attention import Attention
from comfydesk.qt.window.connecting import Connecting
from comfydesk.qt.window.desk import Desk
from comfydesk.qt.window.pod_commands import PodCommands
from comfydesk.qt.window.system import System

if TYPE_CHECKING:
    from comfydesk.session.session import Session
    from comfydesk.session.values import PodState

TICK_MS = 1000
DEMO = "demo"
"""Id of the built-in pod."""


def is_demo(pod: "PodState") -> bool:
    """Whether it is the built-in pod, which this window starts itself."""
    return pod.id == DEMO


def trouble_of(pod: "PodState") -> tuple[str, str, str]:
    """(what, why, action) of a pod that cannot be used now."""
    if is_demo(pod):
        return (
            tr("{name} has stopped", name=pod.name),
            tr("Start it again: jobs that wait go on by themselves."),
            tr("Start it again"),
        )
    return tr("{name} cannot be reached", name=pod.name), said(pod.status.detail), tr("Check")


MINE = "pod"
"""Source of what the banner over the middle says of the pod."""


class PodDesk(QObject):
    """Lives as long as the session does. `demo_wanted` when the user asks for the demo pod."""

    demo_wanted = Signal()

    def __init__(self, desk: Desk, session: "Session", tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._desk, self._session = desk, session
        self.connecting = Connecting(desk, session, tasks, self)
        self.commands = PodCommands(desk, session, tasks, self)
        self.all = AllPods(desk, session, tasks, self)
        self.system = System(desk, session, tasks, self)
        self.attention = Attention(desk.window, session, self)
        self._banner = ""
        self._listed: list[QAction] = []
        self._dismissed = False
        self.popup = PodPopup(desk.theme, desk.window)
        self._countdown = Countdown()
        self._clock = QTimer(self, interval=TICK_MS)
        self._clock.timeout.connect(self._tick)
        self._join()

    # --- What is shown --------------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """The session says that something about its pods is new."""
        desk, pod = self._desk, self._session.current_pod
        desk.status.pod.show_pod(None if pod is None else self._countdown.of(pod))
        desk.status.gpu.show_stats(None if pod is None else pod.stats)
        usable = pod is not None and pod.status.usable
        trouble = "" if pod is None or usable else trouble_of(pod)[1]
        if pod is not None and is_demo(pod) and pod.status.error is not None and not usable:
            desk.status.pod.action.setText(tr("Start it again"))
            desk.status.pod.action.show()
        desk.workflows.set_online(usable)
        borrowed = pod is not None and pod.catalog_borrowed
        desk.generation.show_pod(pod.name if pod else "", usable=usable, trouble=trouble, borrowed=borrowed)
        rows = self.rows()
        self.popup.show_rows(rows)
        self.all.show_rows(rows)
        self.system.show_pod(pod)
        self._tick()

    def rows(self) -> tuple[PodRow, ...]:
        """All pods, saved or connected."""
        session = self._session
        current = session.current_pod
        return pod_rows(
            session.profiles.book.profiles,
            map(self._countdown.of, session.pods()),
            session.rented.state,
            None if current is None else current.id,
            self.commands.removed,
        )

    def _tick(self) -> None:
        """What changes by itself: seconds and cents."""
        pod = self._session.current_pod
        rented = None if pod is None else pod.rented
        minutes = pod.profile.idle_minutes if pod is not None and pod.profile is not None else None
        now = time.time()
        idle = idle_words(rented, minutes, now)
        self._desk.status.idle.show_idle(idle)
        self._desk.status.cost.show_cost(*cost_words(rented, now))
        self._tell(pod, idle.left)
        tries = any(other.status.retry_in for other in self._session.pods())
        if tries and self.sender() is self._clock:
            self._count_down(pod)
        if rented is not None or tries:
            self._clock.start()
        else:
            self._clock.stop()

    def _count_down(self, pod: "PodState | None") -> None:
        """A second less until pods that were lost are tried again."""
        if pod is not None:
            self._desk.status.pod.show_pod(self._countdown.of(pod))
        rows = self.rows()
        if self.popup.isVisible():
            self.popup.show_rows(rows)
        self.all.show_rows(rows)

    def _tell(self, pod: "PodState | None", left: float | None) -> None:
        """The banner over the middle: trouble with the pod first, then that it is about to stop."""
        banner = self._desk.preview.banner
        if pod is not None and not pod.status.usable and pod.status.detail:
            trouble = f"{pod.name}\n{said(pod.status.detail)}"
            if trouble != self._banner:
                what, why, action = trouble_of(pod)
                banner.tell(what, why, tone="warning", action=action, source=MINE)
            self._banner = trouble
        elif pod is not None and left is not None and left <= BANNER_BEFORE and not self._dismissed:
            why = tr("Its queue is empty and all outputs are saved.")
            banner.tell(
                tr("{name} stops in {clock}", name=pod.name, clock=clock(left)),
                why,
                tone="info",
                action=tr("Keep running"),
                source=MINE,
            )
            self._banner = "stops"
        else:
            if self._banner:
                banner.clear(MINE)
            self._banner = ""
            if left is None or left > BANNER_BEFORE:
                self._dismissed = False

    def _on_banner(self) -> None:
        if self._banner == "stops":
            self.keep_running()
        elif self._banner:
            pod = self._session.current_pod
            if pod is not None and is_demo(pod):
                self._on_demo()
            else:
                self.connecting.check_current()

    def _on_banner_closed(self) -> None:
        if self._banner == "stops":
            self._dismissed = True

    # --- Inside ---------------------------------------------------------------------------------------------------

    def keep_running(self) -> None:
        """The idle guard leaves the current pod alone for an hour."""
        pod = self._session.current_pod
        if pod is not None:
            self._session.rented.keep_running(pod.id)
            self.refresh()

    def _join(self) -> None:
        self._join_desk()
        connecting, commands = self.connecting, self.commands
        self.popup.acted.connect(commands.act)
        self.popup.add_wanted.connect(connecting.add_pod)
        self.popup.all_wanted.connect(self.all.open)
        for source in (self.popup, connecting, commands):
            source.demo_wanted.connect(self._on_demo)
        commands.changed.connect(self.refresh)
        commands.edit_wanted.connect(lambda pod, check: connecting.edit_pod(pod, check=check))
        commands.system_wanted.connect(self.system.open)
        commands.export_wanted.connect(lambda pod: self.all.export((pod,)))
        connecting.start_wanted.connect(lambda pod: commands.act(pod, "start"))
        connecting.stored.connect(self.refresh)
        self.all.acted.connect(commands.act)
        self.all.add_wanted.connect(connecting.add_pod)
        self.all.offered.connect(connecting.offer)
        self.system.check_wanted.connect(connecting.check_current)

    def _join_desk(self) -> None:
        desk, connecting = self._desk, self.connecting
        desk.status.pod.clicked.connect(self._open_popup)
        desk.status.pod.acted.connect(self._on_chip)
        desk.status.idle.kept.connect(self.keep_running)
        desk.preview.banner.acted.connect(self._on_banner)
        desk.preview.banner.closed.connect(self._on_banner_closed)
        desk.generation.connect_wanted.connect(connecting.add_pod)
        for command, slot in (
            ("connect", connecting.add_pod),
            ("demo", self._on_demo),
            ("pods", self.all.open),
            ("system", self.system.open),
            ("check_pod", connecting.check_current),
            ("disconnect", lambda: self._on_chip("disconnect")),
            ("welcome", connecting.welcome),
        ):
            desk.action(command, slot)
        desk.window.menus["Pod"].aboutToShow.connect(self._fill_menu)
        desk.pages.changed.connect(lambda: desk.status.queue.set_covered(desk.pages.current is not None))

    def _fill_menu(self) -> None:
        """The pods themselves, before what can be done."""
        menu = self._desk.window.menus["Pod"]
        for action in self._listed:
            menu.removeAction(action)
            action.deleteLater()
        self._listed = []
        first = menu.actions()[0]
        for row in self.rows():
            action = QAction(f"{row.name.replace('&', '&&')}, {row.words}", menu, checkable=True, checked=row.current)
            verb = next((verb for verb in ("connect", "select") if verb in row.verbs), "")
            if verb:
                action.triggered.connect(lambda _=False, pod=row.id, verb=verb: self.commands.act(pod, verb))
            self._listed.append(action)
        if self._listed:
            line = QAction(menu)
            line.setSeparator(True)
            self._listed.append(line)
        menu.insertActions(first, self._listed)

    def _on_demo(self) -> None:
        self._desk.pages.close()
        self.demo_wanted.emit()

    def _open_popup(self) -> None:
        if self.popup.isVisible():
            self.popup.hide()
            return
        self.popup.show_rows(self.rows())
        self.popup.open_above(self._desk.status.pod)

    def _on_chip(self, verb: str) -> None:
        pod = self._session.current_pod
        if pod is None:
            if verb == "add" and self._session.profiles.book.profiles:
                self._open_popup()
            elif verb == "add":
                self.connecting.welcome()
        elif is_demo(pod) and not pod.status.usable and pod.status.error is not None:
            self._on_demo()
        elif verb == "check" and pod.profile is None:
            self.connecting.check_current()
        else:
            self.commands.act(pod.id, verb)
