"""What a person types into the library's search field, as terms. Never an error: what is no term of ours is words.

lighthouse storm        both words, in the prompt, the negative prompt, the note, models, workflow, file name or tags;
                        each may go on ("light" finds "lighthouse"); case and accents do not matter
"red sky at night"      these words in this order
-fog  -tag:draft        without
prompt:  negative:  note:  model:  workflow:  name:  tag:      a word there only, e.g. model:flux tag:"to print"
seed:42  batch:ID  job:ID  pod:ID  sampler:euler  scheduler:karras  type:video      exactly this (sampler: begins so)
rating:>=4  steps:<20  cfg:7  width:>1024  height:512  size:>10MB  duration:<5      numbers; ":4" is equal to
date:2026-03-14  date:2026-03  after:2026-03-01  before:2026       local time; a part of a date is all of its days
album:Portraits         in the album of that name
is:favourite  is:missing  is:portrait  is:landscape  is:square     has:note  has:tag  has:album  has:rating
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta

MAX_TEXT = 10_000
"""Characters that are read: somebody may paste a whole file."""
MAX_TERMS = 64
MAX_WORD = 200

WORD_KEYS = {
    "prompt": "prompt",
    "negative": "negative",
    "note": "note",
    "model": "models",
    "lora": "models",
    "workflow": "workflow",
    "name": "name",
    "file": "name",
    "tag": "tags",
}
"""Key → the column of the index in which the word must occur."""
EXACT_KEYS = {"seed", "batch", "job", "pod", "type", "sampler", "scheduler", "album"}
NUMBER_KEYS = {"rating", "steps", "cfg", "width", "height", "size", "duration"}
DATE_KEYS = {"date", "after", "before", "since", "until"}
STATES = {"favourite", "favorite", "missing", "portrait", "landscape", "square"}
POSSESSIONS = {"note", "tag", "album", "rating"}

_TERM = re.compile(r'(-?)(?:([A-Za-z]{1,12}):)?(?:"([^"]*)"?|([^\s"]\S*))')
_NUMBER = re.compile(r"(>=|<=|>|<|=|)([0-9]{1,18}(?:\.[0-9]{1,9})?)([kmg]b?|b|)\Z", re.IGNORECASE)
_DATE = re.compile(r"([0-9]{4})(?:-([0-9]{1,2})(?:-([0-9]{1,2}))?)?\Z")
_UNITS = {"": 1, "b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
_SPACELESS = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u312f\u31a0-\u31bf\u31f0-\u4dbf\u4e00-\u9fff\ua960-\ua97f"
    "\uac00-\ud7ff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff]"
)
"""Scripts written without blanks: the index would know a whole sentence as one word."""


@dataclass(frozen=True, slots=True)
class Words:
    """Text to be found; `column` "" is any. `whole`: as it stands, the last word does not go on."""

    text: str
    column: str = ""
    whole: bool = False
    negated: bool = False

    @property
    def literal(self) -> bool:
        """To be looked for letter by letter, because the index has no words for it (emoji, CJK, signs)."""
        return not any(map(str.isalnum, self.text)) or _SPACELESS.search(self.text) is not None


@dataclass(frozen=True, slots=True)
class Exact:
    """A column, or an album, with this value."""

    key: str
    value: str
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Comparison:
    key: str
    operator: str
    """One of = < > <= >=."""
    value: float
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Span:
    """Made at `since` or later, and before `until`: seconds since the epoch, None for no limit."""

    since: float | None
    until: float | None
    negated: bool = False


@dataclass(frozen=True, slots=True)
class State:
    """`is:` and `has:`."""

    name: str
    """favourite, missing, portrait, landscape, square, has-note, has-tag, has-album, has-rating."""
    negated: bool = False


Term = Words | Exact | Comparison | Span | State


def parse(text: str) -> tuple[Term, ...]:
    """The terms, all of which must hold. Bounded by MAX_TEXT, MAX_TERMS and MAX_WORD; the rest is not looked at."""
    terms: list[Term] = []
    for match in _TERM.finditer(_plain(text)):
        minus, key, phrase, word = match.groups()
        term = _term((key or "").lower(), phrase if phrase is not None else word, bool(minus), phrase is not None)
        if term is None and key:  # no term of ours: the words as they stand
            value = f"{key}:{phrase if phrase is not None else word}"
            term = _words(value, "", whole=False, negated=bool(minus))
        if term is not None:
            terms.append(term)
        if len(terms) == MAX_TERMS:
            break
    return tuple(terms)


def quoted(value: str) -> str:
    """`value` as it has to be written behind a key to be found whole: `tag:` + quoted("to print")."""
    return '"' + value.replace('"', " ") + '"'


def _plain(text: str) -> str:
    """Without what cannot be stored (lone surrogates) or seen (control characters)."""
    cut = text[:MAX_TEXT].encode("utf-8", "replace").decode()
    return "".join(" " if unicodedata.category(c) == "Cc" else c for c in cut)


def _term(key: str, value: str, negated: bool, whole: bool) -> Term | None:
    if not key:
        return _words(value, "", whole=whole, negated=negated)
    if key in WORD_KEYS:
        return _words(value, WORD_KEYS[key], whole=whole, negated=negated)
    value = value.strip()
    if key in EXACT_KEYS and value:
        return Exact(key, value[:MAX_WORD], negated)
    if key in NUMBER_KEYS:
        return _comparison(key, value, negated)
    if key in DATE_KEYS:
        return _span(key, value, negated)
    if key == "is" and value.lower() in STATES:
        name = value.lower()
        return State("favourite" if name == "favorite" else name, negated)
    if key == "has" and value.lower() in POSSESSIONS:
        return State(f"has-{value.lower()}", negated)
    return None


def _words(text: str, column: str, *, whole: bool, negated: bool) -> Words | None:
    text = " ".join(text.split())[:MAX_WORD]
    return Words(text, column, whole, negated) if text.strip("-\"'*") else None


def _comparison(key: str, value: str, negated: bool) -> Comparison | None:
    match = _NUMBER.match(value)
    if match is None or (match[3] and key != "size"):
        return None
    unit = _UNITS[match[3][:1].lower()] if match[3] else 1
    return Comparison(key, match[1] or "=", float(match[2]) * unit, negated)


def _span(key: str, value: str, negated: bool) -> Span | None:
    bounds = _days(value)
    if bounds is None:
        return None
    since, until = bounds
    match key:
        case "after" | "since":
            return Span(since, None, negated)
        case "before":
            return Span(None, since, negated)
        case "until":
            return Span(None, until, negated)
    return Span(since, until, negated)


def _days(value: str) -> tuple[float, float] | None:
    """The first moment of a year, month or day, and the first after it, in local time."""
    match = _DATE.match(value)
    if match is None:
        return None
    year, month, day = int(match[1]), int(match[2] or 1), int(match[3] or 1)
    try:
        # Naive: datetime.timestamp takes it as local time, with the offset of that day.
        first = datetime(year, month, day)  # noqa: DTZ001
        if match[3]:
            after = first + timedelta(days=1)
        elif match[2]:
            after = first.replace(year=year + month // 12, month=month % 12 + 1)
        else:
            after = first.replace(year=year + 1)
        return first.timestamp(), after.timestamp()
    except (ValueError, OverflowError, OSError):
        return None
