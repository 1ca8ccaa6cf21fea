"""ComfyUI's HTTP routes, one method each.

Prefers /api, where every core route has a twin. Limits stand with the routes; `client.origin` enforces them.
"""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any
from urllib.parse import quote

from comfydesk.client.address import Address
from comfydesk.client.answers import Answer, refusal
from comfydesk.client.bodies import parse_json
from comfydesk.client.network import Network
from comfydesk.client.origin import SMALL, Incoming, Limit, Origin, Transport
from comfydesk.client.remote import RemoteFile
from comfydesk.errors import PodError, PodStatusError, PromptRejectedError

PROMPT = Limit(16 << 20, 110)
"""Validation can rescan model folders; Cloudflare gives up after 100 s."""
HISTORY = Limit(64 << 20, 60)
OBJECT_INFO = Limit(128 << 20, 180)
TEMPLATES = Limit(32 << 20, 60)
_JSON, _BINARY = "application/json", "application/octet-stream"


class RouteMissingError(PodStatusError):
    """This server has no such route: an older ComfyUI, or something else."""


class Rest:
    """One pod over HTTP. Closing is the owner's duty. `network` is made at the first need unless given.

    `address` None: not known before `move`; requests raise PodUnreachableError until then.
    """

    def __init__(
        self, address: Address | None, *, transport: Transport | None = None, network: Network | None = None
    ) -> None:
        self._origin = Origin(address, transport=transport, network=network)

    @property
    def address(self) -> Address:
        """Where the pod is now. Raises PodUnreachableError while that is not known."""
        return self._origin.address

    async def move(self, address: Address) -> None:
        """The pod is elsewhere now. Requests to the old place end with AnswerLostError."""
        await self._origin.move(address)

    @property
    def network(self) -> Network:
        """Trust and proxy server, shared with the WebSocket."""
        return self._origin.network

    async def close(self) -> None:
        """End all connections. May be called twice; a later call opens them again."""
        await self._origin.close()

    async def leave(self) -> None:
        """Close, and refuse requests (PodUnreachableError) until `enter`."""
        await self._origin.leave()

    def enter(self) -> None:
        """Take requests again."""
        self._origin.enter()

    # --- About the server -----------------------------------------------------------------------------------------

    async def system_stats(self) -> Any:
        return await self._get("/api/system_stats")

    async def features(self) -> Any:
        return await self._get("/api/features")

    async def object_info(self, *, deadline: float | None = None) -> Any:
        """Every node class of the server: 750 KB and more, tens of seconds on a busy pod."""
        return await self._get("/api/object_info", OBJECT_INFO._replace(deadline=deadline or OBJECT_INFO.deadline))

    async def object_info_of(self, node_class: str) -> Any:
        """One class; `{}` if unknown."""
        return await self._get(f"/api/object_info/{_segment(node_class)}")

    async def models(self) -> Any:
        return await self._get("/api/models")

    async def models_in(self, folder: str) -> Any:
        return await self._get(f"/api/models/{_segment(folder)}")

    async def logs(self) -> Any:
        """The tail of the server's log; declared unstable by ComfyUI."""
        return await self._get("/internal/logs")

    async def free(self, *, unload_models: bool, free_memory: bool) -> None:
        await self._call("POST", "/api/free", body={"unload_models": unload_models, "free_memory": free_memory})

    async def raw(self, path: str, *, limit: Limit = SMALL) -> Answer:
        """An answer as it is, whatever its status: for the probe, and what is no JSON. Raises only when none came."""
        return await self._origin.exchange("GET", path, limit, cut=True)

    # --- Jobs -----------------------------------------------------------------------------------------------------

    async def submit(self, body: Mapping[str, Any]) -> Any:
        """POST /prompt. PromptRejectedError carries the server's own error and node_errors."""
        answer = await self._origin.exchange("POST", "/api/prompt", PROMPT, content=_encode(body), content_type=_JSON)
        if answer.status == 400:
            raise await _rejection(answer, self.address)
        return await self._parsed(answer)

    async def prompt_info(self) -> Any:
        """`{"exec_info": {"queue_remaining": n}}`: the cheapest sign of life."""
        return await self._get("/api/prompt")

    async def queue(self) -> Any:
        return await self._get("/api/queue", HISTORY)

    async def history(self, prompt_id: str) -> Any:
        """`{}` both for unknown and for unfinished."""
        return await self._get(f"/api/history/{_segment(prompt_id)}", HISTORY)

    async def history_page(self, limit: int, offset: int) -> Any:
        """Some of it, the oldest first, graphs included."""
        query = {"max_items": str(limit), "offset": str(offset)}
        return await self._get("/api/history", HISTORY, query=query)

    async def job(self, prompt_id: str) -> Any | None:
        """GET /api/jobs/{id}; None when the pod knows no such job. RouteMissingError on older servers."""
        answer = await self._origin.exchange("GET", f"/api/jobs/{_segment(prompt_id)}", HISTORY)
        if answer.status == 404 and answer.body.lstrip()[:1] == b"{":
            return None
        return await self._parsed(answer)

    async def cancel(self, prompt_id: str) -> bool:
        """Whether it ran or waited, and now ends. RouteMissingError on older servers."""
        document = await self._parsed(await self._call("POST", f"/api/jobs/{_segment(prompt_id)}/cancel"))
        return isinstance(document, dict) and document.get("cancelled") is True

    async def delete_queued(self, prompt_id: str) -> None:
        """Take one out of the queue. The answer is the same whether it was in there or not."""
        await self._call("POST", "/api/queue", body={"delete": [prompt_id]})

    async def interrupt(self, prompt_id: str) -> None:
        """Servers before late 2025 ignore the id and interrupt whatever runs: look at the queue first."""
        if not prompt_id:
            msg = "an interrupt without an id would hit whoever is running"
            raise ValueError(msg)
        await self._call("POST", "/api/interrupt", body={"prompt_id": prompt_id})

    # --- Files ----------------------------------------------------------------------------------------------------

    def view(self, file: RemoteFile, *, offset: int = 0, etag: str = "") -> AbstractAsyncContextManager[Incoming]:
        """A file, raw; from `offset` if it still has that ETag, else from the start. No deadline in all."""
        query = {"filename": file.filename, "subfolder": file.subfolder, "type": file.type}
        return self._origin.download("/api/view", query, offset=offset, etag=etag, html=_is_page(file))

    async def stat(self, file: RemoteFile) -> Answer:
        """HEAD of /view: only `etag` and `length` of the answer are of use. PodStatusError 404 when it is gone."""
        query = {"filename": file.filename, "subfolder": file.subfolder, "type": file.type}
        answer = await self._origin.exchange("HEAD", "/api/view", query=query)
        if answer.status != 200 or ("html" in answer.content_type and not _is_page(file)):
            raise refusal(answer, self.address)
        return answer

    async def preview(self, file: RemoteFile) -> bytes:
        """A picture as a WebP of its own size. The server makes it on its event loop: ask for two at once at most."""
        query = {"filename": file.filename, "subfolder": file.subfolder, "type": file.type, "preview": "webp;70"}
        answer = await self._origin.exchange("GET", "/api/view", HISTORY, query=query)
        self._check(answer)
        return answer.body

    async def files(self, type_: str) -> Any:
        """`["name [output]", …]`, the newest first; not what lies in subfolders. Internal to ComfyUI."""
        return await self._get(f"/internal/files/{_segment(type_)}", HISTORY)

    async def upload(self, content: AsyncIterator[bytes], *, length: int, content_type: str) -> Any:
        """POST /upload/image with a ready multipart body. The answer's name is the one to use."""
        answer = await self._origin.upload("/api/upload/image", content, length=length, content_type=content_type)
        return await self._parsed(answer)

    async def userdata(self, folder: str) -> Any:
        """What is in a folder of the user's: `[{path, size, modified}]`."""
        query = {"dir": folder, "recurse": "true", "full_info": "true"}
        return await self._get("/api/userdata", SMALL, query=query)

    async def read_userdata(self, path: str) -> bytes:
        return (await self._call("GET", f"/api/userdata/{_segment(path)}", HISTORY)).body

    async def write_userdata(self, path: str, data: bytes, *, overwrite: bool) -> None:
        """PodStatusError 409 when it is there and `overwrite` is not set."""
        query = {"overwrite": "true" if overwrite else "false"}
        answer = await self._origin.exchange(
            "POST", f"/api/userdata/{_segment(path)}", SMALL, query=query, content=data, content_type=_BINARY
        )
        self._check(answer)

    async def delete_userdata(self, path: str) -> None:
        await self._call("DELETE", f"/api/userdata/{_segment(path)}")

    async def templates_index(self) -> Any:
        """The official templates. The one core route that has no twin under /api."""
        return await self._get("/templates/index.json", TEMPLATES)

    async def template(self, name: str) -> bytes:
        """`<name>.json`, or a picture such as `<name>-1.webp`."""
        return (await self._call("GET", f"/templates/{_segment(name)}", TEMPLATES)).body

    async def workflow_templates(self) -> Any:
        """Examples of custom nodes: package → names."""
        return await self._get("/api/workflow_templates")

    async def example(self, package: str, file: str) -> bytes:
        """A file of a custom node's examples: `<name>.json`, `<name>.jpg`."""
        path = f"/api/workflow_templates/{_segment(package)}/{_segment(file)}"
        return (await self._call("GET", path, TEMPLATES)).body

    async def blueprints(self) -> Any:
        """id → `{name, source, info}`. Older servers: RouteMissingError."""
        return await self._get("/api/global_subgraphs", TEMPLATES)

    async def blueprint(self, key: str) -> Any:
        """The same with `data`, the text of its workflow file."""
        return await self._get(f"/api/global_subgraphs/{_segment(key)}", TEMPLATES)

    async def move_userdata(self, path: str, to: str) -> None:
        """Rename. PodStatusError 409 when `to` is there."""
        query = {"overwrite": "false"}
        route = f"/api/userdata/{_segment(path)}/move/{_segment(to)}"
        self._check(await self._origin.exchange("POST", route, SMALL, query=query))

    async def model_files(self, folder: str) -> Any:
        """`[{name, pathIndex, size, modified}]` of a model folder. The server looks at each file: not cheap."""
        return await self._get(f"/api/experiment/models/{_segment(folder)}", HISTORY)

    async def model_preview(self, folder: str, index: int, name: str) -> bytes:
        """The picture beside a model (WebP)."""
        return (
            await self._call("GET", f"/api/experiment/models/preview/{_segment(folder)}/{index}/{quote(name)}")
        ).body

    async def folder_paths(self) -> Any:
        """Model folder → its absolute paths on the pod. Internal to ComfyUI."""
        return await self._get("/internal/folder_paths")

    async def manager(self, route: str, body: Mapping[str, Any] | None = None) -> Any:
        """ComfyUI-Manager's routes below /v2/manager: GET without a body."""
        if body is None:
            return await self._get(f"/v2/manager/{route}")
        answer = await self._call("POST", f"/v2/manager/{route}", body=body)
        return await self._parsed(answer) if answer.body.strip() else None

    # --- Shared ---------------------------------------------------------------------------------------------------

    async def _get(self, path: str, limit: Limit = SMALL, *, query: Mapping[str, str] | None = None) -> Any:
        return await self._parsed(await self._origin.exchange("GET", path, limit, query=query))

    async def _call(
        self, method: str, path: str, limit: Limit = SMALL, *, body: Mapping[str, Any] | None = None
    ) -> Answer:
        content = None if body is None else _encode(body)
        answer = await self._origin.exchange(method, path, limit, content=content, content_type=_JSON)
        self._check(answer)
        return answer

    async def _parsed(self, answer: Answer) -> Any:
        self._check(answer)
        try:
            return await parse_json(answer.body)
        except ValueError as error:
            raise refusal(answer, self.address) from error

    def _check(self, answer: Answer) -> None:
        if 200 <= answer.status < 300 and not answer.is_html:
            return
        error = refusal(answer, self.address)
        if answer.status in (404, 405) and type(error) is PodStatusError and not answer.is_html:
            raise RouteMissingError(answer.status, error.what, error.why, error.advice)
        raise error


def _is_page(file: RemoteFile) -> bool:
    return file.filename.lower().endswith((".html", ".htm"))


def _segment(text: str) -> str:
    """`text` as one segment of a path: a slash becomes %2F, as /userdata wants it."""
    return quote(text, safe="")


def _encode(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body).encode()


async def _rejection(answer: Answer, address: Address) -> PodError:
    try:
        document = await parse_json(answer.body)
    except ValueError:
        return refusal(answer, address)
    error = document.get("error") if isinstance(document, dict) else None
    if not isinstance(error, dict):
        return refusal(answer, address)
    nodes = document.get("node_errors")
    words = [error.get("message"), error.get("details")]
    return PromptRejectedError(
        "The pod rejected the workflow",
        ": ".join(text for text in words if isinstance(text, str) and text),
        error,
        nodes if isinstance(nodes, dict) else {},
    )
