"""The texts that are raised below the window: every literal of a KnownError, as a template.

    python -m tests.told             add new templates to resources/i18n/told/*.json (empty: shown in English), drop old
    python -m tests.told --check     say what would change and what is not translated, and end with 1 if anything is

An f-string becomes a template with numbered places: f"{name} is full" → "{0} is full". The window knows a text by its
template (comfydesk/qt/theme/told.py); nothing has to be done where it is raised. The command line speaks English.
"""

import ast
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from comfydesk.errors import one_line

ROOT = Path(__file__).parents[1]
CODE = ROOT / "comfydesk"
CATALOGUES = ROOT / "resources" / "i18n" / "told"
LEFT_OUT = ("cli/", "demo/", "qt/theme/")
"""Rooms whose errors no window shows: the command line's, and the demo pod's, which answers as ComfyUI does; and the
room that translates them."""
VALUES = frozenset({"StepResult", "Refusal", "Skipped"}) | {"write_whole", "replacing", "not_written", "set_aside"}
"""Values beside errors whose texts the window shows, and what raises an error with the words that it is given."""
_WORD = re.compile(r"[A-Za-z]{3,}")
_DEEPEST = 5
_MOST = 12
"""Places of one text."""


def files() -> Iterator[Path]:
    for path in sorted(CODE.rglob("*.py")):
        if not path.relative_to(CODE).as_posix().startswith(LEFT_OUT):
            yield path


def error_names() -> frozenset[str]:
    """KnownError and all that is derived from it, by name."""
    found, trees = {"KnownError"}, [ast.parse(path.read_text(encoding="utf-8")) for path in sorted(CODE.rglob("*.py"))]
    bases = {
        node.name: {_name(base) for base in node.bases}
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }
    while more := {name for name, of in bases.items() if of & found} - found:
        found |= more
    return frozenset(found)


def _name(node: ast.AST) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def template(node: ast.AST) -> str:
    """The template of a literal; "" of anything else."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return one_line(node.value).replace("{", "{{").replace("}", "}}")
    if not isinstance(node, ast.JoinedStr):
        return ""
    words, at = "", 0
    for part in node.values:
        if isinstance(part, ast.Constant):
            words += str(part.value).replace("{", "{{").replace("}", "}}")
        else:
            words += f"{{{at}}}"
            at += 1
    return one_line(words) if at <= _MOST else ""


class _Texts(ast.NodeVisitor):
    """Of one module: what is written in the calls of errors, and what the names in them were given nearby."""

    def __init__(self, errors: frozenset[str], shared: dict[str, list[ast.expr]]) -> None:
        self._errors, self._shared = errors, shared
        self._scopes: list[dict[str, list[ast.expr]]] = []
        self._in_error = False
        """Within the class of one, which says its words itself."""
        self.found: list[str] = []

    def visit_Module(self, node: ast.Module) -> None:  # ast's names
        self._enter(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        before, self._in_error = self._in_error, node.name in self._errors
        self.generic_visit(node)
        self._in_error = before

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._enter(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self._enter(node)

    def visit_Call(self, node: ast.Call) -> None:
        name = _name(node.func)
        if name in self._errors or name in VALUES or (name == "__init__" and self._in_error):
            for argument in (*node.args, *(keyword.value for keyword in node.keywords)):
                self._take(argument, 0)
        self.generic_visit(node)

    def _enter(self, node: ast.Module | ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self._scopes.append(given(node))
        self.generic_visit(node)
        self._scopes.pop()

    def _take(self, node: ast.expr, depth: int) -> None:
        """The literals that an argument may come to: itself, either branch, what a name, a table or a function gave."""
        text = template(node)
        if " " in text and _WORD.search(re.sub(r"\{\d+\}", "", text)):
            self.found.append(text)
        if depth <= _DEEPEST:
            for part in self._look_up(node.id) if isinstance(node, ast.Name) else parts(node):
                self._take(part, depth + 1)

    def _look_up(self, name: str) -> list[ast.expr]:
        for scope in reversed(self._scopes):
            if name in scope:
                return scope[name]
        return self._shared.get(name, [])


_PARTS: dict[type[ast.expr], tuple[str, ...]] = {
    ast.JoinedStr: ("values",),
    ast.FormattedValue: ("value",),
    ast.IfExp: ("body", "orelse"),
    ast.BoolOp: ("values",),
    ast.BinOp: ("left", "right"),
    ast.Tuple: ("elts",),
    ast.List: ("elts",),
    ast.Dict: ("values",),
    ast.Subscript: ("value",),
    ast.Starred: ("value",),
    ast.Call: ("func", "args"),
    ast.Attribute: ("value",),
}
"""Where in an expression the text may stand that it comes to."""


def parts(node: ast.expr) -> Iterator[ast.expr]:
    """Those of an expression."""
    if isinstance(node, ast.Attribute) and node.attr not in ("get", "format", "join"):
        return
    for name in _PARTS.get(type(node), ()):
        found = getattr(node, name)
        for each in found if isinstance(found, list) else [found]:
            if not isinstance(each, ast.Constant) or not isinstance(node, ast.JoinedStr):
                yield each


def given(scope: ast.Module | ast.FunctionDef | ast.AsyncFunctionDef) -> dict[str, list[ast.expr]]:
    """Name → what it is given in this scope; of a function, what it returns."""
    found: dict[str, list[ast.expr]] = {}
    for node in ast.walk(scope):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                names = target.elts if isinstance(target, ast.Tuple) else [target]
                for each in names:
                    if isinstance(each, ast.Name):
                        found.setdefault(each.id, []).append(node.value)
        elif isinstance(node, ast.AnnAssign) and node.value is not None and isinstance(node.target, ast.Name):
            found.setdefault(node.target.id, []).append(node.value)
        elif isinstance(node, ast.For) and isinstance(node.target, ast.Name | ast.Tuple):
            names = node.target.elts if isinstance(node.target, ast.Tuple) else [node.target]
            for each in names:
                if isinstance(each, ast.Name):
                    found.setdefault(each.id, []).append(node.iter)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and isinstance(scope, ast.Module):
            returned = [each.value for each in ast.walk(node) if isinstance(each, ast.Return) and each.value]
            found.setdefault(node.name, []).extend(returned)
    return found


def collect() -> tuple[str, ...]:
    """All templates, sorted."""
    errors, trees = error_names(), [ast.parse(path.read_text(encoding="utf-8")) for path in files()]
    shared: dict[str, list[ast.expr]] = {}
    for tree in trees:
        for node in tree.body:  # constants that other modules import
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id.isupper():
                shared.setdefault(node.targets[0].id, []).append(node.value)
    found: set[str] = set()
    for tree in trees:
        texts = _Texts(errors, shared)
        texts.visit(tree)
        found |= set(texts.found)
    return tuple(sorted(found, key=lambda each: (each.casefold(), each)))


def catalogues() -> tuple[Path, ...]:
    return tuple(sorted(CATALOGUES.glob("*.json")))


def main(arguments: list[str]) -> int:
    texts, wrong = collect(), False
    for path in catalogues():
        before = json.loads(path.read_text(encoding="utf-8"))
        after = {text: before.get(text, "") for text in texts}
        missing = sum(not text for text in after.values())
        new, old = len(after.keys() - before.keys()), len(before.keys() - after.keys())
        print(f"told/{path.name}: {len(after)} texts, {new} new, {old} gone, {missing} not translated")
        wrong = wrong or after != before or bool(missing)
        if after != before and "--check" not in arguments:
            path.write_text(json.dumps(after, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return 1 if wrong and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
