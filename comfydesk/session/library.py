"""The store, awaited: a connection that writes and one that reads, each on its own thread; changes are announced."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Concatenate, Generic, ParamSpec, TypeVar

from comfydesk.events import Change, Feed
from comfydesk.session.errands import Errands
from comfydesk.store.database import Database

P = ParamSpec("P")
T = TypeVar("T")
Row = TypeVar("Row")

FILE_NAME = "library.sqlite"
CHECKED_BYTES = 32 << 20
"""A library up to this size is checked for damage at each start, in about a tenth of a second."""


class Library:
    """`await library.call(jobs.get, job_id)`; `await library.commit(jobs.transition, …)` for what returns changes."""

    def __init__(self, path: Path, changes: Feed[Change]) -> None:
        self.path = path
        self._changes = changes
        self._thread = Errands("store")
        self._reading_thread = Errands("store-read")
        self._syncing_thread = Errands("store-sync")
        self._syncing: asyncio.Task[None] | None = None
        self._on_disk = 0
        self._database: Database | None = None
        self._reader: Database | None = None

    async def open(self) -> None:
        """Raises StoreError, also for a damaged file, if it is small enough to be read through."""
        self._database = await self._thread.run(partial(_opened, self.path))
        self._reader = await self._reading_thread.run(partial(Database, self.path, read_only=True))

    async def close(self) -> None:
        """After what was asked for before. Again is fine."""
        reader, self._reader = self._reader, None
        if reader is not None:
            await self._reading_thread.run(reader.close)
        database, self._database = self._database, None
        if self._syncing is not None:
            await asyncio.wait([self._syncing])
        if database is not None:
            await self._thread.run(database.close)
        self._syncing_thread.close()
        self._reading_thread.close()
        self._thread.close()

    async def call(self, function: Callable[Concatenate[Database, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """`function(database, …)` on the store's thread. Raises StoreError.

        A durable change is on the disk when this returns; meanwhile the thread goes on with others.
        """
        database = self._database
        assert database is not None, "the library is not open"

        def work() -> tuple[T, int]:
            before = database.owed
            with database.diagnosed():
                result = function(database, *args, **kwargs)
            return result, database.owed if database.owed > before else 0

        result, owed = await self._thread.run(work)
        while self._on_disk < owed:
            await self._sync(database)
        return result

    async def _sync(self, database: Database) -> None:
        """Have the disk take all that is committed by now. Who comes meanwhile shares the next time."""
        if self._syncing is None:
            self._syncing = asyncio.get_running_loop().create_task(self._synced(database), name="store sync")
        await asyncio.shield(self._syncing)

    async def _synced(self, database: Database) -> None:
        try:
            self._on_disk = max(self._on_disk, await self._syncing_thread.run(database.sync))
        finally:
            self._syncing = None

    async def read(self, function: Callable[Concatenate[Database, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """The same on a second connection and thread, for what only reads: it waits for no writer, and holds up none.

        It sees what was committed when it begins, all of it as of one moment. Raises StoreError.
        """
        reader = self._reader
        assert reader is not None, "the library is not open"

        def work() -> T:
            with reader.diagnosed(), reader.snapshot():
                return function(reader, *args, **kwargs)

        return await self._reading_thread.run(work)

    async def commit(
        self, function: Callable[Concatenate[Database, P], tuple[Change, ...]], /, *args: P.args, **kwargs: P.kwargs
    ) -> tuple[Change, ...]:
        """The same for a function that writes: its changes are published, then returned (empty: nothing happened)."""
        changes = await self.call(function, *args, **kwargs)
        self._publish(changes)
        return changes

    async def commit_and(
        self,
        then: Callable[[Database, Row], T],
        function: Callable[Concatenate[Database, Row, P], tuple[Change, ...]],
        /,
        row: Row,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> tuple[tuple[Change, ...], T]:
        """The same for a change of a row (or rows), and what `then(database, row)` reads right after: one errand."""
        changes, found = await self.call(Then(function, then), row, *args, **kwargs)
        self._publish(changes)
        return changes, found

    def _publish(self, changes: tuple[Change, ...]) -> None:
        for change in changes:
            self._changes.publish(change)


@dataclass(frozen=True, slots=True)
class Then(Generic[Row, P, T]):
    """A change of a row, and a look at it."""

    change: Callable[Concatenate[Database, Row, P], tuple[Change, ...]]
    look: Callable[[Database, Row], T]

    def __call__(self, db: Database, row: Row, /, *args: P.args, **kwargs: P.kwargs) -> tuple[tuple[Change, ...], T]:
        changes = self.change(db, row, *args, **kwargs)
        return changes, self.look(db, row)


def _opened(path: Path) -> Database:
    database = Database(path)
    database.syncs_later = True
    try:
        if path.stat().st_size <= CHECKED_BYTES:
            database.check()
    except BaseException:
        database.close()
        raise
    return database
