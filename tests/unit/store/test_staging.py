"""A batch is queued whole or not at all, whatever its size."""

from collections.abc import Callable
from dataclasses import replace

from comfydesk.events import JobsChanged
from comfydesk.store import jobs, order, pod_fetches, sheets, staging
from comfydesk.store.database import Database
from comfydesk.store.records import Job, JobState

Make = Callable[..., Job]


def batch(like: Job, count: int, name: str = "b") -> list[Job]:
    return [replace(like, id=f"{name}{number:03}", batch=name, target="p") for number in range(count)]


def test_what_is_staged_is_no_part_of_the_queue_until_all_of_it_is(db: Database, new_job: Make) -> None:
    first = new_job("a")
    new = batch(first, 5)
    staging.stage(db, new[:3], 0)
    staging.stage(db, new[3:], 3)
    assert [job.id for job in jobs.recent(db, 10)] == ["a"]
    assert [job.id for job in jobs.waiting(db, "me", ["p"], 10)] == ["a"]
    assert order.counts(db) == {JobState.QUEUED: 1}
    assert order.release_all(db, "me", 1.0) == ()
    late = new_job("late")
    assert staging.publish(db, "b", "me", 5) == (JobsChanged(tuple(job.id for job in new)),)
    assert late.position < jobs.many(db, ["b000"])[0].position
    assert [job.id for job in jobs.waiting(db, "me", ["p"], 10)] == ["a", "late", *(job.id for job in new)]
    assert {job.state for job in jobs.many(db, [job.id for job in new])} == {JobState.QUEUED}


def test_a_batch_goes_to_the_front_in_its_own_order(db: Database, new_job: Make) -> None:
    first = new_job("a")
    jobs.add(db, [replace(first, id="next")], front=True)
    staging.stage(db, batch(first, 3), 0)
    staging.publish(db, "b", "me", 3, front=True)
    assert [job.id for job in jobs.waiting(db, "me", ["p"], 10)] == ["b000", "b001", "b002", "next", "a"]


def test_what_is_discarded_or_was_left_by_a_crash_leaves_nothing(db: Database, new_job: Make) -> None:
    first = new_job("a")
    staging.stage(db, batch(first, 3), 0)
    staging.discard(db, "b")
    staging.stage(db, batch(first, 3, "c"), 0)
    staging.sweep(db, "me")
    staging.stage(db, [replace(job, owner="gone") for job in batch(first, 3, "d")], 0)
    order.adopt(db, "me", ["gone"])
    for name in "bcd":
        assert staging.publish(db, name, "me", 3) == ()
    assert [job.id for job in jobs.recent(db, 10)] == ["a"]


def test_what_was_drawn_its_cell_and_its_template_are_kept(db: Database, new_job: Make) -> None:
    first = new_job("a")
    one = replace(first, id="b", batch="b", target="p", drawn={"6.text": "a {b|c}"}, cell=(0, 1, 2, 3), template="{n}")
    staging.stage(db, [one], 0)
    staging.publish(db, "b", "me", 1)
    (stored,) = jobs.many(db, ["b"])
    assert (stored.drawn, stored.cell, stored.template) == ({"6.text": "a {b|c}"}, (0, 1, 2, 3), "{n}")


def test_a_sheet_is_due_when_the_last_job_of_its_batch_is_over(db: Database, new_job: Make) -> None:
    first = new_job("a")
    new = [replace(job, cell=(0, 0, 0, column)) for column, job in enumerate(batch(first, 2))]
    staging.stage(db, new, 0)
    wanted = sheets.WantedSheet("b", 0, 0, "A title", ("one", "two"), ("",), "")
    staging.publish(db, "b", "me", 2, [wanted])
    assert sheets.are_wanted(db, "me")
    for job, end in zip(new, (JobState.DONE, JobState.FAILED), strict=True):
        assert sheets.due(db, "me") == ()
        for step in (JobState.SENDING, JobState.SENT, JobState.SAVING, end):
            assert jobs.transition(db, job.id, step, 1.0)
    assert sheets.due(db, "heir") == ()
    assert order.owners(db) == ("me",)
    order.adopt(db, "heir", ["me"])
    assert (sheets.due(db, "me"), sheets.due(db, "heir")) == ((), (wanted,))
    assert [(one.run, one.row, one.column, one.paths) for one in sheets.filled(db, wanted)] == [
        ("b000", 0, 0, ()),
        ("b001", 0, 1, ()),
    ]
    fetched = pod_fetches.Wanted("p", "output", "", "sheet.png")
    pod_fetches.want(db, [fetched], None, None)
    assert pod_fetches.plan(db, fetched, "/x/fetched.png")
    assert not sheets.plan_sheet(db, wanted, "/x/fetched.png"), "what comes from the pod goes there"
    assert sheets.plan_sheet(db, wanted, "/x/sheet.png")
    assert sheets.due(db, "heir")[0].path == "/x/sheet.png"
    sheets.sheet_made(db, wanted, None, 2.0)
    assert (sheets.due(db, "heir"), sheets.are_wanted(db, "heir", "b")) == ((), False)
