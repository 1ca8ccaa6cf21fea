"""The first phase of conversion: the graph as the frontend has it in memory after loading a file.

The frontend makes every node anew from its class and then restores what the file says. So what a file means depends on
the catalog, and definitions are loaded once and shared by all instances. The objects here are private to one
conversion, and mutable: later steps promote widgets, rewire links and apply primitives.
"""

from collections.abc import Iterator, Mapping, Sequence
from enum import IntEnum
from typing import Any

from comfydesk.workflow.graph import MODE_BYPASSED, MODE_MUTED, BoundarySlot, Graph, Link, Node, Subgraph
from comfydesk.workflow.layouts import Layout, SocketSpec
from comfydesk.workflow.limits import Budget
from comfydesk.workflow.specs import NodeSpec
from comfydesk.workflow.widgets import UNDEFINED, WidgetSpec


class Kind(IntEnum):
    """What stands behind a node."""

    REAL = 0
    """A class of the catalog."""
    HOST = 1
    """An instance of a definition."""
    REROUTE = 2
    PRIMITIVE = 3
    NOTE = 4
    UNKNOWN = 5
    """A type that neither the pod nor the frontend has."""


VIRTUAL: Mapping[str, Kind] = {
    "Reroute": Kind.REROUTE,
    "PrimitiveNode": Kind.PRIMITIVE,
    "Note": Kind.NOTE,
    "MarkdownNote": Kind.NOTE,
}
"""Helpers of the canvas that are never sent."""


def shorten(text: str, most: int = 50) -> str:
    """`text` for a message; files may hold anything of any length."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


class LiveInput:
    """A socket. Real nodes list only the linked ones; hosts list all of theirs."""

    __slots__ = ("link", "match", "name", "promoted", "type", "value", "widget")

    def __init__(self, name: str, slot_type: str, link: str | None, widget: str | None, match: str = "") -> None:
        self.name = name
        self.type = slot_type
        self.link = link
        self.widget = widget
        """Name of the widget it stands for."""
        self.match = match
        """Group of a match type."""
        self.promoted: WidgetSpec | None = None
        """Of a host's input: the widget inside that it brings out."""
        self.value: Any = UNDEFINED
        """Of a promoted input: the host's own value."""


class LiveNode:
    """A node after loading."""

    __slots__ = (
        *("applied", "chosen", "definition", "graph", "id", "inputs", "kind", "layout"),
        *("mode", "node", "_by_link", "spec", "values", "widgets"),
    )

    def __init__(self, node: Node, node_id: str, kind: Kind, graph: "LiveGraph") -> None:
        self.node = node
        self.id = node_id
        self.mode = node.mode
        self.kind = kind
        self.graph = graph
        self.spec: NodeSpec | None = None
        self.layout: Layout | None = None
        self.definition: LiveGraph | None = None
        self.inputs: list[LiveInput] = []
        self._by_link: dict[str, LiveInput] | None = None
        self.widgets: Sequence[WidgetSpec] = ()
        self.values: list[Any] = []
        """Parallel to `widgets`."""
        self.chosen: tuple[str, ...] = ()
        """Names of the dynamic combos that the file set, each with a dot at its end."""
        self.applied: Any = UNDEFINED
        """Of a primitive: the value that it puts into its targets."""

    @property
    def muted(self) -> bool:
        return self.mode == MODE_MUTED

    @property
    def bypassed(self) -> bool:
        return self.mode == MODE_BYPASSED

    @property
    def active(self) -> bool:
        return self.mode not in (MODE_MUTED, MODE_BYPASSED)

    @property
    def title(self) -> str:
        """As shown on the canvas."""
        if self.node.title:
            return self.node.title
        if self.spec is not None:
            return self.spec.display_name
        return self.definition.name if self.definition is not None else self.node.type

    @property
    def named(self) -> str:
        """For messages: `12 (KSampler)`."""
        return f"{shorten(self.id)} ({shorten(self.title)})"

    def input_of_link(self, link_id: str) -> LiveInput | None:
        """The socket in which that link ends. (A link's own target slot is often stale.)"""
        if self._by_link is None:
            self._by_link = {entry.link: entry for entry in reversed(self.inputs) if entry.link is not None}
        return self._by_link.get(link_id)

    def relink(self, entry: LiveInput, link_id: str) -> None:
        """Let another link end in a socket, which may be a new one."""
        entry.link = link_id
        self._by_link = None
        if entry not in self.inputs:
            self.inputs.append(entry)

    def widget_index(self, name: str) -> int | None:
        """Index of the first widget of that name."""
        for index, widget in enumerate(self.widgets):
            if widget.name == name:
                return index
        return None

    def widget_of(self, entry: LiveInput) -> tuple[WidgetSpec, Any] | None:
        """The widget that a socket stands for, and its value now."""
        if self.kind is Kind.HOST:
            return None if entry.promoted is None else (entry.promoted, entry.value)
        index = None if entry.widget is None else self.widget_index(entry.widget)
        return None if index is None else (self.widgets[index], self.values[index])

    def value_of(self, name: str) -> Any:
        """The value of the widget of that name; UNDEFINED without one."""
        if self.kind is Kind.HOST:
            return next((entry.value for entry in self.inputs if entry.promoted and entry.name == name), UNDEFINED)
        index = self.widget_index(name)
        return UNDEFINED if index is None else self.values[index]

    def set_value(self, entry: LiveInput, value: Any) -> None:
        """Write into the widget that a socket stands for."""
        if self.kind is Kind.HOST:
            entry.value = value
        elif entry.widget is not None:
            index = self.widget_index(entry.widget)
            if index is not None:
                self.values[index] = value

    def has_widget(self, name: str) -> bool:
        if self.kind is Kind.HOST:
            return any(entry.promoted and entry.name == name for entry in self.inputs)
        return self.widget_index(name) is not None


class Boundary:
    """An input or output of a definition; link ids may be added."""

    __slots__ = ("label", "link_ids", "name", "type")

    def __init__(self, name: str, slot_type: str, link_ids: Sequence[str], label: str = "") -> None:
        self.name = name
        self.type = slot_type
        self.link_ids = list(link_ids)
        self.label = label

    @classmethod
    def of(cls, slot: BoundarySlot) -> "Boundary":
        return cls(slot.name, slot.type, slot.link_ids, slot.label)


class LiveGraph:
    """The root, or a definition."""

    __slots__ = ("budget", "hosts", "id", "inputs", "links", "name", "nodes", "outputs", "source")

    def __init__(self, source: Graph, links: Mapping[str, Link], subgraph: Subgraph | None, budget: Budget) -> None:
        self.source = source
        self.budget = budget
        self.id = subgraph.id if subgraph else ""
        self.name = subgraph.name if subgraph else ""
        self.nodes: dict[str, LiveNode] = {}
        """In file order."""
        self.links = dict(links)
        self.inputs = [Boundary.of(slot) for slot in subgraph.inputs] if subgraph else []
        self.outputs = [Boundary.of(slot) for slot in subgraph.outputs] if subgraph else []
        self.hosts: list[LiveNode] = []
        """Instances of this definition that are loaded."""

    def add_input(self, name: str, slot_type: str, label: str) -> Boundary:
        """A new input of this definition; a number is put after a name that is taken."""
        taken = {entry.name for entry in self.inputs}
        unique, number = name, 1
        while unique in taken:
            unique, number = f"{name}_{number}", number + 1
        boundary = Boundary(unique, slot_type, (), label)
        self.inputs.append(boundary)
        return boundary

    def targets(self, boundary: Boundary) -> Iterator[tuple[LiveNode, LiveInput]]:
        """The inner sockets fed by an input of this definition; broken links are passed over."""
        for link_id in boundary.link_ids:
            self.budget.spend()
            link = self.links.get(link_id)
            node = self.nodes.get(link.target) if link else None
            entry = node.input_of_link(link_id) if node else None
            if node is not None and entry is not None:
                yield node, entry


def live_input(socket: SocketSpec, link: str | None) -> LiveInput:
    return LiveInput(socket.name, socket.type, link, socket.widget, socket.match)
