"""Values into a graph, and seeds from run to run.

A graph is never changed: the result shares every node that stays the same. The seed policy lives outside the graph, as
in ComfyUI, where "control_after_generate" is no input either.
"""

import math
import random
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from comfydesk.errors import GraphError
from comfydesk.workflow.catalog import Catalog, InputSpec
from comfydesk.workflow.fields import Field
from comfydesk.workflow.graph import ApiGraph, ApiLink, ApiNode
from comfydesk.workflow.live import shorten
from comfydesk.workflow.widgets import UNDEFINED, WidgetSpec, chosen_widgets

# --- Field ids --------------------------------------------------------------------------------------------------


def join_field(node: str, name: str) -> str:
    """The id of input `name` of node `node`: "103:44.text"."""
    return f"{node}.{name}"


def split_field(field_id: str, graph: ApiGraph) -> tuple[str, str]:
    """Node and input of a field id. GraphError when the graph has no such input.

    Ids from the canvas have no dot, those of API files may; inputs often do ("resize_type.width").
    """
    dot = field_id.find(".")
    while dot > 0:
        node, name = field_id[:dot], field_id[dot + 1 :]
        known = graph.nodes.get(node)
        if known is not None and name in known.inputs:
            return node, name
        dot = field_id.find(".", dot + 1)
    what = f"The workflow has no input {shorten(field_id)!r}"
    raise GraphError(what, "It was changed, or the id is mistyped", "List the inputs with `comfydesk form`")


# --- Values -----------------------------------------------------------------------------------------------------


def apply_values(graph: ApiGraph, values: Mapping[str, Any], catalog: Catalog | None = None) -> ApiGraph:
    """`graph` with `values` (field id → JSON value) in its inputs. GraphError names a field it does not have.

    A list is wrapped, so that it is not taken for a link. An input that is linked has no value to set: GraphError. With
    a `catalog`, a new choice of a dynamic combo brings its own inputs, at their defaults unless `values` has them too;
    without one, only the choice itself changes.
    """
    changed: dict[str, dict[str, Any]] = {}
    late: list[tuple[str, Any]] = []
    for field_id, value in values.items():
        try:
            node_id, name = split_field(field_id, graph)
        except GraphError:
            if catalog is None:
                raise
            late.append((field_id, value))  # may come with a new choice
            continue
        node = graph.nodes[node_id]
        inputs = changed.get(node_id)
        if inputs is None:
            inputs = changed[node_id] = dict(node.inputs)
        previous = inputs.get(name)
        _set_value(field_id, inputs, name, value)
        if catalog is not None and not _same(previous, inputs[name]):
            _renew_choice(node, name, inputs, catalog)
    patched = _with_inputs(graph, changed)
    return apply_values(patched, dict(late)) if late else patched


def _with_inputs(graph: ApiGraph, changed: Mapping[str, dict[str, Any]]) -> ApiGraph:
    nodes = {
        node_id: ApiNode(graph.nodes[node_id].class_type, inputs, graph.nodes[node_id].title)
        for node_id, inputs in changed.items()
        if any(not _same(value, graph.nodes[node_id].inputs.get(name)) for name, value in inputs.items())
        or len(inputs) < len(graph.nodes[node_id].inputs)
    }
    return ApiGraph({**graph.nodes, **nodes}) if nodes else graph


def _same(one: Any, other: Any) -> bool:
    """Equal, and of one type: true is not 1."""
    return type(one) is type(other) and one == other


def _set_value(field_id: str, inputs: dict[str, Any], name: str, value: Any) -> None:
    current = inputs.get(name)
    if isinstance(current, ApiLink):
        what = f"Input {shorten(field_id)!r} is linked to node {shorten(current.node)}"
        raise GraphError(what, "A linked input has no value of its own", "Set the input of that node instead")
    if isinstance(value, list | tuple):
        wrapper = current if isinstance(current, dict) and "__value__" in current else {}
        inputs[name] = {**wrapper, "__value__": list(value)}
    else:
        inputs[name] = value


def plain_value(value: Any) -> Any:
    """The value of an input as a person knows it: a wrapped list without its wrapping."""
    if isinstance(value, Mapping) and "__value__" in value and value.keys() <= {"__value__", "__type__"}:
        return value["__value__"]
    return value


def _renew_choice(node: ApiNode, name: str, inputs: dict[str, Any], catalog: Catalog) -> None:
    """Give a dynamic combo's new choice its inputs; what both choices have keeps its value or link."""
    if node.class_type not in catalog.nodes:
        return
    layout = catalog.layout(node.class_type)
    combo = _combo(layout.widgets, name, inputs)
    if combo is None:
        return
    prefix = f"{name}."
    wanted = list(chosen_widgets((combo,), {name: inputs[name]}))[1:]
    sockets = {child.name for child in _inputs_of_choice(combo, inputs[name])}
    known = {widget.name for widget in wanted} | sockets
    for key in [key for key in inputs if key.startswith(prefix)]:
        if key not in known and not any(key.startswith(f"{socket}.") for socket in sockets):
            del inputs[key]
    for widget in wanted:
        if widget.sent and widget.default is not UNDEFINED and widget.name not in inputs:
            default = widget.default
            inputs[widget.name] = {"__value__": default} if isinstance(default, list) else default


def _combo(widgets: tuple[WidgetSpec, ...], name: str, inputs: Mapping[str, Any]) -> WidgetSpec | None:
    choices = {key: value for key, value in inputs.items() if isinstance(value, str)}
    widgets_now = chosen_widgets(widgets, choices)
    return next((widget for widget in widgets_now if widget.name == name and widget.children), None)


def _inputs_of_choice(combo: WidgetSpec, choice: Any) -> tuple[InputSpec, ...]:
    if combo.spec is None or not isinstance(choice, str):
        return ()
    return combo.spec.children.get(choice, ())


# --- Seeds ------------------------------------------------------------------------------------------------------

_RANDOM_LIMIT = 2**50
"""The frontend draws seeds below this, so that they survive JavaScript's numbers."""


class SeedPolicy(StrEnum):
    """What the next run's seed is."""

    FIXED = "fixed"
    RANDOM = "random"
    INCREMENT = "increment"
    DECREMENT = "decrement"


def next_seed(policy: SeedPolicy, last: int, field: Field, rng: random.Random) -> int:
    """The seed after `last`, within the field's range.

    Drawn ones lie within ±2^50, as the frontend's. Counting is exact over all 64 bits and stops at the ends of the
    range (where the frontend falls back to 2^50).
    """
    low = 0 if field.minimum is None else math.ceil(field.minimum)
    high = _RANDOM_LIMIT if field.maximum is None else math.floor(field.maximum)
    step = max(1, int(field.step or 1))
    if policy is SeedPolicy.RANDOM:
        start, end = max(low, -_RANDOM_LIMIT), min(high, _RANDOM_LIMIT)
        return start + rng.randrange(max(1, (end - start) // step)) * step
    moved = {SeedPolicy.INCREMENT: step, SeedPolicy.DECREMENT: -step}.get(policy, 0)
    return min(max(last + moved, low), high) if moved else last
