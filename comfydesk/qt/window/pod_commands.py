"""What can be done to a pod: one method for each verb of models.pods.VERBS."""

from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from comfydesk.qt.bridge.tasks import Tasks
from comfydesk.qt.theme.language import tr
from comfydesk.qt.window.desk import Desk

if TYPE_CHECKING:
    from comfydesk.session.session import Session

DEMO = "demo"


class PodCommands(QObject):
    """`act` carries a verb out, or says through a signal that a sheet is wanted for it."""

    changed = Signal()
    demo_wanted = Signal()
    edit_wanted = Signal(str, bool)
    """Pod, and whether to check the way to it at once."""
    system_wanted = Signal(str)
    export_wanted = Signal(str)

    def __init__(self, desk: Desk, session: "Session", tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._desk, self._session, self._tasks = desk, session, tasks
        self.removed: set[str] = set()
        """Taken off the list, until the toast that offers to undo it has gone."""
        self._verbs: dict[str, Callable[[str], None]] = {
            "connect": self._connect,
            "select": self._select,
            "now": lambda _: session.wake(),
            "disconnect": lambda pod: self._run(session.disconnect(pod)),
            "start": lambda pod: self._run(self._start(pod)),
            "stop": self._ask_to_stop,
            "system": self.system_wanted.emit,
            "check": lambda pod: self.edit_wanted.emit(pod, True),
            "edit": lambda pod: self.edit_wanted.emit(pod, False),
            "duplicate": lambda pod: self._run(self._duplicate(pod)),
            "default": lambda pod: self._run(self._set_default(pod)),
            "export": self.export_wanted.emit,
            "remove": self._remove,
        }

    def act(self, pod: str, verb: str) -> None:
        """Do what was chosen for a pod."""
        self._verbs[verb](pod)

    def name_of(self, pod: str) -> str:
        """What the user calls it."""
        profile = self._session.profiles.book.find(pod)
        names = {state.id: state.name for state in self._session.pods()}
        return profile.name if profile is not None else names.get(pod, pod)

    def _run(self, work: Coroutine[Any, Any, object]) -> None:
        self._tasks.start(work, done=lambda _: self.changed.emit())

    def _connect(self, pod: str) -> None:
        if pod == DEMO:
            self.demo_wanted.emit()
        else:
            self._run(self._session.connect(pod))

    def _select(self, pod: str) -> None:
        self._session.select(pod)
        self.changed.emit()

    async def _start(self, pod: str) -> None:
        await self._session.rented.start(pod)
        if pod not in {state.id for state in self._session.pods()}:
            await self._session.connect(pod)

    def _ask_to_stop(self, pod: str) -> None:
        """A toast asks: what runs on it would be lost."""
        name = self.name_of(pod)
        detail = tr("Its GPU is freed and its disk stays. A job that runs on it would be lost.")
        toast = self._desk.toasts.tell(
            tr("Stop {name}?", name=name), detail, tone="warning", actions=(tr("Stop {name}", name=name),)
        )
        toast.acted.connect(lambda _: self._run(self._session.rented.stop(pod)))

    async def _duplicate(self, pod: str) -> None:
        from comfydesk.session.pods.profiles import new_id

        roster = self._session.profiles
        book = await roster.load()
        profile = book.get(pod)
        copy = replace(profile, id=new_id(), name=book.free_name(profile.name), colour=book.free_colour())
        await roster.add(copy)
        self.edit_wanted.emit(copy.id, False)

    async def _set_default(self, pod: str) -> None:
        await self._session.profiles.set_default(pod)
        self._desk.toasts.tell(tr("{name} is connected at every start", name=self.name_of(pod)))

    # --- Removing, and thinking better of it ----------------------------------------------------------------------

    def _remove(self, pod: str) -> None:
        """Off the list at once; out of the file and the keyring when the offer to undo it has passed."""
        name = self.name_of(pod)
        self.removed.add(pod)
        self._run(self._session.disconnect(pod))
        self.changed.emit()
        toast = self._desk.toasts.tell(
            tr("{name} removed", name=name), tr("Pictures made with it stay."), actions=(tr("Undo"),)
        )
        toast.acted.connect(lambda _: self._restore(pod))
        toast.closed.connect(lambda: self._forget(pod))

    def _restore(self, pod: str) -> None:
        self.removed.discard(pod)
        self.changed.emit()

    def _forget(self, pod: str) -> None:
        if pod in self.removed:
            self._tasks.start(self._forget_now(pod))

    async def _forget_now(self, pod: str) -> None:
        try:
            await self._session.profiles.remove(pod)
        finally:
            self._restore(pod)
