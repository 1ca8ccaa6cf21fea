"""The user's own styles: a text file each, in the folder `styles` of the data folder."""

import re
from pathlib import Path

from comfydesk.disk import write_whole
from comfydesk.errors import StoreError, UsageError
from comfydesk.llm.words.styles import MAX_RULES, STYLES, Style, own_style

MAX_FILES = 200
SUFFIX = ".txt"
_NAME = re.compile(r"[^\W_][\w .,'&+-]{0,59}\Z")


def read_styles(folder: Path) -> tuple[Style, ...]:
    """The product's own, then those of the folder by name. What cannot be read is left out. For a worker thread."""
    own: list[Style] = []
    try:
        files = sorted(folder.glob(f"*{SUFFIX}"), key=lambda path: path.name.casefold())[:MAX_FILES]
    except OSError:
        files = []
    taken = {style.id for style in STYLES}
    for path in files:
        try:
            with path.open("rb") as file:
                text = file.read(4 * MAX_RULES).decode(errors="replace")
        except OSError:
            continue
        style = own_style(path.stem, text)
        if style.rules and style.id.casefold() not in taken:
            own.append(style)
    return (*STYLES, *own)


def write_style(folder: Path, name: str, rules: str) -> None:
    """Make or change a style of the user's own. Raises UsageError for a bad name or no rules, StoreError."""
    path = _path(folder, name)
    if not rules.strip():
        raise UsageError("A style needs rules", "", "Say in a sentence or two what the prompt is to gain")
    if len(rules) > MAX_RULES:
        raise UsageError("The style is too long", f"over {MAX_RULES:,} characters")
    write_whole(path, f"{rules.strip()}\n".encode(), what="The style cannot be written")


def remove_style(folder: Path, name: str) -> None:
    """Raises UsageError for a bad name, StoreError. One that is not there is fine."""
    path = _path(folder, name)
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise StoreError("The style cannot be removed", f"{path}: {error.strerror}") from error


def _path(folder: Path, name: str) -> Path:
    name = " ".join(name.split())
    if not _NAME.match(name) or name.endswith("."):
        what = f"A style cannot be called {name[:60]!r}"
        raise UsageError(what, "", "Use letters, digits and blanks, at most 60")
    if name.casefold() in {style.id for style in STYLES}:
        what = f"{name} is a style of ComfyDesk's own"
        raise UsageError(what, "", "Choose another name")
    return folder / f"{name}{SUFFIX}"
