"""Takes files into the library that others put on this computer: once, or whenever a watched folder changes.

A batch of files is one transaction, and an import is noted before it begins: whenever the program ends, the library is
whole, and the next start goes on with what is left. What was read before and has not changed is not read again.
"""

import asyncio
import itertools
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from comfydesk.errors import KnownError, PodError, StoreError, UsageError
from comfydesk.events import Change, Feed
from comfydesk.session.gallery.copying import PART, copy_in, sweep
from comfydesk.session.gallery.facts import RULES
from comfydesk.session.gallery.found_files import SETTLE_NS, FoundFiles, Skipped, look
from comfydesk.session.gallery.reading_children import Depth, Read, ReadingChildren
from comfydesk.session.library import Library
from comfydesk.session.tasks import Tasks
from comfydesk.store import imports as store
from comfydesk.store.imports import COPIED, Copy, Seen, Stamp
from comfydesk.store.taken import Taken
from comfydesk.store.taking import take

AT_ONCE = 256
"""Files whose rows are written in one transaction."""
AT_LEAST_EVERY = 0.4
"""Seconds."""
ROUND = 2000
"""Files that a child reads to the end before it is let go."""
MOST_TOLD = 1000
"""Skipped files that are named; the rest are counted."""


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """What is to be taken in. `copy`: into the library's folder, subfolders kept; else files stay where they are."""

    folder: Path
    copy: bool = False


@dataclass(frozen=True, slots=True)
class ImportProgress:
    """How far it is. `total` is None while files are still being found."""

    plan: ImportPlan
    done: int = 0
    total: int | None = None
    added: int = 0
    rate: float = 0.0
    """Files a second."""
    seconds_left: float | None = None


@dataclass(slots=True)
class Imported:
    """What came of it."""

    added: int = 0
    changed: int = 0
    """Files whose place or content is another now."""
    duplicates: int = 0
    """Files with the very bytes of one that the library has."""
    unchanged: int = 0
    skipped: list[Skipped] = field(default_factory=list)
    """The first MOST_TOLD that were not taken, with the reasons."""
    skipped_count: int = 0
    cancelled: bool = False

    def skip(self, *those: Skipped) -> None:
        self.skipped_count += len(those)
        self.skipped += those[: MOST_TOLD - len(self.skipped)]


OnProgress = Callable[[ImportProgress], None]


class Importer:
    """One import at a time; others wait for their turn. Raises StoreError (DiskFullError), UsageError."""

    def __init__(self, library: Library, tasks: Tasks, changes: Feed[Change], folder: Callable[[], Path]) -> None:
        """`folder`: the library's, for copies."""
        self._library = library
        self._tasks = tasks
        self._changes = changes
        self._folder = folder
        self._turn = asyncio.Lock()
        self._stopping = threading.Event()
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._old_known = asyncio.Event()
        """What was left under way is read: an import that begins now is not taken for one of those."""
        self.progress: Feed[ImportProgress | None] = Feed()
        """Of the import that runs; None when it is over. Those of watched folders are not told."""
        self.finished: Feed[Imported] = Feed()
        """Of imports that went on by themselves after a start."""

    def start(self, *, resume: bool) -> None:
        """The library is open. `resume`: go on with what was under way when the program ended."""
        self._tasks.start(self._complete(), "read imported files")
        if resume:
            self._later()
            self._tasks.start(self._go_on(), "go on importing")
        else:
            self._old_known.set()

    async def settled(self) -> None:
        """Until hashes and workflows of all that was imported by now are known."""
        await self._idle.wait()

    async def run(self, plan: ImportPlan, on_progress: OnProgress | None = None) -> Imported:
        """Take in all media below a folder. Ended by `cancel`; if the program ends, it goes on at the next start."""
        folder = await asyncio.to_thread(_checked, plan.folder)
        plan = replace(plan, folder=folder)
        await self._old_known.wait()
        begun = asyncio.create_task(self._library.call(store.begin, str(folder), copy=plan.copy), name="note import")
        return await self._carry_out(begun, plan, on_progress)

    def cancel(self) -> None:
        """End the import that runs: what it has taken in stays."""
        self._stopping.set()

    async def refresh(self, folder: Path, known: Mapping[bytes, Stamp], *, deep: bool) -> FoundFiles:
        """Bring the library up to a watched folder (`deep`: and those below), quietly. For watching."""
        async with self._turn:
            self._stopping.clear()
            before = time.time_ns() - SETTLE_NS
            # What is being downloaded into the library's own folder is the queue's affair.
            own = self._folder().absolute()
            found = await asyncio.to_thread(look, folder, known, deep=deep, settle_before=before, leave_out=own)
            await self._take_found(_Run(ImportPlan(folder), watched=True), found)
        return found

    async def _go_on(self) -> None:
        try:
            old = await self._library.read(store.under_way)
        finally:
            self._old_known.set()
        for left in old:
            plan = ImportPlan(Path(left.folder), left.copy)
            await asyncio.to_thread(sweep, self._folder(), left.id)
            if not await asyncio.to_thread(plan.folder.is_dir):
                await self._library.call(store.end, left.id)
                continue
            begun = asyncio.get_running_loop().create_future()
            begun.set_result(left.id)
            self.finished.publish(await self._carry_out(begun, plan, None))

    async def _carry_out(
        self, begun: "asyncio.Future[int]", plan: ImportPlan, on_progress: OnProgress | None
    ) -> Imported:
        """`begun`: its number, once it is noted; the disk may take as long for that as a look at a thousand files."""
        async with self._turn:
            self._stopping.clear()
            run = _Run(plan, tell=self._teller(on_progress))
            run.report()
            try:
                found, run.key = await asyncio.gather(self._look(plan.folder), begun)
                await self._take_found(run, found)
            finally:
                self.progress.publish(None)
            await self._library.call(store.end, run.key)
            run.outcome.cancelled = self._stopping.is_set()
            return run.outcome

    async def _look(self, folder: Path) -> FoundFiles:
        known = await self._library.read(store.known_below, str(folder))
        return await asyncio.to_thread(look, folder, known, stopped=self._stopping.is_set)

    def _teller(self, on_progress: OnProgress | None) -> OnProgress:
        def tell(progress: ImportProgress) -> None:
            self.progress.publish(progress)
            if on_progress is not None:
                on_progress(progress)

        return tell

    # --- Taking in --------------------------------------------------------------------------------------------------

    async def _take_found(self, run: "_Run", found: FoundFiles) -> None:
        run.outcome.unchanged += found.unchanged
        run.outcome.skip(*found.skipped)
        if found.stamps:
            await self._library.call(store.note_stamps, found.stamps)
        run.begin(found)
        if found.new and not self._stopping.is_set():
            known = await self._library.read(store.sizes)
            await self._read_all(
                run, await asyncio.to_thread(_depths, found.new, known, all_hashed=run.plan.copy or run.watched)
            )
            self._later()

    async def _read_all(self, run: "_Run", paths: Sequence[tuple[Path, Depth]]) -> None:
        children = ReadingChildren(paths)
        try:
            while not self._stopping.is_set():
                read = await asyncio.to_thread(_batch, children)
                if not read:
                    return
                await self._write(run, read)
                run.report()
        finally:
            await asyncio.to_thread(children.close)

    async def _write(self, run: "_Run", read: Sequence[Read]) -> None:
        taken: list[Taken] = []
        seen: list[Seen] = []
        for path, one in read:
            if isinstance(one, KnownError):
                run.outcome.skip(Skipped(path, one.why or one.what))
                seen.append(Seen(str(path), *run.stamps.get(path, (0, 0)), one.why or one.what))
            else:
                taken.append(one)
        hashes = [one.sha256 for one in taken if one.sha256]
        copies = await self._library.read(store.copies, hashes) if hashes else {}
        gone = await asyncio.to_thread(_gone, copies)
        if run.plan.copy:
            taken, copied = await asyncio.to_thread(self._copied, run, taken, copies)
            seen += copied
        written, changes = await self._library.call(take, taken, seen, gone, RULES, watched=run.watched)
        for change in changes:
            self._changes.publish(change)
        run.done += len(read)
        outcome = run.outcome
        outcome.added += len(written.added) - len(written.removed)
        outcome.changed += len(written.removed) + len(written.moved)
        outcome.duplicates += written.duplicates

    # --- What was left for later ------------------------------------------------------------------------------------

    def _later(self) -> None:
        """There may be files that are not read to the end."""
        self._idle.clear()
        self._wake.set()

    async def _complete(self) -> None:
        while True:
            if not self._wake.is_set():
                self._idle.set()
            await self._wake.wait()
            self._wake.clear()
            try:
                await self._complete_all()
            except KnownError as error:  # the next import wakes us again
                self._tasks.problems.publish(error)

    async def _complete_all(self) -> None:
        """In one child: the user waits for nothing of it."""
        while rows := await self._library.read(store.pending, ROUND):
            children = ReadingChildren([(Path(path), Depth.WHOLE) for _, path in rows], 1, here=False)
            try:
                while read := await asyncio.to_thread(_batch, children):
                    taken = [one for _, one in read if isinstance(one, Taken)]
                    broken = [str(path) for path, one in read if not isinstance(one, Taken)]
                    await self._library.commit(store.complete, taken, broken, keep_deleted=True)
            finally:
                await asyncio.to_thread(children.close)

    def _copied(
        self, run: "_Run", taken: Sequence[Taken], copies: Mapping[str, Sequence[Copy]]
    ) -> tuple[list[Taken], list[Seen]]:
        """Copies of the files that the library has not; what is to be remembered of the originals. In a worker."""
        kept: list[Taken] = []
        seen: list[Seen] = []
        hashes: set[str] = set()
        root = self._folder()
        for one in taken:
            if one.sha256 in copies or one.sha256 in hashes:
                kept.append(one)  # told as a duplicate
                continue
            try:
                path = copy_in(one, run.plan.folder, root, f"{PART}{run.key}-{next(run.numbers)}")
                about = path.stat()
            except (OSError, PodError) as error:
                why = error.why if isinstance(error, PodError) else error.strerror or str(error)
                run.outcome.skip(Skipped(Path(one.path), f"It cannot be copied: {why}"))
                continue
            hashes.add(one.sha256)
            seen.append(Seen(one.path, one.size, one.mtime_ns, COPIED))
            kept.append(replace(one, path=str(path), mtime_ns=about.st_mtime_ns))
        return kept, seen


class _Run:
    """An import under way: its counts, and how fast it is."""

    def __init__(self, plan: ImportPlan, *, watched: bool = False, tell: OnProgress = lambda _: None) -> None:
        self.plan = plan
        self.key = 0
        """Of the row that says that it is under way."""
        self.watched = watched
        self.outcome = Imported()
        self.numbers = itertools.count(1)
        self.done = 0
        self.stamps: dict[Path, Stamp] = {}
        self._tell = tell
        self._total: int | None = None
        self._began = time.monotonic()

    def begin(self, found: FoundFiles) -> None:
        """All files are found."""
        self._total = len(found.new)
        self.stamps = dict(found.new)
        self._began = time.monotonic()
        self.report()

    def report(self) -> None:
        rate = self.done / max(time.monotonic() - self._began, 0.001)
        left = (self._total - self.done) / rate if self._total is not None and rate else None
        self._tell(ImportProgress(self.plan, self.done, self._total, self.outcome.added, rate, left))


def _depths(
    files: Sequence[tuple[Path, Stamp]], known: frozenset[int], *, all_hashed: bool
) -> list[tuple[Path, Depth]]:
    """A file can only be a copy of one of its size: of others the hash can wait."""
    counted = Counter(size for _, (size, _) in files)
    return [
        (path, Depth.HASHED if all_hashed or size in known or counted[size] > 1 else Depth.QUICK)
        for path, (size, _) in files
    ]


def _batch(children: ReadingChildren) -> list[Read]:
    try:
        return children.batch(AT_ONCE, AT_LEAST_EVERY)
    except OSError as error:
        raise StoreError("Files cannot be read", f"Their reader does not start: {error.strerror}") from error


def _checked(folder: Path) -> Path:
    folder = folder.expanduser().absolute()
    if not folder.is_dir():
        what = f"{folder} is no folder"
        raise UsageError(what, "", "Name a folder of this computer")
    return folder


def _gone(copies: Mapping[str, Sequence[Copy]]) -> dict[str, int]:
    """By hash, an output whose file is not where it was, if there is one."""
    found: dict[str, int] = {}
    for sha256, those in copies.items():
        for copy in those:
            if not os.path.lexists(copy.path):
                found[sha256] = copy.output
                break
    return found
