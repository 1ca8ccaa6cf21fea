"""Jobs that any pod may take: which pods can run them, how long each would take, and why none can."""

import asyncio
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from comfydesk.errors import GraphError
from comfydesk.session.jobs.documents import Documents
from comfydesk.session.jobs.prospects import Prospects
from comfydesk.session.library import Library
from comfydesk.session.pods.links import Link
from comfydesk.store import jobs as store
from comfydesk.store.jobs import Waiting
from comfydesk.store.packing import unpack_values
from comfydesk.store.records import JobError
from comfydesk.workflow.card import MODEL_SUFFIXES
from comfydesk.workflow.catalog import Catalog
from comfydesk.workflow.graph import ApiGraph
from comfydesk.workflow.needs import check
from comfydesk.workflow.patch import apply_values

KEPT = 512
"""Answers that are remembered."""
MAX_NAMED = 3
"""Missing things that are named per pod."""
Choices = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class _Asked:
    """A graph, what a job chooses in it, and the list of nodes that is held against it."""

    graph_hash: str
    choices: Choices
    catalog: int


class Anywhere:
    """Knows of jobs and pods what `choice` has to know."""

    def __init__(self, library: Library, documents: Documents, prospects: Prospects) -> None:
        self._library = library
        self._documents = documents
        self._prospects = prospects
        self._answers: OrderedDict[_Asked, tuple[Catalog, tuple[str, ...]]] = OrderedDict()
        """With the catalog itself: as long as it is held, no other has its id."""
        self._choices: dict[str, Choices] = {}
        """Job → what it chooses."""
        self._told: dict[str, JobError] = {}
        self.unable: set[str] = set()
        """Jobs that none of the pods can run, as they are now: others do not wait behind them."""

    async def seconds(self, waiting: Sequence[Waiting], links: Sequence[Link]) -> dict[str, dict[str, float]]:
        """Job → pod → seconds, of the pods that can run it; jobs that none can are told why. Raises StoreError."""
        self._choices = {job.id: self._choices.get(job.id) or _choices(job.values) for job in waiting}
        found: dict[str, dict[str, float]] = {}
        for job in waiting:
            lacks = {link.target.id: await self.lacks(job, link) for link in links}
            able = [pod for pod, missing in lacks.items() if missing == ()]
            found[job.id] = await self._prospects.seconds(job.graph_hash, able) if able else {}
            why = None if able else _why(links, lacks)
            await self._tell(job.id, why)
            if why is not None:
                self.unable.add(job.id)
        self._told = {job: told for job, told in self._told.items() if job in found or job in self.unable}
        return found

    def pods_changed(self) -> None:
        """What none could run yesterday may go today."""
        self.unable.clear()

    async def lacks(self, job: Waiting, link: Link) -> tuple[str, ...] | None:
        """What the pod lacks to run it, in words; None: not known yet. Raises StoreError."""
        catalog = link.catalog
        if catalog is None:
            return None
        if link.borrowed:  # nobody knows what is there: it will say so itself
            return ()
        asked = _Asked(job.graph_hash, self._choices.get(job.id) or _choices(job.values), id(catalog))
        known = self._answers.get(asked)
        if known is None:
            graph = await self._documents.graph(job.graph_hash)
            known = catalog, await asyncio.to_thread(_lacks, graph, asked.choices, catalog)
            self._answers[asked] = known
            if len(self._answers) > KEPT:
                self._answers.popitem(last=False)
        else:
            self._answers.move_to_end(asked)
        return known[1]

    async def _tell(self, job: str, why: JobError | None) -> None:
        """Show with the job why it waits, and no longer once it does not."""
        if why == self._told.get(job):
            return
        if why is None:
            del self._told[job]
        else:
            self._told[job] = why
        await self._library.commit(store.note, job, why)


def _why(links: Iterable[Link], lacks: Mapping[str, tuple[str, ...] | None]) -> JobError | None:
    """None as long as one of the pods has not told what it has, or there is none."""
    if not lacks or None in lacks.values():
        return None
    reasons = []
    for link in links:
        missing = lacks[link.target.id] or ()
        more = f" and {len(missing) - MAX_NAMED} more" if len(missing) > MAX_NAMED else ""
        reasons.append(f"{link.target.name} lacks {', '.join(missing[:MAX_NAMED])}{more}")
    advice = "Put there what is missing, or connect a pod that has it; the job waits in the queue"
    return JobError("No connected pod can run this job", "; ".join(reasons), advice)


def _choices(values: str) -> Choices:
    """What may name a model among a job's values (JSON): prompts and numbers do not."""
    found = unpack_values(values).items() if values else ()
    return tuple(sorted((name, value) for name, value in found if _may_name_model(value)))


def _may_name_model(value: object) -> bool:
    return isinstance(value, str) and value.lower().endswith(MODEL_SUFFIXES)


def _lacks(graph: ApiGraph, choices: Choices, catalog: Catalog) -> tuple[str, ...]:
    """For a worker thread: it walks the whole graph."""
    try:
        filled = apply_values(graph, dict(choices), catalog)
    except GraphError:
        filled = graph
    needs = check(filled, catalog)
    models = (f"the model {one.directory}/{one.name}".replace(" /", " ") for one in needs.missing_models)
    nodes = (f"the node {name}" for name in needs.missing_nodes)
    return (*nodes, *models) if not needs.ready else ()
