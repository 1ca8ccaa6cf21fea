"""Frames in, events out. The frames of the happy cases are a real ComfyUI 0.33.0's."""

import json
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comfydesk import events
from comfydesk.client.protocol import ProtocolError, decode, hello
from tests.unit.client.conftest import Traffic


def text(type_: str, data: object) -> str:
    return json.dumps({"type": type_, "data": data})


def test_hello_asks_for_previews_with_metadata() -> None:
    assert json.loads(hello()) == {"type": "feature_flags", "data": {"supports_preview_metadata": True}}


def test_every_recorded_frame_is_an_event_that_we_know(traffic: Traffic) -> None:
    decoded = [decode(frame) for frame in traffic.frames()]
    assert len(decoded) > 300
    assert not [event for event in decoded if isinstance(event, events.UnknownMessage)]
    kinds = {type(event) for event in decoded}
    assert kinds == set(events.PodEvent.__args__) - {events.UnknownMessage}


def test_a_recorded_run_reads_as_it_happened(traffic: Traffic) -> None:
    run = traffic.scenario("success_with_metadata_previews")
    decoded = [decode(frame) for frame in run.frames("A")]
    prompt_id = run.posted()["prompt_id"]
    assert events.ExecutionStarted(prompt_id) in decoded
    assert events.ExecutionCached(prompt_id, ()) in decoded
    assert events.ProgressText("3", 'working: grüße\n"quoted" 日本') in decoded
    assert events.StepProgress(prompt_id, "1", 2, 3) in decoded
    previews = [event for event in decoded if isinstance(event, events.PreviewFrame)]
    assert {(preview.format, preview.prompt_id, preview.node) for preview in previews} == {("jpeg", prompt_id, "1")}
    assert all(preview.data.startswith(b"\xff\xd8\xff\xe0") for preview in previews)
    assert decoded[-1] == events.NodeExecuting(prompt_id, None)


def test_an_error_tells_the_node_and_the_reason(traffic: Traffic) -> None:
    run = traffic.scenario("execution_error")
    error = next(e for e in map(decode, run.frames("A")) if isinstance(e, events.ExecutionFailed))
    assert (error.node, error.node_type, error.exception_type) == ("5", "OracleRaise", "ValueError")
    assert error.message == "boom from OracleRaise\n"
    assert error.traceback
    assert not error.blocked


def test_execution_blocked_is_marked() -> None:
    event = decode(text("execution_error", {"prompt_id": "p", "exception_type": "ExecutionBlocked"}))
    assert isinstance(event, events.ExecutionFailed)
    assert event.blocked


def test_a_reconnect_names_the_node_without_the_prompt() -> None:
    assert decode(text("executing", {"node": "7"})) == events.NodeExecuting(None, "7")


def test_an_output_may_be_null() -> None:
    event = decode(text("executed", {"prompt_id": "p", "node": "1", "output": None}))
    assert event == events.NodeExecuted("p", "1", None, None)


def test_integer_node_ids_of_old_servers_become_strings() -> None:
    assert decode(text("executing", {"node": 7, "prompt_id": "p"})) == events.NodeExecuting("p", "7")


def test_a_custom_nodes_message_is_kept_but_not_understood() -> None:
    assert decode(text("crystools.monitor", {"cpu": 3})) == events.UnknownMessage("crystools.monitor", {"cpu": 3})
    assert decode(struct.pack(">II", 77, 0)) == events.UnknownMessage("binary 77")


def test_numbers_that_are_none_count_as_zero() -> None:
    frame = '{"type": "progress", "data": {"prompt_id": "p", "node": "1", "value": NaN, "max": 1e999}}'
    assert decode(frame) == events.StepProgress("p", "1", 0, 0)
    assert decode(text("progress", {"prompt_id": "p", "node": "1", "value": "3", "max": True})) == events.StepProgress(
        "p", "1", 0, 0
    )


def test_a_preview_shows_the_node_that_a_person_knows() -> None:
    metadata = json.dumps({"node_id": "5.0.0.2", "display_node_id": "5", "prompt_id": "p", "image_type": "image/png"})
    frame = struct.pack(">II", 4, len(metadata)) + metadata.encode() + b"\x89PNG"
    assert decode(frame) == events.PreviewFrame("png", b"\x89PNG", "p", "5")


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "null",
        "[]",
        "{}",
        '{"type": 3}',
        "{" * 5,
        "[" * 100_000,
        '{"type": "status"}',
        text("status", {"status": {}}),
        text("status", {"status": {"exec_info": {"queue_remaining": "many"}}}),
        text("status", {"status": {"exec_info": {"queue_remaining": -1}}}),
        text("status", {"status": {"exec_info": {"queue_remaining": True}}}),
        text("executing", {}),
        text("executing", {"node": ["x"], "prompt_id": "p"}),
        text("executing", {"node": "1", "prompt_id": {}}),
        text("executing", {"node": "n" * 1000, "prompt_id": "p"}),
        text("execution_start", {}),
        text("execution_start", {"prompt_id": None}),
        text("execution_cached", {"prompt_id": "p", "nodes": [None]}),
        text("progress_state", {"prompt_id": "p", "nodes": []}),
        text("executed", {"prompt_id": "p", "output": {}}),
        '{"type": "status", "data": ' + "9" * 5000 + "}",
        b"",
        b"\0\0\0\1",
        struct.pack(">II", 1, 1),
        struct.pack(">II", 1, 9) + b"x",
        struct.pack(">II", 3, 0xFFFFFFFF) + b"1",
        struct.pack(">II", 3, 0) + b"text of nobody",
        struct.pack(">II", 4, 0xFFFFFFFF) + b"{}",
        struct.pack(">II", 4, 2) + b"{}",
        struct.pack(">II", 4, 2) + b"[]x",
        struct.pack(">II", 4, 2) + b"\xff\xffx",
    ],
    ids=lambda frame: repr(frame)[:40],
)
def test_damaged_frames_are_protocol_errors(frame: str | bytes) -> None:
    with pytest.raises(ProtocolError):
        decode(frame)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
known_types = st.sampled_from(
    [
        *("status", "feature_flags", "execution_start", "execution_cached", "executing", "progress"),
        *("progress_state", "executed", "execution_success", "execution_error", "execution_interrupted"),
    ]
)
keys = st.sampled_from(
    ["prompt_id", "node", "nodes", "value", "max", "output", "status", "exec_info", "queue_remaining", "sid", "node_id"]
)
messages = st.builds(
    lambda type_, data: json.dumps({"type": type_, "data": data}),
    known_types,
    json_values | st.dictionaries(keys, json_values | st.just("p"), max_size=8),
)
binaries = st.builds(
    lambda kind, length, rest: struct.pack(">II", kind, length) + rest,
    st.integers(0, 6),
    st.integers(0, 20) | st.integers(0, 2**32 - 1),
    st.binary(max_size=40) | json_values.map(lambda value: json.dumps(value).encode() + b"\xff\xd8"),
)


@settings(max_examples=400)
@given(messages | binaries | st.binary(max_size=60) | st.text(max_size=60) | json_values.map(json.dumps))
def test_any_frame_is_an_event_or_a_protocol_error(frame: str | bytes) -> None:
    try:
        event = decode(frame)
    except ProtocolError:
        return
    assert isinstance(event, events.PodEvent)
