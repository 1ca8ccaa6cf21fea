"""Jobs that a pod has lost at a restart: the user is asked, or they are run again by the user's standing choice."""

from pathlib import Path

from comfydesk.demo.faults import Drop, Status
from comfydesk.settings import RUN_AGAIN_LOST
from comfydesk.store.records import JobState
from tests.pod.session.graphs import flat, picture
from tests.pod.session.killing import TakenUnsaid
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
        # Each that is given up is queued anew in the same moment: once nothing is left to wait for, all are through.
        while left := [job.id for job in await here.session.queue.jobs() if not job.state.ended]:
            await here.wait(left)
        again = [job for job in await here.session.queue.jobs() if job.state is S.DONE]
        assert sorted(job.seed or 0 for job in again) == [0, 1, 2, 3]
        assert all(len(job.outputs) == 1 for job in again)


# --- A POST that nobody answered, and a pod that knows nothing ------------------------------------------------------


async def test_what_a_pod_may_have_run_and_forgotten_is_not_sent_again(world: Start) -> None:
    """Its answer is lost and so is its memory: it knows no earlier job either."""
    async with world() as here:
        await here.run(flat())
        here.pod.script.add(Status(503), path="/jobs/*", times=None)
        lost = here.pod.script.add(Drop(after=True), path="/prompt", method="POST")
        here.pod.hub.deafen()  # nor does the stream tell that it runs
        (job,) = await here.enqueue(flat(1))
        await here.hit(lost)
        await here.pod.restart()
        here.pod.script.clear()
        posts = here.count("/prompt", "POST")
        unsure = await here.until(job, S.UNKNOWN)
        assert unsure.error is not None
        assert "not known whether the pod ran" in unsure.error.what
        assert posts.hits == 0


async def test_what_never_reached_a_pod_that_remembers_is_sent_again(world: Start) -> None:
    async with world() as here:
        await here.run(flat())
        here.pod.script.add(Drop(), path="/prompt", method="POST")
        assert (await here.run(flat(1))).state is S.DONE


async def test_a_pod_that_had_forgotten_before_is_not_taken_for_one_that_forgets_now(world: Start) -> None:
    """The first job of a day on a pod that was started anew: what it made yesterday says nothing about this one."""
    async with world() as here:
        await here.run(flat())
        asked = here.count("/jobs/*", "GET")
        await here.pod.restart()
        await here.hit(asked)  # back on the line, it is asked what it still knows
        while not here.session.queue._follower.memories._gone:
            await here.settle()
        here.pod.script.add(Drop(), path="/prompt", method="POST")
        assert (await here.run(flat(1))).state is S.DONE


async def test_what_was_lost_on_its_way_is_run_again_by_standing_choice(world: Start) -> None:
    async with world() as here:
        await here.run(flat())
        here.session.settings.set(RUN_AGAIN_LOST, True)
        here.pod.script.add(Status(503), path="/jobs/*", times=None)
        lost = here.pod.script.add(Drop(after=True), path="/prompt", method="POST")
        (job,) = await here.enqueue(flat(1))
        await here.hit(lost)
        await here.pod.restart()
        here.pod.script.clear()
        await here.until(job, S.CANCELLED)
        anew = [one.id for one in await here.session.queue.jobs() if one.id != job and one.seed is None]
        assert {one.state for one in await here.wait(anew)} == {S.DONE}


def test_killed_together_with_its_pod_right_after_the_pod_took_the_jobs(tmp_path: Path) -> None:
    """Real processes and `kill -9`: what the pod had taken, and nobody had written down, is never sent again."""
    both = TakenUnsaid(tmp_path)
    try:
        assert both.kill_when_taken() == {"done": 1, "running": 1, "sending": 2}
        assert both.states_after_resume() == {"done": 1, "unknown": 3}
        assert both.on_pod() == []
    finally:
        both.close()
