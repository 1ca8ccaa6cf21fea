"""`python -m tests.fuzz NAME [NAME …] [--seconds CPU_SECONDS] [--plain]`: see the package."""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from random import Random
from typing import Any

from tests.fuzz.harness import Watch, load, names

OUT = Path(__file__).parents[2] / "out" / "fuzz"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(names())}; none: all, in turn")
    parser.add_argument("--seconds", type=float, default=60, help="of processor time for each (default: 60)")
    parser.add_argument("--plain", action="store_true", help="without atheris, even where it is")
    parser.add_argument("--seed", type=int, default=None, help="for the plain way: the same inputs again")
    parser.add_argument("--input", type=Path, help="only this file: does it still do it?")
    args = parser.parse_args()
    wanted = args.names or list(names())
    if len(wanted) > 1:  # a process each: coverage is counted from the first import on, and memory by the process
        rest = [text for text in sys.argv[1:] if text not in args.names]
        codes = [subprocess.run([sys.executable, "-m", "tests.fuzz", name, *rest]).returncode for name in wanted]
        return max(codes)
    name = wanted[0]
    if args.input is not None:
        watch = Watch(load(name))
        watch.judge(args.input.read_bytes())
        return 1 if watch.findings else 0
    atheris = None if args.plain else _atheris()
    if atheris is not None:
        guided(atheris, name, args.seconds)
    return plainly(name, args.seconds, args.seed)


def plainly(name: str, seconds: float, seed: int | None) -> int:
    """Examples changed at random, one upon the other."""
    harness = load(name)
    watch, rng, start = Watch(harness, OUT / name), Random(seed), time.process_time()
    pool = list(harness.seeds())
    for data in pool[:2000]:
        watch.judge(data)
    while time.process_time() - start < seconds:
        data = harness.mutate(rng.choice(pool), rng)
        if rng.randrange(3) == 0:
            data = harness.mutate(data, rng)
        watch.judge(data[: harness.longest])
        if rng.randrange(200) == 0 and len(pool) < 5000:
            pool.append(data[: harness.longest])
    return _report(name, watch, "plain", time.process_time() - start)


def guided(atheris: Any, name: str, seconds: float) -> None:
    """atheris decides. Does not return: libFuzzer ends the process, or the end of the time does."""
    with atheris.instrument_imports(include=["comfydesk"], enable_loader_override=False):
        harness = load(name)
        seeds = list(harness.seeds())
    folder = OUT / name
    corpus = folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(seeds):
        (corpus / f"seed-{number}").write_bytes(data[: harness.longest])
    watch, start = Watch(harness, folder), time.process_time()

    def one(data: bytes) -> None:
        watch.judge(data)
        if watch.runs % 16 == 0 and time.process_time() - start > seconds:
            code = _report(name, watch, "atheris", time.process_time() - start)
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    def mutate(data: bytes, longest: int, seed: int) -> bytes:
        rng = Random(seed)
        if rng.randrange(2):
            return harness.mutate(data, rng)[:longest]
        made: bytes = atheris.Mutate(data, longest)
        return made

    options = [
        f"-max_len={harness.longest}",
        "-timeout=120",
        "-rss_limit_mb=4096",
        "-print_final_stats=0",
        "-verbosity=0",
    ]
    atheris.Setup([sys.argv[0], *options, str(corpus)], one, custom_mutator=mutate)
    atheris.Fuzz()


def _report(name: str, watch: Watch, way: str, took: float) -> int:
    line = {
        "name": name,
        "way": way,
        "cpu_seconds": round(took),
        "inputs": watch.runs,
        "slowest_ms": round(watch.slowest * 1000),
        "findings": sorted(watch.findings),
    }
    print(json.dumps(line))
    if took < 10:  # only to see that it works
        return 1 if watch.findings else 0
    OUT.mkdir(parents=True, exist_ok=True)
    with (OUT / "figures.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
    return 1 if watch.findings else 0


def _atheris() -> Any:
    """The module, where it is installed: it is no dependency, for there are wheels for some Pythons only."""
    import importlib

    try:
        return importlib.import_module("atheris")
    except ImportError:
        return None


if __name__ == "__main__":
    sys.exit(main())
