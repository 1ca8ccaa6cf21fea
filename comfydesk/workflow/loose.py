"""Values of files and answers that should be of some kind and may be anything."""

from collections.abc import Mapping
from typing import Any


def as_list(value: Any) -> list[Any]:
    """`value` if it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def as_mapping(value: Any) -> Mapping[str, Any]:
    """`value` if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def as_text(value: Any) -> str:
    """`value` if it is a text, else ""."""
    return value if isinstance(value, str) else ""
