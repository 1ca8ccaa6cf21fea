"""The dialect of a workflow, by the models it loads: ComfyUI's official templates."""

import importlib.resources
from dataclasses import replace

import pytest

from comfydesk.session.enhancement.enhancer import Enhancer
from comfydesk.session.values import OpenWorkflow
from comfydesk.workflow.fields import Field, Form, Kind
from comfydesk.workflow.parse import parse_workflow


def template(name: str) -> OpenWorkflow:
    data = (importlib.resources.files("comfyui_workflow_templates_json") / "templates" / f"{name}.json").read_bytes()
    return OpenWorkflow(name, name, parse_workflow(data))


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("sdxl_simple_example", "sdxl"),
        ("image_anima_preview", "illustrious"),
        ("flux_dev_full_text_to_image", "flux"),
        ("flux_canny_model_example", "flux"),
        ("image_flux2_klein_text_to_image", "flux"),
        ("flux_kontext_dev_basic", "edit"),
        ("image_qwen_image", "qwen-image"),
        ("image_qwen_image_edit_2509", "edit"),
        ("image_z_image_turbo", "z-image"),
        ("sd3.5_simple_example", "sd3"),
        ("hidream_i1_full", "sd3"),
        ("video_wan2_2_14B_t2v", "wan"),
        ("video_wan2_2_14B_i2v", "wan"),
        ("ltxv_text_to_video", "ltx"),
        ("video_ltx2_t2v", "ltx"),
        ("hunyuan_video_text_to_video", "hunyuan-video"),
        ("audio_ace_step_1_5_checkpoint", "audio"),
    ],
)
def test_the_family_is_that_of_the_models(name: str, family: str) -> None:
    assert Enhancer.family_of(template(name)) == family


def test_a_model_chosen_in_the_form_counts() -> None:
    workflow = template("sdxl_simple_example")
    field = Field("4.ckpt_name", "Model", Kind.MODEL, "sd_xl_base_1.0.safetensors")
    workflow = replace(workflow, form=Form((field,)))
    assert Enhancer.family_of(workflow) == "sdxl"
    assert Enhancer.family_of(workflow, {"4.ckpt_name": "ponyDiffusionV6XL.safetensors"}) == "pony"
