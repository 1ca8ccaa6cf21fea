"""Jobs that a pod has lost (it restarted with an empty queue), queued anew where the user's standing choice is that."""

import uuid
from dataclasses import replace

from comfydesk.events import Change
from comfydesk.store.database import Database
from comfydesk.store.jobs import add, transition
from comfydesk.store.records import Job, JobError, JobState


def queue_anew(db: Database, job: str, new: Job, now: float, *, error: JobError) -> tuple[Change, ...]:
    """The lost one is over, with `error` saying why, and `new` is the first of the queue: both or neither."""
    with db.transaction(durable=True):
        changes = transition(db, job, JobState.CANCELLED, now, error=error)
        return changes and (*changes, *add(db, [new], front=True))


def witness(db: Database, pod: str, before: float) -> str | None:
    """The id there of the newest job that the pod certainly had before a moment, and would still know; None: none was.

    Certainly, since it has answered to it; before, since its POST had begun then (when a short job's answer is written
    down says nothing: that may be at its end).

    What was cancelled is no witness: taken out of a pod's queue it leaves no trace.
    """
    row = db.first(
        """SELECT remote_id FROM jobs WHERE pod = ? AND sent IS NOT NULL AND coalesce(posted, sent) < ?
            AND state NOT IN ('cancelled', 'cancelling')
        ORDER BY coalesce(posted, sent) DESC, number DESC LIMIT 1""",
        (pod, before),
    )
    return None if row is None else str(row["remote_id"])


def again(job: Job, now: float) -> Job:
    """The same work, in the same batch, as a new job that nobody has sent."""
    return replace(
        job,
        id=str(uuid.uuid4()),
        state=JobState.QUEUED,
        remote_id="",
        created=now,
        posted=None,
        sent=None,
        started=None,
        finished=None,
        error=None,
        warning=None,
        outputs=(),
        texts=(),
    )
