"""What a node class of the demo pod is: its shape for /object_info, and the function that does its work.

The shapes (names, types, ranges, defaults) are those of ComfyUI 0.33.0, so that graphs run here and there alike.
"""

import copy
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from PIL import Image

from comfydesk.demo.folders import Folders
from comfydesk.demo.values import Result

Spec = list[Any]
"""One input as /object_info states it: [type] or [type, options]."""


class Interrupted(Exception):  # noqa: N818 - an interrupt is not an error
    """The user stopped the prompt."""


class OutOfMemoryError(RuntimeError):
    """What torch raises when the GPU is full; the demo raises it on request."""


class Context(Protocol):
    """What a running node may ask of the executor."""

    folders: Folders
    node_id: str
    prompt: Mapping[str, Any]
    """The whole API graph, for embedding."""
    extra: Mapping[str, Any] | None
    """`extra_pnginfo`."""
    temp_tag: str
    """Random letters in the names of temp files: other at each start of the pod."""

    def step(
        self, value: int, total: int, picture: Callable[[], Image.Image] | None = None, seconds: float = 0
    ) -> None:
        """Report progress; `picture` is asked only if previews are wanted. Takes `seconds` at speed 1.

        Raises Interrupted.
        """

    def say(self, text: str) -> None:
        """Progress text beside the node."""

    def write(self, size: int) -> None:
        """Before writing about `size` bytes: raises OSError when the pod's disk is (made) full."""


Run = Callable[..., Result]
Check = Callable[..., bool | str]


@dataclass(frozen=True, slots=True)
class Listing:
    """Stands in a Spec for a list that depends on the pod's disk: `inputs` by media types, or `models` of a folder."""

    kind: str
    names: tuple[str, ...]

    def resolve(self, folders: Folders) -> list[str]:
        if self.kind == "inputs":
            return folders.inputs(*self.names)
        return [name for folder in self.names for name in folders.models(folder)]


def input_files(*media: str) -> Listing:
    return Listing("inputs", media)


def model_files(*folders: str) -> Listing:
    return Listing("models", folders)


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeClass:
    """One class. `modern` tells the two shapes that /object_info has (ComfyUI's "V3" schema, and the older one)."""

    name: str
    run: Run
    title: str | None
    category: str
    outputs: tuple[str, ...]
    required: Mapping[str, Spec] = field(default_factory=dict)
    optional: Mapping[str, Spec] = field(default_factory=dict)
    hidden: tuple[str, ...] = ()
    output_names: tuple[str, ...] = ()
    output_tooltips: tuple[str | None, ...] = ()
    description: str = ""
    module: str = "nodes"
    is_output: bool = False
    modern: bool = False
    deprecated: bool = False
    aliases: tuple[str, ...] = ()
    essential: str = ""
    check: Check | None = None
    """Own validation: called with `folders` and the inputs in `checks`, answers True or a complaint."""
    checks: tuple[str, ...] = ()
    changed: Callable[[Folders, Mapping[str, Any]], object] | None = None
    """Part of the cache key beside the inputs: a file's time, say. Raises → never cached."""

    def call(self, context: Context, inputs: Mapping[str, Any]) -> Result:
        """Do the node's work. Its function gets those inputs that it names, and `context` if it asks for it."""
        wanted = inspect.signature(self.run).parameters
        given = {"context": context, **inputs}
        return self.run(**{name: value for name, value in given.items() if name in wanted})

    def inputs(self, folders: Folders) -> dict[str, dict[str, Spec]]:
        """`required` and `optional` as the pod offers them now."""
        parts = {"required": self.required, "optional": self.optional}
        return {part: _resolve(dict(specs), folders) for part, specs in parts.items() if specs or part == "required"}

    def info(self, folders: Folders) -> dict[str, Any]:
        """The entry in /object_info."""
        inputs: dict[str, Any] = self.inputs(folders)
        if self.hidden:
            inputs["hidden"] = {name: [name.upper()] if self.modern else name.upper() for name in self.hidden}
        head: dict[str, Any] = {
            "input": inputs,
            "input_order": {part: list(specs) for part, specs in inputs.items()},
            "is_input_list": False,
            "output": list(self.outputs),
            "output_is_list": [False] * len(self.outputs),
            "output_name": list(self.output_names or self.outputs),
        }
        return head | (self._modern_tail() if self.modern else self._plain_tail())

    def _modern_tail(self) -> dict[str, Any]:
        return {
            "output_tooltips": list(self.output_tooltips or (None,) * len(self.outputs)),
            "output_matchtypes": None,
            **self._names(),
            "deprecated": self.deprecated,
            "experimental": False,
            "dev_only": False,
            "api_node": False,
            "price_badge": None,
            "search_aliases": list(self.aliases) or None,
            "essentials_category": self.essential or None,
            "has_intermediate_output": False,
        }

    def _plain_tail(self) -> dict[str, Any]:
        tail = {**self._names(), "has_intermediate_output": False, "search_aliases": list(self.aliases)}
        if self.output_tooltips:
            tail["output_tooltips"] = list(self.output_tooltips)
        if self.essential:
            tail["essentials_category"] = self.essential
        return tail

    def _names(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "display_name": self.title,
            "description": self.description,
            "python_module": self.module,
            "category": self.category,
            "output_node": self.is_output,
        }


def int_spec(default: int | None = None, low: int | None = None, high: int | None = None, **options: Any) -> Spec:
    return ["INT", _number(default, low, high, options)]


def float_spec(
    default: float | None = None, low: float | None = None, high: float | None = None, **options: Any
) -> Spec:
    return ["FLOAT", _number(default, low, high, options)]


def text_spec(**options: Any) -> Spec:
    return ["STRING", options]


def combo(choices: list[str] | Listing, **options: Any) -> Spec:
    """A list of the modern kind."""
    return ["COMBO", {"multiselect": False, "options": choices, **options}]


def _number(default: float | None, low: float | None, high: float | None, options: dict[str, Any]) -> dict[str, Any]:
    given = {"default": default, "min": low, "max": high}
    return {name: value for name, value in given.items() if value is not None} | options


def _resolve(value: Any, folders: Folders) -> Any:
    if isinstance(value, Listing):
        return value.resolve(folders)
    if isinstance(value, dict):
        return {key: _resolve(item, folders) for key, item in value.items()}
    if isinstance(value, list):
        return [_resolve(item, folders) for item in value]
    return copy.copy(value)
