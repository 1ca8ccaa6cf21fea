"""Time to first token and tokens per second through the app's client and through bare httpx, in turns, in one run:
against the real llama.cpp where the extra `llm` is installed (`make test-llm`), else against a server double.
"""

import asyncio
import json
import statistics
import time
from collections.abc import Callable, Coroutine
from pathlib import Path

import httpx

from comfydesk.llm.engine import ChatRequest
from comfydesk.llm.local import LocalEngine, LocalSetup
from comfydesk.llm.process import has_package
from tests.bench.figures import record
from tests.unit.llm import fake_llama_server, tiny_gguf

ROUNDS = 12
WORDS = 150
COMMAND = "pytest tests/bench/test_llm_speed.py -s"
ASK = ChatRequest("You rewrite prompts.", "a cat", max_tokens=WORDS + 50)


async def test_the_apps_client_is_as_fast_as_a_bare_one(tmp_path: Path) -> None:
    reply = " ".join(f"word{number}" for number in range(WORDS))
    model = tmp_path / "tiny.gguf"
    if has_package():
        tiny_gguf.write(model, reply)
        setup = LocalSetup(model, "tiny")
    else:
        model.write_text(json.dumps({"reply": reply, "pause": 0.0005}))
        setup = LocalSetup(model, "tiny", str(fake_llama_server.install(tmp_path)))
    engine = LocalEngine(lambda: setup)
    try:
        assert await _ours(engine)
        client = engine._client
        assert client is not None
        assert client.endpoint.key is not None
        headers = {"Authorization": f"Bearer {client.endpoint.key.reveal()}"}
        async with httpx.AsyncClient(timeout=None, trust_env=False, headers=headers) as bare:
            body = client._body(ASK)
            times = await _in_turns(lambda: _ours(engine), lambda: _bare(bare, f"{client.endpoint.url}", body))
    finally:
        await engine.close()
    _tell(times, "llama.cpp" if has_package() else "double")


Times = list[tuple[float, float]]


async def _in_turns(*ways: Callable[[], Coroutine[None, None, tuple[float, float]]]) -> list[Times]:
    """(Seconds to the first piece, pieces per second) of each way, taken in turns so that both meet the same load."""
    times: list[Times] = [[] for _ in ways]
    for round_ in range(ROUNDS):
        order = list(enumerate(ways))
        for index, way in order if round_ % 2 else reversed(order):
            times[index].append(await way())
            await asyncio.sleep(0.01)
    return times


async def _ours(engine: LocalEngine) -> tuple[float, float]:
    began, first, count = time.perf_counter(), 0.0, 0
    async for _ in engine.stream(ASK):
        first = first or time.perf_counter()
        count += 1
    assert count == WORDS
    return first - began, count / (time.perf_counter() - first)


async def _bare(client: httpx.AsyncClient, url: str, body: dict[str, object]) -> tuple[float, float]:
    """As short as it can be written: lines, JSON, the text."""
    began, first, count = time.perf_counter(), 0.0, 0
    async with client.stream("POST", f"{url}/chat/completions", json=body) as response:
        async for line in response.aiter_lines():
            if line.startswith("data: {") and json.loads(line[6:])["choices"][0]["delta"].get("content"):
                first = first or time.perf_counter()
                count += 1
    assert count == WORDS
    return first - began, count / (time.perf_counter() - first)


def _tell(times: list[Times], server: str) -> None:
    (ours_first, ours_speed), (bare_first, bare_speed) = (
        [statistics.median(column) for column in zip(*way, strict=True)] for way in times
    )
    note = f"{ROUNDS} rounds, {server}: {ours_first * 1e3:.1f} ms and {bare_first * 1e3:.1f} ms"
    first = record("LLM: time to first token, bare / app", bare_first / ours_first, "ratio", "≥ 0.95", COMMAND, note)
    note = f"{ours_speed:.0f}/s and {bare_speed:.0f}/s"
    speed = record("LLM: tokens per second, app / bare", ours_speed / bare_speed, "ratio", "≥ 0.95", COMMAND, note)
    assert first.met
    assert speed.met
