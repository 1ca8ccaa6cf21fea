"""How long until the window can be used, against an empty QMainWindow in the same run.

    QT_QPA_PLATFORM=offscreen python -m pytest tests/bench/test_startup.py -s      (or with a display, or xvfb-run)

Both start as processes of their own, by turns, so that what else the machine does hits both. "Usable" is the first
moment after the first paint when the event loop was idle: menus and keys answer from then on. What comes right after
it (widgets, session, pod) must not hold the loop up for long: "interactive" is the end of the last stall over 50 ms.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from tests.bench.figures import record
from tests.bench.screens import environment, xvfb
from tests.bench.startup_child import HEAVY

ROOT = Path(__file__).parents[2]
CHILD = Path(__file__).with_name("startup_child.py")
RUNS = 9
MOST = 1.5
COMMAND = "pytest tests/bench/test_startup.py -s"
Measured = dict[str, Any]


def start(kind: str, data: Path, environment: dict[str, str]) -> Measured:
    """One start; its moments in seconds since the spawn."""
    command = [sys.executable, str(CHILD), kind, str(time.monotonic()), str(data), "1.2"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment, timeout=60, check=True)
    seen: Measured = json.loads(done.stdout.splitlines()[-1])
    return seen


def compare(data: Path, environment: dict[str, str]) -> dict[str, list[Measured]]:
    """RUNS starts of each, by turns; the first of each warms the disk cache and does not count."""
    runs: dict[str, list[Measured]] = {"empty": [], "window": []}
    for number in range(RUNS + 1):
        for kind, seen in runs.items():
            measured = start(kind, data, environment)
            if number:
                seen.append(measured)
    return runs


def middle(runs: Sequence[Measured], moment: str) -> float:
    return float(median(run[moment] for run in runs))


@pytest.fixture(params=["offscreen", "X11"])
def platform(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment to start in. Modules come compiled, as an installation leaves them: the first start does it."""
    kept = {name: value for name, value in environment().items() if name != "PYTHONDONTWRITEBYTECODE"}
    kept["PYTHONPYCACHEPREFIX"] = str(tmp_path_factory.mktemp("compiled"))
    if request.param == "offscreen":
        yield kept | {"QT_QPA_PLATFORM": "offscreen"}
        return
    with xvfb() as screen:
        if screen is None:
            pytest.skip("no Xvfb here")
        yield kept | {"DISPLAY": screen}


@pytest.mark.timeout(300)
def test_the_window_is_usable_soon_after_an_empty_one_would_be(
    platform: dict[str, str], tmp_path: Path, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = compare(tmp_path, platform)
    where = request.node.callspec.params["platform"]
    ratios = {}
    with capsys.disabled():
        print(f"\n{'':12}{'empty':>10}{'window':>10}{'ratio':>8}   ({where}, ms)")
        for moment in ("painted", "idle", "cpu", "interactive", "complete"):
            empty, ours = middle(runs["empty"], moment), middle(runs["window"], moment)
            ratios[moment] = ours / empty
            print(f"{moment:12}{empty * 1000:10.0f}{ours * 1000:10.0f}{ratios[moment]:8.2f}")
        empty, ours = (middle(runs[kind], "idle") * 1000 for kind in ("empty", "window"))
        words = f"usable after {ours:.0f} ms, an empty one after {empty:.0f} ms; {RUNS} starts of each by turns"
        name = f"start: window usable, against an empty QMainWindow, {where}"
        usable = record(name, ratios["idle"], "times", f"≤ {MOST}", COMMAND, words)
        name = f"start: every panel there, against an empty QMainWindow, {where}"
        record(name, ratios["complete"], "times", "", COMMAND, f"{middle(runs['window'], 'complete') * 1000:.0f} ms")
        heavy = sorted({name for run in runs["window"] for name in run["loaded"]})
        name = f"start: heavy modules imported before the first frame, {where}"
        light = record(name, len(heavy), "modules", "≤ 0", COMMAND, f"of {', '.join(HEAVY)}")
    assert light.met, heavy
    assert usable.met, f"usable after {ratios['idle']:.2f} times what an empty window takes"
