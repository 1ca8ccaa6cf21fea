"""The WebSocket that stays, against a server that cuts, lies, sulks and goes deaf. Real sockets."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

import pytest

from comfydesk import events
from comfydesk.client.address import Address, Auth
from comfydesk.client.link import LinkState, LinkStatus, Timing
from comfydesk.client.pod import Pod
from comfydesk.errors import AuthError, NotComfyError, PodUnreachableError
from tests.unit.client.conftest import Certificate, Reply, Socket, Wire, greet, like_comfyui

FAST = Timing(
    open_timeout=0.5,
    first_message=0.3,
    ping_interval=0.05,
    ping_timeout=0.3,
    close_timeout=0.2,
    wake_timeout=0.2,
    poll_interval=0.02,
    deaf_after=0.1,
    stale_after=60,
    retry_first=0.01,
    retry_cap=0.05,
    retry_slow=0.02,
    retry_slow_cap=0.05,
    stable_after=10,
)
"""A second and a half here is a minute out there."""


class Listening:
    """A pod, and everything it told."""

    def __init__(self, pod: Pod) -> None:
        self.pod = pod
        self.events: list[events.PodEvent] = []
        self.statuses: list[LinkStatus] = []
        self._changed = asyncio.Event()
        pod.events.subscribe(self._hear)
        pod.link.subscribe(self._see)

    def _hear(self, event: events.PodEvent) -> None:
        self.events.append(event)
        self._changed.set()

    def _see(self, status: LinkStatus) -> None:
        self.statuses.append(status)
        self._changed.set()

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(5):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    async def until_state(self, state: LinkState) -> LinkStatus:
        await self.until(lambda: self.pod.status.state is state)
        return self.pod.status

    @property
    def states(self) -> list[LinkState]:
        """Each once in a row."""
        found: list[LinkState] = []
        for status in self.statuses:
            if not found or found[-1] is not status.state:
                found.append(status.state)
        return found


@asynccontextmanager
async def listening(
    url: str, *, timing: Timing = FAST, auth: Auth | None = None, pin: str = ""
) -> AsyncIterator[Listening]:
    listener = Listening(Pod(Address.parse(url, auth=auth, fingerprint=pin), client_id="me", timing=timing))
    await listener.pod.open()
    try:
        yield listener
    finally:
        await listener.pod.close()


async def count(condition: Callable[[], object]) -> None:
    """Wait for what no event tells."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 (the server's side has no event for it)
            await asyncio.sleep(0.005)


# --- Connecting ---------------------------------------------------------------------------------------------------


async def test_it_says_hello_and_hears_what_comes() -> None:
    async with Wire() as server, listening(server.url) as it:
        await it.until_state(LinkState.ONLINE)
        assert it.events == [events.QueueStatus(0)]
        (socket,) = server.sockets
        await count(lambda: socket.received)
        assert json.loads(socket.received[0])["type"] == "feature_flags"
        assert socket.request.target == "/ws?clientId=me"
        await it.until(lambda: it.pod.status.latency_ms is not None)
    assert it.states == [LinkState.CONNECTING, LinkState.ONLINE, LinkState.OFFLINE]


async def test_tls_with_a_pin(certificate: Certificate) -> None:
    async with Wire(certificate.server) as server, listening(server.url, pin=certificate.fingerprint) as it:
        await it.until_state(LinkState.ONLINE)


async def test_closing_ends_the_socket_properly_and_may_be_undone() -> None:
    async with Wire() as server, listening(server.url) as it:
        await it.until_state(LinkState.ONLINE)
        await it.pod.close()
        async with asyncio.timeout(1):
            await server.sockets[0].closed.wait()
        assert it.pod.status == LinkStatus(LinkState.OFFLINE)
        await it.pod.close()
        await it.pod.open()
        await it.until_state(LinkState.ONLINE)


async def test_large_messages_arrive() -> None:
    picture = bytes([0, 0, 0, 1, 0, 0, 0, 2]) + bytes(3 << 20)

    async def show(socket: Socket) -> None:
        await socket.status()
        await socket.send(picture)
        await socket.run()

    async with Wire() as server:
        server.on_socket = show
        async with listening(server.url, timing=replace(FAST, ping_timeout=5)) as it:
            await it.until(lambda: len(it.events) == 2)
            assert it.events[1] == events.PreviewFrame("png", picture[8:])


# --- Reconnecting -------------------------------------------------------------------------------------------------


async def test_it_comes_back_after_cuts_closes_and_a_restart() -> None:
    async with Wire() as server, listening(server.url) as it:
        for turn, end in enumerate((Socket.cut, Socket.close, Socket.cut), start=1):
            await count(lambda: len(server.sockets) == turn and it.pod.status.state is LinkState.ONLINE)  # noqa: B023
            end(server.sockets[-1])
            await it.until(lambda: it.pod.status.state is not LinkState.ONLINE)
        await it.until_state(LinkState.ONLINE)
        await server.stop()
        await it.until(lambda: "refuses connections" in it.pod.status.detail)
        assert it.pod.status.state is LinkState.RECONNECTING
        await server.start()
        await it.until_state(LinkState.ONLINE)


async def test_a_pod_that_starts_late_is_found() -> None:
    server = Wire()
    await server.start()
    await server.stop()
    async with listening(server.url) as it:
        await it.until(lambda: it.pod.status.retry_in is not None)
        assert it.pod.status.state is LinkState.CONNECTING
        await server.start()
        await it.until_state(LinkState.ONLINE)
    await server.stop()


@pytest.mark.parametrize(
    ("reply", "state"),
    [
        (Reply(status=401), LinkState.AUTH_FAILED),
        (Reply(status=403), LinkState.AUTH_FAILED),
        (Reply(status=404), LinkState.CONNECTING),
        (Reply(status=413), LinkState.CONNECTING),
        (Reply(status=429), LinkState.CONNECTING),
        (Reply(status=500), LinkState.CONNECTING),
        (Reply(status=502), LinkState.CONNECTING),
        (Reply(status=503), LinkState.CONNECTING),
        (Reply(status=521), LinkState.CONNECTING),
        (Reply(status=524), LinkState.CONNECTING),
        (Reply(b"{}", 200), LinkState.CONNECTING),
        (Reply.html("<title>Sign in</title>"), LinkState.AUTH_FAILED),
        (Reply.redirect("/login"), LinkState.AUTH_FAILED),
        (Reply.redirect("https://elsewhere.example/"), LinkState.CONNECTING),
        (Reply(raw=b"SSH-2.0-x\r\n\r\n"), LinkState.CONNECTING),
        (Reply(raw=b""), LinkState.CONNECTING),
    ],
    ids=lambda value: f"{value.status}{value.headers}"[:30] if isinstance(value, Reply) else "",
)
async def test_no_answer_to_the_handshake_ends_it_for_good(reply: Reply, state: LinkState) -> None:
    async with Wire() as server:
        server.refuse_ws = reply
        async with listening(server.url) as it:
            await it.until(lambda: sum(status.retry_in is not None for status in it.statuses) >= 3)
            assert it.pod.status.state is state
            assert it.pod.status.detail
            server.refuse_ws = None
            await it.until_state(LinkState.ONLINE)


async def test_while_http_works_jobs_run_without_live_progress() -> None:
    async with like_comfyui(Wire()) as server:
        server.refuse_ws = Reply(status=404)
        async with listening(server.url) as it:
            status = await it.until_state(LinkState.DEGRADED)
            assert status.usable
            assert "WebSocket" in status.detail
            assert await it.pod.wait_online(0.1) == it.pod.status
            server.refuse_ws = None
            await it.until_state(LinkState.ONLINE)


async def test_one_socket_at_a_time_and_the_old_one_closed_first() -> None:
    """ComfyUI goes deaf for good when the old socket of a client id ends after the new one came."""
    found_closed: list[bool] = []

    async with Wire() as server:

        async def sulk(socket: Socket) -> None:
            found_closed.append(all(old.closed.is_set() for old in server.sockets[:-1]))
            await socket.status()
            socket.close()
            await socket.run()

        server.on_socket = sulk
        async with listening(server.url):
            await count(lambda: len(found_closed) >= 5)
    assert all(found_closed)


# --- Lies ---------------------------------------------------------------------------------------------------------


async def test_unreadable_messages_are_skipped() -> None:
    async def mumble(socket: Socket) -> None:
        await socket.status(1)
        for damaged in ("", "[]", b"\0", '{"type": "status"}', "x" * 1000):
            await socket.send(damaged)
        await socket.status(2)
        await socket.run()

    async with Wire() as server:
        server.on_socket = mumble
        async with listening(server.url) as it:
            await it.until(lambda: events.QueueStatus(2) in it.events)
            assert it.events == [events.QueueStatus(1), events.QueueStatus(2)]


async def test_a_socket_that_is_not_comfyuis_is_not_online() -> None:
    async def jupyter(socket: Socket) -> None:
        await socket.send("hello from something else")
        await socket.run()

    async with Wire() as server:
        server.on_socket = jupyter
        async with listening(server.url) as it:
            await it.until(lambda: isinstance(it.pod.status.error, NotComfyError))
            with pytest.raises(NotComfyError):
                await it.pod.wait_online(5)
    assert LinkState.ONLINE not in it.states


async def test_a_socket_that_says_nothing_is_not_online() -> None:
    async with Wire() as server:
        server.on_socket = Socket.run
        async with listening(server.url) as it:
            await it.until(lambda: "says nothing" in it.pod.status.detail)


async def test_a_flood_of_nonsense_ends_the_connection() -> None:
    async def flood(socket: Socket) -> None:
        await socket.status()
        with suppress(ConnectionError):
            for _ in range(150):
                await socket.send("nonsense")
        await socket.run()

    async with Wire() as server:
        server.on_socket = flood
        async with listening(server.url) as it:
            await it.until(lambda: isinstance(it.pod.status.error, NotComfyError))


async def test_a_listener_that_fails_does_not_cost_the_connection() -> None:
    async with Wire() as server:
        reported: list[dict[str, object]] = []

        def fail(event: events.PodEvent) -> None:
            raise ZeroDivisionError

        loop = asyncio.get_running_loop()
        ours = loop.get_exception_handler()
        loop.set_exception_handler(lambda _, context: reported.append(context))
        try:
            async with listening(server.url) as it:
                it.pod.events.subscribe(fail)
                await it.until_state(LinkState.ONLINE)
                await server.sockets[0].status(5)
                await it.until(lambda: events.QueueStatus(5) in it.events)
        finally:
            loop.set_exception_handler(ours)
    assert {type(context["exception"]) for context in reported} == {ZeroDivisionError}


# --- Half-open, deaf, asleep --------------------------------------------------------------------------------------


async def test_a_peer_that_answers_no_ping_is_left() -> None:
    async def half_open(socket: Socket) -> None:
        socket.answers_pings = False
        await greet(socket)

    async with Wire() as server:
        server.on_socket = half_open
        async with listening(server.url) as it:
            await it.until_state(LinkState.ONLINE)
            await it.until_state(LinkState.RECONNECTING)


async def test_a_deaf_socket_is_replaced_without_a_flicker() -> None:
    async with like_comfyui(Wire()) as server, listening(server.url) as it:
        await it.until_state(LinkState.ONLINE)
        # The queue has changed, and nobody told this socket, although it answers pings.
        server.replies["/api/prompt"] = Reply.json({"exec_info": {"queue_remaining": 1}})
        await count(lambda: len(server.sockets) >= 2)
        server.replies["/api/prompt"] = Reply.json({"exec_info": {"queue_remaining": 0}})
        assert server.sockets[0].closed.is_set(), "the old one was closed before the new one came"
        await count(lambda: len(it.events) >= 2)
    assert it.states == [LinkState.CONNECTING, LinkState.ONLINE, LinkState.OFFLINE]


async def test_a_quiet_pod_is_left_in_peace() -> None:
    async with like_comfyui(Wire()) as server, listening(server.url) as it:
        await it.until_state(LinkState.ONLINE)
        await count(lambda: server.paths().count("/api/prompt") >= 10)
        assert len(server.sockets) == 1


async def test_waking_up_ends_the_wait_for_the_next_attempt() -> None:
    server = Wire()
    await server.start()
    await server.stop()
    async with listening(server.url, timing=replace(FAST, retry_first=60, retry_cap=60)) as it:
        await it.until(lambda: it.pod.status.retry_in is not None)
        await server.start()
        it.pod.wake()
        await it.until_state(LinkState.ONLINE)
    await server.stop()


async def test_waking_up_proves_the_connection() -> None:
    timing = replace(FAST, ping_interval=60, ping_timeout=60)
    async with Wire() as server, listening(server.url, timing=timing) as it:
        await it.until(lambda: it.pod.status.latency_ms is not None)
        it.pod.wake()
        await asyncio.sleep(0.05)
        assert it.pod.status.state is LinkState.ONLINE
        server.sockets[0].answers_pings = False
        it.pod.wake()
        await it.until_state(LinkState.RECONNECTING)


async def test_waiting_for_a_pod_ends_with_what_stands_in_the_way() -> None:
    async with Wire() as server:
        url = server.url
    async with listening(url) as it:
        with pytest.raises(PodUnreachableError, match="refuses connections") as caught:
            await it.pod.wait_online(0.1)
        assert caught.value.exit_code == 3


async def test_a_pod_that_hangs_up_is_starting_and_is_waited_for() -> None:
    async with Wire() as server:
        server.refuse_ws = Reply(raw=b"")
        async with listening(server.url) as it:
            await it.until(lambda: isinstance(it.pod.status.error, PodUnreachableError))
            waiting = asyncio.create_task(it.pod.wait_online(5))
            server.refuse_ws = None
            assert (await waiting).state is LinkState.ONLINE


async def test_a_refused_login_is_not_waited_for() -> None:
    async with Wire() as server:
        server.refuse_ws = Reply(status=401)
        async with listening(server.url) as it:
            with pytest.raises(AuthError):
                await it.pod.wait_online(60)


# --- Previews -----------------------------------------------------------------------------------------------------


def preview(data: str) -> bytes:
    metadata = json.dumps({"image_type": "image/jpeg", "prompt_id": "p", "node_id": "1"}).encode()
    return b"\0\0\0\4" + len(metadata).to_bytes(4, "big") + metadata + data.encode()


async def test_of_many_previews_the_latest_are_shown_and_none_after_the_end() -> None:
    async def sample(socket: Socket) -> None:
        await socket.status()
        for step in range(500):
            await socket.send(preview(f"step {step}"))
        await socket.send({"type": "execution_success", "data": {"prompt_id": "p"}})
        await socket.run()

    async with Wire() as server:
        server.on_socket = sample
        async with listening(server.url, timing=replace(FAST, ping_timeout=5)) as it:
            await it.until(lambda: events.ExecutionSucceeded("p") in it.events)
            await asyncio.sleep(0.06)
        shown = [event.data for event in it.events if isinstance(event, events.PreviewFrame)]
    assert shown[0] == b"step 0"
    assert len(shown) < 250
    assert it.events[-1] == events.ExecutionSucceeded("p")


async def test_full_pictures_of_the_old_kind_are_never_dropped() -> None:
    async def save(socket: Socket) -> None:
        await socket.status()
        for i in range(20):
            await socket.send(b"\0\0\0\1\0\0\0\2" + bytes([i]))
        await socket.run()

    async with Wire() as server:
        server.on_socket = save
        async with listening(server.url) as it:
            await it.until(lambda: len(it.events) == 21)
