"""docs/threats.md names the test that holds each threat: it must exist.

And what no single part can promise is held here, over the whole source: what is done nowhere, or in known places only.
"""

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from comfydesk.client import origin, rest
from comfydesk.engines import runpod_endpoint

ROOT = Path(__file__).parents[2]
NAMED = re.findall(r"(tests/[\w/]+\.py)::(test_\w+)", (ROOT / "docs/threats.md").read_text("utf-8"))


def test_the_page_names_tests() -> None:
    assert len(NAMED) > 20


@pytest.mark.parametrize(("file", "name"), NAMED, ids=[name for _, name in NAMED])
def test_what_holds_a_threat_is_there(file: str, name: str) -> None:
    tree = ast.parse((ROOT / file).read_text("utf-8"))
    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


# --- Over the whole source ------------------------------------------------------------------------------------------


@functools.cache
def sources() -> dict[str, tuple[ast.AST, ...]]:
    """All nodes of each module of ComfyDesk."""
    found = {}
    for path in sorted((ROOT / "comfydesk").rglob("*.py")):
        found[str(path.relative_to(ROOT))] = tuple(ast.walk(ast.parse(path.read_text("utf-8"))))
    return found


def calls() -> Iterator[tuple[str, str, ast.Call]]:
    """Module, what is called ("os.system", "eval", ".openUrl" of something) and the call."""
    for where, nodes in sources().items():
        for node in nodes:
            if isinstance(node, ast.Call):
                yield where, name_of(node.func), node


def name_of(called: ast.expr) -> str:
    if isinstance(called, ast.Attribute):
        return f"{called.value.id if isinstance(called.value, ast.Name) else ''}.{called.attr}"
    return called.id if isinstance(called, ast.Name) else ""


def imported() -> Iterator[tuple[str, str]]:
    for where, nodes in sources().items():
        for node in nodes:
            if isinstance(node, ast.Import):
                yield from ((where, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield where, node.module or ""


def test_no_text_is_ever_run() -> None:
    forbidden = {"eval", "exec", "compile", "__import__", "os.system", "os.popen"}
    assert [(where, name) for where, name, _ in calls() if name in forbidden] == []
    unsafe = {"pickle", "marshal", "shelve", "dill", "yaml", "code"}
    assert [(where, name) for where, name in imported() if name.split(".")[0] in unsafe] == []


def test_no_shell_of_this_computer_is_given_a_command() -> None:
    for where, name, call in calls():
        if name.split(".")[-1] in ("run", "Popen", "call", "check_call", "check_output"):
            assert "shell" not in [word.arg for word in call.keywords], f"{where}: {name}"
        assert not name.endswith("create_subprocess_shell"), where


def test_files_are_opened_by_other_programs_where_a_person_asks_for_it_only() -> None:
    asked = {
        "comfydesk/qt/window/desk.py",  # the results' folder, a command
        "comfydesk/qt/window/refine.py",  # "Show in folder"
        "comfydesk/qt/window/workflow_commands.py",  # the same of a workflow
        "comfydesk/qt/dialogs/viewer.py",  # "Open" of a 3D card
        "comfydesk/qt/widgets/sound_card.py",  # "Open" of what cannot be played here
    }
    found = {where for where, name, _ in calls() if name.endswith((".openUrl", "startfile"))}
    assert found <= asked, "nothing is opened by itself"
    assert "webbrowser" not in {name for _, name in imported()}


def test_markup_is_made_where_text_is_escaped_only() -> None:
    escaping = {"comfydesk/qt/widgets/gallery_prompt.py", "comfydesk/qt/widgets/compare_table.py"}
    rich = set()
    for where, name, call in calls():
        assert not name.endswith((".setHtml", ".insertHtml", ".appendHtml", ".setMarkdown")), where
        if name.endswith(".setTextFormat") and "PlainText" not in ast.unparse(call):
            rich.add(where)
        assert name != "QLabel", f"{where}: a Label takes no markup from anybody"
    assert rich == escaping
    for where in escaping:
        source = (ROOT / where).read_text("utf-8")
        assert "escape(" in source or "marked(" in source, where


def test_every_route_has_its_bounds() -> None:
    assert (rest.OBJECT_INFO.cap, rest.HISTORY.cap, origin.ERROR_CAP) == (128 << 20, 64 << 20, 64 << 10)
    limits = {
        name: value
        for module in (origin, rest, runpod_endpoint)
        for name, value in vars(module).items()
        if isinstance(value, origin.Limit)
    }
    assert len(limits) >= 6
    for name, limit in limits.items():
        assert 0 < limit.cap <= 128 << 20, name
        assert 0 < limit.deadline <= 180, name
