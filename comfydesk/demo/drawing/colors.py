"""Colours: by name, mixed, and as the palette of an hour."""

import colorsys
import random
from dataclasses import dataclass, replace

Color = tuple[int, int, int]

NAMED: dict[str, Color] = {
    "red": (200, 46, 42),
    "crimson": (170, 24, 52),
    "orange": (232, 126, 40),
    "yellow": (242, 200, 60),
    "gold": (222, 170, 60),
    "golden": (222, 170, 60),
    "green": (74, 142, 70),
    "emerald": (28, 138, 96),
    "turquoise": (56, 176, 172),
    "teal": (30, 120, 124),
    "cyan": (70, 190, 214),
    "blue": (54, 98, 186),
    "navy": (28, 44, 98),
    "purple": (122, 68, 160),
    "violet": (138, 90, 190),
    "pink": (236, 140, 170),
    "magenta": (204, 54, 140),
    "brown": (122, 82, 52),
    "black": (34, 32, 38),
    "white": (244, 240, 232),
    "grey": (136, 138, 144),
    "gray": (136, 138, 144),
    "silver": (188, 192, 200),
}


def mix(one: Color, two: Color, share: float) -> Color:
    """`one` at share 0, `two` at 1."""
    share = min(1.0, max(0.0, share))
    return (
        round(one[0] + (two[0] - one[0]) * share),
        round(one[1] + (two[1] - one[1]) * share),
        round(one[2] + (two[2] - one[2]) * share),
    )


def jitter(color: Color, amount: int, rng: random.Random) -> Color:
    """A neighbour of `color`: lightness and hue wander a little."""
    shift = rng.randint(-amount, amount)
    red, green, blue = (min(255, max(0, part + shift + rng.randint(-amount // 3, amount // 3))) for part in color)
    return red, green, blue


def turned(color: Color, degrees: float, more: float = 1.0) -> Color:
    """`color` with its hue turned and its saturation times `more`."""
    hue, light, saturation = colorsys.rgb_to_hls(*(part / 255 for part in color))
    red, green, blue = colorsys.hls_to_rgb((hue + degrees / 360) % 1, light, min(1.0, saturation * more))
    return round(red * 255), round(green * 255), round(blue * 255)


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of an hour. `sky` from the zenith down to the horizon."""

    sky: tuple[Color, Color, Color]
    light: Color
    """Sun or moon, and what it touches."""
    shade: Color
    """What lies in shadow tends to this."""
    leaves: Color
    soil: Color
    water: Color
    accent: Color
    """Of things nobody named a colour for."""
    dark: bool = False


HOURS: dict[str, Palette] = {
    "day": Palette(
        ((52, 116, 190), (122, 176, 222), (222, 236, 240)),
        (255, 248, 214),
        (48, 66, 104),
        (92, 140, 62),
        (172, 148, 96),
        (44, 112, 150),
        (214, 72, 52),
    ),
    "dawn": Palette(
        ((92, 112, 172), (220, 172, 182), (255, 224, 186)),
        (255, 226, 178),
        (74, 72, 116),
        (110, 136, 84),
        (176, 140, 108),
        (112, 138, 170),
        (226, 120, 96),
    ),
    "sunset": Palette(
        ((56, 58, 112), (206, 98, 92), (255, 196, 112)),
        (255, 214, 130),
        (58, 40, 84),
        (106, 104, 56),
        (156, 104, 72),
        (98, 84, 126),
        (226, 88, 60),
    ),
    "night": Palette(
        ((8, 12, 38), (22, 36, 82), (62, 84, 134)),
        (226, 232, 250),
        (6, 10, 30),
        (34, 62, 62),
        (64, 62, 82),
        (18, 36, 78),
        (250, 196, 96),
        dark=True,
    ),
    "storm": Palette(
        ((40, 50, 62), (86, 98, 108), (166, 172, 168)),
        (226, 228, 214),
        (30, 38, 50),
        (78, 98, 70),
        (120, 112, 98),
        (52, 76, 88),
        (190, 92, 70),
    ),
    "fog": Palette(
        ((150, 164, 172), (188, 198, 200), (224, 226, 220)),
        (250, 246, 232),
        (112, 126, 138),
        (122, 142, 118),
        (164, 158, 144),
        (132, 152, 160),
        (192, 106, 84),
    ),
}


def palette(hour: str, rng: random.Random, *, leaves: Color | None = None, accent: Color | None = None) -> Palette:
    """The palette of the hour, a little different for each seed."""
    base = HOURS[hour]
    turn = rng.uniform(-10, 10)
    more = rng.uniform(0.92, 1.18)
    sky = (turned(base.sky[0], turn, more), turned(base.sky[1], turn, more), turned(base.sky[2], turn / 2, more))
    foliage = leaves or turned(base.leaves, rng.uniform(-18, 18), more)
    if leaves is not None and base.dark:
        foliage = mix(leaves, base.shade, 0.55)
    chosen = accent or turned(base.accent, rng.choice((0, 0, 20, 190, 206)), more)
    water = turned(base.water, rng.uniform(-14, 14), more)
    return replace(base, sky=sky, leaves=foliage, accent=chosen, water=water)
