"""Texts in which other programs tell their values: A1111, Forge, Fooocus, SwarmUI, InvokeAI, NovelAI."""

import json

from comfydesk.session.gallery.facts import Facts
from comfydesk.session.gallery.reading import _joined
from comfydesk.workflow.embedded.parameters import looks_like_parameters, read_parameters
from tests.fuzz.harness import Harness
from tests.fuzz.mutate import bytes_of, either, json_after_first, tokens

NAMES = ("parameters", "comment", "description", "invokeai_metadata", "sd-metadata", "usercomment", "")


def take(data: bytes) -> None:
    name, rest = NAMES[(data[:1] or b"\0")[0] % len(NAMES)], data[1:].decode("utf-8", "replace")
    looks_like_parameters(rest)
    for texts in ({name: rest}, {"comment": rest, "description": rest[:50]}):
        found = read_parameters(texts)
        if found is not None:
            _joined(Facts(), found)


_A1111 = """a cat <lora:x:0.8>, (b:1.2)
Negative prompt: dog
Steps: 20, Sampler: DPM++ 2M Karras, CFG scale: 7, Seed: 7, Size: 512x768, Model hash: abc, Model: m, \
Lora hashes: "x: 1, y: 2", Version: v1.9, Denoising strength: 0.5"""


def seeds() -> list[bytes]:
    texts = [
        _A1111,
        "Steps: 1, Seed: 2",
        json.dumps(
            {
                "prompt": "a",
                "negative_prompt": "b",
                "seed": 1,
                "steps": 3,
                "sampler": "e",
                "base_model": "m",
                "loras": [["x", 0.5]],
                "resolution": "(64, 64)",
                "metadata_scheme": "fooocus",
            }
        ),
        json.dumps({"sui_image_params": {"prompt": "a", "seed": 1, "model": "m", "loras": ["x"], "width": 64}}),
        json.dumps(
            {
                "positive_prompt": "a",
                "negative_prompt": "b",
                "seed": 3,
                "model": {"model_name": "m"},
                "loras": [{"model": {"name": "x"}, "weight": 1}],
                "width": 64,
                "scheduler": "euler",
                "cfg_scale": 7,
            }
        ),
        json.dumps(
            {"prompt": "a", "uc": "b", "steps": 28, "seed": 9, "sampler": "k_euler", "scale": 5, "request_type": "x"}
        ),
        json.dumps(
            {"image": {"prompt": [{"prompt": "a", "weight": 1}], "seed": 4, "postprocessing": None}, "model": "sd"}
        ),
    ]
    return [bytes([number]) + text.encode() for number in range(len(NAMES)) for text in texts]


HARNESS = Harness(
    take,
    seeds,
    either(
        bytes_of,
        json_after_first,
        tokens(
            "Steps: ",
            "\nNegative prompt: ",
            ", Seed: ",
            "Size: ",
            "999999999x99999999",
            "<lora:",
            ":1>",
            '"',
            "\\",
            "\n",
            "Hashes: {",
            "Model: ",
            "nan",
            "1e400",
            "Schedule type: ",
            "²",
        ),
    ),
)
