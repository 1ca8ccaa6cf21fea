"""Places without a horizon: under water, in space, in a room; a portrait's ground; and no place at all."""

import math

from PIL import Image, ImageChops, ImageFilter

from comfydesk.demo.drawing.animals import bust, fish
from comfydesk.demo.drawing.colors import NAMED, Color, jitter, mix, turned
from comfydesk.demo.drawing.layers import Layer, Stage, gradient, pan, still, sway, swim
from comfydesk.demo.drawing.noise import billows
from comfydesk.demo.drawing.sky import stars
from comfydesk.demo.drawing.things import CREAM, blossoms, shaded


def underwater(stage: Stage) -> list[Layer]:
    rng = stage.rng("deep")
    tint = stage.idea.hues[0] if stage.idea.hues else (22, 118, 160)
    top, low = mix(tint, (190, 244, 240), 0.5), mix(tint, (4, 16, 50), 0.78)
    layers = [Layer(gradient(stage.width, stage.height, [(0, top), (0.4, tint), (1, low)]).convert("RGBA"))]
    rays = stage.sheet()
    for _ in range(9):
        x, wide = rng.uniform(-0.1, 1.1) * rays.width, rng.uniform(0.02, 0.09) * rays.width
        foot = x + rng.uniform(-0.3, 0.1) * rays.width
        shape = [(x, 0), (x + wide, 0), (foot + wide * 2.4, rays.height), (foot, rays.height)]
        rays.draw.polygon(shape, fill=(230, 255, 250, rng.randint(10, 34)))
    layers.append(rays.layer(sway(0.03, 1)))
    layers.append(_reef(stage, low))
    for number in range(2):
        school = stage.sheet()
        for _ in range(8 if number else 5):
            size = rng.uniform(0.05, 0.1) * (1.6 if number else 1)
            tone = jitter(rng.choice(((244, 150, 60), (240, 206, 90), (226, 92, 110), (150, 200, 226))), 22, rng)
            spot = (rng.random(), rng.uniform(0.25, 0.8))
            fish(school.pen(*spot, size, flip=number == 0), mix(tone, tint, 0.35 - 0.3 * number), rng)
        drift = 0.16 if number else -0.12
        layers.append(school.layer(swim(drift)))
    bubbles = stage.sheet(wide=1)
    for _ in range(60):
        x, y, r = rng.random() * bubbles.width, rng.random() * bubbles.height, rng.uniform(1, 5) * bubbles.height / 700
        bubbles.draw.ellipse((x - r, y - r, x + r, y + r), outline=(230, 250, 255, 150), width=max(1, round(r / 3)))
    layers.append(bubbles.layer(lambda t: (0.0, -0.08 * t)))
    return layers


def _reef(stage: Stage, low: Color) -> Layer:
    """Corals and stones on the ground."""
    rng = stage.rng("reef")
    floor = stage.sheet()
    for _ in range(46):
        nearness = rng.random()
        x, y = rng.random(), 0.84 + 0.18 * nearness
        tone = jitter(
            rng.choice(((232, 110, 96), (240, 160, 86), (170, 96, 168), (92, 156, 120), (216, 196, 150))), 24, rng
        )
        pen = floor.pen(x, y, 0.1 + 0.14 * nearness)
        tone = mix(tone, low, 0.5 * (1 - nearness))
        if rng.random() < 0.5:
            for arm in range(5):
                angle = math.pi * (0.2 + 0.15 * arm)
                tip = (0.9 * math.cos(angle), 0.9 * math.sin(angle))
                pen.line(((0, 0), (tip[0] * 0.4, tip[1] * 0.6), tip), tone, 0.16)
        else:
            pen.blob((0, 0.2), 0.5, tone, rng, 0.7)
    return floor.layer(pan(0.7))


def space(stage: Stage) -> list[Layer]:
    rng = stage.rng("nebula")
    width, height = stage.width, stage.height
    base = Image.new("RGB", (width, height), (8, 8, 22))
    start = rng.random() * 360
    hues = stage.idea.hues or tuple(turned((150, 60, 190), start + turn) for turn in (0, 70, 150))
    for number, hue in enumerate(hues[:3]):
        grey = billows(rng, max(8, width // 3), max(8, height // 3), cells=2).resize((width, height))
        mask = grey.point([max(0, (level - 118 - 14 * number) * 2) for level in range(256)])
        base.paste(Image.composite(Image.new("RGB", base.size, mix(hue, (255, 255, 255), 0.08)), base, mask), (0, 0))
        dust = billows(rng, max(8, width // 3), max(8, height // 3), cells=5).resize((width, height))
        base = ImageChops.multiply(
            base, Image.merge("RGB", (dust.point([120 + level * 135 // 255 for level in range(256)]),) * 3)
        )
    return [Layer(base.convert("RGBA")), stars(stage, 260)]


def room(stage: Stage) -> list[Layer]:
    """A wall with light from a window, and a table; flowers in a vase unless something else is asked for."""
    rng = stage.rng("room")
    wall = (
        stage.idea.hues[0]
        if stage.idea.hues
        else rng.choice(((112, 124, 112), (130, 108, 92), (96, 110, 134), (146, 126, 104)))
    )
    width, height = stage.width, stage.height
    ground = gradient(width, height, [(0, shaded(wall, 0.35)), (0.5, wall), (1, shaded(wall, 0.5))])
    beam = Image.new("L", (width, height))
    lit_part = stage.sheet(wide=1)
    for pane in range(2):
        x = 0.1 + 0.24 * pane
        shape = [(x, 0.06), (x + 0.2, 0.12), (x + 0.34, 0.62), (x + 0.12, 0.58)]
        lit_part.draw.polygon(
            [(px * lit_part.width, py * lit_part.height) for px, py in shape], fill=(255, 240, 200, 120)
        )
    beam.paste(lit_part.layer().image.getchannel("A").filter(ImageFilter.GaussianBlur(width / 40)), (0, 0))
    ground = Image.composite(Image.new("RGB", ground.size, mix(wall, stage.colors.light, 0.62)), ground, beam)
    table = stage.sheet(wide=1)
    wood = rng.choice(((140, 92, 58), (96, 66, 50), (176, 132, 92)))
    top = 0.68
    table.draw.rectangle((0, top * table.height, table.width, table.height), fill=(*wood, 255))
    for _ in range(70):
        y = rng.uniform(top, 1) * table.height
        x, length = rng.random() * table.width, rng.uniform(0.1, 0.5) * table.width
        tone = jitter(mix(wood, shaded(wood), rng.random() * 0.6), 14, rng)
        table.draw.line(
            (x, y, x + length, y + rng.uniform(-2, 2)), fill=(*tone, 190), width=max(1, round(table.height / 240))
        )
    table.draw.rectangle(
        (0, top * table.height, table.width, (top + 0.012) * table.height), fill=(*mix(wood, CREAM, 0.35), 255)
    )
    layers = [Layer(ground.convert("RGBA")), table.layer()]
    if not set(stage.idea.subjects) - {"flowers"}:
        layers.append(_vase(stage))
    return layers


def _vase(stage: Stage) -> Layer:
    rng = stage.rng("vase")
    sheet = stage.sheet(wide=1)
    color = stage.idea.subject_color or stage.colors.accent
    pen = sheet.pen(0.52, 0.86, 0.4)
    pen.disc((0.06, 0.0), 0.36, (30, 22, 26), 0.12, 120)
    blossoms(pen.moved(0, 0.5, 1.3), color, rng)
    glaze = turned(color, 190, 0.7)
    outline = [(0.1 + 0.16 * math.sin(math.pi * (0.15 + 0.75 * s)), 0.72 * s) for s in (i / 12 for i in range(13))]
    pen.shape([*outline, *((-x, y) for x, y in reversed(outline))], glaze)
    pen.shape([*outline, *((x * 0.35, y) for x, y in reversed(outline))], shaded(glaze, 0.3))
    pen.line(((-0.13, 0.2), (-0.15, 0.45)), mix(glaze, CREAM, 0.6), 0.03)
    return sheet.layer()


def portrait(stage: Stage) -> list[Layer]:
    rng = stage.rng("portrait")
    width, height = stage.width, stage.height
    back = stage.idea.hues[0] if stage.idea.hues else turned(stage.colors.sky[1], rng.uniform(-40, 40), 0.8)
    grey = billows(rng, max(8, width // 3), max(8, height // 3), cells=2).resize((width, height))
    ground = Image.composite(
        Image.new("RGB", (width, height), mix(back, stage.colors.light, 0.4)),
        Image.new("RGB", (width, height), shaded(back, 0.55)),
        grey,
    )
    sheet = stage.sheet(wide=1)
    hair = next((hue for hue in stage.idea.hues[1:]), None) or rng.choice(
        ((70, 46, 34), (36, 30, 34), (164, 112, 62), (128, 60, 38))
    )
    skin = rng.choice(((230, 186, 154), (196, 140, 106), (134, 92, 70), (242, 206, 180)))
    dress = stage.idea.subject_color or mix(stage.colors.accent, stage.colors.shade, 0.3)
    size = min(0.74, 0.74 * width / height)
    bust(sheet.pen(0.5, 0.5 + 0.55 * size, size), dress, hair, skin, rng)
    return [Layer(ground.convert("RGBA"), still), sheet.layer(sway(0.006, 1))]


def abstract(stage: Stage) -> list[Layer]:
    """Fields, arcs and discs in one harmony."""
    rng = stage.rng("abstract")
    base = stage.idea.hues[0] if stage.idea.hues else turned((70, 110, 190), rng.random() * 360)
    harmony = rng.choice(((0, 30, 180), (0, 24, 48), (0, 150, 210)))
    hues: list[Color] = list(stage.idea.hues) or [turned(base, turn, 1.1) for turn in harmony]
    hues += [mix(hue, CREAM, 0.5) for hue in hues[:2]] + [NAMED["white"], shaded(base, 0.75)]
    ground = gradient(stage.width, stage.height, [(0, mix(base, CREAM, 0.55)), (1, shaded(base, 0.5))])
    layers = [Layer(ground.convert("RGBA"))]
    for number in range(3):
        sheet = stage.sheet()
        for _ in range(7):
            tone, alpha = jitter(rng.choice(hues), 18, rng), rng.randint(120, 230)
            x, y, r = rng.random() * sheet.width, rng.random() * sheet.height, rng.uniform(0.05, 0.32) * sheet.height
            kind = rng.random()
            if kind < 0.4:
                sheet.draw.ellipse((x - r, y - r, x + r, y + r), fill=(*tone, alpha))
            elif kind < 0.75:
                start = rng.random() * 360
                wide = max(2, round(r * rng.uniform(0.08, 0.4)))
                sheet.draw.arc(
                    (x - r, y - r, x + r, y + r), start, start + rng.uniform(80, 260), fill=(*tone, alpha), width=wide
                )
            else:
                corners = [
                    (x + r * 1.4 * math.cos(a), y + r * 1.4 * math.sin(a))
                    for a in sorted(rng.random() * math.tau for _ in range(4))
                ]
                sheet.draw.polygon(corners, fill=(*tone, alpha))
        layers.append(sheet.layer(sway(0.06 * (number - 1), 1)))
    return layers
