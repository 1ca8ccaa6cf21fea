"""The probe names the step that fails, and what to do. Every fault here is a real socket's."""

import asyncio
import json
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from comfydesk.client.address import Address, Auth
from comfydesk.client.answers import Answer, refusal
from comfydesk.client.probe import Patience, ProbeReport, ProbeStep, Step, probe, step_of
from tests.unit.client.conftest import Certificate, Reply, Socket, Wire, like_comfyui

STEPS = [Step(name) for name in ("dns", "tcp", "tls", "http", "auth", "comfyui", "websocket", "catalog")]
PATIENCE = Patience(connect=0.5, http=0.4, websocket=0.4, catalog=0.4)
JUPYTER = "<head><title>JupyterLab</title></head>"
LOGIN = "<head><title>Sign in</title></head><form><input type=password></form>"


@asynccontextmanager
async def comfyui(tls: ssl.SSLContext | None = None) -> AsyncIterator[Wire]:
    async with Wire(tls) as server:
        yield like_comfyui(server)


async def probed(url: str, *, auth: Auth | None = None, pin: str | None = None) -> ProbeReport:
    report = await probe(Address.parse(url, auth=auth, fingerprint=pin), patience=PATIENCE)
    assert [step.step for step in report.steps] == STEPS[: len(report.steps)], "in order, without a gap"
    assert all(step.ok for step in report.steps[:-1]), "nothing comes after a failure"
    assert all(step.ms >= 0 and step.detail for step in report.steps)
    return report


def assert_fails(report: ProbeReport, step: Step, *words: str) -> None:
    failed = report.failed
    assert failed is not None, report
    assert failed.step is step, failed
    for word in words:
        assert word in failed.detail
    assert failed.error is not None
    assert failed.error.advice or failed.error.why, "a failure says more than that it failed"


async def test_a_pod_that_is_fine() -> None:
    async with comfyui() as server:
        told: list[ProbeStep] = []
        report = await probe(Address.parse(server.url), on_step=told.append)
    assert report.ok
    assert report.failed is None
    assert tuple(told) == report.steps
    assert [step.step for step in report.steps] == STEPS
    details = {step.step: step.detail for step in report.steps}
    assert details[Step.COMFYUI] == "ComfyUI 0.33.0 on cpu with 16 GB"
    assert details[Step.CATALOG] == "1 node types"
    document = json.loads(json.dumps(report.to_json()))
    assert document["ok"] is True
    assert document["steps"][0].keys() == {"step", "ok", "detail", "ms"}
    assert [step["step"] for step in document["steps"]] == [step.value for step in STEPS]


async def test_a_pinned_pod_that_is_fine(certificate: Certificate) -> None:
    async with comfyui(certificate.server) as server:
        report = await probed(server.url, pin=certificate.fingerprint)
    assert report.ok
    assert "pinned" in report.steps[STEPS.index(Step.TLS)].detail


# --- dns, tcp, tls ------------------------------------------------------------------------------------------------


async def test_1_a_name_that_nobody_knows() -> None:
    assert_fails(await probed("http://no-such-pod.invalid"), Step.DNS, "no-such-pod.invalid")


async def test_2_a_port_where_nobody_listens() -> None:
    async with Wire() as server:
        url = server.url
    assert_fails(await probed(url), Step.TCP, "refuses connections", "Nothing listens")


async def test_3_a_host_that_does_not_answer() -> None:
    """A listener whose queue is full: the kernel drops what comes, as a firewall does."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        port = listener.getsockname()[1]
        fillers = []
        try:
            for _ in range(4):
                filler = socket.socket()
                filler.setblocking(False)
                filler.connect_ex(("127.0.0.1", port))
                fillers.append(filler)
            patience = Patience(connect=0.3)
            report = await probe(Address.parse(f"http://127.0.0.1:{port}"), patience=patience)
        finally:
            for filler in fillers:
                filler.close()
    assert_fails(report, Step.TCP, "does not answer", "firewall")


async def test_4_https_to_a_port_that_speaks_http() -> None:
    async with comfyui() as server:
        report = await probed(server.url.replace("http://", "https://"))
    assert_fails(report, Step.TLS, "does not speak TLS", "http://")


async def test_5_a_self_signed_certificate(certificate: Certificate) -> None:
    async with comfyui(certificate.server) as server:
        report = await probed(server.url)
        assert server.requests == []
    assert_fails(report, Step.TLS, "not trusted", certificate.fingerprint, "pin")


async def test_6_another_certificate_than_the_pinned_one(certificate: Certificate) -> None:
    async with comfyui(certificate.server) as server:
        report = await probed(server.url, pin="0" * 64)
        assert server.requests == []
    assert_fails(report, Step.TLS, "another certificate", certificate.fingerprint)


# --- http ---------------------------------------------------------------------------------------------------------


async def test_7_http_to_a_port_that_speaks_https(certificate: Certificate) -> None:
    async with comfyui(certificate.server) as server:
        report = await probed(server.url.replace("https://", "http://"))
    assert_fails(report, Step.HTTP, "speaks https", "https://")


async def test_8_ssh_on_that_port() -> None:
    class Banner(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            assert isinstance(transport, asyncio.Transport)
            transport.write(b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n")

    server = await asyncio.get_running_loop().create_server(Banner, "127.0.0.1", 0)
    async with server:
        report = await probed(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    assert_fails(report, Step.HTTP, "SSH", "8188")


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply(delay=5), ("did not answer in time",)),
        (Reply(raw=b""), ("in the middle",)),
        (Reply(status=502), ("Bad gateway", "starting")),
        (Reply(status=504), ("Gateway timeout",)),
        (Reply(status=521), ("refuses Cloudflare", "stopped")),
        (Reply(status=522), ("does not answer Cloudflare",)),
        (Reply(status=524), ("100 seconds",)),
        (Reply(status=429), ("slow down",)),
        (Reply.redirect("https://elsewhere.example/x"), ("redirects", "https://elsewhere.example")),
        (Reply.html("<center>The plain HTTP request was sent to HTTPS port</center>", 400), ("speaks https",)),
    ],
    ids=lambda value: str(value.status) if isinstance(value, Reply) else "",
)
async def test_9_what_stands_in_between_fails_at_http(reply: Reply, words: tuple[str, ...]) -> None:
    async with comfyui() as server:
        server.replies["/api/system_stats"] = reply
        report = await probed(server.url)
    assert_fails(report, Step.HTTP, *words)


def test_10_a_pod_that_runpods_proxy_does_not_know() -> None:
    """No socket: the proxy is known by its name."""
    answer = Answer(404, "text/html", b"<html><body>404 page not found</body></html>")
    error = refusal(answer, Address.parse("abc-8188.proxy.runpod.net"))
    assert step_of(answer, error) is Step.HTTP
    assert "exposed" in str(error)


# --- auth ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply(status=401, headers={"WWW-Authenticate": "Basic"}), ("401", "login")),
        (Reply(status=403), ("403",)),
        (Reply.html(LOGIN), ("login page", "Sign in")),
        (Reply.redirect("/login?next=%2Fapi%2Fsystem_stats"), ("login page",)),
        (Reply.redirect("https://x.cloudflareaccess.com/cdn-cgi/access/login"), ("login page",)),
    ],
    ids=lambda value: str(value.status) if isinstance(value, Reply) else "",
)
async def test_11_a_login_that_is_wanted(reply: Reply, words: tuple[str, ...]) -> None:
    async with comfyui() as server:
        server.replies["/api/system_stats"] = reply
        report = await probed(server.url)
    assert_fails(report, Step.AUTH, *words)


async def test_12_a_password_that_is_wrong() -> None:
    async with comfyui() as server:
        server.replies["/api/system_stats"] = Reply(status=401)
        report = await probed(server.url, auth=Auth.basic("me", "s3cret"))
    assert_fails(report, Step.AUTH, "refused")
    assert "s3cret" not in json.dumps(report.to_json())


# --- comfyui ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply.html(JUPYTER), ("JupyterLab", "8188")),
        (Reply(b'{"message": "Forbidden"}', 403, {"Server": "TornadoServer/6.4.1"}), ("JupyterLab",)),
        (Reply.html(JUPYTER, 404), ("JupyterLab",)),
        (Reply(status=503), ("not ready", "starting")),
        (Reply(b""), ("nothing", "starting")),
        (Reply.json({"status": "ok"}), ("not ComfyUI",)),
        (Reply.json(["models"]), ("another shape",)),
        (Reply.html("<title>Welcome to nginx!</title>"), ("web page", "nginx")),
        (Reply(b"404: Not Found", 404), ("not ComfyUI (404)",)),
        (Reply(b"Traceback", 500), ("failed inside", "log")),
    ],
    ids=lambda value: f"{value.status}{value.body[:20]!r}" if isinstance(value, Reply) else "",
)
async def test_13_what_is_not_comfyui_or_not_yet(reply: Reply, words: tuple[str, ...]) -> None:
    async with comfyui() as server:
        server.replies["/api/system_stats"] = reply
        report = await probed(server.url)
    assert_fails(report, Step.COMFYUI, *words)


# --- websocket ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply(status=403), ("403",)),
        (Reply(status=404), ("WebSocket", "proxy")),
        (Reply(status=400), ("WebSocket", "Upgrade")),
        (Reply(status=502), ("Bad gateway",)),
        (Reply.redirect("/login"), ("login page",)),
        (Reply(delay=5), ("in time",)),
    ],
    ids=lambda value: str(value.status) if isinstance(value, Reply) else "",
)
async def test_14_a_websocket_that_does_not_open(reply: Reply, words: tuple[str, ...]) -> None:
    async with comfyui() as server:
        server.refuse_ws = reply
        report = await probed(server.url)
    assert_fails(report, Step.WEBSOCKET, *words)


async def _chatter(ws: Socket) -> None:
    await ws.send("hello")
    await ws.run()


async def _farewell(ws: Socket) -> None:
    ws.close()
    await ws.run()


@pytest.mark.parametrize(
    ("behaviour", "word"),
    [(Socket.run, "says nothing"), (_chatter, "not ComfyUI's"), (_farewell, "closed the connection")],
)
async def test_15_a_websocket_of_something_else(behaviour: Callable[[Socket], Awaitable[None]], word: str) -> None:
    async with comfyui() as server:
        server.on_socket = behaviour
        report = await probed(server.url)
    assert_fails(report, Step.WEBSOCKET, word)


# --- catalog ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply(b"500 Internal Server Error", 500), ("cannot list its nodes", "custom node")),
        (Reply.json({}), ("cannot be read",)),
        (Reply.json({"A": 3}), ("cannot be read",)),
        (Reply(b'{"A": '), ("no JSON",)),
        (Reply.json({"A": {}}, delay=5), ("did not come whole within", "busy")),
        (Reply(b"{}" * 100, cut_after=20), ("did not come whole",)),
        (Reply(status=524), ("cannot list its nodes (524)",)),
    ],
    ids=lambda value: f"{value.status}{value.body[:10]!r}" if isinstance(value, Reply) else "",
)
async def test_16_a_list_of_nodes_that_does_not_come(reply: Reply, words: tuple[str, ...]) -> None:
    async with comfyui() as server:
        server.replies["/api/object_info"] = reply
        report = await probed(server.url)
    assert_fails(report, Step.CATALOG, *words)


async def test_a_proxy_server_of_ones_own_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Wire() as server:
        proxy = server.url
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("https_proxy", proxy)
    report = await probed("https://pod.example")
    assert report.failed is not None
    assert report.failed.step is Step.TCP
