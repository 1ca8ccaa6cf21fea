"""A thousand trivial jobs through the Session, against a bare loop of httpx and websockets that does the same.

    pytest tests/bench/test_throughput.py -s        (COMFYDESK_JOBS=200 for a quick look)

Both make the same pictures (EmptyImage → SaveImage, each another colour) on the same demo pod, which is a process of
its own; by turns, in slices of a few hundred, so that what else the machine does hits both. Both keep one job ahead of
the running one, hear of the end over the WebSocket, ask GET /api/jobs/{id} for its files, and have each file on disk.
The bare loop keeps nothing else: no database, no fsync, no hash, no record of anything. It comes in two kinds: one
fetches a file before it goes on, the other fetches up to three beside everything else, as the Session does.
"""

import asyncio
import json
import os
import statistics
import time
import uuid
from collections.abc import Awaitable, Callable
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets

from comfydesk.demo.process import DemoProcess
from comfydesk.paths import Paths
from comfydesk.session.session import Session
from comfydesk.session.values import PodTarget
from comfydesk.settings import Settings
from comfydesk.store.records import JobState
from comfydesk.workflow import batch_sources
from comfydesk.workflow.batches import Batch
from tests.bench.figures import Figure, record
from tests.pod.session.graphs import as_json, flat

JOBS = int(os.environ.get("COMFYDESK_JOBS", "1000"))
SLICES = 4
PARALLEL = 3
GOAL = 0.9
COMMAND = "pytest tests/bench/test_throughput.py -s"


class Bare:
    """The least that does the same."""

    def __init__(self, url: str, folder: Path, *, parallel: bool) -> None:
        self._url = url
        self._folder = folder
        self._parallel = parallel
        self._places = asyncio.Semaphore(PARALLEL)

    async def run(self, first: int, count: int) -> float:
        """Seconds for `count` jobs, from the first POST to the last file."""
        client_id = uuid.uuid4().hex
        address = f"{self._url.replace('http', 'ws', 1)}/ws?clientId={client_id}"
        async with (
            httpx.AsyncClient(base_url=self._url, timeout=30, trust_env=False) as http,
            websockets.connect(address, max_size=None, compression=None) as socket,
        ):
            began = time.perf_counter()
            numbers = iter(range(first, first + count))
            fetching: list[asyncio.Task[None]] = []
            for number in islice(numbers, 2):
                await self._post(http, client_id, number)
            for _ in range(count):
                prompt_id = await self._end(socket)
                for number in islice(numbers, 1):
                    await self._post(http, client_id, number)
                if self._parallel:
                    fetching.append(asyncio.create_task(self._fetch(http, prompt_id)))
                else:
                    await self._fetch(http, prompt_id)
            await asyncio.gather(*fetching)
            return time.perf_counter() - began

    async def _post(self, http: httpx.AsyncClient, client_id: str, number: int) -> None:
        body = {"prompt": flat(number, "bare"), "client_id": client_id, "prompt_id": str(uuid.uuid4())}
        (await http.post("/api/prompt", json=body)).raise_for_status()

    async def _end(self, socket: websockets.ClientConnection) -> str:
        while True:
            message = await socket.recv()
            if isinstance(message, bytes):
                continue
            event = json.loads(message)
            if event["type"] == "executing" and event["data"]["node"] is None:
                return str(event["data"]["prompt_id"])

    async def _fetch(self, http: httpx.AsyncClient, prompt_id: str) -> None:
        async with self._places:
            job = (await http.get(f"/api/jobs/{prompt_id}")).json()
            assert job["status"] == "completed"
            for output in job["outputs"].values():
                for file in output["images"]:
                    await self._save(http, file)

    async def _save(self, http: httpx.AsyncClient, file: dict[str, Any]) -> None:
        query = {key: file[key] for key in ("filename", "subfolder", "type")}
        async with http.stream("GET", "/api/view", params=query) as answer:
            answer.raise_for_status()
            with (self._folder / file["filename"]).open("wb") as target:
                async for chunk in answer.aiter_bytes():
                    target.write(chunk)


async def through_session(session: Session, first: int, count: int) -> float:
    """Seconds for the same through the queue: enqueued, sent, followed, saved and recorded."""
    workflow = await session.open_workflow(as_json(flat(prefix="ours")), name="ours.json")
    began = time.perf_counter()
    colors = batch_sources.values(workflow.form.by_id["1.color"], range(first, first + count))
    jobs = (await session.queue.enqueue_batch(workflow, Batch(workflow.form, lists=(colors,)))).jobs
    ended = await session.queue.wait(jobs)
    took = time.perf_counter() - began
    assert [job.state for job in ended] == [JobState.DONE] * count
    assert all(len(job.outputs) == 1 for job in ended)
    return took


async def measured(tmp_path: Path) -> dict[str, list[float]]:
    pod = await DemoProcess.start(tmp_path / "pod", speed=100)
    try:
        async with Session(Paths.under(tmp_path / "home"), Settings()) as session:
            await session.connect(PodTarget.demo(pod.url))
            await session.wait_catalog(30)
            (tmp_path / "bare").mkdir()
            in_turn = Bare(pod.url, tmp_path / "bare", parallel=False)
            beside = Bare(pod.url, tmp_path / "bare", parallel=True)
            kinds: dict[str, Callable[[int, int], Awaitable[float]]] = {
                "session": lambda first, count: through_session(session, first, count),
                "bare, in turn": in_turn.run,
                "bare, parallel": beside.run,
            }
            seconds: dict[str, list[float]] = {kind: [] for kind in kinds}
            for kind in kinds.values():  # connections, modules, caches
                await kind(16_000_000, 5)
            color = 0
            for _ in range(SLICES):
                for name, kind in kinds.items():
                    seconds[name].append(await kind(color, JOBS // SLICES))
                    color += JOBS // SLICES
            return seconds
    finally:
        await pod.stop()


@pytest.mark.timeout(600)
def test_a_thousand_trivial_jobs_go_through_about_as_fast_as_through_a_bare_loop(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # Without asyncio's debug mode, which the other tests run in.
    seconds = asyncio.run(measured(tmp_path))
    rates = {kind: JOBS // SLICES * SLICES / sum(times) for kind, times in seconds.items()}
    note = ", ".join(f"{kind} {rate:.0f}/s" for kind, rate in rates.items())
    with capsys.disabled():
        found = [compared(seconds, kind, note) for kind in ("bare, in turn", "bare, parallel")]
    assert all(figure.met for figure in found)


def compared(seconds: dict[str, list[float]], kind: str, note: str) -> Figure:
    ratio = statistics.median(bare / ours for bare, ours in zip(seconds[kind], seconds["session"], strict=True))
    return record(f"1,000 jobs against a loop that is {kind}", ratio, "of its rate", f"≥ {GOAL}", COMMAND, note)
