"""Sends queued jobs: to each pod in the queue's order, one ahead of what runs there."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

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
from comfydesk.session.reports import of_known, of_rejection
from comfydesk.session.tasks import Tasks
from comfydesk.session.uploads import Uploads
from comfydesk.store import jobs
from comfydesk.store.records import Job, JobError, JobState

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
            except Exception as error:
                self._tasks.report(error, "dispatch")
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
        unanswered = any(one.sending or one.state is JobState.SENDING for one in followed)
        sending = pod in self._preparing.values() or unanswered
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
            await self._fail_unsent(job, error)
            return
        followed = await self._follower.weigh(job, graph)
        # From here on who cancels the job finds it: there is no moment between "queued" and "on its way".
        self._follower.register(followed)
        try:
            if not await self._follower.commit(followed, jobs.begin_sending, time.time()):
                self._follower.drop(followed)  # cancelled or held meanwhile
                return
            if followed.state is not JobState.SENDING:  # cancelled since: it is not on the pod, and never will be
                await self._follower.commit(followed, jobs.transition, JobState.CANCELLED, time.time())
                return
            await self._post(followed, link, graph, document, posted=job.posted)
        finally:
            self._follower.sent(followed)

    async def _post(
        self,
        followed: Followed,
        link: Link,
        graph: Mapping[str, Any],
        document: Mapping[str, Any] | None,
        *,
        posted: float | None,
    ) -> None:
        """`posted`: when an earlier attempt began of which nobody knows what came."""
        job = followed.job
        self._attempts[job.id] += 1
        try:
            answer = await link.pod.submit(graph, prompt_id=job.remote_id, workflow=document, resend=posted is not None)
        except PromptRejectedError as error:
            await self._rejected(followed, error)
        except PodUnreachableError as error:
            if not _may_have_arrived(error):
                await self._give_back(followed, posted)
            # Otherwise the follower looks the id up, and only what the pod does not know is sent again.
        except PodStatusError as error:
            if error.status in RETRY_LATER and self._attempts[job.id] < MAX_ATTEMPTS:
                await self._give_back(followed, posted)
            else:
                await self._fail(followed, of_known(error))
        except AuthError:
            await self._give_back(followed, posted)
        except PodError as error:
            await self._fail(followed, of_known(error))
        else:
            self._attempts.pop(job.id, None)
            await self._follower.accepted(followed, answer)

    async def _give_back(self, followed: Followed, posted: float | None) -> None:
        """It did not arrive: it waits in the queue again, a while longer each time."""
        await asyncio.sleep(min(self._attempts[followed.job.id] - 1, MAX_PAUSE))
        await self._return(followed, posted)

    async def _return(self, followed: Followed, posted: float | None) -> None:
        if not await self._follower.commit(followed, jobs.give_back, time.time(), posted=posted):
            # Cancelled meanwhile, and not on the pod.
            await self._follower.commit(followed, jobs.transition, JobState.CANCELLED, time.time())

    async def _rejected(self, followed: Followed, error: PromptRejectedError) -> None:
        job = followed.job
        # A pod whose disk was replaced has lost what was uploaded to it: put it there again, once.
        if self._attempts[job.id] == 1 and await self._uploads.forget(job.values, job.pod):
            await self._return(followed, None)
            return
        await self._fail(followed, of_rejection(error, followed.graph))

    async def _put_off(self, job: Job, error: PodError) -> None:
        """The pod did not take an input. It is tried again, but not for ever."""
        self._attempts[job.id] += 1
        if self._attempts[job.id] >= MAX_ATTEMPTS:
            await self._fail_unsent(job, error)
        else:
            await asyncio.sleep(self._attempts[job.id])

    async def _fail_unsent(self, job: Job, error: KnownError) -> None:
        self._attempts.pop(job.id, None)
        await self._library.commit(jobs.transition, job.id, JobState.FAILED, time.time(), error=of_known(error))

    async def _fail(self, followed: Followed, error: JobError) -> None:
        self._attempts.pop(followed.job.id, None)
        await self._follower.commit(followed, jobs.transition, JobState.FAILED, time.time(), error=error)


def _may_have_arrived(error: PodUnreachableError) -> bool:
    from comfydesk.client.submission import SubmissionUnknownError

    return isinstance(error, SubmissionUnknownError)
