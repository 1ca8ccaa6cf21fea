"""A media file of any origin, read for the library: what it is, its hash, and all it says of its making.

For a child process (`comfydesk outputs --stream`, see `reading_children`) or a worker thread. Memory is bounded
whatever the file claims: its pixels are never decoded, and what it tells is cut to what a file may tell.
"""

import base64
import hashlib
import json
import os
import stat
import zlib
from collections import OrderedDict
from dataclasses import dataclass, field, fields, replace
from io import SEEK_SET, BytesIO, FileIO
from operator import attrgetter
from pathlib import Path
from typing import Any

from comfydesk.client.files import media_kind
from comfydesk.errors import GraphError, KnownError, MediaError
from comfydesk.session.gallery import shapes
from comfydesk.session.gallery.facts import CHECKPOINT, LORA, Facts, FactsReader
from comfydesk.session.jobs.media import moving_seconds
from comfydesk.store.taken import Document, Taken
from comfydesk.workflow.embedded import Embedded, extract
from comfydesk.workflow.embedded.documents import looks_like_safetensors
from comfydesk.workflow.embedded.parameters import Parameters, read_parameters
from comfydesk.workflow.parse import load_json

WHOLE = 32 << 20
"""Bytes up to which a file is read at once; of larger ones the parts that are needed, and the rest for its hash."""
MAX_DOCUMENT = 8 << 20
"""Characters of a workflow that is taken along. The largest official template has 0.5 MB."""
HEAD = 32 << 10
"""Bytes that are read at first: all of a small file, and the texts of a large one."""
TAIL = 12
"""Bytes at the end that tell whether a picture is all there."""
LIGHT = 256 << 10
"""Characters of a graph that is parsed beside others: some milliseconds."""
_KEPT = 64
_CARRIERS = frozenset(
    {"latent", "png", "webp", "jpeg", "exr", "svg", "avif", "mp4", "matroska", "flac", "ogg", "mp3", "glb", "m4a"}
)


@dataclass(frozen=True, slots=True)
class _Graph:
    """What one text of a prompt came to."""

    document: Document | None = None
    facts: Facts = field(default_factory=Facts)


class TooHeavyError(MediaError):
    """Reading it here would hold up others."""


class FileReader:
    """Reads one file after the other; remembers the last workflows, since a batch has one for all.

    `light`: what would hold the interpreter's lock for long, or needs a library that might crash, raises TooHeavyError.
    """

    def __init__(self, *, light: bool = False) -> None:
        self._light = light
        self._graphs: OrderedDict[bytes, _Graph] = OrderedDict()
        self._facts = FactsReader()

    def read(self, path: Path, *, hashed: bool = True, whole: bool = True) -> Taken:
        """All that the library keeps of the file. Raises MediaError with the reason why it is not taken.

        `whole` False: its workflow is left out, and with `hashed` False its hash, unless it is small: `pending` then.
        That takes a fifth of the time.
        """
        try:
            # Not blocking: a FIFO would wait for a writer.
            with FileIO(os.fspath(path), "rb", opener=_opened) as file:
                about = os.fstat(file.fileno())
                if not stat.S_ISREG(about.st_mode):
                    raise _refused("It is no regular file")
                if about.st_size == 0:
                    raise _refused("It is empty")
                return self._read(path, file, about, hashed=hashed or whole, whole=whole)
        except OSError as error:
            raise _refused(error.strerror or str(error)) from None

    def _read(self, path: Path, file: FileIO, about: os.stat_result, *, hashed: bool, whole: bool) -> Taken:
        source = _peeked(file, about.st_size, hashed=hashed)
        kind = _kind(path, source.head)
        media = shapes.media_of(kind, media_kind(path.name)) if kind else "model3d"
        if self._light and (media != "image" or _may_move(kind, source.head)):
            raise TooHeavyError("The file is not read here")
        width, height, duration = _measured(path, kind, media, source)
        digest = source.sha256() if hashed or source.is_whole else ""
        embedded = _embedded(kind, source)
        graph = self._graph(embedded.prompt, whole=whole)
        written = read_parameters(embedded.notes) if embedded.notes else None
        facts = graph.facts if written is None else _joined(graph.facts, written)
        carries = embedded.prompt is not None or embedded.workflow is not None
        return Taken(
            path=str(path),
            media=media,
            size=about.st_size,
            mtime_ns=about.st_mtime_ns,
            sha256=digest,
            created=about.st_mtime,
            width=width,
            height=height,
            duration=duration,
            prompt=facts.prompt,
            negative=facts.negative,
            seed=facts.seed,
            model=facts.model,
            models=facts.models,
            sampler=facts.sampler,
            scheduler=facts.scheduler,
            steps=facts.steps,
            cfg=facts.cfg,
            settings=_settings(written) if written is not None and embedded.prompt is None else {},
            graph=graph.document,
            document=None if embedded.workflow is None or not whole else self._document(embedded.workflow),
            pending=not digest or (carries and not whole),
        )

    def _graph(self, text: str | None, *, whole: bool) -> _Graph:
        if text is None or len(text) > MAX_DOCUMENT:
            return _Graph()
        if self._light and len(text) > LIGHT:
            raise TooHeavyError("The file is not read here")
        key = hashlib.sha1(text.encode("utf-8", "surrogatepass"), usedforsecurity=False).digest()
        found = self._graphs.get(key)
        if found is None or (whole and found.document is None):
            found = self._graphs[key] = _graph_of(text, self._facts, whole=whole)
            if len(self._graphs) > _KEPT:
                self._graphs.popitem(last=False)
        return found

    def _document(self, text: str) -> Document | None:
        if len(text) > MAX_DOCUMENT:
            return None
        try:
            return packed(load_json(text), text)
        except (GraphError, ValueError, RecursionError):
            return None


def packed(document: Any, text: str) -> Document | None:
    """A parsed JSON object as it is stored: see store.workflows.put_document."""
    if not isinstance(document, dict):
        return None
    canonical = json.dumps(document, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    data = zlib.compress(text.encode("utf-8", "surrogatepass"), 1)
    return Document(hashlib.sha256(canonical.encode()).hexdigest(), data)


def _graph_of(text: str, reader: FactsReader, *, whole: bool) -> _Graph:
    try:
        raw = load_json(text)
        facts = reader.read(raw)
        if facts is None:
            return _Graph()
        return _Graph(packed(raw, text) if whole else None, facts)
    except (GraphError, ValueError, RecursionError, MemoryError):
        return _Graph()


def _kind(path: Path, head: bytes) -> str:
    """The file's format; "" for a 3D model that only its name tells. Raises MediaError."""
    kind = shapes.kind_of(head[:64])
    if kind:
        return kind
    if path.suffix == ".latent" and looks_like_safetensors(head[:64]):
        return "latent"
    if media_kind(path.name) != "model3d":
        raise _refused("Its content is of no known format")
    return ""


def _peeked(file: FileIO, size: int, *, hashed: bool) -> "_Peeked":
    """All of it if it is to be hashed, or if it has not the end that its format asks for."""
    head = file.read(min(size, WHOLE) if hashed else HEAD)
    if len(head) >= size:
        return _Peeked(file, head, head[-TAIL:], size)
    file.seek(max(0, size - TAIL))
    tail = file.read(TAIL)
    kind = shapes.kind_of(head[:64])
    if len(head) < size <= WHOLE and kind in ("png", "jpeg") and not tail.endswith((b"IEND\xaeB`\x82", b"\xff\xd9")):
        file.seek(len(head))
        head += file.read(size - len(head))
    return _Peeked(file, head, tail, size)


class _Peeked(BytesIO):
    """A file whose beginning is in memory; the rest is read where it is asked for."""

    def __init__(self, file: FileIO, head: bytes, tail: bytes, size: int) -> None:
        super().__init__()
        self._file = file
        self.head = head
        self.tail = tail
        """The last TAIL bytes."""
        self.length = size
        self.is_whole = len(head) == size
        self._place = 0

    def seek(self, offset: int, whence: int = SEEK_SET) -> int:
        self._place = offset if whence == SEEK_SET else self.length + offset
        return self._place

    def read(self, size: int | None = -1) -> bytes:
        end = self.length if size is None or size < 0 else self._place + size
        if end <= len(self.head) or self.is_whole:
            found = self.head[self._place : end]
        else:
            self._file.seek(self._place)
            found = self._file.read(end - self._place)
        self._place += len(found)
        return found

    def sha256(self) -> str:
        digest = hashlib.sha256(self.head)
        self._file.seek(len(self.head))
        while block := self._file.read(1 << 20):
            digest.update(block)
        return digest.hexdigest()


def _embedded(kind: str, source: _Peeked) -> Embedded:
    if kind not in _CARRIERS:
        return Embedded()
    try:
        return extract(source.head if source.is_whole else source)
    except GraphError:  # a container that is odd, or damaged: whether it opens, others tell
        return Embedded()


def _measured(path: Path, kind: str, media: str, source: _Peeked) -> tuple[int | None, int | None, float | None]:
    """Width, height and seconds, None where there are none. Raises MediaError for what does not open."""
    if media == "image":
        size = shapes.size_of(kind, memoryview(source.head), source.tail, source.length)
        if size is None and shapes.has_shape(kind):
            size = _picture_size(path)
        return (*size, moving_seconds(path) if _may_move(kind, source.head) else None) if size else (None, None, None)
    return _recording(path) if media in ("video", "audio") else (None, None, None)


def _may_move(kind: str, head: bytes) -> bool:
    """Worth a look: next to all pictures stand still."""
    return kind == "gif" or (kind == "webp" and head[12:16] == b"VP8X") or _is_animated_png(kind, head)


def _is_animated_png(kind: str, head: bytes) -> bool:
    return kind == "png" and head.find(b"acTL", 0, head.find(b"IDAT")) >= 0  # what says so stands before the pixels


def _picture_size(path: Path) -> tuple[int, int] | None:
    import warnings

    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path) as picture:
                size = picture.size
    except Image.DecompressionBombError:
        raise _refused("It claims far too many pixels") from None
    except UnidentifiedImageError:
        return None  # a format that Pillow lacks here: it is kept, and shown as what it is
    except (OSError, ValueError, SyntaxError, EOFError, LookupError, TypeError, MemoryError) as error:
        why = f"It cannot be read ({' '.join(str(error).split())[:120] or type(error).__name__})"
        raise _refused(why) from None
    shapes.check_size(*size)
    return size


def _recording(path: Path) -> tuple[int | None, int | None, float | None]:
    import av

    try:
        with av.open(str(path)) as container:
            seconds = container.duration / av.time_base if container.duration else None
            for stream in container.streams.video:
                return stream.width or None, stream.height or None, seconds
            if not container.streams.audio:
                raise _refused("It has neither picture nor sound")
            return None, None, seconds
    except (av.FFmpegError, OSError, ValueError) as error:
        detail = str(error).split("\n", 1)[0].split(": '", 1)[0].split(" '", 1)[0]
        why = f"It cannot be read ({detail or type(error).__name__})"
        raise _refused(why) from None


def _joined(facts: Facts, written: Parameters) -> Facts:
    """What the graph says, and where it says nothing, what the text says."""
    models = facts.models
    if not models:
        named = ((written.model, CHECKPOINT),) if written.model else ()
        models = (*named, *((name, LORA) for name in written.loras if name != written.model))
    return replace(
        facts,
        prompt=facts.prompt or written.prompt,
        negative=facts.negative or written.negative,
        seed=written.seed if facts.seed is None else facts.seed,
        models=models,
        sampler=facts.sampler or written.sampler,
        scheduler=facts.scheduler or written.scheduler,
        steps=written.steps if facts.steps is None else facts.steps,
        cfg=written.cfg if facts.cfg is None else facts.cfg,
    )


_IN_COLUMNS = frozenset({"steps", "sampler", "schedule type", "cfg scale", "seed", "model"})


def _settings(written: Parameters) -> dict[str, Any]:
    """What has no column of its own, and which program said it."""
    rest = {name: value for name, value in written.settings.items() if name.lower() not in _IN_COLUMNS}
    return {"Made with": written.program, **rest}


def _opened(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))


def _refused(why: str) -> MediaError:
    return MediaError("The file is not taken", why)


# --- Between processes ------------------------------------------------------------------------------------------------


_FIELDS = tuple(field.name for field in fields(Taken))
_MODELS, *_DOCUMENTS = map(_FIELDS.index, ("models", "graph", "document"))
_values = attrgetter(*_FIELDS)


def answer(reader: FileReader, path: Path, *, hashed: bool = True, whole: bool = True) -> list[Any]:
    """What `reader.read` gives, for `taken_from`, as JSON can have it; never raises for what is in the file."""
    try:
        taken = reader.read(path, hashed=hashed, whole=whole)
    except KnownError as error:
        return [error.why or error.what]
    except (MemoryError, RecursionError):
        return ["It does not fit into memory"]
    except Exception as error:
        return [f"It cannot be read ({type(error).__name__}: {' '.join(str(error).split())[:200]})"]
    values = list(_values(taken))
    for at in _DOCUMENTS:
        document = values[at]
        if document is not None:
            values[at] = [document.hash, base64.b64encode(document.data).decode()]
    return values


def taken_from(values: list[Any]) -> Taken:
    """The other side of `answer`, parsed. Raises MediaError with the reason it tells."""
    if len(values) == 1:
        raise _refused(str(values[0]))
    for at in _DOCUMENTS:
        if values[at] is not None:
            hash_, data = values[at]
            values[at] = Document(hash_, base64.b64decode(data))
    values[_MODELS] = tuple([(name, kind) for name, kind in values[_MODELS]])
    return Taken(*values)
