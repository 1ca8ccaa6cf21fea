"""The library: files that jobs made, saved on this computer."""

import os
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath

from comfydesk.events import Change, OutputsChanged
from comfydesk.store.database import Database, Value, listed
from comfydesk.store.records import Output
from comfydesk.store.search import Conditions, OutputFilter


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

    One path is one output: the same bytes there are the one that is known (and no longer deleted or missing), others
    take its place. What its run says of batch, workflow and documents goes over, where `output` does not say it.
    """
    path = stored_path(output.path)
    changes: tuple[Change, ...] = ()
    with db.transaction():
        known = db.first("SELECT * FROM outputs WHERE path = ?", (path,))
        if known is not None and known["sha256"] == output.sha256:
            db.execute(
                """UPDATE outputs SET etag = coalesce(nullif(?, ''), etag), deletion = NULL, leaving = 0, missing = NULL
                WHERE id = ?""",
                (identity.etag, known["id"]),
            )
            if known["deletion"] is not None or known["missing"] is not None:
                changes = (OutputsChanged(added=(known["id"],)),)
            return of_row(known), changes
        if known is not None:
            db.execute("DELETE FROM outputs WHERE id = ?", (known["id"],))
        # To the microsecond: listings read times as integers.
        output = replace(_with_run(db, output), pod=identity.pod, created=round(output.created, 6))
        row = insert(db, output, identity)
    removed = () if known is None else (known["id"],)
    return replace(output, id=row), (OutputsChanged(added=(row,), removed=removed),)


def _with_run(db: Database, output: Output) -> Output:
    run = None if output.job is None else db.first("SELECT * FROM runs WHERE id = ?", (output.job,))
    if run is None:
        return output
    return replace(
        output,
        batch=output.batch or run["batch"],
        workflow=output.workflow or run["workflow"],
        workflow_id=output.workflow_id or run["workflow_id"],
        graph_hash=output.graph_hash or run["graph_hash"],
        document_hash=output.document_hash or run["document_hash"],
    )


def insert(db: Database, output: Output, identity: Identity, more: Mapping[str, Value] | None = None) -> int:
    """A new row, and its id. `more`: columns that an Output has no field for."""
    values: dict[str, Value] = {
        "path": stored_path(output.path),
        "name": plain_text(PurePath(output.path).name),
        "media": output.media,
        "size": output.size,
        "sha256": output.sha256,
        "created": output.created,
        "run": output.job,
        "batch": output.batch,
        "workflow": plain_text(output.workflow),
        "workflow_id": output.workflow_id,
        "pod": output.pod,
        "graph_hash": output.graph_hash,
        "document_hash": output.document_hash,
        "prompt": plain_text(output.prompt),
        "negative": plain_text(output.negative),
        "note": plain_text(output.note),
        "seed": None if output.seed is None else str(output.seed),
        "width": output.width,
        "height": output.height,
        "aspect": output.width / output.height if output.width and output.height else 1.0,
        "duration": output.duration,
        "model": plain_text(output.model),
        "sampler": plain_text(output.sampler),
        "scheduler": plain_text(output.scheduler),
        "steps": output.steps,
        "cfg": output.cfg,
        "seconds": output.seconds,
        "rating": output.rating,
        "favourite": output.favourite,
        "remote_type": identity.type,
        "remote_subfolder": identity.subfolder,
        "remote_filename": identity.filename,
        "etag": identity.etag,
        **(more or {}),
    }
    names = ", ".join(values)
    return db.insert(f"INSERT INTO outputs ({names}) VALUES ({', '.join('?' * len(values))})", tuple(values.values()))  # noqa: S608


def named(db: Database, pod: str, type_: str, subfolder: str, filename: str) -> tuple[tuple[Output, str], ...]:
    """What was saved from under that name on a pod, each with the ETag it had then; the latest first.

    A pod may give one name to many files over time: only the same ETag means the same file.
    """
    rows = db.query(
        "SELECT * FROM outputs WHERE pod = ? AND remote_type = ? AND remote_subfolder = ? AND remote_filename = ?"
        " ORDER BY id DESC",
        (pod, type_, subfolder, filename),
    )
    return tuple((of_row(row), row["etag"]) for row in rows)


def recent(
    db: Database, limit: int, offset: int = 0, search: str = "", *, after: int | None = None
) -> tuple[Output, ...]:
    """The newest first, but for deleted ones. `search`: see `search_text`.

    `after`: the last output that the reader has; the next ones are found at once.
    """
    conditions = Conditions(OutputFilter(words=search))
    values: list[Value] = [*conditions.values]
    sql = "SELECT * FROM outputs WHERE deletion IS NULL"
    if conditions.sql:
        sql += f" AND {conditions.sql}"
    if conditions.match:
        sql += " AND id IN (SELECT rowid FROM output_words WHERE output_words MATCH ?)"
        values.append(conditions.match)
    if after is not None:
        sql += " AND (created, id) < (SELECT created, id FROM outputs WHERE id = ?)"
        values.append(after)
    rows = db.query(f"{sql} ORDER BY created DESC, id DESC LIMIT ? OFFSET ?", (*values, limit, offset))
    return tuple(of_row(row) for row in rows)


def many(db: Database, ids: Sequence[int]) -> tuple[Output, ...]:
    """Those of `ids` that exist, in the order of `ids`."""
    rows = db.query("SELECT * FROM outputs WHERE id IN (SELECT value FROM json_each(?))", (listed(ids),))
    found = {row["id"]: of_row(row) for row in rows}
    return tuple(found[key] for key in ids if key in found)


def count(db: Database) -> int:
    row = db.first("SELECT count(*) - (SELECT count(*) FROM outputs WHERE deletion IS NOT NULL) FROM outputs")
    return int(row[0]) if row else 0


def remove(db: Database, ids: Sequence[int]) -> tuple[Change, ...]:
    """Forget outputs; the files are the caller's affair."""
    with db.transaction():
        gone = tuple(key for key in ids if db.execute("DELETE FROM outputs WHERE id = ?", (key,)))
    return (OutputsChanged(removed=gone),) if gone else ()


def stored_path(path: str) -> Value:
    """A path as its column has it: names need not be Unicode."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return os.fsencode(path)
    return path


def plain_text(text: str) -> str:
    """`text` with a "?" for each character that cannot be written to a file."""
    return text.encode("utf-8", "replace").decode()


def of_row(row: sqlite3.Row) -> Output:
    return Output(
        id=row["id"],
        path=os.fsdecode(row["path"]),
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
        negative=row["negative"],
        model=row["model"],
        sampler=row["sampler"],
        scheduler=row["scheduler"],
        steps=row["steps"],
        cfg=row["cfg"],
        seconds=row["seconds"],
        batch=row["batch"],
        workflow_id=row["workflow_id"],
        graph_hash=row["graph_hash"],
        document_hash=row["document_hash"],
        rating=row["rating"],
        favourite=bool(row["favourite"]),
        note=row["note"],
        tags=tuple(row["tags"].split("\n")) if row["tags"] else (),
        missing=row["missing"] is not None,
    )
