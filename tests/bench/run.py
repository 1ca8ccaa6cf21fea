"""Runs the benches one after the other and writes docs/benchmarks.md and .json: `make bench`.

    python -m tests.bench.run [BENCH…]       all, or those named (test_startup …)

Each bench is a process of its own with a time limit. One that fails, hangs or misses its goal is told in the report and
stops no other. What is measured is written after each bench. Together they keep to TOTAL_S: what does not fit any more
is told to be left out. Exit code 1 when a bench broke (a missed goal is a result, and ends in 0).
"""

import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench import report
from tests.bench.figures import VARIABLE
from tests.bench.screens import end, environment, tree, xvfb

ROOT = Path(__file__).parents[2]
TOTAL_S = 19 * 60.0
LEAST_S = 10.0
OTHER_S = 60.0
"""For a bench that nobody has listed below."""


@dataclass(frozen=True, slots=True)
class Bench:
    """One file of tests/bench."""

    name: str
    limit: float
    """Seconds, some three times what it takes on two quiet cores."""


BENCHES = (
    Bench("test_startup", 150),
    Bench("test_app", 180),
    Bench("test_frontend", 330),
    Bench("test_throughput", 90),
    Bench("test_window_load", 90),
    Bench("test_enqueue", 30),
    Bench("test_flood", 30),
    Bench("test_gallery_speed", 240),
    Bench("test_library_speed", 120),
    Bench("test_import_speed", 120),
    Bench("test_browser_speed", 40),
    Bench("test_convert_speed", 40),
    Bench("test_scan", 40),
    Bench("test_reconnect", 30),
    Bench("test_eta", 40),
    Bench("test_llm_speed", 30),
    Bench("test_enhance_window", 90),
    Bench("test_download", 150),
    Bench("test_pods", 180),
    Bench("test_must_show", 200),
    Bench("test_viewer_speed", 170),
    Bench("test_soak", 60),
    Bench("test_kill", 150),
)
QUICK = {"COMFYDESK_KILLS": "10"}
"""What `make bench` asks of the benches that can take any length; what is set outside holds."""


def run(bench: Bench, seconds: float, logs: Path) -> tuple[report.Ran, list[report.Entry]]:
    """One bench; what became of it, and its figures."""
    log, began = logs / f"{bench.name}.log", time.monotonic()
    with TemporaryDirectory(prefix="cdb-") as folder:
        lines = Path(folder) / "figures.jsonl"
        command = [sys.executable, "-m", "pytest", f"tests/bench/{bench.name}.py", "-s", "-q", "-rs", "--tb=short"]
        command += ["-p", "no:cacheprovider", f"--basetemp={folder}/t", f"--timeout={seconds + 60:.0f}"]
        with log.open("w", encoding="utf-8") as output, xvfb() as screen:
            shown = {"QT_QPA_PLATFORM": "offscreen"} if screen is None else {"DISPLAY": screen}
            environ = QUICK | environment() | shown | {VARIABLE: str(lines)}
            process = subprocess.Popen(
                command, cwd=ROOT, env=environ, stdout=output, stderr=output, text=True, start_new_session=True
            )
            try:
                code: int | None = process.wait(seconds)
            except subprocess.TimeoutExpired:
                code = None
            # Pods, windows and browsers have groups of their own.
            started = tree(process.pid) if code is None else []
            end(process, group=True)
            for pid in started:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        figures = report.read_lines(lines)
    return outcome(bench.name, code, time.monotonic() - began, figures, log.read_text(errors="replace")), figures


def outcome(name: str, code: int | None, seconds: float, figures: list[report.Entry], said: str) -> report.Ran:
    """What to tell of a bench. A goal that was missed explains why pytest failed; anything else has to be told."""
    missed = [each for each in figures if not each["met"]]
    if code is None:
        kind, words = "broke", f"not over after {seconds:.0f} s"
    elif code and not missed:
        kind, words = "broke", _reason(said)
    elif not figures:
        kind, words = "left out", _skipped(said)
    else:
        kind, words = "missed" if missed else "well", ""
    return report.Ran(name, kind, words, round(seconds, 1), time.strftime("%Y-%m-%d %H:%M"))


def _reason(said: str) -> str:
    """The last thing that pytest says about an error, in one line."""
    errors = [line[1:].strip() for line in said.splitlines() if line.startswith("E  ")]
    return (errors[-1] if errors else said.strip().splitlines()[-1] if said.strip() else "no word")[:300]


def _skipped(said: str) -> str:
    found = re.findall(r"^SKIPPED \[\d+\] \S+ (.*)$", said, re.MULTILINE)
    return "; ".join(dict.fromkeys(found)) or "no figure"


def main(names: list[str]) -> int:
    """All of it; the exit code."""
    known = {bench.name: bench for bench in BENCHES}
    there = sorted(path.stem for path in Path(__file__).parent.glob("test_*.py"))
    known |= {name: Bench(name, OTHER_S) for name in there if name not in known}
    if unknown := set(names) - set(known):
        sys.exit(f"no bench {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    wanted = [bench for name, bench in known.items() if not names or name in names]
    logs = ROOT / "out" / "bench"
    logs.mkdir(parents=True, exist_ok=True)
    over, broke = time.monotonic() + TOTAL_S, 0
    for bench in wanted:
        left = over - time.monotonic()
        if left < LEAST_S:
            ran = report.Ran(bench.name, "left out", f"no time left of {TOTAL_S / 60:.0f} minutes", 0, "")
            figures: list[report.Entry] = []
        else:
            print(f"{bench.name} …", flush=True)
            ran, figures = run(bench, min(bench.limit, left), logs)
        report.take(ran, figures)
        broke += ran.kind == "broke"
        for each in figures:
            goal = f" (goal {each['goal']}{'' if each['met'] else ', MISSED'})" if each["goal"] else ""
            print(f"    {each['name']}: {each['figure']:.3g} {each['unit']}{goal}", flush=True)
        print(f"  {ran.kind} in {ran.seconds:.0f} s {ran.words}", flush=True)
    print(f"{json.dumps(report.summary())}\nsee {report.DOCS / report.PAGE} and {logs}", flush=True)
    return 1 if broke else 0


if __name__ == "__main__":
    os.chdir(ROOT)
    sys.exit(main(sys.argv[1:]))
