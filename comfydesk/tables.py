"""Tables of a TOML file as values: read with a bound, looked into by a dotted key, changed without touching the old."""

from collections.abc import Mapping
from typing import Any

MAX_NESTING = 40
"""Of tables and lists in a TOML file. Ours have three."""


def toml_of(text: str) -> dict[str, Any]:
    """What a TOML text holds. Raises ValueError for what is none, or is nested so deeply that it could not be written.

    A stranger's `a.a.a.a…` can be read, and then breaks whoever walks it.
    """
    import tomllib

    try:
        document = tomllib.loads(text)
    except RecursionError:
        document = None
    if document is None or _is_deep(document):
        msg = "nested too deeply"
        raise ValueError(msg)
    return document


def _is_deep(value: Any, left: int = MAX_NESTING) -> bool:
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return left == 0 or any(_is_deep(one, left - 1) for one in inside)


def find(table: Mapping[str, Any], key: str) -> object:
    """What stands at "queue.ahead". KeyError: nothing."""
    value: Any = table
    for name in key.split("."):
        if not isinstance(value, Mapping):
            raise KeyError(key)
        value = value[name]
    return value


def with_value(table: Mapping[str, Any], key: str, value: object) -> dict[str, Any]:
    """A copy with `value` at `key`; None: without what is there. What is in the way of a table gives way to it."""
    new = copied(table)
    *folders, name = key.split(".")
    inner = new
    for folder in folders:
        below = inner.get(folder)
        if not isinstance(below, dict):
            below = inner[folder] = {}
        inner = below
    if value is None:
        inner.pop(name, None)
    else:
        inner[name] = value
    return new


def copied(table: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of it and of all tables in it."""
    return {key: copied(value) if isinstance(value, Mapping) else value for key, value in table.items()}
