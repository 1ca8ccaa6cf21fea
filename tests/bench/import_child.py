"""Imports a folder into a new library from a program of its own, while a loop beats; prints what it measured as JSON.

`python -m tests.bench.import_child LIBRARY FOLDER [again]`; `bare` as third word: a loop of Pillow and SQLite instead.
"""

import asyncio
import json
import resource
import sqlite3
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from comfydesk.events import Change, Feed
from comfydesk.session.gallery.gallery import Gallery
from comfydesk.session.gallery.importing import ImportPlan
from comfydesk.session.library import Library
from comfydesk.session.tasks import Tasks

BEAT = 0.005


def bare(library: Path, folder: Path) -> dict[str, float]:
    """What anybody would write: open with Pillow, parse both texts, insert; a table without an index, one commit."""
    from PIL import Image

    files = sorted(folder.rglob("*.png"))
    start, worked = time.perf_counter(), _worked()
    database = sqlite3.connect(library)
    database.execute(
        "CREATE TABLE files (path, size, width, height, prompt, seed, model, graph, workflow, created, mtime)"
    )
    for path in files:
        about = path.stat()
        with Image.open(path) as picture:
            size, texts = picture.size, picture.info
        graph, workflow = json.loads(texts["prompt"]), json.loads(texts["workflow"])
        database.execute(
            "INSERT INTO files VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (str(path), about.st_size, *size, graph["3"]["inputs"]["text"], str(graph["6"]["inputs"]["seed"]),
             graph["1"]["inputs"]["ckpt_name"], texts["prompt"], texts["workflow"], workflow["version"],
             about.st_mtime_ns),
        )  # fmt: skip
    database.commit()
    seconds, worked = time.perf_counter() - start, _worked() - worked
    database.close()
    return {"seconds": seconds, "cpu": worked, "files": len(files)}


async def ours(library: Path, folder: Path) -> dict[str, float]:
    feed: Feed[Change] = Feed()
    tasks = Tasks()
    store = Library(library, feed)
    await store.open()
    gallery = Gallery(store, tasks, feed, folder=lambda: folder, catalog_of=lambda _: None, pod_names=dict[str, str])
    await gallery.start(resume=False)
    gaps: list[float] = []
    beating = asyncio.create_task(_beat(gaps))
    start, worked = time.perf_counter(), _worked()
    outcome = await gallery.importer.run(ImportPlan(folder))
    seconds, worked = time.perf_counter() - start, _worked() - worked
    beating.cancel()
    await asyncio.gather(beating, return_exceptions=True)
    await tasks.close()
    await store.close()
    return {
        "seconds": seconds, "cpu": worked, "files": outcome.added + outcome.unchanged, "added": outcome.added,
        "longest gap": max(gaps, default=0.0), "resident": _peak(),
    }  # fmt: skip


async def _beat(gaps: list[float]) -> None:
    """How long others had to wait for the loop, beyond what they asked for."""
    while True:
        before = time.perf_counter()
        await asyncio.sleep(BEAT)
        gaps.append(time.perf_counter() - before - BEAT)


def _worked() -> float:
    """Seconds of processor time of this program and of its children that have ended."""
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def _peak() -> float:
    return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) * 1024


def main(words: list[str]) -> Iterator[dict[str, float]]:
    library, folder = Path(words[0]), Path(words[1])
    if words[2:] == ["bare"]:
        yield bare(library, folder)
        return
    yield asyncio.run(ours(library, folder))


if __name__ == "__main__":
    for found in main(sys.argv[1:]):
        print(json.dumps(found))
