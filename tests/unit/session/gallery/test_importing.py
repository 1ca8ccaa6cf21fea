"""Folders of this computer taken in: everything in them is found, nothing in them can hurt, and once is enough."""

import asyncio
import json
import os
import resource
import shutil
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, PngImagePlugin

from comfydesk.session.gallery.importing import AT_ONCE, Imported, ImportPlan, ImportProgress
from comfydesk.store.records import Output
from comfydesk.store.search import OutputFilter

Write = Callable[..., Path]
MEDIA = Path(__file__).parents[3] / "data" / "media"
MANY = AT_ONCE + 100
"""More than are written in one transaction."""
A1111 = (
    "a cat, <lora:film:0.8>, (detailed:1.2)\nNegative prompt: blurry, bad\n"
    "Steps: 28, Sampler: DPM++ 2M Karras, CFG scale: 6.5, Seed: 1234567890123, Size: 512x768, Model hash: abc,"
    ' Model: dream_v8, Hires upscale: 2, Hires upscaler: 4x-Ultra, Lora hashes: "film: a1, grain: b2", Version: v1.9'
)


async def import_(world: Any, folder: Path, **how: Any) -> Imported:
    outcome: Imported = await world.gallery.importer.run(ImportPlan(folder, **how))
    await world.gallery.importer.settled()
    return outcome


async def rows(world: Any, words: str = "") -> dict[str, Output]:
    found = await world.gallery.listing(OutputFilter(words=words))
    return {Path(row.path).name: row for row in await world.gallery.rows(found.ids)}


# --- What is read ---------------------------------------------------------------------------------------------------


async def test_every_format_of_a_real_comfyui_gives_back_what_it_was_made_with(opened: Any, tmp_path: Path) -> None:
    expected = json.loads((MEDIA / "expected.json").read_text())
    folder = tmp_path / "mine"
    shutil.copytree(MEDIA, folder)
    async with opened() as world:
        outcome = await import_(world, folder)
        found = await rows(world)
        assert outcome.skipped == []
        assert len(found) == 10
        for row in found.values():
            recipe = await world.gallery.recipe(row.id)
            assert json.loads(recipe.source) == expected["workflow"], row.path
            detail = await world.gallery.detail(row.id)
            values = {setting.field: setting.value for setting in detail.settings}
            literals = {
                f"{node}.{name}": value
                for node, entry in expected["prompt"].items()
                for name, value in entry["inputs"].items()
                if not isinstance(value, list)
            }
            assert values.items() >= {name: literals[name] for name in values}.items()
            assert "1.width" in values, row.path
        assert {name: found[name].media for name in ("mp4.mp4", "opus.opus", "png.png")} == {
            "mp4.mp4": "video",
            "opus.opus": "audio",
            "png.png": "image",
        }
        assert (found["mp4.mp4"].width, found["mp4.mp4"].duration) == (96, 1.0)


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp"])
async def test_what_a1111_writes_can_be_searched_and_is_shown(opened: Any, tmp_path: Path, suffix: str) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9286] = b"UNICODE\0" + A1111.encode("utf-16-be")
    texts = PngImagePlugin.PngInfo()
    texts.add_text("parameters", A1111)
    how: dict[str, Any] = {"pnginfo": texts} if suffix == "png" else {"exif": exif}
    Image.new("RGB", (32, 48)).save(folder / f"a.{suffix}", **how)
    async with opened() as world:
        await import_(world, folder)
        for words in ("cat", "seed:1234567890123", "model:dream", "lora:film", "lora:grain", "steps:28", "sampler:dpm"):
            assert len(await rows(world, words)) == 1, words
        (row,) = (await rows(world)).values()
        assert (row.negative, row.cfg, row.scheduler, row.width) == ("blurry, bad", 6.5, "Karras", 32)
        detail = await world.gallery.detail(row.id)
        settings = {setting.label: setting.value for setting in detail.settings}
        assert (settings["Hires upscale"], settings["Size"], settings["Version"]) == (2, "512x768", "v1.9")
        assert not detail.has_graph


async def test_a_wrong_extension_does_not_matter(opened: Any, write: Write, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    write(folder / "a.png").rename(folder / "a.mp4")
    async with opened() as world:
        await import_(world, folder)
        assert (await rows(world))["a.mp4"].media == "image"


# --- Once is enough -------------------------------------------------------------------------------------------------


async def test_a_second_time_only_what_changed_is_read(opened: Any, write: Write, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    for number, colour in enumerate(("red", "green", "blue")):
        write(folder / "below" / f"{number}.png", colour)
    (folder / "broken.png").write_bytes(b"no picture")
    async with opened() as world:
        first = await import_(world, folder)
        assert (first.added, first.skipped_count) == (3, 1)
        again = await import_(world, folder)
        assert (again.added, again.unchanged, again.skipped_count) == (0, 4, 0)
        write(folder / "below" / "1.png", "white", (20, 20))
        changed = await import_(world, folder)
        assert (changed.added, changed.changed, changed.unchanged) == (0, 1, 3)
        assert (await rows(world))["1.png"].width == 20


async def test_a_copy_is_recognised_and_a_moved_file_keeps_its_stars(opened: Any, write: Write, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    write(folder / "a.png")
    shutil.copy2(folder / "a.png", folder / "b.png")
    write(folder / "c.png", "blue")
    async with opened() as world:
        outcome = await import_(world, folder)
        assert (outcome.added, outcome.duplicates) == (2, 1)
        row = (await rows(world))["c.png"]
        await world.gallery.collections.rate((row.id,), 5)
        (folder / "c.png").rename(folder / "d.png")
        moved = await import_(world, folder)
        assert (moved.added, moved.changed) == (0, 1)
        assert (await rows(world))["d.png"].rating == 5


async def test_files_are_copied_into_the_library_with_their_subfolders(
    opened: Any, write: Write, tmp_path: Path
) -> None:
    folder = tmp_path / "mine"
    write(folder / "below" / "a.png")
    write(folder / "b.png", "blue")
    async with opened() as world:
        assert (await import_(world, folder, copy=True)).added == 2
        assert (await import_(world, folder, copy=True)).unchanged == 2
        found = sorted(path.relative_to(world.folder).as_posix() for path in world.folder.rglob("*") if path.is_file())
        assert found == ["mine/b.png", "mine/below/a.png"]
        shutil.rmtree(folder)
        assert all(os.path.isfile(row.path) for row in (await rows(world)).values())  # noqa: PTH113, ASYNC240


async def test_it_can_be_stopped_and_goes_on_where_it_was(opened: Any, write: Write, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    for number in range(MANY):
        write(folder / f"{number}.png", "red", (16, 12 + number))
    async with opened() as world:
        told: list[ImportProgress] = []

        def tell(progress: ImportProgress) -> None:
            told.append(progress)
            if progress.added:
                world.gallery.importer.cancel()

        outcome = await world.gallery.importer.run(ImportPlan(folder), tell)
        assert outcome.cancelled
        assert 0 < outcome.added < MANY
        rest = await import_(world, folder)
        assert outcome.added + rest.added == MANY
        last = told[-1]
        assert last.total == MANY
        assert last.rate > 0
        assert last.seconds_left is not None


async def test_an_import_that_was_under_way_goes_on_at_the_next_start(
    opened: Any, write: Write, tmp_path: Path
) -> None:
    folder = tmp_path / "mine"
    for number in range(MANY):
        write(folder / f"{number}.png", "red", (16, 12 + number))
    async with opened() as world:
        task = asyncio.create_task(world.gallery.importer.run(ImportPlan(folder)))
        while not await rows(world):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    async with opened() as world:
        finished: list[Imported] = []
        world.gallery.importer.finished.subscribe(finished.append)
        while not finished:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        assert len(await rows(world)) == MANY
    async with opened() as world:
        assert await world.library.call(lambda db: db.query("SELECT * FROM imports")) == []


# --- What hurts -----------------------------------------------------------------------------------------------------


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, *chunks: bytes) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + chunk(b"IEND", b"")


def text(name: bytes, value: bytes) -> bytes:
    return chunk(b"tEXt", name + b"\0" + value)


async def test_hostile_files_are_told_or_taken_and_hold_up_nothing(opened: Any, write: Write, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    good = write(folder / "good.png").read_bytes()
    (folder / "cut.png").write_bytes(good[: len(good) // 2])
    (folder / "empty.png").write_bytes(b"")
    (folder / "huge.png").write_bytes(png(65_535, 65_535, chunk(b"IDAT", zlib.compress(bytes(1000)))))
    (folder / "bomb.png").write_bytes(png(30_000, 30_000, chunk(b"IDAT", zlib.compress(bytes(100 << 20)))))
    (folder / "text bomb.png").write_bytes(png(8, 8, chunk(b"zTXt", b"prompt\0\0" + zlib.compress(bytes(200 << 20)))))
    (folder / "text.png").write_bytes(png(8, 8, text(b"prompt", json.dumps({"1": "x" * (10 << 20)}).encode())))
    (folder / "deep.png").write_bytes(png(8, 9, text(b"prompt", b"[" * (5 << 20))))
    (folder / "lies.mp4").write_bytes(b"this is no video at all")
    (folder / "control\x01\n\x1b[31m.png").write_bytes(write(tmp_path / "c.png", "blue").read_bytes())
    with open(os.fsencode(folder) + b"/no unicode \xff.png", "wb") as file:  # noqa: PTH123, ASYNC230
        file.write(write(tmp_path / "n.png", "green").read_bytes())
    (folder / "loop").symlink_to(folder)
    (folder / "dangling.png").symlink_to(folder / "nowhere.png")
    os.mkfifo(folder / "pipe.png")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    async with opened() as world:
        outcome = await import_(world, folder)
        told = {one.path.name: one.why for one in outcome.skipped}
        assert told == {
            "cut.png": "The file ends too early",
            "empty.png": "It is empty",
            "huge.png": "It claims 65,535 \N{MULTIPLICATION SIGN} 65,535 pixels",
            "lies.mp4": "Its content is of no known format",
            "dangling.png": "No such file or directory",
            "pipe.png": "It is no regular file",
        }
        assert all("\x1b" not in str(one) and "\n" not in str(one) for one in outcome.skipped)
        names = await rows(world)
        assert {"good.png", "bomb.png", "text bomb.png", "text.png", "deep.png"} <= names.keys()
        assert len(names) == 7
        assert all(row.sha256 for row in names.values())
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200 << 10  # KiB


async def test_a_folder_that_cannot_be_read_is_told(opened: Any, write: Write, tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root reads everything")
    folder = tmp_path / "mine"
    write(folder / "a.png")
    (folder / "shut").mkdir(mode=0)
    async with opened() as world:
        outcome = await import_(world, folder)
        assert [one.path.name for one in outcome.skipped] == ["shut"]
        assert outcome.added == 1
