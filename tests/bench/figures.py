"""What the benches found: each figure is printed, and appended to the file that COMFYDESK_FIGURES names (JSON lines).

A line is {"name", "figure", "unit", "goal", "command", "met", "note", "load", "day"}; tests.bench.report makes docs of
them.
"""

import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path

VARIABLE = "COMFYDESK_FIGURES"


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number. `goal`: "≥ 0.9" or "≤ 3", in `unit`; "" where it is only told."""

    name: str
    figure: float
    unit: str
    goal: str
    command: str

    @property
    def met(self) -> bool:
        """Whether it is as good as its goal."""
        if not self.goal:
            return True
        sign, _, wanted = self.goal.partition(" ")
        return self.figure >= float(wanted) if sign == "≥" else self.figure <= float(wanted)


def record(name: str, figure: float, unit: str, goal: str, command: str, note: str = "") -> Figure:
    """Tell a figure, keep it where somebody collects them, and return it."""
    found = Figure(name, round(figure, 4), unit, goal, command)
    print(f"\n{name}: {figure:.3g} {unit}{f' (goal {goal})' if goal else ''}{f' - {note}' if note else ''}")
    if target := os.environ.get(VARIABLE):
        with Path(target).open("a", encoding="utf-8") as lines:
            known = {"met": found.met, "note": note, "load": _load(), "day": time.strftime("%Y-%m-%d %H:%M")}
            lines.write(json.dumps(asdict(found) | known, ensure_ascii=False) + "\n")
    return found


def _load() -> float | None:
    """Of this machine in the last minute, where the system tells."""
    return round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None
