"""RunPod Serverless: our executor and a double of an endpoint in the documented shape, on loopback."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from comfydesk.client.link import LinkState
from comfydesk.credentials import Secret, SessionCredentials, auth_item
from comfydesk.demo.server import DemoPod
from comfydesk.paths import Paths
from comfydesk.session.pods.profile_checks import checked
from comfydesk.session.pods.profiles import Place, PlaceKind, PodProfile, new_id
from comfydesk.session.pods.vault import Vault
from comfydesk.session.session import Session
from comfydesk.session.values import PodTarget
from comfydesk.settings import Settings
from comfydesk.store.records import Job, JobState
from tests.pod.engines.conftest import QUICK, seen, serving
from tests.pod.engines.endpoint_double import ENDPOINT, KEY, FakeEndpoint, png
from tests.pod.session.gates import GatedLibrary
from tests.pod.session.graphs import flat
from tests.pod.session.world import World


@dataclass
class Rented(World):
    """A session on the double."""

    def bytes_of(self, outputs: tuple[Any, ...]) -> list[bytes]:
        return [Path(output.path).read_bytes() for output in outputs]


@pytest.fixture
def place(paths: Paths, tmp_path: Path) -> Any:
    """`async with place() as (double, again), again() as here`: `again` is a session, as often as one likes."""

    @asynccontextmanager
    async def start(double: FakeEndpoint | None = None, *, key: str = KEY) -> AsyncIterator[Any]:
        double = double or FakeEndpoint()
        async with DemoPod(folder=tmp_path / "pod", speed=50) as pod, serving(double.app()) as url:
            profile = checked(PodProfile(new_id(), "burst", Place(PlaceKind.SERVERLESS, url=f"{url}/v2", pod=ENDPOINT)))

            async def keyring() -> SessionCredentials:
                return SessionCredentials({auth_item(profile.id): Secret(key)}, note="")

            @asynccontextmanager
            async def again() -> AsyncIterator[Rented]:
                session = Session(paths, Settings(), pace=QUICK, make_library=GatedLibrary, vault=Vault(keyring))
                async with session:
                    here = Rented(session, pod, paths)
                    here.listen()
                    await session.connect(PodTarget.demo(pod.url))
                    await session.wait_catalog(10)
                    if (await session.profiles.load()).find(profile.id) is None:
                        await session.profiles.add(profile)
                    await session.connect(profile.id)
                    if key == KEY:
                        await session.wait_catalog(10)
                    yield here

            yield double, url, again

    return start


async def outputs(here: Rented, job: Job) -> list[bytes]:
    return here.bytes_of(tuple(output for output in await here.session.outputs() if output.job == job.id))


async def test_a_job_waits_runs_and_its_picture_is_saved(place: Any) -> None:
    async with place() as (double, _, again), again() as here:
        job = await here.run(flat())
        assert job.state is JobState.DONE, job.error
        assert (job.remote_id in double.jobs, job.remote_id != job.id) == (True, True)
        assert await outputs(here, job) == [png((9, 99, 9))]
        assert double.jobs[job.remote_id].input["workflow"]["1"]["class_type"] == "EmptyImage"
        state = here.session.current_pod
        assert (state.status.state, state.status.latency_ms, state.catalog_borrowed) == (LinkState.ONLINE, None, True)


async def test_inputs_travel_inside_the_request(place: Any, tmp_path: Path) -> None:
    (tmp_path / "in.png").write_bytes(png((1, 2, 3)))
    graph = {
        "1": {"class_type": "LoadImage", "inputs": {"image": "x.png"}},
        "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "copy"}},
    }
    async with place() as (double, _, again):
        for _ in range(2):  # the second program start knows the upload, and not the file: it is taken in again
            async with again() as here:
                job = await here.run(graph, {"1.image": tmp_path / "in.png"})
                assert job.state is JobState.DONE, job.error
                sent = double.jobs[job.remote_id].input
                (image,) = sent["images"]
                assert base64.b64decode(image["image"]) == png((1, 2, 3))
                assert sent["workflow"]["1"]["inputs"]["image"] == image["name"]


async def test_an_input_that_is_too_large_is_refused_before_it_is_sent(place: Any, tmp_path: Path) -> None:
    (tmp_path / "big.png").write_bytes(png((1, 2, 3)) + bytes(8_000_000))
    graph = {
        "1": {"class_type": "LoadImage", "inputs": {"image": "x.png"}},
        "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "copy"}},
    }
    async with place() as (double, _, again), again() as here:
        job = await here.run(graph, {"1.image": tmp_path / "big.png"})
        assert (job.state, double.posts) == (JobState.FAILED, 0)
        assert "larger than a serverless job" in job.error.what


@pytest.mark.parametrize(
    ("path", "error", "output", "words"),
    [
        (("IN_QUEUE", "FAILED"), "Workflow execution error: Node Type: KSampler", None, "Node Type: KSampler"),
        (("IN_PROGRESS", "TIMED_OUT"), "", None, "longer than the endpoint allows"),
        (("COMPLETED",), "", {"error": "ComfyUI server not reachable"}, "not reachable"),
    ],
)
async def test_what_goes_wrong_there_is_told(place: Any, path: Any, error: str, output: Any, words: str) -> None:
    async with place(FakeEndpoint(path=path, error=error, output=output)) as (_, _, again), again() as here:
        job = await here.run(flat())
        assert job.state is JobState.FAILED
        assert words in job.error.why


async def test_a_running_job_is_cancelled_by_its_id(place: Any) -> None:
    async with place(FakeEndpoint(path=("IN_PROGRESS",))) as (_, _, again), again() as here:
        (job_id,) = await here.enqueue(flat())
        await here.until(job_id, JobState.RUNNING)
        await here.session.queue.cancel(job_id)
        assert (await here.until(job_id, JobState.CANCELLED)).state is JobState.CANCELLED


async def test_after_a_crash_a_job_is_taken_up_again_by_its_id(place: Any) -> None:
    async with place(FakeEndpoint(path=("IN_PROGRESS",))) as (double, _, again):
        async with again() as here:
            (job_id,) = await here.enqueue(flat())
            await here.until(job_id, JobState.RUNNING)
        for job in double.jobs.values():
            job.path = ["COMPLETED"]
        async with again() as here:
            (job,) = await here.wait([job_id])
            assert (job.state, double.posts) == (JobState.DONE, 1)
            assert await outputs(here, job) == [png((9, 99, 9))]


async def test_a_lost_answer_makes_the_state_unknown_and_never_a_second_run(place: Any) -> None:
    async with place() as (double, _, again):
        double.lose_answer = True
        async with again() as here:
            (job_id,) = await here.enqueue(flat())
            job = await here.until(job_id, JobState.UNKNOWN)
            assert "not known whether" in job.error.what
        async with again() as here:  # nor after the next start
            await here.session.wait_catalog(5)
            await asyncio.sleep(0.5)
            assert double.posts == 1


async def test_a_server_in_trouble_may_have_it_and_a_busy_one_has_not(place: Any) -> None:
    async with place() as (double, _, again), again() as here:
        double.next_status = 429
        assert ((await here.run(flat())).state, double.posts) == (JobState.DONE, 2)
        double.next_status = 502
        (job_id,) = await here.enqueue(flat(3))
        await here.until(job_id, JobState.UNKNOWN)
        assert double.posts == 3


async def test_results_that_have_expired_are_said_to_be_gone(place: Any) -> None:
    async with place(FakeEndpoint(path=("IN_PROGRESS",))) as (double, _, again):
        async with again() as here:
            (job_id,) = await here.enqueue(flat())
            await here.until(job_id, JobState.RUNNING)
        double.jobs.clear()  # 30 minutes later
        async with again() as here:
            assert (await here.until(job_id, JobState.UNKNOWN)).error is not None


async def test_a_result_in_a_bucket_is_fetched_without_our_key(place: Any) -> None:
    async with place() as (double, url, again), again() as here:
        double.bucket["a.png"] = png((200, 1, 1))
        signed = f"{url}/bucket/a.png?X-Amz-Signature={quote('a/b+c=', safe='')}"
        double.output = {"images": [{"filename": "a.png", "type": "s3_url", "data": signed}]}
        job = await here.run(flat())
        assert job.state is JobState.DONE, job.error
        assert await outputs(here, job) == [png((200, 1, 1))]
        assert not double.bucket_saw_credentials


async def test_a_signature_that_has_run_out_ends_the_job_in_words(place: Any) -> None:
    async with place() as (double, url, again), again() as here:
        gone = {"filename": "a.png", "type": "s3_url", "data": f"{url}/bucket/a.png?X-Amz-Signature=old"}
        double.output = {"images": [gone]}
        job = await here.run(flat())
        assert job.state is JobState.FAILED
        assert "a.png" in job.error.what


async def test_hostile_names_and_bytes_reach_nothing(place: Any, tmp_path: Path) -> None:
    good = base64.b64encode(png((5, 5, 5))).decode()
    images = [
        {"filename": "../../../evil.png", "type": "base64", "data": good},
        {"filename": "x.png", "type": "base64", "data": good},
        {"filename": "x.png", "type": "base64", "data": base64.b64encode(png((6, 6, 6))).decode()},
        {"filename": 7, "type": "base64", "data": good},
        "nonsense",
    ]
    async with place() as (double, _, again), again() as here:
        double.output = {"images": images}
        job = await here.run(flat())
        saved = [Path(output.path) for output in await here.session.outputs()]
        assert job.state in (JobState.DONE, JobState.FAILED)
        assert not list(tmp_path.parent.rglob("evil.png")) or all("outputs" in str(path) for path in saved)
        assert {path.read_bytes() for path in saved} >= {png((5, 5, 5)), png((6, 6, 6))}


async def test_a_wrong_key_is_told(place: Any) -> None:
    async with place(key="wrong") as (_, _, again), again() as here:
        await seen(here.session, lambda: here.session.current_pod.status.state is LinkState.AUTH_FAILED)
        assert "RunPod refused the API key (401)" in here.session.current_pod.status.detail
