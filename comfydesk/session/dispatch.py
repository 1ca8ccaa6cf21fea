"""Sends queued jobs: to each pod in the queue's order, one ahead of what runs there."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from comfydesk.errors import (
    AuthError,
    KnownError,
    PodError,
    PodStatusError,
    PodUnreachableError,
    PromptRejectedError,
)
from comfydesk.session.documents import Documents
from comfydesk.session.follow import Followed, Follower
from comfydesk.session.library import Library
from comfydesk.session.links import Link, Links
from comfydesk.session.queue import PodLoad, assign
from comfydesk.session.reports import of_dropped, of_known, of_rejection
from comfydesk.session.tasks import Tasks
from comfydesk.session.uploads import Uploads
from comfydesk.store import jobs
from comfydesk.store.records import Job, JobError, JobState

if TYPE_CHECKING:
    from comfydesk.client.pod import Accepted

LOOKAHEAD = 64
"""Queued jobs that one decision considers; more than all pods together take at once."""
MAX_ATTEMPTS = 5
"""POSTs of one job that the pod answers with an error of its own, before it counts as failed."""
MAX_PAUSE = 15
"""Seconds between two attempts."""
RETRY_LATER = frozenset({401, 403, 408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524})
"""Statuses of POST /prompt that do not say that the job is wrong; any other of 400 to 499 does."""


class Dispatcher:
    """Wakes when a job is enqueued, a place becomes free, or a pod comes online."""

    def __init__(
        self,
        library: Library,
        links: Links,
        tasks: Tasks,
        follower: Follower,
        uploads: Uploads,
        documents: Documents,
        owner: str,
        ahead: Callable[[], int],
    ) -> None:
        self._library = library
        self._links = links
        self._tasks = tasks
        self._follower = follower
        self._uploads = uploads
        self._documents = documents
        self._owner = owner
        self._ahead = ahead
        self._wake = asyncio.Event()
        self._preparing: dict[str, str] = {}
        """Job → pod: chosen, and not yet answered for."""
        self._attempts: Counter[str] = Counter()

    def wake(self) -> None:
        """Something changed: decide anew."""
        self._wake.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                await self._round()
            except KnownError as error:
                self._tasks.problems.publish(error)
                await asyncio.sleep(1)
                self._wake.set()

    async def _round(self) -> None:
        loads = {link.target.id: self._load(link) for link in self._links.all()}
        open_pods = [pod for pod, load in loads.items() if load.open]
        if not open_pods:
            return
        waiting = await self._library.call(jobs.waiting, self._owner, open_pods, LOOKAHEAD)
        for assignment in assign(waiting, loads):
            self._preparing[assignment.job] = assignment.pod
            self._tasks.start(self._send(assignment.job, assignment.pod), f"send {assignment.job}")

    def _load(self, link: Link) -> PodLoad:
        pod = link.target.id
        followed = self._follower.on(pod)
        sending = pod in self._preparing.values() or any(one.state is JobState.SENDING for one in followed)
        return PodLoad(link.online, len(followed), self._ahead(), sending)

    async def _send(self, job_id: str, pod: str) -> None:
        try:
            job = await self._library.call(jobs.get, job_id)
            link = self._links.get(pod)
            if job is not None and link is not None and job.state is JobState.QUEUED:
                await self._send_job(job, link)
        finally:
            self._preparing.pop(job_id, None)
            self.wake()

    async def _send_job(self, job: Job, link: Link) -> None:
        """Everything up to the pod's answer. What fails before the POST leaves the job queued, or fails it."""
        try:
            values = await self._uploads.resolve(job.values, job.pod, link.pod)
            graph, document = await self._documents.prepare(job, values, link.catalog)
        except PodError as error:
            await self._put_off(job, error)
            return
        except KnownError as error:
            await self._fail(job, of_known(error))
            return
        moved = await self._library.commit(jobs.transition, job.id, JobState.SENDING, time.time(), durable=True)
        if not moved:  # cancelled or held meanwhile
            return
        job = replace(job, state=JobState.SENDING)
        followed = await self._follower.follow(job, graph, sending=True)
        try:
            await self._post(followed, link, graph, document)
        finally:
            followed.sending = False
            followed.poked.set()

    async def _post(
        self, followed: Followed, link: Link, graph: Mapping[str, Any], document: Mapping[str, Any] | None
    ) -> None:
        job = followed.job
        self._attempts[job.id] += 1
        again = self._attempts[job.id] > 1
        try:
            accepted = await link.pod.submit(graph, prompt_id=job.remote_id, workflow=document, resend=again)
        except PromptRejectedError as error:
            await self._rejected(followed, error)
        except PodUnreachableError as error:
            if not _may_have_arrived(error):
                await self._give_back(followed)
            # Otherwise the follower looks the id up, and only what the pod does not know is sent again.
        except PodStatusError as error:
            if error.status in RETRY_LATER and self._attempts[job.id] < MAX_ATTEMPTS:
                await self._give_back(followed)
            else:
                await self._fail(job, of_known(error))
                followed.state = JobState.FAILED
        except AuthError:
            await self._give_back(followed)
        except PodError as error:
            await self._fail(job, of_known(error))
            followed.state = JobState.FAILED
        else:
            await self._accepted(followed, accepted)

    async def _accepted(self, followed: Followed, accepted: "Accepted") -> None:
        job = followed.job
        self._attempts.pop(job.id, None)
        if accepted.prompt_id != job.remote_id:
            await self._library.call(jobs.rename, job.id, accepted.prompt_id)
            self._follower.rename(followed, accepted.prompt_id)
        if accepted.node_errors:
            await self._library.commit(jobs.warn, job.id, of_dropped(accepted.node_errors, followed.graph))
        await self._library.commit(jobs.transition, job.id, JobState.SENT, time.time())
        if followed.state is JobState.SENDING:
            followed.state = JobState.SENT

    async def _give_back(self, followed: Followed) -> None:
        """It did not arrive: it waits in the queue again, a while longer each time."""
        await asyncio.sleep(min(self._attempts[followed.job.id] - 1, MAX_PAUSE))
        # Cancelled meanwhile: then the follower finds that the pod does not know it, and settles that.
        if await self._library.commit(jobs.transition, followed.job.id, JobState.QUEUED, time.time()):
            followed.state = JobState.QUEUED

    async def _rejected(self, followed: Followed, error: PromptRejectedError) -> None:
        job = followed.job
        # A pod whose disk was replaced has lost what was uploaded to it: put it there again, once.
        if self._attempts[job.id] == 1 and await self._uploads.forget(job.values, job.pod):
            await self._give_back(followed)
            return
        await self._fail(job, of_rejection(error, followed.graph))
        followed.state = JobState.FAILED

    async def _put_off(self, job: Job, error: PodError) -> None:
        """The pod did not take an input. It is tried again, but not for ever."""
        self._attempts[job.id] += 1
        if self._attempts[job.id] >= MAX_ATTEMPTS:
            await self._fail(job, of_known(error))
        else:
            await asyncio.sleep(self._attempts[job.id])

    async def _fail(self, job: Job, error: JobError) -> None:
        self._attempts.pop(job.id, None)
        await self._library.commit(jobs.transition, job.id, JobState.FAILED, time.time(), error=error)


def _may_have_arrived(error: PodUnreachableError) -> bool:
    from comfydesk.client.submission import SubmissionUnknownError

    return isinstance(error, SubmissionUnknownError)
