"""A batch as the sheet describes it: what was typed and chosen → the jobs that makes, or what is wrong and where.

`plan` reads files and may take a while: for worker threads.
"""

import csv
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from comfydesk.errors import KnownError
from comfydesk.qt.models.words import DOT, TIMES
from comfydesk.qt.theme.language import said, tr
from comfydesk.workflow import batch_sources
from comfydesk.workflow.batch_prompts import prompts_of, with_prompts
from comfydesk.workflow.batches import Batch, JobSet
from comfydesk.workflow.field_text import MEDIA_KINDS, BatchError, fields_named
from comfydesk.workflow.fields import Field, Form, Kind, Role
from comfydesk.workflow.patch import SeedPolicy

if TYPE_CHECKING:
    from comfydesk.workflow.batch_sources import Axis

PREVIEWED = 5
"""Jobs whose values are shown before they are queued."""
SHOWN_ROWS = 4
"""Of a table, below its first row."""


class Part(StrEnum):
    """Where on the sheet a message belongs."""

    SEEDS = "seeds"
    PROMPTS = "prompts"
    ENHANCE = "enhance"
    TABLE = "table"
    FOLDER = "folder"
    GRID = "grid"
    WILDCARDS = "wildcards"
    WHOLE = "whole"


class Seeds(StrEnum):
    """How jobs differ in their seed."""

    RANDOM = "random"
    INCREMENT = "increment"
    LIST = "list"


@dataclass(frozen=True, slots=True)
class Table:
    """A CSV, and which input each of its columns is for."""

    path: Path
    text: str = field(repr=False)
    delimiter: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    """The first ones, to be looked at."""
    fields: tuple[str, ...]
    """Of each column the id of its field; "" leaves it out."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """All that the sheet says."""

    repeats: int = 1
    seeds: Seeds = Seeds.RANDOM
    seed_list: str = ""
    prompts: str = ""
    table: Table | None = None
    folder: Path | None = None
    folder_field: str = ""
    grid: tuple[tuple[str, str], ...] = ()
    """(field id, values separated by commas)"""
    wildcards: Path | None = None
    any_pod: bool = False
    enhanced: Mapping[str, str] = field(default_factory=dict)
    """Prompt → what a language model made of it, where that is to be taken."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What comes of it. `batch` is None as long as something is wrong."""

    batch: Batch | None
    problems: Mapping[Part, str]
    preview: tuple[str, ...] = ()
    """What differs in the first jobs, in words."""
    notes: Mapping[Part, str] = field(default_factory=dict)
    """What a part adds: "12 prompts"."""
    prompts: tuple[str, ...] = ()
    """Each once, before enhancing."""

    @property
    def total(self) -> int:
        return 0 if self.batch is None else self.batch.total


def media_fields(form: Form) -> tuple[Field, ...]:
    """Those that a folder of files can fill."""
    return tuple(entry for entry in form.fields if entry.kind in MEDIA_KINDS)


def grid_fields(form: Form) -> tuple[Field, ...]:
    """Those worth comparing, the ones on the first screen first."""
    return tuple(entry for entry in form.fields if entry.kind is not Kind.OTHER)


def read_table(form: Form, path: Path) -> Table:
    """A CSV with its columns matched to fields by their names, where they have any. Raises BatchError."""
    from comfydesk.session.jobs.batch_files import read_text

    text = read_text(path).removeprefix("\ufeff")
    first = text.splitlines()[0] if text.strip() else ""
    delimiter = max(",;\t", key=first.count)
    rows: list[tuple[str, ...]] = []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            rows.append(tuple(row))
            if len(rows) > SHOWN_ROWS:
                break
    except csv.Error as error:
        what = f"{path.name} cannot be read"
        raise BatchError(what, f"{error}, near line {len(rows) + 1}") from error
    if not rows:
        what = f"{path.name} is empty"
        raise BatchError(what, "Its first row names the inputs")
    return Table(path, text, delimiter, rows[0], tuple(rows[1:]), tuple(_guess(form, name) for name in rows[0]))


def _guess(form: Form, name: str) -> str:
    try:
        return fields_named(form, name)[0].id if name.strip() else ""
    except BatchError:
        return ""


def table_axis(form: Form, table: Table) -> "Axis":
    """The rows as jobs. Raises BatchError with row and column."""
    wanted = [at for at, field_id in enumerate(table.fields) if field_id]
    if not wanted:
        raise BatchError(tr("No column is for an input"), "", tr("Choose an input for at least one column"))
    reader = csv.reader(io.StringIO(table.text, newline=""), delimiter=table.delimiter)
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=table.delimiter)
    for number, row in enumerate(reader):
        cells = table.fields if number == 0 else row
        writer.writerow([cells[at] if at < len(cells) else "" for at in wanted])
    try:
        return batch_sources.table(form, out.getvalue(), folder=table.path.parent)
    except BatchError as error:
        what = error.what
        for name, field_id in zip(table.header, table.fields, strict=True):
            # As the table calls it, not as the fields are called.
            what = what.replace(f"column {field_id}:", f"column {name.strip()}:") if field_id else what
        raise BatchError(what, error.why, error.advice) from error


class _Work:
    """Collects axes, and what is wrong with those that cannot be made."""

    def __init__(self) -> None:
        self.problems: dict[Part, str] = {}
        self.notes: dict[Part, str] = {}

    def axis(self, part: Part, make: Callable[[], "Axis"]) -> "tuple[Axis, ...]":
        try:
            made = make()
        except KnownError as error:
            self.problems[part] = sentences(error)
            return ()
        if part is Part.GRID:
            before = self.notes.get(part)
            self.notes[part] = f"{before} {TIMES} {len(made.points):,}" if before else f"{len(made.points):,}"
        else:
            self.notes[part] = f"{len(made.points):,} {made.name}"
        return (made,)


def sentences(error: KnownError) -> str:
    """What, why and what to do, each as a sentence."""
    return " ".join(f"{said(part).rstrip('.')}." for part in (error.what, error.why, error.advice) if part)


def plan(form: Form, base: Mapping[str, Any], wishes: Wishes, entropy: int) -> Plan:
    """`base`: what the form says. The same wishes and `entropy` make the same jobs."""
    from comfydesk.session.jobs.batch_files import files_in
    from comfydesk.session.jobs.wildcards import load_wildcards
    from comfydesk.workflow.wildcards import Wildcards

    work, lists = _Work(), list[Any]()
    if wishes.prompts.strip():
        lists += work.axis(Part.PROMPTS, lambda: batch_sources.prompts(form, wishes.prompts))
    table, folder = wishes.table, wishes.folder
    if table is not None:
        lists += work.axis(Part.TABLE, lambda: table_axis(form, table))
    if folder is not None and wishes.folder_field in form.by_id:
        target = form.by_id[wishes.folder_field]
        lists += work.axis(Part.FOLDER, lambda: batch_sources.files(target, files_in(folder)))
    if wishes.seeds is Seeds.LIST:
        lists += work.axis(Part.SEEDS, lambda: batch_sources.seeds(form, batch_sources.seeds_of_text(wishes.seed_list)))
    grid: list[Any] = []
    for field_id, text in wishes.grid:
        grid += work.axis(Part.GRID, partial(batch_sources.values_of_text, form, field_id, text))
    wildcards = Wildcards()
    if wishes.wildcards is not None:
        try:
            wildcards = load_wildcards(wishes.wildcards)
        except KnownError as error:
            work.problems[Part.WILDCARDS] = sentences(error)
    policies = {Seeds.RANDOM: SeedPolicy.RANDOM, Seeds.INCREMENT: SeedPolicy.INCREMENT, Seeds.LIST: SeedPolicy.FIXED}
    try:
        batch = Batch(
            form,
            base,
            tuple(lists),
            tuple(grid),
            repeats=wishes.repeats,
            seeds=policies[wishes.seeds],
            wildcards=wildcards,
            entropy=entropy,
        )
        batch.check()
        prompts = prompts_of(batch)
        if wishes.enhanced:
            batch = with_prompts(batch, wishes.enhanced)
        first = batch.first(PREVIEWED)
    except KnownError as error:
        work.problems.setdefault(Part.WHOLE, sentences(error))
        return Plan(None, work.problems, notes=work.notes)
    preview = tuple(_words(form, batch, one) for one in first)
    return Plan(None if work.problems else batch, work.problems, preview, work.notes, prompts)


def _words(form: Form, batch: Batch, one: JobSet) -> str:
    """What a job has of its own."""
    varied = {field_id for axis in (*batch.lists, *batch.grid) for field_id in axis.fields} | set(one.drawn)
    seeds = {entry.id for entry in form.fields if entry.role is Role.SEED or entry.kind is Kind.SEED}
    parts = []
    for entry in form.fields:
        if entry.id in varied | seeds and entry.id in one.values:
            value = one.values[entry.id]
            shown = value.name if isinstance(value, Path) else str(value)
            parts.append(shown if entry.role is Role.PROMPT else f"{entry.label} {shown}")
    return f" {DOT} ".join(parts) or tr("as the form is")
