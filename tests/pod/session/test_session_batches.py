"""Batches: queued whole or not at all, in their order, with what they were drawn from."""

import asyncio
import json
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from PIL import Image

from comfydesk.demo.faults import NodeFault
from comfydesk.demo.server import DemoPod
from comfydesk.errors import KnownError, MediaError
from comfydesk.session.session import Session
from comfydesk.settings import WILDCARD_FOLDERS
from comfydesk.store import sheets, staging
from comfydesk.store.records import JobState
from comfydesk.workflow import batch_sources
from comfydesk.workflow.batches import Batch
from comfydesk.workflow.field_text import BatchError, fields_named
from comfydesk.workflow.patch import SeedPolicy
from comfydesk.workflow.wildcards import Wildcards
from tests.pod.session.graphs import flat, picture
from tests.pod.session.world import Start

S = JobState
Again = Callable[[DemoPod], AbstractAsyncContextManager[Session]]
GRID = (("steps", "1,2"), ("cfg", "2,8"))


async def test_a_batch_is_queued_in_its_order_with_what_was_drawn(world: Start) -> None:
    async with world() as here:
        workflow = await here.open(picture())
        prompts = batch_sources.prompts(workflow.form, "a {red|red} cow\na __animal__\n")
        batch = Batch(workflow.form, {}, (prompts,), repeats=2, wildcards=Wildcards({"animal": ("horse",)}))
        queued = await here.session.queue.enqueue_batch(workflow, batch)
        done = await here.wait(queued.jobs)
        assert [job.state for job in done] == [S.DONE] * 4
        assert {job.batch for job in done} == {queued.batch}
        assert [job.prompt for job in done] == ["a red cow"] * 2 + ["a horse"] * 2
        assert [dict(job.drawn) for job in done] == [{"6.text": "a {red|red} cow"}] * 2 + [
            {"6.text": "a __animal__"}
        ] * 2
        with Image.open(done[2].outputs[0]) as image:
            assert json.loads(image.info["prompt"])["6"]["inputs"]["text"] == "a horse"
        recipe = await here.session.queue.recipe(done[0].id)
        assert recipe is not None
        assert (recipe.values["6.text"], recipe.drawn["6.text"]) == ("a red cow", "a {red|red} cow")
        opened = await here.session.open_workflow(recipe.source, name=recipe.name)
        assert opened.form.by_id.keys() == workflow.form.by_id.keys()


async def test_one_that_cannot_be_made_keeps_all_others_from_the_queue(world: Start, tmp_path: Path) -> None:
    async with world() as here:
        workflow = await here.open(picture())
        lines = "\n".join(["a cow"] * 600 + ["a __ghost__"])
        batch = Batch(
            workflow.form,
            {},
            (batch_sources.prompts(workflow.form, lines),),
            wildcards=Wildcards({"animal": ("horse",)}),
        )
        with pytest.raises(BatchError, match="ghost"):
            await here.session.queue.enqueue_batch(workflow, batch)
        with pytest.raises(MediaError, match=r"gone\.png"):
            await here.enqueue(picture(), {"6.text": tmp_path / "gone.png"})
        assert await here.session.queue.counts() == {}
        assert await here.session.queue.jobs() == ()
        assert here.on_pod() == []


async def test_nothing_of_a_batch_is_sent_before_all_of_it_is_there(world: Start) -> None:
    async with world() as here:
        workflow = await here.open(flat())
        color = fields_named(workflow.form, "1.color")[0]
        batch = Batch(workflow.form, {}, (batch_sources.values(color, range(300)),))
        posts = here.count("/prompt", "POST")
        gate = here.library.before(staging.publish)
        adding = asyncio.create_task(here.session.queue.enqueue_batch(workflow, batch))
        async with gate:
            (other,) = await here.wait(await here.enqueue(flat(7)))
            assert (other.state, posts.hits) == (S.DONE, 1)
            assert await here.session.queue.counts() == {S.DONE: 1}
            await here.session.queue.pause()
        queued = await adding
        assert [job.id for job in await here.session.queue.jobs(300)] == list(queued.jobs)


async def test_one_that_ends_while_it_adds_leaves_nothing_behind(world: Start) -> None:
    async with world() as here:
        workflow = await here.open(flat())
        batch = Batch(workflow.form, {}, repeats=300)
        gate = here.library.before(staging.publish)
        adding = asyncio.create_task(here.session.queue.enqueue_batch(workflow, batch))
        async with gate:
            adding.cancel()
            with pytest.raises(asyncio.CancelledError):
                await adding
        assert await here.session.queue.jobs() == ()


async def test_generate_next_goes_before_what_waits(world: Start) -> None:
    async with world() as here:
        await here.session.queue.pause()
        first = await here.enqueue(flat(), count=3)
        front = await here.enqueue(flat(1), count=2, front=True)
        held = await here.enqueue(flat(2), front=True, held=True)
        assert [job.id for job in await here.session.queue.jobs()] == [*held, *front, *first]
        assert await here.session.queue.counts() == {S.QUEUED: 5, S.HELD: 1}


async def test_a_thousand_jobs_are_queued_in_seconds_and_the_loop_goes_on(world: Start) -> None:
    async with world() as here:
        await here.session.queue.pause()
        workflow = await here.open(picture())
        gaps: list[float] = []
        loop = asyncio.get_running_loop()

        async def beat() -> None:
            last = loop.time()
            while True:
                await asyncio.sleep(0.002)
                now = loop.time()
                gaps.append(now - last)
                last = now

        beating = asyncio.create_task(beat())
        begun = loop.time()
        batch = Batch(workflow.form, {}, repeats=1000, seeds=SeedPolicy.RANDOM)
        queued = await here.session.queue.enqueue_batch(workflow, batch)
        took = loop.time() - begun
        beating.cancel()
        assert len(queued.jobs) == 1000
        assert await here.session.queue.counts() == {S.QUEUED: 1000}
        print(f"1000 jobs in {took:.2f} s; longest gap {max(gaps) * 1000:.0f} ms")
        assert took < 3
        assert max(gaps) < 0.25, "nothing on the loop waits for all of it"


async def test_what_is_over_leaves_the_list_and_can_be_queued_again(world: Start) -> None:
    async with world() as here:
        done = await here.wait([job for color in range(3) for job in await here.enqueue(flat(color))])
        again = await here.session.queue.duplicate(done[1].id)
        assert again is not None
        (copy,) = await here.wait([again.id])
        assert (copy.state, copy.values, copy.outputs) == (S.DONE, done[1].values, done[1].outputs)
        await here.session.queue.remove(done[0].id, done[2].id)
        assert [job.id for job in await here.session.queue.jobs()] == [copy.id, done[1].id]
        await here.session.queue.clear_finished()
        assert await here.session.queue.jobs() == ()
        assert len(await here.session.outputs()) == 3


async def test_how_long_a_batch_takes_is_known_after_the_first_run(world: Start) -> None:
    async with world(speed=4) as here:
        workflow = await here.open(picture(steps=20))
        nothing = await here.session.queue.estimate(workflow, 10)
        assert (nothing.seconds, nothing.pods, nothing.cost) == (None, 1, None)
        await here.run(picture(steps=20))
        one = await here.session.queue.estimate(workflow, 1)
        ten = await here.session.queue.estimate(workflow, 10)
        twice = await here.session.queue.estimate(workflow, 10, values={"3.steps": 40})
        assert one.seconds is not None
        assert ten.seconds is not None
        assert twice.seconds is not None
        assert ten.seconds == pytest.approx(10 * one.seconds)
        assert ten.pods == 1
        assert (await here.session.queue.estimate(workflow, 10, "elsewhere")).pods == 0


async def test_the_last_job_of_a_grid_is_followed_by_its_labelled_sheet(world: Start) -> None:
    async with world() as here:
        workflow = await here.open(picture())
        grid = tuple(batch_sources.values_of_text(workflow.form, name, text) for name, text in GRID)
        batch = Batch(workflow.form, {"3.seed": 5}, grid=grid, repeats=2, seeds=SeedPolicy.INCREMENT)
        queued = await here.session.queue.enqueue_batch(workflow, batch, sheet=True)
        done = await here.wait(queued.jobs)
        assert [job.cell for job in done[:4]] == [(0, 0, 0, 0), (0, 0, 0, 1), (0, 0, 1, 0), (0, 0, 1, 1)]
        async with asyncio.timeout(15):
            made = await here.session.queue.contact_sheets(queued.batch)
        assert [Path(path).name for path in made] == ["contact sheet.png", "contact sheet (2).png"]
        with Image.open(made[0]) as sheet:
            assert min(sheet.size) > 2 * 384
        kept = {output.path: output for output in await here.session.outputs()}
        assert len(kept) == 10
        assert {kept[path].batch for path in made} == {queued.batch}
        assert await here.session.queue.contact_sheets(queued.batch) == made, "once"


async def test_a_sheet_that_was_not_made_yet_is_made_at_the_next_start(world: Start, again: Again) -> None:
    async with world() as here:
        workflow = await here.open(picture())
        grid = tuple(batch_sources.values_of_text(workflow.form, name, text) for name, text in GRID)
        gate = here.library.before(sheets.plan_sheet)
        queued = await here.session.queue.enqueue_batch(workflow, Batch(workflow.form, grid=grid), sheet=True)
        async with gate:
            await here.wait(queued.jobs)
            await here.session.close()
        async with again(here.pod) as session, asyncio.timeout(15):
            (made,) = await session.queue.contact_sheets(queued.batch)
        assert len([name for name in here.files() if "contact sheet" in name]) == 1
        assert made.endswith("contact sheet.png")


async def test_a_grid_of_which_nothing_came_has_no_sheet(world: Start) -> None:
    async with world() as here:
        here.pod.script.nodes["3"] = NodeFault()
        workflow = await here.open(picture())
        grid = tuple(batch_sources.values_of_text(workflow.form, name, text) for name, text in GRID)
        queued = await here.session.queue.enqueue_batch(workflow, Batch(workflow.form, grid=grid), sheet=True)
        assert {job.state for job in await here.wait(queued.jobs)} == {S.FAILED}
        async with asyncio.timeout(15):
            assert await here.session.queue.contact_sheets(queued.batch) == ()


async def test_a_sheet_that_the_disk_refuses_holds_up_no_other(world: Start) -> None:
    async with world() as here:
        workflow = await here.open(picture())
        grid = tuple(batch_sources.values_of_text(workflow.form, name, text) for name, text in GRID)
        problems: list[KnownError] = []
        here.session.problems.subscribe(problems.append)
        gate = here.library.before(sheets.plan_sheet)
        queued = await here.session.queue.enqueue_batch(
            workflow, Batch(workflow.form, grid=grid, repeats=2), sheet=True
        )
        async with gate:
            done = await here.wait(queued.jobs)
            (Path(done[0].outputs[0]).parent / "contact sheet.png").mkdir()
        async with asyncio.timeout(15):
            (made,) = await here.session.queue.contact_sheets(queued.batch)
        assert Path(made).name == "contact sheet (2).png"
        assert [problem.what for problem in problems] == ["The contact sheet cannot be saved"]


async def test_a_single_job_draws_from_the_folder_of_the_settings(world: Start, tmp_path: Path) -> None:
    """Anew for each, and only where its texts name a wildcard; the text as it was stays with the job."""
    folder, other = tmp_path / "words", tmp_path / "more"
    for place, name, text in (
        (folder, "animal.txt", "horse\n"),
        (other, "animal.txt", "no\n"),
        (other, "hue.txt", "red\n"),
    ):
        place.mkdir(exist_ok=True)
        (place / name).write_text(text)
    async with world() as here:
        queue, workflow = here.session.queue, await here.open(picture())
        here.session.settings.set(WILDCARD_FOLDERS, f"{folder};{other}")
        drawn = await queue.enqueue(workflow, {"6.text": "a __hue__ __Animal__"}, draw=True)
        plain = await queue.enqueue(workflow, {"6.text": "a __hue__ __Animal__"})
        assert [job.prompt for job in (*drawn, *plain)] == ["a red horse", "a __hue__ __Animal__"]
        assert drawn[0].drawn == {"6.text": "a __hue__ __Animal__"}
        with pytest.raises(BatchError, match="ghost"):
            await queue.enqueue(workflow, {"6.text": "a __ghost__"}, draw=True)
        assert await queue.wildcards(workflow.form, {"6.text": "a {red|blue} cow"}) is None, "ComfyUI's own rule"
        here.session.settings.set(WILDCARD_FOLDERS, "")
        (as_it_is,) = await queue.enqueue(workflow, {"6.text": "a __ghost__"}, draw=True)
        assert as_it_is.prompt == "a __ghost__"
        await here.wait([job.id for job in (*drawn, *plain, as_it_is)])
