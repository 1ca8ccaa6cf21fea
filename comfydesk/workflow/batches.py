"""A batch: one form, many jobs. Counted before any is built, and built one at a time.

Lists (prompts, rows of a table, files, seeds) and repetitions multiply; a grid over up to three fields is made for
each of their combinations. The jobs come in that order: the first list varies slowest, then the others, the
repetitions, the grid's pages and rows, and the columns fastest.
"""

import math
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import Any

from comfydesk.workflow.batch_sources import MAX_JOBS, Axis, Point
from comfydesk.workflow.field_text import BatchError
from comfydesk.workflow.fields import Field, Form, Kind, Role
from comfydesk.workflow.patch import SeedPolicy, next_seed
from comfydesk.workflow.wildcards import Wildcards, strip_comments

MAX_GRID = 3
"""Fields that a grid varies: columns, rows, pages."""
_TIMES = " \N{MULTIPLICATION SIGN} "
_ESCAPES = str.maketrans({char: f"\\{char}" for char in "{|}"})


@dataclass(frozen=True, slots=True)
class Cell:
    """A job's place in its grid, from 0. A batch has one grid for each `sheet`."""

    sheet: int
    page: int
    row: int
    column: int


@dataclass(frozen=True, slots=True)
class JobSet:
    """The values of one job of a batch."""

    number: int
    """From 0, in the order of the queue."""
    values: Mapping[str, Any]
    """Field id → value: literal, with all wildcards drawn. pathlib.Path: a file of this computer."""
    drawn: Mapping[str, str]
    """Field id → the text that its wildcards were drawn in."""
    cell: Cell | None
    """None without a grid."""
    labels: tuple[str, ...]
    """What it is called on each axis, lists first, then the grid's columns, rows and pages."""
    originals: Mapping[str, str] = field(default_factory=dict)
    """Field id → what its text was before a language model enhanced it."""


@dataclass(frozen=True)
class Batch:
    """What is to be made. Raises BatchError if it contradicts itself: two parts that set one field, four grid axes.

    The same description makes the same jobs each time: what is left to chance hangs on `entropy` and the job alone.
    Over the cells of one grid only the grid's own fields differ: they share seeds and drawn words.
    """

    form: Form
    base: Mapping[str, Any] = field(default_factory=dict)
    """Field id → value, as the form has them; fields left out keep the workflow's."""
    lists: tuple[Axis, ...] = ()
    grid: tuple[Axis, ...] = ()
    """Columns, rows, pages."""
    repeats: int = 1
    seeds: SeedPolicy = SeedPolicy.FIXED
    """How seeds that no axis sets go on from job to job (grid to grid). A list of seeds is an axis instead.
    INCREMENT and DECREMENT begin with the form's own."""
    wildcards: Wildcards | None = field(default_factory=Wildcards)
    """None: texts stay as they are, and ComfyUI's own rule draws in its dynamicPrompts fields (form.sendable)."""
    entropy: int = 0
    originals: Mapping[str, str] = field(default_factory=dict)
    """Field id → what the text in `base` was before a language model enhanced it."""

    def __post_init__(self) -> None:
        if len(self.grid) > MAX_GRID:
            what = f"A grid varies up to {MAX_GRID} inputs, not {len(self.grid)}"
            raise BatchError(what)
        if self.repeats < 1:
            raise BatchError("A batch makes at least one job")
        taken: dict[str, str] = {}
        for axis in (*self.lists, *self.grid):
            if not axis.points:
                what = f"No {axis.name} are given"
                raise BatchError(what)
            for field_id in sorted(axis.fields):
                if field_id in taken:
                    what = f"{self._words(field_id)} is set twice"
                    raise BatchError(what, f"By {taken[field_id]} and {axis.name}", "Leave one of them out")
                taken[field_id] = axis.name

    # --- How many ---

    @cached_property
    def total(self) -> int:
        """Exactly as many jobs as `sets` makes; nothing is built for it."""
        return self._sheets * self._cells

    @property
    def summary(self) -> str:
        """ "This makes 24 jobs: 3 prompts x 2 times x 4 values of Guidance"."""
        parts = [f"{len(axis.points):,} {axis.name}" for axis in self.lists]
        parts += [f"{self.repeats:,} times"] if self.repeats > 1 else []
        parts += [f"{len(axis.points):,} values of {axis.name}" for axis in self.grid]
        made = "This makes 1 job" if self.total == 1 else f"This makes {self.total:,} jobs"
        return f"{made}: {_TIMES.join(parts)}" if self.lists or self.grid else made

    def check(self) -> None:
        """Raises BatchError when it is too much for one batch, or its seeds would run out."""
        if self.total > MAX_JOBS:
            advice = "Take fewer values, or queue it in parts"
            raise BatchError(self.summary, f"A batch takes up to {MAX_JOBS:,}", advice)
        steps = {SeedPolicy.INCREMENT: 1, SeedPolicy.DECREMENT: -1}.get(self.seeds, 0)
        for entry in self._counted_seeds if steps and self._sheets > 1 else ():
            before, last = (self._counted(entry, self._sheets - back) for back in (2, 1))
            if before == last:
                advice = "Begin with another seed, or draw them at random"
                what = f"The seeds of {entry.label} run out before the batch ends"
                raise BatchError(what, "", advice)

    # --- Which ---

    def sets(self) -> Iterator[JobSet]:
        """All jobs in order, each built when it is asked for. Raises BatchError, see `check`, and of wildcards."""
        self.check()
        return (self.job(number) for number in range(self.total))

    def first(self, count: int) -> tuple[JobSet, ...]:
        """A preview: exactly what `sets` begins with, also where the whole is too much for one batch."""
        return tuple(islice((self.job(number) for number in range(self.total)), count))

    def job(self, number: int) -> JobSet:
        """Job `number`, from 0. Raises BatchError for a wildcard that cannot be drawn."""
        sheet, cell = divmod(number, self._cells)
        rest, _ = divmod(sheet, self.repeats)
        values, labels, points = dict(self.base), list[str](), list[Point]()
        for axis in reversed(self.lists):
            rest, place = divmod(rest, len(axis.points))
            points.append(axis.points[place])
            values |= axis.points[place].values
            labels.insert(0, axis.points[place].label)
        values |= self._seed_values(sheet)
        places: list[int] = []
        for axis in self.grid:
            cell, place = divmod(cell, len(axis.points))
            points.append(axis.points[place])
            values |= axis.points[place].values
            labels.append(axis.points[place].label)
            places.append(place)
        column, row, page = (*places, 0, 0, 0)[:MAX_GRID]
        drawn = self._draw(values, sheet)
        set_anew = frozenset[str]().union(*(point.values for point in points)) if self.originals else ()
        originals = {name: text for name, text in self.originals.items() if name not in set_anew}
        for point in points:
            originals |= point.originals
        at = Cell(sheet, page, row, column) if self.grid else None
        return JobSet(number, values, drawn, at, tuple(labels), originals)

    # --- The grid ---

    @property
    def columns(self) -> tuple[str, ...]:
        return self._grid_labels(0)

    @property
    def rows(self) -> tuple[str, ...]:
        """("",) where the grid has none."""
        return self._grid_labels(1)

    @property
    def pages(self) -> tuple[str, ...]:
        """("",) where the grid has none."""
        return self._grid_labels(2)

    def _grid_labels(self, number: int) -> tuple[str, ...]:
        if number >= len(self.grid):
            return ("",)
        axis = self.grid[number]
        return tuple(f"{axis.name}: {label}" for label in axis.labels)

    # --- Inside ---

    @cached_property
    def _sheets(self) -> int:
        return math.prod(len(axis.points) for axis in self.lists) * self.repeats

    @cached_property
    def _cells(self) -> int:
        return math.prod(len(axis.points) for axis in self.grid)

    @cached_property
    def _counted_seeds(self) -> tuple[Field, ...]:
        """The seeds that the policy applies to: those that no axis sets."""
        taken = frozenset[str]().union(*(axis.fields for axis in (*self.lists, *self.grid)))
        seeds = (entry for entry in self.form.fields if entry.role is Role.SEED or entry.kind is Kind.SEED)
        return tuple(entry for entry in seeds if entry.id not in taken)

    def _seed_values(self, sheet: int) -> dict[str, int]:
        if self.seeds is SeedPolicy.FIXED:
            return {}
        if self.seeds is SeedPolicy.RANDOM:
            return {
                entry.id: next_seed(self.seeds, 0, entry, self._chance(sheet, entry.id))
                for entry in self._counted_seeds
            }
        # The first keeps what the form or the workflow says, without a word.
        return {entry.id: self._counted(entry, sheet) for entry in self._counted_seeds} if sheet else {}

    def _counted(self, entry: Field, sheet: int) -> int:
        """The seed of a sheet: exact over 64 bits, and stopped at the ends of the range like next_seed's."""
        start = self.base.get(entry.id, entry.default)
        start = start if isinstance(start, int) else 0
        step = max(1, int(entry.step or 1)) * sheet
        one_step = Field(entry.id, entry.label, entry.kind, start, None, entry.minimum, entry.maximum, step)
        return next_seed(self.seeds, start, one_step, random.Random(0)) if sheet else start  # noqa: S311

    def _draw(self, values: dict[str, Any], sheet: int) -> dict[str, str]:
        """Draw the wildcards among `values` in place. Returns the texts as they were."""
        before: dict[str, str] = {}
        if self.wildcards is None:
            return before
        for entry in self.form.fields:
            text = values.get(entry.id, entry.default)
            if isinstance(text, str) and _takes_wildcards(entry) and self.wildcards.draws(text):
                source = strip_comments(text) if entry.dynamic else text
                drawn = self.wildcards.draw(source, self._chance(sheet, entry.id))
                values[entry.id] = strip_comments(drawn) if entry.dynamic else drawn
                before[entry.id] = text
        return before

    def _chance(self, sheet: int, field_id: str) -> random.Random:
        return random.Random(f"{self.entropy}/{sheet}/{field_id}")  # noqa: S311

    def _words(self, field_id: str) -> str:
        entry = self.form.by_id.get(field_id)
        return f"{entry.label} ({field_id})" if entry else field_id


def _takes_wildcards(entry: Field) -> bool:
    """Prompts, and whatever ComfyUI would draw in."""
    return entry.kind is Kind.TEXT and (entry.dynamic or entry.role in (Role.PROMPT, Role.NEGATIVE))


def for_enqueue(form: Form, one: JobSet) -> dict[str, Any]:
    """The job's values as `form.sendable` is to be given them, so that nothing is drawn twice: the batch wins.

    In fields with ComfyUI's dynamicPrompts, braces and bars that were left by a draw are escaped; sendable undoes it.
    """
    values = dict(one.values)
    for field_id in one.drawn:
        if form.by_id[field_id].dynamic:
            values[field_id] = str(values[field_id]).translate(_ESCAPES)
    return values
