"""A thread that runs errands in their order, for one loop."""

import asyncio
import threading
from functools import partial

import pytest

from comfydesk.session.errands import Errands


async def test_what_is_asked_for_is_done_in_that_order_on_one_thread() -> None:
    errands = Errands("test")
    order: list[int] = []

    def note(number: int) -> str:
        order.append(number)
        return threading.current_thread().name

    names = await asyncio.gather(*(errands.run(partial(note, number)) for number in range(500)))
    errands.close()
    assert order == list(range(500))
    assert set(names) == {"test"}


async def test_what_one_raises_is_its_own() -> None:
    errands = Errands("test")

    def fails() -> None:
        raise LookupError("gone")

    first, second, third = await asyncio.gather(
        errands.run(lambda: 1), errands.run(fails), errands.run(lambda: 3), return_exceptions=True
    )
    errands.close()
    assert (first, third) == (1, 3)
    assert isinstance(second, LookupError)


async def test_who_is_cancelled_before_its_turn_leaves_no_trace_and_later_ones_go_on() -> None:
    errands = Errands("test")
    gate, done = threading.Event(), list[str]()
    first = asyncio.create_task(errands.run(lambda: gate.wait(10)))
    waiting = asyncio.create_task(errands.run(lambda: done.append("cancelled")))
    last = asyncio.create_task(errands.run(lambda: done.append("last")))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    gate.set()
    await asyncio.gather(first, last)
    errands.close()
    assert done == ["last"]


async def test_a_slow_errand_keeps_no_earlier_result_back() -> None:
    errands = Errands("test")
    gate, entered = threading.Event(), threading.Event()
    quick = asyncio.create_task(errands.run(lambda: threading.Event().wait(0.01)))  # longer than results are gathered

    def slow() -> None:
        entered.set()
        gate.wait(10)

    late = asyncio.create_task(errands.run(slow))
    async with asyncio.timeout(5):
        await quick
    gate.set()
    await late
    errands.close()
    assert entered.is_set()


async def test_after_its_end_it_begins_anew() -> None:
    errands = Errands("test")
    assert await errands.run(lambda: 1) == 1
    errands.close()
    errands.close()
    assert await errands.run(lambda: 2) == 2
    errands.close()
