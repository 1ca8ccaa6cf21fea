"""Strokes over a picture, coarse to fine, along its edges: what makes it look painted."""

import math
import random
from dataclasses import dataclass

from PIL import Image, ImageChops, ImageDraw, ImageEnhance, ImageFilter

from comfydesk.demo.drawing.noise import speckle


@dataclass(frozen=True, slots=True)
class Pass:
    """One round over the canvas: `length` and `width` of a stroke as parts of the shorter side; `detail` only paints
    where something happens."""

    count: int
    length: float
    width: float
    detail: float = 0.0


PASSES = (
    Pass(620, 0.085, 0.034),
    Pass(1600, 0.05, 0.017),
    Pass(3600, 0.03, 0.009, 0.1),
    Pass(6500, 0.017, 0.0048, 0.25),
    Pass(5500, 0.01, 0.003, 0.45),
)
"""For a canvas of FULL_SIDE; smaller ones need fewer."""
FULL_SIDE = 640
_GRID = 96
"""Directions and detail are looked up on a grid this wide."""


class Brush:
    """Paints `model` onto a canvas of its size, stroke by stroke."""

    def __init__(self, model: Image.Image, rng: random.Random) -> None:
        self._rng = rng
        self._model = model
        self._size = model.size
        self._side = min(model.size)
        self.canvas = model.filter(ImageFilter.GaussianBlur(self._side / 28))
        self._draw = ImageDraw.Draw(self.canvas)
        # Colours are taken from a softened copy, so that single pixels do not make speckled strokes.
        self._source = model.filter(ImageFilter.GaussianBlur(max(0.6, self._side / 500))).tobytes()
        self._field = _Field(model)
        fewer = min(1.0, self._side / FULL_SIDE) ** 1.3
        self._plan = [step for step, one in enumerate(PASSES) for _ in range(round(one.count * fewer) + 20)]
        self._done = 0

    def advance(self, share: float) -> None:
        """Paint until `share` of all strokes is done."""
        until = round(len(self._plan) * min(1.0, share))
        for index in range(self._done, until):
            self._stroke(PASSES[self._plan[index]])
        self._done = max(self._done, until)

    def painted(self) -> Image.Image:
        """All strokes at once, without the cloth."""
        self.advance(1.0)
        return Image.blend(self.canvas, self._model, 0.28)

    def finished(self) -> Image.Image:
        """The canvas with its finest detail brought back and a hint of woven ground."""
        sharp = Image.blend(self.canvas, self._model, 0.28)
        return woven(ImageEnhance.Contrast(sharp).enhance(1.04), self._rng)

    def _stroke(self, one: Pass) -> None:
        rng, (width, height) = self._rng, self._size
        x, y = rng.random() * width, rng.random() * height
        angle, detail = self._field.at(x / width, y / height)
        if detail < one.detail and rng.random() > 0.15:
            return
        place = 3 * (int(y) * width + int(x))
        red, green, blue = self._source[place : place + 3]
        light = rng.randint(-13, 13)
        color = (
            red + light + rng.randint(-5, 5),
            green + light + rng.randint(-5, 5),
            blue + light + rng.randint(-5, 5),
        )
        angle += rng.uniform(-0.35, 0.35)
        length = self._side * one.length * rng.uniform(0.5, 1.15) * (1 - 0.45 * detail) / 2
        bend = angle + rng.uniform(-0.3, 0.3)
        start = (x - length * math.cos(angle), y - length * math.sin(angle))
        end = (x + length * math.cos(bend), y + length * math.sin(bend))
        thick = max(1, round(self._side * one.width * rng.uniform(0.6, 1.2)))
        self._draw.line((start, (x, y), end), fill=color, width=thick, joint="curve")


class _Field:
    """In which direction the strokes lie (along edges), and how much happens, at each place."""

    def __init__(self, model: Image.Image) -> None:
        grid = (_GRID, max(2, round(_GRID * model.height / model.width)))
        grey = model.convert("L").resize(grid, Image.Resampling.BOX).filter(ImageFilter.GaussianBlur(1.2))
        across = ImageFilter.Kernel((3, 3), (-1, 0, 1, -2, 0, 2, -1, 0, 1), 8, 128)
        down = ImageFilter.Kernel((3, 3), (-1, -2, -1, 0, 0, 0, 1, 2, 1), 8, 128)
        self._across, self._down = grey.filter(across).tobytes(), grey.filter(down).tobytes()
        self._width, self._height = grid

    def at(self, x: float, y: float) -> tuple[float, float]:
        """(angle, detail from 0 to 1) at parts of width and height."""
        index = min(self._height - 1, int(y * self._height)) * self._width + min(self._width - 1, int(x * self._width))
        right, below = self._across[index] - 128, self._down[index] - 128
        strength = math.hypot(right, below)
        # Where nothing happens strokes lie flat, rising and falling gently.
        angle = math.atan2(right, -below) if strength > 1.5 else 0.35 * math.sin(x * 9 + y * 5)
        return angle, min(1.0, strength / 14)


def woven(picture: Image.Image, rng: random.Random, depth: int = 14) -> Image.Image:
    """A canvas shows through: faint grain, the same for the same generator."""
    width, height = picture.size
    grain = speckle(rng, max(2, width // 2), max(2, height // 2)).resize((width, height), Image.Resampling.BILINEAR)
    relief = grain.point([255 - depth + level * depth // 255 for level in range(256)])
    return ImageChops.multiply(picture, Image.merge("RGB", (relief,) * 3))
