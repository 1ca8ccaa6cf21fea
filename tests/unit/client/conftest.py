"""What a real ComfyUI 0.33.0 said, recorded: `{"t", "dir": open|send|recv|recv_binary|http|scenario|close, …}` lines.

Binary frames are recorded as their header and metadata; the picture itself is not kept.
"""

import asyncio
import base64
import gc
import hashlib
import json
import lzma
import ssl
import struct
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID


@pytest.fixture(scope="session", autouse=True)
def _few_objects_to_collect() -> None:
    """tests/conftest.py collects after each async test: without what was imported that takes 1 ms, not 90."""
    gc.collect()
    gc.freeze()


_FILE = Path(__file__).parents[2] / "data" / "client_traffic.jsonl.xz"


@dataclass(frozen=True)
class Traffic:
    lines: tuple[dict[str, Any], ...]

    def scenario(self, name: str) -> "Traffic":
        start = next(i for i, line in enumerate(self.lines) if line.get("name") == name)
        rest = self.lines[start + 1 :]
        end = next((i for i, line in enumerate(rest) if line["dir"] == "scenario"), len(rest))
        return Traffic(rest[:end])

    def frames(self, connection: str | None = None) -> Iterator[str | bytes]:
        """What arrived on a WebSocket, in order."""
        for line in self.lines:
            if connection is not None and line.get("conn") != connection:
                continue
            if line["dir"] == "recv":
                yield line["text"]
            elif line["dir"] == "recv_binary":
                yield _binary(line)

    def http(self, path_start: str, method: str = "GET") -> list[dict[str, Any]]:
        return [
            line
            for line in self.lines
            if line["dir"] == "http" and line["method"] == method and line["path"].startswith(path_start)
        ]

    def posted(self) -> dict[str, Any]:
        """The body of the scenario's POST /prompt, with the id that the server gave it under "prompt_id"."""
        line = self.http("/prompt", "POST")[0]
        return {**line["request"], "prompt_id": json.loads(line["response"])["prompt_id"]}


def _binary(line: dict[str, Any]) -> bytes:
    """The frame as it was: its first 24 bytes are recorded, and what followed can be made again."""
    head = bytes.fromhex(line["hex24"])
    kind: int = line["event_type"]
    length: int = line["len"]
    frame: bytes
    if kind == 3:
        node = line["node_id"].encode()
        frame = struct.pack(">II", 3, len(node)) + node + line["text"].encode()
    elif kind == 4:
        metadata = json.dumps(line["metadata"]).encode()
        frame = struct.pack(">II", 4, len(metadata)) + metadata + bytes.fromhex(line["image_magic"])
        frame = frame.ljust(length, b"\0")
    else:
        frame = head.ljust(length, b"\0")
    assert frame.startswith(head)
    assert len(frame) == length
    return frame


@pytest.fixture(scope="session")
def traffic() -> Traffic:
    return Traffic(tuple(json.loads(line) for line in lzma.decompress(_FILE.read_bytes()).splitlines()))


# --- A server that says exactly what a test tells it to, down to the byte -------------------------------------------


@dataclass
class Request:
    method: str
    target: str
    """Path and query as they came over the wire."""
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes = b""

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]


@dataclass
class Reply:
    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0
    raw: bytes | None = None
    """Sent instead of an HTTP answer; then the connection is cut."""
    cut_after: int | None = None
    """Bytes of the body after which the connection is cut."""

    @classmethod
    def json(cls, document: object, **more: Any) -> "Reply":
        return cls(json.dumps(document).encode(), headers={"Content-Type": "application/json"}, **more)

    @classmethod
    def html(cls, page: str, status: int = 200) -> "Reply":
        return cls(f"<!doctype html><html>{page}</html>".encode(), status, {"Content-Type": "text/html"})

    @classmethod
    def redirect(cls, location: str, status: int = 302) -> "Reply":
        return cls(b"", status, {"Location": location})


Answering = Reply | Callable[[Request], Reply]


class Socket:
    """The server's end of a WebSocket."""

    def __init__(self, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.request = request
        self._reader = reader
        self._writer = writer
        self.received: list[str] = []
        self.closed = asyncio.Event()
        self.answers_pings = True

    async def send(self, message: object) -> None:
        if isinstance(message, bytes):
            opcode, payload = 2, message
        else:
            opcode, payload = 1, (message if isinstance(message, str) else json.dumps(message)).encode()
        self._write(opcode, payload)
        await self._writer.drain()

    async def status(self, remaining: int = 0) -> None:
        await self.send({"type": "status", "data": {"status": {"exec_info": {"queue_remaining": remaining}}}})

    def cut(self) -> None:
        self._writer.transport.abort()

    def close(self, code: int = 1001) -> None:
        self._write(8, struct.pack(">H", code))

    async def run(self) -> None:
        """Read until the client is gone."""
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                opcode, payload = await self._read()
                if opcode == 1:
                    self.received.append(payload.decode())
                elif opcode == 8:
                    self._write(8, payload)
                    break
                elif opcode == 9 and self.answers_pings:
                    self._write(10, payload)
        self.closed.set()

    async def _read(self) -> tuple[int, bytes]:
        first, second = await self._reader.readexactly(2)
        length = second & 127
        if length == 126:
            (length,) = struct.unpack(">H", await self._reader.readexactly(2))
        mask = await self._reader.readexactly(4)
        payload = await self._reader.readexactly(length)
        return first & 15, bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))

    def _write(self, opcode: int, payload: bytes) -> None:
        size = len(payload)
        if size < 126:
            head = struct.pack(">BB", 128 | opcode, size)
        elif size < 1 << 16:
            head = struct.pack(">BBH", 128 | opcode, 126, size)
        else:
            head = struct.pack(">BBQ", 128 | opcode, 127, size)
        if not self._writer.transport.is_closing():
            self._writer.write(head + payload)


async def greet(socket: Socket) -> None:
    """What ComfyUI does with a new socket."""
    await socket.status(0)
    await socket.run()


class Wire:
    """An HTTP server on port 0. `replies` by path (what is not there is 404, as aiohttp says it); `on_socket` runs each
    WebSocket of /ws; `greeting` is sent before anything is read; `refuse_ws` answers the handshake."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.replies: dict[str, Answering] = {}
        self.requests: list[Request] = []
        self.sockets: list[Socket] = []
        self.on_socket: Callable[[Socket], Awaitable[None]] = greet
        self.refuse_ws: Reply | None = None
        self.connections = 0
        self.port = 0
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def paths(self) -> list[str]:
        return [request.path for request in self.requests]

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Nobody listens any more, and all connections are cut. `start` takes the same port again."""
        assert self._server is not None
        self._server.close()
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._server.wait_closed()
        # A client that broke off the TLS handshake is noticed by asyncio's own task a few turns later.
        if strays := [task for task in asyncio.all_tasks() if "_accept_connection2" in repr(task.get_coro())]:
            await asyncio.wait(strays, timeout=5)

    async def __aenter__(self) -> "Wire":
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        try:
            while await self._serve(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            writer.transport.abort()
        finally:
            writer.close()
            self._tasks.discard(task)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One request; whether the connection goes on."""
        first = await reader.readexactly(1)
        if first == b"\x16":  # a TLS hello
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            return False
        request = await _read_request(first, reader)
        self.requests.append(request)
        if request.path == "/ws" and self.refuse_ws is None and "upgrade" in request.headers:
            await self._upgrade(request, reader, writer)
            return False
        reply = self.refuse_ws if request.path == "/ws" else self.replies.get(request.path)
        reply = reply or Reply(b"404: Not Found", 404, {"Content-Type": "text/plain"})
        reply = reply if isinstance(reply, Reply) else reply(request)
        await asyncio.sleep(reply.delay)
        if reply.raw is not None:
            writer.write(reply.raw)
            await writer.drain()
            return False
        headers = {"Content-Length": str(len(reply.body))} | reply.headers
        lines = [f"HTTP/1.1 {reply.status} X", *(f"{name}: {value}" for name, value in headers.items())]
        body = b"" if request.method == "HEAD" else reply.body[: reply.cut_after]
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        await writer.drain()
        return reply.cut_after is None

    async def _upgrade(self, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        key = request.headers["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        accept = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
        head = [
            "HTTP/1.1 101 X",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Accept: {accept}",
            "",
            "",
        ]
        writer.write("\r\n".join(head).encode())
        socket = Socket(request, reader, writer)
        self.sockets.append(socket)
        await self.on_socket(socket)


async def _read_request(start: bytes, reader: asyncio.StreamReader) -> Request:
    head = (start + await reader.readuntil(b"\r\n\r\n")).decode()
    first, *lines = head.split("\r\n")
    method, target, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
    body = b""
    if "content-length" in headers:
        body = await reader.readexactly(int(headers["content-length"]))
    elif headers.get("transfer-encoding") == "chunked":
        while size := int((await reader.readuntil(b"\r\n")).strip(), 16):
            body += (await reader.readexactly(size + 2))[:-2]
        await reader.readexactly(2)
    return Request(method, target, headers, body)


SYSTEM_STATS = {
    "system": {"os": "linux", "comfyui_version": "0.33.0", "python_version": "3.12.3", "ram_total": 1, "ram_free": 1},
    "devices": [{"name": "cpu", "type": "cpu", "vram_total": 2**34, "vram_free": 1}],
}
QUEUE_INFO = {"exec_info": {"queue_remaining": 0}}


def like_comfyui(server: Wire) -> Wire:
    """As much of ComfyUI as a probe and a link want to see."""
    server.replies |= {
        "/api/system_stats": Reply.json(SYSTEM_STATS),
        "/api/prompt": Reply.json(QUEUE_INFO),
        "/api/object_info": Reply.json({"EmptyImage": {"input": {}}}),
    }
    return server


# --- TLS ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Certificate:
    """Self-signed, for 127.0.0.1."""

    server: ssl.SSLContext
    fingerprint: str
    pem: Path


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a pod")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("tls")
    pem, key_pem = folder / "cert.pem", folder / "key.pem"
    pem.write_bytes(made.public_bytes(Encoding.PEM))
    key_pem.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, key_pem)
    return Certificate(context, made.fingerprint(hashes.SHA256()).hex(), pem)
