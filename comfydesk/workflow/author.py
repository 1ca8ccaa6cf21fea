"""What the author of a workflow chose to show: App Mode inputs, promoted subgraph widgets, names, canvas groups.

All of it lives in the UI graph only; here it is brought to the ids of the API graph ("57:27") by way of the loaded
graph, so that renumbered ids and migrated `proxyWidgets` come out as conversion has them. Shapes: ComfyUI frontend
1.49.6 (`extra.linearData.inputs`, `extra.favoritedWidgets`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from comfydesk.workflow import limits
from comfydesk.workflow.catalog import Catalog
from comfydesk.workflow.flow import FieldKey
from comfydesk.workflow.graph import ApiGraph, ApiLink, Group, Node, UiGraph
from comfydesk.workflow.live import Boundary, Kind, LiveGraph, LiveNode
from comfydesk.workflow.load import load
from comfydesk.workflow.loose import as_list, as_mapping
from comfydesk.workflow.promotion import fed_sockets

WITHIN = " \N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK} "
"""Between the parts of a field's group: canvas group or subgraph, then node."""


@dataclass(frozen=True, slots=True)
class AuthorHints:
    """Everything by API ids. Of an API file only the titles are known."""

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
    raw_texts: Mapping[FieldKey, str] = field(default_factory=dict)
    """Texts that conversion draws from, such as "{a|b}", as the author wrote them."""
    ties: tuple[tuple[FieldKey, ...], ...] = ()
    """Inputs that one widget feeds: a promoted one with several targets, a PrimitiveNode."""


def author_hints(graph: UiGraph | ApiGraph, api: ApiGraph, catalog: Catalog) -> AuthorHints:
    """The hints of `graph`, as far as they concern literal inputs of `api`, what it was converted to."""
    if isinstance(graph, ApiGraph):
        return AuthorHints(titles={node_id: node.title for node_id, node in graph.nodes.items() if node.title})
    return _Walk(graph, load(graph, catalog), api).hints()


class _Walk:
    def __init__(self, workflow: UiGraph, root: LiveGraph, api: ApiGraph) -> None:
        self._workflow = workflow
        self._root = root
        self._api = api
        self._labels: dict[FieldKey, str] = {}
        self._titles: dict[str, str] = {}
        self._groups: dict[str, str] = {}
        self._promoted: dict[FieldKey, None] = {}
        self._raw_texts: dict[FieldKey, str] = {}
        self._ties: dict[FieldKey, tuple[FieldKey, ...]] = {}

    def hints(self) -> AuthorHints:
        # Nesting is bounded by load; outer hosts come before what is inside them, so their labels win.
        pending: list[tuple[LiveGraph, str, str]] = [(self._root, "", "")]
        for graph, prefix, inside in pending:
            for node in graph.nodes.values():
                path = prefix + node.id
                if node.definition is not None:
                    if node.active:
                        self._host(node, node.definition, path, root=not prefix)
                        title = node.node.title or node.definition.name
                        pending.append((node.definition, f"{path}:", f"{inside}{WITHIN}{title}" if inside else title))
                elif node.kind is Kind.PRIMITIVE:
                    self._primitive(graph, node, prefix)
                elif path in self._api.nodes:
                    self._node(node, path, inside or _group_of(node.node, self._workflow.root.groups))
        inputs = dict.fromkeys(self._app_inputs())
        bare = self._by_bare_id() if inputs else {}
        chosen = dict.fromkeys(key for entry in inputs for key in self._targets(*entry, bare))
        return AuthorHints(
            chosen=tuple(chosen),
            promoted=tuple(self._promoted),
            labels=self._labels,
            titles=self._titles,
            groups=self._groups,
            raw_texts=self._raw_texts,
            ties=tuple(dict.fromkeys(self._ties.values())),
        )

    def _node(self, node: LiveNode, path: str, group: str) -> None:
        self._groups[path] = group
        if node.node.title:
            self._titles[path] = node.node.title
        for slot in node.node.inputs:
            if slot.label and slot.label != slot.name:
                self._labels.setdefault((path, slot.widget or slot.name), slot.label)
        linked = {entry.widget for entry in node.inputs if entry.link is not None}
        for widget, value in zip(node.widgets, node.values, strict=True):
            if widget.dynamic_prompts and isinstance(value, str) and widget.name not in linked:
                self._raw_texts[path, widget.name] = value

    def _host(self, host: LiveNode, definition: LiveGraph, path: str, *, root: bool) -> None:
        """Labels and targets of the widgets that `host` shows."""
        labels = {slot.name: slot.label for slot in host.node.inputs if slot.label}
        for entry, boundary in zip(host.inputs, definition.inputs, strict=True):
            targets = tuple(self._boundary_targets(definition, boundary, path))
            if entry.link is None:
                self._tie(targets)
            for key in targets:
                label = labels.get(entry.name) or boundary.label or entry.name
                if label.rstrip("0123456789").rstrip("_") not in (key[1], key[1].rstrip("0123456789_")):
                    self._labels.setdefault(key, label)
                if root:
                    self._promoted.setdefault(key)

    def _boundary_targets(self, definition: LiveGraph, boundary: Boundary, path: str) -> Iterator[FieldKey]:
        """The literal API inputs that an input of a definition ends in, through nested instances."""
        pending = [(definition, boundary, path)]
        for outer, slot, outer_path in pending:
            for node, entry in outer.targets(slot):
                inner_path = f"{outer_path}:{node.id}"
                if node.definition is not None:
                    definition.budget.spend(len(node.definition.inputs))
                    inner = next((each for each in node.definition.inputs if each.name == entry.name), None)
                    if inner is not None:
                        pending.append((node.definition, inner, inner_path))
                elif self._is_literal((inner_path, entry.name)):
                    yield inner_path, entry.name

    def _primitive(self, graph: LiveGraph, node: LiveNode, prefix: str) -> None:
        """A PrimitiveNode's value was written into each widget it is wired to; its title is their label."""
        keys = tuple((prefix + target.id, entry.name) for target, entry in fed_sockets(graph, node))
        targets = tuple(key for key in keys if self._is_literal(key))
        self._tie(targets)
        if node.node.title and node.node.title not in ("PrimitiveNode", "Primitive"):
            self._labels.update(dict.fromkeys(targets, node.node.title))

    def _tie(self, keys: tuple[FieldKey, ...]) -> None:
        """Remember that `keys` share a value, together with what they shared before."""
        values = [self._api.nodes[node_id].inputs[name] for node_id, name in keys]
        if len(keys) < 2 or any(value != values[0] for value in values):
            return
        group = tuple(dict.fromkeys(key for tied in keys for key in (*self._ties.get(tied, ()), tied)))
        self._ties.update(dict.fromkeys(group, group))

    def _app_inputs(self) -> Iterator[tuple[str, str]]:
        """Node id and widget name of each App Mode input and each favourite."""
        extra = self._workflow.extra
        for entry in as_list(as_mapping(extra.get("linearData")).get("inputs")):
            if isinstance(entry, list) and len(entry) >= 2 and isinstance(entry[1], str):
                yield _node_of_locator(str(entry[0]), entry[1]), entry[1]
        for favourite in as_list(as_mapping(extra.get("favoritedWidgets")).get("favorites")):
            widget = as_mapping(favourite).get("widgetName")
            if isinstance(widget, str):
                yield _node_of_locator(str(as_mapping(favourite).get("nodeLocatorId")), widget), widget

    def _by_bare_id(self) -> dict[FieldKey, list[str]]:
        """Literal inputs by their nodes' ids inside their subgraphs → the nodes' whole ids."""
        found: dict[FieldKey, list[str]] = {}
        for path, node in self._api.nodes.items():
            _, colon, bare = path.rpartition(":")
            for name in node.inputs if colon else ():
                if self._is_literal((path, name)):
                    found.setdefault((bare, name), []).append(path)
        return found

    def _targets(self, node_id: str, widget: str, bare: Mapping[FieldKey, list[str]]) -> Iterator[FieldKey]:
        """Where a node's widget ends: in itself, on a host in what it promotes, else anywhere inside by its bare id."""
        host = self._host_at(node_id)
        if host is not None:
            host.budget.spend(len(host.inputs))
        boundary = next((each for each in host.inputs if each.name == widget), None) if host else None
        if self._is_literal((node_id, widget)):
            yield node_id, widget
        elif host is not None and boundary is not None:
            yield from self._boundary_targets(host, boundary, node_id)
        else:
            paths = bare.get((node_id.rpartition(":")[2], widget), ())
            self._root.budget.spend(len(paths) if ":" in node_id else 1)
            path = next((path for path in paths if path.endswith(f":{node_id}")), None)
            if path is not None:
                yield path, widget

    def _host_at(self, path: str) -> LiveGraph | None:
        """The definition of the host at "57:12", None if that is no host."""
        graph = self._root
        for part in path.split(":"):
            node = graph.nodes.get(part)
            if node is None or node.definition is None:
                return None
            graph = node.definition
        return graph

    def _is_literal(self, key: FieldKey) -> bool:
        node = self._api.nodes.get(key[0])
        return node is not None and key[1] in node.inputs and not isinstance(node.inputs[key[1]], ApiLink)


def _node_of_locator(locator: str, widget: str) -> str:
    """Locators are "12", "57:12", or "<uuid>:12:prompt" with the graph's id in front and the widget behind."""
    locator = locator.removesuffix(f":{widget}")
    first, colon, rest = locator.partition(":")
    return rest if colon and not first.lstrip("-").isdigit() else locator


def _group_of(node: Node, groups: tuple[Group, ...]) -> str:
    """The smallest canvas group that holds the node's top left corner."""
    x, y = node.pos
    best, best_area = "", float("inf")
    for group in groups[: limits.MAX_GROUPS]:
        left, top, width, height = group.bounding
        if left <= x <= left + width and top <= y <= top + height and width * height < best_area:
            best, best_area = group.title, width * height
    return best
