"""What the user wants made of the workflow that lies open."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Making:
    """A press of Generate."""

    values: Mapping[str, Any]
    """Field id → value; a pathlib.Path is a file of this computer, to be uploaded."""
    count: int = 1
    keep_seed: bool = False
    """The first job has the form's seed, each following one more; else each gets one of its own."""
    front: bool = False
    """Before all that waits."""
    held: bool = False
    """Not sent until it is released."""
