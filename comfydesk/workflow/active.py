"""The nodes of a workflow that run, without converting it: bounded even for subgraphs that multiply.

Each definition is looked at once, however many instances it has; a definition that contains itself is an error.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from comfydesk.errors import GraphError
from comfydesk.workflow.graph import INPUT_BOUNDARY, ApiGraph, Graph, Node, UiGraph
from comfydesk.workflow.live import VIRTUAL


@dataclass(frozen=True, slots=True)
class Wire:
    """A linked input."""

    name: str
    type: str
    """"*" where nothing says."""
    dead: bool
    """It comes from a muted node: nothing arrives."""


@dataclass(frozen=True, slots=True)
class ActiveNode:
    type: str
    wires: tuple[Wire, ...]
    outputs: tuple[str, ...]
    """Types, as the file has them; () in API files."""
    literals: Mapping[str, object]
    """Input name → value; of UI files by widget sockets where there are, values in `values` else."""
    values: tuple[object, ...]
    """All values in widget order."""
    title: str
    properties: Mapping[str, object]


def active_nodes(graph: UiGraph | ApiGraph) -> Iterator[ActiveNode]:
    """Every node that runs, once per place in the file. Raises GraphError for a subgraph that contains itself."""
    if isinstance(graph, ApiGraph):
        yield from _api_nodes(graph)
        return
    for canvas, inner_types in _active_canvases(graph):
        origins = {node.id: node for node in canvas.nodes}
        for node in canvas.nodes:
            if node.active and node.type not in graph.subgraphs and node.type not in VIRTUAL:
                yield _ui_node(node, canvas, origins, inner_types)


def count_active(graph: UiGraph | ApiGraph) -> int:
    """How many nodes run when every instance of a subgraph is expanded."""
    if isinstance(graph, ApiGraph):
        return len(graph.nodes)
    counts: dict[str, int] = {}
    for name in _definitions_bottom_up(graph):
        counts[name] = _count(graph.subgraphs[name].graph, graph, counts)
    return _count(graph.root, graph, counts)


def _count(canvas: Graph, graph: UiGraph, counts: Mapping[str, int]) -> int:
    total = 0
    for node in canvas.nodes:
        if node.active and node.type not in VIRTUAL:
            total += counts[node.type] if node.type in graph.subgraphs else 1
    return total


def _definitions_bottom_up(graph: UiGraph) -> list[str]:
    """Definitions with active instances, inner ones first. GraphError when one contains itself."""
    done: dict[str, None] = {}
    open_: set[str] = set()
    stack: list[tuple[str, bool]] = [(name, False) for name in _hosted(graph.root, graph)]
    while stack:
        name, finished = stack.pop()
        if finished:
            open_.discard(name)
            done[name] = None
        elif name in open_:
            what = f"Subgraph {graph.subgraphs[name].name or name!r} contains itself"
            raise GraphError(what, "", "Open the workflow in ComfyUI and remove one of the two")
        elif name not in done:
            open_.add(name)
            stack.append((name, True))
            stack.extend((inner, False) for inner in _hosted(graph.subgraphs[name].graph, graph))
    return list(done)


def _hosted(canvas: Graph, graph: UiGraph) -> list[str]:
    """The definitions that a canvas has active instances of."""
    return list(dict.fromkeys(node.type for node in canvas.nodes if node.active and node.type in graph.subgraphs))


def _active_canvases(graph: UiGraph) -> Iterator[tuple[Graph, Mapping[str, str]]]:
    """The root and each definition in use, with the types of what comes in over its boundary by link id."""
    yield graph.root, {}
    for name in _definitions_bottom_up(graph):
        subgraph = graph.subgraphs[name]
        yield subgraph.graph, {link: slot.type for slot in subgraph.inputs for link in slot.link_ids}


def _ui_node(node: Node, canvas: Graph, origins: Mapping[str, Node], boundary: Mapping[str, str]) -> ActiveNode:
    wires, literals = [], {}
    widgets = 0
    values = node.widgets_values
    listed = values if isinstance(values, list) else []
    for slot in node.inputs:
        if slot.link is not None:
            wires.append(_wire(slot.name, slot.type, slot.link, canvas, origins, boundary))
        if slot.widget is not None:
            if slot.link is None:
                literals[slot.widget] = listed[widgets] if widgets < len(listed) else None
            widgets += 1
    if isinstance(values, Mapping):
        literals, listed = dict(values), list(values.values())
    return ActiveNode(
        node.type,
        tuple(wires),
        tuple(output.type for output in node.outputs),
        literals,
        tuple(listed),
        node.title,
        node.properties,
    )


def _wire(
    name: str, slot_type: str, link_id: str, canvas: Graph, origins: Mapping[str, Node], boundary: Mapping[str, str]
) -> Wire:
    link = canvas.links.get(link_id)
    if link is None:
        return Wire(name, slot_type, dead=True)
    if link.origin == INPUT_BOUNDARY:
        return Wire(name, boundary.get(link_id, "*") if slot_type == "*" else slot_type, dead=False)
    origin = origins.get(link.origin)
    wire_type = slot_type if slot_type != "*" else link.type
    if wire_type == "*" and origin is not None and 0 <= link.origin_slot < len(origin.outputs):
        wire_type = origin.outputs[link.origin_slot].type
    return Wire(name, wire_type, dead=origin is None or origin.mode == 2)


def _api_nodes(graph: ApiGraph) -> Iterator[ActiveNode]:
    for node in graph.nodes.values():
        literals = {name: value for name, value in node.inputs.items() if not isinstance(value, tuple)}
        wires = tuple(Wire(name, "*", dead=link.node not in graph.nodes) for name, link in node.links())
        yield ActiveNode(node.class_type, wires, (), literals, tuple(literals.values()), node.title, {})
