"""Two wordings compared by words, and any part of the new one taken: for the comparison view.

Protected spans are single words here. Whatever subset is taken, each of them is in the result as often as in the old
wording: one that has moved stays where it was as long as its new place is not taken.
"""

import difflib
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from comfydesk.llm.words.spans import find

MAX_WORDS = 4000
"""Of either text; longer ones are one replacement."""
MAX_PAIRS = 100_000
"""Of words that are the same in both: three hundred commas against three hundred. Beyond it only what both begin and
end with is held against each other: a word that comes a thousand times would take minutes."""
_WORD = re.compile(r"(\w+(?:['’-]\w+)*|[^\w\s])(\s*)|(\s+)")  # noqa: RUF001 (an apostrophe)
_END = frozenset(".!?\N{HORIZONTAL ELLIPSIS}")


class Change(StrEnum):
    EQUAL = "equal"
    INSERT = "insert"
    DELETE = "delete"
    REPLACE = "replace"


@dataclass(frozen=True, slots=True)
class Word:
    """`text` with the blanks behind it; `key` is what counts."""

    text: str
    key: str
    protected: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """`old` and `new` are texts; either is empty for INSERT and DELETE. EQUAL ones may differ in blanks."""

    number: int
    change: Change
    old_words: tuple[Word, ...]
    new_words: tuple[Word, ...]
    sentence: int
    """Number of the sentence of the new wording that it belongs to."""

    @property
    def old(self) -> str:
        return "".join(word.text for word in self.old_words)

    @property
    def new(self) -> str:
        return "".join(word.text for word in self.new_words)


@dataclass(frozen=True, slots=True)
class Diff:
    """All parts in order: their `old` joined is the old text, their `new` the new one."""

    old: str
    new: str
    parts: tuple[Part, ...]

    @property
    def changes(self) -> tuple[int, ...]:
        """Numbers of the parts that are not EQUAL."""
        return tuple(part.number for part in self.parts if part.change is not Change.EQUAL)

    @property
    def sentences(self) -> tuple[tuple[int, ...], ...]:
        """By sentence of the new wording (lists with commas: by entry): the numbers of its changes, maybe none."""
        count = max((part.sentence for part in self.parts), default=-1) + 1
        found: list[list[int]] = [[] for _ in range(count)]
        for part in self.parts:
            if part.change is not Change.EQUAL:
                found[part.sentence].append(part.number)
        return tuple(map(tuple, found))


def compare(old: str, new: str, locked: Iterable[str] = ()) -> Diff:
    """What became of `old`."""
    phrases = tuple(locked)
    before, after = list(_words(old, phrases)), list(_words(new, phrases))
    ends = sentence_numbers(after)
    parts: list[Part] = []
    for change, i, j, k, m in _opcodes(before, after):
        at = k
        for stop in _cuts(ends, k, m) if change is not Change.EQUAL else [m]:
            taken = before[i:j] if at == k else []
            kind = change if at == k or change is not Change.REPLACE else Change.INSERT
            sentence = ends[min(at, len(ends) - 1)] if ends else 0
            if change is Change.DELETE:
                sentence = ends[min(max(at - 1, 0), len(ends) - 1)] if ends else 0
            parts.append(Part(len(parts), kind, tuple(taken), tuple(after[at:stop]), sentence))
            at = stop
    return Diff(old, new, tuple(parts))


def accept(diff: Diff, numbers: Collection[int]) -> str:
    """The text with these of the changes. All of them: the new wording; none: the old one, to the letter."""
    wanted = set(numbers) & set(diff.changes)
    if not wanted:
        return diff.old
    if wanted == set(diff.changes):
        return diff.new
    chosen = [
        list(part.new_words if part.number in wanted or part.change is Change.EQUAL else part.old_words)
        for part in diff.parts
    ]
    _conserve(diff, chosen)
    return _joined(word.text for words in chosen for word in words)


def accept_sentences(diff: Diff, numbers: Collection[int]) -> str:
    """The text with all changes of these sentences of the new wording."""
    sentences = diff.sentences
    return accept(diff, {change for number in numbers if 0 <= number < len(sentences) for change in sentences[number]})


def _conserve(diff: Diff, chosen: list[list[Word]]) -> None:
    """Each protected span as often as before: what is missing stays where it was, what is too much goes."""
    wanted = Counter(word.key for part in diff.parts for word in part.old_words if word.protected)
    have = Counter(word.key for words in chosen for word in words if word.protected)
    for part, words in zip(diff.parts, chosen, strict=True):
        for word in part.old_words:
            if word.protected and have[word.key] < wanted[word.key] and word not in words:
                words.append(word)
                have[word.key] += 1
    for part, words in zip(diff.parts, chosen, strict=True):
        for word in part.new_words:
            surplus = word.protected and wanted[word.key] and have[word.key] > wanted[word.key]
            if surplus and word in words and part.change is not Change.EQUAL:
                words.remove(word)
                have[word.key] -= 1


def _joined(texts: Iterable[str]) -> str:
    """One text; words that would grow together get a blank."""
    result: list[str] = []
    for text in texts:
        if result and text and not result[-1][-1].isspace() and not text[0].isspace() and text[0] not in ",.;:!?)":
            last = result[-1][-1]
            if last not in "(-/'\"" and (last.isalnum() or last in ',.;:!?)>}]_"' or text[0].isalnum()):
                result.append(" ")
        if text:
            result.append(text)
    return "".join(result).strip()


def _words(text: str, locked: Iterable[str]) -> Iterator[Word]:
    end = 0
    for span in find(text, locked):
        yield from _plain(text[end : span.start])
        blanks = re.compile(r"\s*").match(text, span.end)
        end = blanks.end() if blanks else span.end
        yield Word(text[span.start : end], span.text, protected=True)
    yield from _plain(text[end:])


def _plain(text: str) -> Iterator[Word]:
    for match in _WORD.finditer(text):
        yield Word(match[0], match[1] or " ")


def _opcodes(before: list[Word], after: list[Word]) -> Iterator[tuple[Change, int, int, int, int]]:
    if len(before) > MAX_WORDS or len(after) > MAX_WORDS:
        yield Change.REPLACE, 0, len(before), 0, len(after)
        return
    keys = [word.key for word in before], [word.key for word in after]
    counts = Counter(keys[1])
    if sum(count * counts[key] for key, count in Counter(keys[0]).items()) > MAX_PAIRS:
        yield from _ends_apart(*keys)
        return
    for tag, i, j, k, m in difflib.SequenceMatcher(None, *keys, autojunk=False).get_opcodes():
        yield Change(tag), i, j, k, m


def _ends_apart(old: list[str], new: list[str]) -> Iterator[tuple[Change, int, int, int, int]]:
    """What both begin and end with is equal, the rest between is one change."""
    shorter = min(len(old), len(new))
    start = next((at for at in range(shorter) if old[at] != new[at]), shorter)
    stop = next((at for at in range(shorter - start) if old[-1 - at] != new[-1 - at]), shorter - start)
    i, k = len(old) - stop, len(new) - stop
    if start:
        yield Change.EQUAL, 0, start, 0, start
    if i > start or k > start:
        kind = Change.INSERT if i == start else Change.DELETE if k == start else Change.REPLACE
        yield kind, start, i, start, k
    if stop:
        yield Change.EQUAL, i, len(old), k, len(new)


def sentence_numbers(words: list[Word]) -> list[int]:
    """Of each word the number of its sentence; of a list with commas the number of its entry."""
    commas = sum(1 for word in words if word.key == ",")
    stops = sum(1 for word in words if word.key in _END)
    ends = frozenset(",") if commas * 5 >= len(words) and stops <= 1 else _END
    numbers: list[int] = []
    number = 0
    for index, word in enumerate(words):
        numbers.append(number)
        last = index + 1 == len(words)
        if word.key in ends and not last and word.text != word.key:
            number += 1
    return numbers


def _cuts(sentence_of: list[int], start: int, stop: int) -> list[int]:
    """Where sentences end within a range of new words, and its end."""
    cuts = [index for index in range(start + 1, stop) if sentence_of[index] != sentence_of[index - 1]]
    return [*cuts, stop]
