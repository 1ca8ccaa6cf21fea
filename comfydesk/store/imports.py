"""Files that others put on this computer: which are known, which are new, and which are being taken in."""

import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from comfydesk.events import Change, OutputsChanged
from comfydesk.store.database import Database, Value, listed
from comfydesk.store.outputs import Identity, insert, plain_text, stored_path
from comfydesk.store.records import Output
from comfydesk.store.taken import Taken
from comfydesk.store.workflows import put_packed

DUPLICATE, DELETED, COPIED = "duplicate", "deleted", "copied"
"""Why a file that was seen is no output, beside the reasons for which it cannot be read."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A file that is no output by its path; `why` not."""

    path: str
    size: int
    mtime_ns: int
    why: str


@dataclass(frozen=True, slots=True)
class Copy:
    """Who has the same bytes already."""

    output: int
    path: str


_NOWHERE = Identity("", "", "", "", "")
Stamp = tuple[int, int]
"""Size, and time of the last change in ns (0: not known)."""


def known_below(db: Database, folder: str) -> dict[bytes, Stamp]:
    """Every file below a folder that is an output or was seen, by its path as bytes."""
    start = os.path.join(folder, "")  # noqa: PTH118 - a prefix, with its separator
    found: dict[bytes, Stamp] = {}
    for lower, upper in (_range(start), _range(os.fsencode(start))):
        rows = db.tuples("SELECT path, size, mtime_ns FROM outputs WHERE path >= ? AND path < ?", (lower, upper))
        found.update((os.fsencode(path), (size, mtime)) for path, size, mtime in rows)
    lower, upper = _range(os.fsencode(start))
    rows = db.tuples("SELECT path, size, mtime_ns FROM seen_files WHERE path >= ? AND path < ?", (lower, upper))
    found.update((path, (size, mtime)) for path, size, mtime in rows)
    return found


def _range(start: str | bytes) -> tuple[Value, Value]:
    """All that begins with `start`: up to the same with its last character's successor."""
    if isinstance(start, bytes):
        return start, start[:-1] + bytes([start[-1] + 1])
    if not isinstance(stored_path(start), str):
        return "", ""
    return start, start[:-1] + chr(ord(start[-1]) + 1)


def copies(db: Database, hashes: Sequence[str]) -> dict[str, tuple[Copy, ...]]:
    """The outputs that have these bytes, by hash."""
    found: dict[str, tuple[Copy, ...]] = {}
    rows = db.tuples(
        "SELECT sha256, id, path FROM outputs WHERE sha256 IN (SELECT value FROM json_each(?)) AND deletion IS NULL",
        (listed(hashes),),
    )
    for sha256, output, path in rows:
        found[sha256] = (*found.get(sha256, ()), Copy(output, os.fsdecode(path)))
    return found


def _has_bytes(db: Database, sha256: str, other_than: int = 0) -> bool:
    sql = "SELECT 1 FROM outputs WHERE sha256 = ? AND deletion IS NULL AND id <> ?"
    return db.first(sql, (sha256, other_than)) is not None


def _is_forgotten(db: Database, sha256: str) -> bool:
    return db.first("SELECT 1 FROM forgotten WHERE sha256 = ?", (sha256,)) is not None


def add_taken(
    db: Database,
    file: Taken,
    identity: Identity,
    rules: int,
    *,
    job: str | None = None,
    graph_hash: str | None = None,
    document_hash: str | None = None,
) -> tuple[Change, ...]:
    """Add a file that came from a pod. Other bytes at its path are another output.

    The graph and document that are known of it go before those in the file.
    """
    with db.transaction():
        known = db.first("SELECT id FROM outputs WHERE path = ?", (stored_path(file.path),))
        if known is not None:
            db.execute("DELETE FROM outputs WHERE id = ?", (known["id"],))
        output = replace(output_of(file), job=job, pod=identity.pod)
        if graph_hash is not None:
            output = replace(output, graph_hash=graph_hash, document_hash=document_hash)
        row = _insert(db, file, rules if graph_hash is None else 0, identity, output)
    return (OutputsChanged(added=(row,), removed=() if known is None else (known["id"],)),)


def _insert(
    db: Database,
    file: Taken,
    rules: int,
    identity: Identity = _NOWHERE,
    output: Output | None = None,
) -> int:
    _put_documents(db, file)
    if file.sha256:
        db.execute("DELETE FROM forgotten WHERE sha256 = ?", (file.sha256,))
    output = output or output_of(file)
    more: dict[str, Value] = {
        "mtime_ns": file.mtime_ns,
        "facts": rules,
        "pending": file.pending,
        "models": "\n".join(plain_text(name) for name, _ in file.models),
        "settings": json.dumps(dict(file.settings)) if file.settings else None,
    }
    row = insert(db, output, identity, more)
    for name, kind in file.models:
        db.execute(
            "INSERT OR IGNORE INTO output_models (output, model, kind) VALUES (?, ?, ?)", (row, plain_text(name), kind)
        )
    return row


def _put_documents(db: Database, file: Taken) -> None:
    for document in (file.graph, file.document):
        if document is not None:
            put_packed(db, document.hash, document.data)


def output_of(file: Taken) -> Output:
    """As a row of the library, without its id."""
    return Output(
        id=0,
        path=file.path,
        media=file.media,
        size=file.size,
        sha256=file.sha256,
        created=round(file.created, 6),
        prompt=file.prompt,
        seed=file.seed,
        width=file.width,
        height=file.height,
        duration=file.duration,
        negative=file.negative,
        model=file.model,
        sampler=file.sampler,
        scheduler=file.scheduler,
        steps=file.steps,
        cfg=file.cfg,
        graph_hash=None if file.graph is None else file.graph.hash,
        document_hash=None if file.document is None else file.document.hash,
    )


# --- The rest of what was taken in quickly ----------------------------------------------------------------------------


def sizes(db: Database) -> frozenset[int]:
    """The sizes of all files there are: only of a file of one of these can the library have the bytes."""
    return frozenset(size for (size,) in db.tuples("SELECT DISTINCT size FROM outputs"))


def pending(db: Database, limit: int, after: int = 0) -> tuple[tuple[int, str], ...]:
    """Outputs whose hash or workflow is still to be read: id and path."""
    rows = db.tuples("SELECT id, path FROM outputs WHERE pending AND id > ? ORDER BY id LIMIT ?", (after, limit))
    return tuple((output, os.fsdecode(path)) for output, path in rows)


def complete(db: Database, files: Sequence[Taken], broken: Sequence[str], *, keep_deleted: bool) -> tuple[Change, ...]:
    """Write what was still to be read. `broken`: paths that could not be read any more: they stay as they are.

    What turns out to be a copy of another output, or (unless `keep_deleted`) of a deleted one, is taken out again.
    """
    removed: list[int] = []
    updated: list[int] = []
    with db.transaction():
        for path in broken:
            db.execute("UPDATE outputs SET pending = 0 WHERE path = ?", (stored_path(path),))
        for file in files:
            row = db.first("SELECT id FROM outputs WHERE path = ? AND pending", (stored_path(file.path),))
            if row is None:
                continue
            forgotten = not keep_deleted and _is_forgotten(db, file.sha256)
            if forgotten or _has_bytes(db, file.sha256, row["id"]):
                db.execute("DELETE FROM outputs WHERE id = ?", (row["id"],))
                why = DELETED if forgotten else DUPLICATE
                note_seen(db, Seen(file.path, file.size, file.mtime_ns, why))
                removed.append(row["id"])
                continue
            _put_documents(db, file)
            output = output_of(file)
            db.execute(
                """UPDATE outputs SET pending = 0, sha256 = ?, size = ?, mtime_ns = ?, graph_hash = ?,
                    document_hash = ? WHERE id = ?""",
                (file.sha256, file.size, file.mtime_ns, output.graph_hash, output.document_hash, row["id"]),
            )
            updated.append(row["id"])
    if not (removed or updated):
        return ()
    return (OutputsChanged(updated=tuple(updated), removed=tuple(removed)),)


def note_seen(db: Database, one: Seen) -> None:
    """What is known of it is kept until the file changes."""
    db.execute(
        "INSERT OR REPLACE INTO seen_files (path, size, mtime_ns, why) VALUES (?, ?, ?, ?)",
        (os.fsencode(one.path), one.size, one.mtime_ns, plain_text(one.why)),
    )


def note_stamps(db: Database, stamps: Mapping[str, int]) -> None:
    """When the files of outputs were last changed, where that was not known yet."""
    with db.transaction():
        for path, mtime_ns in stamps.items():
            db.execute("UPDATE outputs SET mtime_ns = ? WHERE path = ? AND mtime_ns = 0", (mtime_ns, stored_path(path)))


def forget_seen(db: Database, paths: Sequence[bytes]) -> None:
    """Files that are no longer there."""
    with db.transaction():
        for path in paths:
            db.execute("DELETE FROM seen_files WHERE path = ?", (path,))


def outputs_at(db: Database, paths: Sequence[bytes]) -> tuple[int, ...]:
    """Ids of the outputs that are said to be at these paths."""
    found = (db.first("SELECT id FROM outputs WHERE path = ?", (stored_path(os.fsdecode(path)),)) for path in paths)
    return tuple(row["id"] for row in found if row is not None)


# --- Imports under way ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Import:
    """A folder that is being taken in."""

    id: int
    folder: str
    copy: bool


def begin(db: Database, folder: str, *, copy: bool) -> int:
    """On disk when this returns: the import goes on at the next start. The same folder twice is one import."""
    with db.transaction(durable=True):
        known = db.first("SELECT id FROM imports WHERE folder = ? AND copy = ?", (os.fsencode(folder), copy))
        if known is not None:
            return int(known["id"])
        return db.insert(
            "INSERT INTO imports (folder, copy, begun) VALUES (?, ?, ?)", (os.fsencode(folder), copy, time.time())
        )


def end(db: Database, key: int) -> None:
    with db.transaction():
        db.execute("DELETE FROM imports WHERE id = ?", (key,))


def under_way(db: Database) -> tuple[Import, ...]:
    rows = db.query("SELECT id, folder, copy FROM imports ORDER BY id")
    return tuple(Import(row["id"], os.fsdecode(row["folder"]), bool(row["copy"])) for row in rows)
