"""What Comfy API v2 says, in our values and words: jobs, live events, errors. PURE; everything is narrowed here.

Facts: comfy-sdk 0.5 (comfy_low.models, generated from the contract) and comfy-api-proxy 0.1.6.
"""

import base64
import binascii
import math
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from comfydesk.client.remote import MAX_FILES, RemoteError, RemoteFile, RemoteJob
from comfydesk.engines.files import told_apart
from comfydesk.errors import AuthError, PodError, PodStatusError, PromptRejectedError, one_line
from comfydesk.events import (
    ExecutionFailed,
    ExecutionInterrupted,
    ExecutionSucceeded,
    NodeExecuting,
    PodEvent,
    PreviewFrame,
    RunState,
    StepProgress,
)

if TYPE_CHECKING:
    from comfy_low import ApiError, RawEvent
    from comfy_low.models import Job, Output

MAX_PREVIEW = 8 << 20
LABEL = "comfydesk_job"
"""Key of the label that a job of ours has there: by it a job is found whose id never reached us."""
_ID = re.compile(r"[A-Za-z0-9._~=-]{1,2048}\Z")
_ASSET = re.compile(r"asset:([A-Za-z0-9._~=-]{1,2048})#(.{1,255})\Z", re.DOTALL)
_STATES = {
    "queued": RunState.PENDING,
    "running": RunState.RUNNING,
    "canceling": RunState.RUNNING,
    "succeeded": RunState.SUCCEEDED,
    "failed": RunState.FAILED,
    "canceled": RunState.INTERRUPTED,
}
_PICTURES = {"image/jpeg": "jpeg", "image/png": "png"}


class KeyUsedError(PodError):
    """A job was sent under this Idempotency-Key before: it arrived, and its answer did not."""


def is_id(text: object) -> bool:
    """Whether it can stand in a path as it is."""
    return isinstance(text, str) and bool(_ID.match(text)) and text not in (".", "..")


def asset_value(asset: str, name: str) -> str:
    """What an uploaded file is called in our graphs."""
    return f"asset:{asset}#{name[-200:]}"


def with_assets(graph: Mapping[str, Any]) -> dict[str, Any]:
    """The graph as it is sent: what `asset_value` made becomes the reference that the API wants."""
    sent: dict[str, Any] = {}
    for node, spec in graph.items():
        inputs = spec.get("inputs") if isinstance(spec, Mapping) else None
        if isinstance(inputs, Mapping):
            sent[node] = {**spec, "inputs": {name: _reference(value) for name, value in inputs.items()}}
        else:
            sent[node] = spec
    return sent


def _reference(value: Any) -> Any:
    match = _ASSET.match(value) if isinstance(value, str) else None
    return value if match is None else {"__type": "core/ASSET", "info": {"id": match[1], "file_path": match[2]}}


def outputs_of(job: "Job") -> dict[str, "Output"]:
    """Its outputs by the names we know them by."""
    kept = [output for output in job.outputs if output.name and is_id(output.id)][:MAX_FILES]
    return dict(zip(told_apart(output.name for output in kept), kept, strict=True))


def remote_job(name: str, job: "Job") -> RemoteJob | None:
    """Where it stands, under the id that we call it. None: it has expired there, and nobody knows how it ended."""
    state = _STATES.get(job.status.value)
    if state is None:
        return None
    files = tuple(RemoteFile(file, node=output.node_id, job=name) for file, output in outputs_of(job).items())
    return RemoteJob(
        name,
        state,
        files if state.ended else (),
        error=_failure(job) if state is RunState.FAILED else None,
        started=None if job.started_at is None else job.started_at.timestamp(),
        finished=None if job.completed_at is None else job.completed_at.timestamp(),
    )


def _failure(job: "Job") -> RemoteError:
    error = job.error
    if error is None:
        return RemoteError("it does not say why")
    trace = (error.traceback,) if error.traceback else ()
    return RemoteError(error.message, error.code, error.node_id, error.class_type, trace)


def events_of(name: str, raw: "RawEvent") -> Iterator[PodEvent]:
    """What a frame of the live stream means, for the job that we call `name`."""
    data = raw.data
    if raw.event == "progress":
        node = data.get("current_node")
        if isinstance(node, str) and node:
            yield NodeExecuting(name, node)
            step, steps = _number(data.get("step")), _number(data.get("steps"))
            if step is not None and steps:
                yield StepProgress(name, node, step, steps)
    elif raw.event == "preview":
        frame = _preview(name, data)
        if frame is not None:
            yield frame
    elif raw.event == "status":
        ends: dict[str, PodEvent] = {
            "succeeded": ExecutionSucceeded(name),
            "failed": ExecutionFailed(name, None, None, "", ""),
            "canceled": ExecutionInterrupted(name, None, None),
        }
        end = ends.get(str(data.get("status")))
        if end is not None:
            yield end


def is_end(raw: "RawEvent") -> bool:
    """Whether the stream has nothing more to say."""
    return raw.event == "status" and raw.data.get("status") in ("succeeded", "failed", "canceled", "expired")


def _preview(name: str, data: Mapping[str, Any]) -> PreviewFrame | None:
    kind, text, node = _PICTURES.get(str(data.get("content_type"))), data.get("data_base64"), data.get("node_id")
    if kind is None or not isinstance(text, str) or len(text) > MAX_PREVIEW * 4 // 3:
        return None
    try:
        picture = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return PreviewFrame(kind, picture, name, node if isinstance(node, str) else None)


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        return None
    return float(value)


def refusal(error: "ApiError") -> PodError:
    """Why it did not do what was asked, in words."""
    status, said = error.http_status, _said(error)
    if status == 401:
        return AuthError("The API key was refused (401)", said, "Make a new one in your account, and type it here")
    if status == 403:
        return AuthError("The API key may not do that (403)", said, "Check what it is allowed to, and your plan")
    if status == 402:
        return PodStatusError(402, "The account has no credit left (402)", said, "Add credit, then run it again")
    if error.code in ("invalid_workflow", "missing_asset", "workflow_format_ui") and status in (400, 422):
        document = {"type": error.code, "message": error.message}
        return PromptRejectedError("The workflow was refused", said, document, _node_errors(error.details))
    if error.code == "deployment_stopped":
        return PodStatusError(status, "The deployment is stopped", said, "Start it in your account")
    if status == 429:
        waiting = {"queue_full": "Its queue is full", "deployment_not_ready": "The deployment is still starting"}
        return PodStatusError(429, f"{waiting.get(error.code, 'It asks us to slow down')} (429)", said, "Wait a moment")
    if status == 404:
        return PodStatusError(404, "It is not there, or not any more (404)", said)
    if 300 <= status < 400:
        return PodStatusError(status, "It redirects to another place, which is refused", "", "Check its address")
    if status >= 500:
        return PodStatusError(status, f"The service is in trouble ({status})", said, "Try again later")
    return PodStatusError(status, f"The request was refused ({status})", said)


def _said(error: "ApiError") -> str:
    words = one_line(error.message)
    return words if len(words) <= 300 else words[:297] + "..."


def _node_errors(details: Any) -> dict[str, Any]:
    """As POST /prompt has them: a proxy passes them on, the contract's own are `[{field, reason}]` per node."""
    found = details.get("node_errors") if isinstance(details, Mapping) else None
    errors: dict[str, Any] = {}
    for node, entry in found.items() if isinstance(found, Mapping) else ():
        listed = [_node_error(item) for item in entry if isinstance(item, Mapping)] if isinstance(entry, list) else []
        errors[str(node)] = {"errors": listed} if isinstance(entry, list) else entry
    return errors


def _node_error(item: Mapping[str, Any]) -> dict[str, Any]:
    message = str(item.get("message") or item.get("reason") or "refused").replace("_", " ")
    return {"message": message, "extra_info": {"input_name": item.get("field")}}
