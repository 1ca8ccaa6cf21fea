"""Folders of workflows: everything is found, nothing ends the scan, and only what changed is read again."""

import asyncio
import json
import os
import sys
import textwrap
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from comfydesk.events import Feed
from comfydesk.session.library import FILE_NAME, Library
from comfydesk.session.shelves import scan_process
from comfydesk.session.shelves.scan import FEW, WorkflowScan, list_workflows
from comfydesk.session.shelves.scan_process import scan_in_child, shares
from comfydesk.session.values import WorkflowEntry
from comfydesk.workflow.card import WorkflowCard
from comfydesk.workflow.catalog import Catalog


def workflow(kind: str = "EmptyImage") -> str:
    return json.dumps({"nodes": [{"id": 1, "type": kind}], "links": [], "version": 0.4})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two good files, one of them deeper, and what people and programs leave beside them."""
    home = tmp_path / "flows"
    (home / "deep" / "er").mkdir(parents=True)
    (home / "b.json").write_text(workflow())
    (home / "deep" / "er" / "a.JSON").write_text(workflow("LoadImage"))
    (home / "broken.json").write_text("{")
    (home / "junk.json").write_bytes(os.urandom(300))
    (home / "empty.json").write_text("")
    (home / "notes.txt").write_text("no workflow")
    (home / ".hidden.json").write_text(workflow())
    (home / ".git").mkdir()
    (home / ".git" / "x.json").write_text(workflow())
    (home / "folder.json").mkdir()
    (home / "dangling.json").symlink_to(home / "nowhere.json")
    (home / "loop").symlink_to(home)
    return home


@asynccontextmanager
async def scanner(tmp_path: Path) -> AsyncIterator[WorkflowScan]:
    library = Library(tmp_path / FILE_NAME, Feed())
    await library.open()
    try:
        yield WorkflowScan(library)
    finally:
        await library.close()


async def test_everything_is_found_and_broken_files_are_cards(folder: Path, tmp_path: Path) -> None:
    async with scanner(tmp_path) as scan:
        entries = await scan.entries(folder, "mine")
    errors = {entry.id: bool(entry.card.error) for entry in entries}
    assert errors == {
        "mine/b.json": False,
        "mine/broken.json": True,
        "mine/deep/er/a.JSON": False,
        "mine/empty.json": True,
        "mine/junk.json": True,
    }
    by_id = {entry.id: entry for entry in entries}
    assert by_id["mine/deep/er/a.JSON"].card.input_types == ("image",)
    assert by_id["mine/b.json"].path == folder / "b.json"


async def test_only_what_changed_is_read_again(folder: Path, tmp_path: Path) -> None:
    path = folder / "b.json"
    before = path.stat()
    async with scanner(tmp_path) as scan:
        await scan.entries(folder, "mine")
        path.write_text(workflow("FlipSigmas"))  # as long as "EmptyImage"
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        assert (await card_of(scan, folder, "b")).node_types == ("EmptyImage",), "same size and time: not looked at"
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
        assert (await card_of(scan, folder, "b")).node_types == ("FlipSigmas",)
        path.unlink()
        assert "mine/b.json" not in {entry.id for entry in await scan.entries(folder, "mine")}


async def test_cards_survive_a_restart(folder: Path, tmp_path: Path) -> None:
    async with scanner(tmp_path) as scan:
        first = await scan.entries(folder, "mine")
    async with scanner(tmp_path) as scan:
        told: list[tuple[WorkflowEntry, ...]] = []
        assert await scan.entries(folder, "mine", found=told.append) == first
    assert [entry for batch in told for entry in batch] == list(first), "the remembered ones come as they are"


async def test_a_pods_catalog_names_what_it_lacks_also_for_remembered_cards(folder: Path, tmp_path: Path) -> None:
    catalog = Catalog.from_object_info({"LoadImage": {}})
    async with scanner(tmp_path) as scan:
        await scan.entries(folder, "mine")
        entries = {entry.id: entry for entry in await scan.entries(folder, "mine", catalog=catalog)}
    assert entries["mine/b.json"].card.custom_nodes == ("EmptyImage",)
    assert entries["mine/deep/er/a.JSON"].card.custom_nodes == ()


async def test_many_files_are_read_in_children_with_the_same_result(tmp_path: Path) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(FEW + 40):
        (folder / f"{number:03}.json").write_text(workflow("LoadImage") if number % 10 else "{")
    told: list[tuple[WorkflowEntry, ...]] = []
    async with scanner(tmp_path) as scan:
        entries = await scan.entries(folder, "mine", found=told.append)
    assert [entry.name for entry in entries] == [f"{number:03}" for number in range(FEW + 40)]
    assert [entry.name for entry in entries if entry.card.error] == ["000", "010", "020", "030", "040", "050", "060"]
    assert sorted(entry.name for batch in told for entry in batch) == [entry.name for entry in entries]
    assert {entry.card.input_types for entry in entries if not entry.card.error} == {("image",)}


async def test_a_cancelled_scan_leaves_nothing_running_and_goes_on_later(tmp_path: Path) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(400):
        (folder / f"{number:03}.json").write_text(workflow())
    async with scanner(tmp_path) as scan:
        heard = asyncio.Event()
        task = asyncio.create_task(_entries(scan, folder, heard))
        await heard.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert len(await scan.entries(folder, "mine")) == 400


async def _entries(scan: WorkflowScan, folder: Path, heard: asyncio.Event) -> None:
    await scan.entries(folder, "mine", found=lambda _: heard.set())


async def test_a_folder_that_is_not_there_is_empty(tmp_path: Path) -> None:
    async with scanner(tmp_path) as scan:
        assert await scan.entries(tmp_path / "none", "mine") == ()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
async def test_names_that_are_no_text(tmp_path: Path) -> None:
    folder = tmp_path / "odd"
    folder.mkdir()
    (folder / os.fsdecode(b"caf\xe9.json")).write_text(workflow())
    async with scanner(tmp_path) as scan:
        first = await scan.entries(folder, "mine")
        assert [entry.card.node_count for entry in first] == [1]
        assert await scan.entries(folder, "mine") == first


async def card_of(scan: WorkflowScan, folder: Path, name: str) -> WorkflowCard:
    return next(entry.card for entry in await scan.entries(folder, "mine") if entry.name == name)


# --- The child -------------------------------------------------------------------------------------------------------


def test_the_child_reads_in_order(tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.json" for number in range(40)]
    for path in paths:
        path.write_text(workflow())
    assert [path for path, _ in scan_in_child(paths)] == paths


def test_a_file_that_kills_the_child_costs_that_file_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in child that dies at one file, as the real one would of too little memory."""
    card = json.dumps({"id": "x", "name": "fine", "required_models": []})
    program = textwrap.dedent(f"""
        import os, sys
        for line in sys.stdin:
            if "killer" in line:
                os._exit(9)
            print({card!r}, flush=True)
    """)
    monkeypatch.setattr(scan_process, "_program", lambda: [sys.executable, "-c", program])
    paths = [tmp_path / name for name in ("a.json", "killer1.json", "b.json", "killer2.json", "c.json")]
    cards = dict(scan_in_child(paths))
    assert [card.name for card in cards.values()] == ["fine", "killer1", "fine", "killer2", "fine"]
    assert "ended" in cards[paths[1]].error


def test_a_file_that_takes_too_long_is_given_up_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = "import sys\nfor line in sys.stdin: pass"
    monkeypatch.setattr(scan_process, "_program", lambda: [sys.executable, "-c", program])
    ((_, card),) = scan_in_child([tmp_path / "slow.json"], patience=0.2)
    assert (card.name, "takes more than" in card.error) == ("slow", True)


async def test_where_no_child_can_be_started_files_are_read_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scan_process, "_program", lambda: [str(tmp_path / "no such program")])
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(FEW + 1):
        (folder / f"{number}.json").write_text(workflow())
    async with scanner(tmp_path) as scan:
        assert {entry.card.node_count for entry in await scan.entries(folder, "mine")} == {1}


def test_work_is_dealt_out_evenly() -> None:
    assert shares([Path(name) for name in "abcde"], 2) == [[Path("a"), Path("c"), Path("e")], [Path("b"), Path("d")]]
    assert shares([Path("a")], 3) == [[Path("a")]]


def test_files_are_listed_by_name_with_their_stamps(folder: Path) -> None:
    files = list_workflows(folder)
    assert [path.name for path in files] == ["b.json", "broken.json", "a.JSON", "empty.json", "junk.json"]
    assert files[folder / "broken.json"].size == 1
