"""Short jobs go to their pod several at a time: each once, in order, and with the truth about it on disk."""

import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest

from comfydesk.demo.faults import Delay, Drop, Fault, Hang, Status
from comfydesk.demo.server import DemoPod
from comfydesk.session.jobs import follow
from comfydesk.session.jobs.timings import Stopwatch
from comfydesk.session.session import Session
from comfydesk.store import jobs
from comfydesk.store.records import JobState
from tests.pod.session.graphs import flat
from tests.pod.session.world import Start, World

S = JobState
Again = Callable[[DemoPod], AbstractAsyncContextManager[Session]]


@pytest.fixture(autouse=True)
def _known_to_be_short(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow this machine is just now."""
    monkeypatch.setattr(Stopwatch, "whole", lambda _: 0.01)


LEADING = 1
OTHERS = 2


async def together(here: World, count: int) -> list[str]:
    """So many jobs that wait (paused) to be chosen in one decision, behind one that goes by itself (LEADING)."""
    await here.run(flat(), {"1.color": 1000})  # from now on it is known how short such jobs are
    await here.session.queue.pause()
    await here.enqueue(flat(), {"1.color": 1001})
    return [job for color in range(count) for job in await here.enqueue(flat(), {"1.color": color})]


def ran(here: World, ids: list[str]) -> list[str]:
    """What of these the pod was given, in its order."""
    return [job for job in here.on_pod() if job in ids]


async def killed(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is only in memory is lost."""

    async def nothing() -> None:
        pass

    monkeypatch.setattr(here.session.queue, "close", nothing)
    await here.session.close()


async def states(session: Session, ids: list[str]) -> list[JobState]:
    return [job.state for job in await session.queue.jobs_by_id(ids)]


# --- A POST in the middle that goes wrong ---------------------------------------------------------------------------


@pytest.mark.parametrize("count", [2, 8])
@pytest.mark.parametrize("fault", [Drop(), Drop(after=True), Status(503), Delay(0.7)], ids=lambda fault: repr(fault))
async def test_whatever_becomes_of_the_second_each_runs_once_and_in_order(
    world: Start, count: int, fault: Fault
) -> None:
    async with world() as here:
        ids = await together(here, count)
        rule = here.pod.script.add(fault, path="/prompt", method="POST", skip=LEADING + 1)
        posts = here.count("/prompt", "POST")
        await here.session.queue.pause(False)
        assert [job.state for job in await here.wait(ids)] == [S.DONE] * count
        assert ran(here, ids) == ids
        assert len(here.files()) == count + OTHERS
        sent_twice = fault in (Drop(), Status(503))
        assert (rule.hits, posts.hits) == (1, count + LEADING - (0 if sent_twice else 1))


async def test_the_noted_time_of_a_post_is_never_much_older_than_the_post(
    world: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From it follows until when it may still arrive: what waits behind a slow one is noted anew before it goes."""
    async with world() as here:
        ids = await together(here, 8)
        arrived: list[float] = []
        pick = here.pod.script.pick

        def timed(method: str, path: str) -> Fault | None:
            if (method, path.removeprefix("/api")) == ("POST", "/prompt"):
                arrived.append(time.time())
            return pick(method, path)

        monkeypatch.setattr(here.pod.script, "pick", timed)
        here.pod.script.add(Delay(2.5), path="/prompt", method="POST", skip=LEADING + 1)
        await here.session.queue.pause(False)
        done = await here.wait(ids)
        ages = [there - (job.posted or 0) for job, there in zip(done, arrived[LEADING:], strict=True)]
        assert ran(here, ids) == ids
        assert min(ages) >= 0
        assert max(ages) < 2  # without a new note it would be 2.5


# --- The program is killed in the middle ----------------------------------------------------------------------------


@pytest.mark.parametrize("point", [0, 1, 7])
@pytest.mark.parametrize("arrives", [True, False])
async def test_killed_at_any_point_of_a_group_each_runs_once_and_in_order(
    world: Start, again: Again, monkeypatch: pytest.MonkeyPatch, point: int, arrives: bool
) -> None:
    async with world() as here:
        ids = await together(here, 8)
        fault = Drop(after=True) if arrives else Hang()
        rule = here.pod.script.add(fault, path="/prompt", method="POST", skip=LEADING + point)
        await here.session.queue.pause(False)
        await here.hit(rule)
        await killed(here, monkeypatch)
        async with again(here.pod) as session:
            done = await session.queue.wait(ids)
            assert [job.state for job in done] == [S.DONE] * 8
        assert ran(here, ids) == ids
        assert len(here.files()) == 8 + OTHERS


async def test_killed_when_the_group_was_noted_and_nothing_had_left(
    world: Start, again: Again, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with world() as here:
        ids = await together(here, 8)
        leading = here.library.after(jobs.begin_sending)
        await here.session.queue.pause(False)
        async with leading:
            group = here.library.after(jobs.begin_sending)
        async with group:
            assert await states(here.session, ids) == [S.SENDING] * 8
            await killed(here, monkeypatch)
        async with again(here.pod) as session:
            await session.queue.wait(ids)
        assert ran(here, ids) == ids


# --- Taken, and then forgotten by the pod ---------------------------------------------------------------------------


async def out_of_sight(here: World, ids: list[str]) -> None:
    """All are taken and over there, and nobody can ask after them."""
    here.pod.script.add(Status(503), path="/jobs/*", times=None)
    here.pod.script.add(Status(503), path="/history/*", times=None)
    await here.session.queue.pause(False)
    while not all(job in here.pod.queue.history() for job in ids):
        await here.settle()


async def not_sent_again(here: World, again: Again, ids: list[str]) -> None:
    """The pod starts anew and knows nothing; so do we, but for what is on disk."""
    await here.pod.restart()
    here.pod.script.clear()
    posts = here.count("/prompt", "POST")
    async with again(here.pod) as session:
        assert {job.state for job in await session.queue.wait(ids)} == {S.UNKNOWN}
    assert posts.hits == 0


async def test_what_was_taken_is_soon_on_disk_in_one_errand_and_never_sent_again(
    world: Start, again: Again, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also if the stream has told that it is over: its end is not known until the pod can be asked."""
    async with world() as here:
        ids = await together(here, 8)
        await out_of_sight(here, ids)
        for job in ids:
            await here.until(job, S.SENT, S.RUNNING)
        await killed(here, monkeypatch)
        await not_sent_again(here, again, ids)


async def test_what_was_taken_is_on_disk_when_the_session_ends(
    world: Start, again: Again, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow, "NOTED_WITHIN", 3600.0)
    async with world() as here:
        ids = await together(here, 3)
        await out_of_sight(here, ids)
        while any(one.unanswered for job in ids if (one := here.session.queue._follower.get(job))):
            await here.settle()
        await here.session.close()
        await not_sent_again(here, again, ids)
