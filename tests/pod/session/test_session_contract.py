"""What the session relies on, on every server there is: the demo pod always, a real ComfyUI too where
COMFYDESK_TEST_POD names one. Only nodes that need no models."""

import asyncio
import os
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from comfydesk.demo.server import DemoPod
from comfydesk.paths import Paths
from comfydesk.session.jobs.follow import Pace
from comfydesk.session.session import Session
from comfydesk.session.values import PodTarget
from comfydesk.settings import Settings
from comfydesk.store.records import Job, JobState
from comfydesk.workflow.graph import UiGraph
from comfydesk.workflow.patch import SeedPolicy
from tests.pod.session.graphs import as_json, flat, frontend_graph

S = JobState
REAL = os.environ.get("COMFYDESK_TEST_POD", "")
Start = Callable[[], AbstractAsyncContextManager[Session]]


@pytest.fixture(params=["demo", *(["real"] if REAL else [])])
def connected(request: pytest.FixtureRequest, paths: Paths, tmp_path: Path) -> Start:
    @asynccontextmanager
    async def start() -> AsyncIterator[Session]:
        async with AsyncExitStack() as stack:
            url = REAL
            if request.param == "demo":
                url = (await stack.enter_async_context(DemoPod(folder=tmp_path / "pod", speed=50))).url
            session = Session(paths, Settings(), pace=Pace(poll=0.5, look_again=0.5, may_arrive=2))
            await stack.enter_async_context(session)
            await session.connect(PodTarget.of(url))
            await session.wait_catalog(30)
            yield session

    return start


def unique() -> str:
    """Part of a file name: a real server keeps what earlier runs made, and its cache."""
    return f"comfydesk-test-{uuid.uuid4().hex[:8]}"


async def run(session: Session, graph: bytes, values: dict[str, Any] | None = None) -> Job:
    workflow = await session.open_workflow(graph, name="test.json")
    ids = [job.id for job in await session.queue.enqueue(workflow, values or {})]
    async with asyncio.timeout(60):
        (job,) = await session.queue.wait(ids)
    return job


async def test_a_graph_of_the_frontend_ends_in_a_file_that_opens_as_the_same_graph(connected: Start) -> None:
    async with connected() as session:
        color = uuid.uuid4().int % 0xFFFFFF
        job = await run(session, frontend_graph(), {"1.color": color, "1.width": 24, "2.filename_prefix": unique()})
        assert job.state is S.DONE, job.error
        (path,) = job.outputs
        with Image.open(path) as opened:
            assert opened.size == (24, 16)
            assert opened.convert("RGB").getpixel((0, 0)) == (color >> 16, color >> 8 & 255, color & 255)
        again = await session.open_workflow(Path(path))
        assert isinstance(again.graph, UiGraph)
        assert [node.type for node in again.graph.root.nodes] == ["EmptyImage", "SaveImage"]
        # With the values that it was made with, not with those of the file we sent.
        assert again.form.by_id["1.color"].default == color
        assert again.form.by_id["1.width"].default == 24


async def test_a_subfolder_stays_one(connected: Start) -> None:
    async with connected() as session:
        name = unique()
        job = await run(session, as_json(flat(prefix=f"{name}/deep/pic")))
        path = Path(job.outputs[0]).relative_to(session.paths.outputs)
        assert path.parts[:2] == (name, "deep")


async def test_a_cached_rerun_is_the_same_output(connected: Start) -> None:
    async with connected() as session:
        graph = as_json(flat(color=uuid.uuid4().int % 0xFFFFFF, prefix=unique()))
        first, second = await run(session, graph), await run(session, graph)
        assert [job.state for job in (first, second)] == [S.DONE] * 2
        assert first.outputs == second.outputs
        assert len(await session.outputs()) == 1


async def test_a_picture_of_ours_goes_in(connected: Start, tmp_path: Path) -> None:
    picture = tmp_path / f"{unique()}.png"
    Image.new("RGB", (8, 8), (10, 20, 30)).save(picture)
    graph = flat(prefix=unique())
    graph["1"] = {"class_type": "ImageInvert", "inputs": {"image": ["3", 0]}}
    graph["3"] = {"class_type": "LoadImage", "inputs": {"image": "nothing.png"}}
    async with connected() as session:
        job = await run(session, as_json(graph), {"3.image": picture})
        assert job.state is S.DONE, job.error
        with Image.open(job.outputs[0]) as opened:
            assert opened.convert("RGB").getpixel((0, 0)) == (245, 235, 225)


async def test_a_refused_value_is_told_at_its_field(connected: Start) -> None:
    async with connected() as session:
        job = await run(session, as_json(flat(prefix=unique())), {"1.width": 10**6})
        assert job.state is S.FAILED
        assert job.error is not None
        assert list(job.error.fields) == ["1.width"]


async def test_an_output_that_is_left_out_is_told_and_the_rest_is_made(connected: Start) -> None:
    graph = flat(prefix=unique())
    graph["3"] = {"class_type": "EmptyImage", "inputs": {**graph["1"]["inputs"], "width": 10**6}}
    graph["4"] = {"class_type": "SaveImage", "inputs": {"images": ["3", 0], "filename_prefix": unique()}}
    async with connected() as session:
        job = await run(session, as_json(graph))
        assert (job.state, len(job.outputs)) == (S.DONE, 1)
        assert job.warning is not None
        assert "3.width" in job.warning.fields


async def test_what_waits_can_be_cancelled_and_what_ran_stays_done(connected: Start) -> None:
    async with connected() as session:
        workflow = await session.open_workflow(as_json(flat(prefix=unique())), name="x.json")
        graph = [{"1.color": number, "1.width": 2048, "1.height": 2048, "1.batch_size": 2} for number in range(4)]
        ids = [
            job.id
            for number, values in enumerate(graph)
            # Short jobs are sent several at a time: what is to be cancelled while it waits, is held.
            for job in await session.queue.enqueue(workflow, values, held=number >= 2)
        ]
        for job in ids[2:]:
            await session.queue.cancel(job)
        async with asyncio.timeout(60):
            jobs = await session.queue.wait(ids)
        assert {job.state for job in jobs[2:]} == {S.CANCELLED}
        assert {job.state for job in jobs[:2]} == {S.DONE}


async def test_a_batch_is_made_in_order_and_each_exactly_once(connected: Start) -> None:
    async with connected() as session:
        graph = flat(prefix=unique())
        workflow = await session.open_workflow(as_json(graph), name="x.json")
        new = [await session.queue.enqueue(workflow, {"1.color": n}, seed_policy=SeedPolicy.FIXED) for n in range(6)]
        async with asyncio.timeout(60):
            jobs = await session.queue.wait([job.id for jobs in new for job in jobs])
        assert [job.state for job in jobs] == [S.DONE] * 6
        assert len({path for job in jobs for path in job.outputs}) == 6
        names = [Path(job.outputs[0]).name for job in jobs]
        assert names == sorted(names)
