"""Loaders. A model of the demo pod is a name: it steers the brush, nothing is loaded."""

from typing import Any

from comfydesk.demo.nodes.base import NodeClass, Spec, float_spec, model_files
from comfydesk.demo.values import Model, Result

NO_AI = "On this demo pod a name only: it draws on the CPU and is no AI."
_STRENGTH = {"step": 0.01, "tooltip": "How strongly it colours the picture; may be negative."}
CLIP_TYPES = [
    *("stable_diffusion", "stable_cascade", "sd3", "stable_audio", "mochi", "ltxv", "pixart", "cosmos", "lumina2"),
    *("wan", "hidream", "chroma", "ace", "omnigen2", "qwen_image", "hunyuan_image", "flux2", "ovis", "longcat_image"),
    *("cogvideox", "lens", "pixeldit", "ideogram4", "boogu", "krea2", "joyimage", "mage", "minimax"),
]
DUAL_TYPES = [
    *("sdxl", "sd3", "flux", "hunyuan_video", "hidream", "hunyuan_image", "hunyuan_video_15"),
    *("kandinsky5", "kandinsky5_image", "ltxv", "newbie", "ace"),
]


def _checkpoint(ckpt_name: str) -> Result:
    return Result((Model(ckpt_name),) * 3)


def _unet(unet_name: str) -> Result:
    return Result((Model(unet_name),))


def _clip(clip_name: str) -> Result:
    return Result((Model(clip_name),))


def _dual_clip(clip_name1: str, clip_name2: str) -> Result:
    return Result((Model(f"{clip_name1}+{clip_name2}"),))


def _vae(vae_name: str) -> Result:
    return Result((Model(vae_name),))


def _lora(model: Model, clip: Model, lora_name: str, strength_model: float, strength_clip: float) -> Result:
    return Result((_with(model, lora_name, strength_model), _with(clip, lora_name, strength_clip)))


def _lora_model_only(model: Model, lora_name: str, strength_model: float) -> Result:
    return Result((_with(model, lora_name, strength_model),))


def _with(model: Model, lora: str, strength: float) -> Model:
    return Model(model.name, (*model.loras, (lora, strength)))


def _same_model(model: Model) -> Result:
    return Result((model,))


def _upscaler(model_name: str) -> Result:
    return Result((Model(model_name),))


def _loader(
    name: str, title: str, run: Any, required: dict[str, Spec], outputs: tuple[str, ...], **more: Any
) -> NodeClass:
    more.setdefault("description", NO_AI)
    return NodeClass(
        name=name, title=title, run=run, category="model/loaders", required=required, outputs=outputs, **more
    )


NODES = (
    _loader(
        "CheckpointLoaderSimple",
        "Load Checkpoint",
        _checkpoint,
        {"ckpt_name": [model_files("checkpoints"), {"tooltip": "The checkpoint to load."}]},
        ("MODEL", "CLIP", "VAE"),
        output_tooltips=("Draws.", "Reads prompts.", "Turns latents into pictures and back."),
        aliases=("load model", "checkpoint", "ckpt"),
    ),
    _loader(
        "UNETLoader",
        "Load Diffusion Model",
        _unet,
        {
            "unet_name": [model_files("diffusion_models")],
            "weight_dtype": [["default", "fp8_e4m3fn", "fp8_e4m3fn_fast", "fp8_e5m2"], {"advanced": True}],
        },
        ("MODEL",),
    ),
    _loader(
        "CLIPLoader",
        "Load CLIP",
        _clip,
        {"clip_name": [model_files("text_encoders")], "type": [CLIP_TYPES]},
        ("CLIP",),
        optional={"device": [["default", "cpu"], {"advanced": True}]},
    ),
    _loader(
        "DualCLIPLoader",
        "Load CLIP (Dual)",
        _dual_clip,
        {
            "clip_name1": [model_files("text_encoders")],
            "clip_name2": [model_files("text_encoders")],
            "type": [DUAL_TYPES],
        },
        ("CLIP",),
        optional={"device": [["default", "cpu"], {"advanced": True}]},
    ),
    _loader("VAELoader", "Load VAE", _vae, {"vae_name": [model_files("vae")]}, ("VAE",)),
    _loader(
        "LoraLoader",
        "Load LoRA (Model and CLIP)",
        _lora,
        {
            "model": ["MODEL", {"tooltip": "The model it is laid over."}],
            "clip": ["CLIP", {"tooltip": "The text encoder it is laid over."}],
            "lora_name": [model_files("loras"), {"tooltip": "The LoRA."}],
            "strength_model": float_spec(1.0, -100.0, 100.0, **_STRENGTH),
            "strength_clip": float_spec(1.0, -100.0, 100.0, **_STRENGTH),
        },
        ("MODEL", "CLIP"),
        output_tooltips=("The model with it.", "The text encoder with it."),
        aliases=("lora", "apply lora"),
        essential="Image Generation",
    ),
    _loader(
        "LoraLoaderModelOnly",
        "Load LoRA",
        _lora_model_only,
        {
            "model": ["MODEL"],
            "lora_name": [model_files("loras")],
            "strength_model": float_spec(1.0, -100.0, 100.0, step=0.01),
        },
        ("MODEL",),
        essential="Image Generation",
    ),
    _loader(
        "UpscaleModelLoader",
        "Load Upscale Model",
        _upscaler,
        {"model_name": ["COMBO", {"multiselect": False, "options": model_files("upscale_models")}]},
        ("UPSCALE_MODEL",),
        module="comfy_extras.nodes_upscale_model",
        modern=True,
    ),
    *(
        NodeClass(
            name=name,
            run=_same_model,
            title=name,
            category=category,
            required={"model": ["MODEL"], "shift": float_spec(shift, 0.0, 100.0, step=0.01)},
            outputs=("MODEL",),
            module="comfy_extras.nodes_model_advanced",
            description="No effect on this demo pod.",
        )
        for name, shift, category in (
            ("ModelSamplingSD3", 3.0, "model/patch/stable diffusion"),
            ("ModelSamplingAuraFlow", 1.73, "model/patch"),
        )
    ),
)
