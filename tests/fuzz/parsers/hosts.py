"""Answers of RunPod, Vast.ai, RunPod Serverless and Comfy API v2, as bytes behind their API clients."""

import asyncio
import functools
import json
from random import Random

import httpx

from comfydesk.client.remote import RemoteJob
from comfydesk.credentials import Secret
from comfydesk.engines import comfy_faults, comfy_words, runpod_words
from comfydesk.errors import KnownError
from comfydesk.hosts.runpod import RunPod
from comfydesk.hosts.vast import VastAi
from tests.fuzz import material
from tests.fuzz.harness import Harness
from tests.fuzz.mutate import json_of

KEY = "rpa_s3cr3ts3cr3t"
_STATUS = (200, 200, 200, 200, 302, 400, 401, 402, 403, 404, 409, 429, 500, 503)


class Says(httpx.AsyncBaseTransport):
    """The network, and who is behind it."""

    def __init__(self) -> None:
        self.status = 200
        self.body = b""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(self.status, content=self.body, headers={"retry-after": self.body[:5].hex()})


@functools.cache
def _loop() -> asyncio.AbstractEventLoop:
    return asyncio.new_event_loop()


def take(data: bytes) -> None:
    """The first byte is the status, the others are the body."""
    says = Says()
    says.status, says.body = _STATUS[(data[:1] or b"\0")[0] % len(_STATUS)], data[1:]
    refused = _loop().run_until_complete(_ask(says))
    assert KEY not in str(refused)
    try:
        document = json.loads(data[1:])
    except (ValueError, RecursionError):
        document = None
    for read in (_serverless, runpod_words.health_words, _refusals, _comfy):
        try:
            read(document)
        except KnownError as error:
            refused = error
    if refused is not None:
        raise refused


async def _ask(says: Says) -> KnownError | None:
    """Everything that can be asked; the last refusal."""
    refused: KnownError | None = None
    accounts = ((RunPod(Secret(KEY), transport=says), "abc123xyz"), (VastAi(Secret(KEY), transport=says), "10441302"))
    for account, pod in accounts:
        asking = (account.status, account.resolve, account.resolve_ssh, account.stop, account.start)
        for ask in (account.list, *(functools.partial(one, pod) for one in asking)):
            try:
                await ask()
            except KnownError as error:
                refused = error
        await account.close()
    return refused


def _serverless(document: object) -> None:
    job: RemoteJob = runpod_words.remote_job("j", document)
    assert len(job.outputs) <= 10_000
    for result in runpod_words.results_of(document):
        assert "/" not in result.name
        result.decode()


def _refusals(document: object) -> None:
    for status in (302, 400, 401, 404, 413, 429, 500):
        runpod_words.refusal(status, document, "e1")


def _comfy(document: object) -> None:
    answer = httpx.Response(400, json=None, content=json.dumps(document).encode())
    comfy_words.refusal(comfy_faults.api_error(answer))


def seeds() -> list[bytes]:
    runpod = json.loads((material.DATA / "hosts" / "runpod_pod.json").read_bytes())
    vast = json.loads((material.DATA / "hosts" / "vast_instance.json").read_bytes())
    picture = "iVBORw0KGgoAAAANSUhEUg=="
    made: list[object] = [
        runpod,
        {
            "pods": [runpod, runpod | {"id": "b2", "runtime": None}],
            "pagination": {"nextCursor": "x", "hasNextPage": True},
        },
        {"instances": [vast, vast | {"id": 2, "ports": None}], "next_token": "t"},
        {"success": False, "error": "no_resources", "msg": "no gpu"},
        {"title": "t", "detail": "There are no instances available"},
        {
            "id": "j",
            "status": "COMPLETED",
            "output": {"images": [{"filename": "a.png", "type": "base64", "data": picture}]},
        },
        {"id": "j", "status": "COMPLETED", "output": {"status": "success", "message": picture * 5, "errors": ["x"]}},
        {"id": "j", "status": "FAILED", "error": "boom", "output": {"details": ["a"]}},
        {"workers": {"ready": 1, "running": 2, "initializing": 0}, "jobs": {"inQueue": 3}},
        {
            "error": {
                "code": "invalid_workflow",
                "message": "m",
                "details": {"node_errors": {"3": [{"field": "f", "reason": "r"}]}},
            }
        },
    ]
    return [bytes([status]) + json.dumps(one).encode() for one in made for status in (0, 5, 11)]


def mutate(data: bytes, rng: Random) -> bytes:
    return bytes([rng.randrange(len(_STATUS))]) + json_of(data[1:], rng) if data else b"\0{}"


HARNESS = Harness(take, seeds, mutate, longest=12 << 10, smoke=25)
