"""What flows along the links of a graph on the demo pod."""

from dataclasses import dataclass
from typing import Any

from PIL import Image

Images = tuple[Image.Image, ...]
"""A batch: RGB pictures of one size. ComfyUI's IMAGE."""
Masks = tuple[Image.Image, ...]
"""Pictures of mode L, 255 where masked."""


@dataclass(frozen=True, slots=True)
class Model:
    """MODEL, CLIP, VAE or UPSCALE_MODEL: here only a name, with the LoRAs on top as (name, strength)."""

    name: str
    loras: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Conditioning:
    text: str
    lyrics: str = ""


@dataclass(frozen=True, slots=True)
class Audio:
    """Interleaved signed 16-bit PCM."""

    pcm: bytes
    rate: int = 44100
    channels: int = 2

    @property
    def seconds(self) -> float:
        return len(self.pcm) / (2 * self.channels * self.rate)


@dataclass(frozen=True, slots=True)
class Latent:
    """What is to be drawn, or was. `pictures` are the finished (or given) frames, `sounds` the finished tunes."""

    kind: str = "image"
    """image, video or audio."""
    width: int = 512
    height: int = 512
    batch: int = 1
    length: int = 1
    """Frames of a video."""
    seconds: float = 0
    """Of a sound."""
    pictures: Images = ()
    sounds: tuple[Audio, ...] = ()


@dataclass(frozen=True, slots=True)
class Video:
    frames: Images
    fps: float
    audio: Audio | None = None


@dataclass(frozen=True, slots=True)
class Blocked:
    """ComfyUI's ExecutionBlocker: nodes that receive it do not run. With a message, it is reported once."""

    message: str | None = None


Ui = dict[str, list[Any]]
"""What a node shows, as `executed` and the history carry it."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a node returns: a value for each output, and what it shows."""

    values: tuple[Any, ...] = ()
    ui: Ui | None = None
