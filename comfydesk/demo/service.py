"""The demo pod in the foreground: what `comfydesk demo` runs, and the child process of demo.process."""

import asyncio
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from comfydesk.demo.server import HOST, DemoPod
from comfydesk.errors import PodError


async def serve(
    folder: Path, *, port: int = 0, speed: float = 1.0, ready: Callable[[str], None], until: TextIO | None = None
) -> None:
    """Run a pod and call `ready` with its URL; ends when `until` (the parent's end of a pipe) closes, else never.

    Raises PodError when the port is taken.
    """
    pod = DemoPod(port, folder=folder, speed=speed)
    try:
        await pod.start()
    except OSError as error:
        what = f"The demo pod cannot listen on {HOST}:{port}"
        raise PodError(what, error.strerror or str(error), "Choose another port, or 0 for any free one") from error
    try:
        ready(pod.url)
        over = asyncio.Event()
        if until is not None:
            _watch(until, asyncio.get_running_loop(), over)
        await over.wait()
    finally:
        await pod.stop()


def _watch(pipe: TextIO, loop: asyncio.AbstractEventLoop, over: asyncio.Event) -> None:
    """Set `over` once the pipe ends: its other end is held by the parent, and closes with it however it dies."""

    def read() -> None:
        while pipe.read(4096):
            pass
        loop.call_soon_threadsafe(over.set)

    threading.Thread(target=read, name="demo pod: parent", daemon=True).start()


def main(argv: list[str]) -> None:
    """`python -m comfydesk.demo FOLDER SPEED [PORT]`: the child. Its first line on stdout is the URL."""

    def ready(url: str) -> None:
        sys.stdout.write(f"{url}\n")
        sys.stdout.flush()

    port = int(argv[2]) if len(argv) > 2 else 0
    asyncio.run(serve(Path(argv[0]), port=port, speed=float(argv[1]), ready=ready, until=sys.stdin))
