import asyncio
import sqlite3
import threading
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import pytest

from comfydesk.errors import StoreError
from comfydesk.events import Change, Feed, JobsChanged, PodsChanged
from comfydesk.session.library import Library
from comfydesk.session.tasks import Tasks
from comfydesk.session.waiting import wait_for
from comfydesk.store import jobs, workflows
from comfydesk.store.database import Database
from comfydesk.store.records import Job, JobState


async def test_all_work_is_done_on_one_thread_that_is_not_the_loops(tmp_path: Path) -> None:
    library = Library(tmp_path / "l", Feed())
    await library.open()

    def where(_: Database) -> int:
        return threading.get_ident()

    threads = {await library.call(where) for _ in range(5)}
    assert len(threads) == 1
    assert threads != {threading.get_ident()}
    await library.close()
    await library.close()


async def test_what_changed_is_published_after_it_is_on_disk(tmp_path: Path) -> None:
    changes: Feed[Change] = Feed()
    heard: list[Change] = []
    changes.subscribe(heard.append)
    library = Library(tmp_path / "l", changes)
    await library.open()

    def change(db: Database, fail: bool) -> tuple[Change, ...]:
        with db.transaction():
            db.execute("INSERT INTO uploads VALUES ('p', ?, 'n')", (str(fail),))
            if fail:
                raise StoreError("disk full")
        return (JobsChanged(("a",)), PodsChanged(("p",)))

    assert await library.commit(change, False) == (JobsChanged(("a",)), PodsChanged(("p",)))
    with pytest.raises(StoreError):
        await library.commit(change, fail=True)
    assert heard == [JobsChanged(("a",)), PodsChanged(("p",))]
    await library.close()


def _declared(old: str, new: str) -> str:
    return f"UPDATE sqlite_master SET sql = replace(sql, '{old}', '{new}') WHERE name = 'jobs'"


@pytest.mark.parametrize("column", ["document", "values", "row"])
async def test_what_damage_leads_to_is_told_as_damage(tmp_path: Path, column: str) -> None:
    path = tmp_path / "l"
    library = Library(path, Feed())
    await library.open()
    key = await library.call(workflows.put_document, {"a": 1})
    job = Job("a", JobState.QUEUED, "w", "p", key, {}, "", None, 0, 1.0, owner="me")
    await library.commit(jobs.add, [job])
    await library.close()
    damage = {
        "document": ("UPDATE documents SET data = X'00'",),
        "values": ("UPDATE runs SET field_values = '{'",),
        "row": (
            _declared("texts TEXT NOT NULL", "texts TEXT"),
            "UPDATE jobs SET texts = NULL",
            _declared("texts TEXT", "texts TEXT NOT NULL"),
        ),
    }
    for statement in damage[column]:
        with closing(sqlite3.connect(path, isolation_level=None)) as raw:
            raw.execute("PRAGMA writable_schema = ON")
            raw.execute(statement)
    database = Database(path)
    with pytest.raises(StoreError, match="damaged"), database.diagnosed():
        _ = (jobs.recent(database, 10), workflows.get_document(database, key))
    database.close()


async def test_a_mistake_of_ours_is_not_told_as_damage(tmp_path: Path) -> None:
    library = Library(tmp_path / "l", Feed())
    await library.open()

    def wrong(_: Database) -> None:
        raise TypeError("ours")

    with pytest.raises(TypeError, match="ours"):
        await library.call(wrong)
    with pytest.raises(TypeError, match="ours"):
        await library.read(wrong)
    await library.close()


async def test_what_is_stopped_is_told_as_that_and_the_file_is_not_read_through_for_it(tmp_path: Path) -> None:
    library = Library(tmp_path / "l", Feed())
    await library.open()
    done: list[str] = []

    def count(db: Database) -> None:
        db._connection.set_trace_callback(done.append)
        with db.stoppable(lambda: True):
            db.query("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n")

    for run in (library.read, library.call):
        with pytest.raises(StoreError, match="stopped"):
            await run(count)
    assert [sql for sql in done if "RECURSIVE" in sql]
    assert [sql for sql in done if "check" in sql] == []
    await library.close()


async def test_a_background_task_reports_its_failure_and_takes_nothing_with_it() -> None:
    tasks = Tasks()
    heard: list[Exception] = []
    tasks.problems.subscribe(heard.append)
    loop = asyncio.get_running_loop()
    ours: list[object] = []
    before = loop.get_exception_handler()
    loop.set_exception_handler(lambda _, context: ours.append(context["exception"]))
    ended = asyncio.Event()

    async def fail(error: Exception) -> None:
        raise error

    async def live() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    tasks.start(live(), "live")
    known, unknown = StoreError("full"), ValueError("bug")
    tasks.start(fail(known), "a")
    tasks.start(fail(unknown), "b")
    await asyncio.sleep(0)
    loop.set_exception_handler(before)
    assert heard == [known]
    assert ours == [unknown]
    assert not ended.is_set()
    await tasks.close()
    assert ended.is_set()


async def test_what_never_began_ends_without_a_word() -> None:
    tasks = Tasks()
    tasks.start(asyncio.sleep(60), "begun never")
    await tasks.close()
    tasks.start(asyncio.sleep(60), "too late")


def job(name: str, state: JobState) -> Job:
    return Job(name, state, "w", "p", "g", {}, "", None, 0, 0)


async def test_waiting_reads_only_what_changed_and_ends_with_the_last_end() -> None:
    rows = {name: job(name, JobState.QUEUED) for name in "abc"}
    asked: list[tuple[str, ...]] = []

    async def read(ids: Iterable[str]) -> tuple[Job, ...]:
        names = tuple(ids)
        asked.append(names)
        return tuple(rows[name] for name in names if name in rows)

    changes: Feed[Change] = Feed()
    waiting = asyncio.create_task(wait_for(["a", "b"], changes, read))
    await asyncio.sleep(0)
    rows["a"] = job("a", JobState.DONE)
    changes.publish(JobsChanged(("a", "c")))
    await asyncio.sleep(0)
    assert not waiting.done()
    del rows["b"]
    changes.publish(JobsChanged(removed=("b",)))
    assert [found.id for found in await waiting] == ["a"]
    assert {name for names in asked for name in names} == {"a", "b"}
