"""What finished jobs left on their pods, in the pod's order, and where it goes on this computer."""

import json
import os
from collections.abc import Sequence

from comfydesk.events import Change
from comfydesk.store import deletions
from comfydesk.store.database import Database, listed
from comfydesk.store.jobs import ALLOWED, changed_jobs
from comfydesk.store.packing import pack_verdict, unpack_verdict
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

    Of a file with a path that is written down as its place, as by `plan_file`, unless something was saved from under
    its name on that pod before: then it may be that very file, and is to be compared first.

    `verdict`: it failed or was cancelled there, and is to end so here. `began`: when it started to run, if that was
    not worth a note of its own.
    """
    with db.transaction(durable=any(file.path for file in files)):
        packed = None if verdict is None else pack_verdict(Verdict(*verdict))
        # As jobs.transition does it, in one statement: every job that succeeds comes this way.
        changed = db.execute(
            """UPDATE jobs SET state = 'saving', error = NULL, finished = NULL, texts = :texts, verdict = :verdict,
                sent = coalesce(sent, :now), started = coalesce(started, :began)
            WHERE id = :job AND state IN (SELECT value FROM json_each(:sources))""",
            {
                "texts": json.dumps(texts),
                "verdict": packed,
                "now": now,
                "began": began,
                "job": job,
                "sources": listed(ALLOWED[JobState.SAVING]),
            },
        )
        for file in files if changed else ():
            _insert(db, file)
    return changed_jobs([job]) if changed else ()


def _insert(db: Database, file: JobFile) -> None:
    values = {key: getattr(file, key) for key in ("job", "number", "type", "subfolder", "filename", "path")}
    db.execute(
        """INSERT OR IGNORE INTO job_files (job, number, type, subfolder, filename, path)
        SELECT :job, :number, :type, :subfolder, :filename, CASE WHEN :path IS NOT NULL
            AND NOT EXISTS (SELECT 1 FROM outputs WHERE path = :path)
            AND NOT EXISTS (SELECT 1 FROM job_files WHERE path = :path)
            AND NOT EXISTS (SELECT 1 FROM pod_fetches WHERE path = :path)
            AND NOT EXISTS (SELECT 1 FROM outputs JOIN jobs ON jobs.pod = outputs.pod WHERE jobs.id = :job
                AND remote_type = :type AND remote_subfolder = :subfolder AND remote_filename = :filename)
            THEN :path END""",
        values,
    )


def outlook(db: Database, job: str) -> tuple[int, bool, Verdict | None]:
    """How many files are still to be fetched, whether some are lost, and how the job is to end.

    None: as what can be had of its files says.
    """
    row = db.first(
        """SELECT verdict, (SELECT count(*) FROM job_files WHERE job = jobs.id AND output IS NULL AND lost IS NULL),
            EXISTS (SELECT 1 FROM job_files WHERE job = jobs.id AND lost IS NOT NULL)
        FROM jobs WHERE id = ?""",
        (job,),
    )
    return (0, False, None) if row is None else (row[1], bool(row[2]), unpack_verdict(row[0]))


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
            AND NOT EXISTS (SELECT 1 FROM job_files WHERE path = :path AND (job, number) <> (:job, :number))
            AND NOT EXISTS (SELECT 1 FROM pod_fetches WHERE path = :path)""",
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
        return (*shown, *file_added(db, file, output))


def file_added(db: Database, file: JobFile, output: int) -> tuple[Change, ...]:
    """The same for an output that is new in this very transaction."""
    db.execute("UPDATE job_files SET output = ? WHERE job = ? AND number = ?", (output, file.job, file.number))
    return changed_jobs([file.job])


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
