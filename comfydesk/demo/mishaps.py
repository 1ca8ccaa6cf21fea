"""The middleware that plays a pod's script: it lets a request through, hinders it, or answers in its place."""

import asyncio
import gzip
from collections.abc import Mapping
from pathlib import Path

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

from comfydesk.demo.faults import Delay, Drip, Drop, Hang, Oversize, Redirect, Script, Status, Truncate


class ServedFile(web.FileResponse):
    """A file as the answer; `source` lets the mishaps below find its bytes."""

    def __init__(self, source: Path, headers: Mapping[str, str]) -> None:
        super().__init__(source, headers=dict(headers))
        self.source = source


def playing(script: Script) -> Middleware:
    """The middleware for `script`."""

    @web.middleware
    async def play(request: web.Request, handler: Handler) -> web.StreamResponse:
        if script.auth is not None and not script.auth.admits(request):
            return _answer(script.refusal)
        fault = script.pick(request.method, request.path)
        if isinstance(fault, Delay):
            await asyncio.sleep(fault.seconds)
        if fault is None or isinstance(fault, Delay):
            return await handler(request)
        if isinstance(fault, Status | Redirect):
            return _answer(fault)
        if isinstance(fault, Oversize):
            return await _oversize(request, fault)
        if isinstance(fault, Drop):
            if fault.after:
                await handler(request)
            return _broken(request)
        if isinstance(fault, Hang):
            return await _silence(request)
        assert isinstance(fault, Truncate | Drip)
        return await _hindered(request, await handler(request), fault)

    return play


def _answer(fault: Status | Redirect) -> web.Response:
    if isinstance(fault, Redirect):
        return web.Response(status=fault.status, headers={"Location": fault.location})
    return web.Response(
        status=fault.status, text=fault.body, content_type=fault.content_type, headers=dict(fault.headers)
    )


def _broken(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def _silence(request: web.Request) -> web.Response:
    """Until the client gives up, or the pod stops."""
    while request.transport is not None and not request.transport.is_closing():  # noqa: ASYNC110 - no event tells
        await asyncio.sleep(0.05)
    return web.Response()


async def _oversize(request: web.Request, fault: Oversize) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    blanks = b" " * 65536
    if fault.gzip:
        response.headers["Content-Encoding"] = "gzip"
        blanks = gzip.compress(b" " * fault.size)
        await response.prepare(request)
        await response.write(blanks)
        return response
    await response.prepare(request)
    for _ in range(max(1, fault.size // len(blanks))):
        await response.write(blanks)
    return response


async def _hindered(request: web.Request, response: web.StreamResponse, fault: Truncate | Drip) -> web.StreamResponse:
    """The body of `response`, cut short or slowed down, under its true headers."""
    body, headers, status = await _content(request, response)
    hindered = web.StreamResponse(status=status, headers=headers)
    hindered.content_length = len(body)
    await hindered.prepare(request)
    if isinstance(fault, Truncate):
        await hindered.write(body[: fault.size])
        await asyncio.sleep(0.01)  # let the bytes leave before the line breaks
        return _broken(request)
    for start in range(0, len(body), fault.size):
        await hindered.write(body[start : start + fault.size])
        await asyncio.sleep(fault.seconds)
    return hindered


async def _content(request: web.Request, response: web.StreamResponse) -> tuple[bytes, dict[str, str], int]:
    headers = {
        name: value
        for name, value in response.headers.items()
        if name not in (hdrs.CONTENT_LENGTH, hdrs.TRANSFER_ENCODING)
    }
    if not isinstance(response, ServedFile):
        body = response.body if isinstance(response, web.Response) else b""
        return bytes(body) if isinstance(body, bytes | bytearray) else b"", headers, response.status
    data = await asyncio.to_thread(response.source.read_bytes)
    stat = await asyncio.to_thread(response.source.stat)
    headers |= {"ETag": f'"{stat.st_mtime_ns:x}-{stat.st_size:x}"', "Accept-Ranges": "bytes"}
    wanted = request.http_range
    if wanted.start is None and wanted.stop is None:
        return data, headers, 200
    part = data[wanted]
    start = data.index(part) if wanted.start is None else wanted.start % len(data)
    headers["Content-Range"] = f"bytes {start}-{start + len(part) - 1}/{len(data)}"
    return part, headers, 206
