"""Without a display: the same window, driven by its own button, makes one picture and shows what it did."""

import asyncio
import sys
from collections.abc import Callable
from datetime import datetime
from time import monotonic

from comfydesk.qt.app.life import Life
from comfydesk.qt.window.desk import Desk
from comfydesk.store.records import JobState

PATIENCE_S = 180.0
SIZE = (1440, 900)
STEP_S = 0.05


async def make_one_picture(life: Life) -> int:
    """Press Generate once it can be pressed; print where the picture and the screenshot are. The exit code."""
    desk = life.desk
    desk.window.resize(*SIZE)
    button = desk.generation.footer.generate.main
    if not await until(button.isEnabled):
        return _give_up(f"Generate stayed off: {button.toolTip()}")
    button.click()
    if not await until(lambda: _ended(desk)):
        return _give_up("the job did not end in time")
    job = desk.jobs.rows()[0].job
    if job.state is not JobState.DONE:
        return _give_up(job.error.what if job.error is not None else f"the job ended as {job.state}")
    # The picture is on the disk; the screenshot waits until the window shows it too.
    await until(lambda: desk.preview.output is not None and not desk.preview.canvas.image.isNull(), 10)
    await until(lambda: desk.outputs.latest is not None and not desk.thumbnails.busy, 10)
    stamp = datetime.now().astimezone().strftime("%Y%m%d-%H%M%S")
    shot = desk.paths.outputs / "screenshots" / f"comfydesk-{stamp}.png"
    shot.parent.mkdir(parents=True, exist_ok=True)
    if not desk.window.grab().save(str(shot)):
        return _give_up(f"{shot} could not be written")
    sys.stdout.write(f"picture: {job.outputs[0]}\nscreenshot: {shot}\n")
    sys.stdout.flush()
    return 0


def _ended(desk: Desk) -> bool:
    rows = desk.jobs.rows()
    if not rows or not rows[0].job.state.ended:
        return False
    return rows[0].job.state is not JobState.DONE or desk.outputs.rowCount() > 0


async def until(holds: Callable[[], bool], patience: float = PATIENCE_S) -> bool:
    """Wait until `holds`, for at most `patience` seconds; whether it does."""
    end = monotonic() + patience
    while not holds():
        if monotonic() > end:
            return False
        await asyncio.sleep(STEP_S)
    return True


def _give_up(why: str) -> int:
    sys.stderr.write(f"comfydesk: no picture was made: {why}\n")
    return 1
