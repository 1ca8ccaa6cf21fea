"""What every command is given: folders, settings, and where to write.

Results go to stdout, progress and notes to stderr; with `--json` stdout carries one JSON document and nothing else.
"""

import argparse
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol, TextIO

from comfydesk.paths import Paths
from comfydesk.settings import Settings

_UNSEEN = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""What moves a terminal's cursor, changes its colours or the order of its words; and what cannot be written."""
_UNSAFE_IN_JSON = re.compile("[\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def harmless(text: str) -> str:
    """Words of a pod, a file or a person, as a terminal may be given them: lines and tabs stay."""
    return _UNSEEN.sub("", text)


@dataclass(frozen=True, slots=True)
class Context:
    paths: Paths
    settings: Settings
    stdout: TextIO
    stderr: TextIO
    json: bool = False
    pod: str | None = None
    """`--pod`: a profile's name, an address, or "demo". None: the default pod."""
    documents: list[Any] = field(default_factory=list, repr=False)
    """The JSON document, once it was written."""

    def emit_json(self, document: Any) -> None:
        """The command's one JSON document. Integers keep all of their digits; NaN stays NaN, as in ComfyUI's files."""
        self.documents.append(document)
        text = json.dumps(document, ensure_ascii=False, indent=1)
        self.stdout.write(_UNSAFE_IN_JSON.sub(lambda char: f"\\u{ord(char[0]):04x}", text) + "\n")
        self.stdout.flush()

    def emit(self, line: str) -> None:
        """A line of the result, for people. Commands call it only without `--json`."""
        self.stdout.write(harmless(line) + "\n")
        self.stdout.flush()

    def note(self, line: str) -> None:
        """A line on what goes on: stderr."""
        self.stderr.write(harmless(line) + "\n")
        self.stderr.flush()


Run = Callable[[argparse.Namespace, Context], int]


class Subparsers(Protocol):
    """What `register(subparsers)` of a command module adds its commands to.

    Each parser sets its function: `parser.set_defaults(run=run)` with `run(args, context) -> exit code`. `--pod`,
    `--data-dir` and `--json` are there already, on nested parsers too.
    """

    def add_parser(self, name: str, **kwargs: Any) -> argparse.ArgumentParser:
        """argparse's own: `help` for the list of commands, `description` for the command's page."""
