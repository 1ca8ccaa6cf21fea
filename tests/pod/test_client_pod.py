"""The client's contract with a pod: the demo pod always, a real ComfyUI where COMFYDESK_TEST_POD names one.

    COMFYDESK_TEST_POD=http://127.0.0.1:8188 pytest tests/pod/test_client_pod.py

Only nodes without models, so that any ComfyUI can run them.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from PIL import Image

from comfydesk import events
from comfydesk.client.address import Address
from comfydesk.client.link import LinkState
from comfydesk.client.pod import Pod
from comfydesk.client.probe import probe
from comfydesk.client.remote import RemoteFile, RemoteJob
from comfydesk.client.tracker import Tracker, weights_of
from comfydesk.errors import PodError, PodStatusError, PromptRejectedError
from comfydesk.events import JobProgress, RunState
from tests.pod.conftest import Server

Graph = dict[str, Any]


class Client:
    """A pod that is online, and a tracker that follows what it says."""

    def __init__(self, pod: Pod) -> None:
        self.pod = pod
        self.tracker = Tracker()
        self.seen: list[JobProgress] = []
        self.events: list[events.PodEvent] = []
        self._turned = asyncio.Event()
        pod.events.subscribe(self._hear)

    def _hear(self, event: events.PodEvent) -> None:
        self.events.append(event)
        self.seen += self.tracker.feed(event)
        self._turned.set()

    async def start(self, graph: Graph, **more: Any) -> str:
        prompt_id = str(uuid4())
        self.tracker.expect(prompt_id, weights_of(graph))
        accepted = await self.pod.submit(graph, prompt_id=prompt_id, **more)
        assert accepted.prompt_id == prompt_id
        return prompt_id

    async def until(self, prompt_id: str, condition: Callable[[JobProgress], bool]) -> JobProgress:
        async with asyncio.timeout(30):
            while True:
                progress = self.tracker.progress(prompt_id)
                assert progress is not None
                if condition(progress):
                    return progress
                self._turned.clear()
                await self._turned.wait()

    async def run(self, graph: Graph, **more: Any) -> RemoteJob:
        prompt_id = await self.start(graph, **more)
        await self.until(prompt_id, lambda progress: progress.state.ended)
        job = await self.pod.job(prompt_id)
        assert job is not None
        assert job.state.ended, "the history is waited for"
        return job


@pytest.fixture
def client(server: Server) -> Callable[[], AbstractAsyncContextManager[Client]]:
    @asynccontextmanager
    async def connect() -> AsyncIterator[Client]:
        pod = Pod(Address.parse(server.url))
        await pod.open()
        try:
            await pod.wait_online(10)
            yield Client(pod)
        finally:
            await pod.close()

    return connect


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


Connect = Callable[[], AbstractAsyncContextManager[Client]]


def picture(*, prefix: str | None = None, color: int | None = None) -> Graph:
    """A plain picture, inverted and saved; of another colour each time, or the server answers from its cache."""
    color = random.randrange(1 << 24) if color is None else color
    return {
        "1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 48, "batch_size": 1, "color": color}},
        "2": {"class_type": "ImageInvert", "inputs": {"image": ["1", 0]}},
        "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": prefix or "client/test"}},
    }


async def test_a_probe_finds_nothing_wrong(server: Server) -> None:
    report = await probe(Address.parse(server.url))
    assert report.ok, report


async def test_a_job_from_submit_to_file(client: Connect, tmp_path: Path) -> None:
    async with client() as it:
        job = await it.run(picture(), workflow={"id": "w", "nodes": []})
        assert job.state is RunState.SUCCEEDED
        (file,) = job.outputs
        assert (file.type, file.subfolder) == ("output", "client")
        fetched = await it.pod.fetch(file, tmp_path / file.filename)
        stat = await it.pod.stat(file)
        assert (stat.size, stat.etag) == (fetched.size, fetched.etag)
    image = Image.open(BytesIO(fetched.path.read_bytes()))
    assert image.size == (64, 48)
    assert {"prompt", "workflow"} <= image.info.keys()
    fractions = [progress.fraction for progress in it.seen]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1
    assert job.started is not None
    assert job.finished is not None
    assert job.started <= job.finished
    assert it.tracker.outputs(job.prompt_id) == job.outputs


async def test_a_cached_job_names_the_same_file(client: Connect) -> None:
    graph = picture()
    async with client() as it:
        first, again = await it.run(graph), await it.run(graph)
        assert [file.filename for file in first.outputs] == [file.filename for file in again.outputs]
        assert await it.pod.stat(first.outputs[0]) == await it.pod.stat(again.outputs[0])


async def test_an_uploaded_picture_is_loaded(client: Connect, tmp_path: Path) -> None:
    """Name and subfolder in no ASCII, and a second file of the same name."""
    path = tmp_path / "grüße 日本 (1).png"
    name = ""
    async with client() as it:
        for turn in range(2):
            Image.effect_noise((40, 30 + turn), 80).save(path)
            name = await it.pod.upload(path, subfolder="ünter")
            assert name.startswith("ünter/")
            graph = {
                "1": {"class_type": "LoadImage", "inputs": {"image": name}},
                "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "client/loaded"}},
            }
            job = await it.run(graph)
            fetched = await it.pod.fetch(job.outputs[0], tmp_path / "back.png")
            with Image.open(fetched.path) as image:
                assert image.size == (40, 30 + turn)
        assert await it.pod.upload(path, subfolder="ünter") == name, "the same bytes are kept once"


async def test_what_a_pod_rejects_it_explains(client: Connect) -> None:
    async with client() as it:
        with pytest.raises(PromptRejectedError) as caught:
            await it.start({"1": {"class_type": "NoSuchNode", "inputs": {}}})
        assert caught.value.error["type"] == "missing_node_type"
        graph = picture() | {"1": {"class_type": "EmptyImage", "inputs": {"width": -5}}}
        with pytest.raises(PromptRejectedError) as caught:
            await it.start(graph)
        assert "value_smaller_than_min" in {error["type"] for error in caught.value.node_errors["1"]["errors"]}


async def test_a_job_that_nobody_knows(client: Connect) -> None:
    async with client() as it:
        assert await it.pod.job(str(uuid4())) is None
        assert not await it.pod.cancel(str(uuid4()))


async def test_a_job_that_is_over_is_not_cancelled(client: Connect) -> None:
    async with client() as it:
        job = await it.run(picture())
        assert not await it.pod.cancel(job.prompt_id)


async def test_the_queue_is_told(client: Connect) -> None:
    async with client() as it:
        assert await it.pod.queue_remaining() >= 0
        await it.run(picture())
        told = [event.remaining for event in it.events if isinstance(event, events.QueueStatus)]
        assert max(told) >= 1


async def test_what_the_pod_is_and_has(client: Connect) -> None:
    async with client() as it:
        stats = await it.pod.system_stats()
        assert stats.version
        assert stats.devices
        info = await it.pod.object_info()
        assert info["EmptyImage"]["input"]["required"]
        assert (await it.pod.features())["supports_preview_metadata"] is True
        assert isinstance(await it.pod.models("checkpoints"), tuple)
        assert await it.pod.models("no_such_folder") == ()
        index = await it.pod.templates_index()
        assert any(group.get("templates") for group in index)
        await it.pod.free(unload_models=False, free_memory=False)
        assert it.pod.status.state is LinkState.ONLINE


async def test_workflows_are_kept_on_the_pod(client: Connect) -> None:
    name = f"client test/{uuid4()} ü.json"
    path = f"workflows/{name}"
    async with client() as it:
        await it.pod.rest.write_userdata(path, b'{"nodes": []}', overwrite=False)
        try:
            (found,) = [workflow for workflow in await it.pod.workflows() if workflow.name == name]
            assert found.size == 13
            assert await it.pod.read_workflow(name) == b'{"nodes": []}'
            with pytest.raises(PodStatusError) as caught:
                await it.pod.rest.write_userdata(path, b"{}", overwrite=False)
            assert caught.value.status == 409
            await it.pod.rest.write_userdata(path, b"{}", overwrite=True)
        finally:
            await it.pod.rest.delete_userdata(path)
        with pytest.raises(PodStatusError):
            await it.pod.read_workflow(name)


@pytest.mark.parametrize(
    "file",
    [RemoteFile("gone.png"), RemoteFile("../x.png"), RemoteFile("x.png", "../.."), RemoteFile("x.png", "", "etc")],
)
async def test_files_that_are_not_there_leave_nothing_here(client: Connect, file: RemoteFile, tmp_path: Path) -> None:
    async with client() as it:
        with pytest.raises(PodError):
            await it.pod.fetch(file, tmp_path / "x.png")
        with pytest.raises(PodError):
            await it.pod.stat(file)
    assert names(tmp_path) == []


async def test_two_clients_hear_only_their_own_jobs(client: Connect) -> None:
    async with client() as one, client() as other:
        job = await one.run(picture())
        prompt_events = (events.ExecutionStarted, events.NodeExecuted, events.ExecutionSucceeded)
        assert not [event for event in other.events if isinstance(event, prompt_events)]
        seen_by_other = await other.pod.job(job.prompt_id)
        assert seen_by_other == job


async def test_a_socket_cut_in_the_middle_heals(client: Connect) -> None:
    """As after a lost network: the pod goes on, and the next connection picks its thread up."""
    async with client() as it:
        prompt_id = await it.start(picture())
        await it.pod.close()
        await it.pod.open()
        await it.pod.wait_online(10)
        job = None
        async with asyncio.timeout(20):
            while job is None or not job.state.ended:
                await asyncio.sleep(0.05)
                job = await it.pod.job(prompt_id)
        it.tracker.apply_remote(job)
        progress = it.tracker.progress(prompt_id)
        assert progress is not None
        assert progress.state is RunState.SUCCEEDED
