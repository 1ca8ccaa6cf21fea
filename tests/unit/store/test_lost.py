"""What a pod has lost: which earlier job tells whether it has lost its memory."""

from collections.abc import Callable

from comfydesk.store import jobs, lost
from comfydesk.store.database import Database
from comfydesk.store.records import Job, JobState

Make = Callable[..., Job]
S = JobState


def test_a_job_is_a_witness_from_its_post_on_once_it_was_answered(db: Database, new_job: Make) -> None:
    for number, name in enumerate("oab"):
        new_job(name)
        jobs.begin_sending(db, [name], "p", 10.0 + number)
    assert lost.witness(db, "p", 12.0) is None, "nobody has answered to any of them"
    jobs.accepted(db, "o", "o", 10.5)
    assert lost.witness(db, "p", 12.0) == "o"
    jobs.accepted_many(db, ["a"], 14.0)  # a short one: noted when all was over
    assert lost.witness(db, "p", 12.0) == "a"
    assert lost.witness(db, "p", 11.0) == "o"
    assert lost.witness(db, "q", 12.0) is None, "another pod's"


def test_what_was_cancelled_is_no_witness(db: Database, new_job: Make) -> None:
    for name, posted in (("o", 10.0), ("a", 11.0)):
        new_job(name)
        jobs.begin_sending(db, [name], "p", posted)
        jobs.accepted(db, name, name, posted + 0.1)
    jobs.request_cancel(db, ["a"], 11.5)
    assert lost.witness(db, "p", 12.0) == "o"
