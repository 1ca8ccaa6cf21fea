"""The header of a GGUF file: what the model is, read without its weights, in bounded time and memory.

Layout (GGUF 2 and 3, little-endian): "GGUF", version u32, tensors u64, keys u64; then the keys: name, type u32, value;
then the tensors: name, dimensions u32, their sizes u64, type u32, offset u64. A string is its length u64 and UTF-8; an
array is its type u32, its length u64 and its values. Anything may be a lie.
"""

import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from comfydesk.errors import LlmModelError, one_line

MAX_HEADER = 128 * 1024 * 1024
"""Bytes. The largest vocabularies take 12 MB."""
_MAX_KEYS = 10_000
_MAX_TENSORS = 100_000
_MAX_NAME = 64 * 1024
_SHOWN = 200
_STRING, _ARRAY = 8, 9
_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_FILE_TYPES = {
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 7: "Q8_0", 8: "Q5_0", 9: "Q5_1", 10: "Q2_K", 11: "Q3_K_S", 12: "Q3_K_M",
    13: "Q3_K_L", 14: "Q4_K_S", 15: "Q4_K_M", 16: "Q5_K_S", 17: "Q5_K_M", 18: "Q6_K", 25: "IQ4_NL", 30: "IQ4_XS",
    32: "BF16", 38: "MXFP4",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Header:
    """What a model file says of itself. Empty or 0: it does not say."""

    architecture: str
    name: str
    quantisation: str
    context: int
    """Tokens the model was made for."""
    layers: int
    licence: str
    has_template: bool
    """It knows how a chat is written; without it, it was not made for instructions."""
    size: int
    """Bytes of the file."""

    @property
    def is_text_model(self) -> bool:
        """Whether it can answer: no vision projector, LoRA or image model."""
        return self.layers > 0 and self.architecture not in _NO_TEXT


_NO_TEXT = frozenset(
    {"clip", "mmproj", "flux", "sd1", "sdxl", "sd3", "wan", "ltxv", "hyvid", "qwen_image", "lumina2", "t5", "t5encoder"}
    | {"bert", "nomic-bert", "jina-bert-v2"}
)


def read_header(path: Path) -> Header:
    """Raises LlmModelError for what is no GGUF, is cut off or makes no sense."""
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            return _Reader(file, size, path.name).header()
    except OSError as error:
        what = f"{path.name} cannot be read"
        raise LlmModelError(what, error.strerror or "") from None


class _Reader:
    def __init__(self, file: BinaryIO, size: int, name: str) -> None:
        self._file = file
        self._size = size
        self._name = name
        self._at = 0

    def header(self) -> Header:
        if self._take(4) != b"GGUF":
            raise self._wrong("it does not begin as one")
        version = self._number("I")
        if version not in (2, 3):
            raise self._wrong("its version is not known")
        tensors, keys = self._number("Q"), self._number("Q")
        if keys > _MAX_KEYS or tensors > _MAX_TENSORS:
            raise self._wrong("its counts make no sense")
        values = dict(self._key() for _ in range(keys))
        self._check_tensors(tensors, values.get("general.alignment"))
        return self._described(values)

    def _described(self, values: dict[str, object]) -> Header:
        def text(key: str) -> str:
            value = values.get(key)
            return one_line(value)[:_SHOWN] if isinstance(value, str) else ""

        def number(key: str) -> int:
            value = values.get(key)
            return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 40 else 0

        architecture = text("general.architecture")
        kind = number("general.file_type") if "general.file_type" in values else -1
        return Header(
            architecture=architecture,
            name=text("general.name"),
            quantisation=_FILE_TYPES.get(kind, ""),
            context=number(f"{architecture}.context_length"),
            layers=number(f"{architecture}.block_count"),
            licence=text("general.license"),
            has_template="tokenizer.chat_template" in values,
            size=self._size,
        )

    def _key(self) -> tuple[str, object]:
        key = self._string(_MAX_NAME)
        return key, self._value(self._number("I"))

    def _value(self, kind: int) -> object:
        """The value of a key; those of arrays are skipped."""
        if kind == _STRING:
            return self._string(MAX_HEADER)
        if kind == _ARRAY:
            inner, count = self._number("I"), self._number("Q")
            self._skip_items(inner, count)
            return None
        if kind not in _SCALARS:
            raise self._wrong("it has values of an unknown kind")
        return self._scalar(_SCALARS[kind])

    def _skip_items(self, kind: int, count: int) -> None:
        if kind in _SCALARS:
            self._skip(count * struct.calcsize(f"<{_SCALARS[kind]}"))
        elif kind == _STRING:
            if count * 8 > self._size:  # each has a length at least
                raise self._wrong("it is cut off")
            for _ in range(count):
                self._skip(self._number("Q"))
        else:
            raise self._wrong("it has lists of an unknown kind")

    def _check_tensors(self, count: int, alignment: object) -> None:
        """The file must be long enough for the last tensor to begin: half-downloaded ones are not."""
        last = 0
        for _ in range(count):
            self._skip_name()
            dimensions = self._number("I")
            if dimensions > 8:
                raise self._wrong("its tensors make no sense")
            self._skip(8 * dimensions + 4)
            last = max(last, self._number("Q"))
        step = alignment if isinstance(alignment, int) and 0 < alignment <= 1 << 16 else 32
        data = -(-self._at // step) * step
        if count and data + last >= self._size:
            raise self._wrong("it is cut off")

    def _skip_name(self) -> None:
        length = self._number("Q")
        if length > _MAX_NAME:
            raise self._wrong("its tensors make no sense")
        self._skip(length)

    def _string(self, limit: int) -> str:
        length = self._number("Q")
        if length > limit:
            raise self._wrong("it is cut off, or its header makes no sense")
        return self._take(length).decode(errors="replace")

    def _number(self, code: str) -> int:
        value = self._scalar(code)
        assert isinstance(value, int)
        return value

    def _scalar(self, code: str) -> int | float | bool:
        value: int | float | bool = struct.unpack(f"<{code}", self._take(struct.calcsize(f"<{code}")))[0]
        return value

    def _take(self, count: int) -> bytes:
        self._advance(count)
        data = self._file.read(count)
        if len(data) != count:
            raise self._wrong("it is cut off")
        return data

    def _skip(self, count: int) -> None:
        self._advance(count)
        self._file.seek(count, os.SEEK_CUR)

    def _advance(self, count: int) -> None:
        self._at += count
        if self._at > min(self._size, MAX_HEADER):
            raise self._wrong("it is cut off, or its header makes no sense")

    def _wrong(self, why: str) -> LlmModelError:
        what = f"{self._name} is no GGUF model that can be used"
        return LlmModelError(what, why, "Download it again, or choose another file")
