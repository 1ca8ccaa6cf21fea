"""The editors ("widgets") and sockets that the frontend gives a node of each class, and the values it starts with.

A workflow file stores the values of a node's widgets as a bare list: what each value means depends on the exact list of
widgets, helpers included (the seed's "control_after_generate", upload buttons, the numbers beside a crop box). Source:
frontend 1.49.6; agrees with its own answers for all classes of ComfyUI 0.33.0.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from comfydesk.workflow.specs import AUTOGROW, COMBO, DYNAMIC_COMBO, InputSpec, NodeSpec, Section


class Undefined:
    """JavaScript's undefined: no value at all, which leaves no key in JSON. null is None."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "UNDEFINED"

    def __bool__(self) -> bool:
        return False


UNDEFINED: Final = Undefined()


@dataclass(frozen=True, slots=True)
class WidgetSpec:
    """One editor of a node."""

    name: str
    kind: str
    """The frontend's widget type: number, slider, combo, toggle, text, customtext (multiline), button, …"""
    default: Any = UNDEFINED
    stored: bool = True
    """It takes a place in `widgets_values`."""
    sent: bool = True
    """It becomes an input of the API node."""
    choices: tuple[Any, ...] = ()
    spec: InputSpec | None = None
    """The input it edits; None for a helper."""
    dynamic_prompts: bool = False
    replaces_text: bool = False
    """`%date:…%` and `%Node.widget%` in it are filled in when sent."""
    hidden: bool = False
    children: Mapping[str, tuple["WidgetSpec", ...]] = field(default_factory=dict)
    """Of a dynamic combo: choice → the widgets that follow it."""


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
    plain: bool
    """Nothing in its values is computed when they are sent."""
    growing: bool
    """It has dynamic combos or autogrow: sockets depend on values and links."""
    branching: bool
    """It has dynamic combos: widgets depend on values."""
    dummies: tuple[bool, ...]
    """Of a file older than frontend 1.16: which of its stored values belong to inputs that are no widgets any more.
    Empty when the class has no such inputs."""


# --- Widgets ----------------------------------------------------------------------------------------------------

_SAVERS = frozenset(
    {
        *("SaveImage", "SaveImageAdvanced", "SaveSVGNode", "SaveVideo", "SaveAnimatedWEBP", "SaveWEBM", "SaveAudio"),
        *("SaveAudioMP3", "SaveAudioOpus", "SaveAudioAdvanced", "SaveGLB", "Save3DAdvanced", "SaveGaussianSplat"),
        *("SavePointCloud", "SaveAnimatedPNG", "CLIPSave", "VAESave", "ModelSave", "LoraSave", "SaveLatent"),
    }
)
_AUDIO_PLAYERS = frozenset(
    {"LoadAudio", "SaveAudio", "PreviewAudio", "SaveAudioMP3", "SaveAudioOpus", "SaveAudioAdvanced"}
)
_VIEWPORTS = frozenset(
    {
        *("Preview3DAdvanced", "Save3DAdvanced", "PreviewGaussianSplat", "PreviewPointCloud"),
        *("SaveGaussianSplat", "SavePointCloud"),
    }
)
_HIDDEN = frozenset({("SaveVideo", "codec"), ("CreateBoundingBoxes", "last_incoming"), ("Painter", "bg_color")})
CUSTOM_COMBO: Final = "CustomCombo"
CONTROL_MODES = ("fixed", "increment", "decrement", "randomize")


def widgets_of(node: str, spec: InputSpec) -> tuple[WidgetSpec, ...]:
    """The widgets of one input: usually one; its helpers follow it."""
    maker = _MAKERS.get(spec.widget_type)
    if maker is None or not spec.is_widget:
        return ()
    return tuple(maker(node, spec))


def _plain(kind: str, default: Any = UNDEFINED) -> Callable[[str, InputSpec], Iterator[WidgetSpec]]:
    def make(node: str, spec: InputSpec) -> Iterator[WidgetSpec]:
        declared = spec.options.get("default")
        yield _widget(node, spec, kind, default if declared is None else declared)

    return make


def _widget(node: str, spec: InputSpec, kind: str, default: Any) -> WidgetSpec:
    return WidgetSpec(
        name=spec.name,
        kind=kind,
        default=default,
        choices=spec.choices,
        spec=spec,
        dynamic_prompts=spec.dynamic_prompts and spec.widget_type == "STRING",
        replaces_text=node in _SAVERS and spec.name == "filename_prefix",
        hidden=spec.hidden or (node, spec.name) in _HIDDEN,
    )


def _number(node: str, spec: InputSpec) -> Iterator[WidgetSpec]:
    display = spec.options.get("display")
    shown = ("slider", "knob", "gradientslider") if spec.widget_type == "FLOAT" else ("slider", "knob")
    declared = spec.options.get("default")
    yield _widget(node, spec, str(display) if display in shown else "number", 0 if declared is None else declared)
    yield from _control(spec, filtered=False)


def _string(node: str, spec: InputSpec) -> Iterator[WidgetSpec]:
    declared = spec.options.get("default")
    yield _widget(node, spec, "customtext" if spec.multiline else "text", "" if declared is None else declared)


def _combo(node: str, spec: InputSpec) -> Iterator[WidgetSpec]:
    remote = spec.options.get("remote")
    default = spec.options.get("default") or (
        spec.choices[0] if spec.choices else "Loading..." if remote else "" if node == CUSTOM_COMBO else UNDEFINED
    )
    if spec.options.get("multi_select"):
        yield _widget(node, spec, "custom", [])
    else:
        yield _widget(node, spec, "combo", default)
        if remote:
            yield WidgetSpec("Auto-refresh after generation", "toggle", False, sent=False)
            if isinstance(remote, dict) and remote.get("refresh_button"):
                # The button's value is sent too: "refresh": "refresh".
                yield WidgetSpec("refresh", "button", "refresh")
    yield from _control(spec, filtered=True)


def _control(spec: InputSpec, *, filtered: bool) -> Iterator[WidgetSpec]:
    """The widget that says what happens to the value after a run."""
    mode = spec.control_after_generate
    if mode is None:
        return
    prefix = spec.options.get("control_prefix")
    name = f"{prefix} control_after_generate" if prefix else "control_after_generate"
    declared = spec.options.get("control_after_generate")
    if isinstance(declared, str):
        name = declared  # the mode doubles as the name, an oddity of PrimitiveInt's "fixed"
    modes = (*CONTROL_MODES, "increment-wrap") if filtered else CONTROL_MODES
    yield WidgetSpec(name, "combo", mode, sent=False, choices=modes)
    if filtered:
        name = f"{prefix} control_filter_list" if prefix else "control_filter_list"
        yield WidgetSpec(name, "string", "", sent=False)


def _dynamic_combo(node: str, spec: InputSpec) -> Iterator[WidgetSpec]:
    children = {
        key: tuple(widget for child in inputs for widget in widgets_of(node, child))
        for key, inputs in spec.children.items()
    }
    default = spec.choices[0] if spec.choices else UNDEFINED
    yield replace(_widget(node, spec, "combo", default), children=children)


def _bounding_box(node: str, spec: InputSpec) -> Iterator[WidgetSpec]:
    box = spec.options.get("default") or {"x": 0, "y": 0, "width": 512, "height": 512}
    kind = "imagecrop" if spec.options.get("component") == "ImageCrop" else "boundingbox"
    yield _widget(node, spec, kind, box)
    for side in ("x", "y", "width", "height"):
        yield WidgetSpec(side, "number", box.get(side) if isinstance(box, dict) else UNDEFINED, sent=False)


def _image_compare(node: str, spec: InputSpec) -> Iterator[WidgetSpec]:
    yield replace(_widget(node, spec, "imagecompare", ["", ""]), stored=False)


def _upload(node: str, spec: InputSpec) -> Iterator[WidgetSpec]:
    value = "image" if spec.widget_type == "IMAGEUPLOAD" else ""
    yield replace(_widget(node, spec, "button", value), sent=False)


def _audio_player(node: str, spec: InputSpec) -> Iterator[WidgetSpec]:
    yield replace(_widget(node, spec, "audioUI", ""), stored=False, sent=False)


def _audio_recorder(node: str, spec: InputSpec) -> Iterator[WidgetSpec]:
    yield _widget(node, spec, "audioUI", "")
    yield WidgetSpec(spec.name, "audiorecord", "", sent=False)


def _load_3d(node: str, spec: InputSpec) -> Iterator[WidgetSpec]:
    if node == "Load3D":
        # Buttons; their values are sent.
        yield WidgetSpec("upload 3d model", "button", "upload3dmodel")
        yield WidgetSpec("upload extra resources", "button", "uploadExtraResources")
        yield WidgetSpec("clear", "button", "clear")
    yield replace(_widget(node, spec, "load3D", ""), name="viewport_state" if node in _VIEWPORTS else "image")


_MAKERS: Mapping[str, Callable[[str, InputSpec], Iterable[WidgetSpec]]] = {
    "INT": _number,
    "FLOAT": _number,
    "BOOLEAN": _plain("toggle", False),
    "STRING": _string,
    "MARKDOWN": _plain("MARKDOWN", ""),
    COMBO: _combo,
    DYNAMIC_COMBO: _dynamic_combo,
    "COLOR": _plain("color", "#000000"),
    "COLORS": _plain("colors", []),
    "BOUNDING_BOX": _bounding_box,
    "BOUNDING_BOXES": _plain("boundingboxes", []),
    "CURVE": _plain("curve", {"points": [[0, 0], [1, 1]], "interpolation": "monotone_cubic"}),
    "RANGE": _plain("range", {"min": 0.0, "max": 1.0}),
    "PAINTER": _plain("painter", ""),
    "COMPOSITOR": _plain("compositor", {}),
    "IMAGECOMPARE": _image_compare,
    "TEXTAREA": _plain("textarea", ""),
    "CHART": _plain("chart", {}),
    "GALLERIA": _plain("galleria", []),
    "VIDEO_EDIT": _plain(
        "videoedit", {"trim": {"start_time": 0, "duration": 0}, "crop": {"x": 0, "y": 0, "width": 0, "height": 0}}
    ),
    "IMAGEUPLOAD": _upload,
    "AUDIOUPLOAD": _upload,
    "AUDIO_UI": _audio_player,
    "AUDIO_RECORD": _audio_recorder,
    "WEBCAM": _plain("WEBCAM", ""),
    "LOAD_3D": _load_3d,
    "LOAD_3D_ADVANCED": _plain("load3DAdvanced", ""),
    "PREVIEW_3D": _plain("load3D", ""),
}


# --- Layouts ----------------------------------------------------------------------------------------------------


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
        plain=not any(widget.dynamic_prompts or widget.replaces_text for widget in widgets),
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


def custom_option(number: int) -> WidgetSpec:
    """CustomCombo's editor of one of its choices; it grows another one as soon as the last is filled."""
    return WidgetSpec(f"option{number}", "string", "")


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


def chosen_widgets(widgets: Iterable[WidgetSpec], choices: Mapping[str, Any]) -> Iterator[WidgetSpec]:
    """All widgets, those inside dynamic combos at their places. `choices`: name → value, for other than the default."""
    for widget in widgets:
        yield widget
        if widget.children:
            choice = choices.get(widget.name, widget.default)
            if isinstance(choice, str):
                yield from chosen_widgets(widget.children.get(choice, ()), choices)


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
