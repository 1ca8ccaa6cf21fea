"""Jobs and the files they leave on pods. Functions that write return what changed."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from comfydesk.events import Change, JobsChanged
from comfydesk.store.database import Database, listed
from comfydesk.store.job_rows import read_jobs
from comfydesk.store.packing import FILE_KEY, pack_error, pack_values, unpack_error
from comfydesk.store.records import ANY, Job, JobError, JobState

S = JobState

ALLOWED: Mapping[JobState, frozenset[JobState]] = {
    S.HELD: frozenset({S.QUEUED}),
    # From SENDING: an interrupted POST of which the pod knows nothing.
    S.QUEUED: frozenset({S.HELD, S.SENDING}),
    S.SENDING: frozenset({S.QUEUED}),
    S.SENT: frozenset({S.SENDING, S.UNKNOWN}),
    S.RUNNING: frozenset({S.SENDING, S.SENT, S.UNKNOWN}),
    # From CANCELLING: it finished before the cancellation reached it.
    S.SAVING: frozenset({S.SENDING, S.SENT, S.RUNNING, S.CANCELLING, S.UNKNOWN}),
    S.DONE: frozenset({S.SAVING}),
    S.FAILED: frozenset({S.QUEUED, S.SENDING, S.SENT, S.RUNNING, S.CANCELLING, S.SAVING, S.UNKNOWN}),
    S.CANCELLING: frozenset({S.SENDING, S.SENT, S.RUNNING}),
    S.CANCELLED: frozenset({S.HELD, S.QUEUED, S.SENDING, S.SENT, S.RUNNING, S.CANCELLING, S.SAVING, S.UNKNOWN}),
    S.UNKNOWN: frozenset({S.SENDING, S.SENT, S.RUNNING, S.CANCELLING}),
}
"""State → the states from which a job may come to it. What is not listed is refused, whoever asks."""

LIVE = tuple(state for state in JobState if state.on_pod)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A queued job as the dispatch needs it."""

    id: str
    pod: str
    """Where it may go: a pod's id, or ANY."""
    position: float
    graph_hash: str = ""
    has_files: bool = False
    """Some of its values are files of this computer."""
    values: str = ""
    """Of a job for any pod: its values as JSON, see packing.unpack_values."""


def add(db: Database, jobs: Sequence[Job], *, front: bool = False) -> tuple[Change, ...]:
    """Put new jobs at the end of the queue, or before all others, in this order; `position` is given here.

    On disk when this returns.
    """
    with db.transaction(durable=True):
        start = before_all(db, len(jobs)) if front else after_all(db)
        for number, job in enumerate(jobs, 1):
            insert(db, job, start + number)
    return changed_jobs(job.id for job in jobs)


def after_all(db: Database) -> float:
    """The last place of the queue that is taken."""
    row = db.first("SELECT coalesce(max(position), 0) FROM jobs WHERE hidden < 2")
    return float(row[0]) if row else 0.0


def before_all(db: Database, count: int) -> float:
    """A number behind which there is room for `count` places, all before what waits."""
    row = db.first("SELECT coalesce(min(position), 1) FROM jobs WHERE finished IS NULL AND hidden < 2")
    return (float(row[0]) if row else 1.0) - count - 1


def insert(db: Database, job: Job, position: float, *, hidden: int = 0) -> None:
    """The rows of a new job. The caller has a transaction open."""
    db.execute(
        "INSERT INTO runs (id, workflow_id, workflow, graph_hash, document_hash, field_values, prompt, seed, batch,"
        " drawn, cell, originals) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            job.id,
            job.workflow_id,
            job.workflow,
            job.graph_hash,
            job.document_hash,
            pack_values(job.values),
            job.prompt,
            None if job.seed is None else str(job.seed),
            job.batch,
            json.dumps(dict(job.drawn), ensure_ascii=False),
            None if job.cell is None else json.dumps(job.cell),
            json.dumps(dict(job.originals), ensure_ascii=False),
        ),
    )
    target, remote = job.target or job.pod, job.remote_id or job.id
    db.execute(
        "INSERT INTO jobs (id, state, owner, remote_id, folder, template, target, position, created, hidden)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            job.id,
            JobState.HELD if hidden else job.state,
            job.owner,
            remote,
            job.folder,
            job.template,
            target,
            position,
            job.created,
            hidden,
        ),
    )


def get(db: Database, job: str) -> Job | None:
    """One job, or None."""
    return next(iter(read_jobs(db, "SELECT * FROM job_rows WHERE id = ?", (job,))), None)


def many(db: Database, ids: Sequence[str]) -> tuple[Job, ...]:
    """Those of `ids` that exist, in the order of `ids`."""
    found = read_jobs(db, "SELECT * FROM job_rows WHERE id IN (SELECT value FROM json_each(?))", (listed(ids),))
    by_id = {job.id: job for job in found}
    return tuple(by_id[job] for job in ids if job in by_id)


def recent(db: Database, limit: int, offset: int = 0, *, after: str | None = None) -> tuple[Job, ...]:
    """The queue as people read it: what is still to come in its order, then what ended, the latest first.

    `after`: the last job that the reader has; what follows is found at once, wherever it stands by now.
    """
    if after is None:
        return read_jobs(
            db,
            "SELECT * FROM job_rows WHERE hidden = 0 ORDER BY ended, place, number LIMIT ? OFFSET ?",
            (limit, offset),
        )
    return read_jobs(
        db,
        """SELECT * FROM job_rows WHERE hidden = 0
            AND (ended, place, number) > (SELECT ended, place, number FROM job_rows WHERE id = ?)
        ORDER BY ended, place, number LIMIT ? OFFSET ?""",
        (after, limit, offset),
    )


def waiting(
    db: Database, owner: str, pods: Iterable[str], limit: int, passed: Iterable[str] = ()
) -> tuple[Waiting, ...]:
    """A session's first queued jobs that one of these pods may take, in order, but for those `passed` over.

    None while the queue is paused.
    """
    rows = db.query(
        """SELECT id, coalesce(pod, target) AS goal, position, graph_hash, instr(field_values, ?) > 0 AS files,
            CASE coalesce(pod, target) WHEN ? THEN field_values ELSE '' END AS chosen
        FROM job_rows WHERE state = 'queued' AND owner = ?
            AND (goal IN (SELECT value FROM json_each(?)) OR goal = ?)
            AND id NOT IN (SELECT value FROM json_each(?))
            AND NOT EXISTS (SELECT 1 FROM flags WHERE name = 'paused')
        ORDER BY position LIMIT ?""",
        (f'"{FILE_KEY}"', ANY, owner, listed(pods), ANY, listed(passed), limit),
    )
    return tuple(
        Waiting(row["id"], row["goal"], row["position"], row["graph_hash"], bool(row["files"]), row["chosen"])
        for row in rows
    )


def live(db: Database, owner: str) -> tuple[Job, ...]:
    """The session's jobs that a pod has, or may have."""
    return read_jobs(
        db,
        "SELECT * FROM job_rows WHERE owner = ? AND state IN (SELECT value FROM json_each(?)) ORDER BY position",
        (owner, listed(LIVE)),
    )


def transition(
    db: Database, job: str, to: JobState, now: float, *, error: JobError | None = None, durable: bool = False
) -> tuple[Change, ...]:
    """Bring a job to a state, if ALLOWED lets it; else nothing happens and nothing is returned.

    The times `sent`, `started` and `finished` follow from the state. `error` replaces what was noted before.
    """
    return transition_many(db, [job], to, now, error=error, durable=durable)


def transition_many(
    db: Database, ids: Sequence[str], to: JobState, now: float, *, error: JobError | None = None, durable: bool = False
) -> tuple[Change, ...]:
    """The same for many at once. Returns those that changed, in one change."""
    with db.transaction(durable=durable):
        return changed_jobs(_to(db, ids, to, now, error))


def _to(db: Database, ids: Sequence[str], to: JobState, now: float, error: JobError | None) -> tuple[str, ...]:
    """Those that changed, in the order of `ids`."""
    rows = db.query(
        """UPDATE jobs SET state = :state, error = :error,
            sent = CASE WHEN :state IN ('sent', 'running', 'saving') THEN coalesce(sent, :now)
                WHEN :state = 'queued' THEN NULL ELSE sent END,
            started = CASE :state WHEN 'running' THEN :now ELSE started END,
            finished = CASE WHEN :ended THEN :now END
        WHERE id IN (SELECT value FROM json_each(:ids)) AND state IN (SELECT value FROM json_each(:sources))
        RETURNING id""",
        {
            "state": to,
            "error": pack_error(error),
            "now": now,
            "ended": to.ended,
            "ids": listed(ids),
            "sources": listed(ALLOWED[to]),
        },
    )
    changed = {row["id"] for row in rows}
    if to in (S.DONE, S.FAILED, S.CANCELLED):
        _note_run(db, changed)
    return tuple(job for job in ids if job in changed)


def _note_run(db: Database, ids: Iterable[str]) -> None:
    """Where and when it ran, for good."""
    db.execute(
        """UPDATE runs SET pod = coalesce(jobs.pod, runs.pod), timings = json_object(
            'created', created, 'sent', sent, 'started', started, 'finished', finished)
        FROM jobs WHERE jobs.id = runs.id AND jobs.id IN (SELECT value FROM json_each(?))""",
        (listed(ids),),
    )


def request_cancel(db: Database, ids: Sequence[str], now: float) -> tuple[Change, ...]:
    """Stop jobs, whichever session looks after them: one statement, so that nothing comes between look and deed.

    What no pod is busy with is CANCELLED at once; what is on one becomes CANCELLING, and who follows it does the rest.
    On disk when this returns: it would cost money if it was sent after all.
    """
    with db.transaction(durable=True):
        rows = db.query(
            """UPDATE jobs SET error = NULL,
                finished = CASE WHEN state IN ('sending', 'sent', 'running') THEN NULL
                    ELSE coalesce(finished, :now) END,
                state = CASE WHEN state IN ('sending', 'sent', 'running') THEN 'cancelling' ELSE 'cancelled' END
            WHERE id IN (SELECT value FROM json_each(:ids))
                AND state IN ('queued', 'held', 'saving', 'unknown', 'sending', 'sent', 'running')
            RETURNING id""",
            {"ids": listed(ids), "now": now},
        )
        changed = {row["id"] for row in rows}
    return changed_jobs(job for job in ids if job in changed)


def begin_sending(db: Database, ids: Sequence[str], pod: str, now: float) -> tuple[Change, ...]:
    """On disk before the POST begins: SENDING, where to, and when.

    Nothing happens to those that were cancelled or held meanwhile.
    """
    with db.transaction(durable=True):
        changed = _to(db, ids, S.SENDING, now, None)
        db.execute(
            "UPDATE jobs SET posted = ?, pod = ? WHERE id IN (SELECT value FROM json_each(?))",
            (now, pod, listed(changed)),
        )
    return changed_jobs(changed)


def accepted(
    db: Database, job: str, remote_id: str, now: float, *, warning: JobError | None = None
) -> tuple[Change, ...]:
    """The pod has answered that it has the job, under an id that older servers choose themselves."""
    with db.transaction():
        packed = pack_error(warning)
        changed = db.execute(
            """UPDATE jobs SET remote_id = :remote, warning = coalesce(:warning, warning), sent = coalesce(sent, :now)
            WHERE id = :job AND finished IS NULL""",
            {"remote": remote_id, "warning": packed, "now": now, "job": job},
        )
        changes = transition(db, job, S.SENT, now)
    return changes or changed_jobs([job] if changed else [])


def accepted_many(db: Database, ids: Sequence[str], now: float) -> tuple[Change, ...]:
    """The pod has answered that it has these jobs, under the ids we gave them, and nothing else.

    Only what is SENDING changes: what was given up meanwhile has nobody who would follow it.

    Not durable: a power cut may take back what was committed since the last durable change, and no more. The rows are
    then SENDING with the time of their POST, as `begin_sending` left them on the disk, and the next start asks the pod:
    what it knows is taken up, and if it has lost its memory meanwhile (the same power cut, say) the job is UNKNOWN, by
    the witness of session.jobs.memory. Neither sends anything again. Their files, too, are found by what is on the
    pod. A flush for each would only save that question.
    """
    with db.transaction():
        rows = db.query(
            "SELECT id FROM jobs WHERE state = 'sending' AND id IN (SELECT value FROM json_each(?))", (listed(ids),)
        )
        sending = {row["id"] for row in rows}
        return transition_many(db, [job for job in ids if job in sending], S.SENT, now)


def give_back(db: Database, job: str, now: float, *, posted: float | None) -> tuple[Change, ...]:
    """The pod did not take it: queued again, for whichever its target allows.

    `posted`: of an attempt that may have arrived all the same; then it stays with that pod, to be looked up there.
    """
    with db.transaction():
        changes = transition(db, job, S.QUEUED, now)
        if changes:
            db.execute(
                "UPDATE jobs SET posted = :posted, pod = CASE WHEN :posted IS NOT NULL THEN pod END WHERE id = :job",
                {"posted": posted, "job": job},
            )
    return changes


def take_up(db: Database, job: str, owner: str, now: float) -> tuple[Change, ...]:
    """A job in state UNKNOWN was found on its pod after all: `owner` looks after it from now on."""
    with db.transaction():
        changes = transition(db, job, S.SENT, now)
        if changes:
            db.execute("UPDATE jobs SET owner = ? WHERE id = ?", (owner, job))
    return changes


def note(db: Database, job: str, error: JobError | None) -> tuple[Change, ...]:
    """Set or clear what troubles a job, whatever its state."""
    packed = pack_error(error)
    with db.transaction():
        changed = db.execute("UPDATE jobs SET error = ? WHERE id = ? AND error IS NOT ?", (packed, job, packed))
    return changed_jobs([job] if changed else [])


def warn(db: Database, job: str, warning: JobError) -> tuple[Change, ...]:
    """Note what to know of a job although it goes on, besides what is noted already."""
    with db.transaction():
        row = db.first("SELECT warning FROM jobs WHERE id = ?", (job,))
        known = None if row is None else unpack_error(row["warning"])
        if known is not None:
            sentence = ": ".join(part for part in (warning.what, warning.why) if part)
            if sentence in f"{known.what}: {known.why}":
                return ()
            warning = replace(known, why="; ".join(part for part in (known.why, sentence) if part))
        changed = db.execute("UPDATE jobs SET warning = ? WHERE id = ?", (pack_error(warning), job))
    return changed_jobs([job] if changed else [])


@dataclass(frozen=True, slots=True)
class OpenOn:
    """What of ours still needs a pod, whichever session it belongs to."""

    waiting: int
    """Queued for it, on their way, or on it. Held ones wait for their user, and need no pod meanwhile."""
    unknown: int
    """Of which it has lost track, and nobody has decided."""
    downloads: int
    """Results that are not here yet; a finished job whose files are not listed yet counts as one."""


def open_on(db: Database, pod: str, since: float = 0) -> OpenOn:
    """`since`: when the pod was last started. What it lost before that does not run there any more."""
    row = db.first(
        """SELECT
            coalesce(sum(finished IS NULL AND state NOT IN ('held', 'saving')), 0),
            coalesce(sum(state = 'unknown' AND coalesce(sent, created) >= :since), 0),
            coalesce(sum(CASE WHEN state = 'saving' THEN max(1, (SELECT count(*) FROM job_files
                WHERE job = jobs.id AND output IS NULL AND lost IS NULL)) END), 0)
        FROM jobs WHERE coalesce(pod, target) IN (:pod, :any) AND (finished IS NULL OR state = 'unknown')""",
        {"pod": pod, "any": ANY, "since": since},
    )
    assert row is not None
    return OpenOn(int(row[0]), int(row[1]), int(row[2]))


def changed_jobs(ids: Iterable[str]) -> tuple[Change, ...]:
    """The news of rows that were written."""
    found = tuple(ids)
    return (JobsChanged(found),) if found else ()
