"""A file that was read, on its way into the library. By itself, since the children that read start with it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Document:
    """A workflow or a graph as the table `documents` has it."""

    hash: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Taken:
    """A file and what it says of its making; see records.Output."""

    path: str
    media: str
    size: int
    mtime_ns: int
    sha256: str
    created: float
    width: int | None = None
    height: int | None = None
    duration: float | None = None
    prompt: str = ""
    negative: str = ""
    seed: int | None = None
    model: str = ""
    models: tuple[tuple[str, str], ...] = ()
    """Name and kind; see provenance.Reading."""
    sampler: str = ""
    scheduler: str = ""
    steps: float | None = None
    cfg: float | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Of a file without a graph."""
    graph: Document | None = None
    document: Document | None = None
    pending: bool = False
    """Its hash or its workflow is still to be read."""
