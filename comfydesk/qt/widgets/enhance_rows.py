"""What a comparison of two prompts shows, as values: rows of words, each with what became of it. Nothing is drawn."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from comfydesk.llm.words.diff import Change, Diff, Word, compare, sentence_numbers
from comfydesk.llm.words.spans import find
from comfydesk.qt.widgets.prompt_syntax import Tint, tints

Look = Literal["plain", "added", "removed", "off"]
"""`off`: a change that is not taken."""


@dataclass(frozen=True, slots=True)
class Token:
    """A word with the blanks behind it."""

    text: str
    look: Look = "plain"
    kept: bool = False
    """It is protected: boxed, with a lock."""
    tint: Tint | None = None
    part: int = -1
    """Number of the change that it belongs to; -1: none."""


@dataclass(frozen=True, slots=True)
class Row:
    """A sentence of the new wording."""

    tokens: tuple[Token, ...]
    changes: tuple[int, ...]
    """Numbers of its changes, maybe none."""


def plain_tokens(text: str, locked: Iterable[str] = ()) -> tuple[Token, ...]:
    """`text` as it is, its protected spans boxed."""
    return tuple(_token(word, "plain", -1) for part in compare(text, text, locked).parts for word in part.old_words)


def old_tokens(diff: Diff, picked: Collection[int]) -> tuple[Token, ...]:
    """The old wording; what `picked` takes out of it is struck."""
    found: list[Token] = []
    for part in diff.parts:
        changed = part.change is not Change.EQUAL
        for word in part.old_words:
            look: Look = "removed" if changed and part.number in picked and not word.protected else "plain"
            found.append(_token(word, look, part.number if changed else -1))
    return tuple(found)


def new_rows(diff: Diff, picked: Collection[int]) -> tuple[Row, ...]:
    """The new wording by sentences; what `picked` does not take is off."""
    words = [word for part in diff.parts for word in part.new_words]
    counted = sentence_numbers(words)
    numbers, changes = iter(counted), diff.sentences
    rows: list[list[Token]] = [[] for _ in range(max(len(changes), max(counted, default=-1) + 1))]
    for part in diff.parts:
        for word in part.new_words:
            if part.change is Change.EQUAL:
                rows[next(numbers)].append(_token(word, "plain", -1))
            else:
                look: Look = "added" if part.number in picked else "off"
                rows[next(numbers)].append(_token(word, look, part.number))
    made = (Row(tuple(tokens), changes[at] if at < len(changes) else ()) for at, tokens in enumerate(rows))
    return tuple(row for row in made if row.tokens or row.changes)


def kept_counts(text: str, locked: Sequence[str]) -> tuple[int, int]:
    """How many spans are protected by their form, and how many by the user."""
    alone = len(find(text))
    return alone, max(0, len(find(text, locked)) - alone)


def spoken(tokens: Iterable[Token]) -> str:
    """For assistive tools: the words as they would be."""
    return "".join(_spoken(tokens)).strip()


def _spoken(tokens: Iterable[Token]) -> Iterator[str]:
    for token in tokens:
        if token.look != "removed":
            yield token.text


def _token(word: Word, look: Look, part: int) -> Token:
    found = tints(word.text) if word.protected else []
    return Token(word.text, look, word.protected, found[0][2] if found else None, part)
