"""One start, measured from the inside: `python startup_child.py empty|window SPAWNED DATA_DIR [SECONDS]`.

Prints JSON: seconds from SPAWNED (the parent's clock) to the first paint; to the first moment after it when the event
loop was idle; to the end of the last stall over 50 ms in the two seconds that follow (what browsers call time to
interactive); until every panel is there; the processor time up to the first paint; and which heavy modules were loaded
by then.
"""

import json
import sys
import time
from collections.abc import Callable

HEAVY = ("httpx", "websockets", "PIL", "sqlite3", "av", "aiohttp", "keyring", "llama_cpp", "asyncssh", "asyncio")
BEAT_MS = 5
STALL_S = 0.05
WATCH_S = 2.0
PATIENCE_S = 10.0
"""For every panel to be there."""


class Watch:
    """Notes the moments. Clocks are CLOCK_MONOTONIC, one for all processes."""

    def __init__(self, spawned: float, seconds: float) -> None:
        self.spawned, self.seconds = spawned, seconds
        self.painted = self.idle = self.interactive = self.complete = self.cpu = 0.0
        self.is_complete: Callable[[], bool] = lambda: True
        self.loaded: list[str] = []

    def paint(self, done) -> None:  # type: ignore[no-untyped-def]
        """The first frame is on the screen; call `done` after the watch is over."""
        from PySide6.QtCore import QTimer

        self.painted = self.interactive = self._last = time.monotonic()
        self.cpu = time.process_time()
        self.loaded = [name for name in HEAVY if name in sys.modules]
        self._beat = QTimer(interval=BEAT_MS)
        self._beat.timeout.connect(self._on_beat)
        self._beat.start()
        self._done = done

    def _on_beat(self) -> None:
        now = time.monotonic()
        self.idle = self.idle or now
        if not self.complete and self.is_complete():
            self.complete = now
        if now - self._last > STALL_S:
            self.interactive = now
        self._last = now
        waited = now - self.painted
        if waited > self.seconds and (self.complete or waited > PATIENCE_S):
            self._beat.stop()
            self._done()

    def report(self) -> str:
        """What was noted, in seconds since the spawn."""
        moments = {name: getattr(self, name) - self.spawned for name in ("painted", "idle", "interactive", "complete")}
        return json.dumps(moments | {"cpu": self.cpu, "loaded": self.loaded})


def empty(watch: Watch) -> None:
    """The smallest window that Qt can open."""
    from PySide6.QtCore import QEvent, QObject, QTimer
    from PySide6.QtWidgets import QApplication, QMainWindow

    class FirstPaint(QObject):
        def eventFilter(self, watched: QObject, event: QEvent) -> bool:
            if event.type() == QEvent.Type.Paint:
                watched.removeEventFilter(self)
                QTimer.singleShot(0, lambda: watch.paint(app.quit))
            return False

    app = QApplication([])
    window = QMainWindow()
    window.resize(1440, 900)
    first = FirstPaint()
    window.installEventFilter(first)
    window.show()
    app.exec()


def window(watch: Watch, data: str) -> None:
    """Ours, started as the user starts it."""
    from comfydesk.__main__ import main
    from comfydesk.qt.app import frame

    shown = frame.show_and_paint

    def timed(window) -> None:  # type: ignore[no-untyped-def]
        shown(window)
        # The menus are filled last of all.
        watch.is_complete = lambda: bool(window.menus["Help"].actions())
        watch.paint(window.close)

    frame.show_and_paint = timed
    main(["--data-dir", data])


if __name__ == "__main__":
    seen = Watch(float(sys.argv[2]), float(sys.argv[4]) if len(sys.argv) > 4 else WATCH_S)
    if sys.argv[1] == "empty":
        empty(seen)
    else:
        window(seen, sys.argv[3])
    sys.stdout.write(seen.report() + "\n")
