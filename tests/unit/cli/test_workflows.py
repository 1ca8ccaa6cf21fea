"""`comfydesk workflows`: cards as JSON, filtered, with and without a pod."""

import json
from pathlib import Path

import pytest

from comfydesk.cli import main


def listed(capsys: pytest.CaptureFixture[str], folder: Path, *options: str) -> list[dict[str, object]]:
    assert main(["workflows", "--json", "--data-dir", str(folder), *options]) == 0
    document: dict[str, list[dict[str, object]]] = json.loads(capsys.readouterr().out)
    return document["workflows"]


def test_without_a_pod_there_are_those_of_this_computer(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    names = {str(card["name"]): card for card in listed(capsys, tmp_path)}
    assert {"Text to image", "Text to audio"} <= set(names)
    assert names["Text to image"]["ready"] is None, "no pod was asked"
    assert [card["name"] for card in listed(capsys, tmp_path, "--type", "audio")] == ["Text to audio"]
    assert [card["name"] for card in listed(capsys, tmp_path, "--input", "image")] == ["Image to image"]
    assert [card["name"] for card in listed(capsys, tmp_path, "--output", "video")] == ["Text to video"]
    assert listed(capsys, tmp_path, "--search", "nothing like it") == []
