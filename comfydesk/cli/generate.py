"""`comfydesk generate`: run a workflow and save what it makes."""

import argparse
import asyncio
import contextlib
import json
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

from comfydesk.cli import batch_options
from comfydesk.cli.context import Context, Subparsers
from comfydesk.errors import GraphError, KnownError, UsageError
from comfydesk.workflow.fields import Field, Form, Kind, Role

if TYPE_CHECKING:
    from comfydesk.session.jobs.enqueue import Enqueued
    from comfydesk.session.session import Session
    from comfydesk.session.values import OpenWorkflow
    from comfydesk.workflow.batches import Batch

RANDOM = "random"
SHEET_SECONDS = 120.0
"""For the contact sheets of a grid; what is not drawn by then, the next session draws."""
FILE_KINDS = frozenset({Kind.IMAGE, Kind.VIDEO, Kind.AUDIO, Kind.MODEL3D})


EXAMPLES = """examples:
  comfydesk generate picture.json --pod demo --prompt "a lighthouse at dusk" --seed random --count 4 -o pictures
  comfydesk generate picture.json --pod mine --prompts prompts.txt --grid cfg=4,6,8 --grid sampler=euler,dpmpp_2m
  comfydesk generate edit.json --pod mine --folder image=photos --template "{date}/{name}_{n}" --any-pod

"comfydesk form picture.json --pod mine" lists the inputs that --set, --file and --grid take. After a cut line or a
crash, "comfydesk jobs --resume" brings to its end what was queued."""


def register(subparsers: Subparsers) -> None:
    parser = subparsers.add_parser(
        "generate",
        help="run a workflow on a pod and save what it makes",
        description="Queue a workflow, follow its jobs, save what they make, and print the files.",
        epilog=EXAMPLES,
    )
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
    parser.add_argument("--front", action="store_true", help="before all others that wait, not after them")
    parser.add_argument(
        "--any-pod",
        action="store_true",
        help="spread the jobs over the named pod and all profiles that are online, each job to the pod that can run it"
        " and will have finished it first",
    )
    parser.add_argument("-o", "--output", type=Path, metavar="DIR", help="where to save (default: the library)")
    parser.add_argument(
        "--template",
        default="",
        metavar="NAME",
        help='how files are named below that, such as "{date}/{workflow}/{seed}_{n}" (default: the setting)',
    )
    parser.add_argument("--patience", type=float, default=30.0, metavar="S", help="seconds a pod may be away (30)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, context: Context) -> int:
    """See cli.md."""
    from comfydesk.cli import follow

    return follow.run(_generate(args, context))


async def _generate(args: argparse.Namespace, context: Context) -> int:
    from comfydesk.cli.pods import connect_others, pod_named, session_on_pod
    from comfydesk.session.shelves.reading import open_source
    from comfydesk.workflow import filenames

    pod_named(context)
    if args.template:
        filenames.check(args.template)
    # A broken file is told before any pod is asked, or started.
    await asyncio.to_thread(open_source, args.file, args.file.name, None)
    sources = await asyncio.to_thread(batch_options.read_sources, args)
    async with session_on_pod(context) as session:
        await session.wait_catalog(args.patience)
        workflow, values, batch = await _prepared(session, args, sources)
        if args.dry_run and batch is not None:
            return batch_options.preview(batch, context)
        if args.any_pod:
            await connect_others(session, context)
        if batch is not None:
            context.note(f"{batch.summary}.")
        queued = await _enqueue(session, workflow, batch or await _plain(session, args, workflow, values), args)
        return await _bring_to_end(session, queued, args, context)


async def _plain(
    session: "Session", args: argparse.Namespace, workflow: "OpenWorkflow", values: dict[str, Any]
) -> "Batch":
    """Without an option of batches: `--count` jobs, and texts with "{a|b}" as ComfyUI itself draws them.

    Where texts have `__name__` and the settings a folder of wildcards, these are drawn as in batches.
    """
    from comfydesk.workflow.batches import Batch
    from comfydesk.workflow.patch import SeedPolicy

    policy = SeedPolicy.RANDOM if args.seed == RANDOM else SeedPolicy.INCREMENT
    form, entropy = workflow.form, secrets.randbits(64)
    wildcards = await session.queue.wildcards(form, values)
    return Batch(form, values, repeats=args.count, seeds=policy, wildcards=wildcards, entropy=entropy)


async def _enqueue(
    session: "Session", workflow: "OpenWorkflow", batch: "Batch", args: argparse.Namespace
) -> "Enqueued":
    from comfydesk.store.records import ANY

    return await session.queue.enqueue_batch(
        workflow,
        batch,
        folder=args.output,
        target=ANY if args.any_pod else None,
        front=args.front,
        sheet=bool(batch.grid),
        template=args.template,
    )


async def _bring_to_end(session: "Session", queued: "Enqueued", args: argparse.Namespace, context: Context) -> int:
    """Follow them, and report. With --json the jobs are listed as they stand then, whatever happens meanwhile."""
    from comfydesk.cli import follow

    try:
        done = await follow.follow(session, queued.jobs, context, cancels=True, patience=args.patience)
    except BaseException:
        if context.json:
            with contextlib.suppress(KnownError):
                stored = await session.queue.jobs_by_id(queued.jobs)
                context.emit_json({"jobs": [follow.job_document(job) for job in stored]})
        raise
    code = follow.report(done, context)
    if args.grid and follow.all_over(done):
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SHEET_SECONDS):
                for path in await session.queue.contact_sheets(queued.batch):
                    context.note(f"contact sheet: {path}")
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
