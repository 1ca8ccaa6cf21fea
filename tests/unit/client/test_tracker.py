"""From events to progress: whatever arrives, a job's bar never falls and its end is the pod's last word."""

import json
import random
import tracemalloc
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comfydesk import events
from comfydesk.client.protocol import ProtocolError, decode
from comfydesk.client.remote import RemoteFile, RemoteJob
from comfydesk.client.tracker import MAX_ENDED, Tracker, weights_of
from comfydesk.events import JobProgress, NodeState, PodEvent, RunState
from tests.unit.client.conftest import Traffic

P = "0c120cbd-7d36-4f97-bc1c-0a52820ffa14"


def following(nodes: str = "123", prompt_id: str = P) -> Tracker:
    tracker = Tracker()
    tracker.expect(prompt_id, nodes)
    return tracker


def feed(tracker: Tracker, *stream: PodEvent) -> JobProgress:
    for event in stream:
        tracker.feed(event)
    progress = tracker.progress(P)
    assert progress is not None
    return progress


def replay(traffic: Traffic, scenario: str, connection: str = "A") -> tuple[Tracker, str, list[JobProgress]]:
    run = traffic.scenario(scenario)
    posted = run.posted()
    tracker, seen = Tracker(), list[JobProgress]()
    tracker.expect(posted["prompt_id"], weights_of(posted["prompt"]))
    for frame in run.frames(connection):
        seen += tracker.feed(decode(frame))
    return tracker, posted["prompt_id"], seen


# --- As recorded --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scenario", "connection", "state"),
    [
        ("success_with_metadata_previews", "A", RunState.SUCCEEDED),
        ("cached_same_prompt_again", "A", RunState.SUCCEEDED),
        ("partially_cached", "A", RunState.SUCCEEDED),
        ("success_legacy_previews_noflags", "B_noflags", RunState.SUCCEEDED),
        ("execution_error", "A", RunState.FAILED),
        ("execution_error_oom", "A", RunState.FAILED),
        ("interrupted", "A", RunState.INTERRUPTED),
        ("reconnect_same_clientId_midrun", "A2", RunState.SUCCEEDED),
    ],
)
def test_recorded_runs_end_as_they_did(traffic: Traffic, scenario: str, connection: str, state: RunState) -> None:
    _, _, seen = replay(traffic, scenario, connection)
    assert [progress.state for progress in seen if progress.state.ended] == [state]
    assert seen[-1].state is state
    fractions = [progress.fraction for progress in seen]
    assert fractions == sorted(fractions)
    assert (fractions[-1] == 1) == (state is RunState.SUCCEEDED)


def test_a_recorded_run_shows_every_step_and_collects_its_files(traffic: Traffic) -> None:
    tracker, prompt_id, seen = replay(traffic, "success_with_metadata_previews")
    assert ("1", 2, 3) in [(progress.node, progress.value, progress.maximum) for progress in seen]
    assert [file.filename for file in tracker.outputs(prompt_id) if file.type == "output"] == ["ws_00001_.png"]
    assert tracker.outputs(prompt_id)[-1] == RemoteFile("ws_00001_.png", "oracle", "output", "4")
    assert tracker.texts(prompt_id) == ('grüße\n"quoted" 日本',)
    assert seen[-1].done_nodes == {"1", "2", "3", "4"}


def test_a_recorded_error_is_kept(traffic: Traffic) -> None:
    tracker, prompt_id, _ = replay(traffic, "execution_error")
    failure = tracker.failure(prompt_id)
    assert failure is not None
    assert failure.node == "5"


# --- The rules ----------------------------------------------------------------------------------------------------


def test_what_is_expected_waits() -> None:
    assert Tracker().expect(P, ["1", "2"]) == JobProgress(P, RunState.PENDING, total_nodes=2)


def test_cached_nodes_count_as_done() -> None:
    progress = feed(following("1234"), events.ExecutionCached(P, ("1", "2")))
    assert (progress.fraction, progress.done_nodes) == (0.5, frozenset("12"))


def test_a_snapshot_heals_a_gap() -> None:
    tracker = following("1234")
    feed(tracker, events.ExecutionStarted(P), events.NodeExecuting(P, "1"))
    progress = feed(
        tracker,
        events.GraphProgress(
            P, (NodeState("1", "finished", 1, 1), NodeState("2", "finished", 1, 1), NodeState("3", "running", 5, 10))
        ),
    )
    assert progress.done_nodes == {"1", "2"}
    assert (progress.node, progress.value, progress.maximum, progress.fraction) == ("3", 5, 10, 0.625)


def test_servers_without_snapshots_are_followed_node_by_node() -> None:
    progress = feed(
        following(), events.NodeExecuting(P, "1"), events.NodeExecuting(P, "2"), events.StepProgress(P, "2", 1, 2)
    )
    assert (progress.done_nodes, progress.fraction) == (frozenset("1"), 0.5)


def test_the_bar_never_falls() -> None:
    tracker = following("1")
    assert feed(tracker, events.StepProgress(P, "1", 9, 10)).fraction == 0.9
    progress = feed(tracker, events.StepProgress(P, "1", 1, 10))
    assert (progress.value, progress.fraction) == (1, 0.9)


def test_sampling_is_most_of_a_job() -> None:
    graph = {
        "1": {"class_type": "CheckpointLoaderSimple", "inputs": {}},
        "2": {"class_type": "CLIPTextEncode", "inputs": {}},
        "3": {"class_type": "KSampler", "inputs": {"steps": 30, "latent_image": ["4", 0]}},
        "4": {"class_type": "EmptyLatentImage", "inputs": {}},
        "5": {"class_type": "KSamplerSelect", "inputs": {"sampler_name": "euler"}},
    }
    weights = weights_of(graph)
    assert weights["3"] == 30
    assert weights["5"] == 1
    tracker = Tracker()
    tracker.expect(P, weights)
    assert feed(tracker, events.ExecutionCached(P, ("1", "2", "4", "5"))).fraction < 0.2


@pytest.mark.parametrize("graph", [{}, {"1": None}, {"1": {}}, {"1": {"class_type": 3, "inputs": []}}])
def test_weights_take_any_graph(graph: dict[str, Any]) -> None:
    assert all(weight >= 1 for weight in weights_of(graph).values())


def test_an_execution_blocked_is_not_the_end() -> None:
    tracker = following()
    blocked = events.ExecutionFailed(P, "2", "Switch", "ExecutionBlocked", "blocked")
    assert feed(tracker, events.ExecutionStarted(P), blocked).state is RunState.RUNNING
    assert feed(tracker, events.ExecutionSucceeded(P)).state is RunState.SUCCEEDED


def test_executing_nothing_is_the_end() -> None:
    assert feed(following(), events.NodeExecuting(P, None)).state is RunState.SUCCEEDED


def test_after_an_error_executing_nothing_changes_nothing() -> None:
    tracker = following()
    feed(tracker, events.ExecutionFailed(P, "2", "X", "ValueError", "boom"))
    assert feed(tracker, events.NodeExecuting(P, None), events.ExecutionStarted(P)).state is RunState.FAILED


def test_a_reconnects_message_finds_the_prompt_that_runs() -> None:
    tracker = following()
    tracker.expect("other", ["9"])
    feed(tracker, events.ExecutionStarted(P))
    assert feed(tracker, events.NodeExecuting(None, "3")).node == "3"


def test_a_reconnects_message_is_ignored_when_it_could_be_anyones() -> None:
    tracker = following()
    tracker.expect("other", "123")
    progress = feed(tracker, events.NodeExecuting(None, "3"), events.NodeExecuting(None, None))
    assert progress.state is RunState.PENDING


def test_words_of_a_node_belong_to_the_job_that_runs() -> None:
    tracker = following()
    assert (
        feed(tracker, events.ExecutionStarted(P), events.ProgressText("1", "loading\x1b[31m 3/9\n")).text
        == "loading[31m 3/9"
    )
    assert feed(tracker, events.NodeExecuting(P, "2")).text == ""


def test_strangers_change_nothing() -> None:
    tracker = following()
    assert tracker.feed(events.ExecutionStarted("somebody else's")) == ()
    assert tracker.feed(events.PreviewFrame("jpeg", b"x", P, "1")) == ()
    assert tracker.feed(events.QueueStatus(3)) == ()
    assert tracker.progress("somebody else's") is None
    assert tracker.outputs("somebody else's") == ()


def test_only_changes_are_told() -> None:
    tracker = following()
    assert len(tracker.feed(events.StepProgress(P, "1", 1, 2))) == 1
    assert tracker.feed(events.StepProgress(P, "1", 1, 2)) == ()


def test_outputs_may_be_null_and_come_once() -> None:
    tracker = following()
    image = {"images": [{"filename": "a.png", "subfolder": "", "type": "output"}]}
    feed(tracker, *(events.NodeExecuted(P, "1", None, output) for output in (None, image, image)))
    assert tracker.outputs(P) == (RemoteFile("a.png", "", "output", "1"),)


def test_what_the_pod_says_over_http_stands() -> None:
    tracker = following()
    feed(tracker, events.NodeExecuting(P, None))
    (progress,) = tracker.apply_remote(RemoteJob(P, RunState.FAILED))
    assert progress.state is RunState.FAILED
    # The queue is read a moment before the end: an old answer does not bring a job back.
    assert tracker.apply_remote(RemoteJob(P, RunState.RUNNING)) == ()


def test_http_brings_a_waiting_job_to_life_and_fills_its_outputs() -> None:
    tracker = following()
    assert tracker.apply_remote(RemoteJob(P, RunState.RUNNING))[0].state is RunState.RUNNING
    assert tracker.apply_remote(RemoteJob(P, RunState.PENDING)) == ()
    tracker.apply_remote(RemoteJob(P, RunState.SUCCEEDED, (RemoteFile("a.png"),), ("hi",)))
    assert (tracker.outputs(P), tracker.texts(P)) == ((RemoteFile("a.png"),), ("hi",))
    assert tracker.apply_remote(RemoteJob("unknown", RunState.RUNNING)) == ()


def test_expecting_twice_keeps_what_is_known() -> None:
    tracker = following()
    feed(tracker, events.ExecutionCached(P, ("1",)))
    assert tracker.expect(P, "123").done_nodes == {"1"}
    tracker.forget(P)
    assert tracker.progress(P) is None


# --- Whatever comes -----------------------------------------------------------------------------------------------


def test_any_order_of_a_recorded_run_ends_well(traffic: Traffic) -> None:
    run = traffic.scenario("partially_cached")
    posted, frames = run.posted(), [decode(frame) for frame in run.frames("A")]
    for seed in range(50):
        shuffled = frames.copy()
        random.Random(seed).shuffle(shuffled)
        tracker = Tracker()
        tracker.expect(posted["prompt_id"], posted["prompt"].keys())
        seen = [progress for event in shuffled for progress in tracker.feed(event)]
        fractions = [progress.fraction for progress in seen]
        assert fractions == sorted(fractions)
        assert seen[-1].state is RunState.SUCCEEDED


ids = st.sampled_from(["1", "2", "3", "9", "1.0.0.4", "x"])
prompts = st.sampled_from([P, "other"])
numbers = st.floats(allow_nan=True) | st.integers()
stream_events = st.one_of(
    st.builds(events.ExecutionStarted, prompts),
    st.builds(events.ExecutionCached, prompts, st.lists(ids).map(tuple)),
    st.builds(events.NodeExecuting, prompts | st.none(), ids | st.none()),
    st.builds(events.StepProgress, prompts | st.none(), ids | st.none(), st.integers(-5, 50), st.integers(-5, 50)),
    st.builds(
        events.GraphProgress,
        prompts,
        st.lists(
            st.builds(
                NodeState, ids, st.sampled_from(["running", "finished", "error", "?"]), st.just(1.0), st.just(2.0)
            )
        ).map(tuple),
    ),
    st.builds(
        events.NodeExecuted,
        prompts,
        ids,
        st.none(),
        st.none() | st.dictionaries(st.sampled_from(["images", "text", "animated"]), st.lists(st.text() | st.none())),
    ),
    st.builds(events.ExecutionSucceeded, prompts),
    st.builds(events.ExecutionInterrupted, prompts, ids, st.none()),
    st.builds(
        events.ExecutionFailed, prompts, ids, st.none(), st.sampled_from(["ExecutionBlocked", "E"]), st.just("m")
    ),
    st.builds(events.ProgressText, ids, st.text()),
    st.builds(events.UnknownMessage, st.just("x")),
)


@settings(max_examples=300)
@given(st.lists(stream_events, max_size=30))
def test_no_stream_whatever_breaks_a_promise(stream: list[PodEvent]) -> None:
    tracker = following()
    last = tracker.progress(P)
    assert last is not None
    for event in stream:
        for progress in tracker.feed(event):
            if progress.prompt_id != P:
                continue
            assert last.fraction <= progress.fraction <= 1
            assert not last.state.ended
            assert progress.done_nodes <= {"1", "2", "3"}
            assert progress.maximum >= 0
            last = progress


def test_memory_is_bounded_by_what_was_expected_not_by_what_comes() -> None:
    tracker = following()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for i in range(200):
            names = [f"node {i} {j}" for j in range(100)]
            tracker.feed(events.ExecutionStarted(f"prompt {i}"))
            tracker.feed(events.GraphProgress(P, tuple(NodeState(name, "running", 1, 2) for name in names)))
            tracker.feed(events.ExecutionCached(P, tuple(names)))
            files = [{"filename": f"{name}.png"} for name in names]
            tracker.feed(events.NodeExecuted(P, "1", None, {"images": files, "text": names}))
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert grown < 5_000_000
    assert len(tracker.outputs(P)) == 10_000
    assert len(tracker.texts(P)) == 1_000


def test_ended_prompts_are_forgotten_in_the_end() -> None:
    tracker = following()
    for i in range(MAX_ENDED + 50):
        tracker.expect(f"prompt {i}")
        tracker.feed(events.ExecutionSucceeded(f"prompt {i}"))
    assert tracker.progress("prompt 0") is None
    assert tracker.progress(P) is not None


@given(st.binary(max_size=80) | st.text(max_size=80))
def test_bytes_to_progress_raises_nothing_else(frame: str | bytes) -> None:
    tracker = following()
    with suppress(ProtocolError):
        tracker.feed(decode(frame))


def test_json_of_a_recorded_frame_with_any_field_replaced(traffic: Traffic) -> None:
    """Hostile types, systematically: every field of every kind of frame becomes every JSON type."""
    hostile_values: list[Any] = [None, True, -1, 1e308, 10**400, "", "x", [], [[]], {}, {"a": {}}]
    samples: dict[str, dict[str, Any]] = {}
    for frame in traffic.frames():
        if isinstance(frame, str):
            message = json.loads(frame)
            samples.setdefault(message["type"], message)
    assert len(samples) >= 10
    for message in samples.values():
        for key in message["data"]:
            for value in hostile_values:
                hostile = {**message, "data": {**message["data"], key: value}}
                tracker = following(prompt_id=str(message["data"].get("prompt_id", P)))
                with suppress(ProtocolError):
                    tracker.feed(decode(json.dumps(hostile)))
