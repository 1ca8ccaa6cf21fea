"""Sends queued jobs: to each pod in the queue's order, one ahead of what runs there."""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from comfydesk.errors import (
    AuthError,
    KnownError,
    PodError,
    PodStatusError,
    PodUnreachableError,
    PromptRejectedError,
    StoreError,
)
from comfydesk.session.jobs.anywhere import Anywhere
from comfydesk.session.jobs.attempts import Ledger
from comfydesk.session.jobs.choice import GUESS, Candidate, PodLoad, assign, in_order, plan
from comfydesk.session.jobs.documents import Documents
from comfydesk.session.jobs.follow import Followed, Follower
from comfydesk.session.jobs.reports import of_any, of_known, of_rejection
from comfydesk.session.jobs.uploads import Uploads
from comfydesk.session.library import Library
from comfydesk.session.pods.links import Link, Links
from comfydesk.session.tasks import Tasks
from comfydesk.store import jobs
from comfydesk.store.jobs import Waiting
from comfydesk.store.records import ANY, Job, JobError, JobState

LOOKAHEAD = 64
"""Queued jobs per pod that one decision considers."""
SEEN_FOR = 0.25
"""Seconds for which the head of the queue is taken as it was read, if nothing is known to have changed in it."""
TOGETHER = 0.5
"""Seconds after which what is left of those that were to go together is decided anew: their note of when they were sent
is not to be older."""
TOLD_AFTER = 3
"""Failed attempts after which the reason is shown with the job."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A job that can be sent."""

    followed: Followed
    graph: Mapping[str, Any]
    document: Mapping[str, Any] | None
    posted: float | None
    """When an earlier attempt began of which nobody knows what came."""


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
        anywhere: Anywhere,
        owner: str,
        ahead: Callable[[], int],
    ) -> None:
        self._library = library
        self._links = links
        self._tasks = tasks
        self._follower = follower
        self._uploads = uploads
        self._documents = documents
        self._anywhere = anywhere
        self._owner = owner
        self._ahead = ahead
        self.waiting: tuple[Waiting, ...] = ()
        """The first jobs to go, as of the last decision; those for any pod with the one that they are planned for."""
        self._head: tuple[Waiting, ...] = ()
        """The first queued jobs of each pod, as of the last look."""
        self._head_read = 0.0
        self._taken: set[str] = set()
        """Those of them that were chosen since then, or were on their way."""
        self._next: dict[str, str] = {}
        """Pod → the graph that comes next there."""
        self._wake = asyncio.Event()
        self._news = True
        """The queue itself may be another than at the last decision."""
        self._still = 0
        self._alarm: asyncio.TimerHandle | None = None
        self._sending: dict[str, str] = {}
        """Job → pod: chosen, and not yet answered for. One at a time per pod."""
        self._uploading: dict[str, str] = {}
        """Pod → job: its inputs are on their way there."""
        self._inputs: dict[tuple[str, str], Mapping[str, Any]] = {}
        """Job and pod → its values, with its inputs as that pod knows them."""
        self._ledger = Ledger(asyncio.get_running_loop().time)
        self._known: dict[str, tuple[bool, int]] = {}
        """Pod → whether it is online, and its list of nodes, as of the last news."""
        self._given_again: set[str] = set()
        """Jobs whose inputs were uploaded anew, since their pod seemed to have lost them."""

    def wake(self) -> None:
        """Something changed: decide anew."""
        self._news = True
        self._wake.set()

    def free(self) -> None:
        """A pod may have a place now. Cheap where it has not: it comes several times per job."""
        self._wake.set()

    def online(self) -> None:
        """A pod is back: what waits for its next attempt goes at once."""
        self._ledger.hurry()
        self.wake()

    @contextmanager
    def still(self) -> Iterator[None]:
        """Nothing is sent meanwhile: jobs that may be on a pod are being taken up, and none may overtake them."""
        self._still += 1
        try:
            yield
        finally:
            self._still -= 1
            self.wake()

    def _is_still(self) -> bool:
        return self._still > 0

    def pods_changed(self) -> None:
        """A pod may have told what it has, or be gone: where jobs for any pod go is decided anew."""
        known = {link.target.id: (link.online, id(link.catalog)) for link in self._links.all()}
        if known != self._known:
            self._known = known
            self._anywhere.pods_changed()
            self.wake()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                await self._round()
            except Exception as error:
                self._tasks.report(error, "dispatch")
                self._wake_in(1.0)

    async def _round(self) -> None:
        links = [link for link in self._links.all() if link.online]
        if self._is_still() or not links or not (self._news or any(self._load(link, ()).room for link in links)):
            return
        now = asyncio.get_running_loop().time()
        waiting = await self._first(links, now)
        for_any = [job for job in waiting if job.pod == ANY]
        seconds = await self._anywhere.seconds(for_any, links)
        if self._anywhere.unable & {job.id for job in for_any}:
            self.wake()  # those behind them come into sight
        if self._is_still():
            self._news = True
            return
        # From here on nothing else happens in between: what is decided is decided on how things stand.
        candidates = [self._candidate(job, seconds) for job in waiting if job.id not in self._sending]
        loads = {link.target.id: self._load(link, candidates if for_any else ()) for link in self._links.all()}
        planned = plan(candidates, loads)
        self.waiting = tuple(replace(job, pod=planned.get(job.id, job.pod)) for job in waiting)
        with_files = {job.id for job in waiting if job.has_files}
        self._inputs = {key: values for key, values in self._inputs.items() if key[0] in with_files}
        for candidate in in_order(candidates) if with_files else ():
            self._give_inputs(candidate, planned.get(candidate.id, candidate.pod), candidate.id in with_files)
        self._next = {job.pod: job.graph_hash for job in reversed(self.waiting)}
        chosen: dict[str, list[str]] = {}
        for assignment in assign(candidates, loads, planned):
            self._sending[assignment.job] = assignment.pod
            self._taken.add(assignment.job)
            chosen.setdefault(assignment.pod, []).append(assignment.job)
        for pod, ids in chosen.items():
            self._tasks.start(self._send(ids, pod), f"send {ids[0]}")
        times = [time for job in candidates if not job.ready for time in (job.patience, self._ledger.wait(job.id))]
        if self._head_read < now:
            times.append(self._head_read + SEEN_FOR - now)
        if soon := [time for time in times if time > 0]:
            self._wake_in(min(soon))

    async def _first(self, links: Sequence[Link], now: float) -> tuple[Waiting, ...]:
        """The first queued jobs of each pod: a thousand for one do not hide those for another."""
        here = {link.target.id for link in links}
        if self._news or now - self._head_read > SEEN_FOR or len(self._taken) > LOOKAHEAD // 2:
            self._news, self._head_read = False, now
            found: dict[str, Waiting] = {}
            passed = tuple(self._anywhere.unable)
            for pod in here:
                mine = await self._library.call(jobs.waiting, self._owner, [pod], LOOKAHEAD, passed)
                found |= {job.id: job for job in mine}
            self._head = tuple(sorted(found.values(), key=lambda job: job.position))
            self._taken = {job for job in found if job in self._sending or self._follower.get(job) is not None}
        return tuple(job for job in self._head if job.id not in self._taken)

    def _wake_in(self, seconds: float) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm = asyncio.get_running_loop().call_later(seconds, self.wake)

    def _candidate(self, job: Waiting, seconds: Mapping[str, Mapping[str, float]]) -> Candidate:
        """The job as the decision sees it."""
        ready = self._ledger.wait(job.id) == 0
        if job.pod == ANY:
            able = seconds.get(job.id, {})
            lacking = [pod for pod in able if job.has_files and (job.id, pod) not in self._inputs]
            return Candidate(job.id, ANY, job.position, ready, seconds=able, lacking=frozenset(lacking))
        ready = ready and (not job.has_files or (job.id, job.pod) in self._inputs)
        if not ready:
            self._ledger.hinder(job.id)
        return Candidate(job.id, job.pod, job.position, ready, 0.0 if ready else self._ledger.patience(job.id))

    def _give_inputs(self, job: Candidate, pod: str, has_files: bool) -> None:
        """Inputs that the pod lacks are sent on their way, one job's at a time: that needs no place on it."""
        link = self._links.get(pod)
        if not has_files or link is None or not link.online or (job.id, pod) in self._inputs:
            return
        if pod not in self._uploading and self._ledger.wait(job.id) == 0:
            self._uploading[pod] = job.id
            self._tasks.start(self._upload(job.id, pod), f"inputs of {job.id}")

    def _load(self, link: Link, candidates: Sequence[Candidate]) -> PodLoad:
        pod = link.target.id
        # What the stream has told to be over has left its place, though it may still have to be asked after.
        followed = tuple(one for one in self._follower.on(pod) if not one.seen_end)
        sending = pod in self._sending.values() or any(one.unanswered for one in followed)
        backlog = self._backlog(link, followed, candidates) if candidates else 0.0
        wanted = self._ahead()
        ahead = self._follower.outlook.may_wait(pod, self._next.get(pod, ""), wanted)
        return PodLoad(link.online, len(followed), ahead, sending, 1 if ahead == wanted else ahead, backlog)

    def _backlog(self, link: Link, followed: Sequence[Followed], candidates: Sequence[Candidate]) -> float:
        """Seconds until the pod has done what it has: ours by what is known of them, others' as if they were ours."""
        pod = link.target.id
        usual = next((job.seconds[pod] for job in candidates if pod in job.seconds), GUESS)
        ours = self._follower.outlook.eta(followed[-1]) if followed else 0.0
        chosen = sum(1 for job, place in self._sending.items() if place == pod and self._follower.get(job) is None)
        there = sum(1 for one in followed if one.state in (JobState.SENT, JobState.RUNNING, JobState.CANCELLING))
        others = max(0, (link.queue_remaining or 0) - there)
        return (len(followed) * usual if ours is None else ours) + (chosen + others) * usual

    async def _upload(self, job_id: str, pod: str) -> None:
        try:
            job, link = await self._library.call(jobs.get, job_id), self._links.get(pod)
            if job is None or link is None or job.state is not JobState.QUEUED:
                return
            try:
                self._inputs[job_id, pod] = await self._uploads.resolve(job.values, pod, link.pod)
            except Exception as error:
                await self._failed_unsent(job, error)
        finally:
            self._uploading.pop(pod, None)
            self.wake()

    async def _send(self, ids: Sequence[str], pod: str) -> None:
        inputs = {job_id: self._inputs.pop((job_id, pod), None) for job_id in ids}
        try:
            found, link = await self._library.read(jobs.many, ids), self._links.get(pod)
            ready: list[Prepared] = []
            for job in found:
                if link is None or job.state is not JobState.QUEUED:
                    continue
                prepared = await self._prepared(replace(job, pod=pod), link, inputs[job.id])
                if prepared is None:  # those behind it wait for the next decision
                    break
                ready.append(prepared)
            if link is not None and ready:
                await self._send_prepared(ready, pod, link)
        except StoreError as error:  # no room to write that it is sent: not at once again
            for job_id in ids:
                self._ledger.failed(job_id, error)
            raise
        finally:
            for job_id in ids:
                self._sending.pop(job_id, None)
            self.free()

    async def _prepared(self, job: Job, link: Link, values: Mapping[str, Any] | None) -> Prepared | None:
        """What is to be sent. What fails leaves the job queued, or fails it."""
        try:
            if values is None:
                values = await self._uploads.resolve(job.values, job.pod, link.pod)
            graph, document = await self._documents.prepare(job, values, link.catalog)
        except Exception as error:
            await self._failed_unsent(job, error)
            return None
        return Prepared(await self._follower.outlook.weigh(job, graph), graph, document, job.posted)

    async def _send_prepared(self, ready: Sequence[Prepared], pod: str, link: Link) -> None:
        """One after the other. When it is not certain that one has arrived, those behind it go back to the queue."""
        # From here on who cancels a job finds it: there is no moment between "queued" and "on its way".
        for one in ready:
            self._follower.register(one.followed)
        unsent = list(ready)
        try:
            certain, clock = True, asyncio.get_running_loop().time
            began = clock()  # as the store has it; a disk may take its time from here
            await self._follower.begin([one.followed for one in ready], pod)
            while unsent:
                one = unsent[0]
                if certain and (one is ready[0] or clock() - began < TOGETHER):
                    certain = await self._send_one(one, link)
                elif one.followed.state in (JobState.SENDING, JobState.CANCELLING):
                    await self._return(one.followed, one.posted)
                self._follower.sent(unsent.pop(0).followed)
        finally:
            for one in unsent:
                self._follower.sent(one.followed)

    async def _send_one(self, one: Prepared, link: Link) -> bool:
        """Everything up to the pod's answer. Returns whether those behind it may go."""
        followed = one.followed
        if followed.state is JobState.CANCELLING:  # it is not on the pod, and never will be
            await self._follower.commit(followed, jobs.transition, JobState.CANCELLED, time.time())
            return True
        if followed.state is not JobState.SENDING:
            self._follower.drop(followed)  # cancelled or held meanwhile
            return True
        followed.posted = time.time()
        await self._post(followed, link, one.graph, one.document, posted=one.posted)
        return followed.answer is not None or followed.state not in (JobState.SENDING, JobState.QUEUED, JobState.HELD)

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
        try:
            answer = await link.pod.submit(graph, prompt_id=job.remote_id, workflow=document, resend=posted is not None)
        except PromptRejectedError as error:
            await self._rejected(followed, error)
        except (PodStatusError, AuthError) as error:
            await self._not_taken(followed, error, posted)
        except PodUnreachableError as error:
            if not _may_have_arrived(error):
                await self._not_taken(followed, error, posted)
        except PodError as error:
            # It answered, but not what ComfyUI answers: nobody knows whether it has the job.
            await self._library.commit(jobs.note, job.id, of_known(error))
        else:
            self._ledger.forget(job.id)
            self._given_again.discard(job.id)
            await self._follower.accepted(followed, answer)
        # Otherwise the follower looks the id up, and only what the pod does not know is sent again.

    async def _not_taken(self, followed: Followed, error: PodError, posted: float | None) -> None:
        """It is certain that the pod has not taken it: it waits in the queue again, a while longer each time."""
        job = followed.job
        if self._ledger.failed(job.id, error):
            await self._fail(followed, of_known(error))
            return
        await self._return(followed, posted)
        if self._ledger.count(job.id) >= TOLD_AFTER:
            await self._library.commit(jobs.note, job.id, of_known(error))

    async def _return(self, followed: Followed, posted: float | None) -> None:
        if not await self._follower.commit(followed, jobs.give_back, time.time(), posted=posted):
            # Cancelled meanwhile, and not on the pod.
            await self._follower.commit(followed, jobs.transition, JobState.CANCELLED, time.time())
        self.wake()

    async def _rejected(self, followed: Followed, error: PromptRejectedError) -> None:
        job = followed.job
        # A pod whose disk was replaced has lost what was uploaded to it: put it there again, once.
        if job.id not in self._given_again and await self._uploads.forget(job.values, job.pod):
            self._given_again.add(job.id)
            await self._return(followed, None)
            return
        await self._fail(followed, of_rejection(error, followed.graph))

    async def _failed_unsent(self, job: Job, error: Exception) -> None:
        """Inputs or graph could not be made ready. Of the line's faults it is tried again, as often as it takes."""
        if isinstance(error, PodError) and not self._ledger.failed(job.id, error):
            if self._ledger.count(job.id) >= TOLD_AFTER:
                await self._library.commit(jobs.note, job.id, of_known(error))
            return
        if not isinstance(error, KnownError):
            self._tasks.report(error, f"send {job.id}")
        self._ledger.forget(job.id)
        await self._library.commit(jobs.transition, job.id, JobState.FAILED, time.time(), error=of_any(error))

    async def _fail(self, followed: Followed, error: JobError) -> None:
        self._ledger.forget(followed.job.id)
        self._given_again.discard(followed.job.id)
        await self._follower.commit(followed, jobs.transition, JobState.FAILED, time.time(), error=error)


def _may_have_arrived(error: PodUnreachableError) -> bool:
    from comfydesk.client.submission import SubmissionUnknownError

    return isinstance(error, SubmissionUnknownError)
