"""An engine that does as it is told, and the rooms around it."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from comfydesk.errors import LlmError
from comfydesk.events import Feed
from comfydesk.llm.engine import ChatRequest, Engine, EngineKind, Readiness
from comfydesk.session.enhancement.asking import Patience
from comfydesk.session.enhancement.enhancer import Enhancer
from comfydesk.session.enhancement.values import Choice, EngineChoice, NoEngineError
from comfydesk.session.library import Library
from comfydesk.settings import Settings

Reply = str | LlmError | Exception | None
"""What it answers; an error is raised after half of what came before; None: it hangs."""


def asked_prompt(request: ChatRequest) -> str:
    """What stands between the prompt's tags."""
    return request.user.rpartition("<prompt>")[2].partition("</prompt>")[0]


class Scripted:
    """Answers each question by `reply`, in pieces of some letters."""

    kind = EngineKind.LOCAL
    name = "Test"
    model = "scripted"
    vision = False

    def __init__(self, reply: Callable[[ChatRequest, int], Reply], *, parallel: int = 1, size: int = 7) -> None:
        self.parallel = parallel
        self.asked: list[ChatRequest] = []
        self.running = 0
        self.most = 0
        self._reply = reply
        self._size = size

    async def ready(self) -> Readiness:
        return Readiness(True, "ready")

    async def stream(self, request: ChatRequest) -> AsyncGenerator[str, None]:
        self.asked.append(request)
        reply = self._reply(request, len(self.asked) - 1)
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            if isinstance(reply, Exception):
                yield "A fox "
                await asyncio.sleep(0)
                raise reply
            if reply is None:
                await asyncio.Event().wait()
                return
            for start in range(0, len(reply), self._size):
                yield reply[start : start + self._size]
                await asyncio.sleep(0)
        finally:
            self.running -= 1

    async def close(self) -> None:
        pass


class OneEngine:
    """An EngineSource with one engine, or none."""

    def __init__(self, engine: Engine | None) -> None:
        self._engine = engine
        self.closed = False

    async def offers(self, pod: str | None) -> tuple[EngineChoice, ...]:
        return ()

    async def engine(self, choice: Choice | None, pod: str | None) -> Engine:
        if self._engine is None:
            raise NoEngineError("There is no language model yet", "", "Download one")
        return self._engine

    def choice(self, pod: str | None) -> Choice:
        return Choice.AUTOMATIC

    def choose(self, pod: str | None, choice: Choice) -> None:
        raise AssertionError("nobody chooses here")

    async def close(self) -> None:
        self.closed = True


@asynccontextmanager
async def enhancing(
    engine: Engine | None, folder: Path, *, settings: Settings | None = None, patience: Patience | None = None
) -> AsyncIterator[Enhancer]:
    """An enhancer with that engine, on a library of its own."""
    library = Library(folder / "library.sqlite", Feed())
    await library.open()
    source = OneEngine(engine)
    enhancer = Enhancer(lambda: source, library, settings or Settings(), folder / "styles", patience=patience)
    try:
        yield enhancer
    finally:
        await enhancer.close()
        await library.close()
