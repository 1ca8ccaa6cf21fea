"""What could stand at the cursor of a prompt: LoRAs, embeddings and wildcards by name. Pure text."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Name = Literal["lora", "embedding", "wildcard"]
NAMES: tuple[Name, ...] = ("lora", "embedding", "wildcard")
MOST = 50
"""Offered at once."""
_LOOK = 240
"""Characters before the cursor that are looked at."""
_LORA = re.compile(r"<(?:lora|lyco):([^<>:\n]*)$")
_EMBEDDING = re.compile(r"(?<![\w:])embedding:([^\s,;()<>{}|]*)$")
_COMPLETE = re.compile(r"__[^\s_](?:[^\s,()<>{}|]*?[^\s_])?__")
_WILDCARD = re.compile(r"__([^\s,()<>{}|]*)$")
_REST = {
    "lora": re.compile(r"[^<>:\n,()]*(?:(?::\s*[-+.\d]*)?>)?"),
    "embedding": re.compile(r"[\w./\\-]*"),
    "wildcard": re.compile(r"[\w./-]*?__|[\w./-]*"),
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A name that is being typed: the words so far, and from where to where a choice is put."""

    kind: Name
    words: str
    start: int
    end: int


def wanted_at(text: str, at: int) -> Wanted | None:
    """What is being typed at the cursor `at`, if it is one of the names."""
    line = max(text.rfind("\n", 0, at) + 1, at - _LOOK)
    before = text[line:at]
    for kind, pattern in (("lora", _LORA), ("embedding", _EMBEDDING)):
        match = pattern.search(before)
        if match:
            return _wanted("lora" if kind == "lora" else "embedding", match, text, line, at)
    # Wildcards open and close with the same sign: whole ones are passed over first.
    hidden = _COMPLETE.sub(lambda match: " " * len(match[0]), before)
    match = _WILDCARD.search(hidden)
    return _wanted("wildcard", match, text, line, at) if match else None


def _wanted(kind: Name, match: re.Match[str], text: str, line: int, at: int) -> Wanted:
    rest = _REST[kind].match(text, at)
    end = at if rest is None else rest.end()
    # What follows belongs to it only where the tag is closed: else it is the next word.
    closed = text[end - 1 : end] in (">", "_") and end > at
    return Wanted(kind, match[1], line + match.start(1), end if closed else at)


def insertion(wanted: Wanted, name: str, text: str) -> str:
    """What replaces text[start:end] once `name` is chosen: closed, and with the strength that is there already."""
    if wanted.kind == "lora":
        tail = re.search(r":\s*[-+.\d]*>$", text[wanted.start : wanted.end])
        return f"{name}{tail[0] if tail else ':1>'}"
    return f"{name}__" if wanted.kind == "wildcard" else name


def spelled(kind: Name, name: str) -> str:
    """A file of the pod as a prompt names it: without its ending, folders with a forward slash."""
    clean = name.replace("\\", "/")
    folder, slash, file = clean.rpartition("/")
    stem = file.rpartition(".")[0] or file
    return clean if kind == "wildcard" else f"{folder}{slash}{stem}"


def matches(names: Sequence[str], words: str, most: int = MOST) -> tuple[str, ...]:
    """Those of `names` that `words` fits, the best first: how it begins, a word in it, anywhere, letters in order."""
    wanted = words.casefold().replace("\\", "/").strip()
    if not wanted:
        return tuple(names[:most])
    folded = [name.casefold() for name in names]
    found = [(_rank(text, wanted), len(text), name) for text, name in zip(folded, names, strict=True) if wanted in text]
    if len(found) < most and len(wanted) > 1:
        found += [
            (_SCATTERED, len(text), name)
            for text, name in zip(folded, names, strict=True)
            if wanted not in text and _scattered(text, wanted)
        ]
    return tuple(name for _, _, name in sorted(found)[:most])


_SCATTERED = 3


def _rank(name: str, words: str) -> int:
    at = name.find(words)
    if at == 0 or name.rpartition("/")[2].startswith(words):
        return 0
    return 1 if not name[at - 1].isalnum() else 2


def _scattered(name: str, words: str) -> bool:
    """All signs of `words` are in `name`, in that order."""
    signs = iter(name)
    return all(sign in signs for sign in words)
