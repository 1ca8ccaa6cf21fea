"""How long until the window can be used, against an empty QMainWindow in the same run.

    QT_QPA_PLATFORM=offscreen python -m pytest tests/bench/test_startup.py -s      (or with a display, or xvfb-run)

Both start as processes of their own, by turns, so that what else the machine does hits both. "Usable" is the first
moment after the first paint when the event loop was idle: menus and keys answer from then on. What comes right after
it (widgets, session, pod) must not hold the loop up for long: "interactive" is the end of the last stall over 50 ms.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).parents[2]
CHILD = Path(__file__).with_name("startup_child.py")
RUNS = 11
MOST = 1.5
Measured = dict[str, float]


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
    return median(run[moment] for run in runs)


@pytest.fixture(params=["offscreen", "xvfb"])
def platform(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment to start in. Modules come compiled, as an installation leaves them: the first start does it."""
    dropped = ("DISPLAY", "WAYLAND", "QT_QPA", "PYTHONDONTWRITEBYTECODE")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    kept["PYTHONPYCACHEPREFIX"] = str(tmp_path_factory.mktemp("compiled"))
    if request.param == "offscreen":
        yield kept | {"QT_QPA_PLATFORM": "offscreen"}
        return
    xvfb = shutil.which("Xvfb")
    if xvfb is None:
        pytest.skip("no Xvfb here")
    display = ":93"
    server = subprocess.Popen([xvfb, display, "-screen", "0", "1600x1000x24"], stderr=subprocess.DEVNULL)
    while not Path(f"/tmp/.X11-unix/X{display[1:]}").exists():
        assert server.poll() is None, "Xvfb ended"
        time.sleep(0.02)
    yield kept | {"DISPLAY": display}
    server.terminate()
    server.wait()


@pytest.mark.timeout(300)
def test_the_window_is_usable_soon_after_an_empty_one_would_be(
    platform: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = compare(tmp_path, platform)
    with capsys.disabled():
        print(f"\n{'':12}{'empty':>10}{'window':>10}{'ratio':>8}   ({platform.get('QT_QPA_PLATFORM', 'xcb')}, ms)")
        for moment in ("painted", "idle", "cpu", "interactive", "complete"):
            empty, ours = middle(runs["empty"], moment), middle(runs["window"], moment)
            print(f"{moment:12}{empty * 1000:10.0f}{ours * 1000:10.0f}{ours / empty:8.2f}")
    ratio = middle(runs["window"], "idle") / middle(runs["empty"], "idle")
    assert ratio <= MOST, f"usable after {ratio:.2f} times what an empty window takes"
