"""Things that stand in a scene, each about a unit high, drawn with a Pen."""

import math
import random
from collections.abc import Callable

from comfydesk.demo.drawing.colors import Color, jitter, mix
from comfydesk.demo.drawing.pen import Pen, Point

Thing = Callable[[Pen, Color, random.Random], None]
INK: Color = (40, 38, 46)
CREAM: Color = (246, 238, 220)


def shaded(color: Color, share: float = 0.4) -> Color:
    return mix(color, (28, 26, 44), share)


def lit(color: Color, share: float = 0.35) -> Color:
    return mix(color, (255, 250, 230), share)


def bicycle(pen: Pen, color: Color, rng: random.Random) -> None:
    rear, front, crank = (-0.55, 0.34), (0.58, 0.34), (-0.06, 0.32)
    seat, head = (-0.2, 0.84), (0.4, 0.86)
    pen.disc((0.02, 0.01), 0.95, (30, 28, 40), 0.05, 90)
    for hub in (rear, front):
        pen.ring(hub, 0.34, INK, 0.035)
        pen.ring(hub, 0.315, (150, 150, 156), 0.012)
        for spoke in range(12):
            angle = spoke * math.tau / 12 + rng.random() * 0.05
            tip = (hub[0] + 0.31 * math.cos(angle), hub[1] + 0.31 * math.sin(angle))
            pen.line((hub, tip), (176, 176, 184), 0.006)
        pen.disc(hub, 0.035, INK)
    for bar in ((rear, crank), (rear, seat), (seat, crank), (crank, head), ((-0.17, 0.76), head)):
        pen.line(bar, shaded(color, 0.25), 0.052)
        pen.line([(x, y + 0.01) for x, y in bar], lit(color, 0.12), 0.03)
    pen.line((front, (0.36, 0.98)), color, 0.045)
    pen.line(((0.36, 0.98), (0.3, 1.03), (0.46, 1.04), (0.52, 0.95)), INK, 0.04)
    pen.line((seat, (-0.23, 0.95)), (120, 120, 128), 0.03)
    pen.shape(((-0.38, 0.98), (-0.08, 0.96), (-0.1, 0.92), (-0.34, 0.9)), (92, 60, 42))
    pen.ring(crank, 0.075, INK, 0.02)
    pen.line(((-0.06, 0.32), (0.05, 0.18)), INK, 0.028)
    pen.line(((0.0, 0.18), (0.1, 0.18)), INK, 0.035)


def boat(pen: Pen, color: Color, rng: random.Random) -> None:
    pen.disc((0, -0.02), 0.5, (24, 34, 56), 0.05, 90)
    pen.line(((0, 0.1), (0, 1.0)), (96, 72, 54), 0.018)
    pen.shape(((0.03, 0.2), (0.03, 0.97), (0.18, 0.62), (0.42, 0.22)), CREAM)
    pen.shape(((0.03, 0.2), (0.03, 0.97), (0.1, 0.5), (0.16, 0.21)), shaded(CREAM, 0.16))
    sail = lit(color, 0.2) if rng.random() < 0.6 else CREAM
    pen.shape(((-0.03, 0.2), (-0.03, 0.86), (-0.34, 0.24)), sail)
    hull = ((-0.46, 0.14), (0.48, 0.16), (0.36, 0.0), (-0.34, 0.0))
    pen.shape(hull, shaded(color, 0.18))
    pen.shape(((-0.46, 0.14), (0.48, 0.16), (0.455, 0.12), (-0.43, 0.1)), lit(color, 0.3))


def lighthouse(pen: Pen, color: Color, rng: random.Random) -> None:
    rock = (96, 88, 88)
    for _ in range(16):
        x = rng.uniform(-0.55, 0.5)
        pen.blob((x, rng.uniform(-0.1, 0.1 - abs(x) * 0.18)), rng.uniform(0.09, 0.2), jitter(rock, 30, rng), rng, 0.6)
    bands = 5
    for band in range(bands):
        low, high = band / bands, (band + 1) / bands
        wide = [0.125 - 0.05 * place for place in (low, high)]
        y = [0.12 + 0.64 * place for place in (low, high)]
        tone = color if band % 2 == 0 else CREAM
        pen.shape(((-wide[0], y[0]), (wide[0], y[0]), (wide[1], y[1]), (-wide[1], y[1])), tone)
        pen.shape(((wide[0] * 0.3, y[0]), (wide[0], y[0]), (wide[1], y[1]), (wide[1] * 0.3, y[1])), shaded(tone, 0.28))
    pen.box(-0.11, 0.755, 0.11, 0.785, INK)
    pen.box(-0.06, 0.785, 0.06, 0.88, (255, 230, 150))
    pen.line(((-0.06, 0.785), (-0.06, 0.88), (0, 0.785), (0, 0.88), (0.06, 0.785), (0.06, 0.88)), INK, 0.01)
    pen.shape(((-0.085, 0.88), (0.085, 0.88), (0, 0.98)), shaded(color, 0.15))
    pen.line(((0, 0.97), (0, 1.02)), INK, 0.012)
    for side in (-1, 1):
        pen.shape(((side * 0.05, 0.83), (side * 1.5, 1.0), (side * 1.5, 0.7)), (255, 240, 180), 42)


def house(pen: Pen, color: Color, rng: random.Random) -> None:
    wall = mix(CREAM, color, 0.12)
    pen.box(-0.5, 0, 0.32, 0.42, wall)
    pen.shape(((0.32, 0), (0.62, 0.05), (0.62, 0.45), (0.32, 0.42)), shaded(wall, 0.3))
    pen.shape(((-0.56, 0.4), (0.36, 0.4), (0.28, 0.76), (-0.44, 0.76)), color)
    pen.shape(((0.36, 0.4), (0.66, 0.44), (0.28, 0.76)), shaded(color, 0.35))
    for row in range(4):
        y = 0.46 + row * 0.08
        pen.line(((-0.55 + row * 0.03, y), (0.34 - row * 0.02, y)), shaded(color, 0.16), 0.012)
    pen.box(-0.3, 0.66, -0.18, 0.95, (150, 92, 78))
    for puff in range(4):
        pen.disc((-0.24 + 0.07 * puff, 1.02 + 0.1 * puff), 0.05 + 0.025 * puff, (236, 236, 238), 0.8, 120 - 22 * puff)
    pen.box(-0.14, 0, 0.04, 0.28, (98, 66, 48))
    for x in (-0.42, 0.12):
        pen.box(x, 0.14, x + 0.16, 0.31, (255, 222, 150))
        pen.line(((x + 0.08, 0.14), (x + 0.08, 0.31)), (110, 84, 66), 0.014)
        pen.line(((x, 0.225), (x + 0.16, 0.225)), (110, 84, 66), 0.014)
    for _ in range(10):
        pen.blob((rng.uniform(-0.65, 0.7), 0.02), rng.uniform(0.05, 0.1), jitter((92, 124, 66), 26, rng), rng)


def castle(pen: Pen, color: Color, rng: random.Random) -> None:
    stone = (168, 160, 156)
    for x, wide, tall in (
        (-0.5, 0.17, 0.62),
        (0.5, 0.17, 0.66),
        (-0.2, 0.15, 0.8),
        (0.22, 0.16, 0.74),
        (0.0, 0.2, 0.98),
    ):
        tone = jitter(stone, 12, rng)
        pen.box(x - wide / 2, 0, x + wide / 2, tall - 0.2, tone)
        pen.box(x + wide * 0.12, 0, x + wide / 2, tall - 0.2, shaded(tone, 0.26))
        pen.shape(((x - wide * 0.65, tall - 0.2), (x + wide * 0.65, tall - 0.2), (x, tall + 0.06)), color)
        pen.shape(((x + wide * 0.1, tall - 0.2), (x + wide * 0.65, tall - 0.2), (x, tall + 0.06)), shaded(color, 0.3))
        pen.box(x - 0.018, tall - 0.36, x + 0.018, tall - 0.28, INK)
    pen.box(-0.6, 0, 0.6, 0.3, stone)
    for index in range(13):
        pen.box(-0.6 + index * 0.095, 0.3, -0.55 + index * 0.095, 0.35, stone)
    pen.box(-0.09, 0, 0.09, 0.16, shaded(stone, 0.7))
    pen.disc((0, 0.16), 0.09, shaded(stone, 0.7))


def car(pen: Pen, color: Color, rng: random.Random) -> None:
    pen.disc((0, 0.0), 0.95, (24, 24, 34), 0.06, 110)
    body = (
        (-0.92, 0.14),
        (-0.9, 0.38),
        (-0.6, 0.46),
        (-0.34, 0.72),
        (0.26, 0.72),
        (0.52, 0.46),
        (0.9, 0.38),
        (0.93, 0.14),
    )
    pen.shape(body, color)
    pen.shape(((-0.92, 0.14), (-0.92, 0.24), (0.93, 0.24), (0.93, 0.14)), shaded(color, 0.35))
    pen.line(((-0.88, 0.4), (-0.6, 0.47), (0.5, 0.47), (0.88, 0.4)), lit(color, 0.4), 0.018)
    glass = (150, 190, 214)
    pen.shape(((-0.52, 0.47), (-0.31, 0.67), (-0.04, 0.67), (-0.04, 0.47)), glass)
    pen.shape(((0.01, 0.47), (0.01, 0.67), (0.23, 0.67), (0.44, 0.47)), shaded(glass, 0.2))
    for x in (-0.56, 0.56):
        pen.disc((x, 0.14), 0.17, INK)
        pen.disc((x, 0.14), 0.085, (190, 192, 198))
    pen.disc((0.88, 0.32), 0.05, (255, 240, 190))
    pen.disc((-0.89, 0.32), 0.04, (210, 60, 50))
    pen.line(((rng.uniform(-0.02, 0.0), 0.2), (-0.02, 0.45)), shaded(color, 0.3), 0.01)


def balloon(pen: Pen, color: Color, rng: random.Random) -> None:
    other = lit(color, 0.7) if rng.random() < 0.6 else mix(color, (250, 200, 80), 0.75)
    for gore in range(9):
        angle = [math.pi * (gore + step) / 9 for step in (0, 1)]
        left, right = (-0.36 * math.cos(turn) for turn in angle)
        tone = color if gore % 2 == 0 else other
        tone = shaded(tone, 0.3 * gore / 9)
        steps = [index / 14 for index in range(15)]
        outline = [(left * _bulge(s), 0.24 + 0.76 * s) for s in steps] + [
            (right * _bulge(s), 0.24 + 0.76 * s) for s in reversed(steps)
        ]
        pen.shape(outline, tone)
    for x in (-0.06, 0.06):
        pen.line(((x, 0.12), (x * 1.4, 0.25)), INK, 0.006)
    pen.box(-0.065, 0.02, 0.065, 0.12, (140, 98, 60))
    pen.line(((-0.07, 0.12), (0.07, 0.12)), (96, 64, 40), 0.02)


def _bulge(share: float) -> float:
    return math.sin(math.pi * min(1.0, 0.16 + 0.84 * share) ** 1.25) ** 0.62 if share < 1 else 0.0


def blossoms(pen: Pen, color: Color, rng: random.Random) -> None:
    """A bunch, without a vase."""
    heads = [(rng.uniform(-0.34, 0.34), rng.uniform(0.55, 0.98)) for _ in range(11)]
    for x, y in heads:
        pen.line(((0.0, 0.0), (x * 0.4, y * 0.5), (x, y)), jitter((70, 112, 56), 16, rng), 0.018)
        leaf = (x * 0.5, y * 0.5)
        pen.blob((leaf[0] + rng.uniform(-0.06, 0.06), leaf[1]), 0.06, jitter((86, 130, 66), 22, rng), rng, 0.5)
    for x, y in sorted(heads, key=lambda head: -head[1]):
        tone = jitter(color if rng.random() < 0.7 else lit(color, 0.45), 24, rng)
        size = rng.uniform(0.075, 0.12)
        for petal in range(6):
            angle = petal * math.tau / 6 + rng.random()
            center = (x + size * 0.62 * math.cos(angle), y + size * 0.62 * math.sin(angle))
            pen.disc(center, size * 0.56, mix(tone, shaded(tone), 0.3 if petal % 2 else 0))
        pen.disc((x, y), size * 0.34, (246, 206, 96))


def robot(pen: Pen, color: Color, rng: random.Random) -> None:
    metal, dark = mix(color, (190, 196, 204), 0.45), (66, 72, 84)
    pen.disc((0, 0), 0.42, (24, 24, 34), 0.08, 110)
    for side in (-1, 1):
        pen.box(min(side * 0.06, side * 0.2), 0.0, max(side * 0.06, side * 0.2), 0.07, shaded(metal))
        pen.box(min(side * 0.09, side * 0.17), 0.05, max(side * 0.09, side * 0.17), 0.28, dark)
        pen.line(((side * 0.28, 0.56), (side * 0.42, 0.42), (side * 0.4, 0.26)), dark, 0.06)
        pen.disc((side * 0.4, 0.24), 0.05, metal)
        pen.disc((side * 0.28, 0.57), 0.07, shaded(metal, 0.2))
    pen.box(-0.26, 0.26, 0.26, 0.62, metal)
    pen.box(0.1, 0.26, 0.26, 0.62, shaded(metal, 0.25))
    pen.box(-0.14, 0.38, 0.1, 0.54, shaded(metal, 0.55))
    for light in range(3):
        tone = rng.choice(((246, 96, 70), (120, 220, 120), (250, 210, 90)))
        pen.disc((-0.09 + light * 0.07, 0.46), 0.022, tone)
    pen.box(-0.05, 0.62, 0.05, 0.67, dark)
    pen.box(-0.2, 0.67, 0.2, 0.92, metal)
    pen.box(0.08, 0.67, 0.2, 0.92, shaded(metal, 0.22))
    for x in (-0.08, 0.08):
        pen.disc((x, 0.81), 0.05, INK)
        pen.disc((x, 0.81), 0.032, (120, 232, 240))
    pen.line(((-0.08, 0.72), (0.08, 0.72)), INK, 0.02)
    pen.line(((0, 0.92), (0, 1.0)), dark, 0.015)
    pen.disc((0, 1.0), 0.03, (246, 96, 70))


def rocket(pen: Pen, color: Color, rng: random.Random) -> None:
    for size, tone in ((0.2, (255, 140, 60)), (0.13, (255, 214, 110)), (0.06, (255, 250, 220))):
        pen.shape(((-size * 0.7, 0.2), (size * 0.7, 0.2), (rng.uniform(-0.03, 0.03), 0.2 - size * 2.2)), tone, 220)
    body = [(0.15 * math.sin(math.pi * (0.12 + 0.88 * s)) ** 0.7, 0.2 + 0.8 * s) for s in (i / 16 for i in range(17))]
    pen.shape([*body, *((-x, y) for x, y in reversed(body))], CREAM)
    pen.shape([*body, *((x * 0.25, y) for x, y in reversed(body))], shaded(CREAM, 0.25))
    pen.shape([point for point in body if point[1] > 0.78] + [(-x, y) for x, y in reversed(body) if y > 0.78], color)
    for side in (-1, 1):
        pen.shape(((side * 0.13, 0.42), (side * 0.28, 0.14), (side * 0.1, 0.22)), shaded(color, 0.2 if side > 0 else 0))
    pen.disc((0, 0.62), 0.065, shaded(color, 0.3))
    pen.disc((0, 0.62), 0.046, (150, 214, 236))


def planet(pen: Pen, color: Color, rng: random.Random) -> None:
    center, radius = (0.0, 0.5), 0.34
    ring = mix(lit(color, 0.5), (240, 220, 180), 0.5)
    tilt = rng.uniform(0.12, 0.26)
    arc = [(0.62 * math.cos(i * math.pi / 24), tilt * math.sin(i * math.pi / 24)) for i in range(25)]
    back = [(center[0] + x, center[1] + y + x * 0.2) for x, y in arc]
    front = [(center[0] + x, center[1] - y + x * 0.2) for x, y in arc]
    pen.line(back, shaded(ring, 0.3), 0.05)
    pen.disc(center, radius, color)
    for band in range(7):
        y = center[1] + radius * (band - 3) / 3.6
        wide = math.sqrt(max(0.0, radius**2 - (y - center[1]) ** 2))
        tone = mix(color, rng.choice((lit(color), shaded(color, 0.3))), 0.6)
        pen.line(((center[0] - wide, y), (center[0] + wide, y + 0.012)), tone, rng.uniform(0.015, 0.05))
    for step in range(8):
        shift = 0.04 + step * 0.03
        night: list[Point] = [
            (center[0] + radius * math.cos(a), center[1] + radius * math.sin(a))
            for a in (-math.pi / 2 + i * math.pi / 20 for i in range(21))
        ]
        inner = [(center[0] + shift + (x - center[0]) * 0.55, y) for x, y in reversed(night)]
        pen.shape([*night, *inner], (12, 12, 34), 24)
    pen.line(front, ring, 0.06)


def mushroom(pen: Pen, color: Color, rng: random.Random) -> None:
    for x, size in ((-0.3, 0.5), (0.32, 0.62), (0.0, 1.0)):
        own = pen.moved(x, 0, size)
        own.shape(((-0.09, 0), (0.1, 0), (0.07, 0.55), (-0.06, 0.55)), CREAM)
        own.shape(((0.03, 0), (0.1, 0), (0.07, 0.55), (0.03, 0.55)), shaded(CREAM, 0.25))
        cap = [(0.36 * math.cos(i * math.pi / 16), 0.5 + 0.38 * math.sin(i * math.pi / 16)) for i in range(17)]
        own.shape(cap, color)
        own.shape([*cap[:7], (0.1, 0.5)], shaded(color, 0.22))
        own.disc((0, 0.5), 0.36, shaded(CREAM, 0.3), 0.13)
        for _ in range(7):
            spot = (rng.uniform(-0.24, 0.24), rng.uniform(0.6, 0.8))
            own.disc(spot, rng.uniform(0.025, 0.05), CREAM, 0.8)


def fruit(pen: Pen, color: Color, rng: random.Random) -> None:
    pen.disc((0, 0.02), 0.75, (40, 30, 34), 0.1, 100)
    bowl = mix(color, (70, 100, 150), 0.6)
    tones = (color, (226, 150, 52), (178, 188, 66), (196, 60, 52), (246, 206, 84))
    for x, y, size in (
        (-0.3, 0.42, 0.2),
        (0.02, 0.48, 0.22),
        (0.33, 0.42, 0.2),
        (-0.13, 0.62, 0.19),
        (0.2, 0.63, 0.18),
    ):
        tone = jitter(rng.choice(tones), 14, rng)
        pen.disc((x, y), size, shaded(tone, 0.18))
        pen.disc((x - size * 0.16, y + size * 0.14), size * 0.74, tone)
        pen.disc((x - size * 0.34, y + size * 0.36), size * 0.24, lit(tone, 0.6))
        pen.line(((x, y + size * 0.9), (x + 0.03, y + size * 1.2)), (84, 60, 40), 0.02)
    half = [
        (0.66 * math.cos(math.pi + i * math.pi / 16), 0.4 + 0.4 * math.sin(math.pi + i * math.pi / 16))
        for i in range(17)
    ]
    pen.shape(half, bowl)
    pen.shape([*half[9:], (0.2, 0.4)], shaded(bowl, 0.28))
    pen.line(((-0.66, 0.4), (0.66, 0.4)), lit(bowl, 0.5), 0.03)


def cup(pen: Pen, color: Color, rng: random.Random) -> None:
    pen.disc((0, 0.03), 0.62, shaded(CREAM, 0.12), 0.13)
    pen.disc((0, 0.05), 0.5, CREAM, 0.1)
    pen.ring((0.42, 0.34), 0.15, color, 0.05)
    pen.shape(((-0.36, 0.56), (0.36, 0.56), (0.24, 0.08), (-0.24, 0.08)), color)
    pen.shape(((0.08, 0.56), (0.36, 0.56), (0.24, 0.08), (0.06, 0.08)), shaded(color, 0.28))
    pen.disc((0, 0.56), 0.36, lit(color, 0.35), 0.2)
    pen.disc((0, 0.555), 0.32, (82, 50, 34), 0.18)
    for wave in range(3):
        x = -0.14 + wave * 0.14
        rise = [(x + 0.05 * math.sin(i * 0.9 + wave + rng.random() * 0.1), 0.66 + i * 0.05) for i in range(9)]
        pen.line(rise, (196, 184, 176), 0.022)
