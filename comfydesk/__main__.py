"""`comfydesk`: a command goes to the command line, everything else opens the window.

The window's own few arguments are read by hand: the commands, argparse and the settings take 30 ms to import, a fifth
of what an empty window needs to come up.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from comfydesk.errors import KnownError


class Wish(NamedTuple):
    """How the window is to be opened."""

    file: Path | None = None
    pod: str | None = None
    data_dir: Path | None = None


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command, or the window with the workflow (or a picture that carries one) that `argv` names."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    wish = plain_wish(arguments)
    if wish is not None:
        return _window(wish)
    from comfydesk import cli

    if cli.command_of(arguments) or {"-h", "--help", "--version"} & set(arguments):
        return cli.main(arguments)
    return _window_or_usage(arguments)


def plain_wish(arguments: Sequence[str]) -> Wish | None:
    """What the window is to do, if `arguments` are plainly meant for it: known options, and a file that is there.

    A word without a dot may be a command. None: somebody else has to look.
    """
    wish = Wish()
    words = iter(arguments)
    for word in words:
        if word == "--demo":
            wish = wish._replace(pod="demo")
        elif word in ("--pod", "--data-dir"):
            value = next(words, "")
            if not value or value.startswith("-"):
                return None
            wish = wish._replace(pod=value) if word == "--pod" else wish._replace(data_dir=Path(value))
        elif word.startswith("-") or wish.file is not None or "." not in word or not Path(word).is_file():
            return None
        else:
            wish = wish._replace(file=Path(word))
    return wish


def _window_or_usage(arguments: Sequence[str]) -> int:
    """Arguments that are neither plain nor a command: argparse says what is wrong with them."""
    import argparse

    from comfydesk.errors import UsageError

    parser = argparse.ArgumentParser(prog="comfydesk", allow_abbrev=False)
    parser.add_argument("file", nargs="?", type=Path)
    parser.add_argument("--demo", action="store_true")
    parser.add_argument("--pod")
    parser.add_argument("--data-dir", type=Path)
    try:
        args = parser.parse_args(arguments)
    except SystemExit as end:  # argparse has printed its line
        return end.code if isinstance(end.code, int) else 2
    if args.file is not None and not args.file.is_file():
        what = f"{args.file} is neither a command nor a file"
        return _tell(UsageError(what, advice="See comfydesk --help for the commands"))
    return _window(Wish(args.file, "demo" if args.demo else args.pod, args.data_dir))


def _window(wish: Wish) -> int:
    from comfydesk.errors import KnownError
    from comfydesk.paths import Paths

    folder = wish.data_dir or os.environ.get("COMFYDESK_DATA_DIR")
    paths = Paths.under(Path(folder)) if folder else Paths.of_user()
    try:
        # Imported here: the command line must work where Qt does not.
        from comfydesk.qt.app import run

        return run(paths, file=wish.file, pod=wish.pod)
    except KnownError as error:
        return _tell(error)


def _tell(error: "KnownError") -> int:
    sys.stderr.write(f"comfydesk: {error}\n")
    return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
