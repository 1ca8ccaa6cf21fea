"""The engine of this computer, as a supervised process: always with a stand-in for llama-server, and with the real
llama.cpp and a tiny model where the extra `llm` is installed (`make test-llm`)."""

import asyncio
import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from comfydesk.errors import LlmError, LlmModelError, LlmNotReadyError
from comfydesk.llm import process
from comfydesk.llm.engine import Action, ChatRequest
from comfydesk.llm.local import LocalEngine, LocalSetup, LocalState
from comfydesk.llm.process import environment, has_package
from tests.unit.llm import fake_llama_server, tiny_gguf

REPLY = "A tabby cat sleeps in warm morning light, soft shadows, film grain."
LONG = " ".join(f"word{number}" for number in range(150))
ASK = ChatRequest("You rewrite prompts.", "a cat", max_tokens=1000)
linux = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


class Bench:
    """Makes setups; `real`: with llama.cpp."""

    def __init__(self, folder: Path, *, real: bool) -> None:
        self.folder = folder
        self.real = real
        self.program = "" if real else str(fake_llama_server.install(folder))

    def setup(self, reply: str = REPLY, **how: object) -> LocalSetup:
        model = self.folder / "tiny.gguf"
        if self.real:
            tiny_gguf.write(model, reply, context=how.get("context", 2048))  # type: ignore[arg-type] # an int
        else:
            model.write_text(json.dumps({"reply": reply, **how}))
        return LocalSetup(model, "tiny", self.program)


@pytest.fixture(params=["double", "llama.cpp"] if has_package() else ["double"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Bench:
    return Bench(tmp_path, real=request.param == "llama.cpp")


@pytest.fixture
def double(tmp_path: Path) -> Bench:
    return Bench(tmp_path, real=False)


@asynccontextmanager
async def engine_of(setup: LocalSetup) -> AsyncIterator[LocalEngine]:
    engine = LocalEngine(lambda: setup)
    try:
        yield engine
    finally:
        await engine.close()
    assert engine.pid is None


async def answer(engine: LocalEngine, request: ChatRequest = ASK) -> str:
    return "".join([piece async for piece in engine.stream(request)])


def lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def start(script: str) -> "subprocess.Popen[str]":
    return subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)


def arguments_of(pid: int | None) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text()


def pid_of(engine: LocalEngine) -> int:
    assert engine.pid is not None
    return engine.pid


async def test_it_starts_with_the_first_question_and_stays(bench: Bench) -> None:
    async with engine_of(bench.setup()) as engine:
        assert (await engine.ready()).ok
        assert engine.pid is None, "asking whether it is ready starts nothing"
        assert await answer(engine) == REPLY
        pid = engine.pid
        assert engine.status.state is LocalState.ON
        assert await answer(engine, replace(ASK, seed=2)) == REPLY
        assert engine.pid == pid


async def test_text_comes_in_pieces(bench: Bench) -> None:
    async with engine_of(bench.setup()) as engine:
        pieces = [piece async for piece in engine.stream(ASK)]
    assert len(pieces) > 5


@linux
async def test_the_key_is_in_no_argument_and_no_log(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with engine_of(bench.setup()) as engine:
        await answer(engine)
        assert engine._process is not None
        key = engine._process.key.reveal()
        arguments = arguments_of(engine.pid)
        assert "tiny" in arguments or "child" in arguments
        assert key not in arguments
        assert key not in caplog.text
        assert key not in "".join(engine._process._lines)
        assert key not in repr(engine.status)


async def test_the_server_is_for_us_alone(bench: Bench) -> None:
    import httpx

    async with engine_of(bench.setup()) as engine:
        await answer(engine)
        assert engine._client is not None
        async with httpx.AsyncClient(trust_env=False) as stranger:
            question = {"messages": [{"role": "user", "content": "a cat"}]}
            refused = await stranger.post(f"{engine._client.endpoint.url}/chat/completions", json=question)
            assert refused.status_code == 401


@linux
async def test_after_a_while_without_questions_the_memory_is_back(bench: Bench) -> None:
    setup = replace(bench.setup(megabytes=100), idle=0.05)
    async with engine_of(setup) as engine:
        gone = asyncio.Event()
        engine.states.subscribe(lambda status: gone.set() if status.state is LocalState.OFF else None)
        await answer(engine)
        pid = pid_of(engine)
        assert engine.resident() > 50 << 20
        async with asyncio.timeout(5):
            await gone.wait()
        assert not lives(pid)
        assert engine.resident() == 0
        assert await answer(engine) == REPLY, "and it is loaded again when it is wanted"


async def test_unloading_by_hand(bench: Bench) -> None:
    async with engine_of(bench.setup()) as engine:
        await answer(engine)
        pid = pid_of(engine)
        await engine.unload()
        assert not lives(pid)


async def test_closing_a_stream_is_quick_and_keeps_the_model(bench: Bench) -> None:
    async with engine_of(bench.setup(LONG, pause=0.01)) as engine:
        async with aclosing(engine.stream(ASK)) as pieces:
            await anext(pieces)
            began = time.perf_counter()
        assert time.perf_counter() - began < 0.2
        assert engine.pid is not None
        assert await answer(engine) == LONG


async def test_cancelling_before_the_first_word_stops_the_work(bench: Bench) -> None:
    async with engine_of(bench.setup(think=60)) as engine:
        loading = asyncio.Event()
        engine.states.subscribe(lambda status: loading.set() if status.state is LocalState.LOADING else None)
        task = asyncio.create_task(answer(engine))
        await loading.wait()
        while (pid := engine.pid) is None:  # noqa: ASYNC110 - its process is made right after it said so
            await asyncio.sleep(0)
        began = time.perf_counter()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert time.perf_counter() - began < 0.2
        async with asyncio.timeout(2):
            while lives(pid):  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.01)


@linux
async def test_a_program_that_the_process_started_goes_with_it(double: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where no process can become the llama-server, and stands before it instead."""
    child = "import sys; from comfydesk.llm import child; child._LINUX = False; sys.exit(child.main())"
    monkeypatch.setattr(process, "_command", lambda: [sys.executable, "-c", child])
    async with engine_of(double.setup()) as engine:
        assert await answer(engine) == REPLY
        served = int((double.folder / "tiny.starts").read_text())
        assert served != engine.pid
    async with asyncio.timeout(2):
        while lives(served):  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.01)


async def test_with_its_mmproj_file_a_model_looks_at_pictures(double: Bench) -> None:
    setup = double.setup()
    request = replace(ASK, images=(b"\x89PNG\r\n\x1a\n",))
    async with engine_of(setup) as blind:
        assert not blind.vision
    projector = double.folder / "mmproj-F16.gguf"
    async with engine_of(replace(setup, projector=projector)) as engine:
        before = engine.vision  # the file is not there yet
        projector.write_bytes(b"GGUF")
        assert (before, engine.vision) == (False, True)
        assert await answer(engine, request) == REPLY
        assert str(projector) in arguments_of(engine.pid)


async def test_the_frozen_app_starts_its_child_by_its_own_program(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is no Python beside it: `comfydesk llm-child` is the child, whatever else the command line can do."""
    program = bench.folder / "comfydesk"
    program.write_text(f"#!{sys.executable}\nimport sys\nfrom comfydesk.__main__ import main\nsys.exit(main())\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", str(program))
    started: list[list[str]] = []
    real = subprocess.Popen.__init__

    def note(self: "subprocess.Popen[str]", command: list[str], *args: object, **options: object) -> None:
        started.append(command)
        real(self, command, *args, **options)  # type: ignore[call-overload] # what it was given

    monkeypatch.setattr(subprocess.Popen, "__init__", note)
    async with engine_of(bench.setup()) as engine:
        assert await answer(engine) == REPLY
        assert started[0] == [str(program), "llm-child"]


async def test_two_questions_at_once_are_answered_one_after_the_other(bench: Bench) -> None:
    async with engine_of(bench.setup(LONG)) as engine:
        first, second = await asyncio.gather(answer(engine), answer(engine))
        assert (first, second) == (LONG, LONG)


async def test_a_process_killed_between_questions_is_no_news(bench: Bench) -> None:
    async with engine_of(bench.setup()) as engine:
        await answer(engine)
        os.kill(pid_of(engine), signal.SIGKILL)
        assert await answer(engine) == REPLY


async def test_a_process_killed_amid_an_answer_says_so(bench: Bench) -> None:
    async with engine_of(bench.setup(LONG, pause=0.01)) as engine:
        async with aclosing(engine.stream(ASK)) as pieces:
            await anext(pieces)
            os.kill(pid_of(engine), signal.SIGKILL)
            with pytest.raises(LlmError, match=r"stopped by itself.*[Ss]ignal 9"):
                [piece async for piece in pieces]
        assert engine.status.state is LocalState.FAILED
        assert await answer(engine) == LONG, "the next question starts it anew"


async def test_a_crash_before_the_first_word_is_mended_unseen(double: Bench) -> None:
    setup = double.setup(die="once")
    async with engine_of(setup) as engine:
        told: list[str] = []
        engine.states.subscribe(lambda status: told.append(status.words))
        assert await answer(engine) == REPLY
    assert any("loaded again" in words for words in told)


async def test_what_crashes_twice_is_given_up(double: Bench) -> None:
    setup = double.setup(die="always")
    async with engine_of(setup) as engine:
        with pytest.raises(LlmError, match=r"stopped by itself.*[Ee]xit code 3"):
            await answer(engine)
    assert setup.model is not None
    assert len(setup.model.with_suffix(".starts").read_text().split()) == 2


async def test_half_an_answer_is_not_begun_again(double: Bench) -> None:
    setup = double.setup(die="midway")
    pieces = []
    async with engine_of(setup) as engine:
        with pytest.raises(LlmError, match="stopped by itself"):  # noqa: PT012
            async for piece in engine.stream(ASK):
                pieces.append(piece)  # noqa: PERF401
    assert pieces == ["A", " tabby"]
    assert setup.model is not None
    assert len(setup.model.with_suffix(".starts").read_text().split()) == 1


async def test_a_model_that_takes_its_time_is_waited_for(double: Bench) -> None:
    async with engine_of(double.setup(loading=0.5)) as engine:
        assert await answer(engine) == REPLY


@pytest.mark.parametrize("content", [b"<html>Log in</html>", b"GGUF", b""])
async def test_a_broken_file_is_told_and_nothing_else_happens(bench: Bench, content: bytes) -> None:
    setup = bench.setup()
    assert setup.model is not None
    setup.model.write_bytes(content)
    async with engine_of(setup) as engine:
        with pytest.raises(LlmError) as caught:
            await answer(engine)
        assert isinstance(caught.value, LlmModelError) or "failed to load" in str(caught.value)
        assert engine.status.state is LocalState.FAILED
        assert engine.pid is None


async def test_a_prompt_that_is_too_long_is_told(bench: Bench) -> None:
    async with engine_of(replace(bench.setup(context=256), context=256)) as engine:
        with pytest.raises(LlmError, match=r"may be longer than|exceeds the available context"):
            await answer(engine, replace(ASK, user="cat " * 2000))
        assert await answer(engine) == REPLY


async def test_other_settings_count_from_the_next_question_on(bench: Bench) -> None:
    setups = [bench.setup()]
    engine = LocalEngine(lambda: setups[-1])
    await answer(engine)
    pid = pid_of(engine)
    setups.append(replace(setups[0], context=1024))
    assert await answer(engine) == REPLY
    assert engine.pid != pid
    assert not lives(pid)
    await engine.close()


@linux
@pytest.mark.parametrize("moment", ["loaded", "answering"])
async def test_it_dies_with_the_app(bench: Bench, moment: str) -> None:
    setup = bench.setup(LONG, pause=0.05)
    script = f"""
import asyncio, pathlib
from comfydesk.llm.local import LocalEngine, LocalSetup
from comfydesk.llm.engine import ChatRequest
async def main():
    engine = LocalEngine(lambda: LocalSetup(pathlib.Path({str(setup.model)!r}), "tiny", {setup.program!r}))
    async for piece in engine.stream(ChatRequest("", "a cat", max_tokens=1000)):
        if {moment == "answering"}:
            print(engine.pid, flush=True)
        elif not {bench.real}:
            break
    print(engine.pid, flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
"""
    app = start(script)
    assert app.stdout is not None
    with app.stdout:
        pid = int(await asyncio.to_thread(app.stdout.readline))
        assert lives(pid)
        app.kill()
        app.wait()
    deadline = time.monotonic() + 3
    while lives(pid) and time.monotonic() < deadline:  # noqa: ASYNC110 - another process
        await asyncio.sleep(0.01)
    assert not lives(pid)


async def test_what_is_missing_is_said_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("comfydesk.llm.process.has_package", lambda: False)
    model = tmp_path / "a.gguf"
    for setup, action, words in (
        (LocalSetup(None), Action.DOWNLOAD, "Download one"),
        (LocalSetup(model), Action.DOWNLOAD, "not there any more"),
    ):
        readiness = await LocalEngine(lambda setup=setup: setup).ready()  # type: ignore[misc] # a default binds it
        assert (readiness.ok, readiness.action) == (False, action)
        assert words in readiness.words
    model.touch()
    engine = LocalEngine(lambda: LocalSetup(model))
    assert (await engine.ready()).action is Action.INSTALL
    with pytest.raises(LlmNotReadyError, match="llama-server"):
        await answer(engine)
    chosen = await LocalEngine(lambda: LocalSetup(model, program="/nowhere/llama-server")).ready()
    assert chosen.action is Action.CONFIGURE


async def test_a_closed_engine_answers_no_more(double: Bench) -> None:
    engine = LocalEngine(double.setup)
    await engine.close()
    await engine.close()
    with pytest.raises(LlmNotReadyError):
        await answer(engine)


def test_common_variables_are_not_taken_for_settings() -> None:
    given = {"MODEL": "x", "CACHE": "1", "API_KEY": "k", "HF_TOKEN": "t", "PATH": "/bin", "CUDA_VISIBLE_DEVICES": "0"}
    assert environment(given) == {"PATH": "/bin", "CUDA_VISIBLE_DEVICES": "0"}
