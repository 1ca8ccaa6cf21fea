"""What the user says of workflows, and what came of them: favourites, tags, when one was opened, what it made last.

Kept by the workflow's id, which is the same at every start, never by its name.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from comfydesk.store.database import Database


@dataclass(frozen=True, slots=True)
class Mark:
    favourite: bool = False
    opened: float = 0
    """Seconds since the epoch; 0: never."""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Made:
    """The last file that a workflow made."""

    output: int
    path: str
    media: str
    created: float


def marks(db: Database) -> dict[str, Mark]:
    """All of them, by workflow id."""
    rows = db.query("SELECT workflow, favourite, opened, tags FROM workflow_marks")
    return {
        row["workflow"]: Mark(bool(row["favourite"]), row["opened"], tuple(json.loads(row["tags"]))) for row in rows
    }


def set_mark(db: Database, workflow: str, mark: Mark) -> None:
    """In place of what was known of it."""
    with db.transaction():
        if mark == Mark():
            db.execute("DELETE FROM workflow_marks WHERE workflow = ?", (workflow,))
            return
        db.execute(
            "INSERT OR REPLACE INTO workflow_marks (workflow, favourite, opened, tags) VALUES (?, ?, ?, ?)",
            (workflow, int(mark.favourite), mark.opened, json.dumps(mark.tags)),
        )


def move_mark(db: Database, before: str, after: str) -> None:
    """The workflow has another id: it was renamed."""
    with db.transaction():
        db.execute("DELETE FROM workflow_marks WHERE workflow = ?", (after,))
        db.execute("UPDATE workflow_marks SET workflow = ? WHERE workflow = ?", (after, before))


def last_made(db: Database) -> dict[str, Made]:
    """Workflow id → the newest of its pictures and videos."""
    rows = db.query(
        """SELECT runs.workflow_id, outputs.id, outputs.path, outputs.media, max(outputs.created) AS created
        FROM outputs JOIN runs ON runs.id = outputs.run
        WHERE runs.workflow_id != '' AND outputs.media IN ('image', 'video') GROUP BY runs.workflow_id"""
    )
    return {row["workflow_id"]: Made(row["id"], row["path"], row["media"], row["created"]) for row in rows}


def workflows_of(db: Database, runs: Iterable[str]) -> dict[str, str]:
    """Job id → id of the workflow it came from; jobs that came from none are left out."""
    found: dict[str, str] = {}
    for run in runs:
        row = db.first("SELECT workflow_id FROM runs WHERE id = ? AND workflow_id != ''", (run,))
        if row is not None:
            found[run] = row["workflow_id"]
    return found
