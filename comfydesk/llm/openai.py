"""One client for every OpenAI-compatible server: `POST …/chat/completions` as a stream, and `GET …/models`.

Known to differ, and handled: llama-server answers 503 while it loads; llama_cpp.server answers 200 with nothing when a
prompt is too long; Ollama wants the exact tag as the model; reasoning comes as `reasoning_content`, as `reasoning`, or
inline. Nothing is unbounded, no redirect is followed (a key would travel along), no proxy or .netrc is read for it
that the system does not name.
"""

import asyncio
import base64
import contextlib
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import httpx

from comfydesk.errors import LlmAnswerError, LlmCutOffError, LlmError, LlmUnreachableError
from comfydesk.llm import answers
from comfydesk.llm.address import Endpoint, proxy_for
from comfydesk.llm.engine import MAX_ANSWER, Action, ChatRequest, EngineKind, Readiness
from comfydesk.llm.raw import raw
from comfydesk.llm.reasoning import ReasoningFilter
from comfydesk.llm.sse import EventStream

MAX_BYTES = 16 * 1024 * 1024
"""Of one answer on the wire, reasoning and JSON included."""
MAX_PLAIN = 4 * 1024 * 1024
"""Bytes of an answer that is no stream: errors, lists of models."""


Deadline: TypeAlias = Callable[[], float]
"""The loop's time at which patience ends: later after each piece."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds. `first`: until the first piece (a model is loaded and the prompt read); `gap`: between pieces."""

    connect: float = 5.0
    first: float = 300.0
    gap: float = 60.0
    again: float = 0.5
    """Between questions to a server that is still loading."""
    ask: float = 10.0
    """For the list of models."""


class OpenAiEngine:
    """An `Engine` over one endpoint. `transport` stands for the network in tests."""

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        pace: Pace | None = None,
        kind: EngineKind = EngineKind.ENDPOINT,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.endpoint = endpoint
        self.kind = kind
        self.parallel = endpoint.parallel
        self._pace = pace or Pace()
        self._transport = transport
        self._client: httpx.AsyncClient | None = None
        self._model = endpoint.model
        self._no_template_options = False

    @property
    def name(self) -> str:
        return self.endpoint.name

    @property
    def model(self) -> str:
        return self._model

    @property
    def vision(self) -> bool:
        return self.endpoint.vision

    async def ready(self) -> Readiness:
        """Asks for the list of models: reachable, the key is taken, the model is there."""
        try:
            models = await self.models()
        except LlmUnreachableError as error:
            return Readiness(False, str(error), Action.CONNECT)
        except LlmError as error:
            return Readiness(False, str(error), Action.CONFIGURE)
        wanted = self.endpoint.model
        if wanted and models and wanted not in models:
            has = ", ".join(models[:3]) + ("…" if len(models) > 3 else "")
            return Readiness(False, f"{self.name} has no model {wanted}. It has {has}.", Action.CONFIGURE)
        if not wanted and not models:
            return Readiness(False, f"{self.name} names no model. Say which one to use.", Action.CONFIGURE)
        return Readiness(True, f"{wanted or models[0]} on {self.name}")

    async def models(self) -> tuple[str, ...]:
        """The names of the server's models, in its order. Raises LlmError."""
        try:
            async with asyncio.timeout(self._pace.ask), self._open("GET", "models") as response:
                body = await _whole(response)
                if response.status_code != 200:
                    raise answers.refused(self.name, response.status_code, body)
        except TimeoutError:
            raise answers.silent(self.name, self._pace.ask) from None
        return answers.models(self.name, body)

    async def stream(self, request: ChatRequest) -> AsyncGenerator[str, None]:
        """See Engine."""
        reasoning = ReasoningFilter()
        length, clock = 0, asyncio.get_running_loop().time
        deadline = clock() + self._pace.first
        finish = answers.Finish()
        async with aclosing(self._events(request, finish, lambda: deadline)) as events:
            async for event in events:
                # Everything that is said, reasoning too, proves that it is at work.
                deadline = clock() + self._pace.gap
                shown = reasoning.feed(event)
                length += len(shown)
                if length > MAX_ANSWER:
                    raise answers.endless(self.name, f"{MAX_ANSWER} characters")
                if shown:
                    yield shown
        if rest := reasoning.end():
            length += len(rest)
            yield rest
        if finish.reason == "length":
            raise _cut_off(self.name, request, thinking=reasoning.inside or not length)

    async def close(self) -> None:
        """See Engine."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def _events(
        self, request: ChatRequest, finish: answers.Finish, deadline: Deadline
    ) -> AsyncGenerator[str, None]:
        """Texts as they come; `finish` is told how it ended."""
        try:
            async with asyncio.timeout_at(deadline()):
                self._model = self._model or (*await self.models(), "")[0]
            async with self._answering(request, deadline) as response:
                if "json" in response.headers.get("content-type", ""):
                    async with asyncio.timeout_at(deadline()):
                        text, finish.reason = answers.message(self.name, await _whole(response))
                    yield text
                    return
                async with aclosing(self._texts(response, finish, deadline)) as texts:
                    async for text in texts:
                        yield text
        except TimeoutError:
            raise answers.silent(self.name, None) from None

    async def _texts(
        self, response: httpx.Response, finish: answers.Finish, deadline: Deadline
    ) -> AsyncGenerator[str, None]:
        source, total = EventStream(), 0
        with _translated(self.name):
            _check_plain(response)
            async with aclosing(raw(response)) as chunks:
                while True:
                    async with asyncio.timeout_at(deadline()):
                        chunk = await anext(chunks, b"")
                    total += len(chunk)
                    if total > MAX_BYTES:
                        raise answers.endless(self.name, f"{MAX_BYTES >> 20} MB")
                    for data in source.feed(chunk) if chunk else source.end():
                        if data.strip() == "[DONE]":
                            return
                        if text := answers.delta(self.name, data, finish):
                            yield text
                    if not chunk:
                        raise answers.broken_off(self.name, total)

    @asynccontextmanager
    async def _answering(self, request: ChatRequest, deadline: Deadline) -> AsyncIterator[httpx.Response]:
        """The answer once its status is 200; asks again while the server loads."""
        clock = asyncio.get_running_loop().time
        refusal: LlmError | None = None
        while True:
            async with contextlib.AsyncExitStack() as stack:
                try:
                    async with asyncio.timeout_at(deadline()):
                        opened = self._open("POST", "chat/completions", self._body(request))
                        response = await stack.enter_async_context(opened)
                        body = b"" if response.status_code == 200 else await _whole(response)
                except TimeoutError:
                    if refusal is None:
                        raise
                    raise refusal from None  # the time was over while it was asked once more
                if response.status_code == 200:
                    yield response
                    return
            if response.status_code == 503 and clock() + self._pace.again < deadline():
                refusal = answers.refused(self.name, response.status_code, body)
                await asyncio.sleep(self._pace.again)
            elif response.status_code in (400, 422) and b"chat_template_kwargs" in body and self._may_think_again():
                continue
            else:
                raise answers.refused(self.name, response.status_code, body)

    def _may_think_again(self) -> bool:
        """Whether the options that strict servers refuse were sent; from now on they are not."""
        first, self._no_template_options = not self._no_template_options, True
        return first

    def _body(self, request: ChatRequest) -> dict[str, Any]:
        user: Any = request.user
        if request.images:
            pictures = [{"type": "image_url", "image_url": {"url": _data_url(image)}} for image in request.images]
            user = [{"type": "text", "text": request.user}, *pictures]
        system = [{"role": "system", "content": request.system}] if request.system else []
        body: dict[str, Any] = {
            "model": self._model,
            "messages": [*system, {"role": "user", "content": user}],
            "stream": True,
            "max_tokens": request.max_tokens,
            "temperature": request.temperature,
            "seed": request.seed,
        }
        if request.stop:
            body["stop"] = list(request.stop)
        if not self._no_template_options:
            body["chat_template_kwargs"] = {"enable_thinking": False}  # llama-server, vLLM; others ignore it
        return body

    @asynccontextmanager
    async def _open(
        self, method: str, path: str, body: Mapping[str, Any] | None = None
    ) -> AsyncIterator[httpx.Response]:
        """One request. The bodies of errors and streams are read by the caller."""
        if self._client is None:
            self._client = self._new_client()
        headers = {"Accept-Encoding": "identity", "Accept": "text/event-stream, application/json"}
        if self.endpoint.key:
            headers["Authorization"] = f"Bearer {self.endpoint.key.reveal()}"
        with _translated(self.name):
            url = f"{self.endpoint.url}/{path}"
            # ASCII only: half a surrogate pair in a pasted prompt is sent as the escape that it is.
            content = None if body is None else json.dumps(body).encode()
            if content is not None:
                headers["Content-Type"] = "application/json"
            async with self._client.stream(method, url, headers=headers, content=content) as response:
                if response.is_redirect:
                    raise answers.redirected(self.name, response.headers.get("location", ""))
                yield response

    def _new_client(self) -> httpx.AsyncClient:
        # Reading has the deadlines of `stream`, which know what has come.
        timeout = httpx.Timeout(connect=self._pace.connect, read=None, write=30, pool=None)
        return httpx.AsyncClient(
            timeout=timeout,
            follow_redirects=False,
            trust_env=False,
            transport=self._transport,
            proxy=None if self._transport else proxy_for(self.endpoint.url),
            limits=httpx.Limits(max_keepalive_connections=2),
        )


def _check_plain(response: httpx.Response) -> None:
    """What is compressed against our wish is no answer: it could be any size."""
    if response.headers.get("content-encoding", "identity") != "identity":
        raise LlmAnswerError("The server compressed its answer, which it was told not to do")


async def _whole(response: httpx.Response) -> bytes:
    body = bytearray()
    _check_plain(response)
    async with aclosing(raw(response)) as chunks:
        async for chunk in chunks:
            body += chunk
            if len(body) > MAX_PLAIN:
                raise LlmAnswerError("The server sent more than any answer needs", f"over {MAX_PLAIN >> 20} MB")
    return bytes(body)


@contextmanager
def _translated(name: str) -> Iterator[None]:
    """httpx's exceptions as ours."""
    try:
        yield
    except (httpx.ConnectError, httpx.ConnectTimeout) as error:
        raise answers.unreachable(name, error) from None
    except httpx.HTTPError as error:
        raise answers.broken_off(name, None, type(error).__name__) from None


def _data_url(image: bytes) -> str:
    kind = "png" if image.startswith(b"\x89PNG") else "webp" if image[8:12] == b"WEBP" else "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(image).decode()}"


def _cut_off(name: str, request: ChatRequest, *, thinking: bool) -> LlmCutOffError:
    what = f"The answer of {name} was cut off after {request.max_tokens} tokens"
    if thinking:
        return LlmCutOffError(what, "it spent them all on reasoning", "Choose a model that does not reason")
    return LlmCutOffError(what, "", "Allow a longer answer, or try again")
