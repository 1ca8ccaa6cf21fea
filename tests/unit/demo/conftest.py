"""Running graphs on demo pods of one's own."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from comfydesk.demo.server import DemoPod

Graph = dict[str, Any]


@dataclass
class Client:
    """A demo pod and a plain HTTP client for it."""

    pod: DemoPod
    http: httpx.AsyncClient

    async def run(self, graph: Graph, **extra_data: Any) -> dict[str, Any]:
        """Queue a graph, wait for its end, answer its history entry."""
        prompt_id = str(uuid.uuid4())
        body = {"prompt": graph, "prompt_id": prompt_id, "extra_data": extra_data}
        answer = await self.http.post("/prompt", json=body)
        assert answer.status_code == 200, answer.text
        return await self.ended(prompt_id)

    async def ended(self, prompt_id: str) -> dict[str, Any]:
        async with asyncio.timeout(30):
            while True:
                found = self.pod.queue.history(prompt_id)
                if found:
                    entry: dict[str, Any] = found[prompt_id]
                    return entry
                await asyncio.sleep(0.01)

    def file(self, saved: dict[str, str]) -> Path:
        """Where on the pod's disk an output lies."""
        return self.pod.folder / saved["type"] / saved["subfolder"] / saved["filename"]


@pytest.fixture
def demo(tmp_path: Path) -> Callable[..., AbstractAsyncContextManager[Client]]:
    """`async with demo() as client:` - a demo pod, a hundred times as fast as normal."""

    @asynccontextmanager
    async def make(**options: Any) -> AsyncIterator[Client]:
        async with (
            DemoPod(folder=tmp_path / "pod", **({"speed": 100} | options)) as pod,
            httpx.AsyncClient(base_url=pod.url, timeout=10, verify=False) as http,
        ):
            yield Client(pod, http)

    return make


@pytest.fixture
def picture_graph() -> Callable[..., Graph]:
    """A text-to-image graph in real node names."""

    def make(
        text: str = "a boat on the sea", *, seed: int = 1, steps: int = 3, size: int = 64, **sampler: Any
    ) -> Graph:
        return {
            "1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "demo-painter.safetensors"}},
            "2": {"class_type": "CLIPTextEncode", "inputs": {"text": text, "clip": ["1", 1]}},
            "3": {"class_type": "CLIPTextEncode", "inputs": {"text": "", "clip": ["1", 1]}},
            "4": {"class_type": "EmptyLatentImage", "inputs": {"width": size, "height": size, "batch_size": 1}},
            "5": {
                "class_type": "KSampler",
                "inputs": {
                    "model": ["1", 0],
                    "seed": seed,
                    "steps": steps,
                    "cfg": 7,
                    "sampler_name": "euler",
                    "scheduler": "normal",
                    "positive": ["2", 0],
                    "negative": ["3", 0],
                    "latent_image": ["4", 0],
                    "denoise": 1,
                }
                | sampler,
            },
            "6": {"class_type": "VAEDecode", "inputs": {"samples": ["5", 0], "vae": ["1", 2]}},
            "7": {"class_type": "SaveImage", "inputs": {"images": ["6", 0], "filename_prefix": "demo"}},
        }

    return make
