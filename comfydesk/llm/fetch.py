"""Download one model: into `<name>.part`, resumed where it stopped, under its name only when its hash is right.

What is there is never given up but for one reason: a server that cannot continue (it answers 200). The prefix on disk
is hashed anew at each start, so the hash in the end is that of the bytes on the disk.
"""

import asyncio
import contextlib
import hashlib
import os
import re
import shutil
import time
from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import httpx

from comfydesk.disk import NO_ROOM, try_lock
from comfydesk.errors import DiskFullError, LlmError, LlmModelError, StoreError, one_line
from comfydesk.llm.hub import Hub, unreachable
from comfydesk.llm.models import CuratedModel
from comfydesk.llm.raw import raw

RESERVE = 256 * 1024 * 1024
"""Bytes that stay free on the disk."""
_BLOCK = 1024 * 1024
_FLUSH = 0.25
"""Seconds after which what has come is written, however little it is."""
_TRIES = 5
"""Failures in a row without a byte in between."""
_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)\Z")


@dataclass(frozen=True, slots=True)
class Progress:
    """Bytes; `speed` in bytes per second and `left` in seconds, None while they are not known."""

    done: int
    total: int
    speed: float | None = None
    left: float | None = None


OnProgress = Callable[[Progress], None]


class _Stumbled(Exception):  # noqa: N818 - not shown
    """Worth another try."""


async def fetch(
    model: CuratedModel,
    target: Path,
    hub: Hub,
    *,
    on_progress: OnProgress = lambda _: None,
    transport: httpx.AsyncBaseTransport | None = None,
    pause: float = 1.0,
) -> Path:
    """`target`, whole and verified. Cancelling keeps what is there for the next call.

    `pause`: seconds before the second try, doubled from then on. Raises DiskFullError before a byte is asked for,
    LlmModelError for what is no use to try again, LlmUnreachableError for what is.
    """
    part = target.with_name(target.name + ".part")
    with _translated(part), _alone(part):
        if not _is_there(target):
            download = _Download(model, part, hub, on_progress, transport)
            await download.run(pause)
            await asyncio.to_thread(_finish, model, part, target, download.digest())
    return target


class _Download:
    def __init__(
        self,
        model: CuratedModel,
        part: Path,
        hub: Hub,
        on_progress: OnProgress,
        transport: httpx.AsyncBaseTransport | None,
    ) -> None:
        self._model = model
        self._part = part
        self._hub = hub
        self._on_progress = on_progress
        self._transport = transport
        self._hash = hashlib.sha256()
        self._done = 0
        self._pace: deque[tuple[float, int]] = deque(maxlen=40)

    def digest(self) -> str:
        return self._hash.hexdigest()

    async def run(self, pause: float) -> None:
        """Until all bytes are there."""
        self._part.parent.mkdir(parents=True, exist_ok=True)
        await asyncio.to_thread(self._take_up)
        check_room(self._part.parent, self._model.size - self._done)
        failures, wait = 0, pause
        while self._done < self._model.size:
            before = self._done
            try:
                await self._some()
            except (_Stumbled, httpx.HTTPError) as error:
                failures, wait = (0, pause) if self._done > before else (failures + 1, wait)
                if failures >= _TRIES:
                    raise unreachable(self._hub, _words(error)) from None
                await asyncio.sleep(wait)
                wait = min(wait * 2, 30)
        self._tell()

    def _take_up(self) -> None:
        """Hash what an earlier run left."""
        with self._part.open("a+b") as file:
            if file.tell() > self._model.size:
                file.truncate(0)
            file.seek(0)
            while block := file.read(4 * _BLOCK):
                self._hash.update(block)
                self._done += len(block)

    async def _some(self) -> None:
        """One request, as far as it goes."""
        async with self._hub.open(self._model.path, self._done, transport=self._transport) as response:
            self._check(response)
            with self._part.open("r+b") as file:
                if response.status_code == 200 and self._done:
                    file.truncate(0)
                    self._hash, self._done = hashlib.sha256(), 0
                file.seek(self._done)
                await self._write(file, response)

    def _check(self, response: httpx.Response) -> None:
        status, headers = response.status_code, response.headers
        host = response.request.url.host
        if status in (408, 425, 429) or status >= 500:
            raise _Stumbled(f"{host} answered with status {status}")  # noqa: EM102 - not shown
        if status == 416:
            self._part.write_bytes(b"")
            self._hash, self._done = hashlib.sha256(), 0
            raise _Stumbled("there is nothing from there on")
        if status not in (200, 206):
            advice = {
                401: "Set HF_TOKEN to your token there",
                403: "Accept the model's licence there, and set HF_TOKEN to your token",
                404: "The file is gone: choose another model",
            }.get(status, "Try again later")
            what = f"{self._model.title} cannot be downloaded"
            raise LlmModelError(what, f"{host} answered with status {status}", advice)
        if headers.get("content-encoding", "identity") != "identity" or "text/html" in headers.get("content-type", ""):
            what = f"{host} sent a web page in place of {self._model.title}"
            raise LlmModelError(what, "", "Check HF_ENDPOINT, and whether your network wants a login")
        self._check_extent(status, headers, host)

    def _check_extent(self, status: int, headers: httpx.Headers, host: str) -> None:
        """The bytes that come must be those that are wanted."""
        if status == 200:
            size = headers.get("content-length", str(self._model.size))
            fits = size == str(self._model.size)
        else:
            found = _RANGE.match(headers.get("content-range", ""))
            fits = found is not None and int(found[1]) == self._done and found[3] in ("*", str(self._model.size))
        if not fits:
            what = f"{host} has another file than {self._model.title}"
            raise LlmModelError(what, "its size, or the part it sends, is not the one that was asked for")

    async def _write(self, file: BinaryIO, response: httpx.Response) -> None:
        """To the disk in blocks, off the loop; what has come is kept whatever happens."""
        buffer, written = bytearray(), time.monotonic()
        try:
            async with contextlib.aclosing(raw(response)) as chunks:
                async for chunk in chunks:
                    buffer += chunk
                    if self._done + len(buffer) > self._model.size:
                        what = f"{self._model.title} is longer there than it should be"
                        raise LlmModelError(what, "", "Choose another model")
                    if len(buffer) >= _BLOCK or time.monotonic() - written > _FLUSH:
                        block, buffer = bytes(buffer), bytearray()
                        await _whole(asyncio.to_thread(self._keep, file, block))
                        written = time.monotonic()
                        self._tell()
        finally:
            self._keep(file, bytes(buffer[: self._model.size - self._done]))
        if self._done < self._model.size:
            raise _Stumbled("it ended early")

    def _keep(self, file: BinaryIO, block: bytes) -> None:
        file.write(block)
        file.flush()
        self._hash.update(block)
        self._done += len(block)

    def _tell(self) -> None:
        now = time.monotonic()
        self._pace.append((now, self._done))
        since, had = self._pace[0]
        speed = (self._done - had) / (now - since) if now - since > 0.5 else None
        left = (self._model.size - self._done) / speed if speed else None
        self._on_progress(Progress(self._done, self._model.size, speed, left))


def check_room(folder: Path, needed: int) -> None:
    """Raises DiskFullError where `needed` bytes would not fit."""
    free = shutil.disk_usage(folder).free
    if needed + RESERVE > free:
        what = "There is not enough room for the model on this disk"
        why = f"it needs {(needed + RESERVE) / 1e9:.1f} GB, and {free / 1e9:.1f} GB are free in {folder}"
        raise DiskFullError(what, why, "Make room, or choose a smaller model")


async def _whole(work: Coroutine[None, None, None]) -> None:
    """Wait for a write even when cancelled: half a block, or one that is hashed twice, would spoil the rest."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise


def _is_there(target: Path) -> bool:
    return target.is_file()


def _finish(model: CuratedModel, part: Path, target: Path, digest: str) -> None:
    """Its own name for what is right; out of the way with what is wrong."""
    if digest != model.sha256:
        part.replace(target.with_name(target.name + ".broken"))
        what = f"{model.title} was downloaded, but it is another file than the one in the list"
        why = "its SHA-256 is wrong; it was set aside and is not used"
        raise LlmModelError(what, why, "Try again; if it stays so, choose another model")
    with part.open("rb") as file:
        os.fsync(file.fileno())
    part.replace(target)


@contextmanager
def _alone(part: Path) -> Iterator[None]:
    """One download of a file at a time, whichever programs want it."""
    part.parent.mkdir(parents=True, exist_ok=True)
    lock = part.with_name(part.name + ".lock")
    with lock.open("a+b") as file:
        if not _lock(file):
            raise LlmModelError("This model is being downloaded already", "by another window or command", "Wait for it")
        yield
        # Only once the model is whole: who waits behind this file then finds it, also with the lock of a removed file.
        with contextlib.suppress(OSError):  # Windows removes no open files: an empty one stays
            lock.unlink()


def _lock(file: BinaryIO) -> bool:
    try:
        return try_lock(file.fileno())
    except OSError:
        return False


@contextmanager
def _translated(part: Path) -> Iterator[None]:
    """The disk's faults as ours."""
    try:
        yield
    except (LlmError, StoreError):
        raise
    except OSError as error:
        if error.errno in NO_ROOM:
            what = "The disk is full"
            raise DiskFullError(what, f"{part.parent}", "Make room: the download goes on where it stopped") from None
        what = f"{part.name} cannot be written"
        raise StoreError(what, error.strerror or "", f"Check {part.parent}") from None


def _words(error: Exception) -> str:
    return one_line(str(error))[:200] or type(error).__name__
