"""What a form is made of: the inputs of a workflow that a person may set, as plain values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """Which editor a field wants."""

    TEXT = "text"
    INT = "int"
    FLOAT = "float"
    BOOL = "bool"
    CHOICE = "choice"
    SEED = "seed"
    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"
    MODEL3D = "model3d"
    """A 3D file to load."""
    MODEL = "model"
    """A checkpoint, LoRA, VAE or the like: a choice among the pod's files of one folder."""
    COLOR = "color"
    OTHER = "other"
    """Anything else (curves, boxes): shown, kept, edited as JSON."""


class Role(StrEnum):
    """What a field means in the graph, whatever node it sits in."""

    PROMPT = "prompt"
    NEGATIVE = "negative"
    SEED = "seed"
    STEPS = "steps"
    CFG = "cfg"
    SAMPLER = "sampler"
    SCHEDULER = "scheduler"
    DENOISE = "denoise"
    WIDTH = "width"
    HEIGHT = "height"
    LENGTH = "length"
    FPS = "fps"
    BATCH = "batch"
    DURATION = "duration"
    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"
    MASK = "mask"
    CHECKPOINT = "checkpoint"
    LORA = "lora"
    LORA_STRENGTH = "lora_strength"


@dataclass(frozen=True, slots=True)
class Field:
    """One input of one node.

    `id` is "<node>.<input>" with the node's id in the API graph ("103:44.text"), and stays the same for as long as
    the workflow does: `patch` finds its input by it. `minimum`, `maximum` and `step` are None where the catalog
    states none; integers may need 64 bits. `choices` is what the pod offers now, in its own spelling.
    """

    id: str
    label: str
    kind: Kind
    default: Any
    role: Role | None = None
    minimum: float | int | None = None
    maximum: float | int | None = None
    step: float | int | None = None
    choices: tuple[Any, ...] = ()
    multiline: bool = False
    group: str = ""
    """Node title or canvas group, for "All inputs"."""
    pinned: bool = False
    """On the form's first screen."""
    tooltip: str = ""
    folder: str = ""
    """Of a model field: the pod's model folder ("checkpoints")."""
    dynamic: bool = False
    """A text in which "{a|b}" is drawn anew for each run (see form.sendable)."""
    twins: tuple[str, ...] = ()
    """Ids of inputs that take the same value and have no field of their own: a widget that feeds several inputs."""


@dataclass(frozen=True, slots=True)
class Form:
    """All fields of a workflow in display order, the pinned ones first."""

    fields: tuple[Field, ...] = ()
    by_id: dict[str, Field] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.by_id.update((entry.id, entry) for entry in self.fields)

    def with_role(self, role: Role) -> tuple[Field, ...]:
        return tuple(entry for entry in self.fields if entry.role is role)

    def spread(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """`values` (field id → value) with the twins of each field added: what `patch` is to be given."""
        twins = {twin: values[entry.id] for entry in self.fields if entry.id in values for twin in entry.twins}
        return twins | dict(values)

    @property
    def pinned(self) -> tuple[Field, ...]:
        return tuple(entry for entry in self.fields if entry.pinned)
