import pytest

from comfydesk.errors import (
    AnswerTooLargeError,
    AuthError,
    NotComfyError,
    PodError,
    PodStatusError,
    PodUnreachableError,
    StoreError,
)
from comfydesk.session.jobs.attempts import DELAYS, GRACE, MAX_ANSWERED, Ledger


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(clock: Clock) -> Ledger:
    return Ledger(clock)


@pytest.mark.parametrize(
    "error",
    [
        PodUnreachableError("gone"),
        AuthError("who?"),
        StoreError("full"),
        *(PodStatusError(s, "") for s in (401, 429, 503, 524)),
    ],
)
def test_what_says_nothing_about_the_job_never_fails_it(ledger: Ledger, error: PodError) -> None:
    assert not any(ledger.failed("a", error) for _ in range(1000))


def test_the_servers_own_errors_fail_it_in_the_end(ledger: Ledger) -> None:
    for _ in range(MAX_ANSWERED - 1):
        assert not ledger.failed("a", PodStatusError(500, "boom"))
        assert not ledger.failed("a", PodUnreachableError("gone"))
    assert ledger.failed("a", PodStatusError(500, "boom"))


@pytest.mark.parametrize("error", [PodStatusError(413, "too large"), NotComfyError("html"), AnswerTooLargeError("GB")])
def test_a_verdict_about_the_job_fails_it_at_once(ledger: Ledger, error: PodError) -> None:
    assert ledger.failed("a", error)


def test_each_time_it_waits_longer_up_to_a_limit_until_a_pod_is_back(ledger: Ledger) -> None:
    waits = []
    for _ in range(len(DELAYS) + 2):
        ledger.failed("a", PodUnreachableError("gone"))
        waits.append(ledger.wait("a"))
    assert waits == [*DELAYS, DELAYS[-1], DELAYS[-1]] == sorted(waits)
    assert ledger.wait("b") == 0
    ledger.hurry()
    assert ledger.wait("a") == 0
    assert ledger.count("a") == len(waits)


def test_it_holds_up_those_behind_it_for_a_moment_once(ledger: Ledger, clock: Clock) -> None:
    assert ledger.patience("a") == GRACE
    ledger.hinder("a")
    clock.now += GRACE / 2
    ledger.failed("a", PodUnreachableError("gone"))
    assert ledger.patience("a") == GRACE / 2
    clock.now += GRACE
    assert ledger.patience("a") == 0
    ledger.forget("a")
    assert (ledger.patience("a"), ledger.count("a"), ledger.wait("a")) == (GRACE, 0, 0)
