"""Workflow files as values: what a UI workflow and an API prompt hold, frozen and typed.

Ids are strings everywhere (files use numbers and strings alike; ComfyUI compares them as strings). JSON values
inside (`widgets_values`, `properties`, `raw`, inputs of an ApiNode) are the parsed ones and must not be changed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

INPUT_BOUNDARY = "-10"
"""Id of the pseudo node a subgraph's inner links start from."""

MODE_MUTED = 2
MODE_BYPASSED = 4


def id_number(node_id: str) -> int:
    """The number that an id is, 0 for others ("007" is none, nor is "²")."""
    return int(node_id) if node_id.isascii() and node_id.isdigit() and len(node_id) < 16 and node_id[0] != "0" else 0


# --- UI format ----------------------------------------------------------------------------------------------------


class Link(NamedTuple):
    """A wire. In a file `[id, origin, origin_slot, target, target_slot, type]` (0.4) or an object (1.0)."""

    id: str
    origin: str
    origin_slot: int
    target: str
    target_slot: int
    type: str


class InputSlot(NamedTuple):
    """An input as the file has it: a sparse subset of what the node class has, to be matched by name."""

    name: str
    type: str
    link: str | None
    """Id of the link that ends here."""
    widget: str | None
    """Name of the widget this socket stands for."""
    label: str
    """What the author renamed it to, or ""."""


class OutputSlot(NamedTuple):
    name: str
    type: str
    links: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Node:
    """A node, a note, a reroute, or (when `type` is the id of a definition) an instance of a subgraph."""

    id: str
    type: str
    mode: int
    """0 always, 2 muted, 4 bypassed; 1 and 3 run like 0."""
    title: str
    """What the author called it, or ""."""
    inputs: tuple[InputSlot, ...]
    outputs: tuple[OutputSlot, ...]
    widgets_values: Any
    """A list as a rule; a mapping or None in some files."""
    properties: Mapping[str, Any]
    raw: Mapping[str, Any] = field(repr=False, compare=False)
    """The node's JSON object, for what is only looked at (colour, flags)."""

    @property
    def active(self) -> bool:
        """Neither muted nor bypassed."""
        return self.mode not in (MODE_MUTED, MODE_BYPASSED)

    @property
    def pos(self) -> tuple[float, float]:
        """Canvas position of the top left corner; (0, 0) where the file has none."""
        return _pair(self.raw.get("pos"))

    @property
    def size(self) -> tuple[float, float]:
        return _pair(self.raw.get("size"))


@dataclass(frozen=True, slots=True)
class Group:
    """A coloured frame on the canvas."""

    title: str
    bounding: tuple[float, float, float, float]
    """x, y, width, height."""
    color: str = ""


@dataclass(frozen=True, slots=True)
class Graph:
    """The nodes of one canvas: the root's or a definition's, in file order."""

    nodes: tuple[Node, ...]
    links: Mapping[str, Link]
    groups: tuple[Group, ...] = ()
    last_node_id: int = 0


@dataclass(frozen=True, slots=True)
class BoundarySlot:
    """An input or output of a subgraph definition."""

    id: str
    name: str
    type: str
    link_ids: tuple[str, ...]
    """Inner links, in order."""
    label: str = ""


@dataclass(frozen=True, slots=True)
class Subgraph:
    """A definition. Nodes whose `type` equals `id` are its instances."""

    id: str
    name: str
    graph: Graph
    inputs: tuple[BoundarySlot, ...]
    outputs: tuple[BoundarySlot, ...]
    raw: Mapping[str, Any] = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class UiGraph:
    """A workflow as ComfyUI's canvas saves it."""

    root: Graph
    subgraphs: Mapping[str, Subgraph]
    """Definition id → definition; flat, nested ones too, in file order."""
    extra: Mapping[str, Any]
    version: float
    raw: Mapping[str, Any] = field(repr=False, compare=False)
    """The JSON document as loaded."""


# --- API format ---------------------------------------------------------------------------------------------------


class ApiLink(NamedTuple):
    """The value of a linked input: output `slot` of `node`. In JSON `["3", 0]`."""

    node: str
    slot: int


@dataclass(frozen=True, slots=True)
class ApiNode:
    """`inputs`: name → ApiLink, or the JSON value that is sent. `class_type` "" is a type nobody knew (key absent)."""

    class_type: str
    inputs: Mapping[str, Any]
    title: str = ""

    def links(self) -> Iterator[tuple[str, ApiLink]]:
        """The linked inputs."""
        for name, value in self.inputs.items():
            if isinstance(value, ApiLink):
                yield name, value


@dataclass(frozen=True, slots=True)
class ApiGraph:
    """What a pod runs. Ids of nodes inside subgraphs are "12:34"."""

    nodes: Mapping[str, ApiNode]

    def to_json(self) -> dict[str, Any]:
        """The object to POST as `prompt`, new containers down to the inputs; their JSON values are shared."""
        return {node_id: _node_to_json(node) for node_id, node in self.nodes.items()}


def _node_to_json(node: ApiNode) -> dict[str, Any]:
    inputs = {name: list(value) if isinstance(value, ApiLink) else value for name, value in node.inputs.items()}
    entry: dict[str, Any] = {"inputs": inputs}
    if node.class_type:
        entry["class_type"] = node.class_type
    entry["_meta"] = {"title": node.title} if node.title else {}
    return entry


def _pair(value: Any) -> tuple[float, float]:
    """Positions are `[x, y]`, or `{"0": x, "1": y}` in old files."""
    if isinstance(value, Mapping):
        value = [value.get("0"), value.get("1")]
    if isinstance(value, list) and len(value) >= 2 and all(_is_number(entry) for entry in value[:2]):
        return float(value[0]), float(value[1])
    return 0.0, 0.0


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300
