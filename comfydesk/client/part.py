"""The unfinished file of a download, and how it gets its name.

Bytes go into `<name>.<key>.part` beside the destination; a small `.etag` file tells which version they are of.
"""

import contextlib
import hashlib
import os
import secrets
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

from comfydesk.client.files import numbered
from comfydesk.disk import NO_ROOM, sync_folder, try_lock
from comfydesk.errors import DiskFullError, StoreError

Check = Callable[[Path, int], bool]
"""Path and size of what has arrived, before it has its name: whether these are the bytes that were meant. Blocks."""
BLOCK = 2 << 20
"""Bytes that are read or written at once."""
RESERVE = 64 << 20
"""Bytes that a download leaves free on the disk."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file that is here now, whole."""

    path: Path
    size: int
    sha256: str
    etag: str


class Part:
    """The unfinished file. Synchronous, for worker threads; one call at a time."""

    def __init__(self, destination: Path, key: str, *, is_checked: bool = False) -> None:
        """`is_checked`: it has to pass before it gets its name."""
        self._destination = destination = destination.absolute()
        self._path = destination.with_name(f"{destination.name}.{key}.part")
        self._file: FileIO | None = None
        self._hash = hashlib.sha256()
        self._etag_noted = False
        """There is a file that tells the ETag."""
        self.size = 0
        self.etag = ""
        self.finished: Fetched | None = None
        self._is_checked = is_checked

    @property
    def _etag_path(self) -> Path:
        return self._path.with_name(self._path.name + ".etag")

    def open(self) -> None:
        """Create it, or take up what an earlier run has left."""
        with _disk(self._destination):
            try:
                self._file = _opened_alone(self._path)
            except FileNotFoundError:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                self._file = _opened_alone(self._path)
            if self._file is None:  # another process fetches the same: leave that one alone
                self._path = self._path.with_name(f"{self._destination.name}.{secrets.token_hex(4)}.part")
                self._file = self._path.open("x+b", buffering=0)
            self._etag_noted = self._etag_path.exists()
            if not os.fstat(self._file.fileno()).st_size:
                return
            with contextlib.suppress(OSError, UnicodeDecodeError):
                self.etag = self._etag_path.read_text("ascii")
            if not self.etag:  # without it nobody knows what the bytes are of
                self._file.truncate(0)
            self._file.seek(0)
            while block := self._file.read(BLOCK):
                self._hash.update(block)
                self.size += len(block)

    @property
    def is_open(self) -> bool:
        return self._file is not None

    def begin(self, etag: str | None, total: int | None) -> None:
        """Before the first byte: `restart` unless `etag` is None (what is there is continued), and `check_room`."""
        if etag is not None:
            self.restart(etag)
        self.check_room(total)

    def write_small(self, etag: str, total: int, chunks: list[bytes]) -> None:
        """All of its bytes, and its name: `finished`. If the line was cut, what came is noted to be continued."""
        whole = sum(map(len, chunks)) == total
        if not self.is_open:
            self.open()
        self.restart("" if whole else etag)
        self.check_room(total)
        self._append(chunks)
        self.etag = etag if etag.isascii() else ""
        if whole and not self._is_checked:
            self.finished = self.finish()

    def restart(self, etag: str) -> None:
        """Throw away what is there; what follows is of the version `etag`."""
        with _disk(self._destination):
            if self.size:
                self._opened().truncate(0)
            self._hash = hashlib.sha256()
            self.size, self.etag = 0, etag if etag.isascii() else ""
            if self.etag:
                self._etag_noted = True
                self._etag_path.write_text(self.etag, "ascii")
            else:
                self._forget_etag()

    def _forget_etag(self) -> None:
        if self._etag_noted:
            self._etag_noted = False
            self._etag_path.unlink(missing_ok=True)

    def check_room(self, total: int | None) -> None:
        """Raise DiskFullError when `total` bytes will not fit, before the first is written."""
        with _disk(self._destination):
            missing = max((total or 0) - self.size, 0)
            if shutil.disk_usage(self._path.parent).free < missing + RESERVE:
                raise _full(self._destination)

    def write(self, chunks: list[bytes]) -> None:
        """Append, unless that would take the disk's last room: what has no known length may have no end."""
        with _disk(self._destination):
            if shutil.disk_usage(self._path.parent).free < RESERVE:
                raise _full(self._destination)
        self._append(chunks)

    def _append(self, chunks: list[bytes]) -> None:
        with _disk(self._destination):
            # One piece: each call gives the interpreter lock away and has to win it back from a busy loop.
            rest = memoryview(b"".join(chunks))
            self._hash.update(rest)
            while rest:
                written = self._opened().write(rest)
                self.size += written
                rest = rest[written:]

    def passes(self, check: Check) -> bool:
        """Whether all that is there is what was meant."""
        with _disk(self._destination):
            return check(self._path, self.size)

    def finish(self) -> Fetched:
        """Give it its name: the destination's, or the next free number where another file has that.

        The very same bytes under that name already are left as they are.
        """
        with _disk(self._destination):
            file = self._opened()
            os.fsync(file.fileno())
            sha256 = self._hash.hexdigest()
            number = 1
            while not self._publish(path := numbered(self._destination, number)):
                if path.is_file() and path.stat().st_size == self.size and _sha256(path) == sha256:
                    self._path.unlink()
                    break
                number += 1
            self._forget_etag()
            sync_folder(path.parent)
            self._let_go()
            return Fetched(path, self.size, sha256, self.etag)

    def discard(self) -> None:
        """Leave nothing behind."""
        self.close()
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)
            self._forget_etag()

    def close(self) -> None:
        """Let go of it; what is there stays for another time."""
        if self._file is not None:
            self._let_go()
            if self.size == 0:
                with contextlib.suppress(OSError):
                    self._path.unlink(missing_ok=True)
                    self._forget_etag()

    def _let_go(self) -> None:
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()
            self._file = None

    def _publish(self, path: Path) -> bool:
        """The part becomes `path`, at once and whole; False when something of that name is there."""
        try:
            os.link(self._path, path)
        except FileExistsError:
            return False
        except OSError:
            return self._publish_without_links(path)
        self._path.unlink()
        return True

    def _publish_without_links(self, path: Path) -> bool:
        """exFAT, some network drives and Windows' locks: reserve the name, then rename over our own reservation."""
        try:
            path.open("xb").close()
        except FileExistsError:
            return False
        if self._file is not None:
            self._file.close()
        self._path.replace(path)
        return True

    def _opened(self) -> FileIO:
        if self._file is None:
            msg = "the part is not open"
            raise ValueError(msg)
        return self._file


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _opened_alone(path: Path) -> FileIO | None:
    """`path` for appending, locked against other processes where the system can; None when one of them has it."""
    while True:
        file = path.open("a+b", buffering=0)
        if sys.platform == "win32":  # what is locked there can be neither renamed nor read
            return file
        try:
            if not try_lock(file.fileno()):
                file.close()
                return None
        except OSError:  # a file system without locks
            return file
        # The last owner may have renamed it between our opening and our lock: then this is a finished file.
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(file.fileno()), path.stat()):
                return file
        file.close()


def _full(destination: Path) -> DiskFullError:
    return DiskFullError(
        f"No room on the disk for {destination.name}",
        f"the folder is {destination.parent}",
        "Free some space or choose another output folder; the result is still on the pod",
    )


@contextmanager
def _disk(destination: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in NO_ROOM:
            raise _full(destination) from error
        what = f"{destination.name} cannot be written"
        raise StoreError(what, error.strerror or str(error), f"Check the folder {destination.parent}") from error
