"""Comfy API v2: our executor through comfy-sdk, comfy-api-proxy, a demo pod. All real, all on loopback."""

import asyncio
import sys
from pathlib import Path

import pytest
from aiohttp import web
from PIL import Image

from comfydesk.client.link import LinkState
from comfydesk.demo.faults import out_of_memory
from comfydesk.events import RunState
from comfydesk.session.values import PodState
from comfydesk.store.records import Job, JobState
from tests.pod.engines.conftest import Cloud, Staging, seen
from tests.pod.session.graphs import flat, picture


async def state_of(here: Cloud, *wanted: LinkState) -> PodState:
    """Until the link is in one of these states."""
    await seen(here.session, lambda: here.session.current_pod and here.session.current_pod.status.state in wanted)
    assert here.session.current_pod is not None
    return here.session.current_pod


async def saved(here: Cloud, job: Job) -> list[Path]:
    return [Path(output.path) for output in await here.session.outputs() if output.job == job.id]


async def test_a_job_runs_and_its_result_is_the_pods(stage: Staging) -> None:
    async with stage() as on, on.session() as here:
        job = await here.run(picture())
        assert (job.state, here.ran) == (JobState.DONE, 1)
        assert job.remote_id != job.id  # minted there
        (path,) = await saved(here, job)
        (original,) = (here.pod.folder / "output" / "sub").glob("*.png")
        assert path.read_bytes() == original.read_bytes()


async def test_online_means_that_the_last_call_worked_and_tells_no_latency(stage: Staging) -> None:
    async with stage() as on, on.session() as here:
        state = await state_of(here, LinkState.ONLINE)
        assert (state.status.latency_ms, state.stats, state.queue_remaining) == (None, None, None)
        assert state.catalog_borrowed


async def test_progress_comes_live(stage: Staging) -> None:
    async with stage(speed=2) as on, on.session() as here:
        job = await here.run(picture(width=128, steps=12))
        assert job.state is JobState.DONE
        steps = [step for step in here.progress if step.node == "3" and step.maximum == 12]
        assert steps
        assert {step.prompt_id for step in here.progress} == {job.id}
        assert here.progress[-1].state is RunState.SUCCEEDED


async def test_a_wrong_key_is_told_and_a_right_one_is_not_shown(stage: Staging) -> None:
    async with stage() as on, on.session(key="wrong-k3y", visit=False) as here:
        state = await state_of(here, LinkState.AUTH_FAILED)
        assert "API key was refused (401)" in state.status.detail
        assert "wrong-k3y" not in repr(here.session) + state.status.detail


async def test_without_any_list_of_nodes_it_says_what_to_do(stage: Staging) -> None:
    async with stage() as on, on.session(visit=False) as here:
        await state_of(here, LinkState.ONLINE)
        link = here.session._pods.link()
        await seen(here.session, lambda: link.catalog_error)
        assert link.catalog_error is not None
        assert "does not list its nodes" in str(link.catalog_error)
        assert "Connect once to a pod" in link.catalog_error.advice


async def test_an_input_is_uploaded_once_by_its_content(stage: Staging, tmp_path: Path) -> None:
    Image.new("RGB", (16, 16), (200, 30, 30)).save(tmp_path / "red.png")
    graph = {
        "1": {"class_type": "LoadImage", "inputs": {"image": "x.png"}},
        "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "copy"}},
    }
    async with stage() as on, on.session() as here:
        for _ in range(2):
            job = await here.run(graph, {"1.image": tmp_path / "red.png"})
            assert job.state is JobState.DONE, job.error
        assert here.mischief.count("POST /api/v2/assets") == 1
        path = next(Path(output.path) for output in await here.session.outputs())
        with Image.open(path) as made:
            assert made.convert("RGB").getpixel((3, 3)) == (200, 30, 30)


async def test_what_the_pod_refuses_lands_on_its_field(stage: Staging) -> None:
    graph = picture()
    graph["4"]["inputs"]["ckpt_name"] = "not-there.safetensors"
    async with stage() as on, on.session() as here:
        job = await here.run(graph)
        assert job.state is JobState.FAILED
        assert job.error is not None
        assert "4.ckpt_name" in job.error.fields


async def test_a_node_that_fails_is_named(stage: Staging) -> None:
    async with stage() as on, on.session() as here:
        here.pod.script.nodes["KSampler"] = out_of_memory()
        job = await here.run(picture())
        assert job.state is JobState.FAILED
        assert job.error is not None
        assert (job.error.node, job.error.node_title) == ("3", "Draw it")
        assert "memory" in job.error.advice


async def test_a_running_job_is_cancelled_by_its_id(stage: Staging) -> None:
    async with stage(speed=0.5) as on, on.session() as here:
        (job_id,) = await here.enqueue(picture(steps=50))
        await here.until(job_id, JobState.RUNNING)
        await here.session.queue.cancel(job_id)
        job = await here.until(job_id, JobState.CANCELLED, JobState.FAILED, JobState.DONE)
        assert job.state is JobState.CANCELLED


async def test_after_a_crash_a_job_is_taken_up_again_by_its_id(stage: Staging) -> None:
    async with stage(speed=2) as on:
        async with on.session() as here:
            (job_id,) = await here.enqueue(picture(width=128, steps=12))
            await here.until(job_id, JobState.SENT, JobState.RUNNING)
        async with on.session() as here:
            (job,) = await here.wait([job_id])
            assert (job.state, here.ran) == (JobState.DONE, 1)
            assert len(await saved(here, job)) == 1


async def test_after_a_crash_a_running_job_is_heard_live_again(stage: Staging) -> None:
    async with stage(speed=0.2) as on:
        async with on.session() as here:
            (job_id,) = await here.enqueue(picture(width=128, steps=60))
            await here.until(job_id, JobState.RUNNING)
        async with on.session() as here:
            heard = asyncio.Event()
            here.session.progress.subscribe(lambda step: heard.set() if getattr(step, "maximum", 0) == 60 else None)
            async with asyncio.timeout(20):
                await heard.wait()
            await here.session.queue.cancel(job_id)
            await here.until(job_id, JobState.CANCELLED)
            assert here.mischief.count("POST /api/v2/jobs") <= 3, "map, text, cancel: nothing was sent again"


async def test_a_job_whose_answer_was_lost_is_found_by_its_label_and_runs_once(stage: Staging) -> None:
    async with stage() as on, on.session() as here:
        first = await here.run(flat(1))  # from now on it is known that this proxy's labels are texts
        here.mischief.lose.add("POST /api/v2/jobs")
        job = await here.run(flat(2))
        assert (first.state, job.state, here.ran) == (JobState.DONE, JobState.DONE, 2)
        assert len(await saved(here, job)) == 1


async def test_a_server_in_trouble_gets_the_job_again_and_runs_it_once(stage: Staging) -> None:
    async with stage() as on, on.session() as here:
        await here.run(flat(1))
        here.mischief.answer["POST /api/v2/jobs"] = web.json_response({"error": {"code": "x"}}, status=503)
        job = await here.run(flat(2))
        assert (job.state, here.ran) == (JobState.DONE, 2)


async def test_a_job_that_the_pod_behind_has_lost_is_unknown(stage: Staging) -> None:
    async with stage(speed=0.2) as on, on.session() as here:
        (job_id,) = await here.enqueue(picture(steps=50))
        await here.until(job_id, JobState.RUNNING)
        await here.pod.restart()
        job = await here.until(job_id, JobState.UNKNOWN, JobState.FAILED, JobState.DONE)
        assert job.state is JobState.UNKNOWN
        assert here.mischief.count("POST /api/v2/jobs") == 1 + 1, "labels as a map, then as a text; nothing again"


async def test_without_the_library_one_line_says_what_to_install(
    stage: Staging, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "comfy_low", None)
    async with stage() as on, on.session(visit=False) as here:

        def detail() -> str:
            state = here.session.current_pod
            return "" if state is None else state.status.detail

        await seen(here.session, detail)
        assert detail().endswith('Install it: pip install "comfydesk[cloud]".')
