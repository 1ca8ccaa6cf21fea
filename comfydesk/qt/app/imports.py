"""Imports as Python makes them, and no more of them than are used.

PySide6 replaces `builtins.__import__` to see which modules switch on its `__feature__`s (snake_case, true_property):
it reads the source of every module that is imported from then on, and `linecache` keeps all of it. This program uses
none of them. Without it the imports behind the first frame take a quarter less, and 20 MB of source text are not kept.
"""

import builtins
import sys
from types import ModuleType
from typing import cast

ORIGINAL = "__orig_import__"
"""Where PySide6 keeps what it replaced."""


def import_plainly() -> None:
    """To be called after the first import of PySide6; does nothing where PySide6 has replaced nothing."""
    plain = getattr(builtins, ORIGINAL, None)
    if plain is not None:
        builtins.__import__ = plain


def leave_out(*modules: str) -> None:
    """Let `modules` not be found: for what a library imports only if it happens to be installed."""
    for module in modules:
        sys.modules.setdefault(module, cast("ModuleType", None))
