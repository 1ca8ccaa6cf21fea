"""An OpenAI-compatible server on loopback that answers as it is told to, well or badly."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any, Self

from aiohttp import web
from aiohttp.typedefs import Handler

MODEL = "double-1b"


def event(text: str = "", *, finish: str | None = None, **delta: Any) -> bytes:
    """One event of a stream."""
    part = {"content": text, **delta} if text or not delta else delta
    body = {"choices": [{"index": 0, "delta": part, "finish_reason": finish}]}
    return f"data: {json.dumps(body)}\n\n".encode()


DONE = b"data: [DONE]\n\n"


def said(*pieces: str, finish: str = "stop") -> tuple[bytes, ...]:
    """A whole, well-formed answer."""
    return (*(event(piece) for piece in pieces), event(finish=finish), DONE)


class FakeServer:
    """`chunks` are written one after the other, `pause` seconds apart; then the connection ends, or `hang`s."""

    def __init__(self, chunks: Sequence[bytes] = (), *, key: str = "") -> None:
        self.chunks: Sequence[bytes] = chunks or said("Hello", " world")
        self.key = key
        self.pause = 0.0
        self.hang = False
        self.content_type = "text/event-stream"
        self.statuses: list[tuple[int, str]] = []
        """The next answers to a chat, before good ones."""
        self.headers: dict[str, str] = {}
        self.models: Any = {"object": "list", "data": [{"id": MODEL}]}
        self.asked: list[dict[str, Any]] = []
        self.authorizations: list[str | None] = []
        self._connections: set[asyncio.Task[Any]] = set()
        self.reached = asyncio.Event()
        """Set when a chat was asked for."""
        self.gone = asyncio.Event()
        """Set when a client hung up before the answer was over."""

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=64 << 20, middlewares=[self._counted])
        app.router.add_post("/v1/chat/completions", self._chat)
        app.router.add_get("/v1/models", self._models)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/v1"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()
        # aiohttp does not wait for those whose client has hung up.
        left = tuple(self._connections)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        await asyncio.sleep(0)  # their sockets close in the loop's next turn

    @web.middleware
    async def _counted(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.task not in self._connections:
            self._connections.add(request.task)
            request.task.add_done_callback(self._connections.discard)
        return await handler(request)

    def _welcome(self, request: web.Request) -> bool:
        self.authorizations.append(request.headers.get("Authorization"))
        return not self.key or self.authorizations[-1] == f"Bearer {self.key}"

    async def _models(self, request: web.Request) -> web.Response:
        if not self._welcome(request):
            return web.json_response({"error": {"message": "Invalid API key"}}, status=401)
        return web.json_response(self.models)

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        if not self._welcome(request):
            return web.json_response({"error": {"message": "Invalid API key"}}, status=401)
        self.asked.append(await request.json())
        self.reached.set()
        if self.statuses:
            status, body = self.statuses.pop(0)
            return web.Response(status=status, text=body, headers=self.headers)
        answer = web.StreamResponse(headers=self.headers | {"Content-Type": self.content_type})
        await answer.prepare(request)
        try:
            for chunk in self.chunks:
                await answer.write(chunk)
                await asyncio.sleep(self.pause)
            if self.hang:
                await asyncio.sleep(3600)
        except (asyncio.CancelledError, ConnectionError):
            self.gone.set()
            raise
        return answer
