"""Forms: the text a person would edit is the prompt, whatever node it sits in; the author's choice comes first."""

import contextlib
import json
import lzma
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from comfydesk.errors import GraphError
from comfydesk.workflow.author import author_hints
from comfydesk.workflow.catalog import Catalog
from comfydesk.workflow.convert import to_api
from comfydesk.workflow.fields import Field, Form, Kind, Role
from comfydesk.workflow.form import build_form, sendable
from comfydesk.workflow.graph import ApiGraph, ApiLink, UiGraph
from comfydesk.workflow.needs import check
from comfydesk.workflow.parse import build_workflow
from comfydesk.workflow.patch import apply_values
from comfydesk.workflow.pinning import MAX_PINNED
from comfydesk.workflow.scan import scan

DATA = Path(__file__).parents[2] / "data"
Api = Callable[[dict[str, tuple[Any, ...]]], ApiGraph]
Template = Callable[[str], UiGraph]

CHECKPOINT = ("CheckpointLoaderSimple", {"ckpt_name": "sd15.safetensors"})


def sampler(positive: list[Any], negative: list[Any], **inputs: Any) -> tuple[str, dict[str, Any]]:
    settings = {"seed": 7, "steps": 20, "cfg": 8.0, "sampler_name": "euler", "scheduler": "normal", "denoise": 1.0}
    links = {"model": ["1", 0], "positive": positive, "negative": negative, "latent_image": ["5", 0]}
    return "KSampler", {**settings, **links, **inputs}


def text_to_image(**more: tuple[Any, ...]) -> dict[str, tuple[Any, ...]]:
    """The oldest workflow there is; `more` replaces or adds nodes ("n6" is node 6)."""
    nodes: dict[str, tuple[Any, ...]] = {
        "1": CHECKPOINT,
        "3": sampler(["6", 0], ["7", 0]),
        "5": ("EmptyLatentImage", {"width": 512, "height": 768, "batch_size": 1}),
        "6": ("CLIPTextEncode", {"text": "a red fox", "clip": ["1", 1]}),
        "7": ("CLIPTextEncode", {"text": "blurry", "clip": ["1", 1]}),
        "8": ("VAEDecode", {"samples": ["3", 0], "vae": ["1", 2]}),
        "9": ("SaveImage", {"images": ["8", 0], "filename_prefix": "fox"}),
    }
    return nodes | {name.removeprefix("n"): node for name, node in more.items()}


def ids(form: Form, role: Role) -> list[str]:
    return [field.id for field in form.with_role(role)]


# --- The official templates ------------------------------------------------------------------------------------------


def test_the_prompt_of_official_templates_is_the_text_a_person_would_edit(catalog: Catalog, template: Template) -> None:
    """tests/data/prompts.json: for 234 templates the API input that holds the prompt, judged by people."""
    wanted = json.loads(lzma.decompress((DATA / "prompts.json.xz").read_bytes()))
    wrong = {
        name: want["field"]
        for name, want in wanted.items()
        if want["text"]
        not in [str(field.default)[:70] for field in build_form(template(name), catalog).with_role(Role.PROMPT)]
    }
    assert len(wanted) > 200
    assert len(wrong) <= 0.05 * len(wanted), wrong


def test_every_template_becomes_a_form_whose_fields_patch_finds(
    catalog: Catalog, template: Template, template_index: list[dict[str, Any]]
) -> None:
    for entry in template_index:
        graph = template(entry["name"])
        api = to_api(graph, catalog, rng=random.Random(1))
        form = build_form(graph, catalog, api=api)
        every_id = [each for field in form.fields for each in (field.id, *field.twins)]
        assert len(set(every_id)) == len(every_id), entry["name"]
        assert 0 < len(form.pinned) <= MAX_PINNED or not form.fields or "basic_" in entry["name"], entry["name"]
        assert form.fields[: len(form.pinned)] == form.pinned, entry["name"]
        same = {field.id: field.default for field in form.fields if not field.dynamic}
        assert apply_values(api, form.spread(same)) == api, entry["name"]
        prompts = form.with_role(Role.PROMPT)
        chosen_by_author = "linearData" in graph.extra
        assert not prompts or any(field.pinned for field in prompts) or chosen_by_author, entry["name"]


# --- Texts -----------------------------------------------------------------------------------------------------------


def test_the_text_that_reaches_positive_is_the_prompt(catalog: Catalog, api: Api) -> None:
    form = build_form(api(text_to_image()), catalog)
    assert ids(form, Role.PROMPT) == ["6.text"]
    assert ids(form, Role.NEGATIVE) == ["7.text"]


def test_swapped_wires_swap_the_meaning_whatever_the_titles_say(catalog: Catalog, api: Api) -> None:
    nodes = text_to_image(n3=sampler(["7", 0], ["6", 0]), n6=("CLIPTextEncode", {"text": "x"}, "Positive Prompt"))
    assert ids(build_form(api(nodes), catalog), Role.PROMPT) == ["7.text"]


@pytest.mark.parametrize(
    ("more", "prompts"),
    [
        (
            {"n6": ("CLIPTextEncode", {"text": ["20", 0]}), "n20": ("PrimitiveStringMultiline", {"value": "a"})},
            ["20.value"],
        ),
        (
            {
                "n6": ("CLIPTextEncode", {"text": ["21", 0]}),
                "n21": ("StringConcatenate", {"string_a": "in ink", "string_b": ["20", 0], "delimiter": ", "}),
                "n20": ("PrimitiveString", {"value": "a"}),
            },
            ["20.value", "21.string_a"],
        ),
        (
            {
                "n3": sampler(["22", 0], ["22", 1]),
                "n22": ("ControlNetApplyAdvanced", {"positive": ["6", 0], "negative": ["7", 0], "strength": 1.0}),
            },
            ["6.text"],
        ),
        ({"n3": sampler(["6", 0], ["23", 0]), "n23": ("ConditioningZeroOut", {"conditioning": ["6", 0]})}, ["6.text"]),
        (
            {
                "n3": ("SamplerCustomAdvanced", {"guider": ["24", 0], "latent_image": ["5", 0]}),
                "n24": ("BasicGuider", {"conditioning": ["25", 0]}),
                "n25": ("FluxGuidance", {"conditioning": ["6", 0], "guidance": 3.5}),
            },
            ["6.text"],
        ),
        (
            {"n6": ("CLIPTextEncodeFlux", {"clip_l": "fox", "t5xxl": "a red fox", "guidance": 3.5})},
            ["6.clip_l", "6.t5xxl"],
        ),
        (
            {
                "n6": ("SomePack_Encoder", {"text": "a long text for it", "name": "x"}),
                "n3": sampler(["6", 0], ["7", 0]),
            },
            ["6.text"],
        ),
    ],
    ids=["primitive", "concatenation", "controlnet", "zeroed negative", "guider", "two encoders", "custom node"],
)
def test_the_prompt_is_found_through(
    catalog: Catalog, api: Api, more: dict[str, tuple[Any, ...]], prompts: list[str]
) -> None:
    assert sorted(ids(build_form(api(text_to_image(**more)), catalog), Role.PROMPT)) == prompts


def test_an_input_whose_name_does_not_tell_takes_the_side_of_the_others(catalog: Catalog, api: Api) -> None:
    """A guider with two positive sides may be given the negative text in the second."""
    guider = {"cond1": ["6", 0], "cond2": ["7", 0], "negative": ["7", 0], "cfg_conds": 5.0}
    nodes = text_to_image(
        n3=("SamplerCustomAdvanced", {"guider": ["24", 0], "latent_image": ["5", 0]}), n24=("DualCFGGuider", guider)
    )
    form = build_form(api(nodes), catalog)
    assert (ids(form, Role.PROMPT), ids(form, Role.NEGATIVE)) == (["6.text"], ["7.text"])


def test_instructions_to_a_language_model_are_not_the_prompt(catalog: Catalog, api: Api) -> None:
    nodes = text_to_image(
        n6=("CLIPTextEncode", {"text": ["30", 0], "clip": ["1", 1]}),
        n30=("TextGenerate", {"prompt": ["31", 0], "max_length": 256}),
        n31=("StringConcatenate", {"string_a": "You are an expert prompt writer.", "string_b": ["32", 0]}),
        n32=("PrimitiveStringMultiline", {"value": "a fox"}),
    )
    assert ids(build_form(api(nodes), catalog), Role.PROMPT) == ["32.value"]


def test_a_template_around_the_prompt_is_not_the_prompt(catalog: Catalog, api: Api) -> None:
    nodes = text_to_image(
        n6=("CLIPTextEncode", {"text": ["30", 0], "clip": ["1", 1]}),
        n30=("StringReplace", {"string": "A photo of SUBJECT, 35 mm", "find": "SUBJECT", "replace": ["31", 0]}),
        n31=("PrimitiveString", {"value": "a fox"}),
    )
    assert ids(build_form(api(nodes), catalog), Role.PROMPT) == ["31.value"]


def test_nodes_of_paid_services_have_their_prompt_themselves(catalog: Catalog, api: Api) -> None:
    form = build_form(
        api(
            {
                "1": (
                    "BriaExpandImage",
                    {"prompt": "more sky", "negative_prompt": "text", "seed": 3, "image": ["2", 0]},
                ),
                "2": ("LoadImage", {"image": "example.png"}),
                "3": ("SaveImage", {"images": ["1", 0], "filename_prefix": "x"}),
            }
        ),
        catalog,
    )
    assert (ids(form, Role.PROMPT), ids(form, Role.NEGATIVE)) == (["1.prompt"], ["1.negative_prompt"])
    assert ids(form, Role.IMAGE) == ["2.image"]


def test_nothing_that_does_not_run_is_pinned(catalog: Catalog, api: Api) -> None:
    stray = {
        "n40": ("CLIPTextEncode", {"text": "left over from yesterday", "clip": ["1", 1]}),
        "n41": ("LoadImage", {"image": "old.png"}),
    }
    form = build_form(api(text_to_image(**stray)), catalog)
    assert not {"40.text", "41.image"} & {field.id for field in form.pinned}
    assert {"40.text", "41.image"} <= set(form.by_id), "still under All inputs"
    assert ids(form, Role.PROMPT) == ["6.text"]


def test_a_long_chain_does_not_overflow(catalog: Catalog, api: Api) -> None:
    chain = {
        f"n{100 + n}": ("StringConcatenate", {"string_a": [str(101 + n), 0], "string_b": "", "delimiter": ""})
        for n in range(1500)
    }
    chain["n1600"] = ("PrimitiveString", {"value": "deep down"})
    chain["n6"] = ("CLIPTextEncode", {"text": ["100", 0], "clip": ["1", 1]})
    prompts = build_form(api(text_to_image(**chain)), catalog).with_role(Role.PROMPT)
    assert "deep down" in [field.default for field in prompts]


# --- Numbers, choices, files -----------------------------------------------------------------------------------------


def test_the_first_screen_of_text_to_image(catalog: Catalog, api: Api) -> None:
    form = build_form(api(text_to_image()), catalog)
    assert [(field.label, field.role) for field in form.pinned] == [
        ("Prompt", Role.PROMPT),
        ("Negative prompt", Role.NEGATIVE),
        ("Width", Role.WIDTH),
        ("Height", Role.HEIGHT),
        ("Batch size", Role.BATCH),
        ("Steps", Role.STEPS),
        ("Guidance", Role.CFG),
        ("Sampler", Role.SAMPLER),
        ("Scheduler", Role.SCHEDULER),
        ("Seed", Role.SEED),
        ("Model", Role.CHECKPOINT),
    ]


def test_fields_carry_what_the_catalog_declares(catalog: Catalog, api: Api) -> None:
    fields = build_form(api(text_to_image()), catalog).by_id
    steps, seed, scheduler = fields["3.steps"], fields["3.seed"], fields["3.scheduler"]
    assert (steps.kind, steps.minimum, steps.maximum) == (Kind.INT, 1, 10000)
    assert (seed.kind, seed.minimum, seed.maximum) == (Kind.SEED, 0, 2**64 - 1)
    assert scheduler.kind is Kind.CHOICE
    assert "karras" in scheduler.choices
    assert fields["6.text"].multiline
    assert (fields["1.ckpt_name"].kind, fields["1.ckpt_name"].folder) == (Kind.MODEL, "checkpoints")
    assert fields["3.cfg"].tooltip


def test_a_primitive_behind_an_input_takes_its_meaning_and_range(catalog: Catalog, api: Api) -> None:
    nodes = text_to_image(n3=sampler(["6", 0], ["7", 0], seed=["50", 0]), n50=("PrimitiveInt", {"value": 2**60 + 1}))
    field = build_form(api(nodes), catalog).by_id["50.value"]
    assert (field.role, field.kind, field.default) == (Role.SEED, Kind.SEED, 2**60 + 1)
    assert (field.minimum, field.maximum) == (0, 2**64 - 1)


def test_a_primitive_whose_title_says_more_than_its_wire(catalog: Catalog, api: Api) -> None:
    math = {"expression": "a * 24 + 1", "values.a": ["51", 0]}
    nodes = text_to_image(
        n5=("EmptyHunyuanLatentVideo", {"width": 512, "height": 512, "length": ["52", 1], "batch_size": 1}),
        n51=("PrimitiveFloat", {"value": 5.0}, "Duration"),
        n52=("ComfyMathExpression", math),
    )
    assert ids(build_form(api(nodes), catalog), Role.DURATION) == ["51.value"]


def test_files_to_choose_say_what_they_are_for(catalog: Catalog, api: Api) -> None:
    video = {"start_image": ["60", 0], "end_image": ["61", 0], "positive": ["6", 0], "negative": ["7", 0], "length": 81}
    nodes = text_to_image(
        n3=sampler(["62", 0], ["62", 1]),
        n60=("LoadImage", {"image": "a.png"}),
        n61=("LoadImage", {"image": "b.png"}),
        n62=("WanFirstLastFrameToVideo", video),
    )
    form = build_form(api(nodes), catalog)
    assert {field.id: field.label for field in form.with_role(Role.IMAGE)} == {
        "60.image": "Start image",
        "61.image": "End image",
    }
    assert all(field.kind is Kind.IMAGE for field in form.with_role(Role.IMAGE))


def test_a_picture_used_for_its_mask_only_is_a_mask(catalog: Catalog, api: Api) -> None:
    nodes = text_to_image(
        n5=("SetLatentNoiseMask", {"samples": ["70", 0], "mask": ["71", 1]}),
        n70=("EmptyLatentImage", {"width": 64, "height": 64, "batch_size": 1}),
        n71=("LoadImage", {"image": "mask.png"}),
    )
    assert ids(build_form(api(nodes), catalog), Role.MASK) == ["71.image"]


def test_a_lora_has_its_strength_beside_it(catalog: Catalog, api: Api) -> None:
    lora = {"lora_name": "ink.safetensors", "strength_model": 0.8, "model": ["1", 0]}
    nodes = text_to_image(n3=sampler(["6", 0], ["7", 0], model=["80", 0]), n80=("LoraLoaderModelOnly", lora))
    form = build_form(api(nodes), catalog)
    assert [ids(form, role) for role in (Role.LORA, Role.LORA_STRENGTH)] == [["80.lora_name"], ["80.strength_model"]]


def test_values_of_undeclared_nodes_are_told_by_what_they_are(catalog: Catalog, api: Api) -> None:
    inputs = {"flag": True, "count": 3, "amount": 0.5, "words": "x", "clip": "a.mp4", "box": {"x": 1}, "gone": None}
    fields = build_form(api({"1": ("NoSuchNode", inputs)}), catalog).by_id
    assert {name: fields[f"1.{name}"].kind for name in inputs if name != "gone"} == {
        "flag": Kind.BOOL,
        "count": Kind.INT,
        "amount": Kind.FLOAT,
        "words": Kind.TEXT,
        "clip": Kind.VIDEO,
        "box": Kind.OTHER,
    }


def test_ids_with_dots_and_odd_values_survive(catalog: Catalog, api: Api) -> None:
    graph = api({"a.b": ("KSampler", {"seed": 2**64 - 1, "steps": "many", "cfg": float("inf")})})
    form = build_form(graph, catalog)
    assert form.by_id["a.b.steps"].default == "many"
    assert apply_values(graph, {"a.b.seed": 5}).nodes["a.b"].inputs["seed"] == 5


# --- What the author chose -------------------------------------------------------------------------------------------


def test_app_mode_inputs_come_first_in_the_authors_order(catalog: Catalog, template: Template) -> None:
    form = build_form(template("template_sferro21_product_ad.app"), catalog)
    assert [field.id for field in form.pinned][:4] == ["1.image", "2.image", "4.prompt", "4.aspect_ratio"]


def test_more_than_a_screen_of_app_mode_inputs_is_cut(catalog: Catalog, template: Template) -> None:
    assert len(build_form(template("template_contact_sheet-step_3.app"), catalog).pinned) == MAX_PINNED


def test_promoted_widgets_are_pinned_under_the_authors_names(catalog: Catalog, template: Template) -> None:
    pinned = {field.id: field.label for field in build_form(template("video_wan2_2_14B_i2v"), catalog).pinned}
    assert pinned["129:95.unet_name"] == "High noise model"
    assert pinned["129:131.value"] == "Enable turbo mode"


def ui(nodes: list[dict[str, Any]], links: list[list[Any]], **more: Any) -> UiGraph:
    graph = build_workflow({"nodes": nodes, "links": links, "version": 0.4, **more})
    assert isinstance(graph, UiGraph)
    return graph


def node(
    node_id: int, kind: str, values: list[Any], inputs: dict[str, int] | None = None, **more: Any
) -> dict[str, Any]:
    """A node; `inputs`: socket → link. Widget sockets of the same name as a widget are marked by an underscore."""
    slots = []
    for name, link in (inputs or {}).items():
        slot: dict[str, Any] = {"name": name.strip("_"), "type": "*", "link": link}
        if name.endswith("_"):
            slot["widget"] = {"name": name.strip("_")}
        slots.append(slot)
    return {"id": node_id, "type": kind, "mode": 0, "inputs": slots, "widgets_values": values, **more}


def test_a_primitive_node_that_feeds_two_samplers_is_one_field(catalog: Catalog) -> None:
    primitive = node(1, "PrimitiveNode", [42, "fixed"], title="The seed", outputs=[{"name": "INT", "links": [1, 2]}])
    values = [0, "fixed", 20, 8, "euler", "normal", 1]
    graph = ui(
        [primitive, node(2, "KSampler", values, {"seed_": 1}), node(3, "KSampler", values, {"seed_": 2})],
        [[1, 1, 0, 2, 0, "INT"], [2, 1, 0, 3, 0, "INT"]],
    )
    api = to_api(graph, catalog)
    form = build_form(graph, catalog, api=api)
    (seed,) = form.with_role(Role.SEED)
    assert (seed.label, seed.default, (seed.id, *seed.twins)) == ("The seed", 42, ("2.seed", "3.seed"))
    patched = apply_values(api, sendable(form, {"2.seed": 99}, random.Random(1)))
    assert [patched.nodes[key].inputs["seed"] for key in ("2", "3")] == [99, 99]


def test_muted_nodes_have_no_fields(catalog: Catalog) -> None:
    graph = ui([node(1, "EmptyImage", [64, 64, 1, 0]), node(2, "EmptyImage", [64, 64, 1, 0], mode=2)], [])
    assert {field.id.partition(".")[0] for field in build_form(graph, catalog).fields} == {"1"}


def test_fields_are_grouped_by_canvas_group_and_node_title(catalog: Catalog) -> None:
    graph = ui(
        [
            node(1, "EmptyImage", [64, 64, 1, 0], pos=[10, 10], title="Canvas"),
            node(2, "EmptyImage", [64, 64, 1, 0], pos=[900, 900]),
        ],
        [],
        groups=[{"title": "Step 1", "bounding": [0, 0, 100, 100]}, {"title": "All", "bounding": [-9, -9, 500, 500]}],
    )
    groups = {field.id.partition(".")[0]: field.group for field in build_form(graph, catalog).fields}
    assert groups == {"1": "Step 1 \N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK} Canvas", "2": "Empty Image"}


def test_thousands_of_groups_and_chosen_inputs_take_no_time(catalog: Catalog) -> None:
    """Each against each node would be a hundred million looks."""
    nodes = [node(number, "EmptyImage", [64, 64, 1, 0], pos=[number, 0]) for number in range(3000)]
    groups = [{"title": f"G{number}", "bounding": [-1, -1, 9, 9]} for number in range(20_000)]
    chosen = [[number, "nope"] for number in range(20_000)] + [[7, "width"]] * 20_000
    graph = ui(nodes, [], groups=groups, extra={"linearData": {"inputs": chosen}})
    api = to_api(graph, catalog)
    start = time.perf_counter()
    assert author_hints(graph, api, catalog).chosen == (("7", "width"),)
    assert time.perf_counter() - start < 5


def test_dynamic_prompts_are_shown_as_written_and_drawn_for_each_run(catalog: Catalog) -> None:
    encode = node(1, "CLIPTextEncode", ["a {red|blue} fox"])
    graph = ui([encode], [])
    api = to_api(graph, catalog)
    form = build_form(graph, catalog, api=api)
    (field,) = form.fields
    assert field.default == "a {red|blue} fox"
    drawn = {sendable(form, {}, random.Random(seed))["1.text"] for seed in range(20)}
    assert drawn == {"a red fox", "a blue fox"}
    assert sendable(form, {"1.text": "{one} // note"}, random.Random(1)) == {"1.text": "one "}


def test_every_field_is_a_literal_of_the_graph(catalog: Catalog, template: Template) -> None:
    graph = template("video_ltx2_3_t2v")
    api = to_api(graph, catalog)
    for field in build_form(graph, catalog, api=api).fields:
        assert isinstance(field, Field)
        node_id, _, name = field.id.partition(".")
        assert not isinstance(api.nodes[node_id].inputs[name], ApiLink)


# --- Files made to hurt ----------------------------------------------------------------------------------------------

JUNK: list[Any] = [
    None,
    0,
    -1,
    2**70,
    1.5,
    float("nan"),
    "",
    "x",
    "a.png",
    [],
    {},
    ["1", 0],
    {"a": None},
    True,
    "{a|b}",
    [[]],
]


def mangled(value: Any, rng: random.Random, rate: float) -> Any:
    """`value` with junk put in, and parts left out."""
    if isinstance(value, dict | list) and rng.random() < rate:
        return rng.choice(JUNK)
    if isinstance(value, dict):
        return {key: mangled(each, rng, rate) for key, each in value.items() if rng.random() > rate / 2}
    if isinstance(value, list):
        return [mangled(each, rng, rate) for each in value if rng.random() > rate / 2]
    return rng.choice(JUNK) if rng.random() < rate / 4 else value


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(rng=st.randoms(use_true_random=False), rate=st.sampled_from([0.001, 0.003, 0.01, 0.05]), data=st.data())
def test_mangled_workflows_raise_nothing_but_graph_errors(
    catalog: Catalog, template: Template, rng: random.Random, rate: float, data: st.DataObject
) -> None:
    """Forms, cards and needs of official templates, damaged at random."""
    name = data.draw(st.sampled_from(["video_ltx2_3_t2v", "sdxl_simple_example", "template_sferro21_product_ad.app"]))
    document = mangled(dict(template(name).raw), rng, rate)
    steps: list[Callable[[ApiGraph | UiGraph], object]] = [
        lambda graph: scan(graph, catalog),
        lambda graph: check(graph, catalog),
        lambda graph: sendable(build_form(graph, catalog), {}, rng),
        lambda graph: build_form(to_api(graph, catalog), catalog),
    ]
    for step in steps:
        with contextlib.suppress(GraphError):
            step(build_workflow(document))
