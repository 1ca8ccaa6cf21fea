"""The one client of LLM servers, over real sockets, against a server that does all that servers do wrong."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import pytest

from comfydesk.credentials import Secret
from comfydesk.errors import LlmAnswerError, LlmCutOffError, LlmError, LlmRefusedError, LlmUnreachableError, UsageError
from comfydesk.llm.address import Endpoint, endpoint_url, is_local
from comfydesk.llm.engine import Action, ChatRequest
from comfydesk.llm.openai import OpenAiEngine, Pace
from tests.unit.llm.fake_server import MODEL, FakeServer, event, said

ASK = ChatRequest("You rewrite prompts.", "a cat", seed=7)
KEY = "sk-very-secret"


@asynccontextmanager
async def engine_of(
    server: FakeServer, *, key: str = "", model: str = "", pace: Pace | None = None
) -> AsyncIterator[OpenAiEngine]:
    async with server:
        endpoint = Endpoint(server.url, model, Secret(key) if key else None, label="the server")
        engine = OpenAiEngine(endpoint, pace=pace or Pace(first=5, gap=5, again=0.01))
        try:
            yield engine
        finally:
            await engine.close()


async def answer(engine: OpenAiEngine, request: ChatRequest = ASK) -> str:
    return "".join([piece async for piece in engine.stream(request)])


async def test_an_answer_comes_piece_by_piece() -> None:
    async with engine_of(FakeServer(said("A", " tabby", " cat"))) as engine:
        assert [piece async for piece in engine.stream(ASK)] == ["A", " tabby", " cat"]
        assert engine.model == MODEL


async def test_what_is_sent_is_what_was_asked() -> None:
    server = FakeServer()
    async with engine_of(server, model="x:4b") as engine:
        await answer(engine, ChatRequest("Be short.", "a \ud83d dog", 99, 0.25, 5, (b"\x89PNG-",), ("\n\n",)))
    (sent,) = server.asked
    assert (sent["model"], sent["max_tokens"], sent["temperature"], sent["seed"]) == ("x:4b", 99, 0.25, 5)
    assert sent["stop"] == ["\n\n"]
    assert sent["messages"][0] == {"role": "system", "content": "Be short."}
    words, picture = sent["messages"][1]["content"]
    assert words["text"] == "a \ud83d dog"
    assert picture["image_url"]["url"] == "data:image/png;base64,iVBORy0="


async def test_the_key_goes_into_the_header_and_nowhere_else(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    server = FakeServer(key=KEY)
    async with engine_of(server, key=KEY) as engine:
        assert await answer(engine) == "Hello world"
        assert KEY not in repr(engine.endpoint)
    assert set(server.authorizations) == {f"Bearer {KEY}"}
    assert KEY not in caplog.text


@pytest.mark.parametrize(
    ("chunks", "shown"),
    [
        pytest.param(said("<think>Hm, cats.</think>", "\n\nA cat"), "A cat", id="inline"),
        pytest.param(said("<th", "ink>Hm", "</thi", "nk> A c", "at"), "A cat", id="split over pieces"),
        pytest.param(said("<THINKING>Hm</THINKING>A cat"), "A cat", id="another mark"),
        pytest.param(said("A cat<think>Hm"), "A cat", id="unclosed"),
        pytest.param((event(reasoning_content="Hm"), *said("A cat")), "A cat", id="reasoning_content"),
        pytest.param((event(reasoning="Hm"), *said("A cat")), "A cat", id="reasoning"),
        pytest.param(said("1 < 2 <thin"), "1 < 2 <thin", id="no mark after all"),
    ],
)
async def test_reasoning_is_not_shown(chunks: tuple[bytes, ...], shown: str) -> None:
    async with engine_of(FakeServer(chunks)) as engine:
        assert await answer(engine) == shown


async def test_comments_names_and_carriage_returns_are_no_text() -> None:
    chunks = (
        b": ping\r\n\r\n",
        b"event: message\nid: 4\n",
        event("A").replace(b"\n", b"\r\n"),
        b":\n\n",
        *said(" cat"),
    )
    async with engine_of(FakeServer(chunks)) as engine:
        assert await answer(engine) == "A cat"


async def test_pieces_may_be_cut_anywhere() -> None:
    whole = b"".join(said("Ein", " Kätzchen", " 猫"))
    async with engine_of(FakeServer(tuple(whole[i : i + 3] for i in range(0, len(whole), 3)))) as engine:
        assert await answer(engine) == "Ein Kätzchen 猫"


async def test_a_server_that_does_not_stream_is_understood() -> None:
    server = FakeServer((b'{"choices":[{"message":{"content":"A cat"},"finish_reason":"stop"}]}',))
    server.content_type = "application/json"
    async with engine_of(server) as engine:
        assert await answer(engine) == "A cat"


@pytest.mark.parametrize(
    ("chunks", "words"),
    [
        pytest.param((b"",), "empty answer", id="200 with nothing"),
        pytest.param((event("A cat"),), "broke off", id="no [DONE]"),
        pytest.param((event("A"), b"data: {nonsense}\n\n"), "no chat answer", id="malformed JSON"),
        pytest.param((b"data: [1, 2]\n\n",), "no chat answer", id="not an object"),
        pytest.param((b"data: " + b"[" * 100_000 + b"\n\n",), "no chat answer", id="nested without end"),
        pytest.param((b"<html>Log in</html>",), "broke off", id="a web page"),
        pytest.param((b'data: {"error": {"message": "CUDA out of memory"}}\n\n',), "CUDA out of memory", id="an error"),
        pytest.param(said("x" * 1_000_000), "come to an end", id="1 MB in one piece"),
        pytest.param(said(*["words and " * 100] * 1000), "come to an end", id="1 MB in many"),
        pytest.param((b"data: " + b"x" * 1_200_000,), "no end", id="a line without end"),
        pytest.param((b"data: 1\n" * 300_000,), "no end", id="an event without end"),
    ],
)
async def test_an_answer_that_is_none_is_an_error(chunks: tuple[bytes, ...], words: str) -> None:
    async with engine_of(FakeServer(chunks)) as engine:
        with pytest.raises(LlmAnswerError, match=words):
            await answer(engine)


async def test_endless_reasoning_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("comfydesk.llm.openai.MAX_BYTES", 100_000)
    async with engine_of(FakeServer([event(reasoning="hm " * 100)] * 1000)) as engine:
        with pytest.raises(LlmAnswerError, match="come to an end"):
            await answer(engine)


async def test_a_cut_off_answer_says_so_after_its_text() -> None:
    pieces = []
    async with engine_of(FakeServer(said("A cat in", finish="length"))) as engine:
        with pytest.raises(LlmCutOffError, match="cut off after 512 tokens"):  # noqa: PT012
            async for piece in engine.stream(ASK):
                pieces.append(piece)  # noqa: PERF401
    assert pieces == ["A cat in"]


async def test_a_length_spent_on_reasoning_says_so() -> None:
    async with engine_of(FakeServer(said("<think>Well,", finish="length"))) as engine:
        with pytest.raises(LlmCutOffError, match="reasoning"):
            await answer(engine)


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (
            400,
            '{"error": {"message": "This model\'s maximum context length is 2048 tokens"}}',
            "maximum context length",
        ),
        (401, "no", "another key"),
        (404, '{"error": {"message": "model \\"x\\" not found"}}', "not found"),
        (429, '{"error": "slow down"}', "Slow down"),
        (500, "<html>" * 1000, "status 500"),
        (502, '{"detail": [1, 2]}', "status 502"),
        (502, "[" * 100_000, "status 502"),
    ],
)
async def test_a_refusal_is_told_in_one_line(status: int, body: str, words: str) -> None:
    server = FakeServer()
    server.statuses = [(status, body)]
    async with engine_of(server) as engine:
        with pytest.raises(LlmRefusedError, match=words) as caught:
            await answer(engine)
    assert caught.value.status == status
    assert len(str(caught.value)) < 600
    assert "\n" not in str(caught.value)


async def test_a_server_that_loads_is_asked_again() -> None:
    server = FakeServer()
    server.statuses = [(503, '{"error": {"message": "Loading model"}}')] * 3
    async with engine_of(server) as engine:
        assert await answer(engine) == "Hello world"


async def test_a_server_that_loads_for_ever_is_given_up() -> None:
    server = FakeServer()
    server.statuses = [(503, '{"error": {"message": "Loading model"}}')] * 1000
    async with engine_of(server, pace=Pace(first=1.0, again=0.01)) as engine:
        with pytest.raises(LlmRefusedError, match="Loading model"):
            await answer(engine)


async def test_a_server_that_refuses_template_options_is_asked_without() -> None:
    server = FakeServer()
    server.statuses = [(400, '{"error": {"message": "Unrecognized argument: chat_template_kwargs"}}')]
    async with engine_of(server) as engine:
        assert await answer(engine) == "Hello world"
        assert await answer(engine) == "Hello world"
    assert ["chat_template_kwargs" in body for body in server.asked] == [True, False, False]


@pytest.mark.parametrize(
    ("location", "named"),
    [
        ("http://elsewhere.example/v1/chat/completions", r"on to elsewhere\.example"),
        ("//[::1", "broke off"),
    ],
)
async def test_a_redirect_is_not_followed(location: str, named: str) -> None:
    server = FakeServer(key=KEY)
    server.statuses, server.headers = [(307, "")], {"Location": location}
    async with engine_of(server, key=KEY) as engine:
        with pytest.raises(LlmAnswerError, match=named):
            await answer(engine)


async def test_compressed_answers_are_refused() -> None:
    server = FakeServer()
    server.headers = {"Content-Encoding": "br"}
    async with engine_of(server) as engine:
        with pytest.raises(LlmAnswerError, match="compressed"):
            await answer(engine)


@pytest.mark.parametrize("chunks", [(), (event("A cat"),), (b"data: {",)])
async def test_a_hanging_server_is_given_up(chunks: tuple[bytes, ...]) -> None:
    server = FakeServer(chunks or (b": hello\n\n",))
    server.hang = True
    async with engine_of(server, pace=Pace(first=1.0, gap=0.5)) as engine:
        with pytest.raises(LlmUnreachableError, match="does not go on"):
            await answer(engine)


async def test_nobody_there() -> None:
    server = FakeServer()
    async with server:
        pass
    engine = OpenAiEngine(Endpoint(server.url))
    with pytest.raises(LlmUnreachableError, match="does not answer"):
        await answer(engine)
    assert (await engine.ready()).action is Action.CONNECT
    await engine.close()


async def test_closing_the_stream_hangs_up_at_once() -> None:
    server = FakeServer((event("A cat"),))
    server.hang = True
    async with engine_of(server) as engine:
        async with aclosing(engine.stream(ASK)) as pieces:
            assert await anext(pieces) == "A cat"
            began = time.perf_counter()
        async with asyncio.timeout(1):
            await server.gone.wait()
        assert time.perf_counter() - began < 0.2


async def test_cancelling_while_nothing_comes_hangs_up_at_once() -> None:
    server = FakeServer((b": wait\n\n",))
    server.hang = True
    async with engine_of(server) as engine:
        task = asyncio.create_task(answer(engine))
        await server.reached.wait()
        began = time.perf_counter()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with asyncio.timeout(1):
            await server.gone.wait()
        assert time.perf_counter() - began < 0.2


async def test_closing_the_engine_ends_its_streams() -> None:
    server = FakeServer((event("A cat"),))
    server.hang = True
    async with engine_of(server) as engine, aclosing(engine.stream(ASK)) as pieces:
        assert await anext(pieces) == "A cat"
        task = asyncio.create_task(anext(pieces))
        await asyncio.sleep(0)
        await engine.close()
        with pytest.raises(LlmError):
            await asyncio.wait_for(task, 2)


async def test_ready_looks_for_the_model() -> None:
    server = FakeServer()
    async with engine_of(server, model=MODEL) as engine:
        assert (await engine.ready()).ok
    async with engine_of(FakeServer(), model="another") as engine:
        readiness = await engine.ready()
        assert not readiness.ok
        assert MODEL in readiness.words
        assert readiness.action is Action.CONFIGURE
    async with engine_of(FakeServer(key=KEY), key="wrong") as engine:
        assert "another key" in (await engine.ready()).words


@pytest.mark.parametrize("listed", [{"data": None}, {"data": []}])
async def test_a_server_without_models(listed: object) -> None:
    server = FakeServer()
    server.models = listed
    async with engine_of(server) as engine:
        assert await engine.models() == ()
        assert not (await engine.ready()).ok


@pytest.mark.parametrize("listed", [[], {"models": []}, "x", {"data": {"id": 1}}])
async def test_a_list_of_models_that_is_none(listed: object) -> None:
    server = FakeServer()
    server.models = listed
    async with engine_of(server) as engine:
        with pytest.raises(LlmAnswerError):
            await engine.models()


@pytest.mark.parametrize(
    ("typed", "url"),
    [
        ("localhost:11434", "http://localhost:11434/v1"),
        (" 127.0.0.1:8080/ ", "http://127.0.0.1:8080/v1"),
        ("llm.example.com", "https://llm.example.com/v1"),
        ("https://openrouter.ai/api/v1/chat/completions", "https://openrouter.ai/api/v1"),
        ("http://[::1]:1234/v1/models", "http://[::1]:1234/v1"),
    ],
)
def test_addresses_as_people_type_them(typed: str, url: str) -> None:
    assert endpoint_url(typed) == url


@pytest.mark.parametrize(
    "typed", ["", "ftp://x", "http://", "http://a b", "http://user:pw@host", "https://h/v1?key=abc", "http://h:99999"]
)
def test_addresses_that_are_none(typed: str) -> None:
    with pytest.raises(UsageError) as caught:
        endpoint_url(typed)
    assert "abc" not in str(caught.value)
    assert "pw" not in str(caught.value)


def test_what_leaves_this_computer_unencrypted_is_known() -> None:
    assert Endpoint("http://10.0.0.5:8080/v1").leaks
    assert not Endpoint("http://127.0.0.1:8080/v1").leaks
    assert is_local("http://localhost/v1")
