"""`comfydesk probe`: is that pod there, and if not, which step fails and what helps."""

import argparse
import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from comfydesk.cli.context import Context, Subparsers
from comfydesk.errors import PodUnreachableError

if TYPE_CHECKING:
    from comfydesk.client.probe import ProbeReport, ProbeStep

EXAMPLES = """examples:
  comfydesk probe --pod 192.168.1.20:8188
  comfydesk probe --pod mine --json          the same, for a program: exit code 0 when all is well, else 3"""


def register(subparsers: Subparsers) -> None:
    parser = subparsers.add_parser(
        "probe",
        help="check the way to a pod, step by step",
        description="Check name, port, certificate, sign-in and ComfyUI itself, and name the step that fails.\n"
        "Nothing on the pod is changed.",
        epilog=EXAMPLES,
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, context: Context) -> int:
    """0 when all steps passed, else 3."""
    del args
    report = asyncio.run(_probe(context))
    if context.json:
        context.emit_json(report.to_json())
    return 0 if report.ok else PodUnreachableError.exit_code


async def _probe(context: Context) -> "ProbeReport":
    # Not imported for `--help`: they bring httpx, websockets and the session.
    from comfydesk.cli.pods import lend, pod_named, roster_of, target_of
    from comfydesk.client.probe import ProbeReport, probe

    text = pod_named(context)
    roster = roster_of(context)
    profile = (await roster.load()).find(text)
    if profile is not None:
        lend(roster, profile)
        context.note(profile.name)
        steps = []
        async for step in roster.test(profile):
            _tell(context, step)
            steps.append(step)
        return ProbeReport(tuple(steps))
    async with AsyncExitStack() as stack:
        target = await target_of(text, context, stack)
        assert target.address is not None, "only profiles have to be asked for"
        context.note(f"{target.name} at {target.address}")
        return await probe(target.address, on_step=lambda step: _tell(context, step))


def _tell(context: Context, step: "ProbeStep") -> None:
    """For people the lines are the result; for programs they are progress."""
    line = f"{'ok' if step.ok else 'FAILED':6} {step.step:9} {step.ms:7.1f} ms  {step.detail}"
    if context.json:
        context.note(line)
    else:
        context.emit(line)
