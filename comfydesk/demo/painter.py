"""Pictures and films from a prompt and a seed, in steps. Same words, seed and size: same picture. No AI."""

import random
from collections.abc import Iterable

from PIL import Image, ImageChops, ImageEnhance, ImageFilter, ImageOps

from comfydesk.demo.drawing.brush import Brush, woven
from comfydesk.demo.drawing.scene import Scene
from comfydesk.demo.drawing.words import read

SCENE_SIDE = 640
"""Scenes are laid out at most this large, then painted at full size."""
PAINT_SIDE = 1536
"""Larger pictures are painted at this size and enlarged."""
PREVIEW_SIDE = 320
Loras = Iterable[tuple[str, float]]


class Painting:
    """One picture being painted. With a `source`, that is painted anew: the more, the higher `denoise` (0 to 1)."""

    def __init__(
        self,
        prompt: str,
        seed: int,
        width: int,
        height: int,
        *,
        negative: str = "",
        loras: Loras = (),
        source: Image.Image | None = None,
        denoise: float = 1.0,
    ) -> None:
        self._size = (width, height)
        self._rng = random.Random(f"{prompt}\0{seed}")  # noqa: S311 - pictures, no secrets
        idea = read(prompt, self._rng, negative)
        scene = Scene(idea, *_within(self._size, SCENE_SIDE), f"{prompt}\0{seed}")
        model = scene.frame().resize(_within(self._size, PAINT_SIDE), Image.Resampling.BICUBIC)
        if source is not None:
            given = ImageOps.fit(source.convert("RGB"), model.size, Image.Resampling.LANCZOS)
            model = Image.blend(given, _toned(given, model), min(1.0, max(0.0, denoise)) ** 1.5)
        self._given = source is not None
        self._brush = Brush(with_loras(model, loras), self._rng)
        self._haze = _haze(self._rng, _within(self._size, PREVIEW_SIDE))
        self._share = 0.0

    def advance(self, share: float) -> None:
        """Paint until `share` (0 to 1) of the picture is done."""
        self._share = share
        self._brush.advance(share)

    def preview(self) -> Image.Image:
        """A small view of the canvas, in the noise it comes from."""
        canvas = self._brush.canvas.resize(self._haze.size, Image.Resampling.BOX)
        left = (1 - self._share) ** 1.6
        return Image.blend(canvas, self._haze, left * (0.55 if self._given else 0.96))

    def finished(self) -> Image.Image:
        self.advance(1.0)
        return self._brush.finished().resize(self._size, Image.Resampling.LANCZOS)


class Film:
    """A moving picture being made: `length` frames of one scene."""

    def __init__(
        self,
        prompt: str,
        seed: int,
        width: int,
        height: int,
        length: int,
        *,
        negative: str = "",
        loras: Loras = (),
        source: Image.Image | None = None,
    ) -> None:
        self._size, self._length = (width, height), length
        rng = random.Random(f"{prompt}\0{seed}")  # noqa: S311 - pictures, no secrets
        self._scene = Scene(read(prompt, rng, negative), *_within(self._size, SCENE_SIDE), f"{prompt}\0{seed}")
        if source is None:  # too many frames to paint: the layers are painted once
            self._scene.paint(lambda layer: Brush(layer, rng).painted())
        self._loras = tuple(loras)
        self._source = ImageOps.fit(source.convert("RGB"), self._size) if source is not None else None
        self._rng = rng
        self._grain = random.Random(rng.random())  # noqa: S311 - pictures, no secrets
        self._haze = _haze(rng, _within(self._size, PREVIEW_SIDE))
        self._frames: list[Image.Image] = []
        self._share = 0.0

    def advance(self, share: float) -> None:
        """Make frames until `share` of them is done."""
        self._share = share
        while len(self._frames) < round(self._length * min(1.0, share)):
            self._frames.append(self._frame(len(self._frames) / max(1, self._length - 1)))

    def _frame(self, t: float) -> Image.Image:
        if self._source is not None:  # a given picture: the camera moves into it
            wide, high = (side * (1 - 0.12 * t) for side in self._size)
            left, top = (self._size[0] - wide) * t, (self._size[1] - high) / 2
            return self._source.resize(self._size, Image.Resampling.BICUBIC, (left, top, left + wide, top + high))
        return with_loras(self._scene.frame(t), self._loras).resize(self._size, Image.Resampling.BICUBIC)

    def preview(self) -> Image.Image:
        shown = self._frames[-1] if self._frames else self._frame(0)
        small = shown.resize(self._haze.size, Image.Resampling.BOX)
        return Image.blend(small, self._haze, (1 - self._share) ** 1.6 * 0.96)

    def finished(self) -> tuple[Image.Image, ...]:
        self.advance(1.0)
        grain = self._grain.getstate()
        woven_frames = []
        for frame in self._frames:
            self._grain.setstate(grain)  # the same cloth under every frame
            woven_frames.append(woven(frame, self._grain, depth=10))
        return tuple(woven_frames)


def paint(prompt: str, *, seed: int, width: int, height: int) -> Image.Image:
    """The finished picture at once."""
    return Painting(prompt, seed, width, height).finished()


def with_loras(picture: Image.Image, loras: Loras) -> Image.Image:
    """The demo's two "LoRAs": warm light, and lines of ink. Other names do nothing."""
    for name, strength in loras:
        if "warm" in name:
            warm = ImageChops.multiply(picture, Image.new("RGB", picture.size, (255, 226, 178)))
            warm = ImageEnhance.Brightness(warm).enhance(1.08)
            picture = Image.blend(picture, warm, min(1.0, max(0.0, strength)))
        elif "ink" in name:
            edges = ImageOps.invert(picture.convert("L").filter(ImageFilter.FIND_EDGES)).convert("RGB")
            inked = ImageChops.multiply(picture, edges)
            picture = Image.blend(picture, inked, min(1.0, max(0.0, strength)))
    return picture


def _toned(given: Image.Image, scene: Image.Image) -> Image.Image:
    """The given picture's shapes in the scene's colours, half and half with the scene itself."""
    luma = given.convert("YCbCr").getchannel("Y")
    _, blue, red = scene.filter(ImageFilter.GaussianBlur(scene.width / 60)).convert("YCbCr").split()
    toned = Image.merge("YCbCr", (luma, blue, red)).convert("RGB")
    return Image.blend(toned, scene, 0.3)


def _haze(rng: random.Random, size: tuple[int, int]) -> Image.Image:
    """The noise that a picture comes from."""
    small = tuple(max(2, side // 3) for side in size)
    bands = [Image.frombytes("L", (small[0], small[1]), rng.randbytes(small[0] * small[1])) for _ in range(3)]
    return Image.merge("RGB", bands).resize(size, Image.Resampling.BICUBIC)


def _within(size: tuple[int, int], side: int) -> tuple[int, int]:
    """`size`, shrunk so that its longer side is at most `side`."""
    scale = min(1.0, side / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
