# ruff: noqa: RUF001 - typographic marks are what this module is about
"""Plain words: text in which nothing means anything to ComfyUI, and punctuation that stands where it should."""

import re
from collections.abc import Iterable

from comfydesk.llm.words.spans import Kind, Span

_ROUND = re.compile(r"\s*\(\s*|\s*\)")
_OTHER = re.compile(r"[\\\[\]{}<>]|/\*|\*/")
_DOUBLE = re.compile(r"[\"“”„«»‹›「」『』]")
_OPENING_SINGLE = re.compile(r"(?<![\w])['‘](?=\S)|‘")
_COMMAS = re.compile(r"\s*,(?:\s*,)+")
_BEFORE_STOP = re.compile(r"[ \t]+(?=[,.;!?](?:\s|\Z))")
_COMMA_STOP = re.compile(r",\s*(?=[.;!?](?:\s|\Z))")
_BLANKS = re.compile(r"[ \t]{2,}")
_LINES = re.compile(r"\s*\n\s*\n\s*")
_WEIGHT = re.compile(r"\s*:\s*-?[0-9]*\.?[0-9]+\s*\Z")
_STRUCTURE = re.compile(r"(?<!\w)(?:BREAK|ADDCOMM|ADDBASE|ADDCOL|ADDROW)(?!\w)")


def plain(text: str, *, strictly: bool = False) -> str:
    """`text` without what could begin or end protected syntax. `strictly`: without any quotation marks either."""
    text = _OTHER.sub("", text)
    text = _ROUND.sub(lambda match: ", " if "(" in match[0] else ",", text) if "(" in text or ")" in text else text
    text = re.sub(r"_{2,}", " ", text).replace("//", "/")
    text = _DOUBLE.sub("", text)
    text = _OPENING_SINGLE.sub("", text)
    if strictly:
        text = re.sub(r"[\"'%‘’:/]", "", text)
        text = _STRUCTURE.sub("", text)
    return text


def unwrapped(span: Span) -> str:
    """The words of a span that the model has made up: a weight without its weight, a choice's first option."""
    text = span.text
    match span.kind:
        case Kind.GROUP:
            return plain(_WEIGHT.sub("", text.strip("\\()[]")).strip())
        case Kind.CHOICE:
            return plain(text.strip("{}").split("|", 1)[0])
        case Kind.WILDCARD:
            return plain(text.strip("_").rpartition("/")[2].replace("_", " "))
        case Kind.QUOTE:
            inner = plain(text[1:-1])
            return f"{text[0]}{inner}{text[-1]}" if inner.strip() and text[0] not in "'‘" else inner
        case Kind.STRUCTURE:
            return "and" if text.endswith("AND") else " "
        case Kind.VARIABLE:
            return plain(text.strip("%"))
        case Kind.LOCKED:
            return text
        case Kind.TAG | Kind.EMBEDDING | Kind.COMMENT:
            return " "


def tidied(tokens: Iterable[str | int]) -> list[str | int]:
    """Neighbouring texts made one, and their punctuation put right where something was taken out."""
    merged: list[str | int] = []
    for token in tokens:
        if isinstance(token, str) and merged and isinstance(merged[-1], str):
            merged[-1] += token
        else:
            merged.append(token)
    return [token if isinstance(token, int) else _tidy(token) for token in merged]


def _tidy(text: str) -> str:
    text = _COMMAS.sub(",", text)
    text = _BEFORE_STOP.sub("", text)
    text = _COMMA_STOP.sub("", text)
    text = _LINES.sub("\n", text)
    return _BLANKS.sub(" ", text)
