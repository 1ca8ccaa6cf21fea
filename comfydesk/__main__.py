"""`comfydesk`: a command goes to the command line, everything else opens the window.

The window's own few arguments are read by hand: the commands, argparse and the settings take 30 ms to import, a fifth
of what an empty window needs to come up.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from comfydesk.wishes import SCHEME, Wish, wish_of_link

if TYPE_CHECKING:
    from comfydesk.errors import KnownError


LINKS = (f"{SCHEME}:", "file:")


class Start(NamedTuple):
    """How the window is to be opened."""

    wish: Wish = Wish()
    data_dir: Path | None = None


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command, or the window with the workflow (or a picture that carries one) that `argv` names."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments == ["outputs", "--stream"]:  # a child that reads files: half its start is the command line
        from comfydesk.session.gallery import reading_stream

        return reading_stream.main()
    start = plain_start(arguments)
    if start is not None:
        return _window(start)
    from comfydesk import cli

    if cli.command_of(arguments) or {"-h", "--help", "--version"} & set(arguments):
        return cli.main(arguments)
    return _window_or_usage(arguments)


def plain_start(arguments: Sequence[str]) -> Start | None:
    """What the window is to do, if `arguments` are plainly meant for it: known options, a link, a file that is there.

    A word without a dot may be a command. None: somebody else has to look.
    """
    start, named = Start(), False
    words = iter(arguments)
    for word in words:
        if word == "--demo":
            start = start._replace(wish=start.wish._replace(pod="demo"))
        elif word in ("--pod", "--data-dir"):
            value = next(words, "")
            if not value or value.startswith("-"):
                return None
            if word == "--pod":
                start = start._replace(wish=start.wish._replace(pod=value))
            else:
                start = start._replace(data_dir=Path(value))
        elif named or word.startswith("-"):
            return None
        elif word.startswith(LINKS):
            named = True
            start = start._replace(wish=wish_of_link(word)._replace(pod=start.wish.pod))
        elif "." in word and Path(word).is_file():
            named = True
            start = start._replace(wish=start.wish._replace(file=str(Path(word).absolute())))
        else:
            return None
    return start


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
    file = "" if args.file is None else str(args.file.absolute())
    return _window(Start(Wish(file=file, pod="demo" if args.demo else args.pod or ""), args.data_dir))


def _window(start: Start) -> int:
    from comfydesk.errors import KnownError
    from comfydesk.paths import Paths

    folder = start.data_dir or os.environ.get("COMFYDESK_DATA_DIR")
    paths = Paths.under(Path(folder)) if folder else Paths.of_user()
    try:
        # Imported here: the command line must work where Qt does not.
        from comfydesk.qt.app import run

        return run(paths, start.wish)
    except KnownError as error:
        return _tell(error)


def _tell(error: "KnownError") -> int:
    sys.stderr.write(f"comfydesk: {error}\n")
    return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
