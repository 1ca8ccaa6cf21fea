"""A thread that runs errands in their order, for one loop.

What asyncio's executors cost per call (locks, a future of each kind, a wake-up of the loop) is most of the time of a
short query. Here the results of errands that were waiting together come back together.
"""

import asyncio
import threading
import time
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")

TOGETHER = 0.002
"""Seconds: results are not kept back for longer than that while the next errand runs."""
_Errand = tuple["asyncio.Future[Any]", Callable[[], Any]]
_Result = tuple["asyncio.Future[Any]", Any, BaseException | None]


class Errands:
    """Starts its thread with the first errand. Belongs to the loop that it is used on."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._waiting: SimpleQueue[_Errand | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    async def run(self, work: Callable[[], T]) -> T:
        """What `work` returns or raises, done on the thread after all that was asked for before.

        Who is cancelled before its turn leaves no trace; later, it is done and nobody hears of it.
        """
        loop = asyncio.get_running_loop()
        if self._thread is None:
            self._thread = threading.Thread(target=self._serve, args=(loop,), name=self._name, daemon=True)
            self._thread.start()
        future: asyncio.Future[T] = loop.create_future()
        self._waiting.put((future, work))
        return await future

    def close(self) -> None:
        """The thread ends after what was asked for before. Again is fine; a later errand starts another."""
        if self._thread is not None:
            self._thread = None
            self._waiting.put(None)

    def _serve(self, loop: asyncio.AbstractEventLoop) -> None:
        while (errand := self._waiting.get()) is not None:
            done: list[_Result] = []
            began = time.monotonic()
            while True:
                _run(errand, done)
                if self._waiting.empty() or time.monotonic() - began > TOGETHER:
                    break
                errand = self._waiting.get()
                if errand is None:
                    _tell(loop, done)
                    return
            _tell(loop, done)


def _run(errand: _Errand, done: list[_Result]) -> None:
    future, work = errand
    if future.cancelled():
        return
    try:
        done.append((future, work(), None))
    except BaseException as error:
        done.append((future, None, error))


def _tell(loop: asyncio.AbstractEventLoop, done: list[_Result]) -> None:
    try:
        loop.call_soon_threadsafe(_deliver, done)
    except RuntimeError:  # the loop is closed: nobody waits any more
        return


def _deliver(done: list[_Result]) -> None:
    for future, result, error in done:
        if future.done():  # cancelled meanwhile
            continue
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)
