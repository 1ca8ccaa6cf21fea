"""`comfydesk outputs --import`: files of this computer become the library's."""

import argparse
import asyncio
from typing import TYPE_CHECKING

from comfydesk.cli.context import Context

if TYPE_CHECKING:
    from comfydesk.session.gallery.importing import Imported, ImportProgress

TELL_SECONDS = 1.0
CONNECT_SECONDS = 60.0


async def taken_in(args: argparse.Namespace, context: Context) -> int:
    """Take a folder in; what is skipped is named on stderr, and makes the exit code 1."""
    from comfydesk.session.gallery.importing import ImportPlan
    from comfydesk.session.session import Session

    session = Session(context.paths, context.settings, guard=False)
    await session.start(resume=False)
    try:
        teller = _Teller(context)
        outcome = await session.gallery.importer.run(ImportPlan(args.folder, args.copy), teller.tell)
        await session.gallery.importer.settled()
    finally:
        await session.close()
    for skipped in outcome.skipped:
        context.note(str(skipped))
    if context.json:
        context.emit_json(document(outcome))
    else:
        context.emit(words(outcome))
    return 1 if outcome.skipped_count else 0


async def from_pod(args: argparse.Namespace, context: Context) -> int:
    """List or fetch what a pod has and the library lacks; the exit code is 1 if something cannot be had."""
    from comfydesk.cli.pods import session_on_pod

    failed: tuple[str, ...] = ()
    async with session_on_pod(context) as session:
        await session.wait_catalog(CONNECT_SECONDS)
        pod = session.current_pod
        assert pod is not None
        missing = await session.pod_outputs.missing(pod.id)
        if not args.list:
            session.pod_outputs.progress.subscribe(
                lambda progress: context.note(f"{progress.done} of {progress.total}")
            )
            await session.pod_outputs.fetch(missing)
            failed = await session.pod_outputs.settled(pod.id)
    for words_of_one in failed:
        context.note(words_of_one)
    names = [f"{one.file.subfolder}/{one.file.filename}".lstrip("/") for one in missing]
    if context.json:
        context.emit_json({"files": names, "failed": list(failed)})
    else:
        for name in names:
            context.emit(name)
    return 1 if failed else 0


def document(outcome: "Imported") -> dict[str, object]:
    """What came of an import, as `--json` shows it."""
    return {
        "added": outcome.added,
        "changed": outcome.changed,
        "duplicates": outcome.duplicates,
        "unchanged": outcome.unchanged,
        "skipped": [{"path": str(one.path), "why": one.why} for one in outcome.skipped],
        "skipped_count": outcome.skipped_count,
    }


def words(outcome: "Imported") -> str:
    """The same as a line."""
    parts = [f"{outcome.added:,} added"]
    for count, what in (
        (outcome.changed, "changed"),
        (outcome.duplicates, "there already"),
        (outcome.unchanged, "unchanged"),
        (outcome.skipped_count, "skipped"),
    ):
        if count:
            parts.append(f"{count:,} {what}")
    return ", ".join(parts)


class _Teller:
    def __init__(self, context: Context) -> None:
        self._context = context
        self._told = asyncio.get_running_loop().time()

    def tell(self, progress: "ImportProgress") -> None:
        now = asyncio.get_running_loop().time()
        if progress.total is None or now - self._told < TELL_SECONDS:
            return
        self._told = now
        left = "" if progress.seconds_left is None else f", {progress.seconds_left:.0f} s left"
        self._context.note(f"{progress.done:,} of {progress.total:,} files, {progress.rate:,.0f} a second{left}")
