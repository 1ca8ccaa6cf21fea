"""Jobs that a pod has lost at a restart: the user is asked, or they are run again by the user's standing choice."""

from comfydesk.settings import RUN_AGAIN_LOST
from comfydesk.store.records import JobState
from tests.pod.session.graphs import picture
from tests.pod.session.world import Start

S = JobState


async def test_by_default_nothing_is_sent_a_second_time(world: Start) -> None:
    async with world(speed=1) as here:
        (job,) = await here.enqueue(picture(steps=40))
        await here.until(job, S.RUNNING)
        await here.pod.restart()
        assert (await here.until(job, S.UNKNOWN)).outputs == ()
        assert [one.id for one in await here.session.queue.jobs()] == [job]


async def test_by_choice_the_lost_ones_are_run_again_before_all_others(world: Start) -> None:
    async with world(speed=4) as here:
        here.session.settings.set(RUN_AGAIN_LOST, True)
        ids = [(await here.enqueue(picture(seed, steps=20)))[0] for seed in range(4)]
        await here.until(ids[1], S.SENT, S.RUNNING)
        await here.until(ids[0], S.RUNNING)
        await here.pod.restart()
        lost = await here.until(ids[0], S.CANCELLED)
        assert lost.error is not None
        assert "queued again" in lost.error.what
        everything = await here.session.queue.jobs()
        anew = [job for job in everything if job.id not in ids]
        assert anew
        done = {job.seed: job for job in await here.wait([job.id for job in (*anew, *everything)])}
        again = [job for job in await here.session.queue.jobs() if job.state is S.DONE]
        assert sorted(job.seed or 0 for job in again) == [0, 1, 2, 3], done
        assert all(len(job.outputs) == 1 for job in again)
