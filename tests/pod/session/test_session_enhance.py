"""Enhancing on a pod: its own text node, as a job of the queue."""

import asyncio
import json
from contextlib import aclosing
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from comfydesk.cli import main
from comfydesk.errors import LlmAnswerError
from comfydesk.events import Change, JobsChanged
from comfydesk.llm.engine import Action
from comfydesk.paths import Paths
from comfydesk.session.enhancement.pod_runner import PodRunner, upload
from comfydesk.session.enhancement.values import Choice, EnhanceRequest, Finished, Refused
from comfydesk.session.values import DEMO
from comfydesk.store.records import JobState
from comfydesk.workflow import batch_sources
from comfydesk.workflow.batch_prompts import with_prompts
from comfydesk.workflow.batches import Batch
from comfydesk.workflow.fields import Role
from tests.pod.session.graphs import flat, picture
from tests.pod.session.world import Start, World

TITLE = "Enhance prompt"


def writing(prompt: str, seed: int = 1, *, length: int = 60, image: str = "") -> dict[str, Any]:
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
        graph["4"] = {"class_type": "LoadImage", "inputs": {"image": image}}
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
        run = PodRunner(here.session.queue, DEMO)
        async with asyncio.timeout(15):
            text = await run(writing("<prompt>a fox, {red|blue} <k1/></prompt>"), TITLE)
        assert text.startswith("a fox, {red|blue} <k1/>, ")
        assert await here.session.outputs() == ()
        assert await here.session.queue.jobs() == (), "it is taken out of the list"


async def test_it_is_in_the_queue_as_what_it_is_and_goes_before_what_waits(world: Start) -> None:
    async with world(speed=2) as here:
        run = PodRunner(here.session.queue, DEMO)
        begun = first_job(here)
        asking = asyncio.create_task(run(writing("a fox"), TITLE))
        async with asyncio.timeout(15):
            (job,) = await here.session.queue.jobs_by_id([await begun])
            assert job.workflow == TITLE
            await asking


async def test_cancelling_ends_the_job(world: Start) -> None:
    async with world(speed=0.2) as here:
        run = PodRunner(here.session.queue, DEMO)
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
        run = PodRunner(here.session.queue, DEMO)
        with pytest.raises(LlmAnswerError, match="could not run it"):
            await run(writing("a fox", length=-1), TITLE)


async def test_a_picture_goes_along(world: Start) -> None:
    async with world() as here:
        data = BytesIO()
        Image.new("RGB", (64, 48), "teal").save(data, "PNG")
        link = here.session._pods.link()
        name = await upload(link, here.paths.cache / "sent", data.getvalue())
        assert list((here.paths.cache / "sent").iterdir()) == []
        run = PodRunner(here.session.queue, DEMO)
        async with asyncio.timeout(15):
            assert (await run(writing("<prompt>a fox</prompt>", image=name), TITLE)).startswith("a fox")


async def test_the_pods_own_node_enhances(world: Start) -> None:
    async with world() as here:
        offers = {offer.choice: offer for offer in await here.session.enhancer.engines()}
        assert offers[Choice.POD].ready
        assert offers[Choice.POD].chosen, "no model is here, so automatic is the pod"
        assert not offers[Choice.LOCAL].ready
        request = EnhanceRequest("a fox in the snow, <lora:ink:0.8>", count=2, seed=5)
        async with asyncio.timeout(30), aclosing(here.session.enhancer.enhance(request)) as events:
            found = [event async for event in events]
        ends = [event for event in found if isinstance(event, Finished | Refused)]
        for end in ends:
            assert isinstance(end, Finished), end
            assert end.result.enhanced.startswith("a fox in the snow")
            assert end.result.enhanced.count("<lora:ink:0.8>") == 1
            assert (end.result.engine, end.result.model) == ("Demo pod", "demo-words")
        assert len({end.result.enhanced for end in ends if isinstance(end, Finished)}) == 2, "other seeds, other words"
        assert await here.session.outputs() == ()


async def test_closing_cancels_the_job_on_the_pod(world: Start) -> None:
    async with world(speed=0.2) as here:
        begun = first_job(here)
        stream = here.session.enhancer.enhance(EnhanceRequest("a fox in the snow"))
        asking = asyncio.ensure_future(anext(stream))
        await here.until(await begun, JobState.RUNNING)
        before = asyncio.get_running_loop().time()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await stream.aclose()
        assert asyncio.get_running_loop().time() - before < 0.2
        await here.until(await begun, JobState.CANCELLED)


async def test_the_engine_is_the_profiles_choice(world: Start) -> None:
    async with world() as here:
        enhancer = here.session.enhancer
        assert enhancer.choice() is Choice.AUTOMATIC
        enhancer.choose(None, Choice.LOCAL)
        assert enhancer.choice(DEMO) is Choice.LOCAL
        assert enhancer.choice("another") is Choice.AUTOMATIC
        async with aclosing(enhancer.enhance(EnhanceRequest("a fox in the snow"))) as events:
            (end,) = [event async for event in events]
        assert isinstance(end, Refused)
        assert end.action is Action.DOWNLOAD
        assert "no language model on this computer" in end.why


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


async def test_a_prompt_enhanced_by_itself_and_with_its_batch_goes_back_to_its_first_words(world: Start) -> None:
    async with world() as here:
        workflow = await here.open(picture())
        prompt = workflow.form.with_role(Role.PROMPT)[0].id
        listed = batch_sources.prompts(workflow.form, "a red fox\nold fox")
        batch = with_prompts(Batch(workflow.form, {}, (listed,)), {"a red fox": "A fox.", "old fox": "A fox."})
        queued = await here.session.queue.enqueue_batch(workflow, batch, originals={prompt: {"a red fox": "a fox"}})
        jobs = {job.id: job.originals for job in await here.wait(queued.jobs)}
        assert [jobs[one] for one in queued.jobs] == [{prompt: "a fox"}, {prompt: "old fox"}]


def test_the_command_enhances_on_the_demo_pod(paths: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    prompt = 'a fox in the snow, "OPEN" <lora:ink:0.8>'
    command = ["enhance", prompt, "--pod", "demo", "--engine", "pod", "--data-dir", str(paths.data), "--json"]
    assert main(command) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["original"] == prompt
    assert found["enhanced"].startswith("a fox in the snow")
    assert found["kept"] == ['"OPEN"', "<lora:ink:0.8>"]
    assert all(found["enhanced"].count(span) == 1 for span in found["kept"])
    assert (found["style"], found["engine"], found["model"]) == ("detailed", "Demo pod", "demo-words")
