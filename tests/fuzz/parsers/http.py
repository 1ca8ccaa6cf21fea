"""HTTP answers, from the socket's bytes to JSON: client.wire, origin, bodies and rest against a server on loopback."""

import asyncio
import functools
import gzip
import zlib

from comfydesk.client.address import Address
from comfydesk.client.remote import RemoteFile
from comfydesk.client.rest import Rest
from tests.fuzz.harness import Harness
from tests.fuzz.mutate import bytes_of, either, tokens

_ROUTES = 6


class Server:
    """Answers every request with the same bytes, in pieces, and hangs up."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.answer = b""
        self.server = self.loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.port: int = self.server.sockets[0].getsockname()[1]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            half = len(self.answer) // 2
            writer.write(self.answer[:half])
            await asyncio.sleep(0)
            writer.write(self.answer[half:])
            writer.write_eof()
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@functools.cache
def server() -> Server:
    return Server()


def take(data: bytes) -> None:
    """The first byte is the route, the others are the answer."""
    there = server()
    there.answer = data[1:]
    there.loop.run_until_complete(
        _ask(Address.parse(f"http://127.0.0.1:{there.port}"), (data[:1] or b"\0")[0] % _ROUTES)
    )


async def _ask(address: Address, route: int) -> None:
    rest = Rest(address)
    try:
        async with asyncio.timeout(10):
            match route:
                case 0:
                    await rest.system_stats()
                case 1:
                    await rest.submit({"prompt": {}})
                case 2:
                    await rest.job("x")
                case 3:
                    await rest.cancel("x")
                case 4:
                    await rest.raw("/")
                case _:
                    await rest.stat(RemoteFile("a.png"))
    finally:
        await rest.close()


def seeds() -> list[bytes]:
    body = b'{"system": {"os": "linux"}, "devices": [], "error": {"message": "m", "details": "d"}, "cancelled": true}'
    packed, deflated = gzip.compress(body, mtime=0), zlib.compress(body)

    def answer(status: str, *headers: str, body: bytes = b"") -> bytes:
        return f"HTTP/1.1 {status}\r\n{''.join(h + chr(13) + chr(10) for h in headers)}\r\n".encode() + body

    json_type, length = "Content-Type: application/json", f"Content-Length: {len(body)}"
    answers = [
        answer("200 OK", json_type, length, body=body),
        answer("200 OK", json_type, "Connection: close", body=body),
        answer(
            "200 OK", json_type, "Transfer-Encoding: chunked", body=b"5;x=1\r\n" + body[:5] + b"\r\n0\r\nA: b\r\n\r\n"
        ),
        answer("200 OK", json_type, "Content-Encoding: gzip", f"Content-Length: {len(packed)}", body=packed),
        answer("200 OK", json_type, "Content-Encoding: deflate", f"Content-Length: {len(deflated)}", body=deflated),
        answer("400 Bad Request", json_type, length, body=body),
        answer("404 Not Found", "Content-Length: 14", body=b"404: Not Found"),
        answer("302 Found", "Location: https://user:x@elsewhere:99/login?a=b", "Content-Length: 0"),
        answer("401 Unauthorized", "Server: TornadoServer/6", "Content-Type: text/html", body=b"<html><title>Sign in"),
        answer("200 OK", "Content-Type: text/html", body=b"<!doctype html><title>x</title><input type=password>"),
        answer("524 Timeout", "Content-Length: 0"),
        answer("100 Continue") + answer("204 No Content", 'ETag: "abc"', "Content-Length: 5"),
        b"HTTP/1.0 200 OK\r\n\r\n" + body,
    ]
    return [bytes([route]) + one for route in range(_ROUTES) for one in answers]


HARNESS = Harness(
    take,
    seeds,
    either(
        bytes_of,
        tokens(
            "\r\n",
            "\n",
            "\0",
            "HTTP/1.1 ",
            " 200 ",
            "Content-Length: -1\r\n",
            "Content-Length: 99999999999999999999\r\n",
            "Transfer-Encoding: chunked\r\n",
            "Transfer-Encoding: gzip, chunked\r\n",
            "ffffffffffffffff\r\n",
            "0\r\n\r\n",
            "Location: //[\r\n",
            "Location: http://[::1\r\n",
            "Content-Encoding: br\r\n",
            "Content-Type: x;charset=utf-7\r\n",
            'ETag: W/"',
            " 999 ",
            " 101 ",
            " 304 ",
            " 407 ",
            "<title>",
            "{",
            "[" * 2000,
        ),
    ),
    smoke=60,
)
