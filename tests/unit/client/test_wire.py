"""HTTP/1.1 as it is spoken by servers that behave, and by those that do not: each byte is written by hand."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import httpx
import pytest

from comfydesk.client import wire
from comfydesk.client.address import Address
from comfydesk.client.origin import AnswerLostError, Origin
from comfydesk.client.wire import Wire
from comfydesk.errors import PodUnreachableError
from tests.unit.client.conftest import Certificate

OK = b"HTTP/1.1 200 OK\r\n"
ABC = OK + b"Content-Length: 3\r\n\r\nabc"


class Peer:
    """The server's end of one connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer
        self.requests: list[bytes] = []
        self.gone = asyncio.Event()

    async def request(self) -> bytes:
        """The next one, with its body if it says how long that is."""
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = next(
            (int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0
        )
        self.requests.append(head + await self._reader.readexactly(length))
        return self.requests[-1]

    async def say(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def left(self) -> None:
        """Until the client has closed."""
        with suppress(ConnectionError):
            while await self._reader.read(65536):
                pass
        self.gone.set()


Serving = Callable[[Peer], Awaitable[None]]


@dataclass
class Raw:
    """A listening socket; `serve` runs for each connection, which is closed after it."""

    serve: Serving
    tls: ssl.SSLContext | None = None
    peers: list[Peer] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    def requests(self) -> list[bytes]:
        return [request for peer in self.peers for request in peer.requests]


@asynccontextmanager
async def listening(serve: Serving, tls: ssl.SSLContext | None = None) -> AsyncIterator[Raw]:
    raw, tasks = Raw(serve, tls), set[asyncio.Task[None]]()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        peer = Peer(reader, writer)
        raw.peers.append(peer)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await raw.serve(peer)
        finally:
            peer.gone.set()
            writer.close()
            tasks.discard(task)

    server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=tls)
    raw.port = server.sockets[0].getsockname()[1]
    try:
        yield raw
    finally:
        server.close()
        for task in tuple(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()
        while strays := [task for task in asyncio.all_tasks() if "_accept_connection2" in repr(task.get_coro())]:
            await asyncio.wait(strays, timeout=5)


def answering(*answers: bytes, then_close: bool = False) -> Serving:
    """One answer per request of a connection, then either end it or wait until the client does."""

    async def serve(peer: Peer) -> None:
        for answer in answers:
            await peer.request()
            await peer.say(answer)
        if not then_close:
            await peer.left()

    return serve


@asynccontextmanager
async def line_to(server: Raw, tls: ssl.SSLContext | None = None) -> AsyncIterator[Wire]:
    client = Wire(tls)
    try:
        yield client
    finally:
        await client.aclose()
        async with asyncio.timeout(5):  # no socket outlives its owner
            for peer in server.peers:
                await peer.gone.wait()


def asking(server: Raw, method: str = "GET", **how: object) -> httpx.Request:
    timeout = {"connect": 5.0, "read": 5.0, "write": 5.0}
    more = {name: value for name, value in how.items() if name in timeout}
    headers, content = how.get("headers"), how.get("content")
    assert headers is None or isinstance(headers, dict)
    return httpx.Request(
        method,
        f"{server.url}/x",
        headers=headers,
        content=content,  # type: ignore[arg-type]  # whatever httpx takes
        extensions={"timeout": timeout | more},
    )


async def ask(client: Wire, request: httpx.Request) -> tuple[int, bytes]:
    response = await client.handle_async_request(request)
    try:
        return response.status_code, b"".join([piece async for piece in response.aiter_raw()])
    finally:
        await response.aclose()


# --- Answers as they ought to be ------------------------------------------------------------------------------------


WELL = {
    "a length": (ABC, 200, b"abc"),
    "no body": (OK + b"Content-Length: 0\r\n\r\n", 200, b""),
    "chunks": (
        OK + b"Transfer-Encoding: chunked\r\n\r\n1;ext=1\r\na\r\n2\r\nbc\r\n0\r\nTrailer: x\r\n\r\n",
        200,
        b"abc",
    ),
    "the same length twice": (OK + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 200, b"abc"),
    "204": (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
    "304 that tells a length": (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", 304, b""),
    "others before it": (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\n" + ABC, 200, b"abc"),
    "bare line feeds": (b"HTTP/1.1 200 OK\nContent-Length: 3\n\nabc", 200, b"abc"),
}


@pytest.mark.parametrize("kind", WELL)
async def test_whoever_knows_where_its_answer_ends_is_asked_again_on_the_same_connection(kind: str) -> None:
    raw, status, body = WELL[kind]
    async with listening(answering(raw, ABC)) as server, line_to(server) as client:
        assert await ask(client, asking(server)) == (status, body)
        assert await ask(client, asking(server)) == (200, b"abc")
        assert len(server.peers) == 1


async def test_the_answer_to_head_has_no_body_whatever_length_it_tells() -> None:
    told = OK + b"Content-Length: 300\r\n\r\n"
    async with listening(answering(told, ABC)) as server, line_to(server) as client:
        assert await ask(client, asking(server, "HEAD")) == (200, b"")
        assert await ask(client, asking(server)) == (200, b"abc")
        assert len(server.peers) == 1


@pytest.mark.parametrize("head", [OK, OK + b"Connection: close\r\n", b"HTTP/1.0 200 OK\r\n"])
async def test_without_a_length_the_answer_ends_with_the_connection(head: bytes) -> None:
    async with listening(answering(head + b"\r\nabc", then_close=True)) as server, line_to(server) as client:
        for _ in range(2):
            assert await ask(client, asking(server)) == (200, b"abc")
        assert len(server.peers) == 2


NOT_KEPT = {
    "it says so": OK + b"Connection: Close\r\nContent-Length: 3\r\n\r\nabc",
    "an old version": b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc",
    "more than its length": ABC + b"HTTP/1.1 200 OK\r\n",
    "something where nothing is": OK + b"Content-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\n",
    "chunks and a length": OK + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    "more than its chunks": OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n",
}


@pytest.mark.parametrize("why", NOT_KEPT)
async def test_a_connection_that_cannot_be_trusted_any_more_is_not_used_again(why: str) -> None:
    async with listening(answering(NOT_KEPT[why])) as server, line_to(server) as client:
        for _ in range(2):
            status, body = await ask(client, asking(server))
            assert (status, body) == (200, b"" if why == "something where nothing is" else b"abc")
        assert len(server.peers) == 2


async def test_a_body_that_was_not_read_is_not_taken_for_the_next_answer() -> None:
    async with listening(answering(ABC)) as server, line_to(server) as client:
        for _ in range(2):
            response = await client.handle_async_request(asking(server))
            await response.aclose()
        assert len(server.peers) == 2
        await server.peers[0].gone.wait()


# --- Connections that end when they should not ----------------------------------------------------------------------


async def test_a_kept_connection_that_was_closed_meanwhile_is_not_used() -> None:
    async with listening(answering(ABC, then_close=True)) as server, line_to(server) as client:
        await ask(client, asking(server, "POST", content=b"1"))
        await asyncio.sleep(0.05)  # what the system tells has come to us
        await ask(client, asking(server, "POST", content=b"2"))
        assert [request[-1:] for request in server.requests()] == [b"1", b"2"]


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_request_that_gets_no_answer_is_told_and_never_sent_twice(method: str) -> None:
    """The connection was kept, and ends just as the request arrives: nobody knows what became of it."""

    async def serve(peer: Peer) -> None:
        await peer.request()
        await peer.say(ABC)
        await peer.request()

    async with listening(serve) as server, line_to(server) as client:
        await ask(client, asking(server))
        with pytest.raises(httpx.RemoteProtocolError):
            await ask(client, asking(server, method))
        assert len(server.requests()) == 2
        assert len(server.peers) == 1


CUT = {
    "before the answer": b"",
    "in the head": OK + b"Content",
    "in the body": OK + b"Content-Length: 10\r\n\r\nabc",
    "in a chunk": OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab",
    "before the last chunk": OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
}


@pytest.mark.parametrize("where", CUT)
async def test_an_answer_that_ends_early_is_a_fault(where: str) -> None:
    async with listening(answering(CUT[where], then_close=True)) as server, line_to(server) as client:
        with pytest.raises(httpx.RemoteProtocolError):
            await ask(client, asking(server))


async def test_a_reset_is_a_read_error() -> None:
    async def serve(peer: Peer) -> None:
        await peer.request()
        await peer.say(OK + b"Content-Length: 10\r\n\r\nabc")
        await asyncio.sleep(0.05)
        peer.writer.get_extra_info("socket").setsockopt(1, 13, b"\1\0\0\0\0\0\0\0")  # SO_LINGER 0: close resets
        peer.writer.transport.abort()

    async with listening(serve) as server, line_to(server) as client:
        with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
            await ask(client, asking(server))


# --- Answers that are none ------------------------------------------------------------------------------------------


ILL = {
    "two lengths": OK + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
    "a length below zero": OK + b"Content-Length: -3\r\n\r\nabc",
    "a length of 5000 digits": OK + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\nabc",
    "an unknown encoding": OK + b"Transfer-Encoding: gzip\r\n\r\nabc",
    "a head without end": OK + b"X: " + b"a" * 200_000 + b"\r\n",
    "a NUL in a header": OK + b"X: a\0b\r\nContent-Length: 0\r\n\r\n",
    "a blank before the colon": OK + b"Content-Length : 3\r\n\r\nabc",
    "a chunk below zero": OK + b"Transfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n",
    "a chunk longer than it says": OK + b"Transfer-Encoding: chunked\r\n\r\n1\r\nhello\r\n0\r\n\r\n",
    "a protocol nobody asked for": b"HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    "TLS": b"\x15\x03\x03\x00\x02\x02\x46" * 4,
}


@pytest.mark.parametrize("what", ILL)
async def test_what_is_no_http_is_refused(what: str) -> None:
    async with listening(answering(ILL[what])) as server, line_to(server) as client:
        with pytest.raises(httpx.RemoteProtocolError):
            await ask(client, asking(server))
        await server.peers[0].gone.wait()


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nX-Evil: 1", "a\0b"])
async def test_a_header_with_a_line_break_is_not_sent(value: str) -> None:
    async with listening(answering(ABC)) as server, line_to(server) as client:
        with pytest.raises(httpx.LocalProtocolError):
            await ask(client, asking(server, headers={"X-Name": value}))
        assert server.requests() == []


async def test_a_body_of_another_length_than_announced_is_not_sent_as_whole() -> None:
    async def two() -> AsyncIterator[bytes]:
        yield b"ab"

    async with listening(answering(ABC)) as server, line_to(server) as client:
        with pytest.raises(httpx.LocalProtocolError):
            await ask(client, asking(server, "POST", headers={"Content-Length": "3"}, content=two()))
        await server.peers[0].gone.wait()
        assert server.requests() == []


@pytest.fixture
def strict() -> ssl.SSLContext:
    """Trusts nobody."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


# --- Given up -------------------------------------------------------------------------------------------------------


async def silent(peer: Peer) -> None:
    """Takes the connection, and reads nothing."""
    await asyncio.Event().wait()


async def deaf(peer: Peer) -> None:
    """Reads nothing, and lets the system take little."""
    peer.writer.transport.pause_reading()  # type: ignore[attr-defined]  # a ReadTransport as well
    await asyncio.Event().wait()


async def test_nobody_listens() -> None:
    async with listening(silent) as server:
        pass
    async with line_to(server) as client:
        with pytest.raises(httpx.ConnectError):
            await ask(client, asking(server))


async def test_each_wait_has_its_limit() -> None:
    async with listening(answering(OK + b"Content-Length: 9\r\n\r\nabc")) as server, line_to(server) as client:
        with pytest.raises(httpx.ReadTimeout):
            await ask(client, asking(server, read=0.05))
    async with listening(answering()) as server, line_to(server) as client:
        with pytest.raises(httpx.ReadTimeout):
            await ask(client, asking(server, read=0.05))


async def test_a_handshake_has_its_limit(strict: ssl.SSLContext) -> None:
    async def mute(peer: Peer) -> None:
        await peer.left()

    async with listening(mute) as server, line_to(server, strict) as client:
        request = httpx.Request("GET", server.url.replace("http", "https"), extensions={"timeout": {"connect": 0.05}})
        with pytest.raises(httpx.ConnectTimeout):
            await ask(client, request)


async def test_a_body_that_nobody_takes_has_its_limit() -> None:
    async def much() -> AsyncIterator[bytes]:
        for _ in range(1000):
            yield bytes(1 << 20)

    async with listening(deaf) as server:
        client = Wire(None)
        with pytest.raises(httpx.WriteTimeout):
            await ask(client, asking(server, "POST", content=much(), write=0.2))
        await client.aclose()


@pytest.mark.parametrize("said", [b"", OK + b"Content-Le", OK + b"Content-Length: 9\r\n\r\nabc"])
async def test_a_request_that_is_cancelled_leaves_no_socket_and_no_place_taken(said: bytes) -> None:
    heard = asyncio.Event()

    async def serve(peer: Peer) -> None:
        await peer.request()
        await peer.say(said)
        heard.set()
        await peer.left()

    async with listening(serve) as server, line_to(server) as client:
        for _ in range(wire.MAX_LINES + 1):  # more than there are places
            heard.clear()
            task = asyncio.create_task(ask(client, asking(server)))
            await heard.wait()
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await server.peers[-1].gone.wait()


async def test_cancelled_while_it_connects(strict: ssl.SSLContext) -> None:
    async with listening(lambda peer: peer.left()) as server, line_to(server, strict) as client:
        task = asyncio.create_task(ask(client, httpx.Request("GET", server.url.replace("http", "https"))))
        while not server.peers:  # noqa: ASYNC110 - a listening socket tells nobody
            await asyncio.sleep(0.005)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with asyncio.timeout(5):
            await server.peers[0].gone.wait()


async def test_closing_ends_what_is_under_way_and_what_waits() -> None:
    """Those that wait for a place were not sent, and are not sent any more: their error says so."""
    async with listening(answering()) as server:
        client = Wire(None)
        tasks = [asyncio.create_task(ask(client, asking(server))) for _ in range(wire.MAX_LINES + 3)]
        while len(server.peers) < wire.MAX_LINES:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.005)
        await asyncio.sleep(0.05)
        await client.aclose()
        await client.aclose()
        ends = [type(error) for error in await asyncio.gather(*tasks, return_exceptions=True)]
        assert ends == [httpx.RemoteProtocolError] * wire.MAX_LINES + [httpx.ConnectError] * 3
        with pytest.raises(httpx.ConnectError):
            await ask(client, asking(server))
        assert len(server.peers) == wire.MAX_LINES


async def test_what_was_just_connecting_at_the_close_sends_nothing() -> None:
    async with listening(answering(ABC)) as server:
        client = Wire(None)
        task = asyncio.create_task(ask(client, asking(server, "POST", content=b"1")))
        await asyncio.sleep(0)  # the connection is on its way
        await client.aclose()
        with pytest.raises(httpx.ConnectError):
            await task
        assert server.requests() == []


# --- Many, and much -------------------------------------------------------------------------------------------------


async def test_no_more_connections_than_allowed_and_who_came_first_goes_first() -> None:
    gate = asyncio.Event()

    async def serve(peer: Peer) -> None:
        while True:
            await peer.request()
            await gate.wait()
            await peer.say(ABC)

    done: list[int] = []
    async with listening(serve) as server, line_to(server) as client:

        async def one(number: int) -> None:
            await ask(client, asking(server, headers={"X-Number": str(number)}))
            done.append(number)

        tasks = [asyncio.create_task(one(number)) for number in range(wire.MAX_LINES * 3)]
        while len(server.requests()) < wire.MAX_LINES:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.005)
        assert len(server.peers) == wire.MAX_LINES
        gate.set()
        async with asyncio.timeout(10):
            await asyncio.gather(*tasks)
        first, second = done[: wire.MAX_LINES], done[wire.MAX_LINES : wire.MAX_LINES * 2]
        assert sorted(first) == list(range(wire.MAX_LINES))
        assert sorted(second) == list(range(wire.MAX_LINES, wire.MAX_LINES * 2))
        assert len(client._idle) <= wire.MAX_IDLE


async def test_a_slow_reader_holds_the_server_back() -> None:
    size, sent = 64 << 20, 0

    async def serve(peer: Peer) -> None:
        nonlocal sent
        await peer.request()
        await peer.say(OK + b"Content-Length: %d\r\n\r\n" % size)
        while sent < size:
            await peer.say(bytes(1 << 18))
            sent += 1 << 18
        await peer.left()

    async with listening(serve) as server, line_to(server) as client:
        response = await client.handle_async_request(asking(server))
        pieces = response.aiter_raw()
        got = len(await anext(pieces))
        before = -1
        while sent != before:  # until nothing moves any more
            before = sent
            await asyncio.sleep(0.1)
        (line,) = client._busy
        assert line._size <= 2 * wire.HIGH_WATER
        assert sent < size / 2
        async for piece in pieces:
            got += len(piece)
        await response.aclose()
        assert got == size


# --- TLS ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def knowing(certificate: Certificate) -> ssl.SSLContext:
    """Trusts that certificate, as if the system did."""
    context = ssl.create_default_context()
    context.load_verify_locations(certificate.pem)
    return context


async def test_a_certificate_that_is_trusted_and_in_the_right_name(
    certificate: Certificate, knowing: ssl.SSLContext
) -> None:
    async with listening(answering(ABC, ABC), certificate.server) as server, line_to(server, knowing) as client:
        for _ in range(2):
            assert await ask(client, asking(server)) == (200, b"abc")
        assert len(server.peers) == 1


async def test_a_certificate_in_another_name_is_refused_before_anything_is_said(
    certificate: Certificate, knowing: ssl.SSLContext
) -> None:
    async with listening(answering(ABC), certificate.server) as server, line_to(server, knowing) as client:
        with pytest.raises(httpx.ConnectError) as caught:
            await ask(client, httpx.Request("GET", server.url.replace("127.0.0.1", "localhost")))
        assert isinstance(caught.value.__cause__, ssl.SSLCertVerificationError)
        assert server.requests() == []


async def test_a_certificate_that_nobody_vouches_for_is_refused_before_anything_is_said(
    certificate: Certificate, strict: ssl.SSLContext
) -> None:
    async with listening(answering(ABC), certificate.server) as server, line_to(server, strict) as client:
        with pytest.raises(httpx.ConnectError) as caught:
            await ask(client, asking(server))
        assert isinstance(caught.value.__cause__, ssl.SSLCertVerificationError)
        assert server.requests() == []


async def test_a_pin_lets_one_certificate_through_and_no_other(certificate: Certificate) -> None:
    async with listening(answering(ABC), certificate.server) as server:
        for pin, trusted in ((certificate.fingerprint, True), ("0" * 64, False)):
            origin = Origin(Address.parse(server.url, fingerprint=pin))
            if trusted:
                assert (await origin.exchange("GET", "/x")).body == b"abc"
            else:
                with pytest.raises(PodUnreachableError, match="pinned") as caught:
                    await origin.exchange("POST", "/x", content=b"secret")
                assert not isinstance(caught.value, AnswerLostError), "it is certain that it was not sent"
            await origin.close()
        assert len(server.requests()) == 1


# --- What the rest of the program hears -----------------------------------------------------------------------------


@pytest.mark.parametrize("where", CUT)
async def test_a_post_that_may_have_arrived_is_told_from_one_that_was_not_sent(where: str) -> None:
    async with listening(answering(CUT[where], then_close=True)) as server:
        origin = Origin(Address.parse(server.url))
        with pytest.raises(AnswerLostError):
            await origin.exchange("POST", "/prompt", content=b"{}")
        await origin.close()
        assert len(server.requests()) == 1
    with pytest.raises(PodUnreachableError) as caught:
        await origin.exchange("POST", "/prompt", content=b"{}")
    assert not isinstance(caught.value, AnswerLostError)
    await origin.close()
