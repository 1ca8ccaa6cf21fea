"""Cards of workflow files, remembered by path, size and time: what did not change is not read again."""

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from comfydesk.store.database import Database
from comfydesk.workflow.card import WorkflowCard, card_from_json, card_to_json

RULES = 3
"""To be raised when the scanner says other things about the same file, or the card gets other attributes."""


@dataclass(frozen=True, slots=True)
class FileStamp:
    """What tells whether a file changed."""

    size: int
    mtime_ns: int


def known_cards(db: Database, folder: Path, limit: int = -1) -> dict[Path, tuple[FileStamp, WorkflowCard]]:
    """The remembered cards of files below `folder`, at any depth; at most `limit` unless that is negative."""
    prefix = os.fsencode(os.path.join(folder, ""))  # noqa: PTH118 - with its separator, which a Path drops
    rows = db.query(
        "SELECT path, size, mtime_ns, card FROM workflow_cards WHERE path >= ? AND path < ? AND rules = ? LIMIT ?",
        (prefix, prefix[:-1] + bytes([prefix[-1] + 1]), RULES, limit),
    )
    return {
        Path(os.fsdecode(row["path"])): (
            FileStamp(row["size"], row["mtime_ns"]),
            card_from_json(json.loads(row["card"])),
        )
        for row in rows
    }


def remember_cards(db: Database, cards: Iterable[tuple[Path, FileStamp, WorkflowCard]]) -> None:
    """Write them down, in place of what was known of the same files."""
    rows = [
        (os.fsencode(path), stamp.size, stamp.mtime_ns, RULES, json.dumps(card_to_json(card)))
        for path, stamp, card in cards
    ]
    with db.transaction():
        for row in rows:
            db.execute(
                "INSERT OR REPLACE INTO workflow_cards (path, size, mtime_ns, rules, card) VALUES (?, ?, ?, ?, ?)", row
            )


def forget_cards(db: Database, paths: Iterable[Path]) -> None:
    """The files are gone."""
    with db.transaction():
        for path in paths:
            db.execute("DELETE FROM workflow_cards WHERE path = ?", (os.fsencode(path),))
