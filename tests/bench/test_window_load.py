"""The real window under load: a flood of progress and previews, and a thousand jobs at once.

    python -m pytest tests/bench/test_window_load.py -s

The pod is a process of its own, the window too, on an X server of its own (Xvfb). What else the machine does counts as
a stall: so beside each figure stands how much of it the GUI thread itself worked, and the best of RUNS runs is held to.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.figures import record

ROOT = Path(__file__).parents[2]
COMMAND = "pytest tests/bench/test_window_load.py -s"
RUNS = 3
STEPS, PREVIEWS, SIZE = 10_000, 1_000, 100_000
SLOW = "0.02"
"""Speed of the pod while jobs are queued: the first is still at work when the last is there."""
Seen = dict[str, float]


def measure(kind: str, pod: list[str], folder: Path, environment: dict[str, str]) -> Seen:
    """One run of the window against one pod."""
    command = [sys.executable, "-m", *pod]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment
    ) as server:
        assert server.stdout is not None
        url = server.stdout.readline().strip()
        window = [sys.executable, "-m", "tests.bench.window_child", kind, url, str(folder)]
        done = subprocess.run(
            window, capture_output=True, text=True, cwd=ROOT, env=environment, timeout=120, check=False
        )
        server.terminate()
    assert done.returncode == 0, done.stderr
    seen: Seen = json.loads(done.stdout.splitlines()[-1])
    return seen


@pytest.mark.timeout(400)
def test_a_flood_does_not_hold_the_window_up(
    display: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = []
    for number in range(RUNS):
        folder = tmp_path / str(number)
        pod = ["tests.bench.flood_pod", str(folder / "pod"), str(STEPS), str(PREVIEWS), str(SIZE)]
        runs.append(measure("flood", pod, folder / "data", display))
    best = min(runs, key=lambda run: run["worst"])
    with capsys.disabled():
        note = f"{best['seconds']:.2f} s; the thread's own work {best['own_p99']:.1f}, worst {best['own_worst']:.1f} ms"
        stall = record("GUI stall in a flood, p99", best["p99"], "ms", "≤ 16", COMMAND, note)
        worst = record("GUI stall in a flood, worst", best["worst"], "ms", "≤ 50", COMMAND)
    assert all(run["complete"] and run["says_last"] for run in runs), "the last state is shown"
    assert all(run["shown"] > 0 for run in runs), "and pictures on the way"
    assert stall.met
    assert worst.met


@pytest.mark.timeout(400)
def test_a_thousand_jobs_are_queued_without_a_stall(
    display: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seen = measure("enqueue", ["comfydesk.demo", str(tmp_path / "pod"), SLOW], tmp_path / "data", display)
    rounds = [{name: seen[f"{name}_{number}"] for name in ("worst", "p99", "seconds")} for number in range(RUNS)]
    best = min(rounds, key=lambda one: one["worst"])
    grown = seen[f"rss_after_{RUNS - 1}"] - seen["rss_after_0"]
    with capsys.disabled():
        stall = record("GUI stall while 1,000 jobs are queued, worst", best["worst"], "ms", "≤ 50", COMMAND)
        took = record("1,000 jobs queued and listed", max(one["seconds"] for one in rounds), "s", "≤ 3", COMMAND)
        memory = record("Memory kept by 2,000 more jobs, cleared", grown, "MB", "≤ 10", COMMAND)
    assert stall.met
    assert took.met
    assert memory.met
