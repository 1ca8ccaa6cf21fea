"""`kill -9` while files are imported, fetched from a pod, and made small: the library is whole and goes on."""

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.request
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from comfydesk.demo.process import DemoProcess
from comfydesk.session.gallery.copying import PART
from comfydesk.session.gallery.importing import AT_ONCE
from comfydesk.session.gallery.thumbnails import Source, ThumbnailCache
from tests.pod.session.graphs import flat

FILES = 4 * AT_ONCE
"""As many transactions."""
ON_POD = 60
KILLS = int(os.environ.get("COMFYDESK_KILLS", "4"))
"""While a pod's outputs are fetched, one after the other."""


def start(*words: str, code: str = "") -> "subprocess.Popen[bytes]":
    program = ["-c", code] if code else ["-m", "comfydesk"]
    return subprocess.Popen(
        [sys.executable, *program, *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def kill(process: "subprocess.Popen[bytes]") -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()


def count(library: Path, table: str = "outputs") -> int:
    if not library.exists():
        return 0
    with closing(sqlite3.connect(f"file:{library}?mode=ro", uri=True)) as db:
        try:
            return int(db.execute(f"SELECT count(*) FROM {table}").fetchone()[0])
        except sqlite3.OperationalError:  # it is just being made
            return 0


def check_whole(library: Path) -> None:
    with closing(sqlite3.connect(library)) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
        assert db.execute(
            "SELECT count(*) FROM output_models WHERE output NOT IN (SELECT id FROM outputs)"
        ).fetchone() == (0,)
        db.execute("INSERT INTO output_words (output_words) VALUES ('integrity-check')")


def pictures(folder: Path, number: int) -> None:
    folder.mkdir()
    for one in range(number):
        Image.new("RGB", (64, 16 + one), (one % 255, 90, 60)).save(folder / f"{one:04}.png", compress_level=1)


# What the window does at its start: the library is opened, and what was under way goes on.
GO_ON = """
import asyncio, sys
from pathlib import Path
from comfydesk.paths import Paths
from comfydesk.session.session import Session
from comfydesk.settings import Settings
async def main():
    session = Session(Paths.under(Path(sys.argv[1])), Settings(), guard=False)
    done = asyncio.Event()
    session.gallery.importer.finished.subscribe(lambda _: done.set())
    await session.start()
    await done.wait()
    await session.gallery.importer.settled()
    await session.close()
asyncio.run(main())
"""


@pytest.mark.parametrize("how", [(), ("--copy",)], ids=["in place", "copied"])
def test_an_import_that_is_killed_leaves_a_whole_library_and_goes_on(tmp_path: Path, how: tuple[str, ...]) -> None:
    folder, data = tmp_path / "mine", tmp_path / "data"
    library = data / "library.sqlite"
    pictures(folder, FILES)
    first = start("--data-dir", str(data), "outputs", "--import", str(folder), *how)
    while not count(library):
        assert first.poll() is None, "it ended before it was killed"
        time.sleep(0.005)
    kill(first)
    there = count(library)
    assert count(library, "imports") == 1
    check_whole(library)
    for _ in range(1):  # and again while it goes on
        again = start(str(data), code=GO_ON)
        time.sleep(0.9)
        kill(again)
        check_whole(library)
    last = start(str(data), code=GO_ON) if count(library, "imports") else None
    if last is not None:
        assert last.wait(timeout=50) == 0
    check_whole(library)
    assert there <= count(library) == FILES
    with closing(sqlite3.connect(library)) as db:
        paths = [Path(path) for (path,) in db.execute("SELECT path FROM outputs")]
    assert all(path.is_file() for path in paths)
    left: list[Any] = [*data.rglob("*.part"), *data.rglob(f"{PART}*")]
    assert left == []
    if how:
        assert len(list((data / "outputs").rglob("*.png"))) == FILES


THUMBNAILS = """
import sys
from pathlib import Path
from comfydesk.session.gallery.thumbnails import Source, ThumbnailCache
cache = ThumbnailCache(Path(sys.argv[1]))
for round_ in range(1000):
    for path in sorted(Path(sys.argv[2]).iterdir()):
        cache.poster(Source(str(path), "image", f"{round_:03}{path.stem}".rjust(64, "0")[::-1]), 128)
"""


def test_thumbnails_that_are_being_made_when_it_is_killed_are_whole_or_not_there(tmp_path: Path) -> None:
    folder, cache = tmp_path / "mine", tmp_path / "cache"
    pictures(folder, 40)
    process = start(str(cache), str(folder), code=THUMBNAILS)
    while not any(cache.rglob("*")) or sum(1 for path in cache.rglob("*") if path.is_file()) < 50:
        assert process.poll() is None
        time.sleep(0.01)
    kill(process)
    (cache / "00").mkdir(exist_ok=True)
    half = cache / "00" / "left.123-4.part"
    half.write_bytes(b"half")
    os.utime(half, (0, 0))
    after = ThumbnailCache(cache)
    for part in cache.rglob("*.part"):
        os.utime(part, (time.time() - 120,) * 2)
    after.sweep(pause=0)
    assert list(cache.rglob("*.part")) == []
    for path in sorted(folder.iterdir())[:5]:
        assert after.poster(Source(str(path), "image", "a" * 60 + path.stem), 128)
    for entry in (path for path in cache.rglob("*") if path.is_file()):
        with Image.open(entry) as picture:
            picture.load()


class Pod:
    """A demo pod in a process of its own, with outputs of somebody else's."""

    def __init__(self, folder: Path, outputs: int) -> None:
        self.folder = folder
        self.process = DemoProcess.launch(folder, speed=200)
        for number in range(outputs):
            body = json.dumps({"prompt": flat(number, "far/pic")}).encode()
            asked = urllib.request.Request(f"{self.process.url}/prompt", body, {"Content-Type": "application/json"})
            urllib.request.urlopen(asked).close()
        until = time.monotonic() + 60
        while len(list((folder / "output" / "far").glob("*.png"))) < outputs:
            assert time.monotonic() < until
            time.sleep(0.05)

    def close(self) -> None:
        self.process.close()


@pytest.mark.timeout(60 + 20 * KILLS)
def test_fetching_a_pods_outputs_that_is_killed_leaves_a_whole_library_and_goes_on(tmp_path: Path) -> None:
    data, rng = tmp_path / "data", random.Random(20261122)
    library, folder = data / "library.sqlite", data / "outputs"
    pod = Pod(tmp_path / "pod", ON_POD)
    words = ("--data-dir", str(data), "--pod", pod.process.url, "outputs", "--from-pod")
    met: list[tuple[int, int]] = []
    try:
        there = 0
        for number in range(KILLS):
            fetching = start(*words)
            begun = time.monotonic()
            wanted = there + (ON_POD - there) // (KILLS - number + 1)
            while count(library) <= wanted and count(library) < ON_POD and fetching.poll() is None:
                assert time.monotonic() < begun + 40
                time.sleep(0.002)
            time.sleep(rng.uniform(0, 0.02))
            kill(fetching)
            check_whole(library)
            assert count(library) >= there, "nothing is lost"
            there = count(library)
            met.append((there, count(library, "pod_fetches")))
        assert any(0 < here < ON_POD and on_their_way for here, on_their_way in met), f"no kill met a fetch: {met}"
        assert start(*words).wait(timeout=60) == 0
    finally:
        pod.close()
    check_whole(library)
    with closing(sqlite3.connect(library)) as db:
        rows = [Path(path) for (path,) in db.execute("SELECT path FROM outputs")]
        assert db.execute("SELECT count(*) FROM pod_fetches").fetchone() == (0,)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    assert files == sorted(rows), "each file is an output, nothing is half there, nothing is there twice"
    theirs = sorted((tmp_path / "pod" / "output" / "far").glob("*.png"))
    assert [path.read_bytes() for path in files] == [path.read_bytes() for path in theirs]
    assert all(path.parent.name == "far" for path in files), "subfolders are kept"
    print(f"kills while fetching, outputs here and on their way: {met}")
