"""Videos: make, load, save."""

from collections.abc import Mapping
from typing import Any

from comfydesk.demo.folders import Folders
from comfydesk.demo.media import load_video, save_video
from comfydesk.demo.nodes.base import Context, NodeClass, Spec, combo, float_spec, input_files, int_spec, text_spec
from comfydesk.demo.nodes.images import PREFIX_TIP, embedded, file_digest
from comfydesk.demo.values import Audio, Images, Latent, Result, Video

_MODULE = "comfy_extras.nodes_video"
_CODEC_TIP = "Auto keeps the codec where it can."


def _empty_latent(width: int, height: int, length: int, batch_size: int = 1) -> Result:
    # As the real one: four frames of a video share one latent, so that 1, 5, 9 … frames come out.
    frames = (length - 1) // 4 * 4 + 1
    size = (width // 8 * 8, height // 8 * 8)
    return Result((Latent("video", *size, batch=batch_size, length=frames),))


def _create(images: Images, fps: float, audio: tuple[Audio, ...] | None = None) -> Result:
    return Result((Video(images, fps, audio[0] if audio else None),))


def _components(video: Video) -> Result:
    return Result((video.frames, (video.audio,) if video.audio else None, video.fps, 8, "sRGB"))


def _load(context: Context, file: str) -> Result:
    return Result((load_video(context.folders.find(file)),))


def _is_video(folders: Folders, file: str | None) -> bool | str:
    return file is None or folders.exists(file) or f"Invalid video file: {file}"


def _save(
    context: Context,
    video: Video,
    filename_prefix: str,
    format: Mapping[str, Any] | str,  # noqa: A002 - the input's name
    codec: Mapping[str, Any] | None = None,
) -> Result:
    chosen = format
    if not isinstance(chosen, str):
        codec = chosen.get("codec") or codec
        chosen = str(chosen["format"])
    container = "mp4" if chosen == "auto" else chosen
    width, height = video.frames[0].size
    saving = context.folders.next_file(filename_prefix, "output", width, height)
    name = saving.name(container)
    context.write(width * height * len(video.frames) // 20)
    save_video(saving.folder / name, video, container, str((codec or {}).get("codec", "auto")), embedded(context))
    saved = {"filename": name, "subfolder": saving.subfolder, "type": "output"}
    return Result((video,), {"images": [saved], "animated": [True]})


def _encoding(crf: float, worst: float) -> Spec:
    spaces = combo(
        ["auto", "sRGB", "HDR", "HDR PQ"],
        display_name="color space",
        tooltip="The demo pod writes sRGB.",
        default="auto",
    )
    again = {"crf": float_spec(crf, 0.0, worst, step=1.0, tooltip="Lower is better and larger."), "color_space": spaces}
    options = [{"key": "auto", "inputs": {"required": {}}}, {"key": "re-encode", "inputs": {"required": again}}]
    about = {"display_name": "encoding mode", "tooltip": "Re-encode takes the options below."}
    return ["COMFY_DYNAMICCOMBO_V3", {**about, "options": options}]


def _codecs(*names: str, **options: Any) -> Spec:
    quality = {"h264": (23.0, 51.0), "av1": (30.0, 63.0)}
    choices: list[dict[str, Any]] = []
    for name in names:
        inputs: dict[str, Any] = {"required": {}}
        if name in quality:
            inputs["optional"] = {"encoding": _encoding(*quality[name])}
        choices.append({"key": name, "inputs": inputs})
    return ["COMFY_DYNAMICCOMBO_V3", {"tooltip": _CODEC_TIP, **options, "options": choices}]


def _format() -> Spec:
    containers = dict.fromkeys(("auto", "mp4", "mkv"), ("auto", "h264", "av1")) | {"webm": ("auto", "av1")}
    options = [{"key": key, "inputs": {"required": {"codec": _codecs(*names)}}} for key, names in containers.items()]
    return ["COMFY_DYNAMICCOMBO_V3", {"tooltip": "The container; auto is MP4 here.", "options": options}]


def _latent_video(name: str, title: str, size: tuple[int, int], category: str) -> NodeClass:
    return NodeClass(
        name=name,
        run=_empty_latent,
        title=title,
        category=category,
        required={
            "width": int_spec(size[0], 16, 16384, step=16),
            "height": int_spec(size[1], 16, 16384, step=16),
            "length": int_spec(25, 1, 16384, step=4),
            "batch_size": int_spec(1, 1, 4096),
        },
        outputs=("LATENT",),
        module="comfy_extras.nodes_hunyuan",
        modern=True,
    )


NODES = (
    _latent_video("EmptyHunyuanLatentVideo", "Empty HunyuanVideo 1.0 Latent", (848, 480), "model/latent/hunyuan video"),
    NodeClass(
        name="CreateVideo",
        run=_create,
        title="Create Video",
        category="video",
        required={
            "images": ["IMAGE", {"tooltip": "Its frames."}],
            "fps": float_spec(30.0, 1.0, 120.0, step=1.0),
        },
        optional={
            "audio": ["AUDIO", {"tooltip": "Its sound."}],
            "bit_depth": int_spec(8, 8, 10, step=2, display="number", tooltip="The demo pod writes 8 bits."),
        },
        outputs=("VIDEO",),
        description="Makes a video of pictures.",
        module=_MODULE,
        modern=True,
        aliases=("images to video",),
        essential="Video Tools",
    ),
    NodeClass(
        name="GetVideoComponents",
        run=_components,
        title="Get Video Components",
        category="video",
        required={"video": ["VIDEO", {"tooltip": "The video."}]},
        outputs=("IMAGE", "AUDIO", "FLOAT", "INT", "COMBO"),
        output_names=("images", "audio", "fps", "bit_depth", "color_space"),
        description="Frames, sound and frame rate of a video.",
        module=_MODULE,
        modern=True,
        aliases=("extract frames", "video to images"),
    ),
    NodeClass(
        name="LoadVideo",
        run=_load,
        title="Load Video",
        category="video",
        required={"file": combo(input_files("video"), video_upload=True)},
        outputs=("VIDEO",),
        check=_is_video,
        checks=("file",),
        changed=file_digest("file"),
        module=_MODULE,
        modern=True,
        aliases=("open video", "video file"),
        essential="Basics",
    ),
    NodeClass(
        name="SaveVideo",
        run=_save,
        title="Save Video",
        category="video",
        required={
            "video": ["VIDEO", {"tooltip": "What to save."}],
            "filename_prefix": text_spec(tooltip=PREFIX_TIP, default="video/ComfyUI", multiline=False),
            "format": _format(),
        },
        optional={"codec": _codecs("auto", "h264", "av1", hidden=True)},
        hidden=("prompt", "extra_pnginfo"),
        outputs=("VIDEO",),
        output_names=("video",),
        output_tooltips=("The same video.",),
        is_output=True,
        description="Saves a video in the pod's output folder, the workflow inside.",
        module=_MODULE,
        modern=True,
        aliases=("export video",),
        essential="Basics",
    ),
)
