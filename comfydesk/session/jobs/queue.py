"""The durable queue: what is to be made, where it is, and what came of it.

Every job is on disk before anything is sent. Its methods raise KnownError for the world's faults.
"""

import asyncio
import contextlib
import secrets
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from comfydesk.errors import GraphError
from comfydesk.events import Change, Feed, JobProgress, PodsChanged, PreviewFrame
from comfydesk.session.jobs.anywhere import Anywhere
from comfydesk.session.jobs.commands import Commands
from comfydesk.session.jobs.dispatch import Dispatcher
from comfydesk.session.jobs.documents import Documents
from comfydesk.session.jobs.follow import Follower, Pace
from comfydesk.session.jobs.naming import Names
from comfydesk.session.jobs.prospects import Estimate, Prospects
from comfydesk.session.jobs.reports import title_of
from comfydesk.session.jobs.saver import Saver
from comfydesk.session.jobs.sheets import Sheets
from comfydesk.session.jobs.timings import shares
from comfydesk.session.jobs.uploads import Uploads
from comfydesk.session.lease import Lease
from comfydesk.session.library import Library
from comfydesk.session.pods.connected import Pods
from comfydesk.session.pods.links import Link
from comfydesk.session.tasks import Tasks
from comfydesk.session.values import OpenWorkflow
from comfydesk.session.waiting import wait_for
from comfydesk.settings import AHEAD, DOWNLOADS, OUTPUT_TEMPLATE, RUN_AGAIN_LOST, WILDCARD_FOLDERS, Settings
from comfydesk.store import jobs, order, staging
from comfydesk.store.records import ANY, Job, JobState
from comfydesk.workflow import filenames
from comfydesk.workflow.patch import apply_values

if TYPE_CHECKING:
    from comfydesk.session.jobs.enqueue import Enqueued, Originals
    from comfydesk.session.jobs.recipes import Recipe
    from comfydesk.workflow.batches import Batch
    from comfydesk.workflow.fields import Form
    from comfydesk.workflow.patch import SeedPolicy
    from comfydesk.workflow.wildcards import Wildcards


class Queue:
    """See the module. Made by the Session, which starts it."""

    def __init__(
        self,
        library: Library,
        pods: Pods,
        tasks: Tasks,
        changes: Feed[Change],
        progress: Feed[JobProgress | PreviewFrame],
        settings: Settings,
        output_folder: Callable[[], Path],
        pace: Pace,
    ) -> None:
        self._library = library
        self._pods = pods
        self._links = pods.links
        self._tasks = tasks
        self._changes = changes
        self._settings = settings
        self._documents = Documents(library)
        names = Names(self._links, self._documents, lambda: settings.get(OUTPUT_TEMPLATE))
        self._saver = Saver(library, self._links, tasks, names, output_folder, lambda: settings.get(DOWNLOADS))
        self._follower = Follower(
            library,
            self._links,
            tasks,
            progress,
            self._saver.save,
            self._free,
            self._saver.places,
            pace,
            run_again_lost=lambda: settings.get(RUN_AGAIN_LOST),
        )
        self._uploads = Uploads(library)
        self._prospects = Prospects(library, self._documents, self._rate)
        self._sheets: Sheets | None = None
        self._swept = False
        self._lease: Lease | None = None
        self._dispatcher: Dispatcher | None = None
        self._commands: Commands | None = None

    def start(self, lease: Lease) -> None:
        """Begin to send. The library is open."""
        self._lease = lease
        self._dispatcher = Dispatcher(
            self._library,
            self._links,
            self._tasks,
            self._follower,
            self._uploads,
            self._documents,
            Anywhere(self._library, self._documents, self._prospects),
            lease.owner,
            lambda: self._settings.get(AHEAD),
        )
        self._commands = Commands(
            self._library, self._links, self._tasks, self._follower, self._saver, self._documents, lease.owner
        )
        self._sheets = Sheets(self._library, self._tasks, self._changes, lease.owner)
        self._changes.subscribe(self._on_change)
        self._tasks.start(self._dispatcher.run(), "dispatch")
        self._tasks.start(self._sheets.run(), "contact sheets")

    async def close(self) -> None:
        """What is only in memory is written down. The tasks have ended, the library is open. Raises StoreError."""
        await self._follower.note_taken()

    async def adopt(self, only: Sequence[str] | None = None) -> tuple[Job, ...]:
        """Take over the unfinished jobs of sessions that are no more, and follow them. Raises StoreError.

        `only`: none but these. Returns those of ours that a pod has, or may have.
        """
        lease = self._started()
        if not self._swept:  # before anything is added under that name again
            self._swept = True
            await self._library.call(staging.sweep, lease.owner)
        owners = await self._library.call(order.owners)
        dead = await asyncio.to_thread(lease.dead, owners)
        assert self._dispatcher is not None, "the session is not started"
        with self._dispatcher.still():
            await self._library.commit(order.adopt, lease.owner, dead, only)
            mine = await self._library.call(jobs.live, lease.owner)
            for job in mine:
                await self._ready().resume(job)
        return mine

    @property
    def owner(self) -> str:
        """This session's name in the jobs it looks after."""
        return self._started().owner

    async def enqueue(
        self,
        workflow: OpenWorkflow,
        values: Mapping[str, Any],
        *,
        count: int = 1,
        seed_policy: "SeedPolicy | None" = None,
        folder: Path | None = None,
        target: str | None = None,
        front: bool = False,
        held: bool = False,
        template: str = "",
        originals: "Originals | None" = None,
        draw: bool = False,
    ) -> tuple[Job, ...]:
        """Queue `count` jobs for the current pod. They are on disk when this returns; sending is up to the queue.

        `values`: field id → value; fields left out keep the workflow's. A pathlib.Path is a file of this computer
        and will be uploaded; a text never is. `seed_policy` (default fixed) says how seeds differ: RANDOM, every job
        has its own; INCREMENT and DECREMENT, the first has the form's. `draw`: see `wildcards`. The rest as in
        `enqueue_batch`.
        """
        from comfydesk.workflow.batches import Batch
        from comfydesk.workflow.patch import SeedPolicy

        wildcards = await self.wildcards(workflow.form, values) if draw else None
        policy, chance = seed_policy or SeedPolicy.FIXED, secrets.randbits(64)
        batch = Batch(workflow.form, values, repeats=count, seeds=policy, wildcards=wildcards, entropy=chance)
        queued = await self.enqueue_batch(
            workflow,
            batch,
            folder=folder,
            target=target,
            front=front,
            held=held,
            template=template,
            originals=originals,
        )
        return await self._library.read(jobs.many, queued.jobs)

    async def wildcards(self, form: "Form", values: Mapping[str, Any]) -> "Wildcards | None":
        """What `__name__` in prompts is drawn from, by the settings; None: there is none to draw. Raises BatchError."""
        from comfydesk.session.jobs.wildcards import wildcards_for

        folders = self._settings.get(WILDCARD_FOLDERS)
        return await asyncio.to_thread(wildcards_for, folders, form, values) if folders else None

    async def enqueue_batch(
        self,
        workflow: OpenWorkflow,
        batch: "Batch",
        *,
        folder: Path | None = None,
        target: str | None = None,
        front: bool = False,
        held: bool = False,
        sheet: bool = False,
        template: str = "",
        originals: "Originals | None" = None,
    ) -> "Enqueued":
        """Queue a batch of any size: on disk when this returns, the whole of it or (if this raises) nothing.

        `target`: a pod's id, or records.ANY; default the current pod. `folder`: where results go instead of the pod's
        own folder, or the library's. `template`: how files are named, if not as the settings say (workflow.filenames).
        `front`: before all that waits. `held`: nothing is sent before it is released. `sheet`: the labelled contact
        sheets of its grid are made at the end, and kept. `originals`: what texts were before they were enhanced (field
        id → enhanced text → before), beside what the batch knows itself; each job remembers its own.
        Raises BatchError, GraphError, MediaError, StoreError, and UsageError: no pod is connected, a bad template.
        """
        from comfydesk.session.jobs.enqueue import Wish, enqueue

        if template:
            filenames.check(template)
        link = self._pods.link()
        self._pods.activity.mark()
        home = link if target is None else self._links.get(target)
        if folder is None and home is not None:
            folder = home.output_folder
        wish = Wish(target or link.target.id, self.owner, folder, template, front, held, sheet, originals or {})
        queued = await enqueue(self._library, workflow, batch, link.catalog, wish)
        self._wake()
        return queued

    async def contact_sheets(self, batch: str) -> tuple[str, ...]:
        """The files of the contact sheets of a batch whose jobs are over, once they are made."""
        assert self._sheets is not None, "the session is not started"
        return await self._sheets.wait(batch)

    async def estimate(
        self, workflow: OpenWorkflow, count: int, target: str | None = None, values: Mapping[str, Any] | None = None
    ) -> Estimate:
        """How long `count` such jobs would take, and cost, by what was measured; as if nothing else waited."""
        graph = workflow.api
        if graph is None:
            return Estimate(None, 0, None)
        with contextlib.suppress(GraphError):  # values that do not fit: as the workflow has them, then
            graph = apply_values(graph, {} if values is None else values)
        wanted = target or (self._pods.current.target.id if self._pods.current else "")
        links = [link for link in self._links.all() if link.online and wanted in (ANY, link.target.id)]
        return await self._prospects.estimate(graph, count, links)

    async def recipe(self, job_id: str) -> "Recipe | None":
        """What opens a job's workflow again with its values; None if there is no such job. Raises StoreError."""
        from comfydesk.session.jobs.recipes import recipe_of

        return await self._library.read(recipe_of, job_id)

    async def duplicate(self, job_id: str) -> Job | None:
        """Queue the same work once more, whatever became of it. None if there is no such job."""
        job = await self._ready().duplicate(job_id)
        self._wake()
        return job

    async def cancel(self, *job_ids: str) -> None:
        """Stop jobs wherever they are: queued, sent, running or being saved. Ended jobs stay as they are."""
        await self._ready().cancel(*job_ids)

    async def pause(self, paused: bool = True) -> None:
        """Send nothing further, or go on. Of all sessions on this library, over restarts; told as QueueChanged."""
        await self._library.commit(order.pause, paused)
        self._wake()

    async def is_paused(self) -> bool:
        return await self._library.read(order.is_paused)

    async def hold_all(self) -> None:
        """Keep all that is queued here from being sent. What was sent goes on."""
        await self._library.commit(order.hold_all, self.owner, time.time())

    async def release_all(self) -> None:
        """Let all held jobs go."""
        await self._library.commit(order.release_all, self.owner, time.time())
        self._wake()

    async def move(self, job_ids: Sequence[str], *, after: str | None = None, before: str | None = None) -> None:
        """Give jobs, in this order, another place in the queue; without a neighbour to the front."""
        await self._library.commit(order.move_between, job_ids, after, before)
        self._wake()

    async def counts(self) -> Mapping[JobState, int]:
        """How many jobs there are in each state."""
        return await self._library.read(order.counts)

    async def hold(self, job_ids: Sequence[str]) -> None:
        """Keep queued jobs from being sent. What was sent goes on."""
        await self._ready().move_all(job_ids, JobState.HELD)

    async def release(self, job_ids: Sequence[str]) -> None:
        """Let held jobs go."""
        await self._ready().move_all(job_ids, JobState.QUEUED)
        self._wake()

    async def retry(self, job_id: str) -> Job | None:
        """Run an ended job again as a new one at the end of the queue; save a blocked job's results now.

        Returns the job that is under way now; None if there is nothing to retry.
        """
        job = await self._ready().retry(job_id)
        self._wake()
        return job

    async def look_again(self, job_id: str) -> Job | None:
        """Ask the pod once more for a job in state UNKNOWN. Returns the job as it stands then.

        Raises PodError if the pod cannot be asked.
        """
        return await self._ready().look_again(job_id)

    async def remove(self, *job_ids: str) -> None:
        """Take ended jobs out of the list; their results stay, and what they were made from."""
        await self._library.commit(order.remove, job_ids)

    async def clear_finished(self) -> None:
        """Take all jobs out of the list that ended, but those of which it is not known how."""
        await self._library.commit(order.clear_finished)

    async def jobs(self, limit: int = 200, offset: int = 0, *, after: str | None = None) -> tuple[Job, ...]:
        """What is to come in the queue's order, then what ended, the latest first.

        `after`: the last job of the page before; quick however far down, and right while rows come and go.
        """
        return await self._library.read(jobs.recent, limit, offset, after=after)

    async def jobs_by_id(self, ids: Iterable[str]) -> tuple[Job, ...]:
        return await self._library.read(jobs.many, tuple(ids))

    async def wait(self, job_ids: Sequence[str]) -> tuple[Job, ...]:
        """Until each has ended or is blocked (see Job.blocked)."""
        return await wait_for(job_ids, self._changes, self.jobs_by_id)

    def eta(self, job_id: str) -> float | None:
        """Seconds until a job that was sent, or is among the next, has run, those before it on its pod included.

        None: not known (yet).
        """
        waiting = () if self._dispatcher is None else self._dispatcher.waiting
        followed = self._follower.get(job_id)
        pod = next((job.pod for job in waiting if job.id == job_id), "") if followed is None else followed.job.pod
        link = self._links.get(pod)
        if link is None or not link.online:  # what it does meanwhile nobody knows
            return None
        outlook = self._follower.outlook
        return outlook.eta_of_waiting(job_id, waiting) if followed is None else outlook.eta(followed)

    def node_title(self, job_id: str, node_id: str) -> str:
        """What a person knows a node of a live job as; empty if it is not known."""
        followed = self._follower.get(job_id)
        return "" if followed is None else title_of(followed.graph, node_id)

    def weights(self, job_id: str) -> tuple[float, ...]:
        """The share of each node of a live job, in the order in which they will about run; empty if not known."""
        followed = self._follower.get(job_id)
        return () if followed is None else shares(followed.graph, followed.weights)

    # --- Inside -----------------------------------------------------------------------------------------------------

    def on_online(self, link: Link) -> None:
        """A pod is there (again). Called by the links."""
        self._tasks.start(self._follower.memories.look(link), f"memory of {link.target.id}")
        self._follower.poke(link.target.id)
        self._saver.poke(link.target.id)
        if self._dispatcher is not None:
            self._dispatcher.online()

    def on_event(self, link: Link, event: Any) -> None:
        """A pod said something. Called by the links."""
        self._follower.on_event(link, event)

    def _on_change(self, change: Change) -> None:
        if isinstance(change, PodsChanged) and self._dispatcher is not None:
            self._dispatcher.pods_changed()

    def _rate(self, pod: str) -> float | None:
        """Dollars an hour."""
        rented = self._pods.rented.state(pod)
        return None if rented is None or rented.host is None else rented.host.cost_per_hour

    def _wake(self) -> None:
        if self._dispatcher is not None:
            self._dispatcher.wake()

    def _free(self) -> None:
        if self._dispatcher is not None:
            self._dispatcher.free()

    def _started(self) -> Lease:
        assert self._lease is not None, "the session is not started"
        return self._lease

    def _ready(self) -> Commands:
        assert self._commands is not None, "the session is not started"
        return self._commands
