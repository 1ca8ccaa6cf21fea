"""The blueprints of ComfyUI 0.33.0, opened by themselves: what they load and save, and why one cannot run."""

import json
import lzma
from pathlib import Path
from typing import Any

import pytest

from comfydesk.errors import GraphError
from comfydesk.workflow.blueprint import is_blueprint, made_to_run
from comfydesk.workflow.catalog import Catalog
from comfydesk.workflow.convert import to_api
from comfydesk.workflow.fields import Kind
from comfydesk.workflow.form import build_form
from comfydesk.workflow.graph import UiGraph
from comfydesk.workflow.parse import build_workflow
from comfydesk.workflow.scan import scan
from comfydesk.workflow.specs import Section

DATA = Path(__file__).parents[2] / "data"
STUCK = {"Video Inpainting (Wan2.1 VACE)"}
"""Wired wrongly by its author: a node inside has no picture, and no input leads to it."""


@pytest.fixture(scope="module")
def blueprints() -> dict[str, UiGraph]:
    cases: dict[str, Any] = json.loads(lzma.decompress((DATA / "convert_blueprints.json.xz").read_bytes()))
    graphs = {name: build_workflow(case["ui"]) for name, case in cases.items()}
    return {name: graph for name, graph in graphs.items() if isinstance(graph, UiGraph)}


def added(graph: UiGraph, blueprint: UiGraph) -> list[str]:
    """The node types around the blueprint."""
    before = {node.id for node in blueprint.root.nodes}
    return [node.type for node in graph.root.nodes if node.id not in before]


def test_nearly_all_can_be_sent_with_every_socket_fed_and_something_saved(
    blueprints: dict[str, UiGraph], catalog: Catalog
) -> None:
    stuck = set()
    for name, blueprint in blueprints.items():
        assert is_blueprint(blueprint), name
        try:
            api = to_api(made_to_run(blueprint, catalog), catalog)
        except GraphError:
            stuck.add(name)
            continue
        specs = {id_: catalog.nodes[node.class_type] for id_, node in api.nodes.items()}
        assert any(spec.output_node for spec in specs.values()), name
        for id_, spec in specs.items():
            for entry in spec.inputs:
                if entry.section is Section.REQUIRED and not entry.is_widget and entry.autogrow is None:
                    assert entry.name in api.nodes[id_].inputs, (name, id_, entry.name)
    assert len(blueprints) == 67
    assert stuck == STUCK


def test_what_cannot_run_says_why(blueprints: dict[str, UiGraph], catalog: Catalog) -> None:
    with pytest.raises(GraphError, match="cannot run by itself") as caught:
        made_to_run(blueprints["Video Inpainting (Wan2.1 VACE)"], catalog)
    assert "Get Image from Batch wants IMAGE" in caught.value.why


@pytest.mark.parametrize(
    ("name", "around"),
    [
        ("Text to Image", ["SaveImage"]),
        ("Text to Audio (ACE-Step 1.5)", ["SaveAudio"]),
        ("Image to Video (Wan 2.2)", ["LoadImage", "SaveVideo"]),
        ("First-Last-Frame to Video", ["LoadImage", "LoadImage", "SaveVideo"]),
        ("Image Edit (Qwen 2509)", ["LoadImage", "SaveImage"]),  # the other two pictures can be left out
        ("Merge Videos", ["LoadVideo", "LoadVideo", "SaveVideo"]),
        ("Frame Interpolation", ["LoadVideo", "SaveVideo"]),  # not thousands of single frames
        ("Image to Model (Hunyuan3d 2.1)", ["LoadImage", "SaveGLB"]),
        ("Video Face Detection (Mediapipe)", ["LoadVideo", "MaskToImage", "SaveImage"]),
        ("Prompt Enhance", ["LoadImage", "PreviewAny"]),
    ],
)
def test_what_is_put_around(blueprints: dict[str, UiGraph], catalog: Catalog, name: str, around: list[str]) -> None:
    assert added(made_to_run(blueprints[name], catalog), blueprints[name]) == around


def test_a_mask_comes_from_its_picture_so_that_it_can_be_painted(
    blueprints: dict[str, UiGraph], catalog: Catalog
) -> None:
    graph = made_to_run(blueprints["Image Inpainting (Qwen-image)"], catalog)
    assert added(graph, blueprints["Image Inpainting (Qwen-image)"]) == ["LoadImage", "SaveImage"]
    loader = next(node for node in graph.root.nodes if node.type == "LoadImage")
    assert [bool(slot.links) for slot in loader.outputs] == [True, True]


def test_its_editors_and_their_ids_stay_as_they_are(blueprints: dict[str, UiGraph], catalog: Catalog) -> None:
    for name in ("Text to Image", "Image Edit (Flux.2 Klein 4B)", "Video Stitch"):
        before = to_api(blueprints[name], catalog)
        after = to_api(made_to_run(blueprints[name], catalog), catalog)
        for id_, node in before.nodes.items():
            kept = {key: value for key, value in after.nodes[id_].inputs.items() if key in node.inputs}
            assert kept == dict(node.inputs), (name, id_)


def test_the_form_asks_for_the_pictures_by_the_authors_names(blueprints: dict[str, UiGraph], catalog: Catalog) -> None:
    graph = made_to_run(blueprints["First-Last-Frame to Video"], catalog)
    fields = [entry for entry in build_form(graph, catalog).fields if entry.kind is Kind.IMAGE]
    assert [entry.label for entry in fields] == ["Image: First frame", "Image: Last frame"]
    assert all(entry.default == "" for entry in fields), "none is chosen unasked"


def test_other_workflows_are_left_alone(blueprints: dict[str, UiGraph], catalog: Catalog) -> None:
    once = made_to_run(blueprints["Text to Image"], catalog)
    assert not is_blueprint(once)
    assert made_to_run(once, catalog) is once
    empty = build_workflow({"nodes": [], "links": []})
    assert isinstance(empty, UiGraph)
    assert made_to_run(empty) is empty


def test_what_makes_nothing_to_save_says_so(catalog: Catalog) -> None:
    inner = {"id": 2, "type": "CLIPLoader", "outputs": [{"name": "CLIP", "type": "CLIP", "links": [1]}]}
    definition = {
        "id": "clip",
        "name": "A text encoder",
        "nodes": [inner],
        "links": [{"id": 1, "origin_id": 2, "origin_slot": 0, "target_id": -20, "target_slot": 0, "type": "CLIP"}],
        "inputs": [],
        "outputs": [{"id": "a", "name": "CLIP", "type": "CLIP", "linkIds": [1]}],
    }
    host = {"id": 1, "type": "clip", "outputs": [{"name": "CLIP", "type": "CLIP", "links": []}]}
    graph = build_workflow({"nodes": [host], "links": [], "definitions": {"subgraphs": [definition]}})
    assert isinstance(graph, UiGraph)
    with pytest.raises(GraphError) as caught:
        made_to_run(graph, catalog)
    assert caught.value.why == "It makes CLIP, which cannot be saved as a file"


def test_its_card_says_what_goes_in_and_out_once_it_is_opened(blueprints: dict[str, UiGraph]) -> None:
    card = scan(blueprints["Image to Video (Wan 2.2)"], file_name="a.json")
    assert (card.type, card.input_types, card.output_types) == ("i2v", ("image", "text"), ("video",))
    assert {"LoadImage", "SaveVideo"} <= set(card.node_types), "a pod without them is not ready for it"
    assert card.category == "Video generation and editing/Image to video"
