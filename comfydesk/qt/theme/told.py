"""Texts that are raised below the window, in the user's language.

A KnownError is worded where it is raised, in English, with its values already in it, and may have lain in the library
since last year. So a text is known by its template: "{0} is full" of resources/i18n/told/<code>.json fits "models is
full", and its translation is given the same "models", itself translated where it is a text of ours.
"""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

_PLACE = re.compile(r"\{(\d+)\}")
_SPLIT = re.compile(r"(\{\d+\}|\{\{|\}\})")
_DEEPEST = 3
"""A text in a text in a text."""
_LONGEST = 4000


class Told:
    """`said` translates a whole text; what fits no template stays as it is."""

    def __init__(self, words: Mapping[str, str]) -> None:
        self._plain = {
            _filled(template, ()): _filled(text, ())
            for template, text in words.items()
            if text and not _PLACE.search(template)
        }
        # The more of a template is fixed, the surer it is that the text is its; a long piece is looked for first,
        # which is a hundred times as fast as the pattern.
        templates = [
            (_surest(template), template, text) for template, text in words.items() if text and _PLACE.search(template)
        ]
        self._templates = sorted(templates, key=lambda each: -_fixed(each[1]))
        self.said = lru_cache(1024)(self._said)

    def _said(self, text: str, depth: int = 0) -> str:
        exact = self._plain.get(text)
        if exact is not None:
            return exact
        if depth > _DEEPEST or len(text) > _LONGEST:
            return text
        for piece, template, translation in self._templates:
            if piece in text:
                found = _pattern(template).fullmatch(text)
                if found is not None:
                    values = tuple(self._said(value, depth + 1) for value in found.groups())
                    order = [int(place) for place in _PLACE.findall(template)]
                    return _filled(translation, dict(zip(order, values, strict=True)))
        return self._in_parts(text, depth)

    def _in_parts(self, text: str, depth: int) -> str:
        """A whole message: sentences that were told one by one and stand side by side."""
        parts = list(_sentences(text))
        if len(parts) < 2 or depth:
            return text
        said = [self._told_sentence(part, depth) for part in parts]
        return " ".join(said)

    def _told_sentence(self, part: str, depth: int) -> str:
        bare = part.rstrip(".")
        for form in (part, bare, bare[:1].lower() + bare[1:]):
            other = self._said(form, depth + 1)
            if other != form:
                return other[:1].upper() + other[1:] + ("" if form == part else part[len(bare) :])
        return part


def _sentences(text: str) -> Iterator[str]:
    """Parted where a full stop is followed by a capital."""
    start = 0
    for end in re.finditer(r"\.\s+(?=[A-Z])", text):
        yield text[start : end.start() + 1]
        start = end.end()
    yield text[start:]


def _filled(text: str, values: Mapping[int, str] | tuple[str, ...]) -> str:
    """`text` with its places filled. A value may hold braces, so this is no str.format of it."""
    known = dict(enumerate(values)) if isinstance(values, tuple) else values

    def put(found: re.Match[str]) -> str:
        part = found.group()
        return part[0] if part in ("{{", "}}") else known.get(int(part[1:-1]), "")

    return _SPLIT.sub(put, text)


def _pieces(template: str) -> list[str]:
    return [_filled(piece, ()) for piece in _PLACE.split(template)[::2]]


def _fixed(template: str) -> int:
    return sum(map(len, _pieces(template)))


def _surest(template: str) -> str:
    return max(_pieces(template), key=len)


@lru_cache(2048)
def _pattern(template: str) -> re.Pattern[str]:
    return re.compile("(.*?)".join(re.escape(piece) for piece in _pieces(template)), re.DOTALL)
