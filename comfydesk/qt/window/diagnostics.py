"""What to send along with a report: versions, sizes and counts. No addresses, no paths, no prompts, no keys.

It is put together from what is safe, one fact at a time; nothing is taken over whole and cleaned afterwards.
"""

import platform
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from PySide6 import __version__ as pyside
from PySide6.QtCore import qVersion
from PySide6.QtGui import QGuiApplication

from comfydesk import __version__
from comfydesk.settings import OPTIONS, Settings

_LOG_LINE = re.compile(r"^\d{4}-\d\d-\d\d [\d:,]+ ([WEC]) ([\w.]+): ")
LOG_TAIL = 400_000
"""Bytes of the log's end that are counted."""


def versions() -> tuple[tuple[str, str], ...]:
    """(what, version) of what runs here."""
    system = f"{platform.system()} {platform.release()} ({platform.machine()})"
    return (
        ("ComfyDesk", __version__),
        ("Python", platform.python_version()),
        ("Qt", f"{qVersion()} (PySide6 {pyside})"),
        ("System", system),
    )


def screens() -> Iterator[str]:
    """Each screen's size and pixel ratio."""
    for screen in QGuiApplication.screens():
        size = screen.size()
        yield f"{size.width()} \N{MULTIPLICATION SIGN} {size.height()} at {screen.devicePixelRatio():g}"


def changed_settings(settings: Settings) -> Iterator[str]:
    """The settings that are not the default; what a text says stays here."""
    for option in OPTIONS:
        value = settings.get(option)
        if value != option.default:
            told = value if option.choices or not isinstance(value, str) else "(set)"
            yield f"{option.key} = {told}"


def log_counts(file: Path) -> Iterator[str]:
    """How many warnings and errors which part of us has logged lately; not what they say."""
    try:
        with file.open("rb") as log:
            log.seek(max(0, file.stat().st_size - LOG_TAIL))
            lines = log.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return
    counted = Counter(match.groups() for match in map(_LOG_LINE.match, lines) if match)
    for (level, name), count in sorted(counted.items()):
        yield f"{level} {name} \N{MULTIPLICATION SIGN} {count}"


def diagnostics(settings: Settings, log: Path, counts: Mapping[str, int], pods: Iterable[str]) -> str:
    """The whole of it, as text. `counts`: jobs by state and the like; `pods`: kinds and versions, no names."""
    frozen = "bundle" if getattr(sys, "frozen", False) else "installed"
    parts = [
        *(f"{what}: {version}" for what, version in versions()),
        f"Started as: {frozen}, {QGuiApplication.platformName()}",
        *(f"Screen: {screen}" for screen in screens()),
        *(f"{what}: {count}" for what, count in counts.items()),
        *(f"Pod: {pod}" for pod in pods),
        *(f"Setting: {setting}" for setting in changed_settings(settings)),
        *(f"Log: {line}" for line in log_counts(log)),
    ]
    return "\n".join(parts) + "\n"
