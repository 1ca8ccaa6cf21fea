"""Which session looks after a job: each holds a lock on a file of its own for as long as its process lives.

Window and command line share one library. A job belongs to the session that enqueued it; only when that one is gone
(its lock is free) may another take its jobs over. The system frees the lock whatever way a process ends.
"""

import os
import sys
import uuid
from collections.abc import Iterable
from pathlib import Path

from comfydesk.errors import StoreError


class Lease:
    """A session's name, and the proof that it lives."""

    def __init__(self, folder: Path) -> None:
        """Take a new name. Raises StoreError if the folder cannot be written."""
        self.owner = uuid.uuid4().hex
        self._folder = folder
        path = folder / self.owner
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file: int | None = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
        except OSError as error:
            raise StoreError("The data folder cannot be written", f"{path}: {error.strerror}") from error
        _lock(self._file)

    def dead(self, owners: Iterable[str]) -> tuple[str, ...]:
        """Those of `owners` whose session is gone."""
        return tuple(owner for owner in owners if owner != self.owner and not self._lives(owner))

    def close(self) -> None:
        """Let others take over. Again is fine."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
            (self._folder / self.owner).unlink(missing_ok=True)

    def _lives(self, owner: str) -> bool:
        path = self._folder / owner
        try:
            file = os.open(path, os.O_RDWR)
        except OSError:
            return False
        try:
            free = _lock(file)
        finally:
            os.close(file)
        if free:
            path.unlink(missing_ok=True)
        return not free


if sys.platform == "win32":
    import msvcrt

    def _lock(file: int) -> bool:
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _lock(file: int) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
