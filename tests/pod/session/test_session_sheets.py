"""Contact sheets of grids: made once all is over, anew when a place is filled, and waited for only if they come."""

import asyncio
from pathlib import Path

import pytest
from PIL import Image

from comfydesk.demo.faults import NodeFault
from comfydesk.errors import DiskFullError, KnownError
from comfydesk.session.jobs import sheets as session_sheets
from comfydesk.session.jobs.contact_sheet import CELL, GAP
from comfydesk.store import sheets
from comfydesk.store.records import JobState
from comfydesk.workflow import batch_sources
from comfydesk.workflow.batches import Batch
from tests.pod.session.graphs import flat, picture
from tests.pod.session.world import Start

S = JobState
GRID = (("steps", "1,2"), ("cfg", "2,8"))


async def test_a_sheet_that_the_library_did_not_take_is_tried_again(
    world: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_sheets, "TRY_AGAIN", (0.05, 0.05, 0.05))
    async with world() as here:
        workflow = await here.open(picture())
        grid = tuple(batch_sources.values_of_text(workflow.form, name, text) for name, text in GRID)
        problems: list[KnownError] = []
        here.session.problems.subscribe(problems.append)
        here.library.failures = {sheets.plan_sheet: [DiskFullError("No room")] * 2}
        queued = await here.session.queue.enqueue_batch(workflow, Batch(workflow.form, grid=grid), sheet=True)
        await here.wait(queued.jobs)
        async with asyncio.timeout(15):
            (made,) = await here.session.queue.contact_sheets(queued.batch)
        assert made in {output.path for output in await here.session.outputs()}
        assert [problem.what for problem in problems] == ["No room"] * 2
        here.library.failures = {sheets.plan_sheet: [DiskFullError("No room")] * 9}
        queued = await here.session.queue.enqueue_batch(workflow, Batch(workflow.form, grid=grid), sheet=True)
        await here.wait(queued.jobs)
        async with asyncio.timeout(15):
            with pytest.raises(DiskFullError):
                await here.session.queue.contact_sheets(queued.batch)


async def test_a_folder_that_cannot_be_looked_into_is_told_and_holds_up_nothing(
    world: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_sheets, "TRY_AGAIN", (600.0,) * 3)
    folder = tmp_path / "results"
    (tmp_path / "disk").mkdir()
    folder.symlink_to("disk")
    async with world() as here:
        queue = here.session.queue
        workflow = await here.open(flat())
        grid = (batch_sources.values_of_text(workflow.form, "1.color", "65280, 16711680"),)
        problems: list[KnownError] = []
        told = asyncio.Event()
        here.session.problems.subscribe(problems.append)
        here.session.problems.subscribe(lambda _: told.set())
        here.library.failures = {sheets.plan_sheet: [DiskFullError("No room")]}
        batch = Batch(workflow.form, grid=grid)
        queued = await queue.enqueue_batch(workflow, batch, sheet=True, folder=folder)
        async with asyncio.timeout(15):
            await told.wait()
        folder.unlink()
        folder.symlink_to("x" * 300)  # which the system does not even look up
        async with asyncio.timeout(15):
            assert await queue.contact_sheets(queued.batch) == ()
        assert problems[1].what == "The contact sheet cannot be saved"
        assert str(folder) in problems[1].why
        queued = await queue.enqueue_batch(workflow, batch, sheet=True)
        await here.wait(queued.jobs)
        async with asyncio.timeout(15):
            assert await queue.contact_sheets(queued.batch), "other sheets are made"


def cell_of(sheet: str, column: int) -> tuple[int, ...]:
    """The colour in the middle of a cell of the first row, of two."""
    with Image.open(sheet) as picture_:
        width, height = picture_.size
        left = width - 2 * (CELL + GAP)
        color = picture_.convert("RGB").getpixel((left + column * (CELL + GAP) + CELL // 2, height - GAP - CELL // 2))
    assert isinstance(color, tuple)
    return color


async def test_a_place_that_stayed_empty_is_filled_when_its_job_is_run_again(world: Start) -> None:
    """By "Try again" of one that failed, and when an unknown one is found after all; else the sheet stays as it is."""
    async with world() as here:
        queue = here.session.queue
        workflow = await here.open(flat())
        grid = (batch_sources.values_of_text(workflow.form, "1.color", "65280, 16711680"),)
        here.pod.script.nodes["1"] = NodeFault()
        await queue.pause()
        queued = await queue.enqueue_batch(workflow, Batch(workflow.form, grid=grid), sheet=True)
        first, second = queued.jobs
        await queue.hold([second])
        await queue.pause(False)
        await here.wait([first])
        here.pod.script.nodes.clear()
        assert await queue.contact_sheets(queued.batch) == (), "not while a job of it is held"
        await queue.release([second])
        await here.wait([second])
        async with asyncio.timeout(15):
            (made,) = await queue.contact_sheets(queued.batch)
        assert (cell_of(made, 0) == (0, 255, 0), cell_of(made, 1)) == (False, (255, 0, 0))
        again = await queue.retry(first)
        assert again is not None
        assert (again.batch, again.cell) == (queued.batch, (0, 0, 0, 0))
        assert (await here.wait([again.id]))[0].state is S.DONE
        async with asyncio.timeout(15):
            (fuller,) = await queue.contact_sheets(queued.batch)
        assert fuller != made
        assert (cell_of(fuller, 0), cell_of(fuller, 1)) == ((0, 255, 0), (255, 0, 0))
        duplicate = await queue.retry(second)  # of one that is done: another picture, no part of the grid
        assert duplicate is not None
        assert (duplicate.batch != queued.batch, duplicate.cell) == (True, None)


async def test_nobody_waits_for_the_sheet_of_a_job_that_is_unknown(world: Start) -> None:
    async with world(speed=4) as here:
        queue = here.session.queue
        workflow = await here.open(picture(steps=40))
        grid = (batch_sources.values_of_text(workflow.form, "3.cfg", "1, 2"),)
        queued = await queue.enqueue_batch(workflow, Batch(workflow.form, grid=grid), sheet=True)
        await here.until(queued.jobs[0], S.RUNNING)
        await here.pod.restart()
        states = {job.state for job in await here.wait(queued.jobs)}
        assert S.UNKNOWN in states
        async with asyncio.timeout(15):
            await queue.contact_sheets(queued.batch)
