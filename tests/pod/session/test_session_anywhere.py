"""Jobs for any pod: each goes where it is done first, and where it can be done at all."""

import asyncio
from pathlib import Path

from PIL import Image

from comfydesk.demo.faults import Delay, Status
from comfydesk.demo.server import DemoPod
from comfydesk.session.jobs.followed import MOST_AHEAD
from comfydesk.session.session import Session
from comfydesk.session.values import PodTarget
from comfydesk.settings import Settings
from comfydesk.store.records import ANY, JobState
from comfydesk.workflow.batches import Batch
from comfydesk.workflow.patch import SeedPolicy
from tests.pod.session.graphs import flat, picture
from tests.pod.session.world import Start, World

S = JobState


async def join(here: World, pod: DemoPod) -> str:
    target = PodTarget.of(pod.url)
    await here.session.connect(target)
    await here.session.wait_catalog(10)
    return target.id


def share(pod: DemoPod, ids: tuple[str, ...]) -> int:
    return len(set(pod.queue.history()) & set(ids))


async def test_a_batch_over_three_pods_is_shared_by_their_speed(world: Start, tmp_path: Path) -> None:
    """How near to the ideal that ends is for tests/bench/test_pods.py: here others use the computer too."""
    async with (
        world(speed=2) as here,
        DemoPod(folder=tmp_path / "two", speed=4) as two,
        DemoPod(folder=tmp_path / "four", speed=8) as four,
    ):
        await join(here, two)
        await join(here, four)
        for pod in ("demo", PodTarget.of(two.url).id, PodTarget.of(four.url).id):  # what one takes there is known then
            await here.run(picture(seed=1, steps=20), target=pod)
        workflow = await here.open(picture(steps=20))
        batch = Batch(workflow.form, {"3.seed": 100}, repeats=35, seeds=SeedPolicy.INCREMENT)
        queued = await here.session.queue.enqueue_batch(workflow, batch, target=ANY)
        done = await here.wait(queued.jobs)
        assert {job.state for job in done} == {S.DONE}
        shares = [share(pod, queued.jobs) for pod in (here.pod, two, four)]
        assert sum(shares) == 35
        assert shares[0] < shares[1] < shares[2]


async def test_a_pod_that_dies_midway_loses_nothing(world: Start, tmp_path: Path) -> None:
    async with world(speed=20) as here, DemoPod(folder=tmp_path / "second", speed=20) as second:
        await join(here, second)
        workflow = await here.open(picture(steps=10))
        batch = Batch(workflow.form, {"3.seed": 1}, repeats=20, seeds=SeedPolicy.INCREMENT)
        queued = await here.session.queue.enqueue_batch(workflow, batch, target=ANY)
        while share(second, queued.jobs) < 3:  # noqa: ASYNC110 - a pod tells nobody what it has done
            await asyncio.sleep(0.01)
        await second.stop()
        there = {job.id for job in await here.session.queue.jobs_by_id(queued.jobs) if job.pod not in ("", "demo")}
        rest = [job for job in queued.jobs if job not in there]
        done = await here.wait(rest)
        assert {job.state for job in done} == {S.DONE}, "what was not sent there went to the other"
        on_it = await here.session.queue.jobs_by_id(sorted(there))
        assert {job.state for job in on_it} <= {S.DONE, S.SENT, S.RUNNING, S.SENDING, S.SAVING, S.QUEUED, S.UNKNOWN}
        on_pod = [job for job in on_it if job.state not in (S.DONE, S.SAVING)]
        assert len(on_pod) <= 1 + MOST_AHEAD, "it had no more than may wait there"


async def test_only_a_pod_that_has_the_model_gets_the_job(world: Start, tmp_path: Path) -> None:
    async with world() as here, DemoPod(folder=tmp_path / "second", speed=50) as second:
        (tmp_path / "second" / "models" / "checkpoints").mkdir(parents=True, exist_ok=True)
        (tmp_path / "second" / "models" / "checkpoints" / "rare.safetensors").write_bytes(b"x")
        other = await join(here, second)
        ids = await here.enqueue(picture(), {"4.ckpt_name": "rare.safetensors"}, count=3, target=ANY)
        assert {job.pod for job in await here.wait(ids)} == {other}


async def test_a_job_that_no_pod_can_run_says_why_and_waits(world: Start) -> None:
    async with world() as here:
        (job,) = await here.enqueue(picture(), {"4.ckpt_name": "ghost.safetensors"}, target=ANY)
        (other,) = await here.wait(await here.enqueue(flat(), target=ANY))
        assert other.state is S.DONE
        while (await here.session.queue.jobs_by_id([job]))[0].error is None:
            await here.settle()
        (waiting,) = await here.session.queue.jobs_by_id([job])
        assert waiting.state is S.QUEUED
        assert waiting.error is not None
        assert "Demo pod lacks the model checkpoints/ghost.safetensors" in waiting.error.why


async def test_what_no_pod_can_run_holds_up_nothing_and_goes_once_a_pod_can(world: Start, tmp_path: Path) -> None:
    async with world() as here:
        rare = {"4.ckpt_name": "rare.safetensors"}
        stuck = await here.enqueue(picture(), rare, count=150, seed_policy=SeedPolicy.INCREMENT, target=ANY)
        (job,) = await here.wait(await here.enqueue(flat(), target=ANY))
        (own,) = await here.wait(await here.enqueue(flat(1)))
        assert (job.state, own.state) == (S.DONE, S.DONE)
        assert await here.session.queue.counts() == {S.DONE: 2, S.QUEUED: 150}
        await here.session.queue.cancel(*stuck[2:])
        async with DemoPod(folder=tmp_path / "second", speed=50) as second:
            (tmp_path / "second" / "models" / "checkpoints").mkdir(parents=True, exist_ok=True)
            (tmp_path / "second" / "models" / "checkpoints" / "rare.safetensors").write_bytes(b"x")
            await join(here, second)
            done = await here.wait(stuck[:2])
            assert [(job.state, job.error) for job in done] == [(S.DONE, None)] * 2


async def test_inputs_go_once_to_each_pod_that_is_to_use_them(world: Start, tmp_path: Path) -> None:
    Image.new("RGB", (16, 16), (9, 9, 9)).save(tmp_path / "in.png")
    graph = {
        "1": {"class_type": "LoadImage", "inputs": {"image": "none.png"}},
        "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "copy"}},
    }
    async with world(speed=50) as here, DemoPod(folder=tmp_path / "second", speed=50) as second:
        other = await join(here, second)
        counted = [pod.script.add(Delay(0), path="/upload/image", times=None) for pod in (here.pod, second)]
        ids = [
            job
            for prefix in range(6)
            for job in await here.enqueue(
                graph, {"1.image": tmp_path / "in.png", "2.filename_prefix": f"copy{prefix}"}, target=ANY
            )
        ]
        done = await here.wait(ids)
        assert [job.state for job in done] == [S.DONE] * 6
        assert [rule.hits for rule in counted] == [int(any(job.pod == pod for job in done)) for pod in ("demo", other)]


async def test_unassigned_jobs_go_on_after_a_restart(world: Start, tmp_path: Path) -> None:
    async with world() as here:
        await here.session.queue.pause()
        ids = await here.enqueue(flat(), count=2, target=ANY)
        assert {job.pod for job in await here.session.queue.jobs_by_id(ids)} == {""}
        await here.session.close()
        async with Session(here.paths, Settings()) as session:
            await session.queue.pause(False)
            await session.connect(PodTarget.demo(here.pod.url))
            async with asyncio.timeout(15):
                done = await session.queue.wait(ids)
            assert {(job.state, job.pod) for job in done} == {(S.DONE, "demo")}


async def test_a_job_that_a_pod_gave_back_is_not_listened_for_there_any_more(world: Start) -> None:
    async with world() as here:
        refused = here.pod.script.add(Status(503), path="/api/prompt", times=None)
        (job,) = await here.enqueue(flat(), target=ANY)
        await here.hit(refused)
        given_back = await here.until(job, S.QUEUED)
        assert given_back.pod == "", "any pod may have it"
        await here.session.queue.hold([job])
        follower = here.session.queue._follower
        while follower.get(job) is not None:
            await here.settle()
        assert follower._by_remote == {}
