"""`comfydesk intent`: sentences in, tasks out."""

import io
import json

import pytest

from comfydesk import cli


def test_answers_each_sentence_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["intent", "a picture of a red bicycle", "hello world", "--json"]) == 0
    first, second = json.loads(capsys.readouterr().out)
    assert (first["type"], first["subject"]) == ("t2i", "a red bicycle")
    assert first["suggestions"]
    assert (second["matched"], second["type"], second["suggestions"]) == (False, None, [])


def test_reads_sentences_from_stdin(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("upscale\ntext to speech\n"))
    assert cli.main(["intent", "-", "--json"]) == 0
    assert [answer["type"] for answer in json.loads(capsys.readouterr().out)] == ["upscale", "audio"]


def test_a_bare_description_is_offered_as_a_picture(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["intent", "a cat wearing a hat"]) == 0
    assert capsys.readouterr().out == "a cat wearing a hat: t2i (30%), prompt: a cat wearing a hat\n"
