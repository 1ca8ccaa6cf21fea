"""Under comfy-sdk: no answer without an end, nothing to another place."""

from collections.abc import AsyncIterator

import httpx
import pytest

from comfydesk.client.address import Address
from comfydesk.engines import bounded
from comfydesk.errors import AnswerTooLargeError, NotComfyError, PodError

HERE = Address.parse("https://cloud.example")


class Flood(httpx.AsyncByteStream):
    """Blocks without an end."""

    def __init__(self, block: bytes) -> None:
        self._block = block
        self.sent = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while self.sent < 4 * bounded.ANSWER:
            self.sent += len(self._block)
            yield self._block


class Server(httpx.AsyncBaseTransport):
    def __init__(self, stream: httpx.AsyncByteStream, **headers: str) -> None:
        self.stream, self.headers = stream, {name.replace("_", "-"): value for name, value in headers.items()}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        assert request.headers["accept-encoding"] == "identity"
        return httpx.Response(200, headers=self.headers, stream=self.stream)


def talking(server: Server) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=bounded.Bounded(server, HERE))


async def test_an_endless_answer_costs_its_cap() -> None:
    flood = Flood(bytes(1 << 20))
    async with talking(Server(flood)) as http:
        with pytest.raises(AnswerTooLargeError):
            await http.get("https://cloud.example/api/v2/jobs")
    assert flood.sent <= bounded.ANSWER + (2 << 20)


async def test_events_may_go_on_as_long_as_their_lines_end() -> None:
    flood = Flood(b"data: x" + bytes(1 << 20) + b"\n\n")
    async with talking(Server(flood, content_type="text/event-stream")) as http:
        await http.get("https://cloud.example/events")
    endless = Flood(bytes(1 << 20))
    async with talking(Server(endless, content_type="text/event-stream")) as http:
        with pytest.raises(AnswerTooLargeError):
            await http.get("https://cloud.example/events")


async def test_compressed_answers_are_refused_unread() -> None:
    flood = Flood(b"x")
    async with talking(Server(flood, content_encoding="gzip")) as http:
        with pytest.raises(NotComfyError):
            await http.get("https://cloud.example/")
    assert flood.sent == 0


@pytest.mark.parametrize("url", ["https://other.example/", "http://cloud.example/", "https://cloud.example:444/"])
async def test_nothing_goes_to_another_place(url: str) -> None:
    async with talking(Server(Flood(b"x"))) as http:
        with pytest.raises(PodError, match="another place"):
            await http.get(url)
