"""A file of 2 GB from loopback: the client's verified, resumable download against plain httpx streaming to a file.

    pytest tests/bench/test_download.py -s        (needs 7 GB of disk; COMFYDESK_MEGABYTES=200 for a quick look)

Both by turns, from the demo pod's /view in a process of its own. Ours hashes what it writes, looks after the disk's
room, and syncs the file at its end; plain httpx does not. Then the same file through a line that is cut ten times.
"""

import asyncio
import hashlib
import os
import shutil
import statistics
import time
from pathlib import Path

import httpx
import pytest

from comfydesk.client.address import Address
from comfydesk.client.pod import Pod
from comfydesk.client.remote import RemoteFile
from comfydesk.demo.process import DemoProcess
from tests.bench.figures import record

MEGABYTES = int(os.environ.get("COMFYDESK_MEGABYTES", "2000"))
CUTS = 10
ROUNDS = 3
GOAL = 0.8
COMMAND = "pytest tests/bench/test_download.py -s"


def make_file(path: Path) -> str:
    """Random bytes, MEGABYTES of them; their hash."""
    digest = hashlib.sha256()
    with path.open("wb") as file:
        for _ in range(MEGABYTES):
            block = os.urandom(1 << 20)
            digest.update(block)
            file.write(block)
    return digest.hexdigest()


def hash_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Cutter:
    """A relay of one address that breaks a connection each time so many bytes have gone back through it."""

    def __init__(self, port: int, cut_after: int, cuts: int) -> None:
        self._port = port
        self._cut_after = cut_after
        self.cuts = 0
        self._most = cuts
        self._through = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self._port)
        up = asyncio.create_task(self._pump(reader, there_writer))
        try:
            while data := await there_reader.read(1 << 18):
                self._through += len(data)
                if self._through > self._cut_after and self.cuts < self._most:
                    self.cuts, self._through = self.cuts + 1, 0
                    writer.transport.abort()
                    break
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            up.cancel()
            for one in (there_writer, writer):
                one.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()


async def plain(url: str, target: Path) -> float:
    began = time.perf_counter()
    async with (
        httpx.AsyncClient(base_url=url, timeout=60, trust_env=False) as http,
        http.stream("GET", "/api/view", params={"filename": "big.bin", "type": "output"}) as answer,
    ):
        answer.raise_for_status()
        with target.open("wb") as file:
            async for chunk in answer.aiter_bytes():
                file.write(chunk)
    return time.perf_counter() - began


async def ours(url: str, target: Path, digest: str) -> float:
    pod = Pod(Address.parse(url))
    try:
        began = time.perf_counter()
        fetched = await pod.fetch(RemoteFile("big.bin"), target)
        took = time.perf_counter() - began
    finally:
        await pod.close()
    assert fetched.sha256 == digest
    return took


async def through_cuts(url: str, target: Path, digest: str) -> tuple[int, float]:
    cutter = Cutter(int(url.rpartition(":")[2]), (MEGABYTES << 20) // (CUTS + 2), CUTS)
    async with await asyncio.start_server(cutter.serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        took = await ours(f"http://127.0.0.1:{port}", target, digest)
    return cutter.cuts, took


async def measured(folder: Path) -> tuple[list[float], list[float], int, float]:
    pod = await DemoProcess.start(folder / "pod")
    try:
        source = folder / "pod" / "output" / "big.bin"
        source.parent.mkdir(parents=True, exist_ok=True)
        digest = await asyncio.to_thread(make_file, source)
        bare, own = [], []
        for number in range(ROUNDS):
            target = folder / f"{number}.bin"
            bare.append(await plain(pod.url, target))
            target.unlink()
            own.append(await ours(pod.url, target, digest))
            target.unlink()
        cuts, seconds = await through_cuts(pod.url, folder / "cut.bin", digest)
        assert await asyncio.to_thread(hash_of, folder / "cut.bin") == digest
        return bare, own, cuts, seconds
    finally:
        await pod.stop()


@pytest.mark.timeout(600)
def test_a_large_download_is_about_as_fast_as_plain_httpx(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if shutil.disk_usage(tmp_path).free < 4 * (MEGABYTES << 20):
        pytest.skip("not enough room on the disk")
    try:
        bare, own, cuts, seconds = asyncio.run(measured(tmp_path))
    finally:
        for file in tmp_path.rglob("*.bin*"):
            file.unlink()
    ratio = statistics.median(plainly / mine for plainly, mine in zip(bare, own, strict=True))
    with capsys.disabled():
        note = f"{MEGABYTES} MB: plain {statistics.median(bare):.1f} s, ours {statistics.median(own):.1f} s"
        found = record("download against plain httpx", ratio, "of its rate", f"≥ {GOAL}", COMMAND, note)
        record("the same cut ten times, hash equal", seconds, "s", "", COMMAND, f"{cuts} cuts")
    assert cuts == CUTS
    assert found.met
