"""What engines say, read: every shape that is documented, and those that no honest one sends."""

import base64
from datetime import UTC, datetime
from typing import Any

import pytest
from comfy_low import ApiError, RawEvent
from comfy_low.models import Job

from comfydesk.client.address import Address
from comfydesk.engines import comfy_words, runpod_words
from comfydesk.engines.files import stranger, told_apart
from comfydesk.errors import AuthError, NotComfyError, PodError, PodStatusError, PromptRejectedError
from comfydesk.events import ExecutionSucceeded, NodeExecuting, PreviewFrame, RunState, StepProgress

CLOUD = Address.parse("https://cloud.comfy.org")
HERE = Address.parse("http://127.0.0.1:8189")


@pytest.mark.parametrize(
    "url",
    [
        "http://bucket.example/a.png",
        "https://127.0.0.1/a.png",
        "https://192.168.1.1/a.png",
        "https://[::1]/a.png",
        "https://router.lan/a.png",
        "https://user:word@bucket.example/a.png",
        "file:///etc/passwd",
        "https://bucket.example/a b.png",
        "https://bucket.example:99999/a.png",
        "https:///a.png",
        "https://bucket.example/" + "a" * 20_000,
    ],
)
def test_addresses_of_results_that_are_refused(url: str) -> None:
    with pytest.raises(PodError):
        stranger(url, CLOUD)


def test_a_signed_address_keeps_its_signature_and_does_not_show_it() -> None:
    spot = stranger("https://bucket.example/a%2Fb.png?X-Sig=a%2Fb%2Bc%3D&e=", CLOUD)
    assert (spot.address.origin, spot.path) == ("https://bucket.example", "/a%2Fb.png")
    assert spot.query == (("X-Sig", "a/b+c="), ("e", ""))
    assert "a/b+c" not in repr(spot)
    assert stranger("http://127.0.0.1:9000/a.png", HERE).address.port == 9000


def test_names_are_told_apart_the_same_way_each_time() -> None:
    assert told_apart(["x.png", "x.png", "x (2).png", "x.png", "y"]) == (
        "x.png",
        "x (2).png",
        "x (2) (2).png",
        "x (3).png",
        "y",
    )


# --- Comfy API v2 -----------------------------------------------------------------------------------------------


def a_job(**changes: Any) -> Job:
    now = datetime.now(UTC).isoformat()
    document: dict[str, Any] = {
        "id": "there",
        "status": "succeeded",
        "created_at": now,
        "started_at": now,
        "completed_at": None,
        "expires_at": now,
        "queue_position": None,
        "progress": None,
        "outputs": [],
        "error": None,
        "urls": {"self": "/a", "events": "/b", "cancel": "/c"},
    }
    return Job.model_validate(document | changes)


def an_output(**changes: Any) -> dict[str, Any]:
    now = datetime.now(UTC).isoformat()
    document = {"node_id": "9", "name": "x.png", "type": "image", "content_type": "image/png", "size_bytes": 3}
    return document | {"id": "id-1", "hash": None, "url": "https://x.example/y", "url_expires_at": now} | changes


def test_a_job_with_two_outputs_of_one_name() -> None:
    found = comfy_words.remote_job("ours", a_job(outputs=[an_output(), an_output(id="id-2")]))
    assert found is not None
    assert (found.state, found.prompt_id) == (RunState.SUCCEEDED, "ours")
    assert [(file.filename, file.node, file.job) for file in found.outputs] == [
        ("x.png", "9", "ours"),
        ("x (2).png", "9", "ours"),
    ]
    assert found.started is not None


def test_an_expired_job_is_one_that_nobody_knows() -> None:
    assert comfy_words.remote_job("ours", a_job(status="expired")) is None


def test_an_output_whose_id_would_leave_its_path_is_none() -> None:
    assert comfy_words.outputs_of(a_job(outputs=[an_output(id="../jobs/x"), an_output(id="..")])) == {}


def test_uploaded_inputs_become_references_and_other_texts_stay() -> None:
    value = comfy_words.asset_value("id-1", "a b.png")
    graph = {"1": {"class_type": "LoadImage", "inputs": {"image": value, "text": "asset: no", "n": 3}}, "2": "odd"}
    sent = comfy_words.with_assets(graph)
    assert sent["1"]["inputs"] == {
        "image": {"__type": "core/ASSET", "info": {"id": "id-1", "file_path": "a b.png"}},
        "text": "asset: no",
        "n": 3,
    }
    assert sent["2"] == "odd"


def test_live_events() -> None:
    def of(event: str, data: dict[str, Any]) -> list[Any]:
        return list(comfy_words.events_of("j", RawEvent(event, data)))

    assert of("progress", {"value": 0.4, "current_node": "3", "step": 2, "steps": 8}) == [
        NodeExecuting("j", "3"),
        StepProgress("j", "3", 2.0, 8.0),
    ]
    assert of("progress", {"current_node": "3", "step": float("nan"), "steps": "8"}) == [NodeExecuting("j", "3")]
    picture = base64.b64encode(b"\xff\xd8").decode()
    assert of("preview", {"node_id": "3", "content_type": "image/jpeg", "data_base64": picture}) == [
        PreviewFrame("jpeg", b"\xff\xd8", "j", "3")
    ]
    assert of("status", {"status": "succeeded"}) == [ExecutionSucceeded("j")]
    bomb = "A" * (comfy_words.MAX_PREVIEW * 2)
    for data in ({"data_base64": bomb}, {"data_base64": "%%%"}, {"data_base64": 7}):
        assert of("preview", {"content_type": "image/png", **data}) == []
    assert of("log", {"message": "x"}) == []


def test_errors_in_words() -> None:
    def of(status: int, code: str = "x", **details: Any) -> PodError:
        return comfy_words.refusal(ApiError("because", code=code, http_status=status, details=details))

    assert isinstance(of(401), AuthError)
    assert "no credit" in of(402).what
    assert "queue is full" in of(429, "queue_full").what
    busy = of(503)
    assert isinstance(busy, PodStatusError)
    assert busy.status == 503
    refused = of(422, "invalid_workflow", node_errors={"12": [{"field": "model", "reason": "missing_input"}]})
    assert isinstance(refused, PromptRejectedError)
    (error,) = refused.node_errors["12"]["errors"]
    assert error == {"message": "missing input", "extra_info": {"input_name": "model"}}


# --- RunPod -----------------------------------------------------------------------------------------------------


def test_a_worker_before_5_gave_one_picture() -> None:
    picture = base64.b64encode(b"\x89PNG" + bytes(200)).decode()
    (one,) = runpod_words.results_of({"output": {"status": "success", "message": picture}})
    assert (one.name, one.decode()[:4]) == ("result.png", b"\x89PNG")
    (two,) = runpod_words.results_of({"output": {"status": "success", "message": "https://b.example/x.png"}})
    assert two.url == "https://b.example/x.png"


def test_data_urls_and_damage() -> None:
    plain = base64.b64encode(b"abc").decode()
    assert runpod_words.Result("x", base64=f"data:image/png;base64,{plain}").decode() == b"abc"
    with pytest.raises(NotComfyError):
        runpod_words.Result("x", base64="not base64!").decode()


@pytest.mark.parametrize(
    ("document", "state", "why"),
    [
        ({"status": "IN_QUEUE"}, RunState.PENDING, None),
        ({"status": "IN_PROGRESS", "output": "half way"}, RunState.RUNNING, None),
        ({"status": "CANCELLED"}, RunState.INTERRUPTED, None),
        ({"status": "FAILED", "error": "boom"}, RunState.FAILED, "boom"),
        ({"status": "TIMED_OUT"}, RunState.FAILED, "it waited or ran longer than the endpoint allows"),
        ({"status": "COMPLETED", "output": {"status": "success_no_images"}}, RunState.SUCCEEDED, None),
        ({"status": "COMPLETED", "output": {"error": "e", "details": ["a"]}}, RunState.FAILED, "e"),
    ],
)
def test_states(document: dict[str, Any], state: RunState, why: str | None) -> None:
    found = runpod_words.remote_job("j", document)
    assert found.state is state
    assert (None if found.error is None else found.error.message) == why


def test_what_the_worker_remarks_stays_with_the_result() -> None:
    found = runpod_words.remote_job("j", {"status": "COMPLETED", "output": {"images": [], "errors": ["one failed"]}})
    assert found.texts == ("one failed",)


@pytest.mark.parametrize("document", [None, [], {}, {"status": 7}, {"status": "DANCING"}])
def test_no_answer_about_a_job(document: Any) -> None:
    with pytest.raises(NotComfyError):
        runpod_words.remote_job("j", document)


def test_health() -> None:
    workers = {"ready": 2, "running": 1, "initializing": 1}
    assert runpod_words.health_words({"workers": workers, "jobs": {"inQueue": 3}}) == (
        "2 workers ready, 1 busy, 1 starting, 3 jobs waiting"
    )
    with pytest.raises(NotComfyError):
        runpod_words.health_words({"ok": True})
