"""Answers about jobs become the same value whichever route told it. The answers are a real ComfyUI 0.33.0's."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfydesk.client import remote
from comfydesk.client.remote import RemoteFile
from comfydesk.errors import NotComfyError
from comfydesk.events import RunState
from tests.unit.client.conftest import Traffic


def history_of(traffic: Traffic, scenario: str) -> tuple[str, Any]:
    line = traffic.scenario(scenario).http("/history/")[0]
    return line["path"].removeprefix("/history/"), json.loads(line["response"])


def test_a_success_has_its_files_texts_and_times(traffic: Traffic) -> None:
    prompt_id, document = history_of(traffic, "success_with_metadata_previews")
    job = remote.job_from_history(prompt_id, document)
    assert job is not None
    assert job.state is RunState.SUCCEEDED
    assert RemoteFile("ws_00001_.png", "oracle", "output", "4") in job.outputs
    assert job.texts == ('grüße\n"quoted" 日本',)
    assert job.error is None
    assert (job.started, job.finished) == (1795355992.886, 1795355993.364)


def test_a_cached_rerun_names_the_same_files(traffic: Traffic) -> None:
    first = remote.job_from_history(*history_of(traffic, "success_with_metadata_previews"))
    again = remote.job_from_history(*history_of(traffic, "cached_same_prompt_again"))
    assert first is not None
    assert again is not None
    assert set(first.outputs) == set(again.outputs)


def test_an_error_says_why(traffic: Traffic) -> None:
    job = remote.job_from_history(*history_of(traffic, "execution_error"))
    assert job is not None
    assert job.error is not None
    assert (job.state, job.error.message, job.error.node) == (RunState.FAILED, "boom from OracleRaise", "5")
    assert [file.type for file in job.outputs] == ["temp"]


def test_an_interrupt_is_no_error(traffic: Traffic) -> None:
    job = remote.job_from_history(*history_of(traffic, "interrupted"))
    assert job is not None
    assert (job.state, job.error) == (RunState.INTERRUPTED, None)


def test_jobs_and_history_agree(traffic: Traffic) -> None:
    misc = traffic.scenario("misc_get")
    line = misc.http("/api/jobs/")[0]
    prompt_id = line["path"].removeprefix("/api/jobs/")
    from_jobs = remote.job_from_api(prompt_id, json.loads(line["response"]))
    from_history = remote.job_from_history(prompt_id, json.loads(misc.http("/history?max")[0]["response"]))
    assert from_jobs == from_history


def test_an_unknown_or_unfinished_job_is_not_in_the_history(traffic: Traffic) -> None:
    prompt_id, document = history_of(traffic, "history_delete")
    assert remote.job_from_history(prompt_id, document) is None


def test_numbers_in_the_queue_can_be_anything() -> None:
    rows = [[10**400, "last"], [float("nan"), "nowhere"], [-(10**400), "first"], [float("inf"), "end"], [0, "middle"]]
    assert remote.queue_ids({"queue_pending": rows}) == ((), ("first", "middle", "last", "end"))


def test_the_queue_tells_what_runs_and_what_waits_in_run_order(traffic: Traffic) -> None:
    posts = traffic.scenario("queue_pending_4_own_id")
    document = json.loads(posts.http("/queue")[0]["response"])
    running, waiting = remote.queue_ids(document)
    assert [remote.job_from_queue(i, document) for i in running] == [remote.RemoteJob(running[0], RunState.RUNNING)]
    numbers = {entry[1]: entry[0] for entry in document["queue_pending"]}
    assert [numbers[i] for i in waiting] == [-11, 10, 12]
    job = remote.job_from_queue(waiting[1], document)
    assert job is not None
    assert job.state is RunState.PENDING
    assert remote.job_from_queue("nobody", document) is None


def test_a_blocked_branch_is_told_beside_the_success() -> None:
    messages = [
        ["execution_error", {"exception_type": "ExecutionBlocked", "exception_message": "no model", "node_id": "4"}],
        ["execution_success", {"timestamp": 2000}],
    ]
    document = {"p": {"outputs": {}, "status": {"status_str": "success", "messages": messages}}}
    job = remote.job_from_history("p", document)
    assert job is not None
    assert (job.state, job.error, job.blocked[0].message) == (RunState.SUCCEEDED, None, "no model")


def test_files_hide_in_many_shapes() -> None:
    outputs = {
        "1": {"images": [{"filename": "clip.mp4", "subfolder": "video", "type": "output"}], "animated": [True]},
        "2": {"gifs": [{"filename": "a.gif"}, {"filename": "a.gif"}], "3d": ["mesh/x.glb", None]},
        "3": {"result": ["sub\\y.obj"], "text": ["words", "z.glb"], "images": [{"filename": ""}, {"filename": 3}, 7]},
    }
    assert remote.output_files(outputs) == (
        RemoteFile("clip.mp4", "video", "output", "1"),
        RemoteFile("a.gif", "", "output", "2"),
        RemoteFile("x.glb", "mesh", "output", "2"),
        RemoteFile("y.obj", "sub", "output", "3"),
        RemoteFile("z.glb", "", "output", "3"),
    )
    assert remote.output_texts(outputs) == ("words", "z.glb")


def test_system_stats_of_something_else_are_not_comfyui() -> None:
    documents: list[Any] = [{}, [], {"system": {}}, {"detail": "Not Found"}, "ok"]
    for document in documents:
        with pytest.raises(NotComfyError):
            remote.system_stats(document)


def test_system_stats_are_read() -> None:
    stats = remote.system_stats(
        {
            "system": {"os": "linux", "ram_total": 64, "comfyui_version": "0.33.0", "python_version": "3.12.3 (main)"},
            "devices": [{"name": "cuda:0 NVIDIA", "type": "cuda", "vram_total": 24, "vram_free": 20}, 3],
        }
    )
    assert (stats.version, stats.python, stats.ram_total) == ("0.33.0", "3.12.3", 64)
    assert stats.devices == (remote.Device("cuda:0 NVIDIA", "cuda", 24, 20),)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "p",
                    "status",
                    "outputs",
                    "messages",
                    "queue_running",
                    "queue_pending",
                    "images",
                    "filename",
                    "status_str",
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@given(json_values)
def test_any_document_is_a_value_or_not_comfyui(document: Any) -> None:
    for read in (remote.job_from_api, remote.job_from_history, remote.job_from_queue):
        try:
            read("p", document)
        except NotComfyError:
            continue
    for read_alone in (remote.system_stats, remote.queue_remaining, remote.queue_ids):
        try:
            read_alone(document)
        except NotComfyError:
            continue
    remote.output_files(document)
    remote.output_texts(document)
