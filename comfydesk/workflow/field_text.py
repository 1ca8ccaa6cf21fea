"""Fields and values that a person writes down in a table or on a command line: which field, and which value."""

import difflib
import json
import math
import re
from collections.abc import Iterable
from typing import Any

from comfydesk.errors import KnownError
from comfydesk.workflow.fields import Field, Form, Kind, Role
from comfydesk.workflow.live import shorten

MEDIA_KINDS = frozenset({Kind.IMAGE, Kind.VIDEO, Kind.AUDIO, Kind.MODEL3D})
"""Fields that take a file."""

_WORDS = {
    **dict.fromkeys(("true", "1", "yes", "on"), True),
    **dict.fromkeys(("false", "0", "no", "off"), False),
}
_INTEGER = re.compile(r"([+-]?[0-9]{1,20})(?:\.0{1,2})?\Z")
"""With a spreadsheet's ".0" or ".00"; ".000" may be thousands."""
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?\Z")
_MAX_NAMED = 8
"""Candidates that a message names."""


class BatchError(KnownError):
    """What a batch is made from (a list, a table, a folder, a grid) cannot be used."""


def fields_named(form: Form, name: str) -> tuple[Field, ...]:
    """The field that `name` means: an id, a role or a label, case-blind, in this order.

    "seed" means all fields of that role, since they count as one. Raises BatchError: for a name that no field has
    (with those that come near), and for one that several have.
    """
    wanted = name.strip().casefold()
    ways = (
        [field for field in form.fields if field.id == name.strip()],
        [field for field in form.fields if field.id.casefold() == wanted],
        [field for field in form.fields if field.role is not None and field.role.value == _role_name(wanted)],
        [field for field in form.fields if field.label.casefold() == wanted],
    )
    several: list[Field] = []
    for found in ways:
        if len(found) == 1 or (found and all(field.role is Role.SEED for field in found)):
            return tuple(found)
        several = several or found
    if several:
        advice = f"Name one by its id: {_listed(f'{field.id} ({field.label})' for field in several)}"
        what = f"Several inputs of the workflow are called {shorten(name)!r}"
        raise BatchError(what, "", advice)
    what = f"The workflow has no input {shorten(name.strip())!r}"
    raise BatchError(what, "", _near(form, wanted))


def _role_name(wanted: str) -> str:
    """ "LoRA strength" and "negative prompt" as roles are spelt."""
    plain = "_".join(wanted.replace("-", " ").replace("_", " ").split())
    return {"negative_prompt": Role.NEGATIVE.value, "guidance": Role.CFG.value}.get(plain, plain)


def _near(form: Form, wanted: str) -> str:
    names: dict[str, str] = {}
    for field in form.fields:
        for name in (field.id, field.role.value if field.role else "", field.label):
            names.setdefault(name.casefold(), name)
    names.pop("", None)
    close = [names[name] for name in difflib.get_close_matches(wanted, names, n=3, cutoff=0.6)]
    if close:
        return f"Did you mean {' or '.join(close)}?"
    shown = [field.role.value if field.role else field.id for field in (form.pinned or form.fields)]
    return f"It has {_listed(dict.fromkeys(shown))}" if shown else "It has no inputs"


def _listed(names: Iterable[str]) -> str:
    shown = list(names)
    more = f" and {len(shown) - _MAX_NAMED} more" if len(shown) > _MAX_NAMED else ""
    return ", ".join(shown[:_MAX_NAMED]) + more


def value_of(field: Field, text: str, *, decimal_comma: bool = False) -> Any:
    """`text` as a value of `field`, in the field's own type and, for a choice, in the pod's spelling.

    `decimal_comma`: "7,5" is a number too. Raises BatchError for what is none of its values. Fields that take a file
    keep the text: whether it names one on the pod or one here is the caller's to say.
    """
    try:
        match field.kind:
            case Kind.INT | Kind.SEED:
                return _bounded(field, _integer(text, decimal_comma=decimal_comma))
            case Kind.FLOAT:
                return _bounded(field, _number(text, decimal_comma=decimal_comma))
            case Kind.BOOL:
                return _WORDS[text.strip().casefold()]
            case Kind.CHOICE | Kind.MODEL:
                return _choice(field, text)
            case Kind.OTHER:
                return json.loads(text)
            case _:
                return text
    except (ValueError, KeyError, RecursionError) as error:
        why = str(error) if type(error) is ValueError else f"It takes {_KINDS.get(field.kind, str(field.kind))}"
        what = f"{field.label} ({field.id}) cannot be {shorten(text)!r}"
        raise BatchError(what, why) from error


_KINDS = {
    Kind.INT: "a whole number",
    Kind.SEED: "a whole number",
    Kind.FLOAT: "a number",
    Kind.BOOL: "yes or no",
    Kind.OTHER: "JSON",
}


def _integer(text: str, *, decimal_comma: bool) -> int:
    text = text.strip()
    if _NUMBER.match(text) and "e" in text.lower():
        raise ValueError("A spreadsheet has shortened this number: format its column as text")
    match = _INTEGER.match(text.replace(",", ".") if decimal_comma and "." not in text else text)
    if match is None:
        raise ValueError("It takes a whole number")
    return int(match[1])


def _number(text: str, *, decimal_comma: bool) -> float:
    text = text.strip()
    if decimal_comma and text.count(",") == 1 and "." not in text:
        text = text.replace(",", ".")
    if not _NUMBER.match(text) or not math.isfinite(float(text)):
        raise ValueError("It takes a number")
    return float(text)


def _bounded(field: Field, value: float) -> float:
    if field.minimum is not None and value < field.minimum:
        msg = f"It takes {field.minimum} or more"
        raise ValueError(msg)
    if field.maximum is not None and value > field.maximum:
        msg = f"It takes {field.maximum} or less"
        raise ValueError(msg)
    return value


def _choice(field: Field, text: str) -> Any:
    """A choice by its own spelling, or by one that only one choice has: case, separators and folders aside."""
    if not field.choices:
        return text
    spelt = {str(choice): choice for choice in field.choices}
    if text in spelt:
        return spelt[text]
    for key in (_plain, _base):
        found = [choice for name, choice in spelt.items() if key(name) == key(text)]
        if len(found) == 1:
            return found[0]
    near = difflib.get_close_matches(text, spelt, n=3, cutoff=0.5)
    msg = f"The pod offers {_listed(near or spelt)}"
    raise ValueError(msg)


def _plain(name: str) -> str:
    return name.strip().replace("\\", "/").casefold()


def _base(name: str) -> str:
    """A model file without its folder and suffix."""
    stem = _plain(name).rpartition("/")[2]
    return re.sub(r"\.(?:safetensors|sft|gguf|ckpt|pth?|bin|onnx)\Z", "", stem)
