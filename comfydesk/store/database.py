"""The library's file: one SQLite database in WAL mode, its schema, and the translation of sqlite3's errors.

Everything here is synchronous and belongs to one thread (the session's store thread). Several processes may have the
same file open: writes wait for each other up to BUSY_SECONDS.
"""

import json
import os
import sqlite3
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

from comfydesk.errors import DiskFullError, StoreError
from comfydesk.store.schema import MIGRATIONS

BUSY_SECONDS = 10.0
READER_CACHE_KIB = 32 << 10
"""Pages that a reader keeps: the indices of 100,000 outputs."""

STEPS = 20_000
"""Of SQLite's machine between two questions whether to go on: less than a millisecond."""

PORTION = 64
"""Rows of one statement: of 40 columns each, a twelfth of the values that SQLite takes."""

T = TypeVar("T")
Value = str | int | float | bytes | None
Values = Sequence[Value] | Mapping[str, Value]


def listed(values: Iterable[object]) -> str:
    """A list as one value of a statement: `x IN (SELECT value FROM json_each(?))`."""
    return json.dumps(list(values))


def portions(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """`values` in parts of 64, 32, 16 …: as many question marks, so that few statements have to be prepared."""
    at = 0
    while at < len(values):
        size = min(PORTION, 1 << (len(values) - at).bit_length() - 1)
        yield values[at : at + size]
        at += size


_flush = getattr(os, "fdatasync", os.fsync)


class Database:
    """An open library. Raises StoreError (DiskFullError when there is no room) for whatever the disk does to us."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        """`read_only`: of a library that is open for writing elsewhere."""
        self.path = path
        self.owed = 0
        """How many durable transactions there were: `sync` tells up to which one all is on the disk."""
        self.syncs_later = False
        """Durable transactions leave it to the owner to call `sync`, on whatever thread, before anybody is told."""
        self._depth = 0
        self._log: int | None = None
        if read_only:
            with self._translated():
                self._connection = sqlite3.connect(
                    f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_SECONDS, isolation_level=None
                )
                self._connection.row_factory = sqlite3.Row
                self._connection.execute(f"PRAGMA cache_size = -{READER_CACHE_KIB}")
            return
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError("The library cannot be opened", f"{path.parent}: {error.strerror}") from error
        with self._translated():
            self._connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
        try:
            with self._translated():
                self._prepare()
        except sqlite3.Error as error:  # what stands in the file is not what was written there
            self.close()
            raise self._damaged(str(error)) from error
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the file. Again is fine."""
        log, self._log = self._log, None
        if log is not None:
            os.close(log)
        self._connection.close()

    def sync(self) -> int:
        """Have the disk take what is committed. Returns the durable transactions (see `owed`) that it has then.

        For any thread, as long as the library is open. Raises StoreError.
        """
        covered, log = self.owed, self._log
        if log is not None:
            try:
                _flush(log)
            except OSError as error:
                what = "The library cannot be written"
                raise DiskFullError(what, f"{self.path}: {error.strerror}", "See that the disk is well") from error
        return covered

    def query(self, sql: str, values: Values = ()) -> list[sqlite3.Row]:
        """All rows of a SELECT."""
        with self._translated():
            return self._connection.execute(sql, values).fetchall()

    def tuples(self, sql: str, values: Values = ()) -> list[tuple[Any, ...]]:
        """All rows as plain tuples: of many rows in half the time of `query`."""
        with self._translated():
            cursor = self._connection.cursor()
            cursor.row_factory = None
            return cursor.execute(sql, values).fetchall()

    def first(self, sql: str, values: Values = ()) -> sqlite3.Row | None:
        """The first row of a SELECT, or None."""
        with self._translated():
            row: sqlite3.Row | None = self._connection.execute(sql, values).fetchone()
        return row

    def execute(self, sql: str, values: Values = ()) -> int:
        """A statement that writes. Returns how many rows it changed."""
        with self._translated():
            return self._connection.execute(sql, values).rowcount

    def insert(self, sql: str, values: Values) -> int:
        """An INSERT. Returns the new row's id."""
        with self._translated():
            return self._connection.execute(sql, values).lastrowid or 0

    def insert_many(self, into: str, row: str, rows: Sequence[Sequence[Value]]) -> None:
        """`into` is an INSERT up to its VALUES, `row` a row of these: "(?, ?)". In few statements, which is faster."""
        for some in portions(rows):
            self.execute(f"{into} {', '.join([row] * len(some))}", tuple(chain.from_iterable(some)))

    @contextmanager
    def transaction(self, *, durable: bool = False) -> Iterator[None]:
        """All or nothing. Nested ones belong to the outermost.

        Committed work survives a crash of the program; with `durable` also one of the computer (costs an fsync).
        """
        if self._depth:
            yield
            return
        with self._translated():
            self._connection.execute("BEGIN IMMEDIATE")
        self._depth += 1
        try:
            yield
            with self._translated():
                self._connection.execute("COMMIT")
            if durable:
                self.owed += 1
                if not self.syncs_later:
                    self.sync()
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise
        finally:
            self._depth -= 1

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Everything that is read in the block is as of one moment."""
        with self._translated():
            self._connection.execute("BEGIN")
        try:
            yield
        finally:
            if self._connection.in_transaction:
                self._connection.execute("COMMIT")

    @contextmanager
    def stoppable(self, stopped: Callable[[], bool]) -> Iterator[None]:
        """What is read in the block ends with a StoreError soon after `stopped` says so; it is asked on this thread."""
        self._connection.set_progress_handler(lambda: int(stopped()), STEPS)
        try:
            yield
        finally:
            self._connection.set_progress_handler(None, 0)

    def check(self) -> None:
        """Read the whole file. Raises StoreError if it is damaged. Takes seconds on a big library."""
        try:
            rows = self.query("PRAGMA quick_check(1)")
        except sqlite3.Error as error:
            raise self._damaged(str(error)) from error
        if [row[0] for row in rows] != ["ok"]:
            raise self._damaged("; ".join(str(row[0]) for row in rows))

    @contextmanager
    def diagnosed(self) -> Iterator[None]:
        """What the block stumbles over is told as damage, if it is.

        Texts and packed documents are written here only: one that cannot be read is damaged. For everything else the
        file is read through: where it contradicts itself, whatever that led to is no fault of the program.
        """
        try:
            yield
        except (json.JSONDecodeError, UnicodeDecodeError, zlib.error) as error:
            raise self._damaged(str(error)) from error
        except (TypeError, ValueError, LookupError, AttributeError, OverflowError, sqlite3.Error):
            self.check()
            raise

    def _enter_wal(self) -> None:
        """Two programs that do this at once are told "locked" at once: SQLite does not wait here by itself."""
        deadline = time.monotonic() + BUSY_SECONDS
        while True:
            try:
                self._connection.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                busy = error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
                if not busy or time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
            else:
                return

    def _open_log(self) -> None:
        """What a commit writes to, open for `sync`: as SQLite does after each commit when it is to be durable.

        Where that cannot be had, SQLite does it. A second descriptor of the log is no danger: its locks are on others.
        """
        self._connection.execute("SELECT 1 FROM sqlite_master").fetchone()  # makes the log
        try:
            self._log = os.open(
                f"{self.path}-wal", os.O_RDWR | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
            )
        except OSError:
            self._connection.execute("PRAGMA synchronous = FULL")
        else:
            self._connection.execute("PRAGMA synchronous = NORMAL")

    def _prepare(self) -> None:
        self._connection.row_factory = sqlite3.Row
        self._enter_wal()
        self._connection.execute("PRAGMA foreign_keys = ON")
        self._open_log()
        version = self._version()
        if version > len(MIGRATIONS):
            what = f"The library was written by a newer ComfyDesk (schema {version}, this one knows {len(MIGRATIONS)})"
            raise StoreError(
                what, advice=f"Update ComfyDesk, or use another --data-dir. Nothing was changed in {self.path}"
            )
        if 0 < version < len(MIGRATIONS):
            self._keep_copy(version)
        while version < len(MIGRATIONS):
            with self.transaction(durable=True):
                version = self._version()  # another process may have been faster
                if version < len(MIGRATIONS):
                    self._migrate(version)
                    version += 1
                    self._connection.execute(f"PRAGMA user_version = {version}")

    def _migrate(self, version: int) -> None:
        try:
            for statement in MIGRATIONS[version]:
                self._connection.execute(statement)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_ERROR:  # a disk that is full, a file that is locked …
                raise
            raise StoreError(
                "The library cannot be brought up to this version of ComfyDesk",
                f"{self.path}: {error}",
                "Nothing was changed in it. Please report this; to start with an empty library, move that file aside",
            ) from error

    def _version(self) -> int:
        return int(self._connection.execute("PRAGMA user_version").fetchone()[0])

    def _keep_copy(self, version: int) -> None:
        copy = self.path.with_name(f"{self.path.name}.v{version}")
        if not copy.exists():
            target = sqlite3.connect(copy)
            try:
                self._connection.backup(target)
            finally:
                target.close()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """sqlite3's errors that are the world's fault as ours; misuse (IntegrityError and the like) passes."""
        try:
            yield
        except UnicodeDecodeError as error:  # SQLite tells what it found, and that is no text
            raise self._damaged("what it holds is no text") from error
        except sqlite3.OperationalError as error:
            text = str(error)
            if text.startswith("Could not decode to UTF-8"):
                raise self._damaged(text) from error
            if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT:  # see `stoppable`
                raise StoreError("Reading the library was stopped") from error
            if "full" in text or "disk I/O" in text:
                raise DiskFullError(
                    "The library cannot be written", f"{self.path}: {text}", "Make room on the disk and try again"
                ) from error
            if "locked" in text or "busy" in text:
                raise StoreError("The library is in use by another program", f"{self.path}: {text}") from error
            if "unable to open" in text or "readonly" in text:
                raise StoreError("The library cannot be opened for writing", f"{self.path}: {text}") from error
            raise
        except sqlite3.DatabaseError as error:
            if type(error) is not sqlite3.DatabaseError:
                raise
            raise self._damaged(str(error)) from error

    def _damaged(self, detail: str) -> StoreError:
        return StoreError(
            "The library is damaged",
            f"{self.path}: {detail}",
            "Your pictures are untouched. Move that file aside to start with an empty library",
        )
