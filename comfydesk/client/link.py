"""What a link to a pod is, and what it does next. Pure: time and chance come in as arguments.

Nothing ends a link but its owner. A refused login, a missing route, a 524: each is told, and tried again; a pod may be
started, an address repaired, a proxy come back.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum

from comfydesk.errors import AuthError, NotComfyError, PodError


class LinkState(StrEnum):
    OFFLINE = "offline"
    """Nobody asked for a connection, or it was closed."""
    CONNECTING = "connecting"
    """Not connected yet; `error` says what the last attempt met."""
    ONLINE = "online"
    DEGRADED = "degraded"
    """HTTP works, the WebSocket does not: jobs run and can be polled, without live progress."""
    RECONNECTING = "reconnecting"
    """Was connected before."""
    AUTH_FAILED = "auth_failed"
    """Our credentials were refused; tried again at a slow pace."""


@dataclass(frozen=True, slots=True)
class LinkStatus:
    state: LinkState = LinkState.OFFLINE
    detail: str = ""
    """One line for the user; empty while all is well."""
    retry_in: float | None = None
    """Seconds from when this was published to the next attempt; None while one runs or none is due."""
    latency_ms: float | None = None
    error: PodError | None = field(default=None, compare=False)

    @property
    def usable(self) -> bool:
        """Jobs can be sent and asked after."""
        return self.state in (LinkState.ONLINE, LinkState.DEGRADED)


@dataclass(frozen=True, slots=True)
class Timing:
    """All of a connection's patience, in seconds."""

    open_timeout: float = 15
    first_message: float = 15
    """ComfyUI greets at once; what stays silent is something else."""
    ping_interval: float = 20
    """The server never pings; this keeps proxies (100 s at Cloudflare) from cutting an idle connection."""
    ping_timeout: float = 90
    """A server that loads a model may not answer for a minute."""
    close_timeout: float = 3
    wake_timeout: float = 5
    """After sleep or a network change the connection proves itself within this, or is made anew."""
    poll_interval: float = 10
    """Of the queue's length, only while the socket is silent."""
    answer_within: float = 5
    """After something was queued: every client is told at once, so who hears nothing is deaf."""
    deaf_after: float = 30
    stale_after: float = 120
    retry_first: float = 0.5
    retry_cap: float = 30
    retry_slow: float = 20
    """First delay where only the user can help."""
    retry_slow_cap: float = 60
    stable_after: float = 10
    """A connection that held this long starts the delays over; a shorter one is part of the trouble."""
    look_delays: tuple[float, ...] = (0.25, 0.75, 1.5)
    """Between the looks for a prompt whose POST went unanswered."""
    lag_delays: tuple[float, ...] = (0.05, 0.1, 0.2, 0.4, 0.8, 1.5)
    """Between the looks at a job that has ended on the stream but not yet in the history."""
    fetch_delays: tuple[float, ...] = (0.5, 1.0, 2.0, 4.0)
    """Before each further attempt of a download; they start over whenever bytes have come."""


def retry_delay(failures: int, error: PodError, timing: Timing, chance: float) -> float:
    """Seconds to wait after that many failures in a row (1: the first). `chance` is uniform in 0…1.

    Doubles up to a cap, and is then shortened by up to half, so that clients of one pod do not come back together.
    """
    slow = isinstance(error, AuthError | NotComfyError)
    first, cap = (timing.retry_slow, timing.retry_slow_cap) if slow else (timing.retry_first, timing.retry_cap)
    longest: float = min(cap, first * 2 ** min(failures - 1, 30))
    return longest * (1 - chance / 2)


class Link:
    """The state machine. Every method returns the status that follows."""

    def __init__(self, timing: Timing | None = None, chance: Callable[[], float] = random.random) -> None:
        self.status = LinkStatus()
        self._timing = timing or Timing()
        self._chance = chance
        self._failures = 0
        self._opened: float | None = None
        self._was_online = False

    def connecting(self) -> LinkStatus:
        """An attempt begins. What is known stays visible: no flicker between attempts."""
        if self.status.state is LinkState.OFFLINE:
            return self._set(LinkStatus(LinkState.CONNECTING))
        return self._set(replace(self.status, retry_in=None))

    def opened(self, now: float) -> LinkStatus:
        """The pod has spoken over the WebSocket."""
        self._opened = now
        self._was_online = True
        return self._set(LinkStatus(LinkState.ONLINE, latency_ms=self.status.latency_ms))

    def lost(self, error: PodError, now: float, *, http_works: bool = False) -> LinkStatus:
        """The attempt failed, or the connection ended."""
        if self._opened is not None and now - self._opened >= self._timing.stable_after:
            self._failures = 0
        self._opened = None
        self._failures += 1
        delay = retry_delay(self._failures, error, self._timing, self._chance())
        if http_works:
            state, detail = LinkState.DEGRADED, f"No live progress: {error}"
        elif isinstance(error, AuthError):
            state, detail = LinkState.AUTH_FAILED, str(error)
        else:
            state = LinkState.RECONNECTING if self._was_online else LinkState.CONNECTING
            detail = str(error)
        return self._set(LinkStatus(state, detail, delay, None, error))

    def hurry(self) -> None:
        """Something has changed for the better (woken up, another network): delays start over."""
        self._failures = 0

    def measured(self, latency_ms: float) -> LinkStatus:
        return self._set(replace(self.status, latency_ms=latency_ms))

    def closed(self) -> LinkStatus:
        """The owner has ended it."""
        self._failures, self._opened, self._was_online = 0, None, False
        return self._set(LinkStatus())

    def _set(self, status: LinkStatus) -> LinkStatus:
        self.status = status
        return status


class Silence:
    """Tells a deaf socket from a quiet pod.

    ComfyUI drops a client's new socket from its list when the old one of the same client id ends later: the new one
    then answers pings for ever and hears nothing. Every change of the queue is told to every client, so a queue that
    changed unheard gives it away, and so does a job that runs and says nothing for very long (a reconnect costs
    nothing: the next message is a full snapshot).
    """

    def __init__(self, timing: Timing, now: float) -> None:
        self._timing = timing
        self._heard = now
        self._told: int | None = None
        self._differs = False
        self._owed: float | None = None

    def owed(self, now: float) -> None:
        """We have changed the queue: the server tells everybody, this socket too."""
        if self._owed is None:
            self._owed = now

    def is_overdue(self, now: float) -> bool:
        """Whether what we are owed did not come: deaf, without a doubt."""
        return self._owed is not None and now - self._owed >= self._timing.answer_within

    def heard(self, now: float, remaining: int | None = None) -> None:
        """A message came; `remaining` is the queue's length, if it told."""
        self._heard = now
        self._differs = False
        self._owed = None
        if remaining is not None:
            self._told = remaining

    def due(self, now: float) -> bool:
        """Whether it has been silent for long enough to ask over HTTP."""
        return now - self._heard >= self._timing.poll_interval

    def is_deaf(self, now: float, remaining: int) -> bool:
        """Judge, given the queue's length over HTTP. A difference has to be seen twice: a message may be on its way."""
        quiet = now - self._heard
        differed, self._differs = self._differs, remaining != self._told
        if quiet >= self._timing.deaf_after and self._differs and differed:
            return True
        return quiet >= self._timing.stale_after and remaining > 0


class Wakefulness:
    """Notices that the computer slept: one clock went on while the other, or both, jumped."""

    def __init__(self, monotonic: float, wall: float) -> None:
        self._monotonic = monotonic
        self._wall = wall

    def slept(self, monotonic: float, wall: float, *, expected: float) -> bool:
        """Call every `expected` seconds or so. A jump of over 10 s means sleep (or a clock set anew: harmless)."""
        passed = monotonic - self._monotonic
        drift = (wall - self._wall) - passed
        self._monotonic, self._wall = monotonic, wall
        return abs(drift) > 10 or passed > expected + 10
