"""Graph + catalog → the form: which of the hundreds of inputs a person wants to touch.

First what the author chose (App Mode, promoted widgets, names), then what the graph says (`roles`), and everything
else behind "All inputs", by node.
"""

import random
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from comfydesk.workflow import media_types
from comfydesk.workflow.author import WITHIN, AuthorHints, author_hints
from comfydesk.workflow.catalog import Catalog, InputSpec
from comfydesk.workflow.convert import to_api
from comfydesk.workflow.fields import Field, Form, Kind, Role
from comfydesk.workflow.flow import FieldKey, Flow
from comfydesk.workflow.graph import ApiGraph, UiGraph
from comfydesk.workflow.pinning import Candidate, pinned_keys
from comfydesk.workflow.roles import assign_roles
from comfydesk.workflow.specs import COMBO, DYNAMIC_COMBO
from comfydesk.workflow.textvalues import dynamic_prompt
from comfydesk.workflow.titles import role_of_title


def build_form(graph: UiGraph | ApiGraph, catalog: Catalog, *, api: ApiGraph | None = None) -> Form:
    """The form of a workflow. Raises GraphError for a graph that cannot be converted.

    `api` is what `graph` was converted to, if that is at hand. Every field is a literal input of it: `patch` finds
    it by the field's id. Pinned fields come first, at most MAX_PINNED.
    """
    api = api or to_api(graph, catalog)
    builder = _Builder(Flow(api, catalog), author_hints(graph, api, catalog))
    return Form(tuple(builder.fields()))


def sendable(form: Form, values: Mapping[str, Any], rng: random.Random) -> dict[str, Any]:
    """`values` (field id → value) made ready for `patch`, for one run.

    "{a|b}" is drawn in texts that do so, also where the user left the author's; inputs that share a value all get it.
    """
    texts = {entry.id: entry.default for entry in form.fields if entry.dynamic and _draws(entry.default)} | dict(values)
    for entry_id, value in texts.items():
        entry = form.by_id.get(entry_id)
        if entry is not None and entry.dynamic and isinstance(value, str):
            texts[entry_id] = dynamic_prompt(value, rng)
    return form.spread(texts)


def _draws(text: object) -> bool:
    """It leaves something to chance."""
    return isinstance(text, str) and "{" in text and "|" in text


_MODEL_SUFFIXES = (".safetensors", ".sft", ".gguf", ".ckpt", ".pt", ".pth", ".bin", ".onnx")
_KIND_BY_TYPE: Mapping[str, Kind] = {
    "STRING": Kind.TEXT,
    "MARKDOWN": Kind.TEXT,
    "TEXTAREA": Kind.TEXT,
    "INT": Kind.INT,
    "FLOAT": Kind.FLOAT,
    "BOOLEAN": Kind.BOOL,
    "COLOR": Kind.COLOR,
    COMBO: Kind.CHOICE,
    DYNAMIC_COMBO: Kind.CHOICE,
}
_KIND_BY_MEDIA = {
    media_types.IMAGE: Kind.IMAGE,
    media_types.VIDEO: Kind.VIDEO,
    media_types.AUDIO: Kind.AUDIO,
    media_types.MODEL3D: Kind.MODEL3D,
    "model3d": Kind.MODEL3D,
}
_LABELS: Mapping[Role, str] = {
    Role.PROMPT: "Prompt",
    Role.NEGATIVE: "Negative prompt",
    Role.SEED: "Seed",
    Role.STEPS: "Steps",
    Role.CFG: "Guidance",
    Role.SAMPLER: "Sampler",
    Role.SCHEDULER: "Scheduler",
    Role.DENOISE: "Denoise",
    Role.WIDTH: "Width",
    Role.HEIGHT: "Height",
    Role.LENGTH: "Frames",
    Role.FPS: "Frames per second",
    Role.BATCH: "Batch size",
    Role.DURATION: "Duration",
    Role.IMAGE: "Image",
    Role.VIDEO: "Video",
    Role.AUDIO: "Audio",
    Role.MASK: "Mask",
    Role.CHECKPOINT: "Model",
    Role.LORA: "LoRA",
    Role.LORA_STRENGTH: "LoRA strength",
}


class _Builder:
    def __init__(self, flow: Flow, hints: AuthorHints) -> None:
        self._flow = flow
        self._hints = hints
        self._roles = assign_roles(flow)
        self._twins = dict(self._leaders())

    def _leaders(self) -> Iterator[tuple[FieldKey, tuple[FieldKey, ...]]]:
        """Of inputs that share a value the one that gets the field, and the others."""
        for tied in self._hints.ties:
            leader = min(
                tied,
                key=lambda key: (
                    key not in self._roles,
                    not (spec := self._flow.input_spec(*key)) or not spec.is_widget,
                ),
            )
            yield leader, tuple(key for key in tied if key != leader)

    def fields(self) -> Iterator[Field]:
        """The pinned ones in display order, then the others in the graph's."""
        following = {twin for twins in self._twins.values() for twin in twins}
        keys = [key for node_id in self._flow.nodes for key in self._keys(node_id) if key not in following]
        pinned = pinned_keys(self._flow, self._hints, [self._candidate(key) for key in keys])
        labels = self._pinned_labels(pinned)
        for key in pinned:
            yield self._field(key, labels[key], pinned=True)
        shown = set(pinned)
        for key in keys:
            if key not in shown:
                yield self._field(key, self._hints.labels.get(key) or self._name_label(key), pinned=False)

    def _keys(self, node_id: str) -> Iterator[FieldKey]:
        known = self._flow.spec(node_id) is not None
        for name, value in self._flow.literals(node_id):
            # Buttons and helpers of the canvas are sent too, but nobody edits them.
            declared = self._flow.input_spec(node_id, name) is not None
            if declared or (not known and value is not None):
                yield node_id, name

    def _candidate(self, key: FieldKey) -> Candidate:
        spec, value = self._declared(key), self._value(key)
        return Candidate(key, self._roles.get(key), self._kind(key, spec, value), value, self._own_title(key[0]))

    def _field(self, key: FieldKey, label: str, *, pinned: bool) -> Field:
        spec, value, role = self._declared(key), self._value(key), self._roles.get(key)
        kind = self._kind(key, spec, value)
        own = self._flow.input_spec(*key)
        return Field(
            id=f"{key[0]}.{key[1]}",
            label=label,
            kind=kind,
            default=value,
            role=role,
            minimum=spec.minimum if spec else None,
            maximum=spec.maximum if spec else None,
            step=spec.step if spec else None,
            choices=self._choices(key, spec),
            multiline=kind is Kind.TEXT and bool((own and own.multiline) or role in (Role.PROMPT, Role.NEGATIVE)),
            group=self._group(key[0]),
            pinned=pinned,
            tooltip=spec.tooltip if spec else "",
            folder=spec.folder if spec and kind is Kind.MODEL else "",
            dynamic=key in self._hints.raw_texts,
            twins=tuple(f"{node_id}.{name}" for node_id, name in self._twins.get(key, ())),
        )

    def _value(self, key: FieldKey) -> Any:
        raw = self._hints.raw_texts.get(key, "")
        return raw if _draws(raw) else self._flow.nodes[key[0]].inputs[key[1]]

    def _declared(self, key: FieldKey) -> InputSpec | None:
        """The declaration that bounds the value: of a primitive's, that of the first input it feeds."""
        spec = self._flow.input_spec(*key)
        if spec is not None and len(self._flow.nodes[key[0]].inputs) == 1 and spec.name == "value":
            for consumer in self._flow.consumers.get(key[0], ()):
                target = self._flow.input_spec(*consumer)
                if target is not None and target.type == spec.type and target.minimum is not None:
                    return target
        return spec

    def _kind(self, key: FieldKey, spec: InputSpec | None, value: Any) -> Kind:
        if spec is None:
            return self._guessed_kind(key, value)
        if spec.upload:
            return _KIND_BY_MEDIA[spec.upload]
        if spec.folder:
            return Kind.MODEL
        kind = next((_KIND_BY_TYPE[part] for part in spec.widget_type.split(",") if part in _KIND_BY_TYPE), Kind.OTHER)
        if kind is Kind.INT and (self._roles.get(key) is Role.SEED or key[1] in ("seed", "noise_seed")):
            return Kind.SEED
        if kind is Kind.CHOICE and isinstance(value, str) and value.lower().endswith(_MODEL_SUFFIXES):
            return Kind.MODEL
        return kind if not isinstance(value, dict | list) else Kind.OTHER

    def _guessed_kind(self, key: FieldKey, value: Any) -> Kind:
        """Of an input nobody declares: by its value."""
        if isinstance(value, bool):
            return Kind.BOOL
        if isinstance(value, int):
            return Kind.SEED if self._roles.get(key) is Role.SEED else Kind.INT
        if isinstance(value, float):
            return Kind.FLOAT
        if not isinstance(value, str):
            return Kind.OTHER
        media = media_types.of_file(value)
        if media and not any(c in value for c in "\n,;"):
            return _KIND_BY_MEDIA[media]
        return Kind.TEXT

    def _choices(self, key: FieldKey, spec: InputSpec | None) -> tuple[Any, ...]:
        if spec is None or spec.type not in (COMBO, DYNAMIC_COMBO):
            return ()
        if spec.choices:
            return spec.choices
        # CustomCombo keeps the choices of its author beside the chosen one.
        inputs = self._flow.nodes[key[0]].inputs
        return tuple(text for name, text in inputs.items() if name.startswith("option") and text)

    # --- Words ---

    def _own_title(self, node_id: str) -> str:
        """What the author called a node; "" if it is just the class's name."""
        title = self._hints.titles.get(node_id, "")
        spec, class_type = self._flow.spec(node_id), self._flow.nodes[node_id].class_type
        default = (class_type, spec.display_name if spec else "", *_STALE_TITLES)
        return "" if title in default else title

    def _group(self, node_id: str) -> str:
        spec, node = self._flow.spec(node_id), self._flow.nodes[node_id]
        title = self._hints.titles.get(node_id) or node.title or (spec.display_name if spec else node.class_type)
        outer = self._hints.groups.get(node_id)
        return f"{outer}{WITHIN}{title}" if outer else title

    def _name_label(self, key: FieldKey) -> str:
        spec = self._flow.input_spec(*key)
        if spec is not None and spec.label:
            return spec.label
        return _readable(key[1].rpartition(".")[2])

    def _pinned_labels(self, pinned: Iterable[FieldKey]) -> dict[FieldKey, str]:
        """Labels that tell pinned fields apart."""
        labels: dict[FieldKey, str] = {}
        for key in pinned:
            labels[key] = self._pinned_label(key)
        taken: dict[str, list[FieldKey]] = {}
        for key, label in labels.items():
            taken.setdefault(label.lower(), []).append(key)
        for keys in taken.values():
            if len(keys) > 1:
                titles = [_inner(self._own_title(key[0])) for key in keys]
                distinct = len(set(titles)) == len(keys) and all(titles)
                for number, (key, title) in enumerate(zip(keys, titles, strict=True), 1):
                    labels[key] = _told_apart(labels[key], title if distinct else "", number)
        return labels

    def _pinned_label(self, key: FieldKey) -> str:
        author = self._hints.labels.get(key)
        role = self._roles.get(key)
        meant = role_of_title(author) if author else None
        if author and author.lower() not in _BLAND and (role is None or meant in (None, role)):
            return _readable(author)
        if role in (Role.IMAGE, Role.VIDEO, Role.AUDIO):
            use = self._use(key[0], role)
            if use:
                return use
        if role is not None:
            return _LABELS[role]
        title = self._own_title(key[0])
        if title and key[1] in ("value", "choice", "text", "string"):
            return _inner(title)
        return self._name_label(key)

    def _use(self, node_id: str, role: Role) -> str:
        """What a loaded file is used for: "Start image", by the first telling input on its way as that medium."""
        seen, front = {node_id}, [node_id]
        for _ in range(5):
            consumers = [pair for origin in front for pair in self._flow.consumers.get(origin, ())]
            for consumer, name in consumers:
                plain = name.rpartition(".")[2]
                wire = self._flow.input_type(consumer, name)
                if wire == role.value.upper() and any(word in plain.lower().split("_") for word in _USES):
                    return _readable(plain)
            front = [
                consumer
                for consumer, _ in consumers
                if consumer not in seen and role.value.upper() in self._flow.output_types(consumer)
            ]
            seen.update(front)
        return ""


def _told_apart(label: str, title: str, number: int) -> str:
    """`label` made unique by what the author called the node, else by a number."""
    if not title or title.lower() == label.lower():
        return f"{label} {number}"
    return title if label.lower() in title.lower() else f"{label}: {title}"


def _inner(title: str) -> str:
    """ "Boolean (Enable LoRA)" as "Enable LoRA": authors keep the class's name in front."""
    match = re.fullmatch(r"[^()]*\((?:\w+ - )?([^()]+)\)\s*", title)
    return _readable(match[1] if match else title.removeprefix("Load ").removeprefix("Upload "))


def _readable(name: str) -> str:
    """ "aspect_ratio:" as "Aspect ratio"."""
    text = name.strip().rstrip(":").strip()
    text = text if " " in text else text.replace("_", " ")
    return text[:1].upper() + text[1:]


_BLAND = frozenset({"text", "value", "string", "prompt", "string_a", "string_b"})
_USES = frozenset(
    "start first end last reference control pose style depth background character face driving ref".split()  # noqa: SIM905
)
_STALE_TITLES = ("CLIP Text Encode (Prompt)", "Load Checkpoint")
