"""What window and command line share: pods, workflows, the queue, the library.

A Session belongs to one loop. Its methods raise KnownError for the world's faults; what goes wrong in the background is
published on `problems`.
"""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from comfydesk.errors import GraphError, KnownError, StoreError
from comfydesk.events import Change, Feed, JobProgress, PreviewFrame
from comfydesk.paths import Paths
from comfydesk.session.enhancement.enhancer import Enhancer
from comfydesk.session.gallery.from_pod import PodOutputs
from comfydesk.session.gallery.gallery import Gallery
from comfydesk.session.gallery.watching import folders_of
from comfydesk.session.jobs.follow import Pace
from comfydesk.session.jobs.queue import Queue
from comfydesk.session.lease import Lease
from comfydesk.session.library import FILE_NAME, Library
from comfydesk.session.pods.connected import Pods
from comfydesk.session.pods.links import Link, PodFactory, open_pod
from comfydesk.session.pods.panel import log_tail
from comfydesk.session.pods.reach import HostFactory, make_host
from comfydesk.session.pods.vault import Vault
from comfydesk.session.shelves.keeping import Keeper
from comfydesk.session.shelves.models import PodModels
from comfydesk.session.shelves.shelves import Shelves
from comfydesk.session.tasks import Tasks
from comfydesk.session.values import OpenWorkflow, PodState, PodTarget, WorkflowEntry
from comfydesk.session.waiting import wait_for_catalog
from comfydesk.settings import OUTPUT_FOLDER, WATCHED_FOLDERS, Settings
from comfydesk.store import order, outputs
from comfydesk.store.records import Output

if TYPE_CHECKING:
    from comfydesk.client.remote import SystemStats
    from comfydesk.hosts.host_key import HostKey
    from comfydesk.session.enhancement.engines import Engines
    from comfydesk.workflow.catalog import Catalog
    from comfydesk.workflow.needs import Needs


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
        self.queue = Queue(
            self._library,
            self._pods,
            self._tasks,
            self.changes,
            self.progress,
            settings,
            self._output_folder,
            pace or Pace(),
        )
        """What is to be made, what is being made, and what came of it."""
        self.shelves = Shelves(paths, settings, self._library, self._links, self._tasks, self.changes)
        """The workflows one can choose from, and what the user says of them."""
        self.keeper = Keeper(self.shelves, self._links)
        """Saving, renaming and deleting workflows."""
        self.models = PodModels(self._links, paths.cache / "pictures")
        """Model files of pods, and fetching what is missing."""
        self.gallery = Gallery(
            self._library,
            self._tasks,
            self.changes,
            folder=self._output_folder,
            catalog_of=self._catalog_of,
            pod_names=self._pod_names,
            watched=lambda: folders_of(settings.get(WATCHED_FOLDERS)),
        )
        """What was made: found, arranged, exported, and used again."""
        self.enhancer = Enhancer(lambda: self.engines, self._library, settings, paths.data / "styles")
        """Prompts made better by a language model."""
        self._engines: Engines | None = None
        self.pod_outputs = PodOutputs(self._library, self._links, self._tasks, self.changes, self._output_folder)
        """What lies on pods and is not here: listed, looked at, fetched."""
        self._lease: Lease | None = None

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
            owners = await self._library.call(order.owners) if resume else ()
            self._lease = await asyncio.to_thread(Lease, self.paths.data / "sessions", owners)
            self._links.client_id = self._lease.owner
            self.queue.start(self._lease)
            self._pods.start(guard=self._guarded)
            self.shelves.start()
            await self.gallery.start(resume=resume)
            if resume:
                await self.queue.adopt()
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Leave the pods and close the library. Jobs go on where they are; the next start finds them. Again is fine."""
        await self._tasks.close()
        with suppress(StoreError):  # no room to write it: the next start looks the jobs up
            await self.queue.close()
        await self.enhancer.close()
        if self._engines is not None:  # used without enhancing: downloads, a model on a pod
            await self._engines.close()
        await self._pods.close()
        await self._library.close()
        if self._lease is not None:
            await asyncio.to_thread(self._lease.close)

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
        """Have the pod unload its models and free its memory, as soon as its queue comes to it. Raises PodError.

        Nothing happens where there is no machine of our own.
        """
        machine = self._pods.link(pod_id).machine
        if machine is not None:
            await machine.free()

    async def refresh_stats(self, pod_id: str) -> "SystemStats":
        """Devices, VRAM, RAM and versions as they are now; told on `changes`. Raises PodError."""
        return await self._links.refresh_stats(self._pods.link(pod_id))

    async def log_tail(self, pod_id: str, lines: int = 200) -> str:
        """The last lines of the pod's own log; empty where it shows none. Raises PodError."""
        return await log_tail(self._pods.link(pod_id).machine, lines)

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

    @property
    def engines(self) -> "Engines":
        """Language models: of this computer, of pods, of endpoints."""
        if self._engines is None:
            from comfydesk.session.enhancement.engines import Engines

            self._engines = Engines(self.settings, self._pods, self.queue, self.paths)
        return self._engines

    # --- Workflows --------------------------------------------------------------------------------------------------

    async def workflows(self) -> tuple[WorkflowEntry, ...]:
        """All that are known now, wherever they lie; more are told by WorkflowsChanged."""
        return await self.shelves.entries()

    async def open_workflow(self, source: WorkflowEntry | Path | bytes, *, name: str = "") -> OpenWorkflow:
        """Read a workflow, or a file that carries one, and make its form for the current pod.

        `name`: of bytes. Raises GraphError for what is no workflow, PodError if it has to come from a pod.
        """
        return await self.shelves.open(source, name, self.catalog)

    async def reopen(self, workflow: OpenWorkflow) -> OpenWorkflow:
        """The same workflow against the current pod's catalog as it is now."""
        return await self.shelves.reopen(workflow, self.catalog)

    async def add_lora(self, workflow: OpenWorkflow, name: str) -> OpenWorkflow:
        """The same workflow with one more LoRA behind its model: in the document, so that jobs, files and Save have it.

        Raises GraphError where `no_lora` says why not, or no pod's list of nodes is known.
        """
        if self.catalog is None:
            what = "No LoRA can be added"
            raise GraphError(what, "No pod has told yet which nodes it has", "Connect to a pod first")
        return await self.shelves.add_lora(workflow, name, self.catalog)

    async def needs_of(self, entry: WorkflowEntry) -> "Needs | None":
        """What the current pod lacks to run it; None while no catalog is known, and of what cannot be read.

        Remembered until the catalog changes. Raises PodError if the workflow has to come from a pod.
        """
        return await self.shelves.needs_of(entry, self.catalog)

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

    def _output_folder(self) -> Path:
        chosen = self.settings.get(OUTPUT_FOLDER)
        return Path(chosen).expanduser() if chosen else self.paths.outputs

    def _catalog_of(self, pod: str) -> "Catalog | None":
        """A pod's list of nodes, else the current one's: most nodes are the same everywhere."""
        link = self._links.get(pod)
        return self.catalog if link is None or link.catalog is None else link.catalog

    def _pod_names(self) -> dict[str, str]:
        """By id, of profiles and of what is connected."""
        named = {profile.id: profile.name for profile in self.profiles.book.profiles}
        return named | {link.target.id: link.target.name for link in self._links.all()}

    def _on_online(self, link: Link) -> None:
        self.queue.on_online(link)

    def _on_event(self, link: Link, event: Any) -> None:
        self.queue.on_event(link, event)
