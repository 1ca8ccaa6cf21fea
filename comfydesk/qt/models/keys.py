"""How keys are called on the screen."""

from PySide6.QtGui import QKeySequence


def key_words(keys: str | QKeySequence) -> str:
    """Keys in the platform's words; the key Qt calls Return has "Enter" on it."""
    return QKeySequence(keys).toString(QKeySequence.SequenceFormat.NativeText).replace("Return", "Enter")
