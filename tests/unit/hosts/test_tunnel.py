"""Tunnels through a real SSH server process that is killed, frozen, moved and exchanged."""

import asyncio
import hashlib
import itertools
import os
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import websockets
from aiohttp import WSMsgType, web

from comfydesk.credentials import Secret
from comfydesk.errors import PodUnreachableError
from comfydesk.hosts import tunnel as tunnel_module
from comfydesk.hosts.host_key import HostKeyChangedError, HostKeyUnknownError
from comfydesk.hosts.protocol import SshEndpoint
from comfydesk.hosts.ssh import PassphraseError, PortClosedError, SshLogin
from comfydesk.hosts.tunnel import Tunnel, TunnelState, TunnelStatus, waits
from tests.unit.hosts.ssh_pod import PASSPHRASE, Keys, SshPod

PICTURE = os.urandom(2**20)


@pytest.fixture(autouse=True)
def _own_home(home: Path) -> None:
    """No key, agent or configuration of the person who runs the tests."""


class Comfy:
    """What listens on the pod: a file, a WebSocket that echoes, and an answer that never ends."""

    def __init__(self) -> None:
        self.port = 0

    async def __aenter__(self) -> "Comfy":
        app = web.Application(client_max_size=2**26)
        app.router.add_get("/view", self._view)
        app.router.add_post("/upload", self._upload)
        app.router.add_get("/ws", self._socket)
        app.router.add_get("/endless", self._endless)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _view(self, _: web.Request) -> web.StreamResponse:
        return web.Response(body=PICTURE)

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        return web.Response(text=hashlib.sha256(await request.read()).hexdigest())

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        answer = web.WebSocketResponse()
        await answer.prepare(request)
        async for message in answer:
            if message.type is WSMsgType.TEXT:
                await answer.send_str(message.data)
        return answer

    async def _endless(self, request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        while True:
            await answer.write(b"x" * 1000)
            await asyncio.sleep(0.005)


def soon() -> Iterator[float]:
    return itertools.repeat(0.05)


@asynccontextmanager
async def tunnel_to(
    pod: SshPod, port: int, *, pinned: bool = True, login: SshLogin | None = None
) -> AsyncIterator[Tunnel]:
    """An open tunnel, asked where the pod is each time; not necessarily online."""

    async def endpoint() -> SshEndpoint:
        return pod.endpoint

    async def who() -> SshLogin:
        return login or SshLogin(str(pod.keys.user))

    key = pod.keys.shown(pod.host_key) if pinned else None
    tunnel = Tunnel(endpoint, who, pinned=key, remote_port=port, backoff=soon)
    await tunnel.open()
    try:
        yield tunnel
    finally:
        await tunnel.close()


async def until(tunnel: Tunnel, state: TunnelState) -> TunnelStatus:
    """The first status of that kind from now on."""
    found: asyncio.Queue[TunnelStatus] = asyncio.Queue()
    unsubscribe = tunnel.states.subscribe(found.put_nowait)
    try:
        async with asyncio.timeout(10):
            status = tunnel.status
            while status.state is not state:
                status = await found.get()
            return status
    finally:
        unsubscribe()


async def appears(path: Path) -> None:
    for _ in range(1000):
        if os.access(path, os.F_OK):
            return
        await asyncio.sleep(0.01)
    raise AssertionError(path)


async def test_http_goes_through_byte_for_byte(shared_pod: SshPod) -> None:
    async with Comfy() as comfy, tunnel_to(shared_pod, comfy.port) as tunnel:
        await tunnel.wait_online(10)
        assert tunnel.url == f"http://127.0.0.1:{tunnel.local_port}"
        async with httpx.AsyncClient(base_url=tunnel.url, transport=httpx.AsyncHTTPTransport(verify=False)) as client:
            assert (await client.get("/view")).content == PICTURE
            answer = await client.post("/upload", content=PICTURE)
            assert answer.text == hashlib.sha256(PICTURE).hexdigest()


async def test_a_websocket_and_many_connections_at_once(shared_pod: SshPod) -> None:
    async with Comfy() as comfy, tunnel_to(shared_pod, comfy.port) as tunnel:
        await tunnel.wait_online(10)

        async def echo(text: str) -> str:
            async with websockets.connect(f"ws://127.0.0.1:{tunnel.local_port}/ws", proxy=None) as socket:
                await socket.send(text)
                return str(await socket.recv())

        texts = [f"{number} " * 1000 for number in range(8)]
        assert await asyncio.gather(*map(echo, texts)) == texts


async def test_only_this_computer_reaches_the_tunnel(shared_pod: SshPod) -> None:
    async with tunnel_to(shared_pod, 1) as tunnel:
        assert tunnel._server is not None
        assert [server.getsockname()[0] for server in tunnel._server.sockets] == ["127.0.0.1"]


async def test_after_a_restart_of_the_server_the_same_port_serves(pod: SshPod) -> None:
    async with Comfy() as comfy, tunnel_to(pod, comfy.port) as tunnel:
        await tunnel.wait_online(10)
        port = tunnel.local_port
        pod.kill()
        status = await until(tunnel, TunnelState.RECONNECTING)
        assert status.error is not None
        async with httpx.AsyncClient(base_url=tunnel.url, transport=httpx.AsyncHTTPTransport(verify=False)) as client:
            with pytest.raises(httpx.HTTPError):
                await client.get("/view")
            pod.start()
            await tunnel.wait_online(10)
            assert (await client.get("/view")).content == PICTURE
        assert tunnel.local_port == port


async def test_a_pod_that_moved_is_found_again(pod: SshPod) -> None:
    async with Comfy() as comfy, tunnel_to(pod, comfy.port) as tunnel:
        await tunnel.wait_online(10)
        before = pod.port
        pod.kill()
        pod.start(move=True)
        assert pod.port != before
        await until(tunnel, TunnelState.RECONNECTING)
        await tunnel.wait_online(10)
        async with httpx.AsyncClient(base_url=tunnel.url, transport=httpx.AsyncHTTPTransport(verify=False)) as client:
            assert (await client.get("/view")).content == PICTURE


async def test_a_cut_in_the_middle_of_an_answer_is_an_error_at_once(pod: SshPod) -> None:
    async with Comfy() as comfy, tunnel_to(pod, comfy.port) as tunnel:
        await tunnel.wait_online(10)
        async with httpx.AsyncClient(base_url=tunnel.url, transport=httpx.AsyncHTTPTransport(verify=False)) as client:
            received = 0

            async def read() -> None:
                nonlocal received
                async with client.stream("GET", "/endless") as answer:
                    async for chunk in answer.aiter_raw():
                        received += len(chunk)
                        if received > 5000:
                            pod.kill()

            with pytest.raises(httpx.HTTPError):
                await read()
        assert received > 5000


async def test_another_host_key_after_a_restart_blocks_until_it_is_trusted(pod: SshPod, keys: Keys) -> None:
    async with Comfy() as comfy, tunnel_to(pod, comfy.port) as tunnel:
        await tunnel.wait_online(10)
        pod.kill()
        pod.host_key = keys.other_host
        pod.start()
        status = await until(tunnel, TunnelState.BLOCKED)
        assert isinstance(status.error, HostKeyChangedError)
        assert pod.logins == 1
        with pytest.raises(HostKeyChangedError):
            await tunnel.wait_online(10)
        tunnel.trust(status.error.offered)
        await until(tunnel, TunnelState.ONLINE)


async def test_the_first_contact_waits_for_trust(shared_pod: SshPod) -> None:
    async with tunnel_to(shared_pod, 1, pinned=False) as tunnel:
        with pytest.raises(HostKeyUnknownError) as unknown:
            await tunnel.wait_online(10)
        tunnel.trust(unknown.value.offered)
        await until(tunnel, TunnelState.ONLINE)


async def test_a_passphrase_typed_later_is_used(shared_pod: SshPod, keys: Keys) -> None:
    logins = [SshLogin(str(keys.protected)), SshLogin(str(keys.protected), Secret(PASSPHRASE))]

    async def endpoint() -> SshEndpoint:
        return shared_pod.endpoint

    async def who() -> SshLogin:
        return logins.pop(0)

    tunnel = Tunnel(endpoint, who, pinned=keys.shown(keys.host), backoff=soon)
    await tunnel.open()
    try:
        with pytest.raises(PassphraseError):
            await tunnel.wait_online(10)
        tunnel.retry()
        await until(tunnel, TunnelState.ONLINE)
    finally:
        await tunnel.close()


async def test_a_frozen_server_is_noticed_when_the_computer_wakes(pod: SshPod, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tunnel_module, "PROBE_DEADLINE", 0.2)
    async with tunnel_to(pod, 1) as tunnel:
        await tunnel.wait_online(10)
        tunnel.retry()
        await asyncio.sleep(0.3)
        assert tunnel.status.state is TunnelState.ONLINE
        pod.freeze()
        tunnel.retry()
        await until(tunnel, TunnelState.RECONNECTING)
        pod.thaw()
        await tunnel.wait_online(10)


async def test_nothing_listens_at_the_far_end(shared_pod: SshPod) -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        async with tunnel_to(shared_pod, reserved.getsockname()[1]) as tunnel:
            await tunnel.wait_online(10)
            async with httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(verify=False)) as client:
                with pytest.raises(httpx.HTTPError):
                    await client.get(tunnel.url)
            assert tunnel.status.state is TunnelState.ONLINE
            assert isinstance(tunnel.status.error, PortClosedError)
            assert "Nothing answers on port" in str(tunnel.status.error)


async def test_a_server_that_forwards_nothing_says_so(keys: Keys) -> None:
    with SshPod(keys, forward=False) as pod:
        async with tunnel_to(pod, 1) as tunnel:
            await tunnel.wait_online(10)
            async with httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(verify=False)) as client:
                with pytest.raises(httpx.HTTPError):
                    await client.get(tunnel.url)
            assert "does not forward ports" in str(tunnel.status.error)


async def test_the_far_ends_recovery_clears_the_complaint(shared_pod: SshPod) -> None:
    async with Comfy() as comfy, tunnel_to(shared_pod, comfy.port) as tunnel:
        await tunnel.wait_online(10)
        tunnel._say(TunnelStatus(TunnelState.ONLINE, PortClosedError("Nothing answers")))
        async with httpx.AsyncClient(base_url=tunnel.url, transport=httpx.AsyncHTTPTransport(verify=False)) as client:
            await client.get("/view")
        assert tunnel.status == TunnelStatus(TunnelState.ONLINE)


async def test_closing_with_traffic_leaves_nothing(shared_pod: SshPod) -> None:
    async with Comfy() as comfy:
        async with httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(verify=False)) as client:
            async with tunnel_to(shared_pod, comfy.port) as tunnel:
                await tunnel.wait_online(10)
                asking = [asyncio.create_task(client.get(f"{tunnel.url}/endless")) for _ in range(3)]
                await asyncio.sleep(0.2)
                await tunnel.close()
                await tunnel.close()
            answers = await asyncio.gather(*asking, return_exceptions=True)
            assert all(isinstance(answer, httpx.HTTPError) for answer in answers)
        with pytest.raises(OSError, match=r"Connect call failed|refused"):
            await asyncio.open_connection("127.0.0.1", tunnel.local_port)


async def test_a_port_that_is_taken_is_said_so(shared_pod: SshPod) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()

        async def endpoint() -> SshEndpoint:
            return shared_pod.endpoint

        async def who() -> SshLogin:
            return SshLogin()

        tunnel = Tunnel(endpoint, who, pinned=None, local_port=taken.getsockname()[1])
        with pytest.raises(PodUnreachableError, match="of this computer cannot be used"):
            await tunnel.open()
        await tunnel.close()


async def test_waiting_ends_with_what_stands_in_the_way(pod: SshPod) -> None:
    pod.kill()
    async with tunnel_to(pod, 1) as tunnel:
        with pytest.raises(PodUnreachableError, match=r"Nothing answers at 127\.0\.0\.1"):
            await tunnel.wait_online(0.3)


async def test_a_command_gives_its_status_and_both_outputs(shared_pod: SshPod) -> None:
    async with tunnel_to(shared_pod, 1) as tunnel:
        await tunnel.wait_online(10)
        result = await tunnel.run("cat; echo 'no ü' >&2; exit 7", stdin="secret ü")
        assert (result.exit_status, result.stdout, result.stderr) == (7, "secret ü", "no ü\n")


async def test_a_command_that_says_too_much_is_cut_and_one_that_hangs_is_left(shared_pod: SshPod) -> None:
    async with tunnel_to(shared_pod, 1) as tunnel:
        await tunnel.wait_online(10)
        result = await tunnel.run("head -c 3000000 /dev/zero", limit=1000)
        assert (result.exit_status, len(result.stdout)) == (0, 1000)
        with pytest.raises(PodUnreachableError, match="did not end in time"):
            await tunnel.run("sleep 5", within=0.1)


async def test_a_command_that_is_cut_off_is_an_error(pod: SshPod, home: Path) -> None:
    async with tunnel_to(pod, 1) as tunnel:
        await tunnel.wait_online(10)
        started = home / "started"
        running = asyncio.create_task(tunnel.run(f"touch {started}; sleep 20"))
        await appears(started)
        pod.kill()
        with pytest.raises(PodUnreachableError):
            await running
        await until(tunnel, TunnelState.RECONNECTING)
        with pytest.raises(PodUnreachableError):
            await tunnel.run("echo")


def test_waits_grow_to_half_a_minute_and_are_never_in_step() -> None:
    assert list(itertools.islice(waits(lambda: 1.0), 7)) == [1, 2, 4, 8, 16, 30, 30]
    assert list(itertools.islice(waits(lambda: 0.0), 7)) == [0.5, 1, 2, 4, 8, 15, 15]
