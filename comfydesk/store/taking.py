"""Writes files that were read into the library, a batch at a time.

A statement for each file would cost more than the file: what is known is asked for once per batch, and rows go in by
few statements, since other threads run at each of them, and this one has to wait for the interpreter's lock after it.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from comfydesk.events import Change, OutputsChanged
from comfydesk.store.database import Database, Value, listed, portions
from comfydesk.store.imports import DELETED, DUPLICATE, Seen, note_seen
from comfydesk.store.output_words import WordsLater, words_later
from comfydesk.store.outputs import plain_text, stored_path
from comfydesk.store.taken import Taken


@dataclass(slots=True)
class Written:
    """What became of a batch."""

    added: list[int] = field(default_factory=list)
    changed: list[int] = field(default_factory=list)
    moved: list[int] = field(default_factory=list)
    removed: list[int] = field(default_factory=list)
    duplicates: int = 0

    def changes(self) -> tuple[Change, ...]:
        if not (self.added or self.changed or self.moved or self.removed):
            return ()
        return (OutputsChanged(tuple(self.added), (*self.changed, *self.moved), tuple(self.removed)),)


class _Known(NamedTuple):
    """The output at a path."""

    id: int
    sha256: str
    size: int
    mtime_ns: int

    def is_at(self, file: Taken) -> bool:
        if self.sha256 and file.sha256:
            return self.sha256 == file.sha256
        return (self.size, self.mtime_ns) == (file.size, file.mtime_ns)


def take(
    db: Database, files: Sequence[Taken], seen: Sequence[Seen], gone: Mapping[str, int], rules: int, *, watched: bool
) -> tuple[Written, tuple[Change, ...]]:
    """Write a batch, all of it or nothing.

    `gone`: by hash, an output whose file is no longer where it was: the new place is its own. `rules`: the version of
    what read the files. `watched`: what the user deleted from the library stays away.
    """
    with words_later(db) as words:
        batch = _Batch(db, files, words, gone, rules, watched=watched)
        for file in files:
            batch.take(file)
        batch.finish()
        for one in seen:
            note_seen(db, one)
    return batch.written, batch.written.changes()


class _Batch:
    """Within `words_later`: what the library knew of these files before, and the rows that are still to be written."""

    def __init__(
        self,
        db: Database,
        files: Sequence[Taken],
        words: WordsLater,
        gone: Mapping[str, int],
        rules: int,
        *,
        watched: bool,
    ) -> None:
        self.written = Written()
        self._db = db
        self._words = words
        self._gone = dict(gone)
        self._rules = rules
        self._known = _known_at(db, [stored_path(file.path) for file in files])
        self._holders = _holders(db, listed({file.sha256 for file in files if file.sha256}))
        self._forgotten = _forgotten(db, listed({file.sha256 for file in files})) if watched else set()
        self._next = words.newest() + 1
        self._rows: list[tuple[Value, ...]] = []
        self._documents: dict[str, bytes] = {}
        self._models: list[tuple[Value, ...]] = []
        self._seen_no_more: list[bytes] = []
        self._wanted_again: list[str] = []

    def take(self, file: Taken) -> None:
        path = stored_path(file.path)
        known = self._known.get(path)
        if known is not None:
            self._write()  # it may be one of these
            if known.is_at(file):
                sql = "UPDATE outputs SET mtime_ns = ?, missing = NULL WHERE id = ?"
                self._db.execute(sql, (file.mtime_ns, known.id))
                return
            self._replace(known)
        mover = self._gone.pop(file.sha256, None) if file.sha256 else None
        if mover is not None:
            self._move(mover, file)
        elif file.sha256 and self._holders.get(file.sha256):
            note_seen(self._db, Seen(file.path, file.size, file.mtime_ns, DUPLICATE))
            self.written.duplicates += 1
            return
        elif file.sha256 in self._forgotten:
            note_seen(self._db, Seen(file.path, file.size, file.mtime_ns, DELETED))
            return
        else:
            self._add(file, path)
        self._seen_no_more.append(os.fsencode(file.path))

    def finish(self) -> None:
        """Write what is still to be written."""
        self._write()
        for some in portions(self._seen_no_more):
            self._db.execute(f"DELETE FROM seen_files WHERE path IN ({', '.join('?' * len(some))})", some)  # noqa: S608

    def _replace(self, known: _Known) -> None:
        """Other bytes at the same place: another output."""
        self._words.write()
        self._db.execute("DELETE FROM outputs WHERE id = ?", (known.id,))
        self._holders.get(known.sha256, set()).discard(known.id)
        self.written.removed.append(known.id)

    def _move(self, output: int, file: Taken) -> None:
        self._db.execute(
            "UPDATE outputs SET path = ?, name = ?, mtime_ns = ?, missing = NULL WHERE id = ?",
            (stored_path(file.path), plain_text(Path(file.path).name), file.mtime_ns, output),
        )
        self.written.moved.append(output)

    def _add(self, file: Taken, path: Value) -> None:
        row, self._next = self._next, self._next + 1
        self._rows.append(_row(row, file, path, self._rules))
        self._models += ((row, plain_text(name), kind) for name, kind in file.models)
        for document in (file.graph, file.document):
            if document is not None:
                self._documents[document.hash] = document.data
        if file.sha256:
            self._holders.setdefault(file.sha256, set()).add(row)
            self._wanted_again.append(file.sha256)
        self._known[path] = _Known(row, file.sha256, file.size, file.mtime_ns)
        self.written.added.append(row)

    def _write(self) -> None:
        """The rows that were added since."""
        db = self._db
        if self._documents:
            db.insert_many("INSERT OR IGNORE INTO documents (hash, data) VALUES", "(?, ?)", [*self._documents.items()])
        if self._wanted_again:
            sql = "DELETE FROM forgotten WHERE sha256 IN (SELECT value FROM json_each(?))"
            db.execute(sql, (listed(self._wanted_again),))
        if self._rows:
            db.insert_many(_INSERT, _VALUES, self._rows)
        if self._models:
            sql = "INSERT OR IGNORE INTO output_models (output, model, kind) VALUES"
            db.insert_many(sql, "(?, ?, ?)", self._models)
        for written in (self._documents, self._wanted_again, self._rows, self._models):
            written.clear()


def _known_at(db: Database, paths: Sequence[Value]) -> dict[Value, _Known]:
    found: dict[Value, _Known] = {}
    for some in portions(paths):
        sql = f"SELECT path, id, sha256, size, mtime_ns FROM outputs WHERE path IN ({', '.join('?' * len(some))})"  # noqa: S608
        found.update((path, _Known(*known)) for path, *known in db.tuples(sql, some))
    return found


def _holders(db: Database, hashes: str) -> dict[str, set[int]]:
    """Who has these bytes."""
    found: dict[str, set[int]] = {}
    sql = "SELECT sha256, id FROM outputs WHERE sha256 IN (SELECT value FROM json_each(?)) AND deletion IS NULL"
    for sha256, output in db.tuples(sql, (hashes,)):
        found.setdefault(sha256, set()).add(output)
    return found


def _forgotten(db: Database, hashes: str) -> set[str]:
    sql = "SELECT sha256 FROM forgotten WHERE sha256 IN (SELECT value FROM json_each(?))"
    return {sha256 for (sha256,) in db.tuples(sql, (hashes,))}


_COLUMNS = (
    "id", "path", "name", "media", "size", "mtime_ns", "sha256", "created", "width", "height", "aspect", "duration",
    "graph_hash", "document_hash", "prompt", "negative", "seed", "model", "models", "sampler", "scheduler", "steps",
    "cfg", "settings", "facts", "pending",
)  # fmt: skip
_EMPTY = ("workflow", "pod", "remote_type", "remote_subfolder", "remote_filename", "etag")
_INSERT = f"INSERT INTO outputs ({', '.join((*_COLUMNS, *_EMPTY))}) VALUES"
_VALUES = "(" + ", ".join(("?",) * len(_COLUMNS) + ("''",) * len(_EMPTY)) + ")"


def _row(row: int, file: Taken, path: Value, rules: int) -> tuple[Value, ...]:
    """By _COLUMNS. As imports.add_taken writes it of a file of no pod."""
    models = "\n".join([name for name, _ in file.models])
    return (
        row,
        path,
        plain_text(os.path.basename(file.path)),  # noqa: PTH119 - a Path would take ten times as long
        file.media,
        file.size,
        file.mtime_ns,
        file.sha256,
        round(file.created, 6),
        file.width,
        file.height,
        file.width / file.height if file.width and file.height else 1.0,
        file.duration,
        None if file.graph is None else file.graph.hash,
        None if file.document is None else file.document.hash,
        plain_text(file.prompt),
        plain_text(file.negative),
        None if file.seed is None else str(file.seed),
        plain_text(file.model),
        plain_text(models),
        plain_text(file.sampler),
        plain_text(file.scheduler),
        file.steps,
        file.cfg,
        _settings(file.settings),
        rules,
        file.pending,
    )


def _settings(settings: Mapping[str, Any]) -> str | None:
    return json.dumps(dict(settings)) if settings else None
