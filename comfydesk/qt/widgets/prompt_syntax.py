"""What stands out in a prompt, and how a weight is raised and lowered. Pure text."""

import re
from typing import Literal

Tint = Literal["lora", "weight", "wildcard"]

_TOKENS = re.compile(
    r"(?P<lora><(?:lora|lyco|hypernet|embedding):[^<>\n]{1,200}>|\bembedding:[\w./\\-]{1,200})"
    r"|(?P<weight>\((?:[^()\\\n]|\\.){0,400}:\s*[+-]?\d+(?:\.\d+)?\s*\))"
    r"|(?P<wildcard>\{[^{}\n]{0,400}\|[^{}\n]{0,400}\}|__[\w./*-]{1,100}__)"
)
_WEIGHTED = re.compile(r"\((?P<words>.*):\s*(?P<weight>[+-]?\d+(?:\.\d+)?)\s*\)", re.DOTALL)
_WORD = re.compile(r"[^\s,.;:!?()<>{}|\[\]]+")
STEP = 0.05
LEAST, MOST = 0.0, 2.0


def tints(line: str) -> list[tuple[int, int, Tint]]:
    """(start, length, kind) of what is tinted in one line. Bounded look-ahead: linear on any input."""
    found: list[tuple[int, int, Tint]] = []
    for match in _TOKENS.finditer(line):
        kind: Tint = "lora" if match["lora"] else "weight" if match["weight"] else "wildcard"
        found.append((match.start(), match.end() - match.start(), kind))
    return found


def reweigh(text: str, start: int, end: int, steps: int) -> tuple[str, int, int]:
    """Change the weight of `text[start:end]` (of the word or the weighted part there if that is empty).

    Returns the new text and the selection that covers the part again. A weight of 1 takes the parentheses away.
    """
    start, end = _part(text, start, end)
    if start == end:
        return text, start, end
    part = text[start:end]
    match = _WEIGHTED.fullmatch(part)
    words, weight = (match["words"], float(match["weight"])) if match else (part, 1.0)
    weight = round(min(MOST, max(LEAST, weight + steps * STEP)), 2)
    new = words if weight == 1.0 else f"({words}:{weight:g})"
    return text[:start] + new + text[end:], start, start + len(new)


def _part(text: str, start: int, end: int) -> tuple[int, int]:
    """The weighted part around the place, else the selection without blanks at its ends, else the word."""
    for match in _TOKENS.finditer(text, max(0, start - 500), min(len(text), end + 500)):
        if match["weight"] and match.start() <= start and end <= match.end():
            return match.start(), match.end()
    if start != end:
        picked = text[start:end]
        return start + len(picked) - len(picked.lstrip()), end - (len(picked) - len(picked.rstrip()))
    for match in _WORD.finditer(text, max(0, start - 200), min(len(text), end + 200)):
        if match.start() <= start <= match.end():
            return match.start(), match.end()
    return start, start
