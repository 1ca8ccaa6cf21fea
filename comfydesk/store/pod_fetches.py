"""Files on pods that this library lacks, and those of them that are on their way."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from comfydesk.events import Change
from comfydesk.store import outputs
from comfydesk.store.database import Database, listed
from comfydesk.store.imports import add_taken
from comfydesk.store.outputs import Identity, stored_path
from comfydesk.store.records import Output
from comfydesk.store.taken import Taken
from comfydesk.store.workflows import put_document


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file of a pod that is to be fetched. `path`: where it goes, None until that is decided."""

    pod: str
    type: str
    subfolder: str
    filename: str
    job: str = ""
    """Its job on the pod; empty of a file that the history does not name."""
    made: float | None = None
    graph_hash: str | None = None
    document_hash: str | None = None
    path: str | None = None


Key = tuple[str, str, str]
"""Type, subfolder, filename."""


def etags(db: Database, pod: str) -> dict[Key, frozenset[str]]:
    """All files of a pod that are, were or will be here without asking: with the ETags they had."""
    found: dict[Key, set[str]] = {}
    for table, columns in (
        ("outputs", "remote_type, remote_subfolder, remote_filename, etag"),
        ("forgotten", "type, subfolder, filename, etag"),
    ):
        for *key, etag in db.tuples(f"SELECT {columns} FROM {table} WHERE pod = ?", (pod,)):  # noqa: S608
            found.setdefault((key[0], key[1], key[2]), set()).add(etag)
    return {key: frozenset(values) for key, values in found.items()}


def on_their_way(db: Database, pod: str) -> frozenset[Key]:
    """Files that the queue or an earlier wish fetches from that pod."""
    rows = db.tuples(
        """SELECT job_files.type, subfolder, filename FROM job_files JOIN jobs ON jobs.id = job_files.job
            WHERE jobs.pod = ? AND job_files.output IS NULL AND lost IS NULL
        UNION SELECT type, subfolder, filename FROM pod_fetches WHERE pod = ? AND lost IS NULL""",
        (pod, pod),
    )
    return frozenset((row[0], row[1], row[2]) for row in rows)


def own_runs(db: Database, ids: Sequence[str]) -> frozenset[str]:
    """Those of the jobs that this library ran."""
    rows = db.tuples(
        """SELECT id FROM runs WHERE id IN (SELECT value FROM json_each(?))
        UNION SELECT remote_id FROM jobs WHERE remote_id IN (SELECT value FROM json_each(?))""",
        (listed(ids), listed(ids)),
    )
    return frozenset(row[0] for row in rows)


def want(
    db: Database, files: Sequence[Wanted], graph: Mapping[str, Any] | None, workflow: Mapping[str, Any] | None
) -> None:
    """Write down what is to be fetched of one job, with what it ran. On disk when this returns."""
    with db.transaction(durable=True):
        graph_hash = None if graph is None else put_document(db, graph)
        document_hash = None if workflow is None else put_document(db, workflow)
        for file in files:
            db.execute(
                """INSERT OR REPLACE INTO pod_fetches
                    (pod, type, subfolder, filename, job, made, graph_hash, document_hash)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)""",
                (
                    file.pod, file.type, file.subfolder, file.filename,
                    file.job, file.made, graph_hash, document_hash,
                ),
            )  # fmt: skip


def wanted(db: Database, pod: str) -> tuple[Wanted, ...]:
    """What is still to be fetched from a pod."""
    rows = db.tuples(
        """SELECT pod, type, subfolder, filename, job, made, graph_hash, document_hash, path FROM pod_fetches
        WHERE pod = ? AND lost IS NULL ORDER BY made DESC, filename""",
        (pod,),
    )
    return tuple(Wanted(*row) for row in rows)


def plan(db: Database, file: Wanted, path: str) -> bool:
    """Write down where it goes. False: another file's place is there."""
    with db.transaction(durable=True):
        taken = db.first(
            """SELECT 1 FROM outputs WHERE path = :path UNION SELECT 1 FROM job_files WHERE path = :path
            UNION SELECT 1 FROM pod_fetches WHERE path = :path""",
            {"path": stored_path(path)},
        )
        if taken is not None:
            return False
        return bool(db.execute(f"UPDATE pod_fetches SET path = ? WHERE {_KEY}", (path, *_key(file))))  # noqa: S608


_KEY = "pod = ? AND type = ? AND subfolder = ? AND filename = ?"


def _key(file: Wanted) -> tuple[str, str, str, str]:
    return file.pod, file.type, file.subfolder, file.filename


def drop(db: Database, file: Wanted) -> None:
    """It is wanted no more."""
    with db.transaction():
        db.execute(f"DELETE FROM pod_fetches WHERE {_KEY}", _key(file))  # noqa: S608


def lose(db: Database, file: Wanted, why: str) -> None:
    """It cannot be had."""
    with db.transaction():
        db.execute(f"UPDATE pod_fetches SET lost = ? WHERE {_KEY}", (why, *_key(file)))  # noqa: S608


def save(db: Database, file: Wanted, taken: Taken | Output, etag: str, rules: int) -> tuple[Change, ...]:
    """It is here: an output, and no longer wanted. What the pod's history says of its graph counts."""
    identity = Identity(file.pod, file.type, file.subfolder, file.filename, etag)
    run = db.first("SELECT 1 FROM runs WHERE id = ?", (file.job,))
    with db.transaction():
        drop(db, file)
        if isinstance(taken, Output):
            _, changes = outputs.add(db, taken, identity)
            return changes
        return add_taken(
            db,
            taken,
            identity,
            rules,
            job=None if run is None else file.job,
            graph_hash=file.graph_hash,
            document_hash=file.document_hash,
        )
