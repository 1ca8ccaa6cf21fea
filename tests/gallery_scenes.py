"""Scenes of the library: what is selected, found, not found, broken; the export sheet."""

import hashlib
import time
import wave
from collections.abc import Awaitable, Callable
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter

from comfydesk.qt.app.headless import until
from comfydesk.qt.window.desk import Desk
from comfydesk.qt.window.wiring import Wiring
from comfydesk.session.session import Session
from comfydesk.store import outputs
from comfydesk.store.outputs import Identity
from comfydesk.store.records import Output
from comfydesk.store.search import EVERYTHING, OutputFilter

SIZES = ((1344, 768), (832, 1216), (1024, 1024), (1536, 640), (1216, 832))
PROMPT = (
    "<lora:coastal-film:0.7> Lighthouse on a (basalt cliff:1.2) at blue hour, warm lamp beam through thin sea haze, "
    "calm swell, 35 mm film, fine grain"
)
DAY = 86_400.0


async def shoot_gallery(
    desk: Desk, wiring: Wiring, session: Session, take: Callable[[str], Awaitable[None]], folder: Path
) -> None:
    """Leaves the window in Create, and what it made in the library."""
    await _fill(session, folder)
    library = wiring.library
    desk.workspaces.show("library")
    assert await until(lambda: library.model.rowCount() >= 20, 10)
    view = library.page.view
    flags = view.selectionModel().SelectionFlag
    await _loaded(desk)
    await take("library")
    view.pick(2, 3, flags.ClearAndSelect, current=2)
    assert await until(lambda: library.details.output is not None, 5)
    await _loaded(desk)
    await take("library-selected")
    library.show(OutputFilter(words="film grain", rating=4))
    assert await until(lambda: 0 < library.model.rowCount() < 20, 5)
    view.go_to(0)
    await _loaded(desk)
    await take("library-found")
    view.pick(0, 1, flags.ClearAndSelect)
    library.page.bar.export.click()
    page = wiring.export.page
    assert page is not None
    page.format.set_current(3)
    page._look()
    await take("library-export")
    desk.pages.close()
    library.show(OutputFilter(words="zeppelin"))
    assert await until(lambda: library.model.rowCount() == 0, 5)
    await take("library-nothing")
    library.show(EVERYTHING)
    assert await until(lambda: library.model.rowCount() >= 20, 5)
    view.clearSelection()
    desk.workspaces.show("create")


async def _loaded(desk: Desk) -> None:
    await until(lambda: not desk.thumbnails.busy, 20)


async def _fill(session: Session, folder: Path) -> None:
    """Pictures of three days, a sound, a text, a broken file, one that is gone; once."""
    place = folder / "scene"
    if place.exists():
        return
    place.mkdir()
    now = time.time()
    for number in range(18):
        path = place / f"coast_{number:03}_4716202885310947.png"
        size = SIZES[number % len(SIZES)]
        _paint(number, size).save(path)
        prompt = PROMPT if number % 3 else "a portrait of a fisherman, rim light"
        await add_output(
            session, path, "image", now - number * DAY / 6, prompt, size=size, rating=number % 6, seed=number
        )
    sound, text, broken, gone = (place / name for name in ("waves.wav", "caption.txt", "broken.png", "gone.png"))
    with wave.open(str(sound), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8000)
        levels = (int(9000 * ((at % 800) / 400 - 1)) for at in range(16_000))
        out.writeframes(b"".join(level.to_bytes(2, "little", signed=True) for level in levels))
    text.write_text("A lighthouse at blue hour.", encoding="utf-8")
    broken.write_bytes(b"\x89PNG not really")
    for path, media in ((sound, "audio"), (text, "text"), (broken, "image"), (gone, "image")):
        await add_output(session, path, media, now - 30, "waves on a beach")


async def add_output(
    session: Session, path: Path, media: str, when: float, prompt: str,
    *, size: tuple[int, int] = (0, 0), rating: int = 0, seed: int | None = None, length: float | None = None,
) -> None:  # fmt: skip
    data = _bytes_of(path)
    made = Output(
        0, str(path), media, len(data), hashlib.sha256(data + path.name.encode()).hexdigest(), when, prompt=prompt,
        width=size[0] or None, height=size[1] or None, model="flux2-dev-fp8mixed", workflow="Flux.2 dev: text to image",
        sampler="euler", scheduler="simple", steps=30, cfg=3.5, seed=seed,
        duration=2.0 if media == "audio" else length,
    )  # fmt: skip
    stored, changes = await session._library.call(outputs.add, made, Identity("demo", "output", "", path.name, ""))
    for change in changes:
        session.changes.publish(change)
    collections = session.gallery.collections
    if rating:
        await collections.rate((stored.id,), rating)
    if rating == 5:
        await collections.favourite((stored.id,), True)
        for tag in ("sea", "blue hour", "for the harbour cafe"):
            await collections.tag((stored.id,), tag)


def _bytes_of(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""


def _paint(number: int, size: tuple[int, int]) -> Image.Image:
    """A sky, a sea, a sun."""
    hues = ((40, 70, 120), (190, 120, 80), (60, 110, 110), (120, 80, 130), (200, 170, 120))
    top = hues[number % len(hues)]
    image = Image.new("RGB", size, top)
    draw = ImageDraw.Draw(image)
    horizon, wide = size[1] * 6 // 10, size[0]
    for y in range(horizon):
        part = y / horizon
        draw.line((0, y, wide, y), fill=tuple(round(c + (230 - c) * part * 0.7) for c in top))
    draw.rectangle((0, horizon, wide, size[1]), fill=tuple(c // 2 for c in top))
    x, r = wide * (number % 5 + 1) // 6, size[1] // 9
    draw.ellipse((x - r, horizon - 2 * r, x + r, horizon), fill=(255, 230, 180))
    return image.filter(ImageFilter.GaussianBlur(2))
