import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from comfydesk.errors import StoreError
from comfydesk.store import schema
from comfydesk.store.database import Database


def test_a_new_library_is_in_wal_mode_and_whole(tmp_path: Path) -> None:
    db = Database(tmp_path / "deep" / "library.sqlite")
    row = db.first("PRAGMA journal_mode")
    assert row is not None
    assert row[0] == "wal"
    db.check()
    db.close()
    db.close()


def test_what_was_written_is_there_at_the_next_start(tmp_path: Path) -> None:
    db = Database(tmp_path / "l")
    with db.transaction():
        db.execute("INSERT INTO uploads VALUES ('p', 'h', 'n')")
    db.close()
    again = Database(tmp_path / "l")
    assert [row["name"] for row in again.query("SELECT name FROM uploads")] == ["n"]
    again.close()


def test_a_transaction_is_all_or_nothing_even_when_nested(db: Database) -> None:
    def fail_in_the_outer_one() -> None:
        with db.transaction():
            with db.transaction(durable=True):
                db.execute("INSERT INTO uploads VALUES ('p', 'h', 'n')")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_in_the_outer_one()
    assert db.query("SELECT * FROM uploads") == []


def test_a_newer_library_is_refused_in_words_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "l"
    Database(path).close()
    with sqlite3.connect(path) as raw:
        raw.execute("PRAGMA user_version = 99")
    raw.close()
    with pytest.raises(StoreError, match="newer ComfyDesk") as caught:
        Database(path)
    assert str(path) in str(caught.value)
    raw = sqlite3.connect(path)
    assert raw.execute("PRAGMA user_version").fetchone()[0] == 99
    raw.close()


def test_an_older_library_is_brought_up_to_date_and_a_copy_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "l"
    db = Database(path)
    with db.transaction():
        db.execute("INSERT INTO uploads VALUES ('p', 'h', 'n')")
    db.close()
    version = len(schema.MIGRATIONS)
    monkeypatch.setattr(
        "comfydesk.store.database.MIGRATIONS", (*schema.MIGRATIONS, ("ALTER TABLE uploads ADD COLUMN size INTEGER",))
    )
    db = Database(path)
    row = db.first("SELECT name, size FROM uploads")
    assert row is not None
    assert tuple(row) == ("n", None)
    db.close()
    copy = sqlite3.connect(tmp_path / f"l.v{version}")
    assert copy.execute("SELECT name FROM uploads").fetchone() == ("n",)
    copy.close()


def test_a_migration_that_fails_leaves_the_library_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "l"
    Database(path).close()
    bad = ("ALTER TABLE uploads ADD COLUMN size INTEGER", "NONSENSE")
    with monkeypatch.context() as patch:
        patch.setattr("comfydesk.store.database.MIGRATIONS", (*schema.MIGRATIONS, bad))
        with pytest.raises(StoreError, match=r"brought up.*NONSENSE.*[Nn]othing was changed"):
            Database(path)
    db = Database(path)
    assert "size" not in [row["name"] for row in db.query("PRAGMA table_info(uploads)")]
    db.close()


@pytest.mark.parametrize(
    "content", [b"no database at all, but long enough " * 40, b"SQLite format 3\x00" + b"\xff" * 4000]
)
def test_a_damaged_library_is_told_with_what_to_do(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "l"
    path.write_bytes(content)
    with pytest.raises(StoreError, match="damaged") as caught:
        Database(path)
    assert "Move that file aside" in str(caught.value)
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    "damage",
    [
        "PRAGMA user_version = 1",
        "UPDATE sqlite_master SET sql = replace(sql, 'NOCASE', 'JOCASE')",
        "UPDATE sqlite_master SET sql = replace(sql, 'jobs_by_state', 'jobs_by_stat')",
    ],
)
def test_a_library_that_is_not_as_it_was_made_is_told_as_damaged(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "l"
    Database(path).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as raw:
        raw.execute("PRAGMA writable_schema = ON")
        raw.execute(damage)

    def opened() -> None:
        db = Database(path)
        try:
            db.check()
        finally:
            db.close()

    with pytest.raises(StoreError, match=r"damaged|brought up"):
        opened()


def test_a_file_of_another_format_is_told_as_damaged(tmp_path: Path) -> None:
    path = tmp_path / "l"
    Database(path).close()
    data = bytearray(path.read_bytes())
    data[18:20] = b"\x09\x09"  # the versions that may write and read it
    path.write_bytes(data)
    with pytest.raises(StoreError, match=r"damaged|opened"):
        Database(path)


def test_a_page_overwritten_in_the_middle_is_found(tmp_path: Path) -> None:
    path = tmp_path / "l"
    db = Database(path)
    with db.transaction():
        for number in range(300):
            db.execute("INSERT INTO uploads VALUES ('p', ?, ?)", (f"{number:0100}", "n" * 100))
    db.close()
    data = bytearray(path.read_bytes())
    data[-8192:-4096] = b"\xa5" * 4096
    path.write_bytes(data)
    db = Database(path)
    with pytest.raises(StoreError, match="damaged"):
        db.check()
    db.close()


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StoreError, match="cannot be opened"):
        Database(tmp_path / "file" / "l")


def test_two_programs_at_the_first_start_migrate_once(tmp_path: Path) -> None:
    failures: list[BaseException] = []

    def start() -> None:
        try:
            Database(tmp_path / "l").close()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=start) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_our_own_misuse_is_not_dressed_up_as_the_disks_fault(db: Database) -> None:
    with pytest.raises(sqlite3.OperationalError):
        db.execute("INSERT INTO nowhere VALUES (1)")
    with db.transaction():
        db.execute("INSERT INTO uploads VALUES ('p', 'h', 'n')")
        with pytest.raises(sqlite3.IntegrityError):
            db.execute("INSERT INTO uploads VALUES ('p', 'h', 'n')")
