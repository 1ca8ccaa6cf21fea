"""`comfydesk outputs`: the library as stored."""

import argparse
import asyncio
import contextlib
import errno
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from comfydesk.cli.context import Context, Subparsers
from comfydesk.errors import DiskFullError, StoreError

if TYPE_CHECKING:
    from comfydesk.store.records import Output

ALL = 10_000_000


def register(subparsers: Subparsers) -> None:
    parser = subparsers.add_parser("outputs", help="the library: what was made and saved")
    parser.add_argument("--search", default="", metavar="WORDS", help="words of the prompt, workflow or path")
    parser.add_argument("--export", type=Path, metavar="DIR", help="copy the files found there")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, context: Context) -> int:
    """See cli.md."""
    return asyncio.run(_outputs(args, context))


async def _outputs(args: argparse.Namespace, context: Context) -> int:
    from comfydesk.session.session import Session

    session = Session(context.paths, context.settings, guard=False)
    await session.start(resume=False)
    try:
        found = await session.outputs(ALL, search=args.search)
    finally:
        await session.close()
    if args.export is not None:
        await asyncio.to_thread(export, found, args.export)
    if context.json:
        context.emit_json({"outputs": [document(output) for output in found]})
    else:
        for output in found:
            context.emit(output.path)
    return 0


def export(found: "tuple[Output, ...]", folder: Path) -> None:
    """Copy the files into one folder, numbered where names meet; a copy that is there already is left.

    Raises StoreError (DiskFullError): nothing half-written is left.
    """
    from comfydesk.client.files import numbered

    folder.mkdir(parents=True, exist_ok=True)
    for output in found:
        source, number = Path(output.path), 1
        while (target := numbered(folder / source.name, number)).exists():
            if target.stat().st_size == output.size and target.read_bytes() == source.read_bytes():
                break
            number += 1
        else:
            _copy(source, target)


def _copy(source: Path, target: Path) -> None:
    part = target.with_name(target.name + ".part")
    try:
        shutil.copy2(source, part)
        part.rename(target)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink()
        kind = DiskFullError if error.errno in (errno.ENOSPC, errno.EDQUOT) else StoreError
        what = f"{source.name} cannot be copied"
        raise kind(what, f"{target}: {error.strerror}") from error


def document(output: "Output") -> dict[str, Any]:
    """An output as `outputs --json` shows it."""
    names = ("path", "sha256", "media", "width", "height", "prompt", "seed", "workflow", "pod", "created")
    return {name: getattr(output, name) for name in names}
