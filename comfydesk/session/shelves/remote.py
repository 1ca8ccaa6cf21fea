"""What lies on pods, as shelves: saved workflows, official templates, custom nodes' examples, blueprints.

Each is mirrored into the pod's cache folder: it is listed and opened from there, also without the pod.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from comfydesk.errors import PodError
from comfydesk.events import Change, Feed, PodsChanged
from comfydesk.session.pods.links import Link, Links
from comfydesk.session.shelves import templates
from comfydesk.session.shelves.catalogue import Catalogue, Dress
from comfydesk.session.shelves.mirror import Mirror
from comfydesk.session.shelves.templates import TEMPLATES, Template
from comfydesk.session.tasks import Tasks
from comfydesk.session.values import DEMO, WorkflowEntry

if TYPE_CHECKING:
    from comfydesk.client.pod import RemoteWorkflow
    from comfydesk.client.rest import Rest

SAVED, EXAMPLES, BLUEPRINTS = "saved", "examples", "blueprints"
KINDS = (SAVED, TEMPLATES, EXAMPLES, BLUEPRINTS)
INDEX = "shelves/index.json"


def rest_of(link: Link) -> "Rest":
    """The routes of a pod that has a shelf. Raises PodError for one that has none."""
    if link.shelf is None:
        what = f"{link.target.name} keeps no workflows"
        raise PodError(what)
    return cast("Rest", getattr(link.pod, "rest"))  # noqa: B009 - no part of what an executor must be


def stamp_of(file: "RemoteWorkflow") -> str:
    """Another one when the file is another; empty if the pod does not tell."""
    return "" if file.size is None or file.modified is None else f"{file.size}-{file.modified}"


def source_of(kind: str, pod: str) -> str:
    return f"pod:{pod}" if kind == SAVED else kind


class RemoteShelves:
    """Follows the pods as they come and go, and keeps the catalogue's shelves of them up to date."""

    def __init__(self, catalogue: Catalogue, links: Links, tasks: Tasks, changes: Feed[Change]) -> None:
        self._catalogue, self._links, self._tasks = catalogue, links, tasks
        self._known: dict[str, Link] = {}
        self._synced: set[str] = set()
        self._running: set[str] = set()
        self._idle = asyncio.Event()
        self._idle.set()
        self._indexes: dict[str, dict[str, Template]] = {}
        changes.subscribe(self._on_change)

    def mirror(self, link: Link, kind: str) -> Mirror:
        return Mirror(link.cache.folder / "shelves" / kind)

    async def settled(self) -> None:
        """Until every pod that is online has told all of its workflows, or failed to."""
        await asyncio.sleep(0)
        await self._idle.wait()

    def link_of(self, entry: WorkflowEntry) -> Link | None:
        """A pod on which the entry lies."""
        for pod, link in self._known.items():
            if any(entry.id in self._catalogue.shelf(f"{pod}/{kind}") for kind in KINDS):
                return link
        return None

    async def refresh(self, link: Link, kind: str = SAVED) -> None:
        """Look again at one shelf of a pod. Raises PodError, StoreError."""
        sync = {
            SAVED: self._sync_saved,
            TEMPLATES: self._sync_templates,
            EXAMPLES: self._sync_examples,
            BLUEPRINTS: self._sync_blueprints,
        }
        await sync[kind](link)

    # --- Coming and going -------------------------------------------------------------------------------------------

    def _on_change(self, change: Change) -> None:
        if isinstance(change, PodsChanged):
            for pod in change.pods:
                self._follow(pod)

    def _follow(self, pod: str) -> None:
        link, known = self._links.get(pod), self._known.get(pod)
        if link is not known and known is not None:
            del self._known[pod]
            self._synced.discard(pod)
            for kind in KINDS:
                self._catalogue.drop(f"{pod}/{kind}")
        if link is None or link.shelf is None:
            return
        if link is not known:
            self._known[pod] = link
            self._start(self._load, link, "load")
        if not link.online:
            self._synced.discard(pod)
        elif pod not in self._synced:
            self._synced.add(pod)
            self._start(self._sync, link, "sync")

    def _start(self, work: Callable[[Link], Awaitable[None]], link: Link, name: str) -> None:
        key = f"{name} {link.target.id} {id(link)}"
        self._running.add(key)
        self._idle.clear()

        async def run() -> None:
            try:
                with link.asking():
                    await work(link)
            finally:
                self._running.discard(key)
                if not self._running:
                    self._idle.set()

        self._tasks.start(run(), f"{name} workflows of {link.target.name}")

    async def _load(self, link: Link) -> None:
        """What is known from last time."""
        index = await asyncio.to_thread(link.cache.read, INDEX)
        self._use_index(link, index)
        for kind in KINDS:
            if await self.mirror(link, kind).stamps():
                await self._show(link, kind)

    async def _sync(self, link: Link) -> None:
        """One shelf after the other, the user's own first. A pod that is lost meanwhile is asked anew when it is
        back."""
        for kind in KINDS:
            with suppress(PodError):
                await self.refresh(link, kind)

    # --- The shelves ------------------------------------------------------------------------------------------------

    async def _sync_saved(self, link: Link) -> None:
        assert link.shelf is not None
        files = {file.name: stamp_of(file) for file in await link.shelf.workflows()}
        await self._mirror(link, SAVED, files, link.shelf.read_workflow)

    async def _sync_templates(self, link: Link) -> None:
        if link.target.id == DEMO:
            return  # its templates are the bundled workflows
        assert link.shelf is not None
        index = await link.shelf.templates_index()
        await asyncio.to_thread(link.cache.write, INDEX, index)
        found = self._use_index(link, index)
        # The cards are there; the files, hundreds of them, follow in the background.
        self._tasks.start(self._fetch_templates(link, found), f"templates of {link.target.name}")

    async def _fetch_templates(self, link: Link, found: Mapping[str, Template]) -> None:
        assert link.shelf is not None
        files = {template.file: template.stamp for template in found.values()}
        with link.asking(), suppress(PodError):
            await self._mirror(link, TEMPLATES, files, link.shelf.template)

    async def _sync_examples(self, link: Link) -> None:
        rest = rest_of(link)
        listed = await rest.workflow_templates()
        packs = listed.items() if isinstance(listed, dict) else ()
        names = {
            f"{pack}/{name}.json": "known"
            for pack, files in packs
            if isinstance(files, list)
            for name in files
            if isinstance(name, str)
        }

        async def read(name: str) -> bytes:
            pack, _, file = name.partition("/")
            return await rest.example(pack, file)

        await self._mirror(link, EXAMPLES, names, read)

    async def _sync_blueprints(self, link: Link) -> None:
        rest = rest_of(link)
        listed = await rest.blueprints()
        keys = {
            f"{entry['name']}.json": key
            for key, entry in (listed.items() if isinstance(listed, dict) else ())
            if isinstance(entry, dict) and isinstance(entry.get("name"), str) and isinstance(key, str)
        }

        async def read(name: str) -> bytes:
            answer = await rest.blueprint(keys[name])
            text = answer.get("data") if isinstance(answer, dict) else None
            return text.encode("utf-8", "surrogatepass") if isinstance(text, str) else b""

        await self._mirror(link, BLUEPRINTS, keys, read)

    async def _mirror(
        self, link: Link, kind: str, files: Mapping[str, str], read: Callable[[str], Awaitable[bytes]]
    ) -> None:
        mirror = self.mirror(link, kind)
        if files or await mirror.stamps():
            try:
                await mirror.sync(files, read)
            finally:
                await self._show(link, kind)

    async def _show(self, link: Link, kind: str) -> None:
        pod = link.target.id
        if self._known.get(pod) is not link:
            return
        dress: Dress | None = partial(self._dress_template, pod) if kind == TEMPLATES else None
        shelf = f"{pod}/{kind}"
        await self._catalogue.read(shelf, self.mirror(link, kind).folder.resolve(), source_of(kind, pod), dress)
        if self._known.get(pod) is not link:
            self._catalogue.drop(shelf)
        elif kind == TEMPLATES:
            self._show_index(pod)

    # --- Templates --------------------------------------------------------------------------------------------------

    def _use_index(self, link: Link, index: Any) -> dict[str, Template]:
        pod = link.target.id
        found = {template.file: template for template in templates.read_index(index)} if pod != DEMO else {}
        self._indexes[pod] = found
        self._show_index(pod)
        return found

    def _show_index(self, pod: str) -> None:
        """Templates whose files are not here yet stand there with what the index tells."""
        shelf = f"{pod}/{TEMPLATES}"
        there = self._catalogue.shelf(shelf)
        entries: dict[str, WorkflowEntry] = {}
        for file, template in self._indexes.get(pod, {}).items():
            id_ = f"{TEMPLATES}/{file}"
            before = there.get(id_)
            known = before is not None and before.path is not None
            entries[id_] = templates.dressed(before, template) if known and before else templates.entry_of(template)
        if entries or there:
            self._catalogue.put(shelf, entries)

    def _dress_template(self, pod: str, entry: WorkflowEntry) -> WorkflowEntry:
        template = self._indexes.get(pod, {}).get(entry.place)
        return entry if template is None else templates.dressed(entry, template)


async def read_from(link: Link, entry: WorkflowEntry) -> bytes:
    """The file of an entry that is not on this computer yet. Raises PodError."""
    if link.shelf is None:
        what = f"{entry.name} lies on a pod that is not connected"
        raise PodError(what, "", "Connect to it first")
    if entry.source == TEMPLATES:
        return await link.shelf.template(entry.place)
    return await link.shelf.read_workflow(entry.place)
