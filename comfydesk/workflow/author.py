"""What the author of a workflow chose to show: App Mode inputs, promoted subgraph widgets, names, canvas groups.

All of it lives in the UI graph only; here it is brought to the ids of the API graph ("57:27"). Shapes: ComfyUI
frontend 1.49.6 (`extra.linearData.inputs`, `extra.favoritedWidgets`, `properties.proxyWidgets`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from comfydesk.workflow import limits
from comfydesk.workflow.flow import FieldKey
from comfydesk.workflow.graph import INPUT_BOUNDARY, ApiGraph, Graph, Group, Node, Subgraph, UiGraph

WITHIN = " \N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK} "
"""Between the parts of a field's group: canvas group or subgraph, then node."""


@dataclass(frozen=True, slots=True)
class AuthorHints:
    """Everything by API ids. Empty for API files."""

    chosen: tuple[FieldKey, ...] = ()
    """App Mode's inputs, in its order."""
    promoted: tuple[FieldKey, ...] = ()
    """Widgets that stand on instances of subgraphs in the root, in their order."""
    labels: Mapping[FieldKey, str] = field(default_factory=dict)
    """What the author renamed an input to."""
    titles: Mapping[str, str] = field(default_factory=dict)
    """API node id → the title the file gives the node."""
    groups: Mapping[str, str] = field(default_factory=dict)
    """API node id → the canvas group it lies in, or the subgraph it sits in."""
    ties: tuple[tuple[FieldKey, ...], ...] = ()
    """Inputs that one widget feeds: a promoted one with several targets, a PrimitiveNode."""


def author_hints(graph: UiGraph | ApiGraph, api: ApiGraph) -> AuthorHints:
    """The hints of `graph`, as far as they concern nodes of `api`, what it was converted to."""
    if isinstance(graph, ApiGraph):
        return AuthorHints(titles={node_id: node.title for node_id, node in graph.nodes.items() if node.title})
    return _Walk(graph, api).hints()


class _Walk:
    def __init__(self, graph: UiGraph, api: ApiGraph) -> None:
        self._ui = graph
        self._api = api
        self._labels: dict[FieldKey, str] = {}
        self._titles: dict[str, str] = {}
        self._groups: dict[str, str] = {}
        self._promoted: dict[FieldKey, None] = {}
        self._ties: dict[FieldKey, tuple[FieldKey, ...]] = {}

    def hints(self) -> AuthorHints:
        self._visit(self._ui.root, "", "", 0)
        chosen = dict.fromkeys(key for entry in self._app_inputs() for key in self._targets(*entry))
        ties = tuple(dict.fromkeys(self._ties.values()))
        return AuthorHints(tuple(chosen), tuple(self._promoted), self._labels, self._titles, self._groups, ties)

    def _visit(self, graph: Graph, prefix: str, inside: str, depth: int) -> None:
        """Collect from the nodes of one canvas; `prefix` is "57:" inside host 57, `inside` its title."""
        if depth > limits.MAX_NESTING:
            return
        for node in graph.nodes:
            api_id = prefix + node.id
            definition = self._ui.subgraphs.get(node.type)
            group = inside or _group_of(node, graph.groups)
            if definition is not None and node.active:
                self._host(node, definition, api_id, root=not prefix)
                title = node.title or definition.name
                self._visit(definition.graph, f"{api_id}:", f"{inside}{WITHIN}{title}" if inside else title, depth + 1)
            elif node.type == "PrimitiveNode":
                self._primitive(node, graph, prefix)
            elif api_id in self._api.nodes:
                self._groups[api_id] = group
                if node.title:
                    self._titles[api_id] = node.title
                for slot in node.inputs:
                    if slot.label and slot.label != slot.name:
                        self._labels.setdefault((api_id, slot.widget or slot.name), slot.label)

    def _host(self, host: Node, definition: Subgraph, api_id: str, *, root: bool) -> None:
        """Labels and places of the widgets that `host` shows."""
        labels = {slot.name: slot.label for slot in host.inputs if slot.label}
        for entry in definition.inputs:
            label = labels.get(entry.name) or entry.label or entry.name
            targets = tuple(self._boundary_targets(definition, entry.name, api_id, 0))
            self._tie(targets)
            for key in targets:
                if label != key[1]:
                    self._labels.setdefault(key, label)
                if root:
                    self._promoted.setdefault(key)
        for inner, widget in _proxies(host):
            for key in self._targets(inner, widget, scope=api_id):
                if root:
                    self._promoted.setdefault(key)

    def _primitive(self, node: Node, graph: Graph, prefix: str) -> None:
        """A PrimitiveNode's value was written into each widget it is linked to; its title is their label."""
        nodes = {node.id: node for node in graph.nodes}
        targets = []
        for link_id in (link_id for output in node.outputs for link_id in output.links):
            link = graph.links.get(link_id)
            target = nodes.get(link.target) if link else None
            slot = next((slot for slot in target.inputs if slot.link == link_id), None) if target else None
            if target and slot and self._is_literal((prefix + target.id, slot.widget or slot.name)):
                targets.append((prefix + target.id, slot.widget or slot.name))
        self._tie(tuple(targets))
        if node.title and node.title not in ("PrimitiveNode", "Primitive"):
            self._labels.update(dict.fromkeys(targets, node.title))

    def _tie(self, keys: tuple[FieldKey, ...]) -> None:
        """Remember that `keys` share a value, together with what they shared before."""
        values = [self._api.nodes[node_id].inputs[name] for node_id, name in keys]
        if len(keys) < 2 or any(value != values[0] for value in values):
            return
        group = tuple(dict.fromkeys(key for tied in keys for key in (*self._ties.get(tied, ()), tied)))
        self._ties.update(dict.fromkeys(group, group))

    def _boundary_targets(self, definition: Subgraph, name: str, host_id: str, depth: int) -> Iterator[FieldKey]:
        """The literal API inputs that boundary input `name` of a definition ends in, through nested hosts."""
        if depth > limits.MAX_NESTING:
            return
        nodes = {node.id: node for node in definition.graph.nodes}
        entry = next((slot for slot in definition.inputs if slot.name == name), None)
        for link_id in entry.link_ids if entry else ():
            link = definition.graph.links.get(link_id)
            target = nodes.get(link.target) if link and link.origin == INPUT_BOUNDARY else None
            if target is None:
                continue
            slot = next((slot for slot in target.inputs if slot.link == link_id), None)
            if slot is None:
                continue
            inner = self._ui.subgraphs.get(target.type)
            if inner is not None:
                yield from self._boundary_targets(inner, slot.name, f"{host_id}:{target.id}", depth + 1)
            elif self._is_literal((f"{host_id}:{target.id}", slot.widget or slot.name)):
                yield f"{host_id}:{target.id}", slot.widget or slot.name

    def _app_inputs(self) -> Iterator[tuple[str, str]]:
        """Node id and widget name of each App Mode input and each favourite."""
        for entry in _list(_mapping(self._ui.extra.get("linearData")).get("inputs")):
            if isinstance(entry, list) and len(entry) >= 2 and isinstance(entry[1], str):
                yield _node_of_locator(str(entry[0]), entry[1]), entry[1]
        for favourite in _list(_mapping(self._ui.extra.get("favoritedWidgets")).get("favorites")):
            widget = _mapping(favourite).get("widgetName")
            if isinstance(widget, str):
                yield _node_of_locator(str(_mapping(favourite).get("nodeLocatorId")), widget), widget

    def _targets(self, node_id: str, widget: str, scope: str = "") -> Iterator[FieldKey]:
        """Where a node's widget ends: in itself, on a host in what it promotes, else anywhere inside by its bare id."""
        path = f"{scope}:{node_id}" if scope else node_id
        if self._is_literal((path, widget)):
            yield path, widget
            return
        host = self._host_at(path)
        if host is not None:
            yield from self._boundary_targets(host, widget, path, 0)
            return
        inner = f":{node_id}"
        for api_id in self._api.nodes:
            if api_id.endswith(inner) and api_id.startswith(scope) and self._is_literal((api_id, widget)):
                yield api_id, widget
                return

    def _host_at(self, path: str) -> Subgraph | None:
        """The definition of the host at "57:12", None if that is no host."""
        graph, definition = self._ui.root, None
        for part in path.split(":"):
            node = next((node for node in graph.nodes if node.id == part), None)
            definition = self._ui.subgraphs.get(node.type) if node else None
            if definition is None:
                return None
            graph = definition.graph
        return definition

    def _is_literal(self, key: FieldKey) -> bool:
        node = self._api.nodes.get(key[0])
        return node is not None and key[1] in node.inputs and not isinstance(node.inputs[key[1]], tuple)


def _node_of_locator(locator: str, widget: str) -> str:
    """Locators are "12", "57:12", or "<uuid>:12:prompt" with the graph's id in front and the widget behind."""
    locator = locator.removesuffix(f":{widget}")
    first, colon, rest = locator.partition(":")
    return rest if colon and not first.lstrip("-").isdigit() else locator


def _proxies(host: Node) -> Iterator[tuple[str, str]]:
    for entry in _list(host.properties.get("proxyWidgets")):
        if isinstance(entry, list) and len(entry) >= 2 and isinstance(entry[1], str) and not entry[1].startswith("$$"):
            yield str(entry[0]), entry[1]


def _group_of(node: Node, groups: tuple[Group, ...]) -> str:
    """The smallest canvas group that holds the node's top left corner."""
    x, y = node.pos
    best, best_area = "", float("inf")
    for group in groups:
        left, top, width, height = group.bounding
        if left <= x <= left + width and top <= y <= top + height and width * height < best_area:
            best, best_area = group.title, width * height
    return best


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
