"""What the rooms of words share: how long an answer is to be, and how much of it there may be."""

from enum import StrEnum

MAX_WORDS = 200
"""Of an enhanced prompt; its protected spans do not count."""


class Length(StrEnum):
    """How long the enhanced prompt is to be."""

    AUTO = "auto"
    """As the model family likes it, and the style."""
    SHORT = "short"
    MEDIUM = "medium"
    LONG = "long"
