"""All widgets and sockets of a node class, and how they grow with values and links. Source: frontend 1.49.6."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from comfydesk.workflow.specs import AUTOGROW, COMBO, DYNAMIC_COMBO, InputSpec, NodeSpec, Section
from comfydesk.workflow.widgets import CUSTOM_COMBO, WidgetSpec, custom_option, widgets_of

_AUDIO_PLAYERS = frozenset(
    {"LoadAudio", "SaveAudio", "PreviewAudio", "SaveAudioMP3", "SaveAudioOpus", "SaveAudioAdvanced"}
)


@dataclass(frozen=True, slots=True)
class SocketSpec:
    """One place where a link may end."""

    name: str
    type: str
    widget: str | None = None
    """The widget it stands for."""
    optional: bool = False
    match: str = ""
    """The group of sockets and outputs that share one type."""


@dataclass(frozen=True, slots=True)
class Layout:
    """All widgets and sockets of a class."""

    widgets: tuple[WidgetSpec, ...]
    """At the top level; those inside dynamic combos are in `children`."""
    sockets: tuple[SocketSpec, ...]
    """Those of the inputs that are there whatever the values: without children of dynamic combos and autogrow."""
    by_socket: Mapping[str, int]
    """Name → index into `sockets`."""
    inputs: tuple[InputSpec, ...]
    """The class's inputs and those that the frontend adds, in widget order."""
    defaults: tuple[Any, ...]
    """Of `widgets`."""
    places: tuple[int, ...]
    """Indices into `widgets` of the stored ones."""
    growing: bool
    """It has dynamic combos or autogrow: sockets depend on values and links."""
    branching: bool
    """It has dynamic combos: widgets depend on values."""
    dummies: tuple[bool, ...]
    """Of a file older than frontend 1.16: which of its stored values belong to inputs that are no widgets any more.
    Empty when the class has no such inputs."""


def layout_of(spec: NodeSpec) -> Layout:
    """The layout of a class."""
    inputs = (*(entry for entry in spec.inputs if entry.section is not Section.HIDDEN), *_added_inputs(spec))
    if spec.name == "Load3DAdvanced":
        inputs = tuple(
            replace(entry, type="LOAD_3D_ADVANCED") if entry.type == "LOAD_3D" else entry for entry in inputs
        )
    widgets = tuple(widget for entry in inputs for widget in widgets_of(spec.name, entry))
    widgets += tuple(_added_widgets(spec.name))
    sockets = tuple(socket for entry in _socket_order(inputs) if (socket := socket_of(entry)) is not None)
    return Layout(
        widgets=widgets,
        sockets=sockets,
        inputs=inputs,
        by_socket={socket.name: index for index, socket in enumerate(sockets)},
        defaults=tuple(widget.default for widget in widgets),
        places=tuple(index for index, widget in enumerate(widgets) if widget.stored),
        growing=any(entry.type in (AUTOGROW, DYNAMIC_COMBO) for entry in inputs),
        branching=any(widget.children for widget in widgets),
        dummies=_dummies(inputs, widgets),
    )


def _added_inputs(spec: NodeSpec) -> Iterator[InputSpec]:
    """Inputs that the frontend's own extensions declare on top. They follow the class's own, optional ones too."""
    required = [entry for entry in spec.inputs if entry.section is Section.REQUIRED]
    if spec.name in _AUDIO_PLAYERS:
        yield InputSpec("audioUI", "AUDIO_UI", Section.REQUIRED, {})
    if any(entry.type == COMBO and entry.upload in ("image", "video") for entry in required):
        yield InputSpec("upload", "IMAGEUPLOAD", Section.REQUIRED, {})
    elif any(entry.name == "audio" and entry.options.get("audio_upload") is True for entry in required):
        yield InputSpec("upload", "AUDIOUPLOAD", Section.REQUIRED, {})
    if spec.name in ("Preview3D", "SaveGLB"):
        yield InputSpec("image", "PREVIEW_3D", Section.REQUIRED, {})


def _added_widgets(node: str) -> Iterator[WidgetSpec]:
    """Widgets that stand for no input."""
    if node in ("PreviewAny", "SaveText"):
        yield WidgetSpec("preview_text", "textPreview", "", stored=False, sent=False)
        yield WidgetSpec("preview_mode", "toggle", False, stored=False, sent=False)
    elif node == "WebcamCapture":
        yield WidgetSpec("waiting for camera...", "button", "capture")
    elif node == CUSTOM_COMBO:
        yield WidgetSpec("index", "hidden", 0, hidden=True)
        yield custom_option(1)


def _socket_order(inputs: tuple[InputSpec, ...]) -> list[InputSpec]:
    """Sockets without a widget come first."""
    return sorted(inputs, key=lambda entry: entry.is_widget)


def socket_of(spec: InputSpec) -> SocketSpec | None:
    """The socket of an input; None for autogrow, which has many. (`socketless` does not keep the frontend from it.)"""
    if spec.type == AUTOGROW:
        return None
    return SocketSpec(spec.name, spec.type, spec.name if spec.is_widget else None, spec.optional, spec.match)


def _dummies(inputs: tuple[InputSpec, ...], widgets: tuple[WidgetSpec, ...]) -> tuple[bool, ...]:
    if not any(entry.options.get("forceInput") for entry in inputs):
        return ()
    names = {widget.name for widget in widgets}
    flags: list[bool] = []
    for entry in sorted(inputs, key=lambda entry: entry.optional):
        forced = bool(entry.options.get("forceInput"))
        if forced or entry.name in names:
            flags.append(forced)
            if entry.options.get("control_after_generate"):
                flags.append(False)
    return tuple(flags)


def grown_sockets(layout: Layout, choices: Mapping[str, Any], linked: Iterable[str]) -> list[SocketSpec]:
    """All sockets of one node. `choices`: values of its dynamic combos; `linked`: names of linked inputs."""
    sockets: list[SocketSpec] = []
    names = tuple(linked)
    for entry in _socket_order(layout.inputs):
        _grow(entry, choices, names, sockets)
    return sockets


def _grow(spec: InputSpec, choices: Mapping[str, Any], linked: tuple[str, ...], sockets: list[SocketSpec]) -> None:
    if spec.autogrow is not None:
        sockets.extend(autogrow_sockets(spec, linked))
        return
    socket = socket_of(spec)
    if socket is not None:
        sockets.append(socket)
    choice = choices.get(spec.name, spec.choices[0] if spec.choices else None) if spec.children else None
    if isinstance(choice, str):
        for child in spec.children.get(choice, ()):
            _grow(child, choices, linked, sockets)


def autogrow_sockets(spec: InputSpec, linked: tuple[str, ...]) -> Iterator[SocketSpec]:
    """`minimum` groups and one more; a linked group makes room for the next."""
    grow = spec.autogrow
    assert grow is not None
    prefix = f"{spec.name}."
    wanted = [name for name in linked if name.startswith(prefix)]
    last = grow.minimum
    ordinal = 0
    while ordinal <= last and ordinal < grow.maximum:
        for item in grow.inputs:
            name = grow.slot_name(spec.name, ordinal, item)
            if name in wanted:
                last = max(last, ordinal + 1)
            optional = item.optional or ordinal >= grow.minimum
            # In groups of several inputs a placeholder widget, neither stored nor sent, goes with each.
            widget = name if len(grow.inputs) > 1 or item.is_widget else None
            yield SocketSpec(name, item.type, widget, optional, item.match)
        ordinal += 1
