"""Group nodes, the predecessor of subgraphs: unpacked into the nodes they stand for.

`extra.groupNodes[name]` holds the inner nodes by index, their links and a few settings; a node of type "workflow>name"
(old files: "workflow/name") is a use of it, whose inputs, outputs and values are those of the inner nodes, strung
together. ComfyUI turns such nodes into subgraphs while loading; the ids here are the ones it would give.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from comfydesk.errors import GraphError
from comfydesk.workflow import limits
from comfydesk.workflow.catalog import Catalog
from comfydesk.workflow.graph import Graph, InputSlot, Link, Node, OutputSlot, UiGraph, id_number
from comfydesk.workflow.live import VIRTUAL
from comfydesk.workflow.parse import parse_node
from comfydesk.workflow.widgets import UNDEFINED, chosen_widgets

_MAX_ROUNDS = 20
"""Group nodes inside group nodes."""


def unpack_groups(workflow: UiGraph, catalog: Catalog) -> UiGraph:
    """`workflow` without group nodes in its root; itself when it has none. Those with unknown classes stay."""
    groups = workflow.extra.get("groupNodes")
    if not isinstance(groups, Mapping):
        return workflow
    root = workflow.root
    for _ in range(_MAX_ROUNDS):
        unpacked = _unpack_once(root, groups, catalog)
        if unpacked is root:
            return replace(workflow, root=root)
        root = unpacked
    raise GraphError("This workflow's group nodes contain each other", "", "Open the workflow in ComfyUI and save it")


def _unpack_once(root: Graph, groups: Mapping[str, Any], catalog: Catalog) -> Graph:
    nodes: list[Node] = []
    links = dict(root.links)
    last = max([root.last_node_id, *(id_number(node.id) for node in root.nodes)])
    found = False
    budget = limits.Budget()
    for node in root.nodes:
        inner = _inner_nodes(node, groups, catalog)
        if inner is None:
            nodes.append(node)
            continue
        found = True
        budget.spend(10 * sum(1 + len(entry.inputs) + len(entry.outputs) for entry in inner))
        unpacking = _Unpacking(node, inner, groups[_name_of(node)], catalog, last)
        last += len(inner) + 1
        nodes.extend(unpacking.run(links))
        if len(nodes) > limits.MAX_NODES or len(links) > limits.MAX_LINKS:
            why = f"Its group nodes hold over {limits.MAX_NODES} nodes or {limits.MAX_LINKS} links"
            raise GraphError("This workflow is too large", why)
    return replace(root, nodes=tuple(nodes), links=links, last_node_id=last) if found else root


def _name_of(node: Node) -> str:
    return node.type[len("workflow>") :] if node.type.startswith(("workflow>", "workflow/")) else ""


def _inner_nodes(node: Node, groups: Mapping[str, Any], catalog: Catalog) -> list[Node] | None:
    """The inner nodes as the file has them, None when `node` is no group node that can be unpacked."""
    data = groups.get(_name_of(node)) if _name_of(node) else None
    raw = data.get("nodes") if isinstance(data, Mapping) else None
    if not isinstance(raw, list):
        return None
    inner = [parse_node({**entry, "id": 0} if isinstance(entry, dict) else entry, i) for i, entry in enumerate(raw)]
    known = all(entry.type in catalog.nodes or entry.type in VIRTUAL or _name_of(entry) in groups for entry in inner)
    return inner if known else None


class _Unpacking:
    """One group node on its way to becoming several."""

    def __init__(self, group: Node, inner: list[Node], data: Mapping[str, Any], catalog: Catalog, last: int) -> None:
        self._group = group
        self._catalog = catalog
        self._config = data.get("config") if isinstance(data.get("config"), Mapping) else {}
        host = last + len(inner) + 1
        self._ids = [f"{host}:{last + 1 + index}" for index in range(len(inner))]
        self._inner = inner
        self._inputs: list[list[InputSlot]] = [list(node.inputs) for node in inner]
        self._outputs: list[list[list[str]]] = [[[] for _ in node.outputs] for node in inner]
        self._linked: set[tuple[int, str]] = set()
        """Inner inputs that inner links feed."""
        self._feeding: set[tuple[int, int]] = set()
        self._internal = [link for link in _lists(data.get("links")) if self._is_internal(link)]
        self._external = {
            (entry[0], entry[1])
            for entry in _lists(data.get("external"))
            if len(entry) > 1 and type(entry[0]) is int and type(entry[1]) is int
        }

    def _is_internal(self, link: list[Any]) -> bool:
        size = len(self._inner)
        numbers = all(isinstance(part, int) and part >= 0 for part in link[:4])
        return len(link) >= 4 and numbers and link[0] < size and link[2] < size

    def run(self, links: dict[str, Link]) -> list[Node]:
        """The inner nodes, and `links` rewired to them."""
        for number, link in enumerate(self._internal):
            self._join(f"{self._group.id} {number}", link, links)
        self._join_inputs(links)
        self._join_outputs(links)
        values = self._values()
        return [
            replace(
                node,
                id=self._ids[index],
                mode=self._group.mode or node.mode,
                inputs=tuple(self._inputs[index]),
                outputs=tuple(
                    OutputSlot(output.name, output.type, tuple(self._outputs[index][slot]))
                    for slot, output in enumerate(node.outputs)
                ),
                widgets_values=values[index],
            )
            for index, node in enumerate(self._inner)
        ]

    # --- Links --------------------------------------------------------------------------------------------------

    def _join(self, link_id: str, link: Sequence[Any], links: dict[str, Link]) -> None:
        origin, origin_slot, target, target_slot = link[:4]
        name = self._input_name(target, target_slot)
        if name is None:
            return
        links[link_id] = Link(link_id, self._ids[origin], origin_slot, self._ids[target], target_slot, "*")
        self._set_link(target, name, link_id)
        self._add_output_link(origin, origin_slot, link_id)
        self._linked.add((target, name))
        self._feeding.add((origin, origin_slot))

    def _input_name(self, index: int, slot: int) -> str | None:
        stored = self._inner[index].inputs
        if slot < len(stored):
            return stored[slot].name
        node = self._inner[index]
        sockets = self._catalog.layout(node.type).sockets if node.type in self._catalog.nodes else ()
        return sockets[slot].name if slot < len(sockets) else None

    def _set_link(self, index: int, name: str, link_id: str) -> None:
        slots = self._inputs[index]
        for position, slot in enumerate(slots):
            if slot.name == name:
                slots[position] = slot._replace(link=link_id)
                return
        slots.append(InputSlot(name, "*", link_id, None, ""))

    def _add_output_link(self, index: int, slot: int, link_id: str) -> None:
        if slot < len(self._outputs[index]):
            self._outputs[index][slot].append(link_id)

    def _join_inputs(self, links: dict[str, Link]) -> None:
        exposed = dict(self._exposed_inputs())
        for slot in self._group.inputs:
            target = exposed.get(slot.name)
            link = links.get(slot.link) if slot.link is not None else None
            if target is None or link is None:
                continue
            index, name = target
            links[link.id] = link._replace(target=self._ids[index])
            self._set_link(index, name, link.id)

    def _join_outputs(self, links: dict[str, Link]) -> None:
        exposed = [
            (index, slot)
            for index, node in enumerate(self._inner)
            for slot in range(len(node.outputs))
            if self._shows_output(index, slot)
        ]
        for output, (index, slot) in zip(self._group.outputs, exposed, strict=False):
            for link_id in output.links:
                link = links.get(link_id)
                if link is not None:
                    links[link_id] = link._replace(origin=self._ids[index], origin_slot=slot)
                    self._add_output_link(index, slot, link_id)

    def _shows_output(self, index: int, slot: int) -> bool:
        visible = self._setting(index, "output", slot).get("visible")
        if isinstance(visible, bool):
            return visible
        return (index, slot) not in self._feeding or (index, slot) in self._external

    def _setting(self, index: int, side: str, key: Any) -> Mapping[str, Any]:
        """What the author set for one inner input or output: a name, or that it is hidden."""
        value: Any = self._config
        for part in (index, side, key):
            value = value.get(str(part), {}) if isinstance(value, Mapping) else {}
        return value if isinstance(value, Mapping) else {}

    def _exposed_inputs(self) -> Iterator[tuple[str, tuple[int, str]]]:
        """Name on the group node → inner input: the pure sockets of all nodes, then widgets that were made inputs."""
        seen: dict[str, int] = {}
        for converted in (False, True):
            for index, node in enumerate(self._inner):
                for slot in self._sockets(index, converted=converted):
                    if (index, slot) in self._linked or self._setting(index, "input", slot).get("visible") is False:
                        continue
                    yield self._exposed_name(index, node, slot, seen), (index, slot)

    def _sockets(self, index: int, *, converted: bool) -> list[str]:
        node = self._inner[index]
        if converted:
            return [slot.name for slot in node.inputs if slot.widget is not None]
        if node.type in self._catalog.nodes:
            sockets = self._catalog.layout(node.type).sockets
            return [socket.name for socket in sockets if socket.widget is None]
        return [slot.name for slot in node.inputs if slot.widget is None]

    def _exposed_name(self, index: int, node: Node, name: str, seen: dict[str, int]) -> str:
        label = next((slot.label for slot in node.inputs if slot.name == name and slot.label), name)
        chosen = self._setting(index, "input", name).get("name")
        key = unique = chosen if isinstance(chosen, str) else label
        if unique in seen:
            prefix = f"{node.title or node.type} "
            key = unique = f"{prefix}{name}"
            if unique in seen:
                unique = f"{prefix}{seen[unique]} {name}"
        seen[key] = seen.get(key, 1) + 1
        return unique

    # --- Values -------------------------------------------------------------------------------------------------

    def _values(self) -> list[Any]:
        """Each inner node's values: the group node's list, dealt out in order."""
        stored = self._group.widgets_values
        pending = iter(stored if isinstance(stored, list) else ())
        return [self._dealt(node, pending) for node in self._inner]

    def _dealt(self, node: Node, pending: Iterator[Any]) -> Any:
        own = list(node.widgets_values) if isinstance(node.widgets_values, list) else []
        if node.type == "PrimitiveNode":
            return [next(pending, value) for value in own[:2]]
        if node.type not in self._catalog.nodes:
            return node.widgets_values
        converted = {slot.name for slot in node.inputs if slot.widget is not None}
        values: list[Any] = []
        widgets = chosen_widgets(self._catalog.layout(node.type).widgets, {})
        inside = False
        for position, widget in enumerate(widget for widget in widgets if widget.stored):
            fallback = own[position] if position < len(own) else widget.default
            # A seed that was made an input takes its control_after_generate along: the group node has neither.
            inside = inside if widget.spec is None else widget.name in converted
            values.append(fallback if inside else next(pending, fallback))
        while values and values[-1] is UNDEFINED:
            values.pop()
        return values


def _lists(value: Any) -> list[list[Any]]:
    return [entry for entry in value if isinstance(entry, list)] if isinstance(value, list) else []
