"""Makes the man page out of the command line's own help: `python release/man.py FILE` → comfydesk.1, packed with .gz.

What it says is what `--help` says; nothing is written twice. The Debian package takes it along.
"""

import contextlib
import gzip
import io
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from comfydesk import __version__, cli

WIDTH = 78
ENVIRONMENT = {
    "COMFYDESK_DATA_DIR": "Keeps all state in that folder, as --data-dir does.",
    "COMFYDESK_SECRET": 'Password, token or key of the named pod; of several headers "Name: value", one a line.',
    "COMFYDESK_SSH_PASSWORD, COMFYDESK_SSH_PASSPHRASE": "Of its SSH account, and of its key.",
    "COMFYDESK_LLM_KEY": "Key of its LLM endpoint.",
    "RUNPOD_API_KEY, VAST_API_KEY": "Key of the account at its provider.",
    "HF_ENDPOINT, HF_TOKEN": "Another hub for language models, and the token for it.",
}
FILES = {
    "~/.local/share/ComfyDesk": "The library, the queue, profiles (pods.toml), settings (settings.toml); no secrets.",
    "~/.cache/ComfyDesk": "What can be made again: thumbnails, lists of nodes.",
    "~/Pictures/ComfyDesk": "What was made, unless another folder was chosen.",
}


_ACTION = re.compile(r"^    ([a-z]+)  ", re.MULTILINE)


def roff(text: str) -> str:
    """`text` with what means something to roff escaped."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq")
    return re.sub(r"^\.", r"\\&.", text, flags=re.MULTILINE)


def help_of(*words: str) -> str:
    """What `comfydesk WORDS --help` prints."""
    said = io.StringIO()
    os.environ["COLUMNS"] = str(WIDTH + 2)  # argparse leaves two free
    with contextlib.redirect_stdout(said), contextlib.suppress(SystemExit):
        cli.build_parser(words[0] if words else None).parse_args([*words, "--help"])
    return said.getvalue()


def commands() -> Iterator[tuple[str, ...]]:
    """All that the help lists, with the actions of each."""
    for command in _ACTION.findall(help_of()):
        yield (command,)
        _, found, listed = help_of(command).partition("\n  ACTION\n")
        if found:
            yield from ((command, action) for action in _ACTION.findall(listed.partition("\n\n")[0]))


def page() -> str:
    """The page, in man(7)."""
    return "\n".join(_page()) + "\n"


def _page() -> Iterator[str]:
    yield f'.TH COMFYDESK 1 "" "ComfyDesk {roff(__version__)}" "User Commands"'
    yield from (".SH NAME", r"comfydesk \- a desktop client for ComfyUI pods")
    yield from (".SH SYNOPSIS", *_as_is("\n".join(line.strip() for line in cli.USAGE.splitlines())))
    yield from (".SH DESCRIPTION", roff(cli.DESCRIPTION))
    yield from (".SH COMMANDS", *_as_is(help_of().partition("positional arguments:\n")[2].rstrip()))
    for words in commands():
        yield from (f".SS {' '.join(words)}", *_as_is(help_of(*words).rstrip()))
    for title, entries in (("ENVIRONMENT", ENVIRONMENT), ("FILES", FILES)):
        yield f".SH {title}"
        for name, about in entries.items():
            yield from (".TP", f"\\fB{roff(name)}\\fR", roff(about))


def _as_is(text: str) -> tuple[str, ...]:
    """Lines that stay lines, a blank one too."""
    return (".nf", *(roff(line) if line.strip() else ".sp" for line in text.splitlines()), ".fi")


if __name__ == "__main__":
    target, made = Path(sys.argv[1]), page().encode()
    target.write_bytes(gzip.compress(made, mtime=0) if target.suffix == ".gz" else made)
