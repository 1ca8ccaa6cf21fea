"""The queue belongs to the user: paused, held, reordered, spread over pods; and what was made stays known."""

import asyncio
import json
from pathlib import Path

from comfydesk.demo.server import DemoPod
from comfydesk.events import QueueChanged
from comfydesk.session.session import Session
from comfydesk.session.values import PodTarget
from comfydesk.settings import Settings
from comfydesk.store.database import Database
from comfydesk.store.records import ANY, JobState
from comfydesk.workflow.patch import SeedPolicy
from tests.pod.session.graphs import flat, frontend_graph, picture
from tests.pod.session.world import Start

S = JobState


async def test_a_paused_queue_sends_nothing_even_after_a_restart(world: Start) -> None:
    async with world() as here:
        heard: list[object] = []
        here.session.changes.subscribe(heard.append)
        posts = here.count("/prompt", "POST")
        await here.session.queue.pause()
        ids = await here.enqueue(flat(), count=2)
        assert QueueChanged() in heard
        await here.session.close()
        assert posts.hits == 0
        async with Session(here.paths, Settings()) as session:
            assert await session.queue.is_paused()
            assert await session.queue.counts() == {S.QUEUED: 2}
            await session.connect(PodTarget.demo(here.pod.url))
            await session.wait_catalog(10)
            assert posts.hits == 0
            await session.queue.pause(False)
            async with asyncio.timeout(15):
                assert [job.state for job in await session.queue.wait(ids)] == [S.DONE] * 2


async def test_all_held_then_reordered_then_released_runs_in_the_new_order(world: Start) -> None:
    async with world() as here:
        await here.session.queue.pause()
        ids = [job for color in range(4) for job in await here.enqueue(flat(color))]
        await here.session.queue.hold_all()
        assert await here.session.queue.counts() == {S.HELD: 4}
        await here.session.queue.move([ids[3], ids[1]], before=ids[0])
        await here.session.queue.pause(False)
        await here.session.queue.release_all()
        await here.wait(ids)
        assert here.on_pod() == [ids[3], ids[1], ids[0], ids[2]]


async def test_many_are_cancelled_at_once(world: Start) -> None:
    async with world(speed=1) as here:
        ids = await here.enqueue(picture(steps=400), count=5, seed_policy=SeedPolicy.INCREMENT)
        await here.until(ids[0], S.RUNNING)
        await here.until(ids[1], S.SENT)
        await here.session.queue.cancel(*ids)
        assert {job.state for job in await here.wait(ids)} == {S.CANCELLED}
        assert here.pod.queue.remaining == 0


async def test_jobs_for_any_pod_go_where_there_is_room(world: Start, tmp_path: Path) -> None:
    async with world(speed=2) as here, DemoPod(folder=tmp_path / "second", speed=2) as second:
        await here.session.connect(PodTarget.of(second.url))
        await here.session.wait_catalog(10)
        ids = await here.enqueue(picture(steps=10), count=6, seed_policy=SeedPolicy.INCREMENT, target=ANY)
        done = await here.wait(ids)
        assert [job.state for job in done] == [S.DONE] * 6
        assert {job.target for job in done} == {ANY}
        split = [list(here.pod.queue.history()), list(second.queue.history())]
        assert sorted(split[0] + split[1]) == sorted(ids), "each ran once"
        assert min(map(len, split)) >= 2
        assert {job.pod for job in done} == {"demo", PodTarget.of(second.url).id}


async def test_a_long_queue_for_one_pod_hides_nothing_from_another(world: Start, tmp_path: Path) -> None:
    async with world(speed=1) as here, DemoPod(folder=tmp_path / "second", speed=50) as second:
        await here.session.connect(PodTarget.of(second.url))
        await here.session.wait_catalog(10)
        long = await here.enqueue(picture(steps=400), count=80, seed_policy=SeedPolicy.INCREMENT, target="demo")
        await here.until(long[1], S.SENT, S.RUNNING)
        (job,) = await here.wait(await here.enqueue(flat()))
        assert (job.state, job.pod) == (S.DONE, PodTarget.of(second.url).id)
        await here.session.queue.cancel(*long)
        await here.wait(long)


async def test_what_made_an_output_outlives_the_row_in_the_queue(world: Start) -> None:
    async with world() as here:
        (first,) = await here.wait(await here.enqueue(frontend_graph(), {"1.color": 9}))
        twins = await here.wait(await here.enqueue(frontend_graph(), {"1.color": 9}, count=2))
        assert first.batch != twins[0].batch == twins[1].batch != ""
        await here.session.queue.remove(first.id)
        assert [job.id for job in await here.session.queue.jobs()] == [job.id for job in reversed(twins)]
        (output,) = await here.session.outputs()
        assert output.job == first.id

        def run(db: Database) -> dict[str, object]:
            (row,) = db.query("SELECT * FROM runs WHERE id = ?", (first.id,))
            return dict(row)

        kept = await here.library.read(run)
        assert (kept["pod"], kept["batch"], kept["graph_hash"]) == ("demo", first.batch, first.graph_hash)
        assert json.loads(str(kept["field_values"])) == {"1.color": 9}
        timings = json.loads(str(kept["timings"]))
        assert timings["created"] <= timings["sent"] <= timings["finished"]


async def test_lists_are_read_while_something_long_is_written(world: Start) -> None:
    async with world() as here:
        await here.session.queue.pause()
        ids = await here.enqueue(flat(), count=3)
        busy = asyncio.Event()
        loop = asyncio.get_running_loop()
        release = asyncio.Event()

        def write(db: Database) -> None:
            with db.transaction():
                db.execute("UPDATE jobs SET folder = 'x'")
                loop.call_soon_threadsafe(busy.set)
                asyncio.run_coroutine_threadsafe(release.wait(), loop).result(10)

        writing = asyncio.create_task(here.library.call(write))
        await busy.wait()
        found = await here.session.queue.jobs()
        assert ([job.id for job in found], {job.folder for job in found}) == (ids, {""})
        release.set()
        await writing
        assert {job.folder for job in await here.session.queue.jobs()} == {"x"}


async def test_pages_go_on_where_the_last_one_ended(world: Start) -> None:
    async with world() as here:
        await here.session.queue.pause()
        ids = await here.enqueue(flat(), count=7)
        page = await here.session.queue.jobs(3)
        await here.session.queue.cancel(ids[0])
        rest = await here.session.queue.jobs(9, after=page[-1].id)
        assert [job.id for job in (*page, *rest)] == [*ids, ids[0]]


async def test_the_time_to_go_is_known_of_those_that_wait_too(world: Start) -> None:
    async with world(speed=4) as here:
        await here.run(picture(steps=20))
        ids = await here.enqueue(picture(steps=20), count=5, seed_policy=SeedPolicy.INCREMENT)
        await here.until(ids[1], S.SENT, S.RUNNING)
        etas = [here.session.queue.eta(job) for job in ids[1:]]
        assert None not in etas
        known = [eta for eta in etas if eta is not None]
        assert known == sorted(known)
        assert known[-1] > known[0]
        await here.session.queue.cancel(*ids)
        await here.wait(ids)
