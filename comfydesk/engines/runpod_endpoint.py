"""A RunPod Serverless endpoint with worker-comfyui as an executor: /run, /status, /cancel, /health.

RunPod mints the ids and knows no key against repetition, so a POST whose answer was lost is never sent again here: it
is SubmissionUnknownError, and what to do is the user's choice. Pictures travel inside the request and the answer, as
base64; large results lie in a bucket, at a URL that the answer names. There are no live events: jobs are polled.
"""

import asyncio
import base64
import hashlib
import json
import re
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from comfydesk.client.bodies import parse_json
from comfydesk.client.downloads import Downloads
from comfydesk.client.origin import SMALL, AnswerLostError, Limit, Origin
from comfydesk.client.part import Fetched, Part
from comfydesk.client.pod import RemoteStat
from comfydesk.client.remote import RemoteFile, RemoteJob
from comfydesk.client.submission import Accepted, SubmissionUnknownError
from comfydesk.engines import runpod_words as words
from comfydesk.engines.files import Hosted, Spot, stranger
from comfydesk.engines.polled import RECHECK, Locate, Polled
from comfydesk.errors import (
    AuthError,
    MediaError,
    NotComfyError,
    PodStatusError,
    PodUnreachableError,
    PromptRejectedError,
)

if TYPE_CHECKING:
    from comfydesk.client.address import Address
    from comfydesk.client.link import Timing

STATUS = Limit(64 << 20, 120)
"""Of an answer with pictures in it."""
RUN = Limit(1 << 20, 60)
MAX_INPUT = 7 * 1000 * 1000
"""Bytes of an input file: as base64 it is a third longer, and the whole request may have 10 MB."""
KEPT = 48 << 20
"""Characters of finished jobs' pictures that are kept until they are saved."""
_INPUT = re.compile(r"comfydesk-[0-9a-f]{64}(\.[a-z0-9]{1,8})?\Z")


class Endpoint(Polled):
    """See session.pods.executor.Executor. `identity` names it over all addresses, for unfinished downloads."""

    def __init__(
        self, locate: Locate, *, identity: str = "", timing: "Timing | None" = None, recheck: float = RECHECK
    ) -> None:
        super().__init__(locate, timing=timing, recheck=recheck)
        self._identity = identity
        self._timing = timing
        self._origin: Origin | None = None
        self._inputs: dict[str, Path] = {}
        """Name for the graph → the file here."""
        self._results: OrderedDict[str, tuple[words.Result, ...]] = OrderedDict()

    # --- The link -------------------------------------------------------------------------------------------------

    async def check(self) -> str:
        """See Polled.check."""
        status, document = await self._ask("GET", "/health")
        if status == 200:
            return words.health_words(document)
        raise self._refusal(status, document)

    @property
    def has_jobs_route(self) -> bool:
        """It mints ids of its own."""
        return False

    async def object_info(self) -> dict[str, Any] | None:
        """Workers list no nodes."""
        return None

    async def _enter(self, address: "Address") -> None:
        self._origin = Origin(address)

    async def _leave(self) -> None:
        origin, self._origin = self._origin, None
        if origin is not None:
            await origin.close()

    # --- Jobs -----------------------------------------------------------------------------------------------------

    async def submit(
        self,
        graph: Mapping[str, Any],
        *,
        prompt_id: str,
        workflow: Mapping[str, Any] | None = None,
        resend: bool = False,
    ) -> Accepted:
        """See Pod.submit. The UI document stays here: the worker takes none."""
        del prompt_id, workflow, resend
        body = await asyncio.to_thread(self._body, graph)
        try:
            status, document = await self._ask("POST", "/run", RUN, body)
        except AnswerLostError as error:
            raise _unknown(error.what) from error
        except NotComfyError as error:  # it said yes in some shape, or a proxy before it did
            raise _unknown(error.what) from error
        if status in (200, 201, 202):
            found = document.get("id") if isinstance(document, Mapping) else None
            if isinstance(found, str) and 0 < len(found) <= 200:
                return Accepted(found)
            raise _unknown("RunPod took the job without telling its id")
        if status == 400:
            said = self._refusal(status, document)
            raise PromptRejectedError("RunPod refused the job", said.why, {}, {})
        if status >= 500:  # whether it is in the queue, nobody says
            raise _unknown(self._refusal(status, document).what)
        raise self._refusal(status, document)

    async def job(self, prompt_id: str) -> RemoteJob | None:
        """See Pod.job. None: RunPod does not know it; results are kept there for 30 minutes."""
        document = await self._status(prompt_id)
        if document is None:
            return None
        found = words.remote_job(prompt_id, document)
        if found.outputs:
            self._keep(prompt_id, words.results_of(document))
        return found

    async def cancel(self, prompt_id: str) -> bool:
        """See Pod.cancel."""
        status, document = await self._ask("POST", f"/cancel/{quote(prompt_id, safe='')}", body=b"{}")
        if status in (400, 404, 409):  # unknown, or over
            return False
        if status != 200:
            raise self._refusal(status, document)
        return isinstance(document, Mapping) and document.get("status") == "CANCELLED"

    # --- Files ----------------------------------------------------------------------------------------------------

    async def upload(self, path: Path) -> str:
        """See Pod.upload. It travels with each job that uses it; its name here is its content's."""
        return await asyncio.to_thread(self._take_in, path)

    async def fetch(self, file: RemoteFile, destination: Path, *, fresh: bool = False) -> Fetched:
        """See Pod.fetch. PodStatusError 404: it is gone from RunPod, or was never there."""
        result = await self._result(file)
        if result.base64:
            return await asyncio.to_thread(_written, result, destination, self._identity)
        return await self._from_bucket(file, result, destination, fresh=fresh)

    async def stat(self, file: RemoteFile) -> RemoteStat:
        result = await self._result(file)
        if not result.base64:
            return RemoteStat(None, "")
        data = await asyncio.to_thread(result.decode)
        return RemoteStat(len(data), _etag(hashlib.sha256(data).hexdigest()))

    async def _from_bucket(self, file: RemoteFile, result: words.Result, destination: Path, *, fresh: bool) -> Fetched:
        near = await self._located()

        async def spot(_: RemoteFile) -> Spot:
            return stranger(result.url, near)

        hosted = Hosted(near, spot)
        try:
            downloads = Downloads(hosted, self._timing, self._identity + file.job)
            return await downloads.fetch(file, destination, fresh=fresh)
        except AuthError as error:  # the bucket's word, not RunPod's: what was signed has run out
            what = f"{file.filename} is no longer to be had from its bucket"
            raise PodStatusError(410, what, error.what, "Run the job again") from error
        finally:
            await hosted.close()

    def _take_in(self, path: Path) -> str:
        data = _read(path)
        name = f"comfydesk-{hashlib.sha256(data).hexdigest()}{path.suffix.lower()}"
        if not _INPUT.match(name):
            name = name.partition(".")[0]
        self._inputs[name] = path
        return name

    def _body(self, graph: Mapping[str, Any]) -> bytes:
        """Blocks: reads the inputs. PromptRejectedError: one was not uploaded since the program started."""
        names = {value for spec in graph.values() for value in _texts(spec) if _INPUT.match(value)}
        images = []
        for name in sorted(names):
            path = self._inputs.get(name)
            data = b"" if path is None else _read(path)
            if path is None or hashlib.sha256(data).hexdigest() not in name:
                self._inputs.pop(name, None)
                raise PromptRejectedError("An input has to be sent again", "", {}, {})
            images.append({"name": name, "image": base64.b64encode(data).decode()})
        task: dict[str, Any] = {"workflow": dict(graph)}
        body = json.dumps({"input": task | ({"images": images} if images else {})}).encode()
        if len(body) > words.MAX_REQUEST:
            what = "The job is more than RunPod takes in one request"
            raise MediaError(what, f"{len(body) / 1e6:.1f} MB of 10 MB", "Use smaller pictures")
        return body

    async def _result(self, file: RemoteFile) -> words.Result:
        if file.job not in self._results:
            document = await self._status(file.job) if file.job else None
            self._keep(file.job, words.results_of(document))
        known = {result.name: result for result in self._results.get(file.job, ())}
        if file.filename not in known:
            self._results.pop(file.job, None)
            what = f"RunPod no longer has {file.filename} (404)"
            raise PodStatusError(404, what, "It keeps results for 30 minutes after a job has ended")
        return known[file.filename]

    def _keep(self, job: str, results: tuple[words.Result, ...]) -> None:
        """The last ones, so that a job with many files is not asked for as often as it has files."""
        self._results.pop(job, None)
        self._results[job] = results
        while len(self._results) > 1 and sum(map(_weight, self._results.values())) > KEPT:
            self._results.popitem(last=False)

    # --- Shared ---------------------------------------------------------------------------------------------------

    async def _status(self, job: str) -> Any | None:
        status, document = await self._ask("GET", f"/status/{quote(job, safe='')}", STATUS)
        if status == 404:
            return None
        if status != 200:
            raise self._refusal(status, document)
        return document

    async def _ask(self, method: str, path: str, limit: Limit = SMALL, body: bytes | None = None) -> tuple[int, Any]:
        """Status and document; None where an error's body is no JSON. NotComfyError: a success that is none."""
        async with self._call():
            assert self._origin is not None
            kind = "application/json" if body is not None else ""
            answer = await self._origin.exchange(method, path, limit, content=body, content_type=kind)
            try:
                document = await parse_json(answer.body)
            except ValueError:
                if 200 <= answer.status < 300:
                    raise NotComfyError("RunPod answered with something that is no JSON", "", "Try again") from None
                document = None
            if answer.status in (401, 403):
                raise self._refusal(answer.status, document)
        return answer.status, document

    def _refusal(self, status: int, document: Any) -> Any:
        endpoint = self.address.prefix.rpartition("/")[2] if self.address is not None else ""
        return words.refusal(status, document, endpoint)


def _unknown(why: str) -> SubmissionUnknownError:
    what = "RunPod did not answer when the job was sent"
    return SubmissionUnknownError(what, f"{why}; it is not known whether the job arrived", "Look at its page at RunPod")


def _texts(spec: Any) -> list[str]:
    inputs = spec.get("inputs") if isinstance(spec, Mapping) else None
    return [value for value in inputs.values() if isinstance(value, str)] if isinstance(inputs, Mapping) else []


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_INPUT:
            what = f"{path.name} is larger than a serverless job may bring along"
            raise MediaError(what, f"the limit is {MAX_INPUT // 10**6} MB", "Use a smaller file")
        return path.read_bytes()
    except OSError as error:
        what = f"{path.name} cannot be read"
        raise MediaError(what, error.strerror or "") from error


def _weight(results: tuple[words.Result, ...]) -> int:
    return sum(len(result.base64) for result in results)


def _etag(sha256: str) -> str:
    return f'"{sha256}"'


def _written(result: words.Result, destination: Path, identity: str) -> Fetched:
    """Blocks. Whole under its name, or not there at all."""
    data = result.decode()
    if not data:
        raise PodUnreachableError("The worker sent an empty file", result.name)
    part = Part(destination, hashlib.sha256(f"{identity}\0{result.name}".encode()).hexdigest()[:8])
    try:
        part.open()
        part.restart(_etag(hashlib.sha256(data).hexdigest()))
        part.check_room(len(data))
        part.write([data])
        return part.finish()
    except BaseException:
        part.discard()
        raise
    finally:
        part.close()
