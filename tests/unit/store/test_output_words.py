"""Outputs that are added together are found by their words as if they had been added one by one."""

from dataclasses import replace
from typing import cast

import pytest

from comfydesk.store import imports, outputs, taking
from comfydesk.store.database import Database
from comfydesk.store.outputs import Identity
from comfydesk.store.taken import Taken


def _taken(number: int, prompt: str = "lighthouse") -> Taken:
    return Taken(f"/p/{number}.png", "image", 100 + number, 7, f"{number:064}", 1.0, prompt=f"{prompt} {number}")


def _found(db: Database, words: str) -> list[str]:
    return sorted(output.path for output in outputs.recent(db, 100, search=words))


def _add(db: Database, number: int) -> None:
    identity = Identity("", "", "", "", "")
    outputs.add(db, imports.output_of(_taken(number)), identity)


def _is_whole(db: Database) -> None:
    """FTS5 itself compares its index with the rows."""
    db.execute("INSERT INTO output_words (output_words, rank) VALUES ('integrity-check', 1)")


def test_a_batch_is_found_by_its_words(db: Database) -> None:
    _add(db, 1)
    taking.take(db, [_taken(2), _taken(3)], [], {}, 1, watched=False)
    _add(db, 4)
    assert _found(db, "lighthouse") == [f"/p/{number}.png" for number in (1, 2, 3, 4)]
    _is_whole(db)


def test_other_bytes_at_the_same_place_within_a_batch_leave_no_words_behind(db: Database) -> None:
    taking.take(db, [_taken(1), replace(_taken(1, "storm"), sha256="f" * 64)], [], {}, 1, watched=False)
    assert _found(db, "storm") == ["/p/1.png"]
    assert _found(db, "lighthouse") == []
    _is_whole(db)


def test_a_batch_that_fails_leaves_nothing_and_the_next_row_is_indexed_by_itself(db: Database) -> None:
    with pytest.raises(AttributeError):
        taking.take(db, [_taken(1), cast("Taken", None)], [], {}, 1, watched=False)
    _add(db, 2)
    assert _found(db, "lighthouse") == ["/p/2.png"]
    _is_whole(db)


def test_after_the_newest_outputs_were_removed_the_next_batch_is_indexed_once(db: Database) -> None:
    taking.take(db, [_taken(1), _taken(2)], [], {}, 1, watched=False)
    outputs.remove(db, [2])
    taking.take(db, [_taken(3)], [], {}, 1, watched=False)
    assert _found(db, "lighthouse") == ["/p/1.png", "/p/3.png"]
    _is_whole(db)
