"""Files from a pod are whole under their name or not there, whatever the line and the disk do. Real sockets."""

import asyncio
import hashlib
import os
import resource
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from comfydesk.client import part as parts
from comfydesk.client.address import Address
from comfydesk.client.downloads import SMALL, Downloads
from comfydesk.client.link import Timing
from comfydesk.client.part import BLOCK, Fetched, Part
from comfydesk.client.remote import RemoteFile
from comfydesk.client.rest import Rest
from comfydesk.errors import AuthError, DiskFullError, NotComfyError, PodStatusError, PodUnreachableError, StoreError
from tests.unit.client.conftest import Reply, Request, Wire

PICTURE = bytes(range(256)) * 8192  # 2 MiB
FILE = RemoteFile("a.png")


class FileServer:
    """/view of one file, with ETag and Range, as ComfyUI has it; `cuts`: bytes after which it cuts the line."""

    def __init__(
        self, server: Wire, content: bytes = PICTURE, *, etag: str = '"one"', cuts: tuple[int, ...] = ()
    ) -> None:
        self.content = content
        self.etag = etag
        self.cuts = list(cuts)
        self.ranges: list[str | None] = []
        server.replies["/api/view"] = self.reply

    def reply(self, request: Request) -> Reply:
        wanted = request.headers.get("range")
        self.ranges.append(wanted)
        headers = {"ETag": self.etag, "Content-Type": "image/png"}
        cut = self.cuts.pop(0) if self.cuts else None
        if wanted is None:
            return Reply(self.content, headers=headers, cut_after=cut)
        start = int(wanted.removeprefix("bytes=").rstrip("-"))
        if start >= len(self.content):
            return Reply(b"", 416, headers)
        # aiohttp ignores an If-Range with an ETag: it sends the range whatever the file has become.
        headers["Content-Range"] = f"bytes {start}-{len(self.content) - 1}/{len(self.content)}"
        return Reply(self.content[start:], 206, headers, cut_after=cut)


async def fetch(server: Wire, target: Path, *, delays: tuple[float, ...] = (0.01,) * 3, fresh: bool = False) -> Fetched:
    rest = Rest(Address.parse(server.url))
    try:
        return await Downloads(rest, Timing(fetch_delays=delays)).fetch(FILE, target, fresh=fresh)
    finally:
        await rest.close()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


# --- Whole --------------------------------------------------------------------------------------------------------


async def test_a_file_arrives_whole_in_a_folder_that_is_made(tmp_path: Path) -> None:
    async with Wire() as server:
        FileServer(server)
        fetched = await fetch(server, tmp_path / "new" / "folder" / "a.png")
    assert fetched.path.read_bytes() == PICTURE
    assert (fetched.size, fetched.sha256) == (len(PICTURE), hashlib.sha256(PICTURE).hexdigest())
    assert fetched.etag == '"one"'
    assert names(fetched.path.parent) == ["a.png"]


@pytest.mark.parametrize("size", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1])
async def test_sizes_around_a_block(tmp_path: Path, size: int) -> None:
    async with Wire() as server:
        FileServer(server, os.urandom(size))
        fetched = await fetch(server, tmp_path / "a.png")
    assert fetched.path.stat().st_size == fetched.size == size
    assert names(tmp_path) == ["a.png"]


@pytest.mark.parametrize("size", [0, 1, SMALL, SMALL + 1])
@pytest.mark.parametrize("cut", [False, True])
async def test_a_fresh_one_is_the_same(tmp_path: Path, size: int, cut: bool) -> None:
    content = os.urandom(size)
    async with Wire() as server:
        files = FileServer(server, content, cuts=(size // 2,) if cut and size > 1 else ())
        fetched = await fetch(server, tmp_path / "a.png", fresh=True)
    assert fetched.path.read_bytes() == content
    assert (fetched.size, fetched.sha256) == (size, hashlib.sha256(content).hexdigest())
    assert fetched.etag == '"one"'
    assert names(tmp_path) == ["a.png"]
    assert files.ranges == ([None, f"bytes={size // 2}-"] if cut and size > 1 else [None])


async def test_what_was_taken_for_fresh_is_continued_all_the_same(tmp_path: Path) -> None:
    async with Wire() as server:
        FileServer(server, cuts=(700_000,))
        with pytest.raises(PodUnreachableError):
            await fetch(server, tmp_path / "a.png", delays=())
        again = FileServer(server)
        fetched = await fetch(server, tmp_path / "a.png", fresh=True)
    assert fetched.path.read_bytes() == PICTURE
    assert again.ranges == [None, "bytes=700000-"]
    assert names(tmp_path) == ["a.png"]


async def test_progress_is_told(tmp_path: Path) -> None:
    told: list[tuple[int, int | None]] = []
    async with Wire() as server:
        FileServer(server)
        rest = Rest(Address.parse(server.url))
        await Downloads(rest).fetch(FILE, tmp_path / "a.png", progress=lambda *step: told.append(step))
        await rest.close()
    assert told == sorted(told)
    assert told[-1] == (len(PICTURE), len(PICTURE))
    assert len(told) >= 2


async def test_a_server_that_states_no_length(tmp_path: Path) -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    async with Wire() as server:
        server.replies["/api/view"] = Reply(raw=chunked)
        assert (await fetch(server, tmp_path / "a.png")).path.read_bytes() == b"abc"


# --- Names --------------------------------------------------------------------------------------------------------


async def test_another_file_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"mine")
    (tmp_path / "a (2).png").write_bytes(b"mine, too")
    async with Wire() as server:
        FileServer(server)
        fetched = await fetch(server, tmp_path / "a.png")
    assert fetched.path.name == "a (3).png"
    assert (tmp_path / "a.png").read_bytes() == b"mine"
    assert names(tmp_path) == ["a (2).png", "a (3).png", "a.png"]


async def test_the_very_same_bytes_count_as_fetched(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(PICTURE)
    async with Wire() as server:
        FileServer(server)
        fetched = await fetch(server, tmp_path / "a.png")
    assert fetched.path == tmp_path / "a.png"
    assert names(tmp_path) == ["a.png"]


async def test_a_folder_of_that_name_is_in_nobodys_way(tmp_path: Path) -> None:
    (tmp_path / "a.png").mkdir()
    async with Wire() as server:
        FileServer(server)
        assert (await fetch(server, tmp_path / "a.png")).path.name == "a (2).png"


async def test_disks_without_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted")  # exFAT

    monkeypatch.setattr(os, "link", refuse)
    (tmp_path / "a.png").write_bytes(b"mine")
    async with Wire() as server:
        FileServer(server)
        fetched = await fetch(server, tmp_path / "a.png")
    assert fetched.path.read_bytes() == PICTURE
    assert names(tmp_path) == ["a (2).png", "a.png"]


async def test_the_same_file_asked_for_five_times_at_once(tmp_path: Path) -> None:
    async with Wire() as server:
        FileServer(server)
        rest = Rest(Address.parse(server.url))
        together = Downloads(rest)
        found = await asyncio.gather(*(together.fetch(FILE, tmp_path / "a.png") for _ in range(5)))
        await rest.close()
    assert {fetched.path for fetched in found} == {tmp_path / "a.png"}
    assert names(tmp_path) == ["a.png"]


async def test_two_files_of_one_name_at_once(tmp_path: Path) -> None:
    async with Wire() as server:
        server.replies["/api/view"] = lambda request: Reply(request.target.encode() * 50_000)
        rest = Rest(Address.parse(server.url))
        together = Downloads(rest)
        one, two = await asyncio.gather(
            *(together.fetch(RemoteFile("a.png", folder), tmp_path / "a.png") for folder in ("x", "y"))
        )
        await rest.close()
    assert one.path != two.path
    assert b"subfolder=x" in one.path.read_bytes()[:200]
    assert b"subfolder=y" in two.path.read_bytes()[:200]


# --- Cut lines ----------------------------------------------------------------------------------------------------


async def test_a_cut_line_is_picked_up_where_it_broke(tmp_path: Path) -> None:
    async with Wire() as server:
        files = FileServer(server, cuts=(700_000, 900_000, 5))
        fetched = await fetch(server, tmp_path / "a.png")
    assert fetched.path.read_bytes() == PICTURE
    assert fetched.sha256 == hashlib.sha256(PICTURE).hexdigest()
    assert files.ranges == [None, "bytes=700000-", "bytes=1600000-", "bytes=1600005-"]


async def test_what_an_earlier_run_left_is_continued(tmp_path: Path) -> None:
    async with Wire() as server:
        files = FileServer(server, cuts=(700_000,))
        with pytest.raises(PodUnreachableError):
            await fetch(server, tmp_path / "a.png", delays=())
        part, etag = names(tmp_path)
        assert part.startswith("a.png.")
        assert part.endswith(".part")
        assert etag == part + ".etag"
        fetched = await fetch(server, tmp_path / "a.png", delays=())
    assert files.ranges == [None, "bytes=700000-"]
    assert fetched.path.read_bytes() == PICTURE
    assert names(tmp_path) == ["a.png"]


async def test_a_file_that_changed_meanwhile_is_fetched_anew(tmp_path: Path) -> None:
    async with Wire() as server:
        FileServer(server, cuts=(700_000,))
        with pytest.raises(PodUnreachableError):
            await fetch(server, tmp_path / "a.png", delays=())
        changed = FileServer(server, PICTURE[::-1], etag='"two"')
        fetched = await fetch(server, tmp_path / "a.png")
    assert fetched.path.read_bytes() == PICTURE[::-1]
    assert changed.ranges == ["bytes=700000-", None]


async def test_a_file_that_shrank_meanwhile_is_fetched_anew(tmp_path: Path) -> None:
    async with Wire() as server:
        FileServer(server, cuts=(700_000,))
        with pytest.raises(PodUnreachableError):
            await fetch(server, tmp_path / "a.png", delays=())
        FileServer(server, b"small", etag='"two"')
        assert (await fetch(server, tmp_path / "a.png")).path.read_bytes() == b"small"


async def test_without_an_etag_nothing_is_continued(tmp_path: Path) -> None:
    async with Wire() as server:
        files = FileServer(server, etag="", cuts=(700_000,))
        assert (await fetch(server, tmp_path / "a.png")).path.read_bytes() == PICTURE
    assert files.ranges == [None, None]


async def test_a_pod_that_is_away_for_a_moment_is_waited_for(tmp_path: Path) -> None:
    async with Wire() as server:
        files = FileServer(server)
        replies = iter([Reply(status=502), Reply(raw=b""), Reply(status=524)])
        server.replies["/api/view"] = lambda request: next(replies, None) or files.reply(request)
        assert (await fetch(server, tmp_path / "a.png")).path.read_bytes() == PICTURE


async def test_a_pod_that_stays_away_is_told_and_what_came_is_kept(tmp_path: Path) -> None:
    async with Wire() as server:
        FileServer(server, cuts=(700_000,) + (0,) * 10)
        with pytest.raises(PodUnreachableError):
            await fetch(server, tmp_path / "a.png")
    part, _ = names(tmp_path)
    assert (tmp_path / part).stat().st_size == 700_000


async def test_a_crash_in_the_middle_of_a_write_leaves_a_part_that_can_be_used(tmp_path: Path) -> None:
    """A part without its ETag is of nobody knows what; with it, its bytes count."""
    part = Part(tmp_path / "a.png", Downloads(Rest(Address.parse("http://127.0.0.1:1")))._key(FILE))
    part.open()
    part.restart("")
    part.write([b"who knows"])
    part.close()
    assert names(tmp_path) == [part._path.name]
    again = Part(tmp_path / "a.png", part._path.name.split(".")[-2])
    again.open()
    assert again.size == 0
    again.discard()
    assert names(tmp_path) == []


async def test_another_process_at_the_same_file_is_left_alone(tmp_path: Path) -> None:
    async with Wire() as server:
        FileServer(server)
        key = Downloads(Rest(Address.parse(server.url)))._key(FILE)
        theirs = Part(tmp_path / "a.png", key)
        theirs.open()
        theirs.restart('"one"')
        theirs.write([PICTURE[:100]])
        fetched = await fetch(server, tmp_path / "a.png")
        assert fetched.path.read_bytes() == PICTURE
        theirs.write([PICTURE[100:]])
        assert theirs.finish().path == tmp_path / "a.png"
        theirs.close()
    assert names(tmp_path) == ["a.png"]


async def test_cancelling_keeps_what_came(tmp_path: Path) -> None:
    async with Wire() as server:
        server.replies["/api/view"] = Reply(b"x" * 100, headers={"ETag": '"one"', "Content-Length": "1000"})
        task = asyncio.create_task(fetch(server, tmp_path / "a.png"))
        await asyncio.sleep(0.2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert [(tmp_path / name).stat().st_size for name in names(tmp_path)] == [100, 5]


async def test_cancelling_twice_waits_for_the_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread cannot be stopped: closing the part under its hands would lose what it writes, or write elsewhere."""
    begun, go = threading.Event(), threading.Event()
    write = Part.write

    def slow(part: Part, chunks: list[bytes]) -> None:
        begun.set()
        assert go.wait(5)
        write(part, chunks)

    monkeypatch.setattr(Part, "write", slow)
    async with Wire() as server:
        FileServer(server, PICTURE * 2, cuts=(3 << 20,))
        task = asyncio.create_task(fetch(server, tmp_path / "a.png"))
        await asyncio.to_thread(begun.wait, 5)
        for _ in range(3):
            task.cancel()
            await asyncio.sleep(0.05)
        assert not task.done()
        go.set()
        with pytest.raises(asyncio.CancelledError):
            await task
    part, etag = sorted(names(tmp_path), key=len)
    assert (tmp_path / part).stat().st_size >= len(PICTURE)
    assert (tmp_path / etag).read_text() == '"one"'


# --- What cannot be had -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Reply(status=404), PodStatusError),
        (Reply(status=400), PodStatusError),
        (Reply(status=401), AuthError),
        (Reply.html("<title>Log in</title>"), AuthError),
        (Reply(b"x", 206, {"Content-Range": "bytes 0-0/1"}), NotComfyError),
        (Reply(b"x", 206, {"Content-Range": "nonsense"}), NotComfyError),
        (Reply(b"x", 206, {"Content-Range": f"bytes {'1' * 5000}-2/3"}), NotComfyError),
        (Reply(b"x", 416), NotComfyError),
        (Reply(b"x", headers={"Content-Encoding": "gzip"}), NotComfyError),
    ],
    ids=lambda value: str(value.status) if isinstance(value, Reply) else "",
)
async def test_what_is_no_file_leaves_nothing_behind(tmp_path: Path, reply: Reply, kind: type[Exception]) -> None:
    async with Wire() as server:
        server.replies["/api/view"] = reply
        with pytest.raises(kind):
            await fetch(server, tmp_path / "a.png")
    assert names(tmp_path) == []


@contextmanager
def files_up_to(size: int) -> Iterator[None]:
    """The kernel refuses to write beyond `size` bytes: as near to a full disk as a test gets without one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_a_disk_that_fills_up_leaves_nothing_half_written(tmp_path: Path) -> None:
    async with Wire() as server:
        FileServer(server)
        with files_up_to(1_500_000), pytest.raises(DiskFullError, match="still on the pod"):
            await fetch(server, tmp_path / "a.png")
    assert names(tmp_path) == []


async def test_a_file_that_will_not_fit_is_not_even_begun(tmp_path: Path) -> None:
    async with Wire() as server:
        server.replies["/api/view"] = Reply(b"x", headers={"Content-Length": str(1 << 60)})
        with pytest.raises(DiskFullError):
            await fetch(server, tmp_path / "a.png")
    assert names(tmp_path) == []


async def test_a_file_without_a_length_stops_before_the_disk_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The check before the first byte cannot know: the disk is looked at again with each block."""
    monkeypatch.setattr(parts, "RESERVE", 0)
    part = Part(tmp_path / "a.png", "k")
    part.open()
    part.check_room(None)
    part.write([PICTURE])
    monkeypatch.setattr(parts, "RESERVE", 1 << 60)  # others have filled it meanwhile
    with pytest.raises(DiskFullError):
        part.write([PICTURE])
    assert part.size == len(PICTURE)
    part.discard()
    assert names(tmp_path) == []


async def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    async with Wire() as server:
        FileServer(server)
        with pytest.raises(StoreError, match="cannot be written"):
            await fetch(server, tmp_path / "file" / "a.png")
    assert (tmp_path / "file").read_bytes() == b""


async def test_what_is_not_what_was_meant_never_gets_a_name_and_takes_none_away(tmp_path: Path) -> None:
    """Also where the user has a file of that very name and content."""
    target = tmp_path / "a.png"
    seen: list[tuple[bytes, int, bool]] = []

    def refuse(path: Path, size: int) -> bool:
        seen.append((path.read_bytes(), size, path.name.endswith(".part")))
        return False

    async with Wire() as server:
        FileServer(server)
        rest = Rest(Address.parse(server.url))
        try:
            with pytest.raises(PodUnreachableError, match="other bytes"):
                await Downloads(rest).fetch(FILE, target, check=refuse)
            assert names(tmp_path) == []
            target.write_bytes(PICTURE)
            with pytest.raises(PodUnreachableError, match="other bytes"):
                await Downloads(rest).fetch(FILE, target, check=refuse)
            assert names(tmp_path) == ["a.png"]
            fetched = await Downloads(rest).fetch(FILE, target, check=lambda _, size: size == len(PICTURE))
        finally:
            await rest.close()
    assert seen == [(PICTURE, len(PICTURE), True)] * 2
    assert fetched.path == target
