"""Cards: what goes in, what comes out, what it needs, from the graph itself; and broken files as cards."""

import copy
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from comfydesk.errors import GraphError
from comfydesk.workflow.catalog import Catalog
from comfydesk.workflow.convert import to_api
from comfydesk.workflow.graph import ApiGraph, UiGraph
from comfydesk.workflow.parse import build_workflow, parse_workflow
from comfydesk.workflow.scan import RequiredModel, card_of_broken, scan

Template = Callable[[str], UiGraph]
Index = list[dict[str, Any]]

MEDIA_CATEGORIES = {"Image", "Video", "Audio", "3D Model"}
"""The index files "Use Cases", "Utility" and the like under the type image, videos and texts too."""
MEDIA_OF_INDEX = {"image", "video", "audio"}


def ui(document: dict[str, Any]) -> UiGraph:
    graph = build_workflow(document)
    assert isinstance(graph, UiGraph)
    return graph


# --- Against the official index --------------------------------------------------------------------------------------


@pytest.fixture(params=[True, False], ids=["with a catalog", "without"])
def known(request: pytest.FixtureRequest, catalog: Catalog) -> Catalog | None:
    return catalog if request.param else None


def test_input_media_agree_with_the_official_index(
    template: Template, template_index: Index, known: Catalog | None
) -> None:
    """Must be right for 97 %. The index counts bypassed loaders too: here active ones decide on both sides."""
    wrong = []
    for entry in template_index:
        graph = template(entry["name"])
        inactive = {node.id for node in graph.root.nodes if not node.active}
        listed = entry.get("io", {}).get("inputs", [])
        wanted = {each["mediaType"] for each in listed if str(each["nodeId"]) not in inactive}
        if set(scan(graph, known).input_types) & MEDIA_OF_INDEX != wanted:
            wrong.append(entry["name"])
    assert len(template_index) > 500
    assert len(wrong) <= 0.01 * len(template_index), wrong


def test_input_media_agree_with_the_index_to_the_letter_too(template: Template, template_index: Index) -> None:
    """Bypassed loaders counted as the index does: still 97 %."""
    wrong = [
        entry["name"]
        for entry in template_index
        if set(scan(template(entry["name"])).input_types) - {"text"}
        != {each["mediaType"] for each in entry.get("io", {}).get("inputs", [])}
    ]
    assert len(wrong) <= 0.03 * len(template_index), wrong


def test_the_main_output_is_of_the_categorys_type(
    template: Template, template_index: Index, known: Catalog | None
) -> None:
    """Must be right for 95 %."""
    entries = [entry for entry in template_index if entry["category"] in MEDIA_CATEGORIES]
    wrong = [
        entry["name"]
        for entry in entries
        if scan(template(entry["name"]), known).output_types[:1] != (entry["category_type"],)
    ]
    assert len(entries) > 350
    assert len(wrong) <= 0.05 * len(entries), wrong


def declared_models(document: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """By plain recursion over the JSON: what active nodes declare."""
    definitions = {each["id"]: each for each in (document.get("definitions") or {}).get("subgraphs", [])}

    def of(nodes: list[dict[str, Any]]) -> Iterator[tuple[str, str, str]]:
        for node in nodes:
            if node.get("mode", 0) in (2, 4):
                continue
            for model in (node.get("properties") or {}).get("models") or []:
                yield model["name"], model["directory"], model["url"]
            if node["type"] in definitions:
                yield from of(definitions[node["type"]]["nodes"])

    return of(document["nodes"])


def test_required_models_are_the_declared_ones(template: Template, template_index: Index) -> None:
    with_models = 0
    for entry in template_index:
        graph = template(entry["name"])
        found = {(model.name, model.directory, model.url) for model in scan(graph).required_models}
        assert found == set(declared_models(dict(graph.raw))), entry["name"]
        with_models += bool(found)
    assert with_models > 200


def test_an_api_file_gets_the_card_of_the_workflow_it_came_from(
    template: Template, template_index: Index, catalog: Catalog
) -> None:
    different = []
    for entry in template_index[::5]:
        graph = template(entry["name"])
        ours, theirs = scan(graph, catalog), scan(to_api(graph, catalog), catalog)
        if (ours.type, ours.output_types[:1]) != (theirs.type, theirs.output_types[:1]):
            different.append(entry["name"])
    assert len(different) <= 2, different


# --- Single facts ----------------------------------------------------------------------------------------------------


def loader(node_id: int, kind: str, out: str, value: str, **more: Any) -> dict[str, Any]:
    outputs = [{"name": out, "type": out, "links": [node_id]}]
    return {"id": node_id, "type": kind, "mode": 0, "outputs": outputs, "widgets_values": [value, "image"], **more}


def saver(node_id: int, kind: str, wire: str, link: int) -> dict[str, Any]:
    return {"id": node_id, "type": kind, "mode": 0, "inputs": [{"name": "images", "type": wire, "link": link}]}


@pytest.mark.parametrize(
    ("kind", "out", "expected"),
    [
        ("LoadImage", "IMAGE", ("image",)),
        ("VHS_LoadVideo", "IMAGE", ("video",)),
        ("LoadAudio", "AUDIO", ("audio",)),
        ("Load3D", "MESH", ("3d",)),
        ("UNETLoader", "MODEL", ()),
        ("LoadLatent", "LATENT", ()),
    ],
)
def test_loaders_are_known_by_what_they_give(kind: str, out: str, expected: tuple[str, ...]) -> None:
    graph = ui({"nodes": [loader(1, kind, out, "x.bin")], "links": []})
    assert scan(graph).input_types == expected


def test_bypassed_and_muted_nodes_do_not_count() -> None:
    nodes = [loader(1, "LoadImage", "IMAGE", "a.png", mode=4), loader(2, "LoadAudio", "AUDIO", "a.mp3", mode=2)]
    card = scan(ui({"nodes": [*nodes, saver(3, "SaveImage", "IMAGE", 1)], "links": [[1, 1, 0, 3, 0, "IMAGE"]]}))
    assert (card.input_types, card.node_types, card.node_count) == ((), ("SaveImage",), 1)


@pytest.mark.parametrize(
    ("kind", "wire", "expected"),
    [
        ("SaveImage", "IMAGE", ("image",)),
        ("SaveAnimatedWEBP", "IMAGE", ("video",)),
        ("VHS_VideoCombine", "IMAGE", ("video",)),
        ("SaveSVGNode", "SVG", ("image",)),
        ("SaveGLB", "MESH", ("3d",)),
        ("PreviewAny", "STRING", ("text",)),
        ("SaveLatent", "LATENT", ()),
    ],
)
def test_savers_are_known_by_what_they_get(kind: str, wire: str, expected: tuple[str, ...]) -> None:
    graph = ui(
        {"nodes": [loader(1, "Make", wire, ""), saver(2, kind, wire, 1)], "links": [[1, 1, 0, 2, 0, wire]]},
    )
    assert scan(graph).output_types == expected


def test_what_is_only_shown_counts_when_nothing_is_saved() -> None:
    nodes = [loader(1, "LoadImage", "IMAGE", "a.png"), saver(2, "PreviewImage", "IMAGE", 1)]
    links = [[1, 1, 0, 2, 0, "IMAGE"], [2, 1, 0, 3, 0, "VIDEO"]]
    assert scan(ui({"nodes": nodes, "links": links})).output_types == ("image",)
    assert scan(ui({"nodes": [*nodes, saver(3, "SaveVideo", "VIDEO", 2)], "links": links})).output_types == ("video",)


def test_a_wire_from_a_muted_node_brings_nothing() -> None:
    nodes = [loader(1, "LoadImage", "IMAGE", "a.png", mode=2), saver(2, "SaveImage", "IMAGE", 1)]
    assert scan(ui({"nodes": nodes, "links": [[1, 1, 0, 2, 0, "IMAGE"]]})).output_types == ()


def test_models_inside_subgraphs_with_their_hashes_and_junk_passed_over() -> None:
    models = [
        {"name": "a.safetensors", "url": "https://x/a", "directory": "loras", "hash": "ABC1", "hash_type": "SHA256"},
        {"name": "b.safetensors", "url": "https://x/b", "directory": "vae", "hash": "0f", "hash_type": "md5"},
        {"name": 5},
        None,
    ]
    inner = {"id": 7, "type": "LoraLoader", "mode": 0, "properties": {"models": models}}
    definition = {"id": "d-1", "name": "Inside", "nodes": [inner], "links": []}
    card = scan(ui({"nodes": [{"id": 1, "type": "d-1"}], "links": [], "definitions": {"subgraphs": [definition]}}))
    assert card.required_models == (
        RequiredModel("a.safetensors", "loras", "https://x/a", "abc1"),
        RequiredModel("b.safetensors", "vae", "https://x/b", ""),
    )


def test_nodes_the_pod_does_not_have_are_named(catalog: Catalog) -> None:
    graph = ui({"nodes": [{"id": 1, "type": "KSampler"}, {"id": 2, "type": "Pack_Fancy"}], "links": []})
    assert scan(graph, catalog).custom_nodes == ("Pack_Fancy",)
    assert scan(graph).custom_nodes == ()


# --- Identity --------------------------------------------------------------------------------------------------------


def test_the_id_is_of_the_content_not_of_the_file(template: Template) -> None:
    graph = template("video_wan2_2_14B_i2v")
    card = scan(graph, file_name="a.json")
    document = json.loads(json.dumps(dict(graph.raw)))
    rewritten = json.loads(json.dumps(document, indent=4, sort_keys=True))
    for node in rewritten["nodes"]:
        node["pos"] = [0, 0]
    rewritten["extra"]["ds"] = {"scale": 3}
    assert scan(ui(rewritten), file_name="elsewhere/b.json").id == card.id
    edited = copy.deepcopy(document)
    edited["nodes"][0]["mode"] = 2
    assert scan(ui(edited)).id != card.id


def test_the_name_is_the_files() -> None:
    graph = ui({"nodes": [], "links": []})
    assert scan(graph, file_name="My flow v1.2.json").name == "My flow v1.2"
    assert scan(graph, file_name=".json").name == ".json"


def test_a_card_says_in_words_what_the_workflow_does(template: Template) -> None:
    card = scan(template("video_wan2_2_14B_i2v"))
    assert (card.type, card.category) == ("i2v", "Video")
    assert card.description == "Image and text to video with wan2.2_i2v_low_noise_14B_fp8_scaled"


# --- Broken and monstrous --------------------------------------------------------------------------------------------


def test_a_broken_file_is_a_card_that_says_why() -> None:
    card = card_of_broken("a/Old flow.json", GraphError("This is not a workflow file", "It holds no text"))
    assert (card.name, card.format, card.type) == ("Old flow", "", None)
    assert card.error == "This is not a workflow file. It holds no text."


def test_a_subgraph_that_contains_itself_is_an_error() -> None:
    looped = {"id": "d-1", "name": "Loop", "nodes": [{"id": 5, "type": "d-1"}], "links": []}
    graph = ui({"nodes": [{"id": 1, "type": "d-1"}], "links": [], "definitions": {"subgraphs": [looped]}})
    with pytest.raises(GraphError, match="Subgraph 'Loop' contains itself"):
        scan(graph)


def test_subgraphs_that_multiply_are_counted_without_being_expanded() -> None:
    definitions: list[dict[str, Any]] = [
        {"id": f"d-{n}", "nodes": [{"id": i, "type": f"d-{n + 1}"} for i in range(10)], "links": []} for n in range(30)
    ]
    definitions.append({"id": "d-30", "nodes": [{"id": 1, "type": "EmptyImage"}], "links": []})
    started = time.perf_counter()
    document = {"nodes": [{"id": 1, "type": "d-0"}], "links": [], "definitions": {"subgraphs": definitions}}
    assert scan(ui(document)).node_count == 10**30
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize(
    "values", [None, {"a": [1, {"b": None}]}, [None, float("nan"), 10**400, "\ud800", [[]]], "text", 5]
)
def test_odd_values_do_not_matter(values: Any) -> None:
    node = {"id": 1, "type": "LoadImage", "widgets_values": values, "properties": {"models": {"not": "a list"}}}
    assert scan(ui({"nodes": [node], "links": []})).node_count == 1


@pytest.mark.parametrize("depth", [300, 985, 990, 993])
def test_depth_that_the_parser_let_through_ends_in_a_card_or_an_error(depth: int) -> None:
    values = '["]",' * depth + "1" + "]" * depth  # brackets in strings hide the real ones from a count
    try:
        card = scan(parse_workflow(f'{{"nodes": [{{"id": 1, "type": "X", "widgets_values": {values}}}], "links": []}}'))
    except GraphError as error:
        card = card_of_broken("x.json", error)
    assert card.node_count == 1 or "nested" in card.error


def test_an_empty_graph_makes_nothing() -> None:
    card = scan(ApiGraph({}))
    assert (card.type, card.output_types, card.description) == (None, (), "")
