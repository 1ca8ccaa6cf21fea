"""How a weight in a prompt is raised and lowered without ever breaking what is nested there. Pure text.

ComfyUI's rules: `(words:1.2)` has a weight, `(words)` is 1.1, `\\(` and `\\)` are plain signs.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

STEP = 0.05
LEAST, MOST = 0.0, 2.0
EMPHASIS = 1.1
"""What parentheses without a number mean."""

_OPEN, _CLOSE = "([{<", ")]}>"
_WEIGHT = re.compile(r":\s*([+-]?(?:\d+(?:\.\d*)?|\.\d+))\s*$")
_WORD = re.compile(r"__[^\s,;()<>{}|\[\]]+?__|embedding:[\w./\\-]+|(?:\\.|[^\s,.;:!?()<>{}|\[\]\\])+")
_STRENGTH = re.compile(r"<(?:lora|lyco|hypernet):[^<>:\n]+:\s*(?P<strength>[+-]?(?:\d+(?:\.\d*)?|\.\d+))\s*(?=[:>])")


@dataclass(frozen=True, slots=True)
class _Group:
    """A pair of brackets: from the opening one to behind the closing one."""

    start: int
    end: int
    kind: str

    def holds(self, start: int, end: int) -> bool:
        return self.start <= start and end <= self.end


def reweigh(text: str, start: int, end: int, steps: int) -> tuple[str, int, int]:
    """Change the weight of `text[start:end]`; of an empty selection: of the weighted part or the word around it.

    Returns the new text and the selection that covers the part again. A weight of 1 takes the parentheses away. A
    selection that cuts brackets in two grows to hold both; where one of them is missing, nothing changes.
    """
    groups = tuple(_groups(text))
    strength = _strength(text, start, end)
    if strength is not None:
        return _put(text, *strength.span("strength"), _shown(_moved(float(strength["strength"]), steps)))
    if start == end:
        group = _inner(groups, start, end)
        if group is not None:
            return _reweighed(text, group, steps)
        start, end = _word(text, start)
    start, end = _trimmed(text, start, end)
    grown = _grown(text, groups, start, end)
    if grown is None or grown[0] == grown[1]:
        return text, start, end
    start, end = grown
    group = next((each for each in groups if each.kind == "(" and _is_of(text, each, start, end)), None)
    if group is not None:
        return _reweighed(text, group, steps)
    return _put(text, start, end, _weighted(text[start:end], _moved(1.0, steps)))


def _reweighed(text: str, group: _Group, steps: int) -> tuple[str, int, int]:
    words, weight = _content(text, group)
    return _put(text, group.start, group.end, _weighted(words, _moved(weight, steps)))


def _weighted(words: str, weight: float) -> str:
    return words if weight == 1.0 else f"({words}:{_shown(weight)})"


def _shown(weight: float) -> str:
    return f"{weight:g}"


def _moved(weight: float, steps: int) -> float:
    return round(min(MOST, max(LEAST, weight + steps * STEP)), 2)


def _put(text: str, start: int, end: int, new: str) -> tuple[str, int, int]:
    return text[:start] + new + text[end:], start, start + len(new)


def _content(text: str, group: _Group) -> tuple[str, float]:
    """What a pair of parentheses holds, and its weight."""
    inside = text[group.start + 1 : group.end - 1]
    match = _WEIGHT.search(inside)
    return (inside[: match.start()], float(match[1])) if match else (inside, EMPHASIS)


def _is_of(text: str, group: _Group, start: int, end: int) -> bool:
    """The selection is this pair of parentheses, or all of the words in it."""
    if (group.start, group.end) == (start, end):
        return True
    words, _ = _content(text, group)
    return (group.start + 1, group.start + 1 + len(words)) == (start, end)


def _groups(text: str) -> Iterator[_Group]:
    """Every pair of brackets, inner ones first; brackets without a partner are text."""
    opened: list[int] = []
    at = 0
    while at < len(text):
        sign = text[at]
        if sign == "\\":
            at += 2
            continue
        if sign in _OPEN:
            opened.append(at)
        elif sign in _CLOSE:
            kind = _OPEN[_CLOSE.index(sign)]
            partner = next((n for n in range(len(opened) - 1, -1, -1) if text[opened[n]] == kind), None)
            if partner is not None:
                yield _Group(opened[partner], at + 1, kind)
                del opened[partner:]
        at += 1


def _inner(groups: tuple[_Group, ...], start: int, end: int) -> _Group | None:
    """The innermost parentheses around the cursor, unless other brackets stand between."""
    around = [group for group in groups if group.holds(start, end)]
    innermost = min(around, key=lambda group: group.end - group.start, default=None)
    return innermost if innermost is not None and innermost.kind == "(" else None


def _strength(text: str, start: int, end: int) -> re.Match[str] | None:
    """The number of the LoRA tag that the cursor is in."""
    low, high = max(0, start - 500), min(len(text), end + 500)
    return next((each for each in _STRENGTH.finditer(text, low, high) if (each.start() < start and end <= each.end())
                 or (each.start(), each.end() + 1) == (start, end)), None)  # fmt: skip


def _word(text: str, at: int) -> tuple[int, int]:
    """The word at the cursor; a wildcard and an embedding are one."""
    line = text.rfind("\n", 0, at) + 1
    for match in _WORD.finditer(text, max(line, at - 500), min(len(text), at + 500)):
        if match.start() <= at <= match.end():
            return match.span()
    return at, at


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """Without blanks and commas at its ends."""
    while start < end and (text[start].isspace() or text[start] == ","):
        start += 1
    while start < end and (text[end - 1].isspace() or text[end - 1] == ",") and text[end - 2 : end - 1] != "\\":
        end -= 1
    return start, end


def _grown(text: str, groups: tuple[_Group, ...], start: int, end: int) -> tuple[int, int] | None:
    """Until no token, pair of brackets or choice is cut in two; None: a bracket in it has no partner."""
    if start < end:
        start, end = _whole_words(text, start, end)
    before = (-1, -1)
    while before != (start, end):
        before = (start, end)
        for group in groups:
            cut = (start <= group.start < end) != (start < group.end <= end)
            edge = group.start < start < group.end < end or start < group.start < end < group.end
            if cut or edge or _cuts(text, group, groups, start, end):
                start, end = min(start, group.start), max(end, group.end)
    return (start, end) if _balanced(text[start:end]) else None


def _whole_words(text: str, start: int, end: int) -> tuple[int, int]:
    """Not half of `__wildcard__`, `embedding:name` or of an escaped sign."""
    for match in _WORD.finditer(text, max(0, start - 500), min(len(text), end + 500)):
        token = match[0].startswith(("__", "embedding:")) or "\\" in match[0]
        if token and match.start() < end and start < match.end():
            start, end = min(start, match.start()), max(end, match.end())
    return start, end


def _cuts(text: str, group: _Group, groups: tuple[_Group, ...], start: int, end: int) -> bool:
    """Inside this group stands what must stay whole: a tag, options of a choice, or the number of a weight."""
    if not (group.start < start and end < group.end):
        return False
    if group.kind == "<":
        return True
    if group.kind == "{":
        inside = [each for each in groups if group.start < each.start and each.end < group.end]
        bars = (at for at in range(start, end) if text[at] == "|")
        return any(not any(each.start < at < each.end for each in inside) for at in bars)
    if group.kind == "(":
        words, _ = _content(text, group)
        return end > group.start + 1 + len(words)
    return False


def _balanced(text: str) -> bool:
    opened: list[str] = []
    at = 0
    while at < len(text):
        sign = text[at]
        if sign == "\\":
            at += 2
            continue
        if sign in _OPEN:
            opened.append(sign)
        elif sign in _CLOSE and (not opened or opened.pop() != _OPEN[_CLOSE.index(sign)]):
            return False
        at += 1
    return not opened and at == len(text)
