"""Deleting outputs so that it can be undone: hidden at once, forgotten when their files are in the trash."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from comfydesk.events import Change, OutputsChanged
from comfydesk.store.database import Database, listed
from comfydesk.store.outputs import of_row
from comfydesk.store.records import Output


@dataclass(frozen=True, slots=True)
class Deletion:
    """What was deleted together. `time`: when, seconds since the epoch."""

    id: int
    time: float


def begin(db: Database, ids: Sequence[int]) -> tuple[int | None, tuple[Change, ...]]:
    """Hide outputs. Returns the deletion's id, None if there is nothing left to hide. On disk when this returns."""
    with db.transaction(durable=True):
        rows = db.query(
            "SELECT id FROM outputs WHERE id IN (SELECT value FROM json_each(?)) AND deletion IS NULL", (listed(ids),)
        )
        if not rows:
            return None, ()
        gone = tuple(row["id"] for row in rows)
        key = db.insert("INSERT INTO deletions (time) VALUES (?)", (time.time(),))
        db.execute("UPDATE outputs SET deletion = ? WHERE id IN (SELECT value FROM json_each(?))", (key, listed(gone)))
    return key, (OutputsChanged(removed=gone),)


def undo(db: Database, deletion: int) -> tuple[Change, ...]:
    """Show again what of it is not in the trash yet."""
    with db.transaction():
        back = tuple(row["id"] for row in db.query("SELECT id FROM outputs WHERE deletion = ?", (deletion,)))
        db.execute("UPDATE outputs SET deletion = NULL WHERE deletion = ?", (deletion,))
        db.execute("DELETE FROM deletions WHERE id = ?", (deletion,))
    return (OutputsChanged(added=back),) if back else ()


def restore(db: Database, output: int) -> tuple[Change, ...]:
    """Show one output again whose file cannot be put into the trash."""
    with db.transaction():
        done = db.execute("UPDATE outputs SET deletion = NULL WHERE id = ? AND deletion IS NOT NULL", (output,))
    return (OutputsChanged(added=(output,)),) if done else ()


def pending(db: Database) -> tuple[Deletion, ...]:
    """The oldest first."""
    return tuple(Deletion(row["id"], row["time"]) for row in db.query("SELECT id, time FROM deletions ORDER BY id"))


def hidden(db: Database, deletion: int) -> tuple[Output, ...]:
    """What of a deletion is still to go to the trash."""
    return tuple(of_row(row) for row in db.query("SELECT * FROM outputs WHERE deletion = ?", (deletion,)))


def is_hidden(db: Database, output: int) -> bool:
    return db.first("SELECT 1 FROM outputs WHERE id = ? AND deletion IS NOT NULL", (output,)) is not None


def forget(db: Database, output: int) -> None:
    """An output whose file is in the trash, or was gone before. That it was deleted is remembered."""
    with db.transaction():
        db.execute(
            """INSERT OR IGNORE INTO forgotten (sha256, pod, type, subfolder, filename, etag)
            SELECT sha256, pod, remote_type, remote_subfolder, remote_filename, etag FROM outputs
            WHERE id = ? AND deletion IS NOT NULL""",
            (output,),
        )
        db.execute("DELETE FROM outputs WHERE id = ? AND deletion IS NOT NULL", (output,))


def end(db: Database, deletion: int) -> None:
    """All its files are dealt with."""
    with db.transaction():
        db.execute(
            "DELETE FROM deletions WHERE id = ? AND NOT EXISTS (SELECT 1 FROM outputs WHERE deletion = ?)",
            (deletion, deletion),
        )
