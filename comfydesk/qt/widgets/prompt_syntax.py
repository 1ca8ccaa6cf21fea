"""What stands out in a prompt, and how long it is. Pure text."""

import re
from collections.abc import Iterable
from typing import Literal

Tint = Literal["lora", "weight", "wildcard"]

_TOKENS = re.compile(
    r"(?P<lora><(?:lora|lyco|hypernet|embedding):[^<>\n]{1,200}>|\bembedding:[\w./\\-]{1,200})"
    r"|(?P<weight>\((?:[^()\\\n]|\\.){0,400}:\s*[+-]?\d+(?:\.\d+)?\s*\))"
    r"|(?P<wildcard>\{[^{}\n]{0,400}\|[^{}\n]{0,400}\}|__[\w./*-]{1,100}__)"
)
_PIECES = re.compile(r"[^\W\d_]+|\d|[^\w\s]|_")
_WORDS = re.compile(r"\w[\w'\N{RIGHT SINGLE QUOTATION MARK}-]*")
_LONG = 7
"""Letters that a token of CLIP or T5 has at most, roughly."""


def tints(line: str) -> list[tuple[int, int, Tint]]:
    """(start, length, kind) of what is tinted in one line. Bounded look-ahead: linear on any input."""
    found: list[tuple[int, int, Tint]] = []
    for match in _TOKENS.finditer(line):
        kind: Tint = "lora" if match["lora"] else "weight" if match["weight"] else "wildcard"
        found.append((match.start(), match.end() - match.start(), kind))
    return found


def count_words(text: str) -> int:
    """Words as people count them."""
    return sum(1 for _ in _WORDS.finditer(text))


def guess_tokens(text: str) -> int:
    """About how many tokens a text encoder makes of it: each word, digit and sign one, long words more."""
    return sum(1 + (len(match[0]) - 1) // _LONG for match in _PIECES.finditer(text))


def places_of(phrases: Iterable[str], text: str) -> list[tuple[int, int]]:
    """(start, length) of each place where one of `phrases` stands in `text`, in order, none inside another."""
    found: list[tuple[int, int]] = []
    for phrase in phrases:
        at = text.find(phrase) if phrase else -1
        while at >= 0:
            found.append((at, len(phrase)))
            at = text.find(phrase, at + len(phrase))
    found.sort(key=lambda place: (place[0], -place[1]))
    kept: list[tuple[int, int]] = []
    for at, length in found:
        if not kept or at >= sum(kept[-1]):
            kept.append((at, length))
    return kept
