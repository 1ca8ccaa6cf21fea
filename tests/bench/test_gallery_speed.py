"""The library at 100,000 outputs in a real window: opening, searching, scrolling, growing, and what it costs in memory.

With a display (Xvfb will do) on that, else on the offscreen platform. Times on a shared computer are told beside the
time that the GUI thread was at work itself.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.figures import Figure, record

COUNT = 100_000
KEPT = "COMFYDESK_LIBRARIES"
COMMAND = "pytest -s tests/bench/test_gallery_speed.py"
GOALS = (
    ("first_page_ms", "Library, to its first page with pictures", "ms", "\u2264 100"),
    ("key_median_ms", "Search, key to grid (median)", "ms", "\u2264 100"),
    ("key_max_ms", "Search, key to grid (worst)", "ms", ""),
    ("first_page_cpu_ms", "Library, first page, own time", "ms", ""),
    ("key_cpu_median_ms", "Search, key to grid, own time with the reading thread (median)", "ms", "\u2264 100"),
    ("key_cpu_max_ms", "Search, key to grid, own time with the reading thread (worst)", "ms", ""),
    ("scroll_p99_ms", "Scroll, frame (p99)", "ms", "\u2264 16"),
    ("scroll_cpu_p99_ms", "Scroll, frame, own time (p99)", "ms", "\u2264 16"),
    ("insert_median_ms", "New output at the top while scrolled (median)", "ms", "\u2264 5"),
    ("insert_cpu_max_ms", "New output at the top, own time (worst)", "ms", "\u2264 5"),
    ("rows_at_start", "Outputs in memory after the start of the window", "rows", "\u2264 1000"),
    ("rows_at_end", "Outputs in memory after scrolling everywhere", "rows", "\u2264 10000"),
    ("jump_px", "What the view jumped", "px", "\u2264 0"),
)


@pytest.fixture(scope="module")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """An empty one, and one of COUNT. In the folder that KEPT names they are made once, for many runs."""
    folder = Path(os.environ[KEPT]) if KEPT in os.environ else tmp_path_factory.mktemp("libraries")
    for name, count in (("empty", 0), ("full", COUNT)):
        if not (folder / name / "made").exists():
            _child("make", folder / name, str(count))
            (folder / name / "made").touch()
    return folder / "empty", folder / "full"


@pytest.mark.timeout(900)
def test_a_hundred_thousand_outputs(libraries: tuple[Path, Path]) -> None:
    empty, full = (json.loads(_child("run", folder).splitlines()[-1]) for folder in libraries)
    found: list[Figure] = [record(words, full[key], unit, goal, COMMAND) for key, words, unit, goal in GOALS]
    growth = full["rss_mb"] - empty["rss_mb"]
    found.append(record("Memory against an empty library", growth, "MB", "\u2264 200", COMMAND))
    assert full["jump_px"] == 0
    missed = [figure.name for figure in found if not figure.met]
    assert not missed


def _child(what: str, folder: Path, *more: str) -> str:
    command = [sys.executable, "-m", "tests.bench.gallery_child", what, str(folder), *more]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout
