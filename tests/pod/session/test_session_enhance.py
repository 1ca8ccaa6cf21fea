"""Enhancing on a pod: its own text node, as a job of the queue."""

import asyncio
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from comfydesk.errors import LlmAnswerError
from comfydesk.events import Change, JobsChanged
from comfydesk.session.enhancement.pod_runner import PodRunner
from comfydesk.session.values import DEMO
from comfydesk.store.records import JobState
from comfydesk.workflow.fields import Role
from tests.pod.session.graphs import flat, picture
from tests.pod.session.world import Start, World

TITLE = "Enhance prompt"


def writing(prompt: str, seed: int = 1, *, length: int = 60, image: bool = False) -> dict[str, Any]:
    graph: dict[str, Any] = {
        "1": {"class_type": "CLIPLoader", "inputs": {"clip_name": "demo-words.safetensors", "type": "flux2"}},
        "2": {
            "class_type": "TextGenerate",
            "inputs": {
                "clip": ["1", 0],
                "prompt": prompt,
                "max_length": length,
                "sampling_mode": "on",
                "sampling_mode.temperature": 0.7,
                "sampling_mode.top_k": 64,
                "sampling_mode.top_p": 0.95,
                "sampling_mode.min_p": 0.05,
                "sampling_mode.repetition_penalty": 1.05,
                "sampling_mode.seed": seed,
            },
        },
        "3": {"class_type": "PreviewAny", "inputs": {"source": ["2", 0]}},
    }
    if image:
        graph["4"] = {"class_type": "LoadImage", "inputs": {"image": ""}}
        graph["2"]["inputs"]["image"] = ["4", 0]
    return graph


def first_job(here: World) -> asyncio.Future[str]:
    """The id of the next job that there is."""
    found: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def note(change: Change) -> None:
        if isinstance(change, JobsChanged) and change.jobs and not found.done():
            found.set_result(change.jobs[0])

    here.session.changes.subscribe(note)
    return found


async def test_a_text_comes_back_and_makes_no_output(world: Start) -> None:
    async with world() as here:
        run = PodRunner(here.session.queue, DEMO, here.paths.cache / "pictures")
        async with asyncio.timeout(15):
            text = await run(writing("<prompt>a fox, {red|blue} <k1/></prompt>"), TITLE)
        assert text.startswith("a fox, {red|blue} <k1/>, ")
        assert await here.session.outputs() == ()
        assert await here.session.queue.jobs() == (), "it is taken out of the list"


async def test_it_is_in_the_queue_as_what_it_is_and_goes_before_what_waits(world: Start) -> None:
    async with world(speed=2) as here:
        run = PodRunner(here.session.queue, DEMO, here.paths.cache / "pictures")
        begun = first_job(here)
        asking = asyncio.create_task(run(writing("a fox"), TITLE))
        async with asyncio.timeout(15):
            (job,) = await here.session.queue.jobs_by_id([await begun])
            assert job.workflow == TITLE
            await asking


async def test_cancelling_ends_the_job(world: Start) -> None:
    async with world(speed=0.2) as here:
        run = PodRunner(here.session.queue, DEMO, here.paths.cache / "pictures")
        begun = first_job(here)
        asking = asyncio.create_task(run(writing("a fox in the snow by the old barn"), TITLE))
        await here.until(await begun, JobState.RUNNING)
        before = asyncio.get_running_loop().time()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert asyncio.get_running_loop().time() - before < 0.2
        (job,) = await here.session.queue.jobs()
        async with asyncio.timeout(15):
            (job,) = await here.session.queue.wait([job.id])
        assert job.state is JobState.CANCELLED


async def test_a_graph_that_the_pod_refuses_is_told_in_words(world: Start) -> None:
    async with world() as here:
        run = PodRunner(here.session.queue, DEMO, here.paths.cache / "pictures")
        with pytest.raises(LlmAnswerError, match="could not run it"):
            await run(writing("a fox", length=-1), TITLE)


async def test_a_picture_goes_along(world: Start, tmp_path: Path) -> None:
    async with world() as here:
        data = BytesIO()
        Image.new("RGB", (64, 48), "teal").save(data, "PNG")
        run = PodRunner(here.session.queue, DEMO, here.paths.cache / "pictures")
        async with asyncio.timeout(15):
            text = await run(writing("<prompt>a fox</prompt>", image=True), TITLE, {"4.image": data.getvalue()})
        assert text.startswith("a fox")
        assert not list((here.paths.cache / "pictures").iterdir())


async def test_jobs_remember_what_their_prompt_was(world: Start) -> None:
    async with world() as here:
        workflow = await here.open(flat(3))
        field = next(iter(workflow.form.fields)).id
        jobs = await here.session.queue.enqueue(workflow, {field: 9}, originals={})
        assert jobs[0].originals == {}
        text = await here.open(picture())
        prompt = text.form.with_role(Role.PROMPT)[0].id
        enhanced = {prompt: {"a red fox in deep snow": "a fox"}}
        (job,) = await here.session.queue.enqueue(text, {prompt: "a red fox in deep snow"}, originals=enhanced)
        assert job.originals == {prompt: "a fox"}
        again = await here.session.queue.duplicate(job.id)
        assert again is not None
        assert again.originals == {prompt: "a fox"}
        await here.wait([job.id, again.id, jobs[0].id])
