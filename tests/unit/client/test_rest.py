"""Requests to a pod: capped, timed, never redirected, with credentials for one origin only. Real sockets."""

import asyncio
import gzip
import json
import logging
import math
import ssl
import tracemalloc
import zlib

import httpx
import pytest

from comfydesk.client import origin
from comfydesk.client.address import Address, Auth
from comfydesk.client.bodies import Inflate, parse_json
from comfydesk.client.link import Timing
from comfydesk.client.network import Network, proxy_for
from comfydesk.client.origin import SMALL, AnswerLostError, Limit
from comfydesk.client.remote import RemoteFile
from comfydesk.client.rest import Rest, RouteMissingError
from comfydesk.client.stream import dial
from comfydesk.errors import (
    AnswerTooLargeError,
    AuthError,
    NotComfyError,
    PodError,
    PodStatusError,
    PodUnreachableError,
    PromptRejectedError,
)
from tests.unit.client.conftest import Certificate, Reply, Traffic, Wire

SECRET = "S3CRET-t0ken"
EVERY_AUTH = [
    Auth.basic("me", SECRET),
    Auth.bearer(SECRET),
    Auth.of_headers({"CF-Access-Client-Id": "id", "CF-Access-Client-Secret": SECRET}),
    Auth.cookie(f"session={SECRET}"),
    Auth.query_token(SECRET),
]


def by_kind(auth: object) -> str:
    return str(auth.kind) if isinstance(auth, Auth) else ""


# --- Credentials --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("auth", EVERY_AUTH, ids=by_kind)
async def test_credentials_are_the_same_on_http_and_on_the_websocket(auth: Auth) -> None:
    async with Wire() as server:
        server.replies["/api/features"] = Reply.json({})
        address = Address.parse(server.url, auth=auth)
        rest = Rest(address)
        await rest.features()
        await rest.close()
        connection = await dial(address, "me", Network.to(address), Timing())
        await connection.close()
        http, ws = server.requests
    for name, value in auth.headers:
        assert http.headers[name.lower()] == ws.headers[name.lower()] == value
    for name, value in auth.query:
        assert f"{name}={value}" in http.target
        assert f"{name}={value}" in ws.target
    for request in (http, ws):
        assert "origin" not in request.headers
        assert not [name for name in request.headers if name.startswith("sec-fetch")]
        assert request.headers["user-agent"].startswith("ComfyDesk/")
    assert ws.target.startswith("/ws?clientId=me")
    assert "sec-websocket-extensions" not in ws.headers


@pytest.mark.parametrize("auth", EVERY_AUTH, ids=by_kind)
async def test_a_redirect_is_refused_and_its_target_hears_nothing(auth: Auth) -> None:
    async with Wire() as evil, Wire() as server:
        for path in ("/api/features", "/api/view", "/api/upload/image"):
            server.replies[path] = Reply.redirect(f"{evil.url}/steal")
        server.refuse_ws = Reply.redirect(f"{evil.url.replace('http', 'ws')}/ws")
        address = Address.parse(server.url, auth=auth)
        rest = Rest(address)
        with pytest.raises(PodStatusError, match="redirects to another place"):
            await rest.features()
        with pytest.raises(PodStatusError, match="redirects to another place"):
            async with rest.view(RemoteFile("a.png")):
                pass
        with pytest.raises(PodStatusError, match="redirects to another place"):
            await dial(address, "me", Network.to(address), Timing())
        await rest.close()
        assert evil.connections == 0


@pytest.mark.parametrize("auth", EVERY_AUTH, ids=by_kind)
async def test_no_log_at_any_level_shows_a_secret(auth: Auth, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with Wire() as server:
        server.replies["/api/features"] = Reply.json({})
        address = Address.parse(server.url, auth=auth)
        rest = Rest(address)
        await rest.features()
        with pytest.raises(PodStatusError) as caught:
            await rest.models()
        await rest.close()
        connection = await dial(address, "secret-client-id", Network.to(address), Timing())
        await connection.close()
    secrets = [SECRET, "secret-client-id", *(value for _, value in auth.headers)]
    texts = [caplog.text, repr(rest), repr(caught.value), str(caught.value)]
    assert not [secret for secret in secrets for text in texts if secret in text]


async def test_no_cookie_of_the_pod_is_kept() -> None:
    async with Wire() as server:
        server.replies["/api/features"] = Reply(b"{}", headers={"Set-Cookie": "track=me"})
        rest = Rest(Address.parse(server.url))
        await rest.features()
        await rest.features()
        await rest.close()
        assert "cookie" not in server.requests[1].headers


async def test_a_request_to_another_origin_cannot_even_be_made() -> None:
    address = Address.parse("http://pod.example:8188", auth=Auth.bearer(SECRET))
    reached: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        reached.append(request)
        return httpx.Response(200)

    same = origin._SameOrigin(httpx.MockTransport(answer), address, own=False)
    for url in ("http://evil.example:8188/", "https://pod.example:8188/", "http://pod.example:8189/"):
        with pytest.raises(AssertionError):
            await same.handle_async_request(httpx.Request("GET", url))
    assert not reached


# --- Caps and deadlines -------------------------------------------------------------------------------------------


async def test_a_bomb_is_capped_after_decompression() -> None:
    bomb = zlib.compressobj(9, wbits=31)
    packed = b"".join(bomb.compress(bytes(1 << 20)) for _ in range(300)) + bomb.flush()
    assert len(packed) < 1 << 20
    async with Wire() as server:
        server.replies["/api/features"] = Reply(packed, headers={"Content-Encoding": "gzip"})
        rest = Rest(Address.parse(server.url))
        tracemalloc.start()
        try:
            with pytest.raises(AnswerTooLargeError, match="16 MB"):
                await rest.features()
            assert tracemalloc.get_traced_memory()[1] < 4 * SMALL.cap
        finally:
            tracemalloc.stop()
            await rest.close()


@pytest.mark.parametrize("cap", [0, 1, 10, 11])
@pytest.mark.parametrize("encoding", ["", "gzip", "deflate"])
def test_a_cap_is_exact(cap: int, encoding: str) -> None:
    body = b"0123456789"
    packed = {"": body, "gzip": gzip.compress(body), "deflate": zlib.compress(body)}[encoding]
    inflate = Inflate(encoding, cap)
    cutting = Inflate(encoding, cap, cut=True)
    for i in range(len(packed)):
        cutting.feed(packed[i : i + 1])
    assert cutting.finish() == body[:cap]
    if cap < 10:
        with pytest.raises(AnswerTooLargeError):
            inflate.feed(packed)
    else:
        inflate.feed(packed)
        assert inflate.finish() == body


def test_damaged_and_unasked_compression_are_named() -> None:
    with pytest.raises(NotComfyError, match="damaged"):
        Inflate("gzip", 100).feed(b"no gzip")
    with pytest.raises(NotComfyError, match="nobody asked for"):
        Inflate("br", 100)


async def test_an_errors_body_is_cut_at_64_kb() -> None:
    async with Wire() as server:
        server.replies["/api/features"] = Reply(b"x" * (1 << 20), 500)
        rest = Rest(Address.parse(server.url))
        with pytest.raises(PodStatusError) as caught:
            await rest.features()
        await rest.close()
    assert len(str(caught.value)) < 400


async def test_a_drip_runs_into_the_deadline() -> None:
    """Each byte comes in time; the whole does not."""
    async with Wire() as server:
        server.replies["/x"] = Reply(b"{}", delay=5)
        rest = Rest(Address.parse(server.url))
        with pytest.raises(AnswerLostError, match="did not answer in time"):
            await rest.raw("/x", limit=Limit(100, 0.1))
        await rest.close()


# --- What is no answer --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "kind", "word"),
    [
        (b"", AnswerLostError, "in the middle"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", AnswerLostError, "in the middle"),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", NotComfyError, "does not speak HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: text/html\r\n\r\nok", NotComfyError, "no JSON"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n\xff\xfe\xfd\xfc", NotComfyError, "no JSON"),
    ],
)
async def test_what_is_no_json_over_http(raw: bytes, kind: type[PodError], word: str) -> None:
    async with Wire() as server:
        server.replies["/api/features"] = Reply(raw=raw)
        rest = Rest(Address.parse(server.url))
        with pytest.raises(PodError, match=word) as caught:
            await rest.features()
        await rest.close()
    assert type(caught.value) is kind


async def test_what_is_no_json_is_no_answer_to_a_cancel_either() -> None:
    async with Wire() as server:
        server.replies["/api/jobs/a/cancel"] = Reply(b"\xff cancelled")
        server.replies["/v2/manager/queue/start"] = Reply(b"[" * 100_000)
        rest = Rest(Address.parse(server.url))
        with pytest.raises(NotComfyError, match="no JSON"):
            await rest.cancel("a")
        with pytest.raises(NotComfyError, match="no JSON"):
            await rest.manager("queue/start", {})
        await rest.close()


async def test_nobody_listens() -> None:
    async with Wire() as server:
        address = Address.parse(server.url)
    rest = Rest(address)
    with pytest.raises(PodUnreachableError, match="refuses connections") as caught:
        await rest.features()
    assert not isinstance(caught.value, AnswerLostError), "nothing was sent: it is safe to send again"
    assert caught.value.exit_code == 3


async def test_nobody_is_known_by_that_name() -> None:
    with pytest.raises(PodUnreachableError, match=r"nowhere\.invalid"):
        await Rest(Address.parse("http://nowhere.invalid")).features()


@pytest.mark.parametrize("status", [404, 405])
async def test_a_missing_route_is_told_from_a_missing_job(status: int) -> None:
    async with Wire() as server:
        rest = Rest(Address.parse(server.url))
        server.replies["/api/jobs/a"] = Reply.json({"error": "Job not found"}, status=404)
        server.replies["/api/jobs/b"] = Reply(b"404: Not Found", status, {"Content-Type": "text/plain"})
        assert await rest.job("a") is None
        with pytest.raises(RouteMissingError):
            await rest.job("b")
        await rest.close()


async def test_a_page_in_place_of_a_picture_is_a_login() -> None:
    async with Wire() as server:
        server.replies["/api/view"] = Reply.html("<title>Log in</title>")
        rest = Rest(Address.parse(server.url))
        with pytest.raises(AuthError):
            async with rest.view(RemoteFile("a.png")):
                pass
        with pytest.raises(PodError, match=r"page|login|nothing"):
            await rest.stat(RemoteFile("a.png"))
        await rest.close()


# --- What goes over the wire --------------------------------------------------------------------------------------


async def test_paths_and_queries_arrive_as_comfyui_wants_them() -> None:
    async with Wire() as server:
        for path in ("/api/userdata/workflows%2Fa%20b.json", "/api/models/text_encoders", "/comfy/api/features"):
            server.replies[path] = Reply.json({})
        server.replies["/api/view"] = Reply(b"x")
        rest = Rest(Address.parse(server.url))
        assert await rest.read_userdata("workflows/a b.json") == b"{}"
        await rest.models_in("text_encoders")
        async with rest.view(RemoteFile("grüße &.png", "a/b", "temp")) as incoming:
            assert [chunk async for chunk in incoming.chunks()] == [b"x"]
        await rest.close()
        behind_a_prefix = Rest(Address.parse(server.url + "/comfy"))
        await behind_a_prefix.features()
        await behind_a_prefix.close()
        targets = [request.target for request in server.requests]
    assert targets[0] == "/api/userdata/workflows%2Fa%20b.json"
    assert targets[2] == "/api/view?filename=gr%C3%BC%C3%9Fe+%26.png&subfolder=a%2Fb&type=temp"


async def test_an_interrupt_of_nobody_in_particular_is_never_sent() -> None:
    async with Wire() as server:
        rest = Rest(Address.parse(server.url))
        with pytest.raises(ValueError, match="whoever is running"):
            await rest.interrupt("")
        assert not server.requests


async def test_a_rejection_carries_what_the_server_found(traffic: Traffic) -> None:
    line = traffic.scenario("val_value_bounds_and_type").http("/prompt", "POST")[0]
    async with Wire() as server:
        server.replies["/api/prompt"] = Reply(line["response"].encode(), 400, {"Content-Type": "application/json"})
        rest = Rest(Address.parse(server.url))
        with pytest.raises(PromptRejectedError, match="Prompt outputs failed validation") as caught:
            await rest.submit({"prompt": {}})
        await rest.close()
    assert caught.value.error["type"] == "prompt_outputs_failed_validation"
    assert {error["type"] for error in caught.value.node_errors["1"]["errors"]} >= {"value_bigger_than_max"}


async def test_a_400_of_something_else_is_no_rejection() -> None:
    async with Wire() as server:
        server.replies["/api/prompt"] = Reply.html("<h1>Bad request</h1>", 400)
        rest = Rest(Address.parse(server.url))
        with pytest.raises(PodStatusError) as caught:
            await rest.submit({"prompt": {}})
        await rest.close()
    assert caught.value.status == 400


# --- JSON ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 100_000])
async def test_json_keeps_nan_and_large_integers_small_or_large(size: int) -> None:
    document = await parse_json(
        b'{"seed": 18446744073709551615, "x": [NaN, -Infinity], "pad": "%s"}' % (b"a" * 3 * size)
    )
    assert document["seed"] == 2**64 - 1
    assert math.isnan(document["x"][0])


@pytest.mark.parametrize("body", [b"", b"{", b"[" * 300_000, b"9" * 5000, b"\xff" * 300_000])
async def test_what_is_no_json_is_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        await parse_json(body)


async def test_the_loop_turns_while_a_large_document_is_parsed() -> None:
    entry = {"input": {"required": {"seed": ["INT", {"min": 0, "max": 2**64 - 1}]}}, "name": "n" * 50}
    body = json.dumps({f"node {i}": entry for i in range(20_000)}).encode()
    parsing = asyncio.create_task(parse_json(body))
    turns = 0
    while not parsing.done():
        await asyncio.sleep(0)
        turns += 1
    assert len(parsing.result()) == 20_000
    assert turns > 5


# --- TLS and proxy servers ----------------------------------------------------------------------------------------


async def test_a_pinned_certificate_is_trusted_and_no_other(certificate: Certificate) -> None:
    async with Wire(certificate.server) as server:
        server.replies["/api/features"] = Reply.json({})
        for pin, trusted in ((certificate.fingerprint, True), ("0" * 64, False), (None, False)):
            address = Address.parse(server.url, auth=Auth.bearer(SECRET), fingerprint=pin)
            before = len(server.requests)
            rest = Rest(address)
            if trusted:
                assert await rest.features() == {}
                connection = await dial(address, "me", rest.network, Timing())
                await connection.close()
            else:
                with pytest.raises(PodUnreachableError, match="certificate"):
                    await rest.features()
                with pytest.raises(PodUnreachableError, match="certificate"):
                    await dial(address, "me", rest.network, Timing())
                assert len(server.requests) == before, "nothing was said to a stranger"
            await rest.close()


def test_the_systems_trust_is_never_switched_off() -> None:
    tls = Network.to(Address.parse("https://host.example")).tls
    assert tls is not None
    assert tls.verify_mode is ssl.CERT_REQUIRED
    assert tls.check_hostname


def test_proxy_servers_are_for_the_world_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("https_proxy", "http://me:pw@proxy.example:3128")
    monkeypatch.setenv("no_proxy", "inside.example")
    assert proxy_for(Address.parse("https://pod.example")) == "http://me:pw@proxy.example:3128"
    assert proxy_for(Address.parse("https://inside.example")) is None
    assert proxy_for(Address.parse("https://127.0.0.1:9000")) is None
    assert proxy_for(Address.parse("https://192.168.1.7")) is None
    assert proxy_for(Address.parse("http://pod.example")) is None
    assert "pw" not in repr(Network.to(Address.parse("https://pod.example")))


async def test_http_and_websocket_go_through_the_same_proxy_server(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    async with Wire() as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        proxy.replies["http://pod.example:8188/api/features"] = Reply.json({"through": "the proxy"})
        proxy.replies["pod.example:8188"] = Reply(status=403)
        address = Address.parse("http://pod.example:8188")
        rest = Rest(address)
        assert await rest.features() == {"through": "the proxy"}
        with pytest.raises(PodUnreachableError, match="proxy server"):
            await dial(address, "me", rest.network, Timing())
        await rest.close()
        assert [request.method for request in proxy.requests] == ["GET", "CONNECT"]


def test_a_socks_proxy_is_named_not_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("all_proxy", "socks5://127.0.0.1:1080")
    monkeypatch.delenv("http_proxy", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    with pytest.raises(PodUnreachableError, match="socks5"):
        proxy_for(Address.parse("http://pod.example"))
