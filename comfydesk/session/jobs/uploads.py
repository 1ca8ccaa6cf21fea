"""Inputs from this computer: hashed when a job is enqueued, uploaded to its pod once before it is sent."""

import asyncio
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from comfydesk.errors import MediaError
from comfydesk.session.library import Library
from comfydesk.session.pods.executor import Executor
from comfydesk.store import workflows as documents
from comfydesk.store.records import LocalFile


def read_local_file(path: Path) -> LocalFile:
    """The file with its hash. Raises MediaError if it cannot be read."""
    path = path.expanduser().absolute()
    digest = hashlib.sha256()
    size = 0
    try:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
                size += len(block)
    except OSError as error:
        what = f"{path.name} cannot be read"
        raise MediaError(what, f"{path}: {error.strerror}") from error
    return LocalFile(str(path), digest.hexdigest(), size)


async def take_in(values: Mapping[str, Any]) -> dict[str, Any]:
    """A form's values with every Path read into a LocalFile. Raises MediaError.

    Only a Path is a file of this computer: a text, which a workflow may have brought along, never is.
    """
    taken: dict[str, Any] = {}
    for field, value in values.items():
        taken[field] = await asyncio.to_thread(read_local_file, value) if isinstance(value, Path) else value
    return taken


class Uploads:
    """Puts local files on pods, each content once per pod."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._locks: dict[tuple[str, str], asyncio.Lock] = {}

    async def resolve(self, values: Mapping[str, Any], pod_id: str, pod: Executor) -> dict[str, Any]:
        """The values as the pod takes them: a LocalFile becomes the name it has there.

        Raises PodError, or MediaError if the file is no longer what was enqueued.
        """
        resolved = dict(values)
        for field, value in values.items():
            if isinstance(value, LocalFile):
                resolved[field] = await self._name(value, pod_id, pod)
        return resolved

    async def forget(self, values: Mapping[str, Any], pod_id: str) -> bool:
        """The pod may have lost them: upload them again next time. Returns whether there was any."""
        files = [value for value in values.values() if isinstance(value, LocalFile)]
        for file in files:
            await self._library.call(documents.forget_upload, pod_id, file.sha256)
        return bool(files)

    async def _name(self, file: LocalFile, pod_id: str, pod: Executor) -> str:
        # Two jobs with the same new input: the second waits for the first's upload.
        async with self._locks.setdefault((pod_id, file.sha256), asyncio.Lock()):
            name = await self._library.call(documents.uploaded, pod_id, file.sha256)
            if name is None:
                current = await asyncio.to_thread(read_local_file, Path(file.path))
                if current.sha256 != file.sha256:
                    what = f"{Path(file.path).name} was changed after the job was queued"
                    raise MediaError(what, "", "Queue the job again to use the new file")
                name = await pod.upload(Path(file.path))
                await self._library.call(documents.remember_upload, pod_id, file.sha256, name)
            return name
