"""Parse and convert whatever comes: a graph that can be sent, or a GraphError. Nothing else, ever."""

import copy
import json
import lzma
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comfydesk.errors import GraphError
from comfydesk.workflow.catalog import Catalog
from comfydesk.workflow.convert import to_api
from comfydesk.workflow.graph import ApiGraph
from comfydesk.workflow.parse import build_workflow, parse_workflow

DATA = Path(__file__).parents[2] / "data"
QUICK = settings(max_examples=150, deadline=None)
THOROUGH = settings(max_examples=600, deadline=None)

CLASSES = [
    *("EmptyImage", "ImageInvert", "ImageBlur", "SaveImage", "PreviewAny", "LoadImage", "KSampler", "CLIPTextEncode"),
    *("PrimitiveInt", "ResizeImageMaskNode", "BatchImagesNode", "ComfySwitchNode", "CreateList", "CustomCombo"),
    *("SaveVideo", "ImageCropV2", "CurveEditor", "ComfyMathExpression", "KlingVideoNode", "LoraLoader", "SaveText"),
    *("Reroute", "PrimitiveNode", "Note", "MarkdownNote", "Mystery", "workflow>Group"),
]
DEFINITIONS = ["def-a", "def-b", "def-c"]
SOCKETS = [
    *("image", "images", "model", "clip", "latent_image", "source", "seed", "text", "width", "value", "", "input"),
    *("on_true", "images.image0", "images.image3", "resize_type", "resize_type.width", "inputs.input2", "values.a"),
]
TYPES = ["IMAGE", "MODEL", "INT", "STRING", "*", "COMBO", "IMAGE,MASK", ""]


def nest(value: Any, depth: int) -> Any:
    for _ in range(depth):
        value = [value] if isinstance(value, list) else {"a": value}
    return value


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**65), 2**65) | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
junk = values | st.sampled_from(
    [
        *(10**400, -(10**400), float("inf"), "²", "٣", "workflow>Group", nest([], 240), nest({}, 240)),
        *("{" * 50, "%a.b%" * 50, "1:" * 300 + "seed", {"groupNodes": {"Group": {"nodes": [{"type": "Note"}]}}}),
        *(-10, -20, "Reroute", "PrimitiveNode", [None], {"name": None}, "{a|{b", "%date:x%%a.b%"),
    ]
)
seeds = st.integers(0, 2**63)
VALUES: list[Any] = [
    None,
    True,
    0,
    -3,
    7,
    2.5,
    2**64 - 1,
    1e300,
    "",
    "euler",
    "scale width",
    "{a|b} // c",
    "%a.b%",
    [],
    [1, 2],
    {},
    10**400,
    -(10**400),
    float("inf"),
    "²",
    "٣",
    "{" * 40,
    "/*" * 20,
    "a" * 5000,
    nest([], 200),
    nest({}, 200),
]
IDS = ["²", "٣", "007", "-10", "", 10**18, 10**400, 3.0, "5:6"]


def some(rng: random.Random, most: int) -> range:
    return range(rng.randint(0, most))


def drawn_node(rng: random.Random, number: int) -> dict[str, Any]:
    inputs = []
    for name in rng.sample(SOCKETS, rng.randint(0, 4)):
        link = rng.randint(0, 20) if rng.random() < 0.6 else None
        entry: dict[str, Any] = {"name": name, "type": rng.choice(TYPES), "link": link}
        inputs.append(entry | ({"widget": {"name": name}} if rng.random() < 0.4 else {}))
    proxies = [[rng.choice(["1", "2", "-1"]), rng.choice(["seed", "width", "3: seed"])] for _ in some(rng, 3)]
    return {
        "id": rng.choice([number] * 9 + [str(number), rng.randint(0, 8), rng.choice(IDS)]),
        "type": rng.choice(CLASSES + DEFINITIONS),
        "mode": rng.choice([0, 0, 0, 2, 4]),
        "inputs": inputs,
        "outputs": [{"name": "o", "type": rng.choice(TYPES), "links": [rng.randint(0, 20) for _ in some(rng, 3)]}],
        "widgets_values": [rng.choice(VALUES) for _ in some(rng, 8)] if rng.random() < 0.9 else {"a": 1, "0": 2},
        "properties": {"proxyWidgets": proxies} if rng.random() < 0.4 else {},
    }


def drawn_graph(rng: random.Random, *, inside: bool) -> dict[str, Any]:
    nodes = [drawn_node(rng, number) for number in some(rng, 9)]
    ends = [node["id"] for node in nodes] or [1]
    links = []
    for link in range(21) if rng.random() < 0.9 else some(rng, 20):
        origin, target = sorted(rng.choices(range(len(ends)), k=2))
        start = -10 if inside and rng.random() < 0.3 else ends[origin]
        end = -20 if inside and rng.random() < 0.2 else ends[target]
        links.append([link, start, rng.randint(0, 2), end, rng.randint(0, 3), rng.choice(TYPES)])
    return {"nodes": nodes, "links": links}


def drawn_document(seed: int) -> dict[str, Any]:
    """A workflow with everything in it, wired at random; about half of them can be converted."""
    rng = random.Random(seed)
    definitions = []
    for name in DEFINITIONS[: rng.randint(0, 3)]:
        sides = {
            side: [{"name": rng.choice(SOCKETS), "type": "*", "linkIds": [rng.randint(0, 20)]} for _ in some(rng, 4)]
            for side in ("inputs", "outputs")
        }
        definitions.append({"id": name, "name": name, **drawn_graph(rng, inside=True), **sides})
    external = [rng.choice([[0, 0, "IMAGE"], [[[1], 2, "x"]], [{}, 0], [], None, "x"]) for _ in some(rng, 2)]
    inner = [[rng.choice([0, 0, 1, 2, -1, "0", None, True]) for _ in some(rng, 5)] for _ in some(rng, 2)]
    settings = {
        str(rng.randint(0, 2)): {"input": {"image": {"name": rng.choice(SOCKETS), "visible": rng.choice(VALUES)}}}
    }
    group = {
        "nodes": [drawn_node(rng, 0) for _ in some(rng, 3)],
        "links": rng.choice([[[0, 0, 1, 0]], inner]),
        "external": rng.choice([[], external]),
        "config": rng.choice([{}, settings, rng.choice(VALUES)]),
    }
    return {
        **drawn_graph(rng, inside=False),
        "version": 0.4,
        "last_node_id": rng.randint(0, 30),
        "definitions": {"subgraphs": definitions},
        "extra": {"groupNodes": {"Group": group}},
    }


def check(document: Any, catalog: Catalog) -> bool:
    """The promise of the whole room, on one document: whether it can be sent; no other end than a GraphError."""
    before = json.dumps(document)
    try:
        graph = to_api(build_workflow(document), catalog, rng=random.Random(1))
    except GraphError as error:
        graph = None
        message = str(error)
    else:
        message = ""
    assert json.dumps(document) == before
    assert "\n" not in message
    if graph is None:
        return False
    assert isinstance(graph, ApiGraph)
    assert all(link.node in graph.nodes for node in graph.nodes.values() for _, link in node.links())
    sent = json.loads(json.dumps(graph.to_json()))
    again = build_workflow(sent) if sent else graph
    assert isinstance(again, ApiGraph)
    assert json.dumps(again.to_json()) == json.dumps(graph.to_json())
    return True


@THOROUGH
@given(seed=seeds)
def test_generated_graphs(seed: int, catalog: Catalog) -> None:
    check(drawn_document(seed), catalog)


def test_enough_of_the_generated_graphs_can_be_sent(catalog: Catalog) -> None:
    """Otherwise the test above shows little."""
    assert sum(check(drawn_document(seed), catalog) for seed in range(100)) > 30


@pytest.fixture(scope="module")
def real_documents() -> list[Any]:
    cases = json.loads(lzma.decompress((DATA / "convert_edge.json.xz").read_bytes()))
    return [case["ui"] for case in cases.values()]


@QUICK
@given(data=st.data())
def test_real_files_with_junk_in_them(data: st.DataObject, real_documents: list[Any], catalog: Catalog) -> None:
    document = copy.deepcopy(data.draw(st.sampled_from(real_documents)))
    rng = random.Random(data.draw(seeds))
    for _ in range(data.draw(st.integers(1, 6))):
        holder, key = random_place(document, rng)
        holder[key] = copy.deepcopy(data.draw(junk))
    check(document, catalog)


def random_place(document: Any, rng: random.Random) -> tuple[Any, Any]:
    """A container somewhere in `document`, and one of its keys."""
    holder = document
    while True:
        key = rng.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))
        inner = holder[key]
        if not isinstance(inner, dict | list) or not inner or rng.random() < 0.15:
            return holder, key
        holder = inner


@QUICK
@given(document=values)
def test_any_json(document: Any, catalog: Catalog) -> None:
    check(document, catalog)


@QUICK
@given(data=st.binary(max_size=200) | st.text(max_size=200))
def test_any_bytes(data: bytes | str) -> None:
    with pytest.raises(GraphError):
        parse_workflow(data)


@QUICK
@given(entry=values, option=values)
def test_any_catalog(entry: Any, option: Any) -> None:
    inputs = {
        "required": {"seed": ["INT", option], "text": [entry, option], "image": entry, "value": ["COMBO", option]}
    }
    catalog = Catalog.from_object_info({"KSampler": {"input": inputs, "output": entry}, "PrimitiveInt": entry})
    node = {"id": 1, "type": "KSampler", "widgets_values": [entry, option, 1, 2], "inputs": [], "mode": 0}
    primitive = {"id": 2, "type": "PrimitiveNode", "outputs": [{"links": [1]}], "widgets_values": [entry]}
    node["inputs"] = [{"name": "seed", "link": 1, "widget": {"name": "seed"}}]
    check({"nodes": [node, primitive, {"id": 3, "type": "PrimitiveInt"}], "links": [[1, 2, 0, 1, 0, "INT"]]}, catalog)
