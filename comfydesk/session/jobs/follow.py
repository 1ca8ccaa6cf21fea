"""Follows our jobs on their pods until they have ended there.

The WebSocket gives progress and hints; what a pod answers over HTTP is the truth. Every way to a job's end, be it a
hint, a poll, a reconnect, a restart of this program or a cancellation, goes through `Follower.settle`.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec

from comfydesk.client.remote import RemoteJob
from comfydesk.client.tracker import Tracker
from comfydesk.errors import PodError, PodStatusError, StoreError
from comfydesk.events import Change, Feed, JobProgress, PodEvent, PreviewFrame, RunState
from comfydesk.session.jobs.arrival import arrives_until, is_direct
from comfydesk.session.jobs.followed import NOTED_WITHIN, WAITING, WORTH_A_NOTE, Followed, Pace, kept_files
from comfydesk.session.jobs.memory import Memories
from comfydesk.session.jobs.outlook import Outlook
from comfydesk.session.jobs.reports import (
    forgotten,
    lost_track,
    of_dropped,
    of_remote,
    queued_anew,
    unanswered,
    unknown,
)
from comfydesk.session.library import Library
from comfydesk.session.pods.links import Link, Links
from comfydesk.session.tasks import Tasks
from comfydesk.store import job_files, jobs, lost
from comfydesk.store.database import Database
from comfydesk.store.records import Job, JobError, JobFile, JobState

if TYPE_CHECKING:
    from comfydesk.client.submission import Accepted

P = ParamSpec("P")

__all__ = ["WAITING", "Followed", "Follower", "Pace"]


class Follower:
    """`on_saving(job, files)`: it has finished, its files wait. `on_free()`: a pod may take another job now.

    `run_again_lost`: whether the user wants what a pod has lost to be queued anew.
    """

    def __init__(
        self,
        library: Library,
        links: Links,
        tasks: Tasks,
        progress: Feed[JobProgress | PreviewFrame],
        on_saving: Callable[[Job, Sequence[JobFile] | None], None],
        on_free: Callable[[], None],
        places: Callable[[Job, Sequence[JobFile]], Awaitable[Sequence[JobFile]]],
        pace: Pace,
        run_again_lost: Callable[[], bool] = lambda: False,
    ) -> None:
        self._library = library
        self._links = links
        self._tasks = tasks
        self._progress = progress
        self._on_saving = on_saving
        self._on_free = on_free
        self._places = places
        self._pace = pace
        self._run_again_lost = run_again_lost
        self._followed: dict[str, Followed] = {}
        self._by_remote: dict[tuple[str, str], Followed] = {}
        self._trackers: dict[str, Tracker] = {}
        self.outlook = Outlook(library, self.on)
        self.memories = Memories(library)
        self._keep_ids: set[str] = set()
        """Pods that have taken a job under the id we gave it."""
        self._unsaid: list[Followed] = []
        """Short jobs that pods have taken, of which the store has not been told."""
        self._noting: asyncio.TimerHandle | None = None

    # --- Which ones -------------------------------------------------------------------------------------------------

    def get(self, job: str) -> Followed | None:
        return self._followed.get(job)

    def on(self, pod: str) -> tuple[Followed, ...]:
        """Our jobs that this pod has or is being sent, in the order they were sent."""
        return tuple(followed for followed in self._followed.values() if followed.job.pod == pod)

    def register(self, followed: Followed) -> None:
        """It is about to be sent: whoever cancels it finds it from now on. Ends with `sent` or `drop`."""
        job = followed.job
        followed.sending = True
        self._followed[job.id] = followed
        self._by_remote[job.pod, job.remote_id] = followed
        self._tracker(job.pod).expect(job.remote_id, followed.weights)

    def sent(self, followed: Followed) -> None:
        """The POST is over, whatever came of it: what the pod says counts from now on."""
        followed.sending = False
        if followed.answer is None:  # otherwise the stream will tell soon, as the pod has just said that it has it
            followed.poked.set()
        self._tasks.start(self._run(followed), f"follow {followed.job.id}")

    async def follow(self, job: Job, graph: Mapping[str, Any]) -> Followed:
        """Follow a job that was sent before, and ask at once what became of it. Raises StoreError."""
        followed = self._followed.get(job.id)
        if followed is None:
            followed = await self.outlook.weigh(job, graph)
            self.register(followed)
            self.sent(followed)
        return followed

    def poke(self, pod: str) -> None:
        """Ask this pod after all of its jobs now."""
        for followed in self.on(pod):
            followed.poked.set()

    def drop(self, followed: Followed) -> None:
        """It is over; its place is free."""
        job = followed.job
        followed.sending = False
        if self._followed.get(job.id) is followed:
            del self._followed[job.id]
            self._by_remote.pop((job.pod, job.remote_id), None)
            self._tracker(job.pod).forget(job.remote_id)
            followed.poked.set()
            self._on_free()

    # --- What the store says ----------------------------------------------------------------------------------------

    async def commit(
        self,
        followed: Followed,
        change: Callable[Concatenate[Database, str, P], tuple[Change, ...]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> bool:
        """A change of the job's row, and what the row says then. Returns whether it happened. Raises StoreError."""
        known = followed.job
        changes, job = await self._library.commit_and(jobs.get, change, followed.job.id, *args, **kwargs)
        await self._read(followed, known, job)
        return bool(changes)

    async def begin(self, followed: Sequence[Followed], pod: str) -> None:
        """Note that they are about to be sent, of as many as still may be; see their states. Raises StoreError."""
        known = [one.job for one in followed]
        ids = [job.id for job in known]
        _, rows = await self._library.commit_and(jobs.many, jobs.begin_sending, ids, pod, time.time())
        found = {row.id: row for row in rows}
        for one, before in zip(followed, known, strict=True):
            await self._read(one, before, found.get(before.id))

    async def _read(self, followed: Followed, before: Job, job: Job | None) -> None:
        """What an errand has read of a job that was known as `before` when it set out."""
        if followed.job is before:
            self._found(followed, job)
        else:  # somebody has read it meanwhile: ours may be the older
            await self.reread(followed)

    async def reread(self, followed: Followed) -> None:
        """The store decides what is allowed, and other programs write to it too: what it holds is what we go on with.

        Raises StoreError.
        """
        self._found(followed, await self._library.call(jobs.get, followed.job.id))

    def _found(self, followed: Followed, job: Job | None) -> None:
        """What the store has of it now."""
        before = followed.state
        if job is None:
            job = replace(followed.job, state=JobState.CANCELLED)
        # Given back, it is no pod's any more in the store; here it goes by where it was until it is dropped.
        followed.job = replace(job, remote_id=followed.job.remote_id, pod=followed.job.pod)
        if before is JobState.SENDING and followed.state is not before and not followed.is_over():
            self._on_free()  # it is known now that it has arrived: the next may go

    async def accepted(self, followed: Followed, answer: "Accepted") -> None:
        """The pod has taken it. Kept in mind until it is stored. Raises StoreError."""
        job = followed.job
        if answer.prompt_id == job.id:
            self._keep_ids.add(job.pod)
        if answer.prompt_id != job.remote_id:
            self._rename(followed, answer.prompt_id)
        followed.answer = answer
        if not (followed.is_short and followed.is_plain):
            await self._record(followed)
            return
        self._unsaid.append(followed)
        if self._noting is None:  # with those that are taken until then, if it is not over before
            self._noting = asyncio.get_running_loop().call_later(NOTED_WITHIN, self._note)

    def _note(self) -> None:
        self._noting = None
        self._tasks.start(self.note_taken(), "note what was taken")

    async def note_taken(self) -> None:
        """What pods have taken and the store has not heard of, in one errand. Raises StoreError.

        Without it a later start, on whose pod such a job is not known any more, would take it for one that never
        arrived, and send it again.
        """
        unsaid, self._unsaid = self._unsaid, []
        taken = [one for one in unsaid if one.state is JobState.SENDING and one.answer is not None]
        if not taken:
            return
        known = [one.job for one in taken]
        ids = [job.id for job in known]
        try:
            _, rows = await self._library.commit_and(jobs.many, jobs.accepted_many, ids, time.time())
        except BaseException:
            self._unsaid += taken  # for the next time, or the end
            raise
        found = {row.id: row for row in rows}
        for one, before in zip(taken, known, strict=True):
            one.answer = None
            await self._read(one, before, found.get(before.id))

    async def _record(self, followed: Followed) -> None:
        answer = followed.answer
        if answer is not None:
            warning = of_dropped(answer.node_errors, followed.graph) if answer.node_errors else None
            await self.commit(followed, jobs.accepted, answer.prompt_id, time.time(), warning=warning)
            followed.answer = None

    def _rename(self, followed: Followed, remote_id: str) -> None:
        """The pod knows it by another id."""
        self._by_remote.pop((followed.job.pod, followed.job.remote_id), None)
        tracker = self._tracker(followed.job.pod)
        tracker.forget(followed.job.remote_id)
        followed.job = replace(followed.job, remote_id=remote_id)
        self._by_remote[followed.job.pod, remote_id] = followed
        tracker.expect(remote_id, followed.weights)

    # --- What the stream says ---------------------------------------------------------------------------------------

    def on_event(self, link: Link, event: PodEvent) -> None:
        """Progress for the views, and hints for us."""
        pod = link.target.id
        if isinstance(event, PreviewFrame):
            self._preview(pod, event)
        for progress in self._tracker(pod).feed(event):
            followed = self._by_remote.get((pod, progress.prompt_id))
            if followed is not None:
                self._publish(followed, progress)
                self._hint(followed, progress)

    def _publish(self, followed: Followed, progress: JobProgress) -> None:
        if progress.prompt_id != followed.job.id:
            progress = replace(progress, prompt_id=followed.job.id)
        followed.stopwatch.feed(progress, time.monotonic())
        self._progress.publish(progress)

    def _hint(self, followed: Followed, progress: JobProgress) -> None:
        if progress.state.ended:
            followed.poked.set()
            if not followed.seen_end:
                followed.seen_end = True
                self._on_free()
        elif progress.state is RunState.RUNNING and followed.began is None:
            followed.began = time.time()
            asyncio.get_running_loop().call_later(WORTH_A_NOTE, self._still_running, followed)

    def _still_running(self, followed: Followed) -> None:
        unsaid = followed.state in (JobState.SENDING, JobState.SENT)
        if unsaid and self._followed.get(followed.job.id) is followed and not followed.seen_end:
            self._tasks.start(self._mark_running(followed), f"running {followed.job.id}")

    async def _mark_running(self, followed: Followed) -> None:
        await self.commit(followed, jobs.transition, JobState.RUNNING, followed.began or time.time())

    def _preview(self, pod: str, frame: PreviewFrame) -> None:
        """Old servers do not say whose preview it is: the running job's, then."""
        if frame.prompt_id is None:
            running = [followed for followed in self.on(pod) if followed.state is JobState.RUNNING]
            followed = running[0] if len(running) == 1 else None
        else:
            followed = self._by_remote.get((pod, frame.prompt_id))
        if followed is not None:
            self._progress.publish(replace(frame, prompt_id=followed.job.id))

    # --- What the pod answers ---------------------------------------------------------------------------------------

    async def _run(self, followed: Followed) -> None:
        try:
            while self._followed.get(followed.job.id) is followed:
                await self._wait(followed)
                try:
                    await self._look(followed)
                except StoreError as error:  # no room for the row, say: it stays with us, and is tried again
                    self._tasks.problems.publish(error)
                else:
                    if followed.is_over():
                        break
            if followed.state is JobState.SAVING:
                self._on_saving(followed.job, followed.files)
        except Exception as error:
            await self._library.commit(
                jobs.transition, followed.job.id, JobState.UNKNOWN, time.time(), error=lost_track(error)
            )
            raise
        finally:
            self.drop(followed)

    async def _look(self, followed: Followed) -> None:
        """Ask store and pod how it stands. Raises StoreError."""
        if not (followed.seen_end and followed.is_plain):
            await self._record(followed)
        if not followed.seen_end:  # nothing that another program may have asked for changes an end
            await self.reread(followed)
        link = self._links.get(followed.job.pod)
        if link is None or followed.is_over():
            return
        try:
            if followed.state is JobState.CANCELLING:
                with suppress(PodStatusError):
                    await link.pod.cancel(followed.job.remote_id)
            remote = await link.pod.job(followed.job.remote_id)
        except PodError:
            return  # the link's status tells; the next look is not far
        await self.settle(followed, remote)

    async def _wait(self, followed: Followed) -> None:
        delay = self._pace.poll if followed.missed is None else self._pace.look_again
        try:
            async with asyncio.timeout(delay):
                await followed.poked.wait()
        except TimeoutError:
            return
        followed.poked.clear()

    async def settle(self, followed: Followed, remote: RemoteJob | None) -> None:
        """Bring a job's record to what its pod says. None: the pod does not know it. Raises StoreError."""
        if remote is None:
            await self._settle_missing(followed)
            return
        followed.missed = None
        for progress in self._tracker(followed.job.pod).apply_remote(remote):
            self._publish(followed, progress)
        match remote.state:
            case RunState.PENDING:
                await self._move(followed, JobState.SENT)
            case RunState.RUNNING:
                await self._move(followed, JobState.RUNNING)
            case RunState.SUCCEEDED:
                await self._succeeded(followed, remote)
            case RunState.FAILED:
                await self._over(followed, remote, JobState.FAILED, of_remote(remote, followed.graph))
            case RunState.INTERRUPTED:
                await self._over(followed, remote, JobState.CANCELLED, None)

    async def _settle_missing(self, followed: Followed) -> None:
        await self._record(followed)
        now = time.monotonic()
        if followed.missed is None:
            followed.missed = now
            return
        if now - followed.missed < self._pace.look_again * 0.9:
            return
        job = followed.job
        link = self._links.get(job.pod)
        missed = time.time() - (now - followed.missed)
        direct = link is not None and is_direct(link.pod.address)
        posted = max(job.posted or 0, followed.posted)
        if job.unanswered and time.time() < arrives_until(
            posted, missed, direct=direct, may_arrive=self._pace.may_arrive
        ):
            return
        is_lost = False
        if followed.state is JobState.SENDING and link is not None:
            try:
                is_lost = await self.memories.is_lost(link, job, posted)
            except PodError:
                return  # the next look is not far
        match followed.state:
            case JobState.SENDING if not self._takes_our_ids(job.pod):  # under which id should it be looked for?
                await self._move(followed, JobState.UNKNOWN, unanswered())
            case JobState.SENDING if not is_lost:  # the POST never arrived: it may be sent again
                await self.commit(followed, jobs.give_back, time.time(), posted=job.posted)
            case JobState.CANCELLING:  # deleted from the queue: that leaves no history
                await self._move(followed, JobState.CANCELLED)
            case _ if self._run_again_lost():
                new = lost.again(job, time.time())
                await self.commit(followed, lost.queue_anew, new, time.time(), error=queued_anew())
                self._on_free()
            case state:
                await self._move(followed, JobState.UNKNOWN, forgotten() if state is JobState.SENDING else unknown())

    def _takes_our_ids(self, pod: str) -> bool:
        """Proven by an earlier job, or by a route that is younger than such ids. Others may know it by one of their
        own."""
        link = self._links.get(pod)
        return pod in self._keep_ids or (link is not None and link.pod.has_jobs_route)

    async def _succeeded(self, followed: Followed, remote: RemoteJob) -> None:
        job = followed.job
        files = await self._places(job, kept_files(job.id, remote))
        known, now = followed.job, time.time()
        changes, missing = await self._library.commit_and(
            job_files.missing, job_files.begin_saving, job.id, files, now, remote.texts, began=followed.began
        )
        if changes and followed.job is known:  # as it is in the store now, which is not asked for every result
            sent, started = known.sent or now, known.started or followed.began
            saving = replace(known, state=JobState.SAVING, error=None, sent=sent, started=started, texts=remote.texts)
            self._found(followed, saving)
        else:
            await self.reread(followed)
        if changes:
            followed.files = missing
        await self.outlook.learn(followed, remote)

    async def _over(self, followed: Followed, remote: RemoteJob, state: JobState, error: JobError | None) -> None:
        """It failed or was stopped there; what it had made until then is fetched first."""
        files = kept_files(followed.job.id, remote)
        if files:
            verdict = (state, error)
            await self.commit(followed, job_files.begin_saving, files, time.time(), remote.texts, verdict=verdict)
        else:
            await self._move(followed, state, error)

    async def _move(self, followed: Followed, to: JobState, error: JobError | None = None) -> None:
        if followed.state is not to:
            await self.commit(followed, jobs.transition, to, time.time(), error=error)

    def _tracker(self, pod: str) -> Tracker:
        return self._trackers.setdefault(pod, Tracker())
