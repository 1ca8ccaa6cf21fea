"""What batches are made from, as axes: lists of prompts, tables, files, seeds, and the values of a grid.

Everything here is given as text, names or values; `session.jobs.batch_files` reads it from the disk.
"""

import csv
import dataclasses
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from comfydesk.workflow import media_types
from comfydesk.workflow.field_text import MEDIA_KINDS, BatchError, fields_named, value_of
from comfydesk.workflow.fields import Field, Form, Kind, Role
from comfydesk.workflow.live import shorten
from comfydesk.workflow.wildcards import entries

MAX_JOBS = 100_000
"""Jobs of one batch, and so values of one axis."""
MAX_LABEL = 60

_MEDIA = {
    Kind.IMAGE: media_types.IMAGE,
    Kind.VIDEO: media_types.VIDEO,
    Kind.AUDIO: media_types.AUDIO,
    Kind.MODEL3D: media_types.MODEL3D,
}


@dataclass(frozen=True, slots=True)
class Point:
    """One step on an axis: what it sets, and how it is called there. No two of an axis are called the same."""

    values: Mapping[str, Any]
    label: str
    originals: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Field id → what its text was before a language model enhanced it."""


@dataclass(frozen=True, slots=True)
class Axis:
    """One of the things that a batch varies: at each point the fields it sets (field id → value)."""

    name: str
    """In the plural where it is counted: "3 prompts by 4 seeds"."""
    points: tuple[Point, ...]

    @property
    def fields(self) -> frozenset[str]:
        """Ids of what it sets anywhere."""
        return frozenset(field for point in self.points for field in point.values)

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(point.label for point in self.points)


def prompts(form: Form, text: str, *, name: str = Role.PROMPT.value) -> Axis:
    """A prompt a line; blank lines and `#` comments are skipped. Raises BatchError if none is left."""
    field = first_of(form, name)
    found = entries(text)
    if not found:
        raise BatchError("The list of prompts is empty", "Every line is blank or a comment")
    return _axis("prompts", [({field.id: one}, one) for one in found])


def first_of(form: Form, name: str) -> Field:
    """The field called `name`; of several with that role the first on the form. Raises BatchError."""
    with_role = [field for field in form.fields if field.role is not None and field.role.value == name]
    return with_role[0] if with_role else fields_named(form, name)[0]


def values(field: Field, given: Iterable[Any], *, name: str = "") -> Axis:
    """The values of one field, as a grid varies them."""
    return _axis(name or field.label, [({field.id: value}, _label(value)) for value in given])


def values_of_text(form: Form, name: str, text: str) -> Axis:
    """`text` is "v1,v2,…" with quotes around what has commas itself. Raises BatchError."""
    try:
        cells = [cell.strip() for row in csv.reader([text], skipinitialspace=True, strict=True) for cell in row]
    except csv.Error as error:
        what = f"The values of {shorten(name)} cannot be read"
        raise BatchError(what, str(error)) from error
    found = fields_named(form, name)
    if not cells or (cells == [""] and found[0].kind is not Kind.TEXT):
        what = f"No values are given for {shorten(name)}"
        raise BatchError(what)
    points = [{field.id: _file_or_value(field, cell, None) for field in found} for cell in cells]
    return _axis(found[0].label, [(point, _label(next(iter(point.values())))) for point in points])


def seeds(form: Form, given: Sequence[int]) -> Axis:
    """These seeds, one after the other, in all fields that are a seed. Raises BatchError."""
    found = form.with_role(Role.SEED) or tuple(field for field in form.fields if field.kind is Kind.SEED)
    if not found:
        raise BatchError("The workflow has no seed to set")
    for seed in given:
        for field in found:
            value_of(field, str(seed))
    return _axis("seeds", [({field.id: seed for field in found}, str(seed)) for seed in given])


def seeds_of_text(text: str) -> tuple[int, ...]:
    """ "1, 5, 10-20" as seeds. Raises BatchError."""
    found: list[int] = []
    for part in text.split(","):
        match = re.fullmatch(r"\s*([0-9]{1,20})(?:\s*-\s*([0-9]{1,20}))?\s*", part)
        if match is None:
            what = f"{shorten(part.strip())!r} is no seed"
            raise BatchError(what, "", 'Give a list such as "1,5,10-20"')
        first, last = int(match[1]), int(match[2] or match[1])
        if last < first:
            what = f"The seeds {part.strip()} run backwards"
            raise BatchError(what)
        if last - first + len(found) >= MAX_JOBS:
            what = f"These are over {MAX_JOBS:,} seeds"
            raise BatchError(what, "", "Take fewer at once")
        found.extend(range(first, last + 1))
    return tuple(found)


def files(field: Field, paths: Iterable[Path]) -> Axis:
    """Those of `paths` whose medium `field` takes, in natural order ("2.png" before "10.png"). Raises BatchError."""
    if field.kind not in MEDIA_KINDS:
        what = f"{field.label} ({field.id}) takes no files"
        raise BatchError(what, f"It is {field.kind}")
    media = _MEDIA[field.kind]
    fitting = [path for path in paths if media_types.of_file(path.name) == media and not path.name.startswith(".")]
    if not fitting:
        what = f"The folder has no files for {field.label}"
        raise BatchError(what, f"It takes {field.kind} files")
    fitting.sort(key=lambda path: natural_key(path.name))
    return _axis(f"{media} files", [({field.id: path}, path.name) for path in fitting])


def natural_key(name: str) -> tuple[tuple[Any, ...], str]:
    """Sorts names as people count: digits by their number, letters case-blind; all names have an order."""
    parts = re.split(r"([0-9]+)", name.casefold())
    return tuple((int(part[:4000]), len(part)) if i % 2 else part for i, part in enumerate(parts)), name


# --- Tables -----------------------------------------------------------------------------------------------------


def table(form: Form, text: str, *, folder: Path | None = None) -> Axis:
    """A CSV whose first row names fields (see fields_named) and every other is a job.

    Comma, semicolon or tab part the cells: what makes most of the first row's names fields; a quoted cell may have
    line ends. An empty cell leaves the field as the form has it; rows without any cell filled are skipped. In fields
    that take a file a cell names one on the pod if the pod has it, else one here, relative to `folder`. Raises
    BatchError with row (as a spreadsheet counts) and column.
    """
    text = text.removeprefix("\ufeff")
    stated = re.match(r"sep=([,;\t])(?:\r\n|\n|\r)", text)
    skipped = 0
    if stated:
        text, skipped = text[stated.end() :], 1
    delimiter = stated[1] if stated else _delimiter(form, text)
    rows = _rows(text, delimiter)
    if not rows or not any(cell.strip() for cell in rows[0]):
        raise BatchError("The table has no first row", "It names the inputs that the columns are for")
    columns = _columns(form, rows[0])
    jobs: list[tuple[dict[str, Any], str]] = []
    for number, row in enumerate(rows[1:], 2 + skipped):
        if any(cell.strip() for cell in row):
            job = _job_of_row(row, columns, rows[0], f"row {number}", folder, decimal_comma=delimiter == ";")
            jobs.append((job, " · ".join(_label(cell) for cell in row if cell.strip())))
    if not jobs:
        raise BatchError("The table has no rows", "There is nothing below its first one")
    return _axis("rows", jobs)


def _rows(text: str, delimiter: str) -> list[list[str]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[list[str]] = []
    try:
        for row in reader:
            rows.append(row)
            if len(rows) > MAX_JOBS + 1:
                what = f"The table has over {MAX_JOBS:,} rows"
                raise BatchError(what, "", "Cut it into several")
    except csv.Error as error:
        why = f"{error}, near line {reader.line_num}"
        raise BatchError("The table cannot be read", why, "Check its quotes, or export it as CSV again") from error
    return rows


def _delimiter(form: Form, text: str) -> str:
    """What parts the first row into most names of fields, then into most cells."""

    def merit(delimiter: str) -> tuple[int, int]:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        try:
            cells = next(reader, [])
        except csv.Error:
            return (-1, 0)
        return sum(_is_name(form, cell) for cell in cells), len(cells)

    return max(",;\t", key=merit)


def _is_name(form: Form, cell: str) -> bool:
    try:
        return bool(cell.strip() and fields_named(form, cell))
    except BatchError:
        return False


_Column = tuple[Field, ...]


def _columns(form: Form, header: Sequence[str]) -> list[_Column | None]:
    """The fields of each column; None for one without a name."""
    columns: list[_Column | None] = []
    taken: dict[str, str] = {}
    for cell in header:
        if not cell.strip():
            columns.append(None)
            continue
        try:
            found = fields_named(form, cell)
        except BatchError as error:
            what = f"Column {shorten(cell.strip())!r} of the table"
            raise BatchError(what, error.what, error.advice) from error
        for field in found:
            if field.id in taken:
                what = f"Two columns of the table are for {field.id}"
                raise BatchError(what, f"{taken[field.id]} and {cell}")
            taken[field.id] = cell
        columns.append(found)
    return columns


def _job_of_row(
    row: Sequence[str],
    columns: Sequence[_Column | None],
    header: Sequence[str],
    place: str,
    folder: Path | None,
    *,
    decimal_comma: bool,
) -> dict[str, Any]:
    job: dict[str, Any] = {}
    for number, cell in enumerate(row):
        if not cell.strip():
            continue
        column = columns[number] if number < len(columns) else None
        if column is None:
            advice = "Put quotes around a text that has commas" if number >= len(columns) else "Name the column"
            what = f"The table's {place} has a cell that belongs to no column"
            raise BatchError(what, shorten(cell), advice)
        for field in column:
            try:
                job[field.id] = _file_or_value(field, cell, folder, decimal_comma=decimal_comma)
            except BatchError as error:
                what = f"The table's {place}, column {header[number].strip()}: {error.what}"
                raise BatchError(what, error.why, error.advice) from error
    return job


def _file_or_value(field: Field, cell: str, folder: Path | None, *, decimal_comma: bool = False) -> Any:
    if field.kind not in MEDIA_KINDS:
        return value_of(field, cell, decimal_comma=decimal_comma)
    cell = cell.strip()
    if cell in field.choices:
        return cell
    return (folder / cell) if folder else Path(cell)


# --- Labels -----------------------------------------------------------------------------------------------------


def _axis(name: str, points: Sequence[tuple[Mapping[str, Any], str]]) -> Axis:
    if not points:
        what = f"No {name} are given"
        raise BatchError(what)
    if len(points) > MAX_JOBS:
        what = f"These are over {MAX_JOBS:,} {name}"
        raise BatchError(what, "", "Take fewer at once")
    labels = _told_apart([label for _, label in points])
    return Axis(name, tuple(Point(given, label) for (given, _), label in zip(points, labels, strict=True)))


def _label(value: Any) -> str:
    if isinstance(value, Path):
        return value.name
    return f"{value:g}" if isinstance(value, float) and float(f"{value:g}") == value else str(value)


def _told_apart(labels: Sequence[str]) -> list[str]:
    """Short labels, no two the same: models lose their folders and long texts their ends where that is unambiguous."""
    full = [" ".join(label.split()) or "(empty)" for label in labels]
    shorts = [_short(label) for label in full]
    for shown in (shorts, [_cut(label, MAX_LABEL) for label in full]):
        if len(set(shown)) == len(shown):
            return shown
    return _numbered(shorts)


def _short(label: str) -> str:
    if label.lower().endswith((".safetensors", ".gguf", ".ckpt", ".sft", ".pt", ".pth")):
        label = re.split(r"[/\\]", label)[-1].rpartition(".")[0] or label
    return _cut(label, MAX_LABEL)


def _cut(label: str, length: int) -> str:
    return label if len(label) <= length else label[: length - 1].rstrip() + "…"


def _numbered(labels: Sequence[str]) -> list[str]:
    taken = set(labels)
    seen: set[str] = set()
    last: dict[str, int] = {}
    result: list[str] = []
    for label in labels:
        unique = label
        while unique in seen or (unique != label and unique in taken):
            last[label] = last.get(label, 1) + 1
            unique = f"{label} ({last[label]})"
        seen.add(unique)
        result.append(unique)
    return result
