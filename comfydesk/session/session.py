"""What window and command line share: pods, workflows, the queue, the library.

A Session belongs to one loop. Its methods raise KnownError for the world's faults; what goes wrong in the background is
published on `problems`.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from comfydesk.errors import KnownError
from comfydesk.events import Change, Feed, JobProgress, PreviewFrame
from comfydesk.paths import Paths
from comfydesk.session.jobs.commands import Commands
from comfydesk.session.jobs.dispatch import Dispatcher
from comfydesk.session.jobs.documents import Documents
from comfydesk.session.jobs.follow import Follower, Pace
from comfydesk.session.jobs.reports import title_of
from comfydesk.session.jobs.saver import Saver
from comfydesk.session.jobs.timings import shares
from comfydesk.session.jobs.uploads import Uploads
from comfydesk.session.lease import Lease
from comfydesk.session.library import FILE_NAME, Library
from comfydesk.session.pods.connected import Pods
from comfydesk.session.pods.links import Link, PodFactory, open_pod
from comfydesk.session.pods.panel import log_tail
from comfydesk.session.pods.reach import HostFactory, make_host
from comfydesk.session.pods.vault import Vault
from comfydesk.session.shelves.shelves import Shelves
from comfydesk.session.tasks import Tasks
from comfydesk.session.values import OpenWorkflow, PodState, PodTarget, WorkflowEntry
from comfydesk.session.waiting import wait_for, wait_for_catalog
from comfydesk.settings import AHEAD, DOWNLOADS, OUTPUT_FOLDER, Settings
from comfydesk.store import jobs, order, outputs
from comfydesk.store.records import Job, JobState, Output

if TYPE_CHECKING:
    from comfydesk.client.remote import SystemStats
    from comfydesk.hosts.ssh import HostKey
    from comfydesk.workflow.catalog import Catalog
    from comfydesk.workflow.needs import Needs
    from comfydesk.workflow.patch import SeedPolicy


class Session:
    """See the module. `async with Session(paths, settings) as session`, or `start` and `close`.

    `guard`: stop idle rented pods where their profiles say so; for programs in which a user can object.
    """

    def __init__(
        self,
        paths: Paths,
        settings: Settings,
        *,
        pod_factory: PodFactory = open_pod,
        pace: Pace | None = None,
        vault: Vault | None = None,
        make_host: HostFactory = make_host,
        guard: bool = True,
        make_library: Callable[[Path, Feed[Change]], Library] = Library,
    ) -> None:
        self.paths = paths
        self.settings = settings
        self.changes: Feed[Change] = Feed()
        """Which rows to read again."""
        self.progress: Feed[JobProgress | PreviewFrame] = Feed()
        """Of jobs, by our job id in `prompt_id`. Latest wins."""
        self._tasks = Tasks()
        self.problems: Feed[KnownError] = self._tasks.problems
        """What went wrong in the background, for the user to see."""
        self._library = make_library(paths.data / FILE_NAME, self.changes)
        self._guarded = guard
        self._pods = Pods(
            paths,
            settings,
            self._tasks,
            self.changes,
            self._library,
            factory=pod_factory,
            vault=vault or Vault(),
            make_host=make_host,
            on_online=self._on_online,
            on_event=self._on_event,
        )
        self._links = self._pods.links
        self.profiles = self._pods.roster
        """The user's pods, connected or not."""
        self.rented = self._pods.rented
        """What the providers say of pods: status, start, stop, the idle guard's buttons."""
        self._saver = Saver(
            self._library, self._links, self._tasks, self._output_folder, lambda: settings.get(DOWNLOADS)
        )
        self._follower = Follower(
            self._library, self._links, self._tasks, self.progress, self._saver.save, self._wake, pace or Pace()
        )
        self._documents = Documents(self._library)
        self._uploads = Uploads(self._library)
        self._shelves = Shelves(self.changes, self._links)
        self._lease: Lease | None = None
        self._dispatcher: Dispatcher | None = None
        self._commands: Commands | None = None

    async def __aenter__(self) -> "Session":
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def start(self, *, resume: bool = True) -> None:
        """Open the library and go on with what was under way. No pod is needed. Raises StoreError.

        `resume` False: look after nothing but what this session will enqueue itself.
        """
        await self._library.open()
        try:
            owners = await self._library.call(jobs.owners) if resume else ()
            self._lease = await asyncio.to_thread(Lease, self.paths.data / "sessions", owners)
            self._links.client_id = self._lease.owner
            self._dispatcher = Dispatcher(
                self._library,
                self._links,
                self._tasks,
                self._follower,
                self._uploads,
                self._documents,
                self._lease.owner,
                lambda: self.settings.get(AHEAD),
            )
            self._commands = Commands(
                self._library,
                self._links,
                self._tasks,
                self._follower,
                self._saver,
                self._documents,
                self._lease.owner,
            )
            self._tasks.start(self._dispatcher.run(), "dispatch")
            self._pods.start(guard=self._guarded)
            if resume:
                await self.adopt()
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Leave the pods and close the library. Jobs go on where they are; the next start finds them. Again is fine."""
        await self._tasks.close()
        await self._pods.close()
        await self._library.close()
        if self._lease is not None:
            await asyncio.to_thread(self._lease.close)

    async def adopt(self) -> tuple[Job, ...]:
        """Take over the unfinished jobs of sessions that are no more, and follow them. Raises StoreError."""
        lease = self._lease
        assert lease is not None, "the session is not started"
        owners = await self._library.call(jobs.owners)
        dead = await asyncio.to_thread(lease.dead, owners)
        await self._library.commit(jobs.adopt, lease.owner, dead)
        mine = await self._library.call(jobs.live, lease.owner)
        for job in mine:
            await self._ready().resume(job)
        self._wake()
        return mine

    @property
    def owner(self) -> str:
        """This session's name in the jobs it looks after."""
        assert self._lease is not None, "the session is not started"
        return self._lease.owner

    # --- Pods -------------------------------------------------------------------------------------------------------

    async def connect(self, pod: PodTarget | str) -> PodState:
        """Connect in the background, beside the others, and make it the current pod. Its status follows on `changes`.

        A text is the id or name of a profile, or an address; UsageError if it is neither.
        """
        return await self._pods.connect(pod)

    async def disconnect(self, pod_id: str) -> None:
        """Leave a pod; its jobs stay in the queue. Unknown ids are fine."""
        await self._pods.disconnect(pod_id)

    def select(self, pod_id: str) -> None:
        """Make a connected pod the current one. UsageError if it is not connected."""
        self._pods.select(pod_id)

    def pods(self) -> tuple[PodState, ...]:
        """The connected ones, as they are now."""
        return self._pods.states()

    @property
    def current_pod(self) -> PodState | None:
        return self._pods.current_state

    @property
    def catalog(self) -> "Catalog | None":
        """The current pod's list of nodes and models; None until it is known."""
        link = self._pods.current
        return None if link is None else link.catalog

    def wake(self) -> None:
        """The computer slept, or its network is another: every pod and tunnel is tried at once.

        The session notices that by itself within seconds; who knows it earlier may say so.
        """
        self._pods.wake()

    def active(self) -> None:
        """The user did something: rented pods are not idle. Cheap."""
        self._pods.activity.mark()

    async def trust(self, pod_id: str, key: "HostKey") -> None:
        """Pin the SSH host key that the user has compared, and try again. Raises ProfileError, StoreError."""
        await self._pods.trust(pod_id, key)

    async def free(self, pod_id: str) -> None:
        """Have the pod unload its models and free its memory, as soon as its queue comes to it. Raises PodError."""
        await self._pods.link(pod_id).pod.free()

    async def refresh_stats(self, pod_id: str) -> "SystemStats":
        """Devices, VRAM, RAM and versions as they are now; told on `changes`. Raises PodError."""
        return await self._links.refresh_stats(self._pods.link(pod_id))

    async def log_tail(self, pod_id: str, lines: int = 200) -> str:
        """The last lines of the pod's own log; empty where it shows none. Raises PodError."""
        return await log_tail(self._pods.link(pod_id).pod, lines)

    async def templates_index(self) -> list[Any]:
        """The current pod's official templates, as its index has them; at once where they are known. PodError."""
        return await self._pods.link().templates()

    async def template(self, name: str) -> bytes:
        """A file of them: `<name>.json`, `<name>-1.webp`. Raises PodError."""
        return await self._pods.link().template(name)

    async def wait_catalog(self, seconds: float, *, fresh: bool = False) -> None:
        """Until the current pod is online and its catalog known (`fresh`: as it is now, not as of last time).

        Raises PodError: what the first failed attempt met, or that it took too long.
        """
        await wait_for_catalog(self._pods.link(), self.changes, seconds, fresh=fresh)

    # --- Workflows --------------------------------------------------------------------------------------------------

    async def workflows(self) -> tuple[WorkflowEntry, ...]:
        """The bundled ones, and those that the connected pods keep."""
        return await self._shelves.entries(self.catalog)

    async def open_workflow(self, source: WorkflowEntry | Path | bytes, *, name: str = "") -> OpenWorkflow:
        """Read a workflow, or a file that carries one, and make its form for the current pod.

        `name`: of bytes. Raises GraphError for what is no workflow, PodError if it has to come from a pod.
        """
        return await self._shelves.open(source, name, self.catalog)

    async def reopen(self, workflow: OpenWorkflow) -> OpenWorkflow:
        """The same workflow against the current pod's catalog as it is now."""
        return await self._shelves.reopen(workflow, self.catalog)

    async def needs_of(self, entry: WorkflowEntry) -> "Needs | None":
        """What the current pod lacks to run it; None while no catalog is known, and of what cannot be read.

        Remembered until the catalog changes. Raises PodError if the workflow has to come from a pod.
        """
        return await self._shelves.needs_of(entry, self.catalog)

    # --- Jobs -------------------------------------------------------------------------------------------------------

    async def enqueue(
        self,
        workflow: OpenWorkflow,
        values: Mapping[str, Any],
        *,
        count: int = 1,
        seed_policy: "SeedPolicy | None" = None,
        folder: Path | None = None,
        target: str | None = None,
    ) -> tuple[Job, ...]:
        """Queue `count` jobs for the current pod. They are on disk when this returns; sending is up to the queue.

        `values`: field id → value; fields left out keep the workflow's. A pathlib.Path is a file of this computer
        and will be uploaded; a text never is. `seed_policy` (default fixed) says how seeds differ, see batch.spread.
        `target`: another pod's id, or records.ANY. `folder`: where results go instead of the pod's own folder, or the
        library's. Raises GraphError, MediaError, StoreError, and UsageError if no pod is connected.
        """
        link = self._pods.link()
        self.active()
        home = link if target is None else self._links.get(target)
        if folder is None and home is not None:
            folder = home.output_folder
        new = await self._ready().enqueue(
            workflow, values, link, count=count, seed_policy=seed_policy, folder=folder, target=target
        )
        self._wake()
        return new

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
        """Ask the pod once more for a job in state UNKNOWN. Returns the job as it stands then."""
        return await self._ready().look_again(job_id)

    async def remove(self, job_id: str) -> None:
        """Take an ended job out of the list; its results stay, and what they were made from."""
        await self._library.commit(jobs.remove, [job_id])

    async def jobs(self, limit: int = 200, offset: int = 0, *, after: str | None = None) -> tuple[Job, ...]:
        """What is to come in the queue's order, then what ended, the latest first.

        `after`: the last job of the page before; quick however far down, and right while rows come and go.
        """
        return await self._library.read(jobs.recent, limit, offset, after=after)

    async def jobs_by_id(self, ids: Iterable[str]) -> tuple[Job, ...]:
        return await self._library.read(jobs.many, tuple(ids))

    async def wait(self, job_ids: Sequence[str]) -> tuple[Job, ...]:
        """Until each has ended or is blocked (see Job.blocked)."""
        return await wait_for(job_ids, self.changes, self.jobs_by_id)

    def eta(self, job_id: str) -> float | None:
        """Seconds until a job that was sent, or is among the next, has run, those before it on its pod included.

        None: not known (yet).
        """
        followed = self._follower.get(job_id)
        if followed is not None:
            return self._follower.eta(followed)
        waiting = () if self._dispatcher is None else self._dispatcher.waiting
        return self._follower.eta_of_waiting(job_id, waiting)

    def node_title(self, job_id: str, node_id: str) -> str:
        """What a person knows a node of a live job as; empty if it is not known."""
        followed = self._follower.get(job_id)
        return "" if followed is None else title_of(followed.graph, node_id)

    def weights(self, job_id: str) -> tuple[float, ...]:
        """The share of each node of a live job, in the order in which they will about run; empty if not known."""
        followed = self._follower.get(job_id)
        return () if followed is None else shares(followed.graph, followed.weights)

    # --- Library ----------------------------------------------------------------------------------------------------

    async def outputs(
        self, limit: int = 200, offset: int = 0, search: str = "", *, after: int | None = None
    ) -> tuple[Output, ...]:
        """The newest first; `search`: words that all occur in the prompt, the workflow's name or the path.

        `after`: the last output of the page before.
        """
        return await self._library.read(outputs.recent, limit, offset, search, after=after)

    async def outputs_by_id(self, ids: Iterable[int]) -> tuple[Output, ...]:
        return await self._library.read(outputs.many, tuple(ids))

    # --- Inside -----------------------------------------------------------------------------------------------------

    def _on_online(self, link: Link) -> None:
        self._follower.poke(link.target.id)
        self._saver.poke(link.target.id)
        if self._dispatcher is not None:
            self._dispatcher.online()

    def _on_event(self, link: Link, event: Any) -> None:
        self._follower.on_event(link, event)

    def _wake(self) -> None:
        if self._dispatcher is not None:
            self._dispatcher.wake()

    def _output_folder(self) -> Path:
        chosen = self.settings.get(OUTPUT_FOLDER)
        return Path(chosen).expanduser() if chosen else self.paths.outputs

    def _ready(self) -> Commands:
        assert self._commands is not None, "the session is not started"
        return self._commands
