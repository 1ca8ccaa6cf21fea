"""What a person says of outputs: stars, favourites, notes, tags. All functions return what changed."""

from collections.abc import Sequence

from comfydesk.errors import UsageError
from comfydesk.events import Change, CollectionsChanged, OutputsChanged
from comfydesk.store.database import Database, Value, listed
from comfydesk.store.outputs import plain_text

MAX_STARS = 5
MAX_NOTE = 100_000
MAX_TAG = 100
_THESE = "id IN (SELECT value FROM json_each(?))"


def rate(db: Database, ids: Sequence[int], stars: int) -> tuple[Change, ...]:
    """0 takes the stars away. Raises UsageError for other numbers than 0 to 5."""
    if not 0 <= stars <= MAX_STARS:
        what = f"An output has 0 to {MAX_STARS} stars, not {stars}"
        raise UsageError(what)
    return _set(db, ids, "rating", stars)


def favourite(db: Database, ids: Sequence[int], on: bool) -> tuple[Change, ...]:
    return _set(db, ids, "favourite", int(on))


def note(db: Database, ids: Sequence[int], text: str) -> tuple[Change, ...]:
    """At most MAX_NOTE characters are kept."""
    return _set(db, ids, "note", plain_text(text[:MAX_NOTE]))


def _set(db: Database, ids: Sequence[int], column: str, value: Value) -> tuple[Change, ...]:
    with db.transaction():
        rows = db.query(f"SELECT id FROM outputs WHERE {_THESE} AND {column} IS NOT ?", (listed(ids), value))  # noqa: S608
        changed = {row["id"] for row in rows}
        db.execute(f"UPDATE outputs SET {column} = ? WHERE {_THESE}", (value, listed(changed)))  # noqa: S608
    return _updated([key for key in ids if key in changed])


# --- Tags -------------------------------------------------------------------------------------------------------------


def tag(db: Database, ids: Sequence[int], name: str) -> tuple[Change, ...]:
    """Give outputs a tag; one that differs in case only is the same. Raises UsageError for a name that is none."""
    name = clean_name(name, "tag")
    with db.transaction():
        row = db.first("SELECT id FROM tags WHERE name = ?", (name,))
        key = int(row["id"]) if row else db.insert("INSERT INTO tags (name) VALUES (?)", (name,))
        changed = _missing_or_present(db, ids, key, present=False)
        db.execute("INSERT INTO output_tags (output, tag) SELECT value, ? FROM json_each(?)", (key, listed(changed)))
        _rewrite(db, changed)
    return _with_collections(changed, force=row is None)


def untag(db: Database, ids: Sequence[int], name: str) -> tuple[Change, ...]:
    """Take a tag from outputs. A tag that nothing has is gone."""
    with db.transaction():
        row = db.first("SELECT id FROM tags WHERE name = ?", (name,))
        if row is None:
            return ()
        changed = _missing_or_present(db, ids, row["id"], present=True)
        db.execute(
            "DELETE FROM output_tags WHERE tag = ? AND output IN (SELECT value FROM json_each(?))",
            (row["id"], listed(changed)),
        )
        _rewrite(db, changed)
        db.execute("DELETE FROM tags WHERE id = ? AND id NOT IN (SELECT tag FROM output_tags)", (row["id"],))
    return _with_collections(changed)


def rename_tag(db: Database, old: str, new: str) -> tuple[Change, ...]:
    """Wherever it is; with the name of another tag both become one. Raises UsageError for a name that is none."""
    new = clean_name(new, "tag")
    with db.transaction():
        source = db.first("SELECT id FROM tags WHERE name = ?", (old,))
        if source is None:
            return ()
        changed = [row["output"] for row in db.query("SELECT output FROM output_tags WHERE tag = ?", (source["id"],))]
        target = db.first("SELECT id FROM tags WHERE name = ? AND id <> ?", (new, source["id"]))
        if target is None:
            db.execute("UPDATE tags SET name = ? WHERE id = ?", (new, source["id"]))
        else:
            db.execute("UPDATE OR IGNORE output_tags SET tag = ? WHERE tag = ?", (target["id"], source["id"]))
            db.execute("DELETE FROM tags WHERE id = ?", (source["id"],))
        _rewrite(db, changed)
    return _with_collections(changed, force=True)


def clean_name(name: str, kind: str) -> str:
    """A name of a tag, an album or a search on one line. Raises UsageError if nothing is left, or too much."""
    cleaned = " ".join(plain_text("".join(c if c.isprintable() else " " for c in name)).split())
    if not cleaned:
        what = f"The {kind} needs a name"
        raise UsageError(what)
    if len(cleaned) > MAX_TAG:
        what = f"The name of the {kind} is too long"
        raise UsageError(what, f"It has over {MAX_TAG} letters")
    return cleaned


def _missing_or_present(db: Database, ids: Sequence[int], tag_id: int, *, present: bool) -> list[int]:
    rows = db.query(
        f"""SELECT id FROM outputs WHERE {_THESE}
        AND (id IN (SELECT output FROM output_tags WHERE tag = ?)) = ?""",  # noqa: S608
        (listed(ids), tag_id, present),
    )
    found = {row["id"] for row in rows}
    return [key for key in dict.fromkeys(ids) if key in found]


def _rewrite(db: Database, ids: Sequence[int]) -> None:
    """Repeat the tags of outputs in their rows, for the full-text index."""
    db.execute(
        f"""UPDATE outputs SET tags = coalesce((
            SELECT group_concat(name, char(10)) FROM (
                SELECT name FROM output_tags JOIN tags ON tags.id = tag WHERE output = outputs.id ORDER BY name
            )
        ), '') WHERE {_THESE}""",  # noqa: S608
        (listed(ids),),
    )


def _updated(ids: Sequence[int]) -> tuple[Change, ...]:
    return (OutputsChanged(updated=tuple(ids)),) if ids else ()


def _with_collections(ids: Sequence[int], *, force: bool = False) -> tuple[Change, ...]:
    return (*_updated(ids), CollectionsChanged()) if ids or force else ()
