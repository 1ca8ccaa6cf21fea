"""Queue, history, jobs, cancel and interrupt."""

import random
import uuid
from typing import Any

import pytest


def slow(server: Any) -> dict[str, Any]:
    """Runs for seconds, and can be interrupted every few hundred milliseconds."""
    if server.is_demo:
        latent = {"class_type": "EmptyLatentImage", "inputs": {"width": 64, "height": 64, "batch_size": 1}}
        inputs = {
            "model": ["1", 0],
            "positive": ["2", 0],
            "negative": ["2", 0],
            "latent_image": ["3", 0],
            "seed": random.randrange(2**63),
            "steps": 2000,
            "cfg": 7,
            "sampler_name": "euler",
            "scheduler": "normal",
            "denoise": 1,
        }
        return {
            "1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "demo-painter.safetensors"}},
            "2": {"class_type": "CLIPTextEncode", "inputs": {"text": "sea", "clip": ["1", 1]}},
            "3": latent,
            "4": {"class_type": "KSampler", "inputs": inputs},
            "5": {"class_type": "VAEDecode", "inputs": {"samples": ["4", 0], "vae": ["1", 2]}},
            "6": {"class_type": "PreviewImage", "inputs": {"images": ["5", 0]}},
        }
    size = {"width": 300, "height": 300, "batch_size": 1, "color": random.randrange(0xFFFFFF)}
    graph: dict[str, Any] = {"1": {"class_type": "EmptyImage", "inputs": size}}
    for node in range(2, 40):
        inputs = {"image": [str(node - 1), 0], "blur_radius": 31, "sigma": 10.0 - node / 50}
        graph[str(node)] = {"class_type": "ImageBlur", "inputs": inputs}
    return graph | {"50": {"class_type": "PreviewImage", "inputs": {"images": ["39", 0]}}}


def quick() -> dict[str, Any]:
    size = {"width": 16, "height": 16, "batch_size": 1, "color": random.randrange(0xFFFFFF)}
    return {
        "1": {"class_type": "EmptyImage", "inputs": size},
        "2": {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}},
    }


def new_id() -> str:
    return str(uuid.uuid4())


async def running(client: Any, prompt_id: str) -> None:
    """Wait until that prompt runs."""
    await client.hear(
        lambda message: (
            not isinstance(message, bytes)
            and message["type"] == "executing"
            and message["data"].get("prompt_id") == prompt_id
        )
    )


async def test_what_waits_can_be_seen_and_deleted(talk: Any, server: Any) -> None:
    async with talk() as client:
        first = await client.queue(slow(server))
        await running(client, first)
        waiting = [await client.queue(quick()) for _ in range(3)]
        ahead = await client.post(quick(), front=True)
        assert ahead.json()["number"] < 0
        seen = (await client.http.get("/api/queue")).json()
        assert [item[1] for item in seen["queue_running"]] == [first]
        assert [item[1] for item in sorted(seen["queue_pending"])] == [ahead.json()["prompt_id"], *waiting]
        assert {len(item) for item in seen["queue_pending"]} == {5}
        assert (await client.http.get("/prompt")).json() == {"exec_info": {"queue_remaining": 5}}
        answer = await client.http.post("/queue", json={"delete": [waiting[1], new_id()]})
        assert (answer.status_code, answer.text) == (200, "")
        left = (await client.http.get("/queue")).json()["queue_pending"]
        assert sorted(item[1] for item in left) == sorted([ahead.json()["prompt_id"], waiting[0], waiting[2]])
        await client.http.post("/queue", json={"clear": True})
        assert (await client.http.get("/queue")).json()["queue_pending"] == []
        await client.http.post("/interrupt", json={"prompt_id": first})
        await client.over(first)
        assert (await client.http.get(f"/history/{waiting[1]}")).json() == {}, "what is deleted leaves no history"


async def test_an_interrupt_hits_only_the_prompt_it_names(talk: Any, server: Any) -> None:
    async with talk() as client:
        prompt_id = await client.queue(slow(server))
        await running(client, prompt_id)
        miss = await client.http.post("/interrupt", json={"prompt_id": new_id()})
        assert miss.status_code == 200
        assert (await client.http.get("/queue")).json()["queue_running"]
        await client.http.post("/interrupt", json={"prompt_id": prompt_id})
        messages = await client.over(prompt_id)
        told = [message for message in messages if message["type"] == "execution_interrupted"]
        assert set(told[0]["data"]) == {"prompt_id", "node_id", "node_type", "executed", "timestamp"}
        assert not [message for message in messages if message["type"] == "execution_success"]
        history = await client.history(prompt_id)
        assert history["status"]["status_str"] == "error"
        assert history["status"]["messages"][-1][0] == "execution_interrupted"
        job = (await client.http.get(f"/api/jobs/{prompt_id}")).json()
        assert job["status"] == "cancelled"


@pytest.mark.parametrize("body", [None, {}, {"prompt_id": ""}])
async def test_an_interrupt_without_a_name_hits_whatever_runs(talk: Any, server: Any, body: Any) -> None:
    async with talk() as client:
        prompt_id = await client.queue(slow(server))
        await running(client, prompt_id)
        answer = await client.http.post("/api/interrupt", **({} if body is None else {"json": body}))
        assert answer.status_code == 200
        messages = await client.over(prompt_id)
        assert [message for message in messages if message["type"] == "execution_interrupted"]


async def test_cancel_by_id_running_and_waiting(talk: Any, server: Any) -> None:
    async with talk() as client:
        first = await client.queue(slow(server))
        await running(client, first)
        second, third = await client.queue(quick()), await client.queue(quick())
        states = {job["id"]: job["status"] for job in (await client.http.get("/api/jobs?limit=10")).json()["jobs"]}
        assert (states[first], states[second]) == ("in_progress", "pending")
        pending = (await client.http.get(f"/api/jobs/{second}")).json()
        assert set(pending) == {
            *("id", "status", "priority", "create_time", "outputs_count", "previewable_outputs_count"),
        }
        answer = await client.http.post(f"/api/jobs/{second}/cancel")
        assert answer.json() == {"cancelled": True}
        assert (await client.http.get(f"/api/jobs/{second}")).status_code == 404
        answer = await client.http.post("/api/jobs/cancel", json={"job_ids": [first, third, new_id()]})
        assert answer.json() == {"cancelled": True}
        await client.over(first)
        for gone in (first, new_id()):
            assert (await client.http.post(f"/api/jobs/{gone}/cancel")).json() == {"cancelled": False}


async def test_cancel_of_many_wants_a_list_of_ids(talk: Any) -> None:
    async with talk() as client:
        for body, words in (
            ({"job_ids": "x"}, "job_ids must be a list"),
            ({"job_ids": ["x", 3]}, "job_ids contains invalid id(s)"),
            ([], "job_ids must be a list"),
        ):
            answer = await client.http.post("/api/jobs/cancel", json=body)
            assert (answer.status_code, answer.json()["error"]) == (400, words)


async def test_a_finished_job_in_full(talk: Any) -> None:
    async with talk() as client:
        workflow = new_id()
        prompt_id = await client.queue(quick(), extra_data={"extra_pnginfo": {"workflow": {"id": workflow}}})
        await client.over(prompt_id)
        job = (await client.http.get(f"/api/jobs/{prompt_id}")).json()
        assert set(job) == {
            *("id", "status", "priority", "create_time", "execution_start_time", "execution_end_time"),
            *("outputs_count", "previewable_outputs_count", "preview_output", "workflow_id"),
            *("outputs", "execution_status", "workflow"),
        }
        assert job["status"] == "completed"
        assert job["workflow_id"] == workflow
        assert job["preview_output"] | {"filename": ""} == {
            "filename": "",
            "subfolder": "",
            "type": "temp",
            "nodeId": "2",
            "mediaType": "images",
        }
        assert job["outputs"]["2"]["images"][0]["filename"] == job["preview_output"]["filename"]
        found = (await client.http.get(f"/api/jobs?workflow_id={workflow}")).json()
        assert [entry["id"] for entry in found["jobs"]] == [prompt_id]
        assert found["pagination"] == {"offset": 0, "limit": None, "total": 1, "has_more": False}


async def test_pages_of_jobs(talk: Any) -> None:
    async with talk() as client:
        workflow = {"extra_pnginfo": {"workflow": {"id": new_id()}}}
        made = []
        for _ in range(3):
            made.append(await client.queue(quick(), extra_data=workflow))
            await client.over(made[-1])
        query = f"/api/jobs?workflow_id={workflow['extra_pnginfo']['workflow']['id']}&sort_order=asc"
        page = (await client.http.get(f"{query}&limit=2&status=completed")).json()
        assert [job["id"] for job in page["jobs"]] == made[:2]
        assert page["pagination"] == {"offset": 0, "limit": 2, "total": 3, "has_more": True}
        page = (await client.http.get(f"{query}&limit=2&offset=2")).json()
        assert [job["id"] for job in page["jobs"]] == made[2:]
        assert page["pagination"]["has_more"] is False


@pytest.mark.parametrize(
    ("query", "words"),
    [
        (
            "status=done",
            "Invalid status value(s): done. Valid values: pending, in_progress, completed, failed, cancelled",
        ),
        ("sort_by=name", "sort_by must be 'created_at' or 'execution_duration'"),
        ("sort_order=up", "sort_order must be 'asc' or 'desc'"),
        ("limit=0", "limit must be a positive integer"),
        ("limit=x", "limit must be an integer"),
        ("offset=x", "offset must be an integer"),
    ],
)
async def test_wrong_questions_on_jobs(talk: Any, query: str, words: str) -> None:
    async with talk() as client:
        answer = await client.http.get(f"/api/jobs?{query}")
    assert (answer.status_code, answer.json()) == (400, {"error": words})


async def test_an_unknown_job(talk: Any) -> None:
    async with talk() as client:
        answer = await client.http.get(f"/api/jobs/{new_id()}")
        assert (answer.status_code, answer.json()) == (404, {"error": "Job not found"})
        assert (await client.http.get(f"/history/{new_id()}")).json() == {}
        assert (await client.http.get("/jobs")).status_code == 404, "jobs exist under /api only"


async def test_history_counts_from_the_oldest(talk: Any) -> None:
    async with talk() as client:
        made = []
        for _ in range(3):
            made.append(await client.queue(quick()))
            await client.over(made[-1])
        assert list((await client.http.get("/history?max_items=2")).json()) == made[1:]
        total = len((await client.http.get("/api/history")).json())
        page = (await client.http.get(f"/history?max_items=1&offset={total - 3}")).json()
        assert list(page) == made[:1]
        await client.http.post("/history", json={"delete": [made[0]]})
        assert (await client.http.get(f"/history/{made[0]}")).json() == {}


async def test_a_prompt_without_picture_information_breaks_the_list_of_jobs(talk: Any, server: Any) -> None:
    """`extra_pnginfo: null` is accepted, and answers 500 to everyone until that job is gone: never send it."""
    async with talk() as client:
        prompt_id = await client.queue(quick(), extra_data={"extra_pnginfo": None})
        await client.over(prompt_id)
        assert (await client.http.get("/api/jobs")).status_code == 500
        await client.http.post("/history", json={"delete": [prompt_id]})
        assert (await client.http.get("/api/jobs")).status_code == 200


async def test_the_same_id_runs_twice(talk: Any) -> None:
    async with talk() as client:
        prompt_id = new_id()
        for _ in range(2):
            assert await client.queue(quick(), prompt_id=prompt_id) == prompt_id
            await client.over(prompt_id)


async def test_free_drops_what_was_kept(talk: Any) -> None:
    async with talk() as client:
        graph = quick()
        await client.run(graph)
        assert (await client.http.post("/free", json={"unload_models": True, "free_memory": True})).status_code == 200
        await client.run(quick())
        messages = await client.run(graph)
        cached = next(message["data"]["nodes"] for message in messages if message["type"] == "execution_cached")
        assert cached == []
