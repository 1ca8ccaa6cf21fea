"""What every engine of prompt enhancement is: something that is asked once, and answers in pieces of text.

| engine | module | where it runs |
|---|---|---|
| local | `llm.local` | llama.cpp in a process of its own on this computer |
| pod | `llm.pod` | ComfyUI's TextGenerate node, as a job of the pod's queue |
| endpoint | `llm.openai` | any OpenAI-compatible server: llama-server, Ollama, vLLM, LM Studio |
"""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

MAX_ANSWER = 64 * 1024
"""Characters of one answer. An engine that sends more is stopped with LlmAnswerError."""


class EngineKind(StrEnum):
    LOCAL = "local"
    POD = "pod"
    ENDPOINT = "endpoint"


class Action(StrEnum):
    """What the user can do about an engine that is not ready; the window makes a button of it."""

    NONE = ""
    INSTALL = "install"
    """Add the extra `llm` or a llama-server program."""
    DOWNLOAD = "download"
    """Fetch a model, or add a file that is there."""
    CONNECT = "connect"
    """Connect the pod, or see that the server there runs."""
    CONFIGURE = "configure"
    """Correct the engine's settings: address, key, model, program."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether an engine can be asked now. `words`: one line for the user, also when it can."""

    ok: bool
    words: str
    action: Action = Action.NONE


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One question. `images` are encoded pictures (PNG, JPEG or WebP), for engines with `vision` only."""

    system: str
    user: str
    max_tokens: int = 512
    temperature: float = 0.7
    seed: int = 0
    """0 to 2**32 - 1. The same request with another seed is answered anew."""
    images: tuple[bytes, ...] = ()
    stop: tuple[str, ...] = ()


class Engine(Protocol):
    """Belongs to one loop. Making one is cheap and starts nothing."""

    @property
    def kind(self) -> EngineKind: ...

    @property
    def name(self) -> str:
        """For people: "This computer", the pod's name, the endpoint's host."""

    @property
    def model(self) -> str:
        """The model's name as far as it is known now; empty before the first answer of some servers."""

    @property
    def vision(self) -> bool:
        """Whether `ChatRequest.images` may be given."""

    @property
    def parallel(self) -> int:
        """How many streams it serves at once; more wait for each other."""

    async def ready(self) -> Readiness:
        """Ask whether it can be used, without starting anything dear; never raises."""

    def stream(self, request: ChatRequest) -> AsyncGenerator[str, None]:
        """The answer, piece by piece as it is made (an engine that cannot stream gives one piece), without the model's
        reasoning.

        Ends normally only when the server said that the answer is complete; LlmCutOffError comes last where its
        length was reached. Closing it (`aclose`, or cancelling the task that iterates) stops the work within 200 ms.
        Raises LlmError.
        """

    async def close(self) -> None:
        """End what was started; again is fine. Streams that still run end with LlmError."""
