"""The library: files that jobs made, saved on this computer."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace

from comfydesk.events import Change, OutputsChanged
from comfydesk.store.database import Database, listed
from comfydesk.store.records import Output


@dataclass(frozen=True, slots=True)
class Identity:
    """Which file of which pod an output is. `etag` is empty when the pod states none."""

    pod: str
    type: str
    subfolder: str
    filename: str
    etag: str


def add(db: Database, output: Output, identity: Identity) -> tuple[Output, tuple[Change, ...]]:
    """Store a saved file; `id` and `pod` of `output` are ignored. Returns it with its id, and the identity's pod.

    One path is one output: the same bytes there are the one that is known, others take its place.
    """
    with db.transaction():
        known = db.first("SELECT * FROM outputs WHERE path = ?", (output.path,))
        if known is not None and known["sha256"] == output.sha256:
            db.execute(
                "UPDATE outputs SET etag = ? WHERE id = ? AND ? <> ''", (identity.etag, known["id"], identity.etag)
            )
            return _output(known), ()
        if known is not None:
            db.execute("DELETE FROM outputs WHERE id = ?", (known["id"],))
        row = db.insert(
            "INSERT INTO outputs (path, media, size, sha256, created, run, workflow, pod, prompt, seed, width, height,"
            " duration, remote_type, remote_subfolder, remote_filename, etag)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                output.path,
                output.media,
                output.size,
                output.sha256,
                output.created,
                output.job,
                output.workflow,
                identity.pod,
                output.prompt,
                None if output.seed is None else str(output.seed),
                output.width,
                output.height,
                output.duration,
                identity.type,
                identity.subfolder,
                identity.filename,
                identity.etag,
            ),
        )
    return replace(output, id=row, pod=identity.pod), (
        OutputsChanged(added=(row,), removed=() if known is None else (known["id"],)),
    )


def named(db: Database, pod: str, type_: str, subfolder: str, filename: str) -> tuple[tuple[Output, str], ...]:
    """What was saved from under that name on a pod, each with the ETag it had then; the latest first.

    A pod may give one name to many files over time: only the same ETag means the same file.
    """
    rows = db.query(
        "SELECT * FROM outputs WHERE pod = ? AND remote_type = ? AND remote_subfolder = ? AND remote_filename = ?"
        " ORDER BY id DESC",
        (pod, type_, subfolder, filename),
    )
    return tuple((_output(row), row["etag"]) for row in rows)


def recent(
    db: Database, limit: int, offset: int = 0, search: str = "", *, after: int | None = None
) -> tuple[Output, ...]:
    """The newest first. `search`: every word must occur in the prompt, the workflow's name or the path.

    `after`: the last output that the reader has; the next ones are found at once.
    """
    rows = db.query(
        r"""SELECT * FROM outputs WHERE NOT EXISTS (
            SELECT 1 FROM json_each(:words) AS word
            WHERE prompt || char(10) || workflow || char(10) || outputs.path NOT LIKE word.value ESCAPE '\'
        ) AND (:after IS NULL OR (created, id) < (SELECT created, id FROM outputs WHERE id = :after))
        ORDER BY created DESC, id DESC LIMIT :limit OFFSET :offset""",
        {
            "words": listed(_pattern(word) for word in search.split()),
            "after": after,
            "limit": limit,
            "offset": offset,
        },
    )
    return tuple(_output(row) for row in rows)


def many(db: Database, ids: Sequence[int]) -> tuple[Output, ...]:
    """Those of `ids` that exist, in the order of `ids`."""
    rows = db.query("SELECT * FROM outputs WHERE id IN (SELECT value FROM json_each(?))", (listed(ids),))
    found = {row["id"]: _output(row) for row in rows}
    return tuple(found[key] for key in ids if key in found)


def count(db: Database) -> int:
    row = db.first("SELECT count(*) FROM outputs")
    return int(row[0]) if row else 0


def has_path(db: Database, path: str) -> bool:
    return db.first("SELECT 1 FROM outputs WHERE path = ?", (path,)) is not None


def remove(db: Database, ids: Sequence[int]) -> tuple[Change, ...]:
    """Forget outputs; the files are the caller's affair."""
    with db.transaction():
        gone = tuple(key for key in ids if db.execute("DELETE FROM outputs WHERE id = ?", (key,)))
    return (OutputsChanged(removed=gone),) if gone else ()


def _pattern(word: str) -> str:
    escaped = word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


def _output(row: sqlite3.Row) -> Output:
    return Output(
        id=row["id"],
        path=row["path"],
        media=row["media"],
        size=row["size"],
        sha256=row["sha256"],
        created=row["created"],
        job=row["run"],
        workflow=row["workflow"],
        pod=row["pod"],
        prompt=row["prompt"],
        seed=None if row["seed"] is None else int(row["seed"]),
        width=row["width"],
        height=row["height"],
        duration=row["duration"],
    )
