"""Workflows that the demo pod can run."""

import importlib.resources
import json
from typing import Any


def picture(seed: int = 1, width: int = 64, steps: int = 2) -> dict[str, Any]:
    """The API graph of the classic text to image, drawn by the demo pod."""
    return {
        "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "demo-painter.safetensors"}},
        "5": {"class_type": "EmptyLatentImage", "inputs": {"width": width, "height": 64, "batch_size": 1}},
        "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "a sheep", "clip": ["4", 1]}},
        "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "", "clip": ["4", 1]}},
        "3": {
            "class_type": "KSampler",
            "inputs": {
                "seed": seed,
                "steps": steps,
                "cfg": 8.0,
                "sampler_name": "euler",
                "scheduler": "normal",
                "denoise": 1.0,
                "model": ["4", 0],
                "positive": ["6", 0],
                "negative": ["7", 0],
                "latent_image": ["5", 0],
            },
            "_meta": {"title": "Draw it"},
        },
        "8": {"class_type": "VAEDecode", "inputs": {"samples": ["3", 0], "vae": ["4", 2]}},
        "9": {"class_type": "SaveImage", "inputs": {"images": ["8", 0], "filename_prefix": "sub/pic"}},
    }


def flat(color: int = 0, prefix: str = "flat") -> dict[str, Any]:
    """The quickest graph that saves something."""
    return {
        "1": {"class_type": "EmptyImage", "inputs": {"width": 16, "height": 16, "batch_size": 1, "color": color}},
        "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": prefix}},
    }


def template(name: str) -> bytes:
    """One of ComfyUI's official templates, as its frontend saved it."""
    package = importlib.resources.files("comfyui_workflow_templates_json")
    return (package / "templates" / f"{name}.json").read_bytes()


def as_json(graph: dict[str, Any]) -> bytes:
    return json.dumps(graph).encode()


def frontend_graph() -> bytes:
    """A UI workflow of two nodes in the form in which ComfyUI's frontend saves it."""
    nodes = [
        {
            "id": 1,
            "type": "EmptyImage",
            "pos": [0, 0],
            "size": [270, 130],
            "flags": {},
            "order": 0,
            "mode": 0,
            "inputs": [],
            "outputs": [{"name": "IMAGE", "type": "IMAGE", "links": [1]}],
            "properties": {"Node name for S&R": "EmptyImage"},
            "widgets_values": [16, 16, 1, 0],
        },
        {
            "id": 2,
            "type": "SaveImage",
            "pos": [400, 0],
            "size": [270, 58],
            "flags": {},
            "order": 1,
            "mode": 0,
            "inputs": [{"name": "images", "type": "IMAGE", "link": 1}],
            "outputs": [],
            "properties": {},
            "widgets_values": ["ComfyUI"],
        },
    ]
    document = {
        "id": "6b5f6c3e-3c5d-4a0e-9a58-1d3a3ad4c8a5",
        "revision": 0,
        "last_node_id": 2,
        "last_link_id": 1,
        "nodes": nodes,
        "links": [[1, 1, 0, 2, 0, "IMAGE"]],
        "groups": [],
        "config": {},
        "extra": {},
        "version": 0.4,
    }
    return as_json(document)
