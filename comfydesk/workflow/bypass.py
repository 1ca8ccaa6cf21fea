"""Which input a bypassed node passes through, and the types that decide it. Rules: frontend 1.49.6."""

from collections.abc import Iterable

from comfydesk.errors import GraphError
from comfydesk.workflow.live import Kind, LiveGraph, LiveInput, LiveNode
from comfydesk.workflow.restore import all_inputs


def passed_through(node: LiveNode, slot: int, wanted: str) -> LiveInput | None:
    """The input that stands in for output `slot` of a bypassed node, asked for by a socket of type `wanted`.

    There is no search for a linked one. GraphError where the node has no such output, or no input at all.
    """
    inputs = all_inputs(node)
    output = output_type(node, slot)
    if output is None:
        what = f"Node {node.named} is bypassed, and something is linked to an output it does not have"
        raise GraphError(what, "", "Repair the link in ComfyUI")
    if wanted in ("*", ""):
        if not inputs:
            what = f"Node {node.named} is bypassed, but has no input that could be passed on"
            raise GraphError(what, "", "Switch the node on, or mute it")
        return inputs[slot if slot < len(inputs) else 0]
    types = [socket_type(node, entry) for entry in inputs]
    # Types are lists as long as a file likes, and those two are compared with each input's.
    lengths = sum(map(len, types)) + len(types) * (len(output) + len(wanted))
    node.graph.budget.spend(lengths >> 6)
    if slot < len(inputs) and compatible(types[slot], output) and compatible(types[slot], wanted):
        return inputs[slot]
    for entry, slot_type in zip(inputs, types, strict=True):
        if slot_type == wanted:
            return entry
    for entry, slot_type in zip(inputs, types, strict=True):
        if compatible(slot_type, output) and compatible(slot_type, wanted):
            return entry
    return None


_ANYTHING = frozenset({"", "*"})


def compatible(one: str, other: str) -> bool:
    """Whether a link may join sockets of these types: equal, either one anything, or lists with a common entry."""
    if one in ("", "*") or other in ("", "*") or one == other:
        return True
    left, right = one.lower(), other.lower()
    if "," not in left and "," not in right:
        return left == right
    starts, ends = set(left.split(",")), set(right.split(","))
    return not starts.isdisjoint(ends) or not _ANYTHING.isdisjoint(starts | ends)


# --- Types ------------------------------------------------------------------------------------------------------

_MAX_CHAIN = 64


def socket_type(node: LiveNode, entry: LiveInput) -> str:
    """The type of a socket. In a match group it narrows to what the group's other sockets are linked to."""
    if not entry.match:
        return entry.type
    others = [_linked_type(node, other, 0) for other in _group(node, entry.match) if other is not entry]
    return _common([*others, entry.type]) or entry.type


def output_type(node: LiveNode, slot: int, depth: int = 0) -> str | None:
    """The type of an output, None when there is none. In a match group: what its sockets are linked to."""
    if node.kind is Kind.HOST and node.definition is not None:
        outputs = node.definition.outputs
        return outputs[slot].type if 0 <= slot < len(outputs) else None
    if node.spec is not None and 0 <= slot < len(node.spec.outputs):
        output = node.spec.outputs[slot]
        if not output.match or depth > _MAX_CHAIN:
            return output.type
        return _common([_linked_type(node, entry, depth) for entry in _group(node, output.match)]) or output.type
    stored = node.node.outputs
    return stored[slot].type if 0 <= slot < len(stored) else None


def _group(node: LiveNode, match: str) -> Iterable[LiveInput]:
    return [entry for entry in all_inputs(node) if entry.match == match]


def _linked_type(node: LiveNode, entry: LiveInput, depth: int) -> str:
    """The type at the other end of a socket's link; "*" without one."""
    graph: LiveGraph = node.graph
    link = graph.links.get(entry.link) if entry.link is not None else None
    if link is None:
        return "*"
    origin = graph.nodes.get(link.origin)
    if origin is None:
        inputs = graph.inputs
        return inputs[link.origin_slot].type if 0 <= link.origin_slot < len(inputs) else "*"
    if origin.kind is Kind.REROUTE and origin.inputs and depth <= _MAX_CHAIN:
        return _linked_type(origin, origin.inputs[0], depth + 1)
    return output_type(origin, link.origin_slot, depth + 1) or "*"


def _common(types: list[str]) -> str | None:
    """What all of `types` allow, "*" when they say nothing, None when they contradict."""
    lists = [dict.fromkeys(entry.split(",")) for entry in types if entry != "*"]
    if not lists:
        return "*"
    common = [entry for entry in lists[0] if all(entry in other for other in lists[1:])]
    return ",".join(common) or None
