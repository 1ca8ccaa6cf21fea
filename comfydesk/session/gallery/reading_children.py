"""Reads many files in child processes, side by side: `comfydesk outputs --stream`. See `reading`.

Two processes read 1.7 times as many files in a second as one, two threads no more than one (the interpreter's lock):
measured by tests/bench/test_import_speed.py.
"""

import os
import subprocess
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from queue import Empty, Full, Queue

from comfydesk.errors import KnownError, MediaError
from comfydesk.session.children import answers, our_program, shares
from comfydesk.session.gallery.reading import taken_from
from comfydesk.store.imports import Taken

PATIENCE = 20.0
"""Seconds for one file."""
MOST_CHILDREN = 4
FEW = 40
"""Files that one child reads alone: each takes a fifth of a second to start."""
AHEAD = 256
"""Answers kept until they are asked for."""

Read = tuple[Path, Taken | KnownError]


def program() -> list[str]:
    """What each child runs."""
    return our_program("outputs", "--stream")


def children_for(files: int) -> int:
    """How many are worth their start."""
    return 1 if files <= FEW else max(1, min(MOST_CHILDREN, os.cpu_count() or 1))


class ReadingChildren:
    """Reads `paths`; `batch` gives what was read since, in any order. Close it in any case. For worker threads."""

    def __init__(self, paths: Sequence[Path], number: int | None = None) -> None:
        self._left = len(paths)
        self._read: Queue[Read | BaseException] = Queue(AHEAD)
        self._stopping = threading.Event()
        self._children: list[subprocess.Popen[bytes]] = []
        number = children_for(len(paths)) if number is None else number
        self._threads = [
            threading.Thread(target=self._serve, args=(share,), name=f"read files {index}", daemon=True)
            for index, share in enumerate(shares(paths, number))
        ]
        for thread in self._threads:
            thread.start()

    def batch(self, most: int, seconds: float) -> list[Read]:
        """Up to `most` files, those that are read within `seconds` of the first; empty when all have been handed out.

        Blocks. Raises OSError if no child can be started.
        """
        found: list[Read] = []
        deadline: float | None = None
        while self._left and len(found) < most and not self._stopping.is_set():
            left = 0.2 if deadline is None else deadline - time.monotonic()
            try:
                one = self._read.get(timeout=max(left, 0.001))
            except Empty:
                if found:
                    break
                continue
            if isinstance(one, BaseException):
                raise one
            self._left -= 1
            found.append(one)
            deadline = deadline or time.monotonic() + seconds
        return found

    def close(self) -> None:
        """End the children, and wait for that. Again is fine."""
        self._stopping.set()
        for child in self._children:
            child.kill()
        for thread in self._threads:
            thread.join()

    def _serve(self, share: Sequence[Path]) -> None:
        try:
            with closing(answers(share, program(), PATIENCE, self._started)) as lines:
                for path, line, told in lines:
                    if not self._put((path, _read(line, told))):
                        return
        except OSError as error:
            self._put(error)

    def _started(self, child: "subprocess.Popen[bytes]") -> None:
        self._children.append(child)
        if self._stopping.is_set():  # `close` may have been too early to see it
            child.kill()

    def _put(self, one: Read | BaseException) -> bool:
        """False when nobody wants it any more."""
        while not self._stopping.is_set():
            try:
                self._read.put(one, timeout=0.2)
            except Full:
                continue
            return True
        return False


def _read(line: bytes, told: str) -> Taken | KnownError:
    if not line:
        return MediaError("The file is not taken", told or "Its reader ended")
    try:
        return taken_from(line)
    except MediaError as error:
        return error
    except (ValueError, TypeError, KeyError) as error:
        return MediaError("The file is not taken", f"Its reader answered in a way nobody understands ({error})")
