"""Where the library's files lie: which are gone, and where those turned up."""

import os
import time
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from comfydesk.events import Change, OutputsChanged
from comfydesk.store.database import Database, listed
from comfydesk.store.outputs import plain_text, stored_path


class Place(NamedTuple):
    """Where an output is said to be."""

    id: int
    path: str
    missing: bool


_SELECT = "SELECT id, path, missing IS NOT NULL FROM outputs WHERE deletion IS NULL"


def places(db: Database, after: int, limit: int) -> tuple[Place, ...]:
    """By id, from the one after `after`; deleted ones left out."""
    return _places(db.tuples(f"{_SELECT} AND id > ? ORDER BY id LIMIT ?", (after, limit)))


def places_of(db: Database, ids: Sequence[int]) -> tuple[Place, ...]:
    return _places(db.tuples(f"{_SELECT} AND id IN (SELECT value FROM json_each(?))", (listed(ids),)))  # noqa: S608


def _places(rows: Iterable[tuple[int, str | bytes, int]]) -> tuple[Place, ...]:
    return tuple(Place(output, os.fsdecode(path), bool(missing)) for output, path, missing in rows)


_MISSING = "FROM outputs WHERE missing IS NOT NULL AND deletion IS NULL"


def missing_sizes(db: Database) -> frozenset[int]:
    """Of files that are gone. There may be 100,000, on a disk that is not plugged in."""
    return frozenset(size for (size,) in db.tuples(f"SELECT DISTINCT size {_MISSING}"))


def missing_with(db: Database, sha256: str) -> tuple[int, ...]:
    """The outputs with these bytes whose file is gone."""
    return tuple(output for (output,) in db.tuples(f"SELECT id {_MISSING} AND sha256 = ? ORDER BY id", (sha256,)))


def known_paths(db: Database, paths: Sequence[str]) -> frozenset[str]:
    """Those of `paths` that an output has."""
    return frozenset(
        path for path in paths if db.first("SELECT 1 FROM outputs WHERE path = ?", (stored_path(path),)) is not None
    )


def note(db: Database, gone: Iterable[int], back: Iterable[int]) -> tuple[Change, ...]:
    """Outputs whose file is not there, and those whose file is there again."""
    with db.transaction():
        rows = db.query(
            "UPDATE outputs SET missing = ? WHERE id IN (SELECT value FROM json_each(?)) AND missing IS NULL"
            " RETURNING id",
            (time.time(), listed(gone)),
        )
        rows += db.query(
            "UPDATE outputs SET missing = NULL WHERE id IN (SELECT value FROM json_each(?)) AND missing IS NOT NULL"
            " RETURNING id",
            (listed(back),),
        )
    changed = tuple(row["id"] for row in rows)
    return (OutputsChanged(updated=changed),) if changed else ()


def moved(db: Database, output: int, path: str, name: str) -> tuple[Change, ...]:
    """The file of a missing output was found elsewhere. Nothing, if another output has that place already."""
    with db.transaction():
        if db.first("SELECT 1 FROM outputs WHERE path = ?", (stored_path(path),)) is not None:
            return ()
        done = db.execute(
            "UPDATE outputs SET path = ?, name = ?, missing = NULL WHERE id = ? AND missing IS NOT NULL",
            (stored_path(path), plain_text(name), output),
        )
    return (OutputsChanged(updated=(output,)),) if done else ()
