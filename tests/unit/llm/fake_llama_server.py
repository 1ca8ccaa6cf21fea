"""Stands for llama.cpp's llama-server: its arguments, its key, its 503 while it loads. The "model" is JSON that says
how to behave: reply, pause (s between words), loading (s), die ("once", "always", "midway"), megabytes.

Run as a program; `install` makes one of it.
"""

import argparse
import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


def install(folder: Path) -> Path:
    """A program in `folder` that a LocalEngine can be given."""
    program = folder / "llama-server"
    program.write_text(f"#!{sys.executable}\nimport runpy\nrunpy.run_path({__file__!r}, run_name='__main__')\n")
    program.chmod(0o755)
    return program


class Server(ThreadingHTTPServer):
    """One model, served. The standard library's: it starts in no time."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], model: Path, alias: str, projector: str = "") -> None:
        self.alias, self.projector = alias, projector
        try:
            self.how: dict[str, Any] = json.loads(model.read_text())
        except ValueError:
            sys.exit("error: failed to load model: invalid magic characters")
        self.memory = b"x" * (self.how.get("megabytes", 0) << 20)
        self.loaded = time.monotonic() + self.how.get("loading", 0)
        self.starts = model.with_suffix(".starts")
        with self.starts.open("a") as starts:
            starts.write(f"{os.getpid()}\n")
        super().__init__(address, Handler)


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    server: Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """/v1/models: for anybody, and also while it loads, as llama-server does."""
        self._json(200, {"data": [{"id": self.server.alias}]})

    def do_POST(self) -> None:
        """/v1/chat/completions."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self._refused():
            return
        how = self.server.how
        content = body["messages"][-1]["content"]
        if isinstance(content, list) and not self.server.projector:
            self._json(500, {"error": {"message": "image input is not supported - hint: you may need the mmproj"}})
            return
        if isinstance(content, str) and len(content) > 4 * how.get("context", 4096):
            self._json(400, {"error": {"message": "the request exceeds the available context size"}})
            return
        die = how.get("die")
        if die == "always" or (die == "once" and len(self.server.starts.read_text().split()) == 1):
            os._exit(3)
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        try:
            self._stream(how, die)
        except ConnectionError:
            self.close_connection = True

    def _stream(self, how: dict[str, Any], die: str | None) -> None:
        time.sleep(how.get("think", 0))
        for index, word in enumerate(how["reply"].split()):
            delta = {"content": word if index == 0 else f" {word}"}
            self.wfile.write(b"data: " + json.dumps({"choices": [{"delta": delta}]}).encode() + b"\n\n")
            if die == "midway" and index == 1:
                time.sleep(0.1)
                os._exit(3)
            time.sleep(how.get("pause", 0))
        self.wfile.write(b'data: {"choices": [{"delta": {}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n')

    def _refused(self) -> bool:
        if self.headers.get("Authorization") != f"Bearer {os.environ['LLAMA_API_KEY']}":
            self._json(401, {"error": {"message": "Invalid API Key", "code": 401}})
            return True
        if time.monotonic() < self.server.loaded:
            self._json(503, {"error": {"message": "Loading model", "code": 503}})
            return True
        return False

    def _json(self, status: int, document: Any) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name there
        """Quiet."""


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    for name in ("--model", "--host", "--port", "--alias", "--ctx-size", "--n-gpu-layers", "--threads", "--mmproj"):
        parser.add_argument(name)
    args = parser.parse_args()
    Server((args.host, int(args.port)), Path(args.model), args.alias or "fake", args.mmproj or "").serve_forever()


if __name__ == "__main__":
    main()
