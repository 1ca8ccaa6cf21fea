"""`--help` and the man page: what they show can be typed, and they show all there is."""

import argparse
import re
import runpy
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from comfydesk import cli

ROOT = Path(__file__).parents[3]


def parsers(parser: argparse.ArgumentParser, name: str = "") -> Iterator[tuple[str, argparse.ArgumentParser]]:
    yield name, parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for inner, one in action.choices.items():
                if inner != "llm-child":
                    yield from parsers(one, f"{name} {inner}".strip())


ALL = dict(parsers(cli.build_parser()))
LINE = re.compile(r"""^  (?:.* \| |\w+=\S+ )?(comfydesk (?:"[^"]*"|[^|>"])+?)(?=  | \| | > | < |$)""", re.MULTILINE)
"""What is typed, without what comes before a pipe, a redirection, or the explanation behind it."""
EXAMPLES = sorted({found[1].strip() for parser in ALL.values() for found in LINE.finditer(parser.epilog or "")})


def test_there_are_examples() -> None:
    assert len(EXAMPLES) > 20


@pytest.mark.parametrize("line", EXAMPLES)
def test_each_example_can_be_typed(line: str) -> None:
    words = shlex.split(line)[1:]
    if words == ["--demo"]:
        return  # the window's: tests/qt
    cli.build_parser(cli.command_of(words)).parse_args(words)


@pytest.mark.parametrize("name", sorted(set(ALL) - {""}))
def test_each_command_says_what_it_does(name: str) -> None:
    parser = ALL[name]
    if " " not in name:
        assert parser.description, name
    for action in parser._actions:
        assert action.help or action.metavar or action.choices, f"{name}: {action.option_strings or action.dest}"


def test_help_is_no_wider_than_a_terminal() -> None:
    for name, parser in ALL.items():
        wide = [line for line in parser.format_help().splitlines() if len(line) > 120]
        assert not wide, name


def man() -> str:
    page = runpy.run_path(str(ROOT / "release/man.py"))["page"]()
    assert isinstance(page, str)
    return page


def test_the_man_page_has_every_command_and_option() -> None:
    page = man()
    plain = page.replace("\\-", "-").replace("\\(aq", "'").replace("\\e", "\\")
    for name, parser in ALL.items():
        assert not name or f"\n.SS {name}\n" in plain, name
        for action in parser._actions:
            if action.help != argparse.SUPPRESS:
                assert all(option in plain for option in action.option_strings), (name, action.option_strings)
    assert "llm-child" not in plain
    assert "--child" not in plain
    assert "==SUPPRESS==" not in plain


def test_the_man_page_is_one_that_groff_reads_without_a_warning(tmp_path: Path) -> None:
    file = tmp_path / "comfydesk.1"
    file.write_text(man(), encoding="utf-8")
    try:
        ended = subprocess.run(
            ["groff", "-man", "-Kutf8", "-Tutf8", "-ww", "-z", file], capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        pytest.skip("no groff here")
    assert (ended.returncode, ended.stderr) == (0, "")
