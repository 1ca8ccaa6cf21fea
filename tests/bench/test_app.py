"""The whole program as the user has it: cold start, memory, and what it takes while nobody does anything.

    pytest tests/bench/test_app.py -s        (COMFYDESK_FROZEN=dist/comfydesk names the build; that is also the default)

Cold: with a fresh folder for its data each time; the system's cache of files is warm. Memory is the PSS of the program
with all that it started (Linux), some seconds after the last thing happened. The demo pod is a process of its own and
does not count.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from comfydesk.demo.process import DemoProcess
from release import smoke
from tests.bench import gallery_child
from tests.bench.figures import record
from tests.bench.screens import end, memory, tree, worked

ROOT = Path(__file__).parents[2]
COMMAND = "pytest tests/bench/test_app.py -s"
STARTS = 3
PATIENCE_S = 60.0
SETTLE_S = 8.0
IDLE_S = 15.0
OUTPUTS, WORKFLOWS = 10_000, 5_000
WORKFLOW = ROOT / "resources" / "workflows" / "text_to_image.json"
BUILD = Path(os.environ.get("COMFYDESK_FROZEN", ROOT / "dist" / "comfydesk"))
Moments = dict[str, float]

pytestmark = pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="reads memory in /proc")


@contextmanager
def window(display: dict[str, str], data: Path, *arguments: str) -> Iterator[tuple["subprocess.Popen[str]", Moments]]:
    """A window that is ready (see app_child), and after how many seconds it was what."""
    command = [sys.executable, "-m", "tests.bench.app_child", "wait", "--data-dir", str(data), *arguments]
    began = time.monotonic()
    process = subprocess.Popen(command, cwd=ROOT, env=display, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        moments: Moments = {}
        while "ready" not in moments:
            said = json.loads(process.stdout.readline())
            moments[said["at"]] = said["time"] - began
        yield process, moments
    finally:
        if process.stdin is not None:
            process.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            process.wait(PATIENCE_S / 6)
        end(process)
        if process.stdout is not None:
            process.stdout.close()


@pytest.fixture
def pod(tmp_path: Path) -> Iterator[str]:
    """The address of a demo pod."""
    process = DemoProcess.launch(tmp_path / "pod")
    try:
        yield process.url
    finally:
        process.kill()


@pytest.mark.timeout(200)
def test_cold_start(display: dict[str, str], tmp_path: Path, pod: str, capsys: pytest.CaptureFixture[str]) -> None:
    alone, joined = [], []
    for number in range(STARTS + 1):
        with window(display, tmp_path / f"alone{number}") as (_, moments):
            alone.append(moments)
        with window(display, tmp_path / f"joined{number}", "--pod", pod, str(WORKFLOW)) as (_, moments):
            joined.append(moments)
    with capsys.disabled():
        for name, runs, moment in (
            ("cold start: first frame", alone, "painted"),
            ("cold start: library open and workflows listed, no pod", alone, "ready"),
            ("cold start: pod joined, workflow open, Generate can be pressed", joined, "ready"),
        ):
            times = [run[moment] for run in runs[1:]]
            note = f"{STARTS} starts, {min(times):.2f} to {max(times):.2f} s"
            record(name, statistics.median(times), "s", "", COMMAND, note)


@pytest.mark.timeout(120)
def test_the_build_starts_about_as_quickly_as_the_source(
    display: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    program = BUILD / "comfydesk"
    if not program.exists():
        pytest.skip("there is no build (make build)")
    if shutil.which("xdotool") is None:
        pytest.skip("no xdotool here")
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(STARTS + 1):
        commands: tuple[list[str | Path], ...] = ([program], [sys.executable, "-m", "comfydesk"])
        for into, command in zip(times, commands, strict=True):
            took = smoke.seconds_to_window(command, tmp_path, display["DISPLAY"])
            if number:
                into.append(took)
    frozen, source = map(statistics.median, times)
    with capsys.disabled():
        note = f"window seen after {frozen:.2f} s and {source:.2f} s, {STARTS} starts of each by turns"
        assert record("cold start: the build against the source", frozen / source, "times", "≤ 1.3", COMMAND, note).met


@pytest.mark.timeout(120)
def test_memory_and_processor_while_idle(
    display: dict[str, str], tmp_path: Path, pod: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with window(display, tmp_path / "data", "--pod", pod, str(WORKFLOW)) as (process, _):
        share = share_while_idle(process)
        taken = memory(tree(process.pid))
    with window(display, tmp_path / "alone") as (process, _):
        alone = share_while_idle(process)
    with capsys.disabled():
        note = f"{IDLE_S:.0f} s, on the demo pod, workflow open"
        found = [
            record("idle: processor", share, "% of a core", "≤ 0.5", COMMAND, note),
            record("idle: processor, no pod", alone, "% of a core", "≤ 0.5", COMMAND, f"{IDLE_S:.0f} s"),
        ]
        record("idle: memory", taken, "MB", "", COMMAND, "on the demo pod, workflow open, empty library")
    assert all(figure.met for figure in found)


@pytest.mark.timeout(120)
def test_memory_with_many_outputs_and_workflows(
    display: dict[str, str], tmp_path: Path, pod: str, capsys: pytest.CaptureFixture[str]
) -> None:
    gallery_child.make(tmp_path / "outputs", OUTPUTS)
    listed = tmp_path / "workflows"
    listed.mkdir()
    (tmp_path / "listed").mkdir()
    text = WORKFLOW.read_text(encoding="utf-8")
    for number in range(WORKFLOWS):
        # Each another file, or the scan would know it already.
        (listed / f"workflow {number:04}.json").write_text(text + " " * number, encoding="utf-8")
    (tmp_path / "listed" / "settings.toml").write_text(
        f"[workflows]\nfolders = {json.dumps(str(listed))}\n", encoding="utf-8"
    )
    found = {}
    for name in ("outputs", "listed"):
        with window(display, tmp_path / name, "--pod", pod, str(WORKFLOW)) as (process, _):
            wait_until_quiet(process)
            found[name] = memory(tree(process.pid))
    with capsys.disabled():
        record(f"idle: memory with {OUTPUTS:,} outputs", found["outputs"], "MB", "", COMMAND)
        record(f"idle: memory with {WORKFLOWS:,} workflows of a folder", found["listed"], "MB", "", COMMAND)


def share_while_idle(process: "subprocess.Popen[str]") -> float:
    """Percent of one core that it uses with its children, once the start is over."""
    time.sleep(SETTLE_S)
    pids = tree(process.pid)
    before, began = worked(pids), time.monotonic()
    time.sleep(IDLE_S)
    return (worked(tree(process.pid)) - before) / (time.monotonic() - began) * 100


def wait_until_quiet(process: "subprocess.Popen[str]") -> None:
    """Until it has used next to nothing for SETTLE_S: what was to be read has been read."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        before = worked(tree(process.pid))
        time.sleep(SETTLE_S / 2)
        if worked(tree(process.pid)) - before < 0.05 * SETTLE_S / 2:
            return
