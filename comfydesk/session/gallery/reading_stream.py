"""The child of `reading_children`: `comfydesk outputs --stream`. Imports no more than it needs: it is waited for."""

import gc
import json
import sys
from pathlib import Path
from typing import TextIO

from comfydesk.session.gallery.reading import FileReader, answer

MEMORY = 4 << 30
"""Bytes of address space that a child may take: a file that wants more is refused."""

COLLECT_AFTER = 20_000
"""Objects more than there were: a parsed graph has thousands, and none that hold each other."""


def stream(source: TextIO, target: TextIO) -> int:
    """A JSON text per line of `source`, a line of what each of its files holds in `target`: see reading.answer.

    A text is a letter and paths with NUL between them: w for all that can be read, h for the hash too, q for what is
    quickly read. The answers of one text come in one JSON list.
    """
    _bound_memory()
    gc.set_threshold(COLLECT_AFTER, 10, 100)
    reader = FileReader()
    for line in source:
        order = json.loads(line)
        depth = order[0]
        answers = [
            answer(reader, Path(path), hashed=depth in "wh", whole=depth == "w") for path in order[1:].split("\0")
        ]
        target.write(f"{json.dumps(answers)}\n")
        target.flush()
    return 0


def main() -> int:
    """On the standard streams."""
    return stream(sys.stdin, sys.stdout)


def _bound_memory() -> None:
    if sys.platform == "linux":
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY if hard == resource.RLIM_INFINITY else min(MEMORY, hard), hard))
