"""Thumbnails on disk: made once for a file's content and a size, kept until room is needed. For worker threads.

The folder may be deleted at any time; what is damaged in it is made again. Nothing half-written is ever read: files are
renamed into place, and an entry whose end is missing counts as none.
"""

import contextlib
import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from comfydesk.disk import write_whole
from comfydesk.errors import MediaError, StoreError
from comfydesk.session.gallery import posters

FOLDER = "thumbnails"
"""Below Paths.cache."""
EDGES = (128, 192, 256, 384, 512, 768)
"""Pixels on the shorter side; a request gets the next larger one."""
STRIP_EDGE = 256
LIMIT = 2 << 30
"""Bytes on disk before the least recently used go: some 150,000 thumbnails."""
LEAST = 0.85
"""Of the limit, what is left by a clean-up."""
PICTURED = frozenset({"image", "video", "audio"})
"""Media that have thumbnails; the rest have icons."""
_DAY = 86_400.0
_LARGE = 8 << 20
"""Bytes of a file that is read by one worker at a time: what it unpacks to may be a hundred times that."""
_ENDS = (b"\xff\xd9", b"IEND\xaeB`\x82")


@dataclass(frozen=True, slots=True)
class Source:
    """A file to be shown. Without a hash, its path, size and time stand for its content."""

    path: str
    media: str
    """image, video, audio, text, model3d or other."""
    sha256: str = ""


def edge_for(pixels: float) -> int:
    """The size in which a tile of that many device pixels (on its shorter side) is kept."""
    return next((edge for edge in EDGES if edge >= pixels), EDGES[-1])


class ThumbnailCache:
    """`poster` and `strip` give encoded pictures (JPEG or PNG), from disk or made now. Any thread."""

    def __init__(self, folder: Path | None, limit: int = LIMIT) -> None:
        """`folder` None: everything is made anew, nothing kept."""
        self.folder = folder
        self.limit = limit
        self._large = threading.Lock()
        self._written = 0

    def poster(self, source: Source, edge: int) -> bytes:
        """A picture of the file, `edge` pixels on its shorter side (see EDGES). Raises MediaError with the reason."""
        return self._kept(source, f"{edge}", lambda: posters.poster(Path(source.path), source.media, edge))

    def strip(self, source: Source, edge: int = STRIP_EDGE) -> bytes:
        """posters.FRAMES frames of a video side by side. Raises MediaError."""
        return self._kept(source, f"{edge}s{posters.FRAMES}", lambda: posters.strip(Path(source.path), edge))

    def forget(self, source: Source) -> None:
        """Remove what is kept of a file: it turned out to be damaged, or the file is gone."""
        if self.folder is not None:
            with contextlib.suppress(MediaError, OSError):
                place = self._place(source, "")
                for entry in place.parent.glob(f"{place.name}*"):
                    entry.unlink(missing_ok=True)

    def sweep(self, pause: float = 0.005) -> int:
        """Remove what was not used for longest until the folder is within its limit; the bytes that are left.

        Also what a killed process left half-written. `pause`: seconds of rest after each of the 256 folders.
        """
        if self.folder is None or not self.folder.is_dir():
            return 0
        total = sum(size for _, size, _ in self._swept(pause))
        if total > self.limit:  # only now are all of them remembered: there may be 100,000
            for _, size, path in sorted(self._swept(pause)):
                with contextlib.suppress(OSError):
                    Path(path).unlink(missing_ok=True)
                    total -= size
                if total <= self.limit * LEAST:
                    break
        self._written = 0
        return total

    def _swept(self, pause: float) -> Iterator[tuple[float, int, str]]:
        """When each entry was used last, its size and its path. What is half-written and old goes."""
        for entry in self._entries(pause):
            with contextlib.suppress(OSError):
                stat = entry.stat()
                if not entry.name.endswith(".part"):
                    yield stat.st_mtime, stat.st_size, entry.path
                elif time.time() - stat.st_mtime > 60:
                    Path(entry.path).unlink(missing_ok=True)

    @property
    def swollen(self) -> bool:
        """Whether so much was written since the last sweep that the next one is due."""
        return self._written > self.limit // 16

    # --- Inside -----------------------------------------------------------------------------------------------------

    def _kept(self, source: Source, kind: str, make: Callable[[], bytes]) -> bytes:
        if source.media not in PICTURED:
            raise posters.unreadable(Path(source.path), "Files of its kind have none")
        place = self._place(source, kind) if self.folder is not None else None
        if place is not None and (found := _read(place)) is not None:
            return found
        try:
            with self._turn(source.path):
                data = make()
        except MediaError:
            other = self._other_size(source) if kind.isdecimal() else None
            if other is None:
                raise
            return other  # the file is gone, but it is known what it looked like
        if place is not None:
            self._write(place, data)
        return data

    def _place(self, source: Source, kind: str) -> Path:
        assert self.folder is not None
        key = source.sha256 or _stamp(Path(source.path))
        return self.folder / key[:2] / f"{key}-{kind}"

    def _other_size(self, source: Source) -> bytes | None:
        """A poster of the same content in another size."""
        if self.folder is None or not source.sha256:
            return None
        found = (_read(self._place(source, f"{edge}")) for edge in reversed(EDGES))
        return next((data for data in found if data is not None), None)

    def _turn(self, path: str) -> contextlib.AbstractContextManager[object]:
        """Large files one at a time, so that memory stays bounded with any number of workers."""
        try:
            large = Path(path).stat().st_size > _LARGE
        except OSError:
            large = False
        return self._large if large else contextlib.nullcontext()

    def _write(self, place: Path, data: bytes) -> None:
        """A cache that cannot be written (a full disk) is none; the picture is shown all the same."""
        with contextlib.suppress(StoreError):
            write_whole(place, data, durable=False)
            self._written += len(data)

    def _entries(self, pause: float) -> Iterator[os.DirEntry[str]]:
        assert self.folder is not None
        for shard in sorted(self.folder.iterdir()):
            if shard.is_dir():
                with contextlib.suppress(OSError), os.scandir(shard) as entries:
                    yield from entries
                time.sleep(pause)


def _read(place: Path) -> bytes | None:
    """A whole entry, marked as used; None if there is none, or only a part of it."""
    try:
        data = place.read_bytes()
        if not data.endswith(_ENDS):
            return None
        if time.time() - place.stat().st_mtime > _DAY:
            os.utime(place)
    except OSError:
        return None
    return data


def _stamp(path: Path) -> str:
    """What stands for the content of a file whose hash is not known."""
    try:
        stat = path.stat()
    except OSError:
        raise posters.unreadable(path, "The file is no longer there") from None
    text = f"{path.absolute()}\n{stat.st_size}\n{stat.st_mtime_ns}"
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
