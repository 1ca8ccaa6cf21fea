"""The workflow that goes along with a job, with the job's values in it: what a picture opens as is what made it.

A UI document keeps values by position in `widgets_values`, of the node itself, of the subgraph's instance that shows
them, or of a primitive that feeds them. Which place is a field's is not computed here but tried: a place is right if
the document with the new value in it converts to exactly the graph that is sent. A value whose place is not found
stays as it was; nothing else is ever changed.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from comfydesk.errors import GraphError
from comfydesk.workflow.catalog import Catalog
from comfydesk.workflow.convert import to_api
from comfydesk.workflow.graph import ApiGraph
from comfydesk.workflow.parse import build_workflow
from comfydesk.workflow.patch import plain_value, split_field

Path = tuple[str | int, ...]
"""Keys and indices from the document's root."""

MAX_TRIES = 12
"""Conversions per field; its own node's values come first."""
_NOW = datetime(2000, 1, 1, tzinfo=UTC)
"""Any moment, the same for all conversions that are compared."""


class Places:
    """Where the values of one document's fields are. Found places are remembered: a batch asks for the same ones."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        self._found: dict[str, Path | None] = {}
        self._graph: tuple[Catalog, ApiGraph | None] | None = None

    def fill(self, values: Mapping[str, Any], catalog: Catalog) -> Mapping[str, Any]:
        """The document with those values that differ from it. CPU work: tens of milliseconds for a new field."""
        if self._graph is None or self._graph[0] is not catalog:
            self._graph = (catalog, _converted(self._document, catalog))
        graph = self._graph[1]
        if graph is None:
            return self._document
        changed = _changed(graph, values)
        filled = self._document
        for field, value in changed.items():
            if field not in self._found:
                self._found[field] = self._find(field, graph, changed, catalog)
            path = self._found[field]
            if path is not None:
                filled = _with(filled, path, value)
        return filled

    @staticmethod
    def not_in(filled: Mapping[str, Any], values: Mapping[str, Any], catalog: Catalog) -> tuple[str, ...]:
        """Those of `values` that a document does not convert to: no place was found for them."""
        graph = _converted(filled, catalog)
        return tuple(values) if graph is None else tuple(_changed(graph, values))

    def _find(self, field: str, graph: ApiGraph, changed: Mapping[str, Any], catalog: Catalog) -> Path | None:
        node, name = split_field(field, graph)
        current = plain_value(graph.nodes[node].inputs[name])
        candidates = sorted(_leaves(self._document, current), key=lambda leaf: _distance(node, leaf[0]))
        for _, path in candidates[:MAX_TRIES]:
            tried = _converted(_with(self._document, path, changed[field]), catalog)
            if tried is not None and _fits(tried, graph, field, changed):
                return path
        return None


def _converted(document: Mapping[str, Any], catalog: Catalog) -> ApiGraph | None:
    try:
        return to_api(build_workflow(document), catalog, now=_NOW)
    except GraphError:
        return None


def _changed(graph: ApiGraph, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that the graph does not have yet."""
    changed: dict[str, Any] = {}
    for field, value in values.items():
        try:
            node, name = split_field(field, graph)
        except GraphError:
            continue
        if not _same(plain_value(graph.nodes[node].inputs[name]), value):
            changed[field] = value
    return changed


def _fits(tried: ApiGraph, graph: ApiGraph, field: str, changed: Mapping[str, Any]) -> bool:
    """Whether `tried` has the field's value, and differs from `graph` in nothing that is not to be changed."""
    if tried.nodes.keys() != graph.nodes.keys():
        return False
    reached = False
    for node_id, node in tried.nodes.items():
        before = graph.nodes[node_id].inputs
        if node.inputs.keys() != before.keys():
            return False
        for name, value in node.inputs.items():
            key = f"{node_id}.{name}"
            wanted = key in changed and _same(plain_value(value), changed[key])
            if not wanted and not _same(value, before[name]):
                return False
            reached = reached or (wanted and key == field)
    return reached


def _leaves(document: Mapping[str, Any], value: Any) -> Iterator[tuple[str, Path]]:
    """Every stored value equal to `value`: the id of its node, its path."""
    graphs: list[tuple[Path, Any]] = [((), document)]
    definitions = document.get("definitions")
    subgraphs = definitions.get("subgraphs") if isinstance(definitions, Mapping) else None
    for number, subgraph in enumerate(subgraphs if isinstance(subgraphs, list) else ()):
        graphs.append((("definitions", "subgraphs", number), subgraph))
    for path, graph in graphs:
        nodes = graph.get("nodes") if isinstance(graph, Mapping) else None
        for number, node in enumerate(nodes if isinstance(nodes, list) else ()):
            stored = node.get("widgets_values") if isinstance(node, Mapping) else None
            entries = stored.items() if isinstance(stored, Mapping) else enumerate(_list(stored))
            for key, entry in entries:
                if _same(entry, value):
                    yield str(node.get("id")), (*path, "nodes", number, "widgets_values", key)


def _distance(node: str, owner: str) -> int:
    """How far `owner` (an id within its own graph) is from an API node "12:34": itself, its instances, others."""
    parts = node.split(":")
    return len(parts) - parts.index(owner) if owner in parts else len(parts) + 1


def _with(document: Any, path: Sequence[str | int], value: Any) -> Any:
    """A copy of the document with `value` at `path`; what is not on the way is shared."""
    if not path:
        return value
    key, rest = path[0], path[1:]
    if isinstance(document, list):
        changed: Any = list(document)
    else:
        changed = dict(document)
    changed[key] = _with(document[key], rest, value)
    return changed


def _same(one: Any, other: Any) -> bool:
    """Equal as values of widgets: 8 is 8.0, but true is not 1."""
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
