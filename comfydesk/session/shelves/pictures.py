"""Workflows' own pictures: those of our own are there, others are fetched once and kept as files."""

import asyncio
import hashlib
from pathlib import Path

from comfydesk.disk import write_whole
from comfydesk.errors import PodError, StoreError
from comfydesk.paths import resources
from comfydesk.session.shelves.reading import BUNDLED
from comfydesk.session.shelves.remote import EXAMPLES, RemoteShelves, rest_of
from comfydesk.session.shelves.templates import TEMPLATES
from comfydesk.session.values import WorkflowEntry

AT_ONCE = 4
LARGEST = 8 << 20
"""Bytes; a thumbnail that is larger is none."""


class Pictures:
    """One file per picture below `folder`."""

    def __init__(self, folder: Path, remote: RemoteShelves) -> None:
        self._folder, self._remote = folder, remote
        self._places = asyncio.Semaphore(AT_ONCE)

    async def of(self, entry: WorkflowEntry) -> Path | None:
        """The file, or None."""
        if not entry.picture:
            return None
        if entry.source == BUNDLED:
            path = resources() / "workflows" / f"{entry.picture.removesuffix('-1.webp')}.webp"
            return path if await asyncio.to_thread(path.is_file) else None
        # A template's new release may come with a new picture.
        key = f"{entry.source}/{entry.picture}/{entry.modified}".encode("utf-8", "surrogatepass")
        path = self._folder / f"{hashlib.sha256(key).hexdigest()[:32]}{Path(entry.picture).suffix.lower()}"
        async with self._places:
            if await asyncio.to_thread(path.is_file):
                return path
            data = await self._read(entry)
            if data is None:
                return None
            return path if await asyncio.to_thread(_write, path, data) else None

    async def _read(self, entry: WorkflowEntry) -> bytes | None:
        link = self._remote.link_of(entry)
        if link is None or link.shelf is None or not link.online:
            return None
        try:
            if entry.source == TEMPLATES:
                return await link.shelf.template(entry.picture)
            if entry.source == EXAMPLES:
                pack, _, file = entry.picture.partition("/")
                return await rest_of(link).example(pack, file)
        except PodError:
            return None
        return None


def _write(path: Path, data: bytes) -> bool:
    if len(data) > LARGEST:
        return False
    try:
        write_whole(path, data, durable=False)
    except StoreError:
        return False
    return True
