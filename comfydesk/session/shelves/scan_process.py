"""Workflow files read by a child process: `comfydesk inspect --stream`, a JSON card per line."""

import json
from collections.abc import Generator, Sequence
from contextlib import closing
from pathlib import Path

from comfydesk.errors import GraphError
from comfydesk.session.children import answers, our_program, shares
from comfydesk.workflow.card import WorkflowCard, card_from_json
from comfydesk.workflow.scan import card_of_broken

__all__ = ["scan_in_child", "shares"]

PATIENCE = 30.0
"""Seconds without a card after which a file is given up on."""


def scan_in_child(
    paths: Sequence[Path], *, patience: float = PATIENCE
) -> Generator[tuple[Path, WorkflowCard], None, None]:
    """The card of each file, in order. Blocks: call it in a thread. Closing the iterator ends the child."""
    with closing(answers(paths, _program(), patience)) as lines:
        for path, line, told in lines:
            if line:
                yield path, card_from_json(json.loads(line))
            else:
                error = GraphError("The file cannot be read", told, "Remove or repair it")
                yield path, card_of_broken(path.name, error)


def _program() -> list[str]:
    return our_program("inspect", "--stream")
