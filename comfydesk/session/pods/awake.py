"""Notices that the computer slept, or came into another network. PURE in `Surroundings`; `Watch` looks now and then.

The connections' own keepalives would tell, too, but only after a minute or two.
"""

import asyncio
import contextlib
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass

from comfydesk.client.link import Wakefulness

PAUSE = 5.0
# Documentation addresses (RFC 5737, RFC 3849): the way there is the default route, and nothing is ever sent.
_OUTSIDE = ((socket.AF_INET, ("192.0.2.1", 9)), (socket.AF_INET6, ("2001:db8::1", 9)))


@dataclass(frozen=True, slots=True)
class Moment:
    """Two clocks, in seconds, and our own addresses towards the outside (empty: no network)."""

    monotonic: float
    wall: float
    addresses: frozenset[str] = frozenset()


class Surroundings:
    """Compares one moment with the one before."""

    def __init__(self, first: Moment) -> None:
        self._clocks = Wakefulness(first.monotonic, first.wall)
        self._addresses = first.addresses

    def changed(self, now: Moment, *, expected: float) -> bool:
        """Whether connections should be tried at once. `expected`: seconds that should have passed.

        The network's loss is no reason (nothing would answer); a new one is, and so is its return.
        """
        slept = self._clocks.slept(now.monotonic, now.wall, expected=expected)
        moved = bool(now.addresses - self._addresses)
        self._addresses = now.addresses
        return slept or moved


class Watch:
    """Calls `on_wake` when the surroundings have changed. `run` until cancelled."""

    def __init__(
        self,
        on_wake: Callable[[], None],
        *,
        look: Callable[[], Moment] | None = None,
        pause: float = PAUSE,
    ) -> None:
        self._on_wake = on_wake
        self._look = look or moment
        self._pause = pause

    async def run(self) -> None:
        surroundings = Surroundings(self._look())
        while True:
            await asyncio.sleep(self._pause)
            if surroundings.changed(self._look(), expected=self._pause):
                self._on_wake()


def moment() -> Moment:
    """Now, here."""
    return Moment(time.monotonic(), time.time(), own_addresses())


def own_addresses() -> frozenset[str]:
    """The addresses that packets to the outside would have. Asks the routing table; sends nothing."""
    found = set()
    for family, outside in _OUTSIDE:
        with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect(outside)
            found.add(str(probe.getsockname()[0]))
    return frozenset(found)
