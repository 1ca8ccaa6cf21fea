"""Files written into the library many at a time are there as if they had been added one after the other."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from comfydesk.store import imports, outputs, taking
from comfydesk.store.database import Database, portions
from comfydesk.store.imports import DELETED, DUPLICATE, Seen
from comfydesk.store.outputs import Identity
from comfydesk.store.taken import Document, Taken
from comfydesk.store.taking import Written


def _file(name: str, bytes_: str = "", **more: Any) -> Taken:
    """`bytes_`: two files with the same have the same content; without, the hash is not known yet."""
    taken = Taken(f"/p/{name}.png", "image", 100 + len(bytes_), 7, bytes_ and f"{bytes_:0>64}", 1.5)
    return replace(taken, **more)


def _take(db: Database, *files: Taken, gone: dict[str, int] | None = None, watched: bool = False) -> Written:
    return taking.take(db, files, [], gone or {}, 3, watched=watched)[0]


def _paths(db: Database) -> dict[int, str]:
    return {row["id"]: row["path"] for row in db.query("SELECT id, path FROM outputs WHERE deletion IS NULL")}


def _seen(db: Database) -> dict[bytes, str]:
    return {row["path"]: row["why"] for row in db.query("SELECT path, why FROM seen_files")}


FULL = _file(
    "full",
    "1",
    width=640,
    height=320,
    duration=2.5,
    prompt="a cliff",
    negative="fog",
    seed=2**64 - 1,
    model="xl.safetensors",
    models=(("xl.safetensors", "checkpoint"), ("film.safetensors", "lora"), ("film.safetensors", "other")),
    sampler="euler",
    scheduler="karras",
    steps=20.0,
    cfg=7.0,
    settings={"Made with": "A1111"},
    graph=Document("aa", b"1"),
    document=Document("bb", b"2"),
    pending=True,
)


def _rows(db: Database) -> Sequence[tuple[object, ...]]:
    tables = ("outputs", "output_models", "documents")
    return [tuple(row) for table in tables for row in db.query(f"SELECT * FROM {table}")]


@pytest.mark.parametrize("file", [FULL, _file("bare"), _file("odd \udcff"), _file("lone", prompt="\ud800")])
def test_every_column_is_as_if_it_had_come_alone(tmp_path: Path, file: Taken) -> None:
    written = []
    for name in ("batch", "alone"):
        db = Database(tmp_path / name)
        if name == "batch":
            _take(db, file)
        else:
            imports.add_taken(db, file, Identity("", "", "", "", ""), 3)
        written.append(_rows(db))
        db.close()
    assert written[0] == written[1]


def test_more_than_one_statement_takes_are_all_there(db: Database) -> None:
    files = [_file(f"{number:03}", models=((f"m{number}.gguf", "other"),) * 3) for number in range(200)]
    written = _take(db, *files)
    assert written.added == list(range(1, 201))
    assert [*_paths(db).values()] == [file.path for file in files]
    assert db.tuples("SELECT count(*) FROM output_models") == [(200,)]
    assert len(outputs.recent(db, 300, search="m150")) == 1


@pytest.mark.parametrize("many", [0, 1, 63, 64, 65, 200])
def test_portions_leave_nothing_out(many: int) -> None:
    found = list(portions(range(many)))
    assert [one for some in found for one in some] == list(range(many))
    assert {len(some) for some in found} <= {1, 2, 4, 8, 16, 32, 64}


def test_the_same_bytes_twice_in_a_batch_are_one_output(db: Database) -> None:
    written = _take(db, _file("a", "1"), _file("b", "1"))
    assert (written.added, written.duplicates) == ([1], 1)
    assert _seen(db) == {b"/p/b.png": DUPLICATE}


def test_files_without_a_hash_are_not_taken_for_each_other(db: Database) -> None:
    assert _take(db, _file("a"), _file("b")).added == [1, 2]


def test_names_that_were_exchanged_are_both_known(db: Database) -> None:
    """The bytes of the first are free again when it is another file now."""
    _take(db, _file("a", "1"), _file("b", "2"))
    written = _take(db, _file("a", "2 new"), _file("b", "1"))
    assert (written.removed, written.duplicates) == ([1, 2], 0)
    assert _paths(db) == {3: "/p/a.png", 4: "/p/b.png"}


def test_a_path_twice_in_a_batch_is_the_later_one(db: Database) -> None:
    written = _take(db, _file("a", "1"), _file("a", "2"))
    assert (written.added, written.removed) == ([1, 2], [1])
    assert _paths(db) == {2: "/p/a.png"}


def test_a_file_that_only_looks_newer_keeps_its_output(db: Database) -> None:
    _take(db, _file("a", "1"))
    assert _take(db, replace(_file("a", "1"), mtime_ns=9)).changes() == ()
    assert db.tuples("SELECT mtime_ns FROM outputs") == [(9,)]


def test_an_output_follows_its_file(db: Database) -> None:
    _take(db, _file("a", "1"))
    written = _take(db, _file("b", "1"), _file("c", "1"), gone={f"{1:0>64}": 1})
    assert (written.moved, written.added, written.duplicates) == ([1], [], 1)
    assert _paths(db) == {1: "/p/b.png"}


def test_what_was_deleted_stays_away_from_watched_folders_and_comes_when_it_is_asked_for(db: Database) -> None:
    db.execute("INSERT INTO forgotten VALUES (?, '', '', '', '', '')", (f"{1:0>64}",))
    assert _take(db, _file("a", "1"), watched=True).added == []
    assert _seen(db) == {b"/p/a.png": DELETED}
    assert _take(db, _file("a", "1")).added == [1]
    assert _seen(db) == {}
    assert db.query("SELECT * FROM forgotten") == []


def test_what_was_seen_before_is_no_longer_when_it_is_taken(db: Database) -> None:
    paths = [f"/p/{number}.png" for number in range(70)]
    taking.take(db, [], [Seen(path, 1, 1, "broken") for path in paths], {}, 3, watched=False)
    _take(db, *(replace(_file("x"), path=path) for path in paths[:69]))
    assert _seen(db) == {b"/p/69.png": "broken"}
