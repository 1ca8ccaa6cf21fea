"""Where the library's files lie: which are gone, and where those turned up."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from comfydesk.events import Change, OutputsChanged
from comfydesk.store.database import Database, listed
from comfydesk.store.outputs import of_row, plain_text, stored_path
from comfydesk.store.records import Output


@dataclass(frozen=True, slots=True)
class Place:
    """Where an output is said to be."""

    id: int
    path: str
    size: int
    missing: bool


def places(db: Database, after: int, limit: int) -> tuple[Place, ...]:
    """By id, from the one after `after`; deleted ones left out."""
    rows = db.query(
        "SELECT * FROM outputs WHERE id > ? AND deletion IS NULL ORDER BY id LIMIT ?",
        (after, limit),
    )
    return tuple(_place(of_row(row)) for row in rows)


def places_of(db: Database, ids: Sequence[int]) -> tuple[Place, ...]:
    rows = db.query(
        "SELECT * FROM outputs WHERE id IN (SELECT value FROM json_each(?)) AND deletion IS NULL", (listed(ids),)
    )
    return tuple(_place(of_row(row)) for row in rows)


def missing(db: Database) -> tuple[Output, ...]:
    """Those whose file is gone."""
    return tuple(
        of_row(row) for row in db.query("SELECT * FROM outputs WHERE missing IS NOT NULL AND deletion IS NULL")
    )


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


def _place(output: Output) -> Place:
    return Place(output.id, output.path, output.size, output.missing)
