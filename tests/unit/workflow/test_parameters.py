"""Values that other programs write into pictures, each in its own form."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfydesk.workflow.embedded.parameters import Parameters, read_parameters


def read(**texts: Any) -> Parameters:
    found = read_parameters({name.replace("__", "-"): text for name, text in texts.items()})
    assert found is not None
    return found


def test_a1111_with_everything() -> None:
    found = read(
        parameters="a cat: sitting, <lora:film:0.8>\nsecond line\nNegative prompt: blurry,\nbad: hands\n"
        "Steps: 20, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 7, Seed: 18446744073709551615, Size: 512x768,"
        ' Model: dream, Denoising strength: 0.45, Hires upscale: 2, ADetailer prompt: "a, b: c", Version: v1.10'
    )
    assert (found.prompt, found.negative) == ("a cat: sitting, <lora:film:0.8>\nsecond line", "blurry,\nbad: hands")
    assert (found.steps, found.cfg, found.seed, found.size) == (20, 7, 2**64 - 1, (512, 768))
    assert (found.sampler, found.scheduler, found.model, found.loras) == ("DPM++ 2M", "Karras", "dream", ("film",))
    assert found.settings["ADetailer prompt"] == "a, b: c"
    assert found.settings["Denoising strength"] == 0.45


@pytest.mark.parametrize("text", ["Steps: 5, Seed: 7", "a cat\nSteps: 5, Seed: 7", "a\r\nSteps: 5, Seed: 7\r\n"])
def test_a1111_with_little(text: str) -> None:
    found = read(parameters=text)
    assert (found.steps, found.seed, found.negative) == (5, 7, "")


def test_fooocus_swarm_invoke_and_novelai() -> None:
    fooocus = {
        "prompt": "a cat",
        "negative_prompt": "dog",
        "steps": 30,
        "guidance_scale": 4.0,
        "seed": "77",
        "resolution": "(896, 1152)",
        "base_model": "jugger",
        "loras": [["film", 0.5, "h"]],
        "sampler": "euler",
    }
    found = read(parameters=json.dumps(fooocus))
    assert (found.program, found.prompt, found.seed, found.model) == ("Fooocus", "a cat", 77, "jugger")
    assert (found.size, found.loras, found.cfg) == ((896, 1152), ("film",), 4)
    swarm = {"sui_image_params": {"prompt": "a cat", "negativeprompt": "dog", "seed": 5, "steps": 8, "cfgscale": 3,
             "model": "flux", "width": 64, "height": 32}}  # fmt: skip
    found = read(usercomment=json.dumps(swarm))
    assert (found.program, found.negative, found.cfg, found.size) == ("SwarmUI", "dog", 3, (64, 32))
    invoke = {
        "positive_prompt": "a cat",
        "negative_prompt": "dog",
        "seed": 5,
        "steps": 8,
        "cfg_scale": 3.5,
        "scheduler": "euler",
        "model": {"name": "sdxl"},
        "loras": [{"model": {"name": "film"}, "weight": 1}],
    }
    found = read(invokeai_metadata=json.dumps(invoke))
    assert (found.program, found.sampler, found.model, found.loras) == ("InvokeAI", "euler", "sdxl", ("film",))
    novel = {"steps": 28, "scale": 11.0, "uc": "dog", "seed": 5, "sampler": "k_euler", "width": 64, "height": 32}
    found = read(comment=json.dumps(novel), description="a cat")
    assert (found.program, found.prompt, found.negative, found.cfg) == ("NovelAI", "a cat", "dog", 11)


@pytest.mark.parametrize("texts", [{}, {"parameters": "a cat"}, {"comment": "holiday"}, {"parameters": "{broken"}])
def test_what_says_nothing(texts: dict[str, str]) -> None:
    assert read_parameters(texts) is None


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(
        ["prompt", "uc", "scale", "loras", "model", "lora", "name", "image", "sui_image_params", "resolution", "seed"]
    ), inner, max_size=5),
    max_leaves=12,
)  # fmt: skip


@given(VALUES, st.sampled_from(["parameters", "invokeai_metadata", "comment", "sd-metadata"]))
def test_nothing_that_a_file_says_raises(value: Any, name: str) -> None:
    read_parameters({name: json.dumps(value), "description": "x"})


@given(st.text(), st.text())
def test_no_text_raises(before: str, after: str) -> None:
    read_parameters({"parameters": f"{before}\nNegative prompt: {after}\nSteps: 2, {after}"})
