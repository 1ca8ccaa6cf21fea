"""Files from this disk to a pod: one multipart body, read in worker threads, never whole in memory."""

import asyncio
import mimetypes
import os
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from comfydesk.client.downloads import Progress
from comfydesk.client.files import safe_name
from comfydesk.client.rest import Rest
from comfydesk.errors import MediaError, NotComfyError, PodStatusError

BLOCK = 1 << 20


async def upload(
    rest: Rest, path: Path, *, name: str | None, subfolder: str, limit: int | None, progress: Progress | None
) -> str:
    """See Pod.upload. `limit` is the server's own for a request, if known."""
    name = safe_name(name or path.name)
    boundary = secrets.token_hex(16)
    head, tail = _frame(boundary, name, subfolder)
    try:
        size = await asyncio.to_thread(_size, path)
    except OSError as error:
        raise _unreadable(path, error) from error
    length = len(head) + size + len(tail)
    if limit is not None and length > limit:
        raise PodStatusError(
            413,
            f"{path.name} is larger than the pod takes",
            f"{size >> 20} MB, and the pod takes {limit >> 20}",
            "Use a smaller file, or start ComfyUI with a larger --max-upload-size",
        )
    body = _body(path, size, head, tail, progress)
    answer = await rest.upload(body, length=length, content_type=f"multipart/form-data; boundary={boundary}")
    return _returned_name(answer)


def _frame(boundary: str, name: str, subfolder: str) -> tuple[bytes, bytes]:
    """What stands before and after the file's bytes."""
    fields = {"type": "input", "subfolder": subfolder}
    lines = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'
        for key, value in fields.items()
    ]
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    quoted = name.replace("\\", "_").replace('"', "%22")  # HTML's own way; safe_name leaves neither anyway
    lines.append(
        f'--{boundary}\r\nContent-Disposition: form-data; name="image"; filename="{quoted}"\r\n'
        f"Content-Type: {kind}\r\n\r\n"
    )
    return "".join(lines).encode(), f"\r\n--{boundary}--\r\n".encode()


def _size(path: Path) -> int:
    with path.open("rb") as file:
        return os.fstat(file.fileno()).st_size


async def _body(path: Path, size: int, head: bytes, tail: bytes, progress: Progress | None) -> AsyncIterator[bytes]:
    yield head
    sent = 0
    try:
        file = await asyncio.to_thread(path.open, "rb")
        try:
            while sent < size and (block := await asyncio.to_thread(file.read, min(BLOCK, size - sent))):
                sent += len(block)
                yield block
                if progress is not None:
                    progress(sent, size)
        finally:
            file.close()
    except OSError as error:
        raise _unreadable(path, error) from error
    if sent < size:
        msg = f"{path.name} became shorter while it was uploaded"
        raise MediaError(msg, "", "Try again")
    yield tail


def _unreadable(path: Path, error: OSError) -> MediaError:
    return MediaError(f"{path.name} cannot be read", error.strerror or "", "Choose another file")


def _returned_name(answer: Any) -> str:
    """The name to put into the graph: another file of the same name made the pod choose a different one."""
    if not isinstance(answer, dict) or not isinstance(answer.get("name"), str) or not answer["name"]:
        raise NotComfyError("The pod took the file without telling its name")
    subfolder = answer.get("subfolder")
    return f"{subfolder}/{answer['name']}" if isinstance(subfolder, str) and subfolder else answer["name"]
