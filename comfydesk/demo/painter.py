"""The demo pod's brush: a picture from a prompt and a seed, in steps. Same words and seed, same picture."""

import random
from collections.abc import Iterable

from PIL import Image, ImageChops, ImageDraw, ImageFilter


class Painting:
    """One picture being drawn."""

    def __init__(
        self,
        prompt: str,
        seed: int,
        width: int,
        height: int,
        *,
        loras: Iterable[tuple[str, float]] = (),
        source: Image.Image | None = None,
        denoise: float = 1.0,
    ) -> None:
        self._loras = tuple(loras)
        rng = random.Random(f"{prompt}\0{seed}")  # noqa: S311
        self._final = Image.new("RGB", (width, height), tuple(rng.randrange(256) for _ in range(3)))
        draw = ImageDraw.Draw(self._final)
        for _ in range(30):
            x, y, r = rng.randrange(width), rng.randrange(height), rng.randrange(8, max(9, width // 4))
            draw.ellipse((x - r, y - r, x + r, y + r), fill=tuple(rng.randrange(256) for _ in range(3)))
        if source is not None:
            self._final = Image.blend(source.convert("RGB").resize(self._final.size), self._final, denoise)
        self._share = 0.0

    def advance(self, share: float) -> None:
        """Draw until `share` (0 to 1) of the picture is done."""
        self._share = share

    def preview(self) -> Image.Image:
        return self._final.resize((256, 256 * self._final.height // self._final.width)).filter(
            ImageFilter.GaussianBlur(20 * (1 - self._share))
        )

    def finished(self) -> Image.Image:
        return self._final


class Film:
    """A moving picture."""

    def __init__(
        self, prompt: str, seed: int, width: int, height: int, length: int, *, loras: Iterable[tuple[str, float]] = ()
    ) -> None:
        self._still = paint(prompt, seed=seed, width=width, height=height)
        self._loras = tuple(loras)
        self._length = length

    def advance(self, share: float) -> None:
        self._share = share

    def preview(self) -> Image.Image:
        return self._still

    def finished(self) -> tuple[Image.Image, ...]:
        return tuple(ImageChops.offset(self._still, 2 * index, 0) for index in range(self._length))


def paint(prompt: str, *, seed: int, width: int, height: int) -> Image.Image:
    """The finished picture at once."""
    painting = Painting(prompt, seed, width, height)
    painting.advance(1)
    return painting.finished()
