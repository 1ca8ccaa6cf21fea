"""Putting a file's bare list of values back into a node's widgets, and its links into its sockets."""

from collections.abc import Mapping, Sequence
from typing import Any

from comfydesk.workflow.graph import InputSlot
from comfydesk.workflow.layouts import Layout, grown_sockets
from comfydesk.workflow.live import LiveInput, LiveNode, live_input
from comfydesk.workflow.specs import InputSpec
from comfydesk.workflow.textvalues import js_json
from comfydesk.workflow.widgets import (
    CUSTOM_COMBO,
    UNDEFINED,
    WidgetSpec,
    chosen_widgets,
    custom_option,
)

_SAMPLERS = frozenset({"KSampler", "KSamplerAdvanced"})


def restore_values(live: LiveNode, layout: Layout) -> None:
    """Set `widgets` and `values` of a real node from its file. Nothing is checked, clamped or rounded, as there."""
    stored = stored_values(live.node.widgets_values)
    if layout.dummies and len(stored) == len(layout.dummies):
        # A file from before frontend 1.16 stored a dummy for each widget that had been converted to an input.
        stored = [value for value, dummy in zip(stored, layout.dummies, strict=True) if not dummy]
    if live.node.type == CUSTOM_COMBO:
        live.widgets, live.values = _custom_combo(layout.widgets, stored)
    elif layout.branching:
        live.widgets, live.values, live.chosen = _branching(layout.widgets, stored)
    else:
        live.widgets = layout.widgets
        live.values = values = list(layout.defaults)
        for index, value in zip(layout.places, stored, strict=False):
            values[index] = value
    _repair(live)


def stored_values(widgets_values: Any) -> Sequence[Any]:
    """The stored list. Of a mapping (VHS nodes' style) core nodes read the entries "0", "1"…, so mostly nothing."""
    if isinstance(widgets_values, list):
        return widgets_values
    if isinstance(widgets_values, Mapping):
        length = widgets_values.get("length")
        return _Indexed(widgets_values, length if isinstance(length, int) else None)
    return ()


class _Indexed(Sequence[Any]):
    """A mapping read as the frontend reads a list: endless, undefined where there is no such key."""

    __slots__ = ("_length", "_values")

    def __init__(self, values: Mapping[str, Any], length: int | None) -> None:
        self._values = values
        self._length = 10_000 if length is None else max(0, min(length, 10_000))

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: Any) -> Any:
        if index >= self._length:
            raise IndexError
        return self._values.get(str(index), UNDEFINED)


def _repair(live: LiveNode) -> None:
    """What the frontend mends after loading: empty combos take their first choice, old spellings are renewed."""
    values = live.values
    for index, widget in enumerate(live.widgets):
        value = values[index]
        if value is None or value is UNDEFINED:
            values[index] = mended(widget, value)
    if live.node.type in _SAMPLERS:
        sampler = live.widget_index("sampler_name")
        if sampler is not None and isinstance(values[sampler], str):
            values[sampler] = values[sampler].removeprefix("sample_")


def mended(widget: WidgetSpec, value: Any) -> Any:
    """`value` (null or undefined) as it stands after loading."""
    if widget.kind == "combo" and widget.choices:
        return widget.choices[0]
    if widget.kind == "customtext":
        # An HTML text area turns null into "" and undefined into a word.
        return "" if value is None else "undefined"
    return value


def _branching(
    widgets: Sequence[WidgetSpec], stored: Sequence[Any]
) -> tuple[list[WidgetSpec], list[Any], tuple[str, ...]]:
    """Values of a node with dynamic combos: each choice brings its own widgets, which take the next values."""
    chosen: list[str] = []
    placed: list[WidgetSpec] = []
    values: list[Any] = []
    position = 0
    pending = list(reversed(widgets))
    while pending:
        widget = pending.pop()
        value = widget.default
        restored = widget.stored and position < len(stored)
        if restored:
            value = stored[position]
            position += 1
        placed.append(widget)
        values.append(value)
        if not widget.children:
            continue
        if restored:
            chosen.append(f"{widget.name}.")
            pending.extend(reversed(_leftovers(widget)))
        if value is None or value is UNDEFINED:
            # The first choice is taken once loading is over: its widgets get no stored values.
            values[-1] = widget.default
            for child in chosen_widgets(widget.children.get(widget.default, ()), {}):
                placed.append(child)
                values.append(child.default)
        elif isinstance(value, str):
            pending.extend(reversed(widget.children.get(value, ())))
    return placed, values, tuple(chosen)


def choose(live: LiveNode, index: int, value: Any) -> None:
    """Set a dynamic combo: the widgets of the choice, with their defaults, replace those that it had."""
    combo = live.widgets[index]
    prefix = f"{combo.name}."
    children = list(chosen_widgets(combo.children.get(value, ()), {})) if isinstance(value, str) else []
    kept = [(w, v) for w, v in zip(live.widgets, live.values, strict=True) if not w.name.startswith(prefix)]
    place = next(number for number, (widget, _) in enumerate(kept) if widget is combo)
    kept[place : place + 1] = [(combo, value), *((child, child.default) for child in children)]
    live.widgets = [widget for widget, _ in kept]
    live.values = [entry for _, entry in kept]
    names = {widget.name for widget in live.widgets}
    live.inputs = [entry for entry in live.inputs if entry.widget is None or entry.widget in names]


def _leftovers(widget: WidgetSpec) -> list[WidgetSpec]:
    """Helpers of the default choice's widgets that stay when the choice is set.

    The frontend removes widgets by their dotted names, and a seed's "control_after_generate" has none. It takes a place
    in the list from then on.
    """
    default = widget.children.get(widget.default, ()) if isinstance(widget.default, str) else ()
    return [child for child in chosen_widgets(default, {}) if not child.name.startswith(f"{widget.name}.")]


def _custom_combo(widgets: Sequence[WidgetSpec], stored: Sequence[Any]) -> tuple[list[WidgetSpec], list[Any]]:
    """CustomCombo: `choice`, `index` (computed), and as many options as are filled, plus one."""
    choice, index, *_ = widgets
    options = list(stored)[2:1002]
    filled = next((number for number, option in enumerate(options) if not option), len(options))
    options = [*options[:filled], options[filled] if filled < len(options) else ""]
    value = stored[0] if len(stored) else UNDEFINED
    named = [str(option) for option in options if option]
    if (value is None or value is UNDEFINED) and named:
        value = named[0]
    chosen = next((number for number, option in enumerate(options) if option == value), -1)
    placed = [choice, index, *(custom_option(number + 1) for number in range(len(options)))]
    return placed, [value, chosen, *options]


# --- Links ------------------------------------------------------------------------------------------------------


def restore_inputs(live: LiveNode, layout: Layout) -> None:
    """Set `inputs` of a real node: the linked sockets, matched by name, in the order of its class."""
    linked = {slot.name: slot for slot in live.node.inputs}
    if not any(slot.link is not None for slot in linked.values()):
        return
    if layout.growing:
        _grown_inputs(live, layout, linked)
        return
    known: list[tuple[int, LiveInput]] = []
    extra: list[LiveInput] = []
    for slot in live.node.inputs:
        index = layout.by_socket.get(slot.name)
        if index is None:
            _add_extra(live, slot, extra)
        elif slot.link is not None and linked[slot.name] is slot:
            known.append((index, live_input(layout.sockets[index], slot.link)))
    known.sort(key=lambda entry: entry[0])
    live.inputs = [entry for _, entry in known] + extra


def _grown_inputs(live: LiveNode, layout: Layout, linked: Mapping[str, InputSlot]) -> None:
    names = [name for name, slot in linked.items() if slot.link is not None]
    sockets = grown_sockets(layout, choices_of(live), names)
    known = {socket.name for socket in sockets}
    live.inputs = [
        live_input(socket, slot.link)
        for socket in sockets
        if (slot := linked.get(socket.name)) is not None and slot.link is not None
    ]
    extra: list[LiveInput] = []
    for slot in live.node.inputs:
        # Sockets of choices not taken are gone; a gap in an autogrow list is kept.
        if slot.name not in known and not slot.name.startswith(live.chosen):
            _add_extra(live, slot, extra)
    live.inputs.extend(extra)
    for spec in layout.inputs:
        if spec.autogrow is not None and any(item.match for item in spec.autogrow.inputs):
            _close_gaps(live, spec)


def _close_gaps(live: LiveNode, spec: InputSpec) -> None:
    """Links of an autogrow list of match types move down to the first sockets; those of other lists stay."""
    grow = spec.autogrow
    assert grow is not None
    prefix = f"{spec.name}."
    members = [entry for entry in live.inputs if entry.name.startswith(prefix)]
    if len(grow.inputs) != 1:
        return
    members.sort(key=lambda entry: (len(entry.name), entry.name))
    for ordinal, entry in enumerate(members):
        entry.name = grow.slot_name(spec.name, ordinal, grow.inputs[0])
        entry.match = entry.match or grow.inputs[0].match


def _add_extra(live: LiveNode, slot: InputSlot, extra: list[LiveInput]) -> None:
    """Inputs that the class does not have are kept, unless they stand for a widget that it does not have either."""
    if slot.link is not None and (slot.widget is None or live.has_widget(slot.widget)):
        extra.append(LiveInput(slot.name, slot.type, slot.link, slot.widget))


def choices_of(live: LiveNode) -> dict[str, Any]:
    """The values of a node's dynamic combos."""
    return {widget.name: value for widget, value in zip(live.widgets, live.values, strict=True) if widget.children}


def all_inputs(live: LiveNode) -> list[LiveInput]:
    """Every socket of a node, linked or not, in slot order: what bypassing chooses from."""
    live.graph.budget.spend(len(live.inputs) + len(live.widgets))
    if live.layout is None:
        return live.inputs
    linked = {entry.name: entry for entry in live.inputs}
    sockets = (
        grown_sockets(live.layout, choices_of(live), tuple(linked)) if live.layout.growing else live.layout.sockets
    )
    inputs = [linked.get(socket.name) or live_input(socket, None) for socket in sockets]
    known = {socket.name for socket in sockets}
    inputs.extend(entry for entry in live.inputs if entry.name not in known)
    return inputs


def socket_of_widget(live: LiveNode, widget: str) -> LiveInput | None:
    """The socket that stands for a widget, linked or not; not yet in `inputs` when it is not linked."""
    return next((entry for entry in all_inputs(live) if entry.widget == widget), None)


# --- Unknown types ----------------------------------------------------------------------------------------------


def restore_unknown(live: LiveNode) -> None:
    """A node of a type nobody knows: its file's inputs, and its values under made-up names."""
    live.inputs = [LiveInput(slot.name, slot.type, slot.link, slot.widget) for slot in live.node.inputs]
    stored = live.node.widgets_values
    if isinstance(stored, Mapping) and not isinstance(stored.get("length"), int):
        stored = None
    widgets: list[WidgetSpec] = []
    for value in stored_values(stored):
        name = f"UNKNOWN_{len(widgets)}" if widgets else "UNKNOWN"
        widgets.append(WidgetSpec(name, "text"))
        live.values.append(value if isinstance(value, str | int | float) else js_json(value))
    live.widgets = widgets
