"""Files of our own on this computer: replaced whole or not at all, and never lost when they are broken.

Every file that ComfyDesk keeps (settings, profiles, drafts, caches) is written here. A crash, a full disk or a power
cut leaves the old file or the new one. Results are another matter: they never replace anything (client.downloads).
"""

import contextlib
import errno
import os
import stat
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from comfydesk.errors import DiskFullError, StoreError

NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""What a full disk, a used-up quota, and a file system with small files say."""
STALE = 60.0
"""Seconds after which a part that nobody writes into was left behind by a killed process."""


def write_whole(
    path: Path, data: bytes | Iterable[bytes], *, what: str = "", durable: bool = True, private: bool = False
) -> None:
    """Make `data` all that `path` holds. As `replacing`."""
    with replacing(path, what=what, durable=durable, private=private) as file:
        file.writelines((data,) if isinstance(data, bytes) else data)


@contextmanager
def replacing(path: Path, *, what: str = "", durable: bool = True, private: bool = False) -> Iterator[BinaryIO]:
    """A file to write into; it is `path` once the block has ended, and nothing has changed if the block raised.

    The folder is made. A link stays a link, and what it leads to is replaced. The permissions of a file that was there
    are kept; `private` gives it to the user alone. `durable`: it also survives a power cut, which costs two flushes of
    the disk; caches do without.

    Raises StoreError, or DiskFullError where that is why; `what` is its first sentence, "… cannot be written" without
    one. An OSError of the block counts as one of the file's.
    """
    try:
        target = Path(os.path.realpath(path))
        target.parent.mkdir(parents=True, exist_ok=True)
        part, file = _part_of(target, private)
        try:
            with file:
                yield file
                file.flush()
                if durable:
                    os.fsync(file.fileno())
            part.replace(target)
        except BaseException:
            with contextlib.suppress(OSError):
                part.unlink()
            raise
        if durable:
            sync_folder(target.parent)
    except OSError as error:
        raise not_written(path, error, what) from error


def not_written(path: Path, error: OSError, what: str = "") -> StoreError:
    """What to tell of an OSError while `path` was written."""
    what = what or f"{path.name} cannot be written"
    why = f"{path}: {error.strerror or error}"
    if error.errno in NO_ROOM:
        return DiskFullError(what, why, "Free some space and try again")
    return StoreError(what, why)


def set_aside(path: Path, what: str) -> Path:
    """Rename a broken file to a free "<name>.broken", "<name>.broken-2" …, so that nothing is lost; its new path.

    Raises StoreError that says `what` when it cannot be renamed.
    """
    why = str(path)
    for number in range(1, 1000):
        kept = path.with_name(f"{path.name}.broken" + ("" if number == 1 else f"-{number}"))
        if not kept.exists():
            try:
                path.rename(kept)
            except OSError as error:
                why = f"{path}: {error.strerror or error}"
                break
            return kept
    raise StoreError(what, why, "Rename it by hand")


def try_lock(descriptor: int) -> bool:
    """Lock an open file against other processes, without waiting; False when one of them has it.

    For as long as it is open: the system frees it whatever way a process ends. OSError: a file system without locks.
    """
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` survive a power cut, where the system can."""
    if sys.platform == "win32":
        return
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _part_of(target: Path, private: bool) -> tuple[Path, BinaryIO]:
    """A new file beside `target`, with the permissions that `target` is to have."""
    part = target.with_name(f"{target.name}.part")
    try:
        descriptor = _create(part, private)
    except OSError as error:
        if error.errno not in (errno.EEXIST, errno.ENAMETOOLONG):
            raise
        _clear(part)
        part = target.with_name(f".{os.urandom(6).hex()}.part")  # another process or thread writes the same file
        descriptor = _create(part, private)
    if not private:
        with contextlib.suppress(OSError):
            part.chmod(stat.S_IMODE(target.stat().st_mode))
    return part, os.fdopen(descriptor, "wb")


def _create(part: Path, private: bool) -> int:
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
    return os.open(part, flags, 0o600 if private else 0o666)


def _clear(part: Path) -> None:
    """Away with what a killed process left."""
    with contextlib.suppress(OSError):
        if time.time() - part.lstat().st_mtime > STALE:
            part.unlink()
