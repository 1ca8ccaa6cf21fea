"""Brings results here: off the message loop, a few at a time, each exactly once.

Where a file goes is written down before its download begins, and a download ends in an atomic rename. So what lies at
the place noted for it is that file, complete, whenever this program was last ended.
"""

import asyncio
import glob
import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from weakref import WeakValueDictionary

from comfydesk.client.downloads import Fetched
from comfydesk.client.files import inside, media_kind, numbered
from comfydesk.client.remote import RemoteFile
from comfydesk.errors import AuthError, KnownError, PodError, PodStatusError, PodUnreachableError, StoreError
from comfydesk.events import Change
from comfydesk.session.jobs.media import Looked, Measures, look
from comfydesk.session.jobs.naming import Names
from comfydesk.session.jobs.reports import of_known
from comfydesk.session.library import Library
from comfydesk.session.pods.links import Link, Links
from comfydesk.session.tasks import Tasks
from comfydesk.store import job_files, jobs
from comfydesk.store import outputs as store
from comfydesk.store.database import Database
from comfydesk.store.outputs import Identity
from comfydesk.store.records import Job, JobError, JobFile, JobState, Output

RETRY_SECONDS = (1, 2, 4, 8, 15, 30)
PATIENT_TRIES = 2
"""After so many the user is told, if the pod itself is online."""
GONE = frozenset({400, 404, 410})
RemoteKey = tuple[str, str, str, str]


class Saver:
    """Saves the files of jobs in state SAVING until they are DONE."""

    def __init__(
        self,
        library: Library,
        links: Links,
        tasks: Tasks,
        names: Names,
        folder: Callable[[], Path],
        parallel: Callable[[], int],
    ) -> None:
        self._library = library
        self._links = links
        self._tasks = tasks
        self._names = names
        self._folder = folder
        self._places = asyncio.Semaphore(parallel())
        self._planning = asyncio.Lock()
        self._fetching: WeakValueDictionary[RemoteKey, asyncio.Lock] = WeakValueDictionary()
        self._saving: dict[str, tuple[str, asyncio.Event]] = {}
        """Job → its pod, and what wakes it before its time."""

    def save(self, job: Job) -> None:
        """Begin, unless it is under way: then try again now."""
        known = self._saving.get(job.id)
        if known is not None:
            known[1].set()
            return
        self._saving[job.id] = (job.pod, asyncio.Event())
        self._tasks.start(self._save(job), f"save {job.id}")

    def poke(self, pod: str) -> None:
        """The pod is back: try again now."""
        for where, wake in self._saving.values():
            if where == pod:
                wake.set()

    async def _save(self, job: Job) -> None:
        wake = self._saving[job.id][1]
        tries = 0
        try:
            while not await self._round(job, wake, tries):
                await _either(wake, RETRY_SECONDS[min(tries, len(RETRY_SECONDS) - 1)])
                tries += 1
        finally:
            self._saving.pop(job.id, None)

    async def _round(self, job: Job, wake: asyncio.Event, tries: int) -> bool:
        """One try at all that is missing. Returns whether the job is over."""
        wake.clear()
        try:
            missing = await self._library.call(_missing, job.id)
            if missing is None:  # cancelled
                return True
            troubles = await asyncio.gather(*(self._settle(job, file) for file in missing))
            trouble = self._blocking([error for error in troubles if error is not None], job.pod, tries)
            if trouble is not None:  # the results are still on the pod: say why, keep the record
                await self._library.commit(jobs.note, job.id, of_known(trouble))
            if any(troubles):
                return False
            await self._finish(job)
        except StoreError as error:  # not even the record can be written: it stays as it was
            self._tasks.problems.publish(error)
            return False
        return True

    def _blocking(self, troubles: Sequence[KnownError], pod: str, tries: int) -> KnownError | None:
        """What the user has to know of, if anything: a line that is down cures itself, and shows elsewhere."""
        for error in troubles:
            if not isinstance(error, PodError) or isinstance(error, AuthError):
                return error
        link = self._links.get(pod)
        return troubles[0] if troubles and tries >= PATIENT_TRIES and link is not None and link.online else None

    async def _finish(self, job: Job) -> None:
        """All that can be had is here: DONE, or as it ended on the pod."""
        await self._library.commit(_end, job.id, time.time())

    async def _settle(self, job: Job, file: JobFile) -> KnownError | None:
        """Have the file saved, or know that it is gone for good. Returns what prevents it for now."""
        link = self._links.get(job.pod)
        if link is None:
            return PodUnreachableError("The pod is not connected")
        # Jobs that end with the same file one after the other: the second finds what the first has saved.
        key = (job.pod, file.type, file.subfolder, file.filename)
        try:
            async with self._fetching.setdefault(key, asyncio.Lock()), self._places:
                await self._fetch(job, file, link)
        except PodStatusError as error:
            if error.status not in GONE:
                return error
            return await self._lost(file, error)
        except KnownError as error:
            return error
        return None

    async def _lost(self, file: JobFile, reason: KnownError) -> KnownError | None:
        try:
            await self._library.commit(job_files.file_lost, file, str(reason))
        except StoreError as error:
            return error
        return None

    async def _fetch(self, job: Job, file: JobFile, link: Link) -> None:
        remote = RemoteFile(file.filename, file.subfolder, file.type, job=job.remote_id)
        # An earlier run of ours may have had it here, and have been ended before it could note that.
        complete = await asyncio.to_thread(taken_up, Path(file.path)) if file.path else None
        if complete is None:
            if await self._have_it(job, file, link, remote):
                return
            try:
                target = Path(file.path) if file.path else await self._plan(job, file)
            except PodError as error:  # a name that no honest pod gives
                await self._library.commit(job_files.file_lost, file, str(error))
                return
            complete = await link.pod.fetch(remote, target)
        await self._take(job, file, link, remote, complete)

    async def _take(self, job: Job, file: JobFile, link: Link, remote: RemoteFile, complete: Fetched) -> None:
        """A file that is here becomes the library's, once it is seen to open. What does not is kept all the same."""
        media = media_kind(complete.path.name)
        looked = await asyncio.to_thread(look, complete.path, media)
        if looked.problem:
            complete, looked = await self._again(link, remote, complete, looked)
        if looked.problem:
            what = f"{complete.path.name} does not open"
            warning = JobError(what, f"{looked.problem}; it came twice like that", "It is saved as the pod has it")
            await self._library.commit(jobs.warn, job.id, warning)
        elif await self._same_elsewhere(job, file, complete):
            return
        await self._add(job, file, complete, looked.measures)

    async def _again(self, link: Link, remote: RemoteFile, complete: Fetched, looked: Looked) -> tuple[Fetched, Looked]:
        """Fetch a file that does not open once more: the better one of the two is kept, under the first one's name.

        Raises PodError if the pod cannot be asked now: then it is looked at again later.
        """
        beside = complete.path.with_name(f".again-{complete.path.name}")
        await asyncio.to_thread(beside.unlink, missing_ok=True)
        try:
            second = await link.pod.fetch(remote, beside)
            better = await asyncio.to_thread(look, second.path, media_kind(complete.path.name))
            if better.problem:
                return complete, looked
            await asyncio.to_thread(second.path.replace, complete.path)
            return replace(second, path=complete.path), better
        except PodStatusError as error:
            if error.status not in GONE:
                raise
            return complete, looked
        finally:
            await asyncio.to_thread(beside.unlink, missing_ok=True)

    async def _same_elsewhere(self, job: Job, file: JobFile, complete: Fetched) -> bool:
        """The library has these very bytes: the one file stays, and the job shows that. See `_have_it`."""
        for output, path in await self._library.call(job_files.same_bytes, complete.sha256, complete.size):
            known = Path(path)
            if known != complete.path and await asyncio.to_thread(_lies, known, complete.size, job.folder):
                await asyncio.to_thread(complete.path.unlink, missing_ok=True)
                await self._library.commit(job_files.file_saved, file, output)
                return True
        return False

    async def _have_it(self, job: Job, file: JobFile, link: Link, remote: RemoteFile) -> bool:
        """A rerun that the pod answered from its cache names a file that we saved before: that one it is, then.

        Unless the user wants this job's results elsewhere: that copy is made.
        """
        known = await self._library.call(store.named, job.pod, file.type, file.subfolder, file.filename)
        if not known:
            return False
        etag = (await link.pod.stat(remote)).etag
        for output, saved_etag in known:
            if (
                etag
                and saved_etag == etag
                and await asyncio.to_thread(_lies, Path(output.path), output.size, job.folder)
            ):
                await self._library.commit(job_files.file_saved, file, output.id)
                return True
        return False

    async def _plan(self, job: Job, file: JobFile) -> Path:
        """The place for a file: by its template, numbered where that is taken. Written down before it is used."""
        folder = Path(job.folder) if job.folder else self._folder()
        relative, problem = await self._names.place(job, file)
        if problem is not None:
            await self._library.commit(jobs.warn, job.id, problem)
        number = 0
        async with self._planning:
            while True:
                number += 1
                number, path = await asyncio.to_thread(_free, folder, relative, number)
                if await self._library.call(job_files.plan_file, file, str(path)):
                    return path

    async def _add(self, job: Job, file: JobFile, fetched: Fetched, measures: Measures) -> None:
        path = fetched.path
        identity = Identity(job.pod, file.type, file.subfolder, file.filename, fetched.etag)
        media = media_kind(path.name)
        output = Output(
            id=0,
            path=str(path),
            media=media,
            size=fetched.size,
            sha256=fetched.sha256,
            created=time.time(),
            job=job.id,
            workflow=job.workflow,
            prompt=job.prompt,
            seed=job.seed,
            width=measures.width,
            height=measures.height,
            duration=measures.duration,
        )
        await self._library.commit(_add_and_link, file, output, identity)


def _missing(db: Database, job: str) -> tuple[JobFile, ...] | None:
    """What is still to be fetched; None if the job is not being saved any more."""
    current = jobs.get(db, job)
    return job_files.missing(db, job) if current is not None and current.state is JobState.SAVING else None


def _end(db: Database, job: str, now: float) -> tuple[Change, ...]:
    """The job is over: as it ended on its pod; otherwise DONE, or FAILED where something is lost."""
    with db.transaction():
        lost = job_files.lost(db, job)
        error = None
        if lost:
            names = ", ".join(name for name, _ in lost)
            error = JobError(f"The pod no longer has {names}", lost[0][1], "Run the job again")
        current = jobs.get(db, job)
        verdict = None if current is None else current.verdict
        if verdict is None:
            return jobs.transition(db, job, JobState.DONE if error is None else JobState.FAILED, now, error=error)
        warned = () if error is None else jobs.warn(db, job, error)
        return (*warned, *jobs.transition(db, job, verdict.state, now, error=verdict.error))


def _add_and_link(db: Database, file: JobFile, output: Output, identity: Identity) -> tuple[Change, ...]:
    with db.transaction():
        job_files.plan_file(db, file, output.path)  # where it really lies: its name may have been taken meanwhile
        stored, added = store.add(db, output, identity)
        return (*added, *job_files.file_saved(db, file, stored.id))


def taken_up(path: Path) -> Fetched | None:
    """The file that a download of ours has left there, complete; None if it has not, or is still at it.

    The place was free when it was planned, and a download gives its file that name only when all of it is there.
    """
    try:
        if not path.is_file() or any(path.parent.glob(f"{glob.escape(path.name)}.*.part")):
            return None
        with path.open("rb") as file:
            return Fetched(path, path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest(), "")
    except OSError:
        return None


def _free(folder: Path, relative: PurePosixPath, number: int) -> tuple[int, Path]:
    """The first place from that number on where nothing is. Raises PodError for a name that leads out of the folder."""
    first = inside(folder, relative)
    while (path := numbered(first, number)).exists() or path.is_symlink():
        number += 1
    return number, path


def _lies(path: Path, size: int, folder: str) -> bool:
    """Whether the library's copy still exists, and lies where the results are wanted."""
    if folder and not path.is_relative_to(Path(folder).resolve()):
        return False
    try:
        return path.is_file() and path.stat().st_size == size
    except OSError:
        return False


async def _either(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass
