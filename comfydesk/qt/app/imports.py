"""Imports as Python makes them, once PySide6 is there.

PySide6 replaces `builtins.__import__` to see which modules switch on its `__feature__`s (snake_case, true_property):
it reads the source of every module that is imported from then on, and `linecache` keeps all of it. This program uses
none of them. Without it the imports behind the first frame take a quarter less, and 20 MB of source text are not kept.
"""

import builtins

ORIGINAL = "__orig_import__"
"""Where PySide6 keeps what it replaced."""


def import_plainly() -> None:
    """To be called after the first import of PySide6; does nothing where PySide6 has replaced nothing."""
    plain = getattr(builtins, ORIGINAL, None)
    if plain is not None:
        builtins.__import__ = plain
