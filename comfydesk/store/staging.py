"""Adding many jobs at once: row by row out of sight, then all of them in one step.

While a batch is added its rows are hidden and held, so that neither the queue nor its views see them; `publish` is one
statement. A batch of any size is queued whole or not at all, and no transaction holds up others for long.
"""

from collections.abc import Sequence

from comfydesk.events import Change, JobsChanged
from comfydesk.store.database import Database, listed
from comfydesk.store.jobs import after_all, before_all, changed_jobs, insert
from comfydesk.store.records import Job, JobState
from comfydesk.store.sheets import WantedSheet, want

STAGED = 2
"""Of `hidden`: being added."""


def stage(db: Database, jobs: Sequence[Job], first: int) -> None:
    """Some jobs of a batch; `first` is the place of the first of them in it. They are QUEUED once they are public."""
    with db.transaction():
        for number, job in enumerate(jobs, first):
            insert(db, job, float(number), hidden=STAGED)


def publish(
    db: Database,
    batch: str,
    owner: str,
    total: int,
    sheets: Sequence[WantedSheet] = (),
    *,
    front: bool = False,
    held: bool = False,
) -> tuple[Change, ...]:
    """All of them are in the queue, at its end or before all others. On disk when this returns."""
    with db.transaction(durable=True):
        start = before_all(db, total) + 1 if front else after_all(db) + 1
        rows = db.query(
            """UPDATE jobs SET hidden = 0, state = :state, position = position + :start
            WHERE hidden = :staged AND owner = :owner AND id IN (SELECT id FROM runs WHERE batch = :batch)
            RETURNING id, position""",
            {
                "state": JobState.HELD if held else JobState.QUEUED,
                "start": start,
                "staged": STAGED,
                "owner": owner,
                "batch": batch,
            },
        )
        want(db, sheets, owner)
    return changed_jobs(row["id"] for row in sorted(rows, key=lambda row: float(row["position"])))


def discard(db: Database, batch: str) -> None:
    """What was staged of a batch goes."""
    with db.transaction():
        db.execute("DELETE FROM jobs WHERE hidden = ? AND id IN (SELECT id FROM runs WHERE batch = ?)", (STAGED, batch))
        db.execute("DELETE FROM runs WHERE batch = ? AND id NOT IN (SELECT id FROM jobs)", (batch,))


def withdraw(db: Database, ids: Sequence[str]) -> tuple[Change, ...]:
    """New jobs that became public go again, with their sheets, unless one is on its way to a pod already."""
    wanted = listed(ids)
    with db.transaction():
        rows = db.query("SELECT id, state, hidden FROM jobs WHERE id IN (SELECT value FROM json_each(?))", (wanted,))
        if any(row["state"] not in (JobState.QUEUED, JobState.HELD) for row in rows):
            return ()
        batches = db.query("SELECT DISTINCT batch FROM runs WHERE id IN (SELECT value FROM json_each(?))", (wanted,))
        db.execute("DELETE FROM jobs WHERE id IN (SELECT value FROM json_each(?))", (wanted,))
        db.execute("DELETE FROM runs WHERE id IN (SELECT value FROM json_each(?))", (wanted,))
        db.execute(
            "DELETE FROM sheets WHERE batch IN (SELECT value FROM json_each(?)) AND batch NOT IN"
            " (SELECT batch FROM runs)",
            (listed(row["batch"] for row in batches),),
        )
    gone = tuple(row["id"] for row in rows if not row["hidden"])
    return (JobsChanged(removed=gone),) if gone else ()


def are_queued(db: Database, ids: Sequence[str]) -> bool:
    """Whether the queue has any of these."""
    found = db.first("SELECT 1 FROM jobs WHERE id IN (SELECT value FROM json_each(?)) AND hidden < 2", (listed(ids),))
    return found is not None


def sweep(db: Database, owner: str) -> None:
    """What an earlier session of that name was adding when it ended: nobody was told that it is queued."""
    with db.transaction():
        db.execute("DELETE FROM jobs WHERE hidden = ? AND owner = ?", (STAGED, owner))
