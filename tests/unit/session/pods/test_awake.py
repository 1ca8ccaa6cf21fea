"""Sleep and other networks are noticed; ordinary time is not."""

import asyncio

import pytest

from comfydesk.session.pods.awake import Moment, Surroundings, Watch, own_addresses

HOME, CAFE = frozenset({"192.168.1.20"}), frozenset({"10.7.0.3", "fd00::3"})
START = Moment(1000.0, 1_800_000_000.0, HOME)


def later(seconds: float, *, wall: float | None = None, addresses: frozenset[str] = HOME) -> Moment:
    return Moment(START.monotonic + seconds, START.wall + (seconds if wall is None else wall), addresses)


@pytest.mark.parametrize(
    ("now", "changed"),
    [
        (later(5), False),
        (later(9), False),  # a busy loop
        (later(5, wall=3600), True),  # Linux: the monotonic clock stood still while it slept
        (later(3600), True),  # Windows: it went on
        (later(5, wall=-3600), True),  # a clock that was set is no harm
        (later(5, addresses=CAFE), True),
        (later(5, addresses=HOME | CAFE), True),  # a VPN came up
        (later(5, addresses=frozenset()), False),  # nothing would answer now
    ],
)
def test_what_counts_as_a_change(now: Moment, changed: bool) -> None:
    assert Surroundings(START).changed(now, expected=5) is changed


def test_a_network_that_comes_back_is_a_change_and_then_none() -> None:
    seen = Surroundings(START)
    assert not seen.changed(later(5, addresses=frozenset()), expected=5)
    assert seen.changed(later(10), expected=5)
    assert not seen.changed(later(15), expected=5)


async def test_the_watch_calls_once_per_change() -> None:
    moments = iter([later(0), later(0.01), later(0.02, wall=500), later(0.03, wall=500.01)])
    woken: list[int] = []
    over = asyncio.Event()

    def look() -> Moment:
        moment = next(moments, None)
        if moment is None:
            over.set()
            return later(0.04, wall=500.02)
        return moment

    watch = asyncio.create_task(Watch(lambda: woken.append(1), look=look, pause=0.001).run())
    await over.wait()
    watch.cancel()
    assert woken == [1]


def test_our_own_addresses_are_found_without_a_packet() -> None:
    assert all(address.count(".") == 3 or ":" in address for address in own_addresses())
