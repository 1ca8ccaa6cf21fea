"""Folders of the user's whose media belong to the library: what comes, goes and moves there is noticed.

A folder's own time changes when something in it is made, renamed or removed, so that is all that is asked for, by a
slow timer: with 100,000 files in a thousand folders it is a thousand questions to the system, a few milliseconds.
It works on every platform and on network drives, needs no watch per folder, and costs nothing in between. What is
written into a file that exists already is noticed by the look at the start and when the window comes to the front.
"""

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from comfydesk.errors import KnownError
from comfydesk.session.gallery.found_files import FoundFiles
from comfydesk.session.gallery.importing import Importer
from comfydesk.session.gallery.presence import Presence
from comfydesk.session.library import Library
from comfydesk.session.tasks import Tasks
from comfydesk.store import imports as store

EVERY = 10.0
"""Seconds between two looks at the times of the folders."""
AFTER_START = 3.0
"""Seconds before the first look: the window has other things to do."""
AGAIN = 2.0
"""Seconds after which a file that was still being written is looked at again."""


class Watcher:
    """Keeps the library up to date with `folders()`. `session.gallery` owns it."""

    def __init__(
        self,
        library: Library,
        tasks: Tasks,
        importer: Importer,
        presence: Presence,
        folders: Callable[[], Sequence[Path]],
        *,
        every: float = EVERY,
        after_start: float = AFTER_START,
    ) -> None:
        self._library = library
        self._tasks = tasks
        self._importer = importer
        self._presence = presence
        self._folders = folders
        self._every = every
        self._after_start = after_start
        self._times: dict[str, int] = {}
        """Each folder that is watched, with the time of its last change (ns) as of the last look."""
        self._roots: tuple[Path, ...] = ()
        self._wake = asyncio.Event()
        self._whole = False
        self.unreadable: dict[str, str] = {}
        """Watched folders that cannot be read, and why."""

    def start(self) -> None:
        """The library is open."""
        self._tasks.start(self._run(), "watch folders")

    def look(self) -> None:
        """Look through all of them now: the window came to the front, or the setting is another."""
        self._whole = True
        self._wake.set()

    async def _run(self) -> None:
        await self._pause(self._after_start)
        self._whole = True
        while True:
            pause = self._every
            try:
                if await self._round():
                    pause = min(AGAIN, self._every)
            except KnownError as error:
                self._tasks.problems.publish(error)
            await self._pause(pause)

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            pass
        self._wake.clear()

    async def _round(self) -> bool:
        """One look. Returns whether a file was still being written."""
        roots = tuple(self._folders())
        if self._whole or roots != self._roots:
            self._whole, self._roots = False, roots
            self._times.clear()
            self.unreadable.clear()
            return any([await self._refresh(root, deep=True) for root in roots])
        changed = await asyncio.to_thread(_changed, self._times)
        unsettled = False
        for folder, is_there in changed:
            if is_there:
                unsettled |= await self._refresh(Path(folder), deep=False)
            else:
                self._times.pop(folder, None)
                await self._check_gone(await self._library.read(store.known_below, folder), set())
        return unsettled

    async def _refresh(self, folder: Path, *, deep: bool) -> bool:
        known = await self._library.read(store.known_below, str(folder))
        if not deep:
            known = await asyncio.to_thread(_directly_in, known, str(folder))
        found = await self._importer.refresh(folder, known, deep=deep)
        if str(folder) not in found.folders:
            why = next((skipped.why for skipped in found.skipped if skipped.path == folder), "")
            self.unreadable[str(folder)] = why
            return False  # a drive that is not there: its outputs are not gone for good
        # New files came first: what was moved here has its new place by now, and is not taken for gone.
        await self._check_gone(known, found.there)
        unsettled = self._remember(found)
        for below in await asyncio.to_thread(self._new_folders, folder) if not deep else ():
            unsettled |= await self._refresh(Path(below), deep=True)
        return unsettled

    def _remember(self, found: FoundFiles) -> bool:
        self._times.update(found.folders)
        for folder in found.unsettled:
            self._times[folder] = 0  # to be looked at again
        return bool(found.unsettled)

    def _new_folders(self, folder: Path) -> list[str]:
        """Folders directly in it that are not watched yet."""
        try:
            with os.scandir(folder) as entries:
                return [
                    entry.path
                    for entry in entries
                    if not entry.name.startswith(".")
                    and entry.path not in self._times
                    and entry.is_dir(follow_symlinks=False)
                ]
        except OSError:
            return []

    async def _check_gone(self, known: Mapping[bytes, object], there: set[bytes]) -> None:
        gone = [path for path in known if path not in there]
        if gone:
            ids = await self._library.read(store.outputs_at, gone)
            if ids:
                await self._presence.check(ids)
            await self._library.call(store.forget_seen, gone)


def _changed(times: Mapping[str, int]) -> list[tuple[str, bool]]:
    """Folders that are not as they were, and whether each is still there."""
    found = []
    for folder, before in tuple(times.items()):
        try:
            now = os.stat(folder).st_mtime_ns  # noqa: PTH116 - a thousand of them
        except OSError:
            found.append((folder, False))
            continue
        if now != before:
            found.append((folder, True))
    return found


def _directly_in(known: Mapping[bytes, tuple[int, int]], folder: str) -> dict[bytes, tuple[int, int]]:
    start = os.fsencode(os.path.join(folder, ""))  # noqa: PTH118 - a prefix, with its separator
    separator = os.fsencode(os.sep)
    return {path: stamp for path, stamp in known.items() if separator not in path[len(start) :]}


def folders_of(setting: str) -> tuple[Path, ...]:
    """Absolute folders from the setting's text, each once; "" for none."""
    parts = (part.strip() for part in setting.split(";"))
    return tuple(dict.fromkeys(Path(part).expanduser().absolute() for part in parts if part))
