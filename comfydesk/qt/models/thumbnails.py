"""Small pictures of files, made on worker threads when somebody asks, the most recent ones kept."""

import logging
from collections import OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from PySide6.QtCore import QObject, QSize, Qt, Signal
from PySide6.QtGui import QImage, QImageReader, QPixmap

log = logging.getLogger(__name__)

EDGE = 384
"""Pixels on the shorter side: 192 logical pixels at 200 %."""

KEPT = 400
"""Pictures in memory: some 200 MB of the largest kind; a screen shows 20 to 100."""


class Thumbnails(QObject):
    """`get` answers at once: a picture, or None, and then `ready` or `failed` follows. Lives on the GUI thread."""

    ready = Signal(str)
    """path"""
    failed = Signal(str, str)
    """path, reason"""
    _worked = Signal(str, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pictures: OrderedDict[str, QPixmap | None] = OrderedDict()
        self._loading: set[str] = set()
        self._workers = ThreadPoolExecutor(2, thread_name_prefix="thumbnails")
        self._worked.connect(self._on_worked, Qt.ConnectionType.QueuedConnection)

    def get(self, path: str, media: str) -> QPixmap | None:
        """The thumbnail of `path`; None while it loads, or for good if it has none (sound, text, a broken file)."""
        if path in self._pictures:
            self._pictures.move_to_end(path)
            return self._pictures[path]
        if path not in self._loading:
            self._loading.add(path)
            self._workers.submit(_safely, path, media).add_done_callback(lambda future: self._hand_over(path, future))
        return None

    def forget(self, path: str) -> None:
        """The file changed or is gone."""
        self._pictures.pop(path, None)

    def close(self) -> None:
        """Finish what is being read, drop the rest."""
        self._worked.disconnect(self._on_worked)
        self._workers.shutdown(wait=True, cancel_futures=True)

    def _hand_over(self, path: str, future: "Future[QImage | str | None]") -> None:
        if not future.cancelled():
            self._worked.emit(path, future)

    def _on_worked(self, path: str, future: "Future[QImage | str | None]") -> None:
        self._loading.discard(path)
        result = future.result()
        self._keep(path, QPixmap.fromImage(result) if isinstance(result, QImage) else None)
        if isinstance(result, str):
            self.failed.emit(path, result)
        else:
            self.ready.emit(path)

    def _keep(self, path: str, picture: QPixmap | None) -> None:
        self._pictures[path] = picture
        while len(self._pictures) > KEPT:
            self._pictures.popitem(last=False)


def _safely(path: str, media: str) -> QImage | str | None:
    """`load`, but a fault that nobody thought of is a reason too: the files are anybody's."""
    try:
        return load(path, media)
    except Exception as error:
        log.warning("no thumbnail of %s", Path(path).name, exc_info=True)
        return reason_of(error)


def reason_of(error: Exception) -> str:
    """What to say of a file whose reading ended in `error`."""
    return f"It cannot be read ({type(error).__name__})."


def load(path: str, media: str) -> QImage | str | None:
    """The thumbnail of a file, None if its kind has none, or in words why there is none. For worker threads."""
    if media == "image":
        return load_image(path)
    if media == "video":
        return load_video(path)
    return None if Path(path).exists() else "The file is no longer there."


def load_image(path: str) -> QImage | str:
    """A picture file, scaled down while it is read."""
    reader = QImageReader(path)
    reader.setAutoTransform(True)
    if reader.size().isValid():
        reader.setScaledSize(_cover(reader.size()))
    image = reader.read()
    return reader.errorString() if image.isNull() else image


def load_video(path: str) -> QImage | str:
    """The first frame of a video."""
    # 98 ms to import, and only needed for videos.
    import av

    try:
        # Tags in another encoding than UTF-8 are no reason to show no picture.
        with av.open(path, metadata_errors="replace") as container:
            frame = next(container.decode(video=0))
            size = _cover(QSize(frame.width, frame.height))
            plane = frame.reformat(width=size.width(), height=size.height(), format="rgb24").planes[0]
    except (av.error.FFmpegError, OSError, StopIteration, IndexError) as error:
        return str(error) or "No picture in this video."
    # A copy: QImage does not own the bytes it is made of.
    return QImage(bytes(plane), size.width(), size.height(), plane.line_size, QImage.Format.Format_RGB888).copy()


def _cover(size: QSize) -> QSize:
    """`size` scaled down until its shorter side is EDGE; never up."""
    if min(size.width(), size.height()) <= EDGE:
        return size
    return size.scaled(QSize(EDGE, EDGE), Qt.AspectRatioMode.KeepAspectRatioByExpanding)
