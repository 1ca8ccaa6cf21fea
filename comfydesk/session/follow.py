"""Follows our jobs on their pods until they have ended there.

The WebSocket gives progress and hints; what a pod answers over HTTP is the truth. Every way to a job's end, be it a
hint, a poll, a reconnect, a restart of this program or a cancellation, goes through `Follower.settle`.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from comfydesk.client.remote import RemoteFile, RemoteJob
from comfydesk.client.tracker import Tracker
from comfydesk.errors import PodError, StoreError
from comfydesk.events import Feed, JobProgress, PodEvent, PreviewFrame, RunState
from comfydesk.session.library import Library
from comfydesk.session.links import Link, Links
from comfydesk.session.reports import of_remote, unknown
from comfydesk.session.tasks import Tasks
from comfydesk.session.timings import Stopwatch, signature_of, weights
from comfydesk.store import jobs
from comfydesk.store import workflows as documents
from comfydesk.store.records import Job, JobFile, JobState


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a pod is asked, in seconds."""

    poll: float = 5.0
    """After each live job, whatever the stream says or does not say."""
    look_again: float = 1.0
    """Between the first time a pod does not know a job and the time that is believed."""


@dataclass(slots=True, eq=False)
class Followed:
    """A job on its pod, in memory."""

    job: Job
    state: JobState
    graph: Mapping[str, Any]
    stopwatch: Stopwatch
    signature: str
    weights: Mapping[str, float]
    """Node → its part of the whole, in any unit."""
    sending: bool = False
    """A POST is under way: that the pod does not know the job means nothing yet."""
    missed: float | None = None
    """When the pod first said that it does not know the job (monotonic)."""
    poked: asyncio.Event = field(default_factory=asyncio.Event)

    def is_over(self) -> bool:
        """Nothing more happens on the pod."""
        return self.state.ended or self.state in (JobState.SAVING, JobState.QUEUED)


class Follower:
    """`on_saving(job)`: it has finished, its files wait. `on_free()`: a pod may take another job now."""

    def __init__(
        self,
        library: Library,
        links: Links,
        tasks: Tasks,
        progress: Feed[JobProgress | PreviewFrame],
        on_saving: Callable[[Job], None],
        on_free: Callable[[], None],
        pace: Pace,
    ) -> None:
        self._library = library
        self._links = links
        self._tasks = tasks
        self._progress = progress
        self._on_saving = on_saving
        self._on_free = on_free
        self._pace = pace
        self._followed: dict[str, Followed] = {}
        self._by_remote: dict[tuple[str, str], Followed] = {}
        self._trackers: dict[str, Tracker] = {}

    # --- Which ones -------------------------------------------------------------------------------------------------

    def get(self, job: str) -> Followed | None:
        return self._followed.get(job)

    def on(self, pod: str) -> tuple[Followed, ...]:
        """Our jobs that this pod has or is being sent, in the order they were sent."""
        return tuple(followed for followed in self._followed.values() if followed.job.pod == pod)

    async def follow(self, job: Job, graph: Mapping[str, Any], *, sending: bool = False) -> Followed:
        """Follow a job from now on. Raises StoreError."""
        signature = signature_of(graph)
        known = await self._library.call(documents.timings, job.pod, signature)
        weighed = weights(graph, known)
        followed = Followed(job, job.state, graph, Stopwatch(graph, known), signature, weighed, sending)
        self._followed[job.id] = followed
        self._by_remote[job.pod, job.remote_id] = followed
        self._tracker(job.pod).expect(job.remote_id, weighed)
        if not sending:  # it was sent long ago: ask at once what became of it
            followed.poked.set()
        self._tasks.start(self._run(followed), f"follow {job.id}")
        return followed

    def rename(self, followed: Followed, remote_id: str) -> None:
        """The pod knows it by another id."""
        self._by_remote.pop((followed.job.pod, followed.job.remote_id), None)
        tracker = self._tracker(followed.job.pod)
        tracker.forget(followed.job.remote_id)
        followed.job = replace(followed.job, remote_id=remote_id)
        self._by_remote[followed.job.pod, remote_id] = followed
        tracker.expect(remote_id, followed.weights)

    def poke(self, pod: str) -> None:
        """Ask this pod after all of its jobs now."""
        for followed in self.on(pod):
            followed.poked.set()

    def drop(self, followed: Followed) -> None:
        """It is over; its place is free."""
        job = followed.job
        if self._followed.pop(job.id, None) is not None:
            self._by_remote.pop((job.pod, job.remote_id), None)
            self._tracker(job.pod).forget(job.remote_id)
            followed.poked.set()
            self._on_free()

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
        elif progress.state is RunState.RUNNING and followed.state in (JobState.SENDING, JobState.SENT):
            followed.state = JobState.RUNNING
            self._on_free()
            self._tasks.start(self._mark_running(followed), f"running {followed.job.id}")

    async def _mark_running(self, followed: Followed) -> None:
        await self._library.commit(jobs.transition, followed.job.id, JobState.RUNNING, time.time())

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
        while not followed.is_over():
            await self._wait(followed)
            link = self._links.get(followed.job.pod)
            if link is None or followed.is_over():
                continue
            try:
                if followed.state is JobState.CANCELLING and not followed.sending:
                    await link.pod.cancel(followed.job.remote_id)
                remote = await link.pod.job(followed.job.remote_id)
            except PodError:
                continue  # the link's status tells; the next look is not far
            try:
                await self.settle(followed, remote)
            except StoreError as error:  # no room for the row, say: it stays with us, and is tried again
                self._tasks.problems.publish(error)
        self.drop(followed)

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
                await self._move(followed, JobState.FAILED, remote)
            case RunState.INTERRUPTED:
                await self._move(followed, JobState.CANCELLED)

    async def _settle_missing(self, followed: Followed) -> None:
        now = time.monotonic()
        if followed.sending:
            return
        if followed.missed is None:
            followed.missed = now
        elif now - followed.missed >= self._pace.look_again * 0.9:
            match followed.state:
                case JobState.SENDING:  # the POST never arrived: it may be sent again
                    await self._move(followed, JobState.QUEUED)
                case JobState.CANCELLING:  # deleted from the queue: that leaves no history
                    await self._move(followed, JobState.CANCELLED)
                case _:
                    await self._move(followed, JobState.UNKNOWN)

    async def _succeeded(self, followed: Followed, remote: RemoteJob) -> None:
        job = followed.job
        files = tuple(
            JobFile(job.id, number, file.type, file.subfolder, file.filename)
            for number, file in enumerate(file for file in remote.outputs if _is_kept(file))
        )
        await self._library.commit(jobs.begin_saving, job.id, files, time.time(), remote.texts)
        measured = followed.stopwatch.measured()
        if measured:
            await self._library.call(documents.learn_timings, job.pod, followed.signature, measured)
        await self._reread(followed)
        if followed.state is JobState.SAVING:
            self._on_saving(followed.job)

    async def _move(self, followed: Followed, to: JobState, remote: RemoteJob | None = None) -> None:
        if followed.state is to:
            return
        error = None
        if to is JobState.FAILED and remote is not None:
            error = of_remote(remote, followed.graph)
        elif to is JobState.UNKNOWN:
            error = unknown()
        await self._library.commit(jobs.transition, followed.job.id, to, time.time(), error=error)
        await self._reread(followed)

    async def _reread(self, followed: Followed) -> None:
        """The store decides what is allowed; what it holds now is what we go on with."""
        job = await self._library.call(jobs.get, followed.job.id)
        before = followed.state
        if job is None:
            followed.state = JobState.CANCELLED
        else:
            followed.job, followed.state = job, job.state
        if before is JobState.SENDING and not followed.is_over():
            self._on_free()  # it is known now that it has arrived: the next may go

    def _tracker(self, pod: str) -> Tracker:
        return self._trackers.setdefault(pod, Tracker())


def _is_kept(file: RemoteFile) -> bool:
    """Temporary files are previews, and inputs were the user's own."""
    return file.type == "output"
