"""What every provider's client holds to: the key goes to one origin, nothing is deleted, each failure has words."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from aiohttp import web

import comfydesk.hosts
from comfydesk.credentials import Secret
from comfydesk.errors import AnswerTooLargeError, AuthError, PodError, PodStatusError, PodUnreachableError, UsageError
from comfydesk.hosts import api as hosts_api
from comfydesk.hosts.api import ApiClient
from comfydesk.hosts.protocol import BusyHostError
from comfydesk.hosts.runpod import RUNPOD
from tests.unit.hosts.fake_apis import KEY, FakeApi, FakeRunPod, Handler, always, never, problem


@asynccontextmanager
async def client(fault: Handler | None = None, *, deadline: float = 5) -> AsyncIterator[tuple[FakeApi, ApiClient]]:
    async with FakeRunPod() as fake:
        fake.fault = fault
        transport = httpx.AsyncHTTPTransport(verify=False)
        api = ApiClient(RUNPOD, Secret(KEY), base_url=f"{fake.url}/v2", transport=transport, deadline=deadline)
        try:
            yield fake, api
        finally:
            await api.close()


async def refused(fault: Handler, *, deadline: float = 5) -> PodError:
    async with client(fault, deadline=deadline) as (_, api):
        with pytest.raises(PodError) as caught:
            await api.get("pods", about="abc123")
    assert KEY not in str(caught.value)
    return caught.value


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (400, PodStatusError, "refused the request (400). The detail"),
        (401, AuthError, "does not accept the API key. The detail. Make a new one under RunPod → Settings → API Keys"),
        (402, PodStatusError, "has no credit left"),
        (403, AuthError, "may not do that at RunPod"),
        (404, PodStatusError, "RunPod knows no pod abc123"),
        (409, PodStatusError, "cannot do that now with abc123"),
        (429, BusyHostError, "asked too often"),
        (500, PodStatusError, "in trouble (500)"),
        (503, PodStatusError, "in trouble (503)"),
        (524, PodStatusError, "in trouble (524)"),
    ],
)
async def test_each_status_has_its_words(status: int, kind: type[PodError], words: str) -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        return problem(status, "the detail")

    error = await refused(answer)
    assert type(error) is kind
    assert words in str(error)


async def test_429_carries_the_providers_wish() -> None:
    error = await refused(always(429, headers={"Retry-After": "17"}))
    assert isinstance(error, BusyHostError)
    assert (error.retry_after, error.advice) == (17, "Wait 17 s and try again")
    error = await refused(always(429, headers={"Retry-After": "Fri, 31 Dec 1999 23:59:59 GMT"}))
    assert isinstance(error, BusyHostError)
    assert error.retry_after is None


async def test_the_key_is_not_repeated_when_the_provider_does() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        return problem(400, f"bad header {request.headers['Authorization']}")

    assert "Bad header Bearer …" in str(await refused(answer))


async def test_a_redirect_gets_no_key() -> None:
    async with FakeApi() as elsewhere:
        error = await refused(always(302, headers={"Location": f"{elsewhere.url}/v2/pods"}))
        assert "redirected the request elsewhere (302)" in str(error)
        assert elsewhere.requests == []


async def test_silence_ends_at_the_deadline() -> None:
    error = await refused(never, deadline=0.1)
    assert isinstance(error, PodUnreachableError)
    assert "does not answer. No whole answer came in 0.1 s" in str(error)


async def test_a_slow_drip_ends_at_the_deadline() -> None:
    import asyncio

    async def drip(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(1000):
            await response.write(b" ")
            await asyncio.sleep(0.02)
        return response

    assert isinstance(await refused(drip, deadline=0.2), PodUnreachableError)


async def test_an_answer_is_measured_after_decompression(monkeypatch: pytest.MonkeyPatch) -> None:
    import gzip

    monkeypatch.setattr(hosts_api, "MAX_ANSWER", 2**20)
    bomb = gzip.compress(b" " * 2**22)
    error = await refused(always(200, bomb, {"Content-Encoding": "gzip"}))
    assert isinstance(error, AnswerTooLargeError)
    assert "more than 1 MiB" in str(error)


@pytest.mark.parametrize("body", [b"<html>Sign in</html>", b"[" * 100_000, b"\xff\xfe"])
async def test_what_is_no_json_is_said_so(body: bytes) -> None:
    assert "no JSON" in str(await refused(always(200, body)))


@pytest.mark.parametrize("body", [b"<html>" + b"x" * 10**6, b'"text"', b'{"detail": {"a": 1}}', b"[" * 100_000])
async def test_an_error_page_of_any_shape_has_words(body: bytes) -> None:
    assert "in trouble (502)" in str(await refused(always(502, body)))


async def test_nobody_there() -> None:
    async with FakeApi() as fake:
        gone = fake.url
    api = ApiClient(RUNPOD, Secret(KEY), base_url=gone, transport=httpx.AsyncHTTPTransport(verify=False))
    with pytest.raises(PodUnreachableError, match="RunPod cannot be reached"):
        await api.get("pods")
    await api.close()


@pytest.mark.parametrize(
    "url", ["http://api.runpod.io/v2", "ftp://127.0.0.1", "http://10.0.0.1", "http://localhost.evil"]
)
def test_the_key_travels_encrypted_or_not_at_all(url: str) -> None:
    with pytest.raises(UsageError, match="https://"):
        ApiClient(RUNPOD, Secret(KEY), base_url=url)


@pytest.mark.parametrize("key", ["", "two words", "line\nbreak", "schlüssel"])
def test_what_cannot_be_a_key_is_refused_before_it_is_sent(key: str) -> None:
    with pytest.raises(AuthError):
        ApiClient(RUNPOD, Secret(key), base_url="https://api.runpod.io/v2")


def test_no_code_of_the_room_can_terminate_a_pod() -> None:
    """The methods that leave are GET, POST and PUT with three states; the words for the end of a pod are never sent."""
    sources = {path.name: path.read_text() for path in Path(comfydesk.hosts.__path__[0]).glob("*.py")}
    assert {"api.py", "runpod.py", "vast.py"} <= set(sources)
    for name, source in sources.items():
        assert not re.findall(r"""["'](?i:delete|terminate|destroy|remove)["']|\.delete\(|DELETE["']""", source), name
