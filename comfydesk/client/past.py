"""What a pod made before, for anyone: its history as values. Pure; whatever has another shape is passed over."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from comfydesk.client.remote import RemoteFile, job_from_history, output_files


@dataclass(frozen=True, slots=True)
class PastJob:
    """An ended job and what it left. `made`: when it ended, seconds since the epoch by the pod's clock."""

    id: str
    made: float | None
    files: tuple[RemoteFile, ...]
    """Of type output only: temporary ones are not meant to stay."""


@dataclass(frozen=True, slots=True)
class PastGraph:
    """What a job ran: the API graph, and the UI document if the client sent one; raw JSON objects."""

    graph: Mapping[str, Any] | None = None
    workflow: Mapping[str, Any] | None = None


def past_jobs(document: Any) -> tuple[PastJob, ...]:
    """A page of GET /history, in its order."""
    entries = document.items() if isinstance(document, dict) else ()
    return tuple(_job(prompt_id, entry) for prompt_id, entry in entries if isinstance(entry, dict))


def _job(prompt_id: str, entry: Mapping[str, Any]) -> PastJob:
    job = job_from_history(prompt_id, {prompt_id: entry})
    files = tuple(file for file in output_files(entry.get("outputs")) if file.type == "output")
    return PastJob(prompt_id, None if job is None else job.finished or job.started, files)


def past_graph(prompt_id: str, document: Any) -> PastGraph:
    """The graph in the answer of GET /history/{id}."""
    entry = document.get(prompt_id) if isinstance(document, dict) else None
    prompt = entry.get("prompt") if isinstance(entry, dict) else None
    if not isinstance(prompt, list) or len(prompt) < 4:
        return PastGraph()
    graph, extra = prompt[2], prompt[3]
    info = extra.get("extra_pnginfo") if isinstance(extra, dict) else None
    workflow = info.get("workflow") if isinstance(info, dict) else None
    return PastGraph(
        graph if isinstance(graph, dict) and graph else None,
        workflow if isinstance(workflow, dict) and workflow else None,
    )


def loose_files(document: Any) -> tuple[RemoteFile, ...]:
    """The answer of GET /internal/files/output."""
    names = document if isinstance(document, list) else []
    return tuple(
        RemoteFile(name.removesuffix(" [output]"))
        for name in names
        if isinstance(name, str) and name.endswith(" [output]") and name != " [output]"
    )
