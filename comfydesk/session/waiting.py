"""Waiting for jobs without asking the store again and again."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence

from comfydesk.events import Change, Feed, JobsChanged
from comfydesk.store.records import Job


async def wait_for(
    ids: Sequence[str], changes: Feed[Change], read: Callable[[Iterable[str]], Awaitable[tuple[Job, ...]]]
) -> tuple[Job, ...]:
    """Until each job has ended, is blocked, or was removed. Returns those that exist, in the order of `ids`."""
    pending = set(ids)
    changed = set(ids)
    news = asyncio.Event()
    news.set()

    def note(change: Change) -> None:
        if isinstance(change, JobsChanged):
            touched = pending & {*change.jobs, *change.removed}
            if touched:
                changed.update(touched)
                news.set()

    unsubscribe = changes.subscribe(note)
    try:
        while pending:
            await news.wait()
            news.clear()
            asked = tuple(changed)
            changed.clear()
            found = {job.id: job for job in await read(asked)}
            pending.difference_update(
                id_ for id_ in asked if id_ not in found or found[id_].state.ended or found[id_].blocked
            )
    finally:
        unsubscribe()
    return await read(ids)
