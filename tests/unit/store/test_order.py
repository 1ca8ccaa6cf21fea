import itertools
from collections.abc import Callable

import pytest

from comfydesk.events import JobsChanged, QueueChanged
from comfydesk.store import jobs, order
from comfydesk.store.database import Database
from comfydesk.store.records import Job, JobState

Make = Callable[..., Job]
S = JobState


def queue(db: Database) -> str:
    return "".join(job.id for job in jobs.recent(db, 99))


@pytest.fixture
def five(db: Database, new_job: Make) -> Database:
    for name in "abcde":
        new_job(name)
    return db


@pytest.mark.parametrize(
    ("moved", "after", "before", "becomes"),
    [
        ("e", "a", "b", "aebcd"),
        ("a", "e", None, "bcdea"),
        ("e", None, "a", "eabcd"),
        ("c", None, None, "cabde"),
        ("ec", "a", None, "aecbd"),
        ("ab", "c", "d", "cabde"),
        ("b", "a", "c", "abcde"),
        ("b", "nobody", None, "bacde"),
    ],
)
def test_jobs_go_where_they_are_dropped(
    five: Database, moved: str, after: str | None, before: str | None, becomes: str
) -> None:
    order.move_between(five, list(moved), after, before)
    assert queue(five) == becomes


def test_room_between_two_places_never_runs_out(five: Database) -> None:
    for turn in range(200):
        order.move_between(five, ["d" if turn % 2 else "e"], "a", None)
    assert queue(five) == "adebc"
    places = [job.position for job in jobs.recent(five, 9)]
    assert all(later - earlier >= order.LEAST_STEP for earlier, later in itertools.pairwise(places))
    new = order.move_between(five, ["c"], "e", None)
    assert new == (JobsChanged(("c",)),)
    assert queue(five) == "adecb"


def test_what_ended_has_no_place_any_more(five: Database) -> None:
    jobs.transition(five, "b", S.CANCELLED, 1.0)
    assert order.move_between(five, ["b"], None, None) == ()
    order.move_between(five, ["a"], "c", None)
    assert queue(five) == "cadeb"


def test_all_at_once_and_only_a_sessions_own(five: Database, new_job: Make) -> None:
    new_job("f", owner="other")
    jobs.transition(five, "a", S.SENDING, 1.0)
    assert order.hold_all(five, "me", 2.0) == (JobsChanged(("b", "c", "d", "e")),)
    assert order.counts(five) == {S.SENDING: 1, S.HELD: 4, S.QUEUED: 1}
    assert order.release_all(five, "me", 3.0) == (JobsChanged(("b", "c", "d", "e")),)
    assert order.release_all(five, "me", 3.0) == ()


def test_a_pause_holds_over_restarts_and_for_everybody(five: Database) -> None:
    assert order.pause(five, True) == (QueueChanged(),)
    assert order.pause(five, True) == ()
    assert order.is_paused(five)
    assert jobs.waiting(five, "me", ["p"], 9) == ()
    again = Database(five.path)
    assert order.is_paused(again)
    order.pause(again, False)
    again.close()
    assert len(jobs.waiting(five, "me", ["p"], 9)) == 5
