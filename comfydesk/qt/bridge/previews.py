"""Undecoded previews → pictures, on one worker thread; while it is busy only the latest preview is kept."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QObject, QSize, Qt, Signal
from PySide6.QtGui import QImage, QImageReader

from comfydesk.events import PreviewFrame

LARGEST = 2048
"""Pixels on the longer side: a preview fills a part of the window, SaveImageWebsocket sends pictures of any size.

A few KB can claim to be a picture of many GB: QImageReader's own allocation limit (256 MB) refuses those.
"""


@dataclass(frozen=True, slots=True)
class Preview:
    """A decoded preview. `prompt_id` is None for pods that do not say whose it is."""

    image: QImage
    prompt_id: str | None
    node: str | None


def decode(data: bytes) -> QImage:
    """The picture in `data`, at most LARGEST pixels long; a null image if there is none.

    Made for worker threads: `QImageReader.read` releases the GIL, while `QImage.fromData` and `scaled` hold it.
    """
    buffer = QBuffer()
    buffer.setData(QByteArray(data))
    buffer.open(QIODevice.OpenModeFlag.ReadOnly)
    reader = QImageReader(buffer)
    reader.setAutoTransform(True)
    size = reader.size()
    if max(size.width(), size.height()) > LARGEST:
        reader.setScaledSize(size.scaled(QSize(LARGEST, LARGEST), Qt.AspectRatioMode.KeepAspectRatio))
    return reader.read()


class PreviewDecoder(QObject):
    """Offers go in, `decoded` comes out on the GUI thread. Never more than one at work and one waiting."""

    decoded = Signal(object)
    _worked = Signal(object)

    def __init__(self, parent: QObject | None = None, *, decode: Callable[[bytes], QImage] = decode) -> None:
        super().__init__(parent)
        self._decode = decode
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="previews")
        self._waiting: PreviewFrame | None = None
        self._busy = False
        # Emitted on the worker thread, received on this one.
        self._worked.connect(self._on_worked, Qt.ConnectionType.QueuedConnection)

    def offer(self, frame: PreviewFrame) -> None:
        """Decode `frame` next, instead of whichever was waiting."""
        self._waiting = frame
        if not self._busy:
            self._next()

    def close(self) -> None:
        """Drop what waits and end the worker."""
        self._waiting = None
        self._worked.disconnect(self._on_worked)
        self._worker.shutdown(wait=True, cancel_futures=True)

    def _next(self) -> None:
        frame, self._waiting = self._waiting, None
        self._busy = frame is not None
        if frame is not None:
            self._worker.submit(self._work, frame).add_done_callback(self._hand_over)

    def _work(self, frame: PreviewFrame) -> Preview:
        return Preview(self._decode(frame.data), frame.prompt_id, frame.node)

    def _hand_over(self, future: "Future[Preview]") -> None:
        if not future.cancelled():
            self._worked.emit(future)

    def _on_worked(self, future: "Future[Preview]") -> None:
        self._next()
        preview = future.result()
        if not preview.image.isNull():
            self.decoded.emit(preview)
