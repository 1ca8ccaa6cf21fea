"""Small pictures of files on the GUI thread: asked for when they are painted, made or read on worker threads.

What was asked for last comes first, what was scrolled away is dropped, and memory is bounded in bytes.
"""

import logging
import threading
from collections import OrderedDict, deque
from collections.abc import Container
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from PySide6.QtCore import QObject, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QImage, QImageReader, QPixmap

from comfydesk.errors import MediaError
from comfydesk.qt.bridge.decoding import decode
from comfydesk.qt.theme.language import said, tr
from comfydesk.session.gallery.thumbnails import EDGES, PICTURED, Source, ThumbnailCache

log = logging.getLogger(__name__)

EDGE = 384
"""Pixels on the shorter side where nothing else is asked for: 192 logical pixels at 200 %."""
MEMORY = 64 << 20
"""Bytes of pictures in memory."""
WORKERS = 2
STRIP = 0
"""The `edge` of a video's strip of frames."""
SWEEP_AFTER_MS = 30_000
"""After the start the folder is brought within its limit."""
_REASONS = 4096
_TAKE_MS = 4.0
"""What is spent on pictures that have come, in one go."""
_LARGEST_DRAWING = 4096
_LARGEST_STRIP = 16_384

Key = tuple[str, int]
"""path, edge"""


@dataclass(frozen=True, slots=True)
class _Request:
    source: Source
    edge: int
    owner: object


class Thumbnails(QObject):
    """`get` answers at once: a picture, or None, and then `ready` or `failed` follows. Lives on the GUI thread."""

    ready = Signal(str)
    """path"""
    failed = Signal(str, str)
    """path, reason"""
    _arrived = Signal()

    def __init__(self, parent: QObject | None = None, *, folder: Path | None = None, memory: int = MEMORY) -> None:
        """`folder`: where they are kept on disk; None: nowhere."""
        super().__init__(parent)
        self._cache = ThumbnailCache(folder)
        self._memory = memory
        self._bytes = 0
        self._pictures: OrderedDict[Key, QPixmap] = OrderedDict()
        self._edges: dict[str, set[int]] = {}
        """Path → edges that are in memory."""
        self._reasons: OrderedDict[str, tuple[str, str]] = OrderedDict()
        """Path → why there is no picture, and the hash that was known then: with one, a file that is gone may have."""
        self._loading: set[Key] = set()
        self._lock = threading.Lock()
        self._waiting: OrderedDict[Key, _Request] = OrderedDict()
        self._done: deque[tuple[_Request, QImage | str]] = deque()
        self._told = False
        self._working = 0
        self._closed = False
        self._workers = ThreadPoolExecutor(WORKERS, thread_name_prefix="thumbnails")
        self._arrived.connect(self._take, Qt.ConnectionType.QueuedConnection)
        self._cleaning = QTimer(self, singleShot=True, interval=SWEEP_AFTER_MS)
        self._cleaning.timeout.connect(self._sweep)
        if folder is not None:
            self._cleaning.start()

    # --- Asking ---------------------------------------------------------------------------------------------------

    def get(self, path: str, media: str, *, sha256: str = "", edge: int = EDGE, owner: object = None) -> QPixmap | None:
        """The thumbnail of `path`; None while it loads, or for good if it has none (text, a broken file).

        `edge`: pixels on the shorter side; while that loads, another size of it, if there is one. `owner`: for `keep`.
        """
        found = self._pictures.get((path, edge))
        if found is not None:
            self._pictures.move_to_end((path, edge))
            return found
        if media not in PICTURED or self._hopeless(path, sha256):
            return None
        self._want(_Request(Source(path, media, sha256), edge, owner))
        others = self._edges.get(path, ())
        return self._pictures[path, max(others)] if others and max(others) != STRIP else None

    def strip(self, path: str, *, sha256: str = "") -> QPixmap | None:
        """posters.FRAMES frames of a video side by side; None while they load."""
        found = self._pictures.get((path, STRIP))
        if found is None and not self._hopeless(path, sha256):
            self._want(_Request(Source(path, "video", sha256), STRIP, None))
        return found

    def reason(self, path: str) -> str:
        """Why there is no picture of `path`; "" if there is one, or it is not known yet."""
        return self._reasons.get(path, ("", ""))[0]

    @property
    def busy(self) -> bool:
        """Whether something that was asked for has not come yet."""
        return bool(self._loading)

    def keep(self, owner: object, paths: Container[str]) -> None:
        """Of what `owner` asked for, only `paths` are still wanted."""
        with self._lock:
            for key in [key for key, each in self._waiting.items() if each.owner is owner and key[0] not in paths]:
                del self._waiting[key]
                self._loading.discard(key)

    def forget(self, path: str) -> None:
        """The file changed or is gone."""
        self._reasons.pop(path, None)
        for edge in self._edges.pop(path, set()):
            self._bytes -= _size_of(self._pictures.pop((path, edge)))

    def close(self) -> None:
        """Finish what is being read, drop the rest."""
        self._closed = True
        self._cleaning.stop()
        self._arrived.disconnect(self._take)
        self._workers.shutdown(wait=True, cancel_futures=True)

    # --- Inside ---------------------------------------------------------------------------------------------------

    def _sweep(self) -> None:
        self._workers.submit(self._cache.sweep)

    def _hopeless(self, path: str, sha256: str) -> bool:
        return path in self._reasons and sha256 in ("", self._reasons[path][1])

    def _want(self, request: _Request) -> None:
        key = (request.source.path, request.edge)
        with self._lock:
            if key in self._loading:
                if key in self._waiting:  # asked for again: it comes before the others
                    self._waiting.move_to_end(key)
                return
            self._loading.add(key)
            self._waiting[key] = request
            if self._working == WORKERS:
                return
            self._working += 1
        self._workers.submit(self._work)

    def _work(self) -> None:
        """On a worker: the request that was made last, until there is none."""
        while True:
            with self._lock:
                if not self._waiting or self._closed:
                    self._working -= 1
                    return
                _, request = self._waiting.popitem()
            made = _safely(self._cache, request)
            with self._lock:
                self._done.append((request, made))
                tell, self._told = not self._told, True
            if tell:
                self._arrived.emit()
            if self._cache.swollen:
                self._cache.sweep()

    def _take(self) -> None:
        """What has come, as much of it as fits into a frame."""
        until = perf_counter() + _TAKE_MS / 1000
        while True:
            with self._lock:
                if not self._done:
                    self._told = False
                    return
                request, made = self._done.popleft()
                self._loading.discard((request.source.path, request.edge))
            self._put(request, made)
            if perf_counter() > until:
                self._arrived.emit()
                return

    def _put(self, request: _Request, made: QImage | str) -> None:
        path, edge = key = request.source.path, request.edge
        if isinstance(made, str):
            self._reasons[path] = made, request.source.sha256
            while len(self._reasons) > _REASONS:
                self._reasons.popitem(last=False)
            self.failed.emit(path, made)
            return
        self._reasons.pop(path, None)
        picture = QPixmap.fromImage(made)
        self._pictures[key] = picture
        self._edges.setdefault(path, set()).add(edge)
        self._bytes += _size_of(picture)
        while self._bytes > self._memory and len(self._pictures) > 1:
            (old, gone), lost = self._pictures.popitem(last=False)
            self._bytes -= _size_of(lost)
            left = self._edges[old]
            left.discard(gone)
            if not left:
                del self._edges[old]
        self.ready.emit(path)


def _size_of(picture: QPixmap) -> int:
    return picture.width() * picture.height() * 4


def _safely(cache: ThumbnailCache, request: _Request) -> QImage | str:
    """`_load`, but a fault that nobody thought of is a reason too: the files are anybody's."""
    try:
        return _load(cache, request)
    except MediaError as error:
        return f"{said(error.why)}."
    except Exception as error:
        log.warning("no thumbnail of %s", Path(request.source.path).name, exc_info=True)
        return reason_of(error)


def reason_of(error: Exception) -> str:
    """What to say of a file whose reading ended in `error`."""
    return tr("It cannot be read ({kind}).", kind=type(error).__name__)


def _load(cache: ThumbnailCache, request: _Request) -> QImage:
    source, edge = request.source, request.edge
    if source.path.lower().endswith(".svg"):
        return _drawing(source.path, edge)
    for _ in range(2):
        data = cache.strip(source) if edge == STRIP else cache.poster(source, edge)
        image = decode(data, None, _LARGEST_STRIP)
        if not image.isNull():
            return image
        cache.forget(source)  # damaged on disk: once more
    raise MediaError("No picture", "Its thumbnail cannot be read")


def _drawing(path: str, edge: int) -> QImage:
    """An SVG; nothing else draws those."""
    if not Path(path).exists():
        raise MediaError("No picture", "The file is no longer there")
    reader = QImageReader(path)
    size = reader.size()
    if size.isValid() and not size.isEmpty():
        side = edge or EDGES[0]
        wanted = size.scaled(QSize(side, side), Qt.AspectRatioMode.KeepAspectRatioByExpanding)
        reader.setScaledSize(wanted.boundedTo(QSize(_LARGEST_DRAWING, _LARGEST_DRAWING)))
    image = reader.read()
    if image.isNull():
        raise MediaError("No picture", reader.errorString().rstrip("."))
    return image.convertToFormat(QImage.Format.Format_ARGB32_Premultiplied)
