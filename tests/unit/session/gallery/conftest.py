"""A library on disk with files of every kind, and the gallery over it."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from comfydesk.client.files import media_kind
from comfydesk.errors import KnownError
from comfydesk.events import Change, Feed
from comfydesk.session.gallery.gallery import Gallery
from comfydesk.session.gallery.trash import Trash
from comfydesk.session.library import FILE_NAME, Library
from comfydesk.session.tasks import Tasks
from comfydesk.store import jobs, outputs, workflows
from comfydesk.store.database import Database
from comfydesk.store.outputs import Identity
from comfydesk.store.records import Job, JobState, Output

PROMPT = "A lighthouse on a cliff at dusk, long exposure"
GRAPH: dict[str, Any] = {
    "1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "sd_xl_base_1.0.safetensors"}},
    "2": {"class_type": "LoraLoader", "inputs": {"lora_name": "film.safetensors", "strength_model": 0.8,
          "strength_clip": 1.0, "model": ["1", 0], "clip": ["1", 1]}},
    "3": {"class_type": "CLIPTextEncode", "inputs": {"text": "a boat", "clip": ["2", 1]}},
    "4": {"class_type": "CLIPTextEncode", "inputs": {"text": "blurry", "clip": ["2", 1]}},
    "5": {"class_type": "EmptyLatentImage", "inputs": {"width": 832, "height": 1216, "batch_size": 1}},
    "6": {"class_type": "KSampler", "inputs": {"seed": 1, "steps": 20, "cfg": 7.0, "sampler_name": "euler",
          "scheduler": "karras", "denoise": 1.0, "model": ["2", 0], "positive": ["3", 0], "negative": ["4", 0],
          "latent_image": ["5", 0]}},
    "7": {"class_type": "VAEDecode", "inputs": {"samples": ["6", 0], "vae": ["1", 2]}},
    "8": {"class_type": "SaveImage", "inputs": {"images": ["7", 0], "filename_prefix": "ComfyUI"}},
}  # fmt: skip
SEED = 2**64 - 1
VALUES = {"3.text": PROMPT, "6.seed": SEED}


@dataclass(slots=True)
class World:
    """What a test has of a library. `bin`: the trash."""

    gallery: Gallery
    library: Library
    changes: list[Change]
    problems: list[KnownError]
    folder: Path
    bin: Path

    async def add(self, path: Path, job: str | None = None, **given: Any) -> int:
        """Take a file of this computer into the library."""
        data = await asyncio.to_thread(path.read_bytes)
        digest = hashlib.sha256(data).hexdigest()
        output = Output(0, str(path), media_kind(path.name), len(data), digest, 5.0, job=job, **given)

        def store(db: Database) -> tuple[Change, ...]:
            return outputs.add(db, output, Identity("p", "output", "", path.name, ""))[1]

        (change,) = await self.library.commit(store)
        return int(change.added[0])  # type: ignore[union-attr]

    async def job(self, values: dict[str, Any] = VALUES, graph: dict[str, Any] = GRAPH, name: str = "j") -> str:
        """A job that was run from `graph`."""

        def store(db: Database) -> tuple[Change, ...]:
            key = workflows.put_document(db, graph)
            job = Job(
                name, JobState.QUEUED, "Lighthouses", "p", key, values, str(values.get("3.text", "")), None, 0, 1.0
            )
            return jobs.add(db, [job])

        await self.library.commit(store)
        return name


@pytest.fixture
def write() -> Callable[..., Path]:
    """A small picture with ComfyUI's metadata in it."""
    from PIL import Image, PngImagePlugin

    def make(path: Path, colour: str = "red", size: tuple[int, int] = (16, 12)) -> Path:
        texts = PngImagePlugin.PngInfo()
        texts.add_text("prompt", json.dumps({**GRAPH, "3": {"class_type": "C", "inputs": {"text": PROMPT}}}))
        texts.add_text("workflow", json.dumps({"nodes": [], "links": [], "last_node_id": 8}), zip=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", size, colour).save(path, pnginfo=texts)
        return path

    return make


Open = Callable[..., Any]


@pytest.fixture
def opened(tmp_path: Path) -> Open:
    """`async with opened() as world`; several times for several starts."""

    @asynccontextmanager
    async def start(undo_seconds: float = 60, put: Callable[[Path], None] | None = None) -> AsyncIterator[World]:
        folder, bin_ = tmp_path / "outputs", tmp_path / "bin"
        folder.mkdir(exist_ok=True)
        bin_.mkdir(exist_ok=True)
        feed: Feed[Change] = Feed()
        tasks = Tasks()
        library = Library(tmp_path / FILE_NAME, feed)
        await library.open()
        trash = Trash(library, tasks, feed, undo_seconds=undo_seconds, put=put or (lambda path: _bin(path, bin_)))
        gallery = Gallery(
            library, tasks, feed, folder=lambda: folder, catalog_of=lambda _: None, pod_names=lambda: {"p": "Pod"},
            trash=trash,
        )  # fmt: skip
        world = World(gallery, library, [], [], folder, bin_)
        feed.subscribe(world.changes.append)
        tasks.problems.subscribe(world.problems.append)
        await gallery.start()
        try:
            yield world
        finally:
            await tasks.close()
            await library.close()

    return start


def _bin(path: Path, where: Path) -> None:
    path.rename(where / path.name)


async def until(condition: Callable[[], Awaitable[bool] | bool]) -> None:
    """Poll, no longer than the test's own time limit."""
    while True:
        result = condition()
        if result is True or (not isinstance(result, bool) and await result):
            return
        await asyncio.sleep(0.005)


@pytest.fixture(name="until")
def _until() -> Callable[..., Awaitable[None]]:
    return until
