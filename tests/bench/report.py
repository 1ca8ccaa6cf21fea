"""What the benches found, kept in docs/benchmarks.json, told in docs/benchmarks.md.

A bench that is run replaces all of its figures; those of the others stay, each with its own date and load.
"""

import json
import os
import platform
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parents[2] / "docs"
STORED, PAGE = "benchmarks.json", "benchmarks.md"
Entry = dict[str, Any]

PARTS = (
    ("Start, memory, idle", ("test_startup", "test_app")),
    ("Against ComfyUI's own frontend", ("test_frontend",)),
    ("Workflows", ("test_convert_speed", "test_scan")),
    ("Pods", ("test_reconnect",)),
    (
        "Queue",
        (
            "test_throughput",
            "test_enqueue",
            "test_window_load",
            "test_flood",
            "test_pods",
            "test_download",
            "test_eta",
            "test_kill",
            "test_soak",
        ),
    ),
    ("Browsing workflows", ("test_browser_speed",)),
    ("Library", ("test_gallery_speed", "test_library_speed", "test_import_speed", "test_viewer_speed")),
    ("Prompt enhancement", ("test_llm_speed", "test_enhance_window")),
    ("What is right or wrong, not fast or slow", ("test_must_show",)),
)
HEAD = """# Measurements

`make bench` runs everything in `tests/bench` (under 20 minutes) and writes this page and [benchmarks.json]({stored}).
Figures are medians where a bench has several rounds; what its own words below say otherwise holds. Ratios compare two
things in the same run on the same machine. *Load* is the number of processes that wanted a processor in the minute
before: of a busy machine figures say less.

{machine}

{summary}
"""
COMPARED = """
With a ComfyUI and a Chromium at hand it also measures ComfyUI's own frontend, beside this program in the same run:
`COMFYDESK_CHROMIUM=/usr/bin/chromium COMFYDESK_REAL_COMFYUI=ComfyUI/main.py
COMFYDESK_REAL_PYTHON=ComfyUI/.venv/bin/python make bench` (the second may be the address of one that runs, too).
"""
COLUMNS = "| What | Figure | Goal | Met | Command | Load | When |\n| --- | --- | --- | --- | --- | --- | --- |\n"
TROUBLE = "\n## Benches without a result\n\n| Bench | | Why | When |\n| --- | --- | --- | --- |\n"


@dataclass(frozen=True, slots=True)
class Ran:
    """What became of a bench. `kind`: "well", "missed" (a goal), "left out", "broke"."""

    name: str
    kind: str
    words: str
    seconds: float
    day: str


def machine() -> str:
    """What it ran on, in a few words; nothing that names the computer."""
    system = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    return f"{os.cpu_count()} cores ({_processor()}), {_memory()}{system}, Qt {_qt()}"


def bench_of(entry: Entry) -> str:
    """The file of tests/bench that a figure comes from."""
    found = re.search(r"tests/bench/(test_\w+)", str(entry["command"]))
    return found[1] if found else ""


def read_lines(path: Path) -> list[Entry]:
    """JSON lines, as figures.record leaves them; none if there is no such file."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def take(ran: Ran, figures: list[Entry]) -> None:
    """Keep what a bench found, and write the page anew. Of one that was left out, what was known before stays."""
    known = _known()
    where = machine()
    kept = known["figures"]
    if ran.kind != "left out":
        kept = [each for each in kept if bench_of(each) != ran.name]
    kept += [{**each, "machine": where} for each in figures]
    benches = {**known["benches"], ran.name: asdict(ran)}
    text = json.dumps({"machine": where, "benches": benches, "figures": kept}, ensure_ascii=False, indent=1)
    (DOCS / STORED).write_text(text + "\n", encoding="utf-8")
    (DOCS / PAGE).write_text(page(where, benches, kept), encoding="utf-8")


def summary() -> dict[str, int]:
    """How many figures have a goal, and how many reach it."""
    return _counted(_known()["figures"])


def page(where: str, benches: dict[str, Entry], figures: list[Entry]) -> str:
    """As Markdown: what was missed first, then a table for each part."""
    counted = _counted(figures)
    missed = [each for each in figures if not each["met"]]
    words = f"**{counted['met']} of {counted['goals']} goals met, {counted['missed']} missed**" + (
        ":" if missed else "."
    )
    lines = [f"* {each['name']}: {_amount(each)} (goal {each['goal']})\n" for each in missed]
    text = HEAD.format(stored=STORED, machine=f"Machine: {where}.", summary=words) + "\n" * bool(lines) + "".join(lines)
    text += COMPARED
    listed = {name for _, names in PARTS for name in names}
    others = dict.fromkeys(bench_of(each) for each in figures if bench_of(each) not in listed)
    for title, names in (*PARTS, ("More", tuple(others))):
        rows = [_row(each) for name in names for each in figures if bench_of(each) == name]
        if rows:
            text += f"\n## {title}\n\n{COLUMNS}{''.join(rows)}"
    trouble = [each for each in benches.values() if each["kind"] in ("broke", "left out")]
    if trouble:
        text += TROUBLE
        text += "".join(
            f"| {each['name']} | {each['kind']} | {_cell(each['words'])} | {each['day']} |\n" for each in trouble
        )
    return text


def _known() -> dict[str, Any]:
    path = DOCS / STORED
    found = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return found if isinstance(found, dict) and "figures" in found else {"figures": [], "benches": {}}


def _counted(figures: list[Entry]) -> dict[str, int]:
    goals = [each for each in figures if each["goal"]]
    met = sum(bool(each["met"]) for each in goals)
    return {"figures": len(figures), "goals": len(goals), "met": met, "missed": len(goals) - met}


def _amount(entry: Entry) -> str:
    figure = entry["figure"]
    return f"{figure:,.0f} {entry['unit']}".strip() if abs(figure) >= 1000 else f"{figure:.3g} {entry['unit']}".strip()


def _row(entry: Entry) -> str:
    note = f"<br>{entry['note']}" if entry.get("note") else ""
    met = "" if not entry["goal"] else "yes" if entry["met"] else "**missed**"
    load = "" if entry.get("load") is None else f"{entry['load']:.1f}"
    cells = (entry["name"] + note, _amount(entry), entry["goal"], met, f"`{entry['command']}`", load, entry["day"])
    return "| " + " | ".join(_cell(cell) for cell in cells) + " |\n"


def _cell(words: object) -> str:
    return str(words).replace("|", "\\|").replace("\n", " ")


def _processor() -> str:
    """Its kind, where the system tells."""
    info = Path("/proc/cpuinfo")
    found = re.search(r"^model name\s*:\s*(.+)$", info.read_text(), re.MULTILINE) if info.exists() else None
    return found[1].strip() if found else platform.processor() or "unknown"


def _memory() -> str:
    if not hasattr(os, "sysconf") or "SC_PHYS_PAGES" not in os.sysconf_names:
        return ""
    return f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30:.0f} GB of memory, "


def _qt() -> str:
    from PySide6.QtCore import qVersion

    return qVersion()
