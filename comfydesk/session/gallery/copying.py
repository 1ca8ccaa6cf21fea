"""Copies of imported files in the library's folder: whole under their names, and nothing left of what was cut short."""

import contextlib
import hashlib
import itertools
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from comfydesk.client.files import claim, inside, numbered, safe_relative_path
from comfydesk.store.taken import Taken

PART = ".comfydesk-import-"
"""Begins the names of files that are being copied."""


def copy_in(file: Taken, base: Path, root: Path, part_name: str) -> Path:
    """Copy a file below `base` to the same place below `root`/<name of base>; where it lies now. Whole, or not there.

    What an import that was killed has copied there already is taken up.
    """
    source = Path(file.path)
    relative = source.relative_to(base)
    subfolder = "/".join((base.name or "imported", *relative.parts[:-1]))
    first = inside(root, safe_relative_path(subfolder, relative.name))
    first.parent.mkdir(parents=True, exist_ok=True)
    part = root / part_name
    with _removed_on_failure(part):
        shutil.copy2(source, part)
        for number in itertools.count(1):
            target = numbered(first, number)
            if claim(part, target):
                return target
            if _is_same(target, file):
                part.unlink()
                return target
    raise AssertionError


def _is_same(path: Path, file: Taken) -> bool:
    try:
        if not path.is_file() or path.stat().st_size != file.size:
            return False
        with path.open("rb") as data:
            return hashlib.file_digest(data, "sha256").hexdigest() == file.sha256
    except OSError:
        return False


@contextmanager
def _removed_on_failure(part: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise


def sweep(root: Path, key: int) -> None:
    """Remove what an import that was killed left half-copied."""
    with contextlib.suppress(OSError):
        for part in root.glob(f"{PART}{key}-*"):
            part.unlink(missing_ok=True)
