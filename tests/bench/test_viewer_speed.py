"""A picture of a gigapixel in a real window: it is there soon, follows the hand, and memory stays bounded."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.figures import record
from tests.bench.viewer_child import make

COMMAND = "pytest tests/bench/test_viewer_speed.py"


def look_at(path: Path) -> dict[str, float]:
    run = [sys.executable, "-m", "tests.bench.viewer_child", str(path)]
    if not os.environ.get("DISPLAY") and shutil.which("xvfb-run"):
        run = ["xvfb-run", "-a", "-s", "-screen 0 1600x1000x24", *run]
    environment = {**os.environ, "QT_API": "pyside6"}
    if not os.environ.get("DISPLAY") and run[0] != "xvfb-run":
        environment["QT_QPA_PLATFORM"] = "offscreen"
    done = subprocess.run(run, capture_output=True, text=True, env=environment, timeout=500, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.timeout(900)
@pytest.mark.parametrize("kind", ["png", "jpg"])
def test_a_gigapixel(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"large.{kind}"
    make(path)
    found = look_at(path)
    for name, figure, unit, goal in (
        ("first pixels", found["first_ms"], "ms", "≤ 1000" if kind == "png" else ""),
        ("read through", found["whole_s"], "s", ""),
        ("longest stall meanwhile", found["stall_ms"], "ms", "≤ 50"),
        ("pan at 1:1, p99", found["pan_ms"], "ms", "≤ 16"),
        ("pan at 37 %, p99", found["pan_half_ms"], "ms", "≤ 16"),
        ("zooming from 5 to 55 % and back, p99", found["zoom_ms"], "ms", "≤ 16"),
        ("memory", found["memory_mb"], "MB", "≤ 700"),
    ):
        record(f"viewer, {kind} of a gigapixel: {name}", figure, unit, goal, COMMAND)
    assert found["pan_ms"] <= 16
    assert found["memory_mb"] <= 700
