"""What is above: sky, sun and moon, stars, clouds; and what falls from it."""

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from comfydesk.demo.drawing.colors import Color, mix
from comfydesk.demo.drawing.layers import Layer, Stage, gradient
from comfydesk.demo.drawing.noise import billows


def sky(stage: Stage) -> Layer:
    top, middle, low = stage.colors.sky
    stops = [(0.0, top), (stage.horizon * 0.62, middle), (stage.horizon, low), (1.0, low)]
    return Layer(gradient(stage.width, stage.height, stops).convert("RGBA"))


def heavens(stage: Stage) -> list[Layer]:
    """Sun or moon with its glow, and stars when it is dark."""
    layers = []
    if stage.colors.dark or "star" in stage.idea.extras:
        layers.append(stars(stage, 160))
    if stage.idea.hour not in ("storm", "fog"):
        layers.append(_light(stage))
    return layers


def stars(stage: Stage, count: int) -> Layer:
    rng = stage.rng("stars")
    sheet = stage.sheet(wide=1)
    for _ in range(count):
        x, y = rng.random() * sheet.width, rng.random() ** 1.4 * sheet.height * (stage.horizon + 0.05)
        r = rng.choice((1.2, 1.4, 1.6, 2.2, 3.4)) * sheet.height / 620
        color = mix((255, 255, 255), rng.choice(((255, 214, 170), (180, 205, 255))), rng.random() * 0.7)
        sheet.draw.ellipse((x - r, y - r, x + r, y + r), fill=(*color, rng.randint(120, 255)))
    return sheet.layer()


def _light(stage: Stage) -> Layer:
    """A disc in a glow that fills half of the sky."""
    rng = stage.rng("light")
    width, height = stage.width, stage.height
    low = stage.idea.hour in ("sunset", "dawn")
    y = height * stage.horizon * (rng.uniform(0.72, 0.9) if low else rng.uniform(0.25, 0.42))
    x = width * stage.light_x
    image = Image.new("RGBA", (width, height), (*stage.colors.light, 0))
    reach = round(max(width, height) * (0.85 if low else 0.6))
    glow = ImageChops.invert(Image.radial_gradient("L").resize((reach, reach)))
    glow = glow.point([min(255, round((level / 255) ** 2.2 * (210 if low else 130))) for level in range(256)])
    alpha = Image.new("L", (width, height))
    alpha.paste(glow, (round(x - reach / 2), round(y - reach / 2)))
    r = height * (0.055 if low else 0.042)
    disc = Image.new("L", (width * 2, height * 2))
    ImageDraw.Draw(disc).ellipse(((x - r) * 2, (y - r) * 2, (x + r) * 2, (y + r) * 2), fill=255)
    image.putalpha(ImageChops.lighter(alpha, disc.resize((width, height), Image.Resampling.BOX)))
    return Layer(image)


def clouds(stage: Stage) -> Layer | None:
    """Drifting, lit from below when the sun is low."""
    rng = stage.rng("clouds")
    cover = {"storm": 0.78, "fog": 0.35, "night": 0.3}.get(stage.idea.hour, rng.uniform(0.3, 0.55))
    if "cloud" in stage.idea.extras:
        cover = max(cover, 0.58)
    width, band = round(stage.width * 1.15), max(8, round(stage.height * stage.horizon))
    small = (max(8, width // 2), max(8, band // 2))
    grey = billows(rng, *small, cells=3, stretch=2.6)
    edge = round(255 * (1 - cover))
    soft = 74
    alpha = grey.point([min(235, max(0, (level - edge) * 235 // soft)) for level in range(256)])
    alpha = alpha.resize((width, band), Image.Resampling.BICUBIC)
    fade = gradient(width, band, [(0.0, (190,) * 3), (0.6, (235,) * 3), (1.0, (40,) * 3)]).convert("L")
    alpha = ImageChops.multiply(alpha, fade)
    _, middle, low = stage.colors.sky
    lit = mix(low, stage.colors.light, 0.62) if not stage.colors.dark else mix(middle, stage.colors.light, 0.32)
    shade = mix(middle, stage.colors.shade, 0.5 if stage.idea.hour != "storm" else 0.72)
    relief = ImageChops.offset(grey, 0, max(1, small[1] // 14))
    shadow = ImageChops.subtract(relief, grey, 0.6, 60).resize((width, band), Image.Resampling.BICUBIC)
    body = Image.composite(Image.new("RGB", (width, band), shade), Image.new("RGB", (width, band), lit), shadow)
    image = Image.new("RGBA", (width, stage.height))
    body.putalpha(alpha)
    image.paste(body, (0, 0))
    return Layer(image, lambda t: (-0.12 * t, 0.0))


def weather(stage: Stage) -> list[Layer]:
    """Rain, snow and mist, before everything else."""
    extras, layers = stage.idea.extras, []
    if "rain" in extras:
        layers.append(_falling(stage, (214, 222, 232), streak=0.05, count=260, speed=1.6))
    if "snow" in extras and stage.idea.place == "snow":
        layers.append(_falling(stage, (255, 255, 255), streak=0, count=240, speed=0.5))
    if stage.idea.hour == "fog" or "fog" in extras:
        layers.append(mist(stage, 150))
    return layers


def _falling(stage: Stage, color: Color, streak: float, count: int, speed: float) -> Layer:
    rng = stage.rng("falling")
    sheet = stage.sheet(wide=1)
    for _ in range(count):
        x, y = rng.random() * sheet.width, rng.random() * sheet.height
        size = rng.uniform(0.6, 1.8) * sheet.height / 420
        if streak:
            length = streak * sheet.height * rng.uniform(0.5, 1)
            sheet.draw.line(
                (x, y, x - length * 0.18, y + length), fill=(*color, rng.randint(50, 120)), width=max(1, round(size))
            )
        else:
            sheet.draw.ellipse((x - size, y - size, x + size, y + size), fill=(*color, rng.randint(140, 240)))
    image = sheet.layer().image
    tall = Image.new("RGBA", (stage.width, stage.height * 2))
    tall.paste(image, (0, 0))
    tall.paste(image, (0, stage.height))
    ratio = stage.height / stage.width
    return Layer(tall, lambda t: (0.0, -ratio + (speed * 2 * t) % 1 * ratio))


def mist(stage: Stage, strength: int) -> Layer:
    """Veils that thicken towards the horizon."""
    rng = stage.rng("mist")
    width, height = round(stage.width * 1.15), stage.height
    grey = billows(rng, max(8, width // 4), max(8, height // 4), cells=2, stretch=4).resize((width, height))
    line = min(0.98, max(0.02, stage.horizon))
    veil = gradient(
        width, height, [(0.0, (0, 0, 0)), (line, (strength,) * 3), (min(1.0, line + 0.3), (strength // 3,) * 3)]
    ).convert("L")
    alpha = ImageChops.multiply(grey.filter(ImageFilter.GaussianBlur(4)), veil)
    image = Image.new("RGBA", (width, height), (*stage.colors.sky[2], 0))
    image.putalpha(alpha)
    return Layer(image, lambda t: (-0.14 * t, 0.0))
