"""Every kind of file that a pod saves gives back what it was made with: out of the library, out of the file alone, and
out of what it was exported as. On the demo pod always, on a real ComfyUI too where COMFYDESK_TEST_POD names one.

    COMFYDESK_TEST_POD=http://127.0.0.1:8188 pytest tests/pod/session/test_session_round_trip.py
"""

import asyncio
import os
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from comfydesk.demo.server import DemoPod
from comfydesk.paths import Paths
from comfydesk.session.gallery.export import ExportPlan
from comfydesk.session.gallery.importing import ImportPlan
from comfydesk.session.jobs.follow import Pace
from comfydesk.session.session import Session
from comfydesk.session.values import OpenWorkflow, PodTarget
from comfydesk.settings import Settings
from comfydesk.store.records import Job, JobState
from comfydesk.workflow.fields import Kind, Role
from tests.pod.session.graphs import as_json, frontend_graph

REAL = os.environ.get("COMFYDESK_TEST_POD", "")
PICTURES = (".png", ".jpg", ".jpeg", ".webp")
MUTE = (".txt", ".md", ".csv", ".json")
"""Files that have no place for anything but their content."""
PICTURE = {"class_type": "EmptyImage", "inputs": {"width": 48, "height": 32, "batch_size": 3, "color": 5}}
SOUND = {"class_type": "EmptyAudio", "inputs": {"duration": 0.6, "sample_rate": 44100, "channels": 2}}
VIDEO = {"class_type": "CreateVideo", "inputs": {"images": ["1", 0], "fps": 12.0}}
LATENT = {"class_type": "EmptyLatentImage", "inputs": {"width": 64, "height": 48, "batch_size": 1}}
CHANGED = {
    "1.width": 64,
    "1.color": 0x3366CC,
    "2.fps": 8.0,
    "9.fps": 15.0,
    "9.quality": None,
    "3.width": 96,
    "4.duration": 0.8,
    "5.value": 'pebbles \N{MULTIPLICATION SIGN} "two" {and} <more>',
}
"""What the user sets, where there is such a field. None: the last that can be chosen."""


def save(kind: str, source: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": kind, "inputs": {source: [SOURCES[source], 0], "filename_prefix": "x", **inputs}}


SOURCES = {"images": "1", "video": "2", "samples": "3", "audio": "4", "text": "5"}
CASES: dict[str, dict[str, Any]] = {
    "png": save("SaveImage", "images"),
    "png of 16 bits": save(
        "SaveImageAdvanced", "images", **{"format": "png", "format.bit_depth": "16-bit",
                                          "format.input_color_space": "sRGB"},
    ),
    "exr": save(
        "SaveImageAdvanced", "images", **{"format": "exr", "format.bit_depth": "32-bit float",
                                          "format.input_color_space": "sRGB"},
    ),
    "animated webp": save("SaveAnimatedWEBP", "images", fps=6.0, lossless=True, quality=80, method="default"),
    "animated png": save("SaveAnimatedPNG", "images", fps=6.0, compress_level=4),
    "webm vp9": save("SaveWEBM", "images", codec="vp9", fps=24.0, crf=32.0),
    "webm av1": save("SaveWEBM", "images", codec="av1", fps=24.0, crf=40.0),
    "video": save("SaveVideo", "video", format="auto", codec="auto"),
    "mp4": save("SaveVideo", "video", **{"format": "mp4", "format.codec": "h264", "codec": "h264"}),
    "flac": save("SaveAudio", "audio"),
    "mp3": save("SaveAudioMP3", "audio", quality="V0"),
    "opus": save("SaveAudioOpus", "audio", quality="128k"),
    "flac, the new way": save("SaveAudioAdvanced", "audio", format="flac"),
    "mp3, the new way": save("SaveAudioAdvanced", "audio", **{"format": "mp3", "format.quality": "128k"}),
    "latent": save("SaveLatent", "samples"),
    "text": save("SaveText", "text", format="md"),
}  # fmt: skip


@pytest.fixture(params=["demo", *(["real"] if REAL else [])])
def connected(request: pytest.FixtureRequest, paths: Paths, tmp_path: Path) -> AbstractAsyncContextManager[Session]:
    @asynccontextmanager
    async def start() -> AsyncIterator[Session]:
        async with AsyncExitStack() as stack:
            url = REAL
            if request.param == "demo":
                url = (await stack.enter_async_context(DemoPod(folder=tmp_path / "pod", speed=50))).url
            session = Session(paths, Settings(), pace=Pace(poll=0.5, look_again=0.5, may_arrive=2))
            await stack.enter_async_context(session)
            await session.connect(PodTarget.of(url))
            await session.wait_catalog(60)
            yield session

    return start()


def graph_of(saver: dict[str, Any]) -> dict[str, Any]:
    nodes = {"1": PICTURE, "2": VIDEO, "3": LATENT, "4": SOUND,
             "5": {"class_type": "PrimitiveString", "inputs": {"value": "a"}}}  # fmt: skip
    graph: dict[str, Any] = {"9": saver}
    wanted = [link[0] for link in saver["inputs"].values() if isinstance(link, list)]
    while wanted:
        key = wanted.pop()
        graph[key] = nodes[key]
        wanted += [link[0] for link in nodes[key]["inputs"].values() if isinstance(link, list)]  # type: ignore[attr-defined]
    graph["9"]["inputs"]["filename_prefix"] = f"comfydesk-test-{uuid.uuid4().hex[:8]}/x"
    return graph


def set_by_the_user(workflow: OpenWorkflow) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for field in workflow.form.fields:
        if field.id in CHANGED:
            wanted = CHANGED[field.id]
            found[field.id] = field.choices[-1] if wanted is None and field.choices else wanted or field.default
    return found


async def run(session: Session, workflow: OpenWorkflow, values: Mapping[str, Any]) -> Job:
    ids = [job.id for job in await session.queue.enqueue(workflow, values)]
    async with asyncio.timeout(120):
        (job,) = await session.queue.wait(ids)
    assert job.state is JobState.DONE, job.error
    assert job.warning is None, job.warning
    assert job.outputs
    return job


def values_in(workflow: OpenWorkflow, like: OpenWorkflow) -> dict[str, Any]:
    """What the form of `workflow` shows for the fields of `like`; files that were sent along have the pod's names."""
    return {
        field.id: workflow.form.by_id[field.id].default
        for field in like.form.fields
        if field.id in workflow.form.by_id and field.kind is not Kind.IMAGE
    }


def sent(workflow: OpenWorkflow) -> set[str]:
    """Fields whose value is a file of this computer."""
    return {field.id for field in workflow.form.fields if field.kind is Kind.IMAGE}


async def check(session: Session, workflow: OpenWorkflow, job: Job, values: Mapping[str, Any], folder: Path) -> None:
    wanted = values_in(workflow, workflow) | {
        name: value for name, value in values.items() if name not in sent(workflow)
    }
    ids = [one.id for one in await session.outputs(limit=50)]
    assert len(ids) == len(job.outputs)
    for id_ in ids:
        recipe = await session.gallery.recipe(id_)
        again = await session.open_workflow(recipe.source, name=recipe.name)
        assert {**values_in(again, workflow), **recipe.values} == {**wanted, **values}, "out of the library"
    kept = [Path(path) for path in job.outputs if Path(path).suffix not in MUTE]
    for path in kept:
        assert values_in(await session.open_workflow(path), workflow) == wanted, f"out of {path.name}"
    kinds = ("", "png", "jpg", "webp") if any(path.suffix in PICTURES for path in kept) else ("",)
    for kind in kinds:
        done = await session.gallery.export(ids, ExportPlan(folder / (kind or "same"), picture_format=kind))
        assert done.skipped == ()
        for path in done.files:
            if path.suffix not in MUTE:
                assert values_in(await session.open_workflow(path), workflow) == wanted, f"exported as {path.name}"
    bare = await session.gallery.export(ids, ExportPlan(folder / "bare", metadata=False))
    for path in bare.files:
        assert b"class_type" not in path.read_bytes(), "nothing of it where nothing is to be"


@pytest.mark.timeout(180)
@pytest.mark.parametrize("case", CASES)
async def test_what_it_was_made_with_comes_back(
    connected: AbstractAsyncContextManager[Session], case: str, tmp_path: Path
) -> None:
    graph = graph_of({**CASES[case], "inputs": dict(CASES[case]["inputs"])})
    async with connected as session:
        catalog = session._pods.link().catalog
        assert catalog is not None
        lacking = sorted({node["class_type"] for node in graph.values()} - set(catalog.nodes))
        if lacking:
            pytest.skip(f"this pod has no {', '.join(lacking)}")
        workflow = await session.open_workflow(as_json(graph), name="test.json")
        values = set_by_the_user(workflow)
        assert values
        job = await run(session, workflow, values)
        await session.gallery.settled()
        await check(session, workflow, job, values, tmp_path / "exported")


@pytest.mark.timeout(120)
async def test_a_workflow_of_the_frontend_comes_back_out_of_every_picture_and_out_of_an_import(
    connected: AbstractAsyncContextManager[Session], tmp_path: Path
) -> None:
    async with connected as session:
        workflow = await session.open_workflow(frontend_graph(), name="test.json")
        prefix = f"comfydesk-test-{uuid.uuid4().hex[:8]}"
        values = {"1.width": 40, "1.color": uuid.uuid4().int % 0xFFFFFF, "2.filename_prefix": prefix}
        job = await run(session, workflow, values)
        await check(session, workflow, job, values, tmp_path / "exported")
        before = {one.id for one in await session.outputs(limit=50)}
        await session.gallery.importer.run(ImportPlan(tmp_path / "exported"))
        await session.gallery.importer.settled()
        new = [one for one in await session.outputs(limit=50) if one.id not in before]
        taken = [one for one in new if "bare" not in Path(one.path).parts]
        assert {Path(one.path).suffix for one in taken} >= {".jpg", ".webp"}
        wanted = {field.id: field.default for field in workflow.form.fields} | values
        for one in taken:
            recipe = await session.gallery.recipe(one.id)
            again = await session.open_workflow(recipe.source, name=recipe.name)
            assert values_in(again, workflow) == wanted, f"imported from {Path(one.path).name}"


@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", ["text_to_image", "text_to_video", "text_to_audio", "image_to_image"])
async def test_the_demo_pods_own_workflows_come_back(paths: Paths, tmp_path: Path, name: str) -> None:
    wanted: dict[Role | None, Any] = {
        Role.PROMPT: "a heron, <reeds> (mist:1.2) \"dawn\"", Role.SEED: 2**63 + 11, Role.STEPS: 2,
        Role.WIDTH: 128, Role.HEIGHT: 96, Role.LENGTH: 5,
    }  # fmt: skip
    picture = tmp_path / "heron.png"
    Image.new("RGB", (96, 64), (20, 90, 140)).save(picture)
    document = Path(__file__).parents[3] / "resources" / "workflows" / f"{name}.json"
    async with DemoPod(folder=tmp_path / "pod", speed=50) as pod, Session(paths, Settings()) as session:
        await session.connect(PodTarget.demo(pod.url))
        await session.wait_catalog(20)
        workflow = await session.open_workflow(await asyncio.to_thread(document.read_bytes), name=f"{name}.json")
        values = {field.id: wanted[field.role] for field in workflow.form.fields if field.role in wanted}
        values |= dict.fromkeys(sent(workflow), picture)
        assert len(values) >= 3
        job = await run(session, workflow, values)
        await session.gallery.settled()
        await check(session, workflow, job, values, tmp_path / "exported")
