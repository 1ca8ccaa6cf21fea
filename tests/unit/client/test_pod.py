"""The facade where servers contradict themselves: submitted once, looked up, cancelled by id. Real sockets.

Against the demo pod and a real ComfyUI: tests/pod/test_client_pod.py.
"""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from comfydesk.client.address import Address
from comfydesk.client.link import Timing
from comfydesk.client.pod import Pod, RemoteWorkflow, SubmissionUnknownError
from comfydesk.client.remote import RemoteJob
from comfydesk.errors import (
    AuthError,
    MediaError,
    NotComfyError,
    PodError,
    PodStatusError,
    PodUnreachableError,
    PromptRejectedError,
)
from comfydesk.events import ExecutionSucceeded, NodeExecuting, RunState
from tests.unit.client.conftest import Reply, Request, Wire

ID = "0c120cbd-7d36-4f97-bc1c-0a52820ffa14"
GRAPH = {"1": {"class_type": "EmptyImage", "inputs": {}}}
PENDING = {"id": ID, "status": "pending"}
DONE = {"id": ID, "status": "completed", "outputs": {"1": {"images": [{"filename": "a.png"}]}}}
NOT_FOUND = Reply.json({"error": "Job not found"}, status=404)


IMPATIENT = Timing(look_delays=(0.005,) * 3, lag_delays=(0.005,) * 6)


@asynccontextmanager
async def pod_on(server: Wire) -> AsyncIterator[Pod]:
    pod = Pod(Address.parse(server.url), client_id="me", timing=IMPATIENT)
    try:
        yield pod
    finally:
        await pod.close()


def sequence(*replies: Reply) -> Any:
    """One after another; the last for ever."""
    left = list(replies)

    def reply(_: Request) -> Reply:
        return left.pop(0) if len(left) > 1 else left[0]

    return reply


def posts(server: Wire) -> list[dict[str, Any]]:
    return [json.loads(request.body) for request in server.requests if request.path == "/api/prompt"]


# --- Submit -------------------------------------------------------------------------------------------------------


async def test_what_is_posted() -> None:
    async with Wire() as server, pod_on(server) as pod:
        server.replies["/api/prompt"] = Reply.json({"prompt_id": ID, "number": 3, "node_errors": {}})
        accepted = await pod.submit(GRAPH, prompt_id=ID, workflow={"id": "w"})
        await pod.submit(GRAPH, prompt_id=ID, front=True)
        assert (accepted.prompt_id, accepted.number, accepted.node_errors) == (ID, 3, {})
        first, second = posts(server)
    assert first == {
        "prompt": GRAPH,
        "prompt_id": ID,
        "client_id": "me",
        "extra_data": {"preview_method": "auto", "extra_pnginfo": {"workflow": {"id": "w"}}},
    }
    assert second["front"] is True
    assert "extra_pnginfo" not in second["extra_data"], "null would break GET /api/jobs for everybody"
    assert "number" not in second, "a repeated one answers 500 with the item queued"


async def test_an_id_that_an_old_server_made_is_adopted_and_dropped_outputs_are_told() -> None:
    async with Wire() as server, pod_on(server) as pod:
        server.replies["/api/prompt"] = Reply.json({"prompt_id": "its own", "number": 0, "node_errors": {"3": {}}})
        accepted = await pod.submit(GRAPH, prompt_id=ID)
        assert (accepted.prompt_id, accepted.node_errors) == ("its own", {"3": {}})


@pytest.mark.parametrize("prompt_id", [ID.upper(), ID.replace("-", ""), "x", ""])
async def test_an_id_that_servers_refuse_is_our_own_fault(prompt_id: str) -> None:
    with pytest.raises(ValueError, match="UUID"):
        await Pod(Address.parse("http://127.0.0.1:1")).submit(GRAPH, prompt_id=prompt_id)


@pytest.mark.parametrize("lost", [Reply(raw=b""), Reply(status=502), Reply(status=524), Reply(status=504)])
async def test_an_unanswered_post_that_arrived_is_found_and_not_sent_again(lost: Reply) -> None:
    async with Wire() as server, pod_on(server) as pod:
        server.replies["/api/prompt"] = lost
        server.replies[f"/api/jobs/{ID}"] = sequence(NOT_FOUND, Reply.json(PENDING))
        assert (await pod.submit(GRAPH, prompt_id=ID)).prompt_id == ID
        assert len(posts(server)) == 1


async def test_an_unanswered_post_that_nobody_knows_of_is_told_and_not_sent_again() -> None:
    async with Wire() as server, pod_on(server) as pod:
        server.replies["/api/prompt"] = Reply(raw=b"")
        server.replies[f"/api/jobs/{ID}"] = NOT_FOUND
        with pytest.raises(SubmissionUnknownError, match="not known whether"):
            await pod.submit(GRAPH, prompt_id=ID)
        assert len(posts(server)) == 1


async def test_a_pod_that_died_over_a_post_is_told_as_unknown() -> None:
    async with Wire() as server, pod_on(server) as pod:
        server.replies["/api/prompt"] = Reply(raw=b"")
        server.replies[f"/api/jobs/{ID}"] = Reply(raw=b"")
        with pytest.raises(SubmissionUnknownError):
            await pod.submit(GRAPH, prompt_id=ID)


async def test_sending_again_looks_first() -> None:
    async with Wire() as server, pod_on(server) as pod:
        server.replies["/api/prompt"] = Reply.json({"prompt_id": ID})
        server.replies[f"/api/jobs/{ID}"] = Reply.json(PENDING)
        await pod.submit(GRAPH, prompt_id=ID, resend=True)
        assert not posts(server)
        server.replies[f"/api/jobs/{ID}"] = NOT_FOUND
        await pod.submit(GRAPH, prompt_id=ID, resend=True)
        assert len(posts(server)) == 1


async def test_a_post_that_never_left_is_safe_to_send_again() -> None:
    async with Wire() as server:
        pod = Pod(Address.parse(server.url))
    with pytest.raises(PodUnreachableError) as caught:
        await pod.submit(GRAPH, prompt_id=ID)
    assert not isinstance(caught.value, SubmissionUnknownError)
    await pod.close()


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (
            Reply.json({"error": {"type": "prompt_no_outputs", "message": "No"}, "node_errors": {}}, status=400),
            PromptRejectedError,
        ),
        (Reply(status=401), AuthError),
        (Reply(status=413), PodStatusError),
        (Reply(status=503), PodStatusError),
        (Reply(b"500: Internal Server Error", 500), PodStatusError),
        (Reply.json({}), NotComfyError),
        (Reply.json([]), NotComfyError),
        (Reply.html("<title>Log in</title>"), AuthError),
    ],
)
async def test_refusals_are_told_at_once(reply: Reply, kind: type[PodError]) -> None:
    async with Wire() as server, pod_on(server) as pod:
        server.replies["/api/prompt"] = reply
        with pytest.raises(kind):
            await pod.submit(GRAPH, prompt_id=ID)
        assert server.paths() == ["/api/prompt"]


# --- Look up ------------------------------------------------------------------------------------------------------


async def test_a_job_is_asked_for_by_one_route() -> None:
    async with Wire() as server, pod_on(server) as pod:
        server.replies[f"/api/jobs/{ID}"] = Reply.json(DONE)
        job = await pod.job(ID)
        assert job is not None
        assert (job.state, [file.filename for file in job.outputs]) == (RunState.SUCCEEDED, ["a.png"])
        server.replies[f"/api/jobs/{ID}"] = NOT_FOUND
        assert await pod.job(ID) is None
        assert set(server.paths()) == {f"/api/jobs/{ID}"}


def old_server(server: Wire, *, queue: Any = None, history: Any = None) -> None:
    server.replies["/api/queue"] = queue or Reply.json({"queue_running": [], "queue_pending": []})
    server.replies[f"/api/history/{ID}"] = history or Reply.json({})


RUNNING_QUEUE = Reply.json({"queue_running": [[1, ID, {}, {}, []]], "queue_pending": []})
PENDING_QUEUE = Reply.json({"queue_running": [], "queue_pending": [[1, ID, {}, {}, []]]})
EMPTY_QUEUE = Reply.json({"queue_running": [], "queue_pending": []})
HISTORY = Reply.json({ID: {"outputs": {}, "status": {"status_str": "success", "messages": []}}})


async def test_older_servers_tell_by_queue_and_history() -> None:
    async with Wire() as server, pod_on(server) as pod:
        old_server(server, queue=RUNNING_QUEUE)
        assert await pod.job(ID) == RemoteJob(ID, RunState.RUNNING)
        old_server(server, queue=PENDING_QUEUE)
        assert await pod.job(ID) == RemoteJob(ID, RunState.PENDING)
        old_server(server, history=HISTORY)
        assert await pod.job(ID) == RemoteJob(ID, RunState.SUCCEEDED)
        old_server(server)
        assert await pod.job(ID) is None
        assert server.paths().count(f"/api/jobs/{ID}") == 1, "it is not asked for what it does not have"
        # What leaves the queue in between is in the history by then: never the other way round.
        assert server.paths()[1:3] == ["/api/queue", "/api/queue"]


async def test_a_jobs_route_that_somebody_broke_does_not_hide_the_job() -> None:
    """One queued item with `extra_pnginfo: null` makes it answer 500 until that item is gone."""
    async with Wire() as server, pod_on(server) as pod:
        server.replies[f"/api/jobs/{ID}"] = Reply(b"500: Internal Server Error", 500)
        old_server(server, queue=RUNNING_QUEUE)
        assert await pod.job(ID) == RemoteJob(ID, RunState.RUNNING)


@pytest.mark.parametrize("event", [ExecutionSucceeded(ID), NodeExecuting(ID, None)])
async def test_a_history_that_lags_behind_the_stream_is_waited_for(event: Any) -> None:
    """It was missing right after execution_success in 3 of 20 runs of a real server."""
    async with Wire() as server, pod_on(server) as pod:
        running = Reply.json({"id": ID, "status": "in_progress"})
        server.replies[f"/api/jobs/{ID}"] = sequence(running, NOT_FOUND, running, Reply.json(DONE))
        pod._heard(event)
        job = await pod.job(ID)
        assert job is not None
        assert job.state is RunState.SUCCEEDED


async def test_an_end_that_the_server_forgot_is_not_waited_for_twice() -> None:
    async with Wire() as server, pod_on(server) as pod:
        server.replies[f"/api/jobs/{ID}"] = NOT_FOUND
        pod._heard(ExecutionSucceeded(ID))
        assert await pod.job(ID) is None
        asked = len(server.requests)
        assert await pod.job(ID) is None
        assert len(server.requests) == asked + 1


async def test_a_page_in_place_of_a_job_is_an_error_not_an_absence() -> None:
    async with Wire() as server, pod_on(server) as pod:
        server.replies[f"/api/jobs/{ID}"] = Reply.html("<title>Not found</title>", 404)
        with pytest.raises(PodStatusError):
            await pod.job(ID)


# --- Cancel -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cancelled", [True, False])
async def test_a_cancel_is_one_atomic_request(cancelled: bool) -> None:
    async with Wire() as server, pod_on(server) as pod:
        server.replies[f"/api/jobs/{ID}/cancel"] = Reply.json({"cancelled": cancelled})
        assert await pod.cancel(ID) is cancelled
        assert len(server.requests) == 1


async def test_on_older_servers_a_waiting_one_is_deleted() -> None:
    async with Wire() as server, pod_on(server) as pod:
        old_server(server)
        server.replies["/api/queue"] = _queue_with_posts(server, PENDING_QUEUE, EMPTY_QUEUE)
        assert await pod.cancel(ID)
        deletes = [json.loads(r.body) for r in server.requests if r.path == "/api/queue" and r.method == "POST"]
        assert deletes == [{"delete": [ID]}]
        assert "/api/interrupt" not in server.paths()


async def test_on_older_servers_a_running_one_is_interrupted_by_its_id() -> None:
    async with Wire() as server, pod_on(server) as pod:
        old_server(server)
        server.replies["/api/queue"] = _queue_with_posts(server, RUNNING_QUEUE, RUNNING_QUEUE)
        server.replies["/api/interrupt"] = Reply()
        assert await pod.cancel(ID)
        (interrupt,) = [request for request in server.requests if request.path == "/api/interrupt"]
        assert json.loads(interrupt.body) == {"prompt_id": ID}


async def test_on_older_servers_somebody_elses_run_is_never_interrupted() -> None:
    other = Reply.json({"queue_running": [[1, "somebody else's", {}, {}, []]], "queue_pending": []})
    async with Wire() as server, pod_on(server) as pod:
        old_server(server, queue=other)
        assert not await pod.cancel(ID)
        assert not [request for request in server.requests if request.path == "/api/interrupt"]
        assert not [request for request in server.requests if request.body and request.path == "/api/queue"]


def _queue_with_posts(server: Wire, before: Reply, after: Reply) -> Any:
    """GET tells `before` until something was deleted, then `after`; POST answers 200 whatever happens."""

    def reply(request: Request) -> Reply:
        if request.method == "POST":
            return Reply()
        deleted = any(earlier.method == "POST" and earlier.path == "/api/queue" for earlier in server.requests)
        return after if deleted else before

    return reply


# --- Upload -------------------------------------------------------------------------------------------------------


async def test_an_upload_is_streamed_and_its_returned_name_used(tmp_path: Path) -> None:
    file = tmp_path / "grüße (1).png"
    file.write_bytes(b"picture" * 400_000)
    told: list[int] = []
    async with Wire() as server, pod_on(server) as pod:
        server.replies["/api/upload/image"] = Reply.json({"name": "x (1).png", "subfolder": "s", "type": "input"})
        name = await pod.upload(file, subfolder="s", progress=lambda sent, _: told.append(sent))
        request = next(request for request in server.requests if request.path == "/api/upload/image")
    assert name == "s/x (1).png"
    assert told[-1] == file.stat().st_size
    assert len(told) > 2
    assert int(request.headers["content-length"]) == len(request.body)
    assert b'name="image"; filename="gr\xc3\xbc\xc3\x9fe (1).png"\r\nContent-Type: image/png' in request.body
    assert b"picture" * 400_000 in request.body
    assert b'name="subfolder"\r\n\r\ns\r\n' in request.body


async def test_a_file_that_the_pod_will_not_take_is_told_before_it_is_sent(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"x" * 2000)
    async with Wire() as server, pod_on(server) as pod:
        server.replies["/api/features"] = Reply.json({"max_upload_size": 1000})
        with pytest.raises(PodStatusError, match="larger than the pod takes"):
            await pod.upload(tmp_path / "a.png")
        assert server.paths() == ["/api/features"]


async def test_a_413_has_its_words(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"x" * 2_000_000)
    async with Wire() as server, pod_on(server) as pod:
        server.replies["/api/upload/image"] = Reply(b"too large", 413)
        with pytest.raises(PodStatusError, match="more than the pod takes"):
            await pod.upload(tmp_path / "a.png")


async def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    async with Wire() as server, pod_on(server) as pod:
        with pytest.raises(MediaError, match=r"gone\.png"):
            await pod.upload(tmp_path / "gone.png")
        with pytest.raises(MediaError):
            await pod.upload(tmp_path)


# --- The rest -----------------------------------------------------------------------------------------------------


async def test_workflows_of_new_and_old_servers() -> None:
    async with Wire() as server, pod_on(server) as pod:
        assert await pod.workflows() == ()  # 404: there is no such folder yet
        server.replies["/api/userdata"] = Reply.json(
            [{"path": "sub/a.json", "size": 5, "modified": 2000}, {"path": "note.txt"}, "b.json", 3, {"path": None}]
        )
        assert await pod.workflows() == (RemoteWorkflow("sub/a.json", 5, 2.0), RemoteWorkflow("b.json"))
        server.replies["/api/userdata/workflows%2Fsub%2Fa.json"] = Reply(b"{}")
        assert await pod.read_workflow("sub/a.json") == b"{}"


@pytest.mark.parametrize("document", [{}, [], {"A": 3}, None, "x"])
async def test_a_broken_list_of_nodes_is_not_a_catalog(document: Any) -> None:
    async with Wire() as server, pod_on(server) as pod:
        server.replies["/api/object_info"] = Reply.json(document)
        with pytest.raises(NotComfyError):
            await pod.object_info()


async def test_what_older_servers_lack_is_empty() -> None:
    async with Wire() as server, pod_on(server) as pod:
        assert await pod.features() == {}
        assert await pod.models("loras") == ()
        assert await pod.templates_index() == []


async def test_a_pod_does_not_show_its_client_id() -> None:
    pod = Pod(Address.parse("http://127.0.0.1:1"), client_id="s3cret")
    assert "s3cret" not in repr(pod)
    assert Pod(Address.parse("http://127.0.0.1:1"))._client_id != Pod(Address.parse("http://127.0.0.1:1"))._client_id
