"""Keeps resources/i18n in step with the words in the code, and lists words that cannot be translated yet.

    python -m tests.translations             add new texts to every catalogue (empty: shown in English), drop old ones
    python -m tests.translations --check     say what would change, and end with 1 if anything would
    python -m tests.translations --untranslated [FOLDER]   literals on the screen that do not go through `tr`

A text is collected where it stands as a literal in `tr` or `tr_n`, and from what is declared: options, commands, menus.
"""

import ast
import json
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
CATALOGUES = ROOT / "resources" / "i18n"
SOURCES = (ROOT / "comfydesk" / "qt", ROOT / "comfydesk" / "settings.py")
DECLARED = frozenset({"MENUS", "GROUPS"})
"""Constants whose texts are translated when they are shown."""
_SINKS = """
    setText setToolTip setAccessibleName setAccessibleDescription setWindowTitle setPlaceholderText setStatusTip
    addAction addMenu addItem setTitle set_name set_note set_title set_blocked set_busy plain_tip tell add_button add
    Label ElidedLabel Button IconButton SplitButton Chip RemovableChip ChipRow Check Switch SearchField EmptyState
    TextLine LineEdit Segment Segmented Menu Section Labelled Badge Dock QFileDialog QAction Banner PopupList
"""
_QUIET = "icon font color kind keys tone source objectName surface id key corners"
SINKS, QUIET = frozenset(_SINKS.split()), frozenset(_QUIET.split())
"""Calls whose texts a person reads, and those of their keywords that hold none."""
_NO_WORDS = re.compile(r"[^A-Za-z]*|[a-z0-9_.*-]+|(Ctrl|Alt|Shift|F\d).*|[A-Z]|ComfyUI|ComfyDesk|RunPod|Vast\.ai")


def files() -> Iterator[Path]:
    for source in SOURCES:
        yield from sorted(source.rglob("*.py")) if source.is_dir() else [source]


def _name(call: ast.Call) -> str:
    function = call.func
    return (
        function.id if isinstance(function, ast.Name) else function.attr if isinstance(function, ast.Attribute) else ""
    )


def _text(node: ast.AST | None) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _declared(node: ast.Call) -> Iterator[str]:
    """Texts of an Option(key, default, label, help, …) or a Command(id, words, …)."""
    at = {"Option": (2, 3), "Command": (1,)}[_name(node)]
    yield from (_text(argument) for argument in (node.args[each] for each in at if each < len(node.args)))
    for keyword in node.keywords:
        if keyword.arg == "tip":
            yield _text(keyword.value)
        elif keyword.arg == "choice_labels" and isinstance(keyword.value, ast.Tuple):
            yield from (_text(each) for each in keyword.value.elts)


def _constants(node: ast.Assign | ast.AnnAssign) -> Iterator[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    if any(isinstance(target, ast.Name) and target.id in DECLARED for target in targets):
        value = node.value
        items = value.values if isinstance(value, ast.Dict) else value.elts if isinstance(value, ast.Tuple) else []
        yield from (_text(each) for each in items)


def texts_of(tree: ast.AST) -> Iterator[str]:
    """Every text of a module that can be translated. ValueError: something that is no literal is."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.AnnAssign):
            yield from _constants(node)
        elif isinstance(node, ast.Call):
            name = _name(node)
            if name in ("Option", "Command"):
                yield from _declared(node)
            elif name in ("tr", "tr_n", "mark"):
                yield from (_text(argument) for argument in node.args[: 2 if name == "tr_n" else 1])


def collect() -> tuple[str, ...]:
    """All of them, in the order of the code, each once."""
    found = (text for file in files() for text in texts_of(ast.parse(file.read_text(encoding="utf-8"))))
    return tuple(dict.fromkeys(text for text in found if text))


def catalogues() -> tuple[Path, ...]:
    return tuple(sorted(CATALOGUES.glob("*.json")))


def brought_up(catalogue: dict[str, str], texts: Iterable[str]) -> dict[str, str]:
    """`catalogue` with exactly `texts`, sorted; what is new is empty."""
    return {text: catalogue.get(text, "") for text in sorted(texts, key=lambda each: (each.casefold(), each))}


def untranslated(file: Path) -> list[tuple[int, str]]:
    """(line, text) of what is shown to a person in `file` and does not go through `tr`."""
    found: list[tuple[int, str]] = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and _name(node) in SINKS:
            arguments = [*node.args, *(each.value for each in node.keywords if each.arg not in QUIET)]
            found += ((node.lineno, words) for argument in arguments for words in _shown(argument))
    return sorted(set(found))


def _shown(node: ast.AST) -> Iterator[str]:
    """The words in an argument that stand there as they are: a literal, an f-string, either side of a condition."""
    if isinstance(node, ast.IfExp):
        yield from _shown(node.body)
        yield from _shown(node.orelse)
    elif isinstance(node, ast.JoinedStr):
        words = "".join(_text(part) or "{}" for part in node.values)
        if not _NO_WORDS.fullmatch(words.replace("{}", "")):
            yield words
    elif isinstance(node, ast.Tuple | ast.List):
        for each in node.elts:
            yield from _shown(each)
    elif _text(node) and not _NO_WORDS.fullmatch(_text(node)):
        yield _text(node)


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["--untranslated"]:
        folder = Path(arguments[1]) if len(arguments) > 1 else SOURCES[0]
        count = 0
        for file in [folder] if folder.is_file() else sorted(folder.rglob("*.py")):
            for line, text in untranslated(file):
                count += 1
                print(f"{file.relative_to(ROOT) if file.is_absolute() else file}:{line}: {text}")
        print(f"{count} texts cannot be translated yet")
        return 0
    texts, changed = collect(), False
    for path in catalogues():
        before = json.loads(path.read_text(encoding="utf-8"))
        after = brought_up(before, texts)
        new, old = len(after.keys() - before.keys()), len(before.keys() - after.keys())
        missing = sum(not text for text in after.values())
        print(f"{path.name}: {len(after)} texts, {new} new, {old} gone, {missing} not translated")
        changed = changed or after != before
        if after != before and "--check" not in arguments:
            path.write_text(json.dumps(after, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return 1 if changed and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
