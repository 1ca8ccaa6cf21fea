"""From a parsed workflow to its loaded graphs: the first phase of conversion, in the frontend's order.

Definitions first, innermost first, each with the migration of the instances inside it; then the root; then primitives,
which need all widgets; then what the frontend mends at the end.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from comfydesk.errors import GraphError
from comfydesk.workflow import limits
from comfydesk.workflow.catalog import Catalog
from comfydesk.workflow.graph import Graph, Link, Node, Subgraph, UiGraph, id_number
from comfydesk.workflow.groups import unpack_groups
from comfydesk.workflow.live import VIRTUAL, Kind, LiveGraph, LiveInput, LiveNode, shorten
from comfydesk.workflow.primitives import load_primitive
from comfydesk.workflow.promotion import mend_host, migrate_proxies, restore_host
from comfydesk.workflow.restore import restore_inputs, restore_unknown, restore_values


@dataclass(frozen=True, slots=True)
class Renumbered:
    """New ids of some nodes of one definition."""

    by_position: Mapping[int, str] = field(default_factory=dict)
    by_id: Mapping[str, str] = field(default_factory=dict)
    """For what names a node. Of several with one id the last is meant, as in the frontend."""


_NONE = Renumbered()


def load(workflow: UiGraph, catalog: Catalog) -> LiveGraph:
    """The root, with all definitions that it uses behind its instances. GraphError: impossible nesting."""
    workflow = unpack_groups(workflow, catalog)
    order = definitions_in_use(workflow)
    renumbered = unique_ids(workflow)
    definitions: dict[str, LiveGraph] = {}
    budget = limits.Budget()
    for subgraph in order:
        graph = _load_graph(subgraph.graph, subgraph, catalog, definitions, renumbered, budget)
        definitions[subgraph.id] = graph
    root = _load_graph(workflow.root, None, catalog, definitions, renumbered, budget)
    graphs = (*definitions.values(), root)
    for graph in graphs:
        for node in graph.nodes.values():
            if node.kind is Kind.PRIMITIVE:
                load_primitive(graph, node)
            elif node.kind is Kind.HOST:
                mend_host(node)
    return root


def _load_graph(
    source: Graph,
    subgraph: Subgraph | None,
    catalog: Catalog,
    definitions: Mapping[str, LiveGraph],
    renumbered: Mapping[str, Renumbered],
    budget: limits.Budget,
) -> LiveGraph:
    ids = renumbered.get(subgraph.id, _NONE) if subgraph else _NONE
    links = {key: _moved(link, ids.by_id) for key, link in source.links.items()} if ids.by_id else source.links
    graph = LiveGraph(source, links, subgraph, budget)
    hosts = []
    for position, node in enumerate(source.nodes):
        live = _load_node(node, ids.by_position.get(position, node.id), graph, catalog, definitions)
        graph.nodes[live.id] = live
        if live.kind is Kind.HOST:
            hosts.append(live)
    for host in hosts:
        if "proxyWidgets" in host.node.properties and host.definition is not None:
            migrate_proxies(host, renumbered.get(host.definition.id, _NONE).by_id)
    return graph


def _moved(link: Link, ids: Mapping[str, str]) -> Link:
    return link._replace(origin=ids.get(link.origin, link.origin), target=ids.get(link.target, link.target))


def _load_node(
    node: Node, node_id: str, graph: LiveGraph, catalog: Catalog, definitions: Mapping[str, LiveGraph]
) -> LiveNode:
    definition = definitions.get(node.type)
    if definition is not None:
        live = LiveNode(node, node_id, Kind.HOST, graph)
        restore_host(live, definition)
        return live
    virtual = VIRTUAL.get(node.type)
    if virtual is not None:
        live = LiveNode(node, node_id, virtual, graph)
        live.inputs = [LiveInput(slot.name, slot.type, slot.link, None) for slot in node.inputs]
        return live
    if node.type not in catalog.nodes:
        live = LiveNode(node, node_id, Kind.UNKNOWN, graph)
        restore_unknown(live)
        return live
    live = LiveNode(node, node_id, Kind.REAL, graph)
    live.spec = catalog.nodes[node.type]
    live.layout = layout = catalog.layout(node.type)
    restore_values(live, layout)
    if node.inputs:
        restore_inputs(live, layout)
    return live


# --- Definitions ------------------------------------------------------------------------------------------------


def definitions_in_use(workflow: UiGraph) -> list[Subgraph]:
    """The definitions reachable from the root, innermost first.

    GraphError when one contains itself, they nest too deep, or they expand to too many nodes (ten definitions that each
    hold the next one ten times make ten thousand million).
    """
    order: list[Subgraph] = []
    sizes: dict[str, int] = {}
    depths: dict[str, int] = {}
    open_ids: set[str] = set()
    pending: list[tuple[Subgraph | None, bool]] = [(None, False)]
    while pending:
        subgraph, done = pending.pop()
        key = subgraph.id if subgraph else ""
        if done:
            open_ids.discard(key)
            _measure(key, subgraph.graph if subgraph else workflow.root, sizes, depths)
            if subgraph:
                order.append(subgraph)
            continue
        if key in sizes:
            continue
        open_ids.add(key)
        pending.append((subgraph, True))
        for node in (subgraph.graph if subgraph else workflow.root).nodes:
            inner = workflow.subgraphs.get(node.type)
            if inner is None or inner.id in sizes:
                continue
            if inner.id in open_ids:
                what = f"Subgraph {shorten(inner.name or inner.id)!r} contains itself"
                raise GraphError(what, "", "Open the workflow in ComfyUI and remove one of the two")
            pending.append((inner, False))
    return order


def _measure(key: str, graph: Graph, sizes: dict[str, int], depths: dict[str, int]) -> None:
    size, depth = len(graph.nodes), 0
    for node in graph.nodes:
        if node.type in sizes:
            size += sizes[node.type]
            depth = max(depth, depths[node.type])
    sizes[key], depths[key] = size, depth + 1
    if size > limits.MAX_EXPANDED_NODES:
        why = f"With its subgraphs it has {size if size < 10**9 else 'thousands of millions of'} nodes"
        raise GraphError("This workflow is too large", why, f"At most {limits.MAX_EXPANDED_NODES} can be run")
    if depth > limits.MAX_NESTING:
        why = f"Its subgraphs nest {depth} levels deep"
        raise GraphError("This workflow is too large", why, f"At most {limits.MAX_NESTING} can be run")


def unique_ids(workflow: UiGraph) -> dict[str, Renumbered]:
    """Definition id → the inner ids that have to change, so that none occurs twice in the whole file.

    In the order of the definitions in the file; new numbers follow the highest one used so far. Definitions that
    nothing uses take part, as in the frontend: the numbers depend on it.
    """
    if not workflow.subgraphs:
        return {}
    used = {node.id for node in workflow.root.nodes}
    last = workflow.root.last_node_id
    renumbered: dict[str, Renumbered] = {}
    for subgraph in workflow.subgraphs.values():
        places: dict[int, str] = {}
        names: dict[str, str] = {}
        for position, node in enumerate(subgraph.graph.nodes):
            if node.id not in used:
                used.add(node.id)
                last = max(last, id_number(node.id))
                continue
            last += 1
            while str(last) in used:
                last += 1
            places[position] = names[node.id] = str(last)
            used.add(str(last))
        if places:
            renumbered[subgraph.id] = Renumbered(places, names)
    return renumbered
