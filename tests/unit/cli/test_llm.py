"""`comfydesk llm`: the models of this computer, from the command line."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from comfydesk.cli import main
from comfydesk.llm.models import CURATED
from tests.unit.llm import fake_llama_server, tiny_gguf


def called(capsys: pytest.CaptureFixture[str], folder: Path, *arguments: str) -> tuple[int, Any, str]:
    code = main(["llm", *arguments, "--json", "--data-dir", str(folder)])
    shown = capsys.readouterr()
    return code, json.loads(shown.out), shown.err


def test_the_list_says_what_is_here_and_what_fits(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for arguments in ((), ("models",)):
        code, document, _ = called(capsys, tmp_path, *arguments)
        assert code == 0
        assert [model["id"] for model in document["models"]] == [model.id for model in CURATED]
        first = document["models"][0]
        assert first["size"] < first["memory"]
        assert (first["path"], first["partial"]) == (None, 0)
        assert first["fit"] in ("fits", "tight", "too large", "unknown")


def test_for_people_there_is_a_line_each(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["llm", "--data-dir", str(tmp_path)]) == 0
    shown = capsys.readouterr()
    assert len(shown.out.splitlines()) == len(CURATED)
    assert "comfydesk llm download" in shown.err


def test_add_and_remove_a_file_that_is_there(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    model = tiny_gguf.write(tmp_path / "My Model.gguf", "A cat.", width=16)
    code, document, _ = called(capsys, tmp_path, "add", str(model))
    assert (code, document) == (0, {"id": "my-model", "path": str(model)})
    assert called(capsys, tmp_path, "models")[1]["models"][-1]["path"] == str(model)
    assert called(capsys, tmp_path, "remove", "my-model")[1] == {"id": "my-model", "removed": True}
    assert model.is_file(), "only forgotten"
    assert len(called(capsys, tmp_path, "models")[1]["models"]) == len(CURATED)


def test_what_is_no_model_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "page.gguf").write_text("<html>")
    code, document, _ = called(capsys, tmp_path, "add", str(tmp_path / "page.gguf"))
    assert code == 1
    assert "no GGUF model" in document["error"]


@pytest.mark.parametrize("action", ["download", "remove"])
def test_an_unknown_id_is_a_usage_error_that_lists_them(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, action: str
) -> None:
    code, document, _ = called(capsys, tmp_path, action, "gpt-9")
    assert code == 2
    assert "qwen3.5-4b" in document["error"]


def test_status_says_in_one_line_what_to_do(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, document, _ = called(capsys, tmp_path, "status")
    assert (code, document["ready"]) == (1, False)
    assert "Download one" in document["words"]
    called(capsys, tmp_path, "add", str(tiny_gguf.write(tmp_path / "a.gguf", "A cat.", width=16)))
    fake_llama_server.install(tmp_path)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    code, document, _ = called(capsys, tmp_path, "status")
    assert (code, document["model"]) == (0, "a")


def test_the_child_is_a_command_of_the_frozen_program(tmp_path: Path) -> None:
    line = json.dumps({"model": str(tmp_path / "none.gguf"), "name": "x", "key": "k", "parent": os.getpid()})
    done = subprocess.run(
        [sys.executable, "-m", "comfydesk", "llm-child"], input=line + "\n", capture_output=True, text=True, check=False
    )
    assert done.returncode in (0, 1)
    assert not done.stdout or set(json.loads(done.stdout)) <= {"error", "port"}


def test_commands_for_a_pod_by_hand_and_what_is_missing_is_said(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code, document, _ = called(capsys, tmp_path, "pod", "commands", CURATED[0].id)
    assert code == 0
    assert CURATED[0].sha256 in document["commands"]
    assert "/workspace/models/llm/" in document["commands"]
    assert called(capsys, tmp_path, "pod", "start")[0] == 2
    code, document, _ = called(capsys, tmp_path, "pod", "status", "--pod", "nobody")
    assert code == 2
    assert "no profile called nobody" in document["error"]
