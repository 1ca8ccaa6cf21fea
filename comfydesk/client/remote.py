"""What a pod tells about its jobs and itself over HTTP, as values: /api/jobs, /history, /queue, /system_stats.

Pure. Everything is narrowed where it enters: a field of the wrong type counts as absent, a document of the wrong
shape raises NotComfyError.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from comfydesk.errors import NotComfyError
from comfydesk.events import RunState

MAX_FILES = 10_000
"""Of one job; beyond that a pod is broken or hostile."""
MAX_TEXTS = 1_000
_THREE_D = (".obj", ".fbx", ".gltf", ".glb", ".usdz")
_STATES = {
    "pending": RunState.PENDING,
    "in_progress": RunState.RUNNING,
    "completed": RunState.SUCCEEDED,
    "failed": RunState.FAILED,
    "cancelled": RunState.INTERRUPTED,
}


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file on a pod, as /view wants it. `type` is output, temp or input. `node` made it, if known.

    `job` is the id of its job there, where that is needed to find it (engines keep results by job).
    """

    filename: str
    subfolder: str = ""
    type: str = "output"
    node: str = ""
    job: str = ""


@dataclass(frozen=True, slots=True)
class RemoteError:
    """Why a pod ended a job, in its own words."""

    message: str
    exception_type: str = ""
    node: str | None = None
    node_type: str | None = None
    traceback: tuple[str, ...] = ()
    inputs: Mapping[str, Any] = field(default_factory=dict)
    """What the node was given: scalars and texts only, links resolved; large things are left out."""


@dataclass(frozen=True, slots=True)
class RemoteJob:
    """Where a job stands on the pod. Times are seconds since the epoch, by the pod's clock.

    `blocked`: branches that ended in ExecutionBlocked although the job went on.
    """

    prompt_id: str
    state: RunState
    outputs: tuple[RemoteFile, ...] = ()
    texts: tuple[str, ...] = ()
    error: RemoteError | None = None
    started: float | None = None
    finished: float | None = None
    blocked: tuple[RemoteError, ...] = ()


@dataclass(frozen=True, slots=True)
class Device:
    """One GPU (or the CPU). Bytes."""

    name: str
    type: str
    vram_total: int
    vram_free: int


@dataclass(frozen=True, slots=True)
class SystemStats:
    """What the pod is. Bytes; empty strings and zeros where it does not say."""

    version: str = ""
    python: str = ""
    pytorch: str = ""
    os: str = ""
    ram_total: int = 0
    ram_free: int = 0
    devices: tuple[Device, ...] = ()


def job_from_api(prompt_id: str, document: Any) -> RemoteJob:
    """The answer of GET /api/jobs/{id}."""
    job = _mapping(document, "a job")
    state = _STATES.get(_str(job.get("status")))
    if state is None:
        raise NotComfyError("The pod's answer about a job cannot be read", "it has no status we know")
    status = job.get("execution_status")
    story = _Story(status.get("messages") if isinstance(status, dict) else None)
    error = story.error
    if error is None and isinstance(job.get("execution_error"), dict):
        error = _error(job["execution_error"])
    return RemoteJob(
        prompt_id,
        state,
        output_files(job.get("outputs")),
        output_texts(job.get("outputs")),
        _final_error(state, error),
        _seconds(job.get("execution_start_time")) or story.started,
        _seconds(job.get("execution_end_time")) or story.finished,
        story.blocked,
    )


def job_from_history(prompt_id: str, document: Any) -> RemoteJob | None:
    """The answer of GET /history/{id}; None when it is not in there (unknown, or not ended yet)."""
    entry = _mapping(document, "the history").get(prompt_id)
    if not isinstance(entry, dict):
        return None
    status = entry.get("status")
    status = status if isinstance(status, dict) else {}
    story = _Story(status.get("messages"))
    if status.get("status_str") == "error":
        state = RunState.INTERRUPTED if story.interrupted else RunState.FAILED
    else:  # servers of 2023 kept no status: what is in the history has run
        state = RunState.SUCCEEDED
    return RemoteJob(
        prompt_id,
        state,
        output_files(entry.get("outputs")),
        output_texts(entry.get("outputs")),
        _final_error(state, story.error),
        story.started,
        story.finished,
        story.blocked,
    )


def job_from_queue(prompt_id: str, document: Any) -> RemoteJob | None:
    """The answer of GET /queue; None when it is not in there."""
    queue = _mapping(document, "the queue")
    for key, state in (("queue_running", RunState.RUNNING), ("queue_pending", RunState.PENDING)):
        if any(entry == prompt_id for entry in _queue_ids(queue.get(key))):
            return RemoteJob(prompt_id, state)
    return None


def queue_ids(document: Any) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Ids that run and ids that wait, from GET /queue; the waiting ones in the order they will run."""
    queue = _mapping(document, "the queue")
    return tuple(_queue_ids(queue.get("queue_running"))), tuple(_queue_ids(queue.get("queue_pending")))


def output_files(outputs: Any) -> tuple[RemoteFile, ...]:
    """All files in a node → ui dict mapping, in order, each once."""
    found: dict[tuple[str, str, str], RemoteFile] = {}
    for node, _, item in _items(outputs):
        file = _file(node, item)
        if file is not None and len(found) < MAX_FILES:
            found.setdefault((file.type, file.subfolder, file.filename), file)
    return tuple(found.values())


def output_texts(outputs: Any) -> tuple[str, ...]:
    """What nodes such as PreviewAny show: strings under `text`."""
    texts = (item for _, key, item in _items(outputs) if key == "text" and isinstance(item, str))
    return tuple(text for text, _ in zip(texts, range(MAX_TEXTS), strict=False))


def system_stats(document: Any) -> SystemStats:
    """The answer of GET /system_stats. NotComfyError when it is something else's."""
    stats = _mapping(document, "its statistics")
    system, devices = stats.get("system"), stats.get("devices")
    if not isinstance(system, dict) or not isinstance(devices, list):
        raise NotComfyError(
            "Something answers at that address, but it is not ComfyUI", "", "Check the port: ComfyUI's own is 8188"
        )
    return SystemStats(
        version=_str(system.get("comfyui_version")),
        python=_str(system.get("python_version")).split(" ")[0],
        pytorch=_str(system.get("pytorch_version")),
        os=_str(system.get("os")),
        ram_total=_int(system.get("ram_total")),
        ram_free=_int(system.get("ram_free")),
        devices=tuple(_device(entry) for entry in devices if isinstance(entry, dict)),
    )


def queue_remaining(document: Any) -> int:
    """The answer of GET /prompt: prompts that run or wait, anyone's."""
    info = _mapping(document, "the queue").get("exec_info")
    remaining = info.get("queue_remaining") if isinstance(info, dict) else None
    if isinstance(remaining, bool) or not isinstance(remaining, int) or remaining < 0:
        raise NotComfyError("The pod does not tell the length of its queue")
    return remaining


class _Story:
    """The execution_* messages that a history entry keeps."""

    def __init__(self, messages: Any) -> None:
        self.error: RemoteError | None = None
        self.blocked: tuple[RemoteError, ...] = ()
        self.interrupted = False
        self.started: float | None = None
        self.finished: float | None = None
        for message in messages if isinstance(messages, list) else ():
            if isinstance(message, list) and len(message) >= 2 and isinstance(message[1], dict):
                self._read(message[0], message[1])

    def _read(self, event: Any, data: Mapping[str, Any]) -> None:
        time = _seconds(data.get("timestamp"))
        if event == "execution_start":
            self.started = time
        elif event in ("execution_success", "execution_interrupted"):
            self.finished = time
            self.interrupted = event == "execution_interrupted"
        elif event == "execution_error":
            error = _error(data)
            if error.exception_type == "ExecutionBlocked":  # not the end: execution_success follows
                self.blocked = (*self.blocked, error)[:100]
            else:
                self.error, self.finished = error, time


def _final_error(state: RunState, error: RemoteError | None) -> RemoteError | None:
    if state is RunState.FAILED:
        return error or RemoteError("the pod does not say why")
    return None


def _error(data: Mapping[str, Any]) -> RemoteError:
    node, node_type, lines = data.get("node_id"), data.get("node_type"), data.get("traceback")
    return RemoteError(
        _str(data.get("exception_message")).strip(),
        _str(data.get("exception_type")),
        str(node) if isinstance(node, str | int) else None,
        node_type if isinstance(node_type, str) else None,
        tuple(line for line in lines if isinstance(line, str)) if isinstance(lines, list) else (),
        _given(data.get("current_inputs")),
    )


def _given(inputs: Any) -> dict[str, Any]:
    """Each input comes as a list with an entry per run of the node; a single plain one says something."""
    found: dict[str, Any] = {}
    for name, values in inputs.items() if isinstance(inputs, dict) else ():
        value = values[0] if isinstance(values, list) and len(values) == 1 else None
        if isinstance(name, str) and isinstance(value, str | int | float) and len(found) < MAX_TEXTS:
            found[name] = value
    return found


def _items(outputs: Any) -> Iterator[tuple[str, str, Any]]:
    """(node, key, item) of every list in the outputs; `animated` lists flags, not files."""
    for node, ui in outputs.items() if isinstance(outputs, dict) else ():
        for key, items in ui.items() if isinstance(ui, dict) else ():
            if key != "animated" and isinstance(items, list):
                for item in items:
                    yield node, key, item


def _file(node: str, item: Any) -> RemoteFile | None:
    if isinstance(item, str) and item.lower().endswith(_THREE_D):
        # 3D nodes list bare paths below the output folder.
        subfolder, _, filename = item.replace("\\", "/").rpartition("/")
        return RemoteFile(filename, subfolder, node=node) if filename else None
    if not isinstance(item, dict) or not isinstance(item.get("filename"), str) or not item["filename"]:
        return None
    return RemoteFile(item["filename"], _str(item.get("subfolder")), _str(item.get("type")) or "output", node)


def _queue_ids(items: Any) -> Iterator[str]:
    """Ids in run order: the list comes in heap order, and (number, id) decides."""
    rows = (
        [
            (number, prompt_id)
            for number, prompt_id, *_ in (row for row in items if isinstance(row, list) and len(row) >= 2)
            if isinstance(prompt_id, str)
            and isinstance(number, int | float)
            and not (isinstance(number, float) and math.isnan(number))
        ]
        if isinstance(items, list)
        else []
    )
    return (prompt_id for _, prompt_id in sorted(rows))


def _device(entry: Mapping[str, Any]) -> Device:
    return Device(
        _str(entry.get("name")), _str(entry.get("type")), _int(entry.get("vram_total")), _int(entry.get("vram_free"))
    )


def _mapping(document: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(document, dict):
        msg = f"The pod's answer about {what.removeprefix('a ')} cannot be read"
        raise NotComfyError(msg, "it has another shape")
    return document


def _str(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _int(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _seconds(value: Any) -> float | None:
    """From milliseconds, as ComfyUI counts."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e14:
        return None
    return value / 1000
