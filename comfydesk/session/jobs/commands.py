"""What the user does to jobs: cancel, hold, retry, duplicate, look again."""

import time
import uuid
from collections.abc import Sequence
from dataclasses import replace

from comfydesk.errors import KnownError, PodUnreachableError, StoreError
from comfydesk.session.jobs.documents import Documents
from comfydesk.session.jobs.follow import Follower
from comfydesk.session.jobs.reports import lost_track
from comfydesk.session.jobs.saver import Saver
from comfydesk.session.library import Library
from comfydesk.session.pods.links import Links
from comfydesk.session.tasks import Tasks
from comfydesk.store import jobs, sheets
from comfydesk.store.records import Job, JobState


class Commands:
    """Changes to the queue. Each is on disk when it returns."""

    def __init__(
        self,
        library: Library,
        links: Links,
        tasks: Tasks,
        follower: Follower,
        saver: Saver,
        documents: Documents,
        owner: str,
    ) -> None:
        self._library = library
        self._links = links
        self._tasks = tasks
        self._follower = follower
        self._saver = saver
        self._documents = documents
        self._owner = owner

    async def cancel(self, *job_ids: str) -> None:
        """See Queue.cancel."""
        await self._library.commit(jobs.request_cancel, job_ids, time.time())
        for job_id in job_ids:
            followed = self._follower.get(job_id)
            if followed is not None:
                await self._follower.reread(followed)
                followed.poked.set()

    async def move_all(self, job_ids: Sequence[str], to: JobState) -> None:
        await self._library.commit(jobs.transition_many, job_ids, to, time.time(), durable=True)

    async def retry(self, job_id: str) -> Job | None:
        """See Queue.retry."""
        job = await self._library.call(jobs.get, job_id)
        if job is None:
            return None
        if job.state is JobState.SAVING:
            await self._library.commit(jobs.note, job_id, None)
            self._saver.save(job)
            return await self._library.call(jobs.get, job_id)
        if not job.state.ended:
            return None
        # What did not become anything has its place in a grid still, which the new one may fill.
        return await self._again(job, job.state is not JobState.DONE)

    async def duplicate(self, job_id: str) -> Job | None:
        """See Queue.duplicate."""
        job = await self._library.call(jobs.get, job_id)
        return None if job is None else await self._again(job, in_its_place=False)

    async def _again(self, job: Job, in_its_place: bool) -> Job | None:
        """The same work as a new job at the end of the queue."""
        new = replace(
            job,
            id=str(uuid.uuid4()),
            batch=job.batch if in_its_place else uuid.uuid4().hex,
            cell=job.cell if in_its_place else None,
            remote_id="",
            state=JobState.QUEUED,
            owner=self._owner,
            created=time.time(),
        )
        try:
            await self._library.commit(jobs.add, [new])
        except StoreError as error:
            from comfydesk.session.jobs.enqueue import are_queued_after

            if not await are_queued_after(self._library, [new.id], error):
                raise
        await self._reopen_sheet(new)
        return await self._library.call(jobs.get, new.id)

    async def _reopen_sheet(self, job: Job) -> None:
        """Its page of a contact sheet is made anew if it fills an empty place there."""
        if job.cell is not None:
            await self._library.call(sheets.reopen, job.batch, job.cell, self._owner)

    async def look_again(self, job_id: str) -> Job | None:
        """See Queue.look_again."""
        job = await self._library.call(jobs.get, job_id)
        if job is None or job.state is not JobState.UNKNOWN:
            return job
        link = self._links.get(job.pod)
        if link is None or not link.online:
            name = "The pod of this job" if link is None else link.target.name
            what = f"{name} is not connected"
            raise PodUnreachableError(what, "it cannot be asked", "Connect to it, then look again")
        remote = await link.pod.job(job.remote_id)
        if remote is not None and await self._library.commit(jobs.take_up, job_id, self._owner, time.time()):
            job = await self._library.call(jobs.get, job_id)
            if job is not None:
                await self._reopen_sheet(job)
                await self.resume(job)
            followed = self._follower.get(job_id)
            if followed is not None:
                await self._follower.settle(followed, remote)
        return await self._library.call(jobs.get, job_id)

    async def resume(self, job: Job) -> None:
        """Look after a job that a pod has, or may have. Never fails for what is in its row."""
        try:
            if job.state is JobState.SAVING:
                await self._library.commit(jobs.note, job.id, None)  # what blocked it then may be over
                self._saver.save(job)
            else:
                await self._follower.follow(job, await self._documents.sent_graph(job))
        except Exception as error:
            await self._library.commit(jobs.transition, job.id, JobState.UNKNOWN, time.time(), error=lost_track(error))
            if not isinstance(error, KnownError):
                self._tasks.report(error, f"resume {job.id}")
