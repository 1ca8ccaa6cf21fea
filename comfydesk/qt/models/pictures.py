"""Whole pictures for the preview and the viewer, read on a worker thread; the last one asked for wins."""

import logging
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, QSize, Qt, Signal
from PySide6.QtGui import QImage, QImageReader

from comfydesk.qt.models.thumbnails import reason_of
from comfydesk.qt.theme.language import tr

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as it was read. `size` is the file's own, also when `image` was read smaller."""

    path: str
    image: QImage
    size: QSize
    reason: str = ""
    """Why `image` is null."""


class Pictures(QObject):
    """`show` asks, `loaded` answers with a Picture, on the GUI thread."""

    loaded = Signal(object)
    _worked = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="pictures")
        self._wanted: tuple[str, str, int] | None = None
        self._busy = False
        self._worked.connect(self._on_worked, Qt.ConnectionType.QueuedConnection)

    def show(self, path: str, media: str, edge: int = 0) -> None:
        """Read `path`, at most `edge` pixels on its longer side (0: in full). Of a video, its first frame."""
        self._wanted = (path, media, edge)
        if not self._busy:
            self._next()

    def close(self) -> None:
        """Drop what waits and end the worker."""
        self._wanted = None
        self._worked.disconnect(self._on_worked)
        self._worker.shutdown(wait=True, cancel_futures=True)

    def _next(self) -> None:
        wanted, self._wanted = self._wanted, None
        self._busy = wanted is not None
        if wanted is not None:
            self._worker.submit(_safely, *wanted).add_done_callback(self._hand_over)

    def _hand_over(self, future: "Future[Picture]") -> None:
        if not future.cancelled():
            self._worked.emit(future)

    def _on_worked(self, future: "Future[Picture]") -> None:
        superseded = self._wanted is not None
        self._next()
        if not superseded:
            self.loaded.emit(future.result())


def _safely(path: str, media: str, edge: int) -> Picture:
    """`read`, but a fault that nobody thought of is a reason too: the files are anybody's."""
    try:
        return read(path, media, edge)
    except Exception as error:
        log.warning("no picture of %s", Path(path).name, exc_info=True)
        return Picture(path, QImage(), QSize(), reason_of(error))


def read(path: str, media: str, edge: int) -> Picture:
    """Read one picture. For worker threads; what cannot be read is a null image and a reason."""
    if not Path(path).exists():
        return Picture(path, QImage(), QSize(), tr("The file is no longer there."))
    if media == "video":
        frame = load_video(path)
        return Picture(path, QImage(), QSize(), frame) if isinstance(frame, str) else Picture(path, frame, frame.size())
    if media != "image":
        return Picture(path, QImage(), QSize())
    reader = QImageReader(path)
    reader.setAutoTransform(True)
    size = reader.size()
    if edge and max(size.width(), size.height()) > edge:
        reader.setScaledSize(size.scaled(QSize(edge, edge), Qt.AspectRatioMode.KeepAspectRatio))
    image = reader.read()
    return Picture(path, image, size, reader.errorString() if image.isNull() else "")


def load_video(path: str) -> QImage | str:
    """The first frame of a video, or in words why there is none. For worker threads."""
    # 98 ms to import, and only needed for videos.
    import av

    try:
        # Tags in another encoding than UTF-8 are no reason to show no picture.
        with av.open(path, metadata_errors="replace") as container:
            frame = next(container.decode(video=0))
            plane = frame.reformat(format="rgb24").planes[0]
    except (av.error.FFmpegError, OSError, StopIteration, IndexError) as error:
        return str(error) or tr("No picture in this video.")
    # A copy: QImage does not own the bytes it is made of.
    return QImage(bytes(plane), frame.width, frame.height, plane.line_size, QImage.Format.Format_RGB888).copy()
