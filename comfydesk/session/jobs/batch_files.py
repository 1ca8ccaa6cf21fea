"""What batches are made from, read from the disk: lists, tables, folders of inputs. Errors say which file."""

from pathlib import Path

from comfydesk.workflow.batch_sources import MAX_JOBS
from comfydesk.workflow.field_text import BatchError

MAX_BYTES = 32 * 2**20
"""Of a list or a table: far above any that people write."""


def read_text(path: Path) -> str:
    """A list or a table as text, without its byte order mark. Raises BatchError if it is none in UTF-8."""
    path = path.expanduser()
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        what = f"{path.name} cannot be read"
        raise BatchError(what, f"{path}: {error.strerror}") from error
    if len(data) > MAX_BYTES:
        what = f"{path.name} is too large"
        raise BatchError(what, f"It has over {MAX_BYTES // 2**20} MB", "Cut it into several")
    return decoded(data, path.name)


def decoded(data: bytes, name: str) -> str:
    """Text in UTF-8, with or without a byte order mark. Raises BatchError for other encodings, in words."""
    advice = 'Save it as UTF-8 (in a spreadsheet: "CSV UTF-8")'
    what = f"{name} cannot be read"
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise BatchError(what, "It is written in UTF-16", advice)
    if b"\0" in data:
        why = "It is no text, or written in UTF-16"
        raise BatchError(what, why, advice)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        why = f"Line {line} is not in UTF-8"
        raise BatchError(what, why, advice) from error


def files_in(folder: Path) -> tuple[Path, ...]:
    """The files in a folder, not those below it, in no order. Raises BatchError."""
    folder = folder.expanduser().absolute()
    try:
        found = []
        for path in folder.iterdir():
            if path.is_file():
                found.append(path)
                if len(found) > MAX_JOBS:
                    what = f"{folder.name} has too many files"
                    raise BatchError(what, f"Over {MAX_JOBS:,}", "Take a part of them")
    except OSError as error:
        what = f"The folder {folder.name} cannot be read"
        raise BatchError(what, f"{folder}: {error.strerror}") from error
    return tuple(found)
