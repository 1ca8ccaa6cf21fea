"""Takes what the benches found into docs/benchmarks.json, and writes docs/benchmarks.md from that.

    python -m tests.bench.report figures.jsonl

`make bench` does both. A figure that was not measured this time stays as it was, with its own date and load.
"""

import json
import os
import platform
import sys
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parents[2] / "docs"
STORED, PAGE = "benchmarks.json", "benchmarks.md"
HEAD = """# Measurements

What the benches in `tests/bench` found, each with its command (`make bench` runs all and writes this page). The load is
the number of processes that wanted a processor in the minute before: figures taken on a busy machine say less.

| What | Figure | Goal | Met | Command | Machine | Load | When |
| --- | --- | --- | --- | --- | --- | --- | --- |
"""


def machine() -> str:
    """What it ran on, in a few words; nothing that names the computer."""
    return f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}"


def merged(known: list[dict[str, Any]], new: list[dict[str, Any]], where: str) -> list[dict[str, Any]]:
    """The latest of each name, by name."""
    figures = {entry["name"]: entry for entry in known}
    figures.update({entry["name"]: {**entry, "machine": where} for entry in new})
    return [figures[name] for name in sorted(figures)]


def page(figures: list[dict[str, Any]]) -> str:
    """As a table in Markdown."""
    return HEAD + "".join(_row(entry) for entry in figures)


def _row(entry: dict[str, Any]) -> str:
    figure = f"{entry['figure']:.3g} {entry['unit']}".strip()
    note = f"<br>{entry['note']}" if entry.get("note") else ""
    met = "" if not entry["goal"] else "yes" if entry["met"] else "**no**"
    load = "" if entry.get("load") is None else f"{entry['load']:.1f}"
    cells = (
        entry["name"] + note,
        figure,
        entry["goal"],
        met,
        f"`{entry['command']}`",
        entry["machine"],
        load,
        entry.get("day", ""),
    )
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |\n"


def main(lines: Path) -> None:
    new = [json.loads(line) for line in lines.read_text(encoding="utf-8").splitlines() if line.strip()]
    stored = DOCS / STORED
    known = json.loads(stored.read_text(encoding="utf-8")) if stored.exists() else []
    figures = merged(known, new, machine())
    stored.write_text(json.dumps(figures, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    (DOCS / PAGE).write_text(page(figures), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
