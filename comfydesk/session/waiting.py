"""Waiting for jobs and pods without asking again and again."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence

from comfydesk.errors import PodUnreachableError
from comfydesk.events import Change, Feed, JobsChanged
from comfydesk.session.pods.links import Link
from comfydesk.store.records import Job

FEW = 3
TOGETHER = 0.2
"""Seconds for which changes of many jobs are gathered."""


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
            if len(pending) > FEW:  # rows that change in the same moment are read together
                await asyncio.sleep(TOGETHER)
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


async def wait_for_catalog(link: Link, changes: Feed[Change], seconds: float, *, fresh: bool) -> None:
    """See Session.wait_catalog."""
    news = asyncio.Event()
    unsubscribe = changes.subscribe(lambda _: news.set())
    try:
        async with asyncio.timeout(seconds):
            while not (link.online and (link.catalog_fresh if fresh else link.catalog_known).is_set()):
                if (error := link.pod.status.error or link.catalog_error) is not None:
                    raise error
                await news.wait()
                news.clear()
    except TimeoutError:
        what = f"{link.target.name} does not tell what it can do"
        raise PodUnreachableError(what, f"no list of nodes after {seconds:.0f} s", "Try again later") from None
    finally:
        unsubscribe()
