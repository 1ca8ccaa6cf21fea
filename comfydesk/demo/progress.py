"""What a running prompt tells its client: the messages of ComfyUI 0.33.0, in its order."""

import io
import json
import struct
import time
from collections.abc import Mapping
from typing import Any

from PIL import Image, ImageOps

from comfydesk.demo.hub import PREVIEW, PREVIEW_WITH_METADATA, TEXT, Hub

PREVIEW_SIZE = 512


class Reporter:
    """One per prompt. `messages` are those that go into the history."""

    def __init__(self, hub: Hub, prompt_id: str) -> None:
        self._hub = hub
        self._prompt_id = prompt_id
        self._nodes: dict[str, dict[str, Any]] = {}
        self.messages: list[tuple[str, dict[str, Any]]] = []

    def milestone(self, type_: str, *, broadcast: bool = False, **data: Any) -> None:
        """A message that is kept in the history too; `broadcast` also when no client asked."""
        message = {"prompt_id": self._prompt_id, **data, "timestamp": int(time.time() * 1000)}
        self.messages.append((type_, message))
        if self._hub.client is not None or broadcast:
            self._hub.post(type_, message, self._hub.client)

    def blocked(self, node: str, class_type: str, executed: list[str], message: str) -> None:
        """`execution_error` of a node that may not run; the prompt goes on, and the history does not know."""
        data = {
            "prompt_id": self._prompt_id,
            "node_id": node,
            "node_type": class_type,
            "executed": executed,
            "exception_message": f"Execution Blocked: {message}",
            "exception_type": "ExecutionBlocked",
            "traceback": [],
            "current_inputs": [],
            "current_outputs": [],
        }
        self._hub.post("execution_error", data, self._hub.client)

    def start(self, node: str) -> None:
        self._nodes[node] = {"value": 0.0, "max": 1.0, "state": "running"}
        self._send_state()

    def executing(self, node: str) -> None:
        if self._hub.client is not None:
            self._hub.node = node
            data = {"node": node, "display_node": node, "prompt_id": self._prompt_id}
            self._hub.post("executing", data, self._hub.client)

    def step(self, node: str, value: int, total: int, picture: Image.Image | None) -> None:
        """`progress`, with a preview of the kind that the client understands."""
        hub = self._hub
        self._nodes[node] = {"value": value, "max": total, "state": "running"}
        self._send_state()
        modern = hub.supports(hub.client, "supports_preview_metadata")
        if picture is not None and modern:
            about = {"node_id": node, "prompt_id": self._prompt_id, **_identity(node), "image_type": "image/jpeg"}
            head = json.dumps(about).encode()
            hub.post_bytes(PREVIEW_WITH_METADATA, struct.pack(">I", len(head)) + head + _jpeg(picture), hub.client)
        data = {"value": value, "max": total, "prompt_id": self._prompt_id, "node": node}
        hub.post("progress", data, hub.client)
        if picture is not None and not modern:
            hub.post_bytes(PREVIEW, struct.pack(">I", 1) + _jpeg(picture), hub.client)

    def say(self, node: str, text: str) -> None:
        """Progress text. It goes to every client, as from the real server's nodes."""
        name = node.encode()
        self._hub.post_bytes(TEXT, struct.pack(">I", len(name)) + name + text.encode())

    def executed(self, node: str, output: Mapping[str, Any] | None) -> None:
        if self._hub.client is not None:
            data = {"node": node, "display_node": node, "output": output, "prompt_id": self._prompt_id}
            self._hub.post("executed", data, self._hub.client)

    def finish(self, node: str) -> None:
        state = self._nodes.setdefault(node, {"value": 1, "max": 1})
        state |= {"value": state["max"], "state": "finished"}
        self._send_state()

    def over(self) -> None:
        """The very last message: after it the history can be read."""
        if self._hub.client is not None:
            self._hub.post("executing", {"node": None, "prompt_id": self._prompt_id}, self._hub.client)

    def _send_state(self) -> None:
        nodes = {
            node: {**state, "node_id": node, "prompt_id": self._prompt_id, **_identity(node)}
            for node, state in self._nodes.items()
        }
        self._hub.post("progress_state", {"prompt_id": self._prompt_id, "nodes": nodes}, self._hub.client)


def _identity(node: str) -> dict[str, str | None]:
    return {"display_node_id": node, "parent_node_id": None, "real_node_id": node}


def _jpeg(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    if max(picture.size) > PREVIEW_SIZE:
        picture = ImageOps.contain(picture, (PREVIEW_SIZE, PREVIEW_SIZE), Image.Resampling.BILINEAR)
    picture.convert("RGB").save(buffer, "JPEG", quality=90)
    return buffer.getvalue()
