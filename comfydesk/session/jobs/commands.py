"""What the user does to jobs: enqueue, cancel, hold, retry, look again."""

import asyncio
import random
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from comfydesk.errors import GraphError, KnownError
from comfydesk.session.jobs.batch import prompt_of, seed_of, spread
from comfydesk.session.jobs.documents import Documents
from comfydesk.session.jobs.follow import Follower
from comfydesk.session.jobs.reports import lost_track
from comfydesk.session.jobs.saver import Saver
from comfydesk.session.jobs.uploads import take_in
from comfydesk.session.library import Library
from comfydesk.session.pods.links import Link, Links
from comfydesk.session.tasks import Tasks
from comfydesk.session.values import OpenWorkflow
from comfydesk.store import jobs
from comfydesk.store import workflows as documents
from comfydesk.store.records import ANY, Job, JobState, LocalFile
from comfydesk.workflow.catalog import Catalog
from comfydesk.workflow.convert import to_api
from comfydesk.workflow.graph import ApiGraph, UiGraph
from comfydesk.workflow.patch import SeedPolicy, apply_values


class Commands:
    """Changes to the queue. Each is on disk when it returns."""

    def __init__(
        self,
        library: Library,
        links: Links,
        tasks: Tasks,
        follower: Follower,
        saver: Saver,
        documents: Documents,
        owner: str,
    ) -> None:
        self._library = library
        self._links = links
        self._tasks = tasks
        self._follower = follower
        self._saver = saver
        self._documents = documents
        self._owner = owner

    async def enqueue(
        self,
        workflow: OpenWorkflow,
        values: Mapping[str, Any],
        link: Link,
        *,
        count: int,
        seed_policy: SeedPolicy | None,
        folder: Path | None,
        target: str | None = None,
    ) -> tuple[Job, ...]:
        """See Session.enqueue."""
        taken = await take_in(values)
        graph = await asyncio.to_thread(_base_graph, workflow, taken, link.catalog)
        graph_hash = await self._library.call(documents.put_document, graph.to_json())
        document_hash = None
        if isinstance(workflow.graph, UiGraph):
            document_hash = await self._library.call(documents.put_document, workflow.graph.raw)
        place = "" if folder is None else str(await asyncio.to_thread(folder.absolute))
        policy = seed_policy or SeedPolicy.FIXED
        sets = await asyncio.to_thread(spread, workflow.form, taken, count, policy, random.SystemRandom())
        now, batch = time.time(), uuid.uuid4().hex
        new = tuple(
            Job(
                id=str(uuid.uuid4()),
                state=JobState.QUEUED,
                workflow=workflow.name,
                pod="" if target == ANY else target or link.target.id,
                target=target or link.target.id,
                workflow_id=workflow.id,
                batch=batch,
                graph_hash=graph_hash,
                values=one,
                prompt=prompt_of(workflow.form, one),
                seed=seed_of(workflow.form, one),
                position=0,
                created=now,
                document_hash=document_hash,
                owner=self._owner,
                folder=place,
            )
            for one in sets
        )
        await self._library.commit(jobs.add, new)
        return await self._library.call(jobs.many, [job.id for job in new])

    async def cancel(self, *job_ids: str) -> None:
        """See Session.cancel."""
        await self._library.commit(jobs.request_cancel, job_ids, time.time())
        for job_id in job_ids:
            followed = self._follower.get(job_id)
            if followed is not None:
                await self._follower.reread(followed)
                followed.poked.set()

    async def move_all(self, job_ids: Sequence[str], to: JobState) -> None:
        await self._library.commit(jobs.transition_many, job_ids, to, time.time())

    async def retry(self, job_id: str) -> Job | None:
        """See Session.retry."""
        job = await self._library.call(jobs.get, job_id)
        if job is None:
            return None
        if job.state is JobState.SAVING:
            await self._library.commit(jobs.note, job_id, None)
            self._saver.save(job)
            return await self._library.call(jobs.get, job_id)
        if not job.state.ended:
            return None
        new = replace(
            job,
            id=str(uuid.uuid4()),
            batch=uuid.uuid4().hex,
            remote_id="",
            state=JobState.QUEUED,
            owner=self._owner,
            created=time.time(),
            posted=None,
            sent=None,
            started=None,
            finished=None,
            error=None,
            warning=None,
            outputs=(),
            texts=(),
        )
        await self._library.commit(jobs.add, [new])
        return await self._library.call(jobs.get, new.id)

    async def look_again(self, job_id: str) -> Job | None:
        """See Session.look_again."""
        job = await self._library.call(jobs.get, job_id)
        link = None if job is None else self._links.get(job.pod)
        if job is None or link is None or job.state is not JobState.UNKNOWN:
            return job
        remote = await link.pod.job(job.remote_id)
        if remote is not None and await self._library.commit(jobs.take_up, job_id, self._owner, time.time()):
            job = await self._library.call(jobs.get, job_id)
            if job is not None:
                await self.resume(job)
            followed = self._follower.get(job_id)
            if followed is not None:
                await self._follower.settle(followed, remote)
        return await self._library.call(jobs.get, job_id)

    async def resume(self, job: Job) -> None:
        """Look after a job that a pod has, or may have. Never fails for what is in its row."""
        try:
            if job.state is JobState.SAVING:
                await self._library.commit(jobs.note, job.id, None)  # what blocked it then may be over
                self._saver.save(job)
            else:
                await self._follower.follow(job, await self._documents.sent_graph(job))
        except Exception as error:
            await self._library.commit(jobs.transition, job.id, JobState.UNKNOWN, time.time(), error=lost_track(error))
            if not isinstance(error, KnownError):
                self._tasks.report(error, f"resume {job.id}")


def _base_graph(workflow: OpenWorkflow, values: Mapping[str, Any], catalog: Catalog | None) -> ApiGraph:
    """The graph that the jobs' values are put into when they are sent. Raises GraphError for values it cannot take.

    It is the workflow's own, stored once for all of its jobs, unless a choice among the values brings other inputs.
    """
    graph = _graph_now(workflow, catalog)
    plain = {field: value for field, value in values.items() if not isinstance(value, LocalFile)}
    patched = apply_values(graph, plain, catalog)
    apply_values(patched, values)  # all of them find their input
    same_inputs = all(patched.nodes[node].inputs.keys() == graph.nodes[node].inputs.keys() for node in graph.nodes)
    return graph if same_inputs else patched


def _graph_now(workflow: OpenWorkflow, catalog: Catalog | None) -> ApiGraph:
    """The graph as of this moment: a name such as %date:yyyy-MM-dd% is filled in when a job is queued."""
    if workflow.problem is not None:
        raise workflow.problem
    if isinstance(workflow.graph, ApiGraph):
        return workflow.graph
    if catalog is None:
        what = f"{workflow.name} cannot be prepared yet"
        raise GraphError(what, "the pod has not told which nodes it has", "Wait until it is connected")
    return to_api(workflow.graph, catalog, now=datetime.now().astimezone())
