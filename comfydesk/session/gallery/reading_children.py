"""Reads many files in child processes, side by side: `comfydesk outputs --stream`. See `reading`.

Children, because parsing holds the interpreter's lock. Quick files are asked for and told in groups: a line for each
would cost both sides as much in wake-ups as the reading.
"""

import contextlib
import json
import os
import subprocess
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import closing
from enum import StrEnum
from pathlib import Path
from queue import Empty, Full, Queue
from typing import Any

from comfydesk.errors import KnownError, MediaError
from comfydesk.session.children import answers, our_program
from comfydesk.session.gallery.reading import FileReader, TooHeavyError, taken_from
from comfydesk.store.taken import Taken

PATIENCE = 20.0
"""Seconds for one file."""
MOST_CHILDREN = 4
FEW = 64
"""Files that are not worth a child at once: it takes a tenth of a second to start. Meanwhile a thread here reads."""
LATER = 0.5
"""Seconds for that; then a child is started after all."""
AHEAD = 32
"""Groups of answers kept until they are asked for."""
GROUP = 16
"""Files of one order, as far as they are quickly read."""
GROUP_CHARACTERS = 2000
"""Of their paths: what is sent ahead must fit into the pipe."""
GROUPS_SENT = 4
"""Sent to a child before their answers are read: what one has, another cannot read."""

Read = tuple[Path, Taken | KnownError]


def program() -> list[str]:
    """What each child runs."""
    return our_program("outputs", "--stream")


def children_for(files: int) -> int:
    """How many are worth their start."""
    return max(1, min(MOST_CHILDREN, os.cpu_count() or 1, -(-files // FEW)))


class Depth(StrEnum):
    """How much is read of a file; the values are what a child is told."""

    QUICK = "q"
    """What the library shows and finds it by; not its hash, unless it is small, nor its workflow."""
    HASHED = "h"
    """The same and its hash."""
    WHOLE = "w"


class ReadingChildren:
    """Reads files, each as deep as is said; `batch` gives what was read since, in any order. Close it in any case.

    For worker threads. `here`: until a child has answered, a thread of ours reads what is light, all of FEW files.
    """

    def __init__(self, paths: Sequence[tuple[Path, Depth]], number: int | None = None, *, here: bool = True) -> None:
        self._left = len(paths)
        self._paths = deque(paths)
        self._heavy: deque[tuple[Path, Depth]] = deque()
        """For the children alone."""
        self._alone: deque[tuple[Path, Depth]] = deque()
        """Of groups that ended a child."""
        self._lock = threading.Lock()
        self._read: Queue[Sequence[Read] | BaseException] = Queue(AHEAD)
        self._group = max(1, min(GROUP, len(paths) // (4 * MOST_CHILDREN)))
        self._stopping = threading.Event()
        self._started = threading.Event()
        self._here_done = threading.Event()
        self._children: list[subprocess.Popen[bytes]] = []
        number = children_for(len(paths)) if number is None else number
        self._worth = threading.Event()
        self._threads = [threading.Thread(target=self._serve, daemon=True) for _ in range(number)]
        if here:
            self._threads.append(threading.Thread(target=self._serve_here, daemon=True))
        else:
            self._here_done.set()
        if not here or len(paths) > FEW:
            self._worth.set()
        for thread in self._threads:
            thread.start()

    def batch(self, most: int, seconds: float) -> list[Read]:
        """About `most` files, those that are read within `seconds` of the first; empty when all were handed out.

        Blocks. Raises OSError if no child can be started.
        """
        found: list[Read] = []
        deadline: float | None = None
        while self._left and len(found) < most and not self._stopping.is_set():
            left = 0.2 if deadline is None else deadline - time.monotonic()
            try:
                some = self._read.get(timeout=max(left, 0.001))
            except Empty:
                if found:
                    break
                continue
            if isinstance(some, BaseException):
                raise some
            self._left -= len(some)
            found += some
            deadline = deadline or time.monotonic() + seconds
        return found

    def close(self) -> None:
        """End the children, and wait for that. Again is fine."""
        self._stopping.set()
        self._worth.set()
        for child in self._children:
            child.kill()
        for thread in self._threads:
            thread.join()

    def _serve(self) -> None:
        # Few files are read here before a child is even there.
        self._worth.wait(LATER)
        if self._stopping.is_set():
            return
        try:
            while self._serve_orders() and self._alone:
                pass
        except OSError as error:
            self._put(error)

    def _serve_orders(self) -> bool:
        """False when nobody wants more."""
        with closing(answers(self._orders(), program(), PATIENCE, self._on_start, GROUPS_SENT)) as lines:
            for order, line, why in lines:
                self._started.set()
                if not self._told(order, line, why):
                    return False
        return True

    def _told(self, order: str, line: bytes, why: str) -> bool:
        """An order's answer. Of a group that ended its child each file is asked for by itself."""
        paths = order[1:].split("\0")
        if not line and len(paths) > 1:
            with self._lock:
                self._alone.extend((Path(path), Depth(order[0])) for path in paths)
            return not self._stopping.is_set()
        return self._put(list(zip(map(Path, paths), _read(line, why, len(paths)), strict=True)))

    def _orders(self) -> Iterator[str]:
        while group := self._next():
            yield group[0][1] + "\0".join(str(path) for path, _ in group)

    def _next(self) -> list[tuple[Path, Depth]]:
        while True:
            here_done = self._here_done.is_set()
            for source in (self._alone, self._heavy):
                with contextlib.suppress(IndexError):
                    return [source.popleft()]
            with self._lock:
                if group := self._next_group():
                    return group
            if here_done:
                return []
            self._here_done.wait()  # what is read here now may turn out to be for a child

    def _next_group(self) -> list[tuple[Path, Depth]]:
        group: list[tuple[Path, Depth]] = []
        characters = 0
        with contextlib.suppress(IndexError):  # who reads here takes of these as well
            while len(group) < self._group and characters < GROUP_CHARACTERS:
                one = self._paths.popleft()
                if group and one[1] is not Depth.QUICK:
                    self._paths.appendleft(one)
                    break
                group.append(one)
                if one[1] is not Depth.QUICK:
                    break
                characters += len(str(one[0]))
        return group

    def _serve_here(self) -> None:
        """Until a child has answered."""
        reader = FileReader(light=True)
        try:
            while not self._started.is_set():
                try:
                    path, depth = self._paths.popleft()
                except IndexError:
                    return
                if not self._put_here(reader, path, depth):
                    return
        finally:
            self._here_done.set()
            self._worth.set()

    def _put_here(self, reader: FileReader, path: Path, depth: Depth) -> bool:
        try:
            if depth is Depth.WHOLE:
                raise TooHeavyError("")
            taken: Taken | KnownError = reader.read(path, hashed=depth is Depth.HASHED, whole=False)
        except TooHeavyError:
            self._heavy.append((path, depth))
            self._worth.set()
            return not self._stopping.is_set()
        except MediaError as error:
            taken = error
        return self._put([(path, taken)])

    def _on_start(self, child: "subprocess.Popen[bytes]") -> None:
        self._children.append(child)
        if self._stopping.is_set():  # `close` may have been too early to see it
            child.kill()

    def _put(self, one: Sequence[Read] | BaseException) -> bool:
        """False when nobody wants it any more."""
        while not self._stopping.is_set():
            try:
                self._read.put(one, timeout=0.2)
            except Full:
                continue
            return True
        return False


def _read(line: bytes, why: str, number: int) -> list[Taken | KnownError]:
    """What is told of `number` files."""
    if not line:
        return [_not_taken(why or "Its reader ended")] * number
    try:
        found = json.loads(line)
        if len(found) == number:
            return [_taken(values) for values in found]
        why = f"{len(found)} of {number}"
    except (ValueError, TypeError, KeyError) as error:
        why = str(error)
    return [_not_taken(f"Its reader answered in a way nobody understands ({why})")] * number


def _taken(values: list[Any]) -> Taken | KnownError:
    try:
        return taken_from(values)
    except MediaError as error:
        return error


def _not_taken(why: str) -> MediaError:
    return MediaError("The file is not taken", why)
