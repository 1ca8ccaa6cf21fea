"""Stands for llama.cpp's llama-server: its arguments, its key, its 503 while it loads. The "model" is JSON that says
how to behave: reply, pause (s between words), loading (s), die ("once", "always", "midway"), megabytes.

Run as a program; `install` makes one of it.
"""

import argparse
import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

from aiohttp import web


def install(folder: Path) -> Path:
    """A program in `folder` that a LocalEngine can be given."""
    program = folder / "llama-server"
    program.write_text(f"#!{sys.executable}\nimport runpy\nrunpy.run_path({__file__!r}, run_name='__main__')\n")
    program.chmod(0o755)
    return program


class Server:
    """One model, served."""

    def __init__(self, model: Path) -> None:
        self._model = model
        try:
            self._how: dict[str, Any] = json.loads(model.read_text())
        except ValueError:
            sys.exit("error: failed to load model: invalid magic characters")
        self._memory = b"x" * (self._how.get("megabytes", 0) << 20)
        self._loaded = asyncio.get_running_loop().time() + self._how.get("loading", 0)
        with model.with_suffix(".starts").open("a") as starts:
            starts.write(f"{os.getpid()}\n")

    def _refusal(self, request: web.Request) -> web.Response | None:
        if request.headers.get("Authorization") != f"Bearer {os.environ['LLAMA_API_KEY']}":
            return web.json_response({"error": {"message": "Invalid API Key", "code": 401}}, status=401)
        if asyncio.get_running_loop().time() < self._loaded:
            return web.json_response({"error": {"message": "Loading model", "code": 503}}, status=503)
        return None

    async def models(self, request: web.Request) -> web.Response:
        """GET /v1/models."""
        return self._refusal(request) or web.json_response({"data": [{"id": "fake"}]})

    async def chat(self, request: web.Request) -> web.StreamResponse:
        """POST /v1/chat/completions."""
        if refusal := self._refusal(request):
            return refusal
        body = await request.json()
        if len(body["messages"][-1]["content"]) > 4 * self._how.get("context", 4096):
            return web.json_response(
                {"error": {"message": "the request exceeds the available context size"}}, status=400
            )
        die = self._how.get("die")
        starts = len(self._model.with_suffix(".starts").read_text().split())
        if die == "always" or (die == "once" and starts == 1):
            os._exit(3)
        answer = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await answer.prepare(request)
        await asyncio.sleep(self._how.get("think", 0))
        for index, word in enumerate(self._how["reply"].split()):
            delta = {"content": word if index == 0 else f" {word}"}
            await answer.write(b"data: " + json.dumps({"choices": [{"delta": delta}]}).encode() + b"\n\n")
            if die == "midway" and index == 1:
                os._exit(3)
            await asyncio.sleep(self._how.get("pause", 0))
        await answer.write(b'data: {"choices": [{"delta": {}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n')
        return answer


async def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    for name in ("--model", "--host", "--port", "--alias", "--ctx-size", "--n-gpu-layers", "--threads"):
        parser.add_argument(name)
    args = parser.parse_args()
    server = Server(Path(args.model))
    app = web.Application()
    app.router.add_get("/v1/models", server.models)
    app.router.add_post("/v1/chat/completions", server.chat)
    runner = web.AppRunner(app, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, args.host, int(args.port)).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
