"""`comfydesk demo`: the built-in pod, in the foreground."""

import argparse
import asyncio
from pathlib import Path

from comfydesk.cli.context import Context, Subparsers


def register(subparsers: Subparsers) -> None:
    parser = subparsers.add_parser(
        "demo",
        help="run the demo pod: it draws on the CPU, and is no AI",
        description="Run the demo pod until Ctrl+C: ComfyUI's protocol on this computer, drawn by arithmetic.",
        epilog="examples:\n  comfydesk demo --port 8188",
    )
    parser.add_argument("--port", type=int, default=0, metavar="N", help="the port on 127.0.0.1 (default: a free one)")
    parser.add_argument("--speed", type=float, default=1.0, metavar="X", help="how many times faster than normal")
    parser.add_argument("--folder", type=Path, default=None, metavar="DIR", help="its disk (default: in the data dir)")
    parser.add_argument("--child", nargs=3, default=None, metavar=("DIR", "SPEED", "PORT"), help=argparse.SUPPRESS)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, context: Context) -> int:
    """Until Ctrl+C. stdout gets the URL, and nothing else."""
    from comfydesk.demo.service import main, serve  # aiohttp is not imported for `--help`
    from comfydesk.session.demo import FOLDER

    if args.child is not None:  # the bundled program as its own child, see demo.process
        main(args.child)
        return 0

    def ready(url: str) -> None:
        context.note("The demo pod draws pictures on the CPU; it is no AI. Ctrl+C ends it.")
        if context.json:
            context.emit_json({"url": url})
        else:
            context.emit(url)

    folder = args.folder or context.paths.data / FOLDER
    asyncio.run(serve(folder, port=args.port, speed=args.speed, ready=ready))
    return 0
