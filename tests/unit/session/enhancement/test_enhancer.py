"""Enhancing as a whole: whatever an engine does, no protected span is lost and the original never silently replaced."""

import asyncio
import random
import time
from contextlib import AsyncExitStack, aclosing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from comfydesk.errors import LlmAnswerError, LlmCutOffError, LlmUnreachableError, UsageError
from comfydesk.llm.engine import Action, ChatRequest
from comfydesk.llm.words.values import Length
from comfydesk.session.enhancement.asking import Patience
from comfydesk.session.enhancement.enhancer import Enhancer
from comfydesk.session.enhancement.values import (
    Again,
    EnhanceEvent,
    EnhanceRequest,
    Finished,
    Piece,
    Refused,
)
from comfydesk.settings import ENHANCE_LOCKED, Settings
from tests.unit.llm.words.prompts import LOCKED, SPOILERS, prompts
from tests.unit.session.enhancement.scripted import Reply, Scripted, asked_prompt, enhancing

FOX = "a fox in the snow near an old barn, <lora:ink:0.8>"
GOOD = "A red fox stands in deep snow by an old barn, <k1/> in low winter sun."
SAID = "A red fox stands in deep snow by an old barn, <lora:ink:0.8> in low winter sun."


async def events(enhancer: Enhancer, request: EnhanceRequest) -> list[EnhanceEvent]:
    async with aclosing(enhancer.enhance(request)) as found:
        return [event async for event in found]


def ends(found: list[EnhanceEvent]) -> list[Finished | Refused]:
    return sorted((one for one in found if isinstance(one, Finished | Refused)), key=lambda one: one.variant)


async def one_end(engine: Scripted | None, folder: Path, request: EnhanceRequest | None = None) -> Finished | Refused:
    async with enhancing(engine, folder, patience=Patience(0.1, 0.1)) as enhancer:
        (end,) = ends(await events(enhancer, request or EnhanceRequest(FOX)))
        return end


async def test_a_good_answer_is_the_result(tmp_path: Path) -> None:
    engine = Scripted(lambda *_: GOOD)
    async with enhancing(engine, tmp_path) as enhancer:
        found = await events(enhancer, EnhanceRequest(FOX))
        assert "".join(event.text for event in found if isinstance(event, Piece)) == SAID
        (end,) = ends(found)
        assert isinstance(end, Finished)
        assert end.result.enhanced == SAID
        assert end.result.original == FOX
        assert end.result.kept == ("<lora:ink:0.8>",)
        assert end.result.repaired == ()
        assert (end.result.engine, end.result.model) == ("Test", "scripted")
        assert end.result.tokens_per_second > 0
        (kept,) = await enhancer.history()
        assert (kept.original, kept.enhanced) == (FOX, SAID)
    assert len(engine.asked) == 1


async def test_lost_spans_are_asked_for_by_name_once(tmp_path: Path) -> None:
    engine = Scripted(lambda _, number: GOOD if number else "A red fox stands in deep snow by an old barn.")
    async with enhancing(engine, tmp_path) as enhancer:
        found = await events(enhancer, EnhanceRequest(FOX))
    assert [event.why for event in found if isinstance(event, Again)] == ["It had left out <lora:ink:0.8>"]
    assert "left out <k1/>" in engine.asked[1].user
    assert engine.asked[0].seed != engine.asked[1].seed
    (end,) = ends(found)
    assert isinstance(end, Finished)
    assert end.result.enhanced == SAID


async def test_what_is_lost_twice_is_put_back_and_told(tmp_path: Path) -> None:
    engine = Scripted(lambda *_: "A red fox stands in deep snow by an old barn.")
    end = await one_end(engine, tmp_path)
    assert isinstance(end, Finished)
    assert end.result.enhanced == "A red fox stands in deep snow by an old barn. <lora:ink:0.8>"
    assert end.result.repaired == ("<lora:ink:0.8> was put back",)
    assert len(engine.asked) == 2


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        ("", "The model answered with nothing"),
        ("<think>A red fox <k1/> in deep snow", "The model answered with nothing"),
        ("I'm sorry, but I can't help with that.", "The model declined"),
        ("fox snow barn " * 400, "The model went round in circles"),
        ("Quarterly figures rose again. <k1/>", "The model wrote about something else"),
        ("Лиса стоит около сарая. <k1/>", "The model answered in another language"),
        (FOX.replace("<lora:ink:0.8>", "<k1/>"), "The model changed nothing"),
        (LlmAnswerError("The answer broke off", "the line was cut"), "The answer broke off. The line was cut"),
        (LlmCutOffError("The answer is too long"), "The answer broke off in its first sentence"),
        (None, "The model does not answer"),
    ],
)
async def test_what_is_no_prompt_leaves_the_original_and_says_why(tmp_path: Path, reply: Reply, why: str) -> None:
    engine = Scripted(lambda *_: reply)
    end = await one_end(engine, tmp_path)
    assert isinstance(end, Refused)
    assert end.why.startswith(why)
    assert end.why.endswith("The prompt stays as it was.")
    assert len(engine.asked) == 2


async def test_an_engine_that_is_not_there_is_asked_once(tmp_path: Path) -> None:
    engine = Scripted(lambda *_: LlmUnreachableError("Nobody answers at 127.0.0.1:1", "connection refused"))
    end = await one_end(engine, tmp_path)
    assert isinstance(end, Refused)
    assert end.why.startswith("Nobody answers at 127.0.0.1:1. Connection refused")
    assert end.action is Action.CONNECT
    assert len(engine.asked) == 1


async def test_without_an_engine_one_line_says_what_to_do(tmp_path: Path) -> None:
    end = await one_end(None, tmp_path)
    assert isinstance(end, Refused)
    assert end.why == "There is no language model yet. Download one. The prompt stays as it was."


@pytest.mark.parametrize("text", ["", "  ", '"OPEN" <lora:a:1>, (red:1.2)', "{a|b}"])
async def test_where_nothing_may_change_nobody_is_asked(tmp_path: Path, text: str) -> None:
    engine = Scripted(lambda *_: GOOD)
    end = await one_end(engine, tmp_path, EnhanceRequest(text))
    assert isinstance(end, Refused)
    assert engine.asked == []


def test_no_engine_loses_a_span(tmp_path: Path) -> None:
    with asyncio.Runner() as runner:
        held = AsyncExitStack()
        rng = random.Random()
        spoilers = ["", ""]

        def reply(request: ChatRequest, number: int) -> Reply:
            return SPOILERS[spoilers[number % 2]](asked_prompt(request), rng)

        engine = Scripted(reply, size=400)
        enhancer = runner.run(held.enter_async_context(enhancing(engine, tmp_path)))

        @settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
        @given(prompts(), st.sampled_from(sorted(SPOILERS)), st.sampled_from(sorted(SPOILERS)), st.integers(0, 10**6))
        def never(prompt: tuple[str, list[str]], first: str, second: str, seed: int) -> None:
            text, spans = prompt
            spoilers[:] = first, second
            rng.seed(seed)
            engine.asked.clear()
            request = EnhanceRequest(text, locked=LOCKED, length=Length.LONG)
            (end,) = ends(runner.run(events(enhancer, request)))
            if isinstance(end, Finished):
                assert end.result.original == text
                for span in spans:
                    assert end.result.enhanced.count(span) == text.count(span), (span, end.result.enhanced)
            else:
                assert end.why.endswith("The prompt stays as it was.")

        try:
            never()
        finally:
            runner.run(held.aclose())


async def test_variants_come_one_after_another_where_the_engine_takes_one(tmp_path: Path) -> None:
    engine = Scripted(lambda *_: GOOD)
    async with enhancing(engine, tmp_path) as enhancer:
        found = await events(enhancer, EnhanceRequest(FOX, count=4, seed=11))
    assert [end.variant for end in ends(found)] == [0, 1, 2, 3]
    assert all(isinstance(end, Finished) for end in ends(found))
    assert engine.most == 1
    assert [request.seed for request in engine.asked] == [11, 12, 13, 14]


async def test_variants_come_side_by_side_where_it_takes_more(tmp_path: Path) -> None:
    engine = Scripted(lambda *_: GOOD, parallel=3)
    async with enhancing(engine, tmp_path) as enhancer:
        found = await events(enhancer, EnhanceRequest(FOX, count=6))
    assert len(ends(found)) == 6
    assert engine.most == 3


async def test_closing_ends_everything_at_once(tmp_path: Path) -> None:
    engine = Scripted(lambda _, number: GOOD if number == 0 else None, parallel=3)
    async with enhancing(engine, tmp_path) as enhancer:
        stream = enhancer.enhance(EnhanceRequest(FOX, count=3))
        await anext(stream)
        before = time.monotonic()
        await stream.aclose()
        assert time.monotonic() - before < 0.2
        assert engine.running == 0


async def test_only_the_selection_changes(tmp_path: Path) -> None:
    engine = Scripted(lambda *_: "a red fox in deep snow with low winter sun")
    text = "portrait, a fox in the snow , (blue sky:1.2) above"
    start = text.index("a fox")
    request = EnhanceRequest(text, selection=(start - 1, start + len("a fox in the snow") + 1))
    end = await one_end(engine, tmp_path, request)
    assert isinstance(end, Finished)
    assert end.result.enhanced == "portrait, a red fox in deep snow with low winter sun , (blue sky:1.2) above"
    assert asked_prompt(engine.asked[0]) == "a fox in the snow"
    assert "portrait" in engine.asked[0].user


async def test_a_selection_that_cuts_a_span_takes_all_of_it(tmp_path: Path) -> None:
    engine = Scripted(lambda *_: "bright <k1/> above fields")
    text = "fox, (blue sky:1.2) above, rain"
    end = await one_end(engine, tmp_path, EnhanceRequest(text, selection=(10, text.index(", rain"))))
    assert isinstance(end, Finished)
    assert end.result.enhanced == "fox, bright (blue sky:1.2) above fields, rain"


async def test_phrases_of_the_settings_are_locked(tmp_path: Path) -> None:
    engine = Scripted(lambda *_: "Portrait of <k1/> in a garden, soft light.")
    chosen = Settings(table={"enhance": {"locked": "Anna Karenina; f/1.8"}})
    assert chosen.get(ENHANCE_LOCKED)
    async with enhancing(engine, tmp_path, settings=chosen) as enhancer:
        (end,) = ends(await events(enhancer, EnhanceRequest("portrait of Anna Karenina in a garden")))
    assert isinstance(end, Finished)
    assert end.result.enhanced == "Portrait of Anna Karenina in a garden, soft light."


async def test_many_texts_are_enhanced_in_their_order(tmp_path: Path) -> None:
    def reply(request: ChatRequest, _: int) -> Reply:
        asked = asked_prompt(request)
        return "" if "hen" in asked else f"{asked} with soft light and long shadows"

    engine = Scripted(reply, parallel=2)
    async with enhancing(engine, tmp_path) as enhancer:
        async with aclosing(enhancer.enhance_each(["a fox", "a hen", '"OPEN"', "a cow"], EnhanceRequest(""))) as found:
            done = [one async for one in found]
        with pytest.raises(UsageError, match="too many"):
            await anext(enhancer.enhance_each(["a"] * 501, EnhanceRequest("")))
    assert [one.enhanced for one in done] == [
        "a fox with soft light and long shadows",
        "a hen",
        '"OPEN"',
        "a cow with soft light and long shadows",
    ]
    assert [bool(one.refused) for one in done] == [False, True, True, False]
    assert engine.most == 2


async def test_a_picture_needs_an_engine_that_sees(tmp_path: Path) -> None:
    engine = Scripted(lambda *_: "A red fox in deep snow.")
    end = await one_end(engine, tmp_path, EnhanceRequest("", image=b"png"))
    assert isinstance(end, Refused)
    assert end.why.startswith("Test cannot look at pictures")
    engine.vision = True
    end = await one_end(engine, tmp_path, EnhanceRequest("", image=b"png"))
    assert isinstance(end, Finished)
    assert end.result.enhanced == "A red fox in deep snow."
    assert engine.asked[-1].images == (b"png",)


@pytest.mark.parametrize(
    "request_",
    [
        EnhanceRequest(FOX, style="nope"),
        EnhanceRequest(FOX, family="nope"),
        EnhanceRequest(FOX, count=9),
        EnhanceRequest(FOX, selection=(5, 500)),
        EnhanceRequest("a" * 20_001),
    ],
)
async def test_a_request_that_makes_no_sense_is_told(tmp_path: Path, request_: EnhanceRequest) -> None:
    async with enhancing(Scripted(lambda *_: GOOD), tmp_path) as enhancer:
        with pytest.raises(UsageError):
            await events(enhancer, request_)


async def test_styles_of_the_users_own_are_files(tmp_path: Path) -> None:
    engine = Scripted(lambda *_: GOOD)
    async with enhancing(engine, tmp_path) as enhancer:
        await enhancer.save_style("Noir", "# Black and white\nMake it a film noir frame.")
        own = (await enhancer.styles())[-1]
        assert (own.id, own.help, own.rules, own.own) == ("Noir", "Black and white", "Make it a film noir frame.", True)
        (end,) = ends(await events(enhancer, EnhanceRequest(FOX, style="Noir")))
        assert isinstance(end, Finished)
        assert "Make it a film noir frame." in engine.asked[0].system
        for name in ("../x", "detailed", "", "a/b"):
            with pytest.raises(UsageError):
                await enhancer.save_style(name, "Make it.")
        await enhancer.remove_style("Noir")
        assert not any(style.own for style in await enhancer.styles())
