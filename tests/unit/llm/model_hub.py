"""A hub on loopback that serves one file in ranges, cut off, redirected, or wrong; and a second one, as its CDN.

Run as a program it serves for a process that is to be killed.
"""

import asyncio
import hashlib
import random
from dataclasses import replace
from typing import Self

from aiohttp import web

from comfydesk.llm.models import CURATED, CuratedModel

DATA = random.Random(7).randbytes(3_000_000)


def model_of(data: bytes = DATA, sha256: str = "") -> CuratedModel:
    """A curated model whose file is `data`."""
    return replace(CURATED[0], size=len(data), sha256=sha256 or hashlib.sha256(data).hexdigest())


class ModelHub:
    """`cuts`: after how many bytes of each next answer the line breaks. `redirect`: an origin to send everyone to."""

    def __init__(self, data: bytes = DATA) -> None:
        self.data = data
        self.cuts: list[int] = []
        self.statuses: list[int] = []
        self.ranges = True
        self.redirect = ""
        self.content_range = ""
        self.content_type = "application/octet-stream"
        self.block, self.pause = 64 * 1024, 0.0
        self.asked: list[tuple[str | None, str | None]] = []
        """Range and Authorization of each request for the file."""
        self.sent = 0

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_get("/{path:.*}", self._serve)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    @property
    def starts(self) -> list[int]:
        """Where each request for the file began."""
        return [int(range_[6:-1]) if range_ else 0 for range_, _ in self.asked]

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        self.asked.append((request.headers.get("Range"), request.headers.get("Authorization")))
        if self.redirect:
            return web.Response(status=302, headers={"Location": f"{self.redirect}{request.path_qs}?signed=1"})
        if self.statuses:
            return web.Response(status=self.statuses.pop(0))
        start = self.starts[-1] if self.ranges else 0
        if start and start >= len(self.data):
            return web.Response(status=416)
        answer = web.StreamResponse(status=206 if start else 200)
        answer.content_type = self.content_type
        answer.content_length = len(self.data) - start
        if start:
            end = len(self.data) - 1
            answer.headers["Content-Range"] = self.content_range or f"bytes {start}-{end}/{len(self.data)}"
        await answer.prepare(request)
        stop = start + self.cuts.pop(0) if self.cuts else len(self.data)
        for at in range(start, min(stop, len(self.data)), self.block):
            block = self.data[at : min(at + self.block, stop)]
            await answer.write(block)
            self.sent += len(block)
            await asyncio.sleep(self.pause)
        if stop < len(self.data) and request.transport is not None:
            request.transport.close()
        return answer
