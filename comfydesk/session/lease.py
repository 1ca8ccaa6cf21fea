"""Which session looks after a job: each holds a lock on a file of its own for as long as its process lives.

Window and command line share one library. A job belongs to the session that enqueued it; only when that one is gone
(its lock is free) may another take its jobs over. The system frees the lock whatever way a process ends.
"""

import contextlib
import os
import uuid
from collections.abc import Iterable
from pathlib import Path

from comfydesk.disk import try_lock
from comfydesk.errors import StoreError


class Lease:
    """A session's name, and the proof that it lives."""

    def __init__(self, folder: Path, successor_of: Iterable[str] = ()) -> None:
        """Take over the name of one of these sessions, the first that is gone, else a new one.

        The name is the session's client id on pods, too: who takes it over hears what becomes of the jobs that were
        sent under it. Raises StoreError if the folder cannot be written.
        """
        self._folder = folder
        self._file: int | None = None
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for owner in (*successor_of, uuid.uuid4().hex):
                self.owner = owner
                self._file = self._acquire(owner)
                if self._file is not None:
                    break
        except OSError as error:
            raise StoreError("The data folder cannot be written", f"{folder}: {error.strerror}") from error

    def dead(self, owners: Iterable[str]) -> tuple[str, ...]:
        """Those of `owners` whose session is gone."""
        return tuple(owner for owner in owners if owner != self.owner and not self._lives(owner))

    def close(self) -> None:
        """Let others take over. Again is fine."""
        file, self._file = self._file, None
        if file is not None:
            self._remove(self.owner)
            os.close(file)

    def _acquire(self, owner: str) -> int | None:
        """The locked file of that name; None if its session lives."""
        path = self._folder / owner
        while True:
            file = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
            if not _lock(file):
                os.close(file)
                return None
            # Whoever held it before may have removed it since it was opened here: then it proves nothing.
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(file), path.stat()):
                    return file
            os.close(file)

    def _lives(self, owner: str) -> bool:
        try:
            file = os.open(self._folder / owner, os.O_RDWR)
        except OSError:
            return False
        try:
            free = _lock(file)
            if free:
                self._remove(owner)
        finally:
            os.close(file)
        return not free

    def _remove(self, owner: str) -> None:
        """While its lock is held, so that nobody else has it at that moment."""
        with contextlib.suppress(OSError):  # Windows removes no open files: an empty one stays
            (self._folder / owner).unlink()


def _lock(file: int) -> bool:
    try:
        return try_lock(file)
    except OSError:  # a file system without locks: nobody is known to be gone
        return False
