"""`comfydesk enhance` against a server on loopback."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from comfydesk.cli import main
from comfydesk.paths import Paths
from tests.unit.llm.fake_server import FakeServer, said

FOX = "a fox in the snow, <lora:ink:0.8>"


@contextmanager
def serving(*pieces: str, key: str = "") -> Iterator[FakeServer]:
    """The server on a loop of its own: the command has one, too."""
    loop = asyncio.new_event_loop()
    server = FakeServer(said(*pieces), key=key)
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(server.__aenter__(), loop).result(10)
        yield server
        asyncio.run_coroutine_threadsafe(server.__aexit__(), loop).result(10)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def command(paths: Paths, *arguments: str) -> list[str]:
    return ["enhance", "--data-dir", str(paths.data), *arguments]


def test_json_has_what_the_design_says(paths: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    with serving("A red fox in deep snow, ", "<k1/>, low sun.") as server:
        code = main(command(paths, FOX, "--engine", server.url, "--style", "cinematic", "--family", "flux", "--json"))
    out, _ = capsys.readouterr()
    assert code == 0
    found = json.loads(out)
    assert found["original"] == FOX
    assert found["enhanced"] == "A red fox in deep snow, <lora:ink:0.8>, low sun."
    assert (found["style"], found["family"], found["model"]) == ("cinematic", "flux", "double-1b")
    assert found["kept"] == ["<lora:ink:0.8>"]
    assert found["engine"] in server.url


def test_the_key_comes_from_the_environment(
    paths: Paths, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMFYDESK_LLM_KEY", "sk-7")
    with serving("A red fox in deep snow, <k1/>.", key="sk-7") as server:
        code = main(command(paths, FOX, "--engine", server.url))
    out, err = capsys.readouterr()
    assert code == 0
    assert out == "A red fox in deep snow, <lora:ink:0.8>.\n"
    assert "double-1b" in err
    assert "sk-7" not in out + err


def test_no_answer_leaves_the_original_and_says_why(paths: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    with serving("I'm sorry, but I can't do that.") as server:
        code = main(command(paths, FOX, "--engine", server.url))
    out, err = capsys.readouterr()
    assert (code, out) == (1, "")
    assert "The model declined" in err
    assert "The prompt stays as it was" in err
    assert "Traceback" not in err


def test_nobody_there_is_no_pod_reached(paths: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(command(paths, FOX, "--engine", "http://127.0.0.1:9/v1")) == 3
    assert "127.0.0.1:9" in capsys.readouterr().err


def test_without_a_model_it_says_what_to_do(paths: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(command(paths, FOX, "--engine", "local")) == 3
    assert "no language model on this computer" in capsys.readouterr().err


@pytest.mark.parametrize("wrong", [("--engine", "nope"), ("--style", "nope"), ("--family", "nope"), ("--count", "9")])
def test_what_is_wrong_on_the_command_line_is_usage(
    paths: Paths, capsys: pytest.CaptureFixture[str], wrong: tuple[str, str]
) -> None:
    assert main(command(paths, FOX, *wrong)) == 2
    assert capsys.readouterr().err.count("\n") == 1
