"""Which model folder of the pod a combo lists.

object_info gives the files but not the folder; the names of the inputs are a convention that custom node packs keep
to as well. Folders: ComfyUI 0.33.0's folder_paths; table checked against its loaders.
"""

from collections.abc import Mapping

_BY_CLASS: Mapping[tuple[str, str], str] = {
    ("CLIPVisionLoader", "clip_name"): "clip_vision",
    ("UpscaleModelLoader", "model_name"): "upscale_models",
    ("LatentUpscaleModelLoader", "model_name"): "latent_upscale_models",
    ("FrameInterpolationModelLoader", "model_name"): "frame_interpolation",
    ("OpticalFlowLoader", "model_name"): "optical_flow",
    ("LoadMoGeModel", "model_name"): "geometry_estimation",
    ("LoadDA3Model", "model_name"): "geometry_estimation",
    ("LoadMediaPipeFaceLandmarker", "model_name"): "detection",
    ("ModelPatchLoader", "name"): "model_patches",
    ("TrainLoraNode", "existing_lora"): "loras",
    ("LTXAVTextEncoderLoader", "text_encoder"): "text_encoders",
    ("DiffusersLoader", "model_path"): "diffusers",
}

_BY_INPUT: Mapping[str, str] = {
    "ckpt_name": "checkpoints",
    "config_name": "configs",
    "lora_name": "loras",
    "vae_name": "vae",
    "unet_name": "diffusion_models",
    "clip_name": "text_encoders",
    "clip_name1": "text_encoders",
    "clip_name2": "text_encoders",
    "clip_name3": "text_encoders",
    "clip_name4": "text_encoders",
    "clip_vision_name": "clip_vision",
    "control_net_name": "controlnet",
    "controlnet_name": "controlnet",
    "style_model_name": "style_models",
    "gligen_name": "gligen",
    "hypernetwork_name": "hypernetworks",
    "upscale_model_name": "upscale_models",
    "photomaker_model_name": "photomaker",
    "audio_encoder_name": "audio_encoders",
    "bg_removal_name": "background_removal",
}


def model_folder(node: str, name: str) -> str:
    """The folder behind combo `name` of class `node`, or "" when it lists no models as far as we know."""
    return _BY_CLASS.get((node, name)) or _BY_INPUT.get(name, "")
