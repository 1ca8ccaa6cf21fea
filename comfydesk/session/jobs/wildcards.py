"""A folder of wildcard files: `animals.txt` is `__animals__`, `places/cities.txt` is `__places/cities__`.

Only what lies inside the folder is read, also where links lead elsewhere: a wildcard pack is a stranger's.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from comfydesk.session.jobs.batch_files import decoded
from comfydesk.workflow.field_text import BatchError
from comfydesk.workflow.fields import Form, Kind
from comfydesk.workflow.wildcards import NAMED, Wildcards, entries

SUFFIX = ".txt"
MAX_FILES = 5_000
MAX_BYTES = 64 * 2**20
"""Of all files together."""
MAX_DEPTH = 8


def load_wildcards(folder: Path) -> Wildcards:
    """All wildcards in `folder`. Raises BatchError: unreadable, not UTF-8, too many, two names that differ by case."""
    root = folder.expanduser().absolute()
    files: dict[str, tuple[str, ...]] = {}
    taken: dict[str, str] = {}
    left = MAX_BYTES
    for path in _paths(root):
        name = path.relative_to(root).with_suffix("").as_posix()
        other = taken.setdefault(name.casefold(), name)
        if other != name:
            what = f"Two wildcards are called {name}"
            raise BatchError(what, f"{other} and {name} differ by case only", "Rename one")
        data = _read(path, left)
        left -= len(data)
        files[name] = entries(decoded(data, f"{name}{SUFFIX}"))
    return Wildcards(files)


def wildcards_for(folders: str, form: Form, values: Mapping[str, Any]) -> Wildcards | None:
    """What is to be drawn for a job with `values`: None if none of its texts names a wildcard, or there is no folder.

    `folders`: as the settings have them, with ; between them; of two files of one name that of the first folder counts.
    Raises BatchError, as `load_wildcards`.
    """
    texts = (values.get(entry.id, entry.default) for entry in form.fields if entry.kind is Kind.TEXT)
    paths = [Path(folder.strip()) for folder in folders.split(";") if folder.strip()]
    if not paths or not any(isinstance(text, str) and NAMED.search(text) for text in texts):
        return None
    files: dict[str, tuple[str, tuple[str, ...]]] = {}
    for path in reversed(paths):
        files |= {name.casefold(): (name, lines) for name, lines in (load_wildcards(path).files or {}).items()}
    return Wildcards(dict(files.values()))


def _paths(root: Path) -> list[Path]:
    """The files of wildcards inside `root`, in order."""
    real = _resolved(root)
    found: list[Path] = []

    def refuse(error: OSError) -> None:
        what = f"The folder of wildcards {root.name} cannot be read"
        raise BatchError(what, f"{error.filename}: {error.strerror}") from error

    for folder, folders, names in os.walk(root, onerror=refuse, followlinks=False):
        here = Path(folder)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        if len(here.relative_to(root).parts) >= MAX_DEPTH:
            folders.clear()
        for name in sorted(names):
            path = here / name
            if path.suffix.lower() == SUFFIX and not name.startswith(".") and _is_inside(path, real):
                found.append(path)
        if len(found) > MAX_FILES:
            what = f"The folder {root.name} has too many wildcards"
            raise BatchError(what, f"Over {MAX_FILES:,} files", "Choose the folder of the wildcards alone")
    return found


def _is_inside(path: Path, real: Path) -> bool:
    """A file in the folder itself, no link out of it, no device or pipe."""
    resolved = _resolved(path)
    return resolved.is_relative_to(real) and resolved.is_file()


def _resolved(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError) as error:  # links in a circle: RuntimeError before Python 3.13
        what = f"{path.name} cannot be read"
        raise BatchError(what, str(error)) from error


def _read(path: Path, left: int) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(left + 1)
    except OSError as error:
        what = f"{path.name} cannot be read"
        raise BatchError(what, f"{path}: {error.strerror}") from error
    if len(data) > left:
        raise BatchError("The wildcards are too large", f"Over {MAX_BYTES // 2**20} MB in all")
    return data
