"""`comfydesk`: a command goes to the command line, everything else opens the window."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command, or the window with the workflow (or a picture that carries one) that `argv` names."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    from comfydesk import cli

    if cli.command_of(arguments) or {"-h", "--help", "--version"} & set(arguments):
        return cli.main(arguments)
    return _window(arguments)


def _window(arguments: Sequence[str]) -> int:
    from comfydesk import cli
    from comfydesk.errors import KnownError, UsageError

    parser = argparse.ArgumentParser(prog="comfydesk", allow_abbrev=False)
    parser.add_argument("file", nargs="?", type=Path)
    parser.add_argument("--demo", action="store_true")
    parser.add_argument("--pod")
    parser.add_argument("--data-dir", type=Path)
    try:
        args = parser.parse_args(arguments)
        if args.file is not None and not args.file.is_file():
            what = f"{args.file} is neither a command nor a file"
            raise UsageError(what, advice="comfydesk --help lists the commands")
        args.pod = "demo" if args.demo else args.pod
        context = cli.context_of(args)
        # Imported here: the command line must work where Qt does not.
        from comfydesk.qt.app import run

        return run(context.paths, context.settings, file=args.file, pod=args.pod)
    except SystemExit as end:  # argparse has printed its line
        return end.code if isinstance(end.code, int) else 2
    except KnownError as error:
        sys.stderr.write(f"comfydesk: {error}\n")
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
