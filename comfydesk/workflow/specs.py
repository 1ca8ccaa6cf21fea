"""Node classes as typed values, out of their entries in object_info.

Classes declare inputs in two dialects (V1: `[["a", "b"], {...}]`, V3: `["COMBO", {"options": [...]}]`, dynamic combos,
autogrow, match types); both end up as the same InputSpec. Junk in a declaration (custom nodes declare anything) makes a
poorer spec, never an error. Source: ComfyUI 0.33.0 and its frontend 1.49.6.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from comfydesk.workflow.folders import model_folder
from comfydesk.workflow.loose import as_list, as_mapping, as_text

COMBO = "COMBO"
DYNAMIC_COMBO = "COMFY_DYNAMICCOMBO_V3"
AUTOGROW = "COMFY_AUTOGROW_V3"
MATCH_TYPE = "COMFY_MATCHTYPE_V3"

WIDGET_TYPES = frozenset(
    {
        *("INT", "FLOAT", "BOOLEAN", "STRING", "MARKDOWN", "COMBO", "COLOR", "COLORS", "BOUNDING_BOX"),
        *("BOUNDING_BOXES", "CURVE", "RANGE", "PAINTER", "COMPOSITOR", "IMAGECOMPARE", "TEXTAREA", "CHART"),
        *("GALLERIA", "VIDEO_EDIT", "IMAGEUPLOAD", DYNAMIC_COMBO),
        *("AUDIO_UI", "AUDIOUPLOAD", "AUDIO_RECORD", "WEBCAM", "LOAD_3D", "LOAD_3D_ADVANCED", "PREVIEW_3D"),
    }
)
"""Types that show an editor in the node. Everything else is a socket only."""


class Section(StrEnum):
    REQUIRED = "required"
    OPTIONAL = "optional"
    HIDDEN = "hidden"
    """Filled in by the server."""


@dataclass(frozen=True, slots=True)
class InputSpec:
    """One declared input. `name` is the key in the API graph, dotted inside dynamic combos ("resize_type.width")."""

    name: str
    type: str
    """"INT", "IMAGE", "FLOAT,INT", … A list of choices is "COMBO"; a match type is its allowed types."""
    section: Section
    options: Mapping[str, Any]
    """The declaration's own options, as they are."""
    choices: tuple[Any, ...] = ()
    """Of a combo; the keys of a dynamic combo."""
    children: Mapping[str, tuple["InputSpec", ...]] = field(default_factory=dict)
    """Of a dynamic combo: choice → the inputs that come with it."""
    autogrow: "Autogrow | None" = None
    folder: str = ""
    """The pod's model folder whose files are the choices ("checkpoints", "loras"), or ""."""

    @property
    def widget_type(self) -> str:
        """The type that decides on the editor."""
        declared = self.options.get("widgetType")
        return declared if isinstance(declared, str) and declared else self.type

    @property
    def is_widget(self) -> bool:
        """It has an editor, and so a value of its own; otherwise it can only be linked."""
        return self.widget_type in WIDGET_TYPES and not self.options.get("forceInput")

    @property
    def optional(self) -> bool:
        return self.section is Section.OPTIONAL

    @property
    def match(self) -> str:
        """The group of inputs and outputs that share this match type, or ""."""
        template = self.options.get("template")
        match = template.get("template_id") if isinstance(template, dict) else None
        return match if isinstance(match, str) else ""

    @property
    def default(self) -> Any:
        """The value a new node has; None where the declaration implies none (a combo without choices)."""
        declared = self.options.get("default")
        if self.type in (COMBO, DYNAMIC_COMBO):
            if self.type == COMBO and declared:
                return declared
            return self.choices[0] if self.choices else None
        if declared is None:
            return _PLAIN_DEFAULTS.get(self.widget_type)
        return declared

    @property
    def minimum(self) -> float | int | None:
        return self._number("min")

    @property
    def maximum(self) -> float | int | None:
        return self._number("max")

    @property
    def step(self) -> float | int | None:
        return self._number("step")

    @property
    def round(self) -> float | int | None:
        return self._number("round")

    @property
    def multiline(self) -> bool:
        return bool(self.options.get("multiline"))

    @property
    def dynamic_prompts(self) -> bool:
        """`{a|b}` in the text is drawn anew for each run."""
        return self.options.get("dynamicPrompts") is True

    @property
    def tooltip(self) -> str:
        return self._text("tooltip")

    @property
    def label(self) -> str:
        """What the frontend shows instead of the name, or ""."""
        return self._text("display_name")

    @property
    def hidden(self) -> bool:
        """Not shown, yet it has a value that is stored and sent."""
        return bool(self.options.get("hidden"))

    @property
    def upload(self) -> str:
        """What kind of file can be uploaded into this combo: "image", "video", "audio", "model3d", or ""."""
        options = self.options
        if options.get("video_upload"):
            return "video"
        if options.get("image_upload") or options.get("animated_image_upload"):
            return "image"
        if options.get("audio_upload"):
            return "audio"
        return "model3d" if options.get("mesh_upload") or options.get("file_upload") else ""

    @property
    def control_after_generate(self) -> str | None:
        """The seed policy a new node starts with ("randomize"), or None when the value stays until edited."""
        declared = self.options.get("control_after_generate")
        if self.widget_type == "INT":
            if declared is None and self.name in ("seed", "noise_seed"):
                return "randomize"
            fallback = "randomize"
        elif self.widget_type in ("FLOAT", COMBO):
            fallback = "randomize" if self.widget_type == COMBO else "fixed"
        else:
            return None
        if not declared:
            return None
        return declared if isinstance(declared, str) and self.widget_type != "FLOAT" else fallback

    def _number(self, key: str) -> float | int | None:
        value = self.options.get(key)
        return value if isinstance(value, int | float) and not isinstance(value, bool) else None

    def _text(self, key: str) -> str:
        value = self.options.get(key)
        return value if isinstance(value, str) else ""


_PLAIN_DEFAULTS: Mapping[str, Any] = {"INT": 0, "FLOAT": 0, "BOOLEAN": False, "STRING": "", "COLOR": "#000000"}


@dataclass(frozen=True, slots=True)
class Autogrow:
    """A group of sockets that grows as it is linked. Slot n of `images` is "images.image0" and so on."""

    inputs: tuple[InputSpec, ...]
    """One group, with undotted names."""
    minimum: int
    maximum: int
    prefix: str
    names: tuple[str, ...] | None
    """Fixed names instead of prefix and number."""

    def slot_name(self, group: str, ordinal: int, item: InputSpec) -> str:
        """The name of one socket."""
        if self.names is not None:
            base = self.names[ordinal] if ordinal < len(self.names) else f"{ordinal}"
        else:
            base = f"{self.prefix if len(self.inputs) == 1 else item.name}{ordinal}"
        return f"{group}.{base}"


@dataclass(frozen=True, slots=True)
class OutputSpec:
    name: str
    type: str
    """"*" for an output that takes the type of a matching input."""
    is_list: bool = False
    tooltip: str = ""
    match: str = ""
    """The group of inputs whose type it takes."""


@dataclass(frozen=True, slots=True)
class NodeSpec:
    """A node class."""

    name: str
    display_name: str
    category: str
    description: str
    inputs: tuple[InputSpec, ...]
    """In the order of the node's editors; hidden ones last."""
    outputs: tuple[OutputSpec, ...]
    output_node: bool
    """It saves or shows something: what a run is for."""
    python_module: str = ""
    """"nodes", "comfy_extras.…", "comfy_api_nodes.…", "custom_nodes.<pack>"."""
    api_node: bool = False
    """Calls a paid service; needs a login."""
    deprecated: bool = False
    experimental: bool = False

    def input(self, name: str) -> InputSpec | None:
        """The input of that name, also inside dynamic combos ("resize_type.width"; the first choice that has it)."""
        return _find(self.inputs, name)


# --- Reading declarations ---------------------------------------------------------------------------------------


def node_spec(name: str, raw: Mapping[str, Any]) -> NodeSpec:
    """One class out of its object_info entry."""
    display_name = raw.get("display_name")
    return NodeSpec(
        name=name,
        display_name=display_name if isinstance(display_name, str) and display_name else name,
        category=as_text(raw.get("category")),
        description=as_text(raw.get("description")),
        inputs=_inputs(name, raw),
        outputs=_outputs(raw),
        output_node=bool(raw.get("output_node")),
        python_module=as_text(raw.get("python_module")),
        api_node=bool(raw.get("api_node")),
        deprecated=bool(raw.get("deprecated")),
        experimental=bool(raw.get("experimental")),
    )


def _inputs(node: str, raw: Mapping[str, Any]) -> tuple[InputSpec, ...]:
    declared = as_mapping(raw.get("input"))
    specs: dict[str, InputSpec] = {}
    for section in (Section.REQUIRED, Section.OPTIONAL):
        for name, entry in as_mapping(declared.get(section)).items():
            specs[name] = input_spec(node, name, entry, section)
    order = raw.get("input_order")
    ordered = []
    if isinstance(order, Mapping):
        for section in (Section.REQUIRED, Section.OPTIONAL):
            names = order.get(section)
            for name in names if isinstance(names, list) else ():
                spec = specs.get(name) if isinstance(name, str) else None
                if spec is not None and spec.section is section:
                    ordered.append(specs.pop(spec.name))
    ordered.extend(specs.values())
    for name, entry in as_mapping(declared.get(Section.HIDDEN)).items():
        ordered.append(input_spec(node, name, entry, Section.HIDDEN))
    return tuple(ordered)


def input_spec(node: str, name: str, entry: Any, section: Section, prefix: str = "", depth: int = 0) -> InputSpec:
    """One input out of its `[type, options]`. `prefix` ("resize_type.") is put before its name."""
    parts = entry if isinstance(entry, list) else [entry]
    declared_type = parts[0] if parts else None
    options = as_mapping(parts[1]) if len(parts) > 1 else {}
    full_name = prefix + name
    if isinstance(declared_type, list):
        return InputSpec(full_name, COMBO, section, options, tuple(declared_type), folder=model_folder(node, name))
    if not isinstance(declared_type, str):
        return InputSpec(full_name, "UNKNOWN", section, options)
    if declared_type == COMBO:
        choices = options.get("options")
        return InputSpec(
            *(full_name, COMBO, section, options, tuple(choices) if isinstance(choices, list) else ()),
            folder=model_folder(node, name),
        )
    if depth < _MAX_DYNAMIC_DEPTH:
        if declared_type == DYNAMIC_COMBO:
            children = _children(node, full_name, options, depth)
            return InputSpec(full_name, DYNAMIC_COMBO, section, options, tuple(children), children)
        if declared_type == AUTOGROW:
            return InputSpec(full_name, AUTOGROW, section, options, autogrow=_autogrow(node, options, depth))
    if declared_type == MATCH_TYPE:
        allowed = as_mapping(options.get("template")).get("allowed_types")
        return InputSpec(full_name, allowed if isinstance(allowed, str) else "*", section, options)
    return InputSpec(full_name, declared_type, section, options)


_MAX_DYNAMIC_DEPTH = 8
"""Dynamic combos inside dynamic combos; real ones nest three deep."""


def _children(node: str, name: str, options: Mapping[str, Any], depth: int) -> dict[str, tuple[InputSpec, ...]]:
    children = {}
    for option in as_list(options.get("options")):
        key = as_mapping(option).get("key")
        if isinstance(key, str):
            children[key] = tuple(_section_specs(node, as_mapping(option).get("inputs"), f"{name}.", depth + 1))
    return children


def _autogrow(node: str, options: Mapping[str, Any], depth: int) -> Autogrow:
    template = as_mapping(options.get("template"))
    names = template.get("names")
    named = tuple(name for name in names if isinstance(name, str)) if isinstance(names, list) else None
    return Autogrow(
        inputs=tuple(_section_specs(node, template.get("input"), "", depth + 1)),
        minimum=_count(template.get("min"), 1),
        maximum=len(named) if named is not None else _count(template.get("max"), 100),
        prefix=as_text(template.get("prefix")),
        names=named,
    )


def _section_specs(node: str, declared: Any, prefix: str, depth: int) -> Iterator[InputSpec]:
    for section in (Section.REQUIRED, Section.OPTIONAL):
        for name, entry in as_mapping(as_mapping(declared).get(section)).items():
            yield input_spec(node, name, entry, section, prefix, depth)


def _outputs(raw: Mapping[str, Any]) -> tuple[OutputSpec, ...]:
    names, lists = as_list(raw.get("output_name")), as_list(raw.get("output_is_list"))
    tooltips, matches = as_list(raw.get("output_tooltips")), as_list(raw.get("output_matchtypes"))
    outputs = []
    for index, declared in enumerate(as_list(raw.get("output"))):
        output_type = COMBO if isinstance(declared, list) else as_text(declared) or "*"
        outputs.append(
            OutputSpec(
                name=as_text(names[index]) if index < len(names) else "",
                type="*" if output_type == MATCH_TYPE else output_type,
                is_list=bool(lists[index]) if index < len(lists) else False,
                tooltip=as_text(tooltips[index]) if index < len(tooltips) else "",
                match=as_text(matches[index]) if index < len(matches) else "",
            )
        )
    return tuple(outputs)


def _find(inputs: tuple[InputSpec, ...], name: str) -> InputSpec | None:
    for spec in inputs:
        if spec.name == name:
            return spec
        if spec.children and name.startswith(f"{spec.name}."):
            for children in spec.children.values():
                found = _find(children, name)
                if found is not None:
                    return found
    return None


def _count(value: Any, fallback: int) -> int:
    return int(value) if isinstance(value, int | float) and 0 <= value <= 10_000 else fallback
