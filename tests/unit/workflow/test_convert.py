"""Conversion against what ComfyUI's own frontend (1.49.6, on a ComfyUI 0.33.0) makes of the same files.

Node titles and the order of keys do not count; numbers compare as doubles, since the goldens come out of a browser.
"""

import json
import lzma
import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from comfydesk.errors import GraphError
from comfydesk.workflow.catalog import Catalog
from comfydesk.workflow.convert import to_api
from comfydesk.workflow.graph import UiGraph
from comfydesk.workflow.parse import build_workflow, parse_workflow

DATA = Path(__file__).parents[2] / "data"

DEVIATIONS = {
    "text_dynamic_prompt_random": "{a|b} is drawn at random",
    "subgraph_output_node_inside_nested_bypassed": "the frontend lets a save node inside a bypassed instance run",
    "subgraph_primitive_node_outside": "the frontend loses the value of a primitive wired to a promoted widget",
    "templates_graphic_design_recomposer": "the frontend trusts stale target slots and wires the wrong widget",
}
"""Cases that differ on purpose; each has a test of its own below."""

RECORDED = datetime(2026, 11, 22, 13, 53, 22, tzinfo=UTC)
"""When the browser wrote a date into a file name."""

MADE_IN_THE_BROWSER = frozenset(
    {
        *("Load3D", "Load3DAnimation", "Load3DAdvanced", "Preview3D", "Preview3DAnimation", "Preview3DAdvanced"),
        *("PreviewGaussianSplat", "PreviewPointCloud", "SaveGLB", "SaveGaussianSplat", "SavePointCloud"),
        *("Save3DAdvanced", "Painter", "WebcamCapture", "RecordAudio"),
    }
)
"""Classes whose values are screenshots, cameras and uploads taken while converting."""


def golden(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(lzma.decompress((DATA / f"convert_{name}.json.xz").read_bytes()))
    return loaded


def converted(document: Any, catalog: Catalog) -> dict[str, Any]:
    """The graph as it would go over the wire."""
    graph = to_api(parse_workflow(json.dumps(document)), catalog, now=RECORDED)
    loaded: dict[str, Any] = json.loads(json.dumps(graph.to_json()))
    return loaded


def differences(ours: dict[str, Any], theirs: dict[str, Any]) -> Iterator[str]:
    for node_id in ours.keys() ^ theirs.keys():
        yield f"{node_id} is {'missing' if node_id in theirs else 'extra'}"
    for node_id in ours.keys() & theirs.keys():
        mine, other = ours[node_id], theirs[node_id]
        if mine.get("class_type") != other.get("class_type"):
            yield f"{node_id} is a {mine.get('class_type')}, not a {other.get('class_type')}"
        elif mine.get("class_type") not in MADE_IN_THE_BROWSER:
            yield from input_differences(node_id, mine["inputs"], other["inputs"])


def input_differences(node_id: str, ours: dict[str, Any], theirs: dict[str, Any]) -> Iterator[str]:
    for name in ours.keys() | theirs.keys():
        mine, other = ours.get(name, "(absent)"), theirs.get(name, "(absent)")
        if not same(mine, other):
            yield f"{node_id}.{name} is {mine!r:.60}, not {other!r:.60}"


def same(one: Any, other: Any) -> bool:
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, int | float) and isinstance(other, int | float):
        return float(one) == float(other)
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and bool(one == other)


def wrong(cases: Iterator[tuple[str, Any, Any]], catalog: Catalog) -> dict[str, list[str]]:
    """Case → its first differences. A case without an expected graph must end in a GraphError."""
    found: dict[str, list[str]] = {}
    for name, document, expected in cases:
        if name in DEVIATIONS:
            continue
        try:
            complaints = list(differences(converted(document, catalog), expected))[:4]
        except GraphError as error:
            complaints = [str(error)]
        if complaints:
            found[name] = complaints
    return found


# --- The frontend's own answers ---------------------------------------------------------------------------------


def test_templates_convert_as_in_the_frontend(template_folder: Path, catalog: Catalog) -> None:
    expected = golden("templates")
    files = ((name, json.loads((template_folder / f"{name}.json").read_bytes()), expected[name]) for name in expected)
    assert len(expected) == 358
    assert wrong(files, catalog) == {}


def test_blueprints_convert_as_in_the_frontend(catalog: Catalog) -> None:
    cases = golden("blueprints")
    assert len(cases) == 67
    assert wrong(((name, case["ui"], case["api"]) for name, case in cases.items()), catalog) == {}


def test_edge_cases_convert_as_in_the_frontend(catalog: Catalog) -> None:
    cases = {name: case for name, case in golden("edge").items() if name != "subgraph_passthrough_boundary"}
    assert len(cases) == 64
    assert wrong(((name, case["ui"], case["api"]) for name, case in cases.items()), catalog) == {}


# --- Where the frontend is wrong --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def edge(catalog: Catalog) -> Callable[[str], dict[str, Any]]:
    cases = golden("edge")
    return lambda name: converted(cases[name]["ui"], catalog)


def test_dynamic_prompts_are_drawn_with_the_given_chance(catalog: Catalog) -> None:
    graph = build_workflow(golden("edge")["text_dynamic_prompt_random"]["ui"])
    draws = {
        json.dumps(to_api(graph, catalog, rng=random.Random(seed)).to_json(), sort_keys=True)
        for seed in (1, 1, 2, 3, 4)
    }
    assert 1 < len(draws) < 5


def test_a_save_node_inside_a_bypassed_instance_does_not_run(edge: Callable[[str], dict[str, Any]]) -> None:
    nodes = edge("subgraph_output_node_inside_nested_bypassed")
    assert not [key for key, node in nodes.items() if key.count(":") > 1 and node["class_type"].startswith("Preview")]


def test_a_primitive_reaches_the_promoted_widget_it_is_wired_to(edge: Callable[[str], dict[str, Any]]) -> None:
    assert edge("subgraph_primitive_node_outside")["4:2"]["inputs"]["blur_radius"] == 17


def test_a_replaced_primitive_feeds_the_sockets_that_hold_its_links(
    template: Callable[[str], UiGraph], catalog: Catalog
) -> None:
    nodes = to_api(template("templates_graphic_design_recomposer"), catalog).nodes.values()
    ratios = {node.inputs["model.aspect_ratio"] for node in nodes if "model.aspect_ratio" in node.inputs}
    assert "16:9" in ratios
    assert not any("gemini" in str(ratio) for ratio in ratios)


def test_a_wire_straight_through_a_subgraph_is_followed(edge: Callable[[str], dict[str, Any]]) -> None:
    nodes = edge("subgraph_passthrough_boundary")
    assert all(link[0] in nodes for node in nodes.values() for link in node["inputs"].values() if type(link) is list)
