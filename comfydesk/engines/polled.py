"""A link to something that is no socket: it is online as long as the last call worked.

There is no latency to tell: an answer of an HTTP API measures the API, not the machine that will do the job.
"""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from comfydesk.client.address import Address
from comfydesk.client.link import Link, LinkStatus, Timing
from comfydesk.errors import AuthError, KnownError, PodUnreachableError
from comfydesk.events import Feed, PodEvent

RECHECK = 60.0
"""Seconds between two looks while nothing else is asked."""
Locate = Callable[[], Awaitable[Address]]


class Polled:
    """Open, close, status and events of an engine; subclasses `_enter` an address and `check` what is there."""

    def __init__(self, locate: Locate, *, timing: Timing | None = None, recheck: float = RECHECK) -> None:
        self.address: Address | None = None
        self.events: Feed[PodEvent] = Feed()
        self.link: Feed[LinkStatus] = Feed()
        self._locate = locate
        self._machine = Link(timing, random.random)
        self._recheck = recheck
        self._entering = asyncio.Lock()
        self._awake = asyncio.Event()
        self._watching: asyncio.Task[None] | None = None
        self._closed = False

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.address} {self.status.state}>"

    @property
    def status(self) -> LinkStatus:
        return self._machine.status

    async def open(self) -> None:
        """Connect in the background, and stay connected; `link` tells how it goes."""
        self._closed = False
        if self._watching is None:
            name = f"engine {type(self).__name__}"
            self._watching = asyncio.get_running_loop().create_task(self._watch(), name=name)

    async def close(self) -> None:
        """End everything that runs. It may be opened again."""
        self._closed = True
        watching, self._watching = self._watching, None
        if watching is not None:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
        async with self._entering:
            self.address = None
            await self._leave()
        self._tell(self._machine.closed())

    def wake(self) -> None:
        """The computer slept, or its network changed: look now."""
        self._machine.hurry()
        self._awake.set()

    async def check(self) -> str:
        """Whether it is there and lets us in, and what it says of itself in a few words. Raises KnownError."""
        raise NotImplementedError

    async def _enter(self, address: Address) -> None:
        """Everything from now on goes to `address`."""
        raise NotImplementedError

    async def _leave(self) -> None:
        """End all connections; they come back with the next `_enter`."""
        raise NotImplementedError

    async def _located(self) -> Address:
        """Where it is, and let in there. Raises KnownError of whoever knows the way (a missing key, say)."""
        async with self._entering:
            return self.address or await self._settle()

    async def _settle(self) -> Address:
        """Ask the way anew, and go on where it leads now."""
        if self._closed:
            raise PodUnreachableError("It is not connected")
        address = await self._ask_way()
        if address != self.address:
            if self.address is not None:
                self.address = None
                await self._leave()
            await self._enter(address)
            self.address = address
        return address

    async def _ask_way(self) -> Address:
        """Raises PodError: a fault of the keyring is one of signing in, here as with pods."""
        try:
            return await self._locate()
        except KnownError as error:
            if isinstance(error, AuthError | PodUnreachableError):
                raise
            raise AuthError(error.what, error.why, error.advice) from error

    @asynccontextmanager
    async def _call(self) -> AsyncIterator[Address]:
        """Around each request: how it goes is how the link stands."""
        try:
            yield await self._located()
        except (AuthError, PodUnreachableError) as error:
            self._noted(error)
            raise
        else:
            self._noted(None)

    def _noted(self, error: AuthError | PodUnreachableError | None) -> None:
        if self._watching is None:  # asked without being connected: nobody looks at the status
            return
        if error is None:
            if not self.status.usable:
                self._tell(self._machine.opened(asyncio.get_running_loop().time()))
        elif self.status.usable:
            self._awake.set()  # the watch looks again at once, and has the word on it

    async def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            self._awake.clear()
            if not self.status.usable:
                self._tell(self._machine.connecting())
            try:
                if not self.status.usable:
                    async with self._entering:
                        await self._settle()  # its key may have been typed anew meanwhile
                await self.check()
            except KnownError as error:
                failure = error if isinstance(error, AuthError | PodUnreachableError) else _as_pod_error(error)
                status = self._machine.lost(failure, loop.time())
                self._tell(status)
                await self._pause(status.retry_in or self._recheck)
            else:
                if not self.status.usable:
                    self._tell(self._machine.opened(loop.time()))
                await self._pause(self._recheck)

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._awake.wait()

    def _tell(self, status: LinkStatus) -> None:
        self._publish(self.link, status)

    def _publish(self, feed: "Feed[Any]", item: object) -> None:
        """A listener that fails is reported as our fault, and does not cost us the connection."""
        try:
            feed.publish(item)
        except Exception as error:
            context = {"message": "a listener of an engine failed", "exception": error}
            asyncio.get_running_loop().call_exception_handler(context)


def _as_pod_error(error: KnownError) -> Any:
    from comfydesk.errors import PodError

    return error if isinstance(error, PodError) else PodError(error.what, error.why, error.advice)
