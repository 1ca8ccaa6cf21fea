"""The curated models, and whether this computer has the memory for one.

Sizes and hashes are those of the public manifests at the given revisions.
"""

import os
import sys
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from comfydesk.errors import UsageError

_OVERHEAD = 400 * 1024 * 1024
_PER_TOKEN = 128 * 1024
"""Bytes of memory per token of context: what a 4B model with grouped attention takes at 16 bits."""
GB = 1_000_000_000
_PLATFORM: str = str(sys.platform)


class Speed(StrEnum):
    """What to expect on a processor without a graphics card."""

    QUICK = "quick"
    MEDIUM = "medium"
    SLOW = "slow"


class Fit(StrEnum):
    """A model against this computer's memory."""

    FITS = "fits"
    TIGHT = "tight"
    """There is so much memory, but other programs have it now."""
    TOO_LARGE = "too large"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes; 0: not known."""

    total: int
    available: int


@dataclass(frozen=True, slots=True)
class CuratedModel:
    """A model that was tried, at a fixed revision. `size` in bytes, `context` in tokens."""

    id: str
    title: str
    repo: str
    file: str
    size: int
    sha256: str
    licence: str
    context: int
    revision: str = "main"
    words: str = ""
    """What it is good for, in a few words."""

    @property
    def path(self) -> str:
        """Below the hub's address."""
        return f"{self.repo}/resolve/{self.revision}/{self.file}"

    @property
    def speed(self) -> Speed:
        """Each token reads the whole model once: its size decides."""
        if self.size < 1.5 * GB:
            return Speed.QUICK
        return Speed.MEDIUM if self.size < 3 * GB else Speed.SLOW

    def memory(self, context: int = 4096) -> int:
        """Bytes that it needs while it is loaded."""
        return memory_needed(self.size, context)


CURATED: tuple[CuratedModel, ...] = (
    CuratedModel(
        "qwen3.5-4b",
        "Qwen3.5 4B",
        "unsloth/Qwen3.5-4B-GGUF",
        "Qwen3.5-4B-Q4_K_M.gguf",
        2740937888,
        "00fe7986ff5f6b463e62455821146049db6f9313603938a70800d1fb69ef11a4",
        "Apache-2.0",
        262144,
        "e87f176479d0855a907a41277aca2f8ee7a09523",
        "The best of the small ones",
    ),
    CuratedModel(
        "qwen3.5-2b",
        "Qwen3.5 2B",
        "unsloth/Qwen3.5-2B-GGUF",
        "Qwen3.5-2B-Q4_K_M.gguf",
        1280835840,
        "aaf42c8b7c3cab2bf3d69c355048d4a0ee9973d48f16c731c0520ee914699223",
        "Apache-2.0",
        262144,
        "f6d5376be1edb4d416d56da11e5397a961aca8ae",
        "For little memory",
    ),
    CuratedModel(
        "qwen3-4b-instruct-2507",
        "Qwen3 4B Instruct 2507",
        "unsloth/Qwen3-4B-Instruct-2507-GGUF",
        "Qwen3-4B-Instruct-2507-Q4_K_M.gguf",
        2497281120,
        "3605803b982cb64aead44f6c1b2ae36e3acdb41d8e46c8a94c6533bc4c67e597",
        "Apache-2.0",
        262144,
        "a06e946bb6b655725eafa393f4a9745d460374c9",
        "Follows instructions closely, never reasons aloud",
    ),
    CuratedModel(
        "gemma-4-e4b",
        "Gemma 4 E4B",
        "unsloth/gemma-4-E4B-it-GGUF",
        "gemma-4-E4B-it-Q4_K_M.gguf",
        4977171584,
        "85a896a047553e842f25297ee5b031d64ff30147d9c4af17b1e4b394cd1fab87",
        "Apache-2.0",
        131072,
        "bfc15c382204943c3a8fff0c750b94ae2364d7a3",
        "Rich language; wants a graphics card or patience",
    ),
    CuratedModel(
        "llama-3.2-3b",
        "Llama 3.2 3B Instruct",
        "bartowski/Llama-3.2-3B-Instruct-GGUF",
        "Llama-3.2-3B-Instruct-Q4_K_M.gguf",
        2019377696,
        "6c1a2b41161032677be168d354123594c0e6e67d2b9227c84f296ad037c728ff",
        "Llama 3.2",
        131072,
        words="Plain English",
    ),
    CuratedModel(
        "phi-3-mini",
        "Phi-3 mini",
        "microsoft/Phi-3-mini-4k-instruct-gguf",
        "Phi-3-mini-4k-instruct-q4.gguf",
        2393231072,
        "8a83c7fb9049a9b2e92266fa7ad04933bb53aa1e85136b7b30f1b8000ff2edef",
        "MIT",
        4096,
        words="An older one with a free licence",
    ),
    CuratedModel(
        "qwen-2.5-1.5b",
        "Qwen2.5 1.5B Instruct",
        "Qwen/Qwen2.5-1.5B-Instruct-GGUF",
        "qwen2.5-1.5b-instruct-q4_k_m.gguf",
        1117320736,
        "6a1a2eb6d15622bf3c96857206351ba97e1af16c30d7a74ee38970e434e9407e",
        "Apache-2.0",
        32768,
        "91cad51170dc346986eccefdc2dd33a9da36ead9",
        "The smallest",
    ),
)
DEFAULT = CURATED[0]


def curated(model_id: str) -> CuratedModel:
    """Raises UsageError, which lists those that there are."""
    for model in CURATED:
        if model.id == model_id.casefold():
            return model
    what = f"There is no language model called {model_id} in the list"
    raise UsageError(what, "", f"There are {', '.join(model.id for model in CURATED)}")


def memory_needed(size: int, context: int = 4096) -> int:
    """Bytes for a model file of `size` bytes: its weights, what it remembers of `context` tokens, and itself."""
    return size + _OVERHEAD + context * _PER_TOKEN


def fit(needed: int, memory: Memory) -> Fit:
    """Whether `needed` bytes are there."""
    if not memory.total:
        return Fit.UNKNOWN
    if needed > memory.total:
        return Fit.TOO_LARGE
    return Fit.TIGHT if memory.available and needed > memory.available else Fit.FITS


def memory_of_this_computer() -> Memory:
    """What the system says. A container's own limit counts where there is one."""
    total = available = 0
    try:
        if _PLATFORM == "linux":
            lines = (line.split() for line in Path("/proc/meminfo").read_text().splitlines())
            kilobytes = {line[0]: int(line[1]) for line in lines if len(line) > 1}
            total, available = kilobytes["MemTotal:"] * 1024, kilobytes["MemAvailable:"] * 1024
            limit = _limit()
            return Memory(min(total, limit), min(available, limit)) if limit else Memory(total, available)
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (OSError, ValueError, KeyError, AttributeError):
        pass
    return Memory(total or _windows_memory(), available)


def _limit() -> int:
    try:
        return int(Path("/sys/fs/cgroup/memory.max").read_text())
    except (OSError, ValueError):  # none, or "max"
        return 0


def _windows_memory() -> int:
    if _PLATFORM != "win32":
        return 0
    import ctypes

    kilobytes = ctypes.c_ulonglong(0)
    kernel = getattr(ctypes, "windll").kernel32  # noqa: B009 - it exists there only
    kernel.GetPhysicallyInstalledSystemMemory(ctypes.byref(kilobytes))
    return kilobytes.value * 1024
