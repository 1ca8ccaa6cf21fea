import json
from collections.abc import Callable

import pytest

from comfydesk.events import JobsChanged, OutputsChanged
from comfydesk.store import job_files, jobs, order, outputs, pod_fetches
from comfydesk.store.database import Database
from comfydesk.store.outputs import Identity
from comfydesk.store.records import ANY, Job, JobError, JobFile, JobState, LocalFile, Output

Make = Callable[..., Job]
S = JobState


def state(db: Database, job: str = "a") -> JobState:
    found = jobs.get(db, job)
    assert found is not None
    return found.state


def test_a_job_comes_back_as_it_was_stored(db: Database, new_job: Make) -> None:
    values = {
        "1.text": "ein Schaf \u2603",
        "2.seed": 2**64 - 1,
        "3.image": LocalFile("/a/b.png", "ff", 7),
        "4.x": [1.5, None],
    }
    job = new_job(values=values, seed=2**64 - 1, prompt="ein Schaf")
    assert job.values == values
    assert job.seed == 2**64 - 1
    assert job.remote_id == job.id
    assert job.position == 1


def test_new_jobs_go_to_the_end_in_their_order(db: Database, new_job: Make) -> None:
    first, second = new_job("a"), new_job("b")
    assert first.position < second.position
    assert [job.id for job in jobs.recent(db, 10)] == ["a", "b"]


def test_adding_says_which_rows_are_new(db: Database, new_job: Make) -> None:
    job = new_job("a")
    again = [
        Job(**{name: getattr(job, name) for name in job.__dataclass_fields__} | {"id": name}) for name in ("b", "c")
    ]
    assert jobs.add(db, again) == (JobsChanged(("b", "c")),)


def test_the_straight_way_to_the_end(db: Database, new_job: Make) -> None:
    new_job()
    for time, step in enumerate((S.SENDING, S.SENT, S.RUNNING, S.SAVING, S.DONE), 10):
        assert jobs.transition(db, "a", step, float(time)) == (JobsChanged(("a",)),)
    job = jobs.get(db, "a")
    assert job is not None
    assert (job.sent, job.started, job.finished) == (11.0, 12.0, 14.0)


@pytest.mark.parametrize(
    ("way", "refused"),
    [
        ((S.SENDING, S.RUNNING), S.SENT),  # the answer to POST came after the first event
        ((S.CANCELLED,), S.SENDING),  # cancelled while its inputs were on their way
        ((S.SENDING, S.SENT, S.SAVING), S.RUNNING),  # a hint that came late
        ((S.SENDING, S.SENT, S.SAVING, S.DONE), S.FAILED),
        ((S.SENDING, S.SENT, S.RUNNING), S.QUEUED),  # what a pod had is never sent again
        ((S.SENDING, S.SENT, S.UNKNOWN), S.QUEUED),
        ((S.HELD,), S.SENDING),
    ],
)
def test_steps_that_nobody_may_take(db: Database, new_job: Make, way: tuple[JobState, ...], refused: JobState) -> None:
    new_job()
    for step in way:
        assert jobs.transition(db, "a", step, 1.0)
    assert jobs.transition(db, "a", refused, 2.0) == ()
    assert state(db) is way[-1]


def test_every_state_can_be_left_or_is_an_end() -> None:
    for one in JobState:
        leads = [to for to, sources in jobs.ALLOWED.items() if one in sources]
        assert leads or one.ended, one
        assert not (one.ended and one is not S.UNKNOWN and leads), one


def test_an_interrupted_post_goes_back_without_a_time_of_sending(db: Database, new_job: Make) -> None:
    new_job()
    jobs.transition(db, "a", S.SENDING, 5.0)
    jobs.transition(db, "a", S.QUEUED, 6.0)
    job = jobs.get(db, "a")
    assert job is not None
    assert job.sent is None


def test_an_error_is_kept_whole_and_goes_when_the_job_goes_on(db: Database, new_job: Make) -> None:
    new_job()
    error = JobError("what", "why", "advice", "3", "Sampler", "Traceback…", {"3.steps": "too many"})
    jobs.transition(db, "a", S.SENDING, 1.0, error=error)
    job = jobs.get(db, "a")
    assert job is not None
    assert job.error == error
    jobs.accepted(db, "a", "theirs", 1.0, warning=JobError("one output less"))
    job = jobs.get(db, "a")
    assert job is not None
    assert (job.error, job.remote_id, job.sent) == (None, "theirs", 1.0)
    assert job.warning == JobError("one output less")


@pytest.mark.parametrize(
    ("way", "becomes"),
    [
        ((), S.CANCELLED),
        ((S.HELD,), S.CANCELLED),
        ((S.SENDING,), S.CANCELLING),
        ((S.SENDING, S.SENT), S.CANCELLING),
        ((S.SENDING, S.SENT, S.RUNNING), S.CANCELLING),
        ((S.SENDING, S.SENT, S.SAVING), S.CANCELLED),
        ((S.SENDING, S.SENT, S.UNKNOWN), S.CANCELLED),
        ((S.SENDING, S.SENT, S.SAVING, S.DONE), S.DONE),
    ],
)
def test_what_a_cancellation_comes_to_where_the_job_is(
    db: Database, new_job: Make, way: tuple[JobState, ...], becomes: JobState
) -> None:
    new_job()
    for step in way:
        jobs.transition(db, "a", step, 1.0)
    assert bool(jobs.request_cancel(db, ["a", "nobody"], 5.0)) == (becomes is not S.DONE)
    job = jobs.get(db, "a")
    assert job is not None
    assert job.state is becomes
    assert (job.finished is None) == (becomes is S.CANCELLING)


@pytest.mark.parametrize(
    "stop", [lambda db: jobs.request_cancel(db, ["a"], 5.0), lambda db: order.hold_all(db, "me", 5.0)]
)
def test_what_the_user_keeps_from_being_sent_outlives_a_power_cut(
    db: Database, new_job: Make, stop: Callable[[Database], object]
) -> None:
    new_job()
    durable = db.owed
    assert stop(db)
    assert db.owed == durable + 1


def test_whether_a_post_may_have_arrived_outlives_everything_but_an_answer(db: Database, new_job: Make) -> None:
    def stored() -> Job:
        job = jobs.get(db, "a")
        assert job is not None
        return job

    assert not new_job().unanswered
    jobs.begin_sending(db, ["a"], "p", 3.0)
    assert (stored().posted, stored().unanswered) == (3.0, True)
    jobs.give_back(db, "a", 4.0, posted=3.0)
    assert (stored().state, stored().unanswered) == (S.QUEUED, True)
    jobs.begin_sending(db, ["a"], "p", 5.0)
    jobs.accepted(db, "a", "a", 6.0)
    assert (stored().state, stored().sent, stored().unanswered) == (S.SENT, 6.0, False)


def test_what_was_taken_together_is_sent_unless_it_was_given_up_meanwhile(db: Database, new_job: Make) -> None:
    for job in "abcd":
        new_job(job)
    jobs.begin_sending(db, ["a", "b", "c"], "p", 1.0)
    jobs.transition(db, "b", S.UNKNOWN, 2.0)
    jobs.transition(db, "c", S.CANCELLING, 2.0)
    assert jobs.accepted_many(db, ["a", "b", "c", "d"], 3.0) == (JobsChanged(("a",)),)
    assert [job.state for job in jobs.many(db, "abcd")] == [S.SENT, S.UNKNOWN, S.CANCELLING, S.QUEUED]
    assert [job.sent for job in jobs.many(db, "ab")] == [3.0, None]


def test_what_is_found_on_its_pod_after_all_is_looked_after(db: Database, new_job: Make) -> None:
    new_job(owner="dead")
    for step in (S.SENDING, S.SENT, S.UNKNOWN):
        jobs.transition(db, "a", step, 1.0)
    assert jobs.take_up(db, "a", "me", 2.0)
    job = jobs.get(db, "a")
    assert job is not None
    assert (job.state, job.owner, job.finished) == (S.SENT, "me", None)
    assert jobs.take_up(db, "a", "other", 3.0) == ()


def test_an_error_without_end_is_cut(db: Database, new_job: Make) -> None:
    new_job()
    endless = JobError(
        "w" * 10**6, "y" * 10**6, traceback="x" * 10**6 + "end", fields={str(n): "f" * 999 for n in range(999)}
    )
    jobs.note(db, "a", endless)
    (row,) = db.query("SELECT length(error) FROM jobs")
    assert row[0] < 200_000
    job = jobs.get(db, "a")
    assert job is not None
    assert job.error is not None
    assert job.error.traceback.endswith("xend")
    assert 10 < len(job.error.fields) < 100


def test_a_note_changes_nothing_else_and_is_told_once(db: Database, new_job: Make) -> None:
    new_job()
    error = JobError("disk full")
    assert jobs.note(db, "a", error) == (JobsChanged(("a",)),)
    assert jobs.note(db, "a", error) == ()
    assert state(db) is S.QUEUED


def test_waiting_are_a_sessions_own_queued_jobs_for_the_pods_asked_for(db: Database, new_job: Make) -> None:
    new_job("a")
    new_job("b", owner="other")
    new_job("c", pod="q")
    new_job("d")
    new_job("e")
    jobs.transition(db, "d", S.HELD, 1.0)
    order.move_between(db, ["e"], None, "a")
    assert [job.id for job in jobs.waiting(db, "me", ["p"], 10)] == ["e", "a"]
    assert [job.id for job in jobs.waiting(db, "me", ["p", "q"], 2)] == ["e", "a"]
    assert jobs.waiting(db, "me", [], 10) == ()


def test_the_list_begins_with_what_is_to_come_then_the_latest_end(db: Database, new_job: Make) -> None:
    for name in "abcd":
        new_job(name)
    jobs.transition(db, "a", S.CANCELLED, 10.0)
    jobs.transition(db, "b", S.CANCELLED, 20.0)
    assert [job.id for job in jobs.recent(db, 10)] == ["c", "d", "b", "a"]
    assert [job.id for job in jobs.recent(db, 2, 1)] == ["d", "b"]


def test_jobs_of_a_dead_session_are_taken_over_unless_they_ended(db: Database, new_job: Make) -> None:
    new_job("a", owner="dead")
    new_job("b", owner="dead")
    new_job("c", owner="alive")
    jobs.transition(db, "b", S.CANCELLED, 1.0)
    assert set(order.owners(db)) == {"dead", "alive"}
    assert order.adopt(db, "me", ["dead"]) == (JobsChanged(("a",)),)
    assert order.adopt(db, "me", []) == ()
    owners = {job.id: job.owner for job in jobs.recent(db, 9)}
    assert owners == {"a": "me", "b": "dead", "c": "alive"}


def test_live_is_what_a_pod_has_or_may_have(db: Database, new_job: Make) -> None:
    for name in "abc":
        new_job(name)
    jobs.transition(db, "b", S.SENDING, 1.0)
    jobs.transition(db, "c", S.CANCELLED, 1.0)
    assert [job.id for job in jobs.live(db, "me")] == ["b"]


def test_only_ended_jobs_can_be_taken_from_the_list_and_what_they_were_stays(db: Database, new_job: Make) -> None:
    new_job("a")
    new_job("b", values={"1.x": 3}, batch="together", workflow_id="bundled/w")
    jobs.begin_sending(db, ["b"], "p", 1.0)
    jobs.transition(db, "b", S.FAILED, 4.0)
    output, _ = outputs.add(db, saved_output("/o/1.png", "b"), Identity("p", "output", "sub", "1.png", "e"))
    assert order.remove(db, ["a", "b", "nobody"]) == (JobsChanged(removed=("b",)),)
    assert order.remove(db, ["b"]) == ()
    assert [job.id for job in jobs.recent(db, 9)] == ["a"]
    assert order.counts(db) == {S.QUEUED: 1}
    (run,) = db.query("SELECT * FROM runs WHERE id = ?", (output.job,))
    assert (run["pod"], run["batch"], run["workflow_id"], run["field_values"]) == (
        "p",
        "together",
        "bundled/w",
        '{"1.x": 3}',
    )
    assert json.loads(run["timings"]) == {"created": 1.0, "sent": None, "started": None, "finished": 4.0}


def test_a_job_for_any_pod_belongs_to_one_only_while_it_is_there(db: Database, new_job: Make) -> None:
    new_job("a", pod="", target=ANY)
    new_job("b")
    assert [(job.id, job.pod) for job in jobs.waiting(db, "me", ["q"], 9)] == [("a", ANY)]
    jobs.begin_sending(db, ["a"], "q", 1.0)
    assert [job.pod for job in jobs.many(db, ["a", "b"])] == ["q", "p"]
    jobs.give_back(db, "a", 2.0, posted=None)
    assert [(job.pod, job.target) for job in jobs.many(db, ["a"])] == [("", ANY)]
    # Where it may have arrived it has to be looked up first.
    jobs.begin_sending(db, ["a"], "q", 3.0)
    jobs.give_back(db, "a", 4.0, posted=3.0)
    assert [job.id for job in jobs.waiting(db, "me", ["r"], 9)] == []
    assert [job.id for job in jobs.waiting(db, "me", ["q"], 9)] == ["a"]


def test_pages_are_found_again_by_their_last_row(db: Database, new_job: Make) -> None:
    for number in range(9):
        new_job(str(number))
    jobs.transition_many(db, ["1", "3", "5", "7"], S.CANCELLED, 9.0)
    whole = [job.id for job in jobs.recent(db, 99)]
    page = [job.id for job in jobs.recent(db, 4)]
    new_job("new")
    while rows := jobs.recent(db, 2, after=page[-1]):
        page += [job.id for job in rows if job.id != "new"]
    assert page == whole
    plan = " ".join(
        row["detail"]
        for row in db.query(
            "EXPLAIN QUERY PLAN SELECT * FROM job_rows WHERE hidden = 0"
            " AND (ended, place, number) > (1, 2, 3) ORDER BY ended, place, number LIMIT 9"
        )
    )
    assert "jobs_as_listed" in plan
    assert "TEMP B-TREE" not in plan


# --- Files ----------------------------------------------------------------------------------------------------------


def saving(db: Database, new_job: Make, *names: str) -> tuple[JobFile, ...]:
    new_job()
    jobs.transition(db, "a", S.SENDING, 1.0)
    files = tuple(JobFile("a", number, "output", "sub", name) for number, name in enumerate(names))
    assert job_files.begin_saving(db, "a", files, 2.0) == (JobsChanged(("a",)),)
    return files


def saved_output(path: str, job: str = "a") -> Output:
    return Output(0, path, "image", 3, "ff", 1.0, job=job, seed=2**63)


def test_what_is_missing_shrinks_with_every_file_saved_or_lost(db: Database, new_job: Make) -> None:
    one, two, _ = saving(db, new_job, "1.png", "2.png", "3.png")
    output, changes = outputs.add(db, saved_output("/o/1.png"), Identity("p", "output", "sub", "1.png", "e"))
    assert changes == (OutputsChanged(added=(output.id,)),)
    assert job_files.file_saved(db, one, output.id) == (JobsChanged(("a",)),)
    job_files.file_lost(db, two, "404")
    assert [file.filename for file in job_files.missing(db, "a")] == ["3.png"]
    assert job_files.lost(db, "a") == (("2.png", "404"),)
    job = jobs.get(db, "a")
    assert job is not None
    assert job.outputs == ("/o/1.png",)


def test_what_was_said_is_kept(db: Database, new_job: Make) -> None:
    new_job()
    jobs.transition(db, "a", S.SENDING, 1.0)
    job_files.begin_saving(db, "a", (), 2.0, ("a sheep,\n\u2603",))
    job = jobs.get(db, "a")
    assert job is not None
    assert job.texts == ("a sheep,\n\u2603",)


def test_a_second_end_of_the_same_job_adds_no_files(db: Database, new_job: Make) -> None:
    files = saving(db, new_job, "1.png")
    assert job_files.begin_saving(db, "a", (*files, JobFile("a", 1, "output", "", "x.png")), 3.0) == ()
    assert len(job_files.missing(db, "a")) == 1


def test_a_planned_place_is_kept_and_belongs_to_one_file(db: Database, new_job: Make) -> None:
    one, two = saving(db, new_job, "1.png", "2.png")
    assert job_files.plan_file(db, one, "/o/1.png")
    assert job_files.plan_file(db, one, "/o/1.png")
    assert not job_files.plan_file(db, two, "/o/1.png")
    assert job_files.plan_file(db, one, "/o/1 (2).png")
    assert [file.path for file in job_files.missing(db, "a")] == ["/o/1 (2).png", None]
    outputs.add(db, saved_output("/o/2.png"), Identity("p", "output", "", "other.png", "e"))
    assert not job_files.plan_file(db, two, "/o/2.png"), "an output lies there, or did"


def test_the_end_of_a_job_plans_the_places_that_are_nobodys(db: Database, new_job: Make) -> None:
    new_job()
    outputs.add(db, saved_output("/o/taken.png"), Identity("p", "output", "", "other.png", "e"))
    outputs.add(db, saved_output("/o/rerun.png"), Identity("p", "output", "", "again.png", "e"))
    jobs.begin_sending(db, ["a"], "p", 1.0)
    wanted = [("new.png", "/o/new.png"), ("x.png", "/o/taken.png"), ("y.png", "/o/new.png"), ("again.png", "/o/2.png")]
    files = [JobFile("a", number, "output", "", *names) for number, names in enumerate(wanted)]
    job_files.begin_saving(db, "a", files, 2.0, began=1.5)
    job = jobs.get(db, "a")
    assert job is not None
    assert (job.state, job.started) == (S.SAVING, 1.5)
    assert [file.path for file in job_files.missing(db, "a")] == ["/o/new.png", None, None, None], (
        "an output's, a file's, a rerun's"
    )


def test_a_place_that_a_fetch_from_a_pod_waits_for_is_no_jobs(db: Database, new_job: Make) -> None:
    wanted = pod_fetches.Wanted("other", "output", "", "1.png")
    pod_fetches.want(db, [wanted], None, None)
    assert pod_fetches.plan(db, wanted, "/o/1.png")
    new_job()
    jobs.begin_sending(db, ["a"], "p", 1.0)
    job_files.begin_saving(db, "a", [JobFile("a", 0, "output", "", "1.png", "/o/1.png")], 2.0)
    (file,) = job_files.missing(db, "a")
    assert file.path is None
    assert not job_files.plan_file(db, file, "/o/1.png")
    assert job_files.plan_file(db, file, "/o/1 (2).png")


def test_how_the_rest_of_a_job_stands(db: Database, new_job: Make) -> None:
    one, two = saving(db, new_job, "1.png", "2.png")
    assert job_files.outlook(db, "a") == (2, False, None)
    job_files.file_lost(db, two, "404")
    assert job_files.outlook(db, "a") == (1, True, None)
    output, _ = outputs.add(db, saved_output("/o/1.png"), Identity("p", "output", "sub", "1.png", "e"))
    job_files.file_added(db, one, output.id)
    assert job_files.outlook(db, "a") == (0, True, None)


def test_two_jobs_with_one_file_both_have_it(db: Database, new_job: Make) -> None:
    (file,) = saving(db, new_job, "1.png")
    output, _ = outputs.add(db, saved_output("/o/1.png"), Identity("p", "output", "sub", "1.png", "e"))
    job_files.file_saved(db, file, output.id)
    new_job("b")
    jobs.transition(db, "b", S.SENDING, 1.0)
    job_files.begin_saving(db, "b", (JobFile("b", 0, "output", "sub", "1.png"),), 2.0)
    job_files.file_saved(db, job_files.missing(db, "b")[0], output.id)
    assert [job.outputs for job in jobs.many(db, ["a", "b"])] == [("/o/1.png",)] * 2
