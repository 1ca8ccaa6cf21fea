"""What of the settings the first frame needs, read from the file without a TOML parser, which takes 5 ms to import.

Only lines as we write them are understood; what is written in another way comes a moment later, with the settings.
"""

from pathlib import Path

from comfydesk.qt.theme.appearance import Appearance, Scheme

TABLE = "[appearance]"


def read(file: Path) -> dict[str, str]:
    """The names and values of the table "appearance" in the settings file; empty when it cannot be read."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return {}
    found: dict[str, str] = {}
    inside = False
    for line in lines:
        if line.startswith("["):
            inside = line.strip() == TABLE
        elif inside and "=" in line:
            name, _, value = line.partition("=")
            found[name.strip()] = value.strip().strip('"')
    return found


def appearance(found: dict[str, str]) -> Appearance:
    """The look that those values ask for; the default where they ask for nothing that there is."""
    return Appearance(
        Scheme(found["theme"]) if found.get("theme") in tuple(Scheme) else Scheme.SYSTEM,
        _percent(found.get("scale", "")),
        _percent(found.get("text_scale", "")),
        found.get("increased_contrast") == "true",
        found.get("reduced_motion") == "true",
        found.get("compact") == "true",
    )


def _percent(value: str) -> float:
    return int(value) / 100 if value.isdecimal() else 1.0
