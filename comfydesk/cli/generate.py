"""`comfydesk generate`: run a workflow and save what it makes."""

import argparse
import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from comfydesk.cli import batch_options
from comfydesk.cli.context import Context, Subparsers
from comfydesk.errors import GraphError, UsageError
from comfydesk.workflow.fields import Field, Form, Kind, Role

if TYPE_CHECKING:
    from comfydesk.session.session import Session
    from comfydesk.session.values import OpenWorkflow
    from comfydesk.workflow.batches import Batch

RANDOM = "random"
FILE_KINDS = frozenset({Kind.IMAGE, Kind.VIDEO, Kind.AUDIO, Kind.MODEL3D})


def register(subparsers: Subparsers) -> None:
    parser = subparsers.add_parser("generate", help="run a workflow on a pod and save what it makes")
    parser.add_argument("file", type=Path, metavar="FILE", help="a workflow, or a picture or video that carries one")
    parser.add_argument("--prompt", metavar="TEXT", help="what to make")
    parser.add_argument("--negative", metavar="TEXT", help="what to avoid")
    parser.add_argument("--seed", type=_seed, metavar="N|random", help="default: the workflow's own")
    parser.add_argument("--count", type=_count, default=1, metavar="N", help="how many; seeds count up, or are random")
    parser.add_argument(
        "--set", action="append", default=[], type=_pair, metavar="ID=VALUE", help='an input, such as "3.steps=8"'
    )
    parser.add_argument(
        "--file", action="append", default=[], type=_pair, dest="files", metavar="ID=PATH", help="a file to upload"
    )
    batch_options.add_options(parser)
    parser.add_argument("-o", "--output", type=Path, metavar="DIR", help="where to save (default: the library)")
    parser.add_argument("--patience", type=float, default=30.0, metavar="S", help="seconds a pod may be away (30)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, context: Context) -> int:
    """See cli.md."""
    from comfydesk.cli import follow

    return follow.run(_generate(args, context))


async def _generate(args: argparse.Namespace, context: Context) -> int:
    from comfydesk.cli import follow
    from comfydesk.cli.pods import pod_named, session_on_pod
    from comfydesk.session.shelves.reading import open_source
    from comfydesk.workflow.patch import SeedPolicy

    pod_named(context)
    # A broken file is told before any pod is asked, or started.
    await asyncio.to_thread(open_source, args.file, args.file.name, None)
    sources = await asyncio.to_thread(batch_options.read_sources, args)
    async with session_on_pod(context) as session:
        await session.wait_catalog(args.patience)
        workflow, values, batch = await _prepared(session, args, sources)
        if batch is not None:
            return await _generate_batch(session, workflow, batch, args, context)
        policy = SeedPolicy.RANDOM if args.seed == RANDOM else SeedPolicy.INCREMENT
        jobs = await session.queue.enqueue(workflow, values, count=args.count, seed_policy=policy, folder=args.output)
        done = await follow.follow(session, [job.id for job in jobs], context, cancels=True, patience=args.patience)
        return follow.report(done, context)


async def _generate_batch(
    session: "Session", workflow: "OpenWorkflow", batch: "Batch", args: argparse.Namespace, context: Context
) -> int:
    from comfydesk.cli import follow

    if args.dry_run:
        return batch_options.preview(batch, context)
    context.note(f"{batch.summary}.")
    sets, jobs = await batch_options.enqueue(session, workflow, batch, args.output)
    done = await follow.follow(session, [job.id for job in jobs], context, cancels=True, patience=args.patience)
    code = follow.report(done, context)
    outputs = {job.id: job.outputs for job in done}
    results = [outputs.get(job.id, ()) for job in jobs]
    await asyncio.to_thread(batch_options.save_sheets, batch, sets, results, args.output, context)
    return code


async def _prepared(
    session: "Session", args: argparse.Namespace, sources: batch_options.Sources | None
) -> "tuple[OpenWorkflow, dict[str, Any], Batch | None]":
    """The workflow, its values and its batch, if the pod has all they need. Raises GraphError, UsageError."""
    workflow = await session.open_workflow(args.file)
    if workflow.problem is not None or not _ready(workflow):
        # What is missing may have been put there since the list was cached.
        await session.wait_catalog(args.patience, fresh=True)
        workflow = await session.reopen(workflow)
    if workflow.problem is not None:
        raise workflow.problem
    values = values_of(args, workflow.form)
    batch = None if sources is None else batch_options.batch_of(args, sources, workflow.form, values)
    if not _ready(workflow):
        # A grid over models may leave out the one that the pod lacks.
        _check(workflow, values if batch is None else dict(batch.job(0).values), session)
    return workflow, values, batch


def _ready(workflow: "OpenWorkflow") -> bool:
    return workflow.needs is not None and workflow.needs.ready


def _check(workflow: "OpenWorkflow", values: dict[str, Any], session: "Session") -> None:
    """Raises GraphError if the pod lacks something even with the values that were given."""
    from comfydesk.workflow.needs import check
    from comfydesk.workflow.patch import apply_values

    catalog = session.catalog
    if workflow.api is None or catalog is None:
        return
    plain = {field: value for field, value in values.items() if not isinstance(value, Path)}
    needs = check(apply_values(workflow.api, plain, catalog), catalog)
    if not needs.ready:
        what = f"The pod lacks what {workflow.name} needs"
        nodes = [f"node {name}" for name in needs.missing_nodes]
        models = [f"{model.directory}/{model.name}" for model in needs.missing_models]
        raise GraphError(what, ", ".join(nodes + models), 'See "comfydesk check" for where to get it')


def values_of(args: argparse.Namespace, form: Form) -> dict[str, Any]:
    """The form's values as the command line gives them. Raises UsageError."""
    values: dict[str, Any] = {}
    for role, given in ((Role.PROMPT, args.prompt), (Role.NEGATIVE, args.negative)):
        if given is not None:
            values[_first(form, role).id] = given
    if isinstance(args.seed, int):
        _first(form, Role.SEED)
        values |= {field.id: args.seed for field in form.with_role(Role.SEED)}
    for name, text in args.set:
        field = find_field(form, name)
        values[field.id] = read_value(field, text)
    for name, text in args.files:
        field = find_field(form, name)
        if field.kind not in FILE_KINDS:
            what = f"{field.id} takes no file"
            raise UsageError(what, f"it is {field.label}, {field.kind}")
        values[field.id] = Path(text)
    return values


def find_field(form: Form, name: str) -> Field:
    """A field by its id, or by a role that only one field has ("steps"). Raises UsageError."""
    field = form.by_id.get(name)
    if field is not None:
        return field
    same_role = [field for field in form.fields if field.role is not None and field.role == name]
    if len(same_role) == 1:
        return same_role[0]
    what = f"The workflow has no input {name}"
    advice = 'See "comfydesk form"'
    if same_role:
        what = f"Several inputs of the workflow are a {name}"
        advice = f"Choose one: {', '.join(field.id for field in same_role)}"
    raise UsageError(what, "", advice)


def read_value(field: Field, text: str) -> Any:
    """`text` as a value of the field. Raises UsageError."""
    try:
        match field.kind:
            case Kind.INT | Kind.SEED:
                return int(text)
            case Kind.FLOAT:
                return float(text)
            case Kind.BOOL:
                return {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}[text.lower()]
            case Kind.CHOICE | Kind.MODEL:
                # In the pod's own spelling and type; what it does not offer goes out as it is, and it will say so.
                return next((choice for choice in field.choices if str(choice) == text), text)
            case Kind.OTHER:
                return json.loads(text)
            case _:
                return text
    except (ValueError, KeyError) as error:
        what = f"{field.id} cannot be {text!r}"
        raise UsageError(what, f"it takes {field.kind}") from error


def _first(form: Form, role: Role) -> Field:
    fields = form.with_role(role)
    if not fields:
        what = f"The workflow has no {role} to set"
        raise UsageError(what, "", 'See "comfydesk form" for its inputs')
    return fields[0]


def _seed(text: str) -> int | str:
    if text == RANDOM:
        return RANDOM
    seed = int(text)
    if not 0 <= seed < 2**64:
        raise argparse.ArgumentTypeError("a seed lies between 0 and 2^64 - 1")
    return seed


def _count(text: str) -> int:
    count = int(text)
    if not 1 <= count <= 100_000:
        raise argparse.ArgumentTypeError("between 1 and 100000")
    return count


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise argparse.ArgumentTypeError("give ID=VALUE")
    return name, value
