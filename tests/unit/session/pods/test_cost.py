"""What this session has cost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfydesk.session.pods.cost import CostMeter


def test_price_times_time() -> None:
    meter = CostMeter().observe(0, charged=True, rate=0.60)
    for minute in range(1, 61):
        meter = meter.observe(minute * 60, charged=True, rate=0.60)
    assert meter.spent == pytest.approx(0.60)
    assert meter.total(3600 + 1800) == pytest.approx(0.90)
    assert meter.words(3600) == "$0.60/h · $0.60 this session"


def test_a_stopped_pod_costs_nothing_more() -> None:
    meter = CostMeter().observe(0, charged=True, rate=0.60).observe(600, charged=False, rate=0.60)
    assert meter.total(999_999) == pytest.approx(0.10)
    assert meter.words(999_999) == "$0.10 this session"


def test_a_new_price_counts_from_when_it_was_seen() -> None:
    meter = CostMeter().observe(0, charged=True, rate=1.0).observe(360, charged=True, rate=2.0)
    assert meter.total(720) == pytest.approx(0.30)


def test_a_night_asleep_with_the_pod_running_is_paid_for() -> None:
    meter = CostMeter().observe(0, charged=True, rate=0.5).observe(8 * 3600, charged=True, rate=0.5, uptime=9 * 3600)
    assert meter.spent == pytest.approx(4.0)
    assert not meter.partial


def test_what_nobody_saw_is_left_out_and_said() -> None:
    begun = CostMeter().observe(0, charged=True, rate=0.5)
    stopped = begun.observe(8 * 3600, charged=False, rate=None)
    assert (stopped.spent, stopped.partial) == (0, True)
    restarted = begun.observe(8 * 3600, charged=True, rate=0.5, uptime=3600)
    assert restarted.spent == pytest.approx(0.5)
    assert restarted.words(8 * 3600) == "$0.50/h · over $0.50 this session"


def test_without_a_price_nothing_is_claimed() -> None:
    meter = CostMeter().observe(0, charged=True, rate=None).observe(60, charged=True, rate=None)
    assert (meter.words(60), meter.partial) == ("", True)
    assert CostMeter().words(0) == ""


@given(
    st.lists(st.tuples(st.floats(0, 1e9), st.booleans(), st.none() | st.floats(0, 100), st.none() | st.floats(0, 1e6)))
)
def test_it_never_falls_and_never_exceeds_the_highest_price(
    seen: list[tuple[float, bool, float | None, float | None]],
) -> None:
    meter = CostMeter()
    highest, first, last, spent = 0.0, None, 0.0, 0.0
    for at, charged, rate, uptime in seen:
        meter = meter.observe(at, charged=charged, rate=rate, uptime=uptime)
        first = at if first is None else first
        last, highest = max(last, at), max(highest, rate or 0)
        assert meter.spent >= spent
        spent = meter.spent
        assert meter.spent <= highest * (last - first) / 3600 * 1.000001 + 1e-9
