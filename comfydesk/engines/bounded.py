"""Under a library's own HTTP client: one origin, no compression, no answer without an end."""

from collections.abc import AsyncGenerator, AsyncIterator

import httpx

from comfydesk.client.address import Address
from comfydesk.client.network import Network
from comfydesk.client.origin import USER_AGENT
from comfydesk.errors import AnswerTooLargeError, NotComfyError, PodError

ANSWER = 32 << 20
"""Bytes of an answer; of a stream of events, between two line ends."""
CONNECT_TIMEOUT = 10.0
IDLE_TIMEOUT = 60.0


def client(address: Address, network: Network) -> httpx.AsyncClient:
    """For requests to `address` only: trust, proxy server and pinned certificate are the pod client's."""
    inner = httpx.AsyncHTTPTransport(
        verify=network.tls if network.tls is not None else True,
        proxy=network.proxy,
        limits=httpx.Limits(max_connections=32, max_keepalive_connections=8, keepalive_expiry=30),
        trust_env=False,
    )
    return httpx.AsyncClient(
        transport=Bounded(inner, address),
        timeout=httpx.Timeout(IDLE_TIMEOUT, connect=CONNECT_TIMEOUT),
        headers={"User-Agent": USER_AGENT},
        follow_redirects=False,
        trust_env=False,
    )


class Bounded(httpx.AsyncBaseTransport):
    def __init__(self, inner: httpx.AsyncBaseTransport, address: Address) -> None:
        self._inner = inner
        self._address = address

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url, ours = request.url, self._address
        target = (url.scheme, url.raw_host.decode().strip("[]"), url.port or (443 if url.scheme == "https" else 80))
        if target != (ours.scheme, ours.host, ours.port):
            raise PodError("The service sends us to another place, which is refused", "credentials are never sent on")
        request.headers["Accept-Encoding"] = "identity"
        response = await self._inner.handle_async_request(request)
        if response.headers.get("content-encoding", "identity") != "identity":
            await response.aclose()
            raise NotComfyError("The service compresses its answers unasked")
        assert isinstance(response.stream, httpx.AsyncByteStream)
        events = "text/event-stream" in response.headers.get("content-type", "")
        response.stream = _Counted(response.stream, by_line=events)
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


class _Counted(httpx.AsyncByteStream):
    def __init__(self, inner: httpx.AsyncByteStream, *, by_line: bool) -> None:
        self._inner = inner
        self._by_line = by_line

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        blocks = aiter(self._inner)
        try:
            async for chunk in blocks:
                end = chunk.rfind(b"\n") if self._by_line else -1
                size = len(chunk) - end - 1 if end >= 0 else size + len(chunk)
                if size > ANSWER:
                    what = "The service sent far more than that answer can be"
                    raise AnswerTooLargeError(what, f"over {ANSWER >> 20} MB")
                yield chunk
        finally:
            if isinstance(blocks, AsyncGenerator):  # one that is left halfway leaks its task
                await blocks.aclose()

    async def aclose(self) -> None:
        await self._inner.aclose()
