"""Albums, arranged by hand, and saved searches. What writes returns what changed."""

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from comfydesk.errors import UsageError
from comfydesk.events import Change, CollectionsChanged, OutputsChanged
from comfydesk.store.database import Database, listed
from comfydesk.store.marks import clean_name
from comfydesk.store.search import EVERYTHING, Aspect, OutputFilter


@dataclass(frozen=True, slots=True)
class Album:
    id: int
    name: str
    count: int
    cover: int | None
    """Its first output."""


@dataclass(frozen=True, slots=True)
class SavedSearch:
    id: int
    name: str
    filter: OutputFilter


def albums(db: Database) -> tuple[Album, ...]:
    """In the user's order. Deleted outputs do not count."""
    rows = db.query(
        """SELECT albums.id, albums.name, count(outputs.id) AS count, (
            SELECT output FROM album_outputs AS a JOIN outputs AS o ON o.id = a.output AND o.deletion IS NULL
            WHERE a.album = albums.id ORDER BY a.position, a.output LIMIT 1
        ) AS cover
        FROM albums LEFT JOIN album_outputs ON album = albums.id
            LEFT JOIN outputs ON outputs.id = output AND deletion IS NULL
        GROUP BY albums.id ORDER BY albums.position, albums.id"""
    )
    return tuple(Album(row["id"], row["name"], row["count"], row["cover"]) for row in rows)


def make(db: Database, name: str) -> tuple[int, tuple[Change, ...]]:
    """A new, empty album at the end. Raises UsageError for a name that is none, or taken."""
    name = clean_name(name, "album")
    with db.transaction():
        _free(db, "albums", name)
        key = db.insert(
            "INSERT INTO albums (name, position, created)"
            " VALUES (?, (SELECT coalesce(max(position), 0) + 1 FROM albums), ?)",
            (name, time.time()),
        )
    return key, (CollectionsChanged(),)


def rename(db: Database, album: int, name: str) -> tuple[Change, ...]:
    """Raises UsageError for a name that is none, or taken."""
    name = clean_name(name, "album")
    with db.transaction():
        _free(db, "albums", name, but=album)
        done = db.execute("UPDATE albums SET name = ? WHERE id = ?", (name, album))
    return (CollectionsChanged(),) if done else ()


def remove(db: Database, album: int) -> tuple[Change, ...]:
    """The album only: its outputs stay."""
    with db.transaction():
        done = db.execute("DELETE FROM albums WHERE id = ?", (album,))
    return (CollectionsChanged((album,)),) if done else ()


def add(db: Database, album: int, ids: Sequence[int]) -> tuple[Change, ...]:
    """Put outputs at the end of an album; those in it stay where they are. UsageError: no such album."""
    with db.transaction():
        _known(db, album)
        new = _of(db, album, ids, inside=False)
        last = db.first("SELECT coalesce(max(position), 0) FROM album_outputs WHERE album = ?", (album,))
        start = float(last[0]) if last else 0.0
        for number, output in enumerate(new, 1):
            db.execute(
                "INSERT INTO album_outputs (album, output, position) VALUES (?, ?, ?)", (album, output, start + number)
            )
    return _contents(album, new)


def take_out(db: Database, album: int, ids: Sequence[int]) -> tuple[Change, ...]:
    """The outputs stay in the library."""
    with db.transaction():
        gone = _of(db, album, ids, inside=True)
        db.execute(
            "DELETE FROM album_outputs WHERE album = ? AND output IN (SELECT value FROM json_each(?))",
            (album, listed(gone)),
        )
    return _contents(album, gone)


def albums_of(db: Database, output: int) -> tuple[tuple[int, str], ...]:
    """Id and name of the albums an output is in."""
    rows = db.query(
        "SELECT id, name FROM albums JOIN album_outputs ON album = id WHERE output = ? ORDER BY albums.position",
        (output,),
    )
    return tuple((row["id"], row["name"]) for row in rows)


def _of(db: Database, album: int, ids: Sequence[int], *, inside: bool) -> list[int]:
    rows = db.query(
        """SELECT id FROM outputs WHERE id IN (SELECT value FROM json_each(?))
        AND (id IN (SELECT output FROM album_outputs WHERE album = ?)) = ?""",
        (listed(ids), album, inside),
    )
    found = {row["id"] for row in rows}
    return [key for key in dict.fromkeys(ids) if key in found]


def _contents(album: int, ids: Sequence[int]) -> tuple[Change, ...]:
    return (OutputsChanged(updated=tuple(ids)), CollectionsChanged((album,))) if ids else ()


def _known(db: Database, album: int) -> None:
    if db.first("SELECT 1 FROM albums WHERE id = ?", (album,)) is None:
        raise UsageError("There is no such album", "It was removed", "Choose another one")


def _free(db: Database, table: str, name: str, *, but: int = 0) -> None:
    if db.first(f"SELECT 1 FROM {table} WHERE name = ? AND id <> ?", (name, but)) is not None:  # noqa: S608
        what = f"There is one called {name} already"
        raise UsageError(what, "", "Choose another name")


# --- Saved searches ---------------------------------------------------------------------------------------------------


def saved_searches(db: Database) -> tuple[SavedSearch, ...]:
    rows = db.query("SELECT id, name, filter FROM saved_searches ORDER BY position, id")
    return tuple(SavedSearch(row["id"], row["name"], filter_from(json.loads(row["filter"]))) for row in rows)


def save_search(db: Database, name: str, wanted: OutputFilter) -> tuple[int, tuple[Change, ...]]:
    """A search of that name is replaced. Raises UsageError for a name that is none."""
    name = clean_name(name, "search")
    packed = json.dumps(filter_to(wanted))
    with db.transaction():
        row = db.first("SELECT id FROM saved_searches WHERE name = ?", (name,))
        if row is not None:
            db.execute("UPDATE saved_searches SET filter = ? WHERE id = ?", (packed, row["id"]))
            return row["id"], (CollectionsChanged(),)
        key = db.insert(
            "INSERT INTO saved_searches (name, filter, position)"
            " VALUES (?, ?, (SELECT coalesce(max(position), 0) + 1 FROM saved_searches))",
            (name, packed),
        )
    return key, (CollectionsChanged(),)


def rename_search(db: Database, search: int, name: str) -> tuple[Change, ...]:
    """Raises UsageError for a name that is none, or taken."""
    name = clean_name(name, "search")
    with db.transaction():
        _free(db, "saved_searches", name, but=search)
        done = db.execute("UPDATE saved_searches SET name = ? WHERE id = ?", (name, search))
    return (CollectionsChanged(),) if done else ()


def forget_search(db: Database, search: int) -> tuple[Change, ...]:
    with db.transaction():
        done = db.execute("DELETE FROM saved_searches WHERE id = ?", (search,))
    return (CollectionsChanged(),) if done else ()


def filter_to(wanted: OutputFilter) -> dict[str, Any]:
    """What of a filter is not as in an empty one, as JSON."""
    empty = asdict(EVERYTHING)
    return {name: value for name, value in asdict(wanted).items() if value != empty[name]}


def filter_from(document: Any) -> OutputFilter:
    """The filter; what a newer version wrote and this one does not know is left out."""
    known: dict[str, Any] = {}
    empty = asdict(EVERYTHING)
    for name, value in (document if isinstance(document, dict) else {}).items():
        if name == "aspect":
            known[name] = Aspect(value) if value in [aspect.value for aspect in Aspect] else None
        elif name in empty:
            known[name] = tuple(value) if isinstance(value, list) else value
    return OutputFilter(**known)
