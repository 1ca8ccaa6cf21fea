"""UI workflow → API graph, as ComfyUI's own frontend makes it.

Two phases, as there: `load` restores the file into nodes made from the catalog; then every active node is written down
with its values and, for each linked input, the node that really feeds it (`resolve`). Behaviour: frontend 1.49.6 on
ComfyUI 0.33.0; where it has bugs the sane thing is done, see docs/conversion.md.
"""

import random
from collections import deque
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from comfydesk.errors import GraphError
from comfydesk.workflow.catalog import Catalog
from comfydesk.workflow.graph import ApiGraph, ApiLink, ApiNode, UiGraph
from comfydesk.workflow.live import Kind, LiveGraph, LiveNode, shorten
from comfydesk.workflow.load import load
from comfydesk.workflow.primitives import apply_primitive
from comfydesk.workflow.resolve import Instance, Value, resolve
from comfydesk.workflow.textvalues import dynamic_prompt, replace_text
from comfydesk.workflow.widgets import UNDEFINED, WidgetSpec


def to_api(
    graph: UiGraph | ApiGraph, catalog: Catalog, *, now: datetime | None = None, rng: random.Random | None = None
) -> ApiGraph:
    """What to send for `graph`; an ApiGraph is returned as it is.

    `now` (local time) fills `%date:…%` in file names, `rng` draws `{a|b}` in prompts. Values are neither checked nor
    rounded. A node of a type that the catalog lacks becomes one without a class, which the pod refuses by name: ask
    `needs` first. GraphError for a graph that cannot be run: broken links, loops, a subgraph inside itself.
    """
    if isinstance(graph, ApiGraph):
        return graph
    root = load(graph, catalog)
    instance = Instance(root)
    nodes = _expanded(instance)
    writer = _Writer(root, now, rng)
    _apply_primitives(instance, writer)
    written = {
        place.prefix + node.id: writer.node(place, node)
        for place, node in nodes
        if node.active and node.kind in (Kind.REAL, Kind.UNKNOWN)
    }
    _check_loops(written)
    return ApiGraph(_javascript_order(written))


# --- Order ------------------------------------------------------------------------------------------------------


def _expanded(root: Instance) -> list[tuple[Instance, LiveNode]]:
    """All nodes of the root and its instances, depth first: the root's in execution order, others' in the file's.

    Of a muted or bypassed instance within a subgraph the frontend writes the inside all the same: orphans, which the
    server runs if one of them saves something, and refuses if it does not know one. Those are left out here.
    """
    nodes: list[tuple[Instance, LiveNode]] = []
    pending = [(root, node) for node in reversed(_execution_order(root.graph))]
    while pending:
        place, node = pending.pop()
        nodes.append((place, node))
        if node.definition is None:
            continue
        if node.active or (place is not root and _harmless(node.definition)):
            inner = place.children[node.id] = Instance(node.definition, node, place)
            pending.extend((inner, child) for child in reversed(node.definition.nodes.values()))
    return nodes


def _harmless(definition: LiveGraph) -> bool:
    """Nothing inside would run by itself or be refused."""
    pending = [definition]
    seen = set()
    while pending:
        graph = pending.pop()
        if graph.id in seen:
            continue
        seen.add(graph.id)
        for node in graph.nodes.values():
            if node.definition is not None:
                pending.append(node.definition)
            elif node.active and (node.kind is Kind.UNKNOWN or (node.spec is not None and node.spec.output_node)):
                return False
    return True


def _execution_order(graph: LiveGraph) -> list[LiveNode]:
    """Sources in file order, then breadth first along the outputs; what is left over hangs on loops."""
    waiting = {node.id: sum(entry.link is not None for entry in node.inputs) for node in graph.nodes.values()}
    ready = deque(node for node in graph.nodes.values() if not waiting[node.id])
    ordered: dict[str, LiveNode] = {}
    seen: set[str] = set()
    while ready:
        node = ready.popleft()
        ordered[node.id] = node
        for output in node.node.outputs:
            for link_id in output.links:
                link = graph.links.get(link_id)
                if link is None or link_id in seen or link.target not in waiting:
                    continue
                seen.add(link_id)
                waiting[link.target] -= 1
                if not waiting[link.target]:
                    ready.append(graph.nodes[link.target])
    for node in graph.nodes.values():
        ordered.setdefault(node.id, node)
    return list(ordered.values())


def _apply_primitives(root: Instance, writer: "_Writer") -> None:
    """Once for each graph that is used, whatever the mode of a primitive or of an instance."""
    seen: set[str] = set()
    pending = [root.graph]
    while pending:
        graph = pending.pop()
        if graph.id in seen:
            continue
        seen.add(graph.id)
        for node in graph.nodes.values():
            if node.kind is Kind.PRIMITIVE:
                apply_primitive(graph, node, writer.replaced_in(graph))
            elif node.definition is not None:
                pending.append(node.definition)


def _javascript_order(nodes: dict[str, ApiNode]) -> dict[str, ApiNode]:
    """Keys as JavaScript orders them: whole numbers first, ascending, then the rest as they came."""
    numbers = sorted((int(key), key) for key in nodes if _is_index(key))
    ordered = {key: nodes[key] for _, key in numbers}
    ordered.update(nodes)
    return ordered


def _is_index(key: str) -> bool:
    return key.isascii() and key.isdigit() and len(key) < 11 and (key[0] != "0" or key == "0") and int(key) < 2**32 - 1


# --- Values -----------------------------------------------------------------------------------------------------


class _Writer:
    """Writes nodes down. Holds what texts need: the time, chance, and the graph to look values up in."""

    def __init__(self, root: LiveGraph, now: datetime | None, rng: random.Random | None) -> None:
        self._root = root
        self._now = now
        self._rng = rng
        self._names: dict[str, dict[str, LiveNode]] = {}
        """Graph id → its nodes by name, once a text asks."""

    def node(self, place: Instance, node: LiveNode) -> ApiNode:
        inputs: dict[str, Any] = {}
        for widget, value in zip(node.widgets, node.values, strict=True):
            if not widget.sent or value is UNDEFINED:
                continue
            if widget.dynamic_prompts or widget.replaces_text:
                inputs[widget.name] = self._text(node, widget, value)
            else:
                inputs[widget.name] = _wrapped(value, widget) if type(value) is list else value
        for entry in node.inputs:
            found = resolve(place, node, entry)
            if isinstance(found, ApiLink):
                inputs[entry.name] = found
            elif found is not None:
                self._write_value(inputs, entry.name, found)
        if node.spec is None:
            return ApiNode("", inputs)
        return ApiNode(node.spec.name, inputs, node.node.title or node.spec.display_name)

    @staticmethod
    def _write_value(inputs: dict[str, Any], name: str, found: Value) -> None:
        """A promoted value goes as it is: no dynamic prompts, no replacements."""
        if found.value is UNDEFINED:
            inputs.pop(name, None)
        else:
            inputs[name] = {"__value__": found.value} if type(found.value) is list else found.value

    def _text(self, node: LiveNode, widget: WidgetSpec, value: Any) -> Any:
        if widget.replaces_text:
            if not isinstance(value, str):
                what = f"The {widget.name} of node {node.named} is no text"
                raise GraphError(what, "", "Enter a file name there")
            return self.replaced_in(self._root)(value)
        if not isinstance(value, str):
            return value
        if self._rng is None:
            self._rng = random.Random()  # noqa: S311 - a draw among prompts, no secret
        return dynamic_prompt(value, self._rng)

    def replaced_in(self, graph: LiveGraph) -> Callable[[str], str]:
        """Fills in `%…%`, looking nodes up in `graph` and the subgraphs inside it."""

        def replaced(text: str) -> str:
            if "%" not in text:
                return text
            # Local time on purpose: it is the user's day that goes into a file name.
            now = self._now or datetime.now().astimezone()
            names = self._names.get(graph.id)
            if names is None:
                names = self._names[graph.id] = _nodes_by_name(graph)
            return replace_text(text, now, lambda name, widget: _widget_value(names.get(name), widget))

        return replaced


def _widget_value(node: LiveNode | None, widget: str) -> tuple[Any] | None:
    return (node.value_of(widget),) if node is not None and node.has_widget(widget) else None


def _wrapped(value: list[Any], widget: WidgetSpec) -> dict[str, Any]:
    """A bare list would be taken for a link."""
    return {"__type__": "CURVE", "__value__": value} if widget.kind == "curve" else {"__value__": value}


def _nodes_by_name(graph: LiveGraph) -> dict[str, LiveNode]:
    """What a text may call the nodes: their "Node name for S&R" first, then their titles; the first of a name wins."""
    by_name: dict[str, LiveNode] = {}
    by_title: dict[str, LiveNode] = {}
    for node in _all_nodes(graph):
        name = node.node.properties.get("Node name for S&R", node.node.type if node.spec else None)
        if isinstance(name, str):
            by_name.setdefault(name, node)
        by_title.setdefault(node.title, node)
    return {**by_title, **by_name}


def _all_nodes(graph: LiveGraph) -> Iterator[LiveNode]:
    """Nodes of a graph and of its definitions, the inside of an instance before it. Each definition once."""
    seen = {graph.id}
    pending: list[tuple[LiveNode, bool]] = [(node, False) for node in reversed(graph.nodes.values())]
    while pending:
        node, done = pending.pop()
        if node.definition is None or done or node.definition.id in seen:
            yield node
            continue
        seen.add(node.definition.id)
        pending.append((node, True))
        pending.extend((child, False) for child in reversed(node.definition.nodes.values()))


# --- Loops ------------------------------------------------------------------------------------------------------


def _check_loops(nodes: dict[str, ApiNode]) -> None:
    """GraphError when nodes feed each other in a circle: the pod could only refuse it.

    Links to nodes that are not sent count for nothing here: `resolve` makes none.
    """
    feeds: dict[str, list[str]] = {}
    waiting: dict[str, int] = {}
    for node_id, node in nodes.items():
        sources = 0
        for _, link in node.links():
            if link.node in nodes:
                feeds.setdefault(link.node, []).append(node_id)
                sources += 1
        waiting[node_id] = sources
    ready = [node_id for node_id, count in waiting.items() if not count]
    for node_id in ready:
        for target in feeds.get(node_id, ()):
            waiting[target] -= 1
            if not waiting[target]:
                ready.append(target)
    if len(ready) < len(nodes):
        stuck = next(node_id for node_id, count in waiting.items() if count)
        title = nodes[stuck].title or nodes[stuck].class_type
        what = f"The links before node {shorten(stuck)} ({shorten(title)}) form a loop"
        raise GraphError(what, "", "Open the workflow in ComfyUI and cut the loop")
