"""Files from a pod to this disk: resumed, verified, and either whole under their name or not there at all.

What is there after a crash or a cut line is continued (`part`). Writing and hashing happen in worker threads.
"""

import asyncio
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar, TypeVarTuple
from weakref import WeakValueDictionary

from comfydesk.client.link import Timing
from comfydesk.client.origin import Incoming
from comfydesk.client.part import BLOCK, Check, Fetched, Part
from comfydesk.client.remote import RemoteFile
from comfydesk.client.rest import Rest
from comfydesk.errors import DiskFullError, NotComfyError, PodStatusError, PodUnreachableError

_Given = TypeVarTuple("_Given")
_Result = TypeVar("_Result")
Progress = Callable[[int, int | None], None]
"""Bytes here, and bytes in all if the pod says."""

SMALL = BLOCK // 2
"""Bytes up to which a file is written in one turn of a worker thread."""
_GATEWAY = frozenset({429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 525, 530})


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
        fresh: bool = False,
        progress: Progress | None = None,
        check: Check | None = None,
    ) -> Fetched:
        """See Pod.fetch. What does not pass `check` never gets a name: PodUnreachableError, it is fetched again."""
        lock = self._locks.setdefault(destination, asyncio.Lock())
        async with lock:
            part = Part(destination, self._key(file), is_checked=check is not None)
            try:
                if not fresh:
                    await _worked(part.open)
                await self._fill(part, file, progress)
                if check is not None and not await _worked(part.passes, check):
                    await _worked(part.discard)
                    what = f"{file.filename} arrived with other bytes than the service has"
                    raise PodUnreachableError(what, "its size or hash differs", "It is fetched again")
                return await _worked(part.finish) if part.finished is None else part.finished
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

    async def _fill(self, part: Part, file: RemoteFile, progress: Progress | None) -> None:
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

    async def _attempt(self, part: Part, file: RemoteFile, progress: Progress | None) -> bool:
        """One request. False: ask again, for what is here is another than was thought.

        To open the part of a small file takes as long as to write all of it: that is done together.
        """
        async with self._rest.view(file, offset=part.size, etag=part.etag) as incoming:
            small = incoming.total is not None and incoming.total <= SMALL
            if not part.is_open and not (small and incoming.status == 200):
                await _worked(part.open)
                if part.size:
                    return False
            # aiohttp honours a range whatever If-Range says, so the ETag has the last word.
            same = bool(part.etag) and incoming.etag == part.etag
            resumed = incoming.status == 206 and incoming.start == part.size > 0 and same
            if incoming.status != 200 and not resumed:
                if not part.size:
                    raise NotComfyError("The pod sent a part of a file when asked for all of it")
                await _worked(part.restart, "")
                return False
            if small and not resumed:
                await self._copy_small(part, incoming, progress)
            else:
                await _worked(part.begin, None if resumed else incoming.etag, incoming.total)
                await self._copy(part, incoming, progress)
        if incoming.total is not None and part.size != incoming.total:
            what = f"{file.filename} came with {part.size} bytes of {incoming.total}"
            raise PodUnreachableError(what, "the connection was cut")
        return True

    async def _copy_small(self, part: Part, incoming: Incoming, progress: Progress | None) -> None:
        """A file of one block: a single turn of a worker thread for all of it, up to its name."""
        chunks: list[bytes] = []
        try:
            async for chunk in incoming.chunks():
                chunks.append(chunk)  # noqa: PERF401 - what came before the line was cut counts
        finally:
            if chunks or incoming.total == 0:
                await _worked(part.write_small, incoming.etag, incoming.total or 0, chunks)
        if progress is not None:
            progress(part.size, incoming.total)

    async def _copy(self, part: Part, incoming: Incoming, progress: Progress | None) -> None:
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
