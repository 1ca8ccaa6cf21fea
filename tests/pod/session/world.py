"""What a test of the session sees."""

import asyncio
import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any

from comfydesk.demo.faults import Delay, Rule
from comfydesk.demo.server import DemoPod
from comfydesk.events import JobProgress, PreviewFrame
from comfydesk.paths import Paths
from comfydesk.session.session import Session
from comfydesk.session.values import OpenWorkflow
from comfydesk.store import jobs
from comfydesk.store.records import Job, JobState
from tests.pod.session.gates import GatedLibrary


@dataclass
class World:
    """What a test sees: the session, its pod, and what they told."""

    session: Session
    pod: DemoPod
    paths: Paths
    progress: list[JobProgress] = field(default_factory=list)
    previews: list[PreviewFrame] = field(default_factory=list)

    async def open(self, graph: Mapping[str, Any] | bytes, name: str = "test.json") -> OpenWorkflow:
        data = graph if isinstance(graph, bytes) else json.dumps(graph).encode()
        return await self.session.open_workflow(data, name=name)

    async def enqueue(
        self, graph: Mapping[str, Any] | bytes, values: Mapping[str, Any] | None = None, **how: Any
    ) -> list[str]:
        jobs = await self.session.queue.enqueue(await self.open(graph), values or {}, **how)
        return [job.id for job in jobs]

    async def run(self, graph: Mapping[str, Any] | bytes, values: Mapping[str, Any] | None = None, **how: Any) -> Job:
        (job,) = await self.wait(await self.enqueue(graph, values, **how))
        return job

    async def wait(self, ids: Sequence[str]) -> tuple[Job, ...]:
        async with asyncio.timeout(15):
            return await self.session.queue.wait(ids)

    async def until(self, job_id: str, *states: JobState) -> Job:
        """Until the stored job is in one of these states."""
        news = asyncio.Event()
        unsubscribe = self.session.changes.subscribe(lambda _: news.set())
        try:
            async with asyncio.timeout(15):
                while True:
                    (job,) = await self.session.queue.jobs_by_id([job_id])
                    if job.state in states:
                        return job
                    await news.wait()
                    news.clear()
        finally:
            unsubscribe()

    async def settle(self) -> None:
        """A moment, for what nobody announces."""
        await asyncio.sleep(0.02)

    async def hit(self, rule: Rule) -> None:
        """Until a request has met with the rule."""
        async with asyncio.timeout(15):
            while not rule.hits:  # noqa: ASYNC110 - a rule tells nobody that it was met
                await asyncio.sleep(0.005)

    @property
    def library(self) -> GatedLibrary:
        """The session's own, to stop it or to let it fail."""
        library = self.session._library
        assert isinstance(library, GatedLibrary)
        return library

    def on_pod(self) -> list[str]:
        """Ids of all prompts that the pod has, or has had since its start."""
        running, waiting = self.pod.queue.current()
        return [*self.pod.queue.history(), *(item.prompt_id for item in (*running, *waiting))]

    async def force(self, job_id: str, *states: JobState) -> None:
        """Put the stored job through these states, as if it had happened."""
        for state in states:
            assert await self.library.commit(jobs.transition, job_id, state, time.time())

    def complaints(self) -> list[BaseException]:
        """Faults of our own that are reported from now on; without this they fail the test."""
        found: list[BaseException] = []
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: found.append(context["exception"]))
        return found

    def count(self, path: str, method: str = "*") -> Rule:
        """A rule that lets everything pass and counts it in `hits`."""
        return self.pod.script.add(Delay(0), path=path, method=method, times=None)

    def files(self) -> list[str]:
        """What lies in the outputs folder, hidden and unfinished files too."""
        root = self.paths.outputs
        return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())

    def listen(self) -> None:
        """Collect progress and previews from now on."""

        def on_progress(item: JobProgress | PreviewFrame) -> None:
            if isinstance(item, PreviewFrame):
                self.previews.append(item)
            else:
                self.progress.append(item)

        self.session.progress.subscribe(on_progress)


Start = Callable[..., AbstractAsyncContextManager[World]]
