"""Enhancing over a real socket, with servers that answer as none should: the original stays, and words say why."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import aclosing
from pathlib import Path

import pytest

from comfydesk.llm.address import Endpoint
from comfydesk.llm.engine import Action
from comfydesk.llm.openai import OpenAiEngine, Pace
from comfydesk.session.enhancement.values import EnhanceRequest, Finished, Piece, Refused
from tests.unit.llm.fake_server import DONE, FakeServer, event, said
from tests.unit.session.enhancement.scripted import enhancing

FOX = "a fox in the snow near an old barn, <lora:ink:0.8>"
QUICK = Pace(connect=5, first=10, gap=10, again=0.05, ask=5)
HASTY = Pace(connect=5, first=2, gap=1, again=0.05, ask=5)
"""For servers that hang."""


async def ends(server: FakeServer, folder: Path, count: int = 1) -> list[Finished | Refused]:
    engine = OpenAiEngine(Endpoint(server.url), pace=HASTY if server.hang else QUICK)
    async with enhancing(engine, folder) as enhancer:
        async with aclosing(enhancer.enhance(EnhanceRequest(FOX, count=count))) as events:
            found = [event async for event in events if isinstance(event, Finished | Refused)]
        await engine.close()
    return found


@pytest.mark.parametrize(
    ("chunks", "hang"),
    [
        ((b"",), False),
        ((DONE,), False),
        ((event("A red fox stands in deep snow by an old barn, <k"),), False),
        ((event("A red fox stands"),), True),
        ((), True),
        ((event("word " * 1000),) * 210, False),
        ((b"data: {broken\n\n", DONE), False),
        ((b"<html>Sign in</html>",), False),
        ((event("<think>A red fox <k1/> in deep snow"), event(finish="stop"), DONE), False),
    ],
    ids=[
        "200 with an empty body",
        "nothing said",
        "cut off",
        "hangs in the middle",
        "hangs at once",
        "1 MB",
        "broken JSON",
        "a page",
        "thinks and never stops",
    ],
)
async def test_the_original_stays_and_words_say_why(tmp_path: Path, chunks: Sequence[bytes], hang: bool) -> None:
    async with FakeServer() as server:
        server.chunks, server.hang = chunks, hang
        (end,) = await ends(server, tmp_path)
        assert isinstance(end, Refused)
        assert end.why.endswith("The prompt stays as it was.")
        # One that hangs would hang again.
        assert len(server.asked) == (1 if hang else 2)


async def test_an_answer_at_its_length_is_cut_at_a_sentence(tmp_path: Path) -> None:
    answer = ("A red fox stands in deep snow by an old barn, <k1/>. ", "Behind it the roof is half bro")
    async with FakeServer(said(*answer, finish="length")) as server:
        (end,) = await ends(server, tmp_path)
    assert isinstance(end, Finished)
    assert end.result.enhanced == "A red fox stands in deep snow by an old barn, <lora:ink:0.8>."


async def test_a_refused_key_is_not_tried_again(tmp_path: Path) -> None:
    async with FakeServer(key="other") as server:
        (end,) = await ends(server, tmp_path)
        assert isinstance(end, Refused)
        assert end.action is Action.CONNECT
        assert len(server.authorizations) <= 2


async def test_variants_have_seeds_of_their_own(tmp_path: Path) -> None:
    async with FakeServer(said("A red fox stands in deep snow by an old barn, <k1/>.")) as server:
        found = await ends(server, tmp_path, count=3)
        assert all(isinstance(end, Finished) for end in found)
        assert len({asked["seed"] for asked in server.asked}) == 3


async def test_closing_hangs_up_at_once(tmp_path: Path) -> None:
    async with FakeServer((event("A red fox "),)) as server:
        server.hang = True
        engine = OpenAiEngine(Endpoint(server.url))
        async with enhancing(engine, tmp_path) as enhancer:
            stream = enhancer.enhance(EnhanceRequest(FOX))
            assert isinstance(await anext(stream), Piece)
            before = time.monotonic()
            await stream.aclose()
            assert time.monotonic() - before < 0.2
            async with asyncio.timeout(2):
                await server.gone.wait()
        await engine.close()
