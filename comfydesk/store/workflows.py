"""What belongs to workflows: documents and graphs by hash, uploads per pod, node timings per graph and pod."""

import hashlib
import json
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from comfydesk.errors import StoreError
from comfydesk.store.database import Database, listed

WEIGHT_OF_NEWEST = 0.5


@dataclass(frozen=True, slots=True)
class Timing:
    """What a node took: average seconds, and the steps it reported (0: none)."""

    seconds: float
    steps: float = 0


def document_hash(document: Any) -> str:
    """SHA-256 of the canonical JSON: the same for equal documents, whatever the order of their keys."""
    return hashlib.sha256(_canonical(document)).hexdigest()


def put_document(db: Database, document: Any) -> str:
    """Store a JSON document (a UI workflow or an API graph) once. Returns its hash."""
    data = _canonical(document)
    key = hashlib.sha256(data).hexdigest()
    with db.transaction(durable=True):
        if db.first("SELECT 1 FROM documents WHERE hash = ?", (key,)) is None:
            # The order of keys matters to people and to some nodes: what is stored is the document as it came.
            text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
            db.execute(
                "INSERT INTO documents (hash, data) VALUES (?, ?)",
                (key, zlib.compress(text.encode("utf-8", "surrogatepass"))),
            )
    return key


def put_packed(db: Database, key: str, data: bytes) -> None:
    """The same for what was hashed and compressed elsewhere. Not durable by itself: who has it can read it again."""
    db.execute("INSERT OR IGNORE INTO documents (hash, data) VALUES (?, ?)", (key, data))


def get_document(db: Database, key: str) -> Any:
    """The document with that hash. Raises StoreError if the library does not have it."""
    row = db.first("SELECT data FROM documents WHERE hash = ?", (key,))
    if row is None:
        what = f"The library has lost the workflow {key[:12]} of a job"
        raise StoreError(what)
    return json.loads(zlib.decompress(row["data"]).decode("utf-8", "surrogatepass"))


def _canonical(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=True, sort_keys=True, separators=(",", ":")).encode()


# --- Uploads ----------------------------------------------------------------------------------------------------------


def uploaded(db: Database, pod: str, sha256: str) -> str | None:
    """The name under which a pod has a file of that content, if we put it there."""
    row = db.first("SELECT name FROM uploads WHERE pod = ? AND sha256 = ?", (pod, sha256))
    return None if row is None else str(row["name"])


def remember_upload(db: Database, pod: str, sha256: str, name: str) -> None:
    with db.transaction():
        db.execute("INSERT OR REPLACE INTO uploads (pod, sha256, name) VALUES (?, ?, ?)", (pod, sha256, name))


def forget_upload(db: Database, pod: str, sha256: str) -> None:
    """The pod no longer has it (its disk was replaced, say)."""
    with db.transaction():
        db.execute("DELETE FROM uploads WHERE pod = ? AND sha256 = ?", (pod, sha256))


# --- Timings ----------------------------------------------------------------------------------------------------------


def timings(db: Database, pod: str, signature: str) -> dict[str, Timing]:
    """Node → what it took on that pod in graphs of that shape."""
    rows = db.query("SELECT node, seconds, steps FROM timings WHERE pod = ? AND signature = ?", (pod, signature))
    return {row["node"]: Timing(row["seconds"], row["steps"]) for row in rows}


WHOLE = ""
"""The "node" under which the seconds of a job as a whole are kept, by the pod's clock."""


def all_timings(db: Database, pods: Iterable[str]) -> dict[tuple[str, str], dict[str, Timing]]:
    """Shape of a graph and node → pod → what it took there, of all that these pods have run."""
    rows = db.query(
        "SELECT signature, node, pod, seconds, steps FROM timings WHERE pod IN (SELECT value FROM json_each(?))",
        (listed(pods),),
    )
    found: dict[tuple[str, str], dict[str, Timing]] = {}
    for row in rows:
        found.setdefault((row["signature"], row["node"]), {})[row["pod"]] = Timing(row["seconds"], row["steps"])
    return found


def learn_timings(db: Database, pod: str, signature: str, measured: Mapping[str, Timing]) -> None:
    """Take new measurements into the averages; the newest counts for half."""
    with db.transaction():
        known = timings(db, pod, signature)
        for node, new in measured.items():
            old = known.get(node)
            seconds = new.seconds
            if old is not None:
                # What was learnt with 20 steps says twice as much about 40.
                scaled = old.seconds * new.steps / old.steps if old.steps and new.steps else old.seconds
                seconds = scaled + WEIGHT_OF_NEWEST * (new.seconds - scaled)
            db.execute(
                "INSERT OR REPLACE INTO timings (pod, signature, node, seconds, steps) VALUES (?, ?, ?, ?, ?)",
                (pod, signature, node, seconds, new.steps),
            )
