"""What is sent for a job: its workflow as the pod that takes it reads it, with the job's values put in."""

import asyncio
import json
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from comfydesk.errors import GraphError
from comfydesk.session.jobs.embed import Places
from comfydesk.session.library import Library
from comfydesk.store import workflows as store
from comfydesk.store.records import Job
from comfydesk.workflow.catalog import Catalog
from comfydesk.workflow.convert import to_api
from comfydesk.workflow.graph import ApiGraph
from comfydesk.workflow.needs import with_server_spelling
from comfydesk.workflow.parse import build_workflow
from comfydesk.workflow.patch import apply_values

KEPT = 8
"""Parsed graphs kept in memory: a batch sends the same one again and again."""
FEW = 20
"""Nodes that are filled in faster than a thread is told to do it: a quarter of a millisecond."""
_DATE = "%date"
"""What makes a conversion depend on the time."""


@dataclass(slots=True, eq=False)
class Converted:
    """A UI document for one catalog. `lock`: it is made, and its places are found, by one at a time."""

    document: Mapping[str, Any]
    catalog: Catalog
    places: Places
    graph: ApiGraph | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Documents:
    """Reads stored graphs and documents, and patches them."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._graphs: OrderedDict[str, ApiGraph] = OrderedDict()
        self._converted: OrderedDict[tuple[str, int, float], Converted] = OrderedDict()

    async def prepare(
        self, job: Job, values: Mapping[str, Any], catalog: Catalog | None
    ) -> tuple[dict[str, Any], Mapping[str, Any] | None]:
        """The API graph to POST, and the UI document that goes along so that the result opens as what made it.

        A pod's nodes decide what the graph looks like: the document is converted for the pod that takes the job. Raises
        StoreError, GraphError.
        """
        stored = await self.graph(job.graph_hash)
        if job.document_hash is None or catalog is None:
            document = None if job.document_hash is None else await self._read(job.document_hash)
            if len(stored.nodes) <= FEW:
                return _filled(stored, values, catalog), document
            return await asyncio.to_thread(_filled, stored, values, catalog), document
        entry = await self._entry(job, job.document_hash, catalog)
        async with entry.lock:
            return await asyncio.to_thread(_made, entry, stored, values, job.created)

    async def _entry(self, job: Job, key: str, catalog: Catalog) -> Converted:
        document = await self._read(key)
        # Names such as %date:yyyy-MM-dd% are filled in as of when the job was queued.
        moment = job.created if _DATE in json.dumps(document) else 0.0
        entry_key = (key, id(catalog), moment)
        found = self._converted.get(entry_key)
        if found is None:  # it holds its catalog: no other has that id as long as it is kept
            found = self._converted[entry_key] = Converted(document, catalog, Places(document))
            if len(self._converted) > KEPT:
                self._converted.popitem(last=False)
        else:
            self._converted.move_to_end(entry_key)
        return found

    async def _read(self, key: str) -> dict[str, Any]:
        document: dict[str, Any] = await self._library.read(store.get_document, key)
        return document

    async def sent_graph(self, job: Job) -> dict[str, Any]:
        """The API graph of a job that was sent, but for the names of its uploads. Raises StoreError."""
        return apply_values(await self.graph(job.graph_hash), job.values).to_json()

    async def graph(self, key: str) -> ApiGraph:
        """A stored API graph. Raises StoreError."""
        found = self._graphs.get(key)
        if found is None:
            raw = await self._library.read(store.get_document, key)
            parsed = await asyncio.to_thread(build_workflow, raw)
            assert isinstance(parsed, ApiGraph), "only API graphs are stored as graphs"
            found = self._graphs[key] = parsed
            if len(self._graphs) > KEPT:
                self._graphs.popitem(last=False)
        else:
            self._graphs.move_to_end(key)
        return found


def _made(
    entry: Converted, stored: ApiGraph, values: Mapping[str, Any], created: float
) -> tuple[dict[str, Any], Mapping[str, Any]]:
    if entry.graph is None:
        entry.graph = _converted(entry, created) or stored
    try:
        graph = _filled(entry.graph, values, entry.catalog)
    except GraphError:
        graph = _filled(stored, values, entry.catalog)
    return graph, entry.places.fill(values, entry.catalog)


def _converted(entry: Converted, created: float) -> ApiGraph | None:
    """None where the pod's nodes do not suffice: as it was when it was queued, then, and the pod says what it lacks."""
    try:
        graph = to_api(build_workflow(entry.document), entry.catalog, now=datetime.fromtimestamp(created).astimezone())
    except GraphError:
        return None
    return graph if all(node.class_type in entry.catalog.nodes for node in graph.nodes.values()) else None


def _filled(graph: ApiGraph, values: Mapping[str, Any], catalog: Catalog | None) -> dict[str, Any]:
    """The graph with the values in it, in the pod's own spelling where that is known."""
    patched = apply_values(graph, values, catalog)
    return (patched if catalog is None else with_server_spelling(patched, catalog)).to_json()
