"""The one owner of everything asynchronous that the window starts."""

import logging
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from comfydesk.errors import KnownError

if TYPE_CHECKING:
    import asyncio

T = TypeVar("T")
log = logging.getLogger(__name__)


class Tasks:
    """Starts coroutines on the running loop, keeps hold of them, and sees to it that no failure is lost.

    A KnownError goes to the `failed` of its task, else to `on_known`; anything else is a bug and goes to `on_bug`.
    """

    def __init__(self, on_known: Callable[[KnownError], None], on_bug: Callable[[BaseException], None]) -> None:
        self._on_known = on_known
        self._on_bug = on_bug
        self._tasks: set[asyncio.Task[Any]] = set()
        self._over: asyncio.Task[Any] | None = None
        """What is started after the end: a task that was cancelled."""

    def start(
        self,
        work: Coroutine[Any, Any, T],
        *,
        done: Callable[[T], None] | None = None,
        failed: Callable[[KnownError], None] | None = None,
    ) -> "asyncio.Task[T]":
        """Run `work`; `done` gets its result. Cancelled work calls neither, and after `close` all of it is."""
        # The window paints its first frame before asyncio is needed (45 ms).
        import asyncio

        if self._over is not None:  # timers of the window outlive what they would ask
            work.close()
            return self._over
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(lambda task: self._ended(task, done, failed or self._on_known))
        return task

    def tell(self, error: KnownError) -> None:
        """A known error of work that goes on by itself."""
        log.info("%s", error)
        self._on_known(error)

    async def close(self) -> None:
        """Cancel what still runs and wait until all of it has ended."""
        import asyncio

        while self._tasks:
            for task in tuple(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
        over = asyncio.get_running_loop().create_task(asyncio.sleep(0))
        over.cancel()
        await asyncio.gather(over, return_exceptions=True)
        self._over = over

    def _ended(
        self,
        task: "asyncio.Task[T]",
        done: Callable[[T], None] | None,
        failed: Callable[[KnownError], None],
    ) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        try:
            if isinstance(error, KnownError):
                log.info("%s", error)
                failed(error)
            elif error is not None:
                self._on_bug(error)
            elif done is not None:
                done(task.result())
        except Exception as bug:
            # A callback's own fault would end in the loop's handler, far from here.
            self._on_bug(bug)
