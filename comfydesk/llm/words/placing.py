# ruff: noqa: RUF001 - typographic marks are what this module is about
"""Where a protected span goes that an answer has left out."""

import re
from collections.abc import Iterator, Sequence

from comfydesk.llm.words.spans import Kind, Span

Token = str | int
"""Plain text, or the number of a group of spans."""
_BOUNDARY = re.compile(r"[,.;!?\n]+\s*|[。，、！？]\s*")
_STOPS = ",.;:!?。，、！？"
_LEAD = re.compile(r"(?:[^\W_][\w'’-]*[ \t]+){1,4}\Z")


def place(masked: str, groups: Sequence[Span], tokens: Sequence[Token], number: int) -> list[Token]:
    """`tokens` with the group `number`, which they lack.

    Between the groups that were its neighbours if these have kept their order, at the end of a clause, about as far
    into the text as it was. LoRAs and embeddings go to the end, or the beginning where they stood there.
    """
    span = groups[number]
    low, high = _bounds(tokens, number)
    spots = list(_spots(tokens, low, high))
    share = _share(masked, number)
    if span.kind in (Kind.TAG, Kind.EMBEDDING):
        spot = spots[0] if share < 0.05 else spots[-1]
    else:
        total = sum(len(token) for token in tokens if isinstance(token, str)) or 1
        spot = min(spots, key=lambda entry: abs(entry[2] / total - share) + _roughness(tokens, entry[0], entry[1]))
    index, offset, _ = spot
    lead = _lead(masked, number) if span.kind is Kind.QUOTE else ""
    if index == len(tokens):
        return [*tokens, *_between(_last_text(tokens), number, "", lead)]
    token = tokens[index]
    if isinstance(token, int):
        return [*tokens[:index], *_between(_last_text(tokens[:index]), number, " ", lead), *tokens[index:]]
    before, after = token[:offset], token[offset:]
    known = before or _last_text(tokens[:index])
    middle = _between(known, number, after or ("" if index == len(tokens) - 1 else " "), lead)
    return [*tokens[:index], before, *middle, after, *tokens[index + 1 :]]


def _bounds(tokens: Sequence[Token], number: int) -> tuple[int, int]:
    """Tokens between which it belongs: after the nearest group before it that is there, before the next one."""
    where = {token: index for index, token in enumerate(tokens) if isinstance(token, int)}
    before = max((one for one in where if one < number), default=None)
    after = min((one for one in where if one > number), default=None)
    low = 0 if before is None else where[before] + 1
    high = len(tokens) if after is None else where[after]
    if low <= high:
        return low, high
    return low, low  # its neighbours have changed places: it stays with the one before it


def _spots(tokens: Sequence[Token], low: int, high: int) -> Iterator[tuple[int, int, int]]:
    """Token, offset in it, and how much text is before: edges of tokens, and ends of clauses."""
    so_far = sum(len(token) for token in tokens[:low] if isinstance(token, str))
    yield low, 0, so_far
    for index in range(low, high):
        token = tokens[index]
        if isinstance(token, str):
            for match in _BOUNDARY.finditer(token):
                yield index, match.end(), so_far + match.end()
            so_far += len(token)
        yield index + 1, 0, so_far


def _roughness(tokens: Sequence[Token], index: int, offset: int) -> float:
    """How ill a spot is suited: within a clause it would tear the clause apart."""
    token = tokens[index] if index < len(tokens) else ""
    before = token[:offset] if isinstance(token, str) else ""
    if not before.strip() and index:
        before = _last_text(tokens[:index])
    whole = not before.strip() or before.rstrip()[-1] in _STOPS or index == len(tokens)
    return 0.0 if whole else 0.5


def _share(masked: str, number: int) -> float:
    """How far into the original it stood, 0 to 1."""
    return masked.find(f"<k{number + 1}/>") / max(1, len(masked) - len(f"<k{number + 1}/>"))


def _lead(masked: str, number: int) -> str:
    """The words that led to a quote: a sign that reads …"""
    before = masked[: masked.find(f"<k{number + 1}/>")]
    match = _LEAD.search(before)
    return match[0] if match else ""


def _between(before: str, number: int, after: str, lead: str) -> list[Token]:
    """It, with what keeps it apart from its neighbours."""
    left = before.rstrip()
    new_sentence = left.endswith((".", "!", "?")) and bool(lead)
    start = ", " if left and left[-1] not in _STOPS else " " if before else ""
    if new_sentence:
        stop = ". " if after.strip() else "."
    else:
        stop = "" if not after.strip() or after.lstrip()[0] in ",.;!?" else ", "
    return [start + (lead[:1].upper() + lead[1:] if new_sentence else lead), number, stop]


def _last_text(tokens: Sequence[Token]) -> str:
    last = tokens[-1] if tokens else ""
    return last if isinstance(last, str) else "\N{OBJECT REPLACEMENT CHARACTER}"
