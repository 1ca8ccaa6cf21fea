"""Rules of conversion one at a time, on graphs of a few nodes.

What is expected was taken from the frontend (1.49.6) on these very graphs, unless a test says that it differs.
"""

import math
import time
from collections.abc import Callable
from typing import Any

import pytest

from comfydesk.errors import GraphError
from comfydesk.workflow import limits
from comfydesk.workflow.bypass import compatible
from comfydesk.workflow.catalog import Catalog
from comfydesk.workflow.convert import to_api
from comfydesk.workflow.parse import build_workflow

SUB = "aaaaaaaa-0000-4000-8000-000000000000"
INNER = "bbbbbbbb-0000-4000-8000-000000000000"
Convert = Callable[..., dict[str, Any]]


# --- Building graphs --------------------------------------------------------------------------------------------


def node(node_id: Any, kind: str, values: Any = None, **more: Any) -> dict[str, Any]:
    """`ins`: name → link id, or (link id, type); `outs`: a list of link ids for each output; the rest as in files."""
    widgets = more.pop("widgets", ())
    inputs = [slot(name, link, widgets) for name, link in more.pop("ins", {}).items()]
    outputs = [{"name": f"o{i}", "type": "*", "links": ids} for i, ids in enumerate(more.pop("outs", []))]
    canvas = {"pos": [0, 0], "size": [200, 100], "flags": {}, "order": 0, "mode": 0, "properties": {}}
    stored = {} if values is None else {"widgets_values": values}
    return {**canvas, "id": node_id, "type": kind, "inputs": inputs, "outputs": outputs, **stored, **more}


def slot(name: str, link: Any, widgets: Any) -> dict[str, Any]:
    link, slot_type = link if isinstance(link, tuple) else (link, "*")
    entry = {"name": name, "type": slot_type, "link": link}
    return {**entry, "widget": {"name": name}} if name in widgets else entry


def definition(nodes: list[Any], links: list[Any], inputs: dict[str, list[int]], outputs: dict[str, list[int]]) -> Any:
    fields = ("id", "origin_id", "origin_slot", "target_id", "target_slot", "type")
    return {
        "id": SUB,
        "name": "Sub",
        "version": 1,
        "revision": 0,
        "config": {},
        "groups": [],
        "widgets": [],
        "extra": {},
        "state": {"lastNodeId": 0, "lastLinkId": 0, "lastGroupId": 0, "lastRerouteId": 0},
        "inputNode": {"id": -10, "bounding": [0, 0, 1, 1]},
        "outputNode": {"id": -20, "bounding": [0, 0, 1, 1]},
        "nodes": nodes,
        "links": [dict(zip(fields, (*link, "*")[:6], strict=True)) for link in links],
        "inputs": [{"id": f"in {name}", "name": name, "type": "*", "linkIds": ids} for name, ids in inputs.items()],
        "outputs": [{"id": f"out {name}", "name": name, "type": "*", "linkIds": ids} for name, ids in outputs.items()],
    }


def workflow(nodes: list[Any], links: list[Any], *subgraphs: Any, **more: Any) -> dict[str, Any]:
    """`links`: (id, origin, origin slot, target, target slot)."""
    links = [[*link, "*"] for link in links]
    document = {"last_node_id": 100, "last_link_id": 100, "nodes": nodes, "links": links, "groups": [], "version": 0.4}
    return {**document, "config": {}, "extra": {}, "definitions": {"subgraphs": list(subgraphs)}, **more}


@pytest.fixture
def convert(catalog: Catalog) -> Convert:
    """The converted graph: node id → inputs."""

    def run(nodes: list[Any], links: list[Any] | None = None, *subgraphs: Any, **more: Any) -> dict[str, Any]:
        document = workflow(nodes, links or [], *subgraphs, **more)
        graph = to_api(build_workflow(document), catalog)
        return {key: entry["inputs"] for key, entry in graph.to_json().items()}

    return run


IMAGE = [64, 32, 1, 0]


def blur_inside(blur: dict[str, Any] | None = None) -> Any:
    """A definition with a blur whose radius is promoted."""
    ins = {"image": (1, "IMAGE"), "blur_radius": (2, "INT")}
    inside = node(12, "ImageBlur", [3, 1.5], ins=ins, outs=[[3]], widgets=("blur_radius",), **(blur or {}))
    links = [(1, -10, 0, 12, 0), (2, -10, 1, 12, 1), (3, 12, 0, -20, 0)]
    return definition([inside], links, {"image": [1], "blur_radius": [2]}, {"IMAGE": [3]})


def through_host(values: Any, **more: Any) -> tuple[list[Any], list[Any]]:
    nodes = [
        node(1, "EmptyImage", IMAGE, outs=[[1]]),
        node(4, SUB, values, ins={"image": 1, "blur_radius": None}, outs=[[2]], **more),
        node(3, "SaveImage", ["x"], ins={"images": 2}),
    ]
    return nodes, [(1, 1, 0, 4, 0), (2, 4, 0, 3, 0)]


# --- Stored values ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (None, {"width": 512, "height": 512, "batch_size": 1, "color": 0}),
        ([8], {"width": 8, "height": 512, "batch_size": 1, "color": 0}),
        ([8, "9", 1.5, None, 7], {"width": 8, "height": "9", "batch_size": 1.5, "color": None}),
        ({"width": 8, "1": 9}, {"height": 9}),
    ],
    ids=["none", "short", "unchecked and long", "mapping"],
)
def test_values_are_dealt_out_in_order(convert: Convert, values: Any, expected: dict[str, Any]) -> None:
    assert convert([node(1, "EmptyImage", values)])["1"] == expected


def test_a_seed_takes_two_places(convert: Convert) -> None:
    inputs = convert([node(1, "KSampler", [7, "fixed", 30, 6.5, "euler", "karras", 0.5])])["1"]
    assert (inputs["seed"], inputs["steps"], inputs["denoise"]) == (7, 30, 0.5)
    assert "control_after_generate" not in inputs


def test_empty_combos_take_their_first_choice_and_old_sampler_names_are_mended(convert: Convert) -> None:
    inputs = convert([node(1, "KSampler", [7, "fixed", 30, 6.5, "sample_dpm_2", None, 0.5])])["1"]
    assert (inputs["sampler_name"], inputs["scheduler"]) == ("dpm_2", "simple")


def test_a_text_area_makes_text_of_null(convert: Convert) -> None:
    assert convert([node(1, "PrimitiveStringMultiline", [None])])["1"] == {"value": ""}


def test_lists_are_wrapped_and_curves_marked(convert: Convert) -> None:
    points = [[0, 0], [1, 1]]
    found = convert([node(1, "CurveEditor", [points]), node(2, "CurveEditor", [{"points": points}])])
    assert found["1"]["curve"] == {"__type__": "CURVE", "__value__": points}
    assert found["2"]["curve"] == {"points": points}


def test_a_custom_combo_computes_its_index(convert: Convert) -> None:
    found = convert([node(1, "CustomCombo", ["b", 0, "a", "b", ""]), node(2, "CustomCombo", ["z", 0, "a"])])
    assert found["1"] == {"choice": "b", "index": 1, "option1": "a", "option2": "b", "option3": ""}
    assert found["2"] == {"choice": "z", "index": -1, "option1": "a", "option2": ""}


def test_a_choice_brings_the_widgets_that_take_the_next_values(convert: Convert) -> None:
    found = convert([node(1, "ResizeImageMaskNode", ["scale width", 99, "lanczos"])])
    assert found["1"] == {"resize_type": "scale width", "resize_type.width": 99, "scale_method": "lanczos"}


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [
        ("SaveText", ["dummy", "name", "txt"], {"filename_prefix": "name", "format": "txt"}),
        ("SaveText", ["name", "txt"], {"filename_prefix": "name", "format": "txt"}),
        (
            "CropByBBoxes",
            ["dummy", 1, 2, 3, "x"],
            {"output_width": 1, "output_height": 2, "padding": 3, "keep_aspect": "x"},
        ),
    ],
)
def test_dummies_of_old_files_are_dropped(convert: Convert, kind: str, values: Any, expected: Any) -> None:
    """Until frontend 1.16 an input with forceInput stored a value as well; the length of the list tells."""
    assert convert([node(1, kind, values)])["1"] == expected


def test_an_unknown_type_keeps_values_and_links_but_no_class(catalog: Catalog) -> None:
    nodes = [
        node(1, "EmptyImage", IMAGE, outs=[[1]]),
        node(2, "Mystery", [1, "a", None, {"q": 1.0}], ins={"image": 1}),
    ]
    graph = to_api(build_workflow(workflow(nodes, [(1, 1, 0, 2, 0)])), catalog)
    assert graph.to_json()["2"] == {
        "inputs": {"UNKNOWN": 1, "UNKNOWN_1": "a", "UNKNOWN_2": "null", "UNKNOWN_3": '{"q":1}', "image": ["1", 0]},
        "_meta": {},
    }


# --- Links ------------------------------------------------------------------------------------------------------


def test_a_link_takes_the_place_of_the_value(convert: Convert) -> None:
    nodes = [
        node(1, "PrimitiveInt", [7, "fixed"], outs=[[1]]),
        node(2, "EmptyImage", IMAGE, ins={"width": 1}, widgets=("width",)),
    ]
    found = convert(nodes, [(1, 1, 0, 2, 0)])["2"]
    assert list(found.items())[:2] == [("width", ["1", 0]), ("height", 32)]


def test_reroutes_lead_to_the_source_and_muted_sources_to_nothing(convert: Convert) -> None:
    nodes = [
        node(1, "EmptyImage", IMAGE, outs=[[1]]),
        node(2, "Reroute", ins={"": 1}, outs=[[2]]),
        node(3, "Reroute", ins={"": 2}, outs=[[3]]),
        node(4, "SaveImage", ["x"], ins={"images": 3}),
    ]
    links = [(1, 1, 0, 2, 0), (2, 2, 0, 3, 0), (3, 3, 0, 4, 0)]
    assert convert(nodes, links)["4"] == {"filename_prefix": "x", "images": ["1", 0]}
    nodes[0]["mode"] = 2
    assert convert(nodes, links) == {"4": {"filename_prefix": "x"}}


@pytest.mark.parametrize(
    ("kind", "slot_number", "wanted", "fed", "passes"),
    [
        ("LoraLoader", 0, "MODEL", "model", True),
        ("LoraLoader", 1, "CLIP", "clip", True),
        ("LoraLoader", 1, "CLIP", "model", False),
        ("KSampler", 0, "LATENT", "latent_image", True),
        ("VAEDecode", 0, "IMAGE", "samples", False),
        ("LoadImage", 1, "MASK", "image", False),
        ("BatchImagesNode", 0, "IMAGE", "images.image0", True),
        ("BatchImagesNode", 0, "IMAGE", "images.image1", False),
        ("ImageInvert", 0, "*", "image", True),
        ("GetImageSize", 2, "*", "image", True),
    ],
)
def test_a_bypassed_node_passes_on_the_first_input_of_the_type(
    convert: Convert, kind: str, slot_number: int, wanted: str, fed: str, passes: bool
) -> None:
    outs: list[list[int]] = [[] for _ in range(slot_number)] + [[1]]
    targets = {"MODEL": "model", "CLIP": "clip", "LATENT": "samples", "IMAGE": "images", "MASK": "mask", "*": "source"}
    classes = {"MODEL": "ModelSamplingSD3", "CLIP": "CLIPSetLastLayer", "LATENT": "SaveLatent", "IMAGE": "SaveImage"}
    kind_of_target = {**classes, "MASK": "MaskToImage", "*": "PreviewAny"}[wanted]
    nodes = [
        node(9, "Mystery", outs=[[10]]),
        node(1, kind, ins={fed: 10}, outs=outs, mode=4),
        node(2, kind_of_target, ins={targets[wanted]: (1, wanted)}),
    ]
    found = convert(nodes, [(1, 1, slot_number, 2, 0), (10, 9, 0, 1, 0)])["2"]
    assert found.get(targets[wanted]) == (["9", 0] if passes else None)


def test_a_switch_passes_on_what_fits_its_linked_type(convert: Convert) -> None:
    """A bypassed LoadImage in front of a switch has no IMAGE to pass on: the switch wants images, not anything."""
    nodes = [
        node(1, "LoadImage", ["a.png", "image"], outs=[[1]], mode=4),
        node(2, "EmptyImage", IMAGE, outs=[[3]]),
        node(5, "ComfySwitchNode", [True], ins={"on_false": 1, "on_true": 3}, outs=[[4]]),
        node(6, "SaveImage", ["x"], ins={"images": 4}),
    ]
    found = convert(nodes, [(1, 1, 0, 5, 0), (3, 2, 0, 5, 1), (4, 5, 0, 6, 0)])
    assert found["5"] == {"switch": True, "on_true": ["2", 0]}


def test_a_gap_in_a_list_of_sockets_stays_unless_the_sockets_share_a_type(convert: Convert) -> None:
    nodes = [
        node(1, "EmptyImage", IMAGE, outs=[[1, 2, 3]]),
        node(2, "BatchImagesNode", ins={"images.image0": 1, "images.image2": 2}),
        node(3, "CreateList", ins={"inputs.input0": None, "inputs.input1": 3}),
    ]
    found = convert(nodes, [(1, 1, 0, 2, 0), (2, 1, 0, 2, 1), (3, 1, 0, 3, 0)])
    assert found["2"] == {"images.image0": ["1", 0], "images.image2": ["1", 0]}
    assert found["3"] == {"inputs.input0": ["1", 0]}


def test_inputs_for_widgets_that_are_gone_are_dropped(convert: Convert) -> None:
    """The frontend forgets to drop every second of them, and the server fails on the rest."""
    ghosts = {"ghost1": 2, "ghost2": 3, "ghost3": 4}
    nodes = [
        node(1, "EmptyImage", IMAGE, outs=[[1, 2, 3, 4]]),
        node(2, "SaveImage", ["x"], ins={"images": 1, **ghosts}, widgets=tuple(ghosts)),
    ]
    links = [(i, 1, 0, 2, i - 1) for i in (1, 2, 3, 4)]
    assert convert(nodes, links)["2"] == {"filename_prefix": "x", "images": ["1", 0]}


# --- Primitives -------------------------------------------------------------------------------------------------


def primitive(value: Any, *targets: dict[str, Any]) -> list[dict[str, Any]]:
    stored = None if value is None else [value, "fixed"]
    return [node(1, "PrimitiveNode", stored, outs=[[10 + i for i in range(len(targets))]]), *targets]


@pytest.mark.parametrize(
    ("value", "kind", "name", "expected"),
    [
        (99, "EmptyImage", "width", 99),
        (99_999_999, "EmptyImage", "width", 16384),
        (20.6, "KSampler", "steps", 21),
        (17, "EmptyLatentImage", "height", 16),
        (2**63 + 1, "KSampler", "seed", 2**63 + 1),
        (999, "ImageBlur", "sigma", 10),
        (0.123456, "KSampler", "cfg", 0.1),
        (None, "EmptyImage", "width", 64),
        ("scale height", "ResizeImageMaskNode", "resize_type", "scale height"),
    ],
)
def test_a_primitive_writes_what_its_target_can_take(
    convert: Convert, value: Any, kind: str, name: str, expected: Any
) -> None:
    values = {"EmptyImage": IMAGE, "ResizeImageMaskNode": ["scale width", 9, "area"]}.get(kind)
    nodes = primitive(value, node(2, kind, values, ins={name: (10, "INT")}, widgets=(name,)))
    found = convert(nodes, [(10, 1, 0, 2, 0)])["2"]
    assert found[name] == expected
    assert ("resize_type.height" in found) == (expected == "scale height")


def test_two_targets_share_their_common_range(convert: Convert) -> None:
    targets = [
        node(2, "EmptyImage", IMAGE, ins={"batch_size": 10}, widgets=("batch_size",)),
        node(3, "EmptyLatentImage", None, ins={"height": 11}, widgets=("height",)),
    ]
    found = convert(primitive(5, *targets), [(10, 1, 0, 2, 0), (11, 1, 0, 3, 0)])
    assert (found["2"]["batch_size"], found["3"]["height"]) == (16, 16)


@pytest.mark.parametrize("mode", [0, 2, 4])
def test_a_primitive_writes_whatever_its_mode(convert: Convert, mode: int) -> None:
    nodes = primitive(8, node(2, "EmptyImage", IMAGE, ins={"width": 10}, widgets=("width",)))
    nodes[0]["mode"] = mode
    assert convert(nodes, [(10, 1, 0, 2, 0)])["2"]["width"] == 8


def test_a_primitive_behind_a_reroute_writes_nothing(convert: Convert) -> None:
    nodes = [
        *primitive(8, node(2, "Reroute", ins={"": 10}, outs=[[11]])),
        node(3, "EmptyImage", IMAGE, ins={"width": 11}, widgets=("width",)),
    ]
    assert convert(nodes, [(10, 1, 0, 2, 0), (11, 2, 0, 3, 0)])["3"]["width"] == 64


# --- Subgraphs --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "expected"),
    [(None, 3), ([], 3), ([9], 9), ([None], None), ([9, 8, 7], 9)],
)
def test_an_instance_has_its_own_value_or_the_inner_one(convert: Convert, values: Any, expected: Any) -> None:
    nodes, links = through_host(values)
    found = convert(nodes, links, blur_inside())
    assert found["4:12"] == {"blur_radius": expected, "sigma": 1.5, "image": ["1", 0]}
    assert found["3"]["images"] == ["4:12", 0]


def test_a_promoted_text_goes_as_it_is(convert: Convert) -> None:
    inside = node(12, "CLIPTextEncode", ["inner"], ins={"text": 1}, widgets=("text",))
    sub = definition([inside], [(1, -10, 0, 12, 0)], {"text": [1]}, {})
    host = node(4, SUB, ["{only} // kept"], ins={"text": None})
    assert convert([host], [], sub)["4:12"]["text"] == "{only} // kept"
    assert convert([node(12, "CLIPTextEncode", ["{only} // gone"])])["12"]["text"] == "only "


@pytest.mark.parametrize(
    ("proxies", "values", "blur"),
    [
        ([["12", "sigma"], ["12", "blur_radius"]], [4.5, 9], (9, 4.5)),
        ([["12", "sigma"], ["12", "blur_radius"]], [], (3, 1.5)),
        ([["12", "12: sigma"]], [4.5], (3, 4.5)),
        ('[["12", "sigma"]]', [4.5], (3, 4.5)),
        ([["12", "nope"], ["12", "sigma"]], [1, 2.25], (3, 2.25)),
        ([["12", "sigma"], [12, "blur_radius"]], [4.5, 9], (3, 1.5)),
    ],
    ids=["values", "holes", "prefix", "as text", "unknown widget", "one bad entry spoils all"],
)
def test_old_proxies_become_promoted_inputs(convert: Convert, proxies: Any, values: Any, blur: Any) -> None:
    inside = node(12, "ImageBlur", [3, 1.5], ins={"image": 1}, outs=[[3]])
    sub = definition([inside], [(1, -10, 0, 12, 0), (3, 12, 0, -20, 0)], {"image": [1]}, {"IMAGE": [3]})
    nodes, links = through_host(values, properties={"proxyWidgets": proxies})
    nodes.append(node(5, SUB, None, ins={"image": None}))
    found = convert(nodes, links, sub)
    assert (found["4:12"]["blur_radius"], found["4:12"]["sigma"]) == blur
    assert (found["5:12"]["blur_radius"], found["5:12"]["sigma"]) == (3, 1.5)


def test_an_id_used_twice_gets_a_new_number(convert: Convert) -> None:
    nodes, links = through_host([9])
    nodes[0]["id"], links[0] = 12, (1, 12, 0, 4, 0)
    assert set(convert(nodes, links, blur_inside(), last_node_id=4)) == {"12", "3", "4:5"}


def test_the_same_definition_twice_in_a_row(convert: Convert) -> None:
    """With a bypassed node inside the frontend takes the second instance for a loop."""
    nodes = [
        node(1, "EmptyImage", IMAGE, outs=[[1]]),
        node(4, SUB, ins={"image": 1, "blur_radius": None}, outs=[[2]]),
        node(5, SUB, ins={"image": 2, "blur_radius": None}, outs=[[3]]),
        node(3, "SaveImage", ["x"], ins={"images": 3}),
    ]
    links = [(1, 1, 0, 4, 0), (2, 4, 0, 5, 0), (3, 5, 0, 3, 0)]
    assert convert(nodes, links, blur_inside({"mode": 4}))["3"]["images"] == ["1", 0]


def test_an_inactive_instance_inside_another_leaves_nothing_that_runs(convert: Convert) -> None:
    """Harmless orphans stay as the frontend has them; what would save or be refused does not."""
    for mode in (2, 4):
        for kind, kept in (("ImageInvert", True), ("SaveImage", False), ("Mystery", False)):
            inner = {**definition([node(20, kind)], [], {}, {}), "id": INNER}
            outer = definition([node(30, INNER, mode=mode)], [], {}, {})
            assert ("4:30:20" in convert([node(4, SUB)], [], outer, inner)) == kept


SAMPLER_INPUTS = {"model": "MODEL", "positive": "CONDITIONING", "negative": "CONDITIONING", "latent_image": "LATENT"}


def test_group_nodes_are_unpacked_under_the_ids_that_comfyui_gives(convert: Convert) -> None:
    """The frontend moves the values of combos declared as lists to the wrong widgets, and loses links after them."""
    sampler = node(0, "KSampler", [0, "fixed", 20, 8, "euler", "normal", 1], outs=[[]])
    sampler["inputs"] = [slot(name, (None, kind), ()) for name, kind in SAMPLER_INPUTS.items()]
    decoder = node(1, "VAEDecode", ins={"samples": (None, "LATENT"), "vae": (None, "VAE")}, outs=[[]])
    inside = [
        {key: value for key, value in {**entry, "index": entry["id"]}.items() if key != "id"}
        for entry in (sampler, decoder)
    ]
    group = {"nodes": inside, "links": [[0, 0, 1, 0, 0, "LATENT"]], "external": []}
    nodes = [
        node(1, "EmptyLatentImage", [64, 64, 1], outs=[[1]]),
        node(2, "workflow>Draw", [7, "fixed", 9, 3, "dpm_2", "karras", 0.5], ins={"latent_image": 1}, outs=[[2]]),
        node(3, "SaveImage", ["x"], ins={"images": 2}),
    ]
    found = convert(nodes, [(1, 1, 0, 2, 0), (2, 2, 0, 3, 0)], extra={"groupNodes": {"Draw": group}}, last_node_id=3)
    assert found["3"]["images"] == ["6:5", 0]
    assert found["6:5"] == {"samples": ["6:4", 0]}
    assert (found["6:4"]["seed"], found["6:4"]["sampler_name"], found["6:4"]["latent_image"]) == (7, "dpm_2", ["1", 0])


def group_of(*inside: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A group node's definition, the value of `extra`."""
    nodes = [{**entry, "id": None, "index": index} for index, entry in enumerate(inside)]
    return {"groupNodes": {"Draw": {"nodes": nodes, "links": [], "external": [], **more}}}


def test_a_seed_made_an_input_of_a_group_node_takes_its_helper_along(convert: Convert) -> None:
    """The group node has no control_after_generate then, and its list no place for one."""
    sampler = node(0, "KSampler", [5, "fixed", 20, 8, "euler", "normal", 1], outs=[[]])
    sampler["inputs"] = [slot("seed", (None, "INT"), ("seed",))]
    nodes = [
        node(1, "PrimitiveInt", [77, "fixed"], outs=[[1]]),
        node(2, "workflow>Draw", [9, 3, "dpm_2", "karras", 0.5], ins={"seed": 1}, widgets=("seed",)),
    ]
    found = convert(nodes, [(1, 1, 0, 2, 0)], extra=group_of(sampler), last_node_id=2)
    drawn = {"seed": ["1", 0], "steps": 9, "cfg": 3, "sampler_name": "dpm_2", "scheduler": "karras", "denoise": 0.5}
    assert found["4:3"] == drawn


@pytest.mark.parametrize(
    "external", [[[[1], 2, "x"]], [[{}, {}]], [[0, [0]]], [0], "x"], ids=["list", "objects", "slot", "flat", "text"]
)
def test_a_group_node_with_junk_for_outputs_is_unpacked_all_the_same(convert: Convert, external: Any) -> None:
    empty = node(0, "EmptyLatentImage", [8, 8, 1], outs=[[]])
    found = convert([node(1, "workflow>Draw", [16, 8, 1])], extra=group_of(empty, external=external))
    assert found["102:101"]["width"] == 16


@pytest.mark.parametrize("node_id", ["²", "٣", "007", "-1", "1e3"])
def test_ids_that_only_look_like_numbers_are_names(convert: Convert, node_id: str) -> None:
    empty = node(0, "EmptyLatentImage", [8, 8, 1])
    nodes = [node(node_id, "EmptyImage", IMAGE), node(1, "workflow>Draw", [16, 8, 1])]
    assert list(convert(nodes, extra=group_of(empty))) == [node_id, "102:101"]


@pytest.mark.parametrize("kind", ["PrimitiveInt", "PrimitiveFloat"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"min": 0},
        {"max": 10**400},
        {"min": -(10**400)},
        {"step": 1e-320},
        {"step": float("inf")},
        {"step": 10**400},
    ],
    ids=repr,
)
def test_a_primitive_of_any_size_ends_in_no_overflow(object_info: dict[str, Any], kind: str, options: Any) -> None:
    declared = {"min": -math.inf, "max": math.inf, **options}
    widget_type = "INT" if kind == "PrimitiveInt" else "FLOAT"
    info = {kind: {**object_info[kind], "input": {"required": {"value": [widget_type, declared]}}}}
    for value in (10**400, -(10**400), 1e308, 7):
        nodes = [
            node(1, "PrimitiveNode", [value, "fixed"], outs=[[1]]),
            node(2, kind, [1, "fixed"], ins={"value": (1, widget_type)}, widgets=("value",)),
        ]
        graph = to_api(build_workflow(workflow(nodes, [(1, 1, 0, 2, 0)])), Catalog.from_object_info(info))
        found = graph.nodes["2"].inputs["value"]
        assert found == found, "not NaN"


def test_an_id_used_twice_inside_one_definition_is_given_anew_to_each(convert: Convert) -> None:
    """Also where the root has it already: then both need a new one, and neither may vanish."""
    inside = [node(5, "EmptyImage", [8, 8, 1, 0]), node(5, "EmptyImage", [16, 8, 1, 0])]
    host = node(1, SUB)
    alone = convert([host], [], definition(inside, [], {}, {}))
    assert {key: inputs["width"] for key, inputs in alone.items()} == {"1:5": 8, "1:101": 16}
    taken = convert([host, node(5, "EmptyImage", IMAGE)], [], definition(inside, [], {}, {}))
    assert {key: inputs["width"] for key, inputs in taken.items()} == {"5": 64, "1:101": 8, "1:102": 16}


# --- Slow by design ---------------------------------------------------------------------------------------------


def test_types_that_are_endless_lists_are_compared_in_linear_time() -> None:
    one, other = (",".join(f"{side}{number}" for number in range(50_000)) for side in "ab")
    start = time.perf_counter()
    assert not compatible(one, other)
    assert compatible(f"{one},X", f"{other},x")
    assert compatible(f"{one},*", other)
    assert time.perf_counter() - start < 2


def test_names_of_proxied_widgets_with_endless_prefixes(convert: Convert) -> None:
    nodes, links = through_host([], properties={"proxyWidgets": [["12", "1:" * 200_000 + "sigma"]]})
    start = time.perf_counter()
    assert convert(nodes, links, blur_inside())["4:12"]["sigma"] == 1.5
    assert time.perf_counter() - start < 2


# --- Impossible graphs ------------------------------------------------------------------------------------------
# The frontend stops at broken links too. Loops of real nodes it sends, and the server refuses them; loops of reroutes
# it cuts anywhere.


def nested(levels: int, width: int) -> tuple[Any, ...]:
    """Definitions that each hold the next one `width` times."""
    ids = [f"s{level}" for level in range(levels)]
    return tuple(
        {**definition([node(f"{name}.{i}", following) for i in range(width)], [], {}, {}), "id": name}
        for name, following in zip(ids, [*ids[1:], "EmptyImage"], strict=True)
    )


def chain(kind: str, length: int, mode: int = 0) -> tuple[list[Any], list[Any]]:
    name = "" if kind == "Reroute" else "image"
    nodes = [node(i, kind, ins={name: (i, "IMAGE")}, outs=[[i + 1]], mode=mode) for i in range(1, length)]
    last = node(length, "SaveImage", ["x"], ins={"images": (length, "IMAGE")})
    links = [(i + 1, i, 0, i + 1, 0) for i in range(length)]
    return [node(0, "EmptyImage", IMAGE, outs=[[1]]), *nodes, last], links


IMPOSSIBLE: dict[str, tuple[str, Callable[[], tuple[Any, ...]]]] = {
    "a link that is not there": ("Link 9", lambda: ([node(1, "SaveImage", ["x"], ins={"images": 9})],)),
    "a link from nowhere": (
        "node 7",
        lambda: ([node(1, "SaveImage", ["x"], ins={"images": 1})], [(1, 7, 0, 1, 0)]),
    ),
    "a link from a missing output of a subgraph": (
        "output 5",
        lambda: (
            [node(1, SUB), node(2, "PreviewAny", ins={"source": 1})],
            [(1, 1, 5, 2, 0)],
            definition([], [], {}, {}),
        ),
    ),
    "a link from a missing input of a subgraph": (
        "input 3",
        lambda: (
            [node(1, SUB)],
            [],
            definition([node(2, "PreviewAny", ins={"source": 1})], [(1, -10, 3, 2, 0)], {}, {}),
        ),
    ),
    "a bypassed node without that output": (
        "bypassed",
        lambda: ([node(1, "EmptyImage", mode=4), node(2, "SaveImage", ["x"], ins={"images": 1})], [(1, 1, 7, 2, 0)]),
    ),
    "a bypassed node without inputs, asked for anything": (
        "bypassed",
        lambda: (
            [node(1, "PrimitiveNode", [5], outs=[[1]], mode=4), node(2, "PreviewAny", ins={"source": 1})],
            [(1, 1, 0, 2, 0)],
        ),
    ),
    "a loop of nodes": (
        "loop",
        lambda: (
            [node(1, "ImageInvert", ins={"image": 2}), node(2, "ImageInvert", ins={"image": 1})],
            [(1, 1, 0, 2, 0), (2, 2, 0, 1, 0)],
        ),
    ),
    "a loop of reroutes": (
        "loop",
        lambda: (
            [
                node(1, "Reroute", ins={"": 2}),
                node(2, "Reroute", ins={"": 1}),
                node(3, "SaveImage", ["x"], ins={"images": 3}),
            ],
            [(1, 1, 0, 2, 0), (2, 2, 0, 1, 0), (3, 2, 0, 3, 0)],
        ),
    ),
    "a node that feeds itself": (
        "loop",
        lambda: ([node(1, "ImageInvert", ins={"image": 1})], [(1, 1, 0, 1, 0)]),
    ),
    "a subgraph that contains itself": (
        "contains itself",
        lambda: ([node(1, SUB)], [], definition([node(2, SUB)], [], {}, {})),
    ),
    "subgraphs that contain each other": (
        "contains itself",
        lambda: (
            [node(1, SUB)],
            [],
            definition([node(2, INNER)], [], {}, {}),
            {**definition([node(3, SUB)], [], {}, {}), "id": INNER},
        ),
    ),
    "ten thousand million nodes": ("too large", lambda: ([node(1, "s0")], [], *nested(10, 10))),
    "too many levels": ("levels deep", lambda: ([node(1, "s0")], [], *nested(limits.MAX_NESTING + 1, 1))),
    "a file name that is no text": ("no text", lambda: ([node(1, "SaveImage", [None])],)),
}


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_an_impossible_graph_is_one_clear_line(convert: Convert, name: str) -> None:
    words, build = IMPOSSIBLE[name]
    with pytest.raises(GraphError) as caught:
        convert(*build())
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_nothing_asks_for_may_be_broken(convert: Convert) -> None:
    nodes = [node(1, "EmptyImage", IMAGE), node(2, "ImageInvert", ins={"image": 99}, mode=2), node(3, "s-unused")]
    assert convert(nodes, [], definition([node(4, SUB)], [], {}, {}))["1"]["width"] == 64


@pytest.mark.parametrize(("kind", "mode"), [("ImageInvert", 0), ("ImageInvert", 4), ("Reroute", 0), ("Mystery", 4)])
def test_long_chains_need_no_stack(convert: Convert, kind: str, mode: int) -> None:
    nodes, links = chain(kind, 3000, mode)
    expected = ["2999", 0] if kind == "ImageInvert" and not mode else ["0", 0]
    assert convert(nodes, links)["3000"]["images"] == expected


def test_a_chain_that_all_ask_for_ends_in_an_error_not_in_hours(
    convert: Convert, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_STEPS", 20_000)
    nodes, links = chain("Reroute", 300)
    nodes += [node(1000 + i, "SaveImage", ["x"], ins={"images": 300}) for i in range(300)]
    with pytest.raises(GraphError, match="entangled"):
        convert(nodes, links)
