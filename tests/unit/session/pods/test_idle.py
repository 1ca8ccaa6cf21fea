"""The idle guard: it stops a forgotten pod, and never one that somebody needs."""

from dataclasses import replace
from typing import Any, cast

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from comfydesk.session.pods.idle import (
    FRESH,
    KEEP,
    MAX_GAP,
    STOP_PATIENCE,
    Busy,
    Countdown,
    IdlePolicy,
    IdleState,
    Kept,
    Observation,
    Off,
    Quiet,
    Step,
    Stopping,
    cancel,
    describe,
    keep,
    objection,
    step,
    stop_failed,
)

POLICY = IdlePolicy(minutes=10, countdown=300)
START = 1_800_000_000.0
WINDOW = 10 * 60 + 300


def quiet(at: float, **changes: Any) -> Observation:
    """A pod that nobody needs, as seen `at` seconds after START."""
    now = START + at
    seen = Observation(
        at=now,
        running=True,
        online=True,
        server_queue=0,
        queue_read=now,
        open_jobs=0,
        unknown_jobs=0,
        downloads=0,
        activity=START - 1000,
    )
    return replace(seen, **changes)


def watch(state: IdleState, begin: int, end: int, every: int = 10, **changes: Any) -> IdleState:
    """The state after watching a quiet pod from `begin` to `end`; a stop on the way fails."""
    for at in range(begin, end + 1, every):
        result = step(state, POLICY, quiet(at, **changes))
        assert not result.stop
        state = result.state
    return state


def test_a_forgotten_pod_is_stopped_after_the_minutes_and_the_countdown() -> None:
    state = watch(Off(), 0, 590)
    assert state == Quiet(START + 590, START)
    state = watch(state, 600, 890)
    assert state == Countdown(START + 890, START, START + 900)
    assert step(state, POLICY, quiet(900)) == Step(Stopping(START + 900, START + 900), stop=True)


def test_stop_is_said_once() -> None:
    state = step(watch(Off(), 0, 890), POLICY, quiet(900)).state
    assert not step(state, POLICY, quiet(910)).stop
    assert step(state, POLICY, quiet(920, running=False)) == Step(Off())


def test_a_stop_without_effect_starts_the_minutes_anew() -> None:
    state = step(watch(Off(), 0, 890), POLICY, quiet(900)).state
    failed = stop_failed(state, START + 905)
    assert isinstance(failed, Busy)
    assert step(failed, POLICY, quiet(910)) == Step(Quiet(START + 910, START + 910))
    late = int(900 + STOP_PATIENCE)
    assert step(state, POLICY, quiet(late)) == Step(Quiet(START + late, START + late))


OBJECTIONS = [
    ({"server_queue": 1}, "1 in its queue"),
    ({"server_queue": None}, "its queue is not known"),
    ({"queue_read": START - 10_000}, "its queue is not known"),
    ({"queue_read": START + 10_000}, "its queue is not known"),
    ({"online": False}, "there is no connection to it"),
    ({"open_jobs": 2}, "2 jobs are open"),
    ({"unknown_jobs": 1}, "a job's state is unknown"),
    ({"downloads": 3}, "3 results are not here yet"),
]


@pytest.mark.parametrize(("changes", "why"), OBJECTIONS)
def test_each_objection_ends_quiet_and_countdown(changes: dict[str, Any], why: str) -> None:
    assert objection(quiet(0, **changes)) == why
    for before in (watch(Off(), 0, 300), watch(Off(), 0, 800)):
        at = 300 if isinstance(before, Quiet) else 800
        assert step(before, POLICY, quiet(at + 10, **changes)).state == Busy(START + at + 10, why)


@pytest.mark.parametrize(("changes", "why"), OBJECTIONS)
def test_no_objection_is_outlasted(changes: dict[str, Any], why: str) -> None:
    assert watch(Off(), 0, 3 * WINDOW, 30, **changes) == Busy(START + 3 * WINDOW, why)


def test_quiet_begins_anew_after_an_objection() -> None:
    state = watch(Off(), 0, 890)
    state = step(state, POLICY, quiet(895, server_queue=1)).state
    assert isinstance(watch(state, 900, 1490), Quiet)
    assert isinstance(watch(state, 900, 1500), Countdown)


def test_the_users_activity_ends_the_countdown() -> None:
    state = watch(Off(), 0, 800)
    assert isinstance(state, Countdown)
    seen = quiet(810, activity=START + 805)
    assert step(state, POLICY, seen) == Step(Quiet(START + 810, START + 805))


def test_activity_counts_from_when_it_was() -> None:
    state = watch(Off(), 0, 1200, activity=START + 1150)
    assert isinstance(state, Quiet)


def test_a_computer_that_slept_through_the_countdown_does_not_stop_the_pod() -> None:
    state = watch(Off(), 0, 800)
    awake = 800 + 8 * 3600
    assert step(state, POLICY, quiet(awake)) == Step(Quiet(START + awake, START + awake))


def test_a_clock_that_was_set_back_starts_the_minutes_anew() -> None:
    state = watch(Off(), 0, 800)
    assert step(state, POLICY, quiet(500)) == Step(Quiet(START + 500, START + 500))
    assert step(state, POLICY, quiet(810, activity=START + 9999)) == Step(Quiet(START + 810, START + 810))


def test_cancel_starts_the_minutes_anew() -> None:
    state = cancel(watch(Off(), 0, 800), START + 805)
    assert state == Quiet(START + 805, START + 805)
    assert isinstance(watch(state, 810, 1400), Quiet)
    busy = Busy(START, "x")
    assert cancel(busy, START) == busy


def test_keep_running_holds_for_an_hour_and_then_counts_down_again() -> None:
    state = keep(watch(Off(), 0, 800), START + 805)
    assert state == Kept(START + 805, START + 805 + KEEP, START)
    state = watch(state, 810, 4400)
    assert isinstance(state, Kept)
    state = step(state, POLICY, quiet(4410)).state
    assert state == Countdown(START + 4410, START, START + 4710)


def test_keep_running_survives_a_restart_and_work() -> None:
    state = keep(watch(Off(), 0, 800), START + 805)
    state = step(state, POLICY, quiet(810, running=False)).state
    state = step(state, POLICY, quiet(820, server_queue=3)).state
    assert state == Kept(START + 820, START + 805 + KEEP, None)
    state = watch(state, 830, 4400)
    assert isinstance(state, Kept)


def test_keep_cannot_call_back_a_stop() -> None:
    stopping = Stopping(START, START)
    assert keep(stopping, START + 1) == stopping


def test_never_is_never() -> None:
    state: IdleState = Off()
    for at in range(0, 100_000, 60):
        result = step(state, IdlePolicy(None), quiet(at))
        assert result == Step(Off())


def test_turning_the_guard_off_ends_the_countdown() -> None:
    assert step(watch(Off(), 0, 800), IdlePolicy(None), quiet(810)) == Step(Off())


def test_words() -> None:
    now = START
    assert describe(Countdown(now, now, now + 300), "studio-4090", 0.69, now) == (
        "Pod studio-4090 stops in 5 min ($0.69/h). Keep it running?"
    )
    assert describe(Countdown(now, now, now + 39.2), "a", None, now) == "Pod a stops in 40 s. Keep it running?"
    assert describe(Kept(now, now + 3600, None), "a", 0.5, now) == "Pod a is kept running for 60 min ($0.50/h)"
    assert describe(Quiet(now, now - 120), "a", None, now) == "Pod a has been idle for 2 min"
    assert describe(Stopping(now, now), "a", None, now) == "Pod a is being stopped"
    assert describe(Busy(now, "x"), "a", None, now) == ""
    assert describe(Off(), "a", None, now) == ""


class Guarded(RuleBasedStateMachine):
    """Anything may happen in any order; whenever the guard says stop, its whole history must have allowed it."""

    @initialize()
    def begin(self) -> None:
        self.now = START
        self.state: IdleState = Off()
        self.pod = quiet(0)
        self.policy = POLICY
        self.history: list[Observation] = []
        self.kept_until = 0.0
        self.asked = 0.0
        """When the user last cancelled."""
        self.countdown_shown: float | None = None
        self.stopped = False

    @rule(seconds=st.sampled_from([1, 5, 15, 30, 60, 60, 60, 89]), times=st.integers(1, 40))
    def time_passes(self, seconds: int, times: int) -> None:
        for _ in range(times):
            self.now += seconds
            self.observe()

    @rule(
        minutes=st.integers(0, 16),
        blip=st.sampled_from([*(changes for changes, _ in OBJECTIONS), {"running": False}, {}]),
        activity=st.booleans(),
        said=st.sampled_from(["", "keep", "cancel", "stop failed"]),
        lasting=st.booleans(),
        after=st.integers(0, 75),
    )
    def something_happens_while_it_waits(
        self, minutes: int, blip: dict[str, Any], activity: bool, said: str, lasting: bool, after: int
    ) -> None:
        """What random steps seldom hit: one disturbance in the middle of an almost finished wait."""
        self.all_work_ends()
        self.time_passes(60, minutes)
        calm = self.pod
        if activity:
            self.the_user_does_something()
        {"": lambda: None, "keep": self.the_user_keeps_it, "cancel": self.the_user_cancels}.get(
            said, self.the_stop_fails
        )()
        self.now += 10
        stale = {"queue_read": self.now - 1000} if "queue_read" in blip else {}
        self.pod = replace(self.pod, **{key: value for key, value in blip.items() if key != "queue_read"})
        self.observe(**stale)
        if not lasting:
            self.pod = replace(calm, activity=self.pod.activity)
        self.time_passes(60, after)

    @rule(seconds=st.sampled_from([91, 600, 30_000]))
    def the_computer_sleeps(self, seconds: int) -> None:
        self.now += seconds
        self.observe()

    @rule(seconds=st.integers(1, 2000))
    def the_clock_is_set_back(self, seconds: int) -> None:
        self.now -= seconds
        # What was shown and agreed before is on another clock.
        self.history.clear()
        self.countdown_shown = None
        self.asked = self.now
        if not isinstance(self.state, Kept):
            self.kept_until = 0.0  # its hour was over by the clock of then
        self.observe()

    @rule(
        name=st.sampled_from(["server_queue", "open_jobs", "unknown_jobs", "downloads"]),
        count=st.sampled_from([0, 0, 0, 1, 7]),
    )
    def work_changes(self, name: str, count: int) -> None:
        self.pod = replace(self.pod, **cast("dict[str, Any]", {name: count}))

    @rule()
    def all_work_ends(self) -> None:
        self.pod = replace(
            self.pod, server_queue=0, open_jobs=0, unknown_jobs=0, downloads=0, online=True, running=True
        )

    @rule(online=st.booleans())
    def the_link_changes(self, online: bool) -> None:
        self.pod = replace(self.pod, online=online)

    @rule(known=st.booleans())
    def the_queue_is_known_or_not(self, known: bool) -> None:
        self.pod = replace(self.pod, server_queue=0 if known else None)

    @rule()
    def the_user_does_something(self) -> None:
        self.pod = replace(self.pod, activity=self.now)

    @rule()
    def the_user_keeps_it(self) -> None:
        if not isinstance(self.state, Stopping):
            self.kept_until = self.now + KEEP
        self.state = keep(self.state, self.now)

    @rule()
    def the_user_cancels(self) -> None:
        if isinstance(self.state, Countdown):
            self.asked = self.now
        self.state = cancel(self.state, self.now)

    @rule()
    def the_stop_fails(self) -> None:
        self.state = stop_failed(self.state, self.now)

    @rule(running=st.booleans())
    def the_pod_runs_or_not(self, running: bool) -> None:
        self.pod = replace(self.pod, running=running)

    def observe(self, **changes: Any) -> None:
        seen = replace(self.pod, **({"at": self.now, "queue_read": self.now} | changes))
        self.history.append(seen)
        result = step(self.state, self.policy, seen)
        if result.stop:
            self.check_the_stop()
        if isinstance(result.state, Countdown):
            if not isinstance(self.state, Countdown):
                self.countdown_shown = self.now
        else:
            self.countdown_shown = None
        self.state = result.state

    def check_the_stop(self) -> None:
        """Independent of how the guard counts: the history itself has to allow it."""
        assert self.countdown_shown is not None, "nobody was warned"
        assert self.now - self.countdown_shown >= 300, "the countdown was cut short"
        assert self.now >= self.kept_until, "the user wanted it to run"
        assert self.now - self.asked >= WINDOW, "the user cancelled"
        later = self.now
        for seen in reversed(self.history):
            assert seen.running
            assert seen.online
            assert 0 <= seen.at - seen.queue_read <= FRESH, "the queue was not looked at"
            assert (seen.server_queue, seen.open_jobs, seen.unknown_jobs, seen.downloads) == (0, 0, 0, 0)
            assert later - seen.at <= MAX_GAP, "nobody watched"
            later = seen.at
            if self.now - later >= WINDOW:
                break
        assert self.now - later >= WINDOW, "it was not watched for long enough"
        assert self.now - self.pod.activity >= WINDOW, "the user was there"

    @invariant()
    def a_countdown_is_never_shown_over_an_objection(self) -> None:
        if isinstance(getattr(self, "state", None), Countdown) and self.history:
            assert objection(self.history[-1]) == ""


Guarded.TestCase.settings = settings(max_examples=50, stateful_step_count=40, deadline=None)
TestGuarded = Guarded.TestCase


def test_the_safety_machine_does_reach_a_stop() -> None:
    """Else it would prove nothing: plain waiting under the same oracle ends in a stop."""
    machine = Guarded()
    machine.begin()
    for _ in range(2):
        machine.time_passes(60, 25)
    assert isinstance(machine.state, Stopping)


def test_a_reading_of_the_queue_grows_old() -> None:
    assert objection(quiet(100, queue_read=START + 100 - FRESH)) == ""
    assert objection(quiet(100, queue_read=START + 99 - FRESH)) == "its queue is not known"
