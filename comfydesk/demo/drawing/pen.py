"""A pen for things: unit coordinates around the place where they stand."""

import math
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw

from comfydesk.demo.drawing.colors import Color

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Pen:
    """Draws at (x, y) in pixels, where (0, 0) is the foot of the thing, (0, 1) its top, and x grows to the right.

    `size` is the height of one unit in pixels, `flip` mirrors.
    """

    image: Image.Image
    draw: ImageDraw.ImageDraw
    x: float
    y: float
    size: float
    flip: bool = False

    def at(self, point: Point) -> Point:
        side = -1 if self.flip else 1
        return self.x + side * point[0] * self.size, self.y - point[1] * self.size

    def shape(self, points: Iterable[Point], color: Color, alpha: int = 255) -> None:
        corners = [self.at(point) for point in points]
        if alpha == 255:
            self.draw.polygon(corners, fill=(*color, 255))
        else:
            self._glaze(corners, lambda draw, moved: draw.polygon(moved, fill=(*color, alpha)))

    def line(self, points: Sequence[Point], color: Color, width: float) -> None:
        """`width` in units."""
        wide = max(1, round(width * self.size))
        self.draw.line([self.at(point) for point in points], fill=(*color, 255), width=wide, joint="curve")

    def disc(self, center: Point, radius: float, color: Color, tall: float = 1.0, alpha: int = 255) -> None:
        """An ellipse `radius` wide and `radius * tall` high (half axes)."""
        x, y = self.at(center)
        wide, high = radius * self.size, radius * self.size * tall
        if alpha == 255:
            self.draw.ellipse((x - wide, y - high, x + wide, y + high), fill=(*color, 255))
            return
        corners = [(x - wide, y - high), (x + wide, y + high)]
        self._glaze(corners, lambda draw, moved: draw.ellipse([*moved[0], *moved[1]], fill=(*color, alpha)))

    def ring(self, center: Point, radius: float, color: Color, width: float) -> None:
        x, y = self.at(center)
        r = radius * self.size
        wide = max(1, round(width * self.size))
        self.draw.ellipse((x - r, y - r, x + r, y + r), outline=(*color, 255), width=wide)

    def box(self, left: float, bottom: float, right: float, top: float, color: Color) -> None:
        self.shape(((left, bottom), (right, bottom), (right, top), (left, top)), color)

    def blob(self, center: Point, radius: float, color: Color, rng: random.Random, tall: float = 1.0) -> None:
        """A disc with a wavering edge: leaves, rocks, foam."""
        waves = [rng.uniform(0.8, 1.15) for _ in range(9)]
        self.shape(
            (
                (
                    center[0] + radius * waves[i] * math.cos(i * math.tau / 9),
                    center[1] + radius * tall * waves[i] * math.sin(i * math.tau / 9),
                )
                for i in range(9)
            ),
            color,
        )

    def _glaze(self, corners: list[Point], paint: Callable[[ImageDraw.ImageDraw, list[Point]], None]) -> None:
        """Lay a translucent shape over what is there (Pillow's own drawing would replace it)."""
        left, top = (max(0, math.floor(min(corner[axis] for corner in corners))) for axis in (0, 1))
        right, below = (
            min(side, math.ceil(max(corner[axis] for corner in corners)) + 1)
            for axis, side in enumerate(self.image.size)
        )
        if right <= left or below <= top:
            return
        glaze = Image.new("RGBA", (right - left, below - top))
        paint(ImageDraw.Draw(glaze), [(x - left, y - top) for x, y in corners])
        self.image.alpha_composite(glaze, (left, top))

    def moved(self, right: float = 0, up: float = 0, size: float = 1.0) -> "Pen":
        """Another pen, standing elsewhere (in this one's units) and drawing `size` times as large."""
        x, y = self.at((right, up))
        return Pen(self.image, self.draw, x, y, self.size * size, self.flip)
