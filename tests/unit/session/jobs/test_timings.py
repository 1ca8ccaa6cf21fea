import pytest

from comfydesk.events import JobProgress, RunState
from comfydesk.session.jobs.timings import Stopwatch, expected, in_order, shares, signature_of, weights
from comfydesk.store.workflows import Timing

GRAPH = {
    "1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "a"}},
    "2": {"class_type": "KSampler", "inputs": {"model": ["1", 0], "steps": 20, "seed": 1}},
    "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0]}},
}
KNOWN = {"1": Timing(4.0), "2": Timing(10.0, steps=20), "3": Timing(1.0)}


def running(node: str | None, value: float = 0, maximum: float = 0, done: str = "", fraction: float = 0) -> JobProgress:
    return JobProgress("j", RunState.RUNNING, node, value, maximum, frozenset(done), 3, fraction)


def ended() -> JobProgress:
    return JobProgress("j", RunState.SUCCEEDED, done_nodes=frozenset("123"), total_nodes=3, fraction=1)


def test_the_shape_of_a_graph_leaves_out_what_is_set_on_the_form() -> None:
    other = {**GRAPH, "2": {"class_type": "KSampler", "inputs": {"model": ["1", 0], "steps": 8, "seed": 2}}}
    assert signature_of(GRAPH) == signature_of(other)
    rewired = {**GRAPH, "3": {"class_type": "SaveImage", "inputs": {"images": ["1", 0]}}}
    assert signature_of(GRAPH) != signature_of(rewired)


def test_what_was_measured_is_scaled_to_the_steps_asked_for() -> None:
    double = {**GRAPH, "2": {"class_type": "KSampler", "inputs": {"steps": 40}}}
    assert expected(double, KNOWN) == {"1": 4.0, "2": 20.0, "3": 1.0}


def test_weights_are_times_once_they_are_known_and_a_guess_before() -> None:
    assert weights(GRAPH, KNOWN) == {"1": 4.0, "2": 10.0, "3": 1.0}
    guess = weights(GRAPH, {})
    assert set(guess) == set(GRAPH)
    assert min(guess.values()) > 0


def test_nodes_come_after_what_they_need_and_shares_are_of_one() -> None:
    backwards = dict(reversed(GRAPH.items()))
    assert in_order(backwards) == ("1", "2", "3")
    assert shares(backwards, weights(backwards, KNOWN)) == pytest.approx((4 / 15, 10 / 15, 1 / 15))
    assert shares(GRAPH, {}) == ()


def test_a_loop_is_cut_where_it_is_met() -> None:
    loop = {"1": {"inputs": {"a": ["2", 0]}}, "2": {"inputs": {"a": ["1", 0]}}}
    assert set(in_order(loop)) == {"1", "2"}


def test_each_node_is_measured_from_its_start_to_the_next() -> None:
    watch = Stopwatch(GRAPH, {})
    for progress, now in ((running("1"), 100.0), (running("2", 1, 20), 104.0), (running("3"), 114.0), (ended(), 115.0)):
        watch.feed(progress, now)
    assert watch.measured() == KNOWN


def test_cached_nodes_are_not_measured() -> None:
    watch = Stopwatch(GRAPH, {})
    watch.feed(running("2", done="1"), 0.0)
    watch.feed(ended(), 5.0)
    assert set(watch.measured()) == {"2"}


def test_on_the_second_run_the_time_to_go_is_known_from_the_start() -> None:
    watch = Stopwatch(GRAPH, KNOWN)
    assert watch.remaining(0.0) == 15.0
    watch.feed(running("1"), 0.0)
    assert watch.remaining(1.0) == pytest.approx(14.0)
    watch.feed(running("2", 0, 20, done="1"), 4.0)
    watch.feed(running("2", 10, 20, done="1"), 9.0)
    assert watch.remaining(9.0) == pytest.approx(6.0)
    watch.feed(running("3", done="12"), 14.0)
    assert watch.remaining(14.5) == pytest.approx(0.5)


def test_a_sampler_that_is_slower_today_is_believed_the_more_the_further_it_is() -> None:
    watch = Stopwatch(GRAPH, KNOWN)
    watch.feed(running("2", 0, 20, done="1"), 0.0)
    watch.feed(running("2", 18, 20, done="1"), 18.0)  # a second a step, not half of one
    rest = watch.remaining(18.0)
    assert rest is not None
    assert rest == pytest.approx(0.9 * 2.0 + 1.0)


def test_what_is_cached_does_not_count_any_more() -> None:
    watch = Stopwatch(GRAPH, KNOWN)
    watch.feed(running("3", done="12"), 0.0)
    assert watch.remaining(0.0) == pytest.approx(1.0)


def test_on_the_first_run_it_is_known_once_some_of_it_is_done() -> None:
    watch = Stopwatch(GRAPH, {})
    assert watch.remaining(0.0) is None
    watch.feed(running("2", 0, 20, fraction=0.01), 0.0)
    assert watch.remaining(1.0) is None
    watch.feed(running("2", 5, 20, fraction=0.25), 10.0)
    assert watch.remaining(10.0) == pytest.approx(30.0)
