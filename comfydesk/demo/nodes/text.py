"""Text: generate (from a fixed wardrobe of phrases), join; and numbers for a picture's size."""

from collections.abc import Mapping
from typing import Any

from comfydesk.demo.nodes.base import Context, NodeClass, combo, float_spec, int_spec, text_spec
from comfydesk.demo.rewriter import rewrite
from comfydesk.demo.values import Result

TOKEN_SECONDS = 0.01
_RATIOS = {
    "1:1 (Square)": (1, 1),
    "2:3 (Portrait Photo)": (2, 3),
    "3:2 (Photo)": (3, 2),
    "3:4 (Portrait Standard)": (3, 4),
    "4:3 (Standard)": (4, 3),
    "9:16 (Portrait Widescreen)": (9, 16),
    "16:9 (Widescreen)": (16, 9),
    "21:9 (Ultrawide)": (21, 9),
}


def _generate(context: Context, prompt: str, max_length: int, sampling_mode: Mapping[str, Any]) -> Result:
    """As the real node reports: progress counts tokens, of as many as there may be."""
    words = rewrite(prompt, int(sampling_mode.get("seed", 0)), max_length).split()
    for count in range(1, len(words) + 1):
        context.step(count, max_length, None, TOKEN_SECONDS)
    return Result((" ".join(words),))


def _join(string_a: str, string_b: str, delimiter: str) -> Result:
    return Result((delimiter.join((string_a, string_b)),))


def _resolution(aspect_ratio: str, megapixels: float, multiple: int = 8) -> Result:
    wide, high = _RATIOS[aspect_ratio]
    unit = (megapixels * 1024 * 1024 / (wide * high)) ** 0.5
    return Result(tuple(max(multiple, round(side * unit / multiple) * multiple) for side in (wide, high)))


_SAMPLING = {
    "required": {
        "temperature": float_spec(0.7, 0.01, 2.0, step=1e-06),
        "top_k": int_spec(64, 0, 1000),
        "top_p": float_spec(0.95, 0.0, 1.0, step=0.01),
        "min_p": float_spec(0.05, 0.0, 1.0, step=0.01),
        "repetition_penalty": float_spec(1.05, 0.0, 5.0, step=0.01),
        "seed": int_spec(0, 0, 2**64 - 1),
    },
    "optional": {"presence_penalty": float_spec(0.0, 0.0, 5.0, step=0.01)},
}
NODES = (
    NodeClass(
        name="TextGenerate",
        run=_generate,
        title="Generate Text",
        category="text",
        required={
            "clip": ["CLIP", {}],
            "prompt": text_spec(default="", multiline=True, dynamicPrompts=True),
            "max_length": int_spec(512, 1, 32768),
            "sampling_mode": [
                "COMFY_DYNAMICCOMBO_V3",
                {
                    "display_name": "Sampling Mode",
                    "options": [{"key": "on", "inputs": _SAMPLING}, {"key": "off", "inputs": {"required": {}}}],
                },
            ],
        },
        optional={
            "image": ["IMAGE", {}],
            "video": ["IMAGE", {"tooltip": "Frames of a video. The demo pod does not look at them."}],
            "audio": ["AUDIO", {}],
            "thinking": ["BOOLEAN", {"tooltip": "No effect on this demo pod.", "default": False}],
            "use_default_template": [
                "BOOLEAN",
                {"tooltip": "No effect on this demo pod.", "advanced": True, "default": True},
            ],
        },
        outputs=("STRING",),
        output_names=("generated_text",),
        description="Dresses up a prompt from a fixed list of phrases: this demo pod has no language model.",
        module="comfy_extras.nodes_textgen",
        modern=True,
        aliases=("LLM",),
    ),
    NodeClass(
        name="StringConcatenate",
        run=_join,
        title="Concatenate Text",
        category="text",
        required={
            "string_a": text_spec(multiline=True),
            "string_b": text_spec(multiline=True),
            "delimiter": text_spec(default="", multiline=False),
        },
        outputs=("STRING",),
        module="comfy_extras.nodes_string",
        modern=True,
        aliases=("join text", "combine strings"),
    ),
    NodeClass(
        name="ResolutionSelector",
        run=_resolution,
        title="Resolution Selector",
        category="utilities",
        required={
            "aspect_ratio": combo(list(_RATIOS), tooltip="Shape.", default="1:1 (Square)"),
            "megapixels": float_spec(1.0, 0.1, 16.0, step=0.1, tooltip="Size; 1.0 is about 1024 by 1024."),
            "multiple": int_spec(8, 8, 128, step=4, advanced=True, tooltip="Sides are multiples of this."),
        },
        outputs=("INT", "INT"),
        output_names=("width", "height"),
        output_tooltips=("In pixels.", "In pixels."),
        description="Width and height from shape and size.",
        module="comfy_extras.nodes_resolution",
        modern=True,
    ),
)
