"""The one owner of the session's background tasks."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from comfydesk.errors import KnownError
from comfydesk.events import Feed


class Tasks:
    """Starts coroutines, reports how they fail, ends them.

    A KnownError goes to `problems`, for the user to see; anything else is our fault and goes to the loop's exception
    handler (the window's report dialog). Neither ends anything but its own task.
    """

    def __init__(self) -> None:
        self.problems: Feed[KnownError] = Feed()
        self._running: set[asyncio.Task[None]] = set()
        self._closed = False

    def start(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Run `work` beside everything else. After `close` nothing is started any more."""
        if self._closed:
            work.close()
            return
        task = asyncio.get_running_loop().create_task(self._watched(work, name), name=name)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        # Cancelled before its first step, it would complain that nobody awaited it.
        task.add_done_callback(lambda _: work.close())

    async def close(self) -> None:
        """Cancel what still runs and wait until it has ended."""
        self._closed = True
        while running := [task for task in self._running if task is not asyncio.current_task()]:
            for task in running:
                task.cancel()
            await asyncio.wait(running)

    async def _watched(self, work: Coroutine[Any, Any, None], name: str) -> None:
        try:
            await work
        except Exception as error:
            self.report(error, name)

    def report(self, error: Exception, name: str) -> None:
        """What went wrong in `name`, which goes on."""
        if isinstance(error, KnownError):
            self.problems.publish(error)
            return
        asyncio.get_running_loop().call_exception_handler(
            {"message": f"the background task {name!r} failed", "exception": error}
        )
