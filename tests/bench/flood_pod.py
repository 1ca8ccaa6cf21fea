"""A demo pod whose sampler floods its client: `python -m tests.bench.flood_pod FOLDER STEPS PREVIEWS BYTES`.

Prints its address, and ends when its stdin does. Each step is a `progress` message, the previews are spread evenly
among them. After the last step the sampler waits until the job is cancelled, so that what was said last stays true.
"""

import asyncio
import dataclasses
import io
import json
import random
import struct
import sys
import time
from pathlib import Path
from typing import Any

from PIL import Image

from comfydesk.demo.hub import PREVIEW_WITH_METADATA
from comfydesk.demo.nodes import all_nodes
from comfydesk.demo.server import DemoPod


def picture(size: int) -> bytes:
    """A JPEG of about `size` bytes."""
    rng = random.Random(1)
    image = Image.frombytes("RGB", (512, 384), rng.randbytes(512 * 384 * 3)).resize((768, 576))
    data = io.BytesIO()
    for quality in range(95, 10, -5):
        data = io.BytesIO()
        image.save(data, "JPEG", quality=quality)
        if data.tell() <= size:
            break
    return data.getvalue() + b"\0" * (size - data.tell())


def flooding(pod: list[DemoPod], steps: int, previews: int, data: bytes) -> Any:
    """The `run` of a sampler that floods."""

    def run(context: Any, seed: int) -> Any:  # the executor gives what is named here
        hub = pod[0].hub
        prompt = context._run.item.prompt_id
        about = {"node_id": context.node_id, "prompt_id": prompt, "image_type": "image/jpeg"}
        head = json.dumps(about).encode()
        frame = struct.pack(">I", len(head)) + head + data
        every = steps // previews
        for step in range(1, steps + 1):
            if step % every == 0:
                hub.post_bytes(PREVIEW_WITH_METADATA, frame, hub.client)
            message = {"value": step, "max": steps, "prompt_id": prompt, "node": context.node_id}
            hub.post("progress", message, hub.client)
        while True:
            context.step(steps, steps)
            time.sleep(0.2)

    return run


async def serve(folder: Path, steps: int, previews: int, size: int) -> None:
    pods: list[DemoPod] = []
    sampler = dataclasses.replace(all_nodes()["KSampler"], run=flooding(pods, steps, previews, picture(size)))
    pods.append(DemoPod(folder=folder, nodes=[sampler]))
    await pods[0].start()
    print(pods[0].url, flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await pods[0].stop()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), *(int(word) for word in sys.argv[2:5])))
