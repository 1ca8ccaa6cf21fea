"""What is sent for a job: its stored graph and workflow with its values put in."""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from comfydesk.session.embed import Places
from comfydesk.session.library import Library
from comfydesk.store import workflows as store
from comfydesk.store.records import Job
from comfydesk.workflow.catalog import Catalog
from comfydesk.workflow.graph import ApiGraph
from comfydesk.workflow.parse import build_workflow
from comfydesk.workflow.patch import apply_values

KEPT = 8
"""Parsed graphs kept in memory: a batch sends the same one again and again."""


class Documents:
    """Reads stored graphs and documents, and patches them."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._graphs: OrderedDict[str, ApiGraph] = OrderedDict()
        self._documents: OrderedDict[str, tuple[dict[str, Any], Places]] = OrderedDict()

    async def prepare(
        self, job: Job, values: Mapping[str, Any], catalog: Catalog | None
    ) -> tuple[dict[str, Any], Mapping[str, Any] | None]:
        """The API graph to POST, and the UI document that goes along so that the result opens as what made it.

        Raises StoreError, GraphError.
        """
        graph = apply_values(await self.graph(job.graph_hash), values)
        return graph.to_json(), await self._document(job.document_hash, values, catalog)

    async def _document(
        self, key: str | None, values: Mapping[str, Any], catalog: Catalog | None
    ) -> Mapping[str, Any] | None:
        if key is None:
            return None
        kept = self._documents.get(key)
        if kept is None:
            document = await self._library.call(store.get_document, key)
            kept = self._documents[key] = (document, Places(document))
            if len(self._documents) > KEPT:
                self._documents.popitem(last=False)
        document, places = kept
        return document if catalog is None else await asyncio.to_thread(places.fill, values, catalog)

    async def sent_graph(self, job: Job) -> dict[str, Any]:
        """The API graph of a job that was sent, but for the names of its uploads. Raises StoreError."""
        return apply_values(await self.graph(job.graph_hash), job.values).to_json()

    async def graph(self, key: str) -> ApiGraph:
        """A stored API graph. Raises StoreError."""
        found = self._graphs.get(key)
        if found is None:
            raw = await self._library.call(store.get_document, key)
            parsed = await asyncio.to_thread(build_workflow, raw)
            assert isinstance(parsed, ApiGraph), "only API graphs are stored as graphs"
            found = self._graphs[key] = parsed
            if len(self._graphs) > KEPT:
                self._graphs.popitem(last=False)
        else:
            self._graphs.move_to_end(key)
        return found
