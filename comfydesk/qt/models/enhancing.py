"""What is enhanced, and how: said by the button beside a prompt, the page and the window to each other."""

from dataclasses import dataclass

from comfydesk.llm.words.values import Length

COUNTS = (1, 2, 3, 4, 6, 8)
"""Variants to choose from."""
LENGTHS = tuple(Length)


@dataclass(frozen=True, slots=True)
class Wish:
    """How the prompt is to be enhanced."""

    style: str
    length: Length = Length.AUTO
    count: int = 1
    translate: bool = False


@dataclass(frozen=True, slots=True)
class Subject:
    """What is enhanced. `selection`: start and end of the part that is to change."""

    text: str
    name: str = ""
    family: str = ""
    selection: tuple[int, int] | None = None
    locked: tuple[str, ...] = ()
    negative: bool = False
    picture: str = ""
    """Name of the picture that is described."""
