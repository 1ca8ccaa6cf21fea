"""How many outputs there are of each model, workflow, pod, tag, album and kind of media."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from comfydesk.store.database import Database
from comfydesk.store.listing import full_condition
from comfydesk.store.search import Conditions, OutputFilter

MAX_VALUES = 500
"""Of each facet, the most frequent first."""
_COLUMNS = ("media", "model", "workflow", "pod", "sampler", "rating", "favourite", "missing")


@dataclass(frozen=True, slots=True)
class Facets:
    """Value → number of outputs, the most frequent first."""

    total: int = 0
    media: Mapping[str, int] = field(default_factory=dict)
    models: Mapping[str, int] = field(default_factory=dict)
    """Checkpoints."""
    loras: Mapping[str, int] = field(default_factory=dict)
    workflows: Mapping[str, int] = field(default_factory=dict)
    pods: Mapping[str, int] = field(default_factory=dict)
    """By id."""
    samplers: Mapping[str, int] = field(default_factory=dict)
    tags: Mapping[str, int] = field(default_factory=dict)
    albums: Mapping[int, int] = field(default_factory=dict)
    """By id."""
    ratings: Mapping[int, int] = field(default_factory=dict)
    """Stars → with exactly so many, 0 left out."""
    favourites: int = 0
    missing: int = 0


def facets(db: Database, wanted: OutputFilter) -> Facets:
    """Of what `wanted` finds."""
    where, values = full_condition(Conditions(wanted))
    counts: dict[str, Counter[str | int]] = {name: Counter() for name in _COLUMNS}
    total = 0
    for row in db.tuples(
        f"SELECT {', '.join(_COLUMNS[:-1])}, missing IS NOT NULL, count(*) FROM outputs WHERE {where}"  # noqa: S608
        " GROUP BY 1, 2, 3, 4, 5, 6, 7, 8",
        values,
    ):
        *keys, number = row
        total += number
        for name, key in zip(_COLUMNS, keys, strict=True):
            counts[name][key] += number
    inside = "" if wanted.everything else f" AND output IN (SELECT id FROM outputs WHERE {where})"  # noqa: S608
    hidden = " AND output NOT IN (SELECT id FROM outputs WHERE deletion IS NOT NULL)"
    some = () if wanted.everything else values
    loras = db.tuples(
        f"SELECT model, count(*) FROM output_models WHERE kind = 'lora'{hidden}{inside} GROUP BY 1",  # noqa: S608
        some,
    )
    tags = db.tuples(
        f"SELECT name, count(*) FROM output_tags JOIN tags ON id = tag WHERE 1{hidden}{inside} GROUP BY 1",  # noqa: S608
        some,
    )
    albums = db.tuples(
        f"SELECT album, count(*) FROM album_outputs WHERE 1{hidden}{inside} GROUP BY 1",  # noqa: S608
        some,
    )
    return Facets(
        total,
        _words(counts["media"]),
        _words(counts["model"]),
        _words(Counter(dict(loras))),
        _words(counts["workflow"]),
        _words(counts["pod"]),
        _words(counts["sampler"]),
        _words(Counter(dict(tags))),
        {int(key): number for key, number in albums},
        {int(key): number for key, number in sorted(counts["rating"].items()) if key},
        counts["favourite"][1],
        counts["missing"][1],
    )


def _words(counts: "Counter[str | int]") -> dict[str, int]:
    return {str(key): number for key, number in counts.most_common(MAX_VALUES) if key}
