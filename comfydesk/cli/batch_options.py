"""The options of `comfydesk generate` that make many jobs of one call, and what is shown of them."""

import argparse
import asyncio
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from comfydesk.cli.context import Context
from comfydesk.errors import MediaError, UsageError
from comfydesk.workflow import batch_sources
from comfydesk.workflow.batches import Batch, Cell, JobSet, for_enqueue
from comfydesk.workflow.field_text import BatchError, fields_named
from comfydesk.workflow.fields import Form, Role
from comfydesk.workflow.patch import SeedPolicy
from comfydesk.workflow.wildcards import Wildcards

if TYPE_CHECKING:
    from comfydesk.session.session import Session
    from comfydesk.session.values import OpenWorkflow
    from comfydesk.store.records import Job

RANDOM = "random"
PREVIEWED = 5
"""Jobs that a dry run shows."""
_POLICIES = {"increment": SeedPolicy.INCREMENT, "decrement": SeedPolicy.DECREMENT, RANDOM: SeedPolicy.RANDOM}


def add_options(parser: argparse.ArgumentParser) -> None:
    """--prompts, --csv, --folder, --grid, --seeds, --wildcards, --dry-run."""
    group = parser.add_argument_group("batches", "each multiplies the jobs")
    group.add_argument("--prompts", type=Path, metavar="FILE", help="a prompt a line; # begins a comment")
    group.add_argument("--csv", type=Path, metavar="FILE", help="a job a row; the first row names the inputs")
    group.add_argument(
        "--folder", action="append", default=[], type=_pair, dest="folders", metavar="ID=DIR", help="a job a file in it"
    )
    group.add_argument(
        "--grid", action="append", default=[], type=_pair, metavar="ID=V1,V2", help="columns; again for rows and pages"
    )
    group.add_argument("--seeds", type=_seeds, metavar="LIST|increment|random", help='such as "1,5,10-20"')
    group.add_argument(
        "--wildcards", type=Path, metavar="DIR", help="where __name__ in a prompt finds name.txt; {a|b} needs none"
    )
    group.add_argument("--dry-run", action="store_true", help="say how many jobs these are, show the first, queue none")


@dataclass(frozen=True, slots=True)
class Sources:
    """What the options name on the disk, read."""

    prompts: str | None = None
    table: str | None = None
    folders: Sequence[tuple[str, tuple[Path, ...]]] = ()
    wildcards: Wildcards = field(default_factory=Wildcards)


def read_sources(args: argparse.Namespace) -> Sources | None:
    """The files that the options name; None without any option of batches. Raises BatchError."""
    from comfydesk.session.jobs.batch_files import files_in, read_text
    from comfydesk.session.jobs.wildcards import load_wildcards

    if not (args.prompts or args.csv or args.folders or args.grid or args.seeds or args.wildcards or args.dry_run):
        return None
    return Sources(
        prompts=read_text(args.prompts) if args.prompts else None,
        table=read_text(args.csv) if args.csv else None,
        folders=[(name, files_in(Path(folder))) for name, folder in args.folders],
        wildcards=load_wildcards(args.wildcards) if args.wildcards else Wildcards(),
    )


def batch_of(args: argparse.Namespace, sources: Sources, form: Form, values: Mapping[str, Any]) -> Batch:
    """The batch that the options describe, on top of `values`. Raises BatchError, UsageError."""
    if isinstance(args.seeds, tuple) and args.seed is not None:
        raise UsageError("--seed and --seeds exclude each other")
    if args.seed == RANDOM and args.seeds not in (None, RANDOM):
        raise UsageError("--seed random and --seeds exclude each other")
    lists: list[batch_sources.Axis] = []
    if sources.prompts is not None:
        lists.append(batch_sources.prompts(form, sources.prompts))
    if sources.table is not None:
        lists.append(batch_sources.table(form, sources.table, folder=args.csv.expanduser().absolute().parent))
    for name, files in sources.folders:
        lists.append(batch_sources.files(fields_named(form, name)[0], files))
    if isinstance(args.seeds, tuple):
        lists.append(batch_sources.seeds(form, args.seeds))
    grid = tuple(batch_sources.values_of_text(form, name, text) for name, text in args.grid)
    for axis in (*lists, *grid):
        for field_id in sorted(axis.fields & values.keys()):
            what = f"{field_id} is set twice"
            raise UsageError(what, f"By {axis.name} and by an option of its own", "Leave one of them out")
    return Batch(
        form,
        values,
        tuple(lists),
        grid,
        repeats=args.count,
        seeds=_policy(args),
        wildcards=sources.wildcards,
        entropy=secrets.randbits(64),
    )


def _policy(args: argparse.Namespace) -> SeedPolicy:
    if args.seed == RANDOM:
        return SeedPolicy.RANDOM
    return _POLICIES.get(args.seeds, SeedPolicy.INCREMENT) if isinstance(args.seeds, str) else SeedPolicy.INCREMENT


def preview(batch: Batch, context: Context) -> int:
    """What would be queued. Raises BatchError if that is too much."""
    first = batch.first(PREVIEWED)
    if context.json:
        batch.check()
        context.emit_json({"total": batch.total, "summary": batch.summary, "jobs": [_document(one) for one in first]})
        return 0
    context.emit(f"{batch.summary}.")
    for one in first:
        shown = (f"{name}={_shown(value)}" for name, value in one.values.items())
        context.emit(f"{one.number + 1}: {'  '.join(shown) or 'as the workflow is'}")
    if batch.total > len(first):
        context.emit(f"… and {batch.total - len(first):,} more")
    batch.check()
    return 0


def _document(one: JobSet) -> dict[str, Any]:
    values = {name: str(value) if isinstance(value, Path) else value for name, value in one.values.items()}
    return {"number": one.number, "labels": list(one.labels), "values": values}


def _shown(value: Any) -> str:
    text = str(value) if isinstance(value, Path) else repr(value)
    return text if len(text) <= 80 else f"{text[:79]}…"


async def enqueue(
    session: "Session", workflow: "OpenWorkflow", batch: Batch, folder: Path | None
) -> "tuple[tuple[JobSet, ...], tuple[Job, ...]]":
    """Queue the whole batch. All of its values are made first: what cannot be drawn or is not there queues nothing.

    Raises as Session.enqueue does, and BatchError.
    """
    sets = await asyncio.to_thread(lambda: tuple(batch.sets()))
    await asyncio.to_thread(_look_for_files, sets)
    jobs: list[Job] = []
    for one in sets:
        jobs += await session.queue.enqueue(workflow, for_enqueue(workflow.form, one), folder=folder)
    return sets, tuple(jobs)


def _look_for_files(sets: Sequence[JobSet]) -> None:
    """Raises MediaError for the first local file that is not there."""
    for path in dict.fromkeys(value for one in sets for value in one.values.values() if isinstance(value, Path)):
        if not path.expanduser().is_file():
            what = f"{path.name} cannot be read"
            raise MediaError(what, f"There is no file {path}")


# --- Contact sheets ---------------------------------------------------------------------------------------------


def save_sheets(
    batch: Batch, sets: Sequence[JobSet], results: Sequence[Sequence[str]], folder: Path | None, context: Context
) -> tuple[Path, ...]:
    """The contact sheets of the batch's grids, told on stderr; none without a grid, or where nothing was made.

    `results`: the files of each job. `folder`: where to save, if not beside the first result.
    """
    from comfydesk.session.jobs.contact_sheet import Sheet, save_sheet

    made = [Path(path) for paths in results for path in paths]
    if not batch.grid or not made:
        return ()
    found = {one.cell: _pictured(paths) for one, paths in zip(sets, results, strict=True)}
    saved: list[Path] = []
    for sheet in dict.fromkeys(one.cell.sheet for one in sets if one.cell is not None):
        for page, title in enumerate(batch.pages):
            cells = tuple(
                tuple(found.get(Cell(sheet, page, row, column)) for column in range(len(batch.columns)))
                for row in range(len(batch.rows))
            )
            if not any(path is not None for line in cells for path in line):
                continue
            words = " · ".join(part for part in (_sheet_name(batch, sets, sheet), title) if part)
            try:
                path = save_sheet(
                    Sheet(batch.columns, batch.rows, cells, words), (folder or made[0].parent) / "contact sheet.png"
                )
            except MediaError as error:  # the results are there, and that is what counts
                context.note(f"comfydesk: {error}")
                continue
            context.note(f"contact sheet: {path}")
            saved.append(path)
    return tuple(saved)


def _sheet_name(batch: Batch, sets: Sequence[JobSet], sheet: int) -> str:
    """What the lists had for this grid, and its seed."""
    one = next(one for one in sets if one.cell is not None and one.cell.sheet == sheet)
    seeds = [one.values[entry.id] for entry in batch.form.with_role(Role.SEED) if entry.id in one.values]
    varied = any(
        entry.id in axis.fields for axis in (*batch.lists, *batch.grid) for entry in batch.form.with_role(Role.SEED)
    )
    return " · ".join((*one.labels[: len(batch.lists)], *([] if varied or not seeds else [f"seed {seeds[0]}"])))


def _pictured(paths: Sequence[str]) -> Path | None:
    """What stands for a job on its sheet: its first picture, else its first video, else its first file."""
    from comfydesk.client.files import media_kind

    rank = {"image": 0, "video": 1}
    return min((Path(path) for path in paths), key=lambda path: rank.get(media_kind(path.name), 2), default=None)


# --- Words of the command line ----------------------------------------------------------------------------------


def _seeds(text: str) -> tuple[int, ...] | str:
    if text in _POLICIES:
        return text
    try:
        return batch_sources.seeds_of_text(text)
    except BatchError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise argparse.ArgumentTypeError("give ID and what it takes, with = between them")
    return name, value
