"""The queue as a whole: its order, its counts, hold, release and pause, who looks after it, what is listed.

One statement or transaction each.
"""

from collections.abc import Sequence

from comfydesk.events import Change, JobsChanged, QueueChanged
from comfydesk.store.database import Database, listed
from comfydesk.store.jobs import changed_jobs, transition_many
from comfydesk.store.records import JobState

LEAST_STEP = 1e-6
"""Between two places in the queue."""


def counts(db: Database) -> dict[JobState, int]:
    """How many there are in each state; states without any are left out."""
    rows = db.query("SELECT state, count(*) FROM jobs WHERE hidden = 0 GROUP BY state")
    return {JobState(row[0]): int(row[1]) for row in rows}


def is_paused(db: Database) -> bool:
    """Nothing is sent, whoever wants it to be; what was sent goes on."""
    return db.first("SELECT 1 FROM flags WHERE name = 'paused'") is not None


def pause(db: Database, paused: bool) -> tuple[Change, ...]:
    """Stop the sending of all sessions, or let it go on. Holds over restarts."""
    with db.transaction(durable=True):
        if paused:
            changed = db.execute("INSERT OR IGNORE INTO flags (name) VALUES ('paused')")
        else:
            changed = db.execute("DELETE FROM flags WHERE name = 'paused'")
    return (QueueChanged(),) if changed else ()


def hold_all(db: Database, owner: str, now: float) -> tuple[Change, ...]:
    """Keep all of a session's queued jobs from being sent. On disk when this returns."""
    return transition_many(db, _of(db, owner, JobState.QUEUED), JobState.HELD, now, durable=True)


def release_all(db: Database, owner: str, now: float) -> tuple[Change, ...]:
    """Let all of a session's held jobs go."""
    return transition_many(db, _of(db, owner, JobState.HELD), JobState.QUEUED, now)


def _of(db: Database, owner: str, state: JobState) -> tuple[str, ...]:
    rows = db.query(
        "SELECT id FROM jobs WHERE owner = ? AND state = ? AND hidden = 0 ORDER BY position", (owner, state)
    )
    return tuple(row["id"] for row in rows)


def move_between(db: Database, ids: Sequence[str], after: str | None, before: str | None) -> tuple[Change, ...]:
    """Give jobs, in this order, the places behind `after` or else before `before`; of neither: at the front.

    Places are numbers with room between them; where it runs out, all that is to come is numbered anew.
    """
    with db.transaction():
        rows = db.query("SELECT id, position FROM jobs WHERE finished IS NULL AND hidden = 0 ORDER BY position, number")
        places = {row["id"]: float(row["position"]) for row in rows}
        moved = [job for job in ids if job in places]
        rest = [job for job in places if job not in set(moved)]
        at = rest.index(before) if before in rest else 0
        at = rest.index(after) + 1 if after in rest else at
        low = places[rest[at - 1]] if at else None
        high = places[rest[at]] if at < len(rest) else None
        wanted = _between(low, high, len(moved))
        if wanted is None:
            order = [*rest[:at], *moved, *rest[at:]]
            new = {job: float(number) for number, job in enumerate(order, 1)}
        else:
            new = dict(zip(moved, wanted, strict=True))
        changed = [job for job, place in new.items() if places[job] != place]
        for job in changed:
            db.execute("UPDATE jobs SET position = ? WHERE id = ?", (new[job], job))
    return changed_jobs(changed)


def _between(low: float | None, high: float | None, count: int) -> list[float] | None:
    """`count` places between two, each away from the next; None if there is no room."""
    if low is None:
        low = (high or 0.0) - count - 1
    if high is None:
        high = low + count + 1
    step = (high - low) / (count + 1)
    return None if step < LEAST_STEP else [low + step * number for number in range(1, count + 1)]


def clear_finished(db: Database) -> tuple[Change, ...]:
    """Take all ended jobs out of the list but those of which nobody knows how they ended."""
    with db.transaction():
        rows = db.query(
            "UPDATE jobs SET hidden = 1 WHERE state IN ('done', 'failed', 'cancelled') AND hidden = 0 RETURNING id"
        )
    return (JobsChanged(removed=tuple(row["id"] for row in rows)),) if rows else ()


def owners(db: Database) -> tuple[str, ...]:
    """The sessions that have something to finish."""
    rows = db.query(
        "SELECT owner FROM jobs WHERE finished IS NULL UNION SELECT owner FROM sheets WHERE made IS NULL ORDER BY owner"
    )
    return tuple(row["owner"] for row in rows)


def adopt(db: Database, owner: str, dead: Sequence[str], only: Sequence[str] | None = None) -> tuple[Change, ...]:
    """Make a session look after the unfinished jobs of sessions that are no more; or after those among `only`."""
    with db.transaction():
        if only is None:
            # What a session was adding when it ended: its user was never told that it is queued.
            db.execute(
                "DELETE FROM jobs WHERE hidden = 2 AND owner IN (SELECT value FROM json_each(?))", (listed(dead),)
            )
            db.execute(
                "UPDATE sheets SET owner = ? WHERE made IS NULL AND owner IN (SELECT value FROM json_each(?))",
                (owner, listed(dead)),
            )
        rows = db.query(
            "UPDATE jobs SET owner = :owner WHERE finished IS NULL AND hidden < 2"
            " AND owner IN (SELECT value FROM json_each(:dead))"
            " AND (:only IS NULL OR id IN (SELECT value FROM json_each(:only))) RETURNING id",
            {"owner": owner, "dead": listed(dead), "only": None if only is None else listed(only)},
        )
    return changed_jobs(row["id"] for row in rows)


def remove(db: Database, ids: Sequence[str]) -> tuple[Change, ...]:
    """Take ended jobs out of the queue's list. Their outputs stay, and what they were made from."""
    with db.transaction():
        rows = db.query(
            "UPDATE jobs SET hidden = 1 WHERE id IN (SELECT value FROM json_each(?))"
            " AND finished IS NOT NULL AND NOT hidden RETURNING id",
            (listed(ids),),
        )
    gone = {row["id"] for row in rows}
    return (JobsChanged(removed=tuple(job for job in ids if job in gone)),) if gone else ()
