"""The bundled workflows do on the demo pod what they say."""

import json
from pathlib import Path
from typing import Any

import av
import pytest
from PIL import Image, ImageChops, ImageStat

from comfydesk.demo.painter import paint
from comfydesk.paths import resources
from comfydesk.workflow.catalog import Catalog
from comfydesk.workflow.convert import to_api
from comfydesk.workflow.parse import parse_workflow

PROMPTS = json.loads((Path(__file__).parents[2] / "data" / "bundled_prompts.json").read_text("utf-8"))
"""What the official frontend made of them."""
NAMES = ("text_to_image", "image_to_image", "text_to_video", "text_to_audio")


def smaller(graph: dict[str, Any]) -> dict[str, Any]:
    """The same, in a size that is quick to draw."""
    quick = {"width": 128, "height": 96, "length": 9, "steps": 4, "megapixels": 0.02, "seconds": 2.0}
    for node in graph.values():
        node["inputs"] |= {name: value for name, value in quick.items() if name in node["inputs"]}
    return graph


async def outputs_of(demo: Any, name: str) -> tuple[Path, dict[str, Any]]:
    graph = smaller(json.loads(json.dumps(PROMPTS[name])))
    workflow = json.loads((resources() / "workflows" / f"{name}.json").read_text("utf-8"))
    async with demo() as client:
        entry = await client.run(graph, extra_pnginfo={"workflow": workflow})
        assert entry["status"]["status_str"] == "success", entry["status"]
        (shown,) = entry["outputs"].values()
        saved = next(items[0] for media, items in shown.items() if media != "animated")
        return client.file(saved), workflow


@pytest.mark.parametrize("name", ["text_to_image", "image_to_image"])
async def test_a_picture(demo: Any, name: str) -> None:
    path, workflow = await outputs_of(demo, name)
    with Image.open(path) as image:
        assert image.format == "PNG"
        assert len(image.convert("RGB").getcolors(1 << 20) or ()) > 100, "something is drawn"
        text: dict[str, str] = getattr(image, "text", {})
    assert json.loads(text["workflow"]) == workflow
    assert {node["class_type"] for node in json.loads(text["prompt"]).values()} >= {"KSampler", "SaveImage"}


async def test_a_video(demo: Any) -> None:
    path, workflow = await outputs_of(demo, "text_to_video")
    assert path.name == "ComfyDesk_00001_.mp4"
    with av.open(str(path)) as file:
        assert json.loads(file.metadata["workflow"]) == workflow
        stream = file.streams.video[0]
        assert (stream.codec.name, stream.width, stream.height) == ("h264", 128, 96)
        assert sum(1 for _ in file.decode(stream)) == 9


async def test_a_tune(demo: Any) -> None:
    path, workflow = await outputs_of(demo, "text_to_audio")
    assert path.name == "ComfyDesk_00001.flac"
    with av.open(str(path)) as file:
        assert json.loads(file.metadata["workflow"]) == workflow
        assert file.duration is not None
        assert file.duration / av.time_base == pytest.approx(2.0, abs=0.05)


@pytest.mark.parametrize("name", NAMES)
def test_the_file_is_as_the_official_frontend_saves_it(name: str) -> None:
    workflow = json.loads((resources() / "workflows" / f"{name}.json").read_text("utf-8"))
    assert workflow["version"] == 0.4
    ids = {node["id"] for node in workflow["nodes"]}
    assert all(link[1] in ids and link[3] in ids for link in workflow["links"])
    assert all(node["properties"]["Node name for S&R"] == node["type"] for node in workflow["nodes"] if node["outputs"])
    about = workflow["extra"]["comfydesk"]
    assert about["title"]
    assert about["description"].endswith(".")
    pinned = {tuple(entry) for entry in workflow["extra"]["linearData"]["inputs"]}
    assert {name for _, name in pinned} >= {"seed", "steps"}
    assert {node for node, _ in pinned} <= {str(node_id) for node_id in ids}


@pytest.mark.parametrize("name", NAMES)
async def test_it_is_a_template_of_the_pod(demo: Any, name: str) -> None:
    async with demo() as client:
        (group,) = (await client.http.get("/templates/index.json")).json()
        entry = next(entry for entry in group["templates"] if entry["name"] == name)
        assert entry["title"]
        served = await client.http.get(f"/templates/{name}.json")
        assert served.json() == json.loads((resources() / "workflows" / f"{name}.json").read_text("utf-8"))


@pytest.mark.parametrize("name", NAMES)
async def test_our_conversion_makes_of_it_what_the_official_frontend_makes(demo: Any, name: str) -> None:
    async with demo() as client:
        catalog = Catalog.from_object_info((await client.http.get("/object_info")).json())
    graph = parse_workflow((resources() / "workflows" / f"{name}.json").read_bytes())
    assert to_api(graph, catalog).to_json() == PROMPTS[name]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("text_to_image", "a lighthouse by the sea at sunset"),
        ("image_to_image", "a forest lake with mountains in autumn"),
        ("text_to_video", "sailing boats on the sea under drifting clouds"),
        ("text_to_audio", "abstract waves of sound, blue and gold"),
    ],
)
def test_the_picture_of_its_card_is_what_the_demo_pod_draws(name: str, words: str) -> None:
    """Drawn once and kept beside it: drawn at each first start they took half of its processor time.

    `paint(words, seed=7, width=384, height=384).save(path, "WEBP", quality=85)` makes them anew.
    """
    drawn = paint(words, seed=7, width=384, height=384).convert("RGB")
    with Image.open(resources() / "workflows" / f"{name}.webp") as kept:
        apart = ImageStat.Stat(ImageChops.difference(drawn, kept.convert("RGB"))).mean
    assert max(apart) < 12, apart
