"""A disk that fails under the library: what is said to have failed has failed, and what is said to be done is done."""

import asyncio
import errno
import os
from collections.abc import Awaitable, Callable

import pytest

from comfydesk.errors import DiskFullError
from comfydesk.events import JobsChanged
from comfydesk.store import database, jobs, sheets, staging
from comfydesk.store.records import JobState
from comfydesk.workflow import batch_sources
from comfydesk.workflow.batches import Batch
from tests.pod.session.graphs import flat
from tests.pod.session.world import Start

S = JobState


class Flushes:
    """What the system says when it is to bring the library to the disk."""

    def __init__(self) -> None:
        self.broken = False

    def __call__(self, descriptor: int) -> None:
        if self.broken:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        os.fsync(descriptor)


async def test_what_the_disk_does_not_confirm_is_not_queued(world: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says that it failed, and so it has: nothing of it is there, in any view, or is sent."""
    flushes = Flushes()
    monkeypatch.setattr(database, "_flush", flushes)
    async with world() as here:
        queue, workflow = here.session.queue, await here.open(flat())
        (done,) = await here.wait(await here.enqueue(flat(9)))
        removed: list[str] = []
        here.session.changes.subscribe(
            lambda change: removed.extend(change.removed) if isinstance(change, JobsChanged) else None
        )
        posts = here.count("/prompt", "POST")
        grid = (batch_sources.values_of_text(workflow.form, "1.color", "1, 2, 3"),)
        asked: tuple[tuple[Callable[[], Awaitable[object]], Callable[..., object]], ...] = (
            (lambda: queue.enqueue(workflow, {}), staging.publish),
            (lambda: queue.enqueue_batch(workflow, Batch(workflow.form, grid=grid), sheet=True), staging.publish),
            (lambda: queue.duplicate(done.id), jobs.add),
        )
        for ask, change in asked:
            gate = here.library.before(change)
            asking = asyncio.ensure_future(ask())
            async with gate:
                flushes.broken = True
            with pytest.raises(DiskFullError):
                await asking
            flushes.broken = False
        assert [job.id for job in await queue.jobs()] == [done.id]
        assert len(removed) == 5
        assert posts.hits == 0
        assert not await here.library.read(sheets.are_wanted, queue.owner)
        assert (await here.run(flat(2))).state is S.DONE
