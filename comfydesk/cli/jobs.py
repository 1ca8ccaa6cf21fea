"""`comfydesk jobs`: the queue as stored; what is to be done to its jobs; with --resume, brought to its end."""

import argparse
import contextlib
from typing import TYPE_CHECKING, Any

from comfydesk.cli.context import Context, Subparsers
from comfydesk.errors import KnownError, UsageError
from comfydesk.settings import DEFAULT_POD

if TYPE_CHECKING:
    from comfydesk.session.session import Session
    from comfydesk.store.records import Job

ALL = 1_000_000
EVERY = "all"
ACTIONS = {
    "cancel": "stop these jobs, wherever they are: by their id, never whatever else runs on the pod",
    "hold": 'keep these ("all": all that wait) from being sent; what was sent goes on',
    "release": 'let held ones ("all": all of them) go',
    "front": "put these before all others that wait, in this order",
    "retry": "run ended ones again, as new jobs at the end of the queue; save blocked results now",
    "duplicate": "queue the same work once more, whatever became of it",
    "look": "ask the pod once more for jobs of which nobody knows what became; nothing is sent",
    "remove": "take ended ones out of the list; their files stay",
}
"""Option → what it does."""


EXAMPLES = """examples:
  comfydesk jobs                            what waits, runs and has ended, the first to go first
  comfydesk jobs --resume                   after a crash, a sleep, a cut line: bring all of it to its end
  comfydesk jobs --cancel 3f2a 9b01         ids may be cut short, as long as they fit one job
  comfydesk jobs --retry 3f2a --resume      run it again, and wait for it
  comfydesk jobs --hold all                 the running job finishes, nothing further is sent
  comfydesk jobs --look 3f2a                ask the pod once more for a job in state unknown

What was held, released or queued again is sent by the window, if it is open, or by --resume."""


def register(subparsers: Subparsers) -> None:
    parser = subparsers.add_parser(
        "jobs",
        help="the queue: list it, hold, cancel or retry jobs, bring it to its end",
        description="Show the queue as it is stored; with --resume, bring it to its end.",
        epilog=EXAMPLES,
    )
    parser.add_argument(
        "--resume", action="store_true", help="reconcile with the pods, send what waits, follow and save everything"
    )
    for option, words in ACTIONS.items():
        parser.add_argument(f"--{option}", nargs="+", default=[], metavar="ID", help=words)
    pausing = parser.add_mutually_exclusive_group()
    pausing.add_argument(
        "--pause", action="store_true", help="send nothing further, whoever queues it, until --unpause"
    )
    pausing.add_argument("--unpause", action="store_true", help="send what waits again")
    parser.add_argument("--clear", action="store_true", help="take what has ended out of the list; files stay")
    parser.add_argument("--patience", type=float, default=30.0, metavar="S", help="seconds a pod may be away (30)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, context: Context) -> int:
    """See cli.md."""
    from comfydesk.cli import follow

    return follow.run(_resume(args, context) if args.resume else _list(args, context))


async def _list(args: argparse.Namespace, context: Context) -> int:
    from comfydesk.session.session import Session

    # The session leaves before the demo pod is stopped.
    async with contextlib.AsyncExitStack() as pods, contextlib.AsyncExitStack() as stack:
        session = Session(context.paths, context.settings, guard=False)
        await session.start(resume=False)
        stack.push_async_callback(session.close)
        await _act(session, args, context)
        code = await _stop_on_pods(session, args, context, pods) if args.cancel else 0
        code = await _look(session, args.look, args.patience, context, pods) or code
        await _show(await session.queue.jobs(ALL), context)
        return code


async def _act(session: "Session", args: argparse.Namespace, context: Context) -> None:
    """What the options ask for. Raises UsageError for an id that fits no job or several."""
    from comfydesk.store.records import JobState

    for option, state in (("hold", JobState.QUEUED), ("release", JobState.HELD)):
        if getattr(args, option) == [EVERY]:  # whichever session looks after them
            setattr(args, option, [job.id for job in await session.queue.jobs(ALL) if job.state is state])
    given = [name for option in ACTIONS for name in getattr(args, option)]
    known = [job.id for job in await session.queue.jobs(ALL)] if given else []
    wanted = {option: [find_job(known, name) for name in getattr(args, option)] for option in ACTIONS}
    args.cancel, args.look = wanted["cancel"], wanted["look"]
    await session.queue.cancel(*wanted["cancel"])
    await session.queue.hold(wanted["hold"])
    await session.queue.release(wanted["release"])
    if wanted["front"]:
        await session.queue.move(wanted["front"])
    if args.pause or args.unpause:
        await session.queue.pause(args.pause)
    for job in wanted["duplicate"]:
        await session.queue.duplicate(job)
    for job in wanted["retry"]:
        if await session.queue.retry(job) is None:
            context.note(f"comfydesk: job {job[:8]} is under way, there is nothing to retry.")
    await session.queue.remove(*wanted["remove"])
    if args.clear:
        await session.queue.clear_finished()


async def _look(
    session: "Session", wanted: "list[str]", patience: float, context: Context, stack: contextlib.AsyncExitStack
) -> int:
    """Ask the pods of jobs in state unknown. There is always an answer, a line for each."""
    from comfydesk.store.records import JobState

    code = 0
    for job in await session.queue.jobs_by_id(wanted):
        if job.state is not JobState.UNKNOWN:
            context.note(f"job {job.id[:8]} is {job.state}: there is nothing to look for")
            continue
        try:
            await _connect(session, job.pod, context, stack)
            session.select(job.pod)
            await session.wait_catalog(patience)
            found = await session.queue.look_again(job.id)
        except KnownError as error:
            context.note(f"comfydesk: {error}")
            code = 3
            continue
        if found is None or found.state is JobState.UNKNOWN:
            context.note(f"job {job.id[:8]}: still nothing, the pod answers that it does not know it")
        else:
            context.note(
                f'job {job.id[:8]}: found, it is {found.state}; "comfydesk jobs --resume" brings it to its end'
            )
    return code


def find_job(known: "list[str]", name: str) -> str:
    """The job that an id, or the beginning of one, means. Raises UsageError."""
    found = [name] if name in known else [job for job in known if job.startswith(name.lower())]
    if len(found) == 1:
        return found[0]
    what = f"No job has the id {name}" if not found else f"The id {name} fits {len(found)} jobs"
    raise UsageError(what, "", '"comfydesk jobs" lists them')


async def _stop_on_pods(
    session: "Session", args: argparse.Namespace, context: Context, stack: contextlib.AsyncExitStack
) -> int:
    """Jobs that a pod has, and that no session looks after any more, are cancelled there by this one."""
    from comfydesk.store.records import JobState

    await session.queue.adopt(args.cancel)
    left = [job for job in await session.queue.jobs_by_id(args.cancel) if job.state is JobState.CANCELLING]
    ours = [job for job in left if job.owner == session.queue.owner]
    for job in left:
        if job not in ours:
            context.note(f"job {job.id[:8]}: the session that looks after it cancels it on its pod")
    return await _bring_to_end(session, ours, args, context, stack, listed=False) if ours else 0


async def _resume(args: argparse.Namespace, context: Context) -> int:
    from comfydesk.session.session import Session

    # The session leaves before the demo pod is stopped.
    async with contextlib.AsyncExitStack() as pods, contextlib.AsyncExitStack() as stack:
        session = Session(context.paths, context.settings, guard=False)
        await session.start()
        stack.push_async_callback(session.close)
        await _act(session, args, context)
        await _look(session, args.look, args.patience, context, pods)
        ours = [job for job in await session.queue.jobs(ALL) if _is_to_do(job, session)]
        try:
            code = await _bring_to_end(session, ours, args, context, pods)
        finally:
            if context.json:
                await _show(await session.queue.jobs(ALL), context)
        return code


async def _bring_to_end(
    session: "Session",
    ours: "list[Job]",
    args: argparse.Namespace,
    context: Context,
    stack: contextlib.AsyncExitStack,
    *,
    listed: bool = True,
) -> int:
    from comfydesk.cli import follow

    unreachable: list[KnownError] = []
    for pod in _pods_for(ours, context):
        try:
            await _connect(session, pod, context, stack)
        except KnownError as error:
            unreachable.append(error)
            ours = [job for job in ours if job.pod != pod]
    if not session.pods() and (waiting := [job for job in ours if not job.pod]):
        ours = [job for job in ours if job.pod]
        what = f"No pod is named for the {len(waiting)} jobs that any pod may take"
        unreachable.append(UsageError(what, "", "Give --pod with a profile's name or an address"))
    ids = [job.id for job in ours]
    done = await follow.follow(session, ids, context, cancels=False, patience=args.patience) if ids else ()
    code = follow.report(done, context, listed=not context.json) if listed else 0
    for fault in unreachable:
        context.note(f"comfydesk: {fault}")
    return 3 if unreachable else code


def _pods_for(ours: "list[Job]", context: Context) -> "list[str]":
    """Those that have, or are meant for, these jobs; for what any pod may take, the one that is named besides."""
    pods = dict.fromkeys(job.pod for job in ours if job.pod)
    named = context.pod or context.settings.get(DEFAULT_POD)
    if named and any(not job.pod for job in ours):
        pods[named] = None
    return list(pods)


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


async def _show(found: "tuple[Job, ...]", context: Context) -> None:
    if context.json:
        context.emit_json({"jobs": [document(job) for job in found]})
        return
    from comfydesk.cli.follow import error_of

    names = await _names_of_pods(context) if found else {}
    for job in found:
        seed = "" if job.seed is None else f"seed {job.seed}"
        pod = names.get(job.pod, job.pod) or "any pod"
        parts = (job.id[:8], str(job.state), pod, job.workflow, seed, *job.outputs, error_of(job) or "")
        context.emit("  ".join(part for part in parts if part))


async def _names_of_pods(context: Context) -> dict[str, str]:
    """Profile id → its name."""
    from comfydesk.cli.pods import roster_of
    from comfydesk.session.values import DEMO

    with contextlib.suppress(KnownError):  # the list of jobs is worth more than the names
        profiles = (await roster_of(context).load()).profiles
        return {DEMO: "Demo pod"} | {profile.id: profile.name for profile in profiles}
    return {}


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
