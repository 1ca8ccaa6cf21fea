"""What is sent for a job: its stored graph and workflow with its values put in."""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from comfydesk.session.library import Library
from comfydesk.store import workflows as store
from comfydesk.store.records import Job
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

    async def prepare(self, job: Job, values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any] | None]:
        """The API graph to POST, and the UI document that goes along so that the result opens again.

        Raises StoreError, GraphError.
        """
        graph = apply_values(await self.graph(job.graph_hash), values)
        document = None
        if job.document_hash is not None:
            document = await self._library.call(store.get_document, job.document_hash)
        return graph.to_json(), document

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
