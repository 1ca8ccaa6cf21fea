"""A demo pod, and an OpenAI-compatible server that writes 100 tokens a second.

`python -m tests.bench.token_server FOLDER` prints the URL of the server and that of the pod.
"""

import asyncio
import sys
import time
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path

from comfydesk.demo.server import DemoPod
from tests.unit.llm.fake_server import FakeServer, event, said

RATE = 100
TOKENS = 170
"""Words: an enhanced prompt has fewer than 200."""
_TEXT = (
    "a solitary lighthouse stands on dark basalt above the sea, its warm beam sweeps through thin haze and catches "
    "drops of spray. Long exposure turns the swell to silk around wet rock."
)


class _Paced(list[bytes]):
    """Each item is handed out when it is due, however late the one before was."""

    def __iter__(self) -> Iterator[bytes]:
        server.pause = 0.0
        began = time.perf_counter()
        for number, chunk in enumerate(super().__iter__()):
            yield chunk
            server.pause = max(0.0, began + (number + 1) / RATE - time.perf_counter())


server = FakeServer()


async def main() -> None:
    words = islice(cycle(_TEXT.split()), TOKENS)
    server.chunks = _Paced((*(event(f"{word} ") for word in words), *said(".")[-2:]))
    pod = DemoPod(folder=Path(sys.argv[1]))
    await pod.start()
    async with server:
        sys.stdout.write(f"{server.url} {pod.url}\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.read)
    await pod.stop()


if __name__ == "__main__":
    asyncio.run(main())
