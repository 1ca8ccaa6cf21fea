"""What a pod knows of a prompt, by id: /api/jobs where the server has it, else the queue and the history."""

import asyncio
from collections import OrderedDict
from contextlib import suppress

from comfydesk.client.link import Timing
from comfydesk.client.remote import RemoteJob, job_from_api, job_from_history, job_from_queue, queue_ids
from comfydesk.client.rest import Rest, RouteMissingError
from comfydesk.errors import PodStatusError
from comfydesk.events import (
    ExecutionFailed,
    ExecutionInterrupted,
    ExecutionSucceeded,
    NodeExecuting,
    PodEvent,
    RunState,
)

_REMEMBERED = 256


class Lookup:
    """Asks, and waits out the moments in which a server contradicts itself."""

    def __init__(self, rest: Rest, timing: Timing | None = None) -> None:
        self._rest = rest
        self._timing = timing or Timing()
        self._has_jobs = True
        self._ended: OrderedDict[str, None] = OrderedDict()

    @property
    def has_jobs_route(self) -> bool:
        """As of the last look."""
        return self._has_jobs

    def heard(self, event: PodEvent) -> None:
        """Remember whose end the stream has told: its history must come."""
        is_end = isinstance(event, ExecutionSucceeded | ExecutionInterrupted) or (
            isinstance(event, ExecutionFailed) and not event.blocked
        )
        if isinstance(event, NodeExecuting) and event.node is None and event.prompt_id is not None:
            is_end = True
        if is_end and isinstance(event, ExecutionSucceeded | ExecutionInterrupted | ExecutionFailed | NodeExecuting):
            self._ended[event.prompt_id or ""] = None
            while len(self._ended) > _REMEMBERED:
                self._ended.popitem(last=False)

    async def job(self, prompt_id: str) -> RemoteJob | None:
        """See Pod.job."""
        job = await self._look(prompt_id)
        if prompt_id in self._ended:
            for delay in self._timing.lag_delays:
                if job is not None and job.state.ended:
                    break
                await asyncio.sleep(delay)
                job = await self._look(prompt_id)
            self._ended.pop(prompt_id, None)  # waited out once; the server may have restarted since
        return job

    async def cancel(self, prompt_id: str) -> bool:
        """See Pod.cancel."""
        if self._has_jobs:
            with suppress(RouteMissingError):
                return await self._rest.cancel(prompt_id)
        before = await self._look(prompt_id)
        if before is None or before.state.ended:
            return False
        await self._rest.delete_queued(prompt_id)
        running, waiting = queue_ids(await self._rest.queue())
        if prompt_id in running:
            # Old servers interrupt whatever runs, whosever it is: so only while ours does.
            await self._rest.interrupt(prompt_id)
            return True
        return before.state is RunState.PENDING and prompt_id not in waiting

    async def _look(self, prompt_id: str) -> RemoteJob | None:
        if self._has_jobs:
            try:
                document = await self._rest.job(prompt_id)
            except RouteMissingError:
                self._has_jobs = False
            except PodStatusError as error:
                # One job with `extra_pnginfo: null` in the queue makes it answer 500 to everybody.
                if error.status != 500:
                    raise
            else:
                return None if document is None else job_from_api(prompt_id, document)
        # The queue first: what leaves it in between is in the history by then.
        queued = job_from_queue(prompt_id, await self._rest.queue())
        return queued or job_from_history(prompt_id, await self._rest.history(prompt_id))

    async def look_again(self, prompt_id: str) -> RemoteJob | None:
        """Look now and after each delay until it is known. Raises PodError when the pod does not answer."""
        job = await self._look(prompt_id)
        for delay in self._timing.look_delays:
            if job is not None:
                break
            await asyncio.sleep(delay)
            job = await self._look(prompt_id)
        return job

    async def is_known(self, prompt_id: str) -> bool:
        """Whether the pod has it in any state, now."""
        return await self._look(prompt_id) is not None
