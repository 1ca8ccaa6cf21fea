"""object_info as specifications, and the widgets and sockets that the frontend makes of them.

`node_widgets.json` is the frontend's own answer for every node type: what a fresh node has, and what each choice of a
dynamic combo brings.
"""

import json
import lzma
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from comfydesk.errors import GraphError
from comfydesk.workflow.catalog import Catalog, Section
from comfydesk.workflow.layouts import Layout, grown_sockets
from comfydesk.workflow.live import VIRTUAL
from comfydesk.workflow.widgets import UNDEFINED, chosen_widgets

DATA = Path(__file__).parents[2] / "data"

LINGERING = {"ByteDanceSeedreamNodeV3", "TopazImageEnhanceV2"}
"""Their lists were taken while the frontend kept an undotted helper of the choice before: history, not layout."""


@pytest.fixture(scope="module")
def truth() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(lzma.decompress((DATA / "node_widgets.json.xz").read_bytes()))["nodes"]
    return loaded


def test_every_node_type_is_covered(truth: dict[str, Any], catalog: Catalog) -> None:
    assert len(truth) == 891
    assert set(truth) == set(catalog.nodes) | set(VIRTUAL)


def test_widgets_agree_with_the_frontend(truth: dict[str, Any], catalog: Catalog) -> None:
    """Name, kind, value, whether it is stored and sent, dynamic prompts, hidden: in order, for all classes."""
    for name, expected in real(truth):
        ours = [
            (w.name, w.kind, w.default, w.stored, w.sent, w.dynamic_prompts, w.hidden)
            for w in chosen_widgets(catalog.layout(name).widgets, {})
        ]
        theirs = [
            (
                *(w["name"], w["type"], UNDEFINED if w["value"] == "__undefined__" else w["value"]),
                *(w["in_widgets_values"], w["in_prompt"], w["dynamicPrompts"], w["hidden"]),
            )
            for w in expected["widgets"]
        ]
        assert ours == theirs, name


def test_sockets_agree_with_the_frontend(truth: dict[str, Any], catalog: Catalog) -> None:
    for name, expected in real(truth):
        ours = [(s.name, s.type, s.widget, s.optional) for s in grown_sockets(catalog.layout(name), {}, ())]
        theirs = [(s["name"], s["type"], s["widget"], s["optional"]) for s in expected["inputs"]]
        # A fresh node lists what a dynamic combo brings before the combo itself; once set, behind it, as here.
        assert sorted(ours, key=str) == sorted(theirs, key=str), name
        assert [s for s in ours if "." not in s[0]] == [s for s in theirs if "." not in s[0]], name


def test_outputs_agree_with_the_frontend(truth: dict[str, Any], catalog: Catalog) -> None:
    for name, expected in real(truth):
        ours = [(output.name, output.type) for output in catalog.nodes[name].outputs]
        assert ours == [(output["name"], output["type"]) for output in expected["outputs"]], name


def test_each_choice_of_a_dynamic_combo_agrees_with_the_frontend(truth: dict[str, Any], catalog: Catalog) -> None:
    seen = 0
    for name, expected in real(truth):
        for choices, lists in choices_in_turn(expected.get("dynamic") or {}):
            layout = catalog.layout(name)
            assert names_of_widgets(layout, choices, name) == without_lingering(lists["widgets"], name), choices
            assert sorted(s.name for s in grown_sockets(layout, choices, ())) == sorted(lists["inputs"]), choices
            seen += 1
    assert seen > 300


def real(truth: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    return ((name, entry) for name, entry in truth.items() if name not in VIRTUAL)


def choices_in_turn(dynamic: dict[str, Any]) -> Iterator[tuple[dict[str, str], dict[str, list[str]]]]:
    """The recorder set one combo after the other on one node: earlier ones keep their last choice."""
    choices: dict[str, str] = {}
    for combo, options in dynamic.items():
        for key, lists in options.items():
            choices = {name: value for name, value in choices.items() if not name.startswith(f"{combo}.")}
            choices[combo] = key
            yield choices, lists


def names_of_widgets(layout: Layout, choices: dict[str, str], node: str) -> list[str]:
    return without_lingering([widget.name for widget in chosen_widgets(layout.widgets, choices)], node)


def without_lingering(names: list[str], node: str) -> list[str]:
    return [name for name in names if name != "control_after_generate"] if node in LINGERING else names


# --- InputSpec --------------------------------------------------------------------------------------------------


def test_both_dialects_of_combos_are_one(catalog: Catalog) -> None:
    old = catalog.nodes["KSampler"].input("sampler_name")
    new = catalog.nodes["ImageScaleToTotalPixels"].input("upscale_method")
    assert old is not None
    assert new is not None
    assert old.type == new.type == "COMBO"
    assert old.default == "euler"
    assert "lanczos" in new.choices


def test_an_integer_keeps_its_64_bits(catalog: Catalog) -> None:
    seed = catalog.nodes["KSampler"].input("seed")
    assert seed is not None
    assert (seed.minimum, seed.maximum, seed.control_after_generate) == (0, 2**64 - 1, "randomize")


def test_inputs_of_choices_have_dotted_names(catalog: Catalog) -> None:
    width = catalog.nodes["ResizeImageMaskNode"].input("resize_type.width")
    assert width is not None
    assert (width.type, width.default, width.section) == ("INT", 512, Section.REQUIRED)


def test_model_folders_are_known(catalog: Catalog) -> None:
    found = {
        (node, name): spec.folder
        for node, name in (
            ("CheckpointLoaderSimple", "ckpt_name"),
            ("LoraLoader", "lora_name"),
            ("CLIPVisionLoader", "clip_name"),
            ("DualCLIPLoader", "clip_name2"),
            ("UNETLoader", "unet_name"),
            ("KSampler", "sampler_name"),
        )
        if (spec := catalog.nodes[node].input(name)) is not None
    }
    assert list(found.values()) == ["checkpoints", "loras", "clip_vision", "text_encoders", "diffusion_models", ""]


def test_upload_combos_say_what_they_take(catalog: Catalog) -> None:
    kinds = [
        spec.upload
        for node, name in (
            ("LoadImage", "image"),
            ("LoadVideo", "file"),
            ("LoadAudio", "audio"),
            ("Load3D", "model_file"),
        )
        if (spec := catalog.nodes[node].input(name)) is not None
    ]
    assert kinds == ["image", "video", "audio", "model3d"]


def test_hidden_inputs_come_last_and_have_no_widget(catalog: Catalog) -> None:
    inputs = catalog.nodes["SaveImage"].inputs
    assert [spec.section for spec in inputs] == [Section.REQUIRED, Section.REQUIRED, Section.HIDDEN, Section.HIDDEN]
    assert [widget.name for widget in catalog.layout("SaveImage").widgets] == ["filename_prefix"]


@pytest.mark.parametrize("junk", [None, [], "x", 3])
def test_something_else_than_a_catalog_is_refused(junk: Any) -> None:
    with pytest.raises(GraphError, match="catalog"):
        Catalog.from_object_info(junk)


@pytest.mark.parametrize(
    "declaration",
    [
        None,
        {},
        {"input": [], "output": "IMAGE", "input_order": {"required": [None, ["x"]]}},
        {
            "input": {
                "required": {"a": None, "b": [], "c": [["x", ["y"]], None], "d": ["INT", {"default": [], "min": "0"}]}
            }
        },
        {
            "input": {
                "required": {"a": ["COMFY_DYNAMICCOMBO_V3", {"options": [None, {"key": 1}, {"key": "k", "inputs": 3}]}]}
            }
        },
        {"input": {"optional": {"a": ["COMFY_AUTOGROW_V3", {"template": {"names": [1], "min": -3, "max": 1e300}}]}}},
        {"output": [["x"], None, 3], "output_name": [1], "output_is_list": None, "display_name": 5},
    ],
)
def test_junk_in_a_declaration_makes_a_poorer_spec(declaration: Any) -> None:
    catalog = Catalog.from_object_info({"Odd": declaration})
    assert catalog.nodes["Odd"].name == "Odd"
    assert catalog.layout("Odd").defaults is not None
    for spec in catalog.nodes["Odd"].inputs:
        assert (spec.default, spec.minimum, spec.step, spec.upload, spec.tooltip) is not None
