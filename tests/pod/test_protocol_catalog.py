"""What a server says of itself: nodes, models, features, statistics, templates."""

import json
import lzma
from pathlib import Path
from typing import Any

import httpx

from comfydesk.demo.folders import Folders
from comfydesk.demo.nodes import all_nodes

NODE_FACTS = Path(__file__).parents[1] / "data" / "demo_node_facts.json.xz"


async def test_nodes(talk: Any) -> None:
    async with talk() as client:
        everything = (await client.http.get("/api/object_info")).json()
        one = (await client.http.get("/object_info/ImageScale")).json()
        assert one == {"ImageScale": everything["ImageScale"]}
        assert (await client.http.get("/object_info/NoSuchNode")).json() == {}
        for entry in everything.values():
            assert {"input", "input_order", "output", "output_name", "name", "display_name", "output_node"} <= set(
                entry
            )
        assert everything["ImageScale"]["input"]["required"]["width"][1]["max"] == 16384


async def test_every_node_of_the_demo_pod_has_the_shape_of_the_real_one(talk: Any, server: Any, tmp_path: Any) -> None:
    """Names, types, ranges, defaults, outputs: all but the texts, and the files on the disk."""
    if server.is_demo:  # recorded from ComfyUI 0.33.0
        real = json.loads(lzma.decompress(NODE_FACTS.read_bytes()))
    else:
        async with talk() as client:
            real = (await client.http.get("/object_info")).json()
    folders = Folders(tmp_path)
    for name, node in all_nodes().items():
        assert facts(node.info(folders)) == facts(real[name]), name


def facts(info: dict[str, Any]) -> Any:
    """An entry of /object_info without what may differ."""
    plain = {name: value for name, value in info.items() if name not in TEXTS}
    plain["input"] = untold(plain["input"])
    return plain


TEXTS = ("description", "search_aliases", "output_tooltips")


def untold(value: Any) -> Any:
    """Without tooltips and lists of files."""
    if isinstance(value, dict):
        return {
            name: untold(item)
            for name, item in value.items()
            if name != "tooltip" and not (name == "options" and is_files(item))
        }
    if isinstance(value, list):
        return [[] if is_files(item) else untold(item) for item in value]
    return value


def is_files(value: Any) -> bool:
    if not isinstance(value, list):
        return False
    return all(isinstance(entry, str) and entry.endswith((".safetensors", ".png", "pixel_space")) for entry in value)


async def test_models(talk: Any) -> None:
    async with talk() as client:
        folders = (await client.http.get("/models")).json()
        assert {"checkpoints", "loras", "vae", "diffusion_models", "text_encoders", "upscale_models"} <= set(folders)
        assert isinstance((await client.http.get("/api/models/loras")).json(), list)
        assert (await client.http.get("/models/nonsense")).status_code == 404
        described = (await client.http.get("/experiment/models")).json()
        assert {"name", "folders", "extensions"} == set(described[0])
        assert {entry["name"] for entry in described} == set(folders) - {"configs", "custom_nodes"}
        assert isinstance((await client.http.get("/experiment/models/loras")).json(), list)
        assert (await client.http.get("/experiment/models/nonsense")).status_code == 404
        assert (await client.http.get("/embeddings")).json() == []
        assert (await client.http.get("/view_metadata/loras?filename=none.safetensors")).status_code == 404


async def test_statistics(talk: Any, server: Any) -> None:
    async with talk() as client:
        stats = (await client.http.get("/system_stats")).json()
    assert {
        *("os", "ram_total", "ram_free", "comfyui_version", "required_frontend_version", "python_version"),
        *("pytorch_version", "embedded_python", "argv"),
    } <= set(stats["system"])
    assert set(stats["devices"][0]) == {
        *("name", "type", "index", "vram_total", "vram_free", "torch_vram_total", "torch_vram_free"),
    }
    if server.is_demo:
        assert "no AI" in stats["devices"][0]["name"]


async def test_features_are_those_of_the_greeting(talk: Any) -> None:
    async with talk() as client:
        greeting = next(message["data"] for message in client.heard if message["type"] == "feature_flags")
        features = (await client.http.get("/features")).json()
    assert features == greeting
    assert features["supports_preview_metadata"] is True
    assert features["max_upload_size"] == 104857600


async def test_templates(talk: Any) -> None:
    async with talk() as client:
        groups = (await client.http.get("/templates/index.json")).json()
        first = groups[0]["templates"][0]
        assert {"moduleName", "title", "templates"} <= set(groups[0])
        assert {"name", "title", "description", "mediaType", "mediaSubtype", "tags"} <= set(first)
        answer = await client.http.get(f"/templates/{first['name']}.json")
        assert answer.status_code == 200
        assert isinstance(answer.json()["nodes"], list)
        assert (await client.http.get("/templates/no-such-template.json")).status_code == 404
        assert isinstance((await client.http.get("/workflow_templates")).json(), dict)
        assert isinstance((await client.http.get("/global_subgraphs")).json(), dict)


async def test_picture_of_a_template(demo_url: str) -> None:
    async with httpx.AsyncClient(base_url=demo_url, verify=False) as http:
        answer = await http.get("/templates/text_to_image-1.webp")
    assert answer.headers["content-type"] == "image/webp"
    assert answer.content[:4] == b"RIFF"


async def test_internal_routes_stand_outside_of_api(talk: Any) -> None:
    async with talk() as client:
        assert isinstance((await client.http.get("/internal/logs")).json(), str)
        assert {"entries", "size"} == set((await client.http.get("/internal/logs/raw")).json())
        assert "checkpoints" in (await client.http.get("/internal/folder_paths")).json()
        assert isinstance((await client.http.get("/internal/files/output")).json(), list)
        assert (await client.http.get("/internal/files/secret")).status_code == 400
        assert (await client.http.get("/api/internal/logs")).status_code == 404
