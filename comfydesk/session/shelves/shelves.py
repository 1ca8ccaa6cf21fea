"""The workflows one can choose from, wherever they lie: listing and opening them, what the user says of them."""

import asyncio
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from comfydesk.errors import KnownError, PodError
from comfydesk.events import Change, Feed
from comfydesk.paths import Paths, resources
from comfydesk.session.library import Library
from comfydesk.session.pods.links import Links
from comfydesk.session.shelves.catalogue import Catalogue
from comfydesk.session.shelves.pictures import Pictures
from comfydesk.session.shelves.reading import BUNDLED, needs_of, open_source, prepare
from comfydesk.session.shelves.remote import RemoteShelves, read_from
from comfydesk.session.tasks import Tasks
from comfydesk.session.values import OpenWorkflow, WorkflowEntry
from comfydesk.settings import WORKFLOW_FOLDERS, Settings
from comfydesk.store import workflow_marks as marks
from comfydesk.store.workflow_marks import Made, Mark
from comfydesk.workflow.add_lora import add_lora
from comfydesk.workflow.catalog import Catalog
from comfydesk.workflow.needs import Needs, Stock

MINE = "mine"
"""Shelf and folder of workflows that the user keeps with the program."""


class Shelves:
    """Lists workflows, and opens them. `start` before anything else; it ends with the session's tasks."""

    def __init__(
        self, paths: Paths, settings: Settings, library: Library, links: Links, tasks: Tasks, changes: Feed[Change]
    ) -> None:
        self._settings, self._library, self._tasks = settings, library, tasks
        self.folder = paths.data / "workflows"
        """Where the user's own workflows are kept when no pod keeps them."""
        self.catalogue = Catalogue(library, changes)
        self.remote = RemoteShelves(self.catalogue, links, tasks, changes)
        self._links = links
        self._pictures = Pictures(paths.cache / "pictures", self.remote)
        self._needs: dict[str, tuple[Catalog, Needs | None]] = {}
        self._stock: tuple[Catalog, Stock] | None = None
        self.marks: dict[str, Mark] = {}
        """What the user says of workflows, by their ids."""
        self._watched: dict[str, asyncio.Task[None] | None] = {}
        self._first_read = asyncio.Event()

    def start(self) -> None:
        """Begin to read what is on this computer."""
        self._tasks.start(self._read_local(), "workflows")

    async def _read_local(self) -> None:
        try:
            self.marks = await self._library.read(marks.marks)
            await self.catalogue.read(BUNDLED, (resources() / "workflows").resolve(), BUNDLED, _with_picture)
        finally:
            self._first_read.set()
        self.watch_folders()

    def watch_folders(self) -> None:
        """Follow the folders that the settings name now."""
        text = self._settings.get(WORKFLOW_FOLDERS)
        folders = {MINE: self.folder}
        for part in text.split(";"):
            if part.strip():
                path = Path(part.strip()).expanduser()
                folders[f"folder:{path}"] = path.absolute()
        for shelf in [shelf for shelf in self._watched if shelf not in folders]:
            task = self._watched.pop(shelf)
            if task is not None:
                task.cancel()
            self.catalogue.drop(shelf)
        for shelf, folder in folders.items():
            if shelf not in self._watched:
                self._watched[shelf] = None
                self._tasks.start(self._watch(shelf, folder), f"workflows in {folder}")

    async def _watch(self, shelf: str, folder: Path) -> None:
        self._watched[shelf] = asyncio.current_task()
        await self.catalogue.watch(shelf, folder, shelf)

    # --- Listing and opening ----------------------------------------------------------------------------------------

    async def entries(self) -> tuple[WorkflowEntry, ...]:
        """All that is known now; more is told by WorkflowsChanged."""
        await self._first_read.wait()
        return self.catalogue.entries()

    async def complete(self) -> tuple[WorkflowEntry, ...]:
        """The same once the pods that are online have told theirs."""
        await self._first_read.wait()
        await self.remote.settled()
        return self.catalogue.entries()

    async def open(self, source: WorkflowEntry | Path | bytes, name: str, catalog: Catalog | None) -> OpenWorkflow:
        """See Session.open_workflow."""
        if isinstance(source, WorkflowEntry):
            data = await self._data(source)
            file_name = source.place.rpartition("/")[2] or source.name
            opened = await asyncio.to_thread(open_source, data, file_name, catalog, source.id)
            return replace(opened, name=source.name)
        name = name or (source.name if isinstance(source, Path) else "workflow")
        return await asyncio.to_thread(open_source, source, name, catalog)

    async def reopen(self, workflow: OpenWorkflow, catalog: Catalog | None) -> OpenWorkflow:
        """See Session.reopen."""
        opened = await asyncio.to_thread(prepare, workflow.graph, workflow.name, workflow.id, catalog)
        return replace(opened, before=workflow.before)

    async def add_lora(self, workflow: OpenWorkflow, name: str, catalog: Catalog) -> OpenWorkflow:
        """See Session.add_lora."""

        def work() -> OpenWorkflow:
            return prepare(add_lora(workflow.graph, name, catalog), workflow.name, workflow.id, catalog)

        return replace(await asyncio.to_thread(work), before=workflow.before or workflow.graph)

    async def needs_of(self, entry: WorkflowEntry, catalog: Catalog | None) -> Needs | None:
        """See Session.needs_of."""
        if catalog is None or entry.card.error:
            return None
        known = self._needs.get(entry.id)
        if known is None or known[0] is not catalog:
            needs = await asyncio.to_thread(needs_of, await self._data(entry), entry.place, catalog)
            known = self._needs[entry.id] = (catalog, needs)
        return known[1]

    async def readiness(self, entries: Iterable[WorkflowEntry], catalog: Catalog | None) -> Mapping[str, Needs]:
        """What the pod of `catalog` lacks, by workflow id: quickly, from the cards alone.

        Cards of which the nodes are not known yet (templates that are still on the pod) are left out.
        """
        if catalog is None:
            return {}
        listed = [entry for entry in entries if entry.card.node_types and not entry.card.error]

        def work() -> dict[str, Needs]:
            if self._stock is None or self._stock[0] is not catalog:
                self._stock = (catalog, Stock(catalog))
            stock = self._stock[1]
            return {entry.id: stock.needs_of(entry.card) for entry in listed}

        return await asyncio.to_thread(work)

    async def picture(self, entry: WorkflowEntry) -> Path | None:
        """A file with the workflow's own picture; None if there is none, or it cannot be had now."""
        return await self._pictures.of(entry)

    # --- What the user says -----------------------------------------------------------------------------------------

    async def mark_opened(self, id_: str) -> None:
        """It is a recent one now. Raises StoreError."""
        await self._mark(id_, replace(self.marks.get(id_, Mark()), opened=time.time()))

    async def set_favourite(self, id_: str, favourite: bool) -> None:
        await self._mark(id_, replace(self.marks.get(id_, Mark()), favourite=favourite))

    async def set_tags(self, id_: str, tags: Iterable[str]) -> None:
        """In place of those it has."""
        kept = tuple(dict.fromkeys(tag.strip() for tag in tags if tag.strip()))
        await self._mark(id_, replace(self.marks.get(id_, Mark()), tags=kept))

    async def rename_marks(self, before: str, after: str) -> None:
        """The workflow has another id now: what was said of it holds for that one."""
        await self._library.call(marks.move_mark, before, after)
        mark = self.marks.get(before)
        if mark is not None:
            self.marks = {**{id_: one for id_, one in self.marks.items() if id_ != before}, after: mark}

    async def _mark(self, id_: str, mark: Mark) -> None:
        await self._library.call(marks.set_mark, id_, mark)
        self.marks = {**self.marks, id_: mark}

    async def last_made(self) -> Mapping[str, Made]:
        """The newest picture or video of each workflow, by its id."""
        return await self._library.read(marks.last_made)

    async def workflows_of(self, jobs: Iterable[str]) -> Mapping[str, str]:
        """Job id → id of the workflow it came from."""
        return await self._library.read(marks.workflows_of, tuple(jobs))

    # --- Inside -----------------------------------------------------------------------------------------------------

    async def data(self, entry: WorkflowEntry) -> bytes:
        """Its file. Raises KnownError."""
        found = await self._data(entry)
        if isinstance(found, bytes):
            return found
        try:
            return await asyncio.to_thread(found.read_bytes)
        except OSError as error:
            what = f"{found.name} cannot be read"
            raise KnownError(what, error.strerror or str(error)) from error

    async def _data(self, entry: WorkflowEntry) -> Path | bytes:
        if entry.path is not None:
            return entry.path
        link = self.remote.link_of(entry)
        if link is None:
            what = f"{entry.name} lies on a pod that is not connected"
            raise PodError(what, "", "Connect to it first")
        return await read_from(link, entry)


def _with_picture(entry: WorkflowEntry) -> WorkflowEntry:
    return replace(entry, picture=f"{Path(entry.place).stem}-1.webp")
