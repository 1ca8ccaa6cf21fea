"""A pod's text node as a job: in the queue as what it is, without an output, gone from the list when it is done."""

import asyncio
import contextlib
import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from comfydesk.errors import KnownError, LlmAnswerError, LlmError, LlmUnreachableError, StoreError, one_line
from comfydesk.session.jobs.queue import Queue
from comfydesk.session.pods.links import Link
from comfydesk.session.values import OpenWorkflow
from comfydesk.store.records import Job, JobError, JobState
from comfydesk.workflow.graph import ApiGraph
from comfydesk.workflow.parse import build_workflow

_CANNOT_WRITE = re.compile(r"no attribute '(generate|tokenize)'")
"""What ComfyUI 0.33.0's TextGenerate says of an encoder that only encodes, or whose file holds something else."""
_SAID = 300


class PodRunner:
    """Runs graphs that end in text on one pod, before what else waits for it."""

    def __init__(self, queue: Queue, pod: str) -> None:
        self._queue = queue
        self._pod = pod

    async def __call__(self, graph: Mapping[str, Any], title: str) -> str:
        """The text that the graph showed, as soon as it is there. Cancelled: the job is too. Raises LlmError."""
        parsed = build_workflow(dict(graph))
        assert isinstance(parsed, ApiGraph), "the graph is ours"
        workflow = OpenWorkflow(id="", name=title, graph=parsed, api=parsed)
        try:
            (job,) = await self._queue.enqueue(workflow, {}, target=self._pod, front=True)
        except KnownError as error:
            raise _told(error) from error
        try:
            (ended,) = await self._queue.wait([job.id]) or (None,)
        except BaseException:
            await asyncio.shield(self._drop(job.id))
            raise
        return await self._text(job.id, ended)

    async def _drop(self, job: str) -> None:
        with contextlib.suppress(KnownError):
            await self._queue.cancel(job)

    async def _text(self, job_id: str, job: Job | None) -> str:
        if job is None or job.state is JobState.CANCELLED:
            raise LlmAnswerError("The job was cancelled")
        if job.state is not JobState.DONE:
            raise _failed(job.error)
        with contextlib.suppress(KnownError):
            await self._queue.remove(job_id)
        if not job.texts or not job.texts[-1].strip():
            raise LlmAnswerError("The pod's model answered with nothing", "", "Try again")
        return job.texts[-1]


async def upload(link: Link, folder: Path, data: bytes) -> str:
    """Put a picture on the pod, by way of a file in `folder`; the value for LoadImage. Raises LlmError."""
    path = folder / f"{hashlib.sha256(data).hexdigest()[:16]}.{_suffix(data)}"
    try:
        await asyncio.to_thread(_write, path, data)
        return await link.pod.upload(path)
    except KnownError as error:
        raise _told(error) from error
    finally:
        with contextlib.suppress(OSError):
            await asyncio.to_thread(path.unlink, missing_ok=True)


def _write(path: Path, data: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    except OSError as error:
        raise StoreError("The picture cannot be written for the pod", f"{path}: {error.strerror}") from error


def _suffix(data: bytes) -> str:
    if data.startswith(b"\xff\xd8"):
        return "jpg"
    return "webp" if data[8:12] == b"WEBP" else "png"


def _failed(error: JobError | None) -> LlmAnswerError:
    """Why it did not run, by the input that the pod objects to where it named one."""
    if error is None:
        return LlmAnswerError("The pod has lost the job", "", "Try again")
    if _CANNOT_WRITE.search(f"{error.what} {error.why}"):
        return LlmAnswerError("The pod's text encoder cannot write", error.why, "Choose another engine")
    said = one_line("; ".join(error.fields.values()))[:_SAID]
    return LlmAnswerError(f"The pod could not run it: {error.what}", said or error.why, error.advice)


def _told(error: KnownError) -> LlmError:
    return LlmUnreachableError(error.what, error.why, error.advice)
