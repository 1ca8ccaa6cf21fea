"""Pictures: load, make, change, save."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from PIL import Image, ImageChops, ImageColor, ImageFilter, ImageOps, ImageSequence
from PIL.PngImagePlugin import PngInfo

from comfydesk.demo.folders import Folders
from comfydesk.demo.nodes.base import Context, NodeClass, combo, float_spec, input_files, int_spec, text_spec
from comfydesk.demo.values import Images, Masks, Result

METHODS = ["nearest-exact", "bilinear", "area", "bicubic", "lanczos"]
PREFIX_TIP = "Start of the file's name; a folder before it, and %date:yyyy-MM-dd% or %Node.widget%, are understood."
_RESAMPLING = {
    "nearest-exact": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "area": Image.Resampling.BOX,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}
_MODULE = "comfy_extras.nodes_post_processing"


def _empty(width: int, height: int, batch_size: int = 1, color: int = 0) -> Result:
    rgb = ImageColor.getrgb(f"#{color:06x}")
    return Result(((Image.new("RGB", (width, height), rgb),) * batch_size,))


def _load(context: Context, image: str) -> Result:
    """All frames of the file's first size, and their masks: what is transparent is masked."""
    frames: list[Image.Image] = []
    masks: list[Image.Image] = []
    with Image.open(context.folders.find(image)) as file:
        for frame in ImageSequence.Iterator(file):
            upright = ImageOps.exif_transpose(frame)
            if frames and upright.size != frames[0].size:
                continue
            has_alpha = "A" in upright.getbands() or "transparency" in upright.info
            frames.append(upright.convert("RGB"))
            masks.append(_mask_of(upright) if has_alpha else Image.new("L", (64, 64)))
    return Result((tuple(frames), tuple(masks)))


def _mask_of(picture: Image.Image) -> Image.Image:
    return ImageChops.invert(picture.convert("RGBA").getchannel("A"))


def _load_mask(context: Context, image: str, channel: str) -> Result:
    with Image.open(context.folders.find(image)) as file:
        picture = ImageOps.exif_transpose(file).convert("RGBA")
    band = picture.getchannel({"alpha": "A", "red": "R", "green": "G", "blue": "B"}[channel])
    masks: Masks = (ImageChops.invert(band) if channel == "alpha" else band,)
    return Result((masks,))


def _is_picture(folders: Folders, image: str | None) -> bool | str:
    return image is None or folders.exists(image) or f"Invalid image file: {image}"


def file_digest(name: str) -> Any:
    """For `changed`: a file input is another when its bytes are."""

    def digest(folders: Folders, inputs: Mapping[str, Any]) -> str:
        return hashlib.sha256(folders.find(inputs[name]).read_bytes()).hexdigest()

    return digest


def resized(picture: Image.Image, method: str, width: int, height: int, crop: str = "disabled") -> Image.Image:
    """As ComfyUI scales: a side of 0 follows the other; "center" crops to the new shape first."""
    if width == 0 and height == 0:
        return picture
    old_width, old_height = picture.size
    width = width or max(1, round(old_width * height / old_height))
    height = height or max(1, round(old_height * width / old_width))
    if crop == "center":
        old, new = old_width / old_height, width / height
        cut_x = round((old_width - old_width * (new / old)) / 2) if old > new else 0
        cut_y = round((old_height - old_height * (old / new)) / 2) if old < new else 0
        picture = picture.crop((cut_x, cut_y, old_width - cut_x, old_height - cut_y))
    return picture.resize((width, height), _RESAMPLING[method])


def _scale(image: Images, upscale_method: str, width: int, height: int, crop: str) -> Result:
    return Result((tuple(resized(picture, upscale_method, width, height, crop) for picture in image),))


def _scale_by(image: Images, upscale_method: str, scale_by: float) -> Result:
    width, height = (round(side * scale_by) for side in image[0].size)
    return Result((tuple(resized(picture, upscale_method, width, height) for picture in image),))


def _scale_to_pixels(image: Images, upscale_method: str, megapixels: float, resolution_steps: int = 1) -> Result:
    width, height = image[0].size
    factor = (megapixels * 1024 * 1024 / (width * height)) ** 0.5
    width, height = (round(side * factor / resolution_steps) * resolution_steps for side in (width, height))
    return Result((tuple(resized(picture, upscale_method, width, height) for picture in image),))


def _invert(image: Images) -> Result:
    return Result((tuple(ImageChops.invert(picture) for picture in image),))


def _blend(image1: Images, image2: Images, blend_factor: float, blend_mode: str) -> Result:
    """The second picture, fitted to the first's size, in `blend_mode` over it, mixed in by `blend_factor`."""
    count = max(len(image1), len(image2))
    blended = []
    for index in range(count):
        under, over = image1[index % len(image1)], image2[index % len(image2)]
        if over.size != under.size:
            over = resized(over, "bicubic", *under.size, crop="center")
        blended.append(Image.blend(under, _mixed(under, over, blend_mode), blend_factor))
    return Result((tuple(blended),))


def _mixed(under: Image.Image, over: Image.Image, mode: str) -> Image.Image:
    if mode == "multiply":
        return ImageChops.multiply(under, over)
    if mode == "screen":
        return ImageChops.screen(under, over)
    if mode == "overlay":
        return ImageChops.overlay(under, over)
    if mode == "soft_light":
        return ImageChops.soft_light(under, over)
    if mode == "difference":
        return ImageChops.subtract(under, over)
    return over


def _blur(image: Images, blur_radius: int, sigma: float) -> Result:
    blur = ImageFilter.GaussianBlur(min(sigma, blur_radius))
    return Result((tuple(picture.filter(blur) for picture in image),))


def _batch(images: Mapping[str, Images]) -> Result:
    """All pictures in one batch, fitted to the size of the first."""
    first = next(iter(images.values()))[0].size
    together = [picture for batch in images.values() for picture in batch]
    fitted = [p if p.size == first else resized(p, "bilinear", *first, crop="center") for p in together]
    return Result((tuple(fitted),))


def _from_batch(image: Images, batch_index: int, length: int) -> Result:
    start = min(len(image) - 1, batch_index) if batch_index >= 0 else max(0, len(image) + batch_index)
    return Result((image[start : start + length],))


def _size(context: Context, image: Images) -> Result:
    width, height = image[0].size
    context.say(f"width: {width}, height: {height}\n batch size: {len(image)}")
    return Result((width, height, len(image)))


def _save(context: Context, images: Images, filename_prefix: str = "ComfyUI") -> Result:
    return Result((images,), {"images": save_pictures(context, images, filename_prefix, "output", 4)})


def _preview(context: Context, images: Images) -> Result:
    return Result((images,), {"images": save_pictures(context, images, f"ComfyUI_temp_{context.temp_tag}", "temp", 1)})


def save_pictures(context: Context, images: Images, prefix: str, kind: str, level: int) -> list[dict[str, str]]:
    """PNG files with `prompt` and `workflow` inside; answers their names as `executed` carries them."""
    info = PngInfo()
    for name, text in embedded(context).items():
        info.add_text(name, text)
    saving = context.folders.next_file(prefix, kind, *images[0].size)
    saved = []
    for offset, picture in enumerate(images):
        context.write(picture.width * picture.height * 3)
        name = saving.name("png", offset)
        picture.save(saving.folder / name, pnginfo=info, compress_level=level)
        saved.append({"filename": name, "subfolder": saving.subfolder, "type": kind})
    return saved


def embedded(context: Context) -> dict[str, str]:
    """What every saved file carries: `prompt`, and all that the client sent as `extra_pnginfo`, as JSON."""
    texts = {"prompt": json.dumps(context.prompt)}
    return texts | {name: json.dumps(value) for name, value in (context.extra or {}).items()}


_IMAGE = {"image": ["IMAGE", {}]}
NODES = (
    NodeClass(
        name="EmptyImage",
        run=_empty,
        title="Empty Image",
        category="image",
        required={
            "width": int_spec(512, 1, 16384, step=1),
            "height": int_spec(512, 1, 16384, step=1),
            "batch_size": int_spec(1, 1, 4096),
            "color": int_spec(0, 0, 0xFFFFFF, step=1, display="color"),
        },
        outputs=("IMAGE",),
    ),
    NodeClass(
        name="LoadImage",
        run=_load,
        title="Load Image",
        category="image",
        required={"image": [input_files("image"), {"image_upload": True}]},
        outputs=("IMAGE", "MASK"),
        check=_is_picture,
        checks=("image",),
        changed=file_digest("image"),
        aliases=("open image", "image input", "upload image"),
        essential="Basics",
    ),
    NodeClass(
        name="LoadImageMask",
        run=_load_mask,
        title="Load Image (as Mask)",
        category="image",
        required={
            "image": [input_files("image"), {"image_upload": True}],
            "channel": [["alpha", "red", "green", "blue"]],
        },
        outputs=("MASK",),
        check=_is_picture,
        checks=("image",),
        changed=file_digest("image"),
        essential="Image Tools",
    ),
    NodeClass(
        name="ImageScale",
        run=_scale,
        title="Upscale Image",
        category="image/upscaling",
        required={
            "image": ["IMAGE"],
            "upscale_method": [METHODS],
            "width": int_spec(512, 0, 16384, step=1),
            "height": int_spec(512, 0, 16384, step=1),
            "crop": [["disabled", "center"]],
        },
        outputs=("IMAGE",),
        aliases=("resize", "scale image"),
        essential="Image Tools",
    ),
    NodeClass(
        name="ImageScaleBy",
        run=_scale_by,
        title="Upscale Image By",
        category="image/upscaling",
        required={"image": ["IMAGE"], "upscale_method": [METHODS], "scale_by": float_spec(1.0, 0.01, 8.0, step=0.01)},
        outputs=("IMAGE",),
        essential="Image Tools",
    ),
    NodeClass(
        name="ImageScaleToTotalPixels",
        run=_scale_to_pixels,
        title="Scale Image to Total Pixels",
        category="image/upscaling",
        required={
            "image": ["IMAGE", {}],
            "upscale_method": combo(METHODS),
            "megapixels": float_spec(1.0, 0.01, 16.0, step=0.01),
            "resolution_steps": int_spec(1, 1, 256, advanced=True),
        },
        outputs=("IMAGE",),
        module=_MODULE,
        modern=True,
    ),
    NodeClass(
        name="ImageInvert",
        run=_invert,
        title="Invert Image Colors",
        category="image/color",
        required={"image": ["IMAGE"]},
        outputs=("IMAGE",),
        aliases=("reverse colors",),
        essential="Image Tools",
    ),
    NodeClass(
        name="ImageBlend",
        run=_blend,
        title="Blend Images",
        category="image/filters",
        required={
            "image1": ["IMAGE", {}],
            "image2": ["IMAGE", {}],
            "blend_factor": float_spec(0.5, 0.0, 1.0, step=0.01),
            "blend_mode": combo(["normal", "multiply", "screen", "overlay", "soft_light", "difference"]),
        },
        outputs=("IMAGE",),
        module=_MODULE,
        modern=True,
        aliases=("mix images",),
        essential="Image Tools",
    ),
    NodeClass(
        name="ImageBlur",
        run=_blur,
        title="Blur Image",
        category="image/filters",
        required=_IMAGE | {"blur_radius": int_spec(1, 1, 31, step=1), "sigma": float_spec(1.0, 0.1, 10.0, step=0.1)},
        outputs=("IMAGE",),
        module=_MODULE,
        modern=True,
    ),
    NodeClass(
        name="BatchImagesNode",
        run=_batch,
        title="Batch Images",
        category="image/batch",
        required={
            "images": [
                "COMFY_AUTOGROW_V3",
                {"template": {"input": {"required": _IMAGE}, "prefix": "image", "min": 1, "max": 50}},
            ]
        },
        outputs=("IMAGE",),
        module=_MODULE,
        modern=True,
        aliases=("image batch", "combine images"),
        essential="Image Tools",
    ),
    NodeClass(
        name="ImageFromBatch",
        run=_from_batch,
        title="Get Image from Batch",
        category="image/batch",
        required=_IMAGE | {"batch_index": int_spec(0, -16384, 16384), "length": int_spec(1, 1, 4096)},
        outputs=("IMAGE",),
        module="comfy_extras.nodes_images",
        modern=True,
    ),
    NodeClass(
        name="GetImageSize",
        run=_size,
        title="Get Image Size",
        category="image",
        required=_IMAGE,
        hidden=("unique_id",),
        outputs=("INT", "INT", "INT"),
        output_names=("width", "height", "batch_size"),
        description="Width, height and number of the pictures.",
        module="comfy_extras.nodes_images",
        modern=True,
    ),
    NodeClass(
        name="SaveImage",
        run=_save,
        title="Save Image",
        category="image",
        required={
            "images": ["IMAGE", {"tooltip": "What to save."}],
            "filename_prefix": text_spec(default="ComfyUI", tooltip=PREFIX_TIP),
        },
        hidden=("prompt", "extra_pnginfo"),
        outputs=("IMAGE",),
        output_names=("images",),
        is_output=True,
        description="Saves pictures as PNG in the pod's output folder, the workflow inside.",
        aliases=("save", "export image", "output image"),
        essential="Basics",
    ),
    NodeClass(
        name="PreviewImage",
        run=_preview,
        title="Preview Image",
        category="image",
        required={"images": ["IMAGE"]},
        hidden=("prompt", "extra_pnginfo"),
        outputs=("IMAGE",),
        output_names=("images",),
        is_output=True,
        description="Shows pictures without keeping them.",
        aliases=("preview", "show image"),
        essential="Basics",
    ),
)
