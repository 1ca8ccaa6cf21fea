"""The engine of this computer: llama.cpp in a supervised process of its own.

It starts with the first question, serves one at a time, and ends when it was not asked for a while: then its memory is
free again. If it dies, it is started once more; if that fails too, the error says what it said last. Closing a stream
before its first piece ends the process (reading a long prompt cannot be interrupted otherwise).
"""

import asyncio
import contextlib
import shutil
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from comfydesk.errors import LlmAnswerError, LlmCutOffError, LlmError, LlmNotReadyError, LlmUnreachableError
from comfydesk.events import Feed
from comfydesk.llm.address import Endpoint
from comfydesk.llm.child import LOOPBACK, Serving
from comfydesk.llm.engine import Action, ChatRequest, EngineKind, Readiness
from comfydesk.llm.openai import OpenAiEngine, Pace
from comfydesk.llm.process import LlamaProcess, find_program

START_DEADLINE = 300.0
"""Seconds until the model is loaded: 5 GB from a slow disk."""
_PACE = Pace(connect=5, first=START_DEADLINE, gap=60)


@dataclass(frozen=True, slots=True)
class LocalSetup:
    """Which model, and how. `idle`: seconds without a question after which it is unloaded."""

    model: Path | None
    name: str = ""
    program: str = ""
    """A llama-server; empty: llama-cpp-python, or what is on PATH."""
    context: int = 4096
    threads: int = 0
    gpu_layers: int = -1
    idle: float = 600.0
    projector: Path | None = None
    """The model's mmproj file: with it, and a llama-server, the model looks at pictures."""


class LocalState(StrEnum):
    OFF = "off"
    LOADING = "loading"
    ON = "on"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class LocalStatus:
    """For the user: what the process does. `words` is one line."""

    state: LocalState
    words: str


class LocalEngine:
    """An `Engine`. `setup` is asked before each start, so that settings count from the next one on."""

    kind = EngineKind.LOCAL
    name = "This computer"
    parallel = 1

    def __init__(self, setup: Callable[[], LocalSetup]) -> None:
        self.states: Feed[LocalStatus] = Feed()
        self.status = LocalStatus(LocalState.OFF, "Not loaded")
        self._setup = setup
        self._process: LlamaProcess | None = None
        self._client: OpenAiEngine | None = None
        self._running: LocalSetup | None = None
        self._one_at_a_time = asyncio.Lock()
        self._idle: asyncio.TimerHandle | None = None
        self._unloading: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def model(self) -> str:
        return _name(self._setup())

    @property
    def vision(self) -> bool:
        """Whether there is an mmproj file, and a llama-server that takes it."""
        setup = self._setup()
        return setup.projector is not None and bool(_seeing(setup))

    @property
    def pid(self) -> int | None:
        """The process that serves, while there is one."""
        return self._process.pid if self._process is not None and self._process.is_running() else None

    def resident(self) -> int:
        """Bytes of memory the model's process uses now; 0 without one."""
        return self._process.resident() if self._process is not None and self.pid is not None else 0

    async def ready(self) -> Readiness:
        """Looks at files only."""
        setup = self._setup()
        if setup.model is None:
            return Readiness(False, "There is no language model on this computer yet. Download one.", Action.DOWNLOAD)
        if not setup.model.is_file():
            words = f"{setup.model.name} is not there any more. Download it, or add it from where it is now."
            return Readiness(False, words, Action.DOWNLOAD)
        try:
            find_program(setup.program)
        except LlmNotReadyError as error:
            return Readiness(False, str(error), Action.CONFIGURE if setup.program else Action.INSTALL)
        return Readiness(True, f"{_name(setup)} on this computer")

    async def stream(self, request: ChatRequest) -> AsyncGenerator[str, None]:
        """See Engine. Waits for another stream to end first."""
        async with self._one_at_a_time:
            self._stay()
            said = False
            try:
                async with aclosing(self._twice(request)) as pieces:
                    async for piece in pieces:
                        said = True
                        yield piece
            except LlmError:
                raise
            except BaseException:
                # Closed or cancelled. What reads a prompt or loads a model does not listen.
                if not said:
                    await self._stop("Not loaded: it was stopped", quickly=True)
                raise
            finally:
                self._leave()

    async def unload(self) -> None:
        """Free the memory now, unless it is answering; the next question loads it again."""
        if not self._one_at_a_time.locked():
            async with self._one_at_a_time:
                await self._stop("Not loaded")

    async def close(self) -> None:
        """See Engine."""
        self._closed = True
        self._stay()
        if self._unloading is not None:
            self._unloading.cancel()
            await asyncio.gather(self._unloading, return_exceptions=True)
        await self._stop("Not loaded")

    async def _twice(self, request: ChatRequest) -> AsyncGenerator[str, None]:
        """The answer; a process that dies before it has said anything is started once more."""
        for last in (False, True):
            client = await self._loaded(last=last)
            said = False
            try:
                async with aclosing(client.stream(request)) as pieces:
                    async for piece in pieces:
                        said = True
                        yield piece
                return
            except LlmCutOffError:
                raise
            except (LlmAnswerError, LlmUnreachableError) as error:
                crash = await self._crashed()
                if crash is None:
                    raise
                if said or last or self._closed:
                    raise crash from error
                self._say(LocalState.LOADING, "It stopped by itself, and is loaded again")

    async def _loaded(self, *, last: bool) -> OpenAiEngine:
        """A server that answers, started now if there is none."""
        setup = self._setup()
        if self._closed:
            raise LlmNotReadyError("The language model was shut down")
        if self._running != setup or self.pid is None:
            await self._stop("")
        if self._client is not None:
            return self._client
        readiness = await self.ready()
        if not readiness.ok or setup.model is None:
            raise LlmNotReadyError(readiness.words.rstrip("."))
        self._client = await self._started(setup, setup.model, last=last)
        return self._client

    async def _started(self, setup: LocalSetup, model: Path, *, last: bool) -> OpenAiEngine:
        """A new process that answers; one that dies while it loads gets a second chance, unless this is the `last`."""
        while True:
            try:
                async with asyncio.timeout(START_DEADLINE):
                    return await self._start(setup, model)
            except TimeoutError:
                what = f"{_name(setup)} did not load"
                error: LlmError = LlmUnreachableError(what, f"it took over {START_DEADLINE:g} s")
            except LlmUnreachableError as caught:
                error = await self._crashed() or caught
                if not last:
                    last = True
                    continue
            except LlmError as caught:
                error = caught
            await self._stop(str(error), LocalState.FAILED)
            raise error

    async def _start(self, setup: LocalSetup, model: Path) -> OpenAiEngine:
        self._say(LocalState.LOADING, f"Loading {_name(setup)}")
        serving = Serving(
            model=str(model),
            name=_name(setup),
            key="",
            parent=0,
            program=_seeing(setup) or find_program(setup.program),
            context=setup.context,
            threads=setup.threads,
            gpu_layers=setup.gpu_layers,
            projector=str(setup.projector) if _seeing(setup) else "",
        )
        process = self._process = LlamaProcess.launch(serving)
        self._running = setup
        port = await process.port()
        endpoint = Endpoint(f"http://{LOOPBACK}:{port}/v1", _name(setup), process.key, label="this computer")
        client = OpenAiEngine(endpoint, pace=_PACE, kind=self.kind)
        try:
            await _until_it_answers(client, process)
        except BaseException:
            await client.close()
            raise
        self._say(LocalState.ON, f"{_name(setup)} is loaded")
        return client

    async def _crashed(self) -> LlmError | None:
        """What to say if the process is dead; it is cleared away then."""
        process = self._process
        if process is None:
            return LlmError("The language model was shut down")
        for _ in range(20):  # a connection breaks a moment before its process is gone
            if not process.is_running():
                break
            await asyncio.sleep(0.01)
        else:
            return None
        crash = await asyncio.to_thread(process.crash)
        await self._stop(str(crash), LocalState.FAILED)
        return crash

    async def _stop(self, words: str, state: LocalState = LocalState.OFF, *, quickly: bool = False) -> None:
        process, self._process = self._process, None
        client, self._client = self._client, None
        self._running = None
        if process is not None:
            process.kill()  # first, and at once: the rest may take a moment
        if client is not None:
            await client.close()
        if process is not None:
            await (process.drop() if quickly else process.stop())
        if words and (process is not None or state is not self.status.state):
            self._say(state, words)

    def _stay(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None

    def _leave(self) -> None:
        """Unload after a while without questions."""
        self._stay()
        if self._process is not None and self._running is not None and not self._closed:
            self._idle = asyncio.get_running_loop().call_later(self._running.idle, self._begin_unloading)

    def _begin_unloading(self) -> None:
        self._unloading = asyncio.create_task(self.unload(), name="unload the language model")

    def _say(self, state: LocalState, words: str) -> None:
        self.status = LocalStatus(state, words)
        self.states.publish(self.status)


def _seeing(setup: LocalSetup) -> str:
    """The llama-server for a model with an mmproj file: the chosen one, else that of the PATH; "" without either."""
    if setup.projector is None or not setup.projector.is_file():
        return ""
    return shutil.which(str(Path(setup.program or "llama-server").expanduser())) or ""


def _name(setup: LocalSetup) -> str:
    return setup.name or (setup.model.stem if setup.model else "")


async def _until_it_answers(client: OpenAiEngine, process: LlamaProcess) -> None:
    """Ask until it is loaded: llama-server listens before that, and answers 503."""
    while True:
        with contextlib.suppress(LlmError):
            await client.models()
            return
        if not process.is_running():
            raise LlmUnreachableError("The language model's server does not answer")
        await asyncio.sleep(0.1)
