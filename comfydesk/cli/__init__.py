"""The headless face: `main(argv) -> exit code`.

One module per command family; each has `register(subparsers)`, see `cli.context`. Exit codes: 0 done, 1 the job or
the input failed, 2 usage, 3 no pod reached, 130 interrupted. Nothing heavy is imported before a command needs it.
"""

import argparse
import contextlib
import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from comfydesk import __version__
from comfydesk.cli.context import Context, Run
from comfydesk.errors import KnownError
from comfydesk.paths import Paths
from comfydesk.settings import FILE_NAME, Settings

INTERRUPTED = 130

COMMANDS = {
    "generate": "generate",
    "jobs": "jobs",
    "outputs": "outputs",
    "pods": "profiles",
    "probe": "probe",
    "demo": "demo",
    "inspect": "graphs",
    "convert": "graphs",
    "form": "graphs",
    "check": "graphs",
    "intent": "intent",
    "enhance": "enhance",
    "llm": "llm",
    "llm-child": "llm",
    "workflows": "workflows",
}
"""Command → the module here that registers it."""

USAGE = """comfydesk [--demo] [--pod NAME|URL] [--data-dir DIR] [FILE | LINK]
       comfydesk [--pod NAME|URL] [--data-dir DIR] [--json] COMMAND ..."""
DESCRIPTION = """\
A desktop client for ComfyUI pods. Without a command it opens its window, or hands FILE (a workflow, or a picture or
video that carries one) or LINK (comfydesk:…) to the window that is open. --demo: on the built-in demo pod."""
EPILOG = """\
examples:
  comfydesk --demo                                  the window, without a GPU or an account
  comfydesk pods add "ssh root@203.0.113.7 -p 22"   a pod, from what its provider shows
  comfydesk generate picture.json --pod demo --prompt "a lighthouse at dusk" -o pictures

"comfydesk COMMAND --help" tells more of each. Results go to stdout, progress to stderr.
Exit codes: 0 done, 1 the job or the input failed, 2 usage, 3 no pod reached, 130 interrupted."""

OPTIONS_WITH_VALUE = frozenset({"--pod", "--data-dir"})


class CommandParser(argparse.ArgumentParser):
    """A parser that knows the common options, before and after the command's name."""

    def __init__(self, **kwargs: Any) -> None:
        # Raw: descriptions are short, and examples stay in their lines.
        given: dict[str, Any] = {"allow_abbrev": False, "formatter_class": argparse.RawDescriptionHelpFormatter}
        super().__init__(**given | kwargs)
        self.add_argument(
            "--pod", metavar="NAME|URL", default=argparse.SUPPRESS, help='the pod: a name, an address, or "demo"'
        )
        self.add_argument(
            "--data-dir",
            metavar="DIR",
            type=Path,
            default=argparse.SUPPRESS,
            help="all state in one folder (or COMFYDESK_DATA_DIR)",
        )
        self.add_argument(
            "--json", action="store_true", default=argparse.SUPPRESS, help="one JSON document on stdout, nothing else"
        )


def command_of(argv: Sequence[str]) -> str | None:
    """The command that `argv` names: its first word that is no option, if that is one of COMMANDS."""
    words = iter(argv)
    for word in words:
        if word in OPTIONS_WITH_VALUE:
            next(words, None)
        elif not word.startswith("-"):
            return word if word in COMMANDS else None
    return None


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command. Never raises for the world's faults: they are one line on stderr and an exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        args = build_parser(command_of(arguments)).parse_args(arguments)
    except SystemExit as end:  # argparse has printed its line
        return end.code if isinstance(end.code, int) else 2
    run: Run = args.run
    context = context_of(args)
    try:
        return run(args, context)
    except KnownError as error:
        sys.stderr.write(f"comfydesk: {error}\n")
        if context.json and not context.documents:
            context.emit_json({"error": str(error)})
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has left; the interpreter must not stumble over it again when it flushes.
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def build_parser(command: str | None = None) -> argparse.ArgumentParser:
    """The parser with all commands, or with just the one that is asked for (the others are not imported)."""
    parser = CommandParser(prog="comfydesk", usage=USAGE, description=DESCRIPTION, epilog=EPILOG)
    parser.add_argument("--version", action="version", version=f"comfydesk {__version__}")
    subparsers = parser.add_subparsers(prog="comfydesk", metavar="COMMAND", required=True, parser_class=CommandParser)
    wanted = [COMMANDS[command]] if command else dict.fromkeys(COMMANDS.values())
    for name in wanted:
        importlib.import_module(f"{__name__}.{name}").register(subparsers)
    return parser


def paths_of(args: argparse.Namespace) -> Paths:
    """The folders that `--data-dir` or COMFYDESK_DATA_DIR names, else the user's own."""
    folder = getattr(args, "data_dir", None) or os.environ.get("COMFYDESK_DATA_DIR")
    return Paths.under(Path(folder)) if folder else Paths.of_user()


def context_of(args: argparse.Namespace) -> Context:
    """What the command runs with; a broken settings file is told on stderr."""
    paths = paths_of(args)
    context = Context(
        paths=paths,
        settings=Settings.load(paths.data / FILE_NAME),
        stdout=sys.stdout,
        stderr=sys.stderr,
        json=getattr(args, "json", False),
        pod=getattr(args, "pod", None),
    )
    if context.settings.problem:
        context.note(f"comfydesk: {context.settings.problem}")
    return context
