"""Comfy API v2 as an executor: Comfy Cloud, serverless deployments there, comfy-api-proxy before one's own ComfyUI.

Speaks through the official comfy-sdk: its transport and models (comfy_low, which takes an address and an HTTP client of
ours; AsyncComfy takes its address from the environment only) and its content-hashed assets. The library is imported at
the first need; without it `check` says what to install.

A job's id is minted by the server. Ours goes along twice: as the Idempotency-Key, so that one job never runs twice, and
as a label, so that a job whose answer was lost is found again.
"""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from comfydesk.client.address import Auth
from comfydesk.client.downloads import Downloads
from comfydesk.client.network import Network
from comfydesk.client.origin import AnswerLostError
from comfydesk.client.part import Fetched
from comfydesk.client.pod import RemoteStat
from comfydesk.client.remote import RemoteFile, RemoteJob
from comfydesk.client.rest import Rest
from comfydesk.client.submission import Accepted, SubmissionUnknownError
from comfydesk.engines import comfy_words as words
from comfydesk.engines.files import Hosted, Spot, stranger
from comfydesk.engines.polled import RECHECK, Locate, Polled
from comfydesk.errors import (
    AuthError,
    MediaError,
    NotComfyError,
    PodError,
    PodStatusError,
)

if TYPE_CHECKING:
    from comfy_low import AsyncComfyLow, RawEvent
    from comfy_low.models import Job, Output

    from comfydesk.client.address import Address
    from comfydesk.client.link import Timing

DEADLINE = 60.0
"""Seconds for one answer, uploads apart."""
LEAVE_WITHIN = 0.5
UPLOAD_DEADLINE = 3600.0
MAX_STREAMS = 8
"""Jobs whose live events are listened to at a time; a proxy allows no more. The others are polled."""
_REMEMBERED = 256


class EngineMissingError(PodError):
    """The library that speaks to it is not installed."""


class ComfyApi(Polled):
    """See session.pods.executor.Executor. `identity` names it over all addresses, for unfinished downloads."""

    def __init__(
        self, locate: Locate, *, identity: str = "", timing: "Timing | None" = None, recheck: float = RECHECK
    ) -> None:
        super().__init__(locate, timing=timing, recheck=recheck)
        self._identity = identity
        self._timing = timing
        self._low: AsyncComfyLow | None = None
        self._http: Any = None
        self._text_labels = False
        """The proxy's labels are one string, the cloud's a map."""
        self._there: OrderedDict[str, str] = OrderedDict()
        """Our id of a job → its id there, where we had to look for it."""
        self._outputs: OrderedDict[str, dict[str, Output]] = OrderedDict()
        """Our id of a finished job → its outputs."""
        self._streams: dict[str, asyncio.Task[None]] = {}

    # --- The link -------------------------------------------------------------------------------------------------

    async def check(self) -> str:
        """See Polled.check."""
        async with self._asking() as low:
            page = await low.list_jobs(limit=1)
        if not isinstance(page.get("jobs"), list):
            raise NotComfyError("Something answers there, but not with Comfy API v2", "", "Check its address")
        return "Comfy API v2 answers"

    @property
    def has_jobs_route(self) -> bool:
        """It mints ids of its own."""
        return False

    async def object_info(self) -> dict[str, Any] | None:
        """Comfy Cloud still has its first API's route; deployments and proxies list no nodes."""
        address = await self._located()
        key = _key(address)
        headers = {"Authorization": f"Bearer {key}", "X-API-Key": key}  # the first API wants it in the latter
        first = Rest(address.with_auth(Auth.of_headers(headers)) if key else address)
        try:
            info = await first.object_info()
        except PodStatusError as error:
            if error.status in (404, 405, 410, 501):
                return None
            raise
        except (AuthError, NotComfyError):  # `check` is who knows whether the key is good
            return None
        finally:
            await first.close()
        known = isinstance(info, dict) and bool(info) and all(isinstance(entry, dict) for entry in info.values())
        return info if known else None

    async def _enter(self, address: "Address") -> None:
        try:
            from comfy_low import AsyncComfyLow
        except ImportError:
            what = "Comfy Cloud needs a library that is not installed"
            raise EngineMissingError(what, "", 'Install it: pip install "comfydesk[cloud]"') from None
        from comfydesk.engines import bounded

        self._http = bounded.client(address, Network.to(address))
        self._low = AsyncComfyLow(str(address), _key(address) or None, client=self._http)

    async def _leave(self) -> None:
        streams, self._streams = tuple(self._streams.values()), {}
        http, self._http, self._low = self._http, None, None
        if http is not None:
            await http.aclose()
        # Their lines are cut, which ends them. One that is cancelled while it connects would leave its socket behind.
        if streams:
            await asyncio.wait(streams, timeout=LEAVE_WITHIN)
        for stream in streams:
            stream.cancel()
        await asyncio.gather(*streams, return_exceptions=True)

    # --- Jobs -----------------------------------------------------------------------------------------------------

    async def submit(
        self,
        graph: Mapping[str, Any],
        *,
        prompt_id: str,
        workflow: Mapping[str, Any] | None = None,
        resend: bool = False,
    ) -> Accepted:
        """See Pod.submit. The UI document stays here: the API takes none.

        What may have arrived is told as SubmissionUnknownError; sending it again cannot run it twice.
        """
        del workflow
        if resend and (there := await self._find(prompt_id)):
            return Accepted(there)
        try:
            job = await self._post(words.with_assets(graph), prompt_id)
        except (AnswerLostError, NotComfyError, words.KeyUsedError) as error:
            there = ""
            with suppress(PodError):
                there = await self._find(prompt_id)
            if there:
                return Accepted(there)
            what = "The service did not answer when the job was sent"
            raise SubmissionUnknownError(what, f"{error.what}; it is not known whether the job arrived") from error
        self._listen(job.id, job.id)
        return Accepted(job.id)

    async def job(self, prompt_id: str) -> RemoteJob | None:
        """See Pod.job. An id that is ours and not the server's is looked for by its label."""
        job = await self._get(prompt_id)
        found = None if job is None else words.remote_job(prompt_id, job)
        if job is not None and found is not None:
            if not found.state.ended:
                self._listen(prompt_id, job.id)
            else:
                self._remember(self._outputs, prompt_id, words.outputs_of(job))
        return found

    async def cancel(self, prompt_id: str) -> bool:
        """See Pod.cancel."""
        job = await self._get(prompt_id)
        if job is None or job.status.value not in ("queued", "running", "canceling"):
            return False
        async with self._asking() as low:
            after = await low.cancel_job(job.id)
        return after.status.value not in ("succeeded", "failed")

    async def _post(self, graph: dict[str, Any], prompt_id: str) -> "Job":
        from comfy_low import ApiError
        from comfy_low.models import Job

        from comfydesk.engines.comfy_faults import api_error

        async with self._asking() as low:
            if not self._text_labels:
                try:
                    return await low.post_jobs(graph, idempotency_key=prompt_id, metadata={words.LABEL: prompt_id})
                except ApiError as error:
                    if error.http_status != 422 or "metadata" not in error.message:
                        raise
                self._text_labels = True  # refused before anything was made
            body = {"workflow": graph, "metadata": _text_label(prompt_id)}
            answer = await low.raw_request("POST", "/jobs", headers={"Idempotency-Key": prompt_id}, json=body)
            if answer.status_code != 201:
                raise api_error(answer)
            job = Job.model_validate(answer.json())
        if not words.is_id(job.id):
            raise NotComfyError("The service took the job without telling its id")
        return job

    async def _get(self, prompt_id: str) -> "Job | None":
        """The job that we call `prompt_id`, as it is there; None: nobody knows it."""
        there = self._there.get(prompt_id, prompt_id)
        for attempt in ("by its id", "by its label"):
            if attempt == "by its label":
                there = await self._find(prompt_id)
                if not there:
                    return None
            try:
                async with self._asking() as low:
                    return await low.get_job(there)
            except PodStatusError as error:
                if error.status != 404:
                    raise
        return None

    async def _find(self, prompt_id: str) -> str:
        """The id there of the job that has our label; empty if none has, or labels are not kept."""
        async with self._asking() as low:
            page = await low.list_jobs(metadata={words.LABEL: prompt_id}, limit=50)
        jobs = page.get("jobs")
        for item in jobs if isinstance(jobs, list) else ():
            label = item.get("metadata") if isinstance(item, dict) else None
            ours = label == _text_label(prompt_id) or (isinstance(label, dict) and label.get(words.LABEL) == prompt_id)
            if ours and words.is_id(item.get("id")):
                self._remember(self._there, prompt_id, str(item["id"]))
                return str(item["id"])
        return ""

    # --- Live events ----------------------------------------------------------------------------------------------

    def _listen(self, name: str, there: str) -> None:
        """Hear of it live, if there is room. A stream that ends early is begun anew at the next look at the job."""
        if self._watching is None or name in self._streams or len(self._streams) >= MAX_STREAMS:
            return
        task = asyncio.get_running_loop().create_task(self._hear(name, there), name=f"events of {there}")
        self._streams[name] = task
        streams = self._streams
        task.add_done_callback(lambda _: streams.pop(name, None))

    async def _hear(self, name: str, there: str) -> None:
        with suppress(PodError):  # what is missed is polled
            async with (
                self._asking(deadline=None) as low,
                aclosing(cast("AsyncGenerator[RawEvent]", low.get_job_events(there))) as stream,
            ):
                async for raw in stream:
                    for event in words.events_of(name, raw):
                        self._publish(self.events, event)
                    if words.is_end(raw):
                        break

    # --- Files ----------------------------------------------------------------------------------------------------

    async def upload(self, path: Path) -> str:
        """See Pod.upload. What is there already, by its BLAKE3 hash, is not sent again. Raises MediaError."""
        try:
            async with self._asking(deadline=UPLOAD_DEADLINE) as low:
                from comfy_sdk.assets import AsyncAssetFactory

                asset = AsyncAssetFactory(low).from_file(path)
                await asyncio.to_thread(lambda: asset.hash)  # it would hash on the loop
                found = await asset.commit()
        except OSError as error:
            what = f"{path.name} cannot be read"
            raise MediaError(what, error.strerror or "") from error
        if not words.is_id(found):
            raise NotComfyError("The service took the file without telling its id")
        return words.asset_value(found, path.name)

    async def fetch(self, file: RemoteFile, destination: Path, *, fresh: bool = False) -> Fetched:
        """See Pod.fetch. Size and BLAKE3 hash are checked where the service tells them."""
        output = await self._output(file)
        async with self._call() as address:
            hosted = Hosted(address, self._spot)
            try:
                downloads = Downloads(hosted, self._timing, self._identity)
                return await downloads.fetch(file, destination, fresh=fresh, check=partial(_is_intact, output))
            finally:
                await hosted.close()

    async def stat(self, file: RemoteFile) -> RemoteStat:
        output = await self._output(file)
        return RemoteStat(output.size_bytes or None, output.hash or "")

    async def _output(self, file: RemoteFile) -> "Output":
        """Raises PodStatusError 404: it is gone."""
        known = self._outputs.get(file.job)
        if known is None:
            job = await self._get(file.job) if file.job else None
            known = {} if job is None else words.outputs_of(job)
            self._remember(self._outputs, file.job, known)
        if file.filename not in known:
            self._outputs.pop(file.job, None)
            what = f"{file.filename} is no longer there (404)"
            raise PodStatusError(404, what, "Results are kept for a while only")
        return known[file.filename]

    async def _spot(self, file: RemoteFile) -> Spot:
        """Clouds redirect to a signed URL, which takes no key of ours; a proxy has the bytes itself."""
        output = await self._output(file)
        async with self._asking() as low:
            url, _ = await low.get_asset_content_url(output.id)
        ours, etag = await self._located(), '"' + hashlib.sha256(output.id.encode()).hexdigest() + '"'
        path = f"/api/v2/assets/{output.id}/content"
        if url == ours.http_url(path):
            return Spot(ours, path, etag=etag)
        found = stranger(url, ours)
        return Spot(found.address, found.path, found.query, etag)

    # --- Shared ---------------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def _asking(self, *, deadline: float | None = DEADLINE) -> "AsyncIterator[AsyncComfyLow]":
        """Around each call of the library: its faults in our words, and never without an end."""
        async with self._call() as address:
            from comfydesk.engines.comfy_faults import translated

            assert self._low is not None
            with translated(address):
                async with asyncio.timeout(deadline):
                    yield self._low

    @staticmethod
    def _remember(kept: "OrderedDict[str, Any]", name: str, value: Any) -> None:
        kept[name] = value
        while len(kept) > _REMEMBERED:
            kept.popitem(last=False)


def _key(address: "Address") -> str:
    return dict(address.headers).get("Authorization", "").removeprefix("Bearer ")


def _text_label(prompt_id: str) -> str:
    return f"{words.LABEL}:{prompt_id}"


def _is_intact(output: "Output", path: Path, size: int) -> bool:
    """Blocks: reads the file where a hash is known."""
    if output.size_bytes > 0 and output.size_bytes != size:
        return False
    kind, _, digest = (output.hash or "").partition(":")
    if kind != "blake3":
        return True
    from blake3 import blake3

    hasher = blake3()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            hasher.update(block)
    return hasher.hexdigest() == digest.lower()
