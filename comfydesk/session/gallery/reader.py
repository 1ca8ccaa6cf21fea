"""Reads in the background what new outputs were made with, so that they can be found by it."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from comfydesk.errors import GraphError, KnownError, StoreError
from comfydesk.events import Change, Feed, OutputsChanged
from comfydesk.session.gallery.facts import RULES, Facts, read_facts
from comfydesk.session.library import Library
from comfydesk.session.tasks import Tasks
from comfydesk.store import provenance as store
from comfydesk.store.provenance import Provenance, Reading
from comfydesk.store.records import LocalFile, Output
from comfydesk.store.workflows import get_document
from comfydesk.workflow.catalog import Catalog
from comfydesk.workflow.graph import ApiGraph
from comfydesk.workflow.parse import build_workflow
from comfydesk.workflow.patch import apply_values

AT_ONCE = 50
"""Outputs whose readings are written in one transaction."""
PAUSE = 0.5
"""Seconds between two readings: what a busy queue brings meanwhile is read together."""
KEPT = 32
"""Parsed graphs: a batch has one for all of its outputs."""

CatalogOf = Callable[[str], Catalog | None]
"""The list of nodes of a pod (by id), or the one that comes nearest to it."""


class Graphs:
    """Stored API graphs, parsed; the last ones are kept."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._kept: OrderedDict[str, ApiGraph] = OrderedDict()

    async def get(self, key: str) -> ApiGraph | None:
        """None if the library has lost it, or it is none. Raises StoreError for what the disk does."""
        found = self._kept.get(key)
        if found is None:
            try:
                raw = await self._library.read(get_document, key)
                parsed = await asyncio.to_thread(build_workflow, raw)
            except (GraphError, StoreError):
                return None
            if not isinstance(parsed, ApiGraph):
                return None
            found = self._kept[key] = parsed
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        else:
            self._kept.move_to_end(key)
        return found


class FactsReader:
    """Looks at outputs that nobody has looked at yet, the ones of earlier sessions too."""

    def __init__(
        self, library: Library, graphs: Graphs, tasks: Tasks, changes: Feed[Change], catalog_of: CatalogOf
    ) -> None:
        self._library = library
        self._graphs = graphs
        self._tasks = tasks
        self._catalog_of = catalog_of
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        changes.subscribe(self._on_change)

    def start(self) -> None:
        """The library is open."""
        self._wake.set()
        self._tasks.start(self._run(), "read outputs")

    async def settled(self) -> None:
        """Until all that has been added by now is read."""
        if self._wake.is_set():
            self._idle.clear()
        await self._idle.wait()

    def _on_change(self, change: Change) -> None:
        if isinstance(change, OutputsChanged) and change.added:
            self._idle.clear()
            self._wake.set()

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        last = -PAUSE
        while True:
            if not self._wake.is_set():
                self._idle.set()
            await self._wake.wait()
            await asyncio.sleep(last + PAUSE - loop.time())
            self._wake.clear()
            last = loop.time()
            try:
                await self._read_all()
            except KnownError as error:  # the next output wakes us again
                self._tasks.problems.publish(error)

    async def _read_all(self) -> None:
        while found := await self._library.read(store.unread, RULES, AT_ONCE):
            readings = await self._readings(found)
            await self._library.commit(store.note_readings, readings, RULES)

    async def _readings(self, found: Sequence[Provenance]) -> list[Reading]:
        work = []
        for entry in found:
            assert entry.output.graph_hash is not None
            graph = await self._graphs.get(entry.output.graph_hash)
            work.append((entry, graph, self._catalog_of(entry.output.pod)))
        return await asyncio.to_thread(lambda: [reading(*one) for one in work])


def reading(entry: Provenance, graph: ApiGraph | None, catalog: Catalog | None) -> Reading:
    """What the graph of an output says; nothing where it is lost."""
    facts = Facts() if graph is None else read_facts(filled(graph, entry.values), catalog)
    return Reading(
        entry.output.id,
        facts.prompt,
        facts.negative,
        facts.seed,
        facts.models,
        facts.model,
        facts.sampler,
        facts.scheduler,
        facts.steps,
        facts.cfg,
        seconds_of(entry.output, entry.timings),
    )


def seconds_of(output: Output, timings: Mapping[str, float]) -> float | None:
    """From when the pod began with it to when it was here."""
    started = timings.get("started")
    return None if started is None else max(0.0, output.created - started)


def filled(graph: ApiGraph, values: Mapping[str, Any]) -> ApiGraph:
    """The graph with those of the values in it that have a place there; files by their names."""
    plain = {name: _plain(value) for name, value in values.items()}
    try:
        return apply_values(graph, plain)
    except GraphError:  # a value of an input that only the pod's own nodes bring
        for name, value in plain.items():
            try:
                graph = apply_values(graph, {name: value})
            except GraphError:
                continue
        return graph


def _plain(value: Any) -> Any:
    return value.path.replace("\\", "/").rpartition("/")[2] if isinstance(value, LocalFile) else value
