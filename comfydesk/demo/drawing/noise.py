"""Chance in shapes: clouds of grey, and the line of a ridge. The same generator gives the same."""

import itertools
import random

from PIL import Image, ImageOps


def speckle(rng: random.Random, width: int, height: int) -> Image.Image:
    """White noise, mode L."""
    return Image.frombytes("L", (width, height), rng.randbytes(width * height))


def billows(rng: random.Random, width: int, height: int, cells: int = 4, stretch: float = 1.0) -> Image.Image:
    """Clouds of grey (L, full range): `cells` big ones across, finer ones on top; `stretch` > 1 draws them out wide."""
    grey = Image.new("L", (width, height), 128)
    share = 1.0
    across = cells
    while across <= max(4, min(width, 96)):
        down = max(2, round(across * height / width * stretch))
        finer = speckle(rng, max(2, across), down).resize((width, height), Image.Resampling.BICUBIC)
        grey = Image.blend(grey, finer, share)
        share *= 0.55 if share < 1 else 0.5
        across *= 2
    return ImageOps.autocontrast(grey)


def ridge(rng: random.Random, points: int, roughness: float = 0.55) -> list[float]:
    """A mountain's outline by midpoint displacement: at least `points` heights from 0 to 1, evenly spaced."""
    line = [rng.random() * 0.6, rng.random() * 0.6]
    swing = 1.0
    while len(line) < points:
        between = [(left + right) / 2 + rng.uniform(-swing, swing) * 0.5 for left, right in itertools.pairwise(line)]
        line = [height for pair in zip(line, between, strict=False) for height in pair] + [line[-1]]
        swing *= roughness
    low, high = min(line), max(line)
    return [(height - low) / (high - low or 1) for height in line]
