"""A scene is a pile of layers, each drawn once and moved as time goes on."""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image, ImageChops, ImageDraw

from comfydesk.demo.drawing.colors import Color, Palette, mix
from comfydesk.demo.drawing.pen import Pen
from comfydesk.demo.drawing.words import Idea

Drift = Callable[[float], tuple[float, float]]
"""Time (0 to 1) → shift to the right and down, in widths of the picture."""
OVERSIZE = 2
"""Shapes are drawn this much larger and shrunk, which smooths their edges."""


def still(_: float) -> tuple[float, float]:
    return 0.0, 0.0


def pan(depth: float) -> Drift:
    """What a camera moving right sees: near things (depth 1) go by faster than far ones (0)."""
    return lambda t: (-0.12 * depth * t, 0.0)


def sway(amount: float, turns: float, phase: float = 0.0) -> Drift:
    """To and fro, `turns` times."""
    return lambda t: (amount * math.sin(math.tau * (turns * t + phase)), 0.0)


def swim(amount: float) -> Drift:
    """On and on, up and down a little."""
    return lambda t: (amount * t, 0.01 * math.sin(math.tau * 2 * t))


@dataclass(frozen=True, slots=True)
class Layer:
    """`image` is RGBA and may be wider than the picture; with `wraps` it is endless."""

    image: Image.Image
    drift: Drift = still
    wraps: bool = False

    def shown(self, t: float, width: int, height: int) -> Image.Image:
        """What of it is seen at time `t`."""
        right, down = self.drift(t)
        x, y = round(right * width), round(down * width)
        if self.wraps:
            return ImageChops.offset(self.image, x, 0).crop((0, -y, width, height - y))
        if (x, y) == (0, 0) and self.image.size == (width, height):
            return self.image
        return self.image.crop((-x, -y, width - x, height - y))


class Sheet:
    """A transparent sheet to draw one layer on, in pixels of the picture times OVERSIZE."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width * OVERSIZE, height * OVERSIZE
        self._size = (width, height)
        self.image = Image.new("RGBA", (self.width, self.height))
        self.draw = ImageDraw.Draw(self.image)

    def pen(self, x: float, y: float, size: float, *, flip: bool = False) -> Pen:
        """Standing at (x, y), a unit being `size`: all three in parts of the sheet's height, x of its width."""
        return Pen(self.image, self.draw, x * self.width, y * self.height, size * self.height, flip)

    def layer(self, drift: Drift = still, *, wraps: bool = False) -> Layer:
        return Layer(self.image.resize(self._size, Image.Resampling.BOX), drift, wraps)


@dataclass(frozen=True, slots=True)
class Stage:
    """What every painter of layers needs to know."""

    idea: Idea
    colors: Palette
    width: int
    height: int
    horizon: float
    """From the top, as part of the height."""
    light_x: float
    """Where sun or moon stands, as part of the width."""
    seed: str

    def rng(self, name: str) -> random.Random:
        """Chance for one purpose: adding a layer does not change the others."""
        return random.Random(f"{self.seed}\0{name}")  # noqa: S311 - pictures, no secrets

    def sheet(self, *, wide: float = 1.15) -> Sheet:
        """For a layer that moves sideways, `wide` times the picture."""
        return Sheet(round(self.width * wide), self.height)


def gradient(width: int, height: int, stops: list[tuple[float, Color]]) -> Image.Image:
    """From top to bottom through `stops` (place 0 to 1, colour), RGB."""
    column = Image.new("RGB", (1, 256))
    colors = []
    for row in range(256):
        place = row / 255
        upper = max((stop for stop in stops if stop[0] <= place), default=stops[0])
        lower = min((stop for stop in stops if stop[0] >= place), default=stops[-1])
        span = lower[0] - upper[0]
        colors.append(mix(upper[1], lower[1], (place - upper[0]) / span if span else 0))
    column.putdata(colors)
    return column.resize((width, height), Image.Resampling.BICUBIC)
