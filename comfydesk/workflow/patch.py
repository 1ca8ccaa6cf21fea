"""Values into a graph, and seeds from run to run.

A graph is never changed: the result shares every node that stays the same. The seed policy lives outside the graph, as
in ComfyUI, where "control_after_generate" is no input either.
"""

import math
import random
from collections.abc import Container, Iterator, Mapping
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
    for node, name in _readings(field_id):
        known = graph.nodes.get(node)
        if known is not None and name in known.inputs:
            return node, name
    what = f"The workflow has no input {shorten(field_id)!r}"
    raise GraphError(what, "It was changed, or the id is mistyped", "List the inputs with `comfydesk form`")


def _readings(field_id: str) -> Iterator[tuple[str, str]]:
    """What a field id may mean: cut at each of its dots."""
    dot = field_id.find(".")
    while dot > 0:
        yield field_id[:dot], field_id[dot + 1 :]
        dot = field_id.find(".", dot + 1)


# --- Values -----------------------------------------------------------------------------------------------------


def apply_values(graph: ApiGraph, values: Mapping[str, Any], catalog: Catalog | None = None) -> ApiGraph:
    """`graph` with `values` (field id → JSON value) in its inputs. GraphError names a field it does not have.

    A list is wrapped, so that it is not taken for a link. An input that is linked has no value to set: GraphError. With
    a `catalog`, a new choice of a dynamic combo brings its own inputs, at their defaults unless `values` has them too,
    and takes those of the old choice away: values for them are dropped, whatever the order of `values` (a form of the
    old choice sends all its fields). The new inputs become fields of a form only when the form is built anew. Without a
    catalog only the choice itself changes.
    """
    changed: dict[str, dict[str, Any]] = {}
    gone: set[tuple[str, str]] = set()
    # A combo's name is the beginning of its inputs' names: the shortest first sets each choice before what it brings.
    for field_id in sorted(values, key=len):
        node_id, name = _target(field_id, graph, changed, gone)
        if (node_id, name) in gone and name not in changed[node_id]:
            continue  # unless another choice has brought it back
        node = graph.nodes[node_id]
        inputs = changed.get(node_id)
        if inputs is None:
            inputs = changed[node_id] = dict(node.inputs)
        previous = inputs.get(name)
        _set_value(field_id, inputs, name, values[field_id])
        if catalog is not None and not _same(previous, inputs[name]):
            before = set(inputs)
            _renew_choice(node, name, inputs, catalog)
            gone.update((node_id, key) for key in before - inputs.keys())
    return _with_inputs(graph, changed)


def _target(
    field_id: str, graph: ApiGraph, changed: Mapping[str, dict[str, Any]], gone: Container[tuple[str, str]]
) -> tuple[str, str]:
    """Node and input of a field, which may have come or gone with a choice just made. GraphError."""
    for node_id, name in _readings(field_id):
        inputs = changed.get(node_id)
        if (inputs is not None and name in inputs) or (node_id, name) in gone:
            return node_id, name
    return split_field(field_id, graph)


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


_PLAIN = frozenset({str, int, float, bool})


def plain_value(value: Any) -> Any:
    """The value of an input as a person knows it: a wrapped list without its wrapping."""
    if type(value) in _PLAIN:  # nearly all are, and asking for a Mapping takes longer than everything else here
        return value
    if isinstance(value, Mapping) and "__value__" in value and value.keys() <= {"__value__", "__type__"}:
        return value["__value__"]
    return value


def _renew_choice(node: ApiNode, name: str, inputs: dict[str, Any], catalog: Catalog) -> None:
    """Give a dynamic combo's new choice its inputs; what both choices have keeps its value or link.

    A choice within it is kept only if the new one offers it.
    """
    if node.class_type not in catalog.nodes:
        return
    combo = _combo(catalog.layout(node.class_type).widgets, name, inputs)
    if combo is None:
        return
    wanted = list(_brought(combo, inputs))
    known = {widget.name for widget in wanted}
    grown: set[str] = set()
    for choice in (combo, *(widget for widget in wanted if widget.children)):
        for child in _inputs_of_choice(choice, inputs.get(choice.name, choice.default)):
            known.add(child.name)
            if child.autogrow is not None:
                grown.add(f"{child.name}.")
    for key in [key for key in inputs if key.startswith(f"{name}.")]:
        if key not in known and not key.startswith(tuple(grown)):
            del inputs[key]
    for widget in wanted:
        if widget.sent and widget.default is not UNDEFINED and widget.name not in inputs:
            default = widget.default
            inputs[widget.name] = {"__value__": default} if isinstance(default, list) else default


def _brought(combo: WidgetSpec, inputs: dict[str, Any]) -> Iterator[WidgetSpec]:
    """The widgets that a choice brings, those of choices within it too. Choices it does not offer leave `inputs`."""
    choice = inputs.get(combo.name, combo.default)
    for widget in combo.children.get(choice, ()) if isinstance(choice, str) else ():
        yield widget
        if widget.children:
            within = inputs.get(widget.name)
            if isinstance(within, str) and within not in widget.children:
                del inputs[widget.name]
            yield from _brought(widget, inputs)


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
    range (where the frontend falls back to 2^50). A catalog may state bounds and steps that are no finite numbers:
    they count as none. GraphError: counting on from what is no number.
    """
    low = math.ceil(_finite(field.minimum, 0))
    high = math.floor(_finite(field.maximum, _RANDOM_LIMIT))
    step = max(1, int(_finite(field.step, 1)))
    if policy is SeedPolicy.RANDOM:
        start, end = max(low, -_RANDOM_LIMIT), min(high, _RANDOM_LIMIT)
        return start + rng.randrange(max(1, (end - start) // step)) * step
    moved = {SeedPolicy.INCREMENT: step, SeedPolicy.DECREMENT: -step}.get(policy, 0)
    if not moved:
        return last
    return min(max(_whole(last) + moved, low), high)


def _finite(value: float | None, fallback: int) -> float:
    return fallback if value is None or not -math.inf < value < math.inf else value


def _whole(seed: Any) -> int:
    """A seed out of a file, which may hold anything."""
    if isinstance(seed, int | float) and not isinstance(seed, bool) and -math.inf < seed < math.inf:
        return int(seed)
    what = f"The seed {shorten(repr(seed))} is no number"
    raise GraphError(what, "The next one cannot be counted from it", "Enter a number, or draw seeds at random")
