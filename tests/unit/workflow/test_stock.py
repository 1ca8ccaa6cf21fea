"""The quick look at thousands of cards says what the thorough one says, over the official templates."""

import json
import lzma
from importlib import resources as packaged
from pathlib import Path

from comfydesk.errors import GraphError
from comfydesk.workflow.catalog import Catalog
from comfydesk.workflow.needs import Stock, check
from comfydesk.workflow.parse import parse_workflow
from comfydesk.workflow.scan import scan

DATA = Path(__file__).parents[2] / "data"


def test_quick_and_thorough_agree_on_nearly_all_templates() -> None:
    catalog = Catalog.from_object_info(json.loads(lzma.decompress((DATA / "object_info.json.xz").read_bytes())))
    stock = Stock(catalog)
    folder = packaged.files("comfyui_workflow_templates_json") / "templates"
    same = seen = 0
    for file in sorted((file for file in folder.iterdir() if file.name.endswith(".json")), key=lambda f: f.name)[::4]:
        if file.name.startswith("index"):
            continue
        try:
            graph = parse_workflow(file.read_bytes())
            quick, thorough = stock.needs_of(scan(graph)), check(graph, catalog)
        except GraphError:
            continue
        seen += 1
        same += (quick.ready, quick.missing_nodes) == (thorough.ready, thorough.missing_nodes)
    assert seen > 60
    assert same >= 0.95 * seen, f"{same} of {seen}"
