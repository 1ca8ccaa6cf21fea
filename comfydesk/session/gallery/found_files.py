"""What lies in a folder of the user's, against what is known of it. For worker threads."""

import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from comfydesk.client.files import media_kind
from comfydesk.errors import one_line
from comfydesk.store.imports import Stamp

DEEP = 32
"""Folders within folders that are searched."""
_WANTED = frozenset({"image", "video", "audio", "model3d"})
SETTLE_NS = 1_500_000_000
"""A file that changed this recently may still be being written."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file or folder that is not taken in, and why."""

    path: Path
    why: str

    def __str__(self) -> str:
        return f"{one_line(str(self.path))}: {self.why}"


@dataclass(slots=True)
class FoundFiles:
    """The outcome of a look."""

    new: list[tuple[Path, Stamp]] = field(default_factory=list)
    """New or changed."""
    unchanged: int = 0
    stamps: dict[str, int] = field(default_factory=dict)
    """When files were changed of which only the size was known."""
    there: set[bytes] = field(default_factory=set)
    """Every media file that was seen."""
    folders: dict[str, int] = field(default_factory=dict)
    """Each folder that was looked into, with the time of its last change in ns."""
    skipped: list[Skipped] = field(default_factory=list)
    unsettled: set[str] = field(default_factory=set)
    """Folders with files that may still be being written: these were left out."""


def look(
    folder: Path,
    known: Mapping[bytes, Stamp],
    *,
    deep: bool = True,
    settle_before: int | None = None,
    leave_out: Path | None = None,
    stopped: Callable[[], bool] = lambda: False,
) -> FoundFiles:
    """All media below `folder`. Links to folders are not followed, links to files are.

    `deep` False: the folder alone. `settle_before`: files changed later than this (ns) are left for another time.
    `leave_out`: a folder that is not looked into.
    Names that begin with a dot are left out, and our own unfinished files with them.
    """
    found = FoundFiles()
    stack = [(str(folder), 0)]
    while stack and not stopped():
        where, depth = stack.pop()
        if leave_out is not None and where == str(leave_out):
            continue
        try:
            found.folders[where] = Path(where).stat().st_mtime_ns
            with os.scandir(where) as entries:
                below = sorted(_look_at(found, entry, known, settle_before, where) for entry in entries)
        except OSError as error:
            found.skipped.append(Skipped(Path(where), error.strerror or str(error)))
            continue
        inner = [path for path in below if path]
        if deep and depth >= DEEP and inner:
            found.skipped.append(Skipped(Path(where), "Folders below it lie too deep"))
        elif deep:
            stack += [(path, depth + 1) for path in reversed(inner)]
    return found


def _look_at(
    found: FoundFiles, entry: "os.DirEntry[str]", known: Mapping[bytes, Stamp], settle_before: int | None, where: str
) -> str:
    """The path of a folder to go on with; "" for anything else."""
    if entry.name.startswith("."):
        return ""
    try:
        if entry.is_dir(follow_symlinks=False):
            return entry.path
        if not _is_wanted(entry.name) or entry.is_dir():
            return ""
        about = entry.stat()
    except OSError as error:
        if _is_wanted(entry.name):
            found.skipped.append(Skipped(Path(entry.path), error.strerror or str(error)))
        return ""
    if not stat.S_ISREG(about.st_mode):
        found.skipped.append(Skipped(Path(entry.path), "It is no regular file"))
        return ""
    _compare(found, entry.path, (about.st_size, about.st_mtime_ns), known, settle_before, where)
    return ""


def _compare(
    found: FoundFiles, path: str, stamp: Stamp, known: Mapping[bytes, Stamp], settle_before: int | None, where: str
) -> None:
    key = os.fsencode(path)
    found.there.add(key)
    before = known.get(key)
    if before is not None and before[0] == stamp[0] and before[1] in (0, stamp[1]):
        found.unchanged += 1
        if before[1] == 0:
            found.stamps[path] = stamp[1]
    elif settle_before is not None and stamp[1] > settle_before:
        found.unsettled.add(where)
    else:
        found.new.append((Path(path), stamp))


def _is_wanted(name: str) -> bool:
    return media_kind(name) in _WANTED or name.lower().endswith(".latent")
