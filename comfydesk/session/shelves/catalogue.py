"""All workflows that can be chosen, shelf by shelf, in memory; whoever shows them reads them at once.

A shelf is a folder: the bundled ones, folders of the user's, and copies of what lies on pods. Cards are remembered in
the library, so that thousands are there at the next start before any file is read.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from comfydesk.events import Change, Feed, WorkflowsChanged
from comfydesk.session.library import Library
from comfydesk.session.shelves.scan import WorkflowScan, list_workflows
from comfydesk.session.values import WorkflowEntry
from comfydesk.store.workflow_cards import FileStamp

TELL_SECONDS = 0.25
"""While a shelf fills, what came is told this often."""
WATCH_SECONDS = 3.0
"""Between two looks at the user's folders; longer for folders that take long to look through."""

Dress = Callable[[WorkflowEntry], WorkflowEntry]


class Catalogue:
    """`entries` is all there is now; WorkflowsChanged(shelf) tells when a shelf has others."""

    def __init__(self, library: Library, changes: Feed[Change]) -> None:
        self._scan = WorkflowScan(library)
        self._changes = changes
        self._shelves: dict[str, dict[str, WorkflowEntry]] = {}
        self._all: tuple[WorkflowEntry, ...] | None = None
        self._turns: dict[str, asyncio.Lock] = {}

    def entries(self) -> tuple[WorkflowEntry, ...]:
        """Shelf by shelf; of one id the first."""
        if self._all is None:
            found: dict[str, WorkflowEntry] = {}
            for shelf in self._shelves.values():
                for id_, entry in shelf.items():
                    found.setdefault(id_, entry)
            self._all = tuple(found.values())
        return self._all

    def get(self, id_: str) -> WorkflowEntry | None:
        return next((shelf[id_] for shelf in self._shelves.values() if id_ in shelf), None)

    def shelf(self, name: str) -> Mapping[str, WorkflowEntry]:
        """Workflow id → entry."""
        return self._shelves.get(name, {})

    def put(self, shelf: str, entries: Mapping[str, WorkflowEntry]) -> None:
        """This is what lies on `shelf` now."""
        if self._shelves.get(shelf) != entries:
            self._shelves[shelf] = dict(entries)
            self._tell(shelf)

    def drop(self, shelf: str) -> None:
        """Nothing of it any more. Unknown ones are fine."""
        if self._shelves.pop(shelf, None) is not None:
            self._tell(shelf)

    async def read(self, shelf: str, folder: Path, source: str, dress: Dress | None = None) -> None:
        """Put what lies in `folder` on `shelf`, as it becomes known; `dress` completes each entry. Raises StoreError.

        What stands there stays until the end, when what is gone is taken away.
        """
        async with self._turns.setdefault(shelf, asyncio.Lock()):
            growing = dict(self._shelves.get(shelf, {}))
            told = 0.0

            def found(entries: tuple[WorkflowEntry, ...]) -> None:
                nonlocal told
                growing.update((entry.id, entry) for entry in _complete(entries, source, dress))
                if time.monotonic() - told > TELL_SECONDS:
                    self.put(shelf, growing)
                    told = time.monotonic()

            await self._scan.first(folder, source, found)
            entries = await self._scan.entries(folder, source, found=found)
            self.put(shelf, {entry.id: growing.get(entry.id, entry) for entry in entries})

    async def watch(self, shelf: str, folder: Path, source: str) -> None:
        """Read `folder` now, and again whenever something in it is new. Until it is cancelled."""
        known: dict[Path, FileStamp] | None = None
        while True:
            begun = time.monotonic()
            files = await asyncio.to_thread(list_workflows, folder)
            took = time.monotonic() - begun
            if files != known:
                known = files
                await self.read(shelf, folder, source)
            await asyncio.sleep(max(WATCH_SECONDS, 50 * took))

    def _tell(self, shelf: str) -> None:
        self._all = None
        self._changes.publish(WorkflowsChanged(shelf))


def _complete(entries: tuple[WorkflowEntry, ...], source: str, dress: Dress | None) -> tuple[WorkflowEntry, ...]:
    placed = (replace(entry, place=entry.id.removeprefix(f"{source}/")) for entry in entries)
    return tuple(placed if dress is None else map(dress, placed))
