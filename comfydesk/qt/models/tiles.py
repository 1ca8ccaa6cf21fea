"""Pictures as tiles on the GUI thread: asked for while painting, read by workers, and bounded in bytes."""

import logging
import threading
from collections import OrderedDict, deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import perf_counter

from PySide6.QtCore import QObject, QSize, Qt, Signal
from PySide6.QtGui import QImage, QImageReader, QPixmap

from comfydesk.errors import MediaError
from comfydesk.qt.models.picture_files import (
    ALLOCATION_MB,
    Key,
    PictureFile,
    levels_of,
    open_picture,
)
from comfydesk.qt.models.thumbnails import reason_of
from comfydesk.qt.theme.language import said
from comfydesk.session.jobs.animation import frame_times

log = logging.getLogger(__name__)

MEMORY = 192 << 20
"""Bytes of tiles, of all pictures together."""
WORKERS = 2
_TAKE_MS = 4.0
_SKETCH_S = 0.2
"""Between two sketches of a picture that is being read."""


class TiledPicture(QObject):
    """A picture that is being looked at. `tile` answers at once, `changed` tells that more has come."""

    opened = Signal()
    """`size` is known."""
    changed = Signal()
    failed = Signal(str)
    """Why there is no picture."""

    def __init__(self, tiles: "Tiles", path: str) -> None:
        super().__init__(tiles)
        self.path = path
        self.size = QSize()
        self.alpha = False
        self.reason = ""
        self.note = ""
        self.moves = False
        """It has more than one frame."""
        self.sketch: QPixmap | None = None
        """All of it, small: what is shown where tiles are still missing. Whoever has a thumbnail may set it."""
        self.whole = False
        """All of it was read: its overview is complete."""
        self._tiles = tiles

    @property
    def levels(self) -> int:
        return levels_of(self.size)

    def tile(self, key: Key) -> QPixmap | None:
        """A tile that is in memory."""
        return self._tiles.get(self, key)

    def want(self, level: int, wanted: Sequence[tuple[int, int]]) -> None:
        """What is needed now, most important first; whatever was wanted before no longer is."""
        self._tiles.want(self, level, wanted)

    def close(self) -> None:
        """It is looked at no more."""
        self._tiles.drop(self)


class _Reading:
    """A picture on its way through a worker. Only `lock` guards it."""

    def __init__(self, picture: TiledPicture) -> None:
        self.picture = picture
        self.path = picture.path
        self.file: PictureFile | None = None
        self.moves = False
        self.wanted: tuple[int, list[tuple[int, int]]] = (0, [])
        self.unread = True
        self.sketched = 0.0
        self.busy = False
        self.closed = False


class Tiles(QObject):
    """All of a window's large pictures."""

    _arrived = Signal()

    def __init__(self, parent: QObject | None = None, memory: int = MEMORY) -> None:
        super().__init__(parent)
        QImageReader.setAllocationLimit(ALLOCATION_MB)
        self._memory, self._bytes = memory, 0
        self._pixmaps: OrderedDict[tuple[int, Key], QPixmap] = OrderedDict()
        self._readings: dict[int, _Reading] = {}
        self._lock = threading.Lock()
        self._done: deque[tuple[_Reading, Key | None, QImage | str | None]] = deque()
        self._told = False
        self._stopped = False
        self._workers = ThreadPoolExecutor(WORKERS, thread_name_prefix="tiles")
        self._arrived.connect(self._take, Qt.ConnectionType.QueuedConnection)

    def open(self, path: str) -> TiledPicture:
        """Begin to read a picture."""
        picture = TiledPicture(self, path)
        reading = self._readings[id(picture)] = _Reading(picture)
        self._start(reading)
        return picture

    def get(self, picture: TiledPicture, key: Key) -> QPixmap | None:
        found = self._pixmaps.get((id(picture), key))
        if found is not None:
            self._pixmaps.move_to_end((id(picture), key))
        return found

    def want(self, picture: TiledPicture, level: int, wanted: Sequence[tuple[int, int]]) -> None:
        reading = self._readings.get(id(picture))
        if reading is None:
            return
        with self._lock:
            reading.wanted = (level, list(wanted))
        if wanted:
            self._start(reading)

    def drop(self, picture: TiledPicture) -> None:
        reading = self._readings.pop(id(picture), None)
        if reading is None:
            return
        with self._lock:
            reading.closed = True
            reading.wanted = (0, [])
        for key in [key for key in self._pixmaps if key[0] == id(picture)]:
            self._bytes -= _size_of(self._pixmaps.pop(key))
        picture.deleteLater()

    def close(self) -> None:
        """End the workers."""
        self._stopped = True
        for reading in list(self._readings.values()):
            self.drop(reading.picture)
        # Only then the signal: a worker that emits while it is being disconnected could wait for us, and we for it.
        self._workers.shutdown(wait=True, cancel_futures=True)
        self._arrived.disconnect(self._take)

    # --- Workers ----------------------------------------------------------------------------------------------------

    def _start(self, reading: _Reading) -> None:
        with self._lock:
            if reading.busy or reading.closed or self._stopped:
                return
            reading.busy = True
        self._workers.submit(self._work, reading)

    def _work(self, reading: _Reading) -> None:
        """Until nothing is wanted and all was read; wishes come before reading on."""
        try:
            if reading.file is None:
                reading.file = open_picture(reading.path)
                reading.moves = bool(frame_times(Path(reading.path)))
                self._hand(reading, None, None)
            while self._step(reading, reading.file):
                pass
        except MediaError as error:
            self._fail(reading, said(error.why))
        except Exception as error:
            # The files are anybody's: a fault that nobody thought of is a reason too.
            log.warning("no picture", exc_info=True)
            self._fail(reading, reason_of(error))

    def _step(self, reading: _Reading, file: PictureFile) -> bool:
        with self._lock:
            if reading.closed or self._stopped:
                reading.busy = False
                reading.file = None
                return False
            level, wanted = reading.wanted
            batch, rest = wanted[: file.at_once], (level, wanted[file.at_once :])
            reading.wanted = rest
            if not batch and not reading.unread:
                reading.busy = False
                return False
        for key, image in file.make(level, batch) if batch else ():
            self._hand(reading, key, image)
            if reading.wanted is not rest:
                return True  # there are newer wishes
        if reading.unread:
            reading.unread = file.prepare()
            sketch = None
            if file.sketch is not None and (not reading.unread or perf_counter() - reading.sketched > _SKETCH_S):
                reading.sketched, sketch = perf_counter(), file.sketch.copy()
            self._hand(reading, None, sketch)
        return True

    def _fail(self, reading: _Reading, why: str) -> None:
        with self._lock:
            reading.busy = reading.unread = False
            reading.closed = True
        self._hand(reading, None, why)

    def _hand(self, reading: _Reading, key: Key | None, made: QImage | str | None) -> None:
        with self._lock:
            self._done.append((reading, key, made))
            tell, self._told = not self._told, True
        if tell and not self._stopped:
            self._arrived.emit()

    # --- GUI thread -------------------------------------------------------------------------------------------------

    def _take(self) -> None:
        until = perf_counter() + _TAKE_MS / 1000
        changed: dict[int, TiledPicture] = {}
        while perf_counter() < until:
            with self._lock:
                if not self._done:
                    self._told = False
                    break
                reading, key, made = self._done.popleft()
            if id(reading.picture) in self._readings:
                self._put(reading, key, made)
                changed[id(reading.picture)] = reading.picture
        else:
            self._arrived.emit()
        for picture in changed.values():
            picture.changed.emit()

    def _put(self, reading: _Reading, key: Key | None, made: QImage | str | None) -> None:
        picture, file = reading.picture, reading.file
        if isinstance(made, str):
            picture.reason = made
            picture.failed.emit(made)
        elif key is not None and made is not None:
            self._keep((id(picture), key), QPixmap.fromImage(made))
        elif file is not None:
            picture.note, picture.whole = file.note, not reading.unread
            if picture.size.isEmpty():
                picture.size, picture.alpha, picture.moves = file.size, file.alpha, reading.moves
                picture.opened.emit()
            if isinstance(made, QImage):
                picture.sketch = QPixmap.fromImage(made)

    def _keep(self, key: tuple[int, Key], pixmap: QPixmap) -> None:
        before = self._pixmaps.pop(key, None)
        self._bytes += _size_of(pixmap) - (0 if before is None else _size_of(before))
        self._pixmaps[key] = pixmap
        while self._bytes > self._memory and len(self._pixmaps) > 1:
            self._bytes -= _size_of(self._pixmaps.popitem(last=False)[1])


def _size_of(pixmap: QPixmap) -> int:
    return pixmap.width() * pixmap.height() * 4
