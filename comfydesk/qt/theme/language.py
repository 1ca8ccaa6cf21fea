"""The words on the screen in the user's language.

Every text that a person reads goes through `tr`, written out as a literal in English, so that they can be collected.
Values are filled in after the translation, by name: `tr("Opened {name}", name=name)`.
"""

from PySide6.QtCore import QCoreApplication

CONTEXT = "ComfyDesk"


def tr(text: str, /, **values: object) -> str:
    """`text` in the user's language, with its `{names}` replaced. English where there is no translation."""
    translated = QCoreApplication.translate(CONTEXT, text)
    return translated.format(**values) if values else translated


def tr_n(one: str, many: str, n: int, /, **values: object) -> str:
    """The form for `n` of a text that counts; `{n}` is replaced. `tr_n("{n} job", "{n} jobs", 3)`."""
    return tr(one if n == 1 else many, n=n, **values)
