"""A folder of pictures as ComfyUI leaves it: a megabyte each, with graph and workflow, every one another."""

import io
import json
import random
import struct
import zlib
from pathlib import Path
from typing import Any

from PIL import Image

EDGE = 640
"""Pixels; noise over a gradient makes that a megabyte."""


def graph(number: int) -> dict[str, Any]:
    """An SDXL graph with a LoRA, 9 nodes."""
    words = f"A lighthouse on a cliff at dusk, number {number}, long exposure, storm clouds, detailed, sharp focus"
    return {
        "1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": f"model_{number % 7}.safetensors"}},
        "2": {"class_type": "LoraLoader", "inputs": {"lora_name": "film.safetensors", "strength_model": 0.8,
              "strength_clip": 1.0, "model": ["1", 0], "clip": ["1", 1]}},
        "3": {"class_type": "CLIPTextEncode", "inputs": {"text": words, "clip": ["2", 1]}},
        "4": {"class_type": "CLIPTextEncode", "inputs": {"text": "blurry, low quality", "clip": ["2", 1]}},
        "5": {"class_type": "EmptyLatentImage", "inputs": {"width": 640, "height": 640, "batch_size": 1}},
        "6": {"class_type": "KSampler", "inputs": {"seed": 2**60 + number, "steps": 20, "cfg": 7.0,
              "sampler_name": "euler", "scheduler": "karras", "denoise": 1.0, "model": ["2", 0], "positive": ["3", 0],
              "negative": ["4", 0], "latent_image": ["5", 0]}},
        "7": {"class_type": "VAEDecode", "inputs": {"samples": ["6", 0], "vae": ["1", 2]}},
        "8": {"class_type": "SaveImage", "inputs": {"images": ["7", 0], "filename_prefix": "ComfyUI"}},
    }  # fmt: skip


def workflow(number: int) -> dict[str, Any]:
    """The UI document of that size of graph: 12 KB."""
    nodes = [
        {
            "id": node, "type": "KSampler", "pos": [node * 10.5, 20.25], "size": [315, 262], "flags": {}, "order": node,
            "mode": 0, "properties": {"Node name for S&R": "KSampler", "cnr_id": "comfy-core", "ver": "0.3.33"},
            "inputs": [{"name": name, "type": "MODEL", "link": node} for name in ("model", "positive", "negative")],
            "outputs": [{"name": "LATENT", "type": "LATENT", "links": [node, node + 1], "slot_index": 0}],
            "widgets_values": [2**60 + number, "randomize", 20, 7, "euler", "karras", 1],
        }
        for node in range(1, 21)
    ]  # fmt: skip
    links = [[link, link, 0, link + 1, 0, "LATENT"] for link in range(1, 20)]
    return {"last_node_id": 20, "nodes": nodes, "links": links, "version": 0.4, "extra": {"ds": {"scale": 1.0}}}


def make(folder: Path, count: int, subfolders: int = 4) -> list[Path]:
    """`count` pictures in some subfolders."""
    rng = random.Random(7)
    pixels = [_pixels(rng) for _ in range(6)]
    made = []
    for number in range(count):
        path = folder / f"day {number % subfolders}" / f"ComfyUI_{number:05}_.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_with_texts(rng.choice(pixels), number, rng.randrange(60_000)))
        made.append(path)
    return made


def _pixels(rng: random.Random) -> bytes:
    noise = Image.frombytes("RGB", (EDGE, EDGE), rng.randbytes(EDGE * EDGE * 3))
    picture = Image.blend(Image.radial_gradient("L").resize((EDGE, EDGE)).convert("RGB"), noise, 0.35)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def _with_texts(png: bytes, number: int, padding: int) -> bytes:
    """`padding` bytes in front of the end: pictures are of all sizes."""
    texts = {"prompt": graph(number), "workflow": workflow(number)}
    chunks = [_chunk(b"tEXt", name.encode() + b"\0" + json.dumps(text).encode()) for name, text in texts.items()]
    return png[:33] + b"".join(chunks) + png[33:-12] + _chunk(b"paDd", bytes(padding)) + png[-12:]


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
