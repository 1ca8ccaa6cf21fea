"""One pod, as the session sees it: listen, submit, ask, cancel, fetch, upload.

What comes over the WebSocket is a hint; jobs, queue and history over HTTP are the truth. Every method raises PodError
and its kin for the world's faults, nothing else. Everything runs on the loop that `open` was called on.
"""

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from comfydesk.client import past, remote
from comfydesk.client.address import Address
from comfydesk.client.downloads import Downloads, Progress
from comfydesk.client.link import LinkStatus, Silence, Timing, Wakefulness
from comfydesk.client.lookup import Lookup
from comfydesk.client.network import Network
from comfydesk.client.origin import Transport
from comfydesk.client.part import Fetched
from comfydesk.client.past import PastGraph, PastJob
from comfydesk.client.remote import RemoteFile, RemoteJob, SystemStats
from comfydesk.client.rest import Rest
from comfydesk.client.stream import Stream
from comfydesk.client.submission import Accepted, SubmissionUnknownError, Submitter
from comfydesk.client.uploads import upload
from comfydesk.errors import AuthError, KnownError, NotComfyError, PodError, PodStatusError, PodUnreachableError
from comfydesk.events import Feed, PodEvent

__all__ = ["Accepted", "Fetched", "Pod", "RemoteStat", "RemoteWorkflow", "SubmissionUnknownError"]

WORKFLOWS = "workflows"
Locate = Callable[[], Awaitable[Address]]


@dataclass(frozen=True, slots=True)
class RemoteStat:
    """A file on the pod as it is now. `size` None: the pod does not say."""

    size: int | None
    etag: str


@dataclass(frozen=True, slots=True)
class RemoteWorkflow:
    """A workflow saved on the pod. `name` is its path below the workflows folder, with slashes; `modified` in s."""

    name: str
    size: int | None = None
    modified: float | None = None


class Pod:
    """A connection to one pod, from `open` to `close`. Requests work without `open`, too.

    `client_id` names us to the pod, and is a secret: who knows it hears our jobs. `locate` is asked where the pod is
    before each connection, since ports change with restarts; `address` may be None then, and is what it said last.
    Any KnownError of `locate` is the link's error. `identity` names the pod over all addresses: unfinished downloads
    are taken up by it.
    """

    def __init__(
        self,
        address: Address | None,
        *,
        client_id: str | None = None,
        transport: Transport | None = None,
        timing: Timing | None = None,
        network: Network | None = None,
        locate: Locate | None = None,
        identity: str = "",
    ) -> None:
        self.address = address
        self._locate = locate
        self.events: Feed[PodEvent] = Feed()
        self.link: Feed[LinkStatus] = Feed()
        """Every new status, also when only latency or detail changed."""
        self._client_id = client_id or uuid.uuid4().hex
        self._timing = timing or Timing()
        self.rest = Rest(address, transport=transport, network=network)
        """The routes themselves, for what has no method here."""
        self._stream = Stream(
            self._located,
            self._client_id,
            network=lambda: self.rest.network,
            http_works=self._http_works,
            on_event=self._heard,
            on_status=lambda status: self._publish(self.link, status),
            timing=self._timing,
        )
        self._lookup = Lookup(self.rest, self._timing)
        self._submitter = Submitter(self.rest, self._lookup, self._client_id)
        self._downloads = Downloads(self.rest, self._timing, identity)
        self._tasks: list[asyncio.Task[None]] = []
        self._max_upload: int | None = None

    def __repr__(self) -> str:
        return f"<Pod {self.address} {self.status.state}>"

    # --- The link -------------------------------------------------------------------------------------------------

    @property
    def status(self) -> LinkStatus:
        return self._stream.status

    async def open(self) -> None:
        """Connect in the background, and stay connected. Returns at once; `link` tells how it goes."""
        self.rest.enter()
        if not self._tasks:
            self._tasks = [self._start(self._stream.run(), "stream"), self._start(self._watch(), "watch")]

    async def close(self) -> None:
        """End the connection and all requests; further ones are refused. A closed pod may be opened again."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.rest.leave()

    async def wait_online(self, timeout: float) -> LinkStatus:  # noqa: ASYNC109 (part of the facade's contract)
        """Until jobs can be sent, at most `timeout` seconds. Raises what stands in the way.

        A refused login and something that is no ComfyUI are raised at once: waiting does not cure them.
        """
        changed = asyncio.Event()
        unsubscribe = self.link.subscribe(lambda _: changed.set())
        try:
            async with asyncio.timeout(timeout):
                while not self.status.usable:
                    if isinstance(self.status.error, AuthError | NotComfyError):
                        raise self.status.error
                    changed.clear()
                    await changed.wait()
        except TimeoutError:
            who = self.address.host if self.address else "The pod"
            what = f"{who} could not be reached within {timeout:.0f} s"
            raise self.status.error or PodUnreachableError(what, "", "See that the pod is running") from None
        finally:
            unsubscribe()
        return self.status

    def wake(self) -> None:
        """The computer slept, or its network changed: prove or renew the connection now."""
        self._stream.wake()

    # --- About the pod --------------------------------------------------------------------------------------------

    async def object_info(self) -> dict[str, Any]:
        """Every node class, by name. Large and slow: keep it."""
        info = await self.rest.object_info()
        if not isinstance(info, dict) or not info or not all(isinstance(entry, dict) for entry in info.values()):
            raise NotComfyError("The pod's list of nodes cannot be read", "it has another shape", "See the pod's log")
        return info

    async def system_stats(self) -> SystemStats:
        return remote.system_stats(await self.rest.system_stats())

    async def queue_remaining(self) -> int:
        """Prompts that run or wait on the server, anyone's."""
        return remote.queue_remaining(await self.rest.prompt_info())

    async def features(self) -> Mapping[str, Any]:
        """What the server says it can do; empty on older ones."""
        try:
            features = await self.rest.features()
        except PodStatusError:
            return {}
        return features if isinstance(features, dict) else {}

    async def models(self, folder: str) -> tuple[str, ...]:
        """Files of a model folder ("checkpoints"), in the server's spelling; empty if it has no such folder."""
        try:
            names = await self.rest.models_in(folder)
        except PodStatusError as error:
            if error.status == 404:
                return ()
            raise
        return tuple(name for name in names if isinstance(name, str)) if isinstance(names, list) else ()

    async def logs(self) -> str:
        """The tail of the server's log; empty where it shows none in a shape we know."""
        log = await self.rest.logs()
        return log if isinstance(log, str) else ""

    async def free(self, *, unload_models: bool = True, free_memory: bool = True) -> None:
        """Ask the server to unload models and to free memory, when its queue comes to it."""
        await self.rest.free(unload_models=unload_models, free_memory=free_memory)

    # --- Jobs -----------------------------------------------------------------------------------------------------

    async def submit(
        self,
        graph: Mapping[str, Any],
        *,
        prompt_id: str,
        workflow: Mapping[str, Any] | None = None,
        front: bool = False,
        resend: bool = False,
    ) -> Accepted:
        """Queue an API graph. `prompt_id` is ours, a canonical UUID; older servers answer with their own: use that.

        `workflow` (the UI document) is kept in the outputs. `front`: before what waits. `resend`: an earlier attempt
        may have arrived, so look the id up first. Raises PromptRejectedError; SubmissionUnknownError when it may
        have arrived although the pod does not know it; any other error before anything was queued.
        """
        accepted = await self._submitter.submit(
            graph, prompt_id=prompt_id, workflow=workflow, front=front, resend=resend
        )
        if self._stream.silence is not None:
            self._stream.silence.owed(asyncio.get_running_loop().time())
        return accepted

    async def job(self, prompt_id: str) -> RemoteJob | None:
        """Where it stands; None when the pod does not know it. Its history may lag behind the stream: that is waited
        out."""
        return await self._lookup.job(prompt_id)

    @property
    def has_jobs_route(self) -> bool:
        """Whether it knew /api/jobs when last asked after a job. Such servers take the ids that we give to jobs."""
        return self._lookup.has_jobs_route

    async def cancel(self, prompt_id: str) -> bool:
        """Take it out of the queue, or interrupt it, by its id alone. False: it neither ran nor waited.

        A running one ends at its next step or node.
        """
        return await self._lookup.cancel(prompt_id)

    # --- Files ----------------------------------------------------------------------------------------------------

    async def fetch(
        self, file: RemoteFile, destination: Path, *, fresh: bool = False, progress: Progress | None = None
    ) -> Fetched:
        """Download to `destination` (a file's path; its folder is made). Another file of that name is never
        overwritten: "name (2).png" is used, and told in the result; the very same bytes count as fetched.

        Cut lines are resumed, also those of an earlier run; `fresh`: there was none, which saves looking for what it
        left. `progress(bytes, total or None)`. Raises DiskFullError
        (nothing is left), StoreError, PodStatusError (404: gone), PodUnreachableError (what came stays, resumable).
        """
        return await self._downloads.fetch(file, destination, fresh=fresh, progress=progress)

    async def stat(self, file: RemoteFile) -> RemoteStat:
        """Size and ETag as they are now: a cached rerun's file is the same as long as these are."""
        answer = await self.rest.stat(file)
        return RemoteStat(answer.length, answer.etag)

    async def past_jobs(self, limit: int, offset: int) -> tuple[PastJob, ...]:
        """Jobs that have ended, anyone's, since the server's start: the oldest first; fewer than `limit` at the end."""
        return past.past_jobs(await self.rest.history_page(limit, offset))

    async def past_graph(self, prompt_id: str) -> PastGraph:
        """What a job of the history ran; empty when it is not in there any more."""
        return past.past_graph(prompt_id, await self.rest.history(prompt_id))

    async def output_names(self) -> tuple[RemoteFile, ...]:
        """Files directly in the output folder, of any time; empty where the server does not list them."""
        try:
            return past.loose_files(await self.rest.files("output"))
        except PodStatusError as error:
            if error.status in (403, 404, 405):
                return ()
            raise

    async def preview(self, file: RemoteFile) -> bytes:
        """A picture, smaller than the file. Raises PodStatusError for what is no picture."""
        return await self.rest.preview(file)

    async def upload(
        self, path: Path, *, name: str | None = None, subfolder: str = "", progress: Progress | None = None
    ) -> str:
        """Put a file (picture, sound, video, 3D) into the pod's input folder; the value for the graph ("sub/x.png").

        Another file of that name stays: the pod then picks a new name. Raises MediaError for the local file.
        """
        if self._max_upload is None:
            with suppress(PodError):
                limit = (await self.features()).get("max_upload_size")
                self._max_upload = limit if isinstance(limit, int) and limit > 0 else None
        return await upload(self.rest, path, name=name, subfolder=subfolder, limit=self._max_upload, progress=progress)

    async def workflows(self) -> tuple[RemoteWorkflow, ...]:
        """Workflows saved on the pod; empty if there are none yet."""
        try:
            entries = await self.rest.userdata(WORKFLOWS)
        except PodStatusError as error:
            if error.status == 404:
                return ()
            raise
        found = (_workflow(entry) for entry in entries) if isinstance(entries, list) else ()
        return tuple(entry for entry in found if entry is not None)

    async def read_workflow(self, name: str) -> bytes:
        return await self.rest.read_userdata(f"{WORKFLOWS}/{name}")

    async def templates_index(self) -> list[Any]:
        """The official templates' index; empty where the server has none."""
        try:
            index = await self.rest.templates_index()
        except PodStatusError as error:
            if error.status == 404:
                return []
            raise
        return index if isinstance(index, list) else []

    async def template(self, name: str) -> bytes:
        """A file of the official templates: `<name>.json`, `<name>-1.webp`."""
        return await self.rest.template(name)

    # --- Behind the scenes ----------------------------------------------------------------------------------------

    async def _located(self) -> Address:
        """Where it is now; HTTP follows. Raises PodError."""
        if self._locate is not None:
            try:
                address = await self._locate()
            except PodError:
                raise
            except KnownError as error:  # the keyring's, say: the user has to do something
                raise AuthError(error.what, error.why, error.advice) from error
            await self.rest.move(address)
            self.address = address
        return self.rest.address

    async def _watch(self) -> None:
        """Notice sleep, and a socket gone deaf."""
        loop, timing = asyncio.get_running_loop(), self._timing
        awake = Wakefulness(loop.time(), time.time())
        pause = timing.poll_interval / 2
        while True:
            await asyncio.sleep(pause)
            if awake.slept(loop.time(), time.time(), expected=pause):
                self.wake()
            silence = self._stream.silence
            if silence is not None and silence.is_overdue(loop.time()):
                await self._stream.refresh()
            elif silence is not None and silence.due(loop.time()):
                await self._ask_whether_deaf(silence)

    async def _ask_whether_deaf(self, silence: Silence) -> None:
        with suppress(PodError):
            remaining = await self.queue_remaining()
            now = asyncio.get_running_loop().time()
            if self._stream.silence is silence and silence.is_deaf(now, remaining):
                await self._stream.refresh()

    async def _http_works(self) -> bool:
        with suppress(PodError):
            await self.queue_remaining()
            return True
        return False

    def _heard(self, event: PodEvent) -> None:
        self._lookup.heard(event)
        self._publish(self.events, event)

    def _publish(self, feed: "Feed[Any]", item: object) -> None:
        """A listener that fails is reported as our fault, and does not cost us the connection."""
        try:
            feed.publish(item)
        except Exception as error:
            _report("a listener of the pod failed", error)

    def _start(self, work: Any, name: str) -> "asyncio.Task[None]":
        task: asyncio.Task[None] = asyncio.create_task(work, name=f"comfydesk pod {name}")
        task.add_done_callback(_ended)
        return task


def _ended(task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        _report("the connection to a pod ended by a fault of ours", error)


def _report(message: str, error: BaseException) -> None:
    asyncio.get_running_loop().call_exception_handler({"message": message, "exception": error})


def _workflow(entry: Any) -> RemoteWorkflow | None:
    if isinstance(entry, str):  # servers that do not know full_info
        entry = {"path": entry}
    path = entry.get("path") if isinstance(entry, dict) else None
    if not isinstance(path, str) or not path.lower().endswith(".json"):
        return None
    size, modified = entry.get("size"), entry.get("modified")
    return RemoteWorkflow(
        path.replace("\\", "/"),
        size if isinstance(size, int) else None,
        modified / 1000 if isinstance(modified, int | float) else None,
    )
