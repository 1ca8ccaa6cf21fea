# ruff: noqa: RUF001 - typographic marks are what this module is about
"""Protected spans behind placeholders, and back: each exactly once, whatever came between.

`mask` puts `<k1/>`, `<k2/>` … in the place of protected spans: XML is what models of every size keep best. LoRAs in
a row share one, and so do weights. `restore` puts them back into a model's answer. Whatever the
answer brings of such syntax itself (a LoRA it has heard of, weights, wildcards) is taken out, since it would mean
something to ComfyUI; doubles go; what is missing is put back where it belongs.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from comfydesk.llm.words.placing import Token, place
from comfydesk.llm.words.spans import Kind, Span, find
from comfydesk.llm.words.tidy import plain, tidied, unwrapped

_GAP = re.compile(r"[ \t,]*")
_SHARED = frozenset({Kind.TAG, Kind.EMBEDDING, Kind.GROUP})
"""Kinds of which several in a row share a placeholder."""
_DESERT = re.compile(r"\s{20,}")
"""Nothing but blanks: those who look for a comma behind blanks would look again from each of them."""
_PLACEHOLDER = re.compile(r"\\?<\s*/?\s*[kK]\s*(\d{1,4})\s*/?\s*\\?>")
_PARTIAL = re.compile(r"\\?<\s*/?\s*[kK]?\s*\d{0,4}\s*/?\s*\\?\Z")


@dataclass(frozen=True, slots=True)
class Masked:
    """A prompt without its protected spans. `groups[n]` is what `<k{n + 1}/>` stands for."""

    original: str
    text: str
    """With placeholders."""
    spans: tuple[Span, ...]
    """Each protected span, as in `find`."""
    groups: tuple[Span, ...]
    locked: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """What is left to be enhanced."""
        return " ".join(_PLACEHOLDER.sub(" ", self.text).split()).strip(" ,.;:")


@dataclass(frozen=True, slots=True)
class Restored:
    """An answer with all spans back. `text` None: it cannot be repaired."""

    text: str | None
    lost: tuple[Span, ...] = ()
    """What the answer had left out, or had moved to where it means something else; it is back in `text`."""
    doubled: tuple[Span, ...] = ()
    """What it had more than once."""
    invented: tuple[str, ...] = ()
    """Syntax of its own, taken out."""

    @property
    def faithful(self) -> bool:
        """Nothing had to be put back."""
        return self.text is not None and not self.lost


def placeholder(number: int) -> str:
    """Of the group `number`, from 0."""
    return f"<k{number + 1}/>"


def mask(text: str, locked: Iterable[str] = ()) -> Masked:
    """`text` with placeholders for its protected spans."""
    phrases = tuple(locked)
    spans = find(text, phrases)
    groups: list[Span] = []
    for span in spans:
        last = groups[-1] if groups else None
        alike = last is not None and last.kind is span.kind and span.kind in _SHARED
        if alike and last is not None and _GAP.fullmatch(text, last.end, span.start):
            groups[-1] = Span(span.kind, text[last.start : span.end], last.start, span.end)
        else:
            groups.append(span)
    parts: list[str] = []
    end = 0
    for number, group in enumerate(groups):
        parts += (text[end : group.start], placeholder(number))
        end = group.end
    return Masked(text, "".join([*parts, text[end:]]), spans, tuple(groups), phrases)


def restore(masked: Masked, answer: str) -> Restored:
    """The answer with every span exactly once. Never raises, whatever the answer is."""
    answer = answer.replace("&lt;", "<").replace("&gt;", ">").replace("＜", "<").replace("＞", ">")
    answer = _DESERT.sub(lambda run: "\n" if "\n" in run[0] else " ", answer)
    tokens, doubled, invented = _tokens(masked, answer)
    present = [token for token in tokens if isinstance(token, int)]
    kept = [number for number in present if number not in _moved(masked.groups, present)]
    tokens = tidied([token for token in tokens if isinstance(token, str) or token in kept])
    lost = [number for number in range(len(masked.groups)) if number not in kept]
    for number in lost:
        tokens = place(masked.text, masked.groups, tokens, number)
    lost_spans = tuple(masked.groups[number] for number in lost)
    double_spans = tuple(masked.groups[number] for number in dict.fromkeys(doubled))
    for careful in (False, True):
        text = _joined(masked.groups, tokens, careful=careful)
        if verify(masked, text):
            return Restored(text, lost_spans, double_spans, tuple(invented))
    return Restored(None, lost_spans, double_spans, tuple(invented))


def verify(masked: Masked, text: str) -> bool:
    """Whether `text` has each protected span as often as the original, and no other syntax than quotes."""
    wanted = Counter(span.text for span in masked.spans)
    found = Counter(span.text for span in find(text, masked.locked))
    return all(found[one] == count for one, count in wanted.items()) and all(
        span.text in wanted or span.kind in (Kind.QUOTE, Kind.LOCKED) for span in find(text, masked.locked)
    )


class Unmasker:
    """Placeholders of a stream back to what they stand for, for the eye: nothing is checked."""

    def __init__(self, masked: Masked) -> None:
        self._groups = masked.groups
        self._rest = ""

    def feed(self, piece: str) -> str:
        """What can be shown now; a placeholder that has only begun waits."""
        text = self._rest + piece
        begun = _PARTIAL.search(text, max(0, len(text) - 16))
        self._rest = text[begun.start() :] if begun else ""
        return _PLACEHOLDER.sub(self._shown, text[: len(text) - len(self._rest)])

    def end(self) -> str:
        """What was still waiting."""
        rest, self._rest = self._rest, ""
        return rest

    def _shown(self, match: re.Match[str]) -> str:
        number = int(match[1]) - 1
        return self._groups[number].text if 0 <= number < len(self._groups) else ""


def _tokens(masked: Masked, answer: str) -> tuple[list[Token], list[int], list[str]]:
    """The answer as plain texts and numbers of groups, each number once; which came again; what it made up."""
    raw: list[Token] = []
    end = 0
    for match in _PLACEHOLDER.finditer(answer):
        raw += (answer[end : match.start()], int(match[1]) - 1)
        end = match.end()
    raw.append(answer[end:])
    seen = {token for token in raw if isinstance(token, int)}
    taken: set[int] = set()
    tokens: list[Token] = []
    doubled: list[int] = []
    invented: list[str] = []
    for token in raw:
        if isinstance(token, str):
            for part in _literal(masked, token, seen, invented):
                _take(part, tokens, taken, doubled)
        elif 0 <= token < len(masked.groups):
            _take(token, tokens, taken, doubled)
    return tokens, doubled, invented


def _take(token: Token, tokens: list[Token], taken: set[int], doubled: list[int]) -> None:
    if isinstance(token, str):
        tokens.append(token)
    elif token in taken:
        doubled.append(token)
    else:
        taken.add(token)
        tokens.append(token)


def _literal(masked: Masked, text: str, seen: set[int], invented: list[str]) -> list[Token]:
    """A piece without placeholders: spans that it spells out are theirs, other syntax becomes plain words."""
    parts: list[Token] = []
    for number, group in enumerate(masked.groups):  # several spans behind one placeholder, spelt out as they were
        if number not in seen and group.kind in _SHARED and group.text in text:
            before, _, after = text.partition(group.text)
            seen.add(number)
            return [*_literal(masked, before, seen, invented), number, *_literal(masked, after, seen, invented)]
    end = 0
    for span in find(text, masked.locked):
        parts.append(plain(text[end : span.start]))
        end = span.end
        own = [number for number, group in enumerate(masked.groups) if _same(group, span)]
        missing = [number for number in own if number not in seen]
        if missing:
            seen.add(missing[0])
            parts.append(missing[0])
        elif own:
            parts.append(own[0])  # again: told as doubled
        elif any(_same(known, span) for known in masked.spans):
            parts.append(" ")
        elif span.kind is Kind.LOCKED:
            parts.append(span.text)
        else:
            if span.kind is not Kind.QUOTE:
                invented.append(span.text)
            parts.append(unwrapped(span))
    parts.append(plain(text[end:]))
    return parts


def _same(one: Span, other: Span) -> bool:
    if Kind.LOCKED in (one.kind, other.kind):
        return one.text.casefold() == other.text.casefold()
    return one.text.strip() == other.text.strip()


def _moved(groups: Sequence[Span], present: Sequence[int]) -> set[int]:
    """Groups that stand behind another BREAK or AND than before: there they mean something else."""
    dividers = {number for number, group in enumerate(groups) if _divides(group)}
    moved: set[int] = set()
    if not dividers:
        return moved
    before = 0
    order = [number for number in present if number in dividers]
    rank = {number: place for place, number in enumerate(sorted(order))}
    if order != sorted(order):
        moved.update(number for place_, number in enumerate(order) if rank[number] != place_)
    standing = [number for number in present if number not in moved]
    for number in standing:
        if number in dividers:
            before += 1
        elif before != sum(1 for divider in dividers if divider < number and divider in standing):
            moved.add(number)
    return moved


def _divides(group: Span) -> bool:
    return group.kind is Kind.STRUCTURE or any(span.kind is Kind.STRUCTURE for span in find(group.text))


def _joined(groups: Sequence[Span], tokens: Sequence[Token], *, careful: bool) -> str:
    """One text. A blank keeps a span from growing together with its neighbours; `careful`: on all sides."""
    text = ""
    last: Span | None = None
    for token in tokens:
        if isinstance(token, int):
            span = groups[token]
            if text and not text[-1].isspace() and (careful or last is not None or _grows(text[-1], span.text[0])):
                text += " "
            text += span.text
            last = span
            continue
        piece = plain(token, strictly=True) if careful else token
        if text[-1:].isspace():
            piece = piece.lstrip(" ")
        if not piece:
            continue
        if last is not None and not piece[0].isspace():
            if last.kind is Kind.COMMENT and last.text.startswith("//") and not last.text.endswith("\n"):
                text += "\n"
            elif careful or _grows(last.text[-1], piece[0]) or _sticks(last, piece):
                text += " "
        text += piece
        last = None
    return text.strip() if not groups or groups[-1].kind is not Kind.COMMENT else text.lstrip()


def _grows(left: str, right: str) -> bool:
    """The two would read as one word, or a quote's mark as an apostrophe or an inch."""
    if left.isalnum() and right.isalnum():
        return True
    return (left.isascii() and left.isalnum() and right in "\"'(_<%") or (
        right.isascii() and right.isalnum() and left in "\"')_>%"
    )


def _sticks(span: Span, piece: str) -> bool:
    """Names of embeddings and wildcards go on until a blank or a comma."""
    names = span.kind in (Kind.EMBEDDING, Kind.WILDCARD, Kind.VARIABLE, Kind.STRUCTURE, Kind.GROUP)
    return names and not re.match(r"[\s,;]|[.!?:](?:\s|\Z)", piece)
