"""Brings results here: off the message loop, a few at a time, each exactly once.

Where a file goes is written down before its download begins, and a download ends in an atomic rename. So what lies at
the place noted for it is that file, complete, whenever this program was last ended.
"""

import asyncio
import contextlib
import glob
import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from weakref import WeakValueDictionary

from comfydesk.client.files import inside, media_kind, numbered
from comfydesk.client.part import Fetched
from comfydesk.client.remote import RemoteFile
from comfydesk.disk import not_written
from comfydesk.errors import AuthError, KnownError, PodError, PodStatusError, PodUnreachableError, StoreError
from comfydesk.session.jobs import results
from comfydesk.session.jobs.media import Looked, look
from comfydesk.session.jobs.naming import Names
from comfydesk.session.jobs.reports import of_known
from comfydesk.session.library import Library
from comfydesk.session.pods.links import Link, Links
from comfydesk.session.tasks import Tasks
from comfydesk.store import deletions, job_files, jobs
from comfydesk.store import outputs as store
from comfydesk.store.outputs import Identity
from comfydesk.store.records import Job, JobError, JobFile, Output

RETRY_SECONDS = (1, 2, 4, 8, 15, 30)
PATIENT_TRIES = 2
"""After so many the user is told, if the pod itself is online."""
GONE = frozenset({400, 404, 410})
RemoteKey = tuple[str, str, str, str]


@dataclass(slots=True, eq=False)
class Saving:
    """A job whose files are being saved."""

    pod: str
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    """Tries again before its time."""
    over: bool = False
    """The last file's errand has ended the job as well."""

    def end(self) -> None:
        self.over = True


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
        self._fetching: WeakValueDictionary[RemoteKey, asyncio.Lock] = WeakValueDictionary()
        self._saving: dict[str, Saving] = {}

    def save(self, job: Job, files: Sequence[JobFile] | None = None) -> None:
        """Begin, unless it is under way: then try again now.

        `files`: what is missing, of a job that has just run; those with a path were given that place just now.
        """
        known = self._saving.get(job.id)
        if known is not None:
            known.wake.set()
            return
        self._saving[job.id] = Saving(job.pod)
        self._tasks.start(self._save(job, files), f"save {job.id}")

    async def places(self, job: Job, files: Sequence[JobFile]) -> tuple[JobFile, ...]:
        """The files of a job that has just run, each with a place that is free, where one can be had at once."""
        try:
            wanted = [await self._place(job, file) for file in files]
            found = await asyncio.to_thread(lambda: [_free(folder, relative, 1)[1] for folder, relative in wanted])
        except (PodError, StoreError, OSError):  # it is told when they are saved, one by one
            return tuple(files)
        return tuple(replace(file, path=str(path)) for file, path in zip(files, found, strict=True))

    def poke(self, pod: str) -> None:
        """The pod is back: try again now."""
        for saving in self._saving.values():
            if saving.pod == pod:
                saving.wake.set()

    async def _save(self, job: Job, files: Sequence[JobFile] | None) -> None:
        saving = self._saving[job.id]
        tries = 0
        try:
            while not await self._round(job, saving, tries, files):
                await _either(saving.wake, RETRY_SECONDS[min(tries, len(RETRY_SECONDS) - 1)])
                tries, files = tries + 1, None
        finally:
            self._saving.pop(job.id, None)

    async def _round(self, job: Job, saving: Saving, tries: int, files: Sequence[JobFile] | None) -> bool:
        """One try at all that is missing. Returns whether the job is over."""
        saving.wake.clear()
        try:
            missing = await self._library.call(results.missing, job.id) if files is None else files
            if missing is None:  # cancelled
                return True
            fresh = files is not None
            if len(missing) == 1:
                troubles = [await self._settle(job, missing[0], fresh=fresh)]
            else:
                troubles = await asyncio.gather(*(self._settle(job, file, fresh=fresh) for file in missing))
            if saving.over:
                return True
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
        await self._library.commit(results.end, job.id, time.time())

    async def _settle(self, job: Job, file: JobFile, *, fresh: bool) -> KnownError | None:
        """Have the file saved, or know that it is gone for good. Returns what prevents it for now.

        `fresh`: nobody has begun with it yet.
        """
        link = self._links.get(job.pod)
        if link is None:
            return PodUnreachableError("The pod is not connected")
        # Jobs that end with the same file one after the other: the second finds what the first has saved.
        key = (job.pod, file.type, file.subfolder, file.filename)
        try:
            async with self._fetching.setdefault(key, asyncio.Lock()):
                await self._fetch(job, file, link, fresh=fresh)
        except PodStatusError as error:
            if error.status not in GONE:
                return error
            return await self._lost(file, error)
        except KnownError as error:
            return error
        except OSError as error:  # the folder is on a drive that has gone, say: it may come back
            return not_written(Path(file.path or file.filename), error)
        return None

    async def _lost(self, file: JobFile, reason: KnownError) -> KnownError | None:
        try:
            await self._library.commit(job_files.file_lost, file, str(reason))
        except StoreError as error:
            return error
        return None

    async def _fetch(self, job: Job, file: JobFile, link: Link, *, fresh: bool) -> None:
        remote = RemoteFile(file.filename, file.subfolder, file.type, job=job.remote_id)
        complete: Fetched | None = None
        if fresh and file.path:
            target: Path | None = Path(file.path)
        else:
            # An earlier run of ours may have had it here, and have been ended before it could note that.
            complete = await asyncio.to_thread(taken_up, Path(file.path)) if file.path else None
            target = await self._target(job, file, link, remote) if complete is None else None
        if target is not None:
            async with self._places:
                complete = await link.pod.fetch(remote, target, fresh=fresh)
        if complete is None:
            return
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
        await self._add(job, file, complete, looked)

    async def _again(self, link: Link, remote: RemoteFile, complete: Fetched, looked: Looked) -> tuple[Fetched, Looked]:
        """Fetch a file that does not open once more: the better one of the two is kept, under the first one's name.

        Raises PodError if the pod cannot be asked now: then it is looked at again later.
        """
        beside = complete.path.with_name(f".again-{complete.path.name}")
        await asyncio.to_thread(beside.unlink, missing_ok=True)
        try:
            async with self._places:
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
            if known != complete.path and await asyncio.to_thread(lies, known, complete.size, job.folder):
                _, stays = await self._library.commit_and(deletions.stays, deletions.keep, output)
                if stays:  # it was not just being deleted
                    await asyncio.to_thread(drop_copy, complete.path, known)
                    return bool(await self._library.commit(job_files.file_saved, file, output))
        return False

    async def _have_it(self, job: Job, file: JobFile, link: Link, remote: RemoteFile, known: results.Known) -> bool:
        """A rerun that the pod answered from its cache names a file that we saved before: that one it is, then.

        Unless the user wants this job's results elsewhere: that copy is made.
        """
        if not known:
            return False
        etag = (await link.pod.stat(remote)).etag
        for output, saved_etag in known:
            if (
                etag
                and saved_etag == etag
                and await asyncio.to_thread(lies, Path(output.path), output.size, job.folder)
                and await self._library.commit(job_files.file_saved, file, output.id)
            ):
                return True
        return False

    async def _target(self, job: Job, file: JobFile, link: Link, remote: RemoteFile) -> Path | None:
        """The place for a file: by its template, numbered where that is taken. Written down before it is used.

        None: it is here already, or cannot be had.
        """
        if file.path:
            known = await self._library.call(store.named, job.pod, file.type, file.subfolder, file.filename)
            return None if await self._have_it(job, file, link, remote, known) else Path(file.path)
        try:
            folder, relative = await self._place(job, file)
            number, path = await asyncio.to_thread(_free, folder, relative, 1)
        except PodError as error:  # a name that no honest pod gives
            await self._library.commit(job_files.file_lost, file, str(error))
            return None
        known, planned = await self._library.call(results.plan_unless_known, job.pod, file, str(path))
        if await self._have_it(job, file, link, remote, known):
            return None
        while not planned:
            number, path = await asyncio.to_thread(_free, folder, relative, number if known else number + 1)
            planned, known = await self._library.call(job_files.plan_file, file, str(path)), ()
        return path

    async def _place(self, job: Job, file: JobFile) -> tuple[Path, PurePosixPath]:
        """Folder and name by the template. Raises PodError, StoreError."""
        folder = Path(job.folder) if job.folder else self._folder()
        relative, problem = await self._names.place(job, file)
        if problem is not None:
            await self._library.commit(jobs.warn, job.id, problem)
        return folder, relative

    async def _add(self, job: Job, file: JobFile, fetched: Fetched, looked: Looked) -> None:
        """To the library; with the last of its files the job is over, in the same errand."""
        path, measures = fetched.path, looked.measures
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
        saving = self._saving.get(job.id)
        on_end = None if saving is None else saving.end
        for alone in (not looked.problem, False):
            changes = await self._library.commit(
                results.add_and_link, job.id, file, output, identity, alone=alone, on_end=on_end
            )
            if changes or await self._same_elsewhere(job, file, fetched):
                break


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


def lies(path: Path, size: int, folder: str) -> bool:
    """Whether the library's copy still exists, and lies where the results are wanted."""
    try:
        if folder and not path.parent.resolve().is_relative_to(Path(folder).resolve()):
            return False
        return path.is_file() and path.stat().st_size == size
    except OSError:
        return False


def drop_copy(path: Path, kept: Path) -> None:
    """Delete `path`, unless it is the very file that is kept: a folder may have two names (a link, another case)."""
    with contextlib.suppress(FileNotFoundError):
        if not path.samefile(kept):
            path.unlink()


async def _either(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass
