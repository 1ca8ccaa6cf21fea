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
from dataclasses import asdict, dataclass, field, replace
from io import BufferedReader
from pathlib import Path
from typing import Any, BinaryIO

from comfydesk.client.files import media_kind
from comfydesk.errors import GraphError, KnownError, MediaError
from comfydesk.session.gallery import shapes
from comfydesk.session.gallery.facts import CHECKPOINT, LORA, Facts, read_facts
from comfydesk.store.imports import Document, Taken
from comfydesk.workflow.embedded import Embedded, extract
from comfydesk.workflow.embedded.documents import looks_like_safetensors
from comfydesk.workflow.embedded.parameters import Parameters, read_parameters
from comfydesk.workflow.graph import ApiGraph
from comfydesk.workflow.parse import build_workflow, load_json

WHOLE = 32 << 20
"""Bytes up to which a file is read at once; of larger ones the parts that are needed, and the rest for its hash."""
MAX_DOCUMENT = 8 << 20
"""Characters of a workflow that is taken along. The largest official template has 0.5 MB."""
_KEPT = 64
_CARRIERS = frozenset(
    {"png", "webp", "jpeg", "exr", "svg", "avif", "mp4", "matroska", "flac", "ogg", "mp3", "glb", "m4a"}
)


@dataclass(frozen=True, slots=True)
class _Graph:
    """What one text of a prompt came to."""

    document: Document | None = None
    facts: Facts = field(default_factory=Facts)


class FileReader:
    """Reads one file after the other; remembers the last workflows, since a batch has one for all."""

    def __init__(self) -> None:
        self._graphs: OrderedDict[bytes, _Graph] = OrderedDict()

    def read(self, path: Path) -> Taken:
        """All that the library keeps of the file. Raises MediaError with the reason why it is not taken."""
        try:
            # Not blocking: a FIFO would wait for a writer.
            with open(path, "rb", opener=_opened) as file:
                about = os.fstat(file.fileno())
                if not stat.S_ISREG(about.st_mode):
                    raise _refused("It is no regular file")
                if about.st_size == 0:
                    raise _refused("It is empty")
                return self._read(path, file, about)
        except OSError as error:
            raise _refused(error.strerror or str(error)) from None

    def _read(self, path: Path, file: BufferedReader, about: os.stat_result) -> Taken:
        whole = about.st_size <= WHOLE
        data = file.read() if whole else file.read(1 << 16)
        kind = shapes.kind_of(data[:64])
        if not kind and looks_like_safetensors(data[:64]) and path.suffix == ".latent":
            kind = "latent"
        if not kind and media_kind(path.name) != "model3d":
            raise _refused("Its content is of no known format")
        media = shapes.media_of(kind, media_kind(path.name)) if kind else "model3d"
        width, height, duration = _measured(path, kind, media, memoryview(data) if whole else None)
        if whole:
            digest = hashlib.sha256(data).hexdigest()
        else:
            file.seek(0)
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        taken = Taken(
            path=str(path),
            media=media,
            size=about.st_size,
            mtime_ns=about.st_mtime_ns,
            sha256=digest,
            created=about.st_mtime,
            width=width,
            height=height,
            duration=duration,
        )
        return self._described(taken, _embedded(kind, data if whole else file))

    def _described(self, taken: Taken, embedded: Embedded) -> Taken:
        """With what it says of its making."""
        graph = self._graph(embedded.prompt)
        document = None if embedded.workflow is None else self._document(embedded.workflow)
        written = read_parameters(embedded.notes) if embedded.notes else None
        facts = graph.facts if written is None else _joined(graph.facts, written)
        return replace(
            taken,
            prompt=facts.prompt,
            negative=facts.negative,
            seed=facts.seed,
            model=facts.model,
            models=facts.models,
            sampler=facts.sampler,
            scheduler=facts.scheduler,
            steps=facts.steps,
            cfg=facts.cfg,
            settings=_settings(written) if written is not None and graph.document is None else {},
            graph=graph.document,
            document=document,
        )

    def _graph(self, text: str | None) -> _Graph:
        if text is None or len(text) > MAX_DOCUMENT:
            return _Graph()
        key = hashlib.sha1(text.encode("utf-8", "surrogatepass"), usedforsecurity=False).digest()
        found = self._graphs.get(key)
        if found is None:
            found = self._graphs[key] = _graph_of(text)
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


def _graph_of(text: str) -> _Graph:
    try:
        raw = load_json(text)
        parsed = build_workflow(raw)
        if not isinstance(parsed, ApiGraph):
            return _Graph()
        return _Graph(packed(raw, text), read_facts(parsed))
    except (GraphError, ValueError, RecursionError, MemoryError):
        return _Graph()


def _embedded(kind: str, data: bytes | BinaryIO) -> Embedded:
    if kind not in _CARRIERS:
        return Embedded()
    try:
        return extract(data)
    except GraphError:  # a container that is odd, or damaged: whether it opens, others tell
        return Embedded()


def _measured(
    path: Path, kind: str, media: str, data: memoryview | None
) -> tuple[int | None, int | None, float | None]:
    """Width, height and seconds, None where there are none. Raises MediaError for what does not open."""
    if media == "image":
        size = None if data is None else shapes.size_of(kind, data)
        if size is None and shapes.has_shape(kind):
            size = _picture_size(path)
        return (*size, None) if size else (None, None, None)
    return _recording(path) if media in ("video", "audio") else (None, None, None)


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


def answer(reader: FileReader, path: Path) -> str:
    """What was read as a line for `taken_from`; never raises for what is in the file."""
    try:
        taken = reader.read(path)
    except KnownError as error:
        return json.dumps({"why": error.why or error.what})
    except (MemoryError, RecursionError):
        return json.dumps({"why": "It does not fit into memory"})
    except Exception as error:
        return json.dumps({"why": f"It cannot be read ({type(error).__name__}: {' '.join(str(error).split())[:200]})"})
    values = asdict(taken)
    for name in ("graph", "document"):
        if values[name] is not None:
            values[name]["data"] = base64.b64encode(values[name]["data"]).decode()
    return json.dumps(values)


def taken_from(line: bytes) -> Taken:
    """The other side of `answer`. Raises MediaError with the reason it tells."""
    values = json.loads(line)
    if "why" in values:
        raise _refused(str(values["why"]))
    for name in ("graph", "document"):
        if values[name] is not None:
            values[name] = Document(values[name]["hash"], base64.b64decode(values[name]["data"]))
    values["models"] = tuple((name, kind) for name, kind in values["models"])
    return Taken(**values)
