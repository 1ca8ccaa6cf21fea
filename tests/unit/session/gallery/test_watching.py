import asyncio
import os
import shutil
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from comfydesk.session.gallery.importing import ImportPlan
from comfydesk.session.gallery.watching import Watcher, folders_of
from comfydesk.store.search import OutputFilter

Write = Callable[..., Path]
Until = Callable[..., Awaitable[None]]


def settled(path: Path) -> Path:
    """As if it had been written a while ago."""
    os.utime(path, (time.time() - 60, time.time() - 60))
    return path


@contextmanager
def watching(world: Any, *folders: Path) -> Iterator[Watcher]:
    gallery = world.gallery
    watcher = Watcher(
        world.library, gallery._tasks, gallery.importer, gallery._presence, lambda: folders, every=0.05, after_start=0
    )
    watcher.start()
    yield watcher


async def paths(world: Any) -> set[str]:
    rows = await world.gallery.rows((await world.gallery.listing(OutputFilter())).ids)
    return {f"{Path(row.path).name}{' missing' if row.missing else ''}" for row in rows}


async def test_what_comes_moves_and_goes_in_a_watched_folder_is_noticed(
    opened: Any, write: Write, until: Until, tmp_path: Path
) -> None:
    folder = tmp_path / "mine"
    settled(write(folder / "a.png"))
    async with opened() as world:
        with watching(world, folder):
            await until(lambda: is_now(world, {"a.png"}))
            settled(write(folder / "b.png", "blue"))
            await until(lambda: is_now(world, {"a.png", "b.png"}))
            (row,) = [
                one
                for one in await world.gallery.rows((await world.gallery.listing()).ids)
                if one.path.endswith("b.png")
            ]
            await world.gallery.collections.rate((row.id,), 4)
            (folder / "below").mkdir()
            shutil.move(folder / "b.png", folder / "below" / "moved.png")
            await until(lambda: is_now(world, {"a.png", "moved.png"}))
            (moved,) = await world.gallery.rows((row.id,))
            assert (moved.rating, moved.missing) == (4, False)
            (folder / "a.png").unlink()
            await until(lambda: is_now(world, {"a.png missing", "moved.png"}))
            settled(write(folder / "below" / "deep" / "c.png", "green"))
            await until(lambda: is_now(world, {"a.png missing", "moved.png", "c.png"}))


async def is_now(world: Any, wanted: set[str]) -> bool:
    return await paths(world) == wanted


async def test_a_file_that_is_being_written_is_left_alone_until_it_is_done(
    opened: Any, write: Write, until: Until, tmp_path: Path
) -> None:
    folder = tmp_path / "mine"
    data = write(tmp_path / "whole.png").read_bytes()
    settled(write(folder / "a.png", "blue"))
    async with opened() as world:
        with watching(world, folder):
            await until(lambda: is_now(world, {"a.png"}))
            (folder / "b.png").write_bytes(data[:40])
            await asyncio.sleep(0.2)
            assert await paths(world) == {"a.png"}
            (folder / "b.png").write_bytes(data)
            settled(folder / "b.png")
            await until(lambda: is_now(world, {"a.png", "b.png"}))


async def test_what_was_deleted_from_the_library_does_not_come_back_by_itself_but_by_hand(
    opened: Any, write: Write, until: Until, tmp_path: Path
) -> None:
    folder = tmp_path / "mine"
    settled(write(folder / "a.png"))
    shutil.copy2(folder / "a.png", tmp_path / "copy.png")
    async with opened(undo_seconds=0) as world:
        with watching(world, folder) as watcher:
            await until(lambda: is_now(world, {"a.png"}))
            await world.gallery.delete((await world.gallery.listing()).ids)
            await until(lambda: not (folder / "a.png").exists())
            settled(Path(shutil.copy2(tmp_path / "copy.png", folder / "again.png")))
            settled(write(folder / "b.png", "blue"))
            watcher.look()
            await until(lambda: is_now(world, {"b.png"}))
        shutil.copy2(tmp_path / "copy.png", tmp_path / "other.png")
        (tmp_path / "other").mkdir()
        shutil.move(tmp_path / "other.png", tmp_path / "other" / "a.png")
        assert (await world.gallery.importer.run(ImportPlan(tmp_path / "other"))).added == 1


async def test_a_watched_folder_that_is_not_there_is_told_and_takes_nothing_away(opened: Any, tmp_path: Path) -> None:
    async with opened() as world:
        watcher = Watcher(
            world.library,
            world.gallery._tasks,
            world.gallery.importer,
            world.gallery._presence,
            lambda: (tmp_path / "none",),
        )
        watcher._whole = True
        await watcher._round()
        assert "No such file" in watcher.unreadable[str(tmp_path / "none")]


@pytest.mark.parametrize(("text", "names"), [("", []), (" /a ;; /b;/a", ["/a", "/b"])])
def test_folders_are_parted_by_semicolons(text: str, names: list[str]) -> None:
    assert [str(folder) for folder in folders_of(text)] == names
