"""Jobs over a line that breaks all the time: 30 over 60 faults here, 100 over 200 in the bench.

COMFYDESK_SOAK_SEED makes it another one, COMFYDESK_SOAK_FACTOR a longer one.
"""

import asyncio
import gc
import os
import random
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from comfydesk.demo.faults import Drop
from comfydesk.paths import Paths
from comfydesk.session.jobs import attempts, saver
from comfydesk.session.jobs.follow import Pace
from comfydesk.session.session import Session
from comfydesk.session.values import OpenWorkflow, PodTarget
from comfydesk.settings import Settings
from comfydesk.store.records import Job, JobState
from tests.pod.session.chaos import COMPRESSED, Director, Elsewhere, Place, hurried_pod
from tests.pod.session.graphs import as_json, flat

FACTOR = int(os.environ.get("COMFYDESK_SOAK_FACTOR", "1"))
SEED = int(os.environ.get("COMFYDESK_SOAK_SEED", "20261122"))
JOBS = 30 * FACTOR
FAULTS_A_JOB = 2
AHEAD = 6
"""Jobs that wait or run at any time."""
STALL = 0.1
"""Seconds of computing in one turn of the loop. What it waited by the clock is a bench's to say."""


class Heartbeat:
    """How long the loop was kept from its next turn: by the wall clock, and by what this thread computed."""

    def __init__(self) -> None:
        self.wall = self.computed = 0.0

    async def run(self) -> None:
        while True:
            wall, computed = time.perf_counter(), time.thread_time()
            await asyncio.sleep(0.005)
            self.wall = max(self.wall, time.perf_counter() - wall - 0.005)
            self.computed = max(self.computed, time.thread_time() - computed)


def sockets() -> int:
    """Open sockets of this process."""
    found = 0
    for entry in Path("/proc/self/fd").iterdir():
        try:
            found += str(entry.readlink()).startswith("socket:")
        except OSError:
            continue
    return found


@asynccontextmanager
async def two_pods(elsewhere: Elsewhere, folder: Path) -> AsyncIterator[list[Place]]:
    places = [Place(name, folder) for name in ("pod-a", "pod-b")]
    try:
        for place in places:
            await elsewhere.do(place.start())
        yield places
    finally:
        for place in places:
            await elsewhere.do(place.stop())


async def opened(session: Session, places: list[Place]) -> OpenWorkflow:
    """The workflow of all jobs, once all pods are connected."""
    for place in places:
        session.select(place.name)
        await session.wait_catalog(20)
    return await session.open_workflow(as_json(flat(prefix="soak")), name="soak.json")


async def enqueue_all(
    session: Session, workflow: OpenWorkflow, places: list[Place], director: Director, jobs: int
) -> list[str]:
    """Jobs in turn for each pod, each with a picture of its own; as far on as the faults are."""
    ids: list[str] = []
    for number in range(jobs):
        while director.injected < (number - AHEAD) * FAULTS_A_JOB:  # noqa: ASYNC110 - it lives on another loop
            await asyncio.sleep(0.01)
        session.select(places[number % len(places)].name)
        made = await session.queue.enqueue(workflow, {"1.color": number, "2.filename_prefix": f"soak{number}"})
        ids += [job.id for job in made]
    return ids


async def bring_to_end(session: Session, ids: list[str], places: list[Place]) -> dict[str, Job]:
    """As a user would: what the pod forgot at a restart is run again, and nothing else is touched."""
    last: dict[str, Job] = {}
    waiting = {job: job for job in ids}
    while waiting:
        try:
            async with asyncio.timeout(60 * FACTOR):
                ended = await session.queue.wait(list(waiting))
        except TimeoutError:
            open_jobs = [job for job in await session.queue.jobs_by_id(list(waiting)) if not job.state.ended]
            pytest.fail(f"still open: {open_jobs}; pods: {session.pods()}")
        for job in ended:
            first = waiting.pop(job.id)
            last[first] = job
            if job.state is JobState.UNKNOWN:
                assert_may_be_lost(job, places)
                again = await session.queue.retry(job.id)
                assert again is not None
                waiting[again.id] = first
    return last


def assert_may_be_lost(job: Job, places: list[Place]) -> None:
    """A restart threw it away, or may have: nobody answered its POST, and the pod was restarted after that began."""
    (place,) = (place for place in places if place.name == job.pod)
    unsure = job.sent is None and job.posted is not None and job.posted < max(place.restarted, default=0.0)
    assert unsure or job.remote_id in place.lost, f"{job} was given up although no restart threw it away"


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="counts sockets in /proc")
@pytest.mark.timeout(120 * FACTOR)
async def test_faults_of_the_line_cost_no_job_and_send_none_twice(
    paths: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heart = await soak(paths, tmp_path, monkeypatch, JOBS)
    assert heart.computed < STALL


async def soak(paths: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jobs: int) -> Heartbeat:
    """So many jobs, with two faults each; all that must hold is held. How steadily the loop turned meanwhile."""
    faults = jobs * FAULTS_A_JOB
    monkeypatch.setattr(saver, "RETRY_SECONDS", tuple(s / COMPRESSED for s in saver.RETRY_SECONDS))
    monkeypatch.setattr(attempts, "DELAYS", tuple(s / COMPRESSED for s in attempts.DELAYS))
    gc.collect()
    before = sockets()
    heart = Heartbeat()
    with Elsewhere() as elsewhere:
        async with AsyncExitStack() as stack:
            places = await stack.enter_async_context(two_pods(elsewhere, tmp_path))
            session = Session(
                paths, Settings(), pod_factory=hurried_pod, pace=Pace(poll=0.2, look_again=0.2, may_arrive=3)
            )
            await stack.enter_async_context(session)
            ways = [place.route() for place in places]
            for place, way in zip(places, ways, strict=True):
                await session.connect(PodTarget(place.name, place.name, None, route=way))
            workflow = await opened(session, places)
            beating = asyncio.create_task(heart.run())
            director = Director(places, random.Random(SEED), faults)
            raging = asyncio.create_task(elsewhere.do(director.run()))
            ids = await enqueue_all(session, workflow, places, director, jobs)
            last = await bring_to_end(session, ids, places)
            await raging
            beating.cancel()
            made = await session.outputs(limit=10 * jobs)
    rules = [rule for place in places for rule in place.pod.script.rules]
    unanswered = sum(rule.hits for rule in rules if isinstance(rule.fault, Drop))
    hits = sum(rule.hits for rule in rules)
    connects = sum(way.asked for way in ways)
    print(
        f"\n{dict(director.done)}; {connects} connections tried, {hits} requests answered wrongly or not,"
        f" {unanswered} of them jobs that were taken"
    )
    print(f"longest turn of the loop: {heart.wall:.3f} s by the wall, {heart.computed:.3f} s of computing")
    assert sum(director.done.values()) >= faults
    assert connects > faults / 4, "the faults did not reach the session"
    assert hits > faults / 6, "the faults did not reach the session"
    assert unanswered > faults / 25, "no job was taken without an answer"
    # No job was lost: each is done, and its one picture is here.
    assert Counter(job.state for job in last.values()) == {JobState.DONE: jobs}
    paths_made = {path for job in last.values() for path in job.outputs}
    assert all(len(job.outputs) == 1 for job in last.values())
    assert len(paths_made) == jobs
    assert all(map(os.path.isfile, paths_made))
    assert len(made) == jobs
    # None was sent twice, by the pods' own record; a restart makes a new server of a pod, that knows nothing.
    accepted = Counter((place.name, *entry) for place in places for entry in place.accepted)
    assert {entry: count for entry, count in accepted.items() if count > 1} == {}
    prompts = Counter(prompt for place in places for _, prompt in place.accepted)
    lost = {prompt for place in places for prompt in place.lost}
    assert {prompt for prompt, count in prompts.items() if count > 1} <= lost
    # Nothing is left open.
    gc.collect()
    assert sockets() <= before
    return heart
