"""Downloads of models: resumed and never begun anew, verified, the token kept to its origin, the disk asked first."""

import asyncio
import errno
import hashlib
import logging
import random
import shutil
import sys
import time
from collections import namedtuple
from pathlib import Path

import pytest

from comfydesk.credentials import Secret
from comfydesk.errors import DiskFullError, LlmModelError, LlmUnreachableError, UsageError
from comfydesk.llm import fetch as fetching
from comfydesk.llm.downloads import Downloads, DownloadState, DownloadStatus
from comfydesk.llm.fetch import Progress, fetch
from comfydesk.llm.hub import HUGGING_FACE, Hub
from comfydesk.llm.shelf import Shelf
from tests.unit.llm.model_hub import DATA, ModelHub, model_of

TOKEN = "hf_very_secret"
MODEL = model_of()


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if not path.name.endswith(".lock")}


async def test_a_download_is_whole_and_verified(tmp_path: Path) -> None:
    told: list[Progress] = []
    async with ModelHub() as hub:
        path = await fetch(MODEL, tmp_path / "m" / "a.gguf", Hub(hub.url), on_progress=told.append)
    assert path.read_bytes() == DATA
    assert files(path.parent) == {"a.gguf"}
    assert (told[-1].done, told[-1].total) == (len(DATA), len(DATA))


async def test_what_is_there_is_not_asked_for(tmp_path: Path) -> None:
    (tmp_path / "a.gguf").write_bytes(b"whole")
    async with ModelHub() as hub:
        await fetch(MODEL, tmp_path / "a.gguf", Hub(hub.url))
        assert hub.asked == []


async def test_cut_at_twenty_random_points_it_goes_on_where_it_was(tmp_path: Path) -> None:
    rng = random.Random(20)
    async with ModelHub() as hub:
        hub.cuts = [rng.randrange(1, len(DATA) // 21) for _ in range(20)]
        path = await fetch(MODEL, tmp_path / "a.gguf", Hub(hub.url), pause=0.001)
        starts, sent = hub.starts, hub.sent
    assert hashlib.sha256(path.read_bytes()).hexdigest() == MODEL.sha256
    assert len(starts) == 21
    assert starts == sorted(starts)
    assert all(start > 0 for start in starts[1:]), "never from zero"
    assert sent == len(DATA), "not a byte twice"


_APP = """
import asyncio, sys
from pathlib import Path
from comfydesk.llm.fetch import fetch
from comfydesk.llm.hub import Hub
from comfydesk.llm.models import CURATED
from dataclasses import replace
model = replace(CURATED[0], size=int(sys.argv[3]), sha256=sys.argv[4])
asyncio.run(fetch(model, Path(sys.argv[1]), Hub(sys.argv[2])))
"""


async def test_killed_at_five_points_it_goes_on_where_it_was(tmp_path: Path) -> None:
    target = tmp_path / "a.gguf"
    async with ModelHub() as hub:
        hub.block, hub.pause = 16 * 1024, 0.01
        for share in (0.1, 0.25, 0.4, 0.6, 0.8):
            arguments = (_APP, str(target), hub.url, str(MODEL.size), MODEL.sha256)
            app = await asyncio.create_subprocess_exec(sys.executable, "-c", *arguments)
            async with asyncio.timeout(30):
                while _size(tmp_path / "a.gguf.part") < share * len(DATA):  # noqa: ASYNC110 - another process
                    await asyncio.sleep(0.005)
            app.kill()
            await app.wait()
        hub.pause = 0
        await fetch(MODEL, target, Hub(hub.url))
        starts = hub.starts
    assert target.read_bytes() == DATA
    assert len(starts) == 6
    assert all(start > 0 for start in starts[1:]), "never from zero"
    assert starts == sorted(starts)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


async def test_cancelling_keeps_what_is_there(tmp_path: Path) -> None:
    async with ModelHub() as hub:
        hub.pause = 0.02
        task = asyncio.create_task(fetch(MODEL, tmp_path / "a.gguf", Hub(hub.url)))
        while _size(tmp_path / "a.gguf.part") < 300_000:  # noqa: ASYNC110 - the file is what counts
            await asyncio.sleep(0.01)
        began = time.perf_counter()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert time.perf_counter() - began < 0.2
        kept = _size(tmp_path / "a.gguf.part")
        hub.pause = 0
        await fetch(MODEL, tmp_path / "a.gguf", Hub(hub.url))
        assert hub.starts == [0, kept]


async def test_a_server_that_cannot_continue_begins_anew(tmp_path: Path) -> None:
    (tmp_path / "a.gguf.part").write_bytes(DATA[:1000])
    async with ModelHub() as hub:
        hub.ranges = False
        path = await fetch(MODEL, tmp_path / "a.gguf", Hub(hub.url))
    assert path.read_bytes() == DATA


async def test_a_part_that_is_too_long_is_dropped(tmp_path: Path) -> None:
    (tmp_path / "a.gguf.part").write_bytes(DATA + b"x")
    async with ModelHub() as hub:
        assert (await fetch(MODEL, tmp_path / "a.gguf", Hub(hub.url))).read_bytes() == DATA


async def test_a_part_that_is_all_there_is_only_verified(tmp_path: Path) -> None:
    (tmp_path / "a.gguf.part").write_bytes(DATA)
    async with ModelHub() as hub:
        await fetch(MODEL, tmp_path / "a.gguf", Hub(hub.url))
        assert hub.asked == []


@pytest.mark.parametrize("damaged", ["the file there", "the part here"])
async def test_a_wrong_hash_is_refused_and_set_aside(tmp_path: Path, damaged: str) -> None:
    if damaged == "the part here":
        (tmp_path / "a.gguf.part").write_bytes(bytes(1000))
    async with ModelHub(DATA if damaged == "the part here" else DATA[:-1] + b"x") as hub:
        with pytest.raises(LlmModelError, match="SHA-256 is wrong"):
            await fetch(MODEL, tmp_path / "a.gguf", Hub(hub.url))
    assert files(tmp_path) == {"a.gguf.broken"}


@pytest.mark.parametrize("content_range", ["bytes 0-2999999/3000000", "bytes 1000-2999999/4000000", "nonsense"])
async def test_other_bytes_than_asked_for_are_refused(tmp_path: Path, content_range: str) -> None:
    (tmp_path / "a.gguf.part").write_bytes(DATA[:1000])
    async with ModelHub() as hub:
        hub.content_range = content_range
        with pytest.raises(LlmModelError, match="another file"):
            await fetch(MODEL, tmp_path / "a.gguf", Hub(hub.url))
    assert (tmp_path / "a.gguf.part").read_bytes() == DATA[:1000]


async def test_a_file_of_another_size_is_refused_at_once(tmp_path: Path) -> None:
    async with ModelHub(DATA + b"more") as hub:
        with pytest.raises(LlmModelError, match="another file"):
            await fetch(MODEL, tmp_path / "a.gguf", Hub(hub.url))
        assert hub.sent < len(DATA)


async def test_a_web_page_is_no_model(tmp_path: Path) -> None:
    async with ModelHub() as hub:
        hub.content_type = "text/html"
        with pytest.raises(LlmModelError, match="web page"):
            await fetch(MODEL, tmp_path / "a.gguf", Hub(hub.url))


async def test_the_token_goes_to_its_origin_and_no_other(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with ModelHub() as hub, ModelHub() as cdn:
        hub.redirect = cdn.url
        await fetch(MODEL, tmp_path / "a.gguf", Hub(hub.url, Secret(TOKEN)))
        assert hub.asked == [(None, f"Bearer {TOKEN}")]
        assert cdn.asked == [(None, None)]
    assert TOKEN not in caplog.text


async def test_a_redirect_is_followed_anew_for_each_part(tmp_path: Path) -> None:
    async with ModelHub() as hub, ModelHub() as cdn:
        hub.redirect, cdn.cuts = cdn.url, [100_000, 100_000]
        await fetch(MODEL, tmp_path / "a.gguf", Hub(hub.url, Secret(TOKEN)), pause=0.001)
        assert cdn.starts[1:] == [100_000, 200_000]
        assert {authorization for _, authorization in cdn.asked} == {None}


async def test_redirects_end(tmp_path: Path) -> None:
    async with ModelHub() as hub:
        hub.redirect = hub.url
        with pytest.raises(LlmModelError, match="in circles"):
            await fetch(MODEL, tmp_path / "a.gguf", Hub(hub.url))


@pytest.mark.parametrize("location", ["ftp://x/y", "http://user:pw@h/", "//[", ""])
def test_redirects_to_nowhere(location: str) -> None:
    with pytest.raises(LlmModelError, match="nowhere"):
        Hub()._next("http://h/a", location)


def test_no_redirect_leaves_encryption() -> None:
    with pytest.raises(LlmModelError, match="unencrypted"):
        Hub()._next("https://huggingface.co/a", "http://cdn.example/a")


async def test_a_full_disk_is_told_before_a_byte_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10, 5, len(DATA) + fetching.RESERVE - 1))
    async with ModelHub() as hub:
        with pytest.raises(DiskFullError, match="not enough room"):
            await fetch(MODEL, tmp_path / "a.gguf", Hub(hub.url))
        assert hub.asked == []


async def test_only_what_is_missing_needs_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.gguf.part").write_bytes(DATA[:-10])
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10, 5, fetching.RESERVE + 10))
    async with ModelHub() as hub:
        await fetch(MODEL, tmp_path / "a.gguf", Hub(hub.url))


def test_running_out_of_room_is_a_known_error(tmp_path: Path) -> None:
    with pytest.raises(DiskFullError, match="goes on"), fetching._translated(tmp_path / "a.part"):
        raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize(("status", "words"), [(401, "HF_TOKEN"), (403, "licence"), (404, "gone"), (400, "later")])
async def test_refusals_say_what_to_do(tmp_path: Path, status: int, words: str) -> None:
    async with ModelHub() as hub:
        hub.statuses = [status]
        with pytest.raises(LlmModelError, match=words):
            await fetch(MODEL, tmp_path / "a.gguf", Hub(hub.url))


async def test_a_busy_server_is_asked_again_and_given_up_in_the_end(tmp_path: Path) -> None:
    async with ModelHub() as hub:
        hub.statuses = [503, 429, 500]
        await fetch(MODEL, tmp_path / "a.gguf", Hub(hub.url), pause=0.001)
        hub.statuses = [503] * 10
        with pytest.raises(LlmUnreachableError, match="goes on where it stopped"):
            await fetch(MODEL, tmp_path / "b.gguf", Hub(hub.url), pause=0.001)


async def test_nobody_there(tmp_path: Path) -> None:
    async with ModelHub() as hub:
        pass
    with pytest.raises(LlmUnreachableError):
        await fetch(MODEL, tmp_path / "a.gguf", Hub(hub.url), pause=0.001)


async def test_one_download_of_a_file_at_a_time(tmp_path: Path) -> None:
    async with ModelHub() as hub:
        hub.pause = 0.01
        first = asyncio.create_task(fetch(MODEL, tmp_path / "a.gguf", Hub(hub.url)))
        while not hub.asked:  # noqa: ASYNC110 - it is under way then
            await asyncio.sleep(0.005)
        with pytest.raises(LlmModelError, match="already"):
            await fetch(MODEL, tmp_path / "a.gguf", Hub(hub.url))
        await first


def test_the_environment_names_the_hub() -> None:
    assert Hub.of_environment({}) == Hub(HUGGING_FACE)
    named = Hub.of_environment({"HF_ENDPOINT": "https://mirror.example/hf/", "HF_TOKEN": TOKEN})
    assert named == Hub("https://mirror.example/hf", Secret(TOKEN))
    assert TOKEN not in repr(named)
    with pytest.raises(UsageError):
        Hub.of_environment({"HF_ENDPOINT": "mirror"})


class Window:
    """Downloads as the window has them, of one small "curated" model."""

    def __init__(self, folder: Path, hub: ModelHub) -> None:
        self.shelf = Shelf(folder)

        async def place() -> Hub:
            return Hub(hub.url)

        self.downloads = Downloads(self.shelf, place)
        self.told: list[DownloadStatus] = []
        self.downloads.states.subscribe(self.told.append)

    async def until(self, done: int) -> None:
        while self.downloads.status(MODEL.id).progress.done < done:  # noqa: ASYNC110 - as the window looks at it
            await asyncio.sleep(0.005)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("models", "downloads", "shelf"):
        monkeypatch.setattr(f"comfydesk.llm.{module}.CURATED", (MODEL,))


@pytest.mark.usefixtures("small")
async def test_pause_resume_and_the_end(tmp_path: Path) -> None:
    async with ModelHub() as hub:
        hub.pause = 0.02
        window = Window(tmp_path, hub)
        assert window.downloads.status(MODEL.id).state is DownloadState.ABSENT
        window.downloads.start(MODEL.id)
        window.downloads.start(MODEL.id)
        await window.until(200_000)
        await window.downloads.pause(MODEL.id)
        paused = window.downloads.status(MODEL.id)
        assert paused.state is DownloadState.PAUSED
        assert Window(tmp_path, hub).downloads.status(MODEL.id) == paused, "after a restart, too"
        hub.pause = 0
        window.downloads.start(MODEL.id)
        assert (await window.downloads.wait(MODEL.id)).state is DownloadState.READY
        assert hub.starts == [0, paused.progress.done]
    assert window.told[-1].state is DownloadState.READY
    assert [model.id for model in window.shelf.models()] == [MODEL.id]


@pytest.mark.usefixtures("small")
async def test_cancel_leaves_nothing(tmp_path: Path) -> None:
    async with ModelHub() as hub:
        hub.pause = 0.02
        window = Window(tmp_path, hub)
        window.downloads.start(MODEL.id)
        await window.until(100_000)
        await window.downloads.cancel(MODEL.id)
        await window.downloads.close()
    assert files(tmp_path) == set()
    assert window.told[-1].state is DownloadState.ABSENT


@pytest.mark.usefixtures("small")
async def test_a_failure_is_told_and_can_be_tried_again(tmp_path: Path) -> None:
    async with ModelHub() as hub:
        hub.statuses = [404]
        window = Window(tmp_path, hub)
        window.downloads.start(MODEL.id)
        assert (await window.downloads.wait(MODEL.id)).state is DownloadState.FAILED
        assert isinstance(window.told[-1].error, LlmModelError)
        window.downloads.start(MODEL.id)
        assert (await window.downloads.wait(MODEL.id)).state is DownloadState.READY


@pytest.mark.usefixtures("small")
async def test_closing_pauses(tmp_path: Path) -> None:
    async with ModelHub() as hub:
        hub.pause = 0.02
        window = Window(tmp_path, hub)
        window.downloads.start(MODEL.id)
        await window.until(100_000)
        await window.downloads.close()
        assert window.downloads.all()[0].state is DownloadState.PAUSED
