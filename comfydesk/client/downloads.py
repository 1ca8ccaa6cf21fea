"""Files from a pod to this disk: resumed, verified, and either whole under their name or not there at all.

Bytes go into `<name>.<key>.part` beside the destination; a small `.etag` file tells which version they are of. What is
there after a crash or a cut line is continued. Writing and hashing happen in worker threads.
"""

import asyncio
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
from typing import TypeVar, TypeVarTuple
from weakref import WeakValueDictionary

from comfydesk.client.files import numbered
from comfydesk.client.link import Timing
from comfydesk.client.origin import Incoming
from comfydesk.client.remote import RemoteFile
from comfydesk.client.rest import Rest
from comfydesk.disk import NO_ROOM, sync_folder, try_lock
from comfydesk.errors import DiskFullError, NotComfyError, PodStatusError, PodUnreachableError, StoreError

_Given = TypeVarTuple("_Given")
_Result = TypeVar("_Result")
Progress = Callable[[int, int | None], None]
"""Bytes here, and bytes in all if the pod says."""

Check = Callable[[Path, int], bool]
"""Path and size of what has arrived, before it has its name: whether these are the bytes that were meant. Blocks."""

BLOCK = 2 << 20
SMALL = BLOCK // 2
"""Bytes up to which a file is written in one turn of a worker thread."""
RESERVE = 64 << 20
"""Bytes that a download leaves free on the disk."""
_GATEWAY = frozenset({429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 525, 530})


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file that is here now, whole."""

    path: Path
    size: int
    sha256: str
    etag: str


class Downloads:
    """One pod's downloads. The same file to the same place is fetched once at a time.

    `identity` is what unfinished ones are found again by; default the address, which may be another tomorrow.
    """

    def __init__(self, rest: Rest, timing: Timing | None = None, identity: str = "") -> None:
        self._rest = rest
        self._identity = identity
        self._delays = (timing or Timing()).fetch_delays
        self._locks: WeakValueDictionary[Path, asyncio.Lock] = WeakValueDictionary()

    async def fetch(
        self,
        file: RemoteFile,
        destination: Path,
        *,
        progress: Progress | None = None,
        check: Check | None = None,
    ) -> Fetched:
        """See Pod.fetch. What does not pass `check` never gets a name: PodUnreachableError, it is fetched again."""
        lock = self._locks.setdefault(destination, asyncio.Lock())
        async with lock:
            part = Part(destination, self._key(file))
            try:
                await _worked(part.open)
                await self._fill(part, file, progress)
                if check is not None and not await _worked(part.passes, check):
                    await _worked(part.discard)
                    what = f"{file.filename} arrived with other bytes than the service has"
                    raise PodUnreachableError(what, "its size or hash differs", "It is fetched again")
                return await _worked(part.finish)
            except (DiskFullError, NotComfyError):
                await _worked(part.discard)
                raise
            except PodStatusError as error:
                if error.status not in _GATEWAY:  # the pod will not have it later either
                    await _worked(part.discard)
                raise
            finally:
                if part.is_open:
                    await _worked(part.close)

    def _key(self, file: RemoteFile) -> str:
        pod = self._identity or str(self._rest.address)
        identity = "\0".join((pod, file.type, file.subfolder, file.filename))
        return hashlib.sha256(identity.encode(errors="surrogatepass")).hexdigest()[:8]

    async def _fill(self, part: "Part", file: RemoteFile, progress: Progress | None) -> None:
        """Until all is there. Cut lines are picked up where they broke."""
        failures = 0
        while True:
            before = part.size
            try:
                if await self._attempt(part, file, progress):
                    return
            except (PodUnreachableError, PodStatusError) as error:
                if isinstance(error, PodStatusError) and error.status not in _GATEWAY:
                    raise
                failures = 0 if part.size > before else failures
                if failures >= len(self._delays):
                    raise
                await asyncio.sleep(self._delays[failures])
                failures += 1

    async def _attempt(self, part: "Part", file: RemoteFile, progress: Progress | None) -> bool:
        """One request. False: what is here does not fit what the pod has now; it was thrown away."""
        async with self._rest.view(file, offset=part.size, etag=part.etag) as incoming:
            # aiohttp honours a range whatever If-Range says, so the ETag has the last word.
            same = bool(part.etag) and incoming.etag == part.etag
            resumed = incoming.status == 206 and incoming.start == part.size > 0 and same
            if incoming.status != 200 and not resumed:
                if not part.size:
                    raise NotComfyError("The pod sent a part of a file when asked for all of it")
                await _worked(part.restart, "")
                return False
            if not resumed and incoming.total is not None and incoming.total <= SMALL:
                await self._copy_small(part, incoming, progress)
            else:
                await _worked(part.begin, None if resumed else incoming.etag, incoming.total)
                await self._copy(part, incoming, progress)
        if incoming.total is not None and part.size != incoming.total:
            what = f"{file.filename} came with {part.size} bytes of {incoming.total}"
            raise PodUnreachableError(what, "the connection was cut")
        return True

    async def _copy_small(self, part: "Part", incoming: Incoming, progress: Progress | None) -> None:
        """A file of one block: a single turn of a worker thread for all of it."""
        chunks: list[bytes] = []
        try:
            async for chunk in incoming.chunks():
                chunks.append(chunk)  # noqa: PERF401 - what came before the line was cut counts
        finally:
            await _worked(part.write_whole, incoming.etag, incoming.total or 0, chunks)
        if progress is not None:
            progress(part.size, incoming.total)

    async def _copy(self, part: "Part", incoming: Incoming, progress: Progress | None) -> None:
        """Blocks are written while the next is read; never more than two are in memory."""
        writing: asyncio.Future[None] | None = None
        chunks: list[bytes] = []
        size, arrived = 0, part.size
        try:
            async for chunk in incoming.chunks():
                chunks.append(chunk)
                size += len(chunk)
                if size >= BLOCK:
                    if writing is not None:
                        await _finished(writing)
                    writing = asyncio.get_running_loop().run_in_executor(None, part.write, chunks)
                    arrived += size
                    chunks, size = [], 0
                    if progress is not None:
                        progress(arrived, incoming.total)
        finally:
            # What has arrived is kept, even when the line was cut: it need not be fetched again.
            if writing is not None:
                await _finished(writing)
            await _worked(part.write, chunks)
        if progress is not None:
            progress(part.size, incoming.total)


async def _worked(work: Callable[[*_Given], _Result], *given: *_Given) -> _Result:
    """`work` done by a worker thread."""
    return await _finished(asyncio.get_running_loop().run_in_executor(None, work, *given))


async def _finished(working: asyncio.Future[_Result]) -> _Result:
    """What a worker thread makes. A thread cannot be stopped: who is cancelled, however often, waits for it first.

    Otherwise the part would be closed under its hands.
    """
    cancelled: asyncio.CancelledError | None = None
    while not working.done():
        try:
            await asyncio.wait((working,))
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        working.exception()  # looked at: nobody else will
        raise cancelled
    return working.result()


class Part:
    """The unfinished file. Synchronous, for worker threads; one call at a time."""

    def __init__(self, destination: Path, key: str) -> None:
        self._destination = destination = destination.absolute()
        self._path = destination.with_name(f"{destination.name}.{key}.part")
        self._file: FileIO | None = None
        self._hash = hashlib.sha256()
        self._etag_noted = False
        """There is a file that tells the ETag."""
        self.size = 0
        self.etag = ""

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

    def write_whole(self, etag: str, total: int, chunks: list[bytes]) -> None:
        """The same and all of its bytes; those that came before the line was cut are noted to be continued."""
        whole = sum(map(len, chunks)) == total
        self.restart("" if whole else etag)
        self.check_room(total)
        self.write(chunks)
        self.etag = etag if etag.isascii() else ""

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
