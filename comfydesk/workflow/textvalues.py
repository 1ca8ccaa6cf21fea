"""Texts that are made when a graph is sent: dynamic prompts, and `%…%` in file names. And values as JavaScript spells
them, since that is how they get into such texts."""

import json
import math
import random
import re
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

from comfydesk.errors import GraphError
from comfydesk.workflow.live import shorten
from comfydesk.workflow.widgets import UNDEFINED

# --- Dynamic prompts --------------------------------------------------------------------------------------------

_COMMENT = re.compile(r"/(?:\*|/[^\n\r\u2028\u2029]*)")
_ESCAPES = re.compile(r"\\([{}|])")
_MAX_DEPTH = 20


def dynamic_prompt(text: str, rng: random.Random, depth: int = 0) -> str:
    """`{a|b}` drawn by `rng`, nested too; C comments vanish; `\\{`, `\\|` and `\\}` lose their backslash.

    Comments vanish from "http://example" too: that is what the frontend does. Beyond 20 levels braces stay as they are.
    """
    if "/" in text:
        text = _without_comments(text)
    if "{" not in text and "\\" not in text:
        return text
    parts: list[str] = []
    position = 0
    while position < len(text):
        char = text[position]
        position += 1
        if char == "\\":
            # The frontend appends the word "undefined" to a final backslash; leaving it alone is right.
            parts.append(char + text[position : position + 1])
            position += 1
        elif char == "{" and depth < _MAX_DEPTH:
            options, position = _choice(text, position)
            parts.append(dynamic_prompt(rng.choice(options), rng, depth + 1))
        else:
            parts.append(char)
    return _ESCAPES.sub(r"\1", "".join(parts))


def _without_comments(text: str) -> str:
    parts: list[str] = []
    position = start = 0
    last = text.rfind("*/")
    while match := _COMMENT.search(text, start):
        start = match.end()
        if match[0] == "/*":
            if last < start:
                continue  # it never ends, and is none
            start = text.index("*/", start) + 2
        parts.append(text[position : match.start()])
        position = start
    return "".join(parts) + text[position:]


def _choice(text: str, position: int) -> tuple[list[str], int]:
    """The options of the block that starts at `position`, and where it ends; an open block ends with the text."""
    options: list[str] = []
    start = position
    depth = 0
    while position < len(text):
        char = text[position]
        position += 1
        if char == "\\":
            position += 1
        elif char == "{":
            depth += 1
        elif char == "}":
            if depth == 0:
                return [*options, text[start : position - 1]], position
            depth -= 1
        elif char == "|" and depth == 0:
            options.append(text[start : position - 1])
            start = position
    return [*options, text[start:]], position


# --- %…% ------------------------------------------------------------------------------------------------------

_PATTERN = re.compile(r"%([^%]+)%")
MAX_FILLED = 4096
"""Characters that a text may take from other widgets: file systems allow names of 255, and paths of 4,096."""
_UNSAFE = re.compile(r'[/?<>\\:*|"\x00-\x1f\x7f]')
_DATE = re.compile(r"dd?|MM?|hh?|mm?|ss?|yyy?y?")


def replace_text(text: str, now: datetime, widget_value: Callable[[str, str], Any]) -> str:
    """`%date:FORMAT%` and `%Node.widget%` filled in; other patterns stay (the server knows `%width%` and the like).

    `widget_value(node, widget)` looks a value up, None when there is no such node or widget. GraphError when what is
    filled in adds up to more than MAX_FILLED: a text named a thousand times, or a text of thousands of pages.
    """
    room = MAX_FILLED

    def filled(match: re.Match[str]) -> str:
        nonlocal room
        parts = match[1].split(".")
        if len(parts) != 2:
            return format_date(parts[0][5:], now) if parts[0].startswith("date:") else match[0]
        found = widget_value(parts[0], parts[1])
        if found is None:
            return match[0]
        value = js_text(found[0])
        room -= len(value)
        if room < 0:
            what = f"The text of {shorten(match[0])} is too long for a file name"
            raise GraphError(what, f"At most {MAX_FILLED} characters can be filled in", "Use a shorter value there")
        return _UNSAFE.sub("_", value)

    return _PATTERN.sub(filled, text)


def format_date(text: str, now: datetime) -> str:
    """`yyyy-MM-dd hh:mm:ss`; one letter is the number without a leading zero, `yy` the last two digits."""
    numbers = {"d": now.day, "M": now.month, "h": now.hour, "m": now.minute, "s": now.second}

    def part(match: re.Match[str]) -> str:
        name = match[0]
        if name == "yyyy":
            return str(now.year)
        if name == "yy":
            return str(now.year)[2:]
        return str(numbers[name[0]]).zfill(len(name)) if name[0] in numbers else name

    return _DATE.sub(part, text)


# --- JavaScript's spelling --------------------------------------------------------------------------------------


def js_number(value: float) -> str:
    """A number as JavaScript writes it: 1.0 is "1", 1e-07 is "1e-7". Integers keep all their digits."""
    if isinstance(value, int):
        return str(value)
    if math.isnan(value) or math.isinf(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if value.is_integer() and abs(value) < 1e21:
        # Beyond 2^53 the shortest digits that mean the number, then zeros.
        return f"{Decimal(repr(value)):f}".removesuffix(".0") if abs(value) >= 2**53 else str(int(value))
    digits = repr(value)
    mantissa, _, exponent = digits.partition("e")
    if not exponent:
        return digits
    power = int(exponent)
    if -7 < power < 0:  # repr goes over to exponents at 1e-05, JavaScript at 1e-7
        sign, mantissa = ("-", mantissa[1:]) if mantissa.startswith("-") else ("", mantissa)
        return f"{sign}0.{'0' * (-power - 1)}{mantissa.replace('.', '')}"
    return f"{mantissa.removesuffix('.0')}e{'+' if power > 0 else ''}{power}"


def js_text(value: Any) -> str:
    """`value` put into a text."""
    if isinstance(value, str):
        return value
    if value is None or value is UNDEFINED:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return js_number(value)
    return _joined(value) if isinstance(value, list) else "[object Object]"


def _joined(values: list[Any]) -> str:
    """A list's text: that of its entries, lists in it flattened, with commas between."""
    parts: list[str] = []
    pending: list[Any] = [values]
    while pending:
        entry = pending.pop()
        if isinstance(entry, list):
            for position, inner in reversed(list(enumerate(entry))):
                pending += (inner, ",") if position else (inner,)
        else:
            parts.append(js_text(entry))
    return "".join(parts)


def js_json(value: Any) -> Any:
    """JSON.stringify: numbers in JavaScript's spelling, no blanks. UNDEFINED stays. Values may nest to any depth."""
    if value is UNDEFINED:
        return value
    parts: list[str] = []
    pending: list[Any] = [value]
    while pending:
        entry = pending.pop()
        if type(entry) is _Mark:
            parts.append(entry)
        elif isinstance(entry, dict):
            pending.append(_Mark("}"))
            for position, (key, inner) in reversed(list(enumerate(entry.items()))):
                comma = "," if position else ""
                pending += (inner, _Mark(f"{comma}{json.dumps(key, ensure_ascii=False)}:"))
            parts.append("{")
        elif isinstance(entry, list):
            pending.append(_Mark("]"))
            for position, inner in reversed(list(enumerate(entry))):
                pending += (inner, _Mark("," if position else ""))
            parts.append("[")
        elif isinstance(entry, float | int) and not isinstance(entry, bool):
            parts.append(js_number(entry) if -math.inf < entry < math.inf else "null")
        else:
            parts.append(json.dumps(entry, ensure_ascii=False))
    return "".join(parts)


class _Mark(str):
    """Text of the JSON itself among values that wait."""

    __slots__ = ()
