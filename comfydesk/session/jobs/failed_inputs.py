"""What a node was given that failed: for people to read, and to paste somewhere, so without secrets. Pure."""

import json
import re
from collections.abc import Mapping
from typing import Any

from comfydesk.errors import one_line

LONGEST = 160
"""Characters of a value that are shown."""
HIDDEN = "\N{BULLET}" * 6
_NAMES = re.compile(r"(?i)api.?key|secret|passw|token|credential|authorization|cookie|bearer")
_COUNTS = re.compile(r"(?i)(max|min|num|n)_?(new_?)?tokens?|tokens?_(count|limit|length|per)|tokeni[sz]")
_PRINTED = re.compile(r"\s*(?:<|\[|\{|\(|[\w.]+\()")
_VALUES = re.compile(
    r"(?x) \b(?: sk-[\w-]{16,} | hf_\w{16,} | r8_\w{16,} | gh[pousr]_\w{16,} | xox[abp]-[\w-]{10,} | AKIA[0-9A-Z]{16}"
    r" | AIza[\w-]{30,} | rpa_\w{16,} | eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]* )"
    r" | (?<=://)[^/\s:@]+:[^/\s@]+(?=@)"
)


def secrets_of(*inputs: Mapping[str, Any]) -> tuple[str, ...]:
    """The values that nobody else should read: by the name of their input, or by how they look. The longest first.

    Several of a node are looked through each: where the graph has a link, only the pod tells what came through it.
    """
    texts = [(name, value) for those in inputs for name, value in those.items() if isinstance(value, str)]
    found = {value.strip() for name, value in texts if _is_secret(name) and len(value.strip()) >= 4}
    found |= {match.group() for _, value in texts for match in _VALUES.finditer(value)}
    return tuple(sorted(found, key=len, reverse=True))


def without(secrets: tuple[str, ...], text: str) -> str:
    """The text with all of them blotted out, and with what looks like one."""
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    return _VALUES.sub(HIDDEN, text)


def shown_inputs(
    graph: Mapping[str, Any], node: str | None, given: Mapping[str, Any], titles: Mapping[str, str]
) -> dict[str, str]:
    """Input \N{RIGHTWARDS ARROW} what it was, each on a short line.

    `given`: what the pod says of inputs that came from other nodes. `titles`: node \N{RIGHTWARDS ARROW} its title.
    """
    spec = graph.get(node or "")
    inputs = spec.get("inputs") if isinstance(spec, Mapping) else None
    if not isinstance(inputs, Mapping):
        return {}
    secrets = secrets_of(given, inputs)
    shown: dict[str, str] = {}
    for name, value in inputs.items():
        if _is_link(value):
            source = f"from {titles.get(str(value[0])) or value[0]}"
            known = f"{_short(given[name], secrets)} ({source})" if _is_plain(given.get(name)) else source
            shown[name] = HIDDEN if _is_secret(name) else known
        else:
            shown[name] = HIDDEN if _is_secret(name) and value else _short(value, secrets)
    return shown


def _is_secret(name: str) -> bool:
    return _NAMES.search(name) is not None and _COUNTS.search(name) is None


def _is_link(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and isinstance(value[0], str) and isinstance(value[1], int)


def _is_plain(value: Any) -> bool:
    """A number, or a text that a person wrote: pods print models and tensors as they print in Python."""
    return isinstance(value, int | float) or (isinstance(value, str) and _PRINTED.match(value) is None)


def _short(value: Any, secrets: tuple[str, ...]) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    text = one_line(without(secrets, text[: 20 * LONGEST]))
    return text if len(text) <= LONGEST else text[:LONGEST].rstrip() + "\N{HORIZONTAL ELLIPSIS}"
