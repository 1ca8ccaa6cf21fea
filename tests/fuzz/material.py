"""Good examples for several harnesses, out of tests/data: what a real ComfyUI 0.33.0 and real providers said."""

import functools
import json
import lzma
import struct
import tempfile
from importlib import resources
from pathlib import Path
from typing import Any

from comfydesk.workflow.catalog import Catalog

DATA = Path(__file__).parents[1] / "data"


@functools.cache
def traffic() -> tuple[dict[str, Any], ...]:
    """The recorded lines; see tests/unit/client/conftest.py."""
    data = lzma.decompress((DATA / "client_traffic.jsonl.xz").read_bytes())
    return tuple(json.loads(line) for line in data.splitlines())


@functools.cache
def object_info() -> dict[str, Any]:
    """All 887 classes."""
    info: dict[str, Any] = json.loads(lzma.decompress((DATA / "object_info.json.xz").read_bytes()))
    return info


@functools.cache
def catalog() -> Catalog:
    return Catalog.from_object_info(object_info())


@functools.cache
def templates(longest: int, most: int) -> tuple[bytes, ...]:
    """Official templates of at most so many bytes, as compact JSON."""
    found: list[bytes] = []
    with resources.as_file(resources.files("comfyui_workflow_templates_json") / "templates") as folder:
        for path in sorted(folder.glob("*.json")):
            data = json.dumps(json.loads(path.read_bytes()), separators=(",", ":")).encode()
            if path.name != "index.json" and len(data) <= longest and b'"nodes"' in data:
                found.append(data)
    return tuple(found[:: max(1, len(found) // most)][:most])


GRAPH: dict[str, Any] = {
    "3": {
        "class_type": "KSampler",
        "inputs": {
            "seed": 2**64 - 1,
            "steps": 20,
            "cfg": 7.5,
            "sampler_name": "euler",
            "scheduler": "normal",
            "denoise": 1.0,
            "model": ["4", 0],
            "positive": ["6", 0],
            "negative": ["7", 0],
            "latent_image": ["5", 0],
        },
    },
    "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "xl/base.safetensors"}},
    "5": {"class_type": "EmptyLatentImage", "inputs": {"width": 1024, "height": 768, "batch_size": 1}},
    "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "a {red|blue} door", "clip": ["4", 1]}},
    "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "blurry", "clip": ["4", 1]}, "_meta": {"title": "No"}},
    "8": {"class_type": "VAEDecode", "inputs": {"samples": ["3", 0], "vae": ["4", 2]}},
    "9": {"class_type": "SaveImage", "inputs": {"filename_prefix": "ComfyUI", "images": ["8", 0]}},
}
"""The oldest text-to-image graph of all."""


def binary_frame(line: dict[str, Any]) -> bytes:
    """A recorded binary frame, its picture cut."""
    head: bytes = bytes.fromhex(line["hex24"])
    if line["event_type"] == 4:
        metadata = json.dumps(line["metadata"]).encode()
        return struct.pack(">II", 4, len(metadata)) + metadata + bytes.fromhex(line["image_magic"]) + bytes(8)
    if line["event_type"] == 3:
        node = line["node_id"].encode()
        return struct.pack(">II", 3, len(node)) + bytes(node + line["text"].encode())
    return head


@functools.cache
def folder() -> Path:
    """A folder in memory where there is one, for what is read from files. Goes with the process."""
    memory = Path("/dev/shm")
    made = tempfile.TemporaryDirectory(prefix="comfydesk-fuzz-", dir=memory if memory.is_dir() else None)
    _KEPT.append(made)
    return Path(made.name)


_KEPT: list[tempfile.TemporaryDirectory[str]] = []
