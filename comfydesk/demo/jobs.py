"""/api/jobs: queue and history in one shape."""

from collections.abc import Iterable, Mapping
from typing import Any

from comfydesk.demo.queue import Item

STATES = ("pending", "in_progress", "completed", "failed", "cancelled")
_VISUAL = frozenset({"images", "video", "audio", "3d", "text"})
_TEXT_SUFFIXES = (".txt", ".md", ".json")
_3D_SUFFIXES = (".obj", ".fbx", ".gltf", ".glb", ".usdz")
_TEXT_LIMIT = 1024
_ENDS = ("execution_success", "execution_error", "execution_interrupted")
Job = dict[str, Any]


def queued_job(item: Item, state: str) -> Job:
    """A job that waits or runs."""
    return _without_none(
        {
            "id": item.prompt_id,
            "status": state,
            "priority": item.number,
            "create_time": item.extra_data.get("create_time"),
            "outputs_count": 0,
            "previewable_outputs_count": 0,
            "workflow_id": _workflow_id(item.extra_data),
        }
    )


def ended_job(prompt_id: str, entry: Mapping[str, Any], *, full: bool = False) -> Job:
    """A job from the history; `full` with outputs, messages and graph."""
    number, _, prompt, extra_data, _ = entry["prompt"]
    events: dict[str, Any] = dict(entry["status"]["messages"])
    end: dict[str, Any] = next((events[name] for name in _ENDS if name in events), {})
    state = "completed"
    if entry["status"]["status_str"] == "error":
        state = "cancelled" if "execution_interrupted" in events else "failed"
    items = list(_items(entry["outputs"]))
    job = _without_none(
        {
            "id": prompt_id,
            "status": state,
            "priority": number,
            "create_time": extra_data.get("create_time"),
            "execution_start_time": events.get("execution_start", {}).get("timestamp"),
            "execution_end_time": end.get("timestamp"),
            "execution_error": events.get("execution_error"),
            "outputs_count": sum(isinstance(item, Mapping) for _, _, item in items),
            "previewable_outputs_count": sum(
                isinstance(item, Mapping) and _previewable(media, item) for _, media, item in items
            ),
            "preview_output": _preview(items),
            "workflow_id": _workflow_id(extra_data),
        }
    )
    if full:
        job["outputs"] = entry["outputs"]
        job["execution_status"] = entry["status"]
        job["workflow"] = {"prompt": prompt, "extra_data": extra_data}
    return job


def sort_jobs(jobs: Iterable[Job], by: str, order: str) -> list[Job]:
    def duration(job: Job) -> float:
        start, end = job.get("execution_start_time"), job.get("execution_end_time")
        return end - start if start and end else 0

    def created(job: Job) -> float:
        return float(job.get("create_time", 0))

    return sorted(jobs, key=duration if by == "execution_duration" else created, reverse=order == "desc")


def _items(outputs: Mapping[str, Any]) -> Iterable[tuple[str, str, Any]]:
    """(node, media, item) of everything that nodes showed."""
    for node, shown in outputs.items():
        for media, items in shown.items():
            if media != "animated" and isinstance(items, list):
                yield from ((node, media, item) for item in items)


def _previewable(media: str, item: Mapping[str, Any]) -> bool:
    name = str(item.get("filename", "")).lower()
    return media in _VISUAL or name.endswith(_TEXT_SUFFIXES + _3D_SUFFIXES)


def _preview(items: list[tuple[str, str, Any]]) -> dict[str, Any] | None:
    """The item to show for the job: saved media before temporary ones, then text files, then plain text."""
    best: tuple[int, dict[str, Any]] | None = None
    for node, media, item in items:
        if isinstance(item, Mapping):
            if not _previewable(media, item):
                continue
            is_text = media == "text" or str(item.get("filename", "")).lower().endswith(_TEXT_SUFFIXES)
            rank = 2 if is_text else 0 if item.get("type") == "output" else 1
            found: dict[str, Any] = {**item, "nodeId": node, "mediaType": item.get("mediaType", media)}
        elif media == "text":
            text = str(item)
            rank = 3
            found = {"content": text[:_TEXT_LIMIT], "nodeId": node, "mediaType": media}
            if len(text) > _TEXT_LIMIT:
                found["truncated"] = True
        else:
            continue
        if best is None or rank < best[0]:
            best = (rank, found)
    return best[1] if best else None


def _workflow_id(extra_data: Mapping[str, Any]) -> Any:
    # Fails on `extra_pnginfo: null`, and with it the whole listing: ComfyUI does the same, and a client must know.
    return extra_data.get("extra_pnginfo", {}).get("workflow", {}).get("id")


def _without_none(job: Job) -> Job:
    return {name: value for name, value in job.items() if value is not None}
