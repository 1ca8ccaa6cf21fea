"""A sentence → tokens: lower case, phrases joined, inflections undone."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from comfydesk.intent.lexicon import ACTS, APP, CODES, MEDIA, SCENERY, Act, Media

LONGEST_PHRASE = 4
LONGEST_SENTENCE = 2000
"""Characters that are looked at; whoever pastes an essay has said what they want by then."""

_WORD = re.compile(r"[^\W_]+(?:[-'][^\W_]+)*|->|→|,|[.!?;:]")
_IRREGULAR = {
    "made": "make", "drew": "draw", "drawn": "draw", "people": "person", "men": "man", "women": "woman", "took": "take",
    "speech": "speech", "bring": "bring", "brought": "bring", "sang": "sing", "sung": "sing", "shot": "shot",
    "became": "become", "gave": "give", "built": "build", "meshes": "mesh", "feet": "foot", "wrote": "write",
    "animated": "animate", "moving": "move", "movies": "movie", "painting": "painting", "drawing": "drawing",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Token:
    """A word or phrase. `lemma` is the lexicon's spelling where it has one, else the word itself."""

    word: str
    lemma: str
    media: Media | None
    acts: frozenset[Act]
    start: int
    end: int
    """Characters of the sentence that it stands on."""


def _vocabulary() -> tuple[dict[str, Media], dict[str, frozenset[Act]]]:
    media = {word: kind for kind, words in MEDIA.items() for word in words}
    acts: dict[str, set[Act]] = {}
    for act, words in ACTS.items():
        for word in words:
            acts.setdefault(word, set()).add(act)
    return media, {word: frozenset(kinds) for word, kinds in acts.items()}


_MEDIA_OF, _ACTS_OF = _vocabulary()
_KNOWN = frozenset(_MEDIA_OF) | frozenset(_ACTS_OF) | APP | SCENERY | frozenset(CODES)


def plain(sentence: str) -> str:
    """The sentence as the tokens' positions count it: compatibility characters and quotes made plain."""
    text = unicodedata.normalize("NFKC", sentence[:LONGEST_SENTENCE]).replace("\u2019", "'")
    return text if len(text.lower()) == len(text) else text.lower()


def lemma(word: str) -> str:
    """The lexicon's form of an inflected word; the word itself where the lexicon has none."""
    if word in _KNOWN:
        return word
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    return next((stem for stem in _stems(word) if stem in _KNOWN), word)


def _stems(word: str) -> Iterator[str]:
    if word.endswith("'s"):
        yield from (word[:-2], *_stems(word[:-2]))
    if word.endswith("ies"):
        yield word[:-3] + "y"
    if word.endswith("es"):
        yield word[:-2]
    if word.endswith("s"):
        yield word[:-1]
    for ending in ("ing", "ed", "er"):
        if word.endswith(ending) and len(word) > len(ending) + 2:
            stem = word[: -len(ending)]
            yield stem
            yield stem + "e"
            if stem[-1] == stem[-2]:
                yield stem[:-1]


def tokens(sentence: str) -> list[Token]:
    """The tokens of a sentence, in order; the longest phrase of the lexicon wins over its words."""
    text = plain(sentence).lower()
    found = [(match.group(), match.start(), match.end()) for match in _WORD.finditer(text)]
    lemmas = [lemma(word) for word, _, _ in found]
    result = []
    at = 0
    while at < len(found):
        length, name = _phrase(found, lemmas, at)
        words = " ".join(word for word, _, _ in found[at : at + length])
        result.append(
            Token(
                words,
                name,
                _MEDIA_OF.get(name),
                _ACTS_OF.get(name, frozenset()),
                found[at][1],
                found[at + length - 1][2],
            )
        )
        at += length
    return result


def _phrase(found: list[tuple[str, int, int]], lemmas: list[str], at: int) -> tuple[int, str]:
    for length in range(min(LONGEST_PHRASE, len(found) - at), 1, -1):
        for name in (" ".join(lemmas[at : at + length]), " ".join(word for word, _, _ in found[at : at + length])):
            if name in _MEDIA_OF or name in _ACTS_OF:
                return length, name
    return 1, lemmas[at]
