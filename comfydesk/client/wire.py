"""HTTP/1.1 on asyncio's own transports, as httpx sees it: a third of the time of its usual pool, in larger pieces.

For direct connections to one origin; through a proxy server httpx's own transport goes. h11 reads what is said; bodies
of a known length pass by it. Raises httpx's exceptions.
"""

import asyncio
import ssl
from collections import deque
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import h11
import httpx

MAX_LINES = 16
MAX_IDLE = 8
KEPT_SECONDS = 30.0
HIGH_WATER = 1 << 20
"""Bytes of a line that wait to be read before it is told to pause."""
MAX_HEAD = 100 << 10


class Wire(httpx.AsyncBaseTransport):
    """All connections to one origin. `tls`: None for plain http."""

    def __init__(self, tls: ssl.SSLContext | None) -> None:
        self._tls = tls
        if tls is not None:
            tls.set_alpn_protocols(["http/1.1"])
        self._places = asyncio.Semaphore(MAX_LINES)
        self._idle: deque[_Line] = deque()
        self._busy: set[_Line] = set()
        self._closed = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The answer's head; its body is to be read, or closed."""
        timeout: Mapping[str, float | None] = request.extensions.get("timeout", {})
        await self._places.acquire()
        line: _Line | None = None
        try:
            self._check_open()
            line = self._take() or await self._connect(request.url, timeout.get("connect"))
            self._check_open()
            self._busy.add(line)
            response, body = await line.exchange(request, timeout.get("read"), timeout.get("write"))
        except BaseException:
            self._places.release()
            if line is not None:
                self._drop(line)
            raise
        return httpx.Response(
            response.status_code, headers=response.headers.raw_items(), stream=_Stream(self, line, body)
        )

    async def aclose(self) -> None:
        """For good: what is under way ends, what has not begun fails with ConnectError. Again is fine."""
        self._closed = True
        lines = [*self._idle, *self._busy]
        self._idle.clear()
        for line in lines:
            line.close()
        if lines:
            await asyncio.wait([line.gone for line in lines], timeout=1)

    def _check_open(self) -> None:
        if self._closed:
            raise httpx.ConnectError("closed before the request was sent")

    def _take(self) -> "_Line | None":
        """One that is open and was used a short while ago."""
        oldest = asyncio.get_running_loop().time() - KEPT_SECONDS
        while self._idle:
            line = self._idle.pop()
            if line.quiet and line.since > oldest:
                return line
            line.close()
        return None

    def give_back(self, line: "_Line", *, whole: bool) -> None:
        """The answer is over. `whole`: all of it was read, and the line can be used again."""
        self._places.release()
        self._busy.discard(line)
        if whole and line.reusable and line.quiet and not self._closed:
            line.since = asyncio.get_running_loop().time()
            self._idle.append(line)
            if len(self._idle) > MAX_IDLE:
                self._idle.popleft().close()
        else:
            line.close()

    def _drop(self, line: "_Line") -> None:
        self._busy.discard(line)
        line.close()

    async def _connect(self, url: httpx.URL, seconds: float | None) -> "_Line":
        loop = asyncio.get_running_loop()
        host = url.raw_host.decode().strip("[]")
        port = url.port or (443 if url.scheme == "https" else 80)
        try:
            async with asyncio.timeout(seconds):
                _, line = await loop.create_connection(
                    _Line, host, port, ssl=self._tls, happy_eyeballs_delay=None if self._is_ip(host) else 0.25
                )
        except TimeoutError as error:
            raise httpx.ConnectTimeout(str(error)) from error
        except (OSError, ssl.SSLError) as error:
            raise httpx.ConnectError(str(error)) from error
        return line

    @staticmethod
    def _is_ip(host: str) -> bool:
        return ":" in host or host.replace(".", "").isdigit()


class _Stream(httpx.AsyncByteStream):
    """An answer's body. Gives its line back when it is closed."""

    def __init__(self, wire: Wire, line: "_Line", body: AsyncIterator[bytes]) -> None:
        self._wire = wire
        self._line: _Line | None = line
        self._body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._body:
            yield piece

    async def aclose(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            self._wire.give_back(line, whole=line.finished)


class _Line(asyncio.Protocol):
    """One connection: one request at a time."""

    def __init__(self) -> None:
        self.since = 0.0
        self.finished = False
        """The answer was read to its end."""
        self.reusable = False
        """Both sides keep it open after that."""
        loop = asyncio.get_running_loop()
        self.gone: asyncio.Future[None] = loop.create_future()
        self._transport: asyncio.Transport | None = None
        self._pieces: deque[bytes] = deque()
        self._size = 0
        self._paused = False
        self._ended = False
        self._error: Exception | None = None
        self._reader: asyncio.Future[None] | None = None
        self._writer: asyncio.Future[None] | None = None
        self._full = False

    # --- What asyncio says ------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._pieces.append(data)
        self._size += len(data)
        if self._size >= HIGH_WATER and not self._paused and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()
        _wake(self._reader)

    def eof_received(self) -> None:
        self._ended = True
        _wake(self._reader)

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended = True
        self._error = exc
        _wake(self._reader)
        _wake(self._writer)
        _wake(self.gone)

    def pause_writing(self) -> None:
        self._full = True

    def resume_writing(self) -> None:
        self._full = False
        _wake(self._writer)

    # --- What the pool does -----------------------------------------------------------------------------------------

    @property
    def quiet(self) -> bool:
        """Open, and the other side has said nothing unasked."""
        return not self._ended and not self._pieces

    def close(self) -> None:
        self.reusable = False
        if self._transport is not None:
            self._transport.abort()

    async def exchange(
        self, request: httpx.Request, read: float | None, write: float | None
    ) -> tuple[h11.Response, AsyncIterator[bytes]]:
        """Send the request; the head of its answer, and its body."""
        self.finished = self.reusable = False
        with _translated():
            parser = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEAD)
            head = h11.Request(method=request.method, target=request.url.raw_path, headers=request.headers.raw)
            await self._send(parser, head, request.stream, write)
            response = await self._head(parser, read)
        length = _length(request.method, response)
        self.reusable = _keeps_open(response)
        if length is None:
            return response, self._parsed(parser, read)
        left, _ = parser.trailing_data
        if left:
            self._pieces.appendleft(left)
            self._size += len(left)
        return response, self._counted(length, read)

    # --- Out --------------------------------------------------------------------------------------------------------

    async def _send(self, parser: h11.Connection, head: h11.Request, body: Any, seconds: float | None) -> None:
        assert self._transport is not None
        waiting = parser.send(head) or b""
        async for piece in body:
            waiting += parser.send(h11.Data(data=piece)) or b""
            if self._ended:  # it has answered already, most likely
                return
            self._transport.write(waiting)
            waiting = b""
            await self._drained(seconds)
        self._transport.write(waiting + (parser.send(h11.EndOfMessage()) or b""))

    async def _drained(self, seconds: float | None) -> None:
        while self._full and not self._ended:
            self._writer = asyncio.get_running_loop().create_future()
            try:
                async with asyncio.timeout(seconds):
                    await self._writer
            except TimeoutError as error:
                raise httpx.WriteTimeout("") from error
            finally:
                self._writer = None

    # --- In ---------------------------------------------------------------------------------------------------------

    async def _head(self, parser: h11.Connection, seconds: float | None) -> h11.Response:
        while True:
            event = parser.next_event()
            if event is h11.NEED_DATA:
                parser.receive_data(await self._more(seconds))
            elif isinstance(event, h11.Response):
                return event
            elif not isinstance(event, h11.InformationalResponse):
                raise httpx.RemoteProtocolError("The server ended the connection without an answer")

    async def _counted(self, length: int, seconds: float | None) -> AsyncIterator[bytes]:
        """So many bytes, as they come."""
        rest = length
        while rest:
            piece = await self._more(seconds)
            if not piece:
                msg = f"peer closed connection without sending complete message body ({length - rest} of {length})"
                raise httpx.RemoteProtocolError(msg)
            if len(piece) > rest:
                self.reusable = False
                piece = piece[:rest]
            rest -= len(piece)
            yield piece
        self.finished = True

    async def _parsed(self, parser: h11.Connection, seconds: float | None) -> AsyncIterator[bytes]:
        """In chunks, or until the other side ends it."""
        with _translated():
            while True:
                event = parser.next_event()
                if event is h11.NEED_DATA:
                    parser.receive_data(await self._more(seconds))
                elif isinstance(event, h11.Data):
                    yield bytes(event.data)
                elif isinstance(event, h11.EndOfMessage):
                    break
                else:
                    raise httpx.RemoteProtocolError("The server ended the connection in the middle of its answer")
        self.reusable = self.reusable and parser.their_state is h11.DONE and not parser.trailing_data[0]
        self.finished = True

    async def _more(self, seconds: float | None) -> bytes:
        """What has come; b"" at the end. Raises httpx.ReadError, ReadTimeout."""
        while not self._pieces:
            if self._ended:
                if self._error is not None:
                    raise httpx.ReadError(str(self._error)) from self._error
                return b""
            self._reader = asyncio.get_running_loop().create_future()
            try:
                if seconds is None:
                    await self._reader
                else:
                    async with asyncio.timeout(seconds):
                        await self._reader
            except TimeoutError as error:
                raise httpx.ReadTimeout("") from error
            finally:
                self._reader = None
        piece = self._pieces.popleft()
        self._size -= len(piece)
        if self._paused and self._size < HIGH_WATER and self._transport is not None:
            self._paused = False
            self._transport.resume_reading()
        return piece


def _wake(waiter: "asyncio.Future[None] | None") -> None:
    if waiter is not None and not waiter.done():
        waiter.set_result(None)


def _header(response: h11.Response, name: bytes) -> bytes:
    return b",".join(value for key, value in response.headers if key == name)


def _keeps_open(response: h11.Response) -> bool:
    """Two lengths at once may be a trick to make us take a body's end for another answer (RFC 9112, 6.1)."""
    ambiguous = _header(response, b"transfer-encoding") and _header(response, b"content-length")
    closes = b"close" in _header(response, b"connection").lower()
    return response.http_version == b"1.1" and not closes and not ambiguous


def _length(method: str, response: h11.Response) -> int | None:
    """Bytes of the body; None where only reading tells. h11 has seen to it that the headers agree with each other."""
    if method == "HEAD" or response.status_code in (204, 304):
        return 0
    if _header(response, b"transfer-encoding"):
        return None
    length = _header(response, b"content-length")
    return int(length) if length else None


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except h11.RemoteProtocolError as error:
        raise httpx.RemoteProtocolError(str(error)) from error
    except h11.LocalProtocolError as error:
        raise httpx.LocalProtocolError(str(error)) from error
