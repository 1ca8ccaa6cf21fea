"""One origin over HTTP: every request of this room is made here.

Every answer has a cap in bytes, counted after decompression, and a deadline in all. No redirect is followed. Only
PodError and its kin leave this module. Credentials are put on below httpx's client, for this one origin: its log lines
(URLs) and its objects never hold them.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import NamedTuple, TypeAlias

import httpx

from comfydesk import __version__
from comfydesk.client.address import Address
from comfydesk.client.answers import Answer, refusal
from comfydesk.client.bodies import Inflate
from comfydesk.client.network import Network, connection_error
from comfydesk.client.wire import Wire
from comfydesk.errors import NotComfyError, PodError, PodUnreachableError

Transport: TypeAlias = httpx.AsyncBaseTransport
"""What tests put in place of the network."""

USER_AGENT = f"ComfyDesk/{__version__}"
CONNECT_TIMEOUT = 10.0
_HEADERS = {"Accept": "*/*", "Accept-Encoding": "gzip", "Connection": "keep-alive", "User-Agent": USER_AGENT}
IDLE_TIMEOUT = 60.0
"""Seconds without a byte that end a transfer of files, which has no deadline in all."""
ERROR_CAP = 64 << 10


class Limit(NamedTuple):
    """What an answer may cost: bytes after decompression, and seconds from the first byte sent to the last read."""

    cap: int
    deadline: float


SMALL = Limit(16 << 20, 30)


class AnswerLostError(PodUnreachableError):
    """The request went out and no answer came back: the pod may have carried it out, or not."""


class Incoming:
    """A file on its way. `status` is 200 (all of it), 206 (from `start`) or 416 (nothing from there)."""

    def __init__(self, response: httpx.Response, address: Address) -> None:
        self._response = response
        self._address = address
        headers = response.headers
        self.status = response.status_code
        self.etag: str = headers.get("etag", "")
        self.start, self.total = _extent(self.status, headers)

    async def chunks(self) -> AsyncIterator[bytes]:
        """Bytes as they arrive. Raises AnswerLostError when they end early."""
        with _translated(self._address):
            async for chunk in self._response.aiter_raw():
                yield chunk


class Origin:
    """Requests to one origin. Closing is the owner's duty. `network` is made at the first need unless given.

    `address` None: it is not known yet, and requests raise PodUnreachableError until `move` has told it.
    """

    def __init__(
        self, address: Address | None, *, transport: Transport | None = None, network: Network | None = None
    ) -> None:
        self._address = address
        self._transport = transport
        self._network = network
        self._left = False
        self._calls: _Caller | None = None
        self._transfers: _Caller | None = None

    @property
    def address(self) -> Address:
        if self._address is None:
            raise PodUnreachableError("It is not known yet where the pod is", "", "Wait until it is connected")
        return self._address

    async def move(self, address: Address) -> None:
        """The pod is elsewhere now. What is under way to the old place ends there, with AnswerLostError."""
        if address != self._address:
            self._address, self._network = address, None
            await self.close()

    @property
    def network(self) -> Network:
        """Trust and proxy server, shared with the WebSocket."""
        if self._network is None:
            self._network = Network.to(self.address)
        return self._network

    async def close(self) -> None:
        """End all connections. May be called twice; a later request opens them again."""
        clients = [client for client in (self._calls, self._transfers) if client is not None]
        self._calls = self._transfers = None
        for client in clients:
            await client.aclose()

    async def leave(self) -> None:
        """Close, and refuse requests (PodUnreachableError) until `enter`: nobody would close what they open."""
        self._left = True
        await self.close()

    def enter(self) -> None:
        """Take requests again."""
        self._left = False

    async def exchange(
        self,
        method: str,
        path: str,
        limit: Limit = SMALL,
        *,
        query: Mapping[str, str] | None = None,
        content: bytes | None = None,
        content_type: str = "",
        cut: bool = False,
    ) -> Answer:
        """One request, one answer, whatever its status. With `cut` a body over the cap is cut, not an error."""
        client = self._client()
        headers = {"Content-Type": content_type} if content is not None else None
        with _translated(self.address):
            request = client.request(method, self.address.http_url(path), query, headers, content)
            async with asyncio.timeout(limit.deadline):
                response = await client.send(request)
                try:
                    return await _read(response, limit.cap, cut=cut)
                finally:
                    await response.aclose()

    @asynccontextmanager
    async def download(
        self, path: str, query: Mapping[str, str], *, offset: int = 0, etag: str = "", html: bool = False
    ) -> AsyncIterator[Incoming]:
        """A file, raw; from `offset` if it still has that ETag, else from the start. No deadline in all.

        Unless `html` is expected, an HTML page is a refusal (a login) and no file.
        """
        headers = {"Accept-Encoding": "identity"}
        if offset > 0 and etag:
            headers |= {"Range": f"bytes={offset}-", "If-Range": etag}
        client = self._client(transfer=True)
        with _translated(self.address):
            response = await client.send(client.request("GET", self.address.http_url(path), query, headers))
        try:
            page = not html and "html" in response.headers.get("content-type", "")
            if page or response.status_code not in (200, 206, 416):
                with _translated(self.address):
                    answer = await _read(response, ERROR_CAP, cut=True)
                raise refusal(answer, self.address)
            if response.headers.get("content-encoding", "identity") != "identity":
                raise NotComfyError("The pod compresses files unasked", "a proxy before it does", "Turn that off there")
            yield Incoming(response, self.address)
        finally:
            await response.aclose()

    async def upload(self, path: str, content: AsyncIterator[bytes], *, length: int, content_type: str) -> Answer:
        """POST a body of `length` bytes. No deadline in all; a minute without any progress ends it."""
        client = self._client(transfer=True)
        headers = {"Content-Type": content_type, "Content-Length": str(length)}
        with _translated(self.address):
            request = client.request("POST", self.address.http_url(path), None, headers, content)
            response = await client.send(request)
            try:
                return await _read(response, SMALL.cap)
            finally:
                await response.aclose()

    def _client(self, *, transfer: bool = False) -> "_Caller":
        """Transfers have connections of their own: a slow download never holds up a cancel."""
        if self._left:
            raise PodUnreachableError("The pod is not connected any more")
        client = self._transfers if transfer else self._calls
        if client is None:
            client = self._new_client(IDLE_TIMEOUT if transfer else None)
            if transfer:
                self._transfers = client
            else:
                self._calls = client
        return client

    def _new_client(self, idle: float | None) -> "_Caller":
        transport = self._transport
        if transport is None:
            network = self.network
            transport = Wire(network.tls) if network.proxy is None else _through_proxy(network)
        return _Caller(_SameOrigin(transport, self.address, own=self._transport is None), idle)


def _through_proxy(network: Network) -> Transport:
    return httpx.AsyncHTTPTransport(
        verify=network.tls or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),  # plain http: trusts nobody
        proxy=network.proxy,
        limits=httpx.Limits(max_connections=16, max_keepalive_connections=8, keepalive_expiry=30),
        trust_env=False,
    )


class _Caller:
    """What is needed of an httpx client: no redirects, no cookies, no login flows, no log, a third of the time."""

    def __init__(self, transport: "_SameOrigin", idle: float | None) -> None:
        self._transport = transport
        self._extensions = {"timeout": httpx.Timeout(idle, connect=CONNECT_TIMEOUT).as_dict()}

    def request(
        self,
        method: str,
        url: str,
        query: Mapping[str, str] | None,
        headers: Mapping[str, str] | None,
        content: bytes | AsyncIterator[bytes] | None = None,
    ) -> httpx.Request:
        return httpx.Request(
            method,
            url,
            params=query,
            headers=_HEADERS if headers is None else {**_HEADERS, **headers},
            content=content,
            extensions=dict(self._extensions),
        )

    async def send(self, request: httpx.Request) -> httpx.Response:
        """The answer's head; its body is the caller's to read and to close."""
        response = await self._transport.handle_async_request(request)
        response.request = request
        return response

    async def aclose(self) -> None:
        await self._transport.aclose()


class _SameOrigin(httpx.AsyncBaseTransport):
    """Puts the credentials on, and lets nothing through to any other origin."""

    def __init__(self, inner: Transport, address: Address, *, own: bool) -> None:
        self._inner = inner
        self._address = address
        self._own = own

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url, address = request.url, self._address
        target = (url.scheme, url.raw_host.decode().strip("[]"), url.port or (443 if url.scheme == "https" else 80))
        if target != (address.scheme, address.host, address.port):
            msg = f"a request to {target} through the connection to {address}"
            raise AssertionError(msg)
        if not address.query and not address.headers:  # nothing to put on
            return await self._inner.handle_async_request(request)
        if address.query:
            url = url.copy_merge_params(list(address.query))
        headers = httpx.Headers(request.headers)
        headers.update(list(address.headers))
        authorised = httpx.Request(
            request.method, url, headers=headers, stream=request.stream, extensions=request.extensions
        )
        return await self._inner.handle_async_request(authorised)

    async def aclose(self) -> None:
        if self._own:
            await self._inner.aclose()


async def _read(response: httpx.Response, cap: int, *, cut: bool = False) -> Answer:
    """The body, decompressed. Over `cap` bytes: AnswerTooLargeError; an error's body is cut at 64 KB instead."""
    failed = response.status_code >= 300
    inflate = Inflate(response.headers.get("content-encoding", ""), ERROR_CAP if failed else cap, cut=failed or cut)
    async for chunk in response.aiter_raw():
        inflate.feed(chunk)
        if inflate.full:
            break
    headers = response.headers
    return Answer(
        response.status_code,
        headers.get("content-type", ""),
        inflate.finish(),
        headers.get("location", ""),
        headers.get("server", ""),
        headers.get("etag", ""),
        _count(headers.get("content-length", "")),
    )


def _extent(status: int, headers: httpx.Headers) -> tuple[int, int | None]:
    """(start, total) of a body; total None when the server does not say."""
    if status == 206:
        unit, _, extent = headers.get("content-range", "").partition(" ")
        span, _, total = extent.partition("/")
        start = _count(span.partition("-")[0])
        if unit == "bytes" and start is not None:
            return start, _count(total)
        raise NotComfyError("The pod sent a part of a file without saying which")
    return 0, _count(headers.get("content-length", ""))


def _count(text: str) -> int | None:
    """A number of bytes in a header; None for anything else, and for more digits than any file has bytes."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else None


@contextmanager
def _translated(address: Address) -> Iterator[None]:
    """Foreign exceptions become ours, here and nowhere else."""
    try:
        yield
    except (httpx.ConnectError, httpx.ConnectTimeout) as error:
        raise connection_error(error, address) from error
    except httpx.ProxyError as error:
        raise PodUnreachableError("Your network's proxy server does not let us through", str(error)) from error
    except (httpx.TimeoutException, TimeoutError) as error:
        msg = f"{address.host} did not answer in time"
        raise AnswerLostError(msg, "it is busy, or hangs", "Try again in a moment") from error
    except httpx.RemoteProtocolError as error:
        if "illegal" in str(error):  # h11 on what is no HTTP at all
            raise NotComfyError("That port does not speak HTTP", "", "Check the port: ComfyUI's own is 8188") from error
        msg = f"{address.host} ended the connection in the middle"
        raise AnswerLostError(
            msg,
            "ComfyUI restarted, the connection was cut, or that port does not speak HTTP",
        ) from error
    except httpx.InvalidURL as error:
        raise PodError("That cannot be put into a URL", str(error)) from error
    except (httpx.HTTPError, OSError) as error:
        msg = f"The connection to {address.host} was lost"
        raise AnswerLostError(msg) from error
