"""What finished jobs left on their pods, in the pod's order, and where it goes on this computer."""

import json
import os
from collections.abc import Sequence

from comfydesk.events import Change
from comfydesk.store import deletions
from comfydesk.store.database import Database
from comfydesk.store.jobs import changed_jobs, transition
from comfydesk.store.packing import pack_verdict
from comfydesk.store.records import JobError, JobFile, JobState, Verdict


def begin_saving(
    db: Database,
    job: str,
    files: Sequence[JobFile],
    now: float,
    texts: Sequence[str] = (),
    *,
    verdict: tuple[JobState, JobError | None] | None = None,
    began: float | None = None,
) -> tuple[Change, ...]:
    """The job is over on its pod, said `texts` and left `files`: SAVING, and the list of what is to be fetched.

    `verdict`: it failed or was cancelled there, and is to end so here. `began`: when it started to run, if that was
    not worth a note of its own.
    """
    with db.transaction():
        if began is not None:
            db.execute("UPDATE jobs SET started = coalesce(started, ?) WHERE id = ? AND finished IS NULL", (began, job))
        changes = transition(db, job, JobState.SAVING, now)
        if changes:
            packed = None if verdict is None else pack_verdict(Verdict(*verdict))
            db.execute("UPDATE jobs SET texts = ?, verdict = ? WHERE id = ?", (json.dumps(texts), packed, job))
            for file in files:
                db.execute(
                    "INSERT OR IGNORE INTO job_files (job, number, type, subfolder, filename) VALUES (?, ?, ?, ?, ?)",
                    (job, file.number, file.type, file.subfolder, file.filename),
                )
    return changes


def missing(db: Database, job: str) -> tuple[JobFile, ...]:
    """The job's files that are still to be fetched."""
    rows = db.query(
        "SELECT job, number, type, subfolder, filename, path FROM job_files"
        " WHERE job = ? AND output IS NULL AND lost IS NULL ORDER BY number",
        (job,),
    )
    return tuple(JobFile(*row) for row in rows)


def lost(db: Database, job: str) -> tuple[tuple[str, str], ...]:
    """The job's files that cannot be had any more, each with the reason."""
    rows = db.query("SELECT filename, lost FROM job_files WHERE job = ? AND lost IS NOT NULL ORDER BY number", (job,))
    return tuple((row["filename"], row["lost"]) for row in rows)


def plan_file(db: Database, file: JobFile, path: str) -> bool:
    """Write down where a file goes. From then on what lies there complete is that file.

    False: another file's place is, or was, there; nothing is written then.
    """
    with db.transaction(durable=True):
        changed = db.execute(
            """UPDATE job_files SET path = :path WHERE job = :job AND number = :number
            AND NOT EXISTS (SELECT 1 FROM outputs WHERE path = :path)
            AND NOT EXISTS (SELECT 1 FROM job_files WHERE path = :path AND (job, number) <> (:job, :number))""",
            {"path": path, "job": file.job, "number": file.number},
        )
    return changed > 0


def file_saved(db: Database, file: JobFile, output: int) -> tuple[Change, ...]:
    """A file of the job is the stored output: wanted again, if it was being deleted.

    Nothing changes if there is no such output any more, or its file is on its way to the trash.
    """
    with db.transaction():
        shown = deletions.keep(db, output)
        if not deletions.stays(db, output):
            return ()
        db.execute("UPDATE job_files SET output = ? WHERE job = ? AND number = ?", (output, file.job, file.number))
    return (*shown, *changed_jobs([file.job]))


def file_lost(db: Database, file: JobFile, reason: str) -> tuple[Change, ...]:
    """A file of the job is gone for good."""
    with db.transaction():
        db.execute("UPDATE job_files SET lost = ? WHERE job = ? AND number = ?", (reason, file.job, file.number))
    return changed_jobs([file.job])


def same_bytes(db: Database, sha256: str, size: int) -> tuple[tuple[int, str], ...]:
    """Outputs with that content: id and path, the first saved first. Not those that go to the trash just now."""
    rows = db.query(
        "SELECT id, path FROM outputs WHERE sha256 = ? AND size = ? AND NOT leaving ORDER BY id", (sha256, size)
    )
    return tuple((row["id"], os.fsdecode(row["path"])) for row in rows)
