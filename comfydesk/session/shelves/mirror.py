"""A pod's workflow files on this computer: read once, again when the pod says that they changed, usable without it."""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from comfydesk.client.files import inside, safe_relative_path
from comfydesk.disk import write_whole
from comfydesk.errors import PodError, PodStatusError, StoreError

INDEX = ".mirror.json"
AT_ONCE = 4
LARGEST = 20_000
"""Files of one shelf; what says that it has more is broken or hostile."""


class Mirror:
    """A folder that follows a list of files. Names are paths with slashes, stamps are opaque: another one, read again.

    An empty stamp is never the same as before.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def stamps(self) -> dict[str, str]:
        """Name → stamp of what is here."""
        return await asyncio.to_thread(self._load)

    async def sync(self, wanted: Mapping[str, str], read: Callable[[str], Awaitable[bytes]]) -> None:
        """Fetch what is new, remove what is gone. Raises PodError when the pod is lost; what came until then stays."""
        known = await self.stamps()
        kept = {name: stamp for name, stamp in known.items() if wanted.get(name) == stamp and stamp and self._has(name)}
        gone = [name for name in known if name not in wanted]
        await asyncio.to_thread(self._remove, gone)
        places = asyncio.Semaphore(AT_ONCE)

        async def one(name: str) -> None:
            async with places:
                try:
                    data = await read(name)
                except PodStatusError:
                    return  # gone meanwhile, or not for us
            writing = asyncio.ensure_future(asyncio.to_thread(self._write, name, data))
            try:
                await asyncio.shield(writing)
            finally:
                # Cancelled or not, the thread goes on: the next sync must not write the same file beside it.
                if await writing:
                    kept[name] = wanted[name]

        news = [name for name in wanted if name not in kept][:LARGEST]
        lost: PodError | None = None
        try:
            async with asyncio.TaskGroup() as group:
                for name in news:
                    group.create_task(one(name))
        except* PodError as errors:
            lost = _first(errors)  # raised below: Python before 3.11.4 wraps what is raised here in a group
        finally:
            if kept != known:
                self._save(kept)
        if lost is not None:
            raise lost

    async def put(self, name: str, stamp: str, data: bytes) -> None:
        """One file that is new."""
        stamps = await self.stamps()
        if await asyncio.to_thread(self._write, name, data):
            await asyncio.to_thread(self._save, {**stamps, name: stamp})

    def path_of(self, name: str) -> Path | None:
        """Where a file of that name is kept; None for names that lead elsewhere."""
        folder, _, file = name.rpartition("/")
        try:
            return inside(self.folder, safe_relative_path(folder, file))
        except PodError:
            return None

    def _has(self, name: str) -> bool:
        path = self.path_of(name)
        return path is not None and path.is_file()

    def _write(self, name: str, data: bytes) -> bool:
        path = self.path_of(name)
        if path is None:
            return False
        try:
            write_whole(path, data, durable=False)
        except StoreError:
            return False
        return True

    def _remove(self, names: list[str]) -> None:
        for name in names:
            path = self.path_of(name)
            if path is not None:
                with contextlib.suppress(OSError):
                    path.unlink()

    def _load(self) -> dict[str, str]:
        try:
            document = json.loads((self.folder / INDEX).read_bytes())
        except (OSError, ValueError, RecursionError):
            return {}
        if not isinstance(document, dict):
            return {}
        return {name: stamp for name, stamp in document.items() if isinstance(stamp, str)}

    def _save(self, stamps: Mapping[str, str]) -> None:
        data = json.dumps(dict(stamps)).encode("utf-8", "surrogatepass")
        with contextlib.suppress(StoreError):
            write_whole(self.folder / INDEX, data, durable=False)


def _first(errors: "BaseExceptionGroup[PodError]") -> PodError:
    error: BaseException = errors
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, PodError)
    return error
