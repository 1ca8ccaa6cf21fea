"""What a pod lacks: exactly the missing files and nodes, where they belong, and the nearest that it has."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from comfydesk.workflow.catalog import Catalog
from comfydesk.workflow.convert import to_api
from comfydesk.workflow.graph import ApiGraph, UiGraph
from comfydesk.workflow.needs import MissingModel, check, nearest, server_spelling, with_server_spelling
from comfydesk.workflow.parse import build_workflow

Api = Callable[[dict[str, tuple[Any, ...]]], ApiGraph]
Pod = Callable[..., Catalog]


@pytest.fixture
def pod(object_info: dict[str, Any]) -> Pod:
    """`pod(ckpt_name=["a.safetensors"])`: a catalog whose loaders list these files."""

    def build(**files: list[str]) -> Catalog:
        info = dict(object_info)
        for loader in ("CheckpointLoaderSimple", "LoraLoaderModelOnly", "UNETLoader", "UpscaleModelLoader"):
            entry = copy.deepcopy(object_info[loader])
            for name, spec in entry["input"]["required"].items():
                if name in files:
                    is_new_style = spec[0] == "COMBO"
                    entry["input"]["required"][name] = (
                        ["COMBO", {"options": files[name]}] if is_new_style else [files[name], {}]
                    )
            info[loader] = entry
        return Catalog.from_object_info(info)

    return build


def drawing(checkpoint: str, **more: tuple[Any, ...]) -> dict[str, tuple[Any, ...]]:
    nodes: dict[str, tuple[Any, ...]] = {
        "1": ("CheckpointLoaderSimple", {"ckpt_name": checkpoint}),
        "3": ("KSampler", {"model": ["1", 0], "positive": ["6", 0], "negative": ["6", 0], "latent_image": ["5", 0]}),
        "5": ("EmptyLatentImage", {"width": 64, "height": 64, "batch_size": 1}),
        "6": ("CLIPTextEncode", {"text": "a", "clip": ["1", 1]}),
        "8": ("VAEDecode", {"samples": ["3", 0], "vae": ["1", 2]}),
        "9": ("SaveImage", {"images": ["8", 0], "filename_prefix": "x"}),
    }
    return nodes | {name.removeprefix("n"): node for name, node in more.items()}


def test_a_pod_that_has_everything_is_ready(pod: Pod, api: Api) -> None:
    assert check(api(drawing("sd15.safetensors")), pod(ckpt_name=["sd15.safetensors"])).ready


def test_a_missing_file_is_named_with_its_folder_and_the_nearest_of_the_pod(pod: Pod, api: Api) -> None:
    needs = check(api(drawing("sdxl_base_1.0.safetensors")), pod(ckpt_name=["flux.safetensors", "sdxl_base_0.9.ckpt"]))
    assert not needs.ready
    assert needs.missing_models == (
        MissingModel("sdxl_base_1.0.safetensors", "checkpoints", suggestion="sdxl_base_0.9.ckpt"),
    )


def test_slashes_are_alike_and_the_pods_spelling_is_sent(pod: Pod, api: Api) -> None:
    graph, catalog = api(drawing("sub/sd15.safetensors")), pod(ckpt_name=["sub\\sd15.safetensors"])
    assert check(graph, catalog).ready
    sent = with_server_spelling(graph, catalog)
    assert sent.nodes["1"].inputs == {"ckpt_name": "sub\\sd15.safetensors"}
    assert graph.nodes["1"].inputs == {"ckpt_name": "sub/sd15.safetensors"}, "the graph itself is not changed"
    assert with_server_spelling(sent, catalog) == sent


def test_the_same_file_in_another_folder_is_only_a_suggestion(pod: Pod, api: Api) -> None:
    needs = check(api(drawing("a/sd15.safetensors")), pod(ckpt_name=["b\\sd15.safetensors"]))
    assert [model.suggestion for model in needs.missing_models] == ["b\\sd15.safetensors"]


def test_nothing_alike_is_not_suggested(pod: Pod, api: Api) -> None:
    needs = check(api(drawing("sd15.safetensors")), pod(ckpt_name=["wan2.2_t2v_high_noise_14B.safetensors"]))
    assert [model.suggestion for model in needs.missing_models] == [""]


def test_branches_that_no_output_asks_for_are_not_missed(pod: Pod, api: Api) -> None:
    stray = ("LoraLoaderModelOnly", {"lora_name": "gone.safetensors", "strength_model": 1.0, "model": ["1", 0]})
    catalog = pod(ckpt_name=["a.safetensors"], lora_name=[])
    assert check(api(drawing("a.safetensors", n20=stray)), catalog).ready
    used = drawing("a.safetensors", n20=stray)
    used["3"] = ("KSampler", {**used["3"][1], "model": ["20", 0]})
    assert [model.directory for model in check(api(used), catalog).missing_models] == ["loras"]


def test_each_missing_file_once(pod: Pod, api: Api) -> None:
    twice = drawing("x.ckpt", n2=("CheckpointLoaderSimple", {"ckpt_name": "x.ckpt"}))
    twice["8"] = ("VAEDecode", {"samples": ["3", 0], "vae": ["2", 2]})
    assert len(check(api(twice), pod(ckpt_name=[])).missing_models) == 1


def test_missing_nodes_are_named(pod: Pod, api: Api) -> None:
    graph = api(drawing("a.safetensors", n30=("Pack_Two", {}), n31=("Pack_One", {}), n32=("Pack_One", {})))
    assert check(graph, pod(ckpt_name=["a.safetensors"])).missing_nodes == ("Pack_One", "Pack_Two")


# --- UI files --------------------------------------------------------------------------------------------------------


def test_url_and_hash_come_from_what_the_author_declared(pod: Pod) -> None:
    models = [
        {"name": "x4.pth", "directory": "upscale_models", "url": "https://h/x4", "hash": "AB", "hash_type": "SHA256"}
    ]
    graph = workflow(upscaler(properties={"models": models}))
    (missing,) = check(graph, pod(model_name=[])).missing_models
    assert missing == MissingModel("x4.pth", "upscale_models", "https://h/x4", "ab")


@pytest.mark.parametrize("mode", [2, 4])
def test_muted_and_bypassed_loaders_are_not_missed(pod: Pod, mode: int) -> None:
    assert check(workflow(upscaler(mode=mode)), pod(model_name=[])).ready


def test_muted_nodes_of_a_missing_pack_are_not_missed(pod: Pod) -> None:
    graph = workflow({"id": 1, "type": "NoSuchNode", "mode": 2}, {"id": 2, "type": "NoSuchNodeEither"})
    assert check(graph, pod()).missing_nodes == ("NoSuchNodeEither",)


def test_a_graph_that_cannot_be_converted_still_says_what_it_declares(pod: Pod) -> None:
    models = [{"name": "x4.pth", "directory": "upscale_models", "url": "https://h/x4"}]
    broken = {"id": 3, "type": "SaveImage", "inputs": [{"name": "images", "type": "IMAGE", "link": 77}]}
    graph = workflow(upscaler(properties={"models": models}), broken)
    needs = check(graph, pod(model_name=["RealESRGAN_x4.pth"]))
    assert [model.name for model in needs.missing_models] == ["x4.pth"]
    needs = check(graph, pod(model_name=["sub/x4.pth"]))
    assert (needs.ready, needs.missing_models) == (False, ()), "nothing is missing, but it cannot run"


def test_a_subgraph_inside_itself_does_not_raise(pod: Pod) -> None:
    looped = {"id": "d", "nodes": [{"id": 5, "type": "d"}, {"id": 6, "type": "Odd"}], "links": []}
    graph = build_workflow({"nodes": [{"id": 1, "type": "d"}], "links": [], "definitions": {"subgraphs": [looped]}})
    assert check(graph, pod()).missing_nodes == ("Odd",)


def test_official_templates_miss_what_they_declare_on_an_empty_pod(
    catalog: Catalog, template: Callable[[str], UiGraph]
) -> None:
    """The recorded pod has no models at all."""
    graph = template("video_wan2_2_14B_i2v")
    needs = check(graph, catalog, api=to_api(graph, catalog))
    assert all(model.url.startswith("https://") and model.directory for model in needs.missing_models)
    assert {model.directory for model in needs.missing_models} == {"diffusion_models", "loras", "text_encoders", "vae"}


def upscaler(**more: Any) -> dict[str, Any]:
    outputs = [{"name": "UPSCALE_MODEL", "type": "UPSCALE_MODEL", "links": [1]}]
    return {"id": 1, "type": "UpscaleModelLoader", "mode": 0, "outputs": outputs, "widgets_values": ["x4.pth"], **more}


def workflow(*nodes: dict[str, Any]) -> UiGraph:
    """`nodes`, and an upscale of an empty picture that gets link 1 from node 1."""
    upscale_inputs = [
        {"name": "upscale_model", "type": "UPSCALE_MODEL", "link": 1},
        {"name": "image", "type": "IMAGE", "link": 2},
    ]
    rest = [
        {"id": 90, "type": "EmptyImage", "outputs": [{"name": "IMAGE", "type": "IMAGE", "links": [2]}]},
        {
            "id": 91,
            "type": "ImageUpscaleWithModel",
            "inputs": upscale_inputs,
            "outputs": [{"name": "IMAGE", "type": "IMAGE", "links": [3]}],
        },
        {"id": 92, "type": "PreviewImage", "inputs": [{"name": "images", "type": "IMAGE", "link": 3}]},
    ]
    links = [[1, 1, 0, 91, 0, "UPSCALE_MODEL"], [2, 90, 0, 91, 1, "IMAGE"], [3, 91, 0, 92, 0, "IMAGE"]]
    graph = build_workflow({"nodes": [*nodes, *rest], "links": links})
    assert isinstance(graph, UiGraph)
    return graph


# --- Names -----------------------------------------------------------------------------------------------------------


def test_exact_names_win_over_alike_ones() -> None:
    assert server_spelling("a/b", ["a\\b", "a/b"]) == "a/b"
    assert server_spelling("a/b", ["a\\b", 7]) == "a\\b"
    assert server_spelling("a/b", ["b"]) is None


def test_the_nearest_of_thousands_is_found_fast() -> None:
    names = [f"folder/model_{n}_fp16.safetensors" for n in range(5000)]
    assert nearest("model_4711_fp8.safetensors", names) == "folder/model_4711_fp16.safetensors"
