"""Puts batches into the queue: of any size, in flat memory, whole or not at all.

Jobs are built in a worker some hundred at a time and written out of sight; only when the last one is there do they
become the queue's, in one step. Whatever is wrong with any of them (a wildcard that cannot be drawn, a file that is
not there, an input that the workflow does not have) queues none.
"""

import asyncio
import math
import random
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from comfydesk.errors import GraphError, StoreError
from comfydesk.session.jobs.batch import prompt_of, seed_of
from comfydesk.session.jobs.uploads import read_local_file
from comfydesk.session.library import Library
from comfydesk.session.values import OpenWorkflow
from comfydesk.store import staging
from comfydesk.store import workflows as documents
from comfydesk.store.records import ANY, Job, JobState, LocalFile
from comfydesk.store.sheets import WantedSheet
from comfydesk.workflow.batches import Batch, JobSet, for_enqueue
from comfydesk.workflow.catalog import Catalog
from comfydesk.workflow.convert import to_api
from comfydesk.workflow.fields import Role
from comfydesk.workflow.form import sendable
from comfydesk.workflow.graph import ApiGraph, UiGraph
from comfydesk.workflow.patch import apply_values, split_field

Originals = Mapping[str, Mapping[str, str]]
"""Field id → text that was enhanced → what it was before."""
CHUNK = 250
"""Jobs that are built and written at once."""


@dataclass(frozen=True, slots=True)
class Enqueued:
    """A batch that is in the queue, and on disk."""

    batch: str
    jobs: tuple[str, ...]
    """Ids, in their order."""


@dataclass(frozen=True, slots=True)
class Wish:
    """How the jobs of a batch are to be queued."""

    target: str
    """A pod's id, or ANY."""
    owner: str
    folder: Path | None = None
    template: str = ""
    front: bool = False
    held: bool = False
    sheet: bool = False
    originals: Originals = field(default_factory=dict)


async def enqueue(
    library: Library, workflow: OpenWorkflow, batch: Batch, catalog: Catalog | None, wish: Wish
) -> Enqueued:
    """Queue the batch. Raises BatchError, GraphError, MediaError, StoreError: then nothing of it is queued."""
    batch.check()
    maker = await asyncio.to_thread(_Maker, workflow, batch, catalog, wish)
    ids: list[str] = []
    try:
        if isinstance(workflow.graph, UiGraph):
            maker.document_hash = await library.call(documents.put_document, workflow.graph.raw)
        for first in range(0, batch.total, CHUNK):
            jobs, graphs = await asyncio.to_thread(maker.make, first, min(CHUNK, batch.total - first))
            for graph in graphs:
                await library.call(documents.put_document, graph.to_json())
            ids += [job.id for job in jobs]
            await library.call(staging.stage, jobs, first)
        sheets = await asyncio.to_thread(maker.sheets) if wish.sheet else ()
        await library.commit(
            staging.publish, maker.batch_id, wish.owner, batch.total, sheets, front=wish.front, held=wish.held
        )
    except StoreError as error:
        if not await are_queued_after(library, ids, error):
            raise
    except BaseException:
        await asyncio.shield(library.call(staging.discard, maker.batch_id))
        raise
    return Enqueued(maker.batch_id, tuple(ids))


async def are_queued_after(library: Library, ids: Sequence[str], error: StoreError) -> bool:
    """Whether new jobs are in the queue although writing them failed; if they are not, nothing is left of them.

    What the disk would not confirm is in the library all the same, for all to see: it is taken back, so that "failed"
    is true. Only if a pod is being sent some of it already, it is queued. Raises StoreError where neither can be known.
    """
    try:
        await library.commit(staging.withdraw, ids)
        return await library.call(staging.are_queued, ids)
    except StoreError:
        what = "The disk failed while jobs were queued, and it is not certain whether they are"
        raise StoreError(what, str(error), "Look at the queue before you queue them again") from error


@dataclass(slots=True)
class _Maker:
    """Builds the jobs of one batch; for worker threads, one at a time."""

    workflow: OpenWorkflow
    batch: Batch
    catalog: Catalog | None
    wish: Wish
    document_hash: str | None = None
    batch_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    _created: float = field(default_factory=time.time)
    _graph: ApiGraph = field(init=False)
    _folder: str = field(init=False)
    _files: dict[Path, LocalFile] = field(default_factory=dict)
    _graphs: dict[object, str] = field(default_factory=dict)
    """Which fields are set, and the choices that bring inputs → the hash of the graph that fits."""
    _choosing: dict[str, bool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._graph = graph_now(self.workflow, self.catalog)
        self._folder = "" if self.wish.folder is None else str(self.wish.folder.absolute())

    def make(self, first: int, count: int) -> tuple[list[Job], list[ApiGraph]]:
        """Jobs, and the graphs among theirs that are new."""
        rng = random.SystemRandom()
        jobs: list[Job] = []
        graphs: list[ApiGraph] = []
        for number in range(first, first + count):
            one = self.batch.job(number)
            values = {name: self._taken(value) for name, value in for_enqueue(self.workflow.form, one).items()}
            graph_hash = self._graph_for(values, graphs)
            jobs.append(self._job(one, sendable(self.workflow.form, values, rng), graph_hash))
        return jobs, graphs

    def _job(self, one: JobSet, values: dict[str, Any], graph_hash: str) -> Job:
        cell, target = one.cell, self.wish.target
        return Job(
            id=str(uuid.uuid4()),
            state=JobState.QUEUED,
            workflow=self.workflow.name,
            pod="" if target == ANY else target,
            target=target,
            workflow_id=self.workflow.id,
            batch=self.batch_id,
            graph_hash=graph_hash,
            values=values,
            prompt=prompt_of(self.workflow.form, values),
            seed=seed_of(self.workflow.form, values),
            position=0,
            created=self._created,
            document_hash=self.document_hash,
            owner=self.wish.owner,
            folder=self._folder,
            template=self.wish.template,
            drawn=one.drawn,
            originals=self._originals(one),
            cell=None if cell is None else (cell.sheet, cell.page, cell.row, cell.column),
        )

    def _originals(self, one: JobSet) -> dict[str, str]:
        """What texts of the job were before they were enhanced; by what they were when wildcards are drawn in them.

        What was enhanced twice, by itself and with its batch, goes back to its first words.
        """
        known = self.wish.originals
        texts = {name: one.drawn.get(name, one.values.get(name)) for name in known}
        found = {
            name: known[name][text] for name, text in texts.items() if isinstance(text, str) and text in known[name]
        }
        return found | {name: known.get(name, {}).get(text, text) for name, text in one.originals.items()}

    def _taken(self, value: Any) -> Any:
        """A Path as what is uploaded; read once, however many jobs want it. A text is never a file of ours."""
        if not isinstance(value, Path):
            return value
        known = self._files.get(value)
        if known is None:
            known = self._files[value] = read_local_file(value)
        return known

    def _graph_for(self, values: Mapping[str, Any], graphs: list[ApiGraph]) -> str:
        choices = tuple((name, repr(values[name])) for name in sorted(values) if self._brings_inputs(name))
        key = (frozenset(values), choices)
        known = self._graphs.get(key)
        if known is None:
            graph = base_graph(self._graph, values, self.catalog)
            known = self._graphs[key] = documents.document_hash(graph.to_json())
            graphs.append(graph)
        return known

    def _brings_inputs(self, name: str) -> bool:
        """It is the choice of a dynamic combo: each of its choices has other inputs."""
        known = self._choosing.get(name)
        if known is None:
            known = self._choosing[name] = _has_children(name, self._graph, self.catalog)
        return known

    def sheets(self) -> tuple[WantedSheet, ...]:
        """The contact sheets of the batch; none without a grid."""
        batch = self.batch
        if not batch.grid:
            return ()
        cells = math.prod(len(axis.points) for axis in batch.grid)
        return tuple(
            WantedSheet(
                self.batch_id,
                sheet,
                page,
                " \N{MIDDLE DOT} ".join(part for part in (self._sheet_name(sheet * cells), title) if part),
                batch.columns,
                batch.rows,
                self._folder,
            )
            for sheet in range(batch.total // cells)
            for page, title in enumerate(batch.pages)
        )

    def _sheet_name(self, first: int) -> str:
        """What the lists had for this grid, and its seed; `first` is its first job."""
        batch = self.batch
        one = batch.job(first)
        seeds = [one.values[entry.id] for entry in batch.form.with_role(Role.SEED) if entry.id in one.values]
        axes = frozenset[str]().union(*(axis.fields for axis in (*batch.lists, *batch.grid)))
        varied = any(entry.id in axes for entry in batch.form.with_role(Role.SEED))
        words = [*one.labels[: len(batch.lists)], *([] if varied or not seeds else [f"seed {seeds[0]}"])]
        return " \N{MIDDLE DOT} ".join(words)


def base_graph(graph: ApiGraph, values: Mapping[str, Any], catalog: Catalog | None) -> ApiGraph:
    """The graph that jobs' values are put into when they are sent. Raises GraphError for values it cannot take.

    It is the workflow's own, stored once for all of its jobs, unless a choice among the values brings other inputs.
    """
    plain = {name: value for name, value in values.items() if not isinstance(value, LocalFile)}
    patched = apply_values(graph, plain, catalog)
    apply_values(patched, values)  # all of them find their input
    same_inputs = all(patched.nodes[node].inputs.keys() == graph.nodes[node].inputs.keys() for node in graph.nodes)
    return graph if same_inputs else patched


def graph_now(workflow: OpenWorkflow, catalog: Catalog | None) -> ApiGraph:
    """The graph as of this moment: a name such as %date:yyyy-MM-dd% is filled in when a job is queued. GraphError."""
    if workflow.problem is not None:
        raise workflow.problem
    if isinstance(workflow.graph, ApiGraph):
        return workflow.graph
    if catalog is None:
        what = f"{workflow.name} cannot be prepared yet"
        raise GraphError(what, "the pod has not told which nodes it has", "Wait until it is connected")
    return to_api(workflow.graph, catalog, now=datetime.now().astimezone())


def _has_children(name: str, graph: ApiGraph, catalog: Catalog | None) -> bool:
    try:
        node, key = split_field(name, graph)
    except GraphError:
        return True  # brought by a choice, or unknown: looked at each time it is set otherwise
    spec = None if catalog is None else catalog.nodes.get(graph.nodes[node].class_type)
    known = None if spec is None else spec.input(key)
    return known is not None and bool(known.children)
