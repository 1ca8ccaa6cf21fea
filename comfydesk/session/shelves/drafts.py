"""What was typed and not yet made, on disk: it survives a closed window, and a killed one."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from comfydesk.disk import write_whole

FILE_NAME = "drafts.json"
VERSION = 1
MAX_BYTES = 32_000_000
"""A larger file is none of ours."""
PATH_MARK = "$path"
"""Marks a file of this computer among the values, which is something else than a text that looks like one."""


class DraftFile:
    """One JSON file. `load` and `save` are synchronous; `save` may run in a worker, one call at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def load(self) -> dict[str, Any]:
        """What was saved last. Empty if there is nothing, or nothing that can be read: drafts are no reason to stop."""
        try:
            if self.path.stat().st_size > MAX_BYTES:
                return {}
            document = json.loads(self.path.read_bytes(), object_hook=_revive)
        except (OSError, ValueError, RecursionError):
            return {}
        if not isinstance(document, dict) or document.get("version") != VERSION:
            return {}
        drafts = document.get("drafts")
        return drafts if isinstance(drafts, dict) else {}

    def save(self, drafts: Mapping[str, Any]) -> None:
        """Replace the file, in one step: a crash leaves the old one or the new one. Raises StoreError."""
        text = json.dumps({"version": VERSION, "drafts": drafts}, default=_keep, ensure_ascii=False)
        what = "What you typed cannot be kept for the next start"
        write_whole(self.path, text.encode("utf-8", "surrogatepass"), what=what)


def _keep(value: object) -> dict[str, str]:
    if isinstance(value, Path):
        return {PATH_MARK: str(value)}
    msg = f"{type(value).__name__} in a draft"
    raise TypeError(msg)


def _revive(value: dict[str, Any]) -> Any:
    path = value.get(PATH_MARK)
    return Path(path) if len(value) == 1 and isinstance(path, str) else value
