"""What the browser of workflows shows of one file, as plain values."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

MODEL_SUFFIXES = (".safetensors", ".sft", ".gguf", ".ckpt", ".pt", ".pth", ".pkl", ".bin", ".onnx")
"""What files of weights are called."""


@dataclass(frozen=True, slots=True)
class RequiredModel:
    """A model file that the workflow's author declared (`properties.models` of an active node)."""

    name: str
    directory: str
    """The pod's model folder: "checkpoints", "loras"."""
    url: str = ""
    sha256: str = ""
    """Lower case, "" where the file declares none."""


@dataclass(frozen=True, slots=True)
class WorkflowCard:
    """A workflow at a glance. Muted and bypassed branches do not count. `error` "" unless the file is broken."""

    id: str
    """By content: the same on every machine, whatever the file's name, indentation or layout of the canvas."""
    name: str
    description: str = ""
    category: str = ""
    """The author's, else the main output: "Image", "Video", "Audio", "3D", "Text"."""
    format: str = ""
    """"ui" or "api"; "" of a broken file."""
    type: str | None = None
    """t2i, i2i, v2i, t2v, i2v, v2v, upscale, audio, 3d or text; None for none of these."""
    node_count: int = 0
    """Nodes that run, those inside subgraphs included."""
    input_types: tuple[str, ...] = ()
    """What a person gives: image, video, audio, 3d (files to choose), text (a prompt)."""
    output_types: tuple[str, ...] = ()
    """What comes out, the main one first: image, video, audio, 3d, text."""
    required_models: tuple[RequiredModel, ...] = ()
    node_types: tuple[str, ...] = ()
    """Classes of the nodes that run, sorted."""
    custom_nodes: tuple[str, ...] = ()
    """Those of `node_types` that the catalog does not have; empty without a catalog."""
    model_files: tuple[str, ...] = ()
    """Files of weights that nodes name in their values, declared or not, sorted; as the file spells them."""
    error: str = ""


def card_to_json(card: WorkflowCard) -> dict[str, Any]:
    """The card as a JSON object, with the names of its attributes."""
    return asdict(card)


def card_from_json(document: Mapping[str, Any]) -> WorkflowCard:
    """The reverse. `document` is ours: KeyError and TypeError are mistakes."""
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in document.items()
    }
    models = tuple(RequiredModel(**model) for model in document["required_models"])
    return WorkflowCard(**{**values, "required_models": models})
