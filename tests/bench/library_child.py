"""Measures a library of 100,000 outputs from a program that has just begun; prints milliseconds and bytes as JSON.

`python -m tests.bench.library_child FILE make|measure`
"""

import asyncio
import json
import random
import sys
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from comfydesk.events import Change, Feed, OutputsChanged
from comfydesk.session.gallery.gallery import Gallery
from comfydesk.session.library import Library
from comfydesk.session.tasks import Tasks
from comfydesk.store import outputs
from comfydesk.store.database import Database
from comfydesk.store.outputs import Identity
from comfydesk.store.records import Output
from comfydesk.store.search import Grouping, Order, OutputFilter

ROWS = 100_000
PAGE = 200
TYPED = ("l", "li", "lig", "light", "lighthouse", "lighthouse s", "lighthouse storm", "e", "th", "a", "masterp")
REPEATS = 5


def words(rng: random.Random) -> list[str]:
    """A vocabulary as uneven as people's."""
    known = ["a", "the", "lighthouse", "storm", "masterpiece", "light", "detailed", "lion", "lilac", "photo"]
    return known + ["".join(rng.choice("etaoinshrdlu") for _ in range(rng.randint(3, 9))) for _ in range(4000)]


def one(number: int, rng: random.Random, vocabulary: list[str]) -> Output:
    # The first words are the frequent ones.
    drawn = [vocabulary[int(len(vocabulary) ** rng.random()) - 1] for _ in range(30)]
    width, height = rng.choice(((1024, 1024), (832, 1216), (1216, 832), (1920, 1080)))
    return Output(
        0, f"/home/someone/Pictures/ComfyDesk/ComfyUI_{number:06}_.png", "image", 1_500_000 + number, f"{number:064x}",
        1.7e9 + number * 240 + rng.random(), prompt=" ".join(drawn), width=width,
        height=height, negative="blurry, low quality, watermark", seed=rng.getrandbits(64), batch=f"b{number // 12}",
        model=f"model_{number % 40}.safetensors", workflow=f"Workflow {number % 25}", sampler="euler", steps=20,
    )  # fmt: skip


def add(db: Database, output: Output) -> tuple[Change, ...]:
    return outputs.add(db, output, Identity("pod", "output", "", Path(output.path).name, output.sha256))[1]


def make(path: Path) -> None:
    rng = random.Random(1)
    vocabulary = words(rng)
    db = Database(path)
    for start in range(0, ROWS, 5000):
        with db.transaction():
            for number in range(start, start + 5000):
                add(db, one(number, rng, vocabulary))
    db.close()


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


async def timed(work: Callable[[], Awaitable[object]]) -> float:
    start = time.perf_counter()
    await work()
    return (time.perf_counter() - start) * 1000


async def measure(path: Path) -> dict[str, float]:
    before = resident()
    feed: Feed[Change] = Feed()
    library = Library(path, feed)
    await library.open()
    gallery = Gallery(
        library, Tasks(), feed, folder=lambda: path.parent, catalog_of=lambda _: None, pod_names=dict[str, str]
    )

    async def page(wanted: OutputFilter = OutputFilter()) -> None:  # noqa: B008 - a value
        listing = await gallery.listing(wanted, Order.NEWEST, Grouping.DAY)
        await gallery.rows(listing.ids[:PAGE])

    result = {"first page": await timed(page), "page again": await timed(page)}
    typed = {text: [await timed(partial(page, OutputFilter(text))) for _ in range(REPEATS)] for text in TYPED}
    result |= {"keystroke, worst of medians": max(sorted(times)[REPEATS // 2] for times in typed.values())}
    result |= {"keystroke, worst": max(max(times) for times in typed.values())}
    listing = await gallery.listing(OutputFilter(), Order.NEWEST, Grouping.DAY)
    rng = random.Random(2)
    steps, writes = [], []
    for number in range(ROWS, ROWS + 30):
        new = one(number, rng, words(rng))
        changes: list[Change] = []

        async def write(new: Output = new, changes: list[Change] = changes) -> None:
            changes += await library.commit(add, new)

        writes.append(await timed(write))
        start = time.perf_counter()
        assert isinstance(changes[0], OutputsChanged)
        step = await gallery.follow(listing, changes[0])
        assert step is not None
        assert step.inserted == (0,)
        listing = step.listing
        steps.append((time.perf_counter() - start) * 1000)
    result |= {"insertion, written": sorted(writes)[15], "insertion, followed": sorted(steps)[15]}
    for order in Order:
        result[f"order {order}"] = await timed(partial(gallery.listing, OutputFilter(), order))
    for grouping in Grouping:
        result[f"group {grouping}"] = await timed(partial(gallery.listing, grouping=grouping))
    result["facets"] = await timed(gallery.facets)
    result["growth"] = resident() - before
    await library.close()
    return result


if __name__ == "__main__":
    if sys.argv[2] == "make":
        make(Path(sys.argv[1]))
    else:
        json.dump(asyncio.run(measure(Path(sys.argv[1]))), sys.stdout)
