"""`comfydesk jobs`: the queue as stored; with --resume, brought to its end."""

import argparse
import contextlib
from typing import TYPE_CHECKING, Any

from comfydesk.cli.context import Context, Subparsers
from comfydesk.errors import KnownError, UsageError

if TYPE_CHECKING:
    from comfydesk.session.session import Session
    from comfydesk.store.records import Job

ALL = 1_000_000


def register(subparsers: Subparsers) -> None:
    parser = subparsers.add_parser("jobs", help="the queue; --resume brings it to its end")
    parser.add_argument(
        "--resume", action="store_true", help="reconcile with the pods, send what waits, follow and save everything"
    )
    parser.add_argument("--patience", type=float, default=30.0, metavar="S", help="seconds a pod may be away (30)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, context: Context) -> int:
    """See cli.md."""
    from comfydesk.cli import follow

    return follow.run(_resume(args, context) if args.resume else _list(context))


async def _list(context: Context) -> int:
    from comfydesk.session.session import Session

    session = Session(context.paths, context.settings, guard=False)
    await session.start(resume=False)
    try:
        _show(await session.queue.jobs(ALL), context)
    finally:
        await session.close()
    return 0


async def _resume(args: argparse.Namespace, context: Context) -> int:
    from comfydesk.session.session import Session

    # The session leaves before the demo pod is stopped.
    async with contextlib.AsyncExitStack() as pods, contextlib.AsyncExitStack() as stack:
        session = Session(context.paths, context.settings, guard=False)
        await session.start()
        stack.push_async_callback(session.close)
        ours = [job for job in await session.queue.jobs(ALL) if _is_to_do(job, session)]
        try:
            code = await _bring_to_end(session, ours, args, context, pods)
        finally:
            if context.json:
                _show(await session.queue.jobs(ALL), context)
        return code


async def _bring_to_end(
    session: "Session", ours: "list[Job]", args: argparse.Namespace, context: Context, stack: contextlib.AsyncExitStack
) -> int:
    from comfydesk.cli import follow

    unreachable: list[KnownError] = []
    for pod in dict.fromkeys(job.pod for job in ours):
        try:
            await _connect(session, pod, context, stack)
        except KnownError as error:
            unreachable.append(error)
            ours = [job for job in ours if job.pod != pod]
    ids = [job.id for job in ours]
    done = await follow.follow(session, ids, context, cancels=False, patience=args.patience) if ids else ()
    code = follow.report(done, context, listed=not context.json)
    for fault in unreachable:
        context.note(f"comfydesk: {fault}")
    return 3 if unreachable else code


async def _connect(session: "Session", pod: str, context: Context, stack: contextlib.AsyncExitStack) -> None:
    """The pod of a job: `--pod` if that is it (its address may carry what proves who we are), else by its id."""
    from comfydesk.cli.pods import connect, target_of
    from comfydesk.session.values import DEMO

    if context.pod is not None and context.pod != DEMO:
        with contextlib.suppress(UsageError):  # the name of a profile is no address
            named = await target_of(context.pod, context, stack)
            if named.id == pod:
                await session.connect(named)
                return
    await connect(session, pod, context, stack)


def _is_to_do(job: "Job", session: "Session") -> bool:
    from comfydesk.store.records import JobState

    return job.owner == session.queue.owner and not job.state.ended and job.state is not JobState.HELD


def _show(found: "tuple[Job, ...]", context: Context) -> None:
    if context.json:
        context.emit_json({"jobs": [document(job) for job in found]})
        return
    for job in found:
        from comfydesk.cli.follow import error_of

        seed = "" if job.seed is None else f"seed {job.seed}"
        parts = (job.id[:8], str(job.state), job.pod, job.workflow, seed, *job.outputs, error_of(job) or "")
        context.emit("  ".join(part for part in parts if part))


def document(job: "Job") -> dict[str, Any]:
    """A job as `jobs --json` shows it."""
    from comfydesk.cli.follow import error_of

    return {
        "id": job.id,
        "state": str(job.state),
        "pod": job.pod,
        "workflow": job.workflow,
        "seed": job.seed,
        "outputs": list(job.outputs),
        "error": error_of(job),
    }
