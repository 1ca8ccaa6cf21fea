"""What lies below the sky: mountains, hills, trees, water, town, dunes."""

import math
import random

from comfydesk.demo.drawing.colors import Color, jitter, mix
from comfydesk.demo.drawing.layers import Layer, Sheet, Stage, gradient, pan, sway
from comfydesk.demo.drawing.noise import ridge
from comfydesk.demo.drawing.pen import Pen


def mountains(stage: Stage, *, rows: int = 3, height: float = 0.34, snow: bool = True) -> list[Layer]:
    """Rows of ridges, the far ones paler; each flank lit or in shadow."""
    layers = []
    for row in range(rows):
        nearness = row / max(1, rows - 1)
        rng = stage.rng(f"ridge {row}")
        color = mix(mix(stage.colors.soil, stage.colors.shade, 0.62), stage.colors.sky[2], 0.68 * (1 - nearness) + 0.12)
        sheet = stage.sheet()
        base = stage.horizon + 0.02 + 0.05 * nearness
        top = height * (1 - 0.42 * nearness) * rng.uniform(0.85, 1.1)
        _flanks(sheet, stage, rng, color, base, top, snow=snow and nearness < 0.8)
        layers.append(sheet.layer(pan(0.15 + 0.4 * nearness)))
    return layers


def _flanks(
    sheet: Sheet, stage: Stage, rng: random.Random, color: Color, base: float, top: float, *, snow: bool
) -> None:
    """A ridge with snow on its heights; from every peak a shadow falls away from the light."""
    outline = ridge(rng, 49, 0.58)
    step = sheet.width / (len(outline) - 1)
    foot = base * sheet.height
    line = [(index * step, foot - height * top * sheet.height) for index, height in enumerate(outline)]
    away = 1 if stage.light_x < 0.5 else -1
    lit = mix(color, stage.colors.light, 0.3)
    sheet.draw.polygon([(0, sheet.height), *line, (sheet.width, sheet.height)], fill=(*lit, 255))
    if snow:
        _snow_caps(sheet, rng, line, foot - 0.52 * top * sheet.height, mix((250, 250, 255), stage.colors.light, 0.3))
    pen = sheet.pen(0, 0, 1 / sheet.height)
    for index in range(1, len(line) - 1):
        x, y = line[index]
        if y >= line[index - 1][1] or y > line[index + 1][1]:
            continue
        edge = [line[index]]
        place = index + away
        while 0 <= place < len(line) and line[place][1] >= edge[-1][1]:
            edge.append(line[place])
            place += away
        depth = foot - y
        turns = (0.25, 0.5, 0.75, 1.0)
        spine = [(x, y), *((x + away * depth * part * rng.uniform(0.02, 0.3), y + depth * part) for part in turns)]
        corners = [*edge, *reversed(spine)]
        pen.shape([(cx, -cy) for cx, cy in corners], mix(color, stage.colors.shade, 0.55), 150)


def _snow_caps(sheet: Sheet, rng: random.Random, line: list[tuple[float, float]], height: float, white: Color) -> None:
    """White from the outline down to a jagged line around `height`."""
    below = [
        (x, max(y, min(height + rng.uniform(-0.5, 0.6) * max(0.0, height - y), y + max(0.0, height - y) * 1.3)))
        for x, y in line
    ]
    for left in range(len(line) - 1):
        if line[left][1] < height or line[left + 1][1] < height:
            sheet.draw.polygon([*line[left : left + 2], *reversed(below[left : left + 2])], fill=(*white, 255))


def hills(stage: Stage, color: Color, *, rows: int = 3, start: float = 0.0, relief: float = 0.09) -> list[Layer]:
    """Soft rolling ground down to the picture's foot, with tufts."""
    layers = []
    for row in range(rows):
        nearness = (row + 1) / rows
        rng = stage.rng(f"hill {row} {start}")
        sheet = stage.sheet()
        ground = mix(jitter(color, 14, rng), stage.colors.sky[2], 0.42 * (1 - nearness))
        phase, waves = rng.random() * 6, rng.uniform(0.7, 1.6)
        base = stage.horizon + start + (1 - stage.horizon) * (row / rows) * 0.8
        lit = mix(ground, stage.colors.light, 0.3)
        edge = []
        for index in range(49):
            x = index / 48
            rise = math.sin(phase + x * waves * 5) * 0.6 + math.sin(phase * 2 + x * waves * 11) * 0.25
            edge.append((x * sheet.width, (base - relief * rise * (0.5 + nearness / 2)) * sheet.height))
        sheet.draw.polygon([(0, sheet.height), *edge, (sheet.width, sheet.height)], fill=(*ground, 255))
        for _ in range(70 + 90 * row):
            x, y = rng.choice(edge)
            x += rng.uniform(-1, 1) * sheet.width / 48
            depth = rng.random() ** 1.5 * (sheet.height - y)
            length = sheet.height * (0.012 + 0.05 * depth / sheet.height)
            shade = mix(ground, rng.choice((lit, stage.colors.shade)), rng.uniform(0.1, 0.45))
            wide = max(2, round(length * 0.35))
            sheet.draw.line((x, y + depth, x + length, y + depth - length * 0.2), fill=(*shade, 255), width=wide)
        layers.append(sheet.layer(pan(0.3 + 0.6 * nearness)))
    return layers


def flowers(stage: Stage, colors: list[Color], *, start: float) -> Layer:
    """Specks of blossom, larger in front."""
    rng = stage.rng("blossoms")
    sheet = stage.sheet()
    spots = sorted(rng.random() ** 0.7 for _ in range(240))
    for nearness in spots:
        x, y = rng.random() * sheet.width, (start + (1 - start) * nearness) * sheet.height
        r = sheet.height * (0.002 + 0.011 * nearness**1.6)
        color = jitter(rng.choice(colors), 26, rng)
        sheet.draw.line((x, y, x + r * 0.4, y + r * 3), fill=(*mix(stage.colors.leaves, stage.colors.shade, 0.35), 255))
        sheet.draw.ellipse((x - r, y - r * 0.8, x + r, y + r * 0.8), fill=(*color, 255))
        core = mix(color, (255, 236, 150), 0.6)
        sheet.draw.ellipse((x - r * 0.3, y - r * 0.3, x + r * 0.3, y + r * 0.3), fill=(*core, 255))
    return sheet.layer(pan(0.9))


def forest(stage: Stage, *, rows: int = 4, pines: bool | None = None) -> list[Layer]:
    """Rows of trees; the hindmost stand in haze."""
    layers = []
    conifers = stage.rng("kind").random() < 0.5 if pines is None else pines
    for row in range(rows):
        nearness = (row + 0.4) / rows
        rng = stage.rng(f"trees {row}")
        sheet = stage.sheet()
        tone = mix(mix(stage.colors.leaves, stage.colors.shade, 0.25), stage.colors.sky[2], 0.55 * (1 - nearness))
        count = round(30 - 20 * nearness)
        foot = stage.horizon + 0.03 + (1 - stage.horizon) * 0.75 * nearness**1.5
        for index in range(count):
            x = (index + rng.uniform(-0.4, 0.4)) / (count - 1)
            if row == rows - 1 and abs(x - 0.5) < 0.27:
                continue  # a clearing in front
            size = (0.14 + 0.5 * nearness**1.3) * rng.uniform(0.75, 1.2)
            pen = sheet.pen(x, foot + rng.uniform(-0.01, 0.02), size)
            tree(pen, stage, rng, jitter(tone, 20, rng), pine=conifers if rng.random() < 0.85 else not conifers)
        layers.append(sheet.layer(pan(0.25 + 0.75 * nearness)))
    return layers


def tree(pen: Pen, stage: Stage, rng: random.Random, color: Color, *, pine: bool) -> None:
    """One tree, a unit high; its light side faces the light."""
    bark = mix((96, 70, 52), stage.colors.shade, 0.35)
    side = -1 if stage.light_x < 0.5 else 1
    lit, dark = mix(color, stage.colors.light, 0.3), mix(color, stage.colors.shade, 0.38)
    if pine:
        pen.box(-0.025, 0, 0.025, 0.2, bark)
        for level in range(5):
            y, wide = 0.12 + level * 0.165, 0.24 - level * 0.042
            pen.shape(((-wide, y), (wide, y), (0, y + 0.3)), dark)
            pen.shape(((side * wide, y), (side * wide * 0.05, y + 0.03), (0, y + 0.3)), mix(color, lit, level / 5))
        return
    pen.line(((0, 0), (0.01, 0.3), (-0.02, 0.5)), bark, 0.05)
    pen.line(((0.0, 0.3), (0.12, 0.5)), bark, 0.025)
    for _ in range(9):
        center = (rng.uniform(-0.2, 0.2), rng.uniform(0.45, 0.85))
        bright = center[0] * side * 1.6 + (center[1] - 0.6)
        pen.blob(center, rng.uniform(0.11, 0.19), mix(dark, lit, 0.45 + bright), rng)


def water(stage: Stage, *, top: float, bottom: float = 1.0, calm: bool = False) -> list[Layer]:
    """Water from `top` down: its ground, two sheets of ripples, and the light's trail."""
    deep = mix(stage.colors.water, stage.colors.shade, 0.32)
    far = mix(stage.colors.water, stage.colors.sky[2], 0.55)
    height = max(1, round((bottom - top) * stage.height))
    body = gradient(stage.width, height, [(0, far), (0.25, mix(far, stage.colors.water, 0.7)), (1, deep)])
    ground = stage.sheet(wide=1).layer().image
    ground.paste(body, (0, round(top * stage.height)))
    layers = [Layer(ground)]
    for number in range(2):
        rng = stage.rng(f"ripples {number}")
        sheet = stage.sheet(wide=1)
        for _ in range(260 if calm else 420):
            nearness = rng.random() ** 1.4
            x, y = rng.random() * sheet.width, (top + (bottom - top) * (0.01 + 0.99 * nearness)) * sheet.height
            length = sheet.width * (0.008 + 0.075 * nearness) * rng.uniform(0.5, 1.3)
            thick = max(1, round(sheet.height * (0.0015 + 0.007 * nearness) * (0.7 if calm else 1.1)))
            near_light = math.exp(-(((x / sheet.width - stage.light_x) / (0.05 + 0.12 * nearness)) ** 2))
            color = mix(deep, far, rng.random())
            if rng.random() < 0.28 or near_light > rng.random():
                color = mix(color, stage.colors.light, 0.25 + 0.75 * near_light)
            bend = thick * rng.uniform(-1.2, 1.2)
            points = ((x - length / 2, y), (x, y + bend), (x + length / 2, y))
            sheet.draw.line(points, fill=(*color, 210), width=thick, joint="curve")
        layers.append(sheet.layer(sway(0.012, 2, 0.5 * number), wraps=True))
    return layers


_WALLS: tuple[Color, ...] = (
    *((206, 176, 138), (190, 132, 106), (168, 168, 176), (146, 116, 104)),
    *((212, 202, 184), (132, 146, 160), (176, 150, 122)),
)


def town(stage: Stage, *, rows: int = 3, foot: float | None = None) -> list[Layer]:
    """Rows of houses with windows, lit when it is dark."""
    layers = []
    night = stage.colors.dark or stage.idea.hour in ("sunset", "storm")
    for row in range(rows):
        nearness = (row + 0.5) / rows
        rng = stage.rng(f"houses {row}")
        sheet = stage.sheet()
        ground = (foot or stage.horizon + 0.06) + 0.06 * nearness
        x = -0.02
        while x < 1.02:
            wide = rng.uniform(0.045, 0.1) * (0.7 + 0.6 * nearness)
            tall = rng.uniform(0.12, 0.42) * (1.15 - 0.45 * nearness) * (1.35 if rng.random() < 0.15 else 1)
            plaster = mix(jitter(rng.choice(_WALLS), 18, rng), stage.colors.shade, 0.62 if night else 0.22)
            wall = mix(plaster, stage.colors.sky[2], 0.6 * (1 - nearness))
            _house(sheet, stage, rng, (x, ground - tall, x + wide, ground + 0.4), wall, night=night)
            x += wide * rng.uniform(0.86, 1.04)
        layers.append(sheet.layer(pan(0.2 + 0.6 * nearness)))
    return layers


def _house(
    sheet: Sheet,
    stage: Stage,
    rng: random.Random,
    place: tuple[float, float, float, float],
    wall: Color,
    *,
    night: bool,
) -> None:
    left, top, right, bottom = (part * (sheet.width if i % 2 == 0 else sheet.height) for i, part in enumerate(place))
    sheet.draw.rectangle((left, top, right, bottom), fill=(*wall, 255))
    lit_side = mix(wall, stage.colors.light, 0.28)
    edge = left if stage.light_x < 0.5 else right - (right - left) * 0.22
    sheet.draw.rectangle((edge, top, edge + (right - left) * 0.22, bottom), fill=(*lit_side, 255))
    roof = rng.random()
    if roof < 0.25:
        tip = (left + right) / 2
        cap = mix(stage.colors.accent, stage.colors.shade, 0.45)
        sheet.draw.polygon([(left, top), (right, top), (tip, top - (right - left) * 0.5)], fill=(*cap, 255))
    elif roof < 0.4:
        sheet.draw.line(
            ((left + right) / 2, top, (left + right) / 2, top - sheet.height * 0.05), fill=(*wall, 255), width=3
        )
    columns = max(2, round((right - left) / (sheet.height * 0.018)))
    pane = (right - left) / (columns * 2 + 1)
    y = top + pane * 1.4
    while y < min(bottom, sheet.height):
        for column in range(columns):
            glow = night and rng.random() < 0.42
            color = jitter((255, 206, 118), 24, rng) if glow else mix(wall, stage.colors.shade, 0.4)
            x = left + pane * (2 * column + 1)
            sheet.draw.rectangle((x, y, x + pane, y + pane * 1.3), fill=(*color, 255))
        y += pane * 2.7


def dunes(stage: Stage) -> list[Layer]:
    """Ridges of sand, one flank in light and one in shadow."""
    layers = []
    sand = mix((222, 176, 112), stage.colors.sky[1], 0.12)
    for row in range(4):
        nearness = row / 3
        rng = stage.rng(f"dune {row}")
        sheet = stage.sheet()
        color = mix(jitter(sand, 10, rng), stage.colors.sky[2], 0.5 * (1 - nearness))
        crest = rng.uniform(0.25, 0.75)
        base = stage.horizon + (1 - stage.horizon) * 0.75 * nearness**1.2
        rise = 0.1 + 0.07 * nearness
        points = [(index / 40, base - rise * math.exp(-(((index / 40 - crest) / 0.3) ** 2))) for index in range(41)]
        line = [(x * sheet.width, y * sheet.height) for x, y in points]
        sheet.draw.polygon(
            [(0, sheet.height), *line, (sheet.width, sheet.height)], fill=(*mix(color, stage.colors.light, 0.22), 255)
        )
        shadow = [point for point in line if (point[0] > crest * sheet.width) == (stage.light_x < 0.5)]
        if shadow:
            tip = min(line, key=lambda point: point[1])
            far_x = sheet.width if stage.light_x < 0.5 else 0
            fold = (tip[0] + (far_x - tip[0]) * 0.3, tip[1] + sheet.height * 0.3)
            side = [tip, *shadow] if stage.light_x < 0.5 else [*shadow, tip]
            sheet.draw.polygon([*side, (far_x, sheet.height), fold], fill=(*mix(color, stage.colors.shade, 0.34), 255))
        layers.append(sheet.layer(pan(0.2 + 0.7 * nearness)))
    return layers
