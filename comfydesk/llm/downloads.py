"""The downloads of this window: begun, paused, taken up again, given up; their states told as they change."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

from comfydesk.errors import KnownError
from comfydesk.events import Feed
from comfydesk.llm.fetch import Progress, fetch
from comfydesk.llm.hub import Hub
from comfydesk.llm.models import CURATED, CuratedModel, curated
from comfydesk.llm.shelf import Shelf


class DownloadState(StrEnum):
    ABSENT = "absent"
    RUNNING = "running"
    PAUSED = "paused"
    """Part of it is there, from this start or an earlier one."""
    FAILED = "failed"
    READY = "ready"


@dataclass(frozen=True, slots=True)
class DownloadStatus:
    """Of one curated model. `error` only when FAILED."""

    id: str
    state: DownloadState
    progress: Progress
    error: KnownError | None = None


class Downloads:
    """Belongs to one loop. `hub` is asked at each start: a token may have come since."""

    def __init__(self, shelf: Shelf, hub: Callable[[], Awaitable[Hub]]) -> None:
        self.states: Feed[DownloadStatus] = Feed()
        self._shelf = shelf
        self._hub = hub
        self._running: dict[str, asyncio.Task[None]] = {}
        self._last: dict[str, DownloadStatus] = {}

    def status(self, model_id: str) -> DownloadStatus:
        """As of now. Raises UsageError for an id that is none."""
        model = curated(model_id)
        if model.id in self._last:
            return self._last[model.id]
        if self._shelf.target(model).is_file():
            return DownloadStatus(model.id, DownloadState.READY, Progress(model.size, model.size))
        try:
            done = self._shelf.part(model).stat().st_size
        except OSError:
            done = 0
        return DownloadStatus(
            model.id, DownloadState.PAUSED if done else DownloadState.ABSENT, Progress(done, model.size)
        )

    def all(self) -> tuple[DownloadStatus, ...]:
        """Every curated model's, in the list's order."""
        return tuple(self.status(model.id) for model in CURATED)

    def start(self, model_id: str) -> None:
        """Begin, or go on. Again is fine. Raises UsageError."""
        model = curated(model_id)
        if model.id not in self._running:
            self._say(DownloadStatus(model.id, DownloadState.RUNNING, self.status(model.id).progress))
            task = asyncio.create_task(self._run(model), name=f"download {model.id}")
            self._running[model.id] = task

    async def pause(self, model_id: str) -> None:
        """Stop; what is there stays."""
        await self._stop(curated(model_id))

    async def cancel(self, model_id: str) -> None:
        """Stop, and delete what is there of it. A model that is whole is deleted, too."""
        model = curated(model_id)
        await self._stop(model)
        self._last.pop(model.id, None)
        self._shelf.remove(model.id)
        self.states.publish(self.status(model.id))

    async def wait(self, model_id: str) -> DownloadStatus:
        """Until it is over, however it ends."""
        if (task := self._running.get(curated(model_id).id)) is not None:
            await asyncio.wait({task})
        return self.status(model_id)

    async def close(self) -> None:
        """Pause all."""
        for model_id in tuple(self._running):
            await self.pause(model_id)

    async def _stop(self, model: CuratedModel) -> None:
        task = self._running.get(model.id)
        if task is not None:
            task.cancel()
            await asyncio.wait({task})

    async def _run(self, model: CuratedModel) -> None:
        def tell(progress: Progress) -> None:
            self._say(DownloadStatus(model.id, DownloadState.RUNNING, progress))

        try:
            await fetch(model, self._shelf.target(model), await self._hub(), on_progress=tell)
        except KnownError as error:
            self._over(model)
            self._say(DownloadStatus(model.id, DownloadState.FAILED, self.status(model.id).progress, error))
        except BaseException:
            self._over(model)
            self.states.publish(self.status(model.id))
            raise
        else:
            self._over(model)
            self.states.publish(self.status(model.id))

    def _over(self, model: CuratedModel) -> None:
        self._running.pop(model.id, None)
        self._last.pop(model.id, None)

    def _say(self, status: DownloadStatus) -> None:
        self._last[status.id] = status
        self.states.publish(status)
