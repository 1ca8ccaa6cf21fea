"""PrimitiveNode: one value, written into the widgets that it is wired to.

It exists on the canvas only: loading gives it the widget of its first target, and conversion writes its value into all
targets, whatever its mode. Rules: frontend 1.49.6.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

from comfydesk.workflow.live import Kind, LiveGraph, LiveInput, LiveNode
from comfydesk.workflow.promotion import fed_sockets
from comfydesk.workflow.restore import choose, mended, stored_values
from comfydesk.workflow.specs import InputSpec
from comfydesk.workflow.widgets import UNDEFINED

_REPLACE = "Run widget replace on values"
_UNCOMPARED = frozenset(
    {
        *("default", "forceInput", "defaultInput", "control_after_generate", "multiline", "tooltip", "dynamicPrompts"),
        *("min", "max", "step"),  # merged
    }
)


def load_primitive(graph: LiveGraph, node: LiveNode) -> None:
    """Find out which value it has; UNDEFINED when it has no target, and so no widget."""
    targets = list(fed_sockets(graph, node))
    if not targets:
        return
    found = targets[0][0].widget_of(targets[0][1])
    stored = stored_values(node.node.widgets_values) if isinstance(node.node.widgets_values, list) else ()
    if stored:
        node.applied = stored[0]
    elif found is not None:
        node.applied = found[1]
    if found is None:
        return
    widget = found[0]
    if node.applied is None:
        node.applied = mended(widget, None)
    if widget.spec is not None and widget.spec.widget_type in ("INT", "FLOAT"):
        node.applied = _clamped(node.applied, widget.spec, targets)


def _clamped(value: Any, first: InputSpec, targets: list[tuple[LiveNode, LiveInput]]) -> Any:
    """`value` within the range that all targets allow. Targets whose options differ otherwise do not count."""
    merged: Mapping[str, Any] = first.options
    for node, entry in targets:
        found = node.widget_of(entry)
        spec = found[0].spec if found else None
        if spec is None or spec.widget_type != first.widget_type:
            continue
        low, high = _range(merged)
        other_low, other_high = _range(spec.options)
        if low > other_high or high < other_low or not _alike(merged, spec.options):
            continue
        low, high = max(low, other_low), min(high, other_high)
        merged = {**merged, **spec.options, "min": low, "max": high}
        if isinstance(value, int | float) and not isinstance(value, bool):
            value = low if value < low else min(value, high)
    return value


def _range(options: Mapping[str, Any]) -> tuple[float, float]:
    low, high = options.get("min"), options.get("max")
    return -math.inf if low is None else low, math.inf if high is None else high


def _alike(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return all(one.get(key) == other.get(key) for key in one.keys() | other.keys() if key not in _UNCOMPARED)


def apply_primitive(graph: LiveGraph, node: LiveNode, replaced: Callable[[str], str]) -> None:
    """Write its value into its targets. `replaced` fills in `%…%`, if the node asks for it."""
    if node.applied is UNDEFINED:
        return
    if node.node.properties.get(_REPLACE) and isinstance(node.applied, str) and node.applied:
        node.applied = replaced(node.applied)
    for target, entry in fed_sockets(graph, node):
        if target.kind is Kind.HOST or entry.widget is None:
            continue  # an instance's promoted input is linked: resolving the link finds the primitive's value
        index = target.widget_index(entry.widget)
        if index is None:
            continue
        if target.widgets[index].children:
            choose(target, index, node.applied)
        else:
            target.values[index] = node.applied
