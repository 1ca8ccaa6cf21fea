"""What a harness is, and how one input of it is judged: KnownError or nothing, in bounded time and memory."""

import contextlib
import hashlib
import importlib
import pkgutil
import resource
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from types import FrameType, ModuleType

from comfydesk.errors import KnownError

SLOW = 5.0
"""Seconds of processor time for one input, with the interpreter slowed by what atheris adds: some four times."""
Mutator = Callable[[bytes, Random], bytes]


@dataclass(frozen=True)
class Harness:
    """`take` reads one input; what it raises beyond `allowed` is a finding."""

    take: Callable[[bytes], object]
    seeds: Callable[[], Iterable[bytes]]
    mutate: Mutator
    allowed: tuple[type[BaseException], ...] = (KnownError,)
    longest: int = 32 << 10
    """Bytes of an input."""
    smoke: int = 150
    """Inputs that the suite tries: less than a second."""
    slow: float = SLOW
    memory: int = 256 << 20
    """Bytes by which one input may raise the highest memory of the process."""


class TooSlow(BaseException):
    """Raised into what takes too long; a BaseException so that nothing takes it for an error it knows."""


@dataclass
class Finding:
    """What came out, and one input that does it."""

    where: str
    data: bytes
    text: str

    @property
    def name(self) -> str:
        return hashlib.sha256(self.data).hexdigest()[:12]


@dataclass
class Watch:
    """Judges inputs, and keeps one of each kind of finding."""

    harness: Harness
    folder: Path | None = None
    runs: int = 0
    slowest: float = 0.0
    findings: dict[str, Finding] = field(default_factory=dict)

    def judge(self, data: bytes) -> None:
        """Feed it. Never raises."""
        self.runs += 1
        before, highest = time.process_time(), peak()
        try:
            with _limited(self.harness.slow):
                self.harness.take(data)
        except self.harness.allowed:
            pass
        except (Exception, TooSlow) as error:
            self._note(_where(error), data, "".join(traceback.format_exception(error)))
        grown, took = peak() - highest, time.process_time() - before
        self.slowest = max(self.slowest, took)
        if grown > self.harness.memory:
            self._note("memory", data, f"{grown >> 20} MB more for {len(data)} bytes")

    def _note(self, where: str, data: bytes, text: str) -> None:
        if where in self.findings:
            return
        found = self.findings[where] = Finding(where, data, text)
        print(f"\n=== {where}: {len(data)} bytes, {data[:200]!r}\n{text}", file=sys.stderr, flush=True)
        if self.folder is not None:
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / f"found-{found.name}.bin").write_bytes(data)
            (self.folder / f"found-{found.name}.txt").write_text(f"{where}\n{text}", encoding="utf-8")


@contextlib.contextmanager
def _limited(seconds: float) -> Iterator[None]:
    """Processor time: a busy computer is nobody's fault. No timer where we are not the main thread, or on Windows."""

    def late(number: int, frame: FrameType | None) -> None:
        raise TooSlow

    old = signal.signal(signal.SIGVTALRM, late)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, old)


def peak() -> int:
    """The most memory that this process ever had, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _where(error: BaseException) -> str:
    """The exception, and the innermost line of ours: twice the same is one finding."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "comfydesk" in Path(frame.filename).parts[-4:]] or [
        frame for frame in frames if "/comfydesk/" in frame.filename
    ]
    last = (ours or frames)[-1]
    place = "" if isinstance(error, TooSlow) else f":{last.lineno}"
    return f"{type(error).__name__} at {Path(last.filename).name}{place} in {last.name}"


def names() -> tuple[str, ...]:
    """Of all harnesses."""
    from tests.fuzz import parsers

    return tuple(sorted(module.name for module in pkgutil.iter_modules(parsers.__path__)))


def load(name: str) -> Harness:
    """The harness of that name. KeyError."""
    if name not in names():
        raise KeyError(name)
    module: ModuleType = importlib.import_module(f"tests.fuzz.parsers.{name}")
    harness = module.HARNESS
    assert isinstance(harness, Harness)
    return harness
