"""Models that go round in circles: the same tag, phrase or sentence over and over."""

import re
from dataclasses import dataclass

_MOST = 3
"""So often a phrase may stand in a row."""
_LONGEST = 24
"""Words of a phrase that is looked for."""


@dataclass(frozen=True, slots=True)
class Cut:
    """`broken`: little else than repetition."""

    text: str
    broken: bool = False


def cut_loops(text: str, *, tags: bool) -> Cut:
    """`text` up to where it begins to repeat itself. Equal tags go in any case. Linear in its length, but for 24."""
    words = list(re.finditer(r"\S+", text))
    start = _loop([match[0].casefold().strip(",.;") for match in words])
    if start is not None:
        kept = text[: words[start].start()].rstrip(" ,;")
        if start * 4 < len(words) or start < 3:
            return Cut(kept, broken=True)
        text = kept
    return Cut(_once(text) if tags else _sentences_once(text))


def _loop(words: list[str]) -> int | None:
    """Where a phrase begins that then comes more than _MOST times in a row: its second time."""
    count = len(words)
    for length in range(1, _LONGEST + 1):
        run = 0
        for index in range(length, count):
            run = run + 1 if words[index] == words[index - length] else 0
            if run >= length * _MOST:
                return index - run + 1
    return None


def _once(text: str) -> str:
    seen: set[str] = set()
    kept = []
    for part in text.split(","):
        key = " ".join(part.casefold().split())
        if key and key not in seen:
            kept.append(part.strip())
        seen.add(key)
    return ", ".join(kept)


def _sentences_once(text: str) -> str:
    seen: set[str] = set()
    kept = []
    for part in re.split(r"(?<=[.!?])(?=\s)", text):
        key = " ".join(part.casefold().split())
        if key and (key not in seen or len(key) < 12):
            kept.append(part)
        seen.add(key)
    return "".join(kept)
