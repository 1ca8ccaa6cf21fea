"""The words on the screen in the user's language.

Every text that a person reads goes through `tr`, written out as a literal in English, so that they can be collected.
Values are filled in after the translation, by name: `tr("Opened {name}", name=name)`.
"""

from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication

if TYPE_CHECKING:
    from comfydesk.errors import KnownError

CONTEXT = "ComfyDesk"
TOLD_CONTEXT = "ComfyDesk below the window"


def tr(text: str, /, **values: object) -> str:
    """`text` in the user's language, with its `{names}` replaced. English where there is no translation."""
    translated = QCoreApplication.translate(CONTEXT, text)
    return translated.format(**values) if values else translated


def mark(text: str, /) -> str:
    """`text` as it is: a constant of a module, collected here and translated by `tr` where it is shown."""
    return text


def tr_n(one: str, many: str, n: int, /, **values: object) -> str:
    """The form for `n` of a text that counts; `{n}` is replaced. `tr_n("{n} job", "{n} jobs", 3)`."""
    return tr(one if n == 1 else many, n=n, **values)


def said(text: str) -> str:
    """A text that was worded below the window (an error's, a step's), in the user's language: see theme/told.py.

    For nothing that a person wrote: a prompt or a name that happens to read like one of our texts would be translated.
    """
    return QCoreApplication.translate(TOLD_CONTEXT, text) if text else ""


def said_error(error: "KnownError") -> str:
    """All of an error in one line, in the user's language: what, why, what to do."""
    from comfydesk.errors import KnownError

    return str(KnownError(said(error.what), said(error.why), said(error.advice)))


def why_and_advice(error: "KnownError") -> str:
    """What follows the headline of an error, as sentences."""
    parts = (said(part) for part in (error.why, error.advice) if part)
    return " ".join(f"{part[:1].upper()}{part[1:].rstrip('.')}." for part in parts)
