"""The idle guard's loop: looks at every connected rented pod, and stops what `idle` says may be stopped.

A pod's own queue, the library's rows of every session on this computer, and the user's last doings in any of its
windows are read anew for each look; so the look that says stop is itself seconds old at most.
"""

import asyncio
import contextlib
import os
import time
from collections.abc import Callable
from pathlib import Path

from comfydesk.errors import KnownError, PodError
from comfydesk.hosts.protocol import HostState
from comfydesk.session.library import Library
from comfydesk.session.pods import idle
from comfydesk.session.pods.links import Link, Links
from comfydesk.session.pods.rented import Rented
from comfydesk.session.tasks import Tasks
from comfydesk.store import jobs

ROUND = 20.0
"""Seconds between two looks; `idle.MAX_GAP` allows 90."""
COUNTDOWN_ROUND = 3.0
"""While a pod is about to be stopped."""
ASK_DEADLINE = 15.0
"""For each of provider and pod: what takes longer is not known, and so not idle."""


class Activity:
    """When the user last did something, in any program that shares this data folder: the time of an empty file."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self._path = path
        self._clock = clock
        self._last = clock()
        self._written = 0.0

    def mark(self) -> None:
        """Now. Cheap: call it as often as you like."""
        self._last = self._clock()
        if abs(self._last - self._written) >= 5:
            self._written = self._last
            with contextlib.suppress(OSError):
                self._path.parent.mkdir(parents=True, exist_ok=True)
                self._path.touch()
                os.utime(self._path, (self._last, self._last))

    def latest(self) -> float:
        try:
            return max(self._last, self._path.stat().st_mtime)
        except OSError:
            return self._last


class Guard:
    """Runs until cancelled. `poke` has it look at once."""

    def __init__(
        self,
        links: Links,
        library: Library,
        rented: Rented,
        tasks: Tasks,
        activity: Activity,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._links = links
        self._library = library
        self._rented = rented
        self._tasks = tasks
        self._activity = activity
        self._clock = clock
        self._poked = asyncio.Event()

    def poke(self) -> None:
        self._poked.set()

    async def run(self) -> None:
        while True:
            self._poked.clear()
            await self.round()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(COUNTDOWN_ROUND if self._counts_down() else ROUND):
                    await self._poked.wait()

    async def round(self) -> None:
        """One look at all of them."""
        guarded = [link for link in self._links.all() if link.target.profile and link.target.profile.place.kind.rented]
        for result in await asyncio.gather(*(self._look(link) for link in guarded), return_exceptions=True):
            if isinstance(result, KnownError):
                self._tasks.problems.publish(result)
            elif isinstance(result, BaseException):
                raise result

    def _counts_down(self) -> bool:
        states = (self._rented.state(link.target.id) for link in self._links.all())
        return any(state is not None and isinstance(state.idle, idle.Countdown) for state in states)

    async def _look(self, link: Link) -> None:
        profile = link.target.profile
        assert profile is not None
        pod = profile.id
        try:
            async with asyncio.timeout(ASK_DEADLINE):
                await self._rented.status(pod)
        except KnownError as error:
            if profile.idle_minutes is not None:  # who counts on the guard must know that it is blind
                self._rented.note_problem(pod, str(error))
        except TimeoutError:
            pass
        seen = await self._observe(link)
        state = self._rented.state(pod)
        if state is None:  # forgotten meanwhile
            return
        result = idle.step(state.idle, idle.IdlePolicy(profile.idle_minutes), seen)
        self._rented.set_idle(pod, result.state)
        if result.stop:
            await self._stop(pod)

    async def _observe(self, link: Link) -> idle.Observation:
        pod = link.target.id
        queue, queue_read = None, 0.0
        if link.online and link.machine is not None:
            with contextlib.suppress(PodError, TimeoutError):
                async with asyncio.timeout(ASK_DEADLINE):
                    queue, queue_read = await link.machine.queue_remaining(), self._clock()
        state = self._rented.state(pod)
        host = None if state is None else state.host
        asked = self._rented.seen(pod)
        now = self._clock()
        # After the pod's queue: a job that goes from there to here in between is seen twice, and not missed.
        started = now - host.uptime if host is not None and host.uptime is not None else 0.0
        ours = await self._library.call(jobs.open_on, pod, started)
        now = self._clock()
        return idle.Observation(
            at=now,
            running=host is not None and host.state is HostState.RUNNING,
            # A provider that has not answered for a while may have stopped and started it: not known, not idle.
            online=link.online and asked is not None and now - asked <= idle.MAX_GAP,
            server_queue=queue,
            queue_read=queue_read,
            open_jobs=ours.waiting,
            unknown_jobs=ours.unknown,
            downloads=ours.downloads,
            activity=self._activity.latest(),
        )

    async def _stop(self, pod: str) -> None:
        try:
            await self._rented.stop(pod)
        except KnownError:
            state = self._rented.state(pod)
            if state is not None:
                self._rented.set_idle(pod, idle.stop_failed(state.idle, self._clock()))
            raise
