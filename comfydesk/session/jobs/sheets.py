"""Makes the contact sheets of grids when their last job is over, now or at the next start."""

import asyncio
import hashlib
import time
from dataclasses import replace
from pathlib import Path

from comfydesk.client.files import media_kind, numbered
from comfydesk.errors import MediaError, StoreError
from comfydesk.events import Change, Feed, JobsChanged
from comfydesk.session.jobs.contact_sheet import Sheet, save_sheet
from comfydesk.session.jobs.media import look
from comfydesk.session.library import Library
from comfydesk.session.tasks import Tasks
from comfydesk.store import jobs, outputs, sheets
from comfydesk.store.database import Database
from comfydesk.store.outputs import Identity
from comfydesk.store.records import Output
from comfydesk.store.sheets import Filled, WantedSheet

NAME = "contact sheet.png"
GATHER = 0.2
"""Seconds for which the ends of jobs are gathered."""
TRY_AGAIN = (1.0, 5.0, 30.0)
"""Seconds after which a sheet is tried again that the library could not take."""


class Sheets:
    """Of one session: those of the batches that it looks after."""

    def __init__(self, library: Library, tasks: Tasks, changes: Feed[Change], owner: str) -> None:
        self._library = library
        self._tasks = tasks
        self._owner = owner
        self._wake = asyncio.Event()
        self._made = asyncio.Event()
        """Something has come of a sheet."""
        self._refused: StoreError | None = None
        """Why the library does not take them, after several attempts."""
        self._wake.set()
        changes.subscribe(self._heard)

    def _heard(self, change: Change) -> None:
        if isinstance(change, JobsChanged):
            self._wake.set()

    async def run(self) -> None:
        """Until cancelled."""
        failed = 0
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                if await self._library.read(sheets.are_wanted, self._owner):
                    for one in await self._library.read(sheets.due, self._owner):
                        await self._make(one)
                failed, self._refused = 0, None
            except StoreError as error:  # no room for the row, say: the pictures are there, and so it can be made
                self._tasks.problems.publish(error)
                self._wake_in(TRY_AGAIN[min(failed, len(TRY_AGAIN) - 1)])
                failed += 1
                if failed >= len(TRY_AGAIN):
                    self._refused = error
                    self._made.set()
            await asyncio.sleep(GATHER)

    def _wake_in(self, seconds: float) -> None:
        asyncio.get_running_loop().call_later(seconds, self._wake.set)

    async def wait(self, batch: str) -> tuple[str, ...]:
        """The files of a batch's sheets, once all are made that can be; those of unfinished jobs are not waited for.

        Raises StoreError if the library will not take them: they are tried again, now and at the next start.
        """
        while await self._library.read(sheets.due, self._owner, batch):
            if self._refused is not None:
                raise self._refused
            self._made.clear()
            self._wake.set()
            await self._made.wait()
        return await self._library.read(sheets.sheets_of, batch)

    async def _make(self, one: WantedSheet) -> None:
        """Draw one and make it the library's. Raises StoreError: then it is tried again."""
        filled = await self._library.read(sheets.filled, one)
        results = [Path(path) for entry in filled for path in entry.paths]
        output = None
        if one.output is not None and not _is_fuller(one, filled):
            await self._library.commit(sheets.sheet_made, one, one.output, time.time())
            self._made.set()
            return
        if results:
            place = Path(one.folder or results[0].parent)
            try:
                place = await self._place(one, results[0])
                output = await asyncio.to_thread(_drawn, one, filled, place)
            except StoreError:  # it is tried again
                raise
            except MediaError as error:  # the results are there, and that is what counts
                self._tasks.problems.publish(error)
            except OSError as error:
                why = f"{place}: {error.strerror or error}"
                self._tasks.problems.publish(MediaError("The contact sheet cannot be saved", why))
            except Exception as error:  # our own fault: it holds up no other sheet, and nobody waits for it for ever
                self._tasks.report(error, f"contact sheet of {one.batch}")
        await self._library.commit(_add, one, output)
        self._made.set()

    async def _place(self, one: WantedSheet, first: Path) -> Path:
        """Where it goes: written down before, so that an earlier run of ours that had drawn it is not repeated."""
        if one.path is not None and one.output is None:
            return Path(one.path)
        folder = Path(one.folder) if one.folder else first.parent
        number = 0
        while True:
            number += 1
            path = numbered(folder / NAME, number)
            if await asyncio.to_thread(path.exists):
                continue
            if await self._library.call(sheets.plan_sheet, one, str(path)):
                return path


def _drawn(one: WantedSheet, filled: tuple[Filled, ...], place: Path) -> Output:
    """Raises MediaError."""
    if not (place.is_file() and place.stat().st_size):  # empty: its name was taken, and we were ended then
        place.unlink(missing_ok=True)
        pictures = {(entry.row, entry.column): pictured(entry.paths) for entry in filled if entry.paths}
        cells = tuple(
            tuple(pictures.get((row, column)) for column in range(len(one.columns))) for row in range(len(one.rows))
        )
        place = save_sheet(Sheet(one.columns, one.rows, cells, one.title), place)
    measures = look(place, "image").measures
    with place.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    size = place.stat().st_size
    return Output(
        id=0,
        path=str(place),
        media="image",
        size=size,
        sha256=sha256,
        created=time.time(),
        job=filled[0].run,
        prompt=one.title,
        width=measures.width,
        height=measures.height,
    )


def _is_fuller(one: WantedSheet, filled: tuple[Filled, ...]) -> bool:
    """There is something that was not there when it was made."""
    return any(entry.paths and (entry.finished or 0) > (one.drawn or 0) for entry in filled)


def pictured(paths: tuple[str, ...]) -> Path | None:
    """What stands for a job on its sheet: its first picture, else its first video, else its first file."""
    rank = {"image": 0, "video": 1}
    return min((Path(path) for path in paths), key=lambda path: rank.get(media_kind(path.name), 2), default=None)


def _add(db: Database, one: WantedSheet, output: Output | None) -> tuple[Change, ...]:
    with db.transaction():
        if output is None:
            return sheets.sheet_made(db, one, None, time.time())
        job = jobs.get(db, output.job or "")
        if job is not None:
            output = replace(output, workflow=job.workflow, seed=job.seed)
        stored, added = outputs.add(db, output, Identity("", "sheet", "", Path(output.path).name, ""))
        return (*added, *sheets.sheet_made(db, one, stored.id, time.time()))
