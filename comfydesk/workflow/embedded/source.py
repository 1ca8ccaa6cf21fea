"""What every reader stands on: random access that cannot run away, and the place where findings go."""

import json
from io import SEEK_END
from typing import Any, BinaryIO

from comfydesk.workflow.embedded.parameters import looks_like_parameters

MAX_TEXT = 64 << 20
"""Bytes of one text, after decompression. The largest official template has 0.5 MB."""
MAX_WORK = 4 * MAX_TEXT
"""Bytes of one file that are read or decompressed in total."""
MAX_PARTS = 100_000
"""Chunks, boxes, pages or frames of one file that are looked at."""


class Broken(Exception):  # noqa: N818 - never leaves the package
    """The container contradicts itself; the text says how."""


class Source:
    """Bytes by offset, from memory or from a seekable binary file."""

    def __init__(self, data: bytes | bytearray | memoryview | BinaryIO) -> None:
        self._view: memoryview | None = None
        self._file: BinaryIO | None = None
        if isinstance(data, (bytes, bytearray, memoryview)):
            self._view = memoryview(data).cast("B")
            self.size = len(self._view)
        else:
            self._file = data
            self.size = data.seek(0, SEEK_END)
        self._parts = 0
        self._work = 0

    def peek(self, offset: int, size: int) -> bytes:
        """Up to `size` bytes from `offset`; fewer at the end."""
        if self._view is not None:
            return bytes(self._view[offset : offset + size])
        assert self._file is not None
        self._file.seek(offset)
        return self._file.read(size)

    def read(self, offset: int, size: int) -> bytes:
        """Exactly `size` bytes from `offset`, at most MAX_TEXT."""
        if size > MAX_TEXT:
            msg = f"a part claims {size:,} bytes"
            raise Broken(msg)
        if offset < 0 or size < 0 or offset + size > self.size:
            msg = f"it ends at byte {self.size:,}, in the middle of a part"
            raise Broken(msg)
        self.count_work(size)
        return self.peek(offset, size)

    def number(self, offset: int, size: int = 4) -> int:
        """An unsigned big-endian integer."""
        return int.from_bytes(self.read(offset, size), "big")

    def count_work(self, size: int) -> None:
        """To be called for `size` bytes that are made (decompressed); what is read counts by itself."""
        self._work += size
        if self._work > MAX_WORK:
            msg = f"its metadata takes more than {MAX_WORK >> 20} MB"
            raise Broken(msg)

    def count_part(self) -> None:
        """To be called for each part: a file of nothing but headers must not hold us."""
        self._parts += 1
        if self._parts > MAX_PARTS:
            msg = f"it has more than {MAX_PARTS:,} parts"
            raise Broken(msg)


_NOTES = ("parameters", "comment", "description", "invokeai_metadata", "sd-metadata", "usercomment")
"""Names under which other programs write values, in lower case; see parameters."""
MAX_NOTE = 2 << 20
"""Characters of such a text."""


class Found:
    """Collects the two texts. The first of each name wins; what is no JSON object is not it.

    `notes`: texts of other programs by their names in lower case ("" without a name), as far as they stand before
    both texts were found.
    """

    def __init__(self) -> None:
        self.prompt: str | None = None
        self.workflow: str | None = None
        self.notes: dict[str, str] = {}

    @property
    def any(self) -> bool:
        return self.prompt is not None or self.workflow is not None

    @property
    def complete(self) -> bool:
        return self.prompt is not None and self.workflow is not None

    def offer(self, key: str, value: str | bytes) -> None:
        """A named text. `prompt` and `workflow` in any case are taken; other names may hold a document with both."""
        text = (decoded(value) if isinstance(value, bytes) else value).strip(" \t\r\n\0")
        name = key.lower()
        if name in _NOTES and text and len(text) <= MAX_NOTE:
            self.notes.setdefault(name, text)
        if not text.startswith("{"):
            return
        match name:
            case "prompt":
                self.prompt = self.prompt or text
            case "workflow":
                self.workflow = self.workflow or text
            case _:
                self._offer_text_document(text)

    def offer_line(self, text: str) -> None:
        """A text without a name: `workflow:{…}`, `prompt:{…}`, or a JSON document with these keys."""
        text = text.strip(" \t\r\n\0")
        key, colon, value = text.partition(":")
        if colon and key.strip().lower() in ("prompt", "workflow"):
            self.offer(key.strip(), value)
            return
        if len(text) <= MAX_NOTE and looks_like_parameters(text):
            self.notes.setdefault("", text)
        if text.startswith("{"):
            self._offer_text_document(text)

    def offer_document(self, document: Any) -> None:
        """A parsed JSON object that may hold either, as an object or as a JSON text."""
        if not isinstance(document, dict):
            return
        for key, value in document.items():
            if key.lower() not in ("prompt", "workflow"):
                continue
            if isinstance(value, str):
                self.offer(key, value)
            elif isinstance(value, dict):
                self.offer(key, _json_text(value))

    def _offer_text_document(self, text: str) -> None:
        # Comments of other tools are JSON too, and large ones are not parsed for nothing.
        if self.complete or ('"prompt"' not in text.lower() and '"workflow"' not in text.lower()):
            return
        try:
            self.offer_document(json_value(text))
        except Broken:
            return


def json_value(text: str | bytes) -> Any:
    """`text` as JSON; Broken if it is none. Depth is bounded by the interpreter's own limit."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        msg = "its metadata is no valid JSON"
        raise Broken(msg) from None


def _json_text(value: Any) -> str:
    try:
        return json.dumps(value)
    except (ValueError, RecursionError):
        msg = "its metadata is nested too deeply"
        raise Broken(msg) from None


def decoded(value: bytes) -> str:
    """UTF-8, else Latin-1: what PNG text officially is, and what some tools write anyway."""
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")
