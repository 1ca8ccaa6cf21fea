"""Pictures as WebP, JPEG or PNG, with what they carry or without. Blocks: for a worker."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from comfydesk.errors import GraphError, MediaError
from comfydesk.workflow.embedded import extract

if TYPE_CHECKING:
    from PIL.Image import Image

FORMATS = {"png": "PNG", "jpg": "JPEG", "jpeg": "JPEG", "webp": "WEBP"}
"""Extension → format that pictures can be exported as."""
MAX_PIXELS = 300_000_000
_EXIF_MAKE, _EXIF_MODEL = 0x010F, 0x0110
"""Where ComfyUI puts the workflow ("workflow:{…}") and the prompt ("prompt:{…}") in WebP files."""


def convert(source: Path, target: Path, extension: str, quality: int, *, keep: bool) -> None:
    """Save `source` as another kind of picture. `keep`: the workflow and prompt it carries go along.

    `quality`: 1 to 100, of JPEG and WebP. Of moving pictures the first frame. Raises MediaError, OSError.
    """
    from PIL import Image, UnidentifiedImageError

    kind = FORMATS[extension]
    try:
        with Image.open(source) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise _unfit(source, f"It has over {MAX_PIXELS:,} pixels")
            picture.load()
            save = _options(kind, quality)
            if picture.info.get("icc_profile"):
                save["icc_profile"] = picture.info["icc_profile"]
            if keep:
                save |= _carried(source, kind)
            _fitting(picture, kind).save(target, kind, **save)
    except UnidentifiedImageError as error:
        raise _unfit(source, "It is no picture that can be read") from error
    except (Image.DecompressionBombError, ValueError, SyntaxError, EOFError) as error:
        raise _unfit(source, str(error)) from error
    except OSError as error:
        if error.errno is None:  # Pillow's own: truncated, a broken stream
            raise _unfit(source, str(error)) from error
        raise


def _options(kind: str, quality: int) -> dict[str, Any]:
    quality = max(1, min(quality, 100))
    match kind:
        case "JPEG":
            return {"quality": quality, "optimize": True}
        case "WEBP":
            return {"quality": quality, "lossless": quality == 100}
    return {"compress_level": 6}


def _fitting(picture: "Image", kind: str) -> "Image":
    """In a mode that the format has; what shows through becomes white in JPEG."""
    from PIL import Image

    if picture.mode.startswith("I;16"):  # 16 bits of grey
        picture = picture.point(lambda value: value / 256).convert("L")
    if kind == "JPEG" and ("A" in picture.mode or "transparency" in picture.info):
        layered = picture.convert("RGBA")
        ground = Image.new("RGB", layered.size, "white")
        ground.paste(layered, mask=layered.getchannel("A"))
        return ground
    if picture.mode in ("L", "RGB") or (picture.mode == "RGBA" and kind != "JPEG"):
        plain = picture.copy()
    else:
        plain = picture.convert("RGBA" if "transparency" in picture.info or "A" in picture.mode else "RGB")
    plain.info = {}
    return plain


def _carried(source: Path, kind: str) -> dict[str, Any]:
    """The workflow and prompt of a file, as options for saving it."""
    from PIL import Image, PngImagePlugin

    try:
        with source.open("rb") as file:
            found = extract(file, source.name)
    except (GraphError, OSError):
        return {}
    if kind == "PNG":
        texts = PngImagePlugin.PngInfo()
        for name, text in (("prompt", found.prompt), ("workflow", found.workflow)):
            if text is not None:
                texts.add_text(name, text)
        return {"pnginfo": texts}
    exif = Image.Exif()
    if found.workflow is not None:
        exif[_EXIF_MAKE] = f"workflow:{found.workflow}"
    if found.prompt is not None:
        exif[_EXIF_MODEL] = f"prompt:{found.prompt}"
    data = exif.tobytes()
    # JPEG has room for 64 KB; a longer workflow stays behind.
    return {"exif": data} if len(exif) and (kind != "JPEG" or len(data) < 65_500) else {}


def _unfit(source: Path, why: str) -> MediaError:
    what = f"{source.name} cannot be exported as another kind of picture"
    return MediaError(what, why)
