# ruff: noqa: RUF001 - typographic marks are what this module is about
"""Protected spans of a prompt: what means something to ComfyUI or to the user as it is written.

| kind | such as |
|---|---|
| TAG | `<lora:ink:0.8>`, `<hypernet:x:1>`, `<image1>`: whatever stands between angle brackets |
| GROUP | `(red hair:1.2)`, `((glow))`, `[cat:dog:0.5]`, `\\(series\\)`: brackets of any depth with all they hold |
| CHOICE | `{red|blue}`, nested too |
| WILDCARD | `__colour__`, `__folder/name__` |
| EMBEDDING | `embedding:EasyNegative` |
| STRUCTURE | `BREAK`, `AND`, and the words of regional prompts |
| QUOTE | "OPEN", 'OPEN', “OPEN”, „OPEN“, «OPEN», 「OPEN」: text to be shown |
| VARIABLE | `%date:yyyy-MM-dd%`, `%KSampler.seed%` |
| COMMENT | `/* note */`, `// note`: ComfyUI takes them out |
| LOCKED | phrases that the user has locked, in any case |

The words inside a weight are as protected as the weight. Linear in the length of the text, whatever it holds.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    TAG = "tag"
    GROUP = "group"
    CHOICE = "choice"
    WILDCARD = "wildcard"
    EMBEDDING = "embedding"
    STRUCTURE = "structure"
    QUOTE = "quote"
    VARIABLE = "variable"
    COMMENT = "comment"
    LOCKED = "locked"


@dataclass(frozen=True, slots=True)
class Span:
    """A protected span: `text` is what stands from `start` to `end`."""

    kind: Kind
    text: str
    start: int
    end: int


_PATTERNS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    (Kind.COMMENT, re.compile(r"/\*.{0,2000}?\*/|(?<![:\w/])//[^\n]*\n?", re.DOTALL)),
    # The second half is what a placeholder looks like: a prompt that has it keeps it.
    (Kind.TAG, re.compile(r"<[A-Za-z/|!?][^<>\n]{0,400}>|<\s*/?\s*[kK]\s*\d{1,4}\s*/?\s*>")),
    (Kind.WILDCARD, re.compile(r"__(?!_)[\w\-./*~$:@]{1,200}?(?<!_)__(?!_)|__\*__")),
    (
        Kind.EMBEDDING,
        re.compile(r"(?<!\w)embedding:[^\s,;()\[\]{}|<>\"]{0,200}[^\s,;:.!?()\[\]{}|<>\"']", re.IGNORECASE),
    ),
    (
        Kind.STRUCTURE,
        re.compile(r"(?<!\w)(?:BREAK|(?::-?\d+(?:\.\d+)?\s+)?AND|ADDCOMM|ADDBASE|ADDCOL|ADDROW)(?!\w)"),
    ),
    (Kind.VARIABLE, re.compile(r"%[A-Za-z_][\w .:\-/]{0,80}%")),
    (
        Kind.QUOTE,
        re.compile(
            r'(?<![A-Za-z0-9])"[^"]{0,500}"(?![A-Za-z0-9])'
            r"|“[^“”]{0,500}”|„[^„“”]{0,500}[“”]|«[^«»]{0,500}»|‹[^‹›]{0,500}›|「[^「」]{0,500}」|『[^『』]{0,500}』"
            r"|(?<![\w'’])'(?=[^\s'])(?:[^'\n]|'(?=\w)){1,200}?(?<=\S)'(?![\w'])"
            r"|(?<!\w)‘(?:[^‘’\n]|’(?=\w)){1,200}?’(?!\w)"
        ),
    ),
)
_BRACKETS = re.compile(r"\\?[()\[\]{}]")
_PAIRS = {")": "(", "]": "[", "}": "{"}


def find(text: str, locked: Iterable[str] = ()) -> tuple[Span, ...]:
    """The protected spans of `text` in their order. Where they overlap they are one, of the outermost's kind."""
    ranges = [(kind, *match.span()) for kind, pattern in _PATTERNS for match in pattern.finditer(text)]
    ranges += _bracketed(text)
    phrases = _phrases(locked)
    if phrases is not None:
        ranges += ((Kind.LOCKED, *match.span()) for match in phrases.finditer(text))
    ranges.sort(key=lambda entry: (entry[1], -entry[2]))
    return tuple(Span(kind, text[start:end], start, end) for kind, start, end in _outermost(ranges))


def _outermost(ranges: Iterable[tuple[Kind, int, int]]) -> Iterator[tuple[Kind, int, int]]:
    """Sorted ranges with those that overlap made one."""
    current: tuple[Kind, int, int] | None = None
    for kind, start, end in ranges:
        if current is not None and start < current[2]:
            longer = (kind, end) if end - start > current[2] - current[1] else (current[0], current[2])
            current = (longer[0], current[1], max(current[2], end))
        else:
            if current is not None:
                yield current
            current = (kind, start, end)
    if current is not None:
        yield current


def _bracketed(text: str) -> Iterator[tuple[Kind, int, int]]:
    """Balanced brackets, escaped ones among themselves. An opening one that nothing closes is a letter like any."""
    opened: dict[bool, list[tuple[str, int]]] = {False: [], True: []}
    counts: dict[tuple[bool, str], int] = {}
    for match in _BRACKETS.finditer(text):
        escaped, char = len(match[0]) > 1, match[0][-1]
        stack = opened[escaped]
        if char not in _PAIRS:
            stack.append((char, match.start()))
            counts[escaped, char] = counts.get((escaped, char), 0) + 1
            continue
        wanted = _PAIRS[char]
        if not counts.get((escaped, wanted)):
            continue
        while True:
            found, start = stack.pop()
            counts[escaped, found] -= 1
            if found == wanted:
                yield Kind.CHOICE if char == "}" else Kind.GROUP, start, match.end()
                break


def _phrases(locked: Iterable[str]) -> re.Pattern[str] | None:
    """What finds the phrases as whole words, the longest first."""
    wanted = sorted({" ".join(phrase.split()) for phrase in locked} - {""}, key=len, reverse=True)
    if not wanted:
        return None
    one = r"(?:{})".format("|".join(r"\s+".join(map(re.escape, phrase.split())) for phrase in wanted))
    return re.compile(rf"(?<!\w){one}(?!\w)", re.IGNORECASE)
