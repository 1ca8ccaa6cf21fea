"""What outputs were made from and with: their runs, graphs and values; and what is read out of these."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from comfydesk.events import Change, OutputsChanged
from comfydesk.store.database import Database, listed
from comfydesk.store.outputs import of_row, plain_text
from comfydesk.store.packing import unpack_values
from comfydesk.store.records import Output


@dataclass(frozen=True, slots=True)
class Provenance:
    """An output and what is known of its making."""

    output: Output
    values: Mapping[str, Any] = field(default_factory=dict)
    """Field id → value as the form had them; LocalFile for what was uploaded."""
    drawn: Mapping[str, str] = field(default_factory=dict)
    """Field id → the text its wildcards were drawn in."""
    timings: Mapping[str, float] = field(default_factory=dict)
    """Moment (created, sent, started, finished) → seconds since the epoch."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Name → value, of files that carry values but no graph."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What was found out about an output; None and "" for what was not: what is known already stays then."""

    output: int
    prompt: str = ""
    negative: str = ""
    seed: int | None = None
    models: tuple[tuple[str, str], ...] = ()
    """Name and kind; see facts."""
    model: str = ""
    sampler: str = ""
    scheduler: str = ""
    steps: float | None = None
    cfg: float | None = None
    seconds: float | None = None


_SELECT = """SELECT outputs.*, runs.field_values, runs.timings, runs.drawn FROM outputs
    LEFT JOIN runs ON runs.id = outputs.run"""


def of_outputs(db: Database, ids: Sequence[int]) -> tuple[Provenance, ...]:
    """Of those of `ids` that exist, in the order of `ids`."""
    rows = db.query(f"{_SELECT} WHERE outputs.id IN (SELECT value FROM json_each(?))", (listed(ids),))  # noqa: S608
    found = {row["id"]: _of_row(row) for row in rows}
    return tuple(found[key] for key in ids if key in found)


def unread(db: Database, rules: int, limit: int) -> tuple[Provenance, ...]:
    """Outputs with a graph that these rules have not read."""
    rows = db.query(
        f"{_SELECT} WHERE facts < ? AND outputs.graph_hash IS NOT NULL ORDER BY facts, outputs.id LIMIT ?",
        (rules, limit),
    )
    return tuple(_of_row(row) for row in rows)


def note_readings(db: Database, readings: Sequence[Reading], rules: int) -> tuple[Change, ...]:
    """Write down what was found out; outputs that are gone are passed over."""
    with db.transaction():
        changed = tuple(reading.output for reading in readings if _note(db, reading, rules))
    return (OutputsChanged(updated=changed),) if changed else ()


def _note(db: Database, reading: Reading, rules: int) -> bool:
    done = db.execute(
        """UPDATE outputs SET facts = ?, prompt = iif(prompt = '', ?, prompt), negative = ?, seed = coalesce(seed, ?),
            model = ?, models = ?, sampler = ?, scheduler = ?, steps = ?, cfg = ?, seconds = coalesce(?, seconds)
        WHERE id = ?""",
        (
            rules,
            plain_text(reading.prompt),
            plain_text(reading.negative),
            None if reading.seed is None else str(reading.seed),
            plain_text(reading.model),
            "\n".join(plain_text(name) for name, _ in reading.models),
            plain_text(reading.sampler),
            plain_text(reading.scheduler),
            reading.steps,
            reading.cfg,
            reading.seconds,
            reading.output,
        ),
    )
    if not done:
        return False
    db.execute("DELETE FROM output_models WHERE output = ?", (reading.output,))
    for name, kind in reading.models:
        db.execute(
            "INSERT OR IGNORE INTO output_models (output, model, kind) VALUES (?, ?, ?)",
            (reading.output, plain_text(name), kind),
        )
    return True


def models_of(db: Database, output: int) -> tuple[tuple[str, str], ...]:
    """Name and kind of every model file, in the order in which the graph loads them."""
    row = db.first("SELECT models FROM outputs WHERE id = ?", (output,))
    kinds = {
        found["model"]: found["kind"]
        for found in db.query("SELECT model, kind FROM output_models WHERE output = ?", (output,))
    }
    names = row["models"].split("\n") if row and row["models"] else []
    return tuple((name, kinds.get(name, "other")) for name in names)


def _of_row(row: Any) -> Provenance:
    timings = json.loads(row["timings"] or "{}")
    return Provenance(
        of_row(row),
        unpack_values(row["field_values"] or "{}"),
        json.loads(row["drawn"] or "{}"),
        {name: value for name, value in timings.items() if value is not None},
        json.loads(row["settings"] or "{}"),
    )
