"""One variant: the engine is asked, its answer judged, protected spans put back; asked once more if that was no good.

Whatever an engine does, the end is either a text that holds every protected span exactly once, or a refusal with its
reason. Never more than two questions.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from comfydesk.errors import LlmAnswerError, LlmCutOffError, LlmError, LlmNotReadyError
from comfydesk.llm.engine import Action, Engine
from comfydesk.llm.words.compose import Task, compose
from comfydesk.llm.words.judge import judge
from comfydesk.llm.words.masking import Restored, Unmasker, restore
from comfydesk.llm.words.spans import Span
from comfydesk.session.enhancement.values import Again, EnhanceEvent, Finished, Piece, Refused, Result

SEEDS = 2**32
_OTHER_SEED = 7919
STAYS = "The prompt stays as it was"


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds an engine may keep silent, beyond its own deadlines; for one that has none."""

    first: float = 420.0
    gap: float = 120.0


@dataclass(frozen=True, slots=True)
class Question:
    """A variant to be made. `before` and `after` stand around what is enhanced."""

    variant: int
    original: str
    task: Task
    seed: int
    before: str = ""
    after: str = ""


@dataclass(slots=True)
class _Try:
    """One answer and what came of it."""

    raw: str = ""
    pieces: int = 0
    began: float = 0.0
    ended: float = 0.0
    cut_off: bool = False
    failed: LlmError | None = None
    restored: Restored | None = None
    notes: tuple[str, ...] = ()
    why: str = ""
    """Why it cannot be used; empty if it can."""

    @property
    def rate(self) -> float:
        seconds = self.ended - self.began
        return (self.pieces - 1) / seconds if self.pieces > 1 and seconds > 0 else 0.0


async def ask(engine: Engine, question: Question, patience: Patience) -> AsyncGenerator[EnhanceEvent, None]:
    """The events of one variant; the last is Finished or Refused. Never raises for what an engine does."""
    started = time.monotonic()
    tries: list[_Try] = []
    lost: Sequence[Span] = ()
    for number in (0, 1):
        one = _Try()
        tries.append(one)
        async with aclosing(_answer(engine, question, number, lost, one, patience)) as pieces:
            async for piece in pieces:
                yield piece
        _judge(question, one)
        if one.failed is not None and not _worth_another(one.failed):
            break
        good = not one.why and one.restored is not None and one.restored.faithful
        if good:
            break
        if number == 0:
            lost = () if one.restored is None else one.restored.lost
            yield Again(question.variant, _reason(one))
    usable = [one for one in tries if not one.why]
    if not usable:
        yield _refused(question.variant, tries[-1])
        return
    # The one that had kept most by itself; of two alike the later.
    best = min(reversed(usable), key=lambda one: len(one.restored.lost) if one.restored else 0)
    yield Finished(question.variant, _result(engine, question, best, time.monotonic() - started))


async def _answer(
    engine: Engine, question: Question, number: int, lost: Sequence[Span], one: _Try, patience: Patience
) -> AsyncGenerator[EnhanceEvent, None]:
    """The pieces of one answer as they come; what it was is in `one` in the end."""
    request = compose(question.task, (question.seed + number * _OTHER_SEED) % SEEDS, lost)
    unmasker = Unmasker(question.task.masked)
    parts: list[str] = []
    try:
        async with aclosing(engine.stream(request)) as pieces:
            while True:
                async with asyncio.timeout(patience.gap if parts else patience.first):
                    piece = await anext(pieces, None)
                if piece is None:
                    break
                one.began = one.began or time.monotonic()
                one.pieces += 1
                parts.append(piece)
                shown = unmasker.feed(piece)
                if shown:
                    yield Piece(question.variant, shown)
    except LlmCutOffError:
        one.cut_off = True
    except LlmError as error:
        one.failed = error
    except TimeoutError:
        one.failed = LlmAnswerError(
            "The model does not answer", "nothing came for minutes", "Try again, or another engine"
        )
    one.ended = time.monotonic()
    one.raw = "".join(parts)
    rest = unmasker.end()
    if rest and one.failed is None:
        yield Piece(question.variant, rest)


def _judge(question: Question, one: _Try) -> None:
    """Fill in what the answer is worth."""
    if one.failed is not None:
        one.why = str(one.failed)
        return
    task = question.task
    judged = judge(task, one.raw, cut_off=one.cut_off)
    if judged.text is None:
        one.why = judged.why
        return
    restored = restore(task.masked, judged.text)
    if restored.text is None:
        one.why = "The model broke what must not change"
        return
    if not task.plain and not task.translate and _same(restored.text, task.masked.original):
        one.why = "The model changed nothing"
        return
    one.restored, one.notes = restored, judged.notes


def _worth_another(error: LlmError) -> bool:
    """Another answer may be better. An engine that is not there will not be there in a moment either."""
    return isinstance(error, LlmAnswerError) and not isinstance(error, LlmNotReadyError)


def _reason(one: _Try) -> str:
    if one.why:
        return one.why.rstrip(".")
    lost = one.restored.lost if one.restored else ()
    return f"It had left out {_listed(lost)}"


def _refused(variant: int, one: _Try) -> Refused:
    why = one.why.rstrip(".")
    action = Action.NONE
    if isinstance(one.failed, LlmNotReadyError):
        action = Action.CONFIGURE
    elif one.failed is not None and not isinstance(one.failed, LlmAnswerError):
        action = Action.CONNECT
    return Refused(variant, f"{why}. {STAYS}.", action)


def _result(engine: Engine, question: Question, one: _Try, seconds: float) -> Result:
    assert one.restored is not None, "only usable answers have results"
    text = one.restored.text or ""
    task = question.task
    repaired = list(one.notes)
    repaired += [f"{_shown(span.text)} was put back" for span in one.restored.lost]
    repaired += [f"{_shown(span.text)} came twice: once is left" for span in one.restored.doubled]
    repaired += [f"{_shown(made_up)} was made up: taken out" for made_up in one.restored.invented]
    if _same(text, task.masked.original):
        repaired.append("Nothing was to be changed")
    return Result(
        original=question.original,
        enhanced=f"{question.before}{text}{question.after}",
        kept=tuple(span.text for span in task.masked.spans),
        repaired=tuple(repaired),
        style=task.style.id,
        family=task.family.id,
        engine=engine.name,
        model=engine.model,
        tokens_per_second=one.rate,
        seconds=seconds,
        seed=question.seed,
    )


def _same(one: str, other: str) -> bool:
    return " ".join(one.casefold().split()).rstrip(".") == " ".join(other.casefold().split()).rstrip(".")


def _listed(spans: Sequence[Span]) -> str:
    shown = [_shown(span.text) for span in spans[:3]]
    return ", ".join(shown) + (f" and {len(spans) - 3} more" if len(spans) > 3 else "")


def _shown(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 60 else f"{line[:57]}…"
