"""The editors ("widgets") and sockets that the frontend gives a node of each class, and the values it starts with.

A workflow file stores the values of a node's widgets as a bare list: what each value means depends on the exact list of
widgets, helpers included (the seed's "control_after_generate", upload buttons, the numbers beside a crop box). Source:
frontend 1.49.6; agrees with its own answers for all classes of ComfyUI 0.33.0.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from comfydesk.workflow.specs import COMBO, DYNAMIC_COMBO, InputSpec


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


# --- Widgets ----------------------------------------------------------------------------------------------------

_SAVERS = frozenset(
    {
        *("SaveImage", "SaveImageAdvanced", "SaveSVGNode", "SaveVideo", "SaveAnimatedWEBP", "SaveWEBM", "SaveAudio"),
        *("SaveAudioMP3", "SaveAudioOpus", "SaveAudioAdvanced", "SaveGLB", "Save3DAdvanced", "SaveGaussianSplat"),
        *("SavePointCloud", "SaveAnimatedPNG", "CLIPSave", "VAESave", "ModelSave", "LoraSave", "SaveLatent"),
    }
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


# --- Several ----------------------------------------------------------------------------------------------------


def chosen_widgets(widgets: Iterable[WidgetSpec], choices: Mapping[str, Any]) -> Iterator[WidgetSpec]:
    """All widgets, those inside dynamic combos at their places. `choices`: name → value, for other than the default."""
    for widget in widgets:
        yield widget
        if widget.children:
            choice = choices.get(widget.name, widget.default)
            if isinstance(choice, str):
                yield from chosen_widgets(widget.children.get(choice, ()), choices)


def custom_option(number: int) -> WidgetSpec:
    """CustomCombo's editor of one of its choices; it grows another one as soon as the last is filled."""
    return WidgetSpec(f"option{number}", "string", "")
