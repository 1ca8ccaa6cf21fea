"""What lies on a pod and not in this library: of earlier sessions, of other clients. Listed, looked at, fetched.

A file that is wanted is written down before its download begins, with the graph that made it: downloads go on with the
next connection, whenever the program ended.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from comfydesk.client.files import inside, media_kind, numbered, safe_relative_path
from comfydesk.client.part import Fetched
from comfydesk.client.remote import RemoteFile
from comfydesk.errors import KnownError, MediaError, PodError, PodStatusError, UnsafeNameError, UsageError
from comfydesk.events import Change, Feed, PodsChanged
from comfydesk.session.gallery.facts import RULES
from comfydesk.session.gallery.reading import FileReader
from comfydesk.session.jobs.saver import GONE, drop_copy, lies, taken_up
from comfydesk.session.library import Library
from comfydesk.session.pods.executor import Archive
from comfydesk.session.pods.links import Link, Links
from comfydesk.session.tasks import Tasks
from comfydesk.store import deletions, job_files
from comfydesk.store import pod_fetches as store
from comfydesk.store.pod_fetches import Wanted
from comfydesk.store.records import Output
from comfydesk.store.taken import Taken

PAGE = 100
"""Jobs asked for at once: their graphs come along."""
MOST_JOBS = 20_000
PARALLEL = 3
RETRY = 5.0
"""Seconds after which a pod is tried again that does not answer."""


@dataclass(frozen=True, slots=True)
class PodOutput:
    """A file on a pod that this library lacks."""

    pod: str
    file: RemoteFile
    media: str
    job: str = ""
    """Empty of a file that the pod's history does not name."""
    made: float | None = None
    """When its job ended, seconds since the epoch by the pod's clock."""


@dataclass(frozen=True, slots=True)
class FetchProgress:
    """How far the fetching from a pod is; `done` counts those that cannot be had too."""

    pod: str
    done: int
    total: int
    failed: tuple[str, ...] = ()


class PodOutputs:
    """`session.pod_outputs`. Methods raise PodError, StoreError, and UsageError for pods that tell no history."""

    def __init__(
        self, library: Library, links: Links, tasks: Tasks, changes: Feed[Change], folder: Callable[[], Path]
    ) -> None:
        self._library = library
        self._links = links
        self._tasks = tasks
        self._folder = folder
        self._online: set[str] = set()
        self._fetching: set[str] = set()
        self._planning = asyncio.Lock()
        self._looking = asyncio.Semaphore(2)
        self._failed: dict[str, list[str]] = {}
        self.progress: Feed[FetchProgress] = Feed()
        changes.subscribe(self._on_change)

    # --- What there is ----------------------------------------------------------------------------------------------

    async def missing(self, pod: str) -> tuple[PodOutput, ...]:
        """All files of the pod that are not here, the newest first. What was deleted here is not offered again."""
        archive = self._archive(pod)
        found: dict[tuple[str, str, str], PodOutput] = {}
        for offset in range(0, MOST_JOBS, PAGE):
            page = await archive.past_jobs(PAGE, offset)
            for job in page:
                for file in job.files:
                    found[_key(file)] = PodOutput(pod, file, media_kind(file.filename), job.id, job.made)
            if len(page) < PAGE:
                break
        for file in await archive.output_names():
            found.setdefault(_key(file), PodOutput(pod, file, media_kind(file.filename)))
        lacking = await self._lacking(pod, found.values())
        return tuple(sorted(lacking, key=lambda one: (-(one.made or 0), one.file.subfolder, one.file.filename)))

    async def preview(self, output: PodOutput) -> bytes:
        """A picture of it, encoded. Raises MediaError for what is no picture."""
        if output.media != "image":
            raise MediaError("No picture", "The pod shows pictures only")
        async with self._looking:
            return await self._archive(output.pod).preview(output.file)

    async def _lacking(self, pod: str, found: Iterable[PodOutput]) -> list[PodOutput]:
        have = await self._library.read(store.etags, pod)
        coming = await self._library.read(store.on_their_way, pod)
        candidates = [one for one in found if _key(one.file) not in coming]
        own = await self._library.read(store.own_runs, [one.job for one in candidates if one.job])
        lacking, unsure = [], []
        for one in candidates:
            if _key(one.file) not in have:
                lacking.append(one)
            elif one.job not in own:
                # A pod whose disk was replaced counts from 1 again: the name alone says nothing.
                unsure.append(one)
        places = asyncio.Semaphore(PARALLEL)

        async def is_other(one: PodOutput) -> bool:
            async with places:
                try:
                    etag = (await self._link(pod).pod.stat(one.file)).etag
                except PodStatusError:
                    return False
            return bool(etag) and etag not in have[_key(one.file)] and any(have[_key(one.file)])

        others = await asyncio.gather(*(is_other(one) for one in unsure))
        return lacking + [one for one, other in zip(unsure, others, strict=True) if other]

    # --- Fetching ---------------------------------------------------------------------------------------------------

    async def fetch(self, wanted: Sequence[PodOutput]) -> None:
        """Have them fetched, in the background, subfolders kept; `progress` tells how it goes.

        When this returns they are noted, and come whenever their pod is connected.
        """
        by_job: dict[tuple[str, str], list[PodOutput]] = {}
        for one in wanted:
            by_job.setdefault((one.pod, one.job), []).append(one)
        for (pod, job), those in by_job.items():
            archive = self._archive(pod)
            past = await archive.past_graph(job) if job else None
            rows = [
                Wanted(pod, one.file.type, one.file.subfolder, one.file.filename, one.job, one.made) for one in those
            ]
            graph, workflow = (None, None) if past is None else (past.graph, past.workflow)
            await self._library.call(store.want, rows, graph, workflow)
            self._begin(pod)

    async def settled(self, pod: str) -> tuple[str, ...]:
        """Until nothing is on its way from the pod any more, or it is gone; what could not be had, with the reasons."""
        while pod in self._fetching and self._links.get(pod) is not None:  # noqa: ASYNC110 - the worker tells nobody else
            await asyncio.sleep(0.05)
        return tuple(self._failed.get(pod, ()))

    async def stop(self, pod: str) -> None:
        """Want no more of a pod: what is on its way is the last."""
        for file in await self._library.read(store.wanted, pod):
            await self._library.call(store.drop, file)

    def _on_change(self, change: Change) -> None:
        if not isinstance(change, PodsChanged):
            return
        online = {link.target.id for link in self._links.all() if link.online}
        for pod in online - self._online:  # what was wanted of it earlier
            self._begin(pod)
        self._online = online

    def _begin(self, pod: str) -> None:
        if pod not in self._fetching:
            self._fetching.add(pod)
            self._tasks.start(self._fetch_all(pod), f"fetch from {pod}")

    async def _fetch_all(self, pod: str) -> None:
        try:
            self._failed[pod] = []
            done = 0
            tried: set[Wanted] = set()
            while (link := self._links.get(pod)) is not None and link.online:
                rows = await self._library.read(store.wanted, pod)
                if not rows:
                    break
                if all(replace(row, path=None) in tried for row in rows):
                    await asyncio.sleep(RETRY)
                for start in range(0, len(rows), PARALLEL):
                    some = rows[start : start + PARALLEL]
                    here = await asyncio.gather(*(self._fetch_one(link, row) for row in some))
                    tried.update(replace(row, path=None) for row in some)
                    done += sum(here)
                    left = len(await self._library.read(store.wanted, pod))
                    self.progress.publish(FetchProgress(pod, done, done + left, tuple(self._failed[pod])))
        finally:
            self._fetching.discard(pod)

    async def _fetch_one(self, link: Link, row: Wanted) -> bool:
        """Whether it is over with it: it is here, or cannot be had."""
        remote = RemoteFile(row.filename, row.subfolder, row.type, job=row.job)
        try:
            complete = await asyncio.to_thread(taken_up, Path(row.path)) if row.path else None
            if complete is None:
                target = Path(row.path) if row.path else await self._plan(row)
                complete = await link.pod.fetch(remote, target)
            if await self._is_here(row, complete):
                return True
            taken = await asyncio.to_thread(_read, complete.path, row)
            if isinstance(taken, Output):
                taken = replace(taken, size=complete.size, sha256=complete.sha256)
            await self._library.commit(store.save, row, taken, complete.etag, RULES)
        except PodStatusError as error:
            if error.status in GONE:
                return await self._lose(row, error)
            return False
        except UnsafeNameError as error:
            return await self._lose(row, error)
        except PodError:
            return False
        return True

    async def _is_here(self, row: Wanted, complete: Fetched) -> bool:
        """The library has these very bytes: the one file stays, and is no longer deleted if it was."""
        for output, path in await self._library.read(job_files.same_bytes, complete.sha256, complete.size):
            known = Path(path)
            if known == complete.path or not await asyncio.to_thread(lies, known, complete.size, ""):
                continue
            _, stays = await self._library.commit_and(deletions.stays, deletions.keep, output)
            if stays:
                await asyncio.to_thread(drop_copy, complete.path, known)
                await self._library.call(store.drop, row)
                return True
        return False

    async def _lose(self, row: Wanted, error: KnownError) -> bool:
        await self._library.call(store.lose, row, str(error))
        self._failed[row.pod].append(f"{row.filename}: {error}")
        return True

    async def _plan(self, row: Wanted) -> Path:
        relative = safe_relative_path(row.subfolder, row.filename)
        link = self._links.get(row.pod)
        root = (link.output_folder if link is not None else None) or self._folder()
        async with self._planning:
            number = 0
            while True:
                number += 1
                path = numbered(await asyncio.to_thread(inside, root, relative), number)
                if not await asyncio.to_thread(path.exists) and await self._library.call(store.plan, row, str(path)):
                    return path

    def _link(self, pod: str) -> Link:
        link = self._links.get(pod)
        if link is None:
            raise UsageError("The pod is not connected", "", "Connect to it first")
        return link

    def _archive(self, pod: str) -> Archive:
        link = self._link(pod)
        if not isinstance(link.pod, Archive):
            what = f"{link.target.name} keeps no history that can be listed"
            raise UsageError(what, "It is no ComfyUI server of its own")
        return link.pod


def _key(file: RemoteFile) -> tuple[str, str, str]:
    return file.type, file.subfolder, file.filename


def _read(path: Path, row: Wanted) -> Taken | Output:
    """What is in the file; of what is no media, that it is there."""
    made = row.made or time.time()
    try:
        return replace(FileReader().read(path), created=made)
    except MediaError:
        return Output(
            0, str(path), media_kind(path.name), 0, "", made,
            graph_hash=row.graph_hash, document_hash=row.document_hash,
        )  # fmt: skip
