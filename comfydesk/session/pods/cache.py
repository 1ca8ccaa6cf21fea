"""What a pod told last time, on disk: used at once at the next connect, while the pod is asked again.

A busy pod takes tens of seconds for its list of nodes. Nothing in here is secret, and all of it can be made again.
"""

import contextlib
import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from comfydesk.client.files import safe_relative_path
from comfydesk.disk import write_whole
from comfydesk.errors import PodError, StoreError

CATALOG = "object_info.json"
TEMPLATES = "templates.json"


class PodCache:
    """One pod's folder. Methods block: call them on a worker thread. Reading finds None for whatever is wrong."""

    def __init__(self, folder: Path, pod_id: str) -> None:
        self._folder = folder / hashlib.sha256(pod_id.encode()).hexdigest()[:20]

    @property
    def folder(self) -> Path:
        """Made by whoever writes into it."""
        return self._folder

    def read(self, name: str) -> Any:
        """The document, or None."""
        data = self.read_bytes(name)
        try:
            return None if data is None else json.loads(data)
        except (ValueError, RecursionError):
            return None

    def read_bytes(self, name: str) -> bytes | None:
        try:
            return (self._folder / safe_relative_path("", name)).read_bytes()
        except (OSError, PodError):
            return None

    def write(self, name: str, document: Any) -> None:
        """Whole or not at all; if it cannot be written, the next start is slower."""
        self._write(name, _pieces(document))

    def write_bytes(self, name: str, data: bytes) -> None:
        self._write(name, iter([data]))

    def remove(self) -> None:
        """Forget all of it."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _write(self, name: str, pieces: Iterator[bytes]) -> None:
        try:
            path = self._folder / safe_relative_path("", name)
        except PodError:
            return
        with contextlib.suppress(StoreError):
            write_whole(path, pieces, durable=False)


def newest_catalog(folder: Path) -> Any:
    """The list of nodes that a pod told last, whichever pod; None if none has told any. Blocks."""
    known: list[tuple[float, Path]] = []
    for path in folder.glob(f"*/{CATALOG}"):
        with contextlib.suppress(OSError):
            known.append((path.stat().st_mtime, path))
    for _, path in sorted(known, reverse=True):
        with contextlib.suppress(OSError, ValueError, RecursionError):
            return json.loads(path.read_bytes())
    return None


def _pieces(document: Any) -> Iterator[bytes]:
    """JSON, one entry after another: at once it would keep the interpreter from the loop for 100 ms and more."""
    if not isinstance(document, Mapping):
        yield json.dumps(document).encode()
        return
    yield b"{"
    for number, (key, value) in enumerate(document.items()):
        yield (b",\n" if number else b"\n") + f"{json.dumps(key)}: {json.dumps(value)}".encode()
    yield b"\n}"
