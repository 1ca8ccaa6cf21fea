"""A library of 100,000 outputs: opened, searched while typing, added to."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.figures import record

COMMAND = "pytest tests/bench/test_library_speed.py -s"


def _child(*words: str) -> str:
    return subprocess.run(
        [sys.executable, "-m", "tests.bench.library_child", *words], check=True, capture_output=True, text=True
    ).stdout


@pytest.mark.timeout(600)
def test_a_hundred_thousand_outputs(tmp_path: Path) -> None:
    library = tmp_path / "library.sqlite"
    _child(str(library), "make")
    found: dict[str, float] = json.loads(_child(str(library), "measure"))
    goals = {
        "first page": "≤ 100",
        "keystroke, worst of medians": "≤ 100",
        "insertion, written": "≤ 5",
        "insertion, followed": "≤ 5",
    }
    growth = found.pop("growth") / 2**20
    figures = [record(f"library: {name}", value, "ms", goals.get(name, ""), COMMAND) for name, value in found.items()]
    figures.append(record("library: RSS growth", growth, "MiB", "≤ 200", COMMAND))
    assert all(figure.met for figure in figures), [figure for figure in figures if not figure.met]
