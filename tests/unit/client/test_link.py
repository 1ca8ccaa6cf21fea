"""What a link does next, with time and chance given."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfydesk.client.link import Link, LinkState, LinkStatus, Silence, Timing, Wakefulness, retry_delay
from comfydesk.errors import AuthError, NotComfyError, PodError, PodStatusError, PodUnreachableError

GONE = PodUnreachableError("nobody there")
LOGIN = AuthError("who are you")
TIMING = Timing()


def link() -> Link:
    return Link(TIMING, chance=lambda: 0.0)


def test_from_offline_to_online() -> None:
    it = link()
    assert it.status == LinkStatus(LinkState.OFFLINE)
    assert it.connecting().state is LinkState.CONNECTING
    assert it.opened(0).state is LinkState.ONLINE
    assert it.measured(12.5) == LinkStatus(LinkState.ONLINE, latency_ms=12.5)
    assert it.closed() == LinkStatus(LinkState.OFFLINE)


def test_before_the_first_success_it_connects_afterwards_it_reconnects() -> None:
    it = link()
    assert it.lost(GONE, 0).state is LinkState.CONNECTING
    it.opened(1)
    assert it.lost(GONE, 100).state is LinkState.RECONNECTING
    it.closed()
    assert it.lost(GONE, 200).state is LinkState.CONNECTING


def test_a_loss_says_why_and_when_it_is_tried_again() -> None:
    status = link().lost(GONE, 0)
    assert (status.detail, status.retry_in, status.error, status.usable) == ("nobody there.", 0.5, GONE, False)


def test_a_refused_login_is_told_and_tried_again_slowly() -> None:
    it = link()
    status = it.lost(LOGIN, 0)
    assert (status.state, status.retry_in) == (LinkState.AUTH_FAILED, TIMING.retry_slow)
    assert it.connecting().state is LinkState.AUTH_FAILED, "no flicker between attempts"
    assert it.opened(1).state is LinkState.ONLINE


def test_where_http_works_jobs_can_run() -> None:
    status = link().lost(PodStatusError(404, "no websocket"), 0, http_works=True)
    assert status.state is LinkState.DEGRADED
    assert status.usable
    assert "No live progress" in status.detail


@pytest.mark.parametrize("error", [GONE, LOGIN, NotComfyError("x"), *(PodStatusError(s, "x") for s in (404, 502, 524))])
def test_nothing_ends_it_for_good(error: PodError) -> None:
    it = link()
    for i in range(1000):
        status = it.lost(error, i)
        assert status.retry_in is not None
        assert status.retry_in <= 60


def test_delays_double_up_to_the_cap() -> None:
    it = link()
    assert [it.lost(GONE, 0).retry_in for _ in range(8)] == [0.5, 1, 2, 4, 8, 16, 30, 30]


def test_a_connection_that_held_starts_the_delays_over_a_flapping_one_does_not() -> None:
    it = link()
    for _ in range(5):
        it.lost(GONE, 0)
    it.opened(100)
    assert it.lost(GONE, 101).retry_in == 16
    it.opened(200)
    assert it.lost(GONE, 300).retry_in == 0.5


def test_waking_up_starts_the_delays_over() -> None:
    it = link()
    for _ in range(8):
        it.lost(GONE, 0)
    it.hurry()
    assert it.lost(GONE, 0).retry_in == 0.5


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_jitter_takes_off_half_at_most(failures: int, chance: float) -> None:
    longest = retry_delay(failures, GONE, TIMING, 0)
    assert longest / 2 <= retry_delay(failures, GONE, TIMING, chance) <= longest <= TIMING.retry_cap


# --- Deaf or quiet ------------------------------------------------------------------------------------------------


def test_a_queue_that_changed_unheard_twice_gives_a_deaf_socket_away() -> None:
    silence = Silence(TIMING, now=0)
    silence.heard(0, remaining=0)
    assert not silence.is_deaf(31, remaining=1), "a message may be on its way"
    assert silence.is_deaf(41, remaining=1)


def test_silence_with_an_unchanged_queue_is_peace() -> None:
    silence = Silence(TIMING, now=0)
    silence.heard(0, remaining=0)
    assert not any(silence.is_deaf(now, remaining=0) for now in range(31, 100_000, 10))


def test_a_change_within_thirty_seconds_is_waited_for() -> None:
    silence = Silence(TIMING, now=0)
    silence.heard(0, remaining=0)
    assert not silence.is_deaf(15, remaining=1)
    assert not silence.is_deaf(25, remaining=1)
    assert silence.is_deaf(35, remaining=1)


def test_any_message_proves_that_it_hears() -> None:
    silence = Silence(TIMING, now=0)
    silence.heard(0, remaining=0)
    silence.is_deaf(31, remaining=1)
    silence.heard(32)
    assert not silence.is_deaf(40, remaining=1)


def test_a_job_that_says_nothing_for_two_minutes_is_worth_a_new_socket() -> None:
    silence = Silence(TIMING, now=0)
    silence.heard(0, remaining=1)
    assert not silence.is_deaf(119, remaining=1)
    assert silence.is_deaf(120, remaining=1)


def test_nobody_asks_while_it_talks() -> None:
    silence = Silence(TIMING, now=0)
    silence.heard(100)
    assert not silence.due(105)
    assert silence.due(110)


def test_a_submission_that_nobody_tells_us_of_gives_it_away_at_once() -> None:
    silence = Silence(TIMING, now=0)
    assert not silence.is_overdue(1000)
    silence.owed(1000)
    silence.owed(1004)
    assert not silence.is_overdue(1004)
    assert silence.is_overdue(1005)
    silence.heard(1005)
    assert not silence.is_overdue(2000)


# --- Asleep or busy -----------------------------------------------------------------------------------------------


def test_a_clock_that_jumped_means_sleep() -> None:
    awake = Wakefulness(0, 1000)
    assert not awake.slept(5, 1005, expected=5)
    assert awake.slept(10, 4600, expected=5), "the monotonic clock stood still (Linux, macOS)"
    assert awake.slept(3600, 8190, expected=5), "it went on (Windows)"
    assert not awake.slept(3606, 8196, expected=5)
