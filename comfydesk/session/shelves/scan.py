"""A folder of workflows as entries with cards: thousands of files in the background, and only what changed.

Cards are kept in the library by path, size and time. A few changed files are read in a thread; many, or large ones, in
child processes, since parsing would hold up the loop. Nothing in a file or folder ends a scan.
"""

import asyncio
import os
import stat
import threading
import time
from collections.abc import AsyncGenerator, Callable, Generator, Iterable, Mapping, Sequence
from contextlib import aclosing, closing
from dataclasses import replace
from pathlib import Path

from comfydesk.errors import GraphError
from comfydesk.session.library import Library
from comfydesk.session.shelves.reading import parse_source
from comfydesk.session.shelves.scan_process import scan_in_child, shares
from comfydesk.session.values import WorkflowEntry
from comfydesk.store.workflow_cards import FileStamp, forget_cards, known_cards, remember_cards
from comfydesk.workflow.card import WorkflowCard
from comfydesk.workflow.catalog import Catalog
from comfydesk.workflow.scan import card_of_broken, scan

FEW = 24
"""Up to so many changed files are read in a thread: a child takes a fifth of a second to start."""
LARGE = 1 << 20
"""Bytes from which a file is left to a child."""
CHILDREN = 2
FIRST = 60
"""Cards that come before all others: more than a screen shows."""
BATCH = 50
"""Cards announced and stored together."""
BATCH_SECONDS = 0.25
"""Or as many as come in that time."""

Cards = list[tuple[Path, WorkflowCard]]
Reader = Generator[tuple[Path, WorkflowCard], None, None]
Found = Callable[[tuple[WorkflowEntry, ...]], None]


class WorkflowScan:
    """Scans folders into entries."""

    def __init__(self, library: Library) -> None:
        self._library = library

    async def first(self, folder: Path, source: str, found: Found) -> None:
        """Some cards that are remembered of `folder`, before anything is looked at: a screen full, at once."""
        known = await self._library.read(known_cards, folder, limit=FIRST)
        if known:
            cards = [(path, card) for path, (_, card) in known.items()]
            found(tuple(entry for _, entry in _entries(cards, folder, source, None)))

    async def entries(
        self, folder: Path, source: str, *, catalog: Catalog | None = None, found: Found | None = None
    ) -> tuple[WorkflowEntry, ...]:
        """All workflow files below `folder` (absolute), by name; broken ones are cards that say why.

        `found` hears of entries as they become known, batch by batch on the loop, the remembered ones first. Cancelling
        ends the scan; what was read by then is remembered. Raises StoreError only.
        """
        assert folder.is_absolute(), "cards are remembered by their full path"
        files = await asyncio.to_thread(list_workflows, folder)
        known = await self._library.call(known_cards, folder)
        if gone := [path for path in known if path not in files]:
            await self._library.call(forget_cards, gone)
        entries: dict[Path, WorkflowEntry] = {}

        async def take(cards: Cards) -> None:
            made = await asyncio.to_thread(_entries, cards, folder, source, catalog)
            entries.update(made)
            if found is not None:
                found(tuple(entry for _, entry in made))

        changed = {path: stamp for path, stamp in files.items() if path not in known or known[path][0] != stamp}
        same = [(path, known[path][1]) for path in files if path not in changed]
        for start in range(0, len(same), BATCH):
            await take(same[start : start + BATCH])
        # Closed by us: cancelled in between, it would end later, when nobody waits for its threads any more.
        async with aclosing(_read(changed)) as batches:
            async for cards in batches:
                await self._library.call(remember_cards, [(path, changed[path], card) for path, card in cards])
                await take(cards)
        return tuple(entries[path] for path in files if path in entries)


def list_workflows(folder: Path) -> dict[Path, FileStamp]:
    """The JSON files below `folder`, by name. What cannot be looked at is passed over; links to folders are not
    followed."""
    found: list[tuple[str, Path, FileStamp]] = []
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            if not name.lower().endswith(".json") or name.startswith("."):
                continue
            path = os.path.join(place, name)  # noqa: PTH118 - ten times as fast as Path, for thousands
            try:
                status = os.stat(path)  # noqa: PTH116
            except OSError:
                continue
            if stat.S_ISREG(status.st_mode):
                found.append((path, Path(path), FileStamp(status.st_size, status.st_mtime_ns)))
    return {path: stamp for _, path, stamp in sorted(found, key=lambda entry: entry[0])}


def _entries(cards: Cards, folder: Path, source: str, catalog: Catalog | None) -> list[tuple[Path, WorkflowEntry]]:
    made = []
    for path, card in cards:
        if catalog is not None:
            strange = tuple(name for name in card.node_types if name not in catalog.nodes)
            card = replace(card, custom_nodes=strange)  # noqa: PLW2901 - the same card, seen from this pod
        name = path.relative_to(folder).as_posix()
        made.append((path, WorkflowEntry(f"{source}/{name}", card.name.replace("_", " "), source, card, path)))
    return made


# --- Reading files, off the loop -------------------------------------------------------------------------------------


async def _read(changed: Mapping[Path, FileStamp]) -> AsyncGenerator[Cards, None]:
    """The cards of files, batch by batch, as they come."""
    if not changed:
        return
    paths = list(changed)
    alone = len(paths) <= FEW and all(stamp.size < LARGE for stamp in changed.values())
    readers = [_scan_here(paths)] if alone else [_scan_apart(share) for share in shares(paths, CHILDREN)]
    loop = asyncio.get_running_loop()
    batches: asyncio.Queue[Cards | None] = asyncio.Queue()
    ended = threading.Event()

    def hand_over(cards: Cards | None) -> None:
        loop.call_soon_threadsafe(batches.put_nowait, cards)

    work = [asyncio.ensure_future(asyncio.to_thread(_pump, reader, hand_over, ended)) for reader in readers]
    try:
        running = len(work)
        while running:
            cards = await batches.get()
            if cards is None:
                running -= 1
            else:
                yield cards
    finally:
        ended.set()
        await asyncio.gather(*work)


def _pump(reader: Reader, hand_over: Callable[[Cards | None], None], ended: threading.Event) -> None:
    """Run a reader in this thread and hand its cards over in batches; None at the end, however it comes."""
    batch: Cards = []
    since = time.monotonic()
    try:
        with closing(reader):
            for found in reader:
                batch.append(found)
                if len(batch) >= BATCH or time.monotonic() - since > BATCH_SECONDS:
                    hand_over(batch)
                    batch, since = [], time.monotonic()
                if ended.is_set():
                    return
        if batch:
            hand_over(batch)
    finally:
        hand_over(None)


def _scan_apart(paths: Sequence[Path]) -> Reader:
    """In a child process; where none can be started, here."""
    done = 0
    try:
        for found in scan_in_child(paths):
            done += 1
            yield found
    except OSError:
        yield from _scan_here(paths[done:])


def _scan_here(paths: Iterable[Path]) -> Reader:
    for path in paths:
        try:
            yield path, scan(parse_source(path, path.name), file_name=path.name)
        except GraphError as error:
            yield path, card_of_broken(path.name, error)
