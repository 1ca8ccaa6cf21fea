"""Nodes at work, in graphs with real names."""

import json
from typing import Any

import av
import pytest
from PIL import Image, ImageStat

from comfydesk.demo.media import save_audio
from comfydesk.demo.tune import compose

MODELS = {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "demo-painter.safetensors"}}


async def shown(client: Any, graph: dict[str, Any], node: str) -> dict[str, Any]:
    """What a node showed in a run that must succeed."""
    entry = await client.run(graph)
    assert entry["status"]["status_str"] == "success", entry["status"]["messages"][-1]
    found: dict[str, Any] = entry["outputs"][node]
    return found


async def test_batches_loras_and_two_samplers(demo: Any, picture_graph: Any) -> None:
    graph = picture_graph(steps=2)
    graph["4"]["inputs"]["batch_size"] = 2
    lora = {"lora_name": "demo-warm-light.safetensors", "strength_model": 1.0, "strength_clip": 1.0}
    graph["8"] = {"class_type": "LoraLoader", "inputs": {"model": ["1", 0], "clip": ["1", 1], **lora}}
    graph["5"]["inputs"]["model"] = ["8", 0]
    again = {"samples": ["5", 0], "upscale_method": "bislerp", "width": 96, "height": 96, "crop": "disabled"}
    graph["9"] = {"class_type": "LatentUpscale", "inputs": again}
    second = {name: value for name, value in graph["5"]["inputs"].items() if name not in ("seed", "denoise")}
    more = {"noise_seed": 5, "add_noise": "enable", "start_at_step": 1, "end_at_step": 4}
    graph["10"] = {
        "class_type": "KSamplerAdvanced",
        "inputs": second | more | {"latent_image": ["9", 0], "return_with_leftover_noise": "disable", "steps": 4},
    }
    graph["6"]["inputs"]["samples"] = ["10", 0]
    async with demo() as client:
        pictures = (await shown(client, graph, "7"))["images"]
        assert [entry["filename"] for entry in pictures] == ["demo_00001_.png", "demo_00002_.png"]
        sizes = []
        for entry in pictures:
            with Image.open(client.file(entry)) as image:
                sizes.append(image.size)
    assert sizes == [(96, 96), (96, 96)]


async def test_changing_a_picture(demo: Any) -> None:
    empty = {"width": 40, "height": 20, "batch_size": 1, "color": 0xFF0000}
    graph = {
        "1": {"class_type": "EmptyImage", "inputs": empty},
        "2": {"class_type": "EmptyImage", "inputs": empty | {"color": 0x0000FF, "width": 30}},
        "3": {
            "class_type": "ImageBlend",
            "inputs": {"image1": ["1", 0], "image2": ["2", 0], "blend_factor": 0.5, "blend_mode": "normal"},
        },
        "4": {"class_type": "ImageBlur", "inputs": {"image": ["3", 0], "blur_radius": 2, "sigma": 1}},
        "5": {
            "class_type": "ImageScale",
            "inputs": {"image": ["4", 0], "upscale_method": "lanczos", "width": 10, "height": 0, "crop": "center"},
        },
        "6": {"class_type": "UpscaleModelLoader", "inputs": {"model_name": "demo-sharpen-2x.safetensors"}},
        "7": {"class_type": "ImageUpscaleWithModel", "inputs": {"upscale_model": ["6", 0], "image": ["5", 0]}},
        "8": {"class_type": "ImageFromBatch", "inputs": {"image": ["7", 0], "batch_index": 0, "length": 1}},
        "9": {"class_type": "SaveImage", "inputs": {"images": ["8", 0], "filename_prefix": "x"}},
    }
    async with demo() as client:
        (saved,) = (await shown(client, graph, "9"))["images"]
        with Image.open(client.file(saved)) as image:
            assert image.size == (20, 10)
            assert image.getpixel((5, 5)) == pytest.approx((127, 0, 127), abs=2)


async def test_transparency_is_a_mask(demo: Any) -> None:
    graph = {
        "1": {"class_type": "LoadImage", "inputs": {"image": "see-through.png"}},
        "2": {"class_type": "PreviewAny", "inputs": {"source": ["1", 1]}},
        "3": {"class_type": "LoadImageMask", "inputs": {"image": "see-through.png", "channel": "red"}},
        "4": {"class_type": "PreviewAny", "inputs": {"source": ["3", 0]}},
    }
    async with demo() as client:
        Image.new("RGBA", (30, 20), (200, 0, 0, 55)).save(client.pod.folder / "input" / "see-through.png")
        entry = await client.run(graph)
    assert "size=30x20" in entry["outputs"]["2"]["text"][0]
    assert "mode=L" in entry["outputs"]["4"]["text"][0]


async def test_a_video_taken_apart_and_put_together_again(demo: Any) -> None:
    graph = {
        "1": {"class_type": "EmptyImage", "inputs": {"width": 32, "height": 32, "batch_size": 5, "color": 255}},
        "2": {"class_type": "LoadAudio", "inputs": {"audio": "tone.flac"}},
        "3": {"class_type": "CreateVideo", "inputs": {"images": ["1", 0], "fps": 10, "audio": ["2", 0]}},
        "4": {"class_type": "SaveVideo", "inputs": save_video("first", "mp4") | {"video": ["3", 0]}},
        "10": {"class_type": "SaveAudioMP3", "inputs": {"audio": ["2", 0], "filename_prefix": "t", "quality": "V0"}},
        "11": {
            "class_type": "SaveAudioAdvanced",
            "inputs": {"audio": ["2", 0], "filename_prefix": "t", "format": "opus", "format.quality": "64k"},
        },
        "12": {"class_type": "PreviewAudio", "inputs": {"audio": ["2", 0]}},
    }
    async with demo() as client:
        save_audio(client.pod.folder / "input" / "tone.flac", compose("calm", 1, 0.5), "flac", "", {})
        entry = await client.run(graph)
        assert entry["status"]["status_str"] == "success", entry["status"]["messages"][-1]
        assert entry["outputs"]["4"] == {
            "images": [{"filename": "first_00001_.mp4", "subfolder": "", "type": "output"}],
            "animated": [True],
        }
        names = [entry["outputs"][node]["audio"][0]["filename"] for node in ("10", "11")]
        assert names == ["t_00001.mp3", "t_00002.opus"], "the counter is one for all kinds of files"
        assert entry["outputs"]["12"]["audio"][0]["type"] == "temp"
        back = {
            "5": {"class_type": "LoadVideo", "inputs": {"file": "first_00001_.mp4 [output]"}},
            "6": {"class_type": "GetVideoComponents", "inputs": {"video": ["5", 0]}},
            "7": {"class_type": "PreviewAny", "inputs": {"source": ["6", 2]}},
            "8": {"class_type": "CreateVideo", "inputs": {"images": ["6", 0], "fps": ["6", 2], "audio": ["6", 1]}},
            "9": {"class_type": "SaveVideo", "inputs": save_video("second", "webm") | {"video": ["8", 0]}},
        }
        entry = await client.run(back)
        assert entry["outputs"]["7"] == {"text": ["10.0"]}
        (saved,) = entry["outputs"]["9"]["images"]
        with av.open(str(client.file(saved))) as file:
            assert file.streams.video[0].codec.canonical_name == "av1"
            assert file.streams.audio[0].codec.canonical_name == "opus"
            assert json.loads(file.metadata["PROMPT"])["5"]["class_type"] == "LoadVideo"


def save_video(prefix: str, container: str) -> dict[str, Any]:
    return {"filename_prefix": prefix, "format": container, "format.codec": "auto"}


async def test_a_video_from_a_picture(demo: Any) -> None:
    sampler = {"seed": 1, "steps": 2, "cfg": 5, "sampler_name": "euler", "scheduler": "simple", "denoise": 1}
    links = {"model": ["1", 0], "positive": ["2", 0], "negative": ["2", 0], "latent_image": ["4", 0]}
    latent = {"vae": ["1", 2], "width": 64, "height": 64, "length": 6, "batch_size": 1, "start_image": ["3", 0]}
    graph = {
        "1": MODELS,
        "2": {"class_type": "CLIPTextEncode", "inputs": {"text": "slow zoom", "clip": ["1", 1]}},
        "3": {"class_type": "EmptyImage", "inputs": {"width": 80, "height": 60, "batch_size": 1, "color": 0x208040}},
        "4": {"class_type": "Wan22ImageToVideoLatent", "inputs": latent},
        "5": {"class_type": "KSampler", "inputs": sampler | links},
        "6": {"class_type": "VAEDecode", "inputs": {"samples": ["5", 0], "vae": ["1", 2]}},
        "7": {"class_type": "PreviewImage", "inputs": {"images": ["6", 0]}},
    }
    async with demo() as client:
        pictures = (await shown(client, graph, "7"))["images"]
        assert len(pictures) == 5, "1, 5, 9 … frames: length 6 makes 5"
        with Image.open(client.file(pictures[0])) as image:
            assert ImageStat.Stat(image).mean == pytest.approx([32, 128, 64], abs=6)


async def test_text(demo: Any) -> None:
    mode = {
        "sampling_mode": "on",
        "sampling_mode.temperature": 0.7,
        "sampling_mode.top_k": 64,
        "sampling_mode.top_p": 0.9,
        "sampling_mode.min_p": 0.05,
        "sampling_mode.repetition_penalty": 1.05,
        "sampling_mode.seed": 3,
    }
    graph = {
        "1": {"class_type": "CLIPLoader", "inputs": {"clip_name": "demo-words.safetensors", "type": "flux2"}},
        "2": {
            "class_type": "TextGenerate",
            "inputs": {"clip": ["1", 0], "prompt": "a red bicycle", "max_length": 64, **mode},
        },
        "3": {"class_type": "StringConcatenate", "inputs": {"string_a": ["2", 0], "string_b": "!", "delimiter": " "}},
        "4": {"class_type": "PreviewAny", "inputs": {"source": ["3", 0]}},
        "5": {
            "class_type": "ResolutionSelector",
            "inputs": {"aspect_ratio": "16:9 (Widescreen)", "megapixels": 1.0, "multiple": 8},
        },
        "6": {"class_type": "PreviewAny", "inputs": {"source": ["5", 0]}},
        "7": {"class_type": "PreviewAny", "inputs": {"source": ["5", 1]}},
    }
    async with demo() as client:
        entry = await client.run(graph)
    (text,) = entry["outputs"]["4"]["text"]
    assert text.startswith("a red bicycle, ")
    assert text.endswith(" !")
    assert [entry["outputs"][node]["text"] for node in "67"] == [["1368"], ["768"]]


async def test_a_changed_file_is_loaded_anew(demo: Any) -> None:
    graph = {
        "1": {"class_type": "LoadImage", "inputs": {"image": "x.png"}},
        "2": {"class_type": "GetImageSize", "inputs": {"image": ["1", 0]}},
        "3": {"class_type": "PreviewAny", "inputs": {"source": ["2", 0]}},
    }
    async with demo() as client:
        widths = []
        for width in (11, 22):
            Image.new("RGB", (width, 5)).save(client.pod.folder / "input" / "x.png")
            widths.append((await client.run(graph))["outputs"]["3"]["text"][0])
    assert widths == ["11", "22"]


async def test_the_pod_says_everywhere_that_it_is_no_ai(demo: Any) -> None:
    async with demo() as client:
        info = (await client.http.get("/object_info")).json()
        stats = (await client.http.get("/system_stats")).json()
        logs = (await client.http.get("/internal/logs")).json()
        front = (await client.http.get("/")).text
        about = (await client.http.get("/view_metadata/loras?filename=demo-ink-lines.safetensors")).json()
    for said in (
        info["KSampler"]["description"],
        info["CheckpointLoaderSimple"]["description"],
        stats["devices"][0]["name"],
        stats["system"]["pytorch_version"],
        logs,
        front,
        json.dumps(about),
    ):
        assert "no AI" in said
    assert all(name.startswith("demo-") for name in info["CheckpointLoaderSimple"]["input"]["required"]["ckpt_name"][0])
