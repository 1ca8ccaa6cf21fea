"""The pods we are connected to, and what we know of each: its status, its statistics, its list of nodes."""

import asyncio
import contextlib
import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from comfydesk.client.link import LinkState, LinkStatus
from comfydesk.errors import PodError
from comfydesk.events import Change, Feed, PodEvent, PodsChanged, QueueStatus
from comfydesk.session.tasks import Tasks
from comfydesk.session.values import PodState, PodTarget
from comfydesk.workflow.catalog import Catalog

if TYPE_CHECKING:
    from comfydesk.client.pod import Pod
    from comfydesk.client.remote import SystemStats

PodFactory = Callable[[PodTarget, str], "Pod"]
"""Target, client id."""


def open_pod(target: PodTarget, client_id: str) -> "Pod":
    """The real thing. Imported here: it brings httpx and websockets."""
    from comfydesk.client.pod import Pod

    return Pod(target.address, client_id=client_id)


class Link:
    """One pod, from connect to disconnect."""

    def __init__(self, target: PodTarget, pod: "Pod", cache: Path) -> None:
        self.target = target
        self.pod = pod
        self.stats: SystemStats | None = None
        self.queue_remaining: int | None = None
        self.catalog: Catalog | None = None
        self.catalog_known = asyncio.Event()
        self.catalog_fresh = asyncio.Event()
        """It is today's, not the cached one."""
        self.catalog_error: PodError | None = None
        """Why the last attempt to get it failed."""
        self.last_state = LinkState.OFFLINE
        self._cache = cache / (hashlib.sha256(target.id.encode()).hexdigest()[:20] + ".json")

    @property
    def online(self) -> bool:
        """HTTP works: jobs can be sent and asked after, even if the stream of events is down."""
        return self.pod.status.usable

    def state(self) -> PodState:
        return PodState(
            self.target.id,
            self.target.name,
            str(self.target.address),
            self.pod.status,
            self.stats,
            self.queue_remaining,
            self.catalog is not None,
        )

    async def read_cached_catalog(self) -> bool:
        """The list of nodes as of last time: a busy pod takes tens of seconds for it. Returns whether there was one."""
        raw = await asyncio.to_thread(_read_json, self._cache)
        if raw is None or self.catalog is not None:
            return False
        self._use(Catalog.from_object_info(raw))
        return True

    async def refresh(self) -> None:
        """What the pod is and which nodes and models it has now. Raises PodError."""
        self.stats = await self.pod.system_stats()
        raw = await self.pod.object_info()
        self._use(Catalog.from_object_info(raw))
        self.catalog_fresh.set()
        await asyncio.to_thread(_write_json, self._cache, raw)

    def _use(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self.catalog_known.set()


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

    async def add(self, target: PodTarget) -> Link:
        """Connect in the background; a pod of that id with another address is disconnected first."""
        known = self._links.get(target.id)
        if known is not None and known.target == target:
            return known
        if known is not None:
            await self.drop(target.id)
        link = Link(target, self._factory(target, self.client_id), self._cache)
        self._links[target.id] = link
        link.pod.events.subscribe(lambda event: self._event(link, event))
        link.pod.link.subscribe(lambda status: self._status(link, status))
        self._announce(link)
        self._tasks.start(self._open(link), f"open {target.name}")
        return link

    async def drop(self, pod: str) -> None:
        """Disconnect. Unknown ids are fine."""
        link = self._links.pop(pod, None)
        if link is not None:
            await link.pod.close()
            self._announce(link)

    async def close(self) -> None:
        links = self.all()
        self._links.clear()
        await asyncio.gather(*(link.pod.close() for link in links))

    async def _open(self, link: Link) -> None:
        if await link.read_cached_catalog():
            self._announce(link)
        await link.pod.open()

    def _status(self, link: Link, status: LinkStatus) -> None:
        self._announce(link)
        before, link.last_state = link.last_state, status.state
        if status.usable and status.state is not before and self._links.get(link.target.id) is link:
            self._tasks.start(self._refresh(link), f"catalog of {link.target.name}")
            self._on_online(link)

    async def _refresh(self, link: Link) -> None:
        """Until it has worked, or the link is down; each new connection begins anew."""
        for delay in (1, 5, 30, 60):
            try:
                await link.refresh()
            except PodError as error:
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


def _read_json(path: Path) -> dict[str, Any] | None:
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return document if isinstance(document, dict) else None


def _write_json(path: Path, document: Mapping[str, Any]) -> None:
    """It is a cache: if it cannot be written, the next start is slower."""
    part = path.with_suffix(".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(json.dumps(document))
        part.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            part.unlink()
