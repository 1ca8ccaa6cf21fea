"""How far jobs are, on stderr: a bar on a terminal, plain lines otherwise."""

import shutil
import time
from collections.abc import Callable
from typing import TextIO

from comfydesk.errors import one_line
from comfydesk.events import JobProgress, PreviewFrame, RunState

REDRAW_SECONDS = 0.1
STEP = 0.25
"""Of a job, between two plain lines."""
BAR = 24


class ProgressPrinter:
    """Subscribed to `session.progress`. `number`: job id → which of how many it is."""

    def __init__(
        self, stderr: TextIO, ids: list[str], title: Callable[[str, str], str], eta: Callable[[str], float | None]
    ) -> None:
        self._stderr = stderr
        self._number = {job: number for number, job in enumerate(ids, 1)}
        self._title = title
        self._eta = eta
        self._bar = stderr.isatty()
        self._drawn = 0.0
        self._shown: dict[str, tuple[str | None, int]] = {}

    def __call__(self, item: JobProgress | PreviewFrame) -> None:
        if isinstance(item, PreviewFrame) or item.prompt_id not in self._number:
            return
        if self._bar:
            self._draw(item)
        elif item.state is RunState.RUNNING and item.node is not None:
            self._print(item)

    def clear(self) -> None:
        """Take the bar away before something else is written."""
        if self._bar and self._drawn:
            self._stderr.write("\r\x1b[K")
            self._stderr.flush()

    def _draw(self, item: JobProgress) -> None:
        now = time.monotonic()
        if now - self._drawn < REDRAW_SECONDS and not item.state.ended:
            return
        self._drawn = now
        full = round(BAR * item.fraction)
        eta = self._eta(item.prompt_id)
        rest = f"  {_duration(eta)} left" if eta is not None and item.state is RunState.RUNNING else ""
        line = f"[{'#' * full}{'.' * (BAR - full)}] {item.fraction:4.0%} {self._words(item)}{rest}"
        width = shutil.get_terminal_size().columns
        self._stderr.write("\r\x1b[K" + line[: max(20, width - 1)])
        self._stderr.flush()

    def _print(self, item: JobProgress) -> None:
        mark = (item.node, int(item.fraction / STEP))
        if self._shown.get(item.prompt_id) != mark:
            self._shown[item.prompt_id] = mark
            self._stderr.write(f"{item.fraction:4.0%} {self._words(item)}\n")
            self._stderr.flush()

    def _words(self, item: JobProgress) -> str:
        which = f"job {self._number[item.prompt_id]} of {len(self._number)}  " if len(self._number) > 1 else ""
        title = one_line(self._title(item.prompt_id, item.node or ""))
        steps = f" {item.value:g}/{item.maximum:g}" if item.maximum > 1 else ""
        return f"{which}{title}{steps}".rstrip()


def _duration(seconds: float) -> str:
    whole = max(0, round(seconds))
    return f"{whole // 60}:{whole % 60:02}" if whole >= 60 else f"{whole} s"
