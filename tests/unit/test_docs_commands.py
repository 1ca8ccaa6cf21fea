"""What README and docs tell people to type exists: targets, modules, files, options; what does no harm is run."""

import importlib.util
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from comfydesk import __main__, cli

ROOT = Path(__file__).parents[2]
PAGES = (*(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")), *sorted(ROOT.glob("docs/*.md")))
HARMLESS = {"generate", "probe", "inspect", "intent"}
"""Commands that are run as they stand, but on the demo pod and in a folder of the test."""
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
    cli.build_parser(command).parse_args(words)


@pytest.mark.parametrize("line", [line for line in OURS if words_of(line)[1] in HARMLESS and "proxied" not in line])
def test_what_does_no_harm_works(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    words = [str(ROOT / word) if word.startswith("resources/") else word for word in words_of(line)[1:]]
    words = ["demo" if word == "127.0.0.1:8188" else word for word in words]
    assert __main__.main(["--data-dir", str(tmp_path / "data"), *words]) == 0
    if "-o" in words:
        assert list(Path(words[words.index("-o") + 1]).glob("*.png"))
