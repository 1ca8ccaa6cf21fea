"""What becomes of a result in the library, each step one errand. For the store's thread."""

from collections.abc import Callable

from comfydesk.events import Change
from comfydesk.store import job_files, jobs, outputs
from comfydesk.store.database import Database
from comfydesk.store.outputs import Identity
from comfydesk.store.records import JobError, JobFile, JobState, Output, Verdict

Outlook = tuple[int, bool, Verdict | None]
"""See job_files.outlook."""
Known = tuple[tuple[Output, str], ...]
"""Outputs that were saved from under one name of a pod, each with the ETag it had then."""


def missing(db: Database, job: str) -> tuple[JobFile, ...] | None:
    """What is still to be fetched; None if the job is not being saved any more."""
    current = jobs.get(db, job)
    return job_files.missing(db, job) if current is not None and current.state is JobState.SAVING else None


def end(db: Database, job: str, now: float, outlook: Outlook | None = None) -> tuple[Change, ...]:
    """The job is over: as it ended on its pod; otherwise DONE, or FAILED where something is lost."""
    with db.transaction():
        _, is_short, verdict = outlook or job_files.outlook(db, job)
        error = None
        if is_short:
            lost = job_files.lost(db, job)
            names = ", ".join(name for name, _ in lost)
            error = JobError(f"The pod no longer has {names}", lost[0][1], "Run the job again")
        if verdict is None:
            return jobs.transition(db, job, JobState.DONE if error is None else JobState.FAILED, now, error=error)
        warned = () if error is None else jobs.warn(db, job, error)
        return (*warned, *jobs.transition(db, job, verdict.state, now, error=verdict.error))


def plan_unless_known(db: Database, pod: str, file: JobFile, path: str) -> tuple[Known, bool]:
    """What was saved from under that name before; if nothing, the place is written down, if nobody has it."""
    known = outputs.named(db, pod, file.type, file.subfolder, file.filename)
    return known, not known and job_files.plan_file(db, file, path)


def add_and_link(
    db: Database,
    job: str,
    file: JobFile,
    output: Output,
    identity: Identity,
    *,
    alone: bool,
    on_end: Callable[[], None] | None = None,
) -> tuple[Change, ...]:
    """`alone`: unless the library has these very bytes elsewhere; then nothing happens. `on_end`: the job is over."""
    if alone and any(path != output.path for _, path in job_files.same_bytes(db, output.sha256, output.size)):
        return ()
    with db.transaction():
        if output.path != file.path:  # where it really lies: its name may have been taken meanwhile
            job_files.plan_file(db, file, output.path)
        stored, added = outputs.add(db, output, identity)
        linked = (job_files.file_added if added else job_files.file_saved)(db, file, stored.id)
        outlook = job_files.outlook(db, job)
        ended = () if outlook[0] else end(db, job, output.created, outlook)
    if ended and on_end is not None:
        on_end()
    return (*added, *(ended or linked))
