"""`comfydesk probe`, as people and programs see it."""

import json
from pathlib import Path

import pytest

from comfydesk.cli import main
from tests.pod.conftest import Server

STEPS = ["dns", "tcp", "tls", "http", "auth", "comfyui", "websocket", "catalog"]


def test_a_pod_that_is_fine(server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["probe", "--pod", server.url, "--json", "--data-dir", str(tmp_path)]) == 0
    captured = capsys.readouterr()
    document = json.loads(captured.out)
    assert document["ok"] is True
    assert [step["step"] for step in document["steps"]] == STEPS
    assert all(step["ok"] and step["detail"] and step["ms"] >= 0 for step in document["steps"])
    assert main(["probe", "--pod", server.url, "--data-dir", str(tmp_path)]) == 0
    assert [line.split()[1] for line in capsys.readouterr().out.splitlines()] == STEPS


def test_a_port_where_nobody_listens(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["probe", "--pod", "http://127.0.0.1:1", "--json", "--data-dir", str(tmp_path)]) == 3
    captured = capsys.readouterr()
    document = json.loads(captured.out)
    assert document["ok"] is False
    assert [(step["step"], step["ok"]) for step in document["steps"]] == [("dns", True), ("tcp", False)]
    assert "refuses connections" in document["steps"][-1]["detail"]
    assert "Traceback" not in captured.err


def test_what_is_no_address(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["probe", "--pod", "https://me:s3cret@host:99999", "--data-dir", str(tmp_path)]) == 2
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1
    assert "s3cret" not in captured.err
