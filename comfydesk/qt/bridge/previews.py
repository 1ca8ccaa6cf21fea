"""Undecoded previews → pictures, on one worker thread; while it is busy only the latest of each job is kept."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from PySide6.QtCore import QObject, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QImage

from comfydesk.events import PreviewFrame
from comfydesk.qt.bridge.decoding import decode

SMALL = QSize(192, 192)
"""Room for a preview of a job that is not looked at: its row in the queue."""

PERIOD_MS = 16
"""Between the beginnings of two decodes: nothing is visible sooner."""


@dataclass(frozen=True, slots=True)
class Preview:
    """A decoded preview. `prompt_id` is None for pods that do not say whose it is."""

    image: QImage
    prompt_id: str | None
    node: str | None


class PreviewDecoder(QObject):
    """Offers go in, `decoded` comes out on the GUI thread. Never more than one at work and one of each job waiting."""

    decoded = Signal(object)
    _worked = Signal(object)

    def __init__(
        self, parent: QObject | None = None, *, decode: Callable[[bytes, QSize | None], QImage] = decode
    ) -> None:
        super().__init__(parent)
        self._decode = decode
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="previews")
        self._waiting: dict[str | None, PreviewFrame] = {}
        self._busy = False
        self._room: QSize | None = None
        self._looked_at: str | None = None
        self._pause = QTimer(self, interval=PERIOD_MS, singleShot=True, timerType=Qt.TimerType.PreciseTimer)
        self._pause.timeout.connect(self._next)
        # Emitted on the worker thread, received on this one.
        self._worked.connect(self._on_worked, Qt.ConnectionType.QueuedConnection)

    def look_at(self, job: str | None) -> None:
        """The job whose previews are wanted large (None: whatever comes); those of others fill a row of the queue."""
        self._looked_at = job

    def set_room(self, room: QSize) -> None:
        """How many pixels there are for the large one."""
        self._room = None if room.isEmpty() else room

    def offer(self, frame: PreviewFrame) -> None:
        """Decode `frame` soon, instead of whichever of its job was waiting."""
        self._waiting[frame.prompt_id] = frame
        if not self._busy and not self._pause.isActive():
            self._next()

    def close(self) -> None:
        """Drop what waits and end the worker."""
        self._pause.stop()
        self._waiting.clear()
        self._worked.disconnect(self._on_worked)
        self._worker.shutdown(wait=True, cancel_futures=True)

    def _next(self) -> None:
        if self._busy or not self._waiting:
            return
        # Jobs take turns: who was served goes to the end.
        job = next(iter(self._waiting))
        frame = self._waiting.pop(job)
        self._busy = True
        self._pause.start()
        self._worker.submit(self._work, frame, self._room_of(job)).add_done_callback(self._hand_over)

    def _room_of(self, job: str | None) -> QSize | None:
        other = job is not None and self._looked_at is not None and job != self._looked_at
        return SMALL if other else self._room

    def _work(self, frame: PreviewFrame, room: QSize | None) -> Preview:
        return Preview(self._decode(frame.data, room), frame.prompt_id, frame.node)

    def _hand_over(self, future: "Future[Preview]") -> None:
        if not future.cancelled():
            self._worked.emit(future)

    def _on_worked(self, future: "Future[Preview]") -> None:
        self._busy = False
        if not self._pause.isActive():
            self._next()
        preview = future.result()
        if not preview.image.isNull():
            self.decoded.emit(preview)
