"""The pods we are connected to, and what we know of each: its status, its statistics, its list of nodes."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from comfydesk.client.address import Address
from comfydesk.client.link import LinkState, LinkStatus
from comfydesk.errors import PodError
from comfydesk.events import Change, Feed, PodEvent, PodsChanged, QueueStatus
from comfydesk.session.pods.cache import CATALOG, TEMPLATES, PodCache, newest_catalog
from comfydesk.session.pods.executor import Executor, Machine, Shelf
from comfydesk.session.pods.places import PlaceKind
from comfydesk.session.tasks import Tasks
from comfydesk.session.values import PodState, PodTarget
from comfydesk.workflow.catalog import Catalog

if TYPE_CHECKING:
    from comfydesk.client.remote import SystemStats
    from comfydesk.engines.comfy_api import ComfyApi
    from comfydesk.engines.runpod_endpoint import Endpoint

REFRESH_PATIENCE = 20.0
"""Seconds for which a list of nodes that is on its way keeps others from being asked for."""

PodFactory = Callable[[PodTarget, str], Executor]
"""Target, client id."""


def open_pod(target: PodTarget, client_id: str) -> Executor:
    """The real thing. Imported here: it brings httpx, websockets, and engines their own libraries."""
    kind = None if target.profile is None else target.profile.place.kind
    if kind is not None and kind.engine and target.route is not None:
        return open_engine(kind, target.route.address, target.id)
    from comfydesk.client.pod import Pod

    locate = None if target.route is None else target.route.address
    return Pod(target.address, client_id=client_id, locate=locate, identity=target.id)


def open_engine(kind: PlaceKind, locate: Callable[[], Awaitable[Address]], identity: str) -> "ComfyApi | Endpoint":
    """An engine that scales by itself (`kind.engine`). `identity` names it over all addresses."""
    match kind:
        case PlaceKind.COMFY:
            from comfydesk.engines.comfy_api import ComfyApi

            return ComfyApi(locate, identity=identity)
        case PlaceKind.SERVERLESS:
            from comfydesk.engines.runpod_endpoint import Endpoint

            return Endpoint(locate, identity=identity)
    msg = f"{kind} is no engine"
    raise ValueError(msg)


class Link:
    """One pod, from connect to disconnect."""

    def __init__(self, target: PodTarget, pod: Executor, cache: PodCache, borrow: Callable[[], Any]) -> None:
        self.target = target
        self.pod = pod
        self.cache = cache
        self.borrowed = False
        """The list of nodes is another pod's: this one has none to give. Its models are guesses."""
        self._borrow = borrow
        self.stats: SystemStats | None = None
        self.queue_remaining: int | None = None
        self.catalog: Catalog | None = None
        self.catalog_known = asyncio.Event()
        self.catalog_fresh = asyncio.Event()
        """It is today's, not the cached one."""
        self.catalog_error: PodError | None = None
        """Why the last attempt to get it failed."""
        self.last_state = LinkState.OFFLINE
        self._asking: set[asyncio.Task[Any]] = set()
        self._raw: Any = None
        self._version = 0
        self._refreshed_since = -REFRESH_PATIENCE

    @property
    def online(self) -> bool:
        """HTTP works: jobs can be sent and asked after, even if the stream of events is down."""
        return self.pod.status.usable

    @property
    def machine(self) -> Machine | None:
        """What can be asked of the server itself; None: none of our own."""
        return self.pod if isinstance(self.pod, Machine) else None

    @property
    def shelf(self) -> Shelf | None:
        """Where workflows lie; None: there is no such place."""
        return self.pod if isinstance(self.pod, Shelf) else None

    @property
    def output_folder(self) -> Path | None:
        """Where its profile wants its results; None: where all go."""
        profile = self.target.profile
        return Path(profile.output_folder).expanduser() if profile is not None and profile.output_folder else None

    def state(self) -> PodState:
        return PodState(
            self.target.id,
            self.target.name,
            str(self.pod.address or self.target.address or ""),
            self.pod.status,
            self.stats,
            self.queue_remaining,
            self.catalog is not None,
            self._version,
            self.target.profile,
            catalog_borrowed=self.borrowed,
        )

    def wake(self) -> None:
        """Prove or renew the connection, and what carries it, now."""
        if self.target.route is not None:
            self.target.route.wake()
        self.pod.wake()

    async def read_cached_catalog(self) -> bool:
        """The list of nodes as of last time: a busy pod takes tens of seconds for it. Returns whether there was one."""
        raw = await asyncio.to_thread(self.cache.read, CATALOG)
        if not isinstance(raw, dict) or self.catalog is not None:
            return False
        self._use(raw)
        return True

    async def refresh(self) -> None:
        """What the pod is and which nodes and models it has now. Raises PodError."""
        self._refreshed_since = asyncio.get_running_loop().time()
        try:
            if self.machine is not None:
                self.stats = await self.machine.system_stats()
            raw = await self.pod.object_info()
        finally:
            self._refreshed_since = -REFRESH_PATIENCE
        self.borrowed = raw is None
        if raw is None:
            raw = await asyncio.to_thread(self._borrow)
        if not isinstance(raw, dict):
            what = f"{self.target.name} does not list its nodes, and no pod is known whose list could be used"
            raise PodError(what, "Forms are made from such a list", "Connect once to a pod with the same nodes")
        changed = self._use(raw)
        self.catalog_fresh.set()
        if changed and not self.borrowed:
            await asyncio.to_thread(self.cache.write, CATALOG, raw)

    @property
    def is_refreshing(self) -> bool:
        """It asks, and there is hope: what takes longer may hang on a line that is dead by now."""
        return asyncio.get_running_loop().time() - self._refreshed_since < REFRESH_PATIENCE

    def _use(self, raw: dict[str, Any]) -> bool:
        """Returns whether it is another one than before."""
        if raw == self._raw:
            return False
        self._raw, self.catalog = raw, Catalog.from_object_info(raw)
        self._version += 1
        self.catalog_known.set()
        return True

    async def templates(self) -> list[Any]:
        """The official templates' index of this pod: last time's at once, the pod's if there is none. PodError."""
        known = await asyncio.to_thread(self.cache.read, TEMPLATES)
        return known if isinstance(known, list) else await self.refresh_templates()

    async def refresh_templates(self) -> list[Any]:
        """As the pod has it now. Raises PodError."""
        index = await self.shelf.templates_index() if self.shelf is not None else []
        await asyncio.to_thread(self.cache.write, TEMPLATES, index)
        return index

    async def template(self, name: str) -> bytes:
        """A file of the templates. Kept: a template of one name does not change. Raises PodError."""
        known = await asyncio.to_thread(self.cache.read_bytes, name)
        if known is None:
            if self.shelf is None:
                raise PodError("There are no templates on this pod")
            known = await self.shelf.template(name)
            await asyncio.to_thread(self.cache.write_bytes, name, known)
        return known

    @contextmanager
    def asking(self) -> Iterator[None]:
        """For a background task: what it does meanwhile ends before the pod is left."""
        task = asyncio.current_task()
        assert task is not None, "asked outside of a task"
        self._asking.add(task)
        try:
            yield
        finally:
            self._asking.discard(task)

    async def close(self) -> None:
        """Leave the pod, and all that still asks it."""
        asking = self._asking - {asyncio.current_task()}
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)
        await self.pod.close()
        if self.target.route is not None:
            await self.target.route.close()


class Links:
    """All of them. `on_online` is called at every (re)connect, `on_event` with whatever a pod says.

    `client_id` is how pods know us: set before the first is added.
    """

    client_id = ""

    def __init__(
        self,
        tasks: Tasks,
        changes: Feed[Change],
        cache: Path,
        factory: PodFactory,
        on_online: Callable[[Link], None],
        on_event: Callable[[Link, PodEvent], None],
    ) -> None:
        self._tasks = tasks
        self._changes = changes
        self._cache = cache
        self._factory = factory
        self._on_online = on_online
        self._on_event = on_event
        self._links: dict[str, Link] = {}

    def get(self, pod: str) -> Link | None:
        return self._links.get(pod)

    def all(self) -> tuple[Link, ...]:
        """In the order in which they were added."""
        return tuple(self._links.values())

    async def add(self, target: PodTarget, *, anew: bool = False) -> Link:
        """Connect in the background; a pod of that id with another address or profile is disconnected first.

        `anew`: in any case.
        """
        # Again after each wait: somebody else may have connected it meanwhile.
        while (known := self._links.get(target.id)) is not None:
            if known.target == target and not anew:
                if target.route is not None and target.route is not known.target.route:
                    await target.route.close()
                return known
            await self.drop(target.id)
            anew = False
        executor = self._factory(target, self.client_id)
        link = Link(target, executor, self.cache_of(target.id), partial(self._lend, target))
        self._links[target.id] = link
        link.pod.events.subscribe(lambda event: self._event(link, event))
        link.pod.link.subscribe(lambda status: self._status(link, status))
        self._announce(link)
        self._tasks.start(self._open(link), f"open {target.name}")
        return link

    async def refresh_stats(self, link: Link) -> "SystemStats":
        """Ask the pod what it is and has, now. Raises PodError, also where there is no machine to ask."""
        if link.machine is None:
            what = f"{link.target.name} has no machine of its own to ask"
            raise PodError(what, "It runs jobs on whatever is free")
        link.stats = await link.machine.system_stats()
        self._announce(link)
        return link.stats

    def describe(self, target: PodTarget) -> None:
        """Its profile or name is another, the way to it is not. Unknown ids are fine."""
        link = self._links.get(target.id)
        if link is not None:
            link.target = replace(target, route=link.target.route, address=link.target.address)
            self._announce(link)

    def cache_of(self, pod: str) -> PodCache:
        return PodCache(self._cache, pod)

    def _lend(self, target: PodTarget) -> Any:
        """A list of nodes for one that has none: of the pod that its profile names, else the newest known."""
        named = target.profile.place.nodes_of if target.profile is not None else ""
        return self.cache_of(named).read(CATALOG) if named else newest_catalog(self._cache)

    async def drop(self, pod: str) -> None:
        """Disconnect. Unknown ids are fine."""
        link = self._links.pop(pod, None)
        if link is not None:
            await link.close()
            self._announce(link)

    async def close(self) -> None:
        links = self.all()
        self._links.clear()
        await asyncio.gather(*(link.close() for link in links))

    async def _open(self, link: Link) -> None:
        if await link.read_cached_catalog():
            self._announce(link)
        if self._links.get(link.target.id) is link:  # not disconnected while the cache was read
            await link.pod.open()

    def _status(self, link: Link, status: LinkStatus) -> None:
        self._announce(link)
        before, link.last_state = link.last_state, status.state
        if status.usable and status.state is not before and self._links.get(link.target.id) is link:
            self._tasks.start(self._refresh(link), f"catalog of {link.target.name}")
            self._on_online(link)

    async def _refresh(self, link: Link) -> None:
        """Until it has worked, or the link is down; each new connection begins anew."""
        if link.is_refreshing:  # the pod is slow: one such answer at a time is enough
            return
        for delay in (1, 5, 30, 60):
            try:
                with link.asking():
                    await link.refresh()
            except PodError as error:
                if self._links.get(link.target.id) is not link:
                    return
                link.catalog_error = error
                self._announce(link)
                await asyncio.sleep(delay)
                if not link.online or self._links.get(link.target.id) is not link:
                    return
            else:
                link.catalog_error = None
                self._announce(link)
                return

    def _event(self, link: Link, event: PodEvent) -> None:
        if isinstance(event, QueueStatus) and event.remaining != link.queue_remaining:
            link.queue_remaining = event.remaining
            self._announce(link)
        self._on_event(link, event)

    def _announce(self, link: Link) -> None:
        self._changes.publish(PodsChanged((link.target.id,)))
