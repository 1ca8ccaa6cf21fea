"""How long a job takes on each pod, from what was measured there and elsewhere."""

import pytest

from comfydesk.session.jobs.prospects import split
from comfydesk.session.jobs.speeds import UNKNOWN_SECONDS, known_seconds, ratio, seconds
from comfydesk.store.workflows import WHOLE, Timing

GRAPH = {"3": {"class_type": "KSampler", "inputs": {"steps": 20}}, "9": {"class_type": "SaveImage", "inputs": {}}}


def test_what_was_measured_on_the_pod_counts_scaled_to_the_steps() -> None:
    measured = {("s", "3"): {"p": Timing(5.0, 10)}, ("s", "9"): {"p": Timing(1.0)}}
    assert known_seconds(GRAPH, "s", measured, ["p"]) == {"p": 11.0}


def test_the_job_as_a_whole_counts_before_the_sum_of_its_nodes() -> None:
    measured = {("s", WHOLE): {"p": Timing(4.0)}, ("s", "3"): {"p": Timing(50.0)}}
    assert known_seconds(GRAPH, "s", measured, ["p"]) == {"p": 4.0}


def test_what_a_pod_never_ran_is_reckoned_from_one_that_did() -> None:
    measured = {
        ("other", WHOLE): {"slow": Timing(8.0), "fast": Timing(2.0)},
        ("s", WHOLE): {"fast": Timing(3.0)},
    }
    assert known_seconds(GRAPH, "s", measured, ["slow", "fast", "new"]) == {"slow": 12.0, "fast": 3.0, "new": 3.0}


def test_of_a_graph_that_nobody_ran_only_the_comparison_is_known() -> None:
    measured = {("other", WHOLE): {"slow": Timing(8.0), "fast": Timing(2.0)}}
    assert known_seconds(GRAPH, "s", measured, ["slow", "fast"]) is None
    guessed = seconds(GRAPH, "s", measured, ["slow", "fast"])
    assert guessed["slow"] == pytest.approx(4 * guessed["fast"])
    assert seconds(GRAPH, "s", {}, ["a", "b"]) == {"a": UNKNOWN_SECONDS, "b": UNKNOWN_SECONDS}


def test_steps_do_not_make_a_pod_slow() -> None:
    measured = {("o", "3"): {"a": Timing(10.0, 20), "b": Timing(5.0, 10)}}
    assert ratio(measured, "a", "b") == 1.0


def test_a_batch_is_split_so_that_all_end_together() -> None:
    until, shares = split(70, {"one": 4.0, "two": 2.0, "four": 1.0})
    assert (round(until, 6), shares) == (40.0, {"one": 10, "two": 20, "four": 40})
    until, shares = split(1, {"one": 4.0, "two": 2.0})
    assert (round(until, 6), shares) == (2.0, {"one": 0, "two": 1})
