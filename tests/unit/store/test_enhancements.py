"""The history of what was enhanced."""

from dataclasses import replace
from pathlib import Path

from comfydesk.store import enhancements
from comfydesk.store.database import Database
from comfydesk.store.enhancements import KEPT, Enhancement


def test_the_latest_are_kept(tmp_path: Path) -> None:
    db = Database(tmp_path / "library.sqlite")
    one = Enhancement(1.0, "a fox", "a red fox", "detailed", "flux", "This computer", "Qwen")
    for number in range(KEPT + 5):
        enhancements.add(db, replace(one, created=float(number)))
    assert enhancements.recent(db, 2) == (replace(one, created=KEPT + 4.0), replace(one, created=KEPT + 3.0))
    assert len(enhancements.recent(db, 10_000)) == KEPT
    enhancements.clear(db)
    assert enhancements.recent(db, 10) == ()
    db.close()
