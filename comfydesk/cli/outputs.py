"""`comfydesk outputs`: the library as stored, and copies of what is found there."""

import argparse
import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from comfydesk.cli.context import Context, Subparsers
from comfydesk.cli.imports import from_pod, taken_in
from comfydesk.errors import KnownError, UsageError

if TYPE_CHECKING:
    from comfydesk.session.gallery.export import ExportPlan
    from comfydesk.session.session import Session
    from comfydesk.store.records import Output
    from comfydesk.store.search import OutputFilter

MEDIA = ("image", "video", "audio", "text", "model3d", "other")

EXAMPLES = """examples:
  comfydesk outputs --search "lighthouse rating:>=4" --json
  comfydesk outputs --search "model:flux" --zip best.zip --format webp
  comfydesk outputs --import ~/Pictures/old"""


def register(subparsers: Subparsers) -> None:
    parser = subparsers.add_parser(
        "outputs",
        help="the library: what was made and saved",
        description="List what was made and saved, export it, take files in, fetch what the pod has besides.",
        epilog=EXAMPLES,
    )
    find = parser.add_argument_group("which (all of these must hold)")
    find.add_argument(
        "--search",
        default="",
        metavar="WORDS",
        help='as in the window: words, seed:42, model:flux, rating:">=4", -word',
    )
    find.add_argument("--media", action="append", choices=MEDIA, default=[], help="may be given several times")
    find.add_argument("--model", action="append", default=[], metavar="NAME", help="checkpoint or LoRA")
    find.add_argument("--workflow", action="append", default=[], metavar="NAME")
    find.add_argument("--tag", action="append", default=[], metavar="NAME")
    find.add_argument("--album", metavar="NAME")
    find.add_argument("--rating", type=int, default=0, choices=range(1, 6), help="at least so many stars")
    find.add_argument("--favourite", action="store_true", help="marked as favourites")
    find.add_argument("--limit", type=int, metavar="N", help="the newest N")
    export = parser.add_argument_group("copies")
    export.add_argument("--export", type=Path, metavar="DIR", help="copy the files found there")
    export.add_argument("--zip", type=Path, metavar="FILE", help="or into a zip file")
    export.add_argument("--strip", action="store_true", help="without prompt, workflow and other metadata")
    export.add_argument("--format", choices=("png", "jpg", "webp"), default="", help="pictures as this")
    export.add_argument("--quality", type=int, default=92, metavar="1-100", help="of jpg and webp")
    export.add_argument("--template", default="{name}", help="names of the copies, such as {date}/{seed}")
    imports = parser.add_argument_group("from elsewhere")
    imports.add_argument("--import", type=Path, dest="folder", metavar="DIR", help="take the media below it in")
    imports.add_argument("--copy", action="store_true", help="copy them into the library's folder")
    imports.add_argument("--from-pod", action="store_true", help="fetch what the pod (--pod) has and the library lacks")
    imports.add_argument("--list", action="store_true", help="with --from-pod: only name it")
    parser.add_argument("--stream", action="store_true", help=argparse.SUPPRESS)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, context: Context) -> int:
    """See cli.md."""
    if args.stream:
        from comfydesk.session.gallery.reading_stream import stream

        return stream(sys.stdin, context.stdout)
    if args.folder is not None:
        return asyncio.run(taken_in(args, context))
    if args.from_pod:
        return asyncio.run(from_pod(args, context))
    if args.list:
        raise UsageError("--list is for --from-pod", "", "Say what to list: --from-pod --pod NAME")
    if args.copy:
        raise UsageError("--copy is for --import", "", "Say what to copy: --import DIR")
    return asyncio.run(_outputs(args, context))


async def _outputs(args: argparse.Namespace, context: Context) -> int:
    from comfydesk.session.session import Session

    plan = _plan(args)
    session = Session(context.paths, context.settings, guard=False)
    await session.start(resume=False)
    skipped: tuple[tuple[Output, KnownError], ...] = ()
    try:
        listing = await session.gallery.listing(await _filter(args, session))
        ids = listing.ids[: args.limit] if args.limit is not None else listing.ids
        found = await session.gallery.rows(ids)
        if plan is not None:
            skipped = (await session.gallery.export(ids, plan)).skipped
    finally:
        await session.close()
    for _, error in skipped:
        context.note(str(error))
    if context.json:
        context.emit_json({"outputs": [document(output) for output in found]})
    else:
        for output in found:
            context.emit(output.path)
    return 1 if skipped else 0


async def _filter(args: argparse.Namespace, session: "Session") -> "OutputFilter":
    from comfydesk.store.search import OutputFilter

    album = None
    if args.album is not None:
        albums = {one.name.casefold(): one.id for one in await session.gallery.collections.albums()}
        album = albums.get(args.album.casefold())
        if album is None:
            what = f"There is no album called {args.album}"
            raise UsageError(what, "", f"There are {', '.join(albums)}" if albums else "There are none yet")
    return OutputFilter(
        words=args.search,
        media=tuple(args.media),
        models=tuple(args.model),
        workflows=tuple(args.workflow),
        tags=tuple(args.tag),
        album=album,
        rating=args.rating,
        favourite=args.favourite,
    )


def _plan(args: argparse.Namespace) -> "ExportPlan | None":
    from comfydesk.session.gallery.export import ExportPlan

    if args.export is not None and args.zip is not None:
        raise UsageError("--export and --zip cannot both be given")
    target = args.export or args.zip
    if target is None:
        if args.strip or args.format:
            raise UsageError("--strip and --format are for copies", "", "Say where to: --export DIR or --zip FILE")
        return None
    if args.zip is not None and target.suffix.lower() != ".zip":
        target = target.with_name(f"{target.name}.zip")
    plan = ExportPlan(
        target.expanduser().absolute(),
        metadata=not args.strip,
        picture_format=args.format,
        quality=args.quality,
        template=args.template,
        zipped=args.zip is not None,
    )
    plan.check()
    return plan


def document(output: "Output") -> dict[str, Any]:
    """An output as `outputs --json` shows it."""
    names = ("path", "sha256", "media", "width", "height", "prompt", "seed", "workflow", "pod", "created")
    return {name: getattr(output, name) for name in names}
