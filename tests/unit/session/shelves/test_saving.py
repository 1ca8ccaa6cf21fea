"""A saved workflow has the form's values where ComfyUI keeps them, and says what it could not take along."""

import json
import lzma
from pathlib import Path
from typing import Any

import pytest

from comfydesk.paths import resources
from comfydesk.session.shelves.reading import prepare
from comfydesk.session.shelves.saving import document_of, fill_in, is_still
from comfydesk.workflow.catalog import Catalog
from comfydesk.workflow.convert import to_api
from comfydesk.workflow.fields import Role
from comfydesk.workflow.parse import build_workflow


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    data = (Path(__file__).parents[3] / "data" / "object_info.json.xz").read_bytes()
    return Catalog.from_object_info(json.loads(lzma.decompress(data)))


def bundled(name: str) -> Any:
    return json.loads((resources() / "workflows" / f"{name}.json").read_text("utf-8"))


def test_the_forms_values_are_what_the_file_opens_with(catalog: Catalog) -> None:
    opened = prepare(build_workflow(bundled("text_to_image")), "t2i", "x", catalog)
    values = {entry.id: entry.default for entry in opened.form.fields}
    prompt, steps = (opened.form.with_role(role)[0].id for role in (Role.PROMPT, Role.STEPS))
    filled = fill_in(opened, {**values, prompt: "a lighthouse", steps: 7}, catalog)
    assert filled.left == ()
    again = prepare(build_workflow(dict(filled.document)), "t2i", "x", catalog)
    assert {entry.id: entry.default for entry in again.form.fields} == {**values, prompt: "a lighthouse", steps: 7}
    assert [node["pos"] for node in filled.document["nodes"]] == [
        node["pos"] for node in document_of(opened.graph)["nodes"]
    ]


def test_untouched_values_leave_the_file_as_it_is(catalog: Catalog) -> None:
    document = bundled("text_to_image")
    opened = prepare(build_workflow(document), "t2i", "x", catalog)
    assert fill_in(opened, {entry.id: entry.default for entry in opened.form.fields}, catalog).document == document


def test_a_picture_of_this_computer_stays_here(catalog: Catalog) -> None:
    document = bundled("image_to_image")
    opened = prepare(build_workflow(document), "i2i", "x", catalog)
    image = opened.form.with_role(Role.IMAGE)[0].id
    filled = fill_in(opened, {image: Path("/home/anna/cat.png")}, catalog)
    assert (filled.document, filled.left) == (document, (image,))


def test_an_api_graph_is_saved_as_one(catalog: Catalog) -> None:
    graph = to_api(build_workflow(bundled("text_to_image")), catalog)
    opened = prepare(graph, "t2i", "x", catalog)
    prompt = opened.form.with_role(Role.PROMPT)[0].id
    filled = fill_in(opened, {prompt: "a lighthouse"}, catalog)
    node, _, name = prompt.partition(".")
    assert filled.document[node]["inputs"][name] == "a lighthouse"


def test_a_file_is_the_same_however_it_is_written() -> None:
    document = bundled("text_to_image")
    assert is_still(json.dumps(document, indent=3).encode(), document)
    assert is_still(json.dumps({"workflow": document}).encode(), document)
    assert not is_still(json.dumps({**document, "extra": {}}).encode(), document)
    assert not is_still(b"broken", document)
