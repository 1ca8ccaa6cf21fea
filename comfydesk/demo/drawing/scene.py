"""From an idea to a pile of layers, and from the pile to a picture at a moment."""

import math
import random
from collections.abc import Callable
from dataclasses import replace

from PIL import Image, ImageStat

from comfydesk.demo.drawing import animals, land, places, sky, things
from comfydesk.demo.drawing.colors import NAMED, Color, mix, palette
from comfydesk.demo.drawing.layers import Drift, Layer, Stage, pan
from comfydesk.demo.drawing.words import Idea

Builder = Callable[[Stage], list[Layer]]
_THINGS: dict[str, tuple[things.Thing, float, Color | None]] = {
    # what draws it, its size as part of the picture's height, its colour by nature
    "bicycle": (things.bicycle, 0.36, None),
    "boat": (things.boat, 0.3, None),
    "lighthouse": (things.lighthouse, 0.6, (200, 52, 46)),
    "house": (things.house, 0.3, (178, 82, 60)),
    "castle": (things.castle, 0.46, (84, 92, 142)),
    "cat": (animals.cat, 0.44, (214, 136, 66)),
    "dog": (animals.dog, 0.4, (176, 122, 74)),
    "horse": (animals.horse, 0.44, (134, 86, 56)),
    "bird": (animals.bird, 0.16, (238, 238, 240)),
    "fish": (animals.fish, 0.34, (240, 132, 54)),
    "person": (animals.person, 0.36, (188, 92, 70)),
    "car": (things.car, 0.24, None),
    "balloon": (things.balloon, 0.4, None),
    "flowers": (things.blossoms, 0.34, (226, 74, 92)),
    "robot": (things.robot, 0.46, (96, 140, 176)),
    "rocket": (things.rocket, 0.52, (214, 60, 50)),
    "planet": (things.planet, 0.62, (214, 150, 96)),
    "mushroom": (things.mushroom, 0.36, (200, 50, 44)),
    "fruit": (things.fruit, 0.36, (206, 62, 50)),
    "cup": (things.cup, 0.34, (70, 118, 150)),
}
_ALOFT = ("bird", "balloon", "planet", "rocket", "fish")


class Scene:
    """A picture that can be looked at over time. Same idea, size and seed: same scene."""

    def __init__(self, idea: Idea, width: int, height: int, seed: str) -> None:
        rng = random.Random(f"{seed}\0stage")  # noqa: S311 - pictures, no secrets
        accent = idea.subject_color or (idea.hues[0] if idea.hues else None)
        colors = palette(idea.hour, rng, leaves=idea.leaves, accent=accent)
        horizon = {"sea": 0.5, "city": 0.66, "forest": 0.58, "snow": 0.6}.get(idea.place, 0.55) + rng.uniform(
            -0.05, 0.05
        )
        light_x = rng.choice((rng.uniform(0.16, 0.36), rng.uniform(0.64, 0.84)))
        self._stage = Stage(idea, colors, width, height, horizon, light_x, seed)
        self._layers = _PLACES[idea.place](self._stage)
        if idea.place != "portrait":
            self._layers += _subjects(self._stage)
        if idea.place not in ("underwater", "space", "room", "portrait", "abstract"):
            self._layers += sky.weather(self._stage)

    def paint(self, paint: Callable[[Image.Image], Image.Image]) -> None:
        """Change every layer that covers something, its outline kept: for those who cannot paint each frame."""
        self._layers = [_repainted(layer, paint) for layer in self._layers]

    def frame(self, t: float = 0.0) -> Image.Image:
        """The scene at a time from 0 to 1, RGB."""
        width, height = self._stage.width, self._stage.height
        picture = Image.new("RGBA", (width, height), (*self._stage.colors.sky[2], 255))
        for layer in self._layers:
            picture.alpha_composite(layer.shown(t, width, height))
        return picture.convert("RGB")


def _repainted(layer: Layer, paint: Callable[[Image.Image], Image.Image]) -> Layer:
    alpha = layer.image.getchannel("A")
    covered = ImageStat.Stat(alpha).mean[0] / 255
    if covered < 0.12:
        return layer  # specks: strokes would swallow them
    colors = ImageStat.Stat(
        layer.image.convert("RGB"), alpha.point([level >= 128 and 255 for level in range(256)])
    ).mean
    ground = Image.new("RGB", alpha.size, (round(colors[0]), round(colors[1]), round(colors[2])))
    ground.paste(layer.image, (0, 0), alpha)
    painted = paint(ground).convert("RGBA")
    painted.putalpha(alpha)
    return replace(layer, image=painted)


def _open_air(stage: Stage) -> list[Layer]:
    cover = sky.clouds(stage)
    return [sky.sky(stage), *sky.heavens(stage), *([cover] if cover else [])]


def _sea(stage: Stage) -> list[Layer]:
    layers = _open_air(stage)
    if "mountain" in stage.idea.extras or stage.rng("far shore").random() < 0.5:
        layers += land.mountains(stage, rows=2, height=0.13, snow=False)
    layers += land.water(stage, top=stage.horizon)
    if set(stage.idea.subjects) - {"boat", "lighthouse", *_ALOFT}:
        sand = mix((226, 200, 156), stage.colors.shade, 0.45 if stage.colors.dark else 0.1)
        layers += land.hills(stage, sand, rows=1, start=0.3, relief=0.03)
    return layers


def _lake(stage: Stage) -> list[Layer]:
    shore = stage.horizon + 0.07
    layers = [*_open_air(stage), *land.mountains(stage, rows=2), *land.forest(stage, rows=1)]
    water = land.water(stage, top=shore, calm=True)
    mirror = _mirror(layers, stage, shore, 150)
    return [
        *layers,
        water[0],
        mirror,
        *water[1:],
        *land.hills(stage, mix(stage.colors.leaves, stage.colors.soil, 0.3), rows=1, start=0.36),
    ]


def _mirror(layers: list[Layer], stage: Stage, shore: float, strength: int) -> Layer:
    """What stands above the shore, upside down below it."""
    above = Image.new("RGBA", (stage.width, stage.height))
    for layer in layers:
        above.alpha_composite(layer.shown(0, stage.width, stage.height))
    line = round(shore * stage.height)
    mirrored = above.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    image = Image.new("RGBA", above.size)
    image.paste(mirrored.crop((0, stage.height - line, stage.width, 2 * (stage.height - line))), (0, line))
    image.putalpha(image.getchannel("A").point([min(level, strength) for level in range(256)]))
    return Layer(image)


def _mountains(stage: Stage) -> list[Layer]:
    return [
        *_open_air(stage),
        *land.mountains(stage, rows=3, height=0.4),
        *land.hills(stage, stage.colors.leaves, rows=2, start=0.06),
        *land.forest(stage, rows=2, pines=True)[-1:],
    ]


def _forest(stage: Stage) -> list[Layer]:
    ground = land.hills(stage, mix(stage.colors.leaves, stage.colors.soil, 0.35), rows=2, start=0.02, relief=0.03)
    return [*_open_air(stage), *ground, *land.forest(stage), sky.mist(stage, 90)]


def _city(stage: Stage) -> list[Layer]:
    street = mix((104, 100, 106), stage.colors.shade, 0.35)
    ground = land.hills(stage, street, rows=1, start=0.12, relief=0.01)
    layers = [*_open_air(stage), *land.town(stage), *ground]
    if stage.colors.dark or "rain" in stage.idea.extras or stage.idea.hour == "storm":
        layers.append(_mirror(layers[:-1], stage, stage.horizon + 0.12, 110))  # the street is wet
    return layers


def _field(stage: Stage) -> list[Layer]:
    layers = [*_open_air(stage), *land.mountains(stage, rows=1, height=0.16, snow=False)]
    layers += land.hills(stage, stage.colors.leaves, rows=3)
    layers[-1:-1] = land.forest(stage, rows=1, pines=False)
    if "flower" in stage.idea.extras or stage.rng("meadow").random() < 0.6:
        hues = list(stage.idea.hues) or [stage.colors.accent, NAMED["yellow"], NAMED["white"], NAMED["violet"]]
        layers.append(land.flowers(stage, hues, start=stage.horizon + 0.16))
    return layers


def _desert(stage: Stage) -> list[Layer]:
    return [*_open_air(stage), *land.mountains(stage, rows=1, height=0.1, snow=False), *land.dunes(stage)]


def _snow(stage: Stage) -> list[Layer]:
    white = mix((240, 244, 252), stage.colors.shade, 0.55 if stage.colors.dark else 0.06)
    layers = [*_open_air(stage), *land.mountains(stage, rows=2, height=0.34)]
    return [*layers, *land.hills(stage, white, rows=2), *land.forest(stage, rows=2, pines=True), sky.mist(stage, 60)]


_PLACES: dict[str, Builder] = {
    "sea": _sea,
    "lake": _lake,
    "mountains": _mountains,
    "forest": _forest,
    "city": _city,
    "field": _field,
    "desert": _desert,
    "snow": _snow,
    "space": places.space,
    "underwater": places.underwater,
    "room": places.room,
    "portrait": places.portrait,
    "abstract": places.abstract,
}


def _subjects(stage: Stage) -> list[Layer]:
    """The named things, the first one largest."""
    layers = []
    names = [name for name in stage.idea.subjects if name in _THINGS]
    if stage.idea.place == "sea" and not names and stage.rng("sail").random() < 0.7:
        names = ["boat"]
    for number, name in enumerate(names):
        if name == "flowers" and stage.idea.place in ("room", "field"):
            continue  # they are there already
        layers.append(_subject(stage, name, number))
    return layers


def _subject(stage: Stage, name: str, number: int) -> Layer:
    rng = stage.rng(f"subject {name}")
    thing, size, nature = _THINGS[name]
    color = (stage.idea.subject_color if number == 0 else None) or nature or stage.colors.accent
    if stage.colors.dark:
        color = mix(color, stage.colors.shade, 0.3)
    sheet = stage.sheet(wide=1.15)
    count = {"boat": rng.randint(1, 3), "bird": rng.randint(3, 7), "balloon": rng.randint(1, 3), "person": 1}.get(
        name, 1
    )
    x, y = _spot(stage, name, number, rng)
    for copy in range(count):
        shrink = 1.0 if copy == 0 else rng.uniform(0.35, 0.6)
        dx, dy = (0.0, 0.0) if copy == 0 else (rng.uniform(-0.36, 0.36), rng.uniform(-0.14, 0.03))
        if name == "boat" and copy:
            dy = stage.horizon + 0.02 + 0.1 * shrink - y
        place = (min(0.92, max(0.08, x + dx)) / 1.15, y + dy)
        scale = size * shrink * (0.72 if number else 1.0) * min(1.0, 1.15 * stage.width / stage.height)
        thing(sheet.pen(*place, scale, flip=rng.random() < 0.4), color, rng)
    return sheet.layer(_motion(name))


def _spot(stage: Stage, name: str, number: int, rng: random.Random) -> tuple[float, float]:
    """Where it stands: foot (or middle) as parts of width and height."""
    x = 0.5 + rng.uniform(-0.1, 0.1) if number == 0 else rng.choice((0.2, 0.8)) + rng.uniform(-0.06, 0.06)
    if name == "lighthouse":
        return (0.26 if stage.light_x > 0.5 else 0.74), min(0.92, stage.horizon + 0.2)
    if name == "boat":
        if "lighthouse" in stage.idea.subjects:
            x = 0.72 if stage.light_x > 0.5 else 0.28
        return x, stage.horizon + 0.2
    if name in _ALOFT:
        low = {"planet": 0.8, "rocket": 0.82, "balloon": 0.56, "bird": 0.36, "fish": 0.72}[name]
        return x, low + rng.uniform(-0.04, 0.04)
    if stage.idea.place == "room":
        return x, 0.9
    if stage.idea.place in ("sea", "lake"):
        return x, 0.93
    far = name in ("house", "castle")
    return x, min(0.93, stage.horizon + (0.16 if far else 0.36))


def _motion(name: str) -> Drift:
    if name in ("boat", "balloon"):
        return lambda t: (0.06 * t, 0.006 * math.sin(math.tau * 2 * t))
    if name in ("bird", "fish", "rocket"):
        return lambda t: (0.2 * t, 0.015 * math.sin(math.tau * 3 * t))
    if name in ("car", "bicycle", "horse", "dog"):
        return lambda t: (0.12 * t, 0.003 * math.sin(math.tau * 8 * t))
    return pan(0.9)
