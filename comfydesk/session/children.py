"""A child process that reads files for us: parsing holds the interpreter's lock, and the loop must not wait.

A JSON path per line in, a line per file out. A file that kills the child, or takes too long, costs that file only.
"""

import json
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

AHEAD = 16
"""Paths sent before their answers are read: enough to keep the child busy, few enough to fit into the pipe."""


def answers(
    paths: Sequence[Path],
    program: Sequence[str],
    patience: float,
    on_start: Callable[["subprocess.Popen[bytes]"], None] = lambda _: None,
) -> Generator[tuple[Path, bytes, str], None, None]:
    """Each path with its line, in order; where the line is empty, with why the child ended over it.

    `patience`: seconds without an answer after which a file is given up on. Blocks: call it in a thread. Closing the
    iterator ends the child; who may not wait for the next answer kills what `on_start` was given.
    """
    left = deque(paths)
    while left:
        child = _Child(program, patience)
        try:
            on_start(child.process)
            for path, line in child.lines(list(left)):
                left.popleft()
                yield path, line, ""
        finally:
            told = child.end()
        if left:
            # It ended before its work did: the file it was at is the reason.
            yield left.popleft(), b"", told


def our_program(*words: str) -> list[str]:
    """ComfyDesk's own command line with these words."""
    start = [sys.executable] if getattr(sys, "frozen", False) else [sys.executable, "-m", "comfydesk"]
    return [*start, *words]


def shares(paths: Iterable[Path], number: int) -> list[list[Path]]:
    """`paths` dealt out to `number` children, each share in order; empty shares are left out."""
    listed = list(paths)
    return [share for share in (listed[start::number] for start in range(number)) if share]


class _Child:
    def __init__(self, program: Sequence[str], patience: float) -> None:
        self._patience = patience
        self._too_slow = False
        self.process = subprocess.Popen(  # noqa: S603 - our own program
            program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, **_apart()
        )

    def lines(self, paths: list[Path]) -> Iterator[tuple[Path, bytes]]:
        """As many as the child manages."""
        assert self.process.stdout is not None
        waiting: deque[Path] = deque()
        upcoming = iter(paths)
        while True:
            while len(waiting) < AHEAD and (path := next(upcoming, None)) is not None:
                if not self._send(path):
                    return
                waiting.append(path)
            if not waiting:
                return
            line = self._line()
            if not line:
                return
            yield waiting.popleft(), line

    def end(self) -> str:
        """End the child; why it ended by itself, if it did."""
        with suppress(OSError):
            if self.process.stdin is not None:
                self.process.stdin.close()
        code = self.process.poll()
        self.process.kill()
        self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()
        if self._too_slow:
            return f"Reading it takes more than {self._patience:.0f} s"
        return f"Its reader ended with {code}"

    def _send(self, path: Path) -> bool:
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps(str(path)).encode("ascii") + b"\n")
            self.process.stdin.flush()
        except OSError:
            return False
        return True

    def _line(self) -> bytes:
        """The next line; empty when the child has ended or was ended for being slow."""
        assert self.process.stdout is not None
        watch = threading.Timer(self._patience, self._give_up)
        watch.daemon = True
        watch.start()
        try:
            line = self.process.stdout.readline()
        finally:
            watch.cancel()
        return line if line.endswith(b"\n") else b""

    def _give_up(self) -> None:
        self._too_slow = True
        self.process.kill()


def _apart() -> dict[str, Any]:
    """Ctrl+C in the terminal is for us; no console flashes up on Windows."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}
