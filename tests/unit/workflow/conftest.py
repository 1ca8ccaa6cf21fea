"""Shared material: the catalog of a real ComfyUI 0.33.0, and the official templates (MIT, a test dependency)."""

import json
import lzma
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from comfydesk.workflow.catalog import Catalog
from comfydesk.workflow.graph import ApiGraph, UiGraph
from comfydesk.workflow.parse import build_workflow, parse_workflow

DATA = Path(__file__).parents[2] / "data"


@pytest.fixture(scope="session")
def object_info() -> dict[str, Any]:
    """GET /object_info of a ComfyUI 0.33.0: 887 classes."""
    info: dict[str, Any] = json.loads(lzma.decompress((DATA / "object_info.json.xz").read_bytes()))
    return info


@pytest.fixture(scope="session")
def catalog(object_info: dict[str, Any]) -> Catalog:
    return Catalog.from_object_info(object_info)


@pytest.fixture(scope="session")
def template_folder() -> Path:
    """The folder of the official templates' UI files and their index.json."""
    with resources.as_file(resources.files("comfyui_workflow_templates_json") / "templates") as folder:
        return folder


@pytest.fixture(scope="session")
def template_index(template_folder: Path) -> list[dict[str, Any]]:
    """The categories of index.json; each template in them gets its category's `type` and title."""
    categories = json.loads((template_folder / "index.json").read_bytes())
    return [
        {**entry, "category": category["title"], "category_type": category["type"]}
        for category in categories
        for entry in category["templates"]
    ]


@pytest.fixture(scope="session")
def template(template_folder: Path) -> Callable[[str], UiGraph]:
    """A template by name, parsed; each once."""
    parsed: dict[str, UiGraph] = {}

    def get(name: str) -> UiGraph:
        if name not in parsed:
            graph = parse_workflow((template_folder / f"{name}.json").read_bytes())
            assert isinstance(graph, UiGraph)
            parsed[name] = graph
        return parsed[name]

    return get


@pytest.fixture(scope="session")
def api() -> Callable[..., ApiGraph]:
    """`api({"3": ("KSampler", {"seed": 1, "positive": ["6", 0]})})`: a small API graph; a third entry is a title."""

    def build(nodes: dict[str, tuple[Any, ...]]) -> ApiGraph:
        document = {
            key: {"class_type": entry[0], "inputs": entry[1], "_meta": {"title": entry[2] if len(entry) > 2 else ""}}
            for key, entry in nodes.items()
        }
        graph = build_workflow(document)
        assert isinstance(graph, ApiGraph)
        return graph

    return build
