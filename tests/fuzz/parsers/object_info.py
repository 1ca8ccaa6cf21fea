"""GET /object_info: node classes as a hostile pod may describe them, and the forms made with them."""

import json

from comfydesk.client.bodies import _parse
from comfydesk.errors import NotComfyError
from comfydesk.llm.pod import offer_of
from comfydesk.workflow.catalog import Catalog
from comfydesk.workflow.convert import to_api
from comfydesk.workflow.form import build_form
from comfydesk.workflow.graph import ApiGraph
from comfydesk.workflow.needs import Stock, check, with_server_spelling
from comfydesk.workflow.parse import build_workflow
from comfydesk.workflow.patch import apply_values
from tests.fuzz import material
from tests.fuzz.harness import Harness
from tests.fuzz.mutate import json_of

CLASSES = (
    *(
        "KSampler",
        "CheckpointLoaderSimple",
        "EmptyLatentImage",
        "CLIPTextEncode",
        "VAEDecode",
        "SaveImage",
        "LoadImage",
    ),
    *("ResizeImageMaskNode", "BatchImagesNode", "ComfySwitchNode", "LoraLoader", "PrimitiveInt", "CustomCombo"),
    *("KlingVideoNode", "CurveEditor", "SaveVideo", "TextGenerate", "CLIPLoader", "PreviewAny"),
)
_API = build_workflow(material.GRAPH)
assert isinstance(_API, ApiGraph)
_UI = [build_workflow(json.loads(data)) for data in material.templates(20_000, 4)]


def take(data: bytes) -> None:
    try:
        info = _parse(data)
    except ValueError as error:
        raise NotComfyError("no JSON") from error  # as Rest has it
    catalog = Catalog.from_object_info(info)
    for name in list(catalog.nodes)[:50]:
        catalog.layout(name)
    assert isinstance(_API, ApiGraph)
    form = build_form(_API, catalog)
    apply_values(_API, {field.id: field.default for field in form.fields}, catalog)
    with_server_spelling(_API, catalog)
    check(_API, catalog)
    Stock(catalog)
    offer_of(catalog)
    graph = _UI[len(data) % len(_UI)]
    if not isinstance(graph, ApiGraph):
        to_api(graph, catalog)
        build_form(graph, catalog)


def seeds() -> list[bytes]:
    info = material.object_info()
    known = [name for name in CLASSES if name in info]
    core = {name: info[name] for name in known[:6]}
    used = [*{node.type for graph in _UI if not isinstance(graph, ApiGraph) for node in graph.root.nodes} & set(info)]
    small = {name: _shortened(info[name]) for name in (*known, *used)}
    return [
        json.dumps({name: _shortened(spec) for name, spec in core.items()}).encode(),
        *(json.dumps({name: small[name]}).encode() for name in small),
        *(json.dumps({name: small[name] for name in names}).encode() for names in (known[:7], known[7:], used[:8])),
    ]


def _shortened(spec: object) -> object:
    """Lists of models and samplers cut: there is enough in the rest."""
    if isinstance(spec, dict):
        return {key: _shortened(value) for key, value in spec.items()}
    return [_shortened(value) for value in spec[:12]] if isinstance(spec, list) else spec


HARNESS = Harness(take, seeds, json_of, smoke=80)
