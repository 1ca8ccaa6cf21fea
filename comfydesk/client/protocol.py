"""ComfyUI's WebSocket, sans I/O: a frame comes in, an event goes out.

Field facts are measured on ComfyUI 0.33.0. A pod may send anything, so whatever is not an event of ours is a
ProtocolError (damaged) or an UnknownMessage (a custom node's own): never another exception, never an endless loop.
"""

import json
import math
import struct
from collections.abc import Mapping
from typing import Any

from comfydesk.errors import PodError
from comfydesk.events import (
    ExecutionCached,
    ExecutionFailed,
    ExecutionInterrupted,
    ExecutionStarted,
    ExecutionSucceeded,
    FeatureFlags,
    GraphProgress,
    NodeExecuted,
    NodeExecuting,
    NodeState,
    PodEvent,
    PreviewFrame,
    ProgressText,
    QueueStatus,
    StepProgress,
    UnknownMessage,
)

MAX_TEXT = 16 << 20
"""Bytes of a text frame. The largest honest one (progress_state of 10,000 nodes) has about 2 MB."""
_MAX_ID = 512
_MAX_QUEUE = 1 << 53

_PREVIEW, _UNENCODED, _TEXT, _PREVIEW_WITH_METADATA = 1, 2, 3, 4


class ProtocolError(PodError):
    """A frame that no ComfyUI sends. The connection may go on: the next frame can be fine."""

    def __init__(self, why: str) -> None:
        super().__init__("The pod sent a message that cannot be read", why)


def hello() -> str:
    """What a client says first on every connection. Without it previews come without node and prompt ids."""
    return json.dumps({"type": "feature_flags", "data": {"supports_preview_metadata": True}})


def decode(frame: str | bytes) -> PodEvent:
    """One WebSocket message as an event. Raises ProtocolError."""
    return _decode_binary(frame) if isinstance(frame, bytes) else _decode_text(frame)


def _decode_text(frame: str) -> PodEvent:
    if len(frame) > MAX_TEXT:
        raise ProtocolError("it is too long")
    message = _json(frame)
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        raise ProtocolError("it has no type")
    data = message.get("data")
    reader = _READERS.get(message["type"])
    if reader is None:
        return UnknownMessage(message["type"], data)
    if not isinstance(data, dict):
        msg = f"a {message['type']} without data"
        raise ProtocolError(msg)
    return reader(data)


def _json(text: str | bytes) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:  # ValueError: JSONDecodeError, and integers of over 4,300 digits
        raise ProtocolError("it is no JSON") from error


# --- Values, narrowed ---------------------------------------------------------------------------------------------


def _identifier(value: Any, what: str) -> str:
    """An id as a string; servers before 2024 sent node ids as integers."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < _MAX_QUEUE:
        value = str(value)
    if not isinstance(value, str) or not value or len(value) > _MAX_ID:
        msg = f"it has no {what}"
        raise ProtocolError(msg)
    return value


def _optional_id(value: Any, what: str) -> str | None:
    return None if value is None else _identifier(value, what)


def _number(value: Any) -> float:
    """A finite number; anything else counts as 0. Integers keep their type."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0.0
    try:
        return value if math.isfinite(value) else 0.0
    except OverflowError:  # an integer beyond a float's range
        return 0.0


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _strings(value: Any) -> tuple[str, ...]:
    return tuple(entry for entry in value if isinstance(entry, str)) if isinstance(value, list) else ()


def _ids(value: Any) -> tuple[str, ...]:
    return tuple(_identifier(entry, "node id") for entry in value) if isinstance(value, list) else ()


# --- Text frames --------------------------------------------------------------------------------------------------


def _status(data: Mapping[str, Any]) -> PodEvent:
    status = data.get("status")
    info = status.get("exec_info") if isinstance(status, dict) else None
    remaining = info.get("queue_remaining") if isinstance(info, dict) else None
    if isinstance(remaining, bool) or not isinstance(remaining, int) or not 0 <= remaining < _MAX_QUEUE:
        raise ProtocolError("a status without the queue's length")
    return QueueStatus(remaining, _optional_id(data.get("sid"), "session id"))


def _executing(data: Mapping[str, Any]) -> PodEvent:
    if "node" not in data:
        raise ProtocolError("executing without a node")
    return NodeExecuting(
        _optional_id(data.get("prompt_id"), "prompt id"),
        _optional_id(data["node"], "node id"),
        _optional_id(data.get("display_node"), "node id"),
    )


def _progress(data: Mapping[str, Any]) -> PodEvent:
    return StepProgress(
        _optional_id(data.get("prompt_id"), "prompt id"),
        _optional_id(data.get("node"), "node id"),
        _number(data.get("value")),
        _number(data.get("max")),
    )


def _progress_state(data: Mapping[str, Any]) -> PodEvent:
    nodes = data.get("nodes")
    if not isinstance(nodes, dict):
        raise ProtocolError("progress_state without nodes")
    states = tuple(_node_state(node, state) for node, state in nodes.items() if isinstance(state, dict))
    return GraphProgress(_identifier(data.get("prompt_id"), "prompt id"), states)


def _node_state(node: str, state: Mapping[str, Any]) -> NodeState:
    return NodeState(
        _identifier(node, "node id"),
        _text(state.get("state")),
        _number(state.get("value")),
        _number(state.get("max")),
        _optional_id(state.get("display_node_id"), "node id"),
        _optional_id(state.get("parent_node_id"), "node id"),
    )


def _executed(data: Mapping[str, Any]) -> PodEvent:
    output = data.get("output")
    return NodeExecuted(
        _identifier(data.get("prompt_id"), "prompt id"),
        _identifier(data.get("node"), "node id"),
        _optional_id(data.get("display_node"), "node id"),
        output if isinstance(output, dict) else None,
    )


def _failed(data: Mapping[str, Any]) -> PodEvent:
    inputs = data.get("current_inputs")
    return ExecutionFailed(
        _identifier(data.get("prompt_id"), "prompt id"),
        _optional_id(data.get("node_id"), "node id"),
        data["node_type"] if isinstance(data.get("node_type"), str) else None,
        _text(data.get("exception_type")),
        _text(data.get("exception_message")),
        _strings(data.get("traceback")),
        inputs if isinstance(inputs, dict) else {},
    )


def _interrupted(data: Mapping[str, Any]) -> PodEvent:
    return ExecutionInterrupted(
        _identifier(data.get("prompt_id"), "prompt id"),
        _optional_id(data.get("node_id"), "node id"),
        data["node_type"] if isinstance(data.get("node_type"), str) else None,
    )


_READERS = {
    "status": _status,
    "feature_flags": FeatureFlags,
    "execution_start": lambda data: ExecutionStarted(_identifier(data.get("prompt_id"), "prompt id")),
    "execution_cached": lambda data: ExecutionCached(
        _identifier(data.get("prompt_id"), "prompt id"), _ids(data.get("nodes"))
    ),
    "executing": _executing,
    "progress": _progress,
    "progress_state": _progress_state,
    "executed": _executed,
    "execution_success": lambda data: ExecutionSucceeded(_identifier(data.get("prompt_id"), "prompt id")),
    "execution_error": _failed,
    "execution_interrupted": _interrupted,
}


# --- Binary frames: big-endian u32 kind, then --------------------------------------------------------------------
#     1: u32 1=JPEG 2=PNG, image      3: u32 length, node id, UTF-8 text      4: u32 length, JSON, image


def _decode_binary(frame: bytes) -> PodEvent:
    if len(frame) < 8:
        raise ProtocolError("it is too short")
    kind, word = struct.unpack_from(">II", frame)
    if kind == _PREVIEW:
        return _legacy_preview(word, frame)
    if kind == _TEXT:
        return _progress_text(word, frame)
    if kind == _PREVIEW_WITH_METADATA:
        return _preview(word, frame)
    return UnknownMessage(f"binary {kind}")


def _legacy_preview(image_type: int, frame: bytes) -> PodEvent:
    """Also what SaveImageWebsocket sends: a full PNG."""
    if image_type not in (1, 2) or len(frame) == 8:
        raise ProtocolError("a preview without a picture")
    return PreviewFrame("jpeg" if image_type == 1 else "png", frame[8:])


def _progress_text(length: int, frame: bytes) -> PodEvent:
    if length > min(len(frame) - 8, 4 * _MAX_ID):
        raise ProtocolError("a progress text that is cut off")
    node = frame[8 : 8 + length].decode("utf-8", errors="replace")
    return ProgressText(_identifier(node, "node id"), frame[8 + length :].decode("utf-8", errors="replace"))


def _preview(length: int, frame: bytes) -> PodEvent:
    start = 8 + length
    if length > MAX_TEXT or start >= len(frame):
        raise ProtocolError("a preview that is cut off")
    metadata = _json(frame[8:start])
    if not isinstance(metadata, dict):
        raise ProtocolError("a preview without its metadata")
    image_type = _text(metadata.get("image_type"))
    if image_type not in ("image/jpeg", "image/png"):
        return UnknownMessage(f"preview {image_type}"[:_MAX_ID])
    return PreviewFrame(
        image_type.removeprefix("image/"),
        frame[start:],
        _optional_id(metadata.get("prompt_id"), "prompt id"),
        # What a person sees: the node of the workflow that an expanded node stands for.
        _optional_id(metadata.get("display_node_id") or metadata.get("node_id"), "node id"),
    )
