"""A LoRA that is added stands right behind the model: in the document, and in what is sent."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from comfydesk.errors import GraphError
from comfydesk.workflow.add_lora import add_lora, loras_of, why_not
from comfydesk.workflow.catalog import Catalog
from comfydesk.workflow.convert import to_api
from comfydesk.workflow.fields import Role
from comfydesk.workflow.form import build_form
from comfydesk.workflow.graph import ApiGraph, ApiLink, UiGraph
from comfydesk.workflow.parse import build_workflow, parse_workflow

LORA = "film/coastal.safetensors"


@pytest.fixture
def stocked(object_info: dict[str, Any]) -> Catalog:
    """The real pod's catalog, with two LoRAs on its disk."""
    info = copy.deepcopy({name: object_info[name] for name in object_info})
    for name in ("LoraLoader", "LoraLoaderModelOnly"):
        info[name]["input"]["required"]["lora_name"] = [["film/coastal.safetensors", "ink.safetensors"], {}]
    return Catalog.from_object_info(info)


@pytest.fixture
def bundled() -> UiGraph:
    path = Path(__file__).parents[3] / "resources" / "workflows" / "text_to_image.json"
    graph = parse_workflow(path.read_bytes())
    assert isinstance(graph, UiGraph)
    return graph


def lora_nodes(graph: ApiGraph) -> list[tuple[str, Any]]:
    return [(node_id, node) for node_id, node in graph.nodes.items() if node.class_type.startswith("LoraLoader")]


def users_of(graph: ApiGraph, link: ApiLink) -> set[str]:
    return {node_id for node_id, node in graph.nodes.items() for _, found in node.links() if found == link}


def test_model_and_text_encoder_go_through_it(bundled: UiGraph, stocked: Catalog) -> None:
    before = to_api(bundled, stocked)
    made = add_lora(bundled, LORA, stocked)
    after = to_api(made, stocked)
    ((new, node),) = lora_nodes(after)
    (loader,) = [node_id for node_id, each in before.nodes.items() if each.class_type == "CheckpointLoaderSimple"]
    assert node.class_type == "LoraLoader"
    assert node.inputs == {
        "model": ApiLink(loader, 0),
        "clip": ApiLink(loader, 1),
        "lora_name": LORA,
        "strength_model": 1.0,
        "strength_clip": 1.0,
    }
    assert users_of(after, ApiLink(new, 0)) == users_of(before, ApiLink(loader, 0))
    assert users_of(after, ApiLink(new, 1)) == users_of(before, ApiLink(loader, 1))
    assert users_of(after, ApiLink(loader, 0)) == users_of(after, ApiLink(loader, 1)) == {new}
    assert users_of(after, ApiLink(loader, 2)) == users_of(before, ApiLink(loader, 2)), "the VAE is not its business"


def test_the_graph_it_was_made_from_stays_as_it_was(bundled: UiGraph, stocked: Catalog) -> None:
    before = json.dumps(bundled.raw)
    add_lora(bundled, LORA, stocked)
    assert json.dumps(bundled.raw) == before


def test_two_of_them_stand_in_a_row_and_the_form_has_both(bundled: UiGraph, stocked: Catalog) -> None:
    twice = add_lora(add_lora(bundled, LORA, stocked), "ink.safetensors", stocked, 0.5)
    assert isinstance(twice, UiGraph)
    form = build_form(twice, stocked)
    assert sorted(field.default for field in form.with_role(Role.LORA)) == [
        "film/coastal.safetensors",
        "ink.safetensors",
    ]
    graph = to_api(twice, stocked)
    ids = {node_id for node_id, _ in lora_nodes(graph)}
    inner = [node for _, node in lora_nodes(graph) if node.inputs["model"].node in ids]
    assert len(inner) == 1, "one takes what the other gives"


def test_a_model_without_its_text_encoder_takes_the_node_for_models_alone(
    stocked: Catalog, api: Callable[..., ApiGraph]
) -> None:
    graph = api(
        {
            "1": ("UNETLoader", {"unet_name": "flux.safetensors", "weight_dtype": "default"}),
            "2": ("CLIPLoader", {"clip_name": "t5.safetensors", "type": "flux"}),
            "7": ("CLIPTextEncode", {"text": "a cat", "clip": ["2", 0]}),
            "9": ("KSampler", {"model": ["1", 0], "positive": ["7", 0], "seed": 1}),
        }
    )
    made = add_lora(graph, LORA, stocked, 0.7)
    assert isinstance(made, ApiGraph)
    assert made.nodes["10"].class_type == "LoraLoaderModelOnly"
    assert made.nodes["10"].inputs == {"model": ApiLink("1", 0), "lora_name": LORA, "strength_model": 0.7}
    assert made.nodes["9"].inputs["model"] == ApiLink("10", 0)
    assert made.nodes["7"].inputs["clip"] == ApiLink("2", 0)


def test_inside_a_subgraph_too(template_folder: Path, stocked: Catalog) -> None:
    """Official templates keep their loaders in subgraphs, with links as objects and reroutes among them."""
    tried = 0
    for path in sorted(template_folder.glob("*.json")):
        try:
            graph = parse_workflow(path.read_bytes())
            before = to_api(graph, stocked)
        except GraphError:
            continue  # an index, or one that needs another server
        if not isinstance(graph, UiGraph) or why_not(graph, stocked):
            continue
        after = to_api(add_lora(graph, LORA, stocked), stocked)
        news = set(after.nodes) - set(before.nodes)
        assert len(news) >= 1, path.name  # a definition with several instances gets it in each
        for new in news:
            node = after.nodes[new]
            assert node.class_type.startswith("LoraLoader"), path.name
            source = node.inputs["model"]
            assert users_of(after, ApiLink(new, 0)) == users_of(before, source), path.name
            assert users_of(after, source) == {new}, path.name
        unchanged = {each: node.class_type for each, node in before.nodes.items()}
        assert {each: after.nodes[each].class_type for each in unchanged} == unchanged, path.name
        tried += 1
        if tried >= 40:
            break
    assert tried >= 20


def test_what_cannot_take_one_says_why(catalog: Catalog, stocked: Catalog, api: Callable[..., ApiGraph]) -> None:
    picture = api({"1": ("LoadImage", {"image": "a.png"}), "2": ("SaveImage", {"images": ["1", 0]})})
    two = api(
        {
            "1": ("UNETLoader", {"unet_name": "high"}),
            "2": ("UNETLoader", {"unet_name": "low"}),
            "3": ("KSampler", {"model": ["1", 0]}),
            "4": ("KSampler", {"model": ["2", 0]}),
        }
    )
    assert loras_of(stocked)[0] == LORA
    assert why_not(picture, stocked) == "No node of this workflow loads a model for LoRAs"
    assert why_not(two, stocked).startswith("This workflow loads several models")
    assert why_not(two, catalog) == "The pod has no LoRAs", "a list without names"
    with pytest.raises(GraphError, match="several models"):
        add_lora(two, LORA, stocked)


@pytest.mark.parametrize(
    "document",
    [
        {"nodes": [{"id": 4, "type": "CheckpointLoaderSimple", "outputs": "none"}], "links": "none"},
        {"nodes": [{"id": 4, "type": "CheckpointLoaderSimple"}], "links": [[1, 4, 0, 9, 0, "MODEL"], None, [3]]},
        {"nodes": [None, {"id": [], "type": {}}], "links": [], "definitions": {"subgraphs": "x"}},
    ],
)
def test_broken_documents_are_refused_or_taken_never_a_crash(document: dict[str, Any], stocked: Catalog) -> None:
    try:
        graph = build_workflow({"version": 0.4, **document})
    except GraphError:
        return
    if not why_not(graph, stocked):
        add_lora(graph, LORA, stocked)
