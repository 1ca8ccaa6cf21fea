"""What a run says and leaves behind: order of messages, results, caching, embedded workflow."""

import asyncio
import io
import itertools
import json
import random
import uuid
from typing import Any

import pytest
from PIL import Image


def picture(color: int, **more: Any) -> dict[str, Any]:
    """EmptyImage → ImageInvert → SaveImage."""
    return {
        "1": {"class_type": "EmptyImage", "inputs": {"width": 48, "height": 32, "batch_size": 1, "color": color}},
        "2": {"class_type": "ImageInvert", "inputs": {"image": ["1", 0]}},
        "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": "contract/inverted"}},
    } | more


CUTS = tuple(itertools.product((0, 1), repeat=3))


def fresh() -> int:
    """A colour that no earlier run has cached."""
    return random.randrange(0xFFFFFF)


def kinds(messages: list[Any]) -> list[Any]:
    """Messages as short words; statuses, which come from another thread, left out."""
    words = []
    for message in messages:
        data = message["data"]
        if message["type"] == "executing":
            words.append(("executing", data["node"]))
        elif message["type"] == "progress_state":
            words.append(("state", {node: state["state"] for node, state in data["nodes"].items()}))
        elif message["type"] != "status":
            words.append(message["type"])
    return words


async def test_a_run_from_start_to_end(talk: Any) -> None:
    async with talk() as client:
        prompt_id = str(uuid.uuid4())
        messages = await client.run(picture(fresh()), prompt_id=prompt_id)
        one, two = {"1": "finished"}, {"1": "finished", "2": "finished"}
        assert kinds(messages) == [
            "execution_start",
            "execution_cached",
            ("state", {"1": "running"}),
            ("executing", "1"),
            ("state", one),
            ("state", one | {"2": "running"}),
            ("executing", "2"),
            ("state", two),
            ("state", two | {"3": "running"}),
            ("executing", "3"),
            "executed",
            ("state", two | {"3": "finished"}),
            "execution_success",
            ("executing", None),
        ]
        remaining = [m["data"]["status"]["exec_info"]["queue_remaining"] for m in messages if m["type"] == "status"]
        assert remaining[-1] == 0
        history = await client.history(prompt_id)
        assert history["status"]["status_str"] == "success"
        assert history["status"]["completed"] is True
        assert [name for name, _ in history["status"]["messages"]] == [
            "execution_start",
            "execution_cached",
            "execution_success",
        ]
        assert history["meta"]["3"] == {
            "node_id": "3",
            "display_node": "3",
            "parent_node": None,
            "real_node_id": "3",
        }


async def test_the_picture_is_right_and_carries_its_workflow(talk: Any) -> None:
    async with talk() as client:
        graph = picture(0x10F0E0 + random.randrange(16))
        color = graph["1"]["inputs"]["color"]
        workflow = {"id": str(uuid.uuid4()), "nodes": [], "note": "grüße 日本"}
        prompt_id = await client.queue(graph, extra_data={"extra_pnginfo": {"workflow": workflow}})
        await client.over(prompt_id)
        (saved,) = (await client.history(prompt_id))["outputs"]["3"]["images"]
        assert saved["subfolder"] == "contract"
        assert saved["type"] == "output"
        answer = await client.http.get("/api/view", params=saved)
        with Image.open(io.BytesIO(answer.content)) as image:
            assert image.size == (48, 32)
            wanted = [255 - (color >> shift & 255) for shift in (16, 8, 0)]
            # The real server computes in floats, and cuts: one less here and there.
            assert image.convert("RGB").tobytes()[:3] in {
                bytes(c - d for c, d in zip(wanted, less, strict=True)) for less in CUTS
            }
            text: dict[str, str] = getattr(image, "text", {})
        assert json.loads(text["workflow"]) == workflow
        assert json.loads(text["prompt"]) == graph


async def test_a_second_run_is_cached_and_still_tells_its_outputs(talk: Any) -> None:
    async with talk() as client:
        graph = picture(fresh())
        first = await client.run(graph)
        second = await client.run(graph)
        assert kinds(second) == [
            "execution_start",
            "execution_cached",
            "executed",
            ("state", {"3": "finished"}),
            "execution_success",
            ("executing", None),
        ]
        cached = next(message["data"]["nodes"] for message in second if message["type"] == "execution_cached")
        assert sorted(cached) == ["1", "2", "3"]
        files = [
            next(message["data"]["output"] for message in run if message["type"] == "executed")
            for run in (first, second)
        ]
        assert files[0] == files[1], "a cached run answers the same file"


async def test_another_prefix_runs_only_the_save_node(talk: Any) -> None:
    async with talk() as client:
        graph = picture(fresh())
        await client.run(graph)
        graph["3"]["inputs"]["filename_prefix"] = "contract/other"
        messages = await client.run(graph)
        assert [word for word in kinds(messages) if word[0] == "executing"] == [("executing", "3"), ("executing", None)]


async def test_values_as_text(talk: Any) -> None:
    graph: dict[str, Any] = {
        "1": {"class_type": "PrimitiveInt", "inputs": {"value": 2**53 + fresh()}},
        "2": {"class_type": "PreviewAny", "inputs": {"source": ["1", 0]}},
        "3": {"class_type": "PrimitiveFloat", "inputs": {"value": 0.1}},
        "4": {"class_type": "PreviewAny", "inputs": {"source": ["3", 0]}},
        "5": {"class_type": "PrimitiveStringMultiline", "inputs": {"value": "grüße\n日本"}},
        "6": {"class_type": "PreviewAny", "inputs": {"source": ["5", 0]}},
        "7": {"class_type": "PrimitiveBoolean", "inputs": {"value": True}},
        "8": {"class_type": "PreviewAny", "inputs": {"source": ["7", 0]}},
    }
    async with talk() as client:
        prompt_id = await client.queue(graph)
        await client.over(prompt_id)
        outputs = (await client.history(prompt_id))["outputs"]
    assert outputs["2"] == {"text": [str(graph["1"]["inputs"]["value"])]}
    assert outputs["4"] == {"text": ["0.1"]}
    assert outputs["6"] == {"text": ["grüße\n日本"]}
    assert outputs["8"] == {"text": ["True"]}


async def test_a_batch_of_pictures(talk: Any) -> None:
    graph = picture(fresh()) | {
        "4": {"class_type": "BatchImagesNode", "inputs": {"images.image0": ["1", 0], "images.image1": ["2", 0]}},
        "5": {"class_type": "PreviewImage", "inputs": {"images": ["4", 0]}},
        "6": {"class_type": "GetImageSize", "inputs": {"image": ["4", 0]}},
        "7": {"class_type": "PreviewAny", "inputs": {"source": ["6", 2]}},
    }
    async with talk() as client:
        prompt_id = await client.queue(graph)
        messages = await client.over(prompt_id)
        outputs = (await client.history(prompt_id))["outputs"]
    assert [entry["type"] for entry in outputs["5"]["images"]] == ["temp", "temp"]
    assert outputs["7"] == {"text": ["2"]}
    texts = [message for message in messages if isinstance(message, bytes)]
    assert len(texts) == 1, "GetImageSize says the size as progress text"
    assert texts[0][:9] == b"\0\0\0\3\0\0\0\x016"
    assert texts[0][9:].decode() == "width: 48, height: 32\n batch size: 2"


async def test_only_the_wanted_outputs_run(talk: Any) -> None:
    graph = picture(fresh()) | {"4": {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}}}
    async with talk() as client:
        prompt_id = await client.queue(graph, partial_execution_targets=["4"])
        await client.over(prompt_id)
        assert set((await client.history(prompt_id))["outputs"]) == {"4"}


async def test_values_are_converted_and_unwrapped(talk: Any) -> None:
    """ "24" is a fine INT, and {"__value__": …} carries what would else be a link."""
    graph = picture(fresh())
    graph["1"]["inputs"] |= {"width": "24", "height": 16.9}
    graph["4"] = {"class_type": "PreviewAny", "inputs": {"source": {"__value__": ["1", 0]}}}
    async with talk() as client:
        prompt_id = await client.queue(graph)
        await client.over(prompt_id)
        entry = await client.history(prompt_id)
        saved = await client.http.get("/view", params=entry["outputs"]["3"]["images"][0])
    assert entry["prompt"][2]["1"]["inputs"]["width"] == 24
    assert Image.open(io.BytesIO(saved.content)).size == (24, 16)
    assert len(entry["outputs"]["4"]["text"]) == 1


async def test_a_run_without_client_id_tells_everyone_its_progress_only(talk: Any) -> None:
    async with talk() as listener, talk() as poster:
        body = {"prompt": picture(fresh())}
        prompt_id = (await poster.http.post("/prompt", json=body)).json()["prompt_id"]

        def done(message: Any) -> bool:
            nodes = message["data"].get("nodes", {}) if message["type"] == "progress_state" else {}
            return bool(nodes.get("3", {}).get("state") == "finished" and message["data"]["prompt_id"] == prompt_id)

        messages = await listener.hear(done)
        assert {message["type"] for message in messages} == {"status", "progress_state"}


async def test_an_error_in_a_node_ends_the_run(talk: Any) -> None:
    """A crop down to nothing cannot be saved: whatever the words, the shape of the message is one."""
    graph = {
        "1": {"class_type": "LoadImage", "inputs": {"image": "contract-broken.png"}},
        "2": {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}},
    }
    async with talk() as client:
        await client.http.post(
            "/upload/image", files={"image": ("contract-broken.png", b"no picture")}, data={"overwrite": "true"}
        )
        prompt_id = await client.queue(graph)
        messages = await client.over(prompt_id)
        words = kinds(messages)
        assert words[-2:] == ["execution_error", ("executing", None)]
        error = next(message["data"] for message in messages if message["type"] == "execution_error")
        assert set(error) == {
            *("prompt_id", "node_id", "node_type", "executed", "exception_message", "exception_type", "traceback"),
            *("current_inputs", "current_outputs", "timestamp"),
        }
        assert (error["node_id"], error["node_type"]) == ("1", "LoadImage")
        assert error["current_inputs"] == {"image": ["contract-broken.png"]}
        history = await client.history(prompt_id)
        assert history["status"]["status_str"] == "error"
        assert history["status"]["completed"] is False
        assert history["outputs"] == {}
        job = (await client.http.get(f"/api/jobs/{prompt_id}")).json()
        assert job["status"] == "failed"
        assert job["execution_error"]["node_id"] == "1"


async def test_reconnecting_greets_anew(talk: Any) -> None:
    async with talk() as first:
        client_id = first.client_id
    async with talk(client_id=client_id) as again:
        hello = again.heard[0]
        assert hello["data"]["sid"] == client_id
        await again.run(picture(fresh()))


async def test_a_late_goodbye_makes_the_new_socket_deaf(talk: Any) -> None:
    """The server's bug that clients must know: the old socket takes the new one's registration along."""
    async with talk() as old, talk(client_id=old.client_id) as new:
        await old.socket.close()
        await asyncio.sleep(0.1)
        prompt_id = await new.queue(picture(fresh()))
        await new.finished(prompt_id)
        await asyncio.wait_for(await new.socket.ping(), 5)
        heard = len(new.heard)
        with pytest.raises(TimeoutError):
            await new.hear(lambda _: False, seconds=0.2)
        assert len(new.heard) == heard
