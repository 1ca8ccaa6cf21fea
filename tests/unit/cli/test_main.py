"""The command line as a whole: which words go where, exit codes, what is imported."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from comfydesk import __main__, cli
from comfydesk.errors import KnownError, PodUnreachableError


def test_importing_the_command_line_brings_nothing_heavy() -> None:
    code = (
        "import sys, comfydesk.cli, comfydesk.__main__;"
        "print([name for name in ('PySide6', 'qasync', 'httpx', 'websockets', 'aiohttp', 'av', 'PIL', 'sqlite3',"
        " 'keyring', 'asyncio') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("jobs", "jobs"),
        ("--json jobs", "jobs"),
        ("--pod demo generate x.json", "generate"),
        ("--pod=demo outputs", "outputs"),
        ("--data-dir jobs", None),
        ("picture.png", None),
        ("", None),
        ("--demo", None),
    ],
)
def test_the_first_word_that_is_no_option_decides(line: str, command: str | None) -> None:
    assert cli.command_of(line.split()) == command


def test_every_command_is_there_and_has_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--help"]) == 0
    page = capsys.readouterr().out
    for command in cli.COMMANDS:
        there = f" {command} " in page or f" {command}\n" in page
        assert there is (command != "llm-child"), command  # which is for ComfyDesk itself


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert __main__.main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("comfydesk ")


@pytest.mark.parametrize("line", ["jobs --nonsense", "generate", "jobs extra words", "no-such-file.json", "--pod"])
def test_usage_errors_end_with_2(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert __main__.main(line.split()) == 2
    assert "Traceback" not in capsys.readouterr().err


class Failing:
    """A command that raises."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def __call__(self, *_: object) -> int:
        raise self.error


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (KnownError("It failed", "the disk is full", "Make room"), 1),
        (PodUnreachableError("Nobody answers"), 3),
        (KeyboardInterrupt(), 130),
    ],
)
def test_the_worlds_faults_are_one_line_and_a_code(
    error: BaseException,
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    monkeypatch.setattr("comfydesk.cli.jobs.run", Failing(error))
    assert cli.main(["jobs", "--data-dir", str(tmp_path)]) == code
    said = f"comfydesk: {error}\n" if isinstance(error, KnownError) else ""
    assert capsys.readouterr().err == said


def test_a_broken_settings_file_is_told_on_stderr_and_the_command_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMFYDESK_DATA_DIR", str(tmp_path))
    (tmp_path / "settings.toml").write_text("queue = [")
    assert cli.main(["jobs", "--json"]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out) == {"jobs": []}
    assert captured.err.count("\n") == 1
    assert "settings.toml.broken" in captured.err


def test_a_reader_that_leaves_is_no_fault_of_ours(tmp_path: Path) -> None:
    command = f"{sys.executable} -m comfydesk jobs --json --data-dir {tmp_path} | true"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert done.stderr == ""
