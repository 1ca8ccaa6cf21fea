"""Scenes of the viewer and of Compare: a picture with what is known of it, one that one can see through, one that
moves, a video, a broken one; two and four side by side, under a slider, their difference.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable
from pathlib import Path

from PIL import Image, ImageDraw

from comfydesk.qt.app.headless import until
from comfydesk.qt.window.desk import Desk
from comfydesk.qt.window.wiring import Wiring
from comfydesk.session.session import Session
from comfydesk.store.search import EVERYTHING, Order, OutputFilter

FRAMES = 24


async def shoot_viewer(
    desk: Desk,
    wiring: Wiring,
    session: Session,
    take: Callable[[str], Awaitable[None]],
    folder: Path,
    add: Callable[..., Awaitable[None]],
) -> None:
    """The library has been filled. Leaves the window in Create. `add` takes a file into the library."""
    await _fill(session, folder / "viewer-scene", add)
    library, viewer = wiring.library, desk.viewer
    desk.workspaces.show("library")
    library.show(EVERYTHING)
    assert await until(lambda: library.model.rowCount() >= 20, 10)

    async def open_one(name: str) -> None:
        library.show(OutputFilter(words=f"name:{name}"))
        assert await until(lambda: library.model.rowCount() == 1, 10), name
        assert await until(lambda: library.model.output(0) is not None, 5)
        output = library.model.output(0)
        assert output is not None
        library.show(EVERYTHING)
        assert await until(lambda: library.model.rowCount() > 10, 10)
        viewer.open(output, library.model)
        await until(lambda: not viewer.view.image_size().isEmpty() or not viewer.view.isVisible(), 10)
        await until(lambda: not desk.thumbnails.busy, 20)

    await open_one("coast_003")
    if viewer.info.isHidden():
        viewer.bar.details.click()
    await take("viewer-details")
    viewer.bar.details.click()
    await open_one("glass")
    await take("viewer-alpha")
    await open_one("orbit")
    await until(lambda: viewer.page.moves and not viewer.page.playback.image.isNull(), 10)
    viewer.page.playback.play(False)
    await take("viewer-moving")
    await open_one("tide")
    await until(lambda: viewer.media.playback.has_picture or bool(viewer.media.playback.trouble), 5)
    viewer.media.playback.play(False)
    await take("viewer-video")
    await open_one("broken")
    await take("viewer-broken")
    viewer.shut()
    await _compare(desk, wiring, take)
    desk.workspaces.show("create")


async def _compare(desk: Desk, wiring: Wiring, take: Callable[[str], Awaitable[None]]) -> None:
    library, compare = wiring.library, wiring.compare
    library.page.toolbar._choose(Order.NAME)
    library.show(OutputFilter(words="name:coast"))
    assert await until(lambda: library.model.rowCount() == 18, 10)
    ids = list(library.model.listing.ids)
    for name, those, mode in (
        ("compare-slider", (ids[3], ids[8]), 1),
        ("compare-difference", (ids[3], ids[8]), 2),
        ("compare-four", (ids[0], ids[5], ids[10], ids[15]), 0),
    ):
        compare.compare(those)
        assert await until(lambda those=those: [one.id for one in compare.outputs] == list(those), 10)  # type: ignore[misc]
        compare.page.modes.set_current(mode)
        compare._set_mode(mode)
        assert await until(lambda: bool(compare.rows), 5)
        await until(lambda: not desk.thumbnails.busy, 20)
        await take(name)
    library.page.toolbar._choose(Order.NEWEST)
    library.show(EVERYTHING)


async def _fill(session: Session, place: Path, add: Callable[..., Awaitable[None]]) -> None:
    if await asyncio.to_thread(place.exists):
        return
    await asyncio.to_thread(place.mkdir)
    glass, orbit, tide = place / "glass.png", place / "orbit.webp", place / "tide.mp4"
    _glass().save(glass)
    frames = [_orbit(number) for number in range(FRAMES)]
    frames[0].save(orbit, save_all=True, append_images=frames[1:], duration=60, loop=0, quality=80)
    _video(tide)
    for path, media, size, length in (
        (glass, "image", (900, 700), None),
        (orbit, "image", (640, 480), FRAMES * 0.06),
        (tide, "video", (640, 360), FRAMES / 12),
    ):
        await add(session, path, media, 1_700_000_000.0, "glass, an orbit, the tide", size=size, length=length)


def _glass() -> Image.Image:
    """Something that one can see through."""
    image = Image.new("RGBA", (900, 700))
    draw = ImageDraw.Draw(image)
    for number in range(6):
        at = 120 + number * 110
        draw.ellipse((at - 110, 180 + 60 * (number % 2), at + 110, 400 + 60 * (number % 2)),
                     fill=(90 + number * 20, 160, 240 - number * 25, 110))  # fmt: skip
    return image


def _orbit(number: int) -> Image.Image:
    image = Image.new("RGB", (640, 480), (24, 30, 52))
    draw = ImageDraw.Draw(image)
    draw.ellipse((270, 190, 370, 290), fill=(250, 200, 110))
    turn = number / FRAMES * 2 * math.pi
    x, y = 320 + 210 * math.cos(turn), 240 + 130 * math.sin(turn)
    draw.ellipse((x - 26, y - 26, x + 26, y + 26), fill=(110, 180, 230))
    return image


def _video(path: Path) -> None:
    import av

    with av.open(str(path), "w") as file:
        stream = file.add_stream("mpeg4", rate=12)
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
        for number in range(FRAMES):
            frame = av.VideoFrame(640, 360, "rgb24")
            frame.planes[0].update(_orbit(number).resize((640, 360)).tobytes())
            file.mux(stream.encode(frame.reformat(format="yuv420p")))
        file.mux(stream.encode(None))
