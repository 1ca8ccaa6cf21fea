"""A demo pod in a process of its own, so that drawing never holds up the window's loop."""

import asyncio
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from comfydesk.errors import PodError

START_TIMEOUT = 30.0
STOP_TIMEOUT = 3.0


class DemoProcess:
    """A running child. It ends with `stop`, and by itself when this process is gone, however that ended."""

    def __init__(self, process: "subprocess.Popen[str]", url: str) -> None:
        self._process = process
        self.url = url

    def is_running(self) -> bool:
        return self._process.poll() is None

    @classmethod
    async def start(
        cls,
        folder: Path,
        *,
        speed: float = 1.0,
        port: int = 0,
        timeout: float = START_TIMEOUT,  # noqa: ASYNC109
    ) -> "DemoProcess":
        """Start a pod whose disk is `folder`, on a free port; back once it listens. Raises PodError if it fails to."""
        return await asyncio.to_thread(cls.launch, folder, speed=speed, port=port, timeout=timeout)

    @classmethod
    def launch(
        cls, folder: Path, *, speed: float = 1.0, port: int = 0, timeout: float = START_TIMEOUT
    ) -> "DemoProcess":
        """`start` for those without a loop: blocks, a second as a rule."""
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "demo-pod.log").open("a", encoding="utf-8") as log:
            process = subprocess.Popen(  # noqa: S603 - our own program
                [*_program(), str(folder), str(speed), str(port)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                **_apart(),
            )
        url = _first_line(process, timeout)
        if not url.startswith("http://"):
            _end(process)
            raise PodError("The demo pod did not start", url, f"See {folder / 'demo-pod.log'}")
        return cls(process, url)

    async def stop(self) -> None:
        """End it; twice is fine. Blocks no loop."""
        await asyncio.to_thread(self.close)

    def close(self) -> None:
        """`stop` for those without a loop."""
        _end(self._process)

    def kill(self) -> None:
        """End it as a power cut would: what it had in memory is gone."""
        self._process.kill()
        _end(self._process)


def _program() -> list[str]:
    if getattr(sys, "frozen", False):
        return [sys.executable, "demo", "--child"]
    return [sys.executable, "-m", "comfydesk.demo"]


def _apart() -> dict[str, Any]:
    """Ctrl+C in the terminal is for the window: the child ends by its pipe. No console flashes up on Windows."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}


def _first_line(process: "subprocess.Popen[str]", timeout: float) -> str:
    """What the child says first, "" if it says nothing in time."""
    lines: list[str] = []
    reader = threading.Thread(target=_read_line, args=(process.stdout, lines), daemon=True)
    reader.start()
    reader.join(timeout)
    return lines[0].strip() if lines else ""


def _read_line(pipe: IO[str] | None, lines: list[str]) -> None:
    if pipe is not None:
        lines.append(pipe.readline())


def _end(process: "subprocess.Popen[str]") -> None:
    if process.stdin is not None:
        with suppress(OSError):
            process.stdin.close()
    for last_resort in (None, process.terminate, process.kill):
        if last_resort is not None:
            last_resort()
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOP_TIMEOUT)
            break
    if process.stdout is not None:
        process.stdout.close()
