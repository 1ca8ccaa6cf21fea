"""Animals and people, each about a unit high, facing right, drawn with a Pen."""

import math
import random

from comfydesk.demo.drawing.colors import Color, jitter, mix
from comfydesk.demo.drawing.pen import Pen
from comfydesk.demo.drawing.things import CREAM, INK, lit, shaded


def cat(pen: Pen, color: Color, rng: random.Random) -> None:
    """Sitting, its tail around its feet."""
    dark = shaded(color, 0.28)
    pen.disc((0.02, 0.0), 0.42, (24, 24, 34), 0.08, 100)
    pen.line(((0.24, 0.06), (0.46, 0.05), (0.5, 0.18), (0.42, 0.28)), dark, 0.085)
    pen.shape(((-0.24, 0), (0.3, 0), (0.3, 0.28), (0.2, 0.52), (0.08, 0.66), (-0.12, 0.64), (-0.2, 0.4)), color)
    pen.disc((0.14, 0.18), 0.19, mix(color, dark, 0.45), 1.0)
    pen.shape(((-0.22, 0), (-0.02, 0), (-0.03, 0.42), (-0.16, 0.5)), lit(color, 0.22))
    for x in (-0.17, -0.04):
        pen.disc((x, 0.03), 0.07, lit(color, 0.3), 0.55)
    for side in (-1, 1):
        pen.shape(((-0.04 + side * 0.2, 0.84), (-0.04 + side * 0.21, 1.04), (-0.04 + side * 0.05, 0.92)), dark)
        pen.shape(
            ((-0.04 + side * 0.17, 0.86), (-0.04 + side * 0.185, 0.98), (-0.04 + side * 0.08, 0.91)), (226, 158, 150)
        )
    pen.disc((-0.04, 0.78), 0.215, color, 0.86)
    for stripe in range(3):
        x = -0.1 + stripe * 0.06
        pen.line(((x, 0.94), (x + (stripe - 1) * 0.01, 0.86)), dark, 0.018)
    pen.disc((-0.04, 0.7), 0.1, lit(color, 0.55), 0.72)
    for x in (-0.12, 0.045):
        pen.disc((x, 0.8), 0.046, (206, 210, 96))
        pen.disc((x, 0.8), 0.02, INK, 2.0)
        pen.disc((x + 0.01, 0.82), 0.01, (255, 255, 255))
    pen.shape(((-0.065, 0.735), (-0.015, 0.735), (-0.04, 0.71)), (206, 120, 116))
    for side in (-1, 1):
        for y in (0.7, 0.72):
            pen.line(((-0.04 + side * 0.08, y), (-0.04 + side * 0.3, y + rng.uniform(-0.03, 0.04))), CREAM, 0.007)


def dog(pen: Pen, color: Color, rng: random.Random) -> None:
    dark, pale = shaded(color, 0.32), lit(color, 0.4)
    pen.disc((0, 0.0), 0.62, (24, 24, 34), 0.06, 100)
    pen.line(((-0.42, 0.5), (-0.56, 0.66), (-0.58, 0.82)), color, 0.07)
    for x, tone in ((-0.34, dark), (0.22, dark), (-0.42, color), (0.32, color)):
        pen.line(((x, 0.42), (x - 0.02, 0.2), (x, 0.03)), tone, 0.1)
        pen.disc((x + 0.03, 0.03), 0.065, pale, 0.55)
    pen.disc((-0.06, 0.47), 0.45, color, 0.45)
    pen.disc((0.26, 0.52), 0.22, color, 1.0)
    pen.disc((-0.02, 0.38), 0.3, pale, 0.3)
    pen.line(((0.26, 0.55), (0.42, 0.78)), color, 0.22)
    pen.disc((0.46, 0.84), 0.19, color, 0.88)
    pen.shape(((0.5, 0.9), (0.76, 0.8), (0.75, 0.72), (0.46, 0.7)), pale)
    pen.disc((0.75, 0.785), 0.042, INK)
    pen.disc((0.54, 0.88), 0.028, INK)
    pen.disc((0.548, 0.888), 0.009, (255, 255, 255))
    pen.blob((0.34, 0.8), 0.11, dark, rng, 1.6)
    pen.line(((0.56, 0.73), (0.7, 0.735)), dark, 0.012)
    pen.line(((0.3, 0.66), (0.46, 0.66)), (196, 56, 50), 0.04)


def horse(pen: Pen, color: Color, rng: random.Random) -> None:
    dark, mane = shaded(color, 0.3), shaded(color, 0.6)
    pen.disc((0, 0), 0.62, (24, 24, 34), 0.05, 100)
    stride = rng.uniform(-0.06, 0.1)
    for x, tone, step in ((-0.3, dark, stride), (0.2, dark, -stride), (-0.38, color, -stride), (0.28, color, stride)):
        pen.line(((x, 0.42), (x + step * 0.6, 0.24), (x + step, 0.03)), tone, 0.065)
        pen.line(((x + step, 0.05), (x + step + 0.02, 0.0)), INK, 0.06)
    pen.line(((-0.44, 0.56), (-0.58, 0.44), (-0.6, 0.2)), mane, 0.08)
    pen.disc((-0.06, 0.5), 0.4, color, 0.42)
    pen.disc((-0.3, 0.52), 0.17, color, 1.0)
    pen.disc((-0.04, 0.42), 0.3, lit(color, 0.2), 0.24)
    pen.shape(((0.12, 0.48), (0.36, 0.5), (0.56, 0.86), (0.44, 0.95)), color)
    pen.shape(((0.4, 0.96), (0.52, 0.94), (0.78, 0.74), (0.74, 0.66), (0.48, 0.78)), color)
    pen.shape(((0.44, 0.92), (0.47, 1.02), (0.51, 0.93)), dark)
    pen.line(((0.1, 0.64), (0.24, 0.76), (0.34, 0.9), (0.44, 0.98)), mane, 0.08)
    pen.disc((0.55, 0.86), 0.018, INK)
    pen.disc((0.755, 0.7), 0.018, dark)


def bird(pen: Pen, color: Color, rng: random.Random) -> None:
    """Flying; high above the foot of the pen."""
    beat = rng.uniform(0.16, 0.34)
    for side, tone in ((-1, shaded(color, 0.25)), (1, color)):
        wing = ((0, 0.5), (side * 0.3, 0.5 + beat), (side * 0.66, 0.5 + beat * 0.66), (side * 0.3, 0.5 + beat * 0.45))
        pen.shape(wing, tone)
    pen.shape(((-0.16, 0.44), (0.1, 0.56), (0.26, 0.52), (0.1, 0.43)), lit(color, 0.2))
    pen.shape(((0.24, 0.53), (0.34, 0.51), (0.24, 0.495)), (230, 160, 60))
    pen.disc((0.19, 0.525), 0.015, INK)


def fish(pen: Pen, color: Color, rng: random.Random) -> None:
    """Its middle lies half a unit above the foot."""
    middle = 0.5
    body = [(0.46 * math.cos(i * math.tau / 28), middle + 0.22 * math.sin(i * math.tau / 28)) for i in range(28)]
    pen.shape(((-0.4, middle), (-0.68, middle + 0.2), (-0.6, middle), (-0.68, middle - 0.2)), shaded(color, 0.15))
    pen.shape(((-0.15, middle + 0.18), (0.05, middle + 0.36), (0.2, middle + 0.18)), shaded(color, 0.22))
    pen.shape(body, color)
    pen.shape([point for point in body if point[1] <= middle + 0.01], lit(color, 0.32))
    for band in range(rng.randint(2, 4)):
        x = 0.18 - band * 0.17
        pen.line(((x, middle + 0.18), (x - 0.04, middle), (x, middle - 0.17)), mix(color, CREAM, 0.75), 0.05)
    pen.shape(((0.02, middle - 0.02), (-0.18, middle - 0.14), (-0.04, middle + 0.04)), shaded(color, 0.3))
    pen.disc((0.3, middle + 0.05), 0.045, (255, 255, 255))
    pen.disc((0.31, middle + 0.05), 0.022, INK)


def person(pen: Pen, color: Color, rng: random.Random) -> None:
    """Seen from behind, looking into the picture."""
    hair = rng.choice(((62, 44, 36), (40, 34, 38), (150, 104, 62), (190, 150, 96)))
    skin = rng.choice(((222, 178, 146), (176, 124, 92), (120, 82, 62), (238, 202, 174)))
    trousers = shaded(rng.choice(((60, 70, 96), (92, 78, 64), (50, 52, 60))), 0.1)
    pen.disc((0.03, 0.0), 0.24, (24, 24, 34), 0.1, 110)
    for side in (-1, 1):
        pen.shape(((side * 0.015, 0.45), (side * 0.13, 0.45), (side * 0.11, 0.03), (side * 0.03, 0.03)), trousers)
        pen.disc((side * 0.075, 0.025), 0.05, INK, 0.5)
        pen.line(((side * 0.14, 0.74), (side * 0.2, 0.56), (side * 0.17, 0.42)), shaded(color, 0.15), 0.06)
        pen.disc((side * 0.17, 0.41), 0.03, skin)
    pen.shape(((-0.15, 0.42), (0.15, 0.42), (0.17, 0.76), (0.07, 0.82), (-0.07, 0.82), (-0.17, 0.76)), color)
    pen.shape(((0.03, 0.42), (0.15, 0.42), (0.17, 0.76), (0.07, 0.82)), shaded(color, 0.22))
    pen.box(-0.035, 0.8, 0.035, 0.86, skin)
    pen.disc((0, 0.92), 0.085, hair, 1.12)
    if rng.random() < 0.5:
        pen.shape(((-0.085, 0.93), (0.085, 0.93), (0.1, 0.7), (-0.1, 0.7)), hair)
    if rng.random() < 0.4:
        pen.disc((0, 0.96), 0.13, shaded(lit(color, 0.5), 0.1), 0.3)
        pen.disc((0, 0.99), 0.07, lit(color, 0.5), 0.8)


def bust(pen: Pen, color: Color, hair: Color, skin: Color, rng: random.Random) -> None:
    """A portrait to the chest, about 1.3 units high; light from the left."""
    dark = mix(skin, (86, 36, 44), 0.38)
    long = rng.random() < 0.6
    if long:
        pen.blob((0.0, 0.62), 0.44, shaded(hair, 0.3), rng, 1.15)
        pen.shape(((-0.4, 0.75), (0.4, 0.75), (0.46, 0.05), (-0.44, 0.05)), shaded(hair, 0.3))
    shoulder = (
        (-0.86, -0.6),
        (-0.8, 0.06),
        (-0.62, 0.2),
        (-0.3, 0.31),
        (0.3, 0.31),
        (0.62, 0.2),
        (0.8, 0.06),
        (0.88, -0.6),
    )
    pen.shape(shoulder, color)
    pen.shape(((0.0, -0.6), (0.2, 0.31), (0.3, 0.31), (0.62, 0.2), (0.8, 0.06), (0.88, -0.6)), shaded(color, 0.3))
    for _ in range(9):  # folds
        x = rng.uniform(-0.7, 0.7)
        pen.line(((x * 0.6, 0.16), (x, -0.5)), shaded(color, rng.uniform(0.1, 0.35)), 0.016)
    pen.shape(((-0.15, 0.2), (0.15, 0.2), (0.12, 0.52), (-0.12, 0.52)), dark)
    pen.shape(((-0.26, 0.3), (0.26, 0.3), (0.02, 0.1)), mix(skin, dark, 0.3))
    pen.disc((0, 0.72), 0.27, skin, 1.3)
    for step in range(5):  # the face turns into shadow
        pen.shape(
            [(0.08 + 0.035 * step + 0.27 * 0.55 * math.cos(a), 0.7 + 0.33 * math.sin(a)) for a in _half()]
            + [(0.27 * math.cos(a), 0.72 + 0.35 * math.sin(a)) for a in reversed(_half())],
            dark,
            44,
        )
    _features(pen, hair, skin, rng)
    _hair(pen, hair, rng, long=long)


def _features(pen: Pen, hair: Color, skin: Color, rng: random.Random) -> None:
    """Cheek, eyes, nose and mouth."""
    dark, pale = mix(skin, (86, 36, 44), 0.38), lit(skin, 0.3)
    pen.disc((-0.13, 0.64), 0.07, mix(skin, (226, 110, 100), 0.35), 0.8, 120)
    iris = rng.choice(((66, 96, 120), (84, 62, 44), (70, 104, 74)))
    for x in (-0.115, 0.095):
        pen.disc((x, 0.765), 0.056, mix(skin, dark, 0.55), 0.62)
        pen.disc((x, 0.755), 0.047, (246, 242, 236), 0.5)
        pen.disc((x + 0.006, 0.756), 0.024, iris)
        pen.disc((x + 0.006, 0.756), 0.012, INK)
        pen.disc((x - 0.002, 0.766), 0.006, (255, 255, 255))
        pen.line(((x - 0.055, 0.768), (x, 0.79), (x + 0.055, 0.766)), shaded(hair, 0.4), 0.014)
        pen.line(((x - 0.065, 0.835), (x, 0.86), (x + 0.06, 0.838)), shaded(hair, 0.15), 0.022)
    pen.line(((0.0, 0.78), (0.028, 0.66), (-0.012, 0.628)), mix(skin, dark, 0.75), 0.018)
    pen.line(((-0.02, 0.76), (-0.012, 0.66)), pale, 0.02)
    lips = (186, 84, 82)
    pen.shape(
        ((-0.085, 0.545), (-0.03, 0.57), (0.0, 0.562), (0.03, 0.57), (0.08, 0.545), (0.0, 0.54)), shaded(lips, 0.2)
    )
    pen.shape(((-0.075, 0.543), (0.0, 0.54), (0.072, 0.543), (0.0, 0.508)), lips)
    pen.line(((-0.03, 0.525), (0.01, 0.523)), lit(lips, 0.4), 0.01)


def _half() -> list[float]:
    return [-math.pi / 2 + index * math.pi / 16 for index in range(17)]


def _hair(pen: Pen, hair: Color, rng: random.Random, *, long: bool) -> None:
    parting = rng.uniform(-0.12, 0.1)
    for strand in range(46):
        side = -1 if strand % 2 else 1
        spread = rng.random()
        start = (parting + side * spread * 0.05, 1.08 - 0.02 * rng.random())
        bend = (side * (0.16 + 0.12 * spread), 1.05 - 0.1 * spread)
        end = (side * (0.27 + 0.07 * spread), 0.8 - (0.68 * rng.random() if long else 0.12 * rng.random()))
        tone = jitter(mix(hair, lit(hair, 0.5) if side < 0 else shaded(hair), 0.45 * rng.random()), 10, rng)
        pen.line((start, bend, end), tone, rng.uniform(0.025, 0.06))
