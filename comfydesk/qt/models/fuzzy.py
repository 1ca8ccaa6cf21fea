"""How well a few typed letters fit a name: "gq" finds "Generate queue", "img vid" finds "Image to video"."""

from functools import lru_cache

_START, _CAMEL, _RUN, _FIRST, _EXACT = 12, 8, 6, 6, 40
_GAP = 1


def score(query: str, text: str) -> int | None:
    """Higher is better; None when it does not fit. Each word of `query` must fit on its own, in any order.

    `query` and `text` are compared without regard to case. A word fits when its letters occur in that order; letters at
    the start of a word and letters in a row count more, and so does a text with little else in it.
    """
    words = _words(query)
    if not words:
        return 0
    folded = text.casefold()
    total = 0
    for word in words:
        found = _score_word(word, folded)
        if found is None:
            return None
        total += found
    return total - len(folded) // 8


@lru_cache(maxsize=64)
def _words(query: str) -> tuple[str, ...]:
    return tuple(query.casefold().split())


def _score_word(word: str, text: str) -> int | None:
    at = text.find(word)
    if at >= 0:
        bonus = _EXACT + len(word) * _RUN
        if at == 0:
            return bonus + _START + _FIRST
        starts = text.find(f" {word}")
        return bonus + (_START if starts >= 0 else 0)
    return _scattered(word, text)


def _scattered(word: str, text: str) -> int | None:
    """Letters in order with others between; each taken at the start of a word where there is one."""
    total, at, before = 0, 0, -2
    for letter in word:
        plain = text.find(letter, at)
        if plain < 0:
            return None
        start = plain if plain == 0 else text.find(f" {letter}", max(0, at - 1)) + 1
        if plain == before + 1:
            total += _RUN
            found = plain
        elif start > 0 or (start == 0 and plain == 0):
            found = start if _still_fits(word, letter, text, start) else plain
            total += _CAMEL if found == start else -_GAP
        else:
            found = plain
            total -= _GAP * min(8, plain - at)
        before, at = found, found + 1
    return total if total > 0 else None


def _still_fits(word: str, letter: str, text: str, start: int) -> bool:
    """Whether what follows `letter` in `word` can still be found after `start`."""
    at = start + 1
    for rest in word[word.index(letter) + 1 :]:
        at = text.find(rest, at) + 1
        if at == 0:
            return False
    return True
