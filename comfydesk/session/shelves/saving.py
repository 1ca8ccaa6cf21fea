"""An open workflow as a file: its document with what stands in the form put where ComfyUI keeps it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from comfydesk.errors import GraphError
from comfydesk.session.jobs.embed import Places
from comfydesk.session.values import OpenWorkflow
from comfydesk.store.records import LocalFile
from comfydesk.workflow.blueprint import is_blueprint
from comfydesk.workflow.catalog import Catalog
from comfydesk.workflow.graph import ApiGraph, UiGraph
from comfydesk.workflow.parse import parse_workflow
from comfydesk.workflow.patch import apply_values


@dataclass(frozen=True, slots=True)
class Filled:
    """What to write, and which fields' values are not in it: files of this computer, and values without a place."""

    document: Mapping[str, Any]
    left: tuple[str, ...] = ()


def document_of(graph: UiGraph | ApiGraph) -> dict[str, Any]:
    """What is written into a file for `graph`."""
    return dict(graph.raw) if isinstance(graph, UiGraph) else dict(graph.to_json())


def is_still(data: bytes, document: Mapping[str, Any]) -> bool:
    """Whether a file holds the workflow `document`, however it is spaced and wrapped.

    Of a blueprint, which is opened with more around it, what is inside counts.
    """
    try:
        graph = parse_workflow(data)
    except GraphError:
        return False
    if isinstance(graph, UiGraph) and is_blueprint(graph):
        return graph.raw.get("definitions") == document.get("definitions")
    return document_of(graph) == document


def fill_in(workflow: OpenWorkflow, values: Mapping[str, Any], catalog: Catalog | None) -> Filled:
    """The workflow's document with those `values` (field id → value) that are not its own already.

    CPU work, tens of milliseconds per changed field: call it in a thread.
    """
    form, document = workflow.form, document_of(workflow.graph)
    changed = {id_: value for id_, value in values.items() if id_ in form.by_id and value != form.by_id[id_].default}
    local = {id_ for id_, value in changed.items() if isinstance(value, Path | LocalFile)}
    wanted = form.spread({id_: value for id_, value in changed.items() if id_ not in local})
    if not wanted:
        return Filled(document, tuple(local))
    if isinstance(workflow.graph, ApiGraph):
        return Filled(apply_values(workflow.graph, wanted, catalog).to_json(), tuple(local))
    if catalog is None:
        return Filled(document, tuple(changed))
    places = Places(document)
    filled = places.fill(wanted, catalog)
    lost = set(places.not_in(filled, wanted, catalog)) & changed.keys()
    return Filled(filled, tuple(id_ for id_ in changed if id_ in local | lost))
