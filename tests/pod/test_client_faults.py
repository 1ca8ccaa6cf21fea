"""The client on a demo pod on which things go wrong: every fault of its script that concerns a connection."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from comfydesk.client.address import Address, Auth
from comfydesk.client.link import LinkState, Timing
from comfydesk.client.pod import Pod, SubmissionUnknownError
from comfydesk.client.probe import Step, probe
from comfydesk.client.remote import RemoteJob
from comfydesk.demo import faults
from comfydesk.demo.server import DemoPod
from comfydesk.errors import AnswerTooLargeError, AuthError, PodError, PodStatusError, PodUnreachableError
from comfydesk.events import ExecutionSucceeded, NodeExecuting, QueueStatus, RunState, StepProgress

FAST = Timing(
    open_timeout=2,
    first_message=2,
    ping_interval=0.2,
    ping_timeout=2,
    close_timeout=0.2,
    poll_interval=0.05,
    answer_within=0.2,
    deaf_after=0.3,
    retry_first=0.02,
    retry_cap=0.2,
    retry_slow=0.05,
    retry_slow_cap=0.2,
    look_delays=(0.02, 0.05, 0.1),
    lag_delays=(0.02,) * 6,
    fetch_delays=(0.02,) * 4,
)
Running = Callable[..., AbstractAsyncContextManager[tuple[DemoPod, Pod]]]


@pytest.fixture
def running(pod_folder: Path) -> Running:
    """`async with running() as (demo, pod)`: a demo pod and our client of it, online."""

    @asynccontextmanager
    async def start(*, speed: float = 50, timing: Timing = FAST) -> AsyncIterator[tuple[DemoPod, Pod]]:
        async with DemoPod(folder=pod_folder, speed=speed) as demo:
            pod = Pod(Address.parse(demo.url), timing=timing)
            await pod.open()
            try:
                await pod.wait_online(10)
                yield demo, pod
            finally:
                await pod.close()

    return start


def sampled(*, steps: int = 4, seed: int | None = None) -> dict[str, Any]:
    """A picture that is drawn step by step, with previews."""
    seed = random.randrange(1 << 48) if seed is None else seed
    return {
        "1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "demo-painter.safetensors"}},
        "2": {"class_type": "CLIPTextEncode", "inputs": {"text": "a lighthouse", "clip": ["1", 1]}},
        "3": {"class_type": "EmptyLatentImage", "inputs": {"width": 64, "height": 64, "batch_size": 1}},
        "4": {
            "class_type": "KSampler",
            "inputs": {
                "model": ["1", 0],
                "positive": ["2", 0],
                "negative": ["2", 0],
                "latent_image": ["3", 0],
                "seed": seed,
                "steps": steps,
                "cfg": 7.0,
                "denoise": 1.0,
                "sampler_name": "euler",
                "scheduler": "normal",
            },
        },
        "5": {"class_type": "VAEDecode", "inputs": {"samples": ["4", 0], "vae": ["1", 2]}},
        "6": {"class_type": "SaveImage", "inputs": {"images": ["5", 0], "filename_prefix": "client"}},
    }


async def ended(pod: Pod, prompt_id: str) -> RemoteJob:
    """Asked for over HTTP until it is over, whatever errors come in between."""
    async with asyncio.timeout(30):
        while True:
            with suppress(PodError):
                job = await pod.job(prompt_id)
                if job is not None and job.state.ended:
                    return job
            await asyncio.sleep(0.02)


def names(folder: Path) -> list[str]:
    """The files there, our demo pod's own disk left out."""
    return sorted(path.name for path in folder.iterdir() if path.is_file())


# --- Auth ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "auth"),
    [
        (faults.Basic("me", "s3cret"), Auth.basic("me", "s3cret")),
        (faults.Bearer("s3cret"), Auth.bearer("s3cret")),
        (faults.Header("X-API-Key", "s3cret"), Auth.of_headers({"X-API-Key": "s3cret"})),
        (faults.Header("Cookie", "a=s3cret"), Auth.cookie("a=s3cret")),
        (faults.QueryToken("s3cret"), Auth.query_token("s3cret")),
    ],
    ids=["basic", "bearer", "header", "cookie", "query"],
)
async def test_a_pod_behind_a_login(wanted: faults.Auth, auth: Auth, pod_folder: Path, tmp_path: Path) -> None:
    async with DemoPod(folder=pod_folder, speed=50) as demo:
        demo.script.auth = wanted
        address = Address.parse(demo.url, auth=auth)
        pod = Pod(address, timing=FAST)
        await pod.open()
        try:
            await pod.wait_online(5)
            prompt_id = str(uuid4())
            await pod.submit(sampled(), prompt_id=prompt_id)
            job = await ended(pod, prompt_id)
            await pod.fetch(job.outputs[0], tmp_path / "a.png")
            assert (await probe(address)).ok
        finally:
            await pod.close()
        stranger = Pod(Address.parse(demo.url), timing=FAST)
        await stranger.open()
        try:
            with pytest.raises(AuthError):
                await stranger.wait_online(5)
            assert stranger.status.state is LinkState.AUTH_FAILED
            with pytest.raises(AuthError):
                await stranger.object_info()
        finally:
            await stranger.close()
        failed = (await probe(Address.parse(demo.url))).failed
        assert failed is not None
        assert failed.step is Step.AUTH


# --- Submitting ---------------------------------------------------------------------------------------------------


async def test_a_post_whose_answer_was_lost_runs_once(running: Running) -> None:
    async with running() as (demo, pod):
        demo.script.add(faults.Drop(after=True), method="POST", path="/prompt")
        prompt_id = str(uuid4())
        accepted = await pod.submit(sampled(), prompt_id=prompt_id)
        assert accepted.prompt_id == prompt_id
        assert (await ended(pod, prompt_id)).state is RunState.SUCCEEDED
        assert len(await pod.rest.history(prompt_id)) == 1


async def test_a_post_that_was_lost_is_told_and_sent_again_when_asked(running: Running) -> None:
    async with running() as (demo, pod):
        demo.script.add(faults.Drop(), method="POST", path="/prompt")
        prompt_id = str(uuid4())
        with pytest.raises(SubmissionUnknownError):
            await pod.submit(sampled(), prompt_id=prompt_id)
        await pod.submit(sampled(), prompt_id=prompt_id, resend=True)
        await pod.submit(sampled(), prompt_id=prompt_id, resend=True)
        await ended(pod, prompt_id)
        assert demo.script.rules[0].hits == 1


# --- Cancelling ---------------------------------------------------------------------------------------------------


async def test_the_running_one_and_the_waiting_one_are_cancelled_by_their_ids(running: Running) -> None:
    async with running(speed=2) as (_, pod):
        first, second, third = (str(uuid4()) for _ in range(3))
        for prompt_id in (first, second, third):
            await pod.submit(sampled(steps=30), prompt_id=prompt_id)
        assert await pod.cancel(second)
        assert await pod.job(second) is None, "what was taken out of the queue leaves no trace"
        assert await pod.cancel(first)
        assert (await ended(pod, first)).state is RunState.INTERRUPTED
        left = await pod.job(third)
        assert left is not None, "nobody else's was touched"
        assert left.state is not RunState.INTERRUPTED
        assert await pod.cancel(third)


# --- The link -----------------------------------------------------------------------------------------------------


async def test_a_cut_in_the_middle_of_sampling_heals_by_the_next_snapshot(running: Running) -> None:
    async with running(speed=4) as (demo, pod):
        steps: list[float] = []
        cut, over = asyncio.Event(), asyncio.Event()

        def hear(event: object) -> None:
            if isinstance(event, StepProgress):
                steps.append(event.value)
                if event.value == 3:
                    cut.set()
            elif isinstance(event, ExecutionSucceeded) or (isinstance(event, NodeExecuting) and event.node is None):
                over.set()

        pod.events.subscribe(hear)
        prompt_id = str(uuid4())
        await pod.submit(sampled(steps=30), prompt_id=prompt_id)
        async with asyncio.timeout(20):
            await cut.wait()
            await demo.hub.cut()
            await over.wait()
        assert (await ended(pod, prompt_id)).state is RunState.SUCCEEDED
        assert steps[-1] == 30, "it came back before the end"


async def test_a_deaf_socket_is_noticed_and_replaced(running: Running) -> None:
    async with running() as (demo, pod):
        (client,) = demo.hub.clients
        demo.hub.deafen(client)
        heard = asyncio.Event()
        pod.events.subscribe(lambda event: heard.set() if isinstance(event, QueueStatus) else None)
        first, second = str(uuid4()), str(uuid4())
        await pod.submit(sampled(), prompt_id=first)
        assert (await ended(pod, first)).state is RunState.SUCCEEDED, "HTTP tells the truth meanwhile"
        async with asyncio.timeout(5):
            await heard.wait()
        over = asyncio.Event()
        pod.events.subscribe(lambda event: over.set() if event == ExecutionSucceeded(second) else None)
        await pod.submit(sampled(), prompt_id=second)
        async with asyncio.timeout(5):
            await over.wait()


async def test_a_restart_that_loses_everything(running: Running) -> None:
    async with running(speed=2) as (demo, pod):
        prompt_id = str(uuid4())
        await pod.submit(sampled(steps=30), prompt_id=prompt_id)
        await demo.restart(lose_history=True)
        async with asyncio.timeout(10):
            while True:
                await asyncio.sleep(0.05)
                with suppress(PodUnreachableError):
                    assert await pod.job(prompt_id) is None
                    break
        await pod.wait_online(10)


@pytest.mark.parametrize("status", [401, 403, 404, 502, 524])
async def test_a_websocket_that_is_refused_for_a_while(running: Running, status: int) -> None:
    async with running() as (demo, pod):
        demo.script.add(faults.Status(status), path="/ws", times=3)
        await demo.hub.cut()
        states: list[LinkState] = []
        back = asyncio.Event()

        def see(_: object) -> None:
            states.append(pod.status.state)
            if LinkState.DEGRADED in states and states[-1] is LinkState.ONLINE:
                back.set()

        pod.link.subscribe(see)
        async with asyncio.timeout(10):
            await back.wait()


# --- Answers ------------------------------------------------------------------------------------------------------


async def test_an_oversized_answer_is_refused(running: Running) -> None:
    """What it costs in memory: tests/unit/client/test_rest.py."""
    async with running() as (demo, pod):
        demo.script.add(faults.Oversize(40 << 20, gzip=True), path="/system_stats")
        with pytest.raises(AnswerTooLargeError):
            await pod.system_stats()


async def test_a_page_in_place_of_json_is_a_login(running: Running) -> None:
    async with running() as (demo, pod):
        demo.script.add(faults.html_page(), path="/object_info")
        with pytest.raises(AuthError):
            await pod.object_info()
        demo.script.add(faults.Redirect("http://127.0.0.1:1/steal"), path="/queue")
        with pytest.raises(PodStatusError):
            await pod.rest.queue()


# --- Files --------------------------------------------------------------------------------------------------------


async def test_a_download_survives_cuts_and_a_gateway(running: Running, tmp_path: Path) -> None:
    async with running() as (demo, pod):
        prompt_id = str(uuid4())
        await pod.submit(sampled(), prompt_id=prompt_id)
        job = await ended(pod, prompt_id)
        whole = await pod.fetch(job.outputs[0], tmp_path / "whole.png")
        demo.script.add(faults.Truncate(1000), path="/view")
        demo.script.add(faults.Status(502), path="/view")
        demo.script.add(faults.Truncate(100), path="/view")
        again = await pod.fetch(job.outputs[0], tmp_path / "again.png")
    assert (again.sha256, again.size) == (whole.sha256, whole.size)
    assert names(tmp_path) == ["again.png", "whole.png"]


# --- All at once --------------------------------------------------------------------------------------------------


async def test_a_soak(running: Running, tmp_path: Path) -> None:
    """Twenty jobs on a bad line: none lost, none run twice, all files here and whole."""
    chance = random.Random(7)
    async with running(speed=200) as (demo, pod):
        stop = asyncio.Event()
        hits = 0

        async def trouble() -> None:
            nonlocal hits
            kinds: list[tuple[faults.Fault, str]] = [
                (faults.Drop(), "/jobs/*"),
                (faults.Drop(), "/prompt"),
                (faults.Drop(after=True), "/prompt"),
                (faults.Status(502), "/prompt"),
                (faults.Status(524), "/jobs/*"),
                (faults.Truncate(500), "/view"),
                (faults.Drop(), "/view"),
                (faults.Status(502), "/ws"),
            ]
            while not stop.is_set():
                if chance.random() < 0.3:
                    await demo.hub.cut()
                    hits += 1
                fault, path = chance.choice(kinds)
                rule = demo.script.add(fault, path=path)
                await asyncio.sleep(0.03)
                hits += rule.hits

        async def work(number: int) -> None:
            prompt_id = str(uuid4())
            resend = False
            while True:
                try:
                    await pod.submit(sampled(seed=number), prompt_id=prompt_id, resend=resend)
                    break
                except (PodUnreachableError, PodStatusError):
                    resend = True
            job = await ended(pod, prompt_id)
            assert job.state is RunState.SUCCEEDED
            while True:
                with suppress(PodUnreachableError, PodStatusError):
                    await pod.fetch(job.outputs[0], tmp_path / f"{number}.png")
                    return

        troubles = asyncio.create_task(trouble())
        try:
            async with asyncio.timeout(50):
                for start in range(0, 20, 5):
                    await asyncio.gather(*(work(number) for number in range(start, start + 5)))
        finally:
            stop.set()
            await troubles
        demo.script.clear()
        # The server numbers what it takes, from 0: the next one's number is how many it took before.
        next_one = await pod.submit(sampled(), prompt_id=str(uuid4()))
    assert next_one.number == 20, "each was queued exactly once"
    assert hits >= 20
    assert names(tmp_path) == sorted(f"{number}.png" for number in range(20))
