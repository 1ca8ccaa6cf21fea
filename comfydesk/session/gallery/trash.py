"""Deleting with undo: hidden at once; the files go to the system's trash when the time for an undo is over.

What was hidden when the program ended goes at the next start. A file goes only if it still is the one that was saved:
whatever lies at its path otherwise is somebody else's.
"""

import asyncio
import contextlib
import hashlib
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from comfydesk.errors import KnownError, StoreError
from comfydesk.events import Change, Feed, OutputsChanged
from comfydesk.session.library import Library
from comfydesk.session.tasks import Tasks
from comfydesk.store import deletions as store
from comfydesk.store.deletions import Deletion, Hidden

UNDO_SECONDS = 30.0
"""As long as the window offers to undo, and some more."""
AGAIN_SECONDS = 30.0
"""After which it is looked again whether what has to wait for a job may go."""

PutIntoTrash = Callable[[Path], None]
"""Raises OSError."""


def to_system_trash(path: Path) -> None:
    """Raises OSError where there is no trash for that place."""
    # Imported where needed: the file is in no trash as a rule.
    from send2trash import send2trash

    send2trash(path)


class Trash:
    """The deletions of this library. Other programs may have deletions under way, and may end ours: both is fine."""

    def __init__(
        self,
        library: Library,
        tasks: Tasks,
        changes: Feed[Change],
        *,
        undo_seconds: float = UNDO_SECONDS,
        put: PutIntoTrash = to_system_trash,
    ) -> None:
        self._library = library
        self._tasks = tasks
        self._changes = changes
        self.undo_seconds = undo_seconds
        """How long `undo` is possible."""
        self.again_seconds = AGAIN_SECONDS
        self._put = put
        self._busy = asyncio.Lock()
        """Held while a file is on its way: an undo comes before or after it."""

    async def start(self) -> None:
        """Go on with what was deleted before: at once where the time for an undo is over. The library is open."""
        for deletion in await self._library.read(store.pending):
            self._tasks.start(self._later(deletion), f"delete {deletion.id}")

    async def delete(self, ids: Sequence[int]) -> int | None:
        """Hide outputs. Returns the token for `undo`, None if there is nothing to delete."""
        key, changes = await self._library.call(store.begin, tuple(ids))
        for change in changes:
            self._changes.publish(change)
        if key is not None:
            self._tasks.start(self._later(Deletion(key, time.time())), f"delete {key}")
        return key

    async def undo(self, token: int) -> int:
        """Bring back what is not in the trash yet. Returns how many that were."""
        async with self._busy:
            changes = await self._library.commit(store.undo, token)
        return sum(len(change.added) for change in changes if isinstance(change, OutputsChanged))

    async def empty(self) -> None:
        """Do at once what is waiting for its time."""
        for deletion in await self._library.read(store.pending):
            await self._carry_out(deletion.id)

    async def _later(self, deletion: Deletion) -> None:
        # A clock that was put back must not keep it here for ever.
        await asyncio.sleep(min(max(0.0, deletion.time + self.undo_seconds - time.time()), self.undo_seconds))
        while await self._carry_out(deletion.id):  # noqa: ASYNC110 - the job may be another program's
            await asyncio.sleep(self.again_seconds)

    async def _carry_out(self, deletion: int) -> bool:
        """Whether something of it has to wait for a job: see `store.claim`."""
        failed: list[str] = []
        for hidden in await self._library.read(store.hidden, deletion):
            async with self._busy:
                try:
                    await self._remove(hidden)
                except OSError as error:
                    failed.append(f"{hidden.output.path}: {error.strerror or error}")
                    await self._library.commit(store.restore, hidden.output.id)
        await self._library.call(store.end, deletion)
        if failed:
            self._tasks.problems.publish(_refused(failed))
        return bool(await self._library.read(store.hidden, deletion))

    async def _remove(self, hidden: Hidden) -> None:
        """Three steps, in this order: look at the file, claim the row, move the file.

        Looking takes long for a video, and meanwhile a job may name this very file again: then the row is its own, and
        the claim fails. Once the row is claimed no job takes the file for its own any more.
        """
        output = hidden.output
        # An undo came in between, or a job is not done with it: then it is not worth a look.
        if not await self._library.read(store.may_go, output.id):
            return
        looked = await asyncio.to_thread(saved_file, hidden)
        if await self._library.call(store.claim, output.id):
            if looked is not None:
                await asyncio.to_thread(self._put_away, Path(output.path), looked)
            await self._library.call(store.forget, output.id)

    def _put_away(self, path: Path, looked: os.stat_result) -> None:
        with contextlib.suppress(FileNotFoundError):  # another program of ours was first
            if _print(path.stat()) == _print(looked):
                self._put(path)


def saved_file(hidden: Hidden) -> os.stat_result | None:
    """The file at an output's path, if it is the one that the library has: the same bytes. Reads it. Raises OSError.

    What was only just imported has no hash yet: its size and the time of its last change have to be the same.
    """
    path, output = Path(hidden.output.path), hidden.output
    try:
        if not path.is_file():  # and no pipe, which would have us wait
            return None
        with path.open("rb") as file:
            about = os.fstat(file.fileno())
            if about.st_size != output.size:
                return None
            if not output.sha256:
                return about if about.st_mtime_ns == hidden.mtime_ns else None
            return about if hashlib.file_digest(file, "sha256").hexdigest() == output.sha256 else None
    except FileNotFoundError:
        return None


def _print(about: os.stat_result) -> tuple[int, ...]:
    return about.st_dev, about.st_ino, about.st_size, about.st_mtime_ns


def _refused(failed: Sequence[str]) -> KnownError:
    what = (
        "A file cannot be put into the trash"
        if len(failed) == 1
        else f"{len(failed)} files cannot be put into the trash"
    )
    return StoreError(what, failed[0], "They are in the library again; delete the files by hand if you want them gone")
