"""Widgets of a subgraph's inside that its instances bring out, each instance with a value of its own.

Two ways to say so: an input of the definition that is wired to a widget's socket, and the older property `proxyWidgets`
of the instance, which loading turns into such inputs. Rules: frontend 1.49.6.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from comfydesk.workflow import limits
from comfydesk.workflow.graph import INPUT_BOUNDARY, InputSlot, Link
from comfydesk.workflow.live import Boundary, Kind, LiveGraph, LiveInput, LiveNode
from comfydesk.workflow.restore import mended, socket_of_widget, stored_values
from comfydesk.workflow.widgets import UNDEFINED, WidgetSpec


def restore_host(host: LiveNode, definition: LiveGraph) -> None:
    """Set the inputs of an instance: those of its definition, with the file's links and values."""
    host.definition = definition
    definition.hosts.append(host)
    definition.budget.spend(len(definition.inputs))
    slots = _slots_by_name(host, definition)
    for boundary in definition.inputs:
        named = slots.get(boundary.name)
        slot = named.pop(0) if named else None
        host.inputs.append(LiveInput(boundary.name, boundary.type, slot.link if slot else None, None))
    for entry, boundary in zip(host.inputs, definition.inputs, strict=True):
        _promote(entry, boundary, definition)
    saved = _quarantined(host)
    position = 0
    stored = stored_values(host.node.widgets_values)
    for entry in host.inputs:
        if entry.promoted is None:
            continue
        value = saved.get(entry.name)
        if value is None:
            value = stored[position] if position < len(stored) else UNDEFINED
        if value is not UNDEFINED or position < len(stored):
            entry.value = value
        position += 1


def _slots_by_name(host: LiveNode, definition: LiveGraph) -> dict[str, list[InputSlot]]:
    """The file's inputs by name. Of several for one input of the definition the last counts."""
    slots: dict[str, list[InputSlot]] = {}
    for slot in host.node.inputs:
        slots.setdefault(slot.name, []).append(slot)
    counts: dict[str, int] = {}
    for boundary in definition.inputs:
        counts[boundary.name] = counts.get(boundary.name, 0) + 1
    return {name: found[-counts[name] :] for name, found in slots.items() if name in counts}


def _promote(entry: LiveInput, boundary: Boundary, definition: LiveGraph) -> None:
    """Let `entry` bring out the first widget behind `boundary`, with its value as the instance's own."""
    for node, target in definition.targets(boundary):
        found = node.widget_of(target)
        if found is not None:
            entry.promoted, entry.value = found
            entry.widget = entry.name
            return


def mend_host(host: LiveNode) -> None:
    """Once all is loaded: an empty combo takes its first choice."""
    for entry in host.inputs:
        widget = entry.promoted
        if widget is not None and widget.kind == "combo" and (entry.value is None or entry.value is UNDEFINED):
            entry.value = mended(widget, entry.value)


def _quarantined(host: LiveNode) -> dict[str, Any]:
    """Values of entries that an earlier migration could not place: input name → value."""
    values: dict[str, Any] = {}
    for entry in _property_list(host, "proxyWidgetErrorQuarantine"):
        original = entry.get("originalEntry") if isinstance(entry, dict) else None
        if isinstance(original, list) and len(original) >= 2 and original[0] == "-1":
            value = entry.get("hostValue")
            if isinstance(original[1], str) and value is not None:
                values.setdefault(original[1], value)
    return values


# --- proxyWidgets -----------------------------------------------------------------------------------------------

_PREFIXED = re.compile(r"\s*(\d+)\s*:\s*(.+)", re.DOTALL)
_PREVIEW_KINDS = frozenset({"preview", "video", "audioUI"})


class _Source(NamedTuple):
    """Which widget inside an entry means."""

    node: str
    widget: str
    inner: str | None
    """Of a nested instance: the node inside it that has the widget."""


@dataclass(slots=True)
class _Entry:
    source: _Source
    value: Any
    """UNDEFINED: a hole, the widget's own value holds."""
    original: tuple[str, str]


def migrate_proxies(host: LiveNode, renumbered: Mapping[str, str]) -> None:
    """Turn an instance's `proxyWidgets` into promoted inputs. `renumbered`: inner ids that de-duplication changed."""
    tuples = _tuples(host, renumbered)
    definition = host.definition
    if not tuples or definition is None:
        return
    stored = stored_values(host.node.widgets_values)
    entries = []
    for position, (node_id, widget, inner) in enumerate(tuples):
        value = stored[position] if position < len(stored) else UNDEFINED
        source = _normalized(definition, node_id, widget, inner)
        entries.append(_Entry(source, UNDEFINED if value is None else value, (node_id, widget)))
    primitives: dict[str, list[_Entry]] = {}
    # All entries are classified before any is carried out.
    for entry, plan in [(entry, _plan(host, definition, entry.source)) for entry in entries]:
        if isinstance(plan, LiveInput):
            _set(plan, entry.value)
        elif isinstance(plan, LiveNode):
            primitives.setdefault(plan.id, []).append(entry)
        elif plan:
            _create(host, definition, entry)
        elif entry.original[0] == "-1" and entry.value is not UNDEFINED:
            named = next((known for known in host.inputs if known.name == entry.original[1]), None)
            if named is not None and named.promoted is not None:
                named.value = entry.value
    for primitive_id, cohort in primitives.items():
        _replace_primitive(host, definition, definition.nodes[primitive_id], cohort)


def _tuples(host: LiveNode, renumbered: Mapping[str, str]) -> list[tuple[str, str, str | None]]:
    raw = _property_list(host, "proxyWidgets")
    tuples = []
    for entry in raw:
        if not isinstance(entry, list) or len(entry) not in (2, 3) or not all(isinstance(part, str) for part in entry):
            return []  # one bad entry, and the frontend ignores them all
        tuples.append((renumbered.get(entry[0], entry[0]), entry[1], entry[2] if len(entry) == 3 else None))
    return tuples


def _property_list(host: LiveNode, name: str) -> list[Any]:
    value = host.node.properties.get(name)
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return []
    return value if isinstance(value, list) else []


def _normalized(definition: LiveGraph, node_id: str, widget: str, inner: str | None) -> _Source:
    """Old files put "12: 34: " before the name of a widget deep inside."""
    if not _reaches_widget(definition, node_id, widget):
        for _ in range(limits.MAX_NESTING):
            match = _PREFIXED.fullmatch(widget)
            if match is None:
                break
            inner, widget = match[1], match[2]
    return _Source(node_id, widget, inner)


def _reaches_widget(definition: LiveGraph, node_id: str, widget: str) -> bool:
    """Whether `widget` of `node_id`, through nested instances, is one of a node's own."""
    for _ in range(100):
        node = definition.nodes.get(node_id)
        if node is None:
            return False
        if node.definition is None:
            return node.widget_index(widget) is not None
        target = _behind(node.definition, widget)
        if target is None:
            return False
        definition, (node_id, widget) = node.definition, target
    return False


def _behind(definition: LiveGraph, name: str) -> tuple[str, str] | None:
    """The first node and widget that input `name` of a definition leads to."""
    definition.budget.spend(len(definition.inputs))
    boundary = next((entry for entry in definition.inputs if entry.name == name), None)
    return None if boundary is None else _leads_to(definition, boundary)


def _leads_to(definition: LiveGraph, boundary: Boundary) -> tuple[str, str] | None:
    for node, entry in definition.targets(boundary):
        if node.kind is Kind.HOST:
            return node.id, entry.name
        found = node.widget_of(entry)
        if found is not None:
            return node.id, found[0].name
    return None


def _plan(host: LiveNode, definition: LiveGraph, source: _Source) -> "LiveInput | LiveNode | bool":
    """What to do with an entry: an input that shows the widget already; a primitive; make an input, or nothing."""
    definition.budget.spend(len(host.inputs))
    for entry, boundary in zip(host.inputs, definition.inputs, strict=True):
        if _leads_to(definition, boundary) == (source.node, source.widget):
            return entry
    node = definition.nodes.get(source.node)
    if node is None:
        return False
    if node.kind is Kind.PRIMITIVE:
        return node if any(fed_sockets(definition, node)) else False
    found = _source_widget(node, source)
    if found is None or source.widget.startswith("$$"):
        return False
    widget = found[1]
    return (widget.stored and widget.sent) or widget.kind not in _PREVIEW_KINDS


def _source_widget(node: LiveNode, source: _Source) -> "tuple[LiveInput | None, WidgetSpec] | None":
    """The widget that an entry means, with the socket that stands for it."""
    if node.definition is None:
        index = node.widget_index(source.widget)
        if index is None:
            return None
        widget = node.widgets[index]
        return socket_of_widget(node, widget.name), widget
    for entry in node.inputs:
        target = _behind(node.definition, entry.name)
        if source.inner is not None:
            matches = target == (source.inner, source.widget)
        else:
            matches = entry.name == source.widget or (target is not None and target[1] == source.widget)
        if matches:
            return None if entry.promoted is None else (entry, entry.promoted)
    return None


def _set(entry: LiveInput, value: Any) -> None:
    if entry.promoted is not None and value is not UNDEFINED:
        entry.value = value


def _create(host: LiveNode, definition: LiveGraph, entry: _Entry) -> None:
    """A new input of the definition, wired to the widget. Widgets without a socket stay inside."""
    node = definition.nodes[entry.source.node]
    found = _source_widget(node, entry.source)
    if found is None or found[0] is None:
        return
    socket = found[0]
    boundary = definition.add_input(entry.source.widget, socket.type, "")
    _connect(definition, boundary, node, socket)
    _announce(definition, boundary)
    _set(host.inputs[-1], entry.value)


def _connect(definition: LiveGraph, boundary: Boundary, node: LiveNode, socket: LiveInput) -> None:
    if socket.link is not None:
        definition.links.pop(socket.link, None)
    link_id = f"promoted {len(definition.links)} {boundary.name}"
    while link_id in definition.links:
        link_id += "'"
    slot = definition.inputs.index(boundary)
    definition.links[link_id] = Link(link_id, INPUT_BOUNDARY, slot, node.id, 0, socket.type)
    boundary.link_ids.append(link_id)
    node.relink(socket, link_id)


def _announce(definition: LiveGraph, boundary: Boundary) -> None:
    """Give the new input to all loaded instances, each with the inner widget's value."""
    definition.budget.spend(len(definition.hosts) + len(definition.inputs))
    for host in definition.hosts:
        entry = LiveInput(boundary.name, boundary.type, None, None)
        host.inputs.append(entry)
        _promote(entry, boundary, definition)


def fed_sockets(graph: LiveGraph, node: LiveNode) -> Iterator[tuple[LiveNode, LiveInput]]:
    """The sockets in which the links of a node's first output end."""
    outputs = node.node.outputs
    for link_id in outputs[0].links if outputs else ():
        link = graph.links.get(link_id)
        target = graph.nodes.get(link.target) if link else None
        entry = target.input_of_link(link_id) if target else None
        if target is not None and entry is not None:
            yield target, entry


def _replace_primitive(host: LiveNode, definition: LiveGraph, primitive: LiveNode, cohort: list[_Entry]) -> None:
    """An input of the definition takes the place of a primitive.

    The frontend goes by the links' target slots here, which in files are often stale, and may wire the wrong widget
    (template templates_graphic_design_recomposer). The sockets that hold the links are the right ones.
    """
    targets = list(fed_sockets(definition, primitive))
    slot_type = primitive.node.outputs[0].type if primitive.node.outputs else "*"
    widgets = [node.widget_of(entry) for node, entry in targets]
    if len({entry.source.widget for entry in cohort}) > 1 or not _compatible(slot_type, targets, widgets):
        return
    title = primitive.node.title
    name = title if title and title != "PrimitiveNode" else cohort[0].source.widget
    boundary = definition.add_input(name, slot_type, "")
    for node, entry in targets:
        _connect(definition, boundary, node, entry)
    _announce(definition, boundary)
    value = next((entry.value for entry in cohort if entry.value is not UNDEFINED), UNDEFINED)
    _set(host.inputs[-1], value)


def _compatible(
    slot_type: str, targets: list[tuple[LiveNode, LiveInput]], widgets: list[tuple[WidgetSpec, Any] | None]
) -> bool:
    """One input can show several widgets only if they are of one kind and range."""
    if any("*" not in (entry.type, slot_type) and entry.type != slot_type for _, entry in targets):
        return False
    shapes = {_shape(found[0]) for found in widgets if found is not None}
    return len(shapes) < 2


def _shape(widget: WidgetSpec) -> tuple[Any, ...]:
    spec = widget.spec
    if spec is None or spec.widget_type not in ("INT", "FLOAT"):
        return (widget.kind,)
    minimum = 0 if spec.minimum is None else spec.minimum
    maximum = 2048 if spec.maximum is None else spec.maximum
    default_step = 1 if spec.widget_type == "INT" else 0.5
    return widget.kind, minimum, maximum, default_step if spec.step is None else spec.step
