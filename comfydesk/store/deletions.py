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
    """Show again what of it is not on its way to the trash yet."""
    with db.transaction():
        rows = db.query(
            "UPDATE outputs SET deletion = NULL WHERE deletion = ? AND NOT leaving RETURNING id", (deletion,)
        )
        end(db, deletion)
    back = tuple(sorted(row["id"] for row in rows))
    return (OutputsChanged(added=back),) if back else ()


def keep(db: Database, output: int) -> tuple[Change, ...]:
    """Somebody wants an output that may be being deleted: it comes back, unless that is too late. See `stays`."""
    with db.transaction():
        back = db.execute(
            "UPDATE outputs SET deletion = NULL WHERE id = ? AND deletion IS NOT NULL AND NOT leaving", (output,)
        )
    return (OutputsChanged(added=(output,)),) if back else ()


def stays(db: Database, output: int) -> bool:
    """Whether there is such an output, and it is not being deleted."""
    return db.first("SELECT 1 FROM outputs WHERE id = ? AND deletion IS NULL", (output,)) is not None


# A job that is over has no claim to a place, though it had a file there once that is forgotten (its `output` is NULL).
_MAY_GO = """id = ? AND deletion IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM job_files JOIN jobs ON jobs.id = job_files.job
        WHERE path = outputs.path AND output IS NULL AND lost IS NULL AND jobs.state = 'saving')
    AND NOT EXISTS (SELECT 1 FROM job_files JOIN jobs ON jobs.id = job_files.job
        WHERE job_files.output = outputs.id AND jobs.state = 'saving')"""


def may_go(db: Database, output: int) -> bool:
    """Whether `claim` would be successful."""
    return db.first(f"SELECT 1 FROM outputs WHERE {_MAY_GO}", (output,)) is not None  # noqa: S608


def claim(db: Database, output: int) -> bool:
    """Its file goes to the trash now, and nobody brings it back any more: `forget` or `restore` is next.

    False: it is wanted again; or it has to wait, since a job has yet to take up what lies at its place, or would fetch
    it once more because it is not done with its other files.
    """
    with db.transaction():
        done = db.execute(f"UPDATE outputs SET leaving = 1 WHERE {_MAY_GO}", (output,))  # noqa: S608
    return done > 0


def restore(db: Database, output: int) -> tuple[Change, ...]:
    """Show one output again whose file cannot be put into the trash."""
    with db.transaction():
        done = db.execute(
            "UPDATE outputs SET deletion = NULL, leaving = 0 WHERE id = ? AND deletion IS NOT NULL", (output,)
        )
    return (OutputsChanged(added=(output,)),) if done else ()


def pending(db: Database) -> tuple[Deletion, ...]:
    """The oldest first."""
    return tuple(Deletion(row["id"], row["time"]) for row in db.query("SELECT id, time FROM deletions ORDER BY id"))


@dataclass(frozen=True, slots=True)
class Hidden:
    """An output that is to go to the trash. `mtime_ns`: when its file was last changed, 0 where that is not known."""

    output: Output
    mtime_ns: int


def hidden(db: Database, deletion: int) -> tuple[Hidden, ...]:
    """What of a deletion is still to go to the trash."""
    rows = db.query("SELECT * FROM outputs WHERE deletion = ?", (deletion,))
    return tuple(Hidden(of_row(row), row["mtime_ns"]) for row in rows)


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
