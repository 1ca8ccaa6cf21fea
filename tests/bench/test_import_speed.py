"""Taking a folder in: against a bare loop, a second time, while the loop has to answer; and watching it for nothing."""

import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from comfydesk.session.gallery.watching import _changed
from tests.bench.figures import record
from tests.bench.pictures import make

COMMAND = "pytest tests/bench/test_import_speed.py -s"
FILES = 3000
ROUNDS = 3


def _child(*words: str) -> dict[str, float]:
    run = subprocess.run(
        [sys.executable, "-m", "tests.bench.import_child", *words], check=True, capture_output=True, text=True
    )
    found: dict[str, float] = json.loads(run.stdout)
    return found


@pytest.mark.timeout(600)
def test_a_folder_of_three_thousand(tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    make(folder, FILES, subfolders=20)
    ratios, gaps, again, peaks = [], [], [], []
    for round_ in range(ROUNDS):
        bare = _child(str(tmp_path / f"bare{round_}.sqlite"), str(folder), "bare")
        library = str(tmp_path / f"ours{round_}.sqlite")
        ours = _child(library, str(folder))
        assert ours["added"] == FILES
        second = _child(library, str(folder))
        assert second["added"] == 0
        ratios.append(bare["seconds"] / ours["seconds"])
        again.append(ours["seconds"] / second["seconds"])
        gaps.append(ours["longest gap"] * 1000)
        peaks.append(ours["resident"] / 2**20)
    figures = [
        record("import: speed against a bare loop", median(ratios), "x", "≥ 0.8", COMMAND, f"{ROUNDS} rounds {ratios}"),
        record("import: a second scan, faster by", median(again), "x", "≥ 20", COMMAND),
        record("import: longest stall of the loop", median(gaps), "ms", "≤ 50", COMMAND),
        record("import: RSS of the program", max(peaks), "MiB", "≤ 200", COMMAND),
    ]
    assert all(figure.met for figure in figures), [figure for figure in figures if not figure.met]


def test_watching_a_hundred_thousand_files_costs_next_to_nothing(tmp_path: Path) -> None:
    """By the look that is made every ten seconds: at the times of a thousand folders with a hundred files each."""
    times: dict[str, int] = {}
    for number in range(1000):
        folder = tmp_path / f"{number:04}"
        folder.mkdir()
        times[str(folder)] = folder.stat().st_mtime_ns

    async def look() -> Any:
        return await asyncio.to_thread(_changed, times)

    spent = []
    for _ in range(5):
        before = time.process_time()
        assert asyncio.run(look()) == []
        spent.append(time.process_time() - before)
    share = median(spent) / 10 * 100
    assert record("watching: 1,000 folders, share of a processor", share, "%", "≤ 0.5", COMMAND).met
