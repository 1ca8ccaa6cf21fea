"""Workflow JSON of any origin: parsed, its card, its form, what it needs, and the graph that would be sent."""

import json
import random

from comfydesk.session.gallery.facts import FactsReader, read_facts
from comfydesk.workflow.blueprint import is_blueprint, made_to_run
from comfydesk.workflow.convert import to_api
from comfydesk.workflow.form import build_form, sendable
from comfydesk.workflow.graph import ApiGraph
from comfydesk.workflow.masks import masked_inputs
from comfydesk.workflow.needs import check
from comfydesk.workflow.parse import parse_workflow
from comfydesk.workflow.patch import apply_values
from comfydesk.workflow.scan import scan
from tests.fuzz import material
from tests.fuzz.harness import Harness
from tests.fuzz.mutate import json_of


def take(data: bytes) -> None:
    graph = parse_workflow(data)
    catalog = material.catalog()
    scan(graph, catalog, file_name="x.json")
    if not isinstance(graph, ApiGraph) and is_blueprint(graph):
        graph = made_to_run(graph, catalog)
    api = graph if isinstance(graph, ApiGraph) else to_api(graph, catalog)
    json.dumps(api.to_json())
    check(graph, catalog, api=api)
    form = build_form(graph, catalog, api=api)
    masked_inputs(form, api)
    values = {field.id: field.default for field in form.fields}
    sendable(form, values, random.Random(1))
    apply_values(api, values, catalog)
    read_facts(api, catalog)
    FactsReader()


def seeds() -> list[bytes]:
    group = {"nodes": [{"type": "KSampler", "index": 0}], "links": [], "external": []}
    inner = {
        "id": "def-a",
        "name": "A",
        "nodes": [{"id": 1, "type": "def-a"}],
        "links": [],
        "inputs": [],
        "outputs": [],
    }
    made: list[object] = [
        material.GRAPH,
        {"prompt": material.GRAPH, "extra_data": {"extra_pnginfo": {"workflow": {"nodes": []}}}},
        {
            "nodes": [{"id": 1, "type": "workflow>G"}],
            "links": [],
            "extra": {"groupNodes": {"G": group}},
            "version": 0.4,
        },
        {"nodes": [{"id": 2, "type": "def-a"}], "links": [], "definitions": {"subgraphs": [inner]}, "version": 1},
    ]
    return [*(json.dumps(one).encode() for one in made), *material.templates(24_000, 24)]


HARNESS = Harness(take, seeds, json_of, smoke=60)
