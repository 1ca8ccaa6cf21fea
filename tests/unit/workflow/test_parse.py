"""Reading workflow files: shapes, tolerance, and what is refused in one clear line."""

import json
import math
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

from comfydesk.errors import GraphError
from comfydesk.workflow import limits
from comfydesk.workflow.graph import ApiGraph, ApiLink, Link, UiGraph
from comfydesk.workflow.parse import build_workflow, parse_workflow


def ui(**changes: Any) -> dict[str, Any]:
    return {"nodes": [], "links": [], "version": 0.4, **changes}


def node(node_id: Any = 1, node_type: str = "SaveImage", **more: Any) -> dict[str, Any]:
    return {"id": node_id, "type": node_type, **more}


def parsed(document: Any) -> UiGraph:
    graph = parse_workflow(json.dumps(document))
    assert isinstance(graph, UiGraph)
    return graph


# --- Shapes -----------------------------------------------------------------------------------------------------


def test_links_are_lists_in_old_files_and_objects_in_new_ones() -> None:
    fields = ("id", "origin_id", "origin_slot", "target_id", "target_slot", "type")
    link = [7, 1, 0, 2, 3, "IMAGE"]
    old, new = ui(links=[link]), ui(links=[dict(zip(fields, link, strict=True))], version=1)
    assert parsed(old).root.links == parsed(new).root.links == {"7": Link("7", "1", 0, "2", 3, "IMAGE")}
    assert (parsed(old).version, parsed(new).version) == (0.4, 1.0)


def test_ids_are_strings_whatever_the_file_has() -> None:
    graph = parsed(ui(nodes=[node(1), node("two"), node(3.0)], links=[["9", "1", "0", "two", 0, "*"]]))
    assert [entry.id for entry in graph.root.nodes] == ["1", "two", "3"]
    assert graph.root.links["9"].origin == "1"


def test_slots_have_name_type_link_and_widget() -> None:
    slots = [
        {"name": "seed", "type": "INT", "link": 4, "widget": {"name": "seed"}, "label": "Luck"},
        {"name": "any", "type": 0, "link": None},
        {"name": "old", "type": ["a", "b"], "link": None},
    ]
    inputs = parsed(ui(nodes=[node(inputs=slots)])).root.nodes[0].inputs
    assert inputs[0] == ("seed", "INT", "4", "seed", "Luck")
    assert [slot.type for slot in inputs] == ["INT", "*", "COMBO"]


def test_definitions_are_listed_flat_even_when_the_file_nests_them() -> None:
    inner = {"id": "inner", "name": "Inner", "nodes": [], "links": []}
    outer = {"id": "outer", "name": "Outer", "nodes": [], "links": [], "definitions": {"subgraphs": [inner]}}
    graph = parsed(ui(definitions={"subgraphs": [outer]}))
    assert list(graph.subgraphs) == ["outer", "inner"]


def test_the_document_stays_at_hand() -> None:
    document = ui(extra={"ds": {"scale": 1}}, nodes=[node(pos={"0": 5, "1": 6}, color="#fff", size=[7, 8])])
    graph = build_workflow(document)
    assert isinstance(graph, UiGraph)
    assert graph.raw is document
    assert graph.root.nodes[0].raw["color"] == "#fff"
    assert (graph.root.nodes[0].pos, graph.root.nodes[0].size) == ((5.0, 6.0), (7.0, 8.0))


API = {"3": {"class_type": "KSampler", "inputs": {"seed": 2**64 - 1, "model": ["4", 0]}, "_meta": {"title": "S"}}}


@pytest.mark.parametrize(
    "document",
    [
        API,
        {"prompt": API},
        {"prompt": json.dumps(API)},
        {"client_id": "x", "prompt": API, "extra_data": {}},
        {"abc": None, "prompt": [3, "id", API, {}, []]},
    ],
    ids=["bare", "wrapped", "as text", "POST body", "history entry"],
)
def test_the_api_format_in_its_wrappers(document: Any) -> None:
    graph = parse_workflow(json.dumps(document))
    assert isinstance(graph, ApiGraph)
    assert graph.nodes["3"].inputs == {"seed": 2**64 - 1, "model": ApiLink("4", 0)}
    assert graph.to_json() == API


def test_a_workflow_beside_a_prompt_wins() -> None:
    assert isinstance(build_workflow({"prompt": API, "workflow": ui(nodes=[node()])}), UiGraph)


def test_only_id_and_slot_make_a_link() -> None:
    values = {"link": ["4", 1], "pair": ["a", "b"], "size": [512, 512], "triple": ["4", 0, 0], "flag": ["4", True]}
    graph = build_workflow({"1": {"class_type": "X", "inputs": values}})
    assert isinstance(graph, ApiGraph)
    assert [name for name, _ in graph.nodes["1"].links()] == ["link"]
    assert graph.to_json()["1"]["inputs"] == values


def test_numbers_survive() -> None:
    text = '{"1": {"class_type": "X", "inputs": {"a": NaN, "b": 18446744073709551615, "c": -Infinity, "d": 1e-7}}}'
    graph = parse_workflow(text)
    assert isinstance(graph, ApiGraph)
    inputs = graph.nodes["1"].inputs
    assert math.isnan(inputs["a"])
    assert (inputs["b"], inputs["c"], inputs["d"]) == (2**64 - 1, -math.inf, 1e-7)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_any_unicode_encoding_is_read(encoding: str) -> None:
    graph = parse_workflow(json.dumps(ui(nodes=[node(title="Größe")]), ensure_ascii=False).encode(encoding))
    assert isinstance(graph, UiGraph)
    assert graph.root.nodes[0].title == "Größe"


def test_a_byte_order_mark_in_text_is_passed_over() -> None:
    assert isinstance(parse_workflow("\ufeff" + json.dumps(API)), ApiGraph)


# --- Tolerance --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"inputs": None, "outputs": "x", "properties": [], "mode": None, "title": 3, "widgets_values": {"a": 1}},
        {"inputs": [None, {"name": None, "type": None, "widget": "x"}], "outputs": [3, {}], "pos": "x", "size": [1]},
    ],
)
def test_odd_parts_of_a_node_are_read_as_nothing(changes: dict[str, Any]) -> None:
    graph = parsed(ui(nodes=[node(**changes)], links=[None], groups=[None, {"bounding": [1]}], extra=3, version="x"))
    assert graph.root.nodes[0].properties == {}
    assert graph.root.nodes[0].pos == (0.0, 0.0)


def test_braces_in_texts_are_no_nesting() -> None:
    texts = [node(i, "Note", widgets_values=["{[" * 3 if i < 400 else "]}" * 3]) for i in range(800)]
    assert len(parsed(ui(nodes=texts)).root.nodes) == 800


# --- Refusals ---------------------------------------------------------------------------------------------------

DEEP = 100_000
BAD: dict[str, Callable[[], bytes | str]] = {
    "nothing": lambda: b"",
    "a picture": lambda: b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR",
    "binary junk": lambda: bytes(range(256)),
    "broken JSON": lambda: '{"nodes": [',
    "a web page": lambda: "<!doctype html><html></html>",
    "null": lambda: "null",
    "a number": lambda: "12",
    "a list": lambda: "[1, 2]",
    "an empty object": lambda: "{}",
    "something else": lambda: '{"name": "package", "version": "1.0"}',
    "null nodes": lambda: json.dumps(ui(nodes=[None])),
    "nodes as text": lambda: json.dumps(ui(nodes=["x"])),
    "a node without id": lambda: json.dumps(ui(nodes=[{"type": "X"}])),
    "a node without type": lambda: json.dumps(ui(nodes=[{"id": 1}])),
    "a fraction as id": lambda: json.dumps(ui(nodes=[node(1.5)])),
    "a list as link id": lambda: json.dumps(ui(nodes=[node(inputs=[{"name": "a", "type": "*", "link": [1]}])])),
    "a text among the links": lambda: json.dumps(ui(links=["x"])),
    "definitions as text": lambda: json.dumps(ui(definitions={"subgraphs": "x"})),
    "a null definition": lambda: json.dumps(ui(definitions={"subgraphs": [None]})),
    "a definition without id": lambda: json.dumps(ui(definitions={"subgraphs": [{"nodes": [], "links": []}]})),
    "a definition without nodes": lambda: json.dumps(ui(definitions={"subgraphs": [{"id": "a"}]})),
    "API inputs as list": lambda: '{"1": {"class_type": "X", "inputs": [1]}, "2": {"class_type": "Y", "inputs": {}}}',
    "API class as number": lambda: '{"1": {"class_type": 3, "inputs": {}}}',
    "a number of 5000 digits": lambda: '{"nodes": [], "x": ' + "9" * 5000 + "}",
    "deep lists": lambda: "[" * DEEP,
    "deep objects": lambda: '{"a":' * DEEP + "1" + "}" * DEEP,
    "deep behind texts": lambda: '{"nodes":[],"x":' + '["]",' * DEEP + "1" + "]" * DEEP + "}",
    "too large": lambda: b" " * (limits.MAX_BYTES + 1),
    "too many objects": lambda: "[" + ",".join(["{}"] * (limits.MAX_CONTAINERS + 1)) + "]",
    "too many values": lambda: "[" + ",".join(["1"] * (limits.MAX_VALUES + 2)) + "]",
    "too many nodes": lambda: json.dumps(ui(nodes=[{"id": 1}] * (limits.MAX_NODES + 1))),
    "too many links": lambda: json.dumps(ui(links=[None] * (limits.MAX_LINKS + 1))),
    "too many API nodes": lambda: json.dumps({str(i): {"class_type": "X"} for i in range(limits.MAX_NODES + 1)}),
    "too many definitions": lambda: json.dumps(ui(definitions={"subgraphs": [{}] * (limits.MAX_SUBGRAPHS + 1)})),
    "wrappers without end": lambda: json.dumps({"prompt": {"prompt": {"prompt": {"prompt": {"prompt": API}}}}}),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_clear_line(name: str) -> None:
    data = BAD[name]()
    start = time.perf_counter()
    with pytest.raises(GraphError) as caught:
        parse_workflow(data)
    assert time.perf_counter() - start < 5
    assert "\n" not in str(caught.value)
    assert 20 < len(str(caught.value)) < 200


def test_a_refusal_takes_no_memory_of_its_own() -> None:
    texts = [BAD[name]() for name in ("deep lists", "too large", "too many objects", "too many values")]
    tracemalloc.start()
    for text in texts:
        with pytest.raises(GraphError):
            parse_workflow(text)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2 * max(map(len, texts))


@pytest.mark.parametrize(
    "text",
    ["[" * 300 + '"' + '\\"' * 500_000, "[" * 300 + '"' + '\\"' * 500_000 + "\\", "[" * 300 + '"\\\\' * 500_000],
    ids=["escaped quotes", "a last backslash", "escaped backslashes"],
)
def test_strings_without_an_end_are_passed_once(text: str) -> None:
    start = time.perf_counter()
    with pytest.raises(GraphError):
        parse_workflow(text)
    assert time.perf_counter() - start < 2


@pytest.mark.parametrize("closing", ['"]"', '"\\"]"', '"\\\\","]"', '"","]"'])
def test_brackets_in_strings_hide_no_depth(closing: str) -> None:
    """They would let a document through that nobody may recurse into."""
    deep = f"[{closing}," * 700 + "1" + "]" * 700
    text = f'{{"nodes": [{{"id": 1, "type": "Mystery", "widgets_values": [{deep}]}}], "links": []}}'
    with pytest.raises(GraphError, match="nested deeper"):
        parse_workflow(text)


@pytest.mark.parametrize("text", ["[[[" * 200, "]}" * 200, '\\"[' * 200, "\\\\", '","' * 500], ids=repr)
def test_what_stands_in_strings_does_not_count(text: str) -> None:
    graph = parsed(ui(nodes=[node(title=text), node(id=2, title=text[1:])]))
    assert [entry.title for entry in graph.root.nodes] == [text, text[1:]]
