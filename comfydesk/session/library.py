"""The store, awaited: a connection that writes and one that reads, each on its own thread; changes are announced."""

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
        if database is not None:
            await self._thread.run(database.close)
        self._reading_thread.close()
        self._thread.close()

    async def call(self, function: Callable[Concatenate[Database, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """`function(database, …)` on the store's thread. Raises StoreError."""
        database = self._database
        assert database is not None, "the library is not open"
        return await self._thread.run(lambda: function(database, *args, **kwargs))

    async def read(self, function: Callable[Concatenate[Database, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """The same on a second connection and thread, for what only reads: it waits for no writer, and holds up none.

        It sees what was committed when it begins, all of it as of one moment. Raises StoreError.
        """
        reader = self._reader
        assert reader is not None, "the library is not open"

        def work() -> T:
            with reader.snapshot():
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
        then: Callable[[Database, str], T],
        function: Callable[Concatenate[Database, str, P], tuple[Change, ...]],
        /,
        row: str,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> tuple[tuple[Change, ...], T]:
        """The same for a change of one row, and what `then(database, row)` reads right after it: one errand for two."""
        changes, found = await self.call(Then(function, then), row, *args, **kwargs)
        self._publish(changes)
        return changes, found

    def _publish(self, changes: tuple[Change, ...]) -> None:
        for change in changes:
            self._changes.publish(change)


@dataclass(frozen=True, slots=True)
class Then(Generic[P, T]):
    """A change of a row, and a look at it."""

    change: Callable[Concatenate[Database, str, P], tuple[Change, ...]]
    look: Callable[[Database, str], T]

    def __call__(self, db: Database, row: str, /, *args: P.args, **kwargs: P.kwargs) -> tuple[tuple[Change, ...], T]:
        changes = self.change(db, row, *args, **kwargs)
        return changes, self.look(db, row)


def _opened(path: Path) -> Database:
    database = Database(path)
    try:
        if path.stat().st_size <= CHECKED_BYTES:
            database.check()
    except BaseException:
        database.close()
        raise
    return database
