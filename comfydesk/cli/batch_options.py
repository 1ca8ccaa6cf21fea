"""The options of `comfydesk generate` that make many jobs of one call, and what is shown of them."""

import argparse
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from comfydesk.cli.context import Context
from comfydesk.errors import UsageError
from comfydesk.workflow import batch_sources
from comfydesk.workflow.batches import Batch, JobSet
from comfydesk.workflow.field_text import BatchError, fields_named
from comfydesk.workflow.fields import Form
from comfydesk.workflow.patch import SeedPolicy
from comfydesk.workflow.wildcards import Wildcards

RANDOM = "random"
PREVIEWED = 5
"""Jobs that a dry run shows."""
_POLICIES = {"increment": SeedPolicy.INCREMENT, "decrement": SeedPolicy.DECREMENT, RANDOM: SeedPolicy.RANDOM}


def add_options(parser: argparse.ArgumentParser) -> None:
    """--prompts, --csv, --folder, --grid, --seeds, --wildcards, --dry-run."""
    group = parser.add_argument_group(
        "batches",
        "Each of these multiplies the jobs; --dry-run says how many that makes. All of a batch is queued, or nothing.",
    )
    group.add_argument("--prompts", type=Path, metavar="FILE", help="a job for each line; # begins a comment")
    group.add_argument("--csv", type=Path, metavar="FILE", help="a job for each row; the first row names the inputs")
    group.add_argument(
        "--folder",
        action="append",
        default=[],
        type=_pair,
        dest="folders",
        metavar="ID=DIR",
        help="a job for each file in it, as that input",
    )
    group.add_argument(
        "--grid",
        action="append",
        default=[],
        type=_pair,
        metavar="ID=V1,V2",
        help="all these values of an input; again for rows, and for pages: a labelled contact sheet is made at the end",
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
