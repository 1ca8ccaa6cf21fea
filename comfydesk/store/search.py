"""Which outputs a person wants to see: filters as values, and the conditions they become in SQL.

Nothing that is typed becomes part of a statement or of the full-text index's own query language: words are quoted.
"""

from dataclasses import dataclass
from enum import StrEnum

from comfydesk.store.database import Value, listed
from comfydesk.store.search_text import Comparison, Exact, Span, State, Term, Words, parse


class Order(StrEnum):
    NEWEST = "newest"
    OLDEST = "oldest"
    NAME = "name"
    RATING = "rating"
    """The best first, then the newest."""
    LARGEST = "largest"
    """By bytes."""
    ALBUM = "album"
    """As arranged by hand; of a filter with an album."""


class Grouping(StrEnum):
    NONE = "none"
    DAY = "day"
    """Of this computer's time zone."""
    BATCH = "batch"
    """What was enqueued together; what was alone is under its day."""
    WORKFLOW = "workflow"


class Aspect(StrEnum):
    PORTRAIT = "portrait"
    LANDSCAPE = "landscape"
    SQUARE = "square"
    """Within 2 %."""


@dataclass(frozen=True, slots=True)
class OutputFilter:
    """All of these must hold; what is empty holds always. Of several values in a field any one will do; of tags, all.

    Hidden (deleted) outputs are never found.
    """

    words: str = ""
    """As typed, see `search_text`."""
    media: tuple[str, ...] = ()
    """image, video, audio, text, model3d, other."""
    models: tuple[str, ...] = ()
    """Checkpoints and LoRAs by their names in the pod's spelling."""
    workflows: tuple[str, ...] = ()
    """By display name."""
    pods: tuple[str, ...] = ()
    """By id."""
    samplers: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    album: int | None = None
    rating: int = 0
    """At least so many stars, 1 to 5."""
    favourite: bool = False
    since: float | None = None
    """Seconds since the epoch."""
    until: float | None = None
    """Made before it."""
    aspect: Aspect | None = None
    batch: str = ""
    job: str = ""
    missing: bool | None = None
    """True: only those whose file is gone."""

    @property
    def everything(self) -> bool:
        """Whether it holds for all outputs."""
        return self == EVERYTHING


EVERYTHING = OutputFilter()


class Conditions:
    """A filter as SQL: `sql` joins conditions on `outputs` with AND, `values` are its parameters in order."""

    def __init__(self, wanted: OutputFilter) -> None:
        self._parts: list[str] = []
        self.values: list[Value] = []
        self._matches: list[str] = []
        """What all must match in the full-text index."""
        for term in parse(wanted.words):
            self._term(term)
        self.match = " ".join(self._matches)
        """The query to the full-text index `output_words`; "" for none. It comes on top of `sql`."""
        self._fields(wanted)

    @property
    def sql(self) -> str:
        """Conditions apart from `match`; "" for none."""
        return " AND ".join(f"({part})" for part in self._parts)

    def _add(self, sql: str, *values: Value, negated: bool = False) -> None:
        self._parts.append(f"NOT coalesce({sql}, 0)" if negated else sql)
        self.values += values

    def _fields(self, wanted: OutputFilter) -> None:
        for sql, values in (
            ("media IN (SELECT value FROM json_each(?))", wanted.media),
            ("workflow IN (SELECT value FROM json_each(?))", wanted.workflows),
            ("pod IN (SELECT value FROM json_each(?))", wanted.pods),
            ("sampler IN (SELECT value FROM json_each(?))", wanted.samplers),
            (_OF_MODELS, wanted.models),
        ):
            if values:
                self._add(sql, listed(values))
        for tag in wanted.tags:
            self._add("id IN (SELECT output FROM output_tags JOIN tags ON tags.id = tag WHERE name = ?)", tag)
        one: tuple[tuple[str, Value], ...] = (
            ("id IN (SELECT output FROM album_outputs WHERE album = ?)", wanted.album),
            ("rating > 0 AND rating >= ?", wanted.rating or None),
            ("created >= ?", wanted.since),
            ("created < ?", wanted.until),
            ("batch = ?", wanted.batch or None),
            ("run = ?", wanted.job or None),
        )
        for sql, value in one:
            if value is not None:
                self._add(sql, value)
        if wanted.favourite:
            self._add("favourite")
        if wanted.aspect is not None:
            self._add(_ASPECTS[wanted.aspect])
        if wanted.missing is not None:
            self._add("missing IS NOT NULL" if wanted.missing else "missing IS NULL")

    def _term(self, term: Term) -> None:
        match term:
            case Words():
                self._words(term)
            case Exact():
                self._exact(term)
            case Comparison():
                # The index of ratings has those only that are rated.
                rated = term.key == "rating" and (term.operator == ">" or (term.value > 0 and "<" not in term.operator))
                self._add(f"{'rating > 0 AND ' * rated}{term.key} {term.operator} ?", term.value, negated=term.negated)
            case Span():
                bounds = [("created >= ?", term.since), ("created < ?", term.until)]
                known = [(sql, value) for sql, value in bounds if value is not None]
                self._add(" AND ".join(sql for sql, _ in known), *(value for _, value in known), negated=term.negated)
            case State():
                self._add(_STATES[term.name], negated=term.negated)

    def _words(self, term: Words) -> None:
        if term.literal:
            columns = [term.column] if term.column else list(WORD_COLUMNS)
            sql = " OR ".join(rf"{column} LIKE ? ESCAPE '\'" for column in columns)
            self._add(f"({sql})", *[_pattern(term.text)] * len(columns), negated=term.negated)
            return
        phrase = '"' + term.text.replace('"', '""') + '"' + ("" if term.whole else " *")
        query = f"{{{term.column}}} : {phrase}" if term.column else phrase
        if term.negated:
            self._add("id NOT IN (SELECT rowid FROM output_words WHERE output_words MATCH ?)", query)
        else:
            self._matches.append(query)

    def _exact(self, term: Exact) -> None:
        value = term.value
        match term.key:
            case "album":
                sql = "id IN (SELECT output FROM album_outputs JOIN albums ON albums.id = album WHERE name = ?)"
            case "sampler" | "scheduler":
                sql, value = rf"{term.key} LIKE ? ESCAPE '\'", _pattern(value)[1:]
            case "type":
                sql, value = "media = ?", _MEDIA.get(value.lower(), value.lower())
            case "seed":
                sql, value = "seed = ?", value.lstrip("0") or "0"
            case "job":
                sql = "run = ?"
            case key:
                sql = f"{key} = ?"
        self._add(sql, value, negated=term.negated)


WORD_COLUMNS = ("prompt", "negative", "note", "models", "workflow", "name", "tags")
"""The columns of the full-text index, in its order."""
_OF_MODELS = "id IN (SELECT output FROM output_models WHERE model IN (SELECT value FROM json_each(?)))"
_ASPECTS = {
    Aspect.PORTRAIT: "width IS NOT NULL AND aspect < 0.98",
    Aspect.LANDSCAPE: "width IS NOT NULL AND aspect > 1.02",
    Aspect.SQUARE: "width IS NOT NULL AND aspect BETWEEN 0.98 AND 1.02",
}
_STATES = {
    "favourite": "favourite",
    "missing": "missing IS NOT NULL",
    **{aspect.value: sql for aspect, sql in _ASPECTS.items()},
    "has-note": "note <> ''",
    "has-tag": "tags <> ''",
    "has-album": "id IN (SELECT output FROM album_outputs)",
    "has-rating": "rating > 0",
}
_MEDIA = {
    "picture": "image",
    "images": "image",
    "videos": "video",
    "sound": "audio",
    "music": "audio",
    "3d": "model3d",
}


def _pattern(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"
