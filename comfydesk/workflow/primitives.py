"""PrimitiveNode: one value, written into the widgets that it is wired to.

It exists on the canvas only: loading gives it the widget of its first target, and conversion writes its value into all
targets, whatever its mode. Rules: frontend 1.49.6.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

from comfydesk.workflow.live import Kind, LiveGraph, LiveInput, LiveNode
from comfydesk.workflow.promotion import fed_sockets
from comfydesk.workflow.restore import choose, mended
from comfydesk.workflow.widgets import UNDEFINED

_PLAIN: Mapping[str, Any] = {"INT": 0, "FLOAT": 0, "BOOLEAN": False, "STRING": "", "COMBO": UNDEFINED}
"""Types of mere sockets that a primitive makes an editor for, and what it starts with."""
_NO_OPTIONS: Mapping[str, Any] = {}
_HUGE = 1e300
"""Integers from here on are left alone: they would not fit a double, in which steps are counted."""
_REPLACE = "Run widget replace on values"
_UNCOMPARED = frozenset(
    {
        *("default", "forceInput", "defaultInput", "control_after_generate", "multiline", "tooltip", "dynamicPrompts"),
        *("min", "max", "step"),  # merged
    }
)


def load_primitive(graph: LiveGraph, node: LiveNode) -> None:
    """Find out which value it has; UNDEFINED when its first link ends in nothing that has an editor."""
    targets = list(fed_sockets(graph, node))
    outputs = node.node.outputs
    if not targets or targets[0][1].link != outputs[0].links[0]:
        return
    target, entry = targets[0]
    found = target.widget_of(entry)
    if found is None and (entry.widget is not None or entry.type not in _PLAIN):
        return
    widget_type, options, value = entry.type, _NO_OPTIONS, _PLAIN.get(entry.type)
    if found is not None:
        widget, value = found
        if widget.spec is not None:
            widget_type, options = widget.spec.widget_type, widget.spec.options
    stored = node.node.widgets_values
    if isinstance(stored, list) and stored:
        value = stored[0]
        if value is None and found is not None:
            value = mended(found[0], None)
    if widget_type in ("INT", "FLOAT"):
        value = _clamped(value, widget_type, options, targets, known=found is not None)
    node.applied = value


def _clamped(
    value: Any, widget_type: str, options: Mapping[str, Any], targets: list[tuple[LiveNode, LiveInput]], *, known: bool
) -> Any:
    """`value` within the range that all targets allow. Targets whose options differ otherwise do not count.

    When the first target is a mere socket (not `known`), the frontend takes the range of a number without options.
    """
    merged = options
    for node, entry in targets:
        found = node.widget_of(entry)
        spec = found[0].spec if found else None
        if spec is None or spec.widget_type != widget_type:
            continue
        low, high = _range(merged)
        other_low, other_high = _range(spec.options)
        if low > other_high or high < other_low or not _alike(merged, spec.options):
            continue
        limits: dict[str, Any] = {"min": max(low, other_low), "max": min(high, other_high)}
        limits["step"] = _common_step(merged, spec.options)
        if known:
            merged = {**merged, **spec.options, **limits}
        if isinstance(value, int | float) and not isinstance(value, bool):
            value = _fitted(value, widget_type, merged if known else _NO_OPTIONS)
    return value


def _fitted(value: float, widget_type: str, options: Mapping[str, Any]) -> float:
    """`value` as the editor of a number with these options takes it: clamped, then on a step."""
    low, high = _number(options, "min", 0), _number(options, "max", 2048)
    value = low if value < low else min(value, high)
    if not abs(value) < _HUGE:
        return value
    if widget_type == "INT":
        return _on_step(value, low, _number(options, "step", 1) or 1)
    step = _number(options, "step", 0.5)
    precision = max(0, -math.floor(math.log10(step))) if 0 < step < math.inf else 0
    grain = _number(options, "round", 0) or (10**-precision if precision else 0)
    if not grain or not math.isfinite(value / grain):
        return value
    rounded = round(math.floor(value / grain + 0.5) * grain, precision)
    return low if rounded < low else min(rounded, high)


def _on_step(value: float, low: float, step: float) -> float:
    """The nearest of the numbers that lie whole steps from `low`; integers stay exact beyond 2^53."""
    if isinstance(value, int) and isinstance(low, int) and isinstance(step, int):
        offset = abs(low) % step * (-1 if low < 0 else 1)
        return (2 * (value - offset) + step) // (2 * step) * step + offset
    start = math.fmod(low, step) if math.isfinite(low) else 0.0
    steps = (value - start) / step
    if not (math.isfinite(step) and math.isfinite(steps)):
        return value
    nearest = math.floor(steps + 0.5) * step + start
    return int(nearest) if float(nearest).is_integer() else nearest


def _number(options: Mapping[str, Any], key: str, fallback: float) -> float:
    """A number among options that may hold anything; infinite beyond what a double holds."""
    value = options.get(key)
    if not isinstance(value, int | float) or isinstance(value, bool) or value != value:
        return fallback
    return value if abs(value) < _HUGE else math.copysign(math.inf, 1 if value > 0 else -1)


def _common_step(one: Mapping[str, Any], other: Mapping[str, Any]) -> float:
    """The least common multiple of two steps; 1 stands for none."""
    a, b = abs(_number(one, "step", 1)), abs(_number(other, "step", 1))
    x, y = a, b
    while y > 1e-10:
        x, y = y, x % y
    return a * b // x if isinstance(a, int) and isinstance(b, int) and x else a * b / x if x else 1


def _range(options: Mapping[str, Any]) -> tuple[float, float]:
    return _number(options, "min", -math.inf), _number(options, "max", math.inf)


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
