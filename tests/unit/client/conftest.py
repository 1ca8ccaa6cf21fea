"""What a real ComfyUI 0.33.0 said, recorded: `{"t", "dir": open|send|recv|recv_binary|http|scenario|close, …}` lines.

Binary frames are recorded as their header and metadata; the picture itself is not kept.
"""

import json
import lzma
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

_FILE = Path(__file__).parents[2] / "data" / "client_traffic.jsonl.xz"


@dataclass(frozen=True)
class Traffic:
    lines: tuple[dict[str, Any], ...]

    def scenario(self, name: str) -> "Traffic":
        start = next(i for i, line in enumerate(self.lines) if line.get("name") == name)
        rest = self.lines[start + 1 :]
        end = next((i for i, line in enumerate(rest) if line["dir"] == "scenario"), len(rest))
        return Traffic(rest[:end])

    def frames(self, connection: str | None = None) -> Iterator[str | bytes]:
        """What arrived on a WebSocket, in order."""
        for line in self.lines:
            if connection is not None and line.get("conn") != connection:
                continue
            if line["dir"] == "recv":
                yield line["text"]
            elif line["dir"] == "recv_binary":
                yield _binary(line)

    def http(self, path_start: str, method: str = "GET") -> list[dict[str, Any]]:
        return [
            line
            for line in self.lines
            if line["dir"] == "http" and line["method"] == method and line["path"].startswith(path_start)
        ]

    def posted(self) -> dict[str, Any]:
        """The body of the scenario's POST /prompt, with the id that the server gave it under "prompt_id"."""
        line = self.http("/prompt", "POST")[0]
        return {**line["request"], "prompt_id": json.loads(line["response"])["prompt_id"]}


def _binary(line: dict[str, Any]) -> bytes:
    """The frame as it was: its first 24 bytes are recorded, and what followed can be made again."""
    head = bytes.fromhex(line["hex24"])
    kind: int = line["event_type"]
    length: int = line["len"]
    frame: bytes
    if kind == 3:
        node = line["node_id"].encode()
        frame = struct.pack(">II", 3, len(node)) + node + line["text"].encode()
    elif kind == 4:
        metadata = json.dumps(line["metadata"]).encode()
        frame = struct.pack(">II", 4, len(metadata)) + metadata + bytes.fromhex(line["image_magic"])
        frame = frame.ljust(length, b"\0")
    else:
        frame = head.ljust(length, b"\0")
    assert frame.startswith(head)
    assert len(frame) == length
    return frame


@pytest.fixture(scope="session")
def traffic() -> Traffic:
    return Traffic(tuple(json.loads(line) for line in lzma.decompress(_FILE.read_bytes()).splitlines()))
