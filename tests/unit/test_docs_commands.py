"""What README and docs tell people to type exists: targets, modules, files, options; and each command is run somewhere.

What does no harm is run here; `.ci/run` runs make's; for all others there is the test that does the same, or the reason
why none does.
"""

import ast
import importlib.util
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from comfydesk import __main__, cli

ROOT = Path(__file__).parents[2]
PAGES = (*(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")), *sorted(ROOT.glob("docs/*.md")))
HARMLESS = {"generate", "probe", "inspect", "intent", "jobs", "llm"}
"""Commands that are run as they stand, but on the demo pod and in a folder of the test."""
CHANGES = {"download", "add", "remove", "token", "pod", "status"}
"""Of `llm`: these need a model, the network or a pod, or (status, where no model is) end with another code than 0."""
_LLM, _CLI = "tests/unit/cli/test_llm.py", "tests/unit/cli"
ELSEWHERE: Mapping[str, str] = {
    "make run": "tests/qt/test_window_start.py::test_without_a_display_the_window_makes_one_picture_and_shows_itself",
    "make fuzz": "tests/unit/test_fuzz.py::test_whatever_is_read_ends_well_or_in_a_known_error",
    "python -m tests.translations": "tests/qt/test_i18n.py::test_a_catalogue_has_exactly_the_texts_of_the_code",
    "comfydesk probe --pod proxied": f"{_CLI}/test_pods.py::test_probe_by_name_tells_each_step",
    "comfydesk pods add": f"{_CLI}/test_pods.py::test_add_list_edit_remove",
    "comfydesk enhance": f"{_CLI}/test_enhance.py::test_json_has_what_the_design_says",
    "comfydesk llm download": "tests/unit/llm/test_fetch.py::test_a_download_is_whole_and_verified",
    "comfydesk llm add": f"{_LLM}::test_add_and_remove_a_file_that_is_there",
    "comfydesk llm remove": f"{_LLM}::test_add_and_remove_a_file_that_is_there",
    "comfydesk llm status": f"{_LLM}::test_status_says_in_one_line_what_to_do",
    "comfydesk llm pod commands": f"{_LLM}::test_commands_for_a_pod_by_hand_and_what_is_missing_is_said",
}
"""How a command begins → the test that does the same."""
BY_HAND: Mapping[str, str] = {
    "make build": "takes minutes and half a gigabyte; with make smoke before a release",
    "make smoke": "needs what make build makes",
    "make deb": "needs what make build makes",
    "make wheel": "before a release",
    "make lock": "needs uv and the network, and changes the lock file",
    "make audit": "needs the network",
    "make bench": "a quarter of an hour on a quiet computer",
    "make screenshots": "changes docs/screenshots; looked at by people",
    "make test-llm": "compiles llama.cpp for a quarter of an hour",
    "python main.py": "a real ComfyUI, of docs/checks.md",
    "python -m pytest": "needs a real ComfyUI, or a quiet computer: docs/checks.md",
    "pytest": "needs a real ComfyUI: docs/checks.md",
    "python -m tests.unit.hosts.through_ssh": "needs a real ComfyUI: docs/checks.md",
    "python -m tests.told": "changes resources/i18n; with --check it is a test of tests/qt/test_i18n.py",
    "comfydesk llm pod": "needs a pod with SSH and a graphics card; its parts are in tests/unit/llm/test_pod_server.py",
    "comfydesk llm token": "changes the computer's keyring",
}
"""How a command begins → why no test runs it."""
_SETTING = re.compile(r"[A-Z_]+=.*")
_LINE = re.compile(r"(make|comfydesk|python|\.venv/bin/\S+|[A-Z_]+=\S+ .*) ?.*")


def typed(page: Path) -> Iterator[str]:
    """The commands of indented and of fenced blocks, and of `…` that begin as one."""
    fenced = False
    for line in page.read_text(encoding="utf-8").splitlines():
        if line.strip().startswith("```"):
            fenced = not fenced
        elif (fenced or line.startswith("    ")) and _LINE.fullmatch(line.strip()):
            yield line.strip()
        elif not fenced:
            yield from re.findall(r"`((?:make|comfydesk|python -m) [^`|…]+)`", line)


def words_of(line: str) -> list[str]:
    """The program and what it is given: no comment, no variables before it, globs as the shell makes them."""
    words = shlex.split(line, comments=True)
    while words and _SETTING.fullmatch(words[0]):
        words.pop(0)
    found: list[str] = []
    for word in words:
        found += sorted(str(path.relative_to(ROOT)) for path in ROOT.glob(word)) if "*" in word else [word]
    return found


COMMANDS = tuple(dict.fromkeys((page.name, line) for page in PAGES for line in typed(page)))
OURS = tuple(line for _, line in COMMANDS if words_of(line)[:1] in ([".venv/bin/comfydesk"], ["comfydesk"]))


def test_the_pages_tell_something_to_type() -> None:
    assert len(COMMANDS) > 10
    assert {words_of(line)[1] for line in OURS} >= HARMLESS


@pytest.mark.parametrize(("page", "line"), COMMANDS)
def test_what_is_to_be_typed_exists(page: str, line: str) -> None:
    program, *rest = words_of(line)
    if program == "make":
        targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
        assert rest[0] in targets, page
    elif program in ("python", ".venv/bin/python") and rest[:1] == ["-m"]:
        assert importlib.util.find_spec(rest[1]) is not None, page
    for word in rest:
        if word.startswith(("tests/", "docs/", "resources/", "comfydesk/")):
            assert (ROOT / word).exists(), f"{page}: {word}"


def anchors(page: Path) -> set[str]:
    """What headings can be linked by: small letters, digits and dashes."""
    headings = re.findall(r"(?m)^#+ (.+)$", page.read_text(encoding="utf-8"))
    return {re.sub(r"[^a-z0-9_ -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CHANGELOG.md"], ids=lambda page: page.name)
def test_links_and_pictures_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if not target.startswith(("https:", "http:")):
            path, _, anchor = target.partition("#")
            other = page.parent / path if path else page
            assert other.exists(), target
            assert not anchor or anchor in anchors(other), target


def test_the_modules_that_the_map_names_exist() -> None:
    """What stands in `…` in docs/architecture.md and has a folder is one of the package, or of the repository."""
    page = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([a-z_]+(?:/[a-z_]+)*/(?:[a-z_]+\.[a-z]+)?)`", page))
    assert len(named) > 25
    for path in named:
        if path.endswith("/"):
            assert (ROOT / path).is_dir() or any((ROOT / "comfydesk").rglob(path.rstrip("/"))), path
        else:
            assert (ROOT / "comfydesk" / path).is_file() or (ROOT / path).is_file(), path


def test_the_moving_picture_is_small_enough_for_a_page() -> None:
    assert (ROOT / "docs/screenshots/in-motion.webp").stat().st_size <= 3_000_000


@pytest.mark.parametrize("line", OURS)
def test_its_commands_and_options_are_known(line: str) -> None:
    words = words_of(line)[1:]
    command = cli.command_of(words)
    assert command is not None
    if len(words) > 1:  # else a sentence speaks of it
        cli.build_parser(command).parse_args(words)


def plain(line: str) -> str:
    """The command without the place of its program."""
    return " ".join(words_of(line)).replace(".venv/bin/", "")


def is_harmless(line: str) -> bool:
    words = words_of(line)
    return (
        line in OURS
        and words[1] in HARMLESS
        and not (words[1] == "llm" and CHANGES & set(words[2:3]))
        and words[1:] != ["generate"]
        and "proxied" not in words
    )


@pytest.mark.parametrize("line", [line for line in OURS if is_harmless(line)])
def test_what_does_no_harm_works(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    words = [str(ROOT / word) if word.startswith("resources/") else word for word in words_of(line)[1:]]
    words = ["demo" if word == "127.0.0.1:8188" else word for word in words]
    assert __main__.main(["--data-dir", str(tmp_path / "data"), *words]) == 0
    if "-o" in words:
        assert list(Path(words[words.index("-o") + 1]).glob("*.png"))


def test_the_fuzzers_command_works() -> None:
    (line,) = {line for _, line in COMMANDS if line.startswith("python -m tests.fuzz")}
    words = ["0.2" if word == "60" else word for word in words_of(line)[1:]]
    done = subprocess.run(
        [sys.executable, *words, "--plain", "--seed", "1"], cwd=ROOT, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert b'"findings": []' in done.stdout


@pytest.mark.parametrize(("page", "line"), COMMANDS)
def test_every_command_is_run_somewhere(page: str, line: str) -> None:
    command = plain(line)
    in_ci = {
        f"make {target}"
        for target in re.findall(r"^(?:if ! )?make \S+ (\w+)", (ROOT / ".ci/run").read_text("utf-8"), re.MULTILINE)
    }
    spoken_of = line in OURS and command.count(" ") == 1
    if is_harmless(line) or spoken_of or command in in_ci or command.startswith("python -m tests.fuzz"):
        return
    held = max((start for start in (*ELSEWHERE, *BY_HAND) if command.startswith(start)), key=len, default=None)
    assert held is not None, f"{page}: nothing runs {command}"
    if held in ELSEWHERE:
        file, _, name = ELSEWHERE[held].partition("::")
        tree = ast.parse((ROOT / file).read_text("utf-8"))
        assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_no_reason_is_kept_for_what_nobody_is_told() -> None:
    commands = [plain(line) for _, line in COMMANDS]
    kept = {start for start in (*ELSEWHERE, *BY_HAND) if not any(one.startswith(start) for one in commands)}
    assert kept <= {"make smoke"}
