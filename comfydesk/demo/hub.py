"""The demo pod's WebSockets: who is connected, what each announced, and messages to them in order."""

import asyncio
import json
import struct
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from aiohttp import WSMsgType, web

PREVIEW, TEXT, PREVIEW_WITH_METADATA = 1, 3, 4
FEATURES: Mapping[str, Any] = {
    "supports_preview_metadata": True,
    "supports_model_type_tags": True,
    "max_upload_size": 104857600,
    "extension": {"manager": {"supports_v4": True}},
    "node_replacements": True,
    "assets": False,
}
Message = str | bytes


class Hub:
    """Messages may be posted from any thread; one task sends them in the order they came.

    It keeps ComfyUI's bug: a socket that closes takes the registration of its client id along, even when a newer
    socket has it, and that one is deaf from then on.
    """

    def __init__(self, queue_info: Callable[[], dict[str, Any]]) -> None:
        self._queue_info = queue_info
        self._sockets: dict[str, web.WebSocketResponse] = {}
        self._flags: dict[str, Mapping[str, Any]] = {}
        self._open: dict[web.WebSocketResponse, asyncio.Transport | None] = {}
        self._deaf: set[str] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._outbox: asyncio.Queue[tuple[Message, str | None]] = asyncio.Queue()
        self._sender: asyncio.Task[None] | None = None
        self.client: str | None = None
        """Whose prompt runs; None also for a prompt queued without a client id."""
        self.node: str | None = None
        """The node that runs now."""

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._outbox = asyncio.Queue()
        self._sender = asyncio.create_task(self._send_all(), name="demo pod: messages")

    async def stop(self) -> None:
        if self._sender:
            self._sender.cancel()
            with suppress(asyncio.CancelledError):
                await self._sender
        self._loop = self._sender = None
        await self.cut()
        self.client = self.node = None
        self._deaf.clear()

    async def cut(self) -> None:
        """Break every connection without a word, as a dying server does."""
        for transport in tuple(self._open.values()):
            if transport is not None:
                transport.abort()
        self._open.clear()
        self._sockets.clear()
        self._flags.clear()

    def deafen(self, client_id: str | None = None) -> None:
        """From now on this client (or every connected one) gets no message, though its socket stays open."""
        self._deaf.update([client_id] if client_id else self._sockets)

    @property
    def clients(self) -> tuple[str, ...]:
        return tuple(self._sockets)

    def supports(self, client: str | None, feature: str) -> bool:
        """Did this client announce it?"""
        return client is not None and self._flags.get(client, {}).get(feature) is True

    def post(self, type_: str, data: Mapping[str, Any], client: str | None = None) -> None:
        """A JSON message; to everyone if `client` is None."""
        self._post(json.dumps({"type": type_, "data": data}), client)

    def post_bytes(self, kind: int, data: bytes, client: str | None = None) -> None:
        self._post(struct.pack(">I", kind) + data, client)

    def _post(self, message: Message, client: str | None) -> None:
        loop = self._loop
        if loop is not None:
            with suppress(RuntimeError):  # the loop closed while a worker was ending
                loop.call_soon_threadsafe(self._outbox.put_nowait, (message, client))

    async def _send_all(self) -> None:
        while True:
            message, client = await self._outbox.get()
            for name, socket in tuple(self._sockets.items()) if client is None else ((client, None),):
                await self._send(message, name, socket or self._sockets.get(name))

    async def _send(self, message: Message, client: str, socket: web.WebSocketResponse | None) -> None:
        if socket is None or client in self._deaf:
            return
        with suppress(ConnectionError, RuntimeError):
            if isinstance(message, str):
                await socket.send_str(message)
            else:
                await socket.send_bytes(message)

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """The /ws route."""
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        client = request.query.get("clientId") or uuid.uuid4().hex
        self._sockets[client] = socket
        self._flags[client] = {}
        self._open[socket] = request.transport
        self._deaf.discard(client)
        try:
            await self._greet(client, socket)
            await self._listen(client, socket)
        finally:
            self._open.pop(socket, None)
            self._sockets.pop(client, None)  # the bug: whoever has it now
            self._flags.pop(client, None)
        return socket

    async def _greet(self, client: str, socket: web.WebSocketResponse) -> None:
        hello = {"type": "status", "data": {"status": self._queue_info(), "sid": client}}
        await self._send(json.dumps(hello), client, socket)
        if client == self.client and self.node is not None:
            await self._send(json.dumps({"type": "executing", "data": {"node": self.node}}), client, socket)

    async def _listen(self, client: str, socket: web.WebSocketResponse) -> None:
        first = True
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                continue
            with suppress(ValueError):
                said = json.loads(message.data)
                if first and isinstance(said, dict) and said.get("type") == "feature_flags":
                    self._flags[client] = said.get("data", {})
                    await self._send(json.dumps({"type": "feature_flags", "data": dict(FEATURES)}), client, socket)
                first = False
