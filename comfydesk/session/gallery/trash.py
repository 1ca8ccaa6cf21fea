"""Deleting with undo: hidden at once; the files go to the system's trash when the time for an undo is over.

What was hidden when the program ended goes at the next start. A file goes only if it still is the one that was saved:
whatever lies at its path otherwise is somebody else's.
"""

import asyncio
import hashlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from comfydesk.errors import KnownError, StoreError
from comfydesk.events import Change, Feed, OutputsChanged
from comfydesk.session.library import Library
from comfydesk.session.tasks import Tasks
from comfydesk.store import deletions as store
from comfydesk.store.deletions import Deletion
from comfydesk.store.records import Output

UNDO_SECONDS = 30.0
"""As long as the window offers to undo, and some more."""

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
        await self._carry_out(deletion.id)

    async def _carry_out(self, deletion: int) -> None:
        failed: list[str] = []
        for output in await self._library.read(store.hidden, deletion):
            async with self._busy:
                try:
                    await self._remove(output)
                except OSError as error:
                    failed.append(f"{output.path}: {error.strerror or error}")
                    await self._library.commit(store.restore, output.id)
        await self._library.call(store.end, deletion)
        if failed:
            self._tasks.problems.publish(_refused(failed))

    async def _remove(self, output: Output) -> None:
        if await self._library.read(store.is_hidden, output.id):  # no undo came in between
            await asyncio.to_thread(self._put_away, output)
            await self._library.call(store.forget, output.id)

    def _put_away(self, output: Output) -> None:
        path = Path(output.path)
        if is_unchanged(path, output):
            self._put(path)


def is_unchanged(path: Path, output: Output) -> bool:
    """Whether the file at `path` is the one that the library has: the same bytes. Reads it. Raises OSError."""
    try:
        if not path.is_file() or path.stat().st_size != output.size:
            return False
        if not output.sha256:  # just imported, and not hashed yet
            return True
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == output.sha256
    except FileNotFoundError:
        return False


def _refused(failed: Sequence[str]) -> KnownError:
    what = (
        "A file cannot be put into the trash"
        if len(failed) == 1
        else f"{len(failed)} files cannot be put into the trash"
    )
    return StoreError(what, failed[0], "They are in the library again; delete the files by hand if you want them gone")
