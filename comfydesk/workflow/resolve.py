"""The second phase of conversion: following each link back to the node that really makes the value.

Links go up and out of a subgraph through its input boundary, down into one through its outputs, through reroutes and
past bypassed nodes. Everything here is a loop: real chains may be as long as a file allows.
"""

from typing import Any, NamedTuple, NoReturn

from comfydesk.errors import GraphError
from comfydesk.workflow.bypass import passed_through, socket_type
from comfydesk.workflow.graph import INPUT_BOUNDARY, ApiLink, Link
from comfydesk.workflow.live import Kind, LiveGraph, LiveInput, LiveNode, shorten
from comfydesk.workflow.widgets import UNDEFINED

_ADVICE = "Open the workflow in ComfyUI and repair the link"


class Value(NamedTuple):
    """A link that ends in an instance's own value."""

    value: Any


class Instance:
    """The root, or one use of a definition. `prefix` ("12:34:") makes inner ids unique."""

    __slots__ = ("children", "graph", "host", "parent", "prefix")

    def __init__(self, graph: LiveGraph, host: LiveNode | None = None, parent: "Instance | None" = None) -> None:
        self.graph = graph
        self.host = host
        self.parent = parent
        self.prefix: str = f"{parent.prefix}{host.id}:" if parent is not None and host is not None else ""
        self.children: dict[str, Instance] = {}
        """Id of an instance node → what it stands for."""


class _Place(NamedTuple):
    """A socket of a node of an instance."""

    instance: Instance
    node: LiveNode
    entry: LiveInput


def resolve(instance: Instance, node: LiveNode, entry: LiveInput) -> "ApiLink | Value | None":
    """Where the link in a socket starts; None when nothing arrives. GraphError: broken links, endless loops."""
    if entry.link is not None:  # most links end right here
        link = instance.graph.links.get(entry.link)
        origin = instance.graph.nodes.get(link.origin) if link else None
        if link is not None and origin is not None and origin.active and origin.kind is Kind.REAL:
            return ApiLink(instance.prefix + origin.id, link.origin_slot)
    place: _Place | ApiLink | Value | None = _Place(instance, node, entry)
    trail = _Trail(node)
    wanted: _Place | None = None
    outside = False  # the last step led out of a subgraph, to a socket of its instance
    while isinstance(place, _Place):
        here = place
        trail.visit(here.instance.prefix, here.node.id, here.entry.name, "in")
        if here.entry.link is None:
            return _own_value(here.entry) if here.node.kind is Kind.HOST else None
        link = here.instance.graph.links.get(here.entry.link)
        if link is None:
            _broken(here, f"link {shorten(here.entry.link)} does not exist")
        if link.origin == INPUT_BOUNDARY and here.instance.parent is not None:
            place, wanted, outside = _outside(here, link), None, True
            continue
        # A reroute passes the type on that it was asked for; every other socket asks for its own.
        if here.node.kind is not Kind.REROUTE or wanted is None:
            wanted = here
        origin = here.instance.graph.nodes.get(link.origin)
        if outside and here.entry.promoted and origin is not None and origin.kind is Kind.PRIMITIVE:
            # A primitive writes into the widgets it is wired to, and an instance's promoted widget is one of them. (The
            # frontend puts the value there as well, and then ignores it because the input is linked.)
            return None if origin.applied is UNDEFINED else Value(origin.applied)
        outside = False
        place = _follow(here, link, wanted, trail)
        if isinstance(place, _Place) and place.node.bypassed:
            wanted = None
    return place


class _Trail:
    """What a search has passed. Ends those that never end."""

    __slots__ = ("_budget", "_seen", "_start")

    def __init__(self, start: LiveNode) -> None:
        self._start = start
        self._budget = start.graph.budget
        self._seen: set[tuple[str, str, str, str]] = set()

    def visit(self, prefix: str, node: str, slot: str, side: str) -> None:
        self._budget.spend()
        key = (prefix, node, slot, side)
        if key in self._seen:
            what = f"The links before node {self._start.named} form a loop"
            raise GraphError(what, "", _ADVICE)
        self._seen.add(key)


def _own_value(entry: LiveInput) -> Value | None:
    """An unlinked input of an instance gives its promoted value."""
    return None if entry.promoted is None else Value(entry.value)


def _outside(here: _Place, link: Link) -> _Place:
    """The instance's socket behind an input boundary."""
    instance = here.instance
    host, parent = instance.host, instance.parent
    assert host is not None
    assert parent is not None
    if not 0 <= link.origin_slot < len(host.inputs):
        _broken(here, f"it comes from input {link.origin_slot} of the subgraph, which does not exist")
    return _Place(parent, host, host.inputs[link.origin_slot])


def _follow(here: _Place, link: Link, wanted: _Place, trail: _Trail) -> "_Place | ApiLink | Value | None":
    """From the start of a link to what makes its value, or to the next socket to look at."""
    instance = here.instance
    node = instance.graph.nodes.get(link.origin)
    slot = link.origin_slot
    while True:
        if node is None:
            _broken(here, f"it comes from node {shorten(link.origin)}, which does not exist")
        trail.visit(instance.prefix, node.id, str(slot), "out")
        if node.muted:
            return None
        if node.bypassed:
            entry = passed_through(node, slot, socket_type(wanted.node, wanted.entry))
            return None if entry is None or entry.link is None else _Place(instance, node, entry)
        if node.kind is Kind.HOST:
            inner = instance.children.get(node.id)
            link_inside = _inner_link(inner, node, slot, here)
            if inner is None or link_inside is None:
                return None
            if link_inside.origin == INPUT_BOUNDARY:
                # Straight through. The frontend gives up here; the wire is clear enough to follow.
                if not 0 <= link_inside.origin_slot < len(node.inputs):
                    _broken(here, f"it comes from input {link_inside.origin_slot} of a subgraph, which does not exist")
                return _Place(instance, node, node.inputs[link_inside.origin_slot])
            instance, link, slot = inner, link_inside, link_inside.origin_slot
            node = inner.graph.nodes.get(link.origin)
            continue
        if node.kind in (Kind.REROUTE, Kind.PRIMITIVE, Kind.NOTE):
            if 0 <= slot < len(node.inputs) and node.inputs[slot].link in instance.graph.links:
                return _Place(instance, node, node.inputs[slot])
            return None
        return ApiLink(instance.prefix + node.id, slot)


def _inner_link(inner: Instance | None, host: LiveNode, slot: int, here: _Place) -> Link | None:
    """The link that feeds output `slot` of an instance from its inside."""
    if host.definition is None or not 0 <= slot < len(host.definition.outputs):
        _broken(here, f"it comes from output {slot} of subgraph node {host.named}, which does not exist")
    if inner is None:
        return None
    for link_id in host.definition.outputs[slot].link_ids:
        link = inner.graph.links.get(link_id)
        if link is not None:
            return link
    return None


def _broken(here: _Place, why: str) -> NoReturn:
    inside = f" in subgraph node {shorten(here.instance.prefix.removesuffix(':'))}" if here.instance.prefix else ""
    what = f"Input {shorten(here.entry.name)!r} of node {here.node.named}{inside} cannot be resolved"
    raise GraphError(what, why[:1].upper() + why[1:], _ADVICE)
