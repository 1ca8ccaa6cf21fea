"""Which pictures of a workflow want a mask painted on them: those whose alpha the graph reads as one."""

from comfydesk.workflow.fields import Form, Kind, Role
from comfydesk.workflow.graph import ApiGraph, ApiLink

_LOADERS = {"LoadImage": 1, "LoadImageOutput": 1}
"""Class → the slot that gives 1 - alpha as a mask (ComfyUI, nodes.py)."""
_CHANNEL = "channel"


def masked_inputs(form: Form, graph: ApiGraph) -> frozenset[str]:
    """Ids of picture fields whose mask is used: LoadImage's second output, or LoadImageMask reading alpha."""
    used = {
        (value.node, value.slot)
        for node in graph.nodes.values()
        for value in node.inputs.values()
        if isinstance(value, ApiLink)
    }
    return frozenset(
        field.id
        for field in form.fields
        if field.kind is Kind.IMAGE
        and any(_is_read(place, field.role, graph, used) for place in (field.id, *field.twins))
    )


def _is_read(place: str, role: Role | None, graph: ApiGraph, used: set[tuple[str, int]]) -> bool:
    node_id = place.partition(".")[0]
    node = graph.nodes.get(node_id)
    if node is None:
        return False
    slot = _LOADERS.get(node.class_type)
    if slot is not None and (node_id, slot) in used:
        return True
    return role is Role.MASK and node.inputs.get(_CHANNEL) == "alpha"
