"""The workflows one can choose from: bundled with the program, and kept on the connected pods."""

import asyncio
from pathlib import Path

from comfydesk.errors import PodError
from comfydesk.events import Change, Feed
from comfydesk.paths import resources
from comfydesk.session.pods.links import Link, Links
from comfydesk.session.shelves.reading import BUNDLED, card_of_bytes, needs_of, open_source, prepare, scan_folder
from comfydesk.session.values import OpenWorkflow, WorkflowEntry
from comfydesk.workflow.catalog import Catalog
from comfydesk.workflow.needs import Needs

AT_ONCE = 4
"""Workflow files read from a pod at the same time."""


class Shelves:
    """Lists workflows, and opens them."""

    def __init__(self, changes: Feed[Change], links: Links) -> None:
        self._changes = changes
        self._links = links
        self._needs: dict[str, tuple[Catalog, Needs | None]] = {}

    async def entries(self, catalog: Catalog | None) -> tuple[WorkflowEntry, ...]:
        """All of them, source by source. A pod that cannot be asked now has none."""
        bundled = await asyncio.to_thread(scan_folder, resources() / "workflows", BUNDLED, catalog)
        kept = await asyncio.gather(*(self._kept_on(link) for link in self._links.all() if link.online))
        return (*bundled, *(entry for entries in kept for entry in entries))

    async def open(self, source: WorkflowEntry | Path | bytes, name: str, catalog: Catalog | None) -> OpenWorkflow:
        """See Session.open_workflow."""
        if isinstance(source, WorkflowEntry):
            data = source.path if source.path is not None else await self._read(source)
            return await asyncio.to_thread(open_source, data, _file_name(source), catalog, source.id)
        name = name or (source.name if isinstance(source, Path) else "workflow")
        return await asyncio.to_thread(open_source, source, name, catalog)

    async def reopen(self, workflow: OpenWorkflow, catalog: Catalog | None) -> OpenWorkflow:
        """See Session.reopen."""
        return await asyncio.to_thread(prepare, workflow.graph, workflow.name, workflow.id, catalog)

    async def needs_of(self, entry: WorkflowEntry, catalog: Catalog | None) -> Needs | None:
        """See Session.needs_of."""
        if catalog is None or entry.card.error:
            return None
        known = self._needs.get(entry.id)
        if known is None or known[0] is not catalog:
            data = entry.path if entry.path is not None else await self._read(entry)
            needs = await asyncio.to_thread(needs_of, data, _file_name(entry), catalog)
            known = self._needs[entry.id] = (catalog, needs)
        return known[1]

    async def _kept_on(self, link: Link) -> tuple[WorkflowEntry, ...]:
        places = asyncio.Semaphore(AT_ONCE)

        async def one(name: str) -> WorkflowEntry:
            async with places:
                data = await link.pod.read_workflow(name)
            return await asyncio.to_thread(card_of_bytes, data, name, f"pod:{link.target.id}", link.catalog)

        try:
            return tuple(await asyncio.gather(*(one(file.name) for file in await link.pod.workflows())))
        except PodError:
            return ()

    async def _read(self, entry: WorkflowEntry) -> bytes:
        link = self._links.get(entry.source.removeprefix("pod:"))
        if link is None:
            what = f"{entry.name} lies on a pod that is not connected"
            raise PodError(what, "", "Connect to it first")
        return await link.pod.read_workflow(_file_name(entry))


def _file_name(entry: WorkflowEntry) -> str:
    return entry.path.name if entry.path is not None else entry.id.removeprefix(entry.source + "/")
