"""The demo pod of this computer, started when somebody wants it first."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from comfydesk.session.values import PodTarget

if TYPE_CHECKING:
    from comfydesk.demo.process import DemoProcess

FOLDER = "demo-pod"
"""Its disk, in the data folder."""


class DemoKeeper:
    """At most one demo pod, in a process of its own; `close` ends it."""

    def __init__(self, data: Path) -> None:
        self._folder = data / FOLDER
        self._process: asyncio.Future[DemoProcess] | None = None

    async def target(self) -> PodTarget:
        """Where it is; started if it does not run. Raises PodError."""
        from comfydesk.demo.process import DemoProcess

        if self._process is None or (self._process.done() and not _runs(self._process)):
            # The thread that starts it cannot be cancelled: what it brings is kept, whoever waits for it still.
            self._process = asyncio.ensure_future(DemoProcess.start(self._folder))
        return PodTarget.demo((await asyncio.shield(self._process)).url)

    async def close(self) -> None:
        """Also what is only starting. Again is fine."""
        process, self._process = self._process, None
        if process is not None:
            await asyncio.wait((process,))
            if _runs(process):
                await process.result().stop()


def _runs(process: "asyncio.Future[DemoProcess]") -> bool:
    return not process.cancelled() and process.exception() is None and process.result().is_running()
