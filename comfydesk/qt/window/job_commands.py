"""The commands on jobs: from the queue's and the panel's wishes to the session's calls. Each starts a task."""

from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from comfydesk.errors import KnownError
from comfydesk.qt.bridge.tasks import Tasks
from comfydesk.qt.models.verbs import Verb
from comfydesk.store.records import Job

if TYPE_CHECKING:
    from comfydesk.session.session import Session


class JobCommands(QObject):
    """What comes of a command arrives as any change of the queue does. `made`: jobs that are new by it."""

    made = Signal(object)
    """tuple of ids"""
    looked = Signal(object)
    """tuple[Job, ...]: how those stand now that were looked for again."""

    def __init__(self, session: "Session", tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session, self._tasks = session, tasks
        self._verbs: dict[Verb, Callable[..., None]] = {
            Verb.CANCEL: self.cancel,
            Verb.HOLD: self.hold,
            Verb.RELEASE: self.release,
            Verb.FRONT: self.front,
            Verb.RETRY: self.retry,
            Verb.DUPLICATE: self.duplicate,
            Verb.LOOK: self.look_again,
            Verb.REMOVE: self.remove,
        }

    def do(self, verb: Verb, jobs: Sequence[str]) -> None:
        """`verb` to all of `jobs`."""
        self._verbs[verb](*jobs)

    def cancel(self, *jobs: str) -> None:
        self._start(self._session.queue.cancel(*jobs))

    def hold(self, *jobs: str) -> None:
        """Send none of them until they are released."""
        self._start(self._session.queue.hold(jobs))

    def release(self, *jobs: str) -> None:
        self._start(self._session.queue.release(jobs))

    def move(self, jobs: Sequence[str], after: str | None = None, before: str | None = None) -> None:
        """Another place in the queue; without a neighbour the first."""
        self._start(self._session.queue.move(jobs, after=after, before=before))

    def front(self, *jobs: str) -> None:
        self.move(jobs)

    def retry(self, *jobs: str) -> None:
        """Run ended jobs again, as new ones; save the results of those that could not be saved."""
        self._start(self._each(jobs, self._session.queue.retry))

    def duplicate(self, *jobs: str) -> None:
        """The same again, at the end of the queue."""
        self._start(self._each(jobs, self._session.queue.duplicate))

    def look_again(self, *jobs: str) -> None:
        """Ask the pod once more for jobs in state unknown."""
        self._start(self._look(jobs))

    def remove(self, *jobs: str) -> None:
        """Take ended jobs off the list; their outputs stay."""
        self._start(self._session.queue.remove(*jobs))

    def pause(self, paused: bool = True) -> None:
        """Send nothing further; what runs goes on."""
        self._start(self._session.queue.pause(paused))

    def hold_all(self) -> None:
        self._start(self._session.queue.hold_all())

    def release_all(self) -> None:
        self._start(self._session.queue.release_all())

    def clear_finished(self) -> None:
        """Take all jobs off the list that have ended, also those that no list has read."""
        self._start(self._session.queue.clear_finished())

    # --- Inside ---------------------------------------------------------------------------------------------------

    def _start(self, work: Coroutine[Any, Any, object]) -> None:
        self._tasks.start(work)

    async def _each(self, jobs: Sequence[str], call: Callable[[str], Coroutine[Any, Any, Job | None]]) -> None:
        for job in jobs:
            made = await call(job)
            if made is not None:
                self.made.emit((made.id,))

    async def _look(self, jobs: Sequence[str]) -> None:
        """All of them are asked for; what keeps one from it is told once those of other pods were."""
        found: list[Job] = []
        trouble: KnownError | None = None
        for job in jobs:
            try:
                now = await self._session.queue.look_again(job)
            except KnownError as error:
                trouble = error
            else:
                found += [] if now is None else [now]
        if found:
            self.looked.emit(tuple(found))
        if trouble is not None:
            raise trouble
