"""Enhancing prompts, for window and command line: which engine, how many variants, one text or many.

The user's words are never replaced here: results are handed out, and what becomes of them is the caller's choice.
"""

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from comfydesk.errors import StoreError, UsageError
from comfydesk.llm.engine import Action, Engine
from comfydesk.llm.words.compose import MAX_CONTEXT, Task
from comfydesk.llm.words.families import BY_ID, DEFAULT, FAMILIES, family_of
from comfydesk.llm.words.masking import mask
from comfydesk.llm.words.spans import find
from comfydesk.llm.words.styles import Style
from comfydesk.session.enhancement.asking import SEEDS, STAYS, Patience, Question, ask
from comfydesk.session.enhancement.style_files import read_styles, remove_style, write_style
from comfydesk.session.enhancement.values import (
    MAX_TEXT,
    MAX_VARIANTS,
    Choice,
    EachDone,
    EngineChoice,
    EnhanceEvent,
    EnhanceRequest,
    Finished,
    NoEngineError,
    Refused,
    Result,
)
from comfydesk.session.library import Library
from comfydesk.session.values import OpenWorkflow
from comfydesk.settings import ENHANCE_LOCKED, Settings
from comfydesk.store import enhancements
from comfydesk.store.enhancements import Enhancement
from comfydesk.workflow.active import active_nodes
from comfydesk.workflow.card import MODEL_SUFFIXES
from comfydesk.workflow.fields import Kind

MAX_EACH = 500
"""Texts that are enhanced in one go."""


class EngineSource(Protocol):
    """Where engines come from. `engines.Engines` is it; tests have their own."""

    async def offers(self, pod: str | None) -> tuple[EngineChoice, ...]:
        """What there is for a pod (None: the current one), the one that would be used marked."""

    async def engine(self, choice: Choice | None, pod: str | None) -> Engine:
        """The one to ask. Raises NoEngineError."""

    def choice(self, pod: str | None) -> Choice: ...
    def choose(self, pod: str | None, choice: Choice) -> None: ...
    async def close(self) -> None: ...


class Enhancer:
    """See the module. Made by the Session."""

    def __init__(
        self,
        source: Callable[[], EngineSource],
        library: Library,
        settings: Settings,
        styles: Path,
        *,
        patience: Patience | None = None,
    ) -> None:
        self._make_source = source
        self._made: EngineSource | None = None
        self._library = library
        self._settings = settings
        self._folder = styles
        self._patience = patience or Patience()

    @property
    def _source(self) -> EngineSource:
        """Made at the first need: most sessions enhance nothing."""
        if self._made is None:
            self._made = self._make_source()
        return self._made

    # --- What there is to choose from -------------------------------------------------------------------------------

    async def engines(self, pod: str | None = None) -> tuple[EngineChoice, ...]:
        """This computer, the pod and its endpoint, each with a line on whether it can be used and what to do."""
        return await self._source.offers(pod)

    def choice(self, pod: str | None = None) -> Choice:
        """Which engine the pod's profile wants."""
        return self._source.choice(pod)

    def choose(self, pod: str | None, choice: Choice) -> None:
        """Keep it for that profile. Raises StoreError."""
        self._source.choose(pod, choice)

    async def styles(self) -> tuple[Style, ...]:
        """The product's own, then the user's."""
        return await asyncio.to_thread(read_styles, self._folder)

    async def save_style(self, name: str, rules: str) -> None:
        """Make or change one of the user's own. Raises UsageError, StoreError."""
        await asyncio.to_thread(write_style, self._folder, name, rules)

    async def remove_style(self, name: str) -> None:
        """Raises UsageError, StoreError."""
        await asyncio.to_thread(remove_style, self._folder, name)

    @staticmethod
    def families() -> tuple[tuple[str, str], ...]:
        """Id and name of each dialect."""
        return tuple((family.id, family.name) for family in FAMILIES)

    @staticmethod
    def family_of(workflow: OpenWorkflow, values: Mapping[str, Any] | None = None) -> str:
        """The dialect of a workflow, by the models it loads.

        `values`: of the form, where other models were chosen. Raises GraphError for a graph that contains itself.
        """
        chosen = values or {}
        nodes = list(active_nodes(workflow.api or workflow.graph))
        models = [
            str(chosen.get(entry.id, entry.default)) for entry in workflow.form.fields if entry.kind is Kind.MODEL
        ]
        if not models:
            texts = (value for node in nodes for value in (*node.values, *node.literals.values()))
            models = [text for text in texts if isinstance(text, str) and text.lower().endswith(MODEL_SUFFIXES)]
        return family_of(models, [node.type for node in nodes])

    async def history(self, limit: int = 50) -> tuple[Enhancement, ...]:
        """What was enhanced, the latest first. Raises StoreError."""
        return await self._library.read(enhancements.recent, limit)

    async def clear_history(self) -> None:
        """Raises StoreError."""
        await self._library.call(enhancements.clear)

    # --- Enhancing --------------------------------------------------------------------------------------------------

    async def enhance(
        self, request: EnhanceRequest, engine: Engine | None = None
    ) -> AsyncGenerator[EnhanceEvent, None]:
        """What becomes of each variant, as it comes; each ends with Finished or Refused.

        `engine`: this one, whatever request and profile say. Closing the generator ends what still runs, within
        200 ms. Raises UsageError for a request that makes no sense; what an engine does wrong is a Refused.
        """
        task, around = await self._task(request)
        if not task.masked.words and request.image is None:
            for variant in range(request.count):
                yield Refused(variant, _nothing(request.text))
            return
        try:
            engine = engine or await self._source.engine(request.engine, request.pod)
            _check_vision(engine, request)
        except NoEngineError as error:
            for variant in range(request.count):
                yield Refused(variant, f"{str(error).rstrip('.')}. {STAYS}.", error.action)
            return
        first = secrets.randbelow(SEEDS) if request.seed is None else request.seed
        questions = [
            Question(variant, request.text, task, (first + variant) % SEEDS, *around)
            for variant in range(request.count)
        ]
        async with aclosing(self._together(engine, questions)) as events:
            async for event in events:
                if isinstance(event, Finished):
                    await self._remember(event.result)
                yield event

    async def enhance_each(self, texts: Sequence[str], request: EnhanceRequest) -> AsyncGenerator[EachDone, None]:
        """Each of `texts` as `request` says (whose own text, count and selection do not count), in their order.

        As many at once as the engine takes; a text that occurs several times is enhanced for each of them. Raises
        UsageError for more than MAX_EACH.
        """
        if len(texts) > MAX_EACH:
            what = f"{len(texts)} prompts are too many to enhance at once"
            raise UsageError(what, "", f"At most {MAX_EACH}")
        engine = await self._source.engine(request.engine, request.pod)
        style_of = await self._task(replace(request, text="a", count=1, selection=None, image=None))
        width = max(1, engine.parallel)
        base = secrets.randbelow(SEEDS) if request.seed is None else request.seed
        waiting: list[asyncio.Task[EachDone]] = []
        try:
            for start in range(0, len(texts), width):
                waiting = [
                    asyncio.create_task(self._one(engine, style_of[0], number, texts[number], base))
                    for number in range(start, min(start + width, len(texts)))
                ]
                for task in waiting:
                    yield await task
        finally:
            await _end(waiting)

    async def close(self) -> None:
        """End what was started; again is fine."""
        if self._made is not None:
            await self._made.close()

    # --- Inside -----------------------------------------------------------------------------------------------------

    async def _one(self, engine: Engine, like: Task, number: int, text: str, seed: int) -> EachDone:
        """One of many: its text, or the original and why."""
        task = replace(like, masked=mask(text, like.masked.locked))
        if len(text) > MAX_TEXT or not task.masked.words:
            return EachDone(number, text, text, _nothing(text) if len(text) <= MAX_TEXT else "It is too long")
        question = Question(0, text, task, (seed + number) % SEEDS)
        async with aclosing(ask(engine, question, self._patience)) as events:
            async for event in events:
                if isinstance(event, Finished):
                    await self._remember(event.result)
                    return EachDone(number, text, event.result.enhanced)
                if isinstance(event, Refused):
                    return EachDone(number, text, text, event.why)
        return EachDone(number, text, text, STAYS)

    async def _together(self, engine: Engine, questions: Sequence[Question]) -> AsyncGenerator[EnhanceEvent, None]:
        """The events of several variants as they come, as many at once as the engine takes."""
        events: asyncio.Queue[EnhanceEvent | BaseException] = asyncio.Queue()
        places = asyncio.Semaphore(max(1, engine.parallel))

        async def run(question: Question) -> None:
            try:
                async with places, aclosing(ask(engine, question, self._patience)) as found:
                    async for event in found:
                        events.put_nowait(event)
            except Exception as error:
                events.put_nowait(error)

        tasks = [asyncio.create_task(run(question), name=f"variant {question.variant}") for question in questions]
        left = len(tasks)
        try:
            while left:
                event = await events.get()
                if isinstance(event, BaseException):
                    raise event
                yield event
                left -= isinstance(event, Finished | Refused)
        finally:
            await _end(tasks)

    async def _task(self, request: EnhanceRequest) -> tuple[Task, tuple[str, str]]:
        """What is asked, and what stands around it. Raises UsageError."""
        if not 1 <= request.count <= MAX_VARIANTS:
            what = f"{request.count} variants cannot be made"
            raise UsageError(what, "", f"Choose 1 to {MAX_VARIANTS}")
        if len(request.text) > MAX_TEXT:
            raise UsageError("The prompt is too long to be enhanced", f"over {MAX_TEXT:,} characters")
        styles = {style.id: style for style in await self.styles()}
        style = styles.get(request.style)
        if style is None:
            what = f"There is no style {request.style[:60]!r}"
            raise UsageError(what, "", f"Choose one of: {', '.join(styles)}")
        family = BY_ID.get(request.family, DEFAULT) if not request.family else BY_ID.get(request.family)
        if family is None:
            what = f"There is no model family {request.family[:60]!r}"
            raise UsageError(what, "", f"Choose one of: {', '.join(BY_ID)}")
        locked = (*request.locked, *_phrases(self._settings.get(ENHANCE_LOCKED)))
        start, end = _selected(request, locked)
        before, text, after = request.text[:start], request.text[start:end], request.text[end:]
        task = Task(
            masked=mask(text, locked),
            style=style,
            family=family,
            negative=request.negative,
            length=request.length,
            translate=request.translate,
            image=request.image,
            context=(before[-MAX_CONTEXT:].strip(), after[:MAX_CONTEXT].strip()),
        )
        return task, (before, after)

    async def _remember(self, result: Result) -> None:
        """Into the history; a full disk does not spoil the result."""
        one = Enhancement(
            time.time(),
            result.original,
            result.enhanced,
            result.style,
            result.family,
            result.engine,
            result.model,
        )
        with contextlib.suppress(StoreError):
            await self._library.call(enhancements.add, one)


async def _end(tasks: Sequence[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _selected(request: EnhanceRequest, locked: Sequence[str]) -> tuple[int, int]:
    """What is to be enhanced: the selection without the blanks at its ends, grown to whole protected spans."""
    text = request.text
    start, end = request.selection or (0, len(text))
    if not 0 <= start <= end <= len(text):
        raise UsageError("The selection is not within the prompt")
    for span in find(text, locked):
        if span.start < end and start < span.end:
            start, end = min(start, span.start), max(end, span.end)
    chosen = text[start:end]
    lead = len(chosen) - len(chosen.lstrip())
    return (start + lead, start + len(chosen.rstrip())) if chosen.strip() else (start, end)


def _nothing(text: str) -> str:
    if not text.strip():
        return "There is nothing to enhance: write a few words first."
    return f"All of it is protected (weights, quotes, wildcards and the like). {STAYS}."


def _phrases(text: str) -> list[str]:
    """The setting's phrases: `;` between them."""
    return [phrase.strip() for phrase in text.split(";") if phrase.strip()]


def _check_vision(engine: Engine, request: EnhanceRequest) -> None:
    if request.image is not None and not engine.vision:
        what = f"{engine.name} cannot look at pictures"
        raise NoEngineError(what, "", "Choose a model with vision, such as Qwen3-VL", Action.CONFIGURE)
