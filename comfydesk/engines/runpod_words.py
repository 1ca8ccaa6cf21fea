"""What RunPod Serverless and worker-comfyui say, in our values and words. PURE; everything is narrowed here.

Facts: docs.runpod.io, Operation reference and Job states (2025); github.com/runpod-workers/worker-comfyui, handler.py
(5.x: `output.images` of `{filename, type, data}`; before that `output.message`). Results of /run are kept for 30
minutes; a request takes 10 MB at most.
"""

import base64
import binascii
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from comfydesk.client.remote import MAX_FILES, MAX_TEXTS, RemoteError, RemoteFile, RemoteJob
from comfydesk.engines.files import told_apart
from comfydesk.errors import AuthError, NotComfyError, PodError, PodStatusError, one_line
from comfydesk.events import RunState

MAX_REQUEST = 10 * 1000 * 1000
"""Bytes of POST /run, by RunPod's documentation."""
_STATES = {
    "IN_QUEUE": RunState.PENDING,
    "IN_PROGRESS": RunState.RUNNING,
    "RUNNING": RunState.RUNNING,
    "COMPLETED": RunState.SUCCEEDED,
    "FAILED": RunState.FAILED,
    "TIMED_OUT": RunState.FAILED,
    "CANCELLED": RunState.INTERRUPTED,
}
_SUFFIXES = {b"\x89PNG": ".png", b"\xff\xd8\xff": ".jpg", b"RIFF": ".webp", b"GIF8": ".gif"}


@dataclass(frozen=True, slots=True)
class Result:
    """A file of a job: base64 text, or the URL where it lies. Both may be large, or secret: not in the repr."""

    name: str
    base64: str = field(default="", repr=False)
    url: str = field(default="", repr=False)

    def decode(self) -> bytes:
        """The bytes. Raises NotComfyError for what is no base64."""
        text = self.base64.partition(",")[2] if self.base64.startswith("data:") else self.base64
        try:
            return base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            what = f"{self.name} came damaged"
            raise NotComfyError(what, "it is no base64", "Run the job again") from None


def results_of(document: Any) -> tuple[Result, ...]:
    """The files in the answer of GET /status, by the names we know them by."""
    output = document.get("output") if isinstance(document, Mapping) else None
    found = list(_results(output))[:MAX_FILES]
    names = told_apart(result.name for result in found)
    return tuple(Result(name, result.base64, result.url) for name, result in zip(names, found, strict=True))


def _results(output: Any) -> Iterator[Result]:
    if not isinstance(output, Mapping):
        return
    images = output.get("images")
    for image in images if isinstance(images, list) else ():
        if not isinstance(image, Mapping):
            continue
        name, kind, data = image.get("filename"), image.get("type"), image.get("data")
        if isinstance(name, str) and name and isinstance(data, str) and data:
            yield Result(name, url=data) if kind == "s3_url" else Result(name, base64=data)
    message = output.get("message")  # workers before 5.0: one picture
    if not images and isinstance(message, str) and output.get("status") == "success":
        if message.startswith("https://"):
            yield Result("result.png", url=message)
        elif len(message) > 100:
            yield Result(f"result{_suffix(message)}", base64=message)


def _suffix(text: str) -> str:
    try:
        head = base64.b64decode(text[:16])
    except (binascii.Error, ValueError):
        return ".png"
    return next((suffix for start, suffix in _SUFFIXES.items() if head.startswith(start)), ".png")


def remote_job(job_id: str, document: Any) -> RemoteJob:
    """The answer of GET /status/{id}. Raises NotComfyError for what is none."""
    status = document.get("status") if isinstance(document, Mapping) else None
    state = _STATES.get(status) if isinstance(status, str) else None
    if state is None:
        raise NotComfyError("RunPod's answer about a job cannot be read", "it has no status we know")
    output = document.get("output")
    why = _text(document.get("error")) or (_text(output.get("error")) if isinstance(output, Mapping) else "")
    if state is RunState.SUCCEEDED and why:
        state = RunState.FAILED
    if state is RunState.FAILED:
        return RemoteJob(job_id, state, error=_failure(str(status), why, output))
    if state is not RunState.SUCCEEDED:
        return RemoteJob(job_id, state)
    files = tuple(RemoteFile(result.name, job=job_id) for result in results_of(document))
    return RemoteJob(job_id, state, files, _remarks(output))


def _failure(status: str, why: str, output: Any) -> RemoteError:
    details = output.get("details") if isinstance(output, Mapping) else None
    lines = tuple(_text(line) for line in details[:100]) if isinstance(details, list) else ()
    if status == "TIMED_OUT":
        late = "it waited or ran longer than the endpoint allows"
        return RemoteError(why or late, "TIMED_OUT", traceback=lines)
    return RemoteError(why or "; ".join(lines) or "the worker does not say why", traceback=lines)


def _remarks(output: Any) -> tuple[str, ...]:
    """What went wrong on the way to a result."""
    errors = output.get("errors") if isinstance(output, Mapping) else None
    return tuple(filter(None, map(_text, errors[:MAX_TEXTS]))) if isinstance(errors, list) else ()


def health_words(document: Any) -> str:
    """The answer of GET /health: "2 workers ready, 1 busy, 3 jobs waiting". Raises NotComfyError."""
    workers = document.get("workers") if isinstance(document, Mapping) else None
    jobs = document.get("jobs") if isinstance(document, Mapping) else None
    if not isinstance(workers, Mapping) or not isinstance(jobs, Mapping):
        raise NotComfyError("Something answers there, but not as a RunPod endpoint does", "", "Check the endpoint's id")
    ready = _count(workers, "ready") or _count(workers, "idle")
    busy, starting, waiting = _count(workers, "running"), _count(workers, "initializing"), _count(jobs, "inQueue")
    found = [f"{ready} {'worker' if ready == 1 else 'workers'} ready"]
    found += [f"{number} {word}" for number, word in ((busy, "busy"), (starting, "starting")) if number]
    if waiting:
        found.append(f"{waiting} {'job' if waiting == 1 else 'jobs'} waiting")
    return ", ".join(found)


def refusal(status: int, document: Any, endpoint: str) -> PodError:
    """Why RunPod did not do what was asked, in words. Its 404 on a job is nobody's fault, and not told here."""
    said = _text(document.get("error") or document.get("message")) if isinstance(document, Mapping) else ""
    if status == 401:
        return AuthError("RunPod refused the API key (401)", said, "Make a new one under Settings at RunPod")
    if status == 403:
        return AuthError("The API key may not use that endpoint (403)", said, "Give it access under Settings at RunPod")
    if status == 402:
        return PodStatusError(402, "The account at RunPod has no credit left (402)", said, "Add credit at RunPod")
    if status == 404:
        what = f"RunPod knows no endpoint {endpoint} (404)"
        return PodStatusError(404, what, said, "It was deleted, or belongs to another account: check its id")
    if status == 413:
        what = "The job is more than RunPod takes in one request (413)"
        return PodStatusError(413, what, "10 MB with all its pictures", "Use smaller pictures")
    if status == 429:
        return PodStatusError(429, "RunPod asks us to slow down (429)", said, "Wait a moment")
    if 300 <= status < 400:
        return PodStatusError(status, "RunPod redirects to another place, which is refused", "", "Try again later")
    if status >= 500:
        return PodStatusError(status, f"RunPod is in trouble ({status})", said, "Try again later")
    return PodStatusError(status, f"RunPod refused the request ({status})", said)


def _text(value: Any) -> str:
    """A sentence of theirs, on one line."""
    return one_line(value[:4000])[:1000] if isinstance(value, str) else ""


def _count(document: Mapping[str, Any], name: str) -> int:
    value = document.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
