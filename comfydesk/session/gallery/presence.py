"""Notices files that were moved, renamed or deleted by others, and finds them again by what is in them."""

import asyncio
import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from comfydesk.session.library import Library
from comfydesk.store import presence as store
from comfydesk.store.presence import Place

AT_ONCE = 1000
"""Files looked at between two looks at the library."""
DEEP = 12
"""Folders within folders that are searched."""


class Presence:
    """Compares the library with the disk."""

    def __init__(self, library: Library, folder: Callable[[], Path]) -> None:
        self._library = library
        self._folder = folder
        self._one = asyncio.Lock()

    async def check(self, ids: Sequence[int] | None = None) -> None:
        """Look whether the files of these outputs (None: of all) are where they were, and for those that are not.

        100,000 files take about a second, in a worker. Told on `changes`. Raises StoreError.
        """
        async with self._one:
            if ids is not None:
                await self._compare(await self._library.read(store.places_of, tuple(ids)))
            else:
                last = 0
                while found := await self._library.read(store.places, last, AT_ONCE):
                    last = found[-1].id
                    await self._compare(found)
            await self._find()

    async def _compare(self, places: Sequence[Place]) -> None:
        gone, back = await asyncio.to_thread(_compared, places)
        if gone or back:
            await self._library.commit(store.note, gone, back)

    async def _find(self) -> None:
        """Files of missing outputs that lie elsewhere in the library's folder: by size, then by their bytes."""
        sizes = await self._library.read(store.missing_sizes)
        if not sizes:
            return
        candidates = await asyncio.to_thread(lambda: list(_files(self._folder(), sizes)))
        known = await self._library.read(store.known_paths, [str(path) for path in candidates])
        for path in candidates:
            digest = "" if str(path) in known else await asyncio.to_thread(_digest, path)
            missing = await self._library.read(store.missing_with, digest) if digest else ()
            if missing:
                await self._library.commit(store.moved, missing[0], str(path), path.name)


def _compared(places: Sequence[Place]) -> tuple[list[int], list[int]]:
    """Ids whose file is gone, and of those that were missing the ones whose file is back."""
    gone: list[int] = []
    back: list[int] = []
    for place in places:
        there = _is_there(place)
        if there is place.missing:
            (back if there else gone).append(place.id)
    return gone, back


def _is_there(place: Place) -> bool:
    """What lies on a disk that is not plugged in counts as gone: that is what the user sees."""
    try:
        return os.path.isfile(place.path)  # noqa: PTH113 - in half the time, and there may be 100,000
    except (OSError, ValueError):
        return False


def _files(folder: Path, sizes: frozenset[int]) -> Iterator[Path]:
    """Files below `folder` of one of these sizes. Links to folders are not followed."""
    stack = [(str(folder), 0)]
    while stack:
        where, depth = stack.pop()
        try:
            with os.scandir(where) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        if depth < DEEP:
                            stack.append((entry.path, depth + 1))
                    elif entry.is_file(follow_symlinks=False) and entry.stat().st_size in sizes:
                        yield Path(entry.path)
        except OSError:
            continue


def _digest(path: Path) -> str:
    """ "" for what cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""
