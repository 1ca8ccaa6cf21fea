"""The document that goes along opens as what made the picture."""

import importlib.resources
import json
import lzma
from pathlib import Path
from typing import Any

import pytest

from comfydesk.paths import resources
from comfydesk.session.jobs.embed import Places
from comfydesk.workflow.catalog import Catalog
from comfydesk.workflow.convert import to_api
from comfydesk.workflow.fields import Role
from comfydesk.workflow.form import build_form
from comfydesk.workflow.parse import build_workflow
from comfydesk.workflow.patch import plain_value, split_field


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    data = (Path(__file__).parents[3] / "data" / "object_info.json.xz").read_bytes()
    return Catalog.from_object_info(json.loads(lzma.decompress(data)))


def template(name: str) -> dict[str, Any]:
    package = importlib.resources.files("comfyui_workflow_templates_json")
    document: dict[str, Any] = json.loads((package / "templates" / f"{name}.json").read_bytes())
    return document


def values_in(document: Any, fields: Any, catalog: Catalog) -> dict[str, Any]:
    """What the document's graph has in those fields."""
    graph = to_api(build_workflow(document), catalog)
    found = {}
    for field in fields:
        node, name = split_field(field, graph)
        found[field] = plain_value(graph.nodes[node].inputs[name])
    return found


NEW: dict[Role, Any] = {
    Role.PROMPT: "a lighthouse",
    Role.SEED: 2**63 + 1,
    Role.STEPS: 3,
    Role.WIDTH: 520,
    Role.CFG: 1.25,
}


@pytest.mark.parametrize(
    "name",
    [
        "sd3.5_simple_example",
        "flux_schnell",
        "image_z_image_turbo",  # the fields are promoted from inside a subgraph
        "text_to_video_wan",
        "image_qwen_image_2512_with_2steps_lora",
    ],
)
def test_official_templates_take_the_values_of_their_forms(name: str, catalog: Catalog) -> None:
    document = template(name)
    original = json.dumps(document)
    form = build_form(build_workflow(document), catalog)
    values = form.spread({form.with_role(role)[0].id: value for role, value in NEW.items() if form.with_role(role)})
    assert len(values) >= 3
    filled = Places(document).fill(values, catalog)
    assert values_in(filled, values, catalog) == values
    assert json.dumps(document) == original, "the document that is stored stays as it is"


def test_nothing_else_changes(catalog: Catalog) -> None:
    document = json.loads((resources() / "workflows" / "text_to_image.json").read_bytes())
    form = build_form(build_workflow(document), catalog)
    field = form.with_role(Role.PROMPT)[0].id
    places = Places(document)
    filled = places.fill({field: "a lighthouse"}, catalog)
    before = to_api(build_workflow(document), catalog).to_json()
    after = to_api(build_workflow(dict(filled)), catalog).to_json()
    node, name = field.split(".", 1)
    before[node]["inputs"][name] = "a lighthouse"
    assert after == before
    assert places.fill({}, catalog) == document


def test_values_that_are_there_already_change_nothing(catalog: Catalog) -> None:
    document = template("sd3.5_simple_example")
    form = build_form(build_workflow(document), catalog)
    same = {field.id: field.default for field in form.pinned}
    assert Places(document).fill(same, catalog) is document


def node(number: int, kind: str, values: list[Any], links: list[int] | None = None) -> dict[str, Any]:
    inputs = [{"name": "images", "type": "IMAGE", "link": link} for link in links or []]
    outputs = [] if links else [{"name": "IMAGE", "type": "IMAGE", "links": [number]}]
    return {
        "id": number, "type": kind, "mode": 0, "inputs": inputs, "outputs": outputs, "widgets_values": values
    }  # fmt: skip


def two_images() -> dict[str, Any]:
    """Four equal numbers in each of two nodes: a place cannot be told by its value."""
    nodes = [
        node(1, "EmptyImage", [16, 16, 1, 16]),
        node(2, "EmptyImage", [16, 16, 1, 16]),
        node(3, "SaveImage", ["a"], [1]),
        node(4, "SaveImage", ["a"], [2]),
    ]
    links = [[1, 1, 0, 3, 0, "IMAGE"], [2, 2, 0, 4, 0, "IMAGE"]]
    return {"last_node_id": 4, "last_link_id": 2, "nodes": nodes, "links": links, "version": 0.4}


def test_equal_values_are_told_apart(catalog: Catalog) -> None:
    filled = Places(two_images()).fill({"2.height": 24, "1.color": 7, "4.filename_prefix": "b"}, catalog)
    assert [entry["widgets_values"] for entry in filled["nodes"]] == [[16, 16, 1, 7], [16, 24, 1, 16], ["a"], ["b"]]


def test_a_field_that_the_document_does_not_have_is_left_alone(catalog: Catalog) -> None:
    document = two_images()
    assert Places(document).fill({"9.height": 24, "2.nothing": 1}, catalog) == document


def test_a_document_that_cannot_be_converted_goes_along_as_it_is(catalog: Catalog) -> None:
    broken = {"nodes": 5}
    assert Places(broken).fill({"2.height": 24}, catalog) is broken
