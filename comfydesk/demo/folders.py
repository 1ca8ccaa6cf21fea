"""The demo pod's disk: input, output, temp, models and user data, and the rules by which names find files."""

import mimetypes
import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

MODELS: dict[str, tuple[str, ...]] = {
    "checkpoints": ("demo-painter.safetensors", "demo-animator.safetensors", "demo-composer.safetensors"),
    "configs": (),
    "loras": ("demo-warm-light.safetensors", "demo-ink-lines.safetensors"),
    "vae": ("demo-canvas-vae.safetensors",),
    "text_encoders": ("demo-words.safetensors",),
    "diffusion_models": ("demo-painter-core.safetensors", "demo-animator-core.safetensors"),
    **dict.fromkeys(("clip_vision", "style_models", "embeddings", "diffusers"), ()),
    **dict.fromkeys(("vae_approx", "controlnet", "gligen"), ()),
    "upscale_models": ("demo-sharpen-2x.safetensors",),
    **dict.fromkeys(("latent_upscale_models", "custom_nodes", "datasets", "hypernetworks", "photomaker"), ()),
    **dict.fromkeys(("classifiers", "model_patches", "audio_encoders", "background_removal"), ()),
    **dict.fromkeys(("frame_interpolation", "geometry_estimation", "optical_flow", "detection"), ()),
}
"""Model folders as the real server names them, with what the demo offers. Files put under models/ are added."""
MODEL_SUFFIXES = (".ckpt", ".pt", ".pt2", ".bin", ".pth", ".safetensors", ".pkl", ".sft")
EXAMPLE = "example.png"
_TAGS = {"[output]": "output", "[input]": "input", "[temp]": "temp"}


@dataclass(frozen=True, slots=True)
class Saving:
    """Where the next file of a prefix goes: `path(counter)` with `counter` counting on."""

    folder: Path
    stem: str
    counter: int
    subfolder: str

    def name(self, suffix: str, offset: int = 0) -> str:
        return f"{self.stem.replace('%batch_num%', str(offset))}_{self.counter + offset:05}_.{suffix}"


@dataclass(frozen=True, slots=True)
class Folders:
    """All below one root, an absolute path. `create` makes them; nothing else here writes."""

    root: Path

    def create(self) -> None:
        for name in ("input", "output", "temp", "models", "user/default"):
            (self.root / name).mkdir(parents=True, exist_ok=True)

    def clear_temp(self) -> None:
        """As ComfyUI does at each start."""
        shutil.rmtree(self.root / "temp", ignore_errors=True)
        (self.root / "temp").mkdir(parents=True, exist_ok=True)

    def of_type(self, kind: str) -> Path | None:
        """The folder of `input`, `output` or `temp`; None for any other word."""
        return self.root / kind if kind in ("input", "output", "temp") else None

    @property
    def user(self) -> Path:
        return self.root / "user" / "default"

    def find(self, name: str, default: str = "input") -> Path:
        """The file an input names: "x.png", "sub/x.png", "x.png [output]". Raises ValueError outside the folder."""
        return self.provided(self._named(name, default))

    def exists(self, name: str) -> bool:
        """Is there a file that `find` would answer?"""
        try:
            path = self._named(name, "input")
        except ValueError:
            return False
        return self._is_example(path) or path.exists()

    def _named(self, name: str, default: str) -> Path:
        bare, kind = split_tag(name)
        base = self.root / (kind or default)
        return inside(base, base / bare)

    def _is_example(self, path: Path) -> bool:
        return path.name == EXAMPLE and path.parent == self.root / "input"

    def provided(self, path: Path) -> Path:
        """`path`, with the example picture drawn if it is that one: every ComfyUI has one in its input folder."""
        if self._is_example(path) and not path.exists():
            from comfydesk.demo.painter import paint  # only here: most pods are never asked

            paint("a forest lake and mountains in the morning", seed=4, width=512, height=512).save(path)
        return path

    def inputs(self, *media: str) -> list[str]:
        """Files directly in `input` whose guessed content type is one of `media`, sorted."""
        folder = self.root / "input"
        names = {entry.name for entry in folder.iterdir() if entry.is_file()} if folder.is_dir() else set()
        return [
            name for name in sorted({*names, EXAMPLE}) if (mimetypes.guess_type(name)[0] or "").split("/")[0] in media
        ]

    def models(self, folder: str) -> list[str]:
        """What the pod offers in a model folder; names below it carry their subfolder, with "/"."""
        found = set(MODELS[folder])
        base = self.root / "models" / folder
        if base.is_dir():
            files = (entry for entry in base.rglob("*") if entry.suffix in MODEL_SUFFIXES and entry.is_file())
            found.update(entry.relative_to(base).as_posix() for entry in files)
        return sorted(found)

    def next_file(self, prefix: str, kind: str, width: int = 0, height: int = 0) -> Saving:
        """Where a save node with this `filename_prefix` writes next; makes the folder."""
        prefix = os.path.normpath(_fill(prefix, width, height))
        subfolder, stem = os.path.split(prefix)
        base = self.root / kind
        folder = inside(base, base / subfolder)
        folder.mkdir(parents=True, exist_ok=True)
        taken = [_number(entry.name, stem) for entry in folder.iterdir()]
        return Saving(folder, stem, max(taken, default=0) + 1, subfolder)


def split_tag(name: str) -> tuple[str, str | None]:
    """ "x.png [output]" → ("x.png", "output"); no tag → (name, None)."""
    for tag, kind in _TAGS.items():
        if name.endswith(tag):
            return name[: -len(tag) - 1], kind
    return name, None


def inside(base: Path, path: Path) -> Path:
    """`path`, absolute and free of "..", if it lies in `base`; else ValueError."""
    resolved = Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would follow links, which may point outside
    if not resolved.is_relative_to(os.path.abspath(base)):  # noqa: PTH100
        msg = f"{path.name} is outside its folder"
        raise ValueError(msg)
    return resolved


def _fill(prefix: str, width: int, height: int) -> str:
    if "%" not in prefix:
        return prefix
    now = time.localtime()
    values = {
        "width": str(width),
        "height": str(height),
        "year": str(now.tm_year),
        "month": f"{now.tm_mon:02}",
        "day": f"{now.tm_mday:02}",
        "hour": f"{now.tm_hour:02}",
        "minute": f"{now.tm_min:02}",
        "second": f"{now.tm_sec:02}",
    }
    for name, value in values.items():
        prefix = prefix.replace(f"%{name}%", value)
    return prefix


def _number(name: str, stem: str) -> int:
    """The counter in "stem_00012_.png"; 0 when it is another's file."""
    if not name.startswith(f"{stem}_"):
        return 0
    digits = name[len(stem) + 1 :].split(".")[0].split("_")[0]
    return int(digits) if digits.isdecimal() else 0
