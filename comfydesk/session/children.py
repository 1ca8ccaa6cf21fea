"""A child process that reads files for us: parsing holds the interpreter's lock, and the loop must not wait.

A JSON path per line in, a line per file out. A file that kills the child, or takes too long, costs that file only.
"""

import json
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

AHEAD = 16
"""Paths sent before their answers are read: enough to keep the child busy, few enough to fit into the pipe."""


AnyPath = TypeVar("AnyPath", str, Path)


def answers(
    paths: Iterable[AnyPath],
    program: Sequence[str],
    patience: float,
    on_start: Callable[["subprocess.Popen[bytes]"], None] = lambda _: None,
    ahead: int = AHEAD,
) -> Generator[tuple[AnyPath, bytes, str], None, None]:
    """Each path with its line, in order; where the line is empty, with why the child ended over it.

    `paths` are taken as they are needed, `ahead` of their answers. `patience`: seconds without an answer after which a
    file is given up on. Blocks: call it in a thread. Closing the iterator ends the child; who may not wait for the
    next answer kills what `on_start` was given.
    """
    upcoming = iter(paths)
    waiting: deque[AnyPath] = deque()
    while (first := waiting.popleft() if waiting else next(upcoming, None)) is not None:
        upcoming = chain((first,), tuple(waiting), upcoming)
        child = _Child(program, patience, ahead)
        waiting.clear()
        try:
            on_start(child.process)
            for path, line in child.lines(upcoming, waiting):
                yield path, line, ""
        finally:
            told = child.end()
        if waiting:
            # It ended before its work did: the file it was at is the reason.
            yield waiting.popleft(), b"", told


def our_program(*words: str) -> list[str]:
    """ComfyDesk's own command line with these words."""
    start = [sys.executable] if getattr(sys, "frozen", False) else [sys.executable, "-m", "comfydesk"]
    return [*start, *words]


def shares(paths: Iterable[Path], number: int) -> list[list[Path]]:
    """`paths` dealt out to `number` children, each share in order; empty shares are left out."""
    listed = list(paths)
    return [share for share in (listed[start::number] for start in range(number)) if share]


class _Child:
    def __init__(self, program: Sequence[str], patience: float, ahead: int) -> None:
        self._patience = patience
        self._ahead = ahead
        self._too_slow = False
        self._asked: float | None = None
        self._over = threading.Event()
        self.process = subprocess.Popen(  # noqa: S603 - our own program
            program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, **_apart()
        )
        threading.Thread(target=self._watch, name="watch child", daemon=True).start()

    def lines(self, upcoming: Iterator[AnyPath], waiting: deque[AnyPath]) -> Iterator[tuple[AnyPath, bytes]]:
        """As many as the child manages; `waiting` has what it was sent and has not answered."""
        assert self.process.stdout is not None
        hears = True
        while True:
            while hears and len(waiting) < self._ahead and (path := next(upcoming, None)) is not None:
                waiting.append(path)
                hears = self._send(path)  # if not: what it answered before it ended is still to be read
            if not waiting:
                return
            line = self._line()
            if not line:
                return
            yield waiting.popleft(), line

    def end(self) -> str:
        """End the child; why it ended by itself, if it did."""
        self._over.set()
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

    def _send(self, path: str | Path) -> bool:
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
        self._asked = time.monotonic()
        line = self.process.stdout.readline()
        self._asked = None
        return line if line.endswith(b"\n") else b""

    def _watch(self) -> None:
        """One thread for all lines: a timer for each would cost more than many a file."""
        while not self._over.wait(min(self._patience / 4, 1.0)):
            asked = self._asked
            if asked is not None and time.monotonic() - asked > self._patience:
                self._too_slow = True
                self.process.kill()
                return


def _apart() -> dict[str, Any]:
    """Ctrl+C in the terminal is for us; no console flashes up on Windows."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}
