"""The program ends, somehow, and starts again: nothing is lost, nothing is done twice."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from comfydesk.demo.faults import Drop, Status
from comfydesk.demo.server import DemoPod
from comfydesk.events import JobProgress, PreviewFrame
from comfydesk.session.session import Session
from comfydesk.store.records import JobState
from comfydesk.workflow.patch import SeedPolicy
from tests.pod.session.graphs import flat, picture
from tests.pod.session.world import Start

S = JobState
Again = Callable[[DemoPod], AbstractAsyncContextManager[Session]]


async def finish(session: Session, ids: list[str]) -> list[JobState]:
    async with asyncio.timeout(20):
        return [job.state for job in await session.wait(ids)]


async def test_what_runs_on_the_pod_is_found_again(world: Start, again: Again) -> None:
    async with world(speed=2) as here:
        ids = await here.enqueue(picture(steps=10), count=3, seed_policy=SeedPolicy.INCREMENT)
        await here.until(ids[0], S.RUNNING)
        await here.until(ids[1], S.SENT)
        await here.session.close()
        posts = here.count("/prompt", "POST")
        async with again(here.pod) as session:
            assert await finish(session, ids) == [S.DONE] * 3
            assert len(await session.outputs()) == 3
        assert posts.hits == 1  # only the third, which had not been sent


async def test_progress_goes_on_after_a_restart(world: Start, again: Again) -> None:
    async with world(speed=1) as here:
        (job,) = await here.enqueue(picture(steps=30))
        await here.until(job, S.RUNNING)
        await here.session.close()
        async with again(here.pod) as session:
            heard: list[JobProgress | PreviewFrame] = []
            session.progress.subscribe(heard.append)
            assert await finish(session, [job]) == [S.DONE]
        steps = [item.value for item in heard if isinstance(item, JobProgress) and item.maximum == 30]
        assert len(steps) > 3
        assert any(isinstance(item, PreviewFrame) for item in heard)


async def test_what_finished_meanwhile_is_fetched(world: Start, again: Again) -> None:
    async with world() as here:
        refusing = here.pod.script.add(Status(503), path="/view", method="GET", times=None)
        (job,) = await here.enqueue(flat())
        await here.hit(refusing)
        await here.session.close()
        assert here.files() == []
        here.pod.script.clear()
        async with again(here.pod) as session:
            assert await finish(session, [job]) == [S.DONE]
        assert here.files() == ["flat_00001_.png"]


async def test_a_post_that_was_cut_by_the_end_is_looked_up_and_not_repeated(world: Start, again: Again) -> None:
    async with world() as here:
        # The pod gets the prompt, its answer is lost, and we end before we could ask.
        dropping = here.pod.script.add(Drop(after=True), path="/prompt", method="POST")
        (job,) = await here.enqueue(flat())
        await here.hit(dropping)
        await here.session.close()
        async with again(here.pod) as session:
            assert await finish(session, [job]) == [S.DONE]
        assert here.files() == ["flat_00001_.png"]


async def test_held_jobs_stay_held(world: Start, again: Again) -> None:
    async with world(speed=1) as here:
        first, second, third = await here.enqueue(picture(steps=30), count=3, seed_policy=SeedPolicy.INCREMENT)
        await here.session.hold([third])
        await here.session.close()
        async with again(here.pod) as session:
            (stored,) = await session.jobs_by_id([third])
            assert stored.state is S.HELD
            for job in (first, second):
                await session.cancel(job)
            assert await finish(session, [first, second]) == [S.CANCELLED] * 2


async def test_two_programs_at_once_leave_each_others_jobs_alone(world: Start, again: Again) -> None:
    async with world(speed=2) as here:
        ids = await here.enqueue(picture(steps=10), count=4, seed_policy=SeedPolicy.INCREMENT)
        posts = here.count("/prompt", "POST")
        async with again(here.pod) as other:
            assert await other.adopt() == ()
            await here.wait(ids)
            assert posts.hits <= 4
        assert len(await here.session.outputs()) == 4
        assert len(here.files()) == 4


async def test_a_command_that_looks_after_its_own_leaves_the_rest(world: Start, again: Again) -> None:
    async with world(speed=1) as here:
        ids = await here.enqueue(picture(steps=30), count=3, seed_policy=SeedPolicy.INCREMENT)
        await here.session.close()
        session = Session(here.paths, here.session.settings)
        await session.start(resume=False)
        assert [job.owner == session.owner for job in await session.jobs_by_id(ids)] == [False] * 3
        await session.close()


async def test_a_job_that_finished_on_the_pod_while_it_was_cancelled_here_is_kept(world: Start, again: Again) -> None:
    async with world() as here:
        (job,) = await here.enqueue(flat())
        await here.until(job, S.SAVING, S.DONE)
        await here.session.cancel(job)
        (state,) = await finish(here.session, [job])
        assert state in (S.CANCELLED, S.DONE)
