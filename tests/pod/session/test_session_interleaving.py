"""Commands that come at the worst moment, and faults of our own. What the pod has counts; the row must say so."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest

from comfydesk.demo.server import DemoPod
from comfydesk.errors import DiskFullError
from comfydesk.session.session import Session
from comfydesk.settings import Settings
from comfydesk.store import job_files, jobs
from comfydesk.store.database import Database
from comfydesk.store.records import JobState
from tests.pod.session.graphs import flat, picture
from tests.pod.session.world import Start

S = JobState
Again = Callable[[DemoPod], AbstractAsyncContextManager[Session]]


# --- Cancelled in between -------------------------------------------------------------------------------------------


async def test_cancelled_when_it_was_chosen_but_not_yet_marked_as_sent(world: Start) -> None:
    async with world() as here:
        posts = here.count("/prompt", "POST")
        gate = here.library.before(jobs.begin_sending)
        (job,) = await here.enqueue(flat())
        async with gate:
            await here.session.queue.cancel(job)
        assert (await here.until(job, S.CANCELLED)).posted is None
        await here.run(flat(1))  # the place is free again
        assert posts.hits == 1
        assert job not in here.on_pod()


async def test_cancelled_when_it_was_marked_as_sent_but_nothing_had_left(world: Start) -> None:
    async with world() as here:
        posts = here.count("/prompt", "POST")
        gate = here.library.after(jobs.begin_sending)
        (job,) = await here.enqueue(flat())
        async with gate:
            await here.session.queue.cancel(job)
            assert (await here.session.queue.jobs_by_id([job]))[0].state is S.CANCELLING
        await here.until(job, S.CANCELLED)
        await here.run(flat(1))
        assert posts.hits == 1
        assert job not in here.on_pod()


async def test_cancelled_when_the_pod_had_it_but_its_answer_was_not_stored(world: Start) -> None:
    async with world(speed=1) as here:
        gate = here.library.before(jobs.accepted)
        (job,) = await here.enqueue(picture(steps=200))
        async with gate:
            assert here.on_pod() == [job]
            await here.session.queue.cancel(job)
        await here.until(job, S.CANCELLED)
        assert here.pod.queue.remaining == 0


async def test_held_when_it_was_chosen_but_not_yet_marked_as_sent(world: Start) -> None:
    async with world() as here:
        gate = here.library.before(jobs.begin_sending)
        (job,) = await here.enqueue(flat())
        async with gate:
            await here.session.queue.hold([job])
        await here.run(flat(1))
        assert (await here.session.queue.jobs_by_id([job]))[0].state is S.HELD
        assert job not in here.on_pod()


async def test_another_program_cancels_what_this_one_looks_after(world: Start) -> None:
    async with world(speed=1) as here:
        ids = await here.enqueue(picture(steps=400))
        ids += await here.enqueue(picture(steps=400, seed=2))
        ids += await here.enqueue(picture(steps=400, seed=3))
        await here.until(ids[0], S.RUNNING)
        await here.until(ids[1], S.SENT)
        other = Session(here.paths, Settings())
        await other.start(resume=False)
        try:
            for job in ids:
                await other.queue.cancel(job)
        finally:
            await other.close()
        for job in ids:
            await here.until(job, S.CANCELLED)
        assert here.pod.queue.remaining == 0
        assert ids[2] not in here.on_pod()


async def test_what_was_given_up_and_still_runs_is_followed_to_its_end(world: Start) -> None:
    async with world(speed=2) as here:
        posts = here.count("/prompt", "POST")
        (job,) = await here.enqueue(picture(steps=30))
        await here.until(job, S.RUNNING)
        await here.force(job, S.UNKNOWN)
        while here.session.queue._follower.get(job) is not None:  # it learns that at its next look
            await here.settle()
        looked = await here.session.queue.look_again(job)
        assert looked is not None
        assert looked.state is S.RUNNING
        (done,) = await here.wait([job])
        assert (done.state, len(done.outputs), posts.hits) == (S.DONE, 1, 1)


async def test_a_full_disk_after_the_pod_has_it_leaves_nothing_stuck(world: Start) -> None:
    async with world() as here:
        posts = here.count("/prompt", "POST")
        here.library.failures = {
            jobs.accepted: [DiskFullError("No room")],
            job_files.begin_saving: [DiskFullError("No room")],
        }
        heard: list[Exception] = []
        here.session.problems.subscribe(heard.append)
        first, second = await here.run(flat()), await here.run(flat(1))
        assert [job.state for job in (first, second)] == [S.DONE] * 2
        assert len(heard) == 2
        assert posts.hits == 2


async def test_a_full_disk_before_the_post_leaves_the_job_queued(world: Start) -> None:
    async with world() as here:
        here.library.failures = {jobs.begin_sending: [DiskFullError("No room")]}
        assert (await here.run(flat())).state is S.DONE


# --- Our own faults -------------------------------------------------------------------------------------------------


async def test_a_fault_while_a_job_is_followed_costs_that_job_only(world: Start) -> None:
    async with world() as here:
        found = here.complaints()
        here.library.failures = {job_files.begin_saving: [ValueError("a bug")]}
        (lost,) = await here.enqueue(flat())
        good = [job for color in (1, 2, 3) for job in await here.enqueue(flat(color))]
        jobs_now = await here.wait([lost, *good])
        assert [job.state for job in jobs_now] == [S.UNKNOWN, S.DONE, S.DONE, S.DONE]
        assert jobs_now[0].error is not None
        assert "a bug" in jobs_now[0].error.why
        assert [str(error) for error in found] == ["a bug"]
        # Nothing is lost: it is on the pod.
        await here.session.queue.look_again(lost)
        (job,) = await here.wait([lost])
        assert (job.state, len(job.outputs)) == (S.DONE, 1)


async def test_a_fault_while_it_is_decided_what_to_send_does_not_end_the_sending(world: Start) -> None:
    async with world() as here:
        found = here.complaints()
        here.library.failures = {jobs.waiting: [ValueError("a bug")]}
        assert (await here.run(flat())).state is S.DONE
        assert [str(error) for error in found] == ["a bug"]


@pytest.mark.parametrize("state", [S.SENT, S.CANCELLING])
async def test_a_row_that_cannot_be_read_does_not_keep_the_program_from_starting(
    world: Start, again: Again, state: JobState
) -> None:
    async with world(speed=1) as here:
        good, bad = await here.enqueue(picture(steps=5), count=2)
        await here.session.queue.hold([bad])
        await here.until(good, S.RUNNING)
        await here.library.call(spoil, bad, state)
        await here.session.close()
        async with again(here.pod) as session:
            done, unknown = await session.queue.wait([good, bad])
            assert (done.state, unknown.state) == (S.DONE, S.UNKNOWN)
            assert unknown.error is not None
            assert "no input" in unknown.error.why


def spoil(db: Database, job: str, state: JobState) -> None:
    """A row whose values do not fit its graph, as a later version might leave it."""
    with db.transaction():
        db.execute("UPDATE jobs SET state = ? WHERE id = ?", (state, job))
        db.execute("""UPDATE runs SET field_values = '{"99.nothing": 1}' WHERE id = ?""", (job,))
